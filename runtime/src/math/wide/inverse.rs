//! Inverse trigonometric functions.
//!
//! `asin` and `acos` beyond 1/2 go by `asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2))`, whose radicand is exact. `atan` and
//! `atan2` share one function of a quotient, which keeps what division loses.

use super::coefficients::*;
use super::lanes::{Lanes, SIGN, fast_two_sum, polynomial};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

/// The rest of pi/2 that `FRAC_PI_2` lacks.
const FRAC_PI_2_REST: f64 = 6.123_233_995_736_766e-17;
/// `tan(pi / 8)`: up to here the series is used directly.
const TANGENT_PI_8: f64 = 0.414_213_562_373_095_03;

/// Of an argument `x` of `asin` and `acos`.
struct Halved<V: Lanes> {
    /// Where `|x| > 1/2`.
    beyond: V::Mask,
    /// There `sqrt((1 - |x|) / 2)`, elsewhere `|x|`.
    root: V,
    /// `asin(root) - root`.
    rest: V,
}

#[inline(always)]
fn halve<V: Lanes>(x: V) -> Halved<V> {
    let (half, magnitude) = (x.of(0.5), x.abs());
    let beyond = half.lt(magnitude);
    let radicand = magnitude.subtract_from(half, half);
    let z = radicand.where_or(beyond, x * x);
    let root = radicand.sqrt().where_or(beyond, magnitude);
    let series = polynomial(z, &ASIN);
    let rest = root * z * series;
    // What the square root lost, unless it is that of zero.
    let lost = root.subtract_from(root, radicand) / (root + root);
    let lost = lost.where_or(beyond & x.of(0.0).lt(root), x.of(0.0));
    let rest = rest + lost;
    Halved { beyond, root, rest }
}

#[inline(always)]
pub(super) fn asin<V: Lanes>(x: V) -> V {
    let Halved { beyond, root, rest } = halve(x);
    let (high, low) = fast_two_sum(x.of(FRAC_PI_2), root * x.of(-2.0));
    let far = high + (low + rest.mul_add(x.of(-2.0), x.of(FRAC_PI_2_REST)));
    let magnitude = far.where_or(beyond, root + rest);
    // Beyond 1 the root was NaN.
    magnitude.copysign(x)
}

#[inline(always)]
pub(super) fn acos<V: Lanes>(x: V) -> V {
    let Halved { beyond, root, rest } = halve(x);
    let sign = x.and_bits(SIGN);
    // Near zero pi/2 - asin(x); near 1 twice the angle of the half; near -1 pi less that.
    let factor = x.of(2.0).where_or(beyond, x.of(-1.0)).xor(sign);
    let base = x
        .of(0.0)
        .where_or(beyond & !x.is_negative(), x.of(FRAC_PI_2));
    let base_rest = x
        .of(0.0)
        .where_or(beyond & !x.is_negative(), x.of(FRAC_PI_2_REST));
    let turned = beyond & x.is_negative();
    let base = (base + base).where_or(turned, base);
    let base_rest = (base_rest + base_rest).where_or(turned, base_rest);
    let (high, low) = fast_two_sum(base, root * factor);
    high + (low + rest.mul_add(factor, base_rest))
}

/// `atan(y / x)` in two parts, for `0 <= y <= x`, `x` positive and neither close to overflow.
#[inline(always)]
fn angle<V: Lanes>(y: V, x: V) -> (V, V) {
    // Beyond pi / 8, the angle less pi / 4, whose tangent is (y - x) / (y + x).
    let (zero, beyond) = (x.of(0.0), (x * x.of(TANGENT_PI_8)).lt(y));
    let (difference, difference_low) = fast_two_sum(-x, y);
    let (sum, sum_low) = fast_two_sum(x, y);
    let (dividend, divisor) = (difference.where_or(beyond, y), sum.where_or(beyond, x));
    let quotient = dividend / divisor;
    let (dividend_low, divisor_low) = (
        difference_low.where_or(beyond, zero),
        sum_low.where_or(beyond, zero),
    );
    let remainder = quotient.subtract_from(divisor, dividend) + dividend_low;
    let lost = quotient.subtract_from(divisor_low, remainder) / divisor;
    let z = quotient * quotient;
    let series = polynomial(z, &ATAN);
    let base = x.of(FRAC_PI_4).where_or(beyond, zero);
    let base_rest = x.of(FRAC_PI_2_REST / 2.0).where_or(beyond, zero);
    let (high, low) = fast_two_sum(base, quotient);
    // The derivative of the arctangent is 1 - z + ...
    let lost = z.subtract_from(lost, lost);
    let rest = (quotient * z).mul_add(series, base_rest + lost);
    fast_two_sum(high, low + rest)
}

/// `FRAC_PI_2` times `factor` less the number in two parts.
#[inline(always)]
fn complement<V: Lanes>(factor: f64, (high, low): (V, V)) -> (V, V) {
    let (sum, lost) = fast_two_sum(high.of(FRAC_PI_2 * factor), -high);
    (sum, lost + (high.of(FRAC_PI_2_REST * factor) - low))
}

#[inline(always)]
fn choose<V: Lanes>(mask: V::Mask, a: (V, V), b: (V, V)) -> (V, V) {
    (a.0.where_or(mask, b.0), a.1.where_or(mask, b.1))
}

#[inline(always)]
pub(super) fn atan<V: Lanes>(x: V) -> V {
    let one = x.of(1.0);
    // From 2^60 on the result is pi / 2.
    let magnitude = x.abs().at_most(x.of((1_u64 << 60) as f64));
    let steep = one.lt(magnitude);
    let inner = angle(
        one.where_or(steep, magnitude),
        magnitude.where_or(steep, one),
    );
    let (high, low) = choose(steep, complement(1.0, inner), inner);
    (high + low).copysign(x)
}

#[inline(always)]
pub(super) fn atan2<V: Lanes>(y: V, x: V) -> V {
    let (zero, one, infinity) = (x.of(0.0), x.of(1.0), x.of(f64::INFINITY));
    let (height, width) = (y.abs(), x.abs());
    let steep = width.lt(height);
    let small = width.where_or(steep, height);
    let large = height.where_or(steep, width);
    // Of an infinite side, only whether the other is so, too; no angle has two sides of zero.
    let endless = large.eq(infinity);
    let small = (one.where_or(small.eq(infinity), zero)).where_or(endless, small);
    let large = one.where_or(endless | large.eq(zero), large);
    // Keeps sums from overflow, and remainders of divisions from underflow.
    let scale = x.of(0.25).where_or(x.of(1e300).lt(large), one);
    let scale = x
        .of((1_u64 << 62) as f64 * (1_u64 << 62) as f64)
        .where_or(large.lt(x.of(1e-250)), scale);
    let inner = angle(small * scale, large * scale);
    let quarter = choose(steep, complement(1.0, inner), inner);
    let (high, low) = choose(x.is_negative(), complement(2.0, quarter), quarter);
    let result = (high + low).copysign(y);
    (x + y).where_or(x.is_nan() | y.is_nan(), result)
}
