//! Sine, cosine and tangent, and their inverses.
//!
//! Up to 2^30 an angle is reduced by multiples of `pi`, or of `pi / 2` for the tangent, in two parts; larger ones are those of
//! double precision. The inverses have no second parts, and the arctangent no second division.

use super::super::lanes::{INTEGER_IN_LOW_BITS, Lanes, SIGN, Seldom, polynomial};
use super::super::trigonometric::{Reduced, is_large};
use super::coefficients::*;
use super::horner;
use std::f64::consts::{FRAC_1_PI, FRAC_2_PI, FRAC_PI_2, PI};

/// The rest of `pi` that `PI` lacks.
const PI_REST: f64 = 1.224_646_799_147_353_2e-16;

/// An angle less a number of half turns.
struct HalfTurns<V> {
    r: V,
    /// That number, in the low bits.
    turns: V,
}

impl<V: Lanes> HalfTurns<V> {
    #[inline(always)]
    fn sine(&self) -> V {
        let result = self.r * horner(self.r * self.r, &SIN);
        result.xor(self.turns.shl(63))
    }

    /// The large angles of `x` in their lanes, and `quarters` more.
    #[inline(always)]
    fn with_large(self, x: V, quarters: u64) -> Self {
        let (large, reduced) = (is_large(x), Reduced::of_large(x));
        let turns = reduced.turns.add_bits(quarters);
        let odd = turns.shl(63).is_negative();
        // The cosine of `r`, within a quarter turn again.
        let complement = x.of(FRAC_PI_2) - reduced.r.abs();
        let r = complement.where_or(odd, reduced.r);
        HalfTurns {
            r: r.where_or(large, self.r),
            turns: turns.shr(1).where_or(large, self.turns),
        }
    }
}

/// `x - turns unit`, with `unit` in two parts; the first step is exact.
#[inline(always)]
fn subtract_turns<V: Lanes>(x: V, turns: V, unit: f64, rest: f64) -> V {
    let exact = turns.subtract_from(x.of(unit), x);
    turns.subtract_from(x.of(rest), exact)
}

/// The rest of an angle, for its sine.
#[inline(always)]
fn reduce_sine<V: Lanes>(x: V) -> HalfTurns<V> {
    let integer = x.of(INTEGER_IN_LOW_BITS);
    let turns = x.mul_add(x.of(FRAC_1_PI), integer);
    let r = subtract_turns(x, turns - integer, PI, PI_REST);
    HalfTurns { r, turns }
}

/// The rest for its cosine: the sine of a quarter turn more. The odd quarter goes with the whole turns, so that the
/// remainder is exact.
#[inline(always)]
fn reduce_cosine<V: Lanes>(x: V) -> HalfTurns<V> {
    let (half, integer) = (x.of(0.5), x.of(INTEGER_IN_LOW_BITS));
    let turns = x.mul_add(x.of(FRAC_1_PI), half) + integer;
    let r = subtract_turns(x, (turns - integer) - half, PI, PI_REST);
    HalfTurns { r, turns }
}

/// What is left for its tangent, and the number of quarter turns.
#[inline(always)]
fn reduce_tangent<V: Lanes>(x: V) -> (V, V) {
    let integer = x.of(INTEGER_IN_LOW_BITS);
    let turns = x.mul_add(x.of(FRAC_2_PI), integer);
    let r = subtract_turns(x, turns - integer, FRAC_PI_2, PI_REST / 2.0);
    (r, turns)
}

/// The tangent of `r` and a number of quarter turns.
#[inline(always)]
fn tangent<V: Lanes>((r, turns): (V, V)) -> V {
    let z = r * r;
    let (sine, cosine) = (r * horner(z, &TAN), horner(z, &TAN_DIVISOR));
    let odd = turns.shl(63).is_negative();
    (-cosine).where_or(odd, sine) / sine.where_or(odd, cosine)
}

