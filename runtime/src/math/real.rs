//! Elementary functions of `f32` and `f64`.
//!
//! Most are those of [`super::wide`], of one element: the results are the same bits as those of its loops. The inverse
//! hyperbolic functions are the published fdlibm formulas, because Rust's standard library loses accuracy or overflows.
//! `f32` functions that are not there compute in `f64` and round once, so they are correctly rounded but for rare ties.

use super::special;
use super::wide::{BinaryFunction, UnaryFunction};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A floating-point element type with NumPy's elementary functions.
///
/// Method names are NumPy's. On a concrete `f64` an inherent method of the same name (`exp`, `sin`) wins and means the same.
pub trait Real:
    Copy
    + PartialOrd
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// The value zero.
    const ZERO: Self;
    /// The value one.
    const ONE: Self;

    /// The same number as `f64`; exact.
    fn to_f64(self) -> f64;
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// Whether this is not a number.
    fn is_nan(self) -> bool;

    /// e to the power `self` (`numpy.exp`).
    fn exp(self) -> Self;
    /// Natural logarithm (`numpy.log`).
    fn log(self) -> Self;
    /// Sine of an angle in radians (`numpy.sin`).
    fn sin(self) -> Self;
    /// Cosine of an angle in radians (`numpy.cos`).
    fn cos(self) -> Self;
    /// Tangent of an angle in radians (`numpy.tan`).
    fn tan(self) -> Self;
    /// Hyperbolic tangent (`numpy.tanh`).
    fn tanh(self) -> Self;
    /// Hyperbolic sine (`numpy.sinh`).
    fn sinh(self) -> Self;
    /// Hyperbolic cosine (`numpy.cosh`).
    fn cosh(self) -> Self;
    /// Inverse sine (`numpy.arcsin`).
    fn arcsin(self) -> Self;
    /// Inverse cosine (`numpy.arccos`).
    fn arccos(self) -> Self;
    /// Inverse tangent (`numpy.arctan`).
    fn arctan(self) -> Self;
    /// Inverse hyperbolic sine (`numpy.arcsinh`).
    fn arcsinh(self) -> Self;
    /// Inverse hyperbolic cosine (`numpy.arccosh`).
    fn arccosh(self) -> Self;
    /// Inverse hyperbolic tangent (`numpy.arctanh`).
    fn arctanh(self) -> Self;
    /// 2 to the power `self` (`numpy.exp2`).
    fn exp2(self) -> Self;
    /// `exp(self) - 1` without cancellation (`numpy.expm1`).
    fn expm1(self) -> Self;
    /// `log(1 + self)` without cancellation (`numpy.log1p`).
    fn log1p(self) -> Self;
    /// Logarithm to base 2 (`numpy.log2`).
    fn log2(self) -> Self;
    /// Logarithm to base 10 (`numpy.log10`).
    fn log10(self) -> Self;
    /// Cube root (`numpy.cbrt`).
    fn cbrt(self) -> Self;
    /// The error function (`scipy.special.erf`).
    fn erf(self) -> Self;
    /// Logarithm of the modulus of the gamma function (`scipy.special.gammaln`).
    fn lgamma(self) -> Self;
    /// Nearest integer below or equal (`numpy.floor`).
    fn floor(self) -> Self;
    /// Nearest integer above or equal (`numpy.ceil`).
    fn ceil(self) -> Self;
    /// Nearest integer toward zero (`numpy.trunc`).
    fn trunc(self) -> Self;
    /// The modulus of `self` with the sign of `sign` (`numpy.copysign`).
    fn copysign(self, sign: Self) -> Self;
    /// `self` to the power `exponent` (`numpy.power`).
    fn power(self, exponent: Self) -> Self;
    /// The angle of the point `(x, self)` (`numpy.arctan2`).
    fn arctan2(self, x: Self) -> Self;
    /// Length of the hypotenuse without overflow on the way (`numpy.hypot`).
    fn hypot(self, other: Self) -> Self;
    /// Remainder with the sign of `self`, exact (`numpy.fmod`).
    fn fmod(self, divisor: Self) -> Self;
    /// Nearest integer, ties to even (`numpy.rint`).
    fn rint(self) -> Self;
    /// The quotient rounded toward minus infinity (`numpy.floor_divide`), consistent with [`remainder`](Self::remainder).
    fn floor_divide(self, divisor: Self) -> Self;
    /// Remainder with the sign of `divisor` (`numpy.remainder`).
    fn remainder(self, divisor: Self) -> Self;
}

