//! Ops that put values into copies of arrays.

use super::elementwise::{add_scalars, greater_of, multiply_scalars, smaller_of};
use super::{Tensor, getitem, one};
use crate::error::{Error, Result};
use crate::index::IndexKey;
use crate::scalar::Scalar::{self, Bool, Int};
use crate::scatter::ScatterMode;
use crate::types::{DType, Type};

/// By selecting from an array of positions what is selected from `x`.
pub(crate) fn scatter(
    key: &IndexKey,
    mode: &ScatterMode,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let (x, values) = (&inputs[0], &inputs[1]);
    let all = (0..x.data.len()).map(|i| Int(i as i64));
    let mut selected = vec![Tensor::new(x.ty.with_dtype(DType::Int64), all)?];
    selected.extend_from_slice(&inputs[2..]);
    let types: Vec<Type> = selected.iter().map(|t| t.ty.clone().into()).collect();
    let part = super::super::infer::getitem(key, &types.iter().collect::<Vec<_>>())?.result;
    let Some(positions) = getitem(key, &selected, &part)?.pop() else {
        return Err(Error::internal("a selection gave nothing"));
    };
    let values = Tensor::build(&positions.ty.with_dtype(x.ty.dtype), |i| {
        values.at_broadcast(i)
    });
    scatter_flat(mode, &[x.clone(), values, positions], result)
}

pub(crate) fn scatter_flat(
    mode: &ScatterMode,
    inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    let mut out = inputs[0].clone();
    for (value, position) in inputs[1].data.iter().zip(&inputs[2].data) {
        let position = position.to_i64();
        let size = out.data.len();
        let place = usize::try_from(position).ok();
        let Some(element) = place.and_then(|p| out.data.get_mut(p)) else {
            return Err(Error::index(format!(
                "position {position} is out of range for {size} elements"
            )));
        };
        *element = combined(*mode, *element, *value).cast(out.ty.dtype);
    }
    one(out)
}

fn combined(mode: ScatterMode, element: Scalar, value: Scalar) -> Scalar {
    match mode {
        ScatterMode::Set => value,
        ScatterMode::Add => match (element, value) {
            (Bool(x), Bool(y)) => Bool(x | y),
            _ => add_scalars(element, value),
        },
        ScatterMode::Multiply => multiply_scalars(element, value),
        ScatterMode::Min => smaller_of(element, value),
        ScatterMode::Max => greater_of(element, value),
    }
}
