//! The functions for results of single precision, in lanes of double precision.
//!
//! A result is rounded once, when it is stored. Before that its relative error is below 2^-31, so polynomials are short,
//! nothing is carried in two parts, and the roundings of the lanes (2^-53) do not matter: what matters is that nothing
//! cancels. Arguments are numbers of single precision, so none is subnormal here, and no power of two on the way overflows.
//!
//! `exp` and `exp2` are in lanes of single precision wherever their results are normal ([`super::singles`]).
//!
//! Invariants are those of [`super`]. The largest error over all arguments of functions of one is 0.5062 units in the last
//! place (`atan`), in lanes of single precision 0.5100 (`exp2`), see the tests.

mod coefficients;
mod exponential;
mod logarithm;
mod trigonometric;

use super::lanes::{INTEGER, Lanes, polynomial};
pub(super) use exponential::{cosh, exp, exp2, expm1, sinh, tanh};
pub(super) use logarithm::{arccosh, arcsinh, arctanh, log, log1p, log2, log10, power};
pub(super) use trigonometric::{acos, asin, atan, atan2, cos, sin, tan};

/// A short polynomial by its coefficients, from the constant term on. Up to seven of them, one chain takes up to a tenth less
/// time than the two of [`polynomial`], which need a square; from eight on it is the other way round with AVX2.
#[inline(always)]
fn horner<V: Lanes, const N: usize>(x: V, coefficients: &[f64; N]) -> V {
    let mut sum = x.of(coefficients[N - 1]);
    let mut position = N - 1;
    while position > 0 {
        position -= 1;
        sum = sum.mul_add(x, x.of(coefficients[position]));
    }
    sum
}

/// One polynomial over the whole range: the error function is entire, and 1 from 4 on. Centered, its terms are small.
#[inline(always)]
pub(super) fn erf<V: Lanes>(x: V) -> V {
    let x = x.at_least(x.of(-4.0)).at_most(x.of(4.0));
    let argument = (x * x).mul_add(x.of(0.125), x.of(-1.0));
    x * polynomial(argument, &coefficients::ERF)
}

/// `y`, of `|x|^(-1/3)`, by dividing the upper half of the bits by 3: its error is up to 3.5 %. Then
/// `x^(1/3) = x y^2 (1 - e)^(-2/3)` with `e = 1 - x y^3`.
#[inline(always)]
pub(super) fn cbrt<V: Lanes>(x: V) -> V {
    /// The upper half of the bits of `y` is this less a third of that of `x`, so that `|e|` is at most 0.1026: the least.
    const OFFSET: f64 = 1_430_185_984.0;
    let magnitude = x.abs();
    let upper = magnitude.shr(32).or(x.of(INTEGER)) - x.of(INTEGER);
    let y = upper.subtract_from(x.of(1.0 / 3.0), x.of(INTEGER + OFFSET));
    let y = y.shl(32);
    let root = magnitude * (y * y);
    let error = root.subtract_from(y, x.of(1.0));
    let result = (root * polynomial(error, &coefficients::CBRT)).copysign(x);
    x.where_or(magnitude.eq(x.of(f64::INFINITY)), result)
}

#[inline(always)]
pub(super) fn hypot<V: Lanes>(x: V, y: V) -> V {
    let infinity = x.of(f64::INFINITY);
    // Squares of single precision fit. An infinity hides a NaN, which the sum would not.
    let result = x.mul_add(x, y * y).sqrt();
    infinity.where_or(x.abs().eq(infinity) | y.abs().eq(infinity), result)
}
