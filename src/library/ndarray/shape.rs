//! Views and copies: reshape, transpose, slices, gathers, joins.
//!
//! Transposes, slices and basic indexing never copy. Reshapes copy only what does not lie in C order, unless
//! just axes of length one come or go. `broadcast_to` copies, because ndarray's shared arrays cannot have
//! strides of zero; elementwise ops broadcast without it.

use autojit_runtime::abi::{Failure, Kind};
use autojit_runtime::gather::Gather;
use ndarray::{Axis, IxDyn, Slice};
use smallvec::SmallVec;

use super::strided::{Shared, from_vec, map1, stretch};
use crate::error::{Error, Result};
use crate::ir::index::{IndexItem, IndexKey, Slicing};
use crate::ir::{Element, HostArray, dispatch_host, host_from};

/// The same elements in C order under another shape.
pub(super) fn reshape(x: &HostArray, shape: &[usize]) -> Result<HostArray> {
    fn typed<T: Element>(x: &Shared<T>, shape: &[usize]) -> Result<HostArray> {
        let not_one = |n: &usize| *n != 1;
        let contiguous = if x.is_standard_layout() {
            x.clone()
        } else if x
            .shape()
            .iter()
            .copied()
            .filter(not_one)
            .eq(shape.iter().copied().filter(not_one))
        {
            return Ok(T::into_host(move_unit_axes(x.clone(), shape)));
        } else {
            x.as_standard_layout().into_owned().into_shared()
        };
        contiguous
            .into_shape_with_order(IxDyn(shape))
            .map(T::into_host)
            .map_err(|e| Error::internal(format!("a reshape has the wrong size ({e})")))
    }
    dispatch_host!(x, x => typed(x, shape))
}

/// Removes and inserts axes of length one; the other axes are those of `shape` already.
fn move_unit_axes<T: Element>(mut x: Shared<T>, shape: &[usize]) -> Shared<T> {
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

/// Axis `i` of the result is axis `perm[i]` of `x`.
pub(super) fn transpose(x: &HostArray, perm: &[usize]) -> HostArray {
    fn typed<T: Element>(x: &Shared<T>, perm: &[usize]) -> HostArray {
        T::into_host(x.clone().permuted_axes(IxDyn(perm)))
    }
    dispatch_host!(x, x => typed(x, perm))
}

/// Axes of length one, or new leading ones, stretched.
pub(super) fn broadcast_to(x: &HostArray, shape: &[usize]) -> Result<HostArray> {
    if x.shape() == shape {
        return Ok(x.clone());
    }
    dispatch_host!(x, x => stretch(x, shape, |x| x))
}

/// Regularly spaced positions along each axis.
pub(super) fn slice(x: &HostArray, slicing: &Slicing) -> HostArray {
    dispatch_host!(x, x => Element::into_host(slice_typed(x.clone(), slicing)))
}

fn slice_typed<T: Element>(mut x: Shared<T>, slicing: &Slicing) -> Shared<T> {
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
    fn typed<T: Element>(x: &Shared<T>, key: &IndexKey, slicing: &Slicing) -> HostArray {
        let mut x = slice_typed(x.clone(), slicing);
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
        T::into_host(x)
    }
    Ok(dispatch_host!(x, x => typed(x, key, &slicing)))
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
    match indices
        .iter()
        .find(|&&i| i < -size_signed || i >= size_signed)
    {
        Some(&index) => Err(out_of_range(index, axis, size)),
        None => map1(indices, |i| if i < 0 { i + size_signed } else { i }),
    }
}

/// The slices of `x` along `axis` at the given indices.
pub(super) fn take(
    x: &HostArray,
    indices: &HostArray,
    axis: usize,
    shape: &[usize],
) -> Result<HostArray> {
    let (x, indices) = (x.to_contiguous(), indices.to_contiguous());
    let gather = Gather {
        item_size: x.dtype().size(),
        outer: x.shape()[..axis].iter().product(),
        len: x.shape()[axis],
        inner: x.shape()[axis + 1..].iter().product(),
        index_kind: Kind::Int64,
        count: indices.shape().iter().product(),
    };
    host_from!(x.dtype(), T => {
        let mut out = vec![T::default(); shape.iter().product()];
        // SAFETY: `x` and `indices` are contiguous with the lengths that the plan states, the indices are int64
        // by the op's signature, and `out` has one element per result.
        unsafe { gather.run(x.as_ptr(), indices.as_ptr(), out.as_mut_ptr().cast()) }.map_err(
            |failure| match failure {
                Failure::IndexOutOfRange { index, len } => out_of_range(index, axis, len),
                other => Error::internal(other),
            },
        )?;
        from_vec(shape, out)
    })
}

/// The arrays one after the other: `concatenate` and `stack` differ in the shape of the result alone.
pub(super) fn join(arrays: &[&HostArray], axis: usize, shape: &[usize]) -> Result<HostArray> {
    fn typed<T: Element>(arrays: &[&HostArray], axis: usize, shape: &[usize]) -> Result<HostArray> {
        let outer: usize = shape[..axis].iter().product();
        let contiguous: SmallVec<[HostArray; 8]> =
            arrays.iter().map(|a| a.to_contiguous()).collect();
        let mut parts: SmallVec<[&[T]; 8]> = SmallVec::with_capacity(arrays.len());
        for array in &contiguous {
            let part = T::from_host(array).and_then(|a| a.as_slice());
            parts.push(part.ok_or_else(|| super::unexpected(array))?);
        }
        let mut out = Vec::with_capacity(shape.iter().product());
        for i in 0..outer {
            for part in &parts {
                let run = part.len() / outer;
                out.extend_from_slice(&part[i * run..(i + 1) * run]);
            }
        }
        from_vec(shape, out)
    }
    let Some(first) = arrays.first() else {
        return Err(Error::internal("nothing to join"));
    };
    host_from!(first.dtype(), T => typed::<T>(arrays, axis, shape))
}
