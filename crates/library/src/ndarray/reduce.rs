//! Reductions over any set of axes.
//!
//! The reduced axes are walked as rows if they are the faster ones in memory; else whole rows of results are
//! accumulated at once, so that memory is always read in order. Floating sums have an order of their own, see `sum.rs`, and
//! floating products are in C order.
//!
//! Reducing nothing gives the neutral element; inference refuses it where there is none.

use autojit_runtime::reduce::ArgReduce;
use smallvec::SmallVec;

use super::fold::Fold;
use super::kernel::Kernel;
use super::strided::{View, Walk, filled, reserved};
use super::sum::Sums;
use super::{kind, unexpected};
use autojit_ir::error::Result;
use autojit_ir::{DType, HostArray};

/// Memory for `len` elements of the largest type.
fn room(len: usize) -> Result<Vec<u128>> {
    reserved(len)
}

/// Reduces over `axes`; `shape` is the shape of the result, with or without the reduced axes.
pub(super) fn reduce(
    fold: fn(DType) -> Option<&'static Fold>,
    x: &HostArray,
    axes: &[usize],
    shape: &[usize],
) -> Result<HostArray> {
    let fold = fold(x.dtype()).ok_or_else(|| unexpected(x))?;
    let view = View::new(x);
    // SAFETY: the reduction is the one for elements of `x`, and `write` gives one result per index that is kept.
    unsafe {
        filled(view.dtype, shape, &mut |out| {
            write(fold, &view, axes, shape.iter().product(), out)
        })
    }
}

/// Writes the results, `size` of them.
///
/// # Safety
/// `fold` must be of the elements of `x`, `out` writable for `size` of them, and `size` the number of indices of the
/// axes that are kept.
unsafe fn write(
    fold: &Fold,
    x: &View<'_>,
    axes: &[usize],
    size: usize,
    out: *mut u8,
) -> Result<()> {
    let item = x.dtype.size();
    if x.shape.contains(&0) {
        for i in 0..size {
            // SAFETY: there are as many results.
            unsafe { (fold.neutral)(out.add(i * item)) };
        }
        return Ok(());
    }
    if let Some(sums) = fold.sums {
        let mut axes: SmallVec<[usize; 4]> = axes.into();
        axes.sort_unstable();
        // SAFETY: passed on from the caller.
        return unsafe { sums(&Sums::new(x, &axes)?, out) };
    }
    if axes.len() == x.shape.len() && x.is_contiguous() && !fold.in_order {
        // SAFETY: all elements, next to each other.
        unsafe { (fold.run)(x.first, x.size(), 1, out) };
        return Ok(());
    }
    let axis = |&axis: &usize| (x.shape[axis], [x.strides[axis]]);
    let kept: SmallVec<[usize; 4]> = (0..x.shape.len()).filter(|a| !axes.contains(a)).collect();
    let kept = Walk::new(&mut kept.iter().map(axis));
    let mut reduced: SmallVec<[usize; 4]> = axes.into();
    if fold.in_order {
        reduced.sort_unstable();
    } else {
        reduced.sort_by_key(|&a| std::cmp::Reverse(x.strides[a].unsigned_abs()));
    }
    let reduced = Walk::new(&mut reduced.iter().map(axis));
    // A kept axis that is faster in memory than every reduced one. With complex numbers it matters what a product begins with.
    let has_close_results =
        kept.len > 1 && kept.step[0].unsigned_abs() < reduced.step[0].unsigned_abs();
    if fold.in_order && (x.dtype.is_complex() || !has_close_results) {
        // SAFETY: passed on from the caller; the walks are those of the axes that are kept and reduced.
        unsafe { write_in_order(fold, x, &kept, &reduced, out) };
        return Ok(());
    }
    if has_close_results {
        let mut offsets = reserved(reduced.rows() * reduced.len)?;
        reduced.for_each_row(&mut |[offset]| {
            for i in 0..reduced.len as isize {
                offsets.push(offset + i * reduced.step[0]);
            }
        });
        let rows = Rows {
            fold,
            copy: Kernel::copy(x.dtype),
            item,
            len: kept.len,
            step: kept.step[0],
        };
        let mut to = out;
        kept.for_each_row(&mut |[offset]| {
            // SAFETY: both walks stay within the positions that shape and strides of `x` reach, and the sum
            // of a kept and a reduced offset is such a position. Each kept row has `kept.len` results.
            unsafe {
                let x = x.first.offset(offset * item as isize);
                rows.accumulate(x, &offsets, to);
                to = to.add(kept.len * item);
            }
        });
        return Ok(());
    }
    let rows = reduced.rows();
    let mut room = room(rows)?;
    let partial: *mut u8 = room.as_mut_ptr().cast();
    let mut to = out;
    kept.for_each_row(&mut |[offset]| {
        for i in 0..kept.len as isize {
            // SAFETY: as above; a row has at least one element because `x` is not empty, and there is room for the
            // totals of all rows, unless there is but one, which goes where the result does.
            unsafe {
                let x = x.first.offset((offset + i * kept.step[0]) * item as isize);
                if rows == 1 {
                    (fold.run)(x, reduced.len, reduced.step[0], to);
                } else {
                    let mut total = partial;
                    reduced.for_each_row(&mut |[offset]| {
                        let x = x.offset(offset * item as isize);
                        (fold.run)(x, reduced.len, reduced.step[0], total);
                        total = total.add(item);
                    });
                    (fold.run)(partial, rows, 1, to);
                }
                to = to.add(item);
            }
        }
    });
    Ok(())
}