/// Division with Python's signs, after NumPy's `npy_divmod`: the quotient is built from the exact remainder, because
/// `(x / y).floor()` is one too large where the division rounds up to an integer.
macro_rules! divmod {
    () => {
        fn floor_divide(self, divisor: Self) -> Self {
            if divisor == 0.0 {
                return self / divisor;
            }
            let remainder = self % divisor;
            let mut quotient = (self - remainder) / divisor;
            if remainder != 0.0 && (divisor < 0.0) != (remainder < 0.0) {
                quotient -= 1.0;
            }
            if quotient == 0.0 {
                return Self::copysign(0.0, self / divisor);
            }
            let floor = quotient.floor();
            if quotient - floor > 0.5 {
                floor + 1.0
            } else {
                floor
            }
        }

        fn remainder(self, divisor: Self) -> Self {
            let remainder = self % divisor;
            if divisor == 0.0 {
                remainder
            } else if remainder == 0.0 {
                Self::copysign(0.0, divisor)
            } else if (divisor < 0.0) != (remainder < 0.0) {
                remainder + divisor
            } else {
                remainder
            }
        }

        fn fmod(self, divisor: Self) -> Self {
            self % divisor
        }

        fn rint(self) -> Self {
            self.round_ties_even()
        }
    };
}

/// `impl Real` for `f32` and `f64` by the named functions of the module `wide`; and by those of `f64`, by way of which
/// `f32` goes: one list for both.
macro_rules! real {
    (
        wide unary: $($wide_unary:ident = $wide_unary_function:ident),*;
        wide binary: $($wide_binary:ident = $wide_binary_function:ident),*;
        unary: $($unary:ident = $unary_f64:path),*;
        binary: $($binary:ident = $binary_f64:path),*;
    ) => {
        impl Real for f64 {
            const ZERO: f64 = 0.0;
            const ONE: f64 = 1.0;

            #[inline]
            fn to_f64(self) -> f64 {
                self
            }
            #[inline]
            fn from_f64(value: f64) -> f64 {
                value
            }
            #[inline]
            fn is_nan(self) -> bool {
                f64::is_nan(self)
            }
            $(
                #[inline]
                fn $wide_unary(self) -> f64 {
                    UnaryFunction::$wide_unary_function.of_f64(self)
                }
            )*
            $(
                #[inline]
                fn $wide_binary(self, other: f64) -> f64 {
                    BinaryFunction::$wide_binary_function.of_f64(self, other)
                }
            )*
            $(
                #[inline]
                fn $unary(self) -> f64 {
                    $unary_f64(self)
                }
            )*
            $(
                #[inline]
                fn $binary(self, other: f64) -> f64 {
                    $binary_f64(self, other)
                }
            )*
            divmod!();
        }

        impl Real for f32 {
            const ZERO: f32 = 0.0;
            const ONE: f32 = 1.0;

            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn from_f64(value: f64) -> f32 {
                value as f32
            }
            #[inline]
            fn is_nan(self) -> bool {
                f32::is_nan(self)
            }
            $(
                #[inline]
                fn $wide_unary(self) -> f32 {
                    UnaryFunction::$wide_unary_function.of_f32(self)
                }
            )*
            $(
                #[inline]
                fn $wide_binary(self, other: f32) -> f32 {
                    BinaryFunction::$wide_binary_function.of_f32(self, other)
                }
            )*
            $(
                #[inline]
                fn $unary(self) -> f32 {
                    $unary_f64(f64::from(self)) as f32
                }
            )*
            $(
                #[inline]
                fn $binary(self, other: f32) -> f32 {
                    $binary_f64(f64::from(self), f64::from(other)) as f32
                }
            )*
            divmod!();
        }
    };
}

real! {
    wide unary:
        exp = Exp, log = Log,
        sin = Sin, cos = Cos, tan = Tan,
        sinh = Sinh, cosh = Cosh, tanh = Tanh,
        arcsin = Arcsin, arccos = Arccos, arctan = Arctan,
        arcsinh = Arcsinh, arccosh = Arccosh, arctanh = Arctanh,
        exp2 = Exp2, expm1 = Expm1, log1p = Log1p,
        log2 = Log2, log10 = Log10, cbrt = Cbrt, erf = Erf;
    wide binary: power = Power, arctan2 = Arctan2, hypot = Hypot;
    unary:
        lgamma = special::lgamma,
        floor = f64::floor, ceil = f64::ceil, trunc = f64::trunc;
    binary: copysign = f64::copysign;
}

