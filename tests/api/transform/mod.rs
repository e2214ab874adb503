//! Transformations of functions: derivatives and batches, nested, of trees, with what closures capture.

mod batches;
mod checkpoints;
mod edges;
mod errors;
mod gradients;
mod nesting;
mod registered;
mod rules;
