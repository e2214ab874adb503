//! Tangents of views and joins: what is done to the elements is done to their tangents.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::error::Result;
use crate::{JoinOp, ValueId, ViewOp};

pub(super) fn tangent(w: &mut Writer, op: &ViewOp, site: &Site<'_>) -> Result<Tangent> {
    match op {
        ViewOp::Reshape { .. }
        | ViewOp::Transpose { .. }
        | ViewOp::BroadcastTo { .. }
        | ViewOp::Slice { .. } => site.multilinear(w),
    }
}

pub(super) fn join(w: &mut Writer, op: &JoinOp, site: &Site<'_>) -> Result<Tangent> {
    match op {
        JoinOp::Concatenate { .. } | JoinOp::Stack { .. } => {
            let mut parts: Vec<ValueId> = Vec::with_capacity(site.t.len());
            for (&x, t) in site.x.iter().zip(site.t) {
                parts.push(match *t {
                    Some(t) => t,
                    None => {
                        let ty = w.ty(x)?;
                        w.zeros(&ty)?
                    }
                });
            }
            site.again(w, &parts)
        }
    }
}
