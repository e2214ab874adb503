//! Logarithms and the general power.
//!
//! `x = 2^k m` with `m` from `sqrt(1/2)` to `sqrt(2)`, so near 1 the exponent is 0 and nothing cancels; then
//! `log(m) = 2 artanh((m - 1) / (m + 1))`, after fdlibm, with what rounding loses kept in a second part.

use super::coefficients::*;
use super::exponential::{LN_2_HIGH, LN_2_LOW, Power};
use super::lanes::{INTEGER, Lanes, fast_two_sum, polynomial, two_product, two_sum};
use std::f64::consts::{LOG2_E, LOG10_E};

/// The bits of `sqrt(1/2)`.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
/// Keeps exponents positive while they are shifted down; a multiple of 2^52 below 2^63.
const BIAS: u64 = 1080 << 52;

/// `(k, m)` with `x = 2^k m`, for positive finite `x`; anything for others.
#[inline(always)]
pub(super) fn split<V: Lanes>(x: V) -> (V, V) {
    let subnormal = x.lt(x.of(f64::MIN_POSITIVE));
    let x = (x * x.of((1_u64 << 54) as f64)).where_or(subnormal, x);
    let shift = x.of(54.0).where_or(subnormal, x.of(0.0));
    let biased = x.add_bits(BIAS.wrapping_sub(SQRT_HALF_BITS)).shr(52);
    let k = biased.or(x.of(INTEGER)) - (x.of(INTEGER + 1080.0) + shift);
    let m = x.sub_bits(biased.shl(52)).add_bits(BIAS);
    (k, m)
}

/// `log(m)` as `(high, low)`, for `m` of [`split`]; `low` is small.
#[inline(always)]
fn log_of_mantissa<V: Lanes>(m: V) -> (V, V) {
    let f = m - m.of(1.0);
    let s = f / (f + m.of(2.0));
    let z = s * s;
    let series = polynomial(z, &LOG);
    let half_square = f * f * m.of(0.5);
    let correction = s * z.mul_add(series, half_square);
    let high = f - half_square;
    let low = ((f - high) - half_square) + correction;
    (high, low)
}

#[inline(always)]
pub(super) fn log<V: Lanes>(x: V) -> V {
    let (k, m) = split(x);
    let (high, low) = log_of_mantissa(m);
    natural(k, high, low).or_logarithm_of_special(x)
}

/// The logarithm of `sum + rest`, for positive `sum` with a `rest` below its last place.
#[inline(always)]
pub(super) fn log_of_sum<V: Lanes>(sum: V, rest: V) -> V {
    log_of_split(split(sum), sum, rest)
}

/// The same with the logarithm of `2^k` for any `k` in the place of that of [`split`].
#[inline(always)]
pub(super) fn log_of_split<V: Lanes>((k, m): (V, V), sum: V, rest: V) -> V {
    let (high, low) = log_of_mantissa(m);
    natural(k, high, low + rest / sum).or_logarithm_of_special(sum)
}

/// `k log(2) + high + low`.
#[inline(always)]
fn natural<V: Lanes>(k: V, high: V, low: V) -> V {
    let (high, lost) = fast_two_sum(k * k.of(LN_2_HIGH), high);
    high + (lost + k.mul_add(k.of(LN_2_LOW), low))
}

#[inline(always)]
pub(super) fn log2<V: Lanes>(x: V) -> V {
    in_base(x, [LOG2_E, 2.035_527_374_093_103_3e-17], [1.0, 0.0])
}

#[inline(always)]
pub(super) fn log10<V: Lanes>(x: V) -> V {
    in_base(
        x,
        [LOG10_E, 1.098_319_650_216_765e-17],
        [0.301_029_995_549_470_2, 1.145_110_089_802_183_8e-10],
    )
}

/// The logarithm times `scale`, where that of 2 is `of_two`; both in two parts, the first of `of_two` of 32 bits.
#[inline(always)]
fn in_base<V: Lanes>(x: V, scale: [f64; 2], of_two: [f64; 2]) -> V {
    let (k, m) = split(x);
    let (high, low) = log_of_mantissa(m);
    let (product, rest) = two_product(high, x.of(scale[0]));
    let rest = high.mul_add(x.of(scale[1]), rest);
    let rest = low.mul_add(x.of(scale[0]), rest);
    let (high, lost) = fast_two_sum(k * x.of(of_two[0]), product);
    let result = high + (lost + k.mul_add(x.of(of_two[1]), rest));
    result.or_logarithm_of_special(x)
}

