//! The contents of a call from a program back into autojit: the op, its types, the user's line. `host.rs` answers it.

use smallvec::SmallVec;

use autojit_ir::{ArrayType, DType, Op, Site, Type};

/// The name of the target, as programs give it.
pub(super) const TARGET: &str = "autojit";

/// The task of a call.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Runs an op.
    Op(Op),
    /// Gives positions back, and refuses those that are not below a number.
    Positions(usize),
    /// Gives the condition of a loop back, whose first operand it is, and refuses it if it still holds after so many iterations;
    /// how many they were is the second operand.
    GoesOn {
        /// The most iterations.
        limit: u64,
    },
}

/// A call of a program.
#[derive(Clone, Debug)]
pub(super) struct HostCall {
    pub(super) work: Work,
    pub(super) inputs: SmallVec<[ArrayType; 2]>,
    pub(super) result: Type,
    /// The op that errors name.
    pub(super) op: &'static str,
    pub(super) location: Option<Site>,
    /// How many loops are around it. The numbers of their iterations are operands before the inputs, the innermost first.
    pub(super) steps: usize,
}

/// The type of the operand by which a call finds its run.
pub(super) const RUN_NUMBER: DType = DType::Int64;

/// The type of the number of an iteration.
pub(super) const STEP_NUMBER: DType = DType::Int64;
