//! Small loops of graphs that are run many times.
//!
//! A loop over a few elements costs less than the call of its kernel, so in the body of a loop that is what counts. There a
//! loop goes on with any instruction over the same few elements, though it computes none of its operands: sixty numbers that are
//! carried are then one kernel with sixty results rather than sixty kernels. Outside of loops, where each kernel runs once, sharing
//! code among many small loops is worth more (`fuse.rs`).
//!
//! The loop that goes on is the last one that was opened over these elements, and only with instructions whose operands are made in
//! it, element by element, or in earlier steps.

use rustc_hash::{FxHashMap, FxHashSet};

use super::nest::Anchor;
use super::step::{Fusion, LARGEST_LOOP, Loop, Phase, Step, reads_all};
use crate::lower::{Instruction, InstructionId, Lowered, View};
use autojit_ir::Shape;

/// The most elements of a small loop.
const ELEMENTS: usize = 16;
/// The most instructions of a loop over one element: it is straight-line code, whose compile time grows with its length.
const LARGEST: usize = 1024;
/// The most operands in memory.
const OPERANDS: usize = 900;

/// For each shape the loop that may go on.
#[derive(Debug, Default)]
pub(super) struct SmallLoops {
    last: FxHashMap<Shape, Small>,
}

#[derive(Debug)]
struct Small {
    step: u32,
    /// The operands that are in memory, or may be.
    operands: FxHashSet<Anchor>,
}

fn elements(shape: &[usize]) -> usize {
    shape.iter().fold(1, |n, &len| n.saturating_mul(len))
}

/// The view that an instruction writes, if it can be in such a loop.
fn written(lowered: &Lowered, id: InstructionId) -> Option<&View> {
    match lowered.instruction(id) {
        Instruction::Map { output, .. } | Instruction::Copy { output, .. } => Some(output),
        Instruction::Reduce { .. } | Instruction::Call(_) | Instruction::Join { .. } => None,
    }
}

impl SmallLoops {
    /// Whether a loop over a view is small.
    pub(super) fn is_small(&self, lowered: &Lowered, view: &View) -> bool {
        (1..=ELEMENTS).contains(&elements(lowered.shape(view)))
    }

    /// The loop that goes on with some instructions, which may read each other's results.
    pub(super) fn follow(
        &self,
        lowered: &Lowered,
        fusion: &Fusion,
        members: &[InstructionId],
    ) -> Option<u32> {
        let last = *members.last()?;
        let shape = lowered.shape(written(lowered, last)?);
        let small = self.last.get(shape)?;
        let Step::Loop(group) = &fusion.steps[small.step as usize] else {
            return None;
        };
        let most = if elements(shape) == 1 {
            LARGEST
        } else {
            LARGEST_LOOP
        };
        let operands = members.iter().map(|&id| {
            let instruction = lowered.instruction(id);
            lowered.reads(instruction).count() + lowered.writes(instruction).len()
        });
        if group.reduced.is_some()
            || group.members.len() + members.len() > most
            || small.operands.len() + operands.sum::<usize>() > OPERANDS
        {
            return None;
        }
        let can_fail = |id: InstructionId| lowered.can_fail(lowered.instruction(id));
        if members.iter().any(|&id| can_fail(id))
            && group.members.iter().any(|&(id, _)| can_fail(id))
        {
            return None;
        }
        let fits = |&id: &InstructionId| {
            let Some(output) = written(lowered, id) else {
                return false;
            };
            let follows = |view: &View| {
                let Some(origin) = view.origin() else {
                    return true;
                };
                if members.contains(&origin) {
                    return reads_all(lowered, view, origin, output);
                }
                let (step, phase) = fusion.placed[origin.0 as usize];
                step < small.step
                    || step == small.step
                        && phase == Phase::Before
                        && reads_all(lowered, view, origin, output)
            };
            lowered.reads(lowered.instruction(id)).all(follows)
        };
        members.iter().all(fits).then_some(small.step)
    }

    /// Instructions were added to a loop.
    pub(super) fn added(
        &mut self,
        lowered: &Lowered,
        step: u32,
        group: &Loop,
        members: &[InstructionId],
    ) {
        let shape = &lowered.geometries[group.domain].shape;
        if group.reduced.is_some() || !(1..=ELEMENTS).contains(&elements(shape)) {
            return;
        }
        let small = self.last.entry(shape.clone()).or_insert_with(|| Small {
            step,
            operands: FxHashSet::default(),
        });
        if small.step > step {
            return;
        }
        if small.step < step {
            small.operands.clear();
            small.step = step;
        }
        for &id in members {
            let instruction = lowered.instruction(id);
            let views = lowered
                .reads(instruction)
                .chain(lowered.writes(instruction));
            small.operands.extend(views.map(|v| (v.buffer, v.offset)));
        }
    }
}
