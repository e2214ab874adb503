//! Elementwise ops on single bits, on signs and on fractions: rounding, bitwise logic, shifts, special values.
//!
//! As everywhere in the reference, numbers are wide; what depends on the width of an integer asks the type of
//! the result.

use num_complex::Complex64;

use super::elementwise::{binary, integers, is_nan, unary, wrapping};
use super::{Tensor, complex};
use crate::error::Result;
use crate::scalar::Scalar::{self, Bool, Complex, Float, Int, Uint};
use crate::types::Type;

macro_rules! unary_rows {
    ($($name:ident => $f:expr;)*) => {$(
        pub(crate) fn $name(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
            unary(inputs, result, $f)
        }
    )*};
}

macro_rules! binary_rows {
    ($($name:ident => $f:expr;)*) => {$(
        pub(crate) fn $name(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
            binary(inputs, result, $f)
        }
    )*};
}

fn is_infinite(s: Scalar) -> bool {
    match s {
        Float(x) => x.is_infinite(),
        Complex(z) => z.re.is_infinite() || z.im.is_infinite(),
        Bool(_) | Int(_) | Uint(_) => false,
    }
}

/// Rounds floating numbers; integers are whole.
fn rounded(s: Scalar, f: impl Fn(f64) -> f64) -> Scalar {
    match s {
        Float(x) => Float(f(x)),
        Complex(z) => Complex(Complex64::new(f(z.re), f(z.im))),
        whole => whole,
    }
}

unary_rows! {
    isinf => |s| Bool(is_infinite(s));
    isfinite => |s| Bool(!is_infinite(s) && !is_nan(s));
    floor => |s| rounded(s, f64::floor);
    ceil => |s| rounded(s, f64::ceil);
    trunc => |s| rounded(s, f64::trunc);
    rint => |s| rounded(s, f64::round_ties_even);
    cbrt => |s| Float(s.to_f64().cbrt());
    arcsinh => |s| match s {
        // arcsinh z = -i arcsin(i z)
        Complex(z) => {
            let w = complex::arcsin(Complex64::new(-z.im, z.re));
            Complex(Complex64::new(w.im, -w.re))
        }
        other => Float(arcsinh_real(other.to_f64())),
    };
    arccosh => |s| match s {
        Complex(z) => Complex(arccosh_complex(z)),
        other => Float(arccosh_real(other.to_f64())),
    };
    arctanh => |s| match s {
        // arctanh z = -i arctan(i z)
        Complex(z) => {
            let w = complex::arctan(Complex64::new(-z.im, z.re));
            Complex(Complex64::new(w.im, -w.re))
        }
        other => Float(arctanh_real(other.to_f64())),
    };
    invert => |s| match s {
        Bool(b) => Bool(!b),
        other => wrapping(other, |i| !i),
    };
}

/// `log(x + sqrt(x^2 + 1))`, accurate for small and large arguments.
fn arcsinh_real(x: f64) -> f64 {
    let magnitude = x.abs();
    let result = if magnitude > 1e8 {
        magnitude.ln() + std::f64::consts::LN_2
    } else {
        let square = magnitude * magnitude;
        (magnitude + square / (1.0 + (square + 1.0).sqrt())).ln_1p()
    };
    result.copysign(x)
}

fn arccosh_real(x: f64) -> f64 {
    if x < 1.0 {
        return f64::NAN;
    }
    if x > 1e8 {
        return x.ln() + std::f64::consts::LN_2;
    }
    if x < 1.0 {
        return f64::NAN;
    }
    let above = x - 1.0;
    (above + (above * (x + 1.0)).sqrt()).ln_1p()
}

fn arctanh_real(x: f64) -> f64 {
    let magnitude = x.abs();
    (0.5 * (2.0 * magnitude / (1.0 - magnitude)).ln_1p()).copysign(x)
}

/// `arccosh z = ±i arccos z`, with the sign that makes the real part not negative.
///
/// Source: C99, annex G.6.2.1; FreeBSD's `cacosh`.
fn arccosh_complex(z: Complex64) -> Complex64 {
    let w = complex::arccos(z);
    if w.re.is_nan() && w.im.is_nan() {
        return Complex64::new(w.im, w.re);
    }
    if w.re.is_nan() {
        return Complex64::new(w.im.abs(), w.re);
    }
    if w.im.is_nan() {
        // Only for an imaginary NaN on a real part of zero, where NumPy keeps the angle.
        return Complex64::new(w.im, w.re);
    }
    Complex64::new(w.im.abs(), w.re.copysign(z.im))
}

binary_rows! {
    fmod => |x, y| match integers(x, y) {
        Some((x, y)) => Scalar::from_integer(x.checked_rem(y).unwrap_or(0)),
        None => Float(x.to_f64() % y.to_f64()),
    };
    hypot => |x, y| Float(x.to_f64().hypot(y.to_f64()));
    copysign => |x, y| Float(x.to_f64().copysign(y.to_f64()));
    bitwise_and => |x, y| match (x, y) {
        (Bool(x), Bool(y)) => Bool(x & y),
        _ => of_bits(x, y, |x, y| x & y),
    };
    bitwise_or => |x, y| match (x, y) {
        (Bool(x), Bool(y)) => Bool(x | y),
        _ => of_bits(x, y, |x, y| x | y),
    };
    bitwise_xor => |x, y| match (x, y) {
        (Bool(x), Bool(y)) => Bool(x ^ y),
        _ => of_bits(x, y, |x, y| x ^ y),
    };
}

/// A function of the bits of two integers, which are as many as it takes.
fn of_bits(x: Scalar, y: Scalar, f: impl Fn(i128, i128) -> i128) -> Scalar {
    integers(x, y).map_or(x, |(x, y)| Scalar::from_integer(f(x, y)))
}

/// The number of places, unless it is negative or reaches the width of the integers.
fn places(y: Scalar, result: &Type) -> Result<Option<u32>> {
    let bits = 8 * result.array()?.dtype.size() as u32;
    let places = y.to_integer().and_then(|y| u32::try_from(y).ok());
    Ok(places.filter(|&y| y < bits))
}

fn shift(
    inputs: &[Tensor],
    result: &Type,
    f: impl Fn(i128, Option<u32>) -> i128,
) -> Result<Vec<Tensor>> {
    super::one(Tensor::try_build(result.array()?, |i| {
        let (x, y) = (inputs[0].at_broadcast(i), inputs[1].at_broadcast(i));
        let places = places(y, result)?;
        Ok(wrapping(x, |x| f(x, places)))
    })?)
}

pub(crate) fn left_shift(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    shift(inputs, result, |x, y| y.map_or(0, |y| x << y))
}

pub(crate) fn right_shift(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    shift(inputs, result, |x, y| x >> y.unwrap_or(127))
}
