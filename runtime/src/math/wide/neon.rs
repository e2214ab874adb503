//! [`Lanes`] of 128 bits on AArch64, where NEON with multiply-add is always there.

use super::lanes::{Lanes, Seldom};
use std::arch::aarch64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Two lanes.
#[derive(Clone, Copy)]
pub(crate) struct Neon(float64x2_t);
/// A truth value for each of two lanes: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Mask128(uint64x2_t);

operators! { Neon: Add add vaddq_f64; Sub sub vsubq_f64; Mul mul vmulq_f64; Div div vdivq_f64; }
operators! { Mask128: BitAnd bitand vandq_u64; BitOr bitor vorrq_u64; }

impl Neg for Neon {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: NEON is part of the target.
        Neon(unsafe { vnegq_f64(self.0) })
    }
}

impl Not for Mask128 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: NEON is part of the target.
        Mask128(unsafe { veorq_u64(self.0, vdupq_n_u64(u64::MAX)) })
    }
}

impl Lanes for Neon {
    type Mask = Mask128;
    const LANES: usize = 2;

    #[inline(always)]
    unsafe fn splat(lane: f64) -> Self {
        // SAFETY: NEON is part of the target.
        Neon(unsafe { vdupq_n_f64(lane) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64, lanes: usize) -> Self {
        // SAFETY: the caller promises one lane, or two.
        Neon(unsafe {
            if lanes == 2 {
                vld1q_f64(from)
            } else {
                vsetq_lane_f64::<0>(*from, vdupq_n_f64(0.0))
            }
        })
    }
    #[inline(always)]
    unsafe fn load_single(from: *const f32, lanes: usize) -> Self {
        // SAFETY: as above.
        Neon(unsafe {
            vcvt_f64_f32(if lanes == 2 {
                vld1_f32(from)
            } else {
                vset_lane_f32::<0>(*from, vdup_n_f32(0.0))
            })
        })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64, lanes: usize) {
        // SAFETY: the caller promises room for one lane, or two.
        unsafe {
            if lanes == 2 {
                vst1q_f64(to, self.0);
            } else {
                *to = vgetq_lane_f64::<0>(self.0);
            }
        }
    }
    #[inline(always)]
    unsafe fn store_single(self, to: *mut f32, lanes: usize) {
        // SAFETY: as above.
        unsafe {
            let singles = vcvt_f32_f64(self.0);
            if lanes == 2 {
                vst1_f32(to, singles);
            } else {
                *to = vget_lane_f32::<0>(singles);
            }
        }
    }
    methods! {
        of(_this, lane: f64) -> Self = Neon(vdupq_n_f64(lane));
        mul_add(x, factor: Self, addend: Self) -> Self = Neon(vfmaq_f64(addend.0, x.0, factor.0));
        subtract_from(x, factor: Self, addend: Self) -> Self = Neon(vfmsq_f64(addend.0, x.0, factor.0));
        sqrt(x) -> Self = Neon(vsqrtq_f64(x.0));
        round(x) -> Self = Neon(vrndnq_f64(x.0));
        at_least(x, other: Self) -> Self = Neon(vmaxq_f64(other.0, x.0));
        at_most(x, other: Self) -> Self = Neon(vminq_f64(other.0, x.0));
        lt(x, other: Self) -> Mask128 = Mask128(vcltq_f64(x.0, other.0));
        le(x, other: Self) -> Mask128 = Mask128(vcleq_f64(x.0, other.0));
        eq(x, other: Self) -> Mask128 = Mask128(vceqq_f64(x.0, other.0));
        is_negative(x) -> Mask128 = Mask128(vcltzq_s64(vreinterpretq_s64_f64(x.0)));
        where_or(x, mask: Mask128, other: Self) -> Self = Neon(vbslq_f64(mask.0, x.0, other.0));
        any(_this, mask: Mask128) -> bool = (vgetq_lane_u64::<0>(mask.0) | vgetq_lane_u64::<1>(mask.0)) != 0;
        and_bits(x, bits: u64) -> Self = Neon(vreinterpretq_f64_u64(
            vandq_u64(vreinterpretq_u64_f64(x.0), vdupq_n_u64(bits))
        ));
        or(x, other: Self) -> Self = Neon(vreinterpretq_f64_u64(
            vorrq_u64(vreinterpretq_u64_f64(x.0), vreinterpretq_u64_f64(other.0))
        ));
        xor(x, other: Self) -> Self = Neon(vreinterpretq_f64_u64(
            veorq_u64(vreinterpretq_u64_f64(x.0), vreinterpretq_u64_f64(other.0))
        ));
        add_bits(x, bits: u64) -> Self = Neon(vreinterpretq_f64_u64(
            vaddq_u64(vreinterpretq_u64_f64(x.0), vdupq_n_u64(bits))
        ));
        plus_bits(x, other: Self) -> Self = Neon(vreinterpretq_f64_u64(
            vaddq_u64(vreinterpretq_u64_f64(x.0), vreinterpretq_u64_f64(other.0))
        ));
        sub_bits(x, other: Self) -> Self = Neon(vreinterpretq_f64_u64(
            vsubq_u64(vreinterpretq_u64_f64(x.0), vreinterpretq_u64_f64(other.0))
        ));
        shl(x, by: u32) -> Self = Neon(vreinterpretq_f64_u64(
            vshlq_u64(vreinterpretq_u64_f64(x.0), vdupq_n_s64(i64::from(by)))
        ));
        shr(x, by: u32) -> Self = Neon(vreinterpretq_f64_u64(
            vshlq_u64(vreinterpretq_u64_f64(x.0), vdupq_n_s64(-i64::from(by)))
        ));
        of_array(_this, lanes: &[f64; 8]) -> Self = Neon(vld1q_f64(lanes.as_ptr()));
    }
    #[inline(always)]
    fn seldom<F: Seldom>(self) -> Self {
        seldom::<F>(self)
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        let mut lanes = [0.0; 8];
        // SAFETY: the array has two elements and more.
        unsafe { vst1q_f64(lanes.as_mut_ptr(), self.0) };
        lanes
    }
}

#[cold]
#[inline(never)]
fn seldom<F: Seldom>(x: Neon) -> Neon {
    F::of(x)
}
