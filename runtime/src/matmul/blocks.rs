//! Products of large matrices on one thread by the kernels of the crate `gemm`, without its allocations.
//!
//! `gemm` takes memory for copies of the factors in each product. This is its loop over blocks (`gemm_basic_generic` of
//! `gemm-common`) for one thread and a result that is only written, with the memory that [`Packing`] keeps. Kernels, copies and
//! the depth of blocks are its own, so the results have its bits, which are also those of its threads. Kernels for complex numbers,
//! which it does not publish, are in `complex_kernels`.
//!
//! What `gemm` computes in other ways is left to it.

use super::Layout;
use super::complex_kernels;
use super::packing::Packing;
use gemm_common::Ptr;
use gemm_common::cache::{KernelParams, kernel_params};
use gemm_common::gemm::{get_lhs_packing_threshold_single_thread, get_rhs_packing_threshold};
use gemm_common::microkernel::MicroKernelFn;
use gemm_common::pack_operands::{pack_lhs, pack_rhs};
use gemm_common::simd::{MixedSimd, V3};
use num_complex::Complex;

/// The most bytes that copies of the right factor take: what columns are multiplied together, and not in which order an
/// element is summed.
const RIGHT: usize = 1 << 20;
/// Copies begin at a cache line.
const LINE: usize = 64;

/// A product as `gemm` sees it: `result = left right`, with columns of the result along memory.
struct Product<T> {
    m: usize,
    n: usize,
    k: usize,
    result: (*mut T, [isize; 2]),
    left: (*const T, [isize; 2]),
    right: (*const T, [isize; 2]),
}

impl<T> Product<T> {
    /// In the orientation that `gemm` chooses, and with steps ahead where it makes them so.
    fn new(layout: &Layout, a: *const T, b: *const T, c: *mut T) -> Self {
        let rows_lie_together = layout.c[1].abs() < layout.c[0].abs();
        let Layout {
            m,
            k,
            n,
            a: sa,
            b: sb,
            c: sc,
            ..
        } = if rows_lie_together {
            layout.transpose()
        } else {
            *layout
        };
        let (a, b) = if rows_lie_together { (b, a) } else { (a, b) };
        let mut product = Self {
            m,
            n,
            k,
            result: (c, sc),
            left: (a, sa),
            right: (b, sb),
        };
        let Self {
            result,
            left,
            right,
            ..
        } = &mut product;
        if result.1[0] < 0 {
            turn_mut(result, 0, m);
            turn(left, 0, m);
        }
        if result.1[1] < 0 {
            turn_mut(result, 1, n);
            turn(right, 1, n);
        }
        if left.1[1] < 0 {
            turn(left, 1, k);
            turn(right, 0, k);
        }
        product
    }
}

/// Begins at the other end of an axis.
fn turn<T>(operand: &mut (*const T, [isize; 2]), axis: usize, length: usize) {
    let stride = operand.1[axis];
    operand.0 = operand.0.wrapping_offset((length as isize - 1) * stride);
    operand.1[axis] = -stride;
}

fn turn_mut<T>(operand: &mut (*mut T, [isize; 2]), axis: usize, length: usize) {
    let mut read = (operand.0.cast_const(), operand.1);
    turn(&mut read, axis, length);
    *operand = (read.0.cast_mut(), read.1);
}

/// # Safety
/// The operands must be as `layout` says.
pub(super) unsafe fn float64(
    layout: &Layout,
    a: *const f64,
    b: *const f64,
    c: *mut f64,
    packing: &mut Packing,
) -> bool {
    use gemm_f64::microkernel::fma::f64::{MR_DIV_N, NR, UKR};
    let Some(simd) = <V3 as MixedSimd<f64, f64, f64, f64>>::try_new() else {
        return false;
    };
    let product = Product::new(layout, a, b, c);
    // SAFETY: passed on from the caller; `simd` says that the kernels run here.
    unsafe {
        multiply::<f64, 4, { 4 * MR_DIV_N }, NR, MR_DIV_N, true>(
            simd,
            &UKR,
            &product,
            packing,
            [0.0, 1.0],
        )
    }
}

