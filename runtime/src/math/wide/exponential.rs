//! Exponential and hyperbolic functions.
//!
//! All start from `e^x = 2^n (1 + r + tail)` with `|r| <= log(2) / 2`: the sum in brackets is left to the caller, so that
//! subtracting 1, or the reciprocal, costs no accuracy.

use super::coefficients::*;
use super::lanes::{Lanes, fast_two_sum, polynomial, two_sum};
use std::f64::consts::{LN_2, LOG2_E};

/// log(2) to 32 bits: an integer up to 2^20 times this is exact.
pub(super) const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
/// The rest of it.
pub(super) const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// The rest that the nearest number lacks.
const LN_2_REST: f64 = 2.319_046_813_846_299_6e-17;
/// Beyond these `e^x` is 0 and infinity.
const SMALLEST: f64 = -746.0;
const LARGEST: f64 = 711.0;

/// `2^n (1 + r + tail)`.
pub(super) struct Power<V> {
    pub(super) n: V,
    pub(super) r: V,
    pub(super) tail: V,
}

impl<V: Lanes> Power<V> {
    /// The value.
    #[inline(always)]
    pub(super) fn value(self) -> V {
        (self.r.of(1.0) + (self.r + self.tail)).scale(self.n)
    }

    /// `(high, low)` with `high + low = 1 + r + tail`; `low` is small.
    #[inline(always)]
    fn mantissa(&self) -> (V, V) {
        let (high, low) = fast_two_sum(self.r.of(1.0), self.r);
        (high, low + self.tail)
    }

    /// `2^n (high + low)` less 1, as `2^n (high + low)` with `|low|` a rounding error of `high`.
    #[inline(always)]
    fn less_one(&self) -> (V, V) {
        // 2^(-n), or something as small.
        let one = (-self.n).at_least(self.n.of(-1000.0)).power_of_two();
        let (rest, lost) = two_sum(self.n.of(1.0), -one);
        // The rest is zero, or 1/2 and more.
        let (high, low) = fast_two_sum(rest, self.r);
        fast_two_sum(high, low + (self.tail + lost))
    }

    #[inline(always)]
    fn from_reduced(n: V, r: V, rest: V) -> Self {
        let series = polynomial(r, &EXP);
        // e^(r + rest) = e^r + rest (1 + r) as far as it matters.
        let rest = rest.mul_add(r, rest);
        let tail = (r * r).mul_add(series, rest);
        Power { n, r, tail }
    }

    /// `e^x`; `|x|` is at most 1000.
    #[inline(always)]
    pub(super) fn of(x: V) -> Self {
        let n = (x * x.of(LOG2_E)).round();
        let reduced = n.subtract_from(n.of(LN_2_HIGH), x);
        let r = n.subtract_from(n.of(LN_2_LOW), reduced);
        let rest = n.subtract_from(n.of(LN_2_LOW), reduced - r);
        Self::from_reduced(n, r, rest)
    }

    /// `e^(x + low)`; `|x|` is at most 1000, and `low` below a unit in the last place of `x`.
    #[inline(always)]
    pub(super) fn of_sum(x: V, low: V) -> Self {
        let n = (x * x.of(LOG2_E)).round();
        let reduced = n.subtract_from(n.of(LN_2_HIGH), x);
        let r = n.subtract_from(n.of(LN_2_LOW), reduced);
        let rest = n.subtract_from(n.of(LN_2_LOW), reduced - r);
        let (r, lost) = two_sum(r, low);
        Self::from_reduced(n, r, rest + lost)
    }
}

#[inline(always)]
pub(super) fn exp<V: Lanes>(x: V) -> V {
    Power::of(x.at_least(x.of(SMALLEST)).at_most(x.of(LARGEST))).value()
}

#[inline(always)]
pub(super) fn exp2<V: Lanes>(x: V) -> V {
    let x = x.at_least(x.of(-1080.0)).at_most(x.of(1030.0));
    let n = x.round();
    let fraction = x - n;
    let r = fraction * x.of(LN_2);
    let rest = fraction.mul_add(x.of(LN_2), -r);
    let rest = fraction.mul_add(x.of(LN_2_REST), rest);
    Power::from_reduced(n, r, rest).value()
}

#[inline(always)]
pub(super) fn expm1<V: Lanes>(x: V) -> V {
    let power = Power::of(x.at_least(x.of(-60.0)).at_most(x.of(LARGEST)));
    let (high, _) = power.less_one();
    high.scale(power.n).copysign(x)
}

#[inline(always)]
pub(super) fn sinh<V: Lanes>(x: V) -> V {
    let square = x * x;
    let series = polynomial(square, &SINH);
    let small = (x * square).mul_add(series, x);
    let power = Power::of(x.abs().at_most(x.of(LARGEST)));
    let (high, low, reciprocal) = with_reciprocal(&power);
    let large = (high + (low - reciprocal)).scale(power.n - x.of(1.0));
    small.where_or(x.abs().lt(x.of(1.0)), large.copysign(x))
}

#[inline(always)]
pub(super) fn cosh<V: Lanes>(x: V) -> V {
    let power = Power::of(x.abs().at_most(x.of(LARGEST)));
    let (high, low, reciprocal) = with_reciprocal(&power);
    (high + (low + reciprocal)).scale(power.n - x.of(1.0))
}

/// Of `2^n m`: `m` in two parts, and `2^(-2n) / m`.
#[inline(always)]
fn with_reciprocal<V: Lanes>(power: &Power<V>) -> (V, V, V) {
    let (high, low) = power.mantissa();
    let shift = (power.n * power.n.of(-2.0)).at_least(power.n.of(-1000.0));
    (
        high,
        low,
        shift.power_of_two() / (power.n.of(1.0) + (power.r + power.tail)),
    )
}

#[inline(always)]
pub(super) fn tanh<V: Lanes>(x: V) -> V {
    // From 20 on the result is 1; `e^(2x) - 1` over that and 2, in two parts each.
    let magnitude = x.abs().at_most(x.of(20.0));
    let power = Power::of(magnitude + magnitude);
    let (high, low) = power.less_one();
    let (high, low) = (high.scale_little(power.n), low.scale_little(power.n));
    let (divisor, lost) = two_sum(high, x.of(2.0));
    let inverse = x.of(1.0) / divisor;
    let quotient = high * inverse;
    let remainder = quotient.subtract_from(divisor, high);
    let remainder = quotient.subtract_from(lost + low, remainder + low);
    remainder.mul_add(inverse, quotient).copysign(x)
}

#[inline(always)]
pub(super) fn erf<V: Lanes>(x: V) -> V {
    const SLOPE: f64 = std::f64::consts::FRAC_2_SQRT_PI;
    const SLOPE_REST: f64 = 1.533_545_961_316_588e-17;
    let square = x * x;
    let series = polynomial(square, &ERF_SMALL);
    let small = x.mul_add(x.of(SLOPE), x * square.mul_add(series, x.of(SLOPE_REST)));
    // From 6 on the result is 1.
    let magnitude = x.abs().at_least(x.of(1.0)).at_most(x.of(6.0));
    let beyond = magnitude + x.of(2.0);
    let inverse = x.of(1.0) / (magnitude * beyond);
    let argument = (magnitude - x.of(2.0)) * (magnitude * inverse);
    let series = polynomial(argument, &ERFC);
    let square = magnitude * magnitude;
    let bell = Power::of_sum(-square, -magnitude.mul_add(magnitude, -square));
    let complement = bell.value() * series * (beyond * inverse);
    let large = (x.of(1.0) - complement).copysign(x);
    small.where_or(x.abs().le(x.of(1.0)), large)
}
