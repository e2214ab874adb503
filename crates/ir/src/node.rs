//! `Node` and `ValueId`: one step of a program, and its number.

use std::sync::Arc;

use smallvec::SmallVec;

use super::op::Op;
use super::site::Site;
use super::types::Type;

/// The number of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As an index into the nodes of its graph.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for ValueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// One step of a program.
#[derive(Debug)]
pub struct Node {
    /// The op.
    pub op: Op,
    /// To which values.
    pub inputs: SmallVec<[ValueId; 4]>,
    /// The type of the result. Most programs have few, which their nodes share.
    pub ty: Arc<Type>,
    /// The user's source line, where known. It takes no part in sharing: the first one stays.
    pub location: Option<Site>,
}

impl Clone for Node {
    /// Graphs are copied often, and to copy the list of inputs as a whole is several times faster than one by one.
    fn clone(&self) -> Self {
        Self {
            op: self.op.clone(),
            inputs: SmallVec::from_slice(&self.inputs),
            ty: Arc::clone(&self.ty),
            location: self.location,
        }
    }
}
