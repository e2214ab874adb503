//! NumPy's arithmetic on each Rust element type.
//!
//! Three traits by how many dtypes an op takes: [`Basic`] all that are computed with, [`Number`] all but booleans, [`Floating`]
//! the real and complex floating types. Integer division and powers are `autojit_runtime`'s, as are the
//! elementary functions; here they only get one name for all types.
//!
//! Invariants: integers wrap, nothing panics. Complex numbers compare by real, then imaginary part; any
//! comparison with a NaN is false.

use autojit_runtime::math::{Real, complex};
use num_complex::Complex;

use autojit_ir::Element;

/// Arithmetic of all dtypes; booleans add as `or` and multiply as `and`.
pub(super) trait Basic: Element {
    /// The type of real part and absolute value.
    type Magnitude: Element;
    /// Whether extreme elements may be sought in any order: there is only one NaN to find, and equal elements have equal
    /// bits or are zeros.
    const ONE_NAN: bool = true;
    fn add(self, y: Self) -> Self;
    fn multiply(self, y: Self) -> Self;
    fn maximum(self, y: Self) -> Self;
    fn minimum(self, y: Self) -> Self;
    fn less(self, y: Self) -> bool;
    fn less_equal(self, y: Self) -> bool;
    fn absolute(self) -> Self::Magnitude;
    fn real(self) -> Self::Magnitude;
    fn imag(self) -> Self::Magnitude;

    /// The larger of two as reductions take it: of zeros the positive one, so that the order does not matter.
    fn larger(self, y: Self) -> Self {
        self.maximum(y)
    }

    /// The smaller of two as reductions take it: of zeros the negative one.
    fn smaller(self, y: Self) -> Self {
        self.minimum(y)
    }

    fn square(self) -> Self {
        self.multiply(self)
    }

    fn greater(self, y: Self) -> bool {
        y.less(self)
    }

    fn greater_equal(self, y: Self) -> bool {
        y.less_equal(self)
    }

    fn equal(self, y: Self) -> bool {
        self == y
    }

    fn not_equal(self, y: Self) -> bool {
        self != y
    }

    #[allow(clippy::eq_op, reason = "only a NaN differs from itself")]
    fn is_nan(self) -> bool {
        self != self
    }
}

/// Arithmetic of numbers.
pub(super) trait Number: Basic {
    fn subtract(self, y: Self) -> Self;
    fn negative(self) -> Self;
    fn sign(self) -> Self;
}

impl Basic for bool {
    type Magnitude = bool;

    fn add(self, y: bool) -> bool {
        self | y
    }

    fn multiply(self, y: bool) -> bool {
        self & y
    }

    fn maximum(self, y: bool) -> bool {
        self | y
    }

    fn minimum(self, y: bool) -> bool {
        self & y
    }

    fn less(self, y: bool) -> bool {
        !self & y
    }

    fn less_equal(self, y: bool) -> bool {
        !self | y
    }

    fn absolute(self) -> bool {
        self
    }

    fn real(self) -> bool {
        self
    }

    fn imag(self) -> bool {
        false
    }
}

macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Basic for $t {
            type Magnitude = $t;

            fn add(self, y: $t) -> $t {
                self.wrapping_add(y)
            }

            fn multiply(self, y: $t) -> $t {
                self.wrapping_mul(y)
            }

            fn maximum(self, y: $t) -> $t {
                self.max(y)
            }

            fn minimum(self, y: $t) -> $t {
                self.min(y)
            }

            fn less(self, y: $t) -> bool {
                self < y
            }

            fn less_equal(self, y: $t) -> bool {
                self <= y
            }

            // `cmp`, because `x < 0` does not compile without a warning for unsigned integers.
            fn absolute(self) -> $t {
                if self.cmp(&0).is_lt() { self.wrapping_neg() } else { self }
            }

            fn real(self) -> $t {
                self
            }

            fn imag(self) -> $t {
                0
            }
        }

        impl Number for $t {
            fn subtract(self, y: $t) -> $t {
                self.wrapping_sub(y)
            }

            fn negative(self) -> $t {
                self.wrapping_neg()
            }

            fn sign(self) -> $t {
                self.cmp(&0) as i8 as $t
            }
        }
    )*};
}

