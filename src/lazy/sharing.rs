//! Sharing of repeated intermediates while lazy arrays are written down.

use std::panic::Location;

use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use crate::ir::{Op, Type};

/// A node for the op, or the equal one from before.
pub(super) fn intern(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    ty: Type,
    location: &'static Location<'static>,
) -> LazyArray {
    LazyArray::new(ty, State::Pending { op, inputs }, location)
}
