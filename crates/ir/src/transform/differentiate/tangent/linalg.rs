//! Tangents of norms, and of functions of matrices with one result.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::LinalgOp;
use crate::error::Result;

pub(super) fn tangent(_w: &mut Writer, _op: &LinalgOp, site: &Site<'_>) -> Result<Tangent> {
    Err(super::super::without_rule(site.op))
}
