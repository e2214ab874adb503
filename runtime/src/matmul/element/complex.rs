//! Complex numbers as elements of matrices.

use super::super::Layout;
#[cfg(target_arch = "x86_64")]
use super::super::blocks;
use super::super::packing::Packing;
use super::super::vector::Vector;
#[cfg(target_arch = "x86_64")]
use super::super::vector::x86;
use super::{Element, Tile, join_steps, load_row, store_row};
use num_complex::Complex;

/// What joins the sums of products with real and with imaginary parts.
trait Signs: Sized {
    /// Even lanes take the difference, odd lanes the sum.
    const SIGNS: [Self; 16];
}

macro_rules! complex_element {
    ($($type:ty, $wide:ty, $middle:ty, $multiply:ident;)*) => {$(
        impl Signs for $type {
            const SIGNS: [Self; 16] = {
                let mut signs = [1.0; 16];
                let mut even = 0;
                while even < 16 {
                    signs[even] = -1.0;
                    even += 2;
                }
                signs
            };
        }

        impl Element for Complex<$type> {
            type Part = $type;
            #[cfg(target_arch = "x86_64")]
            type Wide = $wide;
            #[cfg(target_arch = "x86_64")]
            type Middle = $middle;

            const ZERO: Self = Complex::new(0.0, 0.0);
            const ONE: Self = Complex::new(1.0, 0.0);
            const PARTS: usize = 2;
            const COLUMNS: usize = 1;
            const FLOATING: bool = true;

            blocks!($multiply);

            #[inline(always)]
            fn multiply_add(self, factor: Self, sum: Self, fused: bool) -> Self {
                let real = |x: $type, y: $type, sum: $type| Element::multiply_add(x, y, sum, fused);
                Complex::new(
                    real(-self.im, factor.im, real(self.re, factor.re, sum.re)),
                    real(self.im, factor.re, real(self.re, factor.im, sum.im)),
                )
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            unsafe fn factors<V: Vector<Lane = $type>, const N: usize>(row: V) -> [[V; 2]; N] {
                let mut factors = [[row; 2]; N];
                for (p, [re, im]) in factors.iter_mut().enumerate() {
                    // SAFETY: the caller promises the machine, and so many lanes.
                    unsafe { (*re, *im) = (row.repeat(2 * p), row.repeat(2 * p + 1)) };
                }
                factors
            }

            #[inline(always)]
            unsafe fn factors_at<V: Vector<Lane = $type>, const N: usize>(
                row: *const Self,
                stride: isize,
            ) -> [[V; 2]; N] {
                // SAFETY: the caller promises the machine, and so many elements.
                unsafe {
                    let mut factors = [[V::splat(0.0); 2]; N];
                    for (p, [re, im]) in factors.iter_mut().enumerate() {
                        let a = *row.offset(p as isize * stride);
                        (*re, *im) = (V::splat(a.re), V::splat(a.im));
                    }
                    factors
                }
            }

            #[inline(always)]
            unsafe fn row<V: Vector<Lane = $type>, const N: usize>(a: [[V; 2]; N], b: [V; N]) -> V {
                // SAFETY: the caller promises the machine.
                unsafe {
                    let (mut by_real, mut by_imaginary) = (V::splat(0.0), V::splat(0.0));
                    for p in 0..N {
                        by_real = a[p][0].multiply_add(b[p], by_real);
                        by_imaginary = a[p][1].multiply_add(b[p], by_imaginary);
                    }
                    let signs = V::load(<$type>::SIGNS.as_ptr(), V::LANES);
                    by_imaginary.swap_neighbours().multiply_add(signs, by_real)
                }
            }

            #[inline(always)]
            unsafe fn tile<V: Vector<Lane = $type>, const R: usize, const C: usize>(tile: &Tile<Self>, last: usize) {
                // SAFETY: every position is one of the tile's, and the machine has V.
                unsafe {
                    let zero = V::splat(0.0);
                    let (mut by_real, mut by_imaginary) = ([[zero; C]; R], [[zero; C]; R]);
                    for p in 0..tile.k as isize {
                        let b = load_row::<V, C>(tile.b.offset(p * tile.b_stride).cast(), last);
                        for row in 0..R {
                            let offset = row as isize * tile.a_strides[0] + p * tile.a_strides[1];
                            let a = *tile.a.offset(offset);
                            let (re, im) = (V::splat(a.re), V::splat(a.im));
                            for column in 0..C {
                                by_real[row][column] = re.multiply_add(b[column], by_real[row][column]);
                                by_imaginary[row][column] = im.multiply_add(b[column], by_imaginary[row][column]);
                            }
                        }
                    }
                    let signs = V::load(<$type>::SIGNS.as_ptr(), V::LANES);
                    for row in 0..R {
                        let mut joined = [zero; C];
                        for column in 0..C {
                            let crossed = by_imaginary[row][column].swap_neighbours();
                            joined[column] = crossed.multiply_add(signs, by_real[row][column]);
                        }
                        let c = tile.c.offset(row as isize * tile.c_strides[0]);
                        if tile.c_strides[1] == 1 {
                            store_row(joined, last, c.cast(), 1);
                        } else {
                            let mut columns = [[Self::ZERO; 8]; C];
                            for (columns, joined) in columns.iter_mut().zip(joined) {
                                joined.store(columns.as_mut_ptr().cast(), V::LANES);
                            }
                            for column in 0..((C - 1) * V::LANES + last) / 2 {
                                *c.offset(column as isize * tile.c_strides[1]) =
                                    columns[2 * column / V::LANES][column % (V::LANES / 2)];
                            }
                        }
                    }
                }
            }

            #[inline(always)]
            unsafe fn dots<V: Vector<Lane = $type>, const R: usize>(
                k: usize,
                x: *const Self,
                stride: isize,
                y: *const Self,
            ) -> [Self; R] {
                let lanes = 2 * k;
                // SAFETY: every load ends at or before lane `lanes`, and the machine has V.
                unsafe {
                    let zero = V::splat(0.0);
                    let (mut straight, mut crossed) = ([[zero; R]; 4], [[zero; R]; 4]);
                    let steps = if R < 4 { 4 / R } else { 1 };
                    let y: *const $type = y.cast();
                    let mut done = 0;
                    while done + steps * V::LANES <= lanes {
                        for step in 0..steps {
                            let y = V::load(y.add(done + step * V::LANES), V::LANES);
                            let swapped = y.swap_neighbours();
                            for row in 0..R {
                                let x: *const $type = x.offset(row as isize * stride).cast();
                                let x = V::load(x.add(done + step * V::LANES), V::LANES);
                                straight[step][row] = x.multiply_add(y, straight[step][row]);
                                crossed[step][row] = x.multiply_add(swapped, crossed[step][row]);
                            }
                        }
                        done += steps * V::LANES;
                    }
                    while done < lanes {
                        let count = (lanes - done).min(V::LANES);
                        let y = V::load(y.add(done), count);
                        let swapped = y.swap_neighbours();
                        for row in 0..R {
                            let x: *const $type = x.offset(row as isize * stride).cast();
                            let x = V::load(x.add(done), count);
                            straight[0][row] = x.multiply_add(y, straight[0][row]);
                            crossed[0][row] = x.multiply_add(swapped, crossed[0][row]);
                        }
                        done += count;
                    }
                    let mut results = [Self::ZERO; R];
                    for (row, result) in results.iter_mut().enumerate() {
                        let [real, imaginary] = join_steps(&straight, row, steps).sum_by_parity();
                        let [first, second] = join_steps(&crossed, row, steps).sum_by_parity();
                        *result = Complex::new(real - imaginary, first + second);
                    }
                    results
                }
            }
        }
    )*};
}

complex_element! {
    f32, x86::__m512, x86::__m256, complex64;
    f64, x86::__m512d, x86::__m256d, complex128;
}
