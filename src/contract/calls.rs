//! The calls of the compiled function that a run makes: which slices each of them adds. The plan alone decides it, so that the bits of
//! a result depend on nothing else.

use super::layout::Layout;

/// Operations that a call has at least, where there are slices enough: handing it out costs microseconds.
const OPERATIONS: f64 = (1 << 22) as f64;

/// Calls that there are at least, where there are slices enough, so that threads share them well and checkpoints lose little.
const CALLS: u64 = 64;

/// The slices of each call.
#[derive(Clone, Copy)]
pub(super) struct Calls {
    /// Slices of a block, and of each call but the last one of a block.
    summed: u64,
    pub(super) per_call: u64,
    /// Calls of a block, and of all.
    of_block: u64,
    pub(super) count: u64,
}

impl Calls {
    pub(super) fn new(layout: &Layout) -> Self {
        let operations = layout.plan.cost().operations() / layout.slices().max(1) as f64;
        let enough = (OPERATIONS / operations.max(1.0)).ceil() as u64;
        let most = (layout.summed / CALLS).max(1);
        let per_call = enough.clamp(1, most);
        let of_block = layout.summed.div_ceil(per_call);
        Self {
            summed: layout.summed,
            per_call,
            of_block,
            count: of_block * layout.blocks,
        }
    }

    /// The block that a call belongs to; there are blocks if there are calls.
    pub(super) fn block(self, call: u64) -> u64 {
        call.checked_div(self.of_block).unwrap_or(0)
    }

    /// The first slice of a call; of the number of all calls the number of all slices.
    pub(super) fn first(self, call: u64) -> u64 {
        let of_block = call.checked_rem(self.of_block).unwrap_or(0);
        self.block(call) * self.summed + of_block * self.per_call
    }

    /// The slices of a call.
    pub(super) fn slices(self, call: u64) -> u64 {
        self.first(call + 1) - self.first(call)
    }

    pub(super) fn ends_block(self, call: u64) -> bool {
        (call + 1).is_multiple_of(self.of_block)
    }
}
