//! The memory of a run.

use std::fmt;

use super::layout::Layout;
use crate::DType;

/// The bytes that a run takes, by what they are for.
///
/// Products of matrices pack blocks of their operands into buffers that each thread keeps: one or two megabytes, which are not
/// counted, nor are the code and the stacks of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The operands, which are there before.
    pub operands: u64,
    /// One call of the compiled function: its intermediate results and what it gives.
    pub call: u64,
    /// What a call gives, until it is added.
    pub results: u64,
    /// The sums, and the result.
    pub sums: u64,
}

impl Memory {
    /// The bytes of a run on so many threads: for each of them a call, and what another one gave.
    #[must_use]
    pub fn total(&self, threads: usize) -> u64 {
        let each = self.call.saturating_add(self.results);
        let threads = (threads as u64).saturating_mul(each);
        self.operands
            .saturating_add(self.sums)
            .saturating_add(threads)
    }

    /// By the sizes of arrays alone: the intermediate results that are alive together, with copies of the operands of each
    /// contraction, as products of matrices take their axes in an order of their own.
    pub(super) fn estimate(layout: &Layout, dtype: DType) -> Self {
        let size = |shape: &[usize]| shape.iter().map(|&n| n as u64).fold(1, u64::saturating_mul);
        let mut sizes: Vec<u64> = layout.shapes.iter().map(|shape| size(shape)).collect();
        let operands = sizes.iter().copied().fold(0, u64::saturating_add);
        // Slices of operands are copies.
        for (size, axes) in sizes.iter_mut().zip(&layout.axes) {
            for &(_, label) in axes {
                *size /= layout.sliced[label].length.max(1);
            }
        }
        let copies = sizes.iter().zip(&layout.axes);
        let copies = copies.filter(|(_, axes)| !axes.is_empty());
        let mut alive = copies.map(|(&size, _)| size).fold(0, u64::saturating_add);
        let copied = alive;
        let mut most = alive;
        // A gradient keeps all of them, and has as many of its own.
        let kept: u64 = layout.steps.iter().map(|step| step.size).sum();
        for step in &layout.steps {
            let inputs: u64 = step.inputs.iter().map(|&input| sizes[input]).sum();
            alive = alive.saturating_add(step.size);
            most = most.max(alive.saturating_add(inputs));
            // What is the same in all slices stays where it is used in each.
            let used = step.inputs.iter().filter(|&&input| {
                let made_by = input.checked_sub(layout.shapes.len());
                made_by.is_some_and(|made_by| layout.steps[made_by].varies == step.varies)
            });
            alive = alive.saturating_sub(used.map(|&input| sizes[input]).sum());
            sizes.push(step.size);
        }
        if layout.gives_gradient {
            most = copied.saturating_add(kept).saturating_mul(2);
        }
        let block = size(&layout.block);
        let bytes = |elements: u64| elements.saturating_mul(dtype.size() as u64);
        Self {
            operands: bytes(operands),
            // Both sums are carried through the loop.
            call: bytes(most.saturating_add(block.saturating_mul(4))),
            ..Self::of_sums(layout, dtype)
        }
    }

    /// What does not depend on the compiled function.
    pub(super) fn of_sums(layout: &Layout, dtype: DType) -> Self {
        let bytes = |elements: u64| elements.saturating_mul(dtype.size() as u64);
        let block = layout.block_size() as u64;
        let operands = layout.shapes.iter().map(|shape| {
            let size = shape.iter().map(|&n| n as u64).fold(1, u64::saturating_mul);
            bytes(size)
        });
        // Blocks that are joined are put into the order of the result's axes.
        let copies = if layout.blocks > 1 { 2 } else { 1 };
        let result = block.saturating_mul(layout.blocks);
        Self {
            operands: operands.fold(0, u64::saturating_add),
            call: 0,
            results: bytes(block.saturating_mul(2)),
            sums: bytes(result.saturating_mul(copies).saturating_add(block)),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes of operands, {} of each call, {} of what it gives, {} of sums",
            self.operands, self.call, self.results, self.sums
        )
    }
}
