//! Views and copies: reshape, transpose, slices, gathers, joins.
//!
//! Transposes, slices and basic indexing never copy. Reshapes copy only what does not lie in C order, unless
//! just axes of length one come or go, or axes become one whose elements lie evenly. `broadcast_to` copies, so that no array has
//! strides of zero, and each element is one; elementwise ops broadcast without it.

use autojit_runtime::abi::{Failure, Kind};
use autojit_runtime::gather::Gather;
use ndarray::{ArrayViewD, Axis, Slice};
use smallvec::SmallVec;

use super::kernel::Kernel;
use super::strided::{View, filled, from_vec, map, reserved};
use autojit_ir::error::{Error, Result};
use autojit_ir::index::{IndexItem, IndexKey, Slicing};
use autojit_ir::{Element, HostArray, Shape, SharedArray, dispatch_host};

/// The same elements in C order under another shape.
pub(super) fn reshape(x: &HostArray, shape: &[usize]) -> Result<HostArray> {
    fn typed<T: Element>(x: &SharedArray<T>, shape: &[usize]) -> Result<HostArray> {
        let not_one = |n: &usize| *n != 1;
        let longer = |shape: &[usize]| shape.iter().copied().filter(not_one).collect::<Shape>();
        let view = match x.reshaped(shape) {
            None if longer(x.shape()) == longer(shape) => {
                Some(x.viewed(|x| move_unit_axes(x, shape)))
            }
            None => x.try_viewed(|x| merge_axes(x, shape)),
            view => view,
        };
        if let Some(view) = view {
            return Ok(T::host_array(view));
        }
        let elements = HostArray::elements_of(&x.view())?;
        from_vec(shape, elements)
    }
    dispatch_host!(x, x => typed(x, shape))
}

/// A view in which each axis of `shape` is one axis or several that follow each other; `None` if it is a part of one, or if
/// the elements of several do not lie evenly.
fn merge_axes<'a, T>(x: ArrayViewD<'a, T>, shape: &[usize]) -> Option<ArrayViewD<'a, T>> {
    if x.is_empty() {
        return None;
    }
    let mut merged = x.clone();
    let mut axis = 0;
    for &n in shape.iter().filter(|&&n| n != 1) {
        let mut size = 1;
        while size < n {
            let &len = x.shape().get(axis)?;
            // The axes so far are one, of which this one is the faster part.
            if size > 1 && len > 1 {
                let slower = (0..axis).rev().find(|&a| merged.shape()[a] != 1)?;
                if !merged.merge_axes(Axis(slower), Axis(axis)) {
                    return None;
                }
            }
            size *= len;
            axis += 1;
        }
        if size != n {
            return None;
        }
    }
    Some(move_unit_axes(merged, shape))
}

/// Removes and inserts axes of length one; the other axes are those of `shape` already.
fn move_unit_axes<'a, T>(mut x: ArrayViewD<'a, T>, shape: &[usize]) -> ArrayViewD<'a, T> {
    for axis in (0..x.ndim()).rev() {
        if x.shape()[axis] == 1 {
            x = x.index_axis_move(Axis(axis), 0);
        }
    }
    for (axis, &n) in shape.iter().enumerate() {
        if n == 1 {
            x = x.insert_axis(Axis(axis));
        }
    }
    x
}

/// Axes of length one, or new leading ones, stretched.
pub(super) fn broadcast_to(x: &HostArray, shape: &[usize]) -> Result<HostArray> {
    if x.shape() == shape {
        return Ok(x.clone());
    }
    map(Kernel::copy(x.dtype()), &[View::new(x)], shape)
}

/// Regularly spaced positions along each axis.
pub(super) fn slice(x: &HostArray, slicing: &Slicing) -> HostArray {
    dispatch_host!(x, x => Element::host_array(x.viewed(|x| sliced(x, slicing))))
}

fn sliced<'a, T>(mut x: ArrayViewD<'a, T>, slicing: &Slicing) -> ArrayViewD<'a, T> {
    let axes = slicing
        .starts
        .iter()
        .zip(&slicing.steps)
        .zip(&slicing.sizes);
    for (axis, ((&start, &step), &size)) in axes.enumerate() {
        if (start, step, size) == (0, 1, x.shape()[axis]) {
            continue;
        }
        // ndarray counts a negative step from the end of an ascending range.
        let last = start as isize + (size as isize - 1) * step;
        let range = match size {
            0 => Slice::new(0, Some(0), 1),
            1 => Slice::new(start as isize, Some(start as isize + 1), 1),
            _ if step < 0 => Slice::new(last, Some(start as isize + 1), step),
            _ => Slice::new(start as isize, Some(last + 1), step),
        };
        x.slice_axis_inplace(Axis(axis), range);
    }
    x
}

