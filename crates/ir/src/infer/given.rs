//! Types that ops are given: those of random arrays, and those of functions of the user's.

use super::Signature;
use crate::draw::{Distribution, Draw};
use crate::error::{Error, Result};
use crate::opaque::OpaqueFunction;
use crate::types::{ArrayType, Class, Type};

/// The type that is asked for, if it is one of what is drawn.
pub(crate) fn random(
    _draw: &Draw,
    distribution: &Distribution,
    ty: &ArrayType,
    _inputs: &[&Type],
) -> Result<Signature> {
    let class = match distribution {
        Distribution::Uniform | Distribution::Normal => Class::Float,
        Distribution::Integers { .. } => Class::Integer,
    };
    if ty.dtype.class() != class {
        let kind = if class == Class::Float {
            "floats"
        } else {
            "integers"
        };
        return Err(Error::dtype(format!(
            "expected the dtype of {kind}, got {ty}"
        )));
    }
    Signature::unchanged(0, ty.clone())
}

/// The result of the function's own rule.
pub(crate) fn opaque(function: &OpaqueFunction, inputs: &[&Type]) -> Result<Signature> {
    let types = inputs.iter().map(|ty| ty.array().cloned());
    Ok(Signature {
        operands: inputs.iter().map(|_| None).collect(),
        result: function.infer(&types.collect::<Result<Vec<_>>>()?)?,
    })
}
