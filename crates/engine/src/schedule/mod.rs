//! Loops -> groups: which steps depend on each other, and which of them may run as one.
//!
//! | file | |
//! |---|---|
//! | `rank.rs` | the level and the kind of each step |
//! | `order.rs` | orders of steps, cut into groups |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! Promises of this stage to the planner of memory: an order holds every step once; the steps that a step depends on are
//! in earlier groups; the steps of a group are of one kind, so they do the same to different memory and do not depend on
//! each other.

mod order;
mod rank;
mod text;
mod verify;

pub(crate) use order::Order;
pub(crate) use rank::{Rank, Ranks, rank, with_late_copies};
pub(crate) use text::print;
pub(crate) use verify::verify;
