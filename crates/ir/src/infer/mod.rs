//! The rules for dtypes and shapes that rows of the op table name.
//!
//! A rule gives a [`Signature`]: the dtype to which each input is converted before the op runs, and the type
//! of the result. So promotion is decided once, here; the interpreter, the libraries and the compilers all
//! see inputs of equal dtype.
//!
//! Messages name the types, as `f64[3,4]`, and what was expected.

mod control;
mod elementwise;
mod fourier;
mod given;
mod joins;
mod linalg;
mod norm;
mod plain;
mod products;
mod reduce;
mod scatter;
mod shapes;

pub(super) use control::*;
pub(super) use elementwise::*;
pub(super) use fourier::*;
pub(super) use given::*;
pub(super) use joins::*;
pub(super) use linalg::*;
pub(super) use norm::*;
pub use plain::{PlainType, infer_plain, plain_result};
pub(super) use products::*;
pub(super) use reduce::*;
pub(super) use scatter::*;
pub(super) use shapes::*;

use smallvec::{SmallVec, smallvec};

use super::scalar::{Literal, Scalar};
use super::types::{ArrayType, Class, DType, Type, broadcast_shapes};
use super::{MapOp, Op};
use crate::error::{Error, Result};

/// The signature of an op for given types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The dtype to which each input is converted; `None` leaves it as it is.
    pub operands: SmallVec<[Option<DType>; 4]>,
    /// The type of the result.
    pub result: Type,
}

impl Signature {
    /// All inputs are converted to one dtype.
    pub(super) fn uniform(count: usize, operand: DType, result: ArrayType) -> Result<Self> {
        Ok(Self {
            operands: smallvec![Some(operand); count],
            result: result.into(),
        })
    }

    /// Inputs stay as they are.
    pub(super) fn unchanged(count: usize, result: impl Into<Type>) -> Result<Self> {
        Ok(Self {
            operands: smallvec![None; count],
            result: result.into(),
        })
    }
}

/// An axis that may count from the end, brought into `0..ndim`.
///
/// # Errors
/// The axis is out of range.
pub fn normalize_axis(axis: i64, ndim: usize) -> Result<usize> {
    let wrapped = if axis < 0 {
        axis.saturating_add(ndim as i64)
    } else {
        axis
    };
    usize::try_from(wrapped)
        .ok()
        .filter(|&a| a < ndim)
        .ok_or_else(|| Error::index(format!("axis {axis} is out of range for {ndim} dimensions")))
}

/// Gives each weak scalar among the inputs its dtype beside the dtypes of the arrays.
///
/// The condition of `where` takes no part in the promotion of the others, nor do positions: numbers that are put into an array get
/// the dtype of that array.
pub fn resolve_scalars(op: &Op, arrays: &[Option<DType>], scalar: Scalar) -> Result<Literal> {
    resolve_scalar(op, strong_dtype(op, arrays.iter().copied()), scalar)
}

/// The dtype of the arrays beside which weak scalars get theirs; `None` if there are none.
#[inline]
pub fn strong_dtype(op: &Op, arrays: impl Iterator<Item = Option<DType>>) -> Option<DType> {
    let mut strong: Option<DType> = None;
    for (index, dtype) in arrays.enumerate() {
        let apart = match index {
            0 => matches!(op, Op::Map(MapOp::Where)),
            _ => matches!(op, Op::Index(_)),
        };
        if let Some(dtype) = dtype.filter(|_| !apart) {
            strong = Some(strong.map_or(dtype, |strong| strong.promote(dtype)));
        }
    }
    strong
}

/// Gives a weak scalar its dtype beside that of the arrays.
pub fn resolve_scalar(op: &Op, strong: Option<DType>, scalar: Scalar) -> Result<Literal> {
    let Some(strong) = strong else {
        return Ok(Literal {
            value: scalar,
            dtype: scalar.dtype(),
        });
    };
    let dtype = scalar.weak_dtype(strong);
    if let (Some(i), Class::Integer) = (scalar.to_integer(), dtype.class())
        && scalar.cast(dtype) != scalar
    {
        if gives_another_dtype(op) {
            return Ok(Literal {
                value: scalar,
                dtype: scalar.dtype(),
            });
        }
        return Err(Error::overflow(format!(
            "the integer {i} does not fit into {dtype}"
        )));
    }
    Ok(Literal::new(scalar, dtype))
}

/// Whether an op of integers gives truth values or floating numbers, so that an integer among them need not fit into the dtype of
/// the others: it keeps its own.
fn gives_another_dtype(op: &Op) -> bool {
    matches!(
        op,
        Op::Map(
            MapOp::Equal
                | MapOp::NotEqual
                | MapOp::Less
                | MapOp::LessEqual
                | MapOp::Greater
                | MapOp::GreaterEqual
                | MapOp::LogicalAnd
                | MapOp::LogicalOr
                | MapOp::LogicalXor
                | MapOp::Divide
                | MapOp::Arctan2
                | MapOp::Hypot
                | MapOp::Copysign
        )
    )
}

/// The rule of both leaves that carry their type.
pub(super) fn typed_leaf(_index: &usize, ty: &ArrayType, _inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(0, ty.clone())
}

pub(super) fn literal(value: &Literal, _inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(0, ArrayType::scalar(value.dtype))
}

pub(super) fn get(index: &usize, inputs: &[&Type]) -> Result<Signature> {
    match inputs[0] {
        Type::Tuple(types) if *index < types.len() => {
            Signature::unchanged(1, types[*index].clone())
        }
        other => Err(Error::index(format!("no result number {index} in {other}"))),
    }
}

/// The rule of what leaves its input as it is.
pub(super) fn same(inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, inputs[0].array()?.clone())
}

pub(super) fn astype(dtype: &DType, inputs: &[&Type]) -> Result<Signature> {
    Signature::unchanged(1, inputs[0].array()?.with_dtype(*dtype))
}
