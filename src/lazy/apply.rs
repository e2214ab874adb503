//! Writing an op down: the type is inferred at once, so mistakes show where they are made.

use std::panic::Location;
use std::sync::Arc;

use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use super::recording::Recording;
use super::sharing;
use crate::array::{Array, Repr};
use crate::error::Result;
use crate::ir::{
    ArrayType, DType, Dims, Op, Scalar, Type, infer_plain, resolve_scalar, strong_dtype,
};
use crate::operand::Operand;

/// Writes down an op: in the record of the trace that one of the inputs belongs to, else as a node.
pub(crate) fn apply(
    op: Op,
    inputs: &[Operand<'_>],
    location: &'static Location<'static>,
) -> Result<Array> {
    if let Some(recording) = Recording::of_newest(inputs) {
        let recorded = recording.record(op, inputs, location)?;
        return Ok(recording.array(recorded));
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
    // A loop, as collecting costs more than what it collects.
    let mut operands = SmallVec::new();
    for input in inputs {
        operands.push(operand(input)?);
    }
    apply_to_nodes(op, operands, location).map(Array::from_lazy)
}

/// Writes down an op as a node.
pub(super) fn apply_to_nodes(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    location: &'static Location<'static>,
) -> Result<LazyArray> {
    let (ty, _) = infer(&op, inputs.len(), |index| given(&inputs[index]), Arc::new)?;
    let (op, inputs) = merge_views(op, inputs);
    Ok(sharing::intern(op, inputs, ty, location))
}

/// What inference needs to know of an input of a node.
pub(super) fn given(input: &LazyOperand) -> Given<'_> {
    match input {
        LazyOperand::Node(node) => Given::Array(node.shared_ty()),
        LazyOperand::Scalar(scalar) => Given::Scalar(scalar),
    }
}

/// What inference needs to know of an input.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// The type of an array, or of a tuple.
    Array(&'a Arc<Type>),
    /// A number, weakly typed.
    Scalar(&'a Scalar),
}

/// The type of the result of an op, and the dtype beside which numbers among the inputs get theirs. `share` is given
/// types that are not those of an input.
#[inline(always)]
pub(super) fn infer<'g>(
    op: &Op,
    count: usize,
    given: impl Fn(usize) -> Given<'g>,
    share: impl FnOnce(Type) -> Arc<Type>,
) -> Result<(Arc<Type>, Option<DType>)> {
    let dtype = |index| match given(index) {
        Given::Array(ty) => match &**ty {
            Type::Array(ty) => Some(ty.dtype),
            Type::Tuple(_) => None,
        },
        Given::Scalar(_) => None,
    };
    let strong = strong_dtype(op, (0..count).map(dtype));
    // Numbers that adopt the dtype of the arrays change nothing.
    let plain = (0..count).filter_map(|index| match given(index) {
        Given::Array(ty) => Some(Some(ty)),
        Given::Scalar(scalar) => match resolve_scalar(op, strong, *scalar) {
            Ok(literal) if Some(literal.dtype) == strong => None,
            _ => Some(None),
        },
    });
    if let Some(ty) = infer_plain(op, count, plain) {
        return Ok((ty, strong));
    }
    let mut inputs: SmallVec<[Given<'_>; 4]> = SmallVec::new();
    for index in 0..count {
        inputs.push(given(index));
    }
    Ok((share(infer_at_length(op, &inputs, strong)?), strong))
}

fn infer_at_length(op: &Op, inputs: &[Given<'_>], strong: Option<DType>) -> Result<Type> {
    let mut scalars: SmallVec<[Type; 2]> = SmallVec::new();
    for input in inputs {
        if let Given::Scalar(scalar) = input {
            let literal = resolve_scalar(op, strong, **scalar)?;
            scalars.push(ArrayType::scalar(literal.dtype).into());
        }
    }
    let mut scalars = scalars.iter();
    let mut types: SmallVec<[&Type; 4]> = SmallVec::new();
    for input in inputs {
        match input {
            Given::Array(ty) => types.push(ty),
            Given::Scalar(_) => types.extend(scalars.next()),
        }
    }
    Ok(op.infer(&types)?.result)
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
