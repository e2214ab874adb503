//! [`Lanes`] of 512 and 256 bits. The functions called are the instructions of their names.

use super::lanes::{Lanes, Seldom};
use std::arch::x86_64::*;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Eight lanes: AVX-512 F, DQ and VL.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);
/// Four lanes: AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d);
/// A truth value for each of four lanes: its sign bit.
#[derive(Clone, Copy)]
pub(crate) struct Mask256(__m256d);
/// One lane, twice in its register: AVX2 and FMA. Faster than a plain `f64`, whose bits go back and forth between two
/// sets of registers and which is selected by branches (measured: a third of the time of `hypot`).
#[derive(Clone, Copy)]
pub(crate) struct Avx2One(__m128d);
/// Its truth value: the sign bits.
#[derive(Clone, Copy)]
pub(crate) struct Mask128(__m128d);

/// Rows of ones, then zeros: loading four from position `4 - n` gives a mask of the first `n` lanes.
static MASK_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
/// The same for lanes of 32 bits.
static MASK_32: [i32; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

operators! { Avx512: Add add _mm512_add_pd; Sub sub _mm512_sub_pd; Mul mul _mm512_mul_pd; Div div _mm512_div_pd; }
operators! { Avx2: Add add _mm256_add_pd; Sub sub _mm256_sub_pd; Mul mul _mm256_mul_pd; Div div _mm256_div_pd; }
operators! { Avx2One: Add add _mm_add_pd; Sub sub _mm_sub_pd; Mul mul _mm_mul_pd; Div div _mm_div_pd; }
operators! { Mask256: BitAnd bitand _mm256_and_pd; BitOr bitor _mm256_or_pd; }
operators! { Mask128: BitAnd bitand _mm_and_pd; BitOr bitor _mm_or_pd; }

macro_rules! negation {
    ($($type:ident)*) => {$(
        impl Neg for $type {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.xor(self.of(-0.0))
            }
        }
    )*};
}

negation! { Avx512 Avx2 Avx2One }

macro_rules! complement {
    ($($type:ident $xor:ident $splat:ident;)*) => {$(
        impl Not for $type {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                // SAFETY: a value exists only where the machine has its instructions.
                $type(unsafe { $xor(self.0, $splat(-0.0)) })
            }
        }
    )*};
}

complement! { Mask256 _mm256_xor_pd _mm256_set1_pd; Mask128 _mm_xor_pd _mm_set1_pd; }

