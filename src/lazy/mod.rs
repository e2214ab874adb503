//! Lazy arrays: computations that were written down but not yet run.
//!
//! A lazy array is a node that points to the nodes it is computed from. Nodes from different places combine
//! freely; graphs of a million nodes are built, walked and dropped without recursion. A function that is traced
//! writes into a dense [`crate::ir::Graph`] instead, which is what is compiled (`recording.rs`).
//!
//! - [`array`](fn@array) and [`variable`] make the leaves; every function of the library writes nodes down
//!   when one of its arguments is lazy;
//! - [`LazyArray`] shows what was written: its dependencies, [statistics](History), a [tree](LazyArray::show);
//! - [`compute`](fn@compute) and [`compute_constants`] run all of it, or what does not depend on variables;
//! - [`shared_intermediates`] writes what repeats only once.

mod apply;
mod arrays;
mod compute;
mod history;
mod node;
mod recording;
mod sharing;
mod show;
mod tracing;
mod traversal;

pub(crate) use apply::apply;
pub use arrays::{array, compute, compute_constants, history, variable};
pub(crate) use history::footprint;
pub use history::{History, Statistic};
pub use node::LazyArray;
pub(crate) use node::{LazyOperand, State};
pub(crate) use recording::{Recording, Traced};
pub use sharing::{SharedIntermediates, share_intermediates, shared_intermediates};
pub use show::Show;
pub(crate) use tracing::{Tracing, current_trace, next_draw};
