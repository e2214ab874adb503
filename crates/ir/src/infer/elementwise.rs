//! Rules of elementwise ops: which classes of numbers they take, and what they make of them.

use smallvec::smallvec;

use super::{Signature, broadcast_shapes};
use crate::error::{Error, Result};
use crate::types::{ArrayType, Class, DType, Type};

/// The promoted dtype and the broadcast shape of all inputs.
fn promote_and_broadcast(inputs: &[&Type]) -> Result<ArrayType> {
    let mut result = inputs[0].array()?.clone();
    for input in &inputs[1..] {
        let input = input.array()?;
        if *input == result {
            continue;
        }
        let Some(shape) = broadcast_shapes(&result.shape, &input.shape) else {
            return Err(Error::shape(format!(
                "cannot broadcast {} with {}",
                inputs[0], input
            )));
        };
        result = ArrayType {
            dtype: result.dtype.promote(input.dtype),
            shape,
        };
    }
    Ok(result)
}

fn refuse(class: Class, ty: &ArrayType, inputs: &[&Type]) -> Result<()> {
    if ty.dtype.class() == class {
        let types: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let what = match class {
            Class::Bool => "booleans",
            Class::Integer => "integers",
            Class::Float => "floating numbers",
            Class::Complex => "complex numbers",
        };
        return Err(Error::dtype(format!(
            "{what} are not supported, got {}",
            types.join(" and ")
        )));
    }
    Ok(())
}

pub(crate) fn arithmetic(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty)
}

/// Booleans are taken as `int8`: NumPy has none of these functions for them, and that is the first dtype that it has one for.
pub(crate) fn numeric_or_bytes(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    let dtype = match ty.dtype {
        DType::Bool => DType::Int8,
        dtype => dtype,
    };
    Signature::uniform(inputs.len(), dtype, ty.with_dtype(dtype))
}

pub(crate) fn no_bool(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    refuse(Class::Bool, &ty, inputs)?;
    Signature::uniform(inputs.len(), ty.dtype, ty)
}

pub(crate) fn numeric(inputs: &[&Type]) -> Result<Signature> {
    no_bool(inputs)
}

/// Integers give `float64`.
pub(crate) fn floating(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    let dtype = ty.dtype.floating();
    Signature::uniform(inputs.len(), dtype, ty.with_dtype(dtype))
}

pub(crate) fn real_floating(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Complex, &promote_and_broadcast(inputs)?, inputs)?;
    floating(inputs)
}

/// Numbers; booleans are integers of `int8`.
fn numbers(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    let dtype = match ty.dtype {
        DType::Bool => DType::Int8,
        other => other,
    };
    Signature::uniform(inputs.len(), dtype, ty.with_dtype(dtype))
}

/// Real numbers; booleans are integers of `int8`.
pub(crate) fn real_numbers(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Complex, &promote_and_broadcast(inputs)?, inputs)?;
    numbers(inputs)
}

/// Real numbers of any kind, booleans included.
pub(crate) fn rounding(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Complex, &promote_and_broadcast(inputs)?, inputs)?;
    arithmetic(inputs)
}

/// Booleans and integers.
pub(crate) fn bitwise(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Float, &promote_and_broadcast(inputs)?, inputs)?;
    rounding(inputs)
}

/// Integers alone; booleans are some of `int8`.
pub(crate) fn shift(inputs: &[&Type]) -> Result<Signature> {
    refuse(Class::Float, &promote_and_broadcast(inputs)?, inputs)?;
    real_numbers(inputs)
}

pub(crate) fn power(inputs: &[&Type]) -> Result<Signature> {
    numbers(inputs)
}

pub(crate) fn absolute(inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    Signature::uniform(1, ty.dtype, ty.with_dtype(ty.dtype.real()))
}

pub(crate) fn real_part(inputs: &[&Type]) -> Result<Signature> {
    absolute(inputs)
}

pub(crate) fn predicate(inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    Signature::unchanged(1, ty.with_dtype(DType::Bool))
}

pub(crate) fn comparison(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    let dtypes = (inputs[0].array()?.dtype, inputs[1].array()?.dtype);
    let both = match (dtypes, ty.dtype.is_float()) {
        ((x, DType::Uint64), true) if x.is_integer() => Some((DType::Int64, DType::Uint64)),
        ((DType::Uint64, y), true) if y.is_integer() => Some((DType::Uint64, DType::Int64)),
        _ => None,
    };
    if let Some((x, y)) = both {
        // Exactly, though no dtype holds both.
        return Ok(Signature {
            operands: smallvec![Some(x), Some(y)],
            result: ty.with_dtype(DType::Bool).into(),
        });
    }
    Signature::uniform(inputs.len(), ty.dtype, ty.with_dtype(DType::Bool))
}

pub(crate) fn logical(inputs: &[&Type]) -> Result<Signature> {
    let ty = promote_and_broadcast(inputs)?;
    Signature::uniform(inputs.len(), DType::Bool, ty.with_dtype(DType::Bool))
}

pub(crate) fn select(inputs: &[&Type]) -> Result<Signature> {
    let dtype = inputs[1].array()?.dtype.promote(inputs[2].array()?.dtype);
    let shape = promote_and_broadcast(inputs)?.shape;
    Ok(Signature {
        operands: smallvec![Some(DType::Bool), Some(dtype), Some(dtype)],
        result: ArrayType { dtype, shape }.into(),
    })
}