/// # Safety
/// The operands must be as `layout` says.
pub(super) unsafe fn float32(
    layout: &Layout,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    packing: &mut Packing,
) -> bool {
    use gemm_f32::microkernel::fma::f32::{MR_DIV_N, NR, UKR};
    let Some(simd) = <V3 as MixedSimd<f32, f32, f32, f32>>::try_new() else {
        return false;
    };
    let product = Product::new(layout, a, b, c);
    // SAFETY: passed on from the caller; `simd` says that the kernels run here.
    unsafe {
        multiply::<f32, 8, { 8 * MR_DIV_N }, NR, MR_DIV_N, true>(
            simd,
            &UKR,
            &product,
            packing,
            [0.0, 1.0],
        )
    }
}

macro_rules! complex {
    ($name:ident, $kernels:ident, $part:ident) => {
        /// # Safety
        /// The operands must be as `layout` says.
        pub(super) unsafe fn $name(
            layout: &Layout,
            a: *const Complex<$part>,
            b: *const Complex<$part>,
            c: *mut Complex<$part>,
            packing: &mut Packing,
        ) -> bool {
            use complex_kernels::{
                COLUMNS, VECTORS,
                $kernels::{KERNELS, N},
            };
            let Some(simd) = <V3 as MixedSimd<$part, $part, $part, $part>>::try_new() else {
                return false;
            };
            let product = Product::new(layout, a, b, c);
            let numbers = [Complex::new(0.0, 0.0), Complex::new(1.0, 0.0)];
            // SAFETY: passed on from the caller; `simd` says that the kernels run here.
            unsafe {
                multiply::<Complex<$part>, N, { N * VECTORS }, COLUMNS, VECTORS, false>(
                    simd, &KERNELS, &product, packing, numbers,
                )
            }
        }
    };
}

complex!(complex128, float64, f64);
complex!(complex64, float32, f32);

/// The loop over blocks: vectors of `N` elements, tiles of `MR` by `NR`. `false`, and nothing done, where `gemm` has another way.
///
/// # Safety
/// The operands must be as `product` says, and the kernels must run on this processor.
unsafe fn multiply<
    T: Copy,
    const N: usize,
    const MR: usize,
    const NR: usize,
    const MR_DIV_N: usize,
    const IS_REAL: bool,
