//! Sine, cosine and tangent.
//!
//! The argument is reduced to `r + r_low` within `pi / 4` of zero and the number of the quarter turn. Up to 2^30 that is
//! Cody and Waite's subtraction of multiples of `pi / 2` in three parts, whose first step is exact with fused
//! multiply-add; lanes beyond that go one by one through Payne and Hanek's multiplication with the bits of `2 / pi`.

use super::coefficients::*;
use super::lanes::{
    INTEGER_IN_LOW_BITS, Lanes, SIGN, Seldom, fast_two_sum, polynomial, two_product,
};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The rest of pi/2 that `FRAC_PI_2` lacks, in two parts.
const FRAC_PI_2_MIDDLE: f64 = 6.123_233_995_736_766e-17;
const FRAC_PI_2_LOW: f64 = -1.497_384_904_859_169_8e-33;
/// Up to here the subtraction is accurate.
const LARGE: f64 = (1_u64 << 30) as f64;

/// An angle less a number of quarter turns.
pub(super) struct Reduced<V> {
    pub(super) r: V,
    low: V,
    /// The number of quarter turns modulo 4, as a vector that holds it in the low bits.
    pub(super) turns: V,
}

#[inline(always)]
fn reduce<V: Lanes>(x: V) -> Reduced<V> {
    let turns = (x * x.of(FRAC_2_PI)).round();
    let exact = turns.subtract_from(x.of(FRAC_PI_2), x);
    let (product, rest) = two_product(turns, x.of(FRAC_PI_2_MIDDLE));
    // Multiples of 2^-52 as these are, subtracting the sum from the first is exact, even where that is the smaller one.
    let (r, low) = fast_two_sum(exact, -product);
    let low = turns.subtract_from(x.of(FRAC_PI_2_LOW), low - rest);
    let (r, low) = fast_two_sum(r, low);
    Reduced {
        r,
        low,
        turns: turns + x.of(INTEGER_IN_LOW_BITS),
    }
}

/// Replaces angles above 2^30 by `r`, `low` and `turns` of [`Reduced`].
#[cold]
#[inline(never)]
fn reduce_large(parts: &mut [[f64; 8]; 3]) {
    let [first, second, third] = parts;
    for ((r, low), turns) in first.iter_mut().zip(second).zip(third) {
        if r.abs() > LARGE {
            [*r, *low, *turns] = reduce_one(*r);
            *turns += INTEGER_IN_LOW_BITS;
        }
    }
}

/// The bits of `2 / pi`, from the 64th before the binary point on.
const TWO_OVER_PI: [u64; 21] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// `[r, low, quarter turns modulo 4]` of an angle above 2^30 in magnitude (Payne and Hanek, 1983).
fn reduce_one(x: f64) -> [f64; 3] {
    if !x.is_finite() {
        return [f64::NAN, f64::NAN, 0.0];
    }
    let bits = x.abs().to_bits();
    // x = mantissa 2^exponent. Of its product with 2 / pi, multiples of 4 do not matter: 192 bits of 2 / pi are enough,
    // from the one on that has the weight 2^(1 - exponent), which is number `exponent - 1` after the binary point.
    let exponent = (bits >> 52) as i32 - 1075;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let first = (exponent - 1 + 63) as usize;
    let (word, shift) = (first / 64, first % 64);
    let window = |position: usize| {
        let (high, low) = (
            TWO_OVER_PI[word + position],
            TWO_OVER_PI.get(word + position + 1).copied().unwrap_or(0),
        );
        ((((u128::from(high)) << 64) | u128::from(low)) >> (64 - shift)) as u64
    };
    // The product modulo 2^192, whose unit is 2^-190.
    let low = u128::from(window(2)) * u128::from(mantissa);
    let middle = u128::from(window(1)) * u128::from(mantissa) + (low >> 64);
    let high = window(0)
        .wrapping_mul(mantissa)
        .wrapping_add((middle >> 64) as u64);
    let product = (u128::from(high) << 64) | u128::from(middle as u64);
    // Rounded to the nearest quarter turn, a signed fraction of 2^-128 remains, and the lowest word behind it.
    let turns = (product >> 126).wrapping_add((product >> 125) & 1);
    let fraction = ((product << 2) | u128::from((low as u64) >> 62)).cast_signed();
    let high = fraction as f64;
    let rest = (fraction - high as i128) as f64;
    let unit = 0.5_f64.powi(128);
    let (high, rest) = (high * unit, rest * unit);
    let r = high * FRAC_PI_2;
    let low = high.mul_add(FRAC_PI_2, -r) + (high * FRAC_PI_2_MIDDLE + rest * FRAC_PI_2);
    let (sum, low) = (r + low, (r - (r + low)) + low);
    let turns = (turns & 3) as f64;
    if x < 0.0 {
        [-sum, -low, (4.0 - turns) % 4.0]
    } else {
        [sum, low, turns]
    }
}

