//! Products of a matrix with columns: sums of products of its rows with them, in registers for a few rows at a time.
//!
//! Every sum is in the order of `crate::sum` where rows and columns are contiguous, however many are summed together.

use super::Layout;
use super::element::Element;
use super::packing::Packing;
use super::vector::Vector;

/// A matrix and a column.
///
/// # Safety
/// The operands must be as `layout` says, `b` a column.
#[inline(always)]
pub(super) unsafe fn dots<T: Element, V: Vector<Lane = T::Part>>(
    layout: &Layout,
    a: *const T,
    mut b: *const T,
    c: *mut T,
    packing: &mut Packing,
) {
    let Layout { m, k, .. } = *layout;
    let mut stride = layout.b[0];
    if stride != 1 && m > 1 {
        let packed = packing.room::<T>(k);
        for p in 0..k {
            // SAFETY: the elements of the column, and room for so many.
            unsafe { packed.add(p).write(*b.offset(p as isize * stride)) };
        }
        (b, stride) = (packed, 1);
    }
    let contiguous = k == 1 || (layout.a[1] == 1 && stride == 1);
    let mut row = 0;
    while row < m {
        // SAFETY: rows of `a`, the column, and elements of `c`.
        unsafe {
            let a = a.offset(row as isize * layout.a[0]);
            let c = c.offset(row as isize * layout.c[0]);
            if contiguous && T::FLOATING && T::PARTS == 1 && row + 8 <= m {
                // Summed as by four, with twice as many sums under way.
                let sums = T::dots::<V, 8>(k, a, layout.a[0], b);
                for (row, sum) in sums.into_iter().enumerate() {
                    *c.offset(row as isize * layout.c[0]) = sum;
                }
                row += 8;
            } else if contiguous && row + 4 <= m {
                let sums = T::dots::<V, 4>(k, a, layout.a[0], b);
                for (row, sum) in sums.into_iter().enumerate() {
                    *c.offset(row as isize * layout.c[0]) = sum;
                }
                row += 4;
            } else {
                *c = if contiguous {
                    let [sum] = T::dots::<V, 1>(k, a, 0, b);
                    sum
                } else {
                    strided_dot::<T, V>(k, a, layout.a[1], b, stride)
                };
                row += 1;
            }
        }
    }
}

/// The products of one matrix with many columns, so many elements apart: a few rows at a time with all of them, so that the matrix
/// is read once. Each is summed as by [`dots`].
///
/// # Safety
/// The operands must be as `layout` says, with contiguous rows and columns.
#[inline(always)]
pub(super) unsafe fn dots_of_columns<T: Element, V: Vector<Lane = T::Part>>(
    layout: &Layout,
    count: usize,
    a: *const T,
    (b, b_step): (*const T, isize),
    (c, c_step): (*mut T, isize),
) {
    let Layout { m, k, .. } = *layout;
    let [row_step, element_step] = [layout.a[0], layout.c[0]];
    let mut row = 0;
    while row < m {
        let rows = if row + 4 <= m { 4 } else { 1 };
        let mut column = 0;
        while column < count {
            // SAFETY: rows of `a`, columns, and elements of `c`.
            unsafe {
                let a = a.offset(row as isize * row_step);
                let b = b.offset(column as isize * b_step);
                let c = c.offset(row as isize * element_step + column as isize * c_step);
                if rows == 1 {
                    let [sum] = T::dots::<V, 1>(k, a, 0, b);
                    *c = sum;
                    column += 1;
                } else if column + 2 <= count {
                    let both = T::dots_with_two::<V, 4>(k, a, row_step, [b, b.offset(b_step)]);
                    for (column, sums) in both.into_iter().enumerate() {
                        let c = c.offset(column as isize * c_step);
                        for (row, sum) in sums.into_iter().enumerate() {
                            *c.offset(row as isize * element_step) = sum;
                        }
                    }
                    column += 2;
                } else {
                    let sums = T::dots::<V, 4>(k, a, row_step, b);
                    for (row, sum) in sums.into_iter().enumerate() {
                        *c.offset(row as isize * element_step) = sum;
                    }
                    column += 1;
                }
            }
        }
        row += rows;
    }
}

/// # Safety
/// Both vectors must be readable for `k` elements at their strides.
#[inline(always)]
unsafe fn strided_dot<T: Element, V: Vector<Lane = T::Part>>(
    k: usize,
    x: *const T,
    dx: isize,
    y: *const T,
    dy: isize,
) -> T {
    let mut sums = [T::ZERO; 4];
    for p in 0..k {
        let sum = &mut sums[p % 4];
        // SAFETY: element `p` of each.
        *sum = unsafe {
            (*x.offset(p as isize * dx)).multiply_add(*y.offset(p as isize * dy), *sum, V::FUSED)
        };
    }
    sums[0].plus(sums[1]).plus(sums[2].plus(sums[3]))
}