impl Lanes for Avx512 {
    type Mask = __mmask8;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(lane: f64) -> Self {
        // SAFETY: the caller promises the instructions.
        Avx512(unsafe { _mm512_set1_pd(lane) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64, lanes: usize) -> Self {
        // SAFETY: the caller promises the instructions and the lanes that the mask lets through.
        Avx512(unsafe {
            if lanes == 8 {
                _mm512_loadu_pd(from)
            } else {
                _mm512_maskz_loadu_pd(first(lanes), from)
            }
        })
    }
    #[inline(always)]
    unsafe fn load_single(from: *const f32, lanes: usize) -> Self {
        // SAFETY: as above.
        Avx512(unsafe {
            _mm512_cvtps_pd(if lanes == 8 {
                _mm256_loadu_ps(from)
            } else {
                _mm256_maskz_loadu_ps(first(lanes), from)
            })
        })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64, lanes: usize) {
        // SAFETY: the caller promises room for the lanes that the mask lets through.
        unsafe {
            if lanes == 8 {
                _mm512_storeu_pd(to, self.0);
            } else {
                _mm512_mask_storeu_pd(to, first(lanes), self.0);
            }
        }
    }
    #[inline(always)]
    unsafe fn store_single(self, to: *mut f32, lanes: usize) {
        // SAFETY: as above.
        unsafe {
            let singles = _mm512_cvtpd_ps(self.0);
            if lanes == 8 {
                _mm256_storeu_ps(to, singles);
            } else {
                _mm256_mask_storeu_ps(to, first(lanes), singles);
            }
        }
    }
    methods! {
        of(_this, lane: f64) -> Self = Avx512(_mm512_set1_pd(lane));
        mul_add(x, factor: Self, addend: Self) -> Self = Avx512(_mm512_fmadd_pd(x.0, factor.0, addend.0));
        subtract_from(x, factor: Self, addend: Self) -> Self = Avx512(_mm512_fnmadd_pd(x.0, factor.0, addend.0));
        sqrt(x) -> Self = Avx512(_mm512_sqrt_pd(x.0));
        round(x) -> Self = Avx512(_mm512_roundscale_pd::<0x08>(x.0));
        // Of these two instructions the second operand is the result where one is NaN.
        at_least(x, other: Self) -> Self = Avx512(_mm512_max_pd(other.0, x.0));
        at_most(x, other: Self) -> Self = Avx512(_mm512_min_pd(other.0, x.0));
        lt(x, other: Self) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(x.0, other.0);
        le(x, other: Self) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(x.0, other.0);
        eq(x, other: Self) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(x.0, other.0);
        is_negative(x) -> __mmask8 = _mm512_movepi64_mask(_mm512_castpd_si512(x.0));
        where_or(x, mask: __mmask8, other: Self) -> Self = Avx512(_mm512_mask_blend_pd(mask, other.0, x.0));
        and_bits(x, bits: u64) -> Self = Avx512(_mm512_and_pd(x.0, _mm512_set1_pd(f64::from_bits(bits))));
        or(x, other: Self) -> Self = Avx512(_mm512_or_pd(x.0, other.0));
        xor(x, other: Self) -> Self = Avx512(_mm512_xor_pd(x.0, other.0));
        add_bits(x, bits: u64) -> Self = Avx512(_mm512_castsi512_pd(
            _mm512_add_epi64(_mm512_castpd_si512(x.0), _mm512_set1_epi64(bits.cast_signed()))
        ));
        plus_bits(x, other: Self) -> Self = Avx512(_mm512_castsi512_pd(
            _mm512_add_epi64(_mm512_castpd_si512(x.0), _mm512_castpd_si512(other.0))
        ));
        sub_bits(x, other: Self) -> Self = Avx512(_mm512_castsi512_pd(
            _mm512_sub_epi64(_mm512_castpd_si512(x.0), _mm512_castpd_si512(other.0))
        ));
        shl(x, by: u32) -> Self = Avx512(_mm512_castsi512_pd(
            _mm512_sllv_epi64(_mm512_castpd_si512(x.0), _mm512_set1_epi64(i64::from(by)))
        ));
        shr(x, by: u32) -> Self = Avx512(_mm512_castsi512_pd(
            _mm512_srlv_epi64(_mm512_castpd_si512(x.0), _mm512_set1_epi64(i64::from(by)))
        ));
        of_array(_this, lanes: &[f64; 8]) -> Self = Avx512(_mm512_loadu_pd(lanes.as_ptr()));
        scale(x, exponent: Self) -> Self = Avx512(_mm512_scalef_pd(x.0, exponent.0));
        scale_little(x, exponent: Self) -> Self = Avx512(_mm512_scalef_pd(x.0, exponent.0));
        // 4/3 is rounded down, but 3/2 of it to 2: the exponent changes where the other mantissa begins.
        split_normal(x) -> (Self, Self) = (
            Avx512(_mm512_getexp_pd(_mm512_mul_pd(x.0, _mm512_set1_pd(4.0 / 3.0)))),
            Avx512(_mm512_getmant_pd::<_MM_MANT_NORM_P75_1P5, _MM_MANT_SIGN_SRC>(x.0)),
        );
        // Digits from the lowest on: what results where `x` is NaN (twice), 0, 1 (as other positive numbers: stays),
        // -inf, inf, negative, positive.
        or_logarithm_of_special(result, x: Self) -> Self = Avx512(
            _mm512_fixupimm_pd::<0>(result.0, x.0, _mm512_set1_epi64(0x0353_0422))
        );
    }
    #[inline(always)]
    fn any(self, mask: __mmask8) -> bool {
        mask != 0
    }
    #[inline(always)]
    fn seldom<F: Seldom>(self) -> Self {
        let mut lanes = self.to_array();
        // SAFETY: a value exists only where the machine has its instructions.
        unsafe { seldom_avx512::<F>(&mut lanes) };
        self.of_array(&lanes)
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        let mut lanes = [0.0; 8];
        // SAFETY: a value exists only where the machine has its instructions, and the array has eight elements.
        unsafe { _mm512_storeu_pd(lanes.as_mut_ptr(), self.0) };
        lanes
    }
}

/// A mask of the first lanes.
#[inline(always)]
fn first(lanes: usize) -> __mmask8 {
    ((1_u32 << lanes) - 1) as __mmask8
}

/// Operations that AVX2 has alike for registers of 256 and 128 bits.
macro_rules! avx2_methods {
    ($mask:ident; $add_epi64:ident, $and_pd:ident, $blendv_pd:ident, $castpd_si256:ident, $castsi256_pd:ident, $cmp_pd:ident, $fmadd_pd:ident, $fnmadd_pd:ident, $loadu_pd:ident, $max_pd:ident, $min_pd:ident, $movemask_pd:ident, $or_pd:ident, $round_pd:ident, $set1_epi64x:ident, $set1_pd:ident, $sllv_epi64:ident, $sqrt_pd:ident, $srlv_epi64:ident, $sub_epi64:ident, $xor_pd:ident) => {
        methods! {
            of(_this, lane: f64) -> Self = Self($set1_pd(lane));
            mul_add(x, factor: Self, addend: Self) -> Self = Self($fmadd_pd(x.0, factor.0, addend.0));
            subtract_from(x, factor: Self, addend: Self) -> Self = Self($fnmadd_pd(x.0, factor.0, addend.0));
            sqrt(x) -> Self = Self($sqrt_pd(x.0));
            round(x) -> Self = Self($round_pd::<0x08>(x.0));
            // Of these two instructions the second operand is the result where one is NaN.
            at_least(x, other: Self) -> Self = Self($max_pd(other.0, x.0));
            at_most(x, other: Self) -> Self = Self($min_pd(other.0, x.0));
            lt(x, other: Self) -> $mask = $mask($cmp_pd::<_CMP_LT_OQ>(x.0, other.0));
            le(x, other: Self) -> $mask = $mask($cmp_pd::<_CMP_LE_OQ>(x.0, other.0));
            eq(x, other: Self) -> $mask = $mask($cmp_pd::<_CMP_EQ_OQ>(x.0, other.0));
            where_or(x, mask: $mask, other: Self) -> Self = Self($blendv_pd(other.0, x.0, mask.0));
            any(_this, mask: $mask) -> bool = $movemask_pd(mask.0) != 0;
            and_bits(x, bits: u64) -> Self = Self($and_pd(x.0, $set1_pd(f64::from_bits(bits))));
            or(x, other: Self) -> Self = Self($or_pd(x.0, other.0));
            xor(x, other: Self) -> Self = Self($xor_pd(x.0, other.0));
            add_bits(x, bits: u64) -> Self = Self($castsi256_pd(
                $add_epi64($castpd_si256(x.0), $set1_epi64x(bits.cast_signed()))
            ));
            plus_bits(x, other: Self) -> Self = Self($castsi256_pd(
                $add_epi64($castpd_si256(x.0), $castpd_si256(other.0))
            ));
            sub_bits(x, other: Self) -> Self = Self($castsi256_pd(
                $sub_epi64($castpd_si256(x.0), $castpd_si256(other.0))
            ));
            shl(x, by: u32) -> Self = Self($castsi256_pd(
                $sllv_epi64($castpd_si256(x.0), $set1_epi64x(i64::from(by)))
            ));
            shr(x, by: u32) -> Self = Self($castsi256_pd(
                $srlv_epi64($castpd_si256(x.0), $set1_epi64x(i64::from(by)))
            ));
            of_array(_this, lanes: &[f64; 8]) -> Self = Self($loadu_pd(lanes.as_ptr()));
        }
        #[inline(always)]
        fn is_negative(self) -> $mask {
            $mask(self.0)
        }
    };
}

impl Lanes for Avx2 {
    type Mask = Mask256;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(lane: f64) -> Self {
        // SAFETY: the caller promises the instructions.
        Avx2(unsafe { _mm256_set1_pd(lane) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64, lanes: usize) -> Self {
        // SAFETY: the caller promises the instructions and the lanes that the mask lets through.
        Avx2(unsafe {
            if lanes == 4 {
                _mm256_loadu_pd(from)
            } else {
                _mm256_maskload_pd(from, mask_64(lanes))
            }
        })
    }
    #[inline(always)]
    unsafe fn load_single(from: *const f32, lanes: usize) -> Self {
        // SAFETY: as above.
        Avx2(unsafe {
            _mm256_cvtps_pd(if lanes == 4 {
                _mm_loadu_ps(from)
            } else {
                _mm_maskload_ps(from, mask_32(lanes))
            })
        })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64, lanes: usize) {
        // SAFETY: the caller promises room for the lanes that the mask lets through.
        unsafe {
            if lanes == 4 {
                _mm256_storeu_pd(to, self.0);
            } else {
                _mm256_maskstore_pd(to, mask_64(lanes), self.0);
            }
        }
    }
    #[inline(always)]
    unsafe fn store_single(self, to: *mut f32, lanes: usize) {
        // SAFETY: as above.
        unsafe {
            let singles = _mm256_cvtpd_ps(self.0);
            if lanes == 4 {
                _mm_storeu_ps(to, singles);
            } else {
                _mm_maskstore_ps(to, mask_32(lanes), singles);
            }
        }
    }
    avx2_methods! {
        Mask256; _mm256_add_epi64, _mm256_and_pd, _mm256_blendv_pd, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_cmp_pd, _mm256_fmadd_pd, _mm256_fnmadd_pd, _mm256_loadu_pd, _mm256_max_pd, _mm256_min_pd, _mm256_movemask_pd, _mm256_or_pd, _mm256_round_pd, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_sllv_epi64, _mm256_sqrt_pd, _mm256_srlv_epi64, _mm256_sub_epi64, _mm256_xor_pd
    }
    #[inline(always)]
    fn seldom<F: Seldom>(self) -> Self {
        let mut lanes = self.to_array();
        // SAFETY: a value exists only where the machine has its instructions.
        unsafe { seldom_avx2::<F>(&mut lanes) };
        self.of_array(&lanes)
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        let mut lanes = [0.0; 8];
        // SAFETY: a value exists only where the machine has its instructions, and the array has eight elements.
        unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), self.0) };
        lanes
    }
}

impl Lanes for Avx2One {
    type Mask = Mask128;
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn splat(lane: f64) -> Self {
        // SAFETY: the caller promises the instructions.
        Avx2One(unsafe { _mm_set1_pd(lane) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64, _: usize) -> Self {
        // SAFETY: the caller promises the instructions and a number.
        unsafe { Self::splat(*from) }
    }
    #[inline(always)]
    unsafe fn load_single(from: *const f32, _: usize) -> Self {
        // SAFETY: as above.
        unsafe { Self::splat(f64::from(*from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64, _: usize) {
        // SAFETY: the caller promises room for a number.
        unsafe { *to = _mm_cvtsd_f64(self.0) };
    }
    #[inline(always)]
    unsafe fn store_single(self, to: *mut f32, _: usize) {
        // SAFETY: as above.
        unsafe { *to = _mm_cvtsd_f64(self.0) as f32 };
    }
    avx2_methods! {
        Mask128; _mm_add_epi64, _mm_and_pd, _mm_blendv_pd, _mm_castpd_si128, _mm_castsi128_pd, _mm_cmp_pd, _mm_fmadd_pd, _mm_fnmadd_pd, _mm_loadu_pd, _mm_max_pd, _mm_min_pd, _mm_movemask_pd, _mm_or_pd, _mm_round_pd, _mm_set1_epi64x, _mm_set1_pd, _mm_sllv_epi64, _mm_sqrt_pd, _mm_srlv_epi64, _mm_sub_epi64, _mm_xor_pd
    }
    #[inline(always)]
    fn seldom<F: Seldom>(self) -> Self {
        let mut lanes = self.to_array();
        // SAFETY: a value exists only where the machine has its instructions.
        unsafe { seldom_avx2_one::<F>(&mut lanes) };
        self.of_array(&lanes)
    }
    #[inline(always)]
    fn to_array(self) -> [f64; 8] {
        // SAFETY: a value exists only where the machine has its instructions.
        let lane = unsafe { _mm_cvtsd_f64(self.0) };
        [lane, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    }
}

/// [`Lanes::seldom`] of the first lanes of an array, each as a function of its own.
macro_rules! seldom {
    ($($name:ident $type:ident $features:literal $zero:expr;)*) => {$(
        /// # Safety
        /// The machine must have these instructions.
        #[cold]
        #[inline(never)]
        #[target_feature(enable = $features)]
        unsafe fn $name<F: Seldom>(lanes: &mut [f64; 8]) {
            *lanes = F::of($type($zero).of_array(lanes)).to_array();
        }
    )*};
}

seldom! {
    seldom_avx512 Avx512 "avx512f,avx512dq,avx512vl,avx2,fma" _mm512_setzero_pd();
    seldom_avx2 Avx2 "avx2,fma" _mm256_setzero_pd();
    seldom_avx2_one Avx2One "avx2,fma" _mm_setzero_pd();
}

/// A mask of the first of four lanes of 64 bits.
///
/// # Safety
/// The machine must have AVX; `lanes` is at most four.
#[inline(always)]
unsafe fn mask_64(lanes: usize) -> __m256i {
    // SAFETY: four elements from `4 - lanes` on lie in the row of eight.
    unsafe { _mm256_loadu_si256(MASK_64.as_ptr().add(4 - lanes).cast()) }
}

/// A mask of the first of four lanes of 32 bits.
///
/// # Safety
/// As of [`mask_64`].
#[inline(always)]
unsafe fn mask_32(lanes: usize) -> __m128i {
    // SAFETY: as above.
    unsafe { _mm_loadu_si128(MASK_32.as_ptr().add(4 - lanes).cast()) }
}
