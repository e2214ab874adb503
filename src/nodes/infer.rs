//! The type of an op that is written down: inferred at once, so that mistakes show where they are made.

use std::sync::Arc;

use smallvec::SmallVec;

use super::node::LazyOperand;
use autojit_ir::error::Result;
use autojit_ir::{
    ArrayType, DType, Op, PlainType, Scalar, Type, infer_plain, resolve_scalar, strong_dtype,
};

/// The facts about an input of a node that inference needs.
pub(super) fn given(input: &LazyOperand) -> Given<'_> {
    match input {
        LazyOperand::Node(node) => Given::Array(node.shared_ty()),
        LazyOperand::Scalar(scalar) => Given::Scalar(scalar),
    }
}

/// The facts about an input that inference needs.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// The type of an array, or of a tuple.
    Array(&'a Arc<Type>),
    /// A number, weakly typed.
    Scalar(&'a Scalar),
}

/// The type of the result of an op, and the dtype beside which numbers among the inputs get theirs.
#[inline(always)]
pub(super) fn infer<'g>(
    op: &Op,
    count: usize,
    given: impl Fn(usize) -> Given<'g>,
) -> Result<(PlainType<'g>, Option<DType>)> {
    let dtype = |index| match given(index) {
        Given::Array(ty) => match &**ty {
            Type::Array(ty) => Some(ty.dtype),
            Type::Tuple(_) => None,
        },
        Given::Scalar(_) => None,
    };
    // Nothing else asks for it.
    let has_numbers = (0..count).any(|index| matches!(given(index), Given::Scalar(_)));
    let strong = has_numbers
        .then(|| strong_dtype(op, (0..count).map(dtype)))
        .flatten();
    // Numbers that adopt the dtype of the arrays change nothing.
    let plain = (0..count).filter_map(|index| match given(index) {
        Given::Array(ty) => Some(Some(ty)),
        Given::Scalar(scalar) => match resolve_scalar(op, strong, *scalar) {
            Ok(literal) if Some(literal.dtype) == strong => None,
            _ => Some(None),
        },
    });
    if let Some(plain) = infer_plain(op, count, plain) {
        return Ok((plain, strong));
    }
    let mut inputs: SmallVec<[Given<'_>; 4]> = SmallVec::new();
    for index in 0..count {
        inputs.push(given(index));
    }
    let ty = infer_at_length(op, &inputs, strong)?;
    Ok((PlainType::Other(ty), strong))
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
