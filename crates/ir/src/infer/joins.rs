//! Rules of ops that join arrays.

use super::Signature;
use crate::error::{Error, Result};
use crate::types::{ArrayType, DType, Type};

fn all_arrays<'a>(inputs: &[&'a Type]) -> Result<(Vec<&'a ArrayType>, DType)> {
    let types = inputs
        .iter()
        .map(|t| t.array())
        .collect::<Result<Vec<_>>>()?;
    let dtype = DType::promote_all(types.iter().map(|t| t.dtype));
    Ok((
        types,
        dtype.ok_or_else(|| Error::value("expected at least one array"))?,
    ))
}

pub(crate) fn concatenate(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (types, dtype) = all_arrays(inputs)?;
    let mut shape = types[0].shape.clone();
    if *axis >= shape.len() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for {}",
            types[0]
        )));
    }
    for ty in &types[1..] {
        let same = ty.ndim() == shape.len()
            && (0..shape.len()).all(|a| a == *axis || ty.shape[a] == shape[a]);
        if !same {
            return Err(Error::shape(format!(
                "cannot join {} with {ty} along axis {axis}",
                types[0]
            )));
        }
        shape[*axis] = shape[*axis].saturating_add(ty.shape[*axis]);
    }
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}

pub(crate) fn stack(axis: &usize, inputs: &[&Type]) -> Result<Signature> {
    let (types, dtype) = all_arrays(inputs)?;
    if let Some(ty) = types.iter().find(|t| t.shape != types[0].shape) {
        return Err(Error::shape(format!(
            "cannot stack {} with {ty}: expected equal shapes",
            types[0]
        )));
    }
    let mut shape = types[0].shape.clone();
    if *axis > shape.len() {
        return Err(Error::index(format!(
            "axis {axis} is out of range for a stack of {}",
            types[0]
        )));
    }
    shape.insert(*axis, types.len());
    Signature::uniform(inputs.len(), dtype, ArrayType { dtype, shape })
}
