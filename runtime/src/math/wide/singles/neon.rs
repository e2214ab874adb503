//! [`Singles`] of 128 bits on AArch64, where NEON with multiply-add is always there.

use super::super::neon;
use super::{InSingles, Singles, mend};
use std::arch::aarch64::*;
use std::ops::{Add, Mul, Sub};

/// Four lanes.
#[derive(Clone, Copy)]
pub(in super::super) struct Neon(float32x4_t);

operators! { Neon: Add add vaddq_f32; Sub sub vsubq_f32; Mul mul vmulq_f32; }

impl Singles for Neon {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32, lanes: usize) -> Self {
        if lanes == 4 {
            // SAFETY: the caller promises four numbers.
            return Neon(unsafe { vld1q_f32(from) });
        }
        let mut row = [0.0; 4];
        // SAFETY: the caller promises as many numbers, at most four.
        unsafe {
            std::ptr::copy_nonoverlapping(from, row.as_mut_ptr(), lanes);
            Neon(vld1q_f32(row.as_ptr()))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, lanes: usize) {
        if lanes == 4 {
            // SAFETY: the caller promises room for four numbers.
            return unsafe { vst1q_f32(to, self.0) };
        }
        let row = self.to_array();
        // SAFETY: the caller promises room for as many numbers, at most four.
        unsafe { std::ptr::copy_nonoverlapping(row.as_ptr(), to, lanes) };
    }
    methods! {
        of(_this, lane: f32) -> Self = Neon(vdupq_n_f32(lane));
        mul_add(x, factor: Self, addend: Self) -> Self = Neon(vfmaq_f32(addend.0, x.0, factor.0));
        subtract_from(x, factor: Self, addend: Self) -> Self = Neon(vfmsq_f32(addend.0, x.0, factor.0));
        mul_sub(x, factor: Self, subtrahend: Self) -> Self = Neon(vfmaq_f32(vnegq_f32(subtrahend.0), x.0, factor.0));
        are_within(x, limit: f32) -> bool = vminvq_u32(vcaleq_f32(x.0, vdupq_n_f32(limit))) != 0;
        scale(x, exponent: Self) -> Self = Neon(vreinterpretq_f32_u32(vaddq_u32(
            vreinterpretq_u32_f32(x.0),
            vshlq_n_u32::<23>(vshrq_n_u32::<5>(vreinterpretq_u32_f32(exponent.0))),
        )));
    }
    #[inline(always)]
    fn entry(self, table: &[f32; 32]) -> Self {
        let [a, b, c, d] = self.to_array();
        let row = [a, b, c, d].map(|lane| table[(lane.to_bits() % 32) as usize]);
        // SAFETY: NEON is part of the target, and the array has four elements.
        Neon(unsafe { vld1q_f32(row.as_ptr()) })
    }
    #[inline(always)]
    fn mend<F: InSingles>(self, x: Self) -> Self {
        let mut result = self.to_array();
        mend_neon::<F>(&mut result, &x.to_array());
        // SAFETY: NEON is part of the target, and the array has four elements.
        Neon(unsafe { vld1q_f32(result.as_ptr()) })
    }
}

impl Neon {
    #[inline(always)]
    fn to_array(self) -> [f32; 4] {
        let mut row = [0.0; 4];
        // SAFETY: NEON is part of the target, and the array has four elements.
        unsafe { vst1q_f32(row.as_mut_ptr(), self.0) };
        row
    }
}

#[cold]
#[inline(never)]
fn mend_neon<F: InSingles>(result: &mut [f32; 4], x: &[f32; 4]) {
    // SAFETY: NEON is part of the target.
    unsafe { mend::<F, neon::Neon, 4>(result, x) };
}
