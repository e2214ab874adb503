//! Entries: kernels and calls with the addresses of their operands.
//!
//! Addresses are numbers of base addresses (workspace, constants, arguments, results) and offsets, so one program serves
//! all calls from all threads at once; what changes between calls is the table of bases.

use smallvec::SmallVec;

use crate::kernel::Kernel;
use crate::lower::{BufferId, Call, Lowered, Storage};
use crate::memory::Workspace;
use autojit_ir::{Graph, Site};

/// An operand: a base address and an offset in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelativeAddress {
    pub(crate) base: u32,
    pub(crate) offset: isize,
}

/// One entry. Calls are boxed: a program goes through all entries, and those of kernels fit into half a cache line.
#[derive(Debug)]
pub(crate) enum Entry {
    Kernel {
        kernel: u32,
        operands: std::ops::Range<u32>,
        parameters: u32,
        /// Whether the kernel takes a failure record.
        can_fail: bool,
        /// If it is called many times, how.
        run: Option<Box<Run>>,
    },
    Call {
        call: Box<Call>,
        operands: std::ops::Range<u32>,
        /// If it is made many times, how: a product alone.
        run: Option<Box<Run>>,
    },
}

/// For each operand how far it moves from one call to the next, in bytes.
pub(crate) type Moves = SmallVec<[isize; 6]>;

/// Calls of one kernel, or products, one after the other.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) times: u32,
    /// From the first to the second, from the third to the fourth and so on; and from the second to the third and so on.
    pub(crate) moves: [Moves; 2],
}

/// The op and the source line to name if an entry fails.
pub(crate) type Origin = (&'static str, Option<Site>);

/// The parts of a program, before there is code for its kernels.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// The different kernels.
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) list: Vec<Entry>,
    /// One for each entry.
    pub(crate) origins: Vec<Origin>,
    pub(crate) operands: Vec<RelativeAddress>,
    pub(crate) parameters: Vec<i64>,
    /// For each entry, of how many steps it is made.
    pub(crate) batches: Vec<u32>,
}

impl Entries {
    /// None yet, with room for so many.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self {
            list: Vec::with_capacity(entries),
            origins: Vec::with_capacity(entries),
            batches: Vec::with_capacity(entries),
            ..Self::default()
        }
    }
}

/// Numbers the bases: the workspace, constants, arguments, results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bases {
    pub(crate) constants: usize,
    pub(crate) inputs: usize,
}

impl Bases {
    pub(crate) fn of(graph: &Graph) -> Self {
        Self {
            constants: graph.constants().len(),
            inputs: graph.input_types().len(),
        }
    }

    /// The kind of a base.
    pub(crate) fn storage(self, base: u32) -> Storage {
        let base = base as usize;
        match base.checked_sub(1) {
            None => Storage::Workspace,
            Some(i) if i < self.constants => Storage::Constant(i),
            Some(i) if i < self.constants + self.inputs => Storage::Input(i - self.constants),
            Some(i) => Storage::Output(i - self.constants - self.inputs),
        }
    }

    /// The operand for an element of a buffer, given by its offset in bytes.
    pub(crate) fn operand(
        self,
        lowered: &Lowered,
        workspace: &Workspace,
        buffer: BufferId,
        offset: isize,
    ) -> RelativeAddress {
        match lowered.buffer(buffer).storage {
            Storage::Workspace => RelativeAddress {
                base: 0,
                offset: workspace.offsets[buffer.0 as usize] as isize + offset,
            },
            Storage::Constant(i) => RelativeAddress {
                base: 1 + i as u32,
                offset,
            },
            Storage::Input(i) => RelativeAddress {
                base: (1 + self.constants + i) as u32,
                offset,
            },
            Storage::Output(i) => RelativeAddress {
                base: (1 + self.constants + self.inputs + i) as u32,
                offset,
            },
        }
    }
}
