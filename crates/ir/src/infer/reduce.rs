//! Rules of reductions, scans and sorts.

use smallvec::smallvec;

use super::{Signature, broadcast_shapes};
use crate::error::{Error, Result};
use crate::types::{ArrayType, DType, Dims, Shape, Type};

/// The shape that is left after reducing over `axes`.
pub(super) fn reduced(ty: &ArrayType, axes: &[usize], keepdims: bool) -> Result<Shape> {
    if let Some(axis) = axes.iter().find(|&&a| a >= ty.ndim()) {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {ty}"
        )));
    }
    if !axes.is_sorted_by(|a, b| a < b) {
        return Err(Error::value(format!(
            "expected different axes in order, got {axes:?}"
        )));
    }
    let sizes = ty.shape.iter().enumerate();
    Ok(sizes
        .filter_map(|(i, &n)| {
            if axes.contains(&i) {
                keepdims.then_some(1)
            } else {
                Some(n)
            }
        })
        .collect())
}

pub(crate) fn sum(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let dtype = ty.dtype.total();
    Signature::uniform(
        1,
        dtype,
        ArrayType {
            dtype,
            shape: reduced(ty, axes, *keepdims)?,
        },
    )
}

pub(crate) fn sum_where(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let (x, mask) = (inputs[0].array()?, inputs[1].array()?);
    if broadcast_shapes(&x.shape, &mask.shape).as_ref() != Some(&x.shape) {
        return Err(Error::shape(format!(
            "cannot broadcast the mask {mask} to {x}"
        )));
    }
    let mut signature = sum(axes, keepdims, &inputs[..1])?;
    signature.operands.push(Some(DType::Bool));
    Ok(signature)
}

pub(crate) fn extremum(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let shape = reduced(ty, axes, *keepdims)?;
    // NumPy refuses an empty axis even where the result has no elements either.
    if axes.iter().any(|&a| ty.shape[a] == 0) {
        return Err(Error::value(format!(
            "an empty array has no largest or smallest element, got {ty}"
        )));
    }
    Signature::unchanged(
        1,
        ArrayType {
            dtype: ty.dtype,
            shape,
        },
    )
}

pub(crate) fn quantifier(axes: &Dims, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    let shape = reduced(ty, axes, *keepdims)?;
    Signature::uniform(
        1,
        DType::Bool,
        ArrayType {
            dtype: DType::Bool,
            shape,
        },
    )
}

pub(crate) fn arg_extremum(axis: &usize, keepdims: &bool, inputs: &[&Type]) -> Result<Signature> {
    let mut signature = extremum(&smallvec![*axis], keepdims, inputs)?;
    if let Type::Array(ty) = &mut signature.result {
        ty.dtype = DType::Int64;
    }
    Ok(signature)
}

/// A result of the shape of the input, worked out along an axis.
fn along(axis: usize, inputs: &[&Type]) -> Result<ArrayType> {
    let ty = inputs[0].array()?;
    if axis >= ty.ndim() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {ty}"
        )));
    }
    Ok(ty.clone())
}

pub(crate) fn scan(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let ty = along(*axis, inputs)?;
    let dtype = ty.dtype.total();
    Signature::uniform(1, dtype, ty.with_dtype(dtype))
}

pub(crate) fn sort(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, along(*axis, inputs)?)
}

pub(crate) fn argsort(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, along(*axis, inputs)?.with_dtype(DType::Int64))
}
