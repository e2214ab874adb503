//! Vectors of lanes behind one trait: AVX-512, AVX2 and arrays that the compiler vectorises as it can.
//!
//! The compiler's own vectorisation of register tiles proved unreliable (measured: a quarter of the speed), hence explicit
//! instructions for `f32` and `f64`. Every method is `#[inline(always)]`, so that it is compiled with the instructions of
//! the `#[target_feature]` function that it ends up in; elsewhere it must not be called. For the same reason the kernels
//! hand no closures to functions of the standard library: inside those the instructions are missing.

/// A number that occupies one lane.
pub(super) trait Lane: Copy + 'static {
    const ZERO: Self;
    /// `sum + self * factor`. `FUSED` says that fused multiply-add is an instruction here, not a slow call.
    fn multiply_add<const FUSED: bool>(self, factor: Self, sum: Self) -> Self;
    fn plus(self, other: Self) -> Self;
}

macro_rules! float_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            const ZERO: Self = 0.0;
            #[inline(always)]
            fn multiply_add<const FUSED: bool>(self, factor: Self, sum: Self) -> Self {
                if FUSED { self.mul_add(factor, sum) } else { self * factor + sum }
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    )*};
}

macro_rules! integer_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            const ZERO: Self = 0;
            #[inline(always)]
            fn multiply_add<const FUSED: bool>(self, factor: Self, sum: Self) -> Self {
                sum.wrapping_add(self.wrapping_mul(factor))
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

float_lane! { f32 f64 }
integer_lane! { u8 i32 i64 }

/// A bool as a byte: the sum is "any", the product is "and".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Truth(pub(super) u8);

impl Lane for Truth {
    const ZERO: Self = Truth(0);
    #[inline(always)]
    fn multiply_add<const FUSED: bool>(self, factor: Self, sum: Self) -> Self {
        Truth(sum.0 | (self.0 & factor.0))
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Truth(self.0 | other.0)
    }
}

/// An even number of lanes that are worked on together.
///
/// # Safety
/// All methods demand that the machine has the instructions of the vector.
pub(super) trait Vector: Copy {
    type Lane: Lane;
    /// A vector of half as many lanes, if there is one; else this one.
    type Half: Vector<Lane = Self::Lane>;
    const LANES: usize;
    /// Whether fused multiply-add is an instruction wherever this vector may be used.
    const FUSED: bool;

    /// All lanes equal.
    unsafe fn splat(lane: Self::Lane) -> Self;
    /// The first `lanes` lanes from memory, the rest zero; `lanes` is in `1..=LANES`. Only those are read.
    unsafe fn load(from: *const Self::Lane, lanes: usize) -> Self;
    /// The first `lanes` lanes to memory.
    unsafe fn store(self, to: *mut Self::Lane, lanes: usize);
    /// `sum + self * factor`.
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self;
    /// Lane by lane.
    unsafe fn plus(self, other: Self) -> Self;
    /// All lanes as one of them.
    unsafe fn repeat(self, lane: usize) -> Self;
    /// Exchanges each even lane with the odd lane after it.
    unsafe fn swap_neighbours(self) -> Self;
    /// The sum of the even and the sum of the odd lanes.
    unsafe fn sum_by_parity(self) -> [Self::Lane; 2];
    /// The sum of all lanes of each of four vectors: the two of [`sum_by_parity`](Self::sum_by_parity), added.
    #[inline(always)]
    unsafe fn sums(four: [Self; 4]) -> [Self::Lane; 4] {
        let mut sums = [Self::Lane::ZERO; 4];
        for (sum, vector) in sums.iter_mut().zip(four) {
            // SAFETY: passed on from the caller.
            let [even, odd] = unsafe { vector.sum_by_parity() };
            *sum = even.plus(odd);
        }
        sums
    }
}

/// Eight lanes as an array, on any machine.
#[derive(Clone, Copy)]
pub(super) struct Portable<T, const FUSED: bool>([T; 8]);

impl<T: Lane, const FUSED: bool> Vector for Portable<T, FUSED> {
    type Lane = T;
    type Half = Self;
    const LANES: usize = 8;
    const FUSED: bool = FUSED;

    #[inline(always)]
    unsafe fn splat(lane: T) -> Self {
        Portable([lane; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const T, lanes: usize) -> Self {
        if lanes == 8 {
            // SAFETY: the caller promises eight lanes.
            return Portable(unsafe { from.cast::<[T; 8]>().read() });
        }
        let mut result = [T::ZERO; 8];
        for (position, lane) in result.iter_mut().enumerate().take(lanes) {
            // SAFETY: the caller promises `lanes` lanes.
            *lane = unsafe { *from.add(position) };
        }
        Portable(result)
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T, lanes: usize) {
        if lanes == 8 {
            // SAFETY: the caller promises room for eight lanes.
            return unsafe { to.cast::<[T; 8]>().write(self.0) };
        }
        for (position, &lane) in self.0.iter().enumerate().take(lanes) {
            // SAFETY: the caller promises room for `lanes` lanes.
            unsafe { *to.add(position) = lane };
        }
    }
    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
        let mut result = sum;
        for lane in 0..8 {
            result.0[lane] = self.0[lane].multiply_add::<FUSED>(factor.0[lane], sum.0[lane]);
        }
        result
    }
    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        let mut result = self;
        for lane in 0..8 {
            result.0[lane] = self.0[lane].plus(other.0[lane]);
        }
        result
    }
    #[inline(always)]
    unsafe fn repeat(self, lane: usize) -> Self {
        Portable([self.0[lane]; 8])
    }
    #[inline(always)]
    unsafe fn swap_neighbours(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Portable([b, a, d, c, f, e, h, g])
    }
    #[inline(always)]
    unsafe fn sum_by_parity(self) -> [T; 2] {
        let [a, b, c, d, e, f, g, h] = self.0;
        [a.plus(e).plus(c.plus(g)), b.plus(f).plus(d.plus(h))]
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    //! Vectors of 512, 256 and 128 bits. The functions called are the instructions of their names.

    use super::Vector;
    use std::arch::x86_64::*;
    pub(in crate::matmul) use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

    /// Rows of ones, then zeros: loading eight from position `8 - n` gives a mask of the first `n` lanes.
    static MASK_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    /// The same for four lanes of 64 bits.
    static MASK_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    macro_rules! vector {
        (
            $type:ty, half $half:ty, $lane:ty, $lanes:literal;
            splat: $splat:ident, load: $load:ident, store: $store:ident, add: $add:ident, fmadd: $fmadd:ident;
            repeat($z:ident, $position:ident): $repeat:expr;
            swap($x:ident): $swap:expr;
            partial_load($from:ident, $n:ident): $partial_load:expr;
            partial_store($to:ident, $value:ident, $m:ident): $partial_store:expr;
            parity($y:ident): $parity:expr;
            $(sums($four:ident): $sums:expr;)?
        ) => {
            // SAFETY (of every block): the trait demands the instructions, and for memory the lanes that are moved.
            impl Vector for $type {
                type Lane = $lane;
                type Half = $half;
                const LANES: usize = $lanes;
                const FUSED: bool = true;

                #[inline(always)]
                unsafe fn splat(lane: $lane) -> Self {
                    // SAFETY: as above.
                    unsafe { $splat(lane) }
                }
                #[inline(always)]
                unsafe fn load($from: *const $lane, $n: usize) -> Self {
                    // SAFETY: as above.
                    unsafe {
                        if $n == $lanes {
                            $load($from)
                        } else {
                            $partial_load
                        }
                    }
                }
                #[inline(always)]
                unsafe fn store(self, $to: *mut $lane, $m: usize) {
                    let $value = self;
                    // SAFETY: as above.
                    unsafe {
                        if $m == $lanes {
                            $store($to, $value)
                        } else {
                            $partial_store
                        }
                    }
                }
                #[inline(always)]
                unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $fmadd(self, factor, sum) }
                }
                #[inline(always)]
                unsafe fn plus(self, other: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $add(self, other) }
                }
                #[inline(always)]
                unsafe fn repeat(self, $position: usize) -> Self {
                    let $z = self;
                    // SAFETY: as above.
                    unsafe { $repeat }
                }
                #[inline(always)]
                unsafe fn swap_neighbours(self) -> Self {
                    let $x = self;
                    // SAFETY: as above.
                    unsafe { $swap }
                }
                #[inline(always)]
                unsafe fn sum_by_parity(self) -> [$lane; 2] {
                    let $y = self;
                    // SAFETY: as above.
                    unsafe { $parity }
                }
                $(
                    #[inline(always)]
                    unsafe fn sums($four: [Self; 4]) -> [$lane; 4] {
                        // SAFETY: as above.
                        unsafe { $sums }
                    }
                )?
            }
        };
    }

    vector! {
        __m512d, half __m256d, f64, 8;
        splat: _mm512_set1_pd, load: _mm512_loadu_pd, store: _mm512_storeu_pd, add: _mm512_add_pd,
        fmadd: _mm512_fmadd_pd;
        repeat(x, lane): _mm512_permutexvar_pd(_mm512_set1_epi64(lane as i64), x);
        swap(x): _mm512_permute_pd::<0x55>(x);
        partial_load(from, n): _mm512_maskz_loadu_pd(((1_u32 << n) - 1) as u8, from);
        partial_store(to, value, n): _mm512_mask_storeu_pd(to, ((1_u32 << n) - 1) as u8, value);
        parity(x): _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x)).sum_by_parity();
        sums(four): {
            let mut halves = [_mm256_setzero_pd(); 4];
            for (half, x) in halves.iter_mut().zip(four) {
                *half = _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x));
            }
            __m256d::sums(halves)
        };
    }

    vector! {
        __m512, half __m256, f32, 16;
        splat: _mm512_set1_ps, load: _mm512_loadu_ps, store: _mm512_storeu_ps, add: _mm512_add_ps,
        fmadd: _mm512_fmadd_ps;
        repeat(x, lane): _mm512_permutexvar_ps(_mm512_set1_epi32(lane as i32), x);
        swap(x): _mm512_permute_ps::<0xb1>(x);
        partial_load(from, n): _mm512_maskz_loadu_ps(((1_u32 << n) - 1) as u16, from);
        partial_store(to, value, n): _mm512_mask_storeu_ps(to, ((1_u32 << n) - 1) as u16, value);
        parity(x): {
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)));
            _mm256_add_ps(_mm512_castps512_ps256(x), upper).sum_by_parity()
        };
    }

    vector! {
        __m256d, half __m128d, f64, 4;
        splat: _mm256_set1_pd, load: _mm256_loadu_pd, store: _mm256_storeu_pd, add: _mm256_add_pd,
        fmadd: _mm256_fmadd_pd;
        repeat(x, lane): match lane {
            0 => _mm256_permute4x64_pd::<0x00>(x),
            1 => _mm256_permute4x64_pd::<0x55>(x),
            2 => _mm256_permute4x64_pd::<0xaa>(x),
            _ => _mm256_permute4x64_pd::<0xff>(x),
        };
        swap(x): _mm256_permute_pd::<0b0101>(x);
        partial_load(from, n): {
            _mm256_maskload_pd(from, _mm256_loadu_si256(MASK_64.as_ptr().add(4 - n).cast()))
        };
        partial_store(to, value, n): {
            _mm256_maskstore_pd(to, _mm256_loadu_si256(MASK_64.as_ptr().add(4 - n).cast()), value);
        };
        parity(x): {
            let pair = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
            [_mm_cvtsd_f64(pair), _mm_cvtsd_f64(_mm_unpackhi_pd(pair, pair))]
        };
        sums(four): {
            let [a, b, c, d] = four;
            let (lower_ac, upper_ac) = (
                _mm256_permute2f128_pd::<0x20>(a, c), _mm256_permute2f128_pd::<0x31>(a, c),
            );
            let (lower_bd, upper_bd) = (
                _mm256_permute2f128_pd::<0x20>(b, d), _mm256_permute2f128_pd::<0x31>(b, d),
            );
            let (ac, bd) = (_mm256_add_pd(lower_ac, upper_ac), _mm256_add_pd(lower_bd, upper_bd));
            let sums = _mm256_add_pd(_mm256_unpacklo_pd(ac, bd), _mm256_unpackhi_pd(ac, bd));
            let mut lanes = [0.0; 4];
            _mm256_storeu_pd(lanes.as_mut_ptr(), sums);
            lanes
        };
    }

    vector! {
        __m256, half __m128, f32, 8;
        splat: _mm256_set1_ps, load: _mm256_loadu_ps, store: _mm256_storeu_ps, add: _mm256_add_ps,
        fmadd: _mm256_fmadd_ps;
        repeat(x, lane): _mm256_permutevar8x32_ps(x, _mm256_set1_epi32(lane as i32));
        swap(x): _mm256_permute_ps::<0xb1>(x);
        partial_load(from, n): {
            _mm256_maskload_ps(from, _mm256_loadu_si256(MASK_32.as_ptr().add(8 - n).cast()))
        };
        partial_store(to, value, n): {
            _mm256_maskstore_ps(to, _mm256_loadu_si256(MASK_32.as_ptr().add(8 - n).cast()), value);
        };
        parity(x): {
            let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let pair = _mm_add_ps(four, _mm_movehl_ps(four, four));
            [_mm_cvtss_f32(pair), _mm_cvtss_f32(_mm_shuffle_ps::<0b01>(pair, pair))]
        };
    }

    vector! {
        __m128d, half __m128d, f64, 2;
        splat: _mm_set1_pd, load: _mm_loadu_pd, store: _mm_storeu_pd, add: _mm_add_pd, fmadd: _mm_fmadd_pd;
        repeat(x, lane): match lane {
            0 => _mm_unpacklo_pd(x, x),
            _ => _mm_unpackhi_pd(x, x),
        };
        swap(x): _mm_shuffle_pd::<0b01>(x, x);
        partial_load(from, _n): _mm_load_sd(from);
        partial_store(to, value, _m): _mm_store_sd(to, value);
        parity(x): [_mm_cvtsd_f64(x), _mm_cvtsd_f64(_mm_unpackhi_pd(x, x))];
    }

    vector! {
        __m128, half __m128, f32, 4;
        splat: _mm_set1_ps, load: _mm_loadu_ps, store: _mm_storeu_ps, add: _mm_add_ps, fmadd: _mm_fmadd_ps;
        repeat(x, lane): match lane {
            0 => _mm_shuffle_ps::<0x00>(x, x),
            1 => _mm_shuffle_ps::<0x55>(x, x),
            2 => _mm_shuffle_ps::<0xaa>(x, x),
            _ => _mm_shuffle_ps::<0xff>(x, x),
        };
        swap(x): _mm_shuffle_ps::<0xb1>(x, x);
        partial_load(from, n): {
            _mm_maskload_ps(from, _mm_loadu_si128(MASK_32.as_ptr().add(8 - n).cast()))
        };
        partial_store(to, value, n): {
            _mm_maskstore_ps(to, _mm_loadu_si128(MASK_32.as_ptr().add(8 - n).cast()), value);
        };
        parity(x): {
            let pair = _mm_add_ps(x, _mm_movehl_ps(x, x));
            [_mm_cvtss_f32(pair), _mm_cvtss_f32(_mm_shuffle_ps::<0b01>(pair, pair))]
        };
    }
}
