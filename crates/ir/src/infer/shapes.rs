//! Rules of ops that look at parts of arrays or rearrange them.

use smallvec::{SmallVec, smallvec};

use super::{Signature, broadcast_shapes};
use crate::IndexedBy;
use crate::error::{Error, Result};
use crate::index::{IndexKey, Slicing, advanced_shape};
use crate::types::{ArrayType, DType, Dims, Shape, Type};

pub(crate) fn reshape(shape: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let result = ArrayType {
        dtype: ty.dtype,
        shape: shape.clone(),
    };
    // The number of elements asked for may not fit into a `usize`.
    let asked = shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
    if asked != Some(ty.size()) && !(shape.contains(&0) && ty.size() == 0) {
        let asked = asked.map_or_else(|| "more".into(), |n| n.to_string());
        return Err(Error::shape(format!(
            "cannot reshape {ty} into {result}: {} elements are not {asked}",
            ty.size()
        )));
    }
    Signature::unchanged(1, result)
}

pub(crate) fn transpose(perm: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..ty.ndim()) {
        return Err(Error::shape(format!(
            "{perm:?} is not an order of the {} axes of {ty}",
            ty.ndim()
        )));
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape: perm.iter().map(|&p| ty.shape[p]).collect(),
        },
    )
}

pub(crate) fn broadcast_to(shape: &Dims, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let result = ArrayType {
        dtype: ty.dtype,
        shape: shape.clone(),
    };
    if broadcast_shapes(&ty.shape, shape).as_ref() != Some(shape) {
        return Err(Error::shape(format!("cannot broadcast {ty} to {result}")));
    }
    Signature::unchanged(1, result)
}

/// Keys may have steps that are longer than their axis, but none that others would overflow with.
const LONG_STEP: usize = 1 << 20;

pub(crate) fn slice(slicing: &Slicing, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let wrong = || Error::index(format!("the slicing does not fit {ty}"));
    if slicing.sizes.len() != ty.ndim()
        || slicing.starts.len() != ty.ndim()
        || slicing.steps.len() != ty.ndim()
    {
        return Err(wrong());
    }
    for (axis, &n) in ty.shape.iter().enumerate() {
        let (start, step, size) = (
            slicing.starts[axis],
            slicing.steps[axis],
            slicing.sizes[axis],
        );
        // The last position, with care for numbers that a hand-written text may hold.
        let last = (size as isize)
            .wrapping_sub(1)
            .checked_mul(step)
            .and_then(|d| d.checked_add(start as isize));
        let inside = |p: isize| usize::try_from(p).is_ok_and(|p| p < n);
        let fits = match size {
            // Passes compute with the start and the step, even where these select nothing or one position.
            0 => start <= n && step.unsigned_abs() <= n.max(LONG_STEP),
            1 => start < n && step.unsigned_abs() <= n.max(LONG_STEP),
            _ => inside(start as isize) && last.is_some_and(inside),
        };
        if step == 0 || !fits {
            return Err(wrong());
        }
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape: slicing.sizes.clone(),
        },
    )
}

/// Index arrays must hold integers.
fn check_indices(ty: &ArrayType) -> Result<()> {
    if ty.dtype.is_integer() {
        return Ok(());
    }
    let hint = if ty.dtype == DType::Bool {
        "; the result of a mask has no shape before it runs, use where or take"
    } else {
        ""
    };
    Err(Error::dtype(format!(
        "expected integer indices, got {ty}{hint}"
    )))
}

pub(crate) fn getitem(key: &IndexKey, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let arrays = inputs[1..]
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    if arrays.len() != key.arrays() {
        return Err(Error::index(format!(
            "the key {key} needs {} index arrays, got {}",
            key.arrays(),
            arrays.len()
        )));
    }
    let mut operands: SmallVec<[Option<DType>; 4]> = smallvec![None];
    for array in &arrays {
        check_indices(array)?;
        operands.push(Some(DType::Int64));
    }
    let slicing = key.slicing(ty)?;
    let shape = if arrays.is_empty() {
        key.basic_shape(&slicing)
    } else {
        advanced_shape(key, &slicing, &arrays)?
    };
    Ok(Signature {
        operands,
        result: ArrayType {
            dtype: ty.dtype,
            shape,
        }
        .into(),
    })
}

pub(crate) fn wrap_index(
    _axis: &usize,
    _size: &usize,
    _of: &IndexedBy,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    check_indices(ty)?;
    Signature::uniform(1, DType::Int64, ty.with_dtype(DType::Int64))
}

pub(crate) fn take(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (x, indices) = (inputs[0].array()?, inputs[1].array()?);
    check_indices(indices)?;
    if *axis >= x.ndim() {
        return Err(Error::index(format!("axis {axis} is out of range for {x}")));
    }
    if x.shape[*axis] == 0 && indices.size() > 0 {
        return Err(Error::index(format!(
            "cannot take from the empty axis {axis} of {x}"
        )));
    }
    let mut shape = Shape::from_slice(&x.shape[..*axis]);
    shape.extend_from_slice(&indices.shape);
    shape.extend_from_slice(&x.shape[*axis + 1..]);
    Ok(Signature {
        operands: smallvec![None, Some(DType::Int64)],
        result: ArrayType {
            dtype: x.dtype,
            shape,
        }
        .into(),
    })
}
