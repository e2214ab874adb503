//! Transposed solutions: of systems of equations, which are linear in their right sides.

use smallvec::smallvec;

use super::super::writer::Writer;
use super::{Cotangents, not_linear};
use crate::error::Result;
use crate::{LinalgOp, Node, ValueId};

/// Right sides are matrices here: the rules for tangents write vectors as such.
pub(super) fn of_node(
    w: &mut Writer,
    op: &LinalgOp,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    if *linear != [false, true] {
        return Err(not_linear(node));
    }
    let op = match *op {
        LinalgOp::Solve => LinalgOp::Solve,
        LinalgOp::SolveTriangular {
            lower,
            unit_diagonal,
        } => LinalgOp::SolveTriangular {
            lower: !lower,
            unit_diagonal,
        },
        LinalgOp::Norm { .. }
        | LinalgOp::Qr { .. }
        | LinalgOp::Svd { .. }
        | LinalgOp::Svdvals
        | LinalgOp::Eigh
        | LinalgOp::Eigvalsh
        | LinalgOp::Eig
        | LinalgOp::Eigvals
        | LinalgOp::Cholesky
        | LinalgOp::Lu
        | LinalgOp::Inv
        | LinalgOp::Det
        | LinalgOp::Slogdet
        | LinalgOp::Expm
        | LinalgOp::Pinv { .. }
        | LinalgOp::Lstsq { .. } => return Err(not_linear(node)),
    };
    let a = w.adjoint(node.inputs[0])?;
    Ok(smallvec![(1, w.op(op, &[a, ct])?.into())])
}