#[cfg(test)]
mod tests {
    use super::Real;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    /// Equal bits, with every NaN equal to every other.
    fn same(x: f64, y: f64) -> bool {
        x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan())
    }

    #[test]
    fn floor_divide_and_remainder_are_numpys() {
        // Rows made with NumPy 2.4: x, y, floor_divide, remainder.
        for (x, y, quotient, remainder) in [
            (7.0, 2.0, 3.0, 1.0),
            (-7.0, 2.0, -4.0, 1.0),
            (7.0, -2.0, -4.0, -1.0),
            (-7.0, -2.0, 3.0, -1.0),
            (0.0, 3.0, 0.0, 0.0),
            (-0.0, 3.0, -0.0, 0.0),
            (0.0, -3.0, -0.0, -0.0),
            (6.0, -3.0, -2.0, -0.0),
            (1.0, 0.0, INF, NAN),
            (-1.0, 0.0, -INF, NAN),
            (0.0, 0.0, NAN, NAN),
            (INF, 2.0, NAN, NAN),
            (2.0, INF, 0.0, 2.0),
            (-2.0, INF, -1.0, INF),
            (2.0, -INF, -1.0, -INF),
            (INF, INF, NAN, NAN),
            (INF, 0.0, INF, NAN),
            (NAN, 1.0, NAN, NAN),
            (1.0, NAN, NAN, NAN),
            (1.0, 0.1, 9.0, 0.099_999_999_999_999_95),
            (-1e-300, 3.0, -1.0, 3.0),
        ] {
            assert!(same(Real::floor_divide(x, y), quotient), "{x} // {y}");
            assert!(same(Real::remainder(x, y), remainder), "{x} % {y}");
        }
        assert_eq!(Real::floor_divide(1.0_f32, 0.1), 9.0);
    }

    #[test]
    fn inverse_hyperbolic_functions_keep_accuracy_at_the_ends() {
        // Reference values to 17 digits, from mpmath.
        for (value, expected) in [
            (Real::arcsinh(1e-10), 1e-10),
            (Real::arcsinh(-0.0), -0.0),
            (Real::arcsinh(0.5), 0.481_211_825_059_603_45),
            (Real::arcsinh(-3.0), -1.818_446_459_232_066_7),
            (Real::arcsinh(f64::MAX), 710.475_860_073_943_9),
            (Real::arccosh(1.0 + 1e-10), 1.414_213_620_867_586_1e-5),
            (Real::arccosh(3.0), 1.762_747_174_039_086),
            (Real::arccosh(f64::MAX), 710.475_860_073_943_9),
            (Real::arctanh(1e-10), 1e-10),
            (Real::arctanh(0.25), 0.255_412_811_882_995_35),
            (Real::arctanh(-0.75), -0.972_955_074_527_656_7),
        ] {
            assert!(
                (value - expected).abs() <= 2.0 * f64::EPSILON * expected.abs(),
                "{value} {expected}"
            );
            assert_eq!(value.is_sign_negative(), expected.is_sign_negative());
        }
        assert!(same(Real::arctanh(1.0), INF) && same(Real::arctanh(-1.0), -INF));
        assert!(
            Real::arctanh(1.5).is_nan()
                && Real::arccosh(0.5).is_nan()
                && Real::arcsinh(NAN).is_nan()
        );
        assert!(same(Real::arcsinh(-INF), -INF) && same(Real::arccosh(INF), INF));
    }

    #[test]
    fn rounding_is_to_even_and_keeps_the_sign_of_zero() {
        assert_eq!([0.5, 1.5, 2.5, -1.5].map(Real::rint), [0.0, 2.0, 2.0, -2.0]);
        assert!(same(Real::rint(-0.2), -0.0));
        assert_eq!(Real::rint(2.5_f32), 2.0);
        assert!(same(Real::fmod(-7.0, 2.0), -1.0));
    }

    #[test]
    fn single_precision_rounds_the_double_result() {
        assert_eq!(Real::exp(1.0_f32), std::f32::consts::E);
        assert_eq!(Real::exp(89.0_f32), f32::INFINITY);
        assert_eq!(Real::hypot(3e38_f32, 3e38), f32::INFINITY);
        assert_eq!(Real::hypot(3e-30_f32, 4e-30), 5e-30);
        assert_eq!(Real::power(2.0_f32, 0.5), std::f32::consts::SQRT_2);
        assert_eq!(Real::log(0.0_f32), f32::NEG_INFINITY);
    }
}
