//! Loops and branches: one step of the program each, with programs of their own for the graphs inside.
//!
//! Such a step reads and writes contiguous arrays, so an element along the first axis is an address. Beside the results it
//! writes a second buffer for each carried array: iterations read the one and write the other, and the last one writes the
//! result.

use autojit_ir::{ArrayType, ControlOp};

/// A loop or a choice between contiguous arrays.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) op: ControlOp,
    pub(crate) inputs: Vec<ArrayType>,
    /// The types of the results; buffers of the types of the carried ones follow.
    pub(crate) results: Vec<ArrayType>,
}

impl Control {
    /// How many arrays go from one iteration to the next.
    pub(crate) fn carried(&self) -> usize {
        match &self.op {
            ControlOp::Scan { carry, .. } | ControlOp::While { carry, .. } => *carry,
            ControlOp::Switch { .. } => 0,
        }
    }
}
