//! The program: entries with addresses, divided among threads, and how they run.
//!
//! | file | |
//! |---|---|
//! | `entry.rs` | entries, and how addresses are numbered |
//! | `assemble.rs` | groups become entries: kernels, and batches of steps |
//! | `runs.rs` | entries that do the same one after the other become one |
//! | `origin.rs` | the op and the source line to name if an entry fails |
//! | `divide.rs` | entries that several threads run |
//! | `compiled.rs` | the program with its code, and the programs inside of loops and branches |
//! | `repeat.rs` | bodies of loops that are one kernel, which repeats itself |
//! | `run.rs` | how it runs |
//! | `split.rs`, `ahead.rs` | products of loops that are computed for many iterations at a time: found, and run |
//! | `control.rs` | how loops and branches run |
//! | `iterations.rs` | the addresses of iterations |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! Promises of this stage to code: each operand of an entry lies inside its base; a kernel reaches the elements that the
//! steps it was made of name; an entry that reads comes after those that write what it reads.

mod ahead;
mod assemble;
mod compiled;
mod control;
mod divide;
mod entry;
mod iterations;
mod origin;
mod repeat;
mod run;
mod runs;
mod split;
mod text;
mod verify;

pub(crate) use assemble::assemble;
pub(crate) use compiled::{Ahead, Constants, Control, Inner, Program};
pub(crate) use control::in_place;
pub(crate) use divide::divisions;
pub(crate) use entry::{Bases, Entries, Entry, Origin};
pub(crate) use origin::{attributed, origin};

pub(crate) use repeat::{Looped, Repeated, repeated};
pub(crate) use runs::shorten;
pub(crate) use split::split_products;
pub(crate) use text::print;
pub(crate) use verify::verify;
