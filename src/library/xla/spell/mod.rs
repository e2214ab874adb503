//! How ops are spelled with XLA's instructions, so that they mean what NumPy means.
//!
//! Promotion is done: inputs have the dtypes of the op's signature. What is not spelled gives `None` before anything is
//! written, and is then expanded, or a call back into autojit. XLA flushes subnormal numbers to zero, and contracts
//! products and sums into one rounding; nothing here can change that.

mod complex;
mod elementwise;
mod order;
mod products;
mod reduce;
mod shape;

use smallvec::SmallVec;

use super::module::{Value, Writer};
use crate::error::Result;
use crate::ir::{Op, Type};
pub(super) use shape::astype;

/// Writes an op. `None` for what is not spelled here.
///
/// # Errors
/// A mistake of ours.
pub(super) fn spell(
    w: &mut Writer,
    op: &Op,
    inputs: &[&Value],
    result: &Type,
) -> Result<Option<SmallVec<[Value; 2]>>> {
    let Type::Array(result) = result else {
        return Ok(None);
    };
    let spelled = if op.is_elementwise() {
        elementwise::spell(w, op, inputs, result)?
    } else if let Some(value) = reduce::spell(w, op, inputs, result)? {
        Some(value)
    } else if let Some(value) = order::spell(w, op, inputs)? {
        Some(value)
    } else if let Some(value) = products::spell(w, op, inputs, result)? {
        Some(value)
    } else {
        shape::spell(w, op, inputs, result)?
    };
    Ok(spelled.map(|value| SmallVec::from_iter([value])))
}

/// Whether an op that could be written with others has a spelling.
pub(crate) fn is_spelled(op: &Op) -> bool {
    match op {
        Op::Reciprocal | Op::IsInf | Op::IsFinite | Op::Einsum { .. } | Op::SumWhere { .. } => {
            false
        }
        Op::Norm { .. } | Op::Scatter { .. } => false,
        Op::Getitem { key } => key.arrays() == 0,
        _ => true,
    }
}
