//! Kernels of large complex products: a tile of some rows and columns of the result, in vectors of 256 bits.
//!
//! The crate `gemm` does not publish those that it has. These do the same operations in the same order, so that the bits are the same: real and
//! imaginary parts of the left factor stay side by side, each with the real part of the right one and then, exchanged, with the
//! imaginary part; `fmaddsub` subtracts in lanes of real parts, which therefore have the other sign until the end.

use gemm_common::microkernel::MicroKernelFn;
use num_complex::Complex;

/// Vectors of a tile, one below the other.
pub(super) const VECTORS: usize = 2;
/// Columns of a tile.
pub(super) const COLUMNS: usize = 6;

macro_rules! kernels {
    (
        $name:ident, $part:ty, $lanes:literal,
        $load:ident, $store:ident, $splat:ident, $add:ident, $multiply:ident, $flip:ident, $swap:ident::<$order:literal>,
        $fused:ident
    ) => {
        pub(in crate::matmul) mod $name {
            use super::*;
            use std::arch::x86_64::*;

            /// Complex numbers in a vector.
            pub(in crate::matmul) const N: usize = $lanes / 2;

            /// By vectors less one and columns less one.
            pub(in crate::matmul) const KERNELS: [[MicroKernelFn<Complex<$part>>; COLUMNS];
                VECTORS] = [
                [
                    tile::<1, 1>,
                    tile::<1, 2>,
                    tile::<1, 3>,
                    tile::<1, 4>,
                    tile::<1, 5>,
                    tile::<1, 6>,
                ],
                [
                    tile::<2, 1>,
                    tile::<2, 2>,
                    tile::<2, 3>,
                    tile::<2, 4>,
                    tile::<2, 5>,
                    tile::<2, 6>,
                ],
            ];

            /// Writes `m` rows and `n` columns of the result, or adds to them where `status` is 1.
            ///
            /// # Safety
            /// The processor has AVX2 and FMA; the result has these rows and columns, the right factor `k` rows and `n` columns, and the
            /// left one `k` columns of `R` vectors.
            #[allow(clippy::too_many_arguments, reason = "the type of kernels of `gemm`")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn tile<const R: usize, const C: usize>(
                m: usize,
                n: usize,
                k: usize,
                result: *mut Complex<$part>,
                mut left: *const Complex<$part>,
                mut right: *const Complex<$part>,
                result_columns: isize,
                result_rows: isize,
                left_columns: isize,
                right_rows: isize,
                right_columns: isize,
                _alpha: Complex<$part>,
                one: Complex<$part>,
                status: u8,
                _: bool,
                _: bool,
                _: bool,
                _next: *const Complex<$part>,
            ) {
                let mut sums = [[$splat(0.0); R]; C];
                for _ in 0..k {
                    let mut straight = [$splat(0.0); R];
                    let mut crossed = [$splat(0.0); R];
                    for row in 0..R {
                        // SAFETY: a vector of this column of the left factor.
                        straight[row] = unsafe { $load(left.add(row * N).cast()) };
                        crossed[row] = $swap::<$order>(straight[row]);
                    }
                    for (column, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: an element of this row of the right factor.
                        let re = unsafe { (*right.offset(column as isize * right_columns)).re };
                        for (sum, &left) in sums.iter_mut().zip(&straight) {
                            *sum = $fused(left, $splat(re), *sum);
                        }
                    }
                    for (column, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: as above.
                        let im = unsafe { (*right.offset(column as isize * right_columns)).im };
                        for (sum, &left) in sums.iter_mut().zip(&crossed) {
                            *sum = $fused(left, $splat(im), *sum);
                        }
                    }
                    left = left.wrapping_offset(left_columns);
                    right = right.wrapping_offset(right_rows);
                }
                let mut signs = [0.0; $lanes];
                signs.iter_mut().step_by(2).for_each(|sign| *sign = -0.0);
                // SAFETY: so many lanes.
                let signs = unsafe { $load(signs.as_ptr()) };
                for sum in sums.iter_mut().flatten() {
                    *sum = $flip(signs, *sum);
                }
                if m == R * N && n == C && result_rows == 1 {
                    let (one_re, one_im) = ($splat(one.re), $splat(one.im));
                    for (column, sums) in sums.iter().enumerate() {
                        for (row, &sum) in sums.iter().enumerate() {
                            let crossed = $swap::<$order>(sum);
                            let sum = $fused(sum, one_re, $multiply(crossed, one_im));
                            // SAFETY: a vector of the result.
                            unsafe {
                                let to: *mut $part = result
                                    .offset((row * N) as isize + column as isize * result_columns)
                                    .cast();
                                $store(
                                    to,
                                    if status == 1 {
                                        $add($load(to), sum)
                                    } else {
                                        sum
                                    },
                                );
                            }
                        }
                    }
                    return;
                }
                let mut elements = [[[Complex::new(0.0, 0.0); N]; R]; C];
                for (elements, sum) in elements
                    .as_flattened_mut()
                    .iter_mut()
                    .zip(sums.as_flattened())
                {
                    // SAFETY: a vector has room for one.
                    unsafe { $store(elements.as_mut_ptr().cast(), *sum) };
                }
                for (column, elements) in elements[..n].iter().enumerate() {
                    for (row, &element) in elements.as_flattened()[..m].iter().enumerate() {
                        // SAFETY: an element of the result.
                        unsafe {
                            let to = result.offset(
                                row as isize * result_rows + column as isize * result_columns,
                            );
                            *to = if status == 1 {
                                *to + one * element
                            } else {
                                one * element
                            };
                        }
                    }
                }
            }
        }
    };
}

kernels! {
    float64, f64, 4,
    _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_add_pd, _mm256_mul_pd, _mm256_xor_pd, _mm256_permute_pd::<0b0101>,
    _mm256_fmaddsub_pd
}
kernels! {
    float32, f32, 8,
    _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_xor_ps, _mm256_permute_ps::<0b1011_0001>,
    _mm256_fmaddsub_ps
}