integers! { u8 i32 i64 }

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Basic for $t {
            type Magnitude = $t;

            fn add(self, y: $t) -> $t {
                self + y
            }

            fn multiply(self, y: $t) -> $t {
                self * y
            }

            fn maximum(self, y: $t) -> $t {
                if self >= y || self.is_nan() { self } else { y }
            }

            fn minimum(self, y: $t) -> $t {
                if self <= y || self.is_nan() { self } else { y }
            }

            fn larger(self, y: $t) -> $t {
                if self == y {
                    <$t>::from_bits(self.to_bits() & y.to_bits())
                } else {
                    Basic::maximum(self, y)
                }
            }

            fn smaller(self, y: $t) -> $t {
                if self == y {
                    <$t>::from_bits(self.to_bits() | y.to_bits())
                } else {
                    Basic::minimum(self, y)
                }
            }

            fn less(self, y: $t) -> bool {
                self < y
            }

            fn less_equal(self, y: $t) -> bool {
                self <= y
            }

            fn absolute(self) -> $t {
                self.abs()
            }

            fn real(self) -> $t {
                self
            }

            fn imag(self) -> $t {
                0.0
            }
        }

        impl Number for $t {
            fn subtract(self, y: $t) -> $t {
                self - y
            }

            fn negative(self) -> $t {
                -self
            }

            fn sign(self) -> $t {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else if self == 0.0 {
                    0.0
                } else {
                    self
                }
            }
        }

        impl Basic for Complex<$t> {
            type Magnitude = $t;
            const ONE_NAN: bool = false;

            fn add(self, y: Self) -> Self {
                self + y
            }

            fn multiply(self, y: Self) -> Self {
                complex::multiply(self, y)
            }

            fn maximum(self, y: Self) -> Self {
                if y.less_equal(self) || self.is_nan() { self } else { y }
            }

            fn minimum(self, y: Self) -> Self {
                if self.less_equal(y) || self.is_nan() { self } else { y }
            }

            fn less(self, y: Self) -> bool {
                (self.re < y.re && !self.im.is_nan() && !y.im.is_nan())
                    || (self.re == y.re && self.im < y.im)
            }

            fn less_equal(self, y: Self) -> bool {
                (self.re < y.re && !self.im.is_nan() && !y.im.is_nan())
                    || (self.re == y.re && self.im <= y.im)
            }

            fn absolute(self) -> $t {
                complex::absolute(self)
            }

            fn real(self) -> $t {
                self.re
            }

            fn imag(self) -> $t {
                self.im
            }
        }

        impl Number for Complex<$t> {
            fn subtract(self, y: Self) -> Self {
                self - y
            }

            fn negative(self) -> Self {
                -self
            }

            /// `z / |z|`, with the limits that NumPy gives at infinity.
            fn sign(self) -> Self {
                let magnitude = complex::absolute(self);
                if magnitude.is_nan() || (self.re.is_infinite() && self.im.is_infinite()) {
                    Complex::new(<$t>::NAN, <$t>::NAN)
                } else if self.re.is_infinite() {
                    Complex::new(self.re.signum(), 0.0)
                } else if magnitude.is_infinite() {
                    Complex::new(0.0, self.im.signum())
                } else if magnitude == 0.0 {
                    Complex::new(0.0, 0.0)
                } else {
                    Complex::new(self.re / magnitude, self.im / magnitude)
                }
            }
        }
    )*};
}

floats! { f32 f64 }

/// Functions of real and complex floating numbers.
pub(super) trait Floating: Number {
    fn divide(self, y: Self) -> Self;
    fn power(self, y: Self) -> Self;
    fn sqrt(self) -> Self;
    fn reciprocal(self) -> Self;
    fn exp(self) -> Self;
    fn exp2(self) -> Self;
    fn expm1(self) -> Self;
    fn log(self) -> Self;
    fn log2(self) -> Self;
    fn log10(self) -> Self;
    fn log1p(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tan(self) -> Self;
    fn arcsin(self) -> Self;
    fn arccos(self) -> Self;
    fn arctan(self) -> Self;
    fn sinh(self) -> Self;
    fn cosh(self) -> Self;
    fn tanh(self) -> Self;
}

macro_rules! floating {
    ($($t:ty)*) => {$(
        impl Floating for $t {
            fn divide(self, y: $t) -> $t {
                self / y
            }

            fn power(self, y: $t) -> $t {
                Real::power(self, y)
            }

            fn sqrt(self) -> $t {
                <$t>::sqrt(self)
            }

            fn reciprocal(self) -> $t {
                1.0 / self
            }

            floating!(@ Real: exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh);
        }

        impl Floating for Complex<$t> {
            fn divide(self, y: Self) -> Self {
                complex::divide(self, y)
            }

            fn power(self, y: Self) -> Self {
                complex::power(self, y)
            }

            fn reciprocal(self) -> Self {
                complex::reciprocal(self)
            }

            floating!(@ complex: sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh);
        }
    )*};
    (@ $from:ident: $($name:ident)*) => {$(
        fn $name(self) -> Self {
            $from::$name(self)
        }
    )*};
}

floating! { f32 f64 }
