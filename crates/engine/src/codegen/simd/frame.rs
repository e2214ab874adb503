//! Where values lie beside the registers of an instruction: on the stack around calls, and in registers across loops.
//!
//! Data only; `calls.rs` and `rows.rs` decide about it, and the emitter has one of each.

use smallvec::SmallVec;

use super::ir::Element;
use super::vcode::Vector;

/// Places on the stack, as offsets from the stack pointer.
#[derive(Clone, Default)]
pub(super) struct CallFrame {
    /// The stack pointer of the caller, and the pointer to the parameters.
    pub(super) stack: i32,
    pub(super) parameters: i32,
    /// Elements of the innermost axis that are left, and those of the strip.
    pub(super) left: i32,
    pub(super) strip: i32,
    /// For each register that the last part reads, its number.
    pub(super) escaping: i32,
    /// Registers while a function of one element runs.
    pub(super) saved: i32,
    /// Operands and result of such a function.
    pub(super) arguments: i32,
    /// For each part of a reduction, a vector of results so far and one of compensations.
    pub(super) totals: i32,
}

/// How the vectors of a row are treated, and where they are.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// For each vector, whether it is carried.
    pub(super) carried: SmallVec<[bool; 8]>,
    /// For each vector, whether it is hoisted.
    pub(super) hoisted: SmallVec<[bool; 8]>,
    /// The load by which vectors are hoisted.
    pub(super) load: Option<Element>,
    /// Where the parts of each vector are.
    pub(super) places: SmallVec<[SmallVec<[Vector; 2]>; 8]>,
}

/// The rows that the loops inside read or write.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
}

impl Rows {
    /// Registers that will be taken.
    pub(super) fn wanted(&self) -> usize {
        let of_row = |row: &Row| {
            let flags = row.carried.iter().chain(&row.hoisted);
            flags.filter(|f| **f).count() * row.load.map_or(1, |e| e.parts().len())
        };
        self.rows.iter().map(of_row).sum()
    }
}
