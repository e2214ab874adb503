//! Computations that were written down but not yet run, as nodes and as the recordings of traces.
//!
//! A node ([`LazyArray`]) points to the nodes that it is computed from. A function that is traced writes into a dense
//! [`autojit_ir::Graph`] instead ([`Recording`]), which is what is compiled; requesting the history of one of its arrays
//! materialises nodes. Nothing here knows [`crate::Array`], which is built on it: an input of an op is an [`Input`].

mod compute;
mod history;
mod infer;
mod node;
mod recording;
mod sharing;
mod show;
mod sites;
mod tracing;
mod traversal;
mod write;

pub(crate) use compute::{compute_constant_nodes, compute_nodes};
pub use history::{History, Statistic};
pub use node::LazyArray;
pub(crate) use node::{LazyOperand, State};
pub(crate) use recording::{FreeVariable, Input, Recording, Traced};
pub use sharing::{SharedIntermediates, share_intermediates, shared_intermediates};
pub use show::Show;
pub use sites::set_source_lines;
pub(crate) use sites::site_of;
pub(crate) use tracing::{Tracing, current_trace, next_draw};
pub(crate) use write::write;
