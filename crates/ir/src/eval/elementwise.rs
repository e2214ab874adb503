//! Elementwise ops: NumPy's meaning of each for booleans, integers, real and complex numbers.
//!
//! Comparison of complex numbers is lexicographic. Where inference refuses a class of numbers, the functions
//! here still give something harmless rather than fail. Integers of all dtypes are computed with in 128 bits and wrap where
//! they become elements of the result.

use super::{Tensor, complex, one};
use crate::error::{Error, Result};
use crate::scalar::Scalar::{self, Bool, Complex, Float, Int, Uint};
use crate::types::{DType, Type};

/// Applies a function to every element.
pub(super) fn unary(
    inputs: &[Tensor],
    result: &Type,
    f: impl Fn(Scalar) -> Scalar,
) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |i| {
        f(inputs[0].at_broadcast(i))
    }))
}

/// Applies a function to every pair of elements of the broadcast inputs.
pub(super) fn binary(
    inputs: &[Tensor],
    result: &Type,
    f: impl Fn(Scalar, Scalar) -> Scalar,
) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |i| {
        f(inputs[0].at_broadcast(i), inputs[1].at_broadcast(i))
    }))
}

/// One row of the table for each arm: a function of one scalar.
macro_rules! unary_rows {
    ($($name:ident => $f:expr;)*) => {$(
        pub(crate) fn $name(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
            unary(inputs, result, $f)
        }
    )*};
}

/// The same for functions of floating and complex numbers alone.
macro_rules! floating_rows {
    ($($name:ident => $real:expr, $complex:expr;)*) => { unary_rows! { $(
        $name => |s| match s {
            Complex(z) => Complex($complex(z)),
            other => Float($real(other.to_f64())),
        };
    )* } };
}

/// The same for functions of two scalars.
macro_rules! binary_rows {
    ($($name:ident => $f:expr;)*) => {$(
        pub(crate) fn $name(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
            binary(inputs, result, $f)
        }
    )*};
}

floating_rows! {
    sqrt => f64::sqrt, complex::sqrt;
    exp => f64::exp, complex::exp;
    exp2 => f64::exp2, complex::exp2;
    expm1 => f64::exp_m1, complex::expm1;
    log => f64::ln, complex::log;
    log2 => f64::log2, complex::log2;
    log10 => f64::log10, complex::log10;
    log1p => f64::ln_1p, complex::log1p;
    sin => f64::sin, complex::sin;
    cos => f64::cos, complex::cos;
    tan => f64::tan, complex::tan;
    arcsin => f64::asin, complex::arcsin;
    arccos => f64::acos, complex::arccos;
    arctan => f64::atan, complex::arctan;
    sinh => f64::sinh, complex::sinh;
    cosh => f64::cosh, complex::cosh;
    tanh => f64::tanh, complex::tanh;
}

unary_rows! {
    negative => |s| match s {
        Bool(b) => Bool(b),
        Int(_) | Uint(_) => wrapping(s, |i| -i),
        Float(x) => Float(-x),
        Complex(z) => Complex(-z),
    };
    absolute => |s| match s {
        Bool(b) => Bool(b),
        Int(_) | Uint(_) => wrapping(s, i128::abs),
        Float(x) => Float(x.abs()),
        Complex(z) => Float(z.re.hypot(z.im)),
    };
    sign => |s| match s {
        Bool(b) => Bool(b),
        Int(_) | Uint(_) => wrapping(s, i128::signum),
        Float(x) => Float(sign_of(x)),
        Complex(z) => Complex(complex::sign(z)),
    };
    conj => |s| match s {
        Complex(z) => Complex(z.conj()),
        other => other,
    };
    real => |s| match s {
        Complex(z) => Float(z.re),
        other => other,
    };
    imag => |s| match s {
        Complex(z) => Float(z.im),
        _ => Int(0),
    };
    logical_not => |s| Bool(!s.is_true());
    isnan => |s| Bool(is_nan(s));
}

