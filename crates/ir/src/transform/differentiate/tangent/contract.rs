//! Tangents of products of arrays: the sum over operands of the same product with the tangent in its place.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::ContractOp;
use crate::error::Result;

pub(super) fn tangent(w: &mut Writer, op: &ContractOp, site: &Site<'_>) -> Result<Tangent> {
    match op {
        ContractOp::Matmul | ContractOp::Tensordot { .. } | ContractOp::Einsum { .. } => {
            site.multilinear(w)
        }
    }
}
