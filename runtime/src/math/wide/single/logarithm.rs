//! Logarithms, the inverse hyperbolic functions that are such, and the general power.
//!
//! `x = 2^k m` with `m` from 3/4 to 3/2, so near 1 the exponent is 0 and nothing cancels; then
//! `log(m) = 2 artanh((m - 1) / (m + 1))`.

use super::super::lanes::Lanes;
use super::super::logarithm::{special_powers, square_or};
use super::coefficients::*;
use super::exponential::Exponent;
use super::horner;
use std::f64::consts::{LN_2, LOG10_2};

/// The logarithm of `2^k (1 + f)` in the base of `coefficients`, in which that of 2 is `of_two`.
///
/// The division costs less than the seven terms that a polynomial in `f` has more (measured on Zen 4: an eighth).
#[inline(always)]
fn in_base<V: Lanes>(k: V, f: V, coefficients: &[f64; 5], of_two: f64) -> V {
    let s = f / (f + f.of(2.0));
    k.mul_add(k.of(of_two), s * horner(s * s, coefficients))
}

/// The logarithm of `x`, likewise.
#[inline(always)]
fn log_in_base<V: Lanes>(x: V, coefficients: &[f64; 5], of_two: f64) -> V {
    let (k, m) = x.split_normal();
    in_base(k, m - x.of(1.0), coefficients, of_two).or_logarithm_of_special(x)
}

#[inline(always)]
pub(in super::super) fn log<V: Lanes>(x: V) -> V {
    log_in_base(x, &LOG, LN_2)
}

#[inline(always)]
pub(in super::super) fn log2<V: Lanes>(x: V) -> V {
    log_in_base(x, &LOG2, 1.0)
}

#[inline(always)]
pub(in super::super) fn log10<V: Lanes>(x: V) -> V {
    log_in_base(x, &LOG10, LOG10_2)
}

/// `log(sum)`, where `sum` is `1 + x` rounded, with the sign of a zero.
#[inline(always)]
fn log_of_sum<V: Lanes>(sum: V, x: V) -> V {
    let (k, m) = sum.split_normal();
    let f = x.where_or(k.eq(x.of(0.0)), m - x.of(1.0));
    // With a negative zero added, as this makes it, a zero keeps its sign.
    in_base(x.of(0.0) - k, f, &LOG, -LN_2).or_logarithm_of_special(sum)
}

#[inline(always)]
pub(in super::super) fn log1p<V: Lanes>(x: V) -> V {
    log_of_sum(x.of(1.0) + x, x)
}

#[inline(always)]
pub(in super::super) fn arcsinh<V: Lanes>(x: V) -> V {
    let (one, magnitude) = (x.of(1.0), x.abs());
    let root = magnitude.mul_add(magnitude, one).sqrt();
    let result = log_of_sum(magnitude + root, magnitude + (root - one)).copysign(x);
    // Below 2^-16 that less a sixth of its cube, while the root is 1.
    x.where_or(magnitude.lt(x.of(1.0 / 65536.0)), result)
}

#[inline(always)]
pub(in super::super) fn arccosh<V: Lanes>(x: V) -> V {
    let one = x.of(1.0);
    let root = x.mul_add(x, -one).sqrt();
    let result = log_of_sum(x + root, (x - one) + root);
    x.of(f64::NAN).where_or(x.lt(one), result)
}

#[inline(always)]
pub(in super::super) fn arctanh<V: Lanes>(x: V) -> V {
    // Half the logarithm of (1 + x) / (1 - x) = 2^k m / n, which is artanh((m - n) / (m + n)) and k halves of that of 2. Up
    // to 1/4 the exponents are 0, and (m - n) / (m + n) is x but for the roundings of 1 + x and 1 - x.
    let (one, magnitude) = (x.of(1.0), x.abs());
    let rest = one - magnitude;
    let ((above, m), (below, n)) = ((one + magnitude).split_normal(), rest.split_normal());
    let k = above - below;
    let s = magnitude.where_or(k.eq(x.of(0.0)), (m - n) / (m + n));
    let result = k.mul_add(x.of(LN_2 / 2.0), s * horner(s * s, &ARCTANH));
    // Of 1 that is minus infinity, whose sign is put right, too.
    result.or_logarithm_of_special(rest).copysign(x)
}

#[inline(always)]
pub(in super::super) fn power<V: Lanes>(x: V, y: V) -> V {
    let (zero, one, infinity) = (x.of(0.0), x.of(1.0), x.of(f64::INFINITY));
    let (k, m) = x.abs().split_normal();
    // The exponent is up to 150, and its error as it is that of the result: eight more bits.
    let s = (m - one) / (m + one);
    let logarithm = s.mul_add(horner(s * s, &LOG2_PRECISE), k);
    let exponent = y * logarithm;
    let exponent = exponent.at_least(x.of(-151.0)).at_most(x.of(129.0));
    let result = Exponent::of(exponent).power();

    let usual = zero.lt(x) & x.lt(infinity) & y.abs().lt(infinity);
    // Apart, lest what only these need is kept in memory.
    if x.any(!usual) {
        return square_or(x, y, special_powers(x, y, result));
    }
    square_or(x, y, result)
}
