//! Writing an op down: the type is inferred at once, so mistakes show where they are made.

use std::panic::Location;

use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use super::sharing;
use crate::error::{Error, Result};
use crate::ir::{ArrayType, DType, Dims, Op, Type, resolve_scalars};

/// Writes down an op.
pub(crate) fn apply(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    location: &'static Location<'static>,
) -> Result<LazyArray> {
    let ty = infer(&op, &inputs)?;
    let (op, inputs) = merge_views(op, inputs);
    Ok(sharing::intern(op, inputs, ty, location))
}

/// Takes one result out of the tuple that an op with several results gives.
pub(crate) fn get(
    tuple: &LazyArray,
    index: usize,
    location: &'static Location<'static>,
) -> Result<LazyArray> {
    let ty = tuple.ty().arrays().get(index).cloned();
    let ty = ty.ok_or_else(|| Error::internal(format!("no result {index} in {}", tuple.ty())))?;
    let inputs = SmallVec::from_iter([LazyOperand::Node(tuple.clone())]);
    Ok(sharing::intern(
        Op::Get { index },
        inputs,
        ty.into(),
        location,
    ))
}

fn infer(op: &Op, inputs: &[LazyOperand]) -> Result<Type> {
    let dtypes: SmallVec<[Option<DType>; 4]> = inputs
        .iter()
        .map(|i| i.node().and_then(|n| n.ty().array().ok()).map(|t| t.dtype))
        .collect();
    let mut scalars: SmallVec<[Option<Type>; 4]> = SmallVec::with_capacity(inputs.len());
    for input in inputs {
        scalars.push(match input {
            LazyOperand::Node(_) => None,
            LazyOperand::Scalar(s) => {
                Some(ArrayType::scalar(resolve_scalars(op, &dtypes, *s)?.dtype).into())
            }
        });
    }
    let types: SmallVec<[&Type; 4]> = inputs
        .iter()
        .zip(&scalars)
        .filter_map(|(input, scalar)| input.node().map(LazyArray::ty).or(scalar.as_ref()))
        .collect();
    Ok(op.infer(&types)?.result)
}

/// A transpose of a transpose, and a reshape of a reshape, are one: autoray counts them so.
fn merge_views(op: Op, inputs: SmallVec<[LazyOperand; 3]>) -> (Op, SmallVec<[LazyOperand; 3]>) {
    let [LazyOperand::Node(node)] = inputs.as_slice() else {
        return (op, inputs);
    };
    let merged = match (&op, &*node.state()) {
        (
            Op::Transpose { perm },
            State::Pending {
                op: Op::Transpose { perm: before },
                inputs,
            },
        ) => {
            let perm: Dims = perm.iter().map(|&p| before[p]).collect();
            Some((Op::Transpose { perm }, inputs.clone()))
        }
        (
            Op::Reshape { .. },
            State::Pending {
                op: Op::Reshape { .. },
                inputs,
            },
        ) => Some((op.clone(), inputs.clone())),
        _ => None,
    };
    merged.unwrap_or((op, inputs))
}