>(
    simd: V3,
    kernels: &[[MicroKernelFn<T>; NR]; MR_DIV_N],
    product: &Product<T>,
    packing: &mut Packing,
    [zero, one]: [T; 2],
) -> bool {
    let &Product {
        m,
        n,
        k,
        result: (result, [result_rs, result_cs]),
        left: (left, [left_rs, left_cs]),
        right: (right, [right_rs, right_cs]),
    } = product;
    // Products with vectors, sums of two outer products, and rows by columns that both lie along memory, if they are real.
    let is_of_dots = IS_REAL && left_cs == 1 && right_rs == 1 && m * n <= 16 * 16;
    if m <= 1 || n <= 1 || k <= 2 || is_of_dots {
        return false;
    }
    let KernelParams { kc, mc, nc } = if m <= 64 && n <= 64 {
        // All rows at once: 64 of this depth fit into any second-level cache. To ask for its size would read files of every processor
        // of the machine the first time, which takes longer than several of these products.
        KernelParams {
            kc: k.min(512),
            mc: m.next_multiple_of(MR),
            nc: n.next_multiple_of(NR),
        }
    } else {
        kernel_params(m, n, k, MR, NR, size_of::<T>())
    };
    let nc = if nc > 0 { nc } else { 128 * NR };
    let packs_right = m > if right_rs.unsigned_abs() == 1 {
        get_rhs_packing_threshold()
    } else {
        2
    } * MR;
    let packs_left_first = m <= 2 * mc && (!m.is_multiple_of(N) || left_rs != 1);
    let nc = if packs_right {
        nc.min((RIGHT / size_of::<T>() / kc / NR).max(1) * NR)
    } else {
        nc
    };
    let (right_panel, left_panel) = (kc * NR, kc * MR);
    // Both copies, each from a cache line on.
    let right_room = if packs_right {
        right_panel * nc.div_ceil(NR)
    } else {
        0
    };
    let right_room = right_room.next_multiple_of(LINE / size_of::<T>());
    let left_rows = if packs_left_first { m } else { mc.min(m) };
    let left_room = left_panel * left_rows.div_ceil(MR);
    let room = packing.room::<T>(right_room + left_room + LINE / size_of::<T>());
    let right_copy = room.wrapping_byte_add(room.addr().wrapping_neg() % LINE);
    let left_copy = right_copy.wrapping_add(right_room);
    let (copied_rs, copied_cs) = if packs_right {
        (NR as isize, 1)
    } else {
        (right_rs, right_cs)
    };
    let at =
        |[rs, cs]: [isize; 2], row: usize, column: usize| row as isize * rs + column as isize * cs;
    let mut column = 0;
    while column < n {
        let columns = nc.min(n - column);
        let mut first = 0;
        while first < k {
            let depth = kc.min(k - first);
            // The first block is written, and the others are added to it.
            let (alpha, alpha_status) = if first == 0 { (zero, 0) } else { (one, 1) };
            let right = right.wrapping_offset(at([right_rs, right_cs], first, column));
            if packs_right {
                // SAFETY: a block of the right factor, and room for so much.
                unsafe {
                    let (to, from) = (Ptr(right_copy), Ptr(right.cast_mut()));
                    pack_rhs::<T, 1, NR, _>(
                        simd,
                        columns,
                        depth,
                        to,
                        from,
                        right_cs,
                        right_rs,
                        right_panel,
                    );
                }
            }
            if packs_left_first {
                let from = left.wrapping_offset(at([left_rs, left_cs], 0, first));
                // SAFETY: columns of the left factor, and room for so many.
                unsafe {
                    let (to, from) = (Ptr(left_copy), Ptr(from.cast_mut()));
                    pack_lhs::<T, N, MR, _>(simd, m, depth, to, from, left_cs, left_rs, left_panel);
                }
            }
            let mut row = 0;
            while row < m {
                let mut rows = mc.min(m - row);
                if rows > N && !packs_left_first {
                    rows = rows / N * N;
                }
                let packs_left = !packs_left_first
                    && (!rows.is_multiple_of(N)
                        || left_rs != 1
                        || columns > get_lhs_packing_threshold_single_thread() * NR);
                let left_step = if packs_left_first || packs_left {
                    MR as isize
                } else {
                    left_cs
                };
                for j in (0..columns).step_by(NR) {
                    let width = NR.min(columns - j);
                    for i in (0..rows).step_by(MR) {
                        let height = MR.min(rows - i);
                        let kernel = kernels[height.div_ceil(N) - 1][width - 1];
                        let tile = left.wrapping_offset(at([left_rs, left_cs], row + i, first));
                        let copy = left_copy.wrapping_add(i / MR * left_panel);
                        // SAFETY: a tile of the result, and its rows and columns of the factors or of their copies.
                        unsafe {
                            if packs_left && j == 0 {
                                let (to, from) = (Ptr(copy), Ptr(tile.cast_mut()));
                                pack_lhs::<T, N, MR, _>(
                                    simd, height, depth, to, from, left_cs, left_rs, left_panel,
                                );
                            }
                            let left = if packs_left {
                                copy.cast_const()
                            } else if packs_left_first {
                                copy.wrapping_add(row / MR * left_panel).cast_const()
                            } else {
                                tile
                            };
                            let right = if packs_right {
                                right_copy.wrapping_add(j / NR * right_panel).cast_const()
                            } else {
                                right.wrapping_offset(at([right_rs, right_cs], 0, j))
                            };
                            kernel(
                                height,
                                width,
                                depth,
                                result.wrapping_offset(at(
                                    [result_rs, result_cs],
                                    row + i,
                                    column + j,
                                )),
                                left,
                                right,
                                result_cs,
                                result_rs,
                                left_step,
                                copied_rs,
                                copied_cs,
                                alpha,
                                one,
                                alpha_status,
                                false,
                                false,
                                false,
                                std::ptr::null(),
                            );
                        }
                    }
                }
                row += rows;
            }
            first += depth;
        }
        column += columns;
    }
    true
}
