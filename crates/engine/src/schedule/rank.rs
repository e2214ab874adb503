//! The level and the kind of each step.
//!
//! A step's level is one more than the highest level of those that it needs, so steps of one level do not depend on
//! each other. Steps of a level that do the same (equal nests or equal calls) form a group; where the operands of a
//! group lie evenly spaced in memory, it becomes one loop with one axis more (`program/assemble.rs`).

use autojit_runtime::copy::StridedCopy;
use autojit_runtime::matmul::MatrixProduct;
use rustc_hash::FxHashMap;

use crate::loops::{Fusion, Loops, Phase, Step, Work};
use crate::lower::{Call, Instruction, InstructionId, Lowered};

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
    Copy(&'a StridedCopy),
}

/// Ranks all steps.
pub(crate) fn rank(lowered: &Lowered, loops: &Loops) -> Vec<Rank> {
    let levels = levels(lowered, &loops.fusion);
    let mut calls: FxHashMap<CallKey<'_>, u32> = FxHashMap::default();
    let steps = loops.fusion.steps.iter().zip(&loops.bodies);
    let mut ranks = Vec::with_capacity(loops.bodies.len());
    for (index, ((step, body), level)) in steps.zip(levels).enumerate() {
        // Kinds of loops are even numbers, those of calls odd ones. A step that can fail is a kind of its own, as the
        // message names a source line.
        let alone = 2 * index as u32 + 1;
        let kind = match (step, body.work) {
            (Step::Loop(group), Work::Loop(nest)) => {
                let can_fail =
                    |&(id, _): &(InstructionId, Phase)| lowered.can_fail(lowered.instruction(id));
                if group.members.iter().any(can_fail) {
                    alone
                } else {
                    2 * nest.0
                }
            }
            (_, Work::Call(call)) => {
                let key = match &lowered.call(call).call {
                    Call::Matmul(product) => Some(CallKey::Matmul(product)),
                    Call::Copy(copy) => Some(CallKey::Copy(copy)),
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

/// The level of each step.
fn levels(lowered: &Lowered, fusion: &Fusion) -> Vec<u32> {
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
                if let Some(origin) = view.origin
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
