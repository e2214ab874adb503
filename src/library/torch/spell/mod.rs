//! How ops are spelled with libtorch's functions, so that they mean what NumPy means.
//!
//! Promotion is done: inputs have the dtypes of the op's signature. What is not spelled gives `None` before
//! anything is called, and is then expanded. Random draws are made in main memory, so that they are the same numbers
//! as everywhere.

mod elementwise;
mod least_squares;
mod linalg;
mod order;
mod reduce;
mod scatter;
mod shape;

use smallvec::SmallVec;

use super::functions::Torch;
use crate::error::Result;
use crate::ir::{ArrayType, NormOrder, Op, Type};

/// The results of an op: one, except for decompositions.
pub(crate) type Values<V> = SmallVec<[V; 1]>;

/// Runs an op, or writes it down. `None` for what is not spelled here.
///
/// # Errors
/// libtorch fails.
pub(crate) fn spell<T: Torch>(
    t: &mut T,
    op: &Op,
    inputs: &[&T::Value],
    types: &[&ArrayType],
    result: &Type,
) -> Result<Option<Values<T::Value>>> {
    if op.is_elementwise() {
        let size = result.array()?.size();
        let spelled = elementwise::spell(t, op, inputs, types[0], size)?;
        return Ok(spelled.map(one));
    }
    if let Some(value) = reduce::spell(t, op, inputs, types)? {
        return Ok(Some(one(value)));
    }
    if let Some(value) = shape::spell(t, op, inputs, types)? {
        return Ok(Some(one(value)));
    }
    linalg::spell(t, op, inputs, types, result)
}

/// Whether an op that could be written with others has a spelling, with most dtypes at least.
pub(crate) fn is_spelled(op: &Op) -> bool {
    match op {
        Op::Reciprocal | Op::Einsum { .. } | Op::SumWhere { .. } => false,
        Op::Norm { order, .. } => *order == NormOrder::Default,
        Op::Getitem { key } => key.arrays() == 0,
        _ => true,
    }
}

fn one<V>(value: V) -> Values<V> {
    Values::from_buf([value])
}

/// Axes and sizes as libtorch takes them.
fn ints(numbers: &[usize]) -> SmallVec<[i64; 4]> {
    numbers.iter().map(|&n| n as i64).collect()
}