/// A selection by a key without arrays.
pub(super) fn getitem(x: &HostArray, key: &IndexKey) -> Result<HostArray> {
    let slicing = key.slicing(&x.ty())?;
    fn selected<'a, T>(
        x: ArrayViewD<'a, T>,
        key: &IndexKey,
        slicing: &Slicing,
    ) -> ArrayViewD<'a, T> {
        let mut x = sliced(x, slicing);
        let mut axis = 0;
        for item in &key.0 {
            match item {
                IndexItem::Int(_) => x = x.index_axis_move(Axis(axis), 0),
                IndexItem::NewAxis => {
                    x = x.insert_axis(Axis(axis));
                    axis += 1;
                }
                _ => axis += 1,
            }
        }
        x
    }
    Ok(dispatch_host!(x, x => Element::host_array(x.viewed(|x| selected(x, key, &slicing)))))
}

/// The error of an index outside its axis.
fn out_of_range(index: i64, axis: usize, size: usize) -> Error {
    Error::index(format!(
        "index {index} is out of range for axis {axis} with size {size}"
    ))
}

/// Indices brought into `0..size`.
pub(super) fn wrap_index(x: &HostArray, axis: usize, size: usize) -> Result<HostArray> {
    let HostArray::Int64(indices) = x else {
        return Err(super::unexpected(x));
    };
    let size_signed = size as i64;
    let outside = |&&i: &&i64| i < -size_signed || i >= size_signed;
    if let Some(&index) = indices.iter().find(outside) {
        return Err(out_of_range(index, axis, size));
    }
    let wrap = |&i: &i64| if i < 0 { i + size_signed } else { i };
    let mut wrapped = reserved(indices.len())?;
    wrapped.extend(indices.iter().map(wrap));
    from_vec(indices.shape(), wrapped)
}

/// The slices of `x` along `axis` at the given indices.
pub(super) fn take(
    x: &HostArray,
    indices: &HostArray,
    axis: usize,
    shape: &[usize],
) -> Result<HostArray> {
    let (x, indices) = (x.try_contiguous()?, indices.try_contiguous()?);
    let gather = Gather {
        item_size: x.dtype().size(),
        outer: x.shape()[..axis].iter().product(),
        len: x.shape()[axis],
        inner: x.shape()[axis + 1..].iter().product(),
        index_kind: Kind::Int64,
        count: indices.shape().iter().product(),
    };
    let run = |out: *mut u8| {
        // SAFETY: `x` and `indices` are contiguous with the lengths that the plan states, the indices are int64
        // by the op's signature, and `out` has one element per result.
        unsafe { gather.run(x.as_ptr(), indices.as_ptr(), out) }
    };
    // SAFETY: all results are written.
    unsafe {
        filled(x.dtype(), shape, &mut |out| {
            run(out).map_err(|failure| match failure {
                Failure::IndexOutOfRange { index, len } => out_of_range(index, axis, len),
                other => Error::internal(other),
            })
        })
    }
}

/// The arrays one after the other: `concatenate` and `stack` differ in the shape of the result alone.
pub(super) fn join(arrays: &[&HostArray], axis: usize, shape: &[usize]) -> Result<HostArray> {
    let Some(first) = arrays.first() else {
        return Err(Error::internal("nothing to join"));
    };
    let dtype = first.dtype();
    let outer: usize = shape[..axis].iter().product();
    let mut contiguous: SmallVec<[HostArray; 8]> = SmallVec::with_capacity(arrays.len());
    let mut total = 0;
    for array in arrays {
        if array.dtype() != dtype {
            return Err(super::unexpected(array));
        }
        contiguous.push(array.try_contiguous()?);
        total += array.shape().iter().product::<usize>();
    }
    if total != shape.iter().product::<usize>() {
        return Err(Error::internal("joined arrays have the wrong size"));
    }
    // Where each begins, and its bytes per index of the outer axes.
    let parts: SmallVec<[(*const u8, usize); 8]> = contiguous
        .iter()
        .map(|a| {
            let size: usize = a.shape().iter().product();
            (a.as_ptr(), size / outer.max(1) * dtype.size())
        })
        .collect();
    // SAFETY: the parts are contiguous, and together they have as many elements as the result.
    unsafe {
        filled(dtype, shape, &mut |out| {
            let mut to = out;
            // Joined parts without elements may have any number of rows.
            let rows = if total == 0 { 0 } else { outer };
            for i in 0..rows {
                for &(from, bytes) in &parts {
                    to.copy_from_nonoverlapping(from.add(i * bytes), bytes);
                    to = to.add(bytes);
                }
            }
            Ok(())
        })
    }
}
