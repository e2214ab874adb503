//! The op and the source line that failures of a step are attributed to.

use super::entry::Origin;
use crate::loops::{Loops, Phase, Step};
use crate::lower::{InstructionId, Lowered};
use autojit_ir::error::Error;
use autojit_ir::{Graph, IndexOp, MapOp, Op};

/// The op and the source line of a step: those of the instruction in it that can fail, or of its last.
pub(crate) fn origin(
    graph: &Graph,
    scattered: &[bool],
    lowered: &Lowered,
    loops: &Loops,
    step: u32,
) -> Origin {
    let instruction = match &loops.fusion.steps[step as usize] {
        Step::Call(id) => *id,
        Step::Loop(group) => {
            let can_fail =
                |&&(id, _): &&(InstructionId, Phase)| lowered.can_fail(lowered.instruction(id));
            let member = group.members.iter().find(can_fail).or(group.members.last());
            member.map_or(InstructionId(0), |&(id, _)| id)
        }
    };
    let value = lowered.values[instruction.0 as usize];
    let node = &graph[value];
    // Users write an index, not the step that checks it.
    let name = match &node.op {
        Op::Map(MapOp::WrapIndex { .. }) if scattered[value.index()] => "scatter",
        Op::Map(MapOp::WrapIndex { .. }) => "getitem",
        Op::Index(IndexOp::ScatterFlat { .. }) => "scatter",
        Op::Opaque { function } => function.name(),
        op => op.name(),
    };
    (name, node.location)
}

/// Which values are computed for the positions that a scatter writes to, back to the checks of indices.
pub(crate) fn scattered(graph: &Graph) -> Vec<bool> {
    let mut scattered = vec![false; graph.nodes().len()];
    for value in graph.values().rev() {
        let node = &graph[value];
        match &node.op {
            Op::Index(IndexOp::ScatterFlat { .. }) => {
                if let Some(positions) = node.inputs.get(2) {
                    scattered[positions.index()] = true;
                }
            }
            // Behind a check are the indices, which have operations of their own.
            Op::Map(MapOp::WrapIndex { .. }) => {}
            Op::Map(_) | Op::View(_) if scattered[value.index()] => {
                for input in &node.inputs {
                    scattered[input.index()] = true;
                }
            }
            Op::Leaf(_)
            | Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Contract(_)
            | Op::View(_)
            | Op::Index(_)
            | Op::Join(_)
            | Op::Linalg(_)
            | Op::Fourier(_)
            | Op::Get { .. }
            | Op::Random { .. }
            | Op::Opaque { .. } => {}
        }
    }
    scattered
}

/// An error with the operation and the line that it is attributed to.
pub(crate) fn attributed(error: Error, origin: Option<Origin>) -> Error {
    match origin {
        Some((op, Some(location))) => error.in_op(op).at(location),
        Some((op, None)) => error.in_op(op),
        None => error,
    }
}
