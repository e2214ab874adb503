//! The op and the source line that failures of a step are attributed to.

use super::entry::Origin;
use crate::loops::{Loops, Phase, Step};
use crate::lower::{InstructionId, Lowered};
use autojit_ir::Graph;
use autojit_ir::error::Error;

/// The op and the source line of a step: those of the instruction in it that can fail, if the kernel can, or of its last.
pub(crate) fn origin(
    graph: &Graph,
    lowered: &Lowered,
    loops: &Loops,
    step: u32,
    can_fail: bool,
) -> Origin {
    let instruction = match &loops.fusion.steps[step as usize] {
        Step::Call(id) => *id,
        Step::Loop(group) => {
            let fails = |&&(id, _): &&(InstructionId, Phase)| {
                can_fail && lowered.can_fail(lowered.instruction(id))
            };
            let member = group.members.iter().find(fails).or(group.members.last());
            member.map_or(InstructionId(0), |&(id, _)| id)
        }
    };
    let value = lowered.values[instruction.0 as usize];
    let node = &graph[value];
    (node.op.error_name(), node.location)
}

/// An error with the operation and the line that it is attributed to.
pub(crate) fn attributed(error: Error, origin: Option<Origin>) -> Error {
    match origin {
        Some((op, Some(location))) => error.in_op(op).at(location),
        Some((op, None)) => error.in_op(op),
        None => error,
    }
}