binary_rows! {
    add => |x, y| match (x, y) {
        (Bool(x), Bool(y)) => Bool(x | y),
        _ => add_scalars(x, y),
    };
    subtract => |x, y| match (x, y) {
        (Complex(x), Complex(y)) => Complex(x - y),
        _ => match integers(x, y) {
            Some((x, y)) => Scalar::from_integer(x - y),
            None => Float(x.to_f64() - y.to_f64()),
        },
    };
    floor_divide => |x, y| match integers(x, y) {
        Some((x, y)) => Scalar::from_integer(integer_quotient_and_remainder(x, y).0),
        None => Float(quotient_and_remainder(x.to_f64(), y.to_f64()).0),
    };
    remainder => |x, y| match integers(x, y) {
        Some((x, y)) => Scalar::from_integer(integer_quotient_and_remainder(x, y).1),
        None => Float(quotient_and_remainder(x.to_f64(), y.to_f64()).1),
    };
    arctan2 => |y, x| Float(y.to_f64().atan2(x.to_f64()));
    maximum => greater_of;
    minimum => smaller_of;
    equal => |x, y| Bool(is_equal(x, y));
    not_equal => |x, y| Bool(!is_equal(x, y));
    less => |x, y| Bool(is_less(x, y));
    less_equal => |x, y| Bool(is_less_or_equal(x, y));
    greater => |x, y| Bool(is_less(y, x));
    greater_equal => |x, y| Bool(is_less_or_equal(y, x));
    logical_and => |x, y| Bool(x.is_true() & y.is_true());
    logical_or => |x, y| Bool(x.is_true() | y.is_true());
    logical_xor => |x, y| Bool(x.is_true() ^ y.is_true());
}

pub(crate) fn multiply(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    binary(inputs, result, |x, y| product(x, y, dtype))
}

pub(crate) fn square(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    unary(inputs, result, |s| product(s, s, dtype))
}

/// The product of two elements in the precision of a dtype.
fn product(x: Scalar, y: Scalar, dtype: DType) -> Scalar {
    match (x, y) {
        (Complex(x), Complex(y)) => Complex(complex::multiply_in(x, y, dtype)),
        _ => multiply_scalars(x, y),
    }
}

pub(crate) fn divide(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    binary(inputs, result, |x, y| match (x, y) {
        (Complex(x), Complex(y)) => Complex(complex::divide(x, y, dtype)),
        _ => Float(x.to_f64() / y.to_f64()),
    })
}

pub(crate) fn reciprocal(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    unary(inputs, result, |s| match s {
        Bool(b) => Bool(b),
        // As integers divide: zero for zero.
        Int(_) | Uint(_) => wrapping(s, |i| 1i128.checked_div(i).unwrap_or(0)),
        Float(x) => Float(1.0 / x),
        Complex(z) => Complex(complex::reciprocal(z, dtype)),
    })
}

pub(crate) fn power(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    one(Tensor::try_build(result.array()?, |i| {
        let (x, y) = (inputs[0].at_broadcast(i), inputs[1].at_broadcast(i));
        match (x, y) {
            (Complex(x), Complex(y)) => Ok(Complex(complex::power(x, y, dtype))),
            _ => match integers(x, y) {
                Some((x, n)) => integer_power(x, n).map(Scalar::from_integer),
                None => Ok(Float(real_power(x.to_f64(), y.to_f64()))),
            },
        }
    })?)
}

pub(crate) fn select(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |i| {
        let chosen = if inputs[0].at_broadcast(i).is_true() {
            1
        } else {
            2
        };
        inputs[chosen].at_broadcast(i)
    }))
}

// ---- the meaning of single pairs ----

/// Both as integers, if they are.
pub(super) fn integers(x: Scalar, y: Scalar) -> Option<(i128, i128)> {
    x.to_integer().zip(y.to_integer())
}

/// A function of an integer, which no element of any dtype overflows in 128 bits.
pub(super) fn wrapping(s: Scalar, f: impl Fn(i128) -> i128) -> Scalar {
    s.to_integer().map_or(s, |i| Scalar::from_integer(f(i)))
}

/// The sum; integers wrap at 64 bits.
pub(super) fn add_scalars(x: Scalar, y: Scalar) -> Scalar {
    match (x, y) {
        (Complex(x), Complex(y)) => Complex(x + y),
        _ => match integers(x, y) {
            Some((x, y)) => Scalar::from_integer(x + y),
            None => Float(x.to_f64() + y.to_f64()),
        },
    }
}

/// The product; booleans are and-ed, integers wrap at 64 bits.
pub(super) fn multiply_scalars(x: Scalar, y: Scalar) -> Scalar {
    match (x, y) {
        (Bool(x), Bool(y)) => Bool(x & y),
        (Complex(x), Complex(y)) => Complex(complex::multiply(x, y)),
        _ => match integers(x, y) {
            // Two of 64 bits without a sign do not fit, but for their lower half.
            Some((x, y)) => Scalar::from_integer(x.wrapping_mul(y)),
            None => Float(x.to_f64() * y.to_f64()),
        },
    }
}

