//! The text form of loops: steps with their members and anchors, then the distinct nests.
//!
//! ```text
//! step 0 = loop over [10]: before i0 add, before i1 exp
//!   nest 0 at b1, b0
//! nest 0 over [10]
//!   slot 0: f64 strides [1]
//!   before: v0 = load 0; v1 = add v0 v0; store 1 v1
//! not fused: i2, because the loops run over different shapes
//! ```

use std::fmt::Write as _;

use super::build::{Loops, Work};
use super::nest::{Action, Anchor, Nest, NestOperation, Section};
use super::step::{Phase, Step};
use crate::lower::{InstructionId, Lowered, list, print_axes, print_operation};
use autojit_ir::{Graph, Op};

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::Reduction => "reduce",
            Self::Outer => "outer",
            Self::After => "after",
            Self::Alone => "alone",
        })
    }
}

fn print_anchor(&(buffer, offset): &Anchor) -> String {
    if offset == 0 {
        format!("b{}", buffer.0)
    } else {
        format!("b{}{offset:+}", buffer.0)
    }
}

fn print_nest(lowered: &Lowered, number: usize, nest: &Nest) -> String {
    let shape = &lowered.geometries[nest.domain].shape;
    let mut text = format!("nest {number} over [{}]", list(shape));
    if let Some(reduced) = nest.reduced {
        let _ = write!(text, " reduces [{}]", print_axes(reduced, shape.len()));
    }
    text.push('\n');
    for (number, slot) in nest.slots.iter().enumerate() {
        let strides = &lowered.geometries[slot.geometry].strides;
        let (dtype, strides) = (slot.dtype.short_name(), list(strides));
        let _ = writeln!(text, "  slot {number}: {dtype} strides [{strides}]");
    }
    let operation = |o: &NestOperation| {
        let NestOperation { value, dtype, .. } = o;
        match o.action {
            Action::Load { slot } => format!("v{value} = load {slot}"),
            Action::Literal { index } => {
                format!("v{value} = {}", nest.literals[usize::from(index)])
            }
            Action::Map { op, inputs, arity } => {
                let inputs = inputs[..usize::from(arity)].iter();
                let inputs: String = inputs.map(|input| format!(" v{input}")).collect();
                format!(
                    "v{value} = {} {}{inputs}",
                    Op::Map(*lowered.op(op)),
                    dtype.short_name()
                )
            }
            Action::Reduce { op, input } => format!("v{value} = {} v{input}", op.name()),
            Action::Store { slot, value } => format!("store {slot} v{value}"),
        }
    };
    for (name, section) in [
        ("before", Section::Before),
        ("outer", Section::Outer),
        ("after", Section::After),
    ] {
        let operations = nest.operations.iter().filter(|o| o.section == section);
        let operations: Vec<String> = operations.map(operation).collect();
        if !operations.is_empty() {
            let _ = writeln!(text, "  {name}: {}", operations.join("; "));
        }
    }
    text
}

/// The text form of loops.
pub(crate) fn print(graph: &Graph, lowered: &Lowered, loops: &Loops) -> String {
    let mut text = String::new();
    for (number, step) in loops.fusion.steps.iter().enumerate() {
        let _ = match step {
            Step::Loop(group) => {
                let shape = &lowered.geometries[group.domain].shape;
                let member = |&(id, phase): &(InstructionId, Phase)| {
                    format!("{phase} i{} {}", id.0, print_operation(graph, lowered, id))
                };
                let members: Vec<String> = group.members.iter().map(member).collect();
                let members = members.join(", ");
                writeln!(
                    text,
                    "step {number} = loop over [{}]: {members}",
                    list(shape)
                )
            }
            Step::Call(id) => {
                let operation = print_operation(graph, lowered, *id);
                writeln!(text, "step {number} = i{} {operation}", id.0)
            }
        };
        let anchors: Vec<String> = loops
            .anchors(number as u32)
            .iter()
            .map(print_anchor)
            .collect();
        let anchors = anchors.join(", ");
        let _ = match loops.work(number as u32) {
            Work::Loop(nest) => writeln!(text, "  nest {} at {anchors}", nest.0),
            Work::Call(_) => writeln!(text, "  at {anchors}"),
        };
    }
    for (number, nest) in loops.nests.iter().enumerate() {
        text += &print_nest(lowered, number, nest);
    }
    for (id, why) in &loops.fusion.not_fused {
        let _ = writeln!(text, "not fused: i{}, because {why}", id.0);
    }
    text
}
