//! Loops and branches that are one operation, however often they run.
//!
//! A Rust loop inside of a function that is compiled is unrolled: each iteration is written down, and compiled. The functions here
//! trace the body once instead, so that compiling takes the same time for ten iterations as for a million, and so that a loop can
//! end, or a branch be taken, by a value that is known only when the function runs.
//!
#![doc = include_str!("../../docs/loops.md")]

mod body;
mod branch;
mod fori;
mod repeat;
mod scan;

pub use branch::{cond, switch};
pub use fori::fori_loop;
pub(crate) use fori::looped;
pub use repeat::{while_loop, while_loop_within};
pub use scan::{map, scan, scan_length, scan_reverse};