fn sign_of(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x == 0.0 {
        0.0
    } else {
        x
    }
}

pub(super) fn is_nan(s: Scalar) -> bool {
    match s {
        Float(x) => x.is_nan(),
        Complex(z) => z.re.is_nan() || z.im.is_nan(),
        Bool(_) | Int(_) | Uint(_) => false,
    }
}

pub(super) fn is_equal(x: Scalar, y: Scalar) -> bool {
    match (x, y) {
        (Bool(x), Bool(y)) => x == y,
        (Complex(x), Complex(y)) => x.re == y.re && x.im == y.im,
        _ => match integers(x, y) {
            Some((x, y)) => x == y,
            None => x.to_f64() == y.to_f64(),
        },
    }
}

/// `x < y` where the first parts decide unless they are equal; a NaN anywhere makes it false.
fn is_less(x: Scalar, y: Scalar) -> bool {
    match (x, y) {
        (Bool(x), Bool(y)) => !x & y,
        (Complex(x), Complex(y)) => {
            (x.re < y.re && !x.im.is_nan() && !y.im.is_nan()) || (x.re == y.re && x.im < y.im)
        }
        _ => match integers(x, y) {
            Some((x, y)) => x < y,
            None => x.to_f64() < y.to_f64(),
        },
    }
}

fn is_less_or_equal(x: Scalar, y: Scalar) -> bool {
    is_less(x, y) || is_equal(x, y)
}

/// The larger; the first that is NaN, if one is.
pub(super) fn greater_of(x: Scalar, y: Scalar) -> Scalar {
    if is_nan(x) || is_less_or_equal(y, x) {
        x
    } else {
        y
    }
}

/// The smaller; the first that is NaN, if one is.
pub(super) fn smaller_of(x: Scalar, y: Scalar) -> Scalar {
    if is_nan(x) || is_less_or_equal(x, y) {
        x
    } else {
        y
    }
}

/// Rounded towards minus infinity; zero for a zero divisor.
fn integer_quotient_and_remainder(x: i128, y: i128) -> (i128, i128) {
    if y == 0 {
        return (0, 0);
    }
    let (quotient, remainder) = (x / y, x % y);
    if remainder != 0 && (remainder < 0) != (y < 0) {
        (quotient - 1, remainder + y)
    } else {
        (quotient, remainder)
    }
}

/// NumPy's `divmod` of real numbers.
///
/// Source: `npy_divmod` in NumPy's npy_math_internal.h.src, which follows Python's `float.__divmod__`.
fn quotient_and_remainder(x: f64, y: f64) -> (f64, f64) {
    let mut remainder = x % y;
    if y == 0.0 {
        return (x / y, remainder);
    }
    let mut quotient = (x - remainder) / y;
    if remainder == 0.0 {
        remainder = 0.0f64.copysign(y);
    } else if (y < 0.0) != (remainder < 0.0) && !remainder.is_nan() {
        remainder += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0f64.copysign(x / y), remainder);
    }
    // The quotient is an integer but for rounding.
    let floor = quotient.floor();
    let snapped = if quotient - floor > 0.5 {
        floor + 1.0
    } else {
        floor
    };
    (snapped, remainder)
}

/// Squares are products, to the last bit.
fn real_power(x: f64, y: f64) -> f64 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

/// Wraps at 128 bits, which wraps rightly at fewer bits too.
fn integer_power(x: i128, n: i128) -> Result<i128> {
    if n < 0 {
        return Err(Error::value(
            "integers to negative integer powers are not allowed",
        ));
    }
    let (mut result, mut base, mut rest) = (1i128, x, n);
    while rest > 0 {
        if rest % 2 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        rest /= 2;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_division_rounds_down_and_never_traps() {
        for (x, y, expected) in [
            (7, 2, (3, 1)),
            (-7, 2, (-4, 1)),
            (7, -2, (-4, -1)),
            (-7, -2, (3, -1)),
            (5, 0, (0, 0)),
            (i64::MIN.into(), -1, (1 << 63, 0)),
            (u64::MAX.into(), 2, (i64::MAX.into(), 1)),
        ] {
            assert_eq!(integer_quotient_and_remainder(x, y), expected, "{x} {y}");
        }
    }

    #[test]
    fn powers_wrap() {
        assert_eq!(integer_power(3, 4).unwrap(), 81);
        assert_eq!(integer_power(2, 128).unwrap(), 0);
        assert_eq!(integer_power(-1, i64::MAX.into()).unwrap(), -1);
        assert!(integer_power(1, -1).unwrap_err().is_value());
    }
}
