//! The program between graph and kernels: instructions on views of buffers.
//!
//! Invariants: an element of a buffer is written by one instruction; an instruction comes after those that
//! write what it reads; only the buffers of results and the workspace are written.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use autojit_runtime::abi::Kind;
use autojit_runtime::copy::StridedCopy;
use autojit_runtime::gather::Gather;
use autojit_runtime::matmul::MatrixProduct;
use autojit_runtime::reduce::ArgReduce;
use autojit_runtime::scan::Scan;
use autojit_runtime::scatter::Scatter;
use autojit_runtime::sort::Sort;

use super::external::External;
use super::layout::{self, Geometries, Geometry, GeometryId, Layout};
use crate::error::{Error, Result};
use crate::ir::random::CallDraws;
use crate::ir::{DType, Literal, Op, Shape, Steps, ValueId};
use crate::library::runtime::RuntimeCall;

/// The number of a buffer in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct BufferId(pub(super) u32);

/// The number of an instruction in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct InstructionId(pub(super) u32);

/// Where a buffer lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An argument of the call.
    Input(usize),
    /// A constant of the graph.
    Constant(usize),
    /// A result, newly allocated at each call.
    Output(usize),
    /// A part of the workspace.
    Workspace,
}

/// Memory for elements of one dtype.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    pub(super) place: Place,
    pub(super) bytes: usize,
}

/// Some elements of a buffer, as an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) buffer: BufferId,
    /// Shape and strides.
    pub(super) geometry: GeometryId,
    /// Of the first element, in elements.
    pub(super) offset: isize,
    pub(super) dtype: DType,
    /// The instruction after which the elements are there; `None` for arguments and constants.
    pub(super) origin: Option<InstructionId>,
}

/// The number of a literal in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LiteralId(pub(super) u32);

/// An input of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// The same number for every element.
    Literal(LiteralId),
    /// Elements in memory, broadcast to the domain of the loop.
    View(View),
}

/// The number of an elementwise op in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpId(u16);

/// The reductions that loops do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReduceOp {
    Sum,
    Prod,
    Max,
    Min,
    Any,
    All,
}

/// Some axes of a domain. Arrays have no more than [`Axes::LIMIT`] here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Axes(u64);

impl Axes {
    /// The most axes that a domain may have.
    pub(super) const LIMIT: usize = 64;

    pub(super) fn new(axes: &[usize]) -> Self {
        Self(axes.iter().fold(0, |bits, &axis| bits | 1 << axis))
    }

    pub(super) fn contains(self, axis: usize) -> bool {
        self.0 >> axis & 1 == 1
    }
}

/// Where the numbers of a random draw come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// This seed and this draw.
    Fixed {
        /// The seed.
        seed: u64,
        /// The number of the draw.
        number: u64,
    },
    /// A draw of the current call.
    Call {
        /// Which of [`Program::draws`].
        draws: usize,
        /// How many come before it in the call.
        offset: u64,
    },
}

/// What runs as one call of the runtime.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// A matrix product, possibly of many.
    Matmul(MatrixProduct),
    /// `take` along an axis of the given size.
    Gather {
        /// The plan.
        gather: Gather,
        /// The axis, for messages.
        axis: usize,
    },
    /// A copy with other values at some positions.
    Scatter(Scatter),
    /// A random draw.
    Random {
        /// The plan.
        plan: autojit_runtime::random::Draw,
        /// Which draw.
        source: Source,
    },
    /// `argmax` or `argmin`.
    ArgReduce(ArgReduce),
    /// `cumsum` or `cumprod`.
    Scan(Scan),
    /// `sort` or `argsort`.
    Sort(Sort),
    /// A copy from one layout to another.
    Copy(StridedCopy),
    /// A function that a user registered.
    External(External),
    /// Linear algebra, or a Fourier transform, on contiguous arrays.
    Runtime(Box<RuntimeCall>),
}

/// A call with what it reads and writes.
#[derive(Clone, Debug)]
pub(super) struct CallStep {
    pub(super) call: Call,
    pub(super) inputs: SmallVec<[View; 3]>,
    pub(super) outputs: SmallVec<[View; 3]>,
}

/// A part of [`Program::operands`] or of [`Program::parts`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    start: u32,
    len: u32,
}

impl Range {
    fn of<T>(self, all: &[T]) -> &[T] {
        &all[self.start as usize..(self.start + self.len) as usize]
    }
}

/// One step of the program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    /// An elementwise op over the shape of the output.
    Map {
        op: OpId,
        inputs: Range,
        output: View,
    },
    /// A copy over the shape of the output.
    Copy { input: Operand, output: View },
    /// A reduction over `axes` of `domain`, the shape of the input.
    Reduce {
        op: ReduceOp,
        axes: Axes,
        /// The shape of the domain, contiguous.
        domain: GeometryId,
        input: Operand,
        output: View,
    },
    /// A call of the runtime: one of [`Program::calls`].
    Call(u32),
    /// Nothing to do: marks where all parts of a joined array are there.
    Join { parts: Range },
}

