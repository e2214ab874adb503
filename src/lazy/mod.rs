//! Lazy arrays: computations that were written down but not yet run.
//!
//! A lazy array is a node that points to the nodes it is computed from. Nodes from different places combine
//! freely; graphs of a million nodes are built, walked and dropped without recursion. For compilation the
//! nodes are rebuilt as a dense [`crate::ir::Graph`] (see [`to_graph`]).

mod apply;
mod graph;
mod node;
mod sharing;

pub(crate) use apply::{apply, get};
pub(crate) use graph::to_graph;
pub use node::LazyArray;
pub(crate) use node::{LazyOperand, State};
