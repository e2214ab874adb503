//! Inverse hyperbolic functions: logarithms of arguments in two parts.
//!
//! The second part has what rounding the argument loses, so that nothing cancels near 1, where the logarithm is small.

use super::lanes::{Lanes, fast_two_sum, two_product, two_sum};
use super::logarithm::{log_of_split, log_of_sum, split};

/// Above `2^28` the square of a number hides 1.
const LARGE: f64 = (1_u64 << 28) as f64;
/// Below `2^-27` odd ones are their argument: the logarithm of 1 and something would be off by a unit.
const TINY: f64 = 1.0 / (1_u64 << 27) as f64;

/// `log(x + sqrt(x^2 + offset))` for positive `x`, where that is one or more.
#[inline(always)]
fn log_with_root<V: Lanes>(x: V, offset: f64) -> V {
    let zero = x.of(0.0);
    let (square, square_low) = two_product(x, x);
    let (radicand, lost) = if offset < 0.0 {
        // Below 1 there is no result.
        fast_two_sum(square, x.of(offset))
    } else {
        two_sum(square, x.of(offset))
    };
    let root = radicand.sqrt();
    // Above LARGE, where the square may be infinite, log(2 x).
    let large = x.of(LARGE).lt(x);
    let (sum, rest) = if offset < 0.0 {
        fast_two_sum(x, root)
    } else {
        fast_two_sum(root, x)
    };
    let residual = root.subtract_from(root, radicand) + (lost + square_low);
    let root_low = residual / (root + root);
    let rest = rest + root_low.where_or(zero.lt(root), zero);
    let (sum, rest) = (x.where_or(large, sum), zero.where_or(large, rest));
    let (k, m) = split(sum);
    let doubled = x.of(1.0).where_or(large, zero);
    log_of_split((k + doubled, m), sum, rest)
}

#[inline(always)]
pub(super) fn arcsinh<V: Lanes>(x: V) -> V {
    let magnitude = x.abs();
    let result = log_with_root(magnitude, 1.0);
    magnitude
        .where_or(magnitude.lt(x.of(TINY)), result)
        .copysign(x)
}

#[inline(always)]
pub(super) fn arccosh<V: Lanes>(x: V) -> V {
    let result = log_with_root(x, -1.0);
    x.of(f64::NAN).where_or(x.lt(x.of(1.0)), result)
}

#[inline(always)]
pub(super) fn arctanh<V: Lanes>(x: V) -> V {
    let (one, half, magnitude) = (x.of(1.0), x.of(0.5), x.abs());
    let (dividend, dividend_low) = fast_two_sum(one, magnitude);
    let (divisor, divisor_low) = fast_two_sum(one, -magnitude);
    let quotient = dividend / divisor;
    let remainder = quotient.subtract_from(divisor, dividend) + dividend_low;
    let rest = quotient.subtract_from(divisor_low, remainder) / divisor;
    let twice = log_of_sum(quotient, rest);
    magnitude
        .where_or(magnitude.lt(x.of(TINY)), twice * half)
        .copysign(x)
}
