//! The program between graph and kernels: instructions on views of buffers.
//!
//! Invariants: an element of a buffer is written by one instruction; an instruction comes after those that
//! write what it reads; only the buffers of results and the workspace are written.

use smallvec::SmallVec;

use autojit_runtime::abi::Kind;
use autojit_runtime::copy::StridedCopy;
use autojit_runtime::gather::Gather;
use autojit_runtime::matmul::MatrixProduct;
use autojit_runtime::reduce::ArgReduce;
use autojit_runtime::scan::Scan;
use autojit_runtime::sort::Sort;

use super::external::External;
use super::layout::Layout;
use crate::ir::{DType, Dims, Literal, Op, Shape, ValueId};
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
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) buffer: BufferId,
    pub(super) layout: Layout,
    pub(super) shape: Shape,
    pub(super) dtype: DType,
    /// The instruction after which the elements are there; `None` for arguments and constants.
    pub(super) origin: Option<InstructionId>,
}

impl View {
    /// The same elements seen through another layout.
    pub(super) fn with(&self, layout: Layout, shape: &[usize]) -> Self {
        Self {
            layout,
            shape: shape.into(),
            ..self.clone()
        }
    }

    pub(super) fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous(&self.shape)
    }
}

/// An input of a loop.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// The same number for every element.
    Literal(Literal),
    /// Elements in memory, broadcast to the domain of the loop.
    View(View),
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

/// One step of the program.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all are maps and reductions"
)]
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// An elementwise op over the shape of the output. A cast to the same dtype is a copy.
    Map {
        op: Op,
        inputs: SmallVec<[Operand; 3]>,
        output: View,
    },
    /// A reduction over `axes` of `domain`, the shape of the input.
    Reduce {
        op: Op,
        axes: Dims,
        domain: Shape,
        input: Operand,
        output: View,
    },
    /// A call of the runtime.
    Call {
        call: Call,
        inputs: SmallVec<[View; 3]>,
        outputs: SmallVec<[View; 3]>,
    },
    /// Nothing to do: marks where all parts of a joined array are there.
    Join { parts: Vec<InstructionId> },
}

impl Instruction {
    /// Whether it may fail on some values, and records that it did.
    pub(super) fn can_fail(&self) -> bool {
        match self {
            Self::Map {
                op: Op::WrapIndex { .. },
                ..
            } => true,
            Self::Map {
                op: Op::Power,
                output,
                ..
            } => output.dtype.is_integer(),
            _ => false,
        }
    }
}

/// A whole program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// The graph value that each instruction computes, for source lines.
    pub(super) values: Vec<ValueId>,
    pub(super) buffers: Vec<Buffer>,
    /// For each result of the graph, the number of the output buffer.
    pub(super) results: Vec<usize>,
}

impl Program {
    pub(super) fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    pub(super) fn instruction(&self, id: InstructionId) -> &Instruction {
        &self.instructions[id.0 as usize]
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
