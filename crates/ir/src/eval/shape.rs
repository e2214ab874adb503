//! Ops that move elements without changing them: views, indexing and joining.

use super::{Indices, Tensor, flat_index, one};
use crate::IndexedBy;
use crate::error::{Error, Result};
use crate::index::{IndexItem, IndexKey, Slicing, advanced_position};
use crate::types::{Dims, Type};

pub(crate) fn reshape(_shape: &Dims, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::new(
        result.array()?.clone(),
        inputs[0].data.iter().copied(),
    )?)
}

pub(crate) fn transpose(perm: &Dims, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        let mut source = vec![0; perm.len()];
        perm.iter().zip(index).for_each(|(&p, &i)| source[p] = i);
        inputs[0].at(&source)
    }))
}

pub(crate) fn broadcast_to(_shape: &Dims, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        inputs[0].at_broadcast(index)
    }))
}

/// The place in the sliced array of a place in the slice.
fn sliced(slicing: &Slicing, axis: usize, i: usize) -> usize {
    // Inference has checked that both ends are inside, so nothing between is negative.
    slicing.starts[axis].wrapping_add_signed(slicing.steps[axis] * i as isize)
}

pub(crate) fn slice(slicing: &Slicing, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        let places = index.iter().enumerate();
        let source: Vec<usize> = places.map(|(a, &i)| sliced(slicing, a, i)).collect();
        inputs[0].at(&source)
    }))
}

/// A position that may count from the end, brought into `0..size`.
fn wrap(index: i64, axis: usize, size: usize) -> Result<usize> {
    let wrapped = if index < 0 {
        index.checked_add(size as i64)
    } else {
        Some(index)
    };
    wrapped
        .and_then(|i| usize::try_from(i).ok())
        .filter(|&i| i < size)
        .ok_or_else(|| {
            Error::index(format!(
                "index {index} is out of range for axis {axis} with size {size}"
            ))
        })
}

pub(crate) fn wrap_index(
    axis: &usize,
    size: &usize,
    _of: &IndexedBy,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    one(Tensor::try_build(result.array()?, |index| {
        let wrapped = wrap(inputs[0].at(index).to_i64(), *axis, *size)?;
        Ok((wrapped as i64).into())
    })?)
}

/// The numbers of an index array, wrapped; all are checked, even if the result is empty.
fn wrap_all(indices: &Tensor, axis: usize, size: usize) -> Result<Vec<usize>> {
    let numbers = indices.data.iter();
    numbers.map(|i| wrap(i.to_i64(), axis, size)).collect()
}

pub(crate) fn take(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let (x, indices) = (&inputs[0], &inputs[1]);
    let wrapped = wrap_all(indices, *axis, x.shape()[*axis])?;
    one(Tensor::build(result.array()?, |index| {
        let after = axis + indices.ty.ndim();
        let mut source = index[..*axis].to_vec();
        source.push(wrapped[flat_index(indices.shape(), &index[*axis..after])]);
        source.extend_from_slice(&index[after..]);
        x.at(&source)
    }))
}

/// `x[key]`, by finding the source of every element of the result.
///
/// The axes of the index arrays, broadcast together, come where the arrays stood, or first if something
/// stands between them; single positions beside index arrays count as index arrays.
pub(crate) fn getitem(key: &IndexKey, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let (x, arrays) = (&inputs[0], &inputs[1..]);
    let slicing = key.slicing(&x.ty)?;
    let common = arrays.iter().map(|a| a.ty.ndim()).max().unwrap_or(0);
    let at = if arrays.is_empty() {
        0
    } else {
        advanced_position(key).unwrap_or(0)
    };
    let mut wrapped = Vec::with_capacity(arrays.len());
    let mut axis = 0;
    for item in &key.0 {
        if *item == IndexItem::Array {
            let array = &arrays[wrapped.len()];
            let places = wrap_all(array, axis, x.shape()[axis])?;
            let places = places.into_iter().map(|p| (p as i64).into());
            wrapped.push(Tensor::new(array.ty.clone(), places)?);
        }
        axis += usize::from(*item != IndexItem::NewAxis);
    }
    one(Tensor::build(result.array()?, |index| {
        let advanced = &index[at..at + common];
        let mut rest = index[..at].iter().chain(&index[at + common..]);
        let mut places = wrapped.iter();
        let mut source = Vec::with_capacity(x.ty.ndim());
        for item in &key.0 {
            let axis = source.len();
            match item {
                IndexItem::NewAxis => {
                    rest.next();
                }
                IndexItem::Int(_) => source.push(slicing.starts[axis]),
                IndexItem::Array => source.extend(
                    places
                        .next()
                        .map(|p| p.at_broadcast(advanced).to_i64() as usize),
                ),
                IndexItem::Slice { .. } | IndexItem::Ellipsis => {
                    source.extend(rest.next().map(|&i| sliced(&slicing, axis, i)));
                }
            }
        }
        x.at(&source)
    }))
}

pub(crate) fn concatenate(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::try_build(result.array()?, |index| {
        let mut source = index.to_vec();
        for x in inputs {
            let n = x.shape()[*axis];
            if source[*axis] < n {
                return Ok(x.at(&source));
            }
            source[*axis] -= n;
        }
        Err(Error::internal("a joined array is too short"))
    })?)
}

pub(crate) fn stack(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        let mut source = index.to_vec();
        let number = source.remove(*axis);
        inputs[number].at(&source)
    }))
}

/// All multi-indices of the leading axes of a batch of matrices.
pub(super) fn batches(shape: &[usize]) -> Indices {
    Indices::new(&shape[..shape.len().saturating_sub(2)])
}
