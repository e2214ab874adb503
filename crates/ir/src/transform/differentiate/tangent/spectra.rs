//! Parts that the rules for singular values and eigenvalues share.

use super::super::writer::Writer;
use crate::error::Result;
use crate::types::Dims;
use crate::{MapOp, ReduceOp, ValueId};

/// The pairwise differences `x_j - x_i`, or sums, of the last axis.
pub(super) fn pairs(w: &mut Writer, op: MapOp, x: ValueId) -> Result<ValueId> {
    let (row, column) = (w.as_row(x)?, w.as_column(x)?);
    w.op(op, &[row, column])
}

/// `1 / x`, and zero where `x` is zero to the precision of `values`: differences, sums or values themselves of a
/// decomposition, which are as accurate as the largest one.
pub(super) fn inverses(w: &mut Writer, x: ValueId, values: ValueId) -> Result<ValueId> {
    let ty = w.ty(values)?;
    let (axis, ndim) = (ty.ndim() - 1, w.ty(x)?.ndim());
    let sizes = w.op(MapOp::Absolute, &[values])?;
    let max = ReduceOp::Max {
        axes: Dims::from_slice(&[axis]),
        keepdims: true,
    };
    let largest = w.op(max, &[sizes])?;
    let mut limit = w.scale(largest, ty.dtype.epsilon() * ty.shape[axis].max(4) as f64)?;
    if ndim > ty.ndim() {
        limit = w.as_row(limit)?;
    }
    let size = w.op(MapOp::Absolute, &[x])?;
    let is_zero = w.op(MapOp::LessEqual, &[size, limit])?;
    let one = w.number(1.0, x)?;
    let safe = w.select(is_zero, one, x)?;
    let inverse = w.op(MapOp::Reciprocal, &[safe])?;
    w.drop(is_zero, inverse)
}

/// `(t + t^H) / 2`.
pub(super) fn hermitian_part(w: &mut Writer, t: ValueId) -> Result<ValueId> {
    let adjoint = w.adjoint(t)?;
    let sum = w.add(t, adjoint)?;
    w.scale(sum, 0.5)
}