/// A whole program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// The graph value that each instruction computes, for source lines.
    pub(super) values: Vec<ValueId>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) geometries: Geometries,
    pub(super) calls: Vec<CallStep>,
    pub(super) literals: Vec<Literal>,
    /// For each result of the graph, the number of the output buffer.
    pub(super) results: Vec<usize>,
    /// The draws that each call takes from generators.
    pub(super) draws: Vec<Arc<CallDraws>>,
    /// The inputs of maps.
    pub(super) operands: Vec<Operand>,
    /// The instructions that write the parts of joins.
    parts: Vec<InstructionId>,
    /// The different elementwise ops.
    ops: Vec<Op>,
    op_numbers: FxHashMap<Op, OpId>,
}

impl Program {
    pub(super) fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    pub(super) fn instruction(&self, id: InstructionId) -> &Instruction {
        &self.instructions[id.0 as usize]
    }

    pub(super) fn op(&self, id: OpId) -> &Op {
        &self.ops[usize::from(id.0)]
    }

    pub(super) fn literal(&self, id: LiteralId) -> Literal {
        self.literals[id.0 as usize]
    }

    pub(super) fn call(&self, index: u32) -> &CallStep {
        &self.calls[index as usize]
    }

    /// The number of an op.
    ///
    /// # Errors
    /// There are too many different ones.
    pub(super) fn intern_op(&mut self, op: &Op) -> Result<OpId> {
        if let Some(&id) = self.op_numbers.get(op) {
            return Ok(id);
        }
        let id = u16::try_from(self.ops.len())
            .map_err(|_| Error::unsupported("more than 65 536 different elementwise ops"))?;
        self.ops.push(op.clone());
        self.op_numbers.insert(op.clone(), OpId(id));
        Ok(OpId(id))
    }

    /// The part of the operands of maps that begins at `start`, a number that they had before.
    pub(super) fn operands_from(&self, start: usize) -> Range {
        Range {
            start: start as u32,
            len: (self.operands.len() - start) as u32,
        }
    }

    pub(super) fn add_parts(&mut self, parts: &[InstructionId]) -> Range {
        let start = self.parts.len() as u32;
        self.parts.extend_from_slice(parts);
        Range {
            start,
            len: parts.len() as u32,
        }
    }

    pub(super) fn operands(&self, range: Range) -> &[Operand] {
        range.of(&self.operands)
    }

    pub(super) fn parts(&self, range: Range) -> &[InstructionId] {
        range.of(&self.parts)
    }

    pub(super) fn shape(&self, view: &View) -> &Shape {
        &self.geometries[view.geometry].shape
    }

    pub(super) fn strides(&self, view: &View) -> &Steps {
        &self.geometries[view.geometry].strides
    }

    pub(super) fn layout(&self, view: &View) -> Layout {
        Layout {
            offset: view.offset,
            strides: self.strides(view).clone(),
        }
    }

    pub(super) fn is_contiguous(&self, view: &View) -> bool {
        let Geometry { shape, strides } = &self.geometries[view.geometry];
        layout::is_contiguous(strides, shape)
    }

    /// The operands that an instruction reads.
    pub(super) fn inputs<'a>(&'a self, instruction: &'a Instruction) -> &'a [Operand] {
        match instruction {
            Instruction::Map { inputs, .. } => self.operands(*inputs),
            Instruction::Copy { input, .. } | Instruction::Reduce { input, .. } => {
                std::slice::from_ref(input)
            }
            Instruction::Call(_) | Instruction::Join { .. } => &[],
        }
    }

    /// The views that an instruction reads.
    pub(super) fn reads<'a>(
        &'a self,
        instruction: &'a Instruction,
    ) -> impl Iterator<Item = &'a View> {
        let views = match instruction {
            Instruction::Call(call) => self.call(*call).inputs.as_slice(),
            _ => &[],
        };
        let of_operands = self.inputs(instruction).iter().filter_map(|o| match o {
            Operand::View(view) => Some(view),
            Operand::Literal(_) => None,
        });
        of_operands.chain(views)
    }

    /// The views that an instruction writes.
    pub(super) fn writes<'a>(&'a self, instruction: &'a Instruction) -> &'a [View] {
        match instruction {
            Instruction::Map { output, .. }
            | Instruction::Copy { output, .. }
            | Instruction::Reduce { output, .. } => std::slice::from_ref(output),
            Instruction::Call(call) => &self.call(*call).outputs,
            Instruction::Join { .. } => &[],
        }
    }

    /// Whether an instruction may fail on some values, and records that it did.
    pub(super) fn can_fail(&self, instruction: &Instruction) -> bool {
        match instruction {
            Instruction::Map { op, output, .. } => match self.op(*op) {
                Op::WrapIndex { .. } => true,
                Op::Power => output.dtype.is_integer(),
                _ => false,
            },
            _ => false,
        }
    }
}

/// The runtime's name of a dtype.
pub(super) fn kind(dtype: DType) -> Kind {
    match dtype {
        DType::Bool => Kind::Bool,
        DType::Uint8 => Kind::Uint8,
        DType::Int32 => Kind::Int32,
        DType::Int64 => Kind::Int64,
        DType::Float32 => Kind::Float32,
        DType::Float64 => Kind::Float64,
        DType::Complex64 => Kind::Complex64,
        DType::Complex128 => Kind::Complex128,
    }
}
