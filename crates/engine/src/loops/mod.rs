//! Instructions -> loops: which instructions share a loop, and what each loop does apart from the memory it works on.
//!
//! | file | |
//! |---|---|
//! | `step.rs` | steps: fused loops and calls; which instruction is in which |
//! | `fuse.rs` | fusion, one pass over the instructions |
//! | `uses.rs` | how results are used, which fusion asks for |
//! | `small.rs` | small loops that go on, in graphs that are run many times |
//! | `nest.rs` | loop nests abstracted over memory, for deduplication |
//! | `split.rs` | small loops that share no code are split into single instructions |
//! | `build.rs` | the stage: fusion, nests, and fusion again if there are too many nests |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! Promises of this stage to the scheduler: every instruction but joins is in exactly one step; running the steps in
//! order is correct; within a loop, what is read is made before, either in the same part of the loop, or in memory by an
//! earlier part; each value is computed once; every element that a slot of a nest reaches lies inside its buffer.

mod build;
mod fuse;
mod nest;
mod small;
mod split;
mod step;
mod text;
mod uses;
mod verify;

pub(crate) use build::{Loops, Work, build};
pub(crate) use nest::{Action, Anchor, Nest, NestId, NestOperation, NestSlot, Section, Value};
pub(crate) use split::KERNELS;
pub(crate) use step::{Fusion, Phase, Step};
pub(crate) use text::print;
pub(crate) use verify::verify;
