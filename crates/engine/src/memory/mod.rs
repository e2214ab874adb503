//! Groups -> workspace: in which order groups run, and where the buffers of the workspace lie.
//!
//! | file | |
//! |---|---|
//! | `choose.rs` | the order, under a limit of memory |
//! | `plan.rs`, `free_list.rs` | the plan for one order |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! Promises of this stage to the assembler: buffers that are alive at the same time never share memory, unless one is
//! declared to take over the memory of the other, which then is read for the last time where the new one is written,
//! element by element; every buffer lies inside the workspace and is aligned for its elements.

mod choose;
mod free_list;
mod plan;
mod text;
mod verify;

pub(crate) use choose::{Limit, choose};
pub(crate) use plan::{ALIGNMENT, Workspace};
pub(crate) use text::print;
pub(crate) use verify::verify;