#[inline(always)]
pub(super) fn log1p<V: Lanes>(x: V) -> V {
    let (sum, lost) = two_sum(x.of(1.0), x);
    // The sum may be infinite, or zero, by rounding alone.
    let result = log_of_sum(sum, lost);
    let result = result.where_or(x.lt(x.of(f64::INFINITY)), x);
    x.where_or(x.abs().lt(x.of(f64::EPSILON / 4.0)), result)
}

/// `log(m)` in two parts with some 64 bits, for `m` of [`split`].
#[inline(always)]
fn precise_log_of_mantissa<V: Lanes>(m: V) -> (V, V) {
    const TWO_THIRDS: f64 = 2.0 / 3.0;
    const TWO_THIRDS_REST: f64 = 3.700_743_415_417_188e-17;
    let f = m - m.of(1.0);
    let (divisor, divisor_low) = fast_two_sum(m.of(2.0), f);
    let inverse = m.of(1.0) / divisor;
    let s = f * inverse;
    let s_low = s.subtract_from(divisor_low, s.subtract_from(divisor, f)) * inverse;
    let (z, z_low) = two_product(s, s);
    let z_low = (s + s).mul_add(s_low, z_low);
    // 2/3 z + z^2 (2/5 + ...), the first term in two parts.
    let (third, third_low) = two_product(z, z.of(TWO_THIRDS));
    let third_low = z.mul_add(z.of(TWO_THIRDS_REST), third_low);
    let third_low = z_low.mul_add(z.of(TWO_THIRDS), third_low);
    let (sum, sum_low) = fast_two_sum(third, z * z * polynomial(z, &LOG_TAIL));
    let sum_low = sum_low + third_low;
    let (product, product_low) = two_product(s, sum);
    let product_low = s.mul_add(sum_low, s_low.mul_add(sum, product_low));
    let (high, low) = fast_two_sum(s + s, product);
    fast_two_sum(high, low + (s_low + s_low + product_low))
}

#[inline(always)]
pub(super) fn power<V: Lanes>(x: V, y: V) -> V {
    let (zero, infinity) = (x.of(0.0), x.of(f64::INFINITY));
    let (k, m) = split(x.abs());
    let (high, low) = precise_log_of_mantissa(m);
    let (high, lost) = fast_two_sum(k * x.of(LN_2_HIGH), high);
    let logarithm = fast_two_sum(high, lost + k.mul_add(x.of(LN_2_LOW), low));
    let limit = x.of(1000.0);
    let (product, rest) = two_product(y, logarithm.0);
    let clamped = product.at_least(-limit).at_most(limit);
    // Of an overflowing product the rest may be NaN.
    let rest = y.mul_add(logarithm.1, rest);
    let rest = rest.where_or(product.abs().lt(limit), zero);
    let result = Power::of_sum(clamped, rest);
    let result = result.value();

    let usual = zero.lt(x) & x.lt(infinity) & y.abs().lt(infinity);
    // Apart, lest what only these need is kept in memory.
    if x.any(!usual) {
        return square_or(x, y, special_powers(x, y, result));
    }
    square_or(x, y, result)
}

/// Squares are products, to the last bit: wherever the exponent is known to be two, they are written so.
#[inline(always)]
pub(super) fn square_or<V: Lanes>(x: V, y: V, result: V) -> V {
    (x * x).where_or(y.eq(x.of(2.0)), result)
}

/// `result`, where it is the power of `|x|`, with the sign of the power of `x`; elsewhere what C99 demands.
#[inline(always)]
pub(super) fn special_powers<V: Lanes>(x: V, y: V, result: V) -> V {
    let (zero, one, infinity) = (x.of(0.0), x.of(1.0), x.of(f64::INFINITY));
    let base = x.abs();
    // Where the logarithm or the exponent is infinite, only the sign of their product counts.
    let endless = base.eq(zero) | base.eq(infinity) | y.abs().eq(infinity);
    let grows = (base.lt(one) & y.lt(zero)) | (one.lt(base) & zero.lt(y));
    let result = infinity.where_or(grows, zero).where_or(endless, result);
    // Every number from 2^53 on is even.
    let whole = y.round().eq(y);
    let half = y * x.of(0.5);
    let odd = whole & !half.round().eq(half) & y.abs().lt(infinity);
    let result = (-result).where_or(odd & x.is_negative(), result);
    let impossible = x.lt(zero) & !whole & base.lt(infinity);
    let result = x.of(f64::NAN).where_or(impossible, result);
    let result = (x + y).where_or(x.is_nan() | y.is_nan(), result);
    let unit = x.eq(one) | y.eq(zero) | (base.eq(one) & y.abs().eq(infinity));
    one.where_or(unit, result)
}
