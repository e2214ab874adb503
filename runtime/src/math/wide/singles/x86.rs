//! [`Singles`] of 512 and 256 bits. The functions called are the instructions of their names.

use super::super::x86;
use super::{InSingles, Singles, mend};
use std::arch::x86_64::*;
use std::ops::{Add, Mul, Sub};

/// Sixteen lanes: AVX-512 F and DQ.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx512(__m512);
/// Eight lanes: AVX2 and FMA.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx2(__m256);

/// A row of ones, then zeros: loading eight from position `8 - n` gives a mask of the first `n` lanes.
static MASK: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

operators! { Avx512: Add add _mm512_add_ps; Sub sub _mm512_sub_ps; Mul mul _mm512_mul_ps; }
operators! { Avx2: Add add _mm256_add_ps; Sub sub _mm256_sub_ps; Mul mul _mm256_mul_ps; }

impl Singles for Avx512 {
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn load(from: *const f32, lanes: usize) -> Self {
        // SAFETY: the caller promises the instructions and the lanes that the mask lets through.
        Avx512(unsafe {
            if lanes == 16 {
                _mm512_loadu_ps(from)
            } else {
                _mm512_maskz_loadu_ps(first(lanes), from)
            }
        })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, lanes: usize) {
        // SAFETY: the caller promises room for the lanes that the mask lets through.
        unsafe {
            if lanes == 16 {
                _mm512_storeu_ps(to, self.0);
            } else {
                _mm512_mask_storeu_ps(to, first(lanes), self.0);
            }
        }
    }
    methods! {
        of(_this, lane: f32) -> Self = Avx512(_mm512_set1_ps(lane));
        mul_add(x, factor: Self, addend: Self) -> Self = Avx512(_mm512_fmadd_ps(x.0, factor.0, addend.0));
        subtract_from(x, factor: Self, addend: Self) -> Self = Avx512(_mm512_fnmadd_ps(x.0, factor.0, addend.0));
        mul_sub(x, factor: Self, subtrahend: Self) -> Self = Avx512(_mm512_fmsub_ps(x.0, factor.0, subtrahend.0));
        are_within(x, limit: f32) -> bool = {
            _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(_mm512_abs_ps(x.0), _mm512_set1_ps(limit)) == 0
        };
        entry(x, table: &[f32; 32]) -> Self = Avx512(_mm512_permutex2var_ps(
            _mm512_loadu_ps(table.as_ptr()),
            _mm512_castps_si512(x.0),
            _mm512_loadu_ps(table.as_ptr().add(16)),
        ));
        scale(x, exponent: Self) -> Self = {
            let exponent = _mm512_slli_epi32::<23>(_mm512_srli_epi32::<5>(_mm512_castps_si512(exponent.0)));
            Avx512(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x.0), exponent)))
        };
    }
    #[inline(always)]
    fn mend<F: InSingles>(self, x: Self) -> Self {
        let (mut result, mut arguments) = ([0.0; 16], [0.0; 16]);
        // SAFETY: a value exists only where the machine has its instructions, and the arrays have sixteen elements.
        unsafe {
            self.store(result.as_mut_ptr(), 16);
            x.store(arguments.as_mut_ptr(), 16);
            mend_avx512::<F>(&mut result, &arguments);
            Self::load(result.as_ptr(), 16)
        }
    }
}

/// A mask of the first lanes.
#[inline(always)]
fn first(lanes: usize) -> __mmask16 {
    ((1_u32 << lanes) - 1) as __mmask16
}

/// # Safety
/// The machine must have these instructions.
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn mend_avx512<F: InSingles>(result: &mut [f32; 16], x: &[f32; 16]) {
    // SAFETY: the caller's promise.
    unsafe { mend::<F, x86::Avx512, 16>(result, x) };
}

impl Singles for Avx2 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn load(from: *const f32, lanes: usize) -> Self {
        // SAFETY: the caller promises the instructions and the lanes that the mask lets through.
        Avx2(unsafe {
            if lanes == 8 {
                _mm256_loadu_ps(from)
            } else {
                _mm256_maskload_ps(from, mask(lanes))
            }
        })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, lanes: usize) {
        // SAFETY: the caller promises room for the lanes that the mask lets through.
        unsafe {
            if lanes == 8 {
                _mm256_storeu_ps(to, self.0);
            } else {
                _mm256_maskstore_ps(to, mask(lanes), self.0);
            }
        }
    }
    methods! {
        of(_this, lane: f32) -> Self = Avx2(_mm256_set1_ps(lane));
        mul_add(x, factor: Self, addend: Self) -> Self = Avx2(_mm256_fmadd_ps(x.0, factor.0, addend.0));
        subtract_from(x, factor: Self, addend: Self) -> Self = Avx2(_mm256_fnmadd_ps(x.0, factor.0, addend.0));
        mul_sub(x, factor: Self, subtrahend: Self) -> Self = Avx2(_mm256_fmsub_ps(x.0, factor.0, subtrahend.0));
        are_within(x, limit: f32) -> bool = {
            let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), x.0);
            _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLE_UQ>(magnitude, _mm256_set1_ps(limit))) == 0
        };
        entry(x, table: &[f32; 32]) -> Self = {
            // Each quarter by the three lowest bits, and of these one by the next two, which are moved to the sign.
            let bits = _mm256_castps_si256(x.0);
            let [first, second, third, last] = [
                quarter::<0>(table, bits),
                quarter::<1>(table, bits),
                quarter::<2>(table, bits),
                quarter::<3>(table, bits),
            ];
            let [fourth, fifth] = [
                _mm256_castsi256_ps(_mm256_slli_epi32::<28>(bits)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<27>(bits)),
            ];
            Avx2(_mm256_blendv_ps(
                _mm256_blendv_ps(first, second, fourth),
                _mm256_blendv_ps(third, last, fourth),
                fifth,
            ))
        };
        scale(x, exponent: Self) -> Self = {
            let exponent = _mm256_slli_epi32::<23>(_mm256_srli_epi32::<5>(_mm256_castps_si256(exponent.0)));
            Avx2(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x.0), exponent)))
        };
    }
    #[inline(always)]
    fn mend<F: InSingles>(self, x: Self) -> Self {
        let (mut result, mut arguments) = ([0.0; 8], [0.0; 8]);
        // SAFETY: a value exists only where the machine has its instructions, and the arrays have eight elements.
        unsafe {
            self.store(result.as_mut_ptr(), 8);
            x.store(arguments.as_mut_ptr(), 8);
            mend_avx2::<F>(&mut result, &arguments);
            Self::load(result.as_ptr(), 8)
        }
    }
}

/// The entries of a quarter of a table that the three lowest bits say.
///
/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn quarter<const NUMBER: usize>(table: &[f32; 32], bits: __m256i) -> __m256 {
    const { assert!(NUMBER < 4) };
    // SAFETY: eight elements from there on lie in the table.
    unsafe { _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8 * NUMBER)), bits) }
}

/// A mask of the first of eight lanes.
///
/// # Safety
/// The machine must have AVX; `lanes` is at most eight.
#[inline(always)]
unsafe fn mask(lanes: usize) -> __m256i {
    // SAFETY: eight elements from `8 - lanes` on lie in the row of sixteen.
    unsafe { _mm256_loadu_si256(MASK.as_ptr().add(8 - lanes).cast()) }
}

/// # Safety
/// The machine must have these instructions.
#[cold]
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn mend_avx2<F: InSingles>(result: &mut [f32; 8], x: &[f32; 8]) {
    // SAFETY: the caller's promise.
    unsafe { mend::<F, x86::Avx2, 8>(result, x) };
}