/// Where an angle is too large for [`reduce`].
#[inline(always)]
pub(super) fn is_large<V: Lanes>(x: V) -> V::Mask {
    x.of(LARGE).lt(x.abs())
}

impl<V: Lanes> Reduced<V> {
    /// What [`reduce`] gives, with the lanes of large angles put right.
    #[inline(always)]
    fn of_any(x: V) -> Self {
        let (large, small, reduced) = (is_large(x), reduce(x), Self::of_large(x));
        Reduced {
            r: reduced.r.where_or(large, small.r),
            low: reduced.low.where_or(large, small.low),
            turns: reduced.turns.where_or(large, small.turns),
        }
    }

    /// The large angles reduced; anything in other lanes.
    #[inline(always)]
    pub(super) fn of_large(x: V) -> Self {
        let mut parts = [x.to_array(), [0.0; 8], [0.0; 8]];
        reduce_large(&mut parts);
        Reduced {
            r: x.of_array(&parts[0]),
            low: x.of_array(&parts[1]),
            turns: x.of_array(&parts[2]),
        }
    }

    /// The sine of the remainder in two parts.
    #[inline(always)]
    fn sine(&self) -> (V, V) {
        let (r, z) = (self.r, self.r * self.r);
        let low = self.low.mul_add(z * r.of(-0.5), self.low);
        fast_two_sum(r, (r * z).mul_add(polynomial(z, &SIN), low))
    }

    /// The cosine of the remainder, likewise.
    #[inline(always)]
    fn cosine(&self) -> (V, V) {
        let (one, z) = (self.r.of(1.0), self.r * self.r);
        let half = z * self.r.of(0.5);
        let high = one - half;
        let lost = (one - high) - half;
        let lost = self.r.subtract_from(self.low, lost);
        fast_two_sum(high, (z * z).mul_add(polynomial(z, &COS), lost))
    }

    /// The sine, a number of quarter turns further.
    #[inline(always)]
    fn turned(&self, by: u64) -> V {
        let turns = self.turns.add_bits(by);
        let result = (self.cosine().0).where_or(turns.shl(63).is_negative(), self.sine().0);
        result.xor(turns.shl(62).and_bits(SIGN))
    }

    /// The tangent.
    #[inline(always)]
    fn tangent(&self) -> V {
        let (sine, cosine) = (self.sine(), self.cosine());
        let odd = self.turns.shl(63).is_negative();
        let (divisor, divisor_low) = (
            sine.0.where_or(odd, cosine.0),
            sine.1.where_or(odd, cosine.1),
        );
        let (high, low) = (
            (-cosine.0).where_or(odd, sine.0),
            (-cosine.1).where_or(odd, sine.1),
        );
        let inverse = self.r.of(1.0) / divisor;
        let quotient = high * inverse;
        let remainder = quotient.subtract_from(divisor, high) + low;
        let remainder = quotient.subtract_from(divisor_low, remainder);
        remainder.mul_add(inverse, quotient)
    }
}

/// A function of angles that are not large, and of any, by what is left of them and by themselves.
macro_rules! functions {
    ($($name:ident $of_any:ident |$reduced:ident, $x:ident| $result:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name<V: Lanes>($x: V) -> V {
            if $x.any(is_large($x)) {
                return $x.seldom::<$of_any>();
            }
            let $reduced = reduce($x);
            $result
        }

        struct $of_any;
        impl Seldom for $of_any {
            #[inline(always)]
            fn of<V: Lanes>($x: V) -> V {
                let $reduced = Reduced::of_any($x);
                $result
            }
        }
    )*};
}

functions! {
    sin SineOfAny |reduced, x| small_or(x, reduced.turned(0));
    cos CosineOfAny |reduced, x| reduced.turned(1);
    tan TangentOfAny |reduced, x| small_or(x, reduced.tangent());
}

/// This small, an angle is its own sine and tangent, and keeps the sign of a zero.
#[inline(always)]
fn small_or<V: Lanes>(x: V, result: V) -> V {
    x.where_or(x.abs().lt(x.of(TINY)), result)
}

/// `2^-28`.
const TINY: f64 = 1.0 / ((1_u64 << 28) as f64);
