//! The text form of lowered graphs: buffers, then instructions.
//!
//! ```text
//! b0: output 0, 16 bytes
//! b1: input 0, 48 bytes
//! i0 = sum axes [1] over [2,3] (b1 f64[2,3]) -> b0 f64[2]
//! results b0
//! ```
//!
//! A view is `b1+4 f64[2,3] strides [1,2] of i7`: a buffer, an offset in elements unless it is zero, a type, the strides
//! unless the view is contiguous, and the instruction after which the elements are there, unless they always are.

use std::fmt::{Display, Write as _};

use super::ir::{Axes, Call, Instruction, InstructionId, Lowered, Operand, Storage, View};
use autojit_ir::{ArrayType, Graph, Op};

/// Items with commas between them.
pub(crate) fn list(items: impl IntoIterator<Item: Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|x| x.to_string()).collect();
    items.join(",")
}

impl Display for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(index) => write!(f, "input {index}"),
            Self::Constant(index) => write!(f, "constant {index}"),
            Self::Output(index) => write!(f, "output {index}"),
            Self::Workspace => f.write_str("workspace"),
        }
    }
}

/// The axes of a domain of `rank` axes.
pub(crate) fn print_axes(axes: Axes, rank: usize) -> String {
    list((0..rank).filter(|&a| axes.contains(a)))
}

fn print_view(lowered: &Lowered, view: &View) -> String {
    let mut text = format!("b{}", view.buffer.0);
    if view.offset != 0 {
        let _ = write!(text, "{:+}", view.offset);
    }
    let ty = ArrayType {
        dtype: view.dtype,
        shape: lowered.shape(view).clone(),
    };
    let _ = write!(text, " {ty}");
    if !lowered.is_contiguous(view) {
        let _ = write!(text, " strides [{}]", list(lowered.strides(view)));
    }
    text
}

fn print_read(lowered: &Lowered, view: &View) -> String {
    let origin = view.origin().map(|origin| format!(" of i{}", origin.0));
    print_view(lowered, view) + &origin.unwrap_or_default()
}

fn print_operand(lowered: &Lowered, operand: &Operand) -> String {
    match operand {
        Operand::Literal(id) => lowered.literal(*id).to_string(),
        Operand::View(view) => print_read(lowered, view),
    }
}

/// The name of an instruction, without its operands.
pub(crate) fn print_operation(graph: &Graph, lowered: &Lowered, id: InstructionId) -> String {
    match lowered.instruction(id) {
        Instruction::Map { op, .. } => Op::Map(*lowered.op(*op)).to_string(),
        Instruction::Copy { .. } => "copy".to_owned(),
        Instruction::Reduce {
            op, axes, domain, ..
        } => {
            let shape = &lowered.geometries[*domain].shape;
            let axes = print_axes(*axes, shape.len());
            format!("{} axes [{axes}] over [{}]", op.name(), list(shape))
        }
        Instruction::Call(call) => match &lowered.call(*call).call {
            Call::Copy(_) => "call copy".to_owned(),
            // A call is the op of its node.
            _ => format!("call {}", graph[lowered.values[id.0 as usize]].op),
        },
        Instruction::Join { .. } => "join".to_owned(),
    }
}

/// The text form of a lowered graph.
pub(crate) fn print(graph: &Graph, lowered: &Lowered) -> String {
    let mut text = String::new();
    for (index, buffer) in lowered.buffers.iter().enumerate() {
        let _ = writeln!(text, "b{index}: {}, {} bytes", buffer.storage, buffer.bytes);
    }
    for (index, instruction) in lowered.instructions.iter().enumerate() {
        let operation = print_operation(graph, lowered, InstructionId(index as u32));
        let _ = match instruction {
            Instruction::Join { parts } => {
                let parts = lowered.parts(*parts).iter();
                writeln!(
                    text,
                    "i{index} = join ({})",
                    list(parts.map(|part| format!("i{}", part.0)))
                )
            }
            _ => {
                let operands = lowered.inputs(instruction).iter();
                let mut read: Vec<String> = operands.map(|o| print_operand(lowered, o)).collect();
                if let Instruction::Call(call) = instruction {
                    let views = lowered.call(*call).inputs.iter();
                    read.extend(views.map(|view| print_read(lowered, view)));
                }
                let written = lowered.writes(instruction).iter();
                let written: Vec<String> = written.map(|v| print_view(lowered, v)).collect();
                let (read, written) = (read.join(", "), written.join(", "));
                writeln!(text, "i{index} = {operation} ({read}) -> {written}")
            }
        };
    }
    let results = lowered.results.iter().map(|index| format!("b{index}"));
    let _ = writeln!(text, "results {}", list(results));
    text
}
