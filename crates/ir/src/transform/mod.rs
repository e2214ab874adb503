//! Graph to graph: transformations that work for every backend and compose with each other, one folder or file each.

pub mod batch;
pub mod calls;
pub mod differentiate;
mod inline;
pub mod partition;
pub mod simplify;
