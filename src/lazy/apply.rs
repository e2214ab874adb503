//! Writing an op down: the type is inferred at once, so mistakes show where they are made.

use std::panic::Location;

use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use super::recording::Recording;
use super::sharing;
use crate::array::{Array, Repr};
use crate::error::Result;
use crate::ir::{
    ArrayType, DType, Dims, Op, Scalar, Type, plain_result, resolve_scalar, strong_dtype,
};
use crate::operand::Operand;

/// Writes down an op: in the record of the trace that one of the inputs belongs to, else as a node.
pub(crate) fn apply(
    op: Op,
    inputs: &[Operand<'_>],
    location: &'static Location<'static>,
) -> Result<Array> {
    if let Some(recording) = Recording::of_newest(inputs) {
        let written = recording.record(op, inputs, location)?;
        return Ok(Array::from_traced(written));
    }
    // Arrays with values become leaves beside the lazy ones.
    let operand = |input: &Operand<'_>| match input {
        Operand::Array(array) => match &array.0 {
            Repr::Concrete(array) => Ok(LazyOperand::Node(LazyArray::from_concrete(
                array.clone(),
                location,
            ))),
            Repr::Failed(error) => Err(error.clone()),
            Repr::Lazy(node) => Ok(LazyOperand::Node(node.clone())),
            Repr::Traced(traced) => Ok(LazyOperand::Node(traced.node().clone())),
        },
        Operand::Scalar(scalar) => Ok(LazyOperand::Scalar(*scalar)),
    };
    let inputs = inputs.iter().map(operand).collect::<Result<_>>()?;
    apply_to_nodes(op, inputs, location).map(Array::from_lazy)
}

/// Writes down an op as a node.
pub(super) fn apply_to_nodes(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    location: &'static Location<'static>,
) -> Result<LazyArray> {
    let given = inputs.iter().map(|input| match input {
        LazyOperand::Node(node) => Given::Array(node.ty()),
        LazyOperand::Scalar(scalar) => Given::Scalar(*scalar),
    });
    let (ty, _) = infer(&op, &given.collect::<SmallVec<[Given<'_>; 4]>>())?;
    let (op, inputs) = merge_views(op, inputs);
    Ok(sharing::intern(op, inputs, ty, location))
}

/// What inference needs to know of an input.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// The type of an array, or of a tuple.
    Array(&'a Type),
    /// A number, weakly typed.
    Scalar(Scalar),
}

/// The type of the result, and the dtype beside which numbers among the inputs get theirs.
pub(super) fn infer(op: &Op, inputs: &[Given<'_>]) -> Result<(Type, Option<DType>)> {
    let strong = strong_dtype(
        op,
        inputs.iter().map(|input| match input {
            Given::Array(Type::Array(ty)) => Some(ty.dtype),
            _ => None,
        }),
    );
    if let Some(ty) = infer_plain(op, inputs, strong) {
        return Ok((ty.into(), strong));
    }
    let mut scalars: SmallVec<[Type; 2]> = SmallVec::new();
    for input in inputs {
        if let Given::Scalar(scalar) = input {
            let literal = resolve_scalar(op, strong, *scalar)?;
            scalars.push(ArrayType::scalar(literal.dtype).into());
        }
    }
    let mut scalars = scalars.iter();
    let mut types: SmallVec<[&Type; 4]> = SmallVec::with_capacity(inputs.len());
    for input in inputs {
        match input {
            Given::Array(ty) => types.push(ty),
            Given::Scalar(_) => types.extend(scalars.next()),
        }
    }
    Ok((op.infer(&types)?.result, strong))
}

/// The commonest case: arrays of one type, and numbers that adopt its dtype.
fn infer_plain(op: &Op, inputs: &[Given<'_>], strong: Option<DType>) -> Option<ArrayType> {
    let mut first: Option<&ArrayType> = None;
    for input in inputs {
        match (input, first) {
            (Given::Array(Type::Array(ty)), None) => first = Some(ty),
            (Given::Array(Type::Array(ty)), Some(first)) if first == ty => {}
            (Given::Array(_), _) => return None,
            (Given::Scalar(scalar), _) => {
                let literal = resolve_scalar(op, strong, *scalar).ok()?;
                if Some(literal.dtype) != strong {
                    return None;
                }
            }
        }
    }
    let ArrayType { dtype, shape } = first?;
    plain_result(op, inputs.len(), *dtype, shape)
}

/// A transpose of a transpose, and a reshape of a reshape, are one: autoray counts them so.
fn merge_views(op: Op, inputs: SmallVec<[LazyOperand; 3]>) -> (Op, SmallVec<[LazyOperand; 3]>) {
    let (Op::Transpose { .. } | Op::Reshape { .. }, [LazyOperand::Node(node)]) =
        (&op, inputs.as_slice())
    else {
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
