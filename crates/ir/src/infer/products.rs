//! Rules of products of arrays.

use super::{Signature, broadcast_shapes};
use crate::einsum::Subscripts;
use crate::error::{Error, Result};
use crate::types::{ArrayType, Axes, DType, Shape, Type};

pub(crate) fn matmul(inputs: &[&Type]) -> Result<Signature> {
    let (x, y) = (inputs[0].array()?, inputs[1].array()?);
    let wrong = || Error::shape(format!("cannot multiply {x} with {y}"));
    let (Some(&k), Some(_)) = (x.shape.last(), y.shape.last()) else {
        return Err(wrong());
    };
    let k_axis = y.ndim().saturating_sub(2);
    if y.shape[k_axis] != k {
        return Err(Error::shape(format!(
            "cannot multiply {x} with {y}: expected {k} rows on the right, got {}",
            y.shape[k_axis]
        )));
    }
    let lead = |ty: &ArrayType| Shape::from_slice(&ty.shape[..ty.ndim().saturating_sub(2)]);
    let mut shape = broadcast_shapes(&lead(x), &lead(y)).ok_or_else(wrong)?;
    if x.ndim() > 1 {
        shape.push(x.shape[x.ndim() - 2]);
    }
    if y.ndim() > 1 {
        shape.push(y.shape[y.ndim() - 1]);
    }
    let dtype = x.dtype.promote(y.dtype);
    Signature::uniform(2, dtype, ArrayType { dtype, shape })
}

pub(crate) fn tensordot(x_axes: &Axes, y_axes: &Axes, inputs: &[&Type]) -> Result<Signature> {
    let (x, y) = (inputs[0].array()?, inputs[1].array()?);
    let size = |ty: &ArrayType, axis: &usize| ty.shape.get(*axis).copied();
    let pairs = |(a, b): (&usize, &usize)| size(x, a).is_some() && size(x, a) == size(y, b);
    let fit = x_axes.len() == y_axes.len() && x_axes.iter().zip(y_axes).all(pairs);
    let distinct = |axes: &Axes| (1..axes.len()).all(|i| !axes[..i].contains(&axes[i]));
    if !fit || !distinct(x_axes) || !distinct(y_axes) {
        return Err(Error::shape(format!(
            "cannot contract axes {x_axes:?} of {x} with axes {y_axes:?} of {y}"
        )));
    }
    let mut shape = Shape::new();
    for (ty, axes) in [(x, x_axes), (y, y_axes)] {
        for (axis, &size) in ty.shape.iter().enumerate() {
            if !axes.contains(&axis) {
                shape.push(size);
            }
        }
    }
    let dtype = x.dtype.promote(y.dtype);
    Signature::uniform(2, dtype, ArrayType { dtype, shape })
}

#[allow(clippy::borrowed_box, reason = "rows pass attributes by reference")]
pub(crate) fn einsum(subscripts: &Box<str>, inputs: &[&Type]) -> Result<Signature> {
    let types = inputs
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    let shape = Subscripts::parse(subscripts)?.result_shape(&types)?;
    let dtype = DType::promote_all(types.iter().map(|t| t.dtype));
    let dtype = dtype.ok_or_else(|| Error::value("expected at least one operand"))?;
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}