/// A function of angles that are not large, and of any.
macro_rules! functions {
    ($($name:ident $of_any:ident |$x:ident| $small:expr, $any:expr;)*) => {$(
        #[inline(always)]
        pub(in super::super) fn $name<V: Lanes>($x: V) -> V {
            if $x.any(is_large($x)) {
                return $x.seldom::<$of_any>();
            }
            $small
        }

        struct $of_any;
        impl Seldom for $of_any {
            #[inline(always)]
            fn of<V: Lanes>($x: V) -> V {
                $any
            }
        }
    )*};
}

functions! {
    sin SineOfAny |x| reduce_sine(x).sine(), reduce_sine(x).with_large(x, 0).sine();
    cos CosineOfAny |x| reduce_cosine(x).sine(), reduce_cosine(x).with_large(x, 1).sine();
    tan TangentOfAny |x| tangent(reduce_tangent(x)), tangent(with_large_tangent(x));
}

/// [`reduce_tangent`], with the lanes of large angles put right.
#[inline(always)]
fn with_large_tangent<V: Lanes>(x: V) -> (V, V) {
    let (large, (r, turns), reduced) = (is_large(x), reduce_tangent(x), Reduced::of_large(x));
    (
        reduced.r.where_or(large, r),
        reduced.turns.where_or(large, turns),
    )
}

/// Whether `|x| > 1/2`, and the inverse sine of `sqrt((1 - |x|) / 2)` there, of `|x|` elsewhere.
#[inline(always)]
fn halve<V: Lanes>(x: V) -> (V::Mask, V) {
    let (half, magnitude) = (x.of(0.5), x.abs());
    let beyond = half.lt(magnitude);
    let radicand = magnitude.subtract_from(half, half);
    let z = radicand.where_or(beyond, x * x);
    let root = radicand.sqrt().where_or(beyond, magnitude);
    (beyond, root * horner(z, &ASIN))
}

#[inline(always)]
pub(in super::super) fn asin<V: Lanes>(x: V) -> V {
    let (beyond, angle) = halve(x);
    let far = angle.subtract_from(x.of(2.0), x.of(FRAC_PI_2));
    // Beyond 1 the root was NaN.
    far.where_or(beyond, angle).copysign(x)
}

#[inline(always)]
pub(in super::super) fn acos<V: Lanes>(x: V) -> V {
    let (beyond, angle) = halve(x);
    // Near zero pi/2 - asin(x); near 1 twice the angle of the half; near -1 pi less that.
    let factor = x.of(2.0).where_or(beyond, x.of(-1.0));
    let factor = factor.xor(x.and_bits(SIGN));
    let far = x.of(PI).where_or(x.is_negative(), x.of(0.0));
    let base = far.where_or(beyond, x.of(FRAC_PI_2));
    angle.mul_add(factor, base)
}

#[inline(always)]
pub(in super::super) fn atan<V: Lanes>(x: V) -> V {
    let one = x.of(1.0);
    let steep = one.lt(x.abs());
    let tangent = (one / x).where_or(steep, x);
    let angle = tangent * polynomial(tangent * tangent, &ATAN);
    let complement = x.of(FRAC_PI_2).copysign(x) - angle;
    complement.where_or(steep, angle)
}

#[inline(always)]
pub(in super::super) fn atan2<V: Lanes>(y: V, x: V) -> V {
    // In place of infinity, so that two have a quotient, and of zero. Both are so far beyond numbers of single precision
    // that the angle with one is rounded as it should be.
    let (huge, tiny) = (x.of(1e200), x.of(1e-100));
    let (height, width) = (y.abs().at_most(huge), x.abs().at_most(huge));
    let steep = width.lt(height);
    let small = width.where_or(steep, height);
    let large = height.where_or(steep, width).at_least(tiny);
    let tangent = small / large;
    let angle = tangent * polynomial(tangent * tangent, &ATAN);
    let angle = (x.of(FRAC_PI_2) - angle).where_or(steep, angle);
    let angle = (x.of(PI) - angle).where_or(x.is_negative(), angle);
    angle.copysign(y)
}
