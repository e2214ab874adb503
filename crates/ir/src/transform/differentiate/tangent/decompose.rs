//! Tangents of decompositions.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::LinalgOp;
use crate::error::Result;

pub(super) fn tangents(
    _w: &mut Writer,
    _op: &LinalgOp,
    site: &Site<'_>,
    _wanted: &[bool],
) -> Result<Vec<Tangent>> {
    Err(super::super::without_rule(site.op))
}
