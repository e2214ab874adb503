//! Writing an op down as a node.

use std::sync::Arc;

use smallvec::SmallVec;

use super::infer::{given, infer};
use super::node::{LazyArray, LazyOperand, State};
use super::sharing;
use super::sites::site_of;
use autojit_ir::error::Result;
use autojit_ir::{Dims, Op, PlainType, Site, ViewOp};

/// Writes down an op as a node.
pub(crate) fn write(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    location: Site,
) -> Result<LazyArray> {
    let (ty, _) = infer(&op, inputs.len(), |index| given(&inputs[index]))?;
    let ty = match ty {
        PlainType::Input(ty) => Arc::clone(ty),
        PlainType::Other(ty) => Arc::new(ty),
    };
    let (op, inputs) = merge_views(op, inputs);
    Ok(sharing::intern(op, inputs, ty, site_of(location)))
}

/// A transpose of a transpose, and a reshape of a reshape, are one: autoray counts them so.
fn merge_views(op: Op, inputs: SmallVec<[LazyOperand; 3]>) -> (Op, SmallVec<[LazyOperand; 3]>) {
    let (Op::View(ViewOp::Transpose { .. } | ViewOp::Reshape { .. }), [LazyOperand::Node(node)]) =
        (&op, inputs.as_slice())
    else {
        return (op, inputs);
    };
    let merged = match (&op, &*node.state()) {
        (
            Op::View(ViewOp::Transpose { perm }),
            State::Pending {
                op: Op::View(ViewOp::Transpose { perm: before }),
                inputs,
            },
        ) => {
            let perm: Dims = perm.iter().map(|&p| before[p]).collect();
            Some((Op::View(ViewOp::Transpose { perm }), inputs.clone()))
        }
        (
            Op::View(ViewOp::Reshape { .. }),
            State::Pending {
                op: Op::View(ViewOp::Reshape { .. }),
                inputs,
            },
        ) => Some((op.clone(), inputs.clone())),
        _ => None,
    };
    merged.unwrap_or((op, inputs))
}
