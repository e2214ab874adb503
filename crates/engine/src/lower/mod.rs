//! Graph -> instructions on views of buffers: views become strides, joins destinations, everything else an instruction.
//!
//! | file | |
//! |---|---|
//! | `decide.rs` | which ops the engine compiles as they are |
//! | `lowering.rs` | the two passes over the graph |
//! | `destinations.rs` | where values are computed: in results, in parts of joins |
//! | `calls.rs`, `external.rs` | ops that are one call of the runtime or of a registered function |
//! | `control.rs` | loops and branches |
//! | `ir.rs`, `layout.rs` | the instructions, and the views that they read and write |
//! | `text.rs`, `verify.rs` | the text form and the verifier |
//!
//! Promises of this stage to fusion: an element of a buffer is written by one instruction; an instruction comes after
//! those that write what it reads, and the views that it reads name the instruction after which their elements are
//! there; only results and the workspace are written; every element of every view lies inside its buffer.

mod calls;
mod control;
mod decide;
mod destinations;
mod external;
mod ir;
mod layout;
mod lowering;
mod text;
mod verify;

pub(crate) use control::Control;
pub(crate) use decide::decide;
pub(crate) use ir::*;
pub(crate) use layout::{Geometry, GeometryId, elements, extent};
pub(crate) use lowering::lower;
pub(crate) use text::{list, print, print_axes, print_operation};
pub(crate) use verify::verify;
