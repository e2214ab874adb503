//! The level and the kind of each step.
//!
//! A step's level is one more than the highest level of those that it needs, so steps of one level do not depend on
//! each other. Steps of a level that do the same (equal nests or equal calls) form a group; where the operands of a
//! group lie evenly spaced in memory, it becomes one loop with one axis more (`program/assemble.rs`).

use autojit_runtime::copy::StridedCopy;
use autojit_runtime::matmul::MatrixProduct;
use rustc_hash::FxHashMap;

use crate::loops::{Fusion, Loops, Phase, Step, Work};
use crate::lower::{Call, CallSite, Instruction, InstructionId, Lowered, View};

/// The level and the kind of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) level: u32,
    /// Steps of equal kinds do the same to different memory.
    pub(crate) kind: u32,
}

/// One for each step.
pub(crate) type Ranks = [Rank];

/// The calls that run as one when several of them are equal.
#[derive(PartialEq, Eq, Hash)]
enum CallKey<'a> {
    Matmul(&'a MatrixProduct),
    /// Of elements of a size, in which offsets count; the copy itself may move several at once.
    Copy(&'a StridedCopy, usize),
}

/// Ranks all steps.
pub(crate) fn rank(lowered: &Lowered, loops: &Loops) -> Vec<Rank> {
    let levels = levels(lowered, &loops.fusion);
    let mut calls: FxHashMap<CallKey<'_>, u32> = FxHashMap::default();
    let steps = loops.fusion.steps.iter().zip(&loops.bodies);
    let mut ranks = Vec::with_capacity(loops.bodies.len());
    // Nearly always none can, and nothing is asked of each instruction.
    let some_can_fail = lowered.some_can_fail();
    for (index, ((step, body), level)) in steps.zip(levels).enumerate() {
        // Kinds of loops are even numbers, those of calls odd ones. A step that can fail is a kind of its own, as the
        // message names a source line.
        let alone = 2 * index as u32 + 1;
        let kind = match (step, body.work) {
            (Step::Loop(group), Work::Loop(nest)) => {
                let can_fail =
                    |&(id, _): &(InstructionId, Phase)| lowered.can_fail(lowered.instruction(id));
                if some_can_fail && group.members.iter().any(can_fail) {
                    alone
                } else {
                    2 * nest.0
                }
            }
            (_, Work::Call(call)) => {
                let CallSite { call, inputs, .. } = lowered.call(call);
                let key = match call {
                    Call::Matmul(product) => Some(CallKey::Matmul(product)),
                    Call::Copy(copy) => Some(CallKey::Copy(copy, inputs[0].dtype.size())),
                    _ => None,
                };
                key.map_or(alone, |key| *calls.entry(key).or_insert(alone))
            }
            // A call never has a nest.
            (Step::Call(_), Work::Loop(_)) => alone,
        };
        ranks.push(Rank { level, kind });
    }
    ranks
}

/// Ranks by which copies run as late as they can: on the level before their first reader. `None` if none can run later.
///
/// A part that is copied from an argument to an array that a later loop completes is on the first level, so that the memory
/// of all such arrays would be taken from there on.
pub(crate) fn with_late_copies(
    lowered: &Lowered,
    loops: &Loops,
    ranks: &Ranks,
) -> Option<Vec<Rank>> {
    let is_copy = |step: u32| match loops.work(step) {
        Work::Call(call) => matches!(lowered.call(call).call, Call::Copy(_)),
        Work::Loop(_) => false,
    };
    if !(0..ranks.len() as u32).any(is_copy) {
        return None;
    }
    // What is changed where it lies must have been read before.
    let mut changes = vec![false; lowered.buffers.len()];
    for CallSite { call, inputs, .. } in &lowered.calls {
        if let Some(source) = call.changed() {
            changes[inputs[source].buffer.0 as usize] = true;
        }
    }
    // The level of the first reader of each instruction, found backwards: readers come after what they read.
    const NONE: u32 = u32::MAX;
    let mut read = vec![NONE; lowered.instructions.len()];
    for (index, instruction) in lowered.instructions.iter().enumerate().rev() {
        if let &Instruction::Join { parts } = instruction {
            let whole = read[index];
            for part in lowered.parts(parts) {
                let part = &mut read[part.0 as usize];
                *part = whole.min(*part);
            }
            continue;
        }
        let (step, _) = loops.fusion.placed[index];
        let level = ranks[step as usize].level;
        for origin in lowered.reads(instruction).filter_map(View::origin) {
            let made = &mut read[origin.0 as usize];
            *made = level.min(*made);
        }
    }
    let mut late = ranks.to_vec();
    let mut is_later = false;
    for (index, step) in loops.fusion.steps.iter().enumerate() {
        let Step::Call(id) = step else {
            continue;
        };
        let first = read[id.0 as usize];
        let rank = &mut late[index];
        let mut sources = lowered.reads(lowered.instruction(*id));
        if first == NONE
            || first <= rank.level + 1
            || !is_copy(index as u32)
            || sources.any(|view| changes[view.buffer.0 as usize])
        {
            continue;
        }
        rank.level = first - 1;
        is_later = true;
    }
    is_later.then_some(late)
}

/// The level of each step.
///
/// A call that can change an array where it lies comes after those that read the array before it in the order of the program,
/// though it does not need them: a level earlier it would have to copy the array.
fn levels(lowered: &Lowered, fusion: &Fusion) -> Vec<u32> {
    let changes = |call: &CallSite| call.call.changed().map(|source| call.inputs[source]);
    // The level after the last reader of each buffer, so far.
    let mut last_read = if lowered.calls.iter().any(|call| changes(call).is_some()) {
        vec![0; lowered.buffers.len()]
    } else {
        Vec::new()
    };
    let mut levels = vec![0; fusion.steps.len()];
    // The level from which on each joined array is whole. Joins are done with the last step of their parts, those
    // within others first.
    let mut joined: FxHashMap<InstructionId, u32> = FxHashMap::default();
    let mut joins: Vec<(u32, InstructionId)> = Vec::new();
    for (index, instruction) in lowered.instructions.iter().enumerate() {
        if matches!(instruction, Instruction::Join { .. }) {
            joins.push((fusion.placed[index].0, InstructionId(index as u32)));
        }
    }
    joins.sort_unstable();
    let mut joins = joins.into_iter().peekable();
    let ready = |origin: InstructionId, levels: &[u32], joined: &FxHashMap<InstructionId, u32>| {
        match fusion.placed[origin.0 as usize] {
            (_, Phase::Alone) if joined.contains_key(&origin) => joined[&origin],
            (step, _) => levels[step as usize] + 1,
        }
    };
    for (index, step) in fusion.steps.iter().enumerate() {
        let mut level = 0;
        let mut needs = |id: InstructionId| {
            for view in lowered.reads(lowered.instruction(id)) {
                if let Some(origin) = view.origin()
                    && (fusion.placed[origin.0 as usize].0 as usize) < index
                {
                    level = level.max(ready(origin, &levels, &joined));
                }
            }
        };
        match step {
            Step::Loop(group) => group.members.iter().for_each(|&(id, _)| needs(id)),
            Step::Call(id) => needs(*id),
        }
        if !last_read.is_empty() {
            if let Step::Call(id) = step
                && let Instruction::Call(call) = *lowered.instruction(*id)
                && let Some(array) = changes(lowered.call(call))
            {
                level = level.max(last_read[array.buffer.0 as usize]);
            }
            let mut reads = |id: InstructionId| {
                for view in lowered.reads(lowered.instruction(id)) {
                    let last = &mut last_read[view.buffer.0 as usize];
                    *last = (level + 1).max(*last);
                }
            };
            match step {
                Step::Loop(group) => group.members.iter().for_each(|&(id, _)| reads(id)),
                Step::Call(id) => reads(*id),
            }
        }
        levels[index] = level;
        while let Some((_, join)) = joins.next_if(|&(at, _)| at as usize <= index) {
            let &Instruction::Join { parts } = lowered.instruction(join) else {
                continue;
            };
            let parts = lowered.parts(parts).iter();
            let whole = parts.map(|&part| ready(part, &levels, &joined)).max();
            joined.insert(join, whole.unwrap_or(0));
        }
    }
    levels
}
