//! Lazy arrays: computations that were written down but not yet run.
//!
//! A lazy array is a node that points to the nodes it is computed from. Nodes from different places combine
//! freely; graphs of a million nodes are built, walked and dropped without recursion. A function that is traced
//! writes into a dense [`autojit_ir::Graph`] instead, which is what is compiled (`nodes/recording.rs`).
//!
//! - [`array`](fn@array) and [`variable`] make the leaves; every function of the library writes nodes down
//!   when one of its arguments is lazy;
//! - [`LazyArray`] shows what was written: its dependencies, [statistics](History), a [tree](LazyArray::show);
//! - [`compute`](fn@compute) and [`compute_constants`] run all of it, or what does not depend on variables;
//! - [`shared_intermediates`] writes what repeats only once.

mod arrays;

pub use crate::nodes::{
    History, LazyArray, SharedIntermediates, Show, Statistic, share_intermediates,
    shared_intermediates,
};
pub use arrays::{array, compute, compute_constants, history, variable};
