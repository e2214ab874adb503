//! Rules of ops that put values into copies of arrays.

use smallvec::{SmallVec, smallvec};

use super::{Signature, broadcast_shapes};
use crate::error::{Error, Result};
use crate::index::IndexKey;
use crate::scatter::ScatterMode;
use crate::types::{ArrayType, DType, Type};

/// Values are converted within their class of numbers or to a wider one, as NumPy's `same_kind` has it.
fn check_values(x: &ArrayType, values: &ArrayType) -> Result<()> {
    if values.dtype.class() > x.dtype.class() {
        return Err(Error::dtype(format!(
            "cannot put {values} into {x} without loss, convert one of them"
        )));
    }
    Ok(())
}

pub(crate) fn scatter(key: &IndexKey, _mode: &ScatterMode, inputs: &[&Type]) -> Result<Signature> {
    let (x, values) = (inputs[0].array()?, inputs[1].array()?);
    check_values(x, values)?;
    let mut selected: SmallVec<[&Type; 4]> = smallvec![inputs[0]];
    selected.extend_from_slice(&inputs[2..]);
    let selection = super::getitem(key, &selected)?;
    let part = selection.result.array()?;
    if broadcast_shapes(&values.shape, &part.shape).as_ref() != Some(&part.shape) {
        return Err(Error::shape(format!(
            "cannot broadcast the values {values} to the selected part {part} of {x}"
        )));
    }
    let mut operands = smallvec![None, Some(x.dtype)];
    operands.extend(selection.operands.into_iter().skip(1));
    Ok(Signature {
        operands,
        result: x.clone().into(),
    })
}

pub(crate) fn scatter_flat(_mode: &ScatterMode, inputs: &[&Type]) -> Result<Signature> {
    let (x, values, positions) = (inputs[0].array()?, inputs[1].array()?, inputs[2].array()?);
    check_values(x, values)?;
    if !positions.dtype.is_integer() {
        return Err(Error::dtype(format!(
            "expected integer positions, got {positions}"
        )));
    }
    if positions.shape != values.shape {
        return Err(Error::shape(format!(
            "expected a position for each value, got {positions} for {values}"
        )));
    }
    Ok(Signature {
        operands: smallvec![None, Some(x.dtype), Some(DType::Int64)],
        result: x.clone().into(),
    })
}