/// Writes results whose elements are combined one by one, in C order.
///
/// # Safety
/// As for [`write`]; `x` must not be empty, and the walks must be over its kept and its reduced axes.
unsafe fn write_in_order(
    fold: &Fold,
    x: &View<'_>,
    kept: &Walk<1>,
    reduced: &Walk<1>,
    out: *mut u8,
) {
    let item = x.dtype.size();
    let mut to = out;
    kept.for_each_row(&mut |[offset]| {
        for i in 0..kept.len as isize {
            // SAFETY: both walks stay within the positions that shape and strides of `x` reach, and the sum of a kept and
            // a reduced offset is such a position.
            unsafe {
                let x = x.first.offset((offset + i * kept.step[0]) * item as isize);
                (fold.begin)(x, to);
                reduced.for_each_row(&mut |[offset]| {
                    let row = x.offset(offset * item as isize);
                    (fold.go_on)(to, row, reduced.len, reduced.step[0]);
                });
                to = to.add(item);
            }
        }
    });
}

/// Whole rows of results at once.
struct Rows<'a> {
    fold: &'a Fold,
    copy: Kernel,
    /// Bytes of an element.
    item: usize,
    /// The number of results.
    len: usize,
    /// The distance between the elements of a row.
    step: isize,
}

impl Rows<'_> {
    /// Writes the reductions over `offsets` of neighbouring columns, in their order.
    ///
    /// # Safety
    /// An element must be readable at each offset from `x`, and at `len - 1` more a step apart; `offsets` is not empty;
    /// `out` must be writable for `len` elements.
    unsafe fn accumulate(&self, x: *const u8, offsets: &[isize], out: *mut u8) {
        let item = self.item as isize;
        // SAFETY: passed on from the caller.
        unsafe {
            let first = [
                x.offset(offsets[0] * item),
                std::ptr::null(),
                std::ptr::null(),
            ];
            self.copy.run(self.len, &first, &[self.step, 0, 0], out);
            for &offset in &offsets[1..] {
                (self.fold.combine)(out, self.len, x.offset(offset * item), self.step);
            }
        }
    }
}

/// Positions of the first largest or smallest elements along an axis.
pub(super) fn arg_extremum(
    x: &HostArray,
    axis: usize,
    largest: bool,
    shape: &[usize],
) -> Result<HostArray> {
    let View { strides, first, .. } = View::new(x);
    let kept = || (0..x.shape().len()).filter(|&a| a != axis);
    let plan = ArgReduce {
        kind: kind(x.dtype())?,
        outer: kept().map(|a| x.shape()[a]).collect(),
        outer_strides_in: kept().map(|a| strides[a]).collect(),
        len: x.shape()[axis],
        stride: strides[axis],
        largest,
    };
    // SAFETY: shape and strides are those of `x`, and `out` has one element per position of the other axes.
    unsafe {
        filled(DType::Int64, shape, &mut |out| {
            plan.run(first, out.cast());
            Ok(())
        })
    }
}
