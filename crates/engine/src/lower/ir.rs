//! Instructions on views of buffers: what a graph is lowered to.
//!
//! Invariants: an element of a buffer is written by one instruction; an instruction comes after those that
//! write what it reads; only the buffers of results and the workspace are written.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use autojit_runtime::copy::{StridedCopy, Update};
use autojit_runtime::gather::Gather;
use autojit_runtime::matmul::MatrixProduct;
use autojit_runtime::reduce::ArgReduce;
use autojit_runtime::scan::Scan;
use autojit_runtime::scatter::Scatter;
use autojit_runtime::sort::Sort;

use super::control::Control;
use super::external::External;
use super::layout::{self, Geometries, Geometry, GeometryId, Layout};
use autojit_ir::error::{Error, Result};
use autojit_ir::random::CallDraws;
use autojit_ir::{DType, Literal, MapOp, Shape, Steps, ValueId};
use autojit_library::runtime::RuntimeCall;

/// The number of a buffer in its [`Lowered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BufferId(pub(crate) u32);

/// The number of an instruction in its [`Lowered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstructionId(pub(crate) u32);

/// Where a buffer lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
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
pub(crate) struct Buffer {
    pub(crate) storage: Storage,
    pub(crate) bytes: usize,
}

/// Some elements of a buffer, as an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) buffer: BufferId,
    /// Shape and strides.
    pub(crate) geometry: GeometryId,
    /// Of the first element, in elements.
    pub(crate) offset: isize,
    pub(crate) dtype: DType,
    /// See [`View::origin`]; views are most of a lowered graph, so it has no room for a tag.
    pub(super) origin: u32,
}

impl View {
    /// No instruction.
    const NONE: u32 = u32::MAX;

    /// Elements from an offset on, which are there after an instruction.
    pub(crate) fn new(
        buffer: BufferId,
        geometry: GeometryId,
        offset: isize,
        dtype: DType,
        origin: Option<InstructionId>,
    ) -> Self {
        let mut view = Self {
            buffer,
            geometry,
            offset,
            dtype,
            origin: Self::NONE,
        };
        view.written_by(origin);
        view
    }

    /// The instruction after which the elements are there; `None` for arguments and constants.
    #[inline]
    pub(crate) fn origin(&self) -> Option<InstructionId> {
        (self.origin != Self::NONE).then_some(InstructionId(self.origin))
    }

    pub(crate) fn written_by(&mut self, origin: Option<InstructionId>) {
        self.origin = origin.map_or(Self::NONE, |id| id.0);
    }
}

/// The number of a literal in its [`Lowered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiteralId(pub(crate) u32);

/// An input of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operand {
    /// The same number for every element.
    Literal(LiteralId),
    /// Elements in memory, broadcast to the domain of the loop.
    View(View),
}

/// The number of an elementwise op in its [`Lowered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OpId(pub(crate) u16);

/// The reductions that loops do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fold {
    Sum,
    Prod,
    Max,
    Min,
    Any,
    All,
}

impl Fold {
    /// The name of the op.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Prod => "prod",
            Self::Max => "max",
            Self::Min => "min",
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

/// Some axes of a domain. Arrays have no more than [`Axes::LIMIT`] here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Axes(u64);

impl Axes {
    /// The most axes that a domain may have.
    pub(crate) const LIMIT: usize = 64;

    pub(crate) fn new(axes: &[usize]) -> Self {
        Self(axes.iter().fold(0, |bits, &axis| bits | 1 << axis))
    }

    pub(crate) fn contains(self, axis: usize) -> bool {
        self.0 >> axis & 1 == 1
    }

    /// Those of the axes that a domain of this rank has.
    pub(crate) fn within(self, rank: usize) -> Self {
        let all = 1u64
            .checked_shl(rank as u32)
            .map_or(u64::MAX, |bit| bit - 1);
        Self(self.0 & all)
    }
}

/// Where the numbers of a random draw come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DrawSource {
    /// This seed and this draw.
    Fixed {
        /// The seed.
        seed: u64,
        /// The number of the draw.
        number: u64,
    },
    /// A draw of the current call.
    Call {
        /// Which of [`Lowered::draws`].
        draws: usize,
        /// How many come before it in the call.
        offset: u64,
    },
}

/// A call of the runtime.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// A matrix product, possibly of many.
    Matmul(MatrixProduct),
    /// `take` along an axis of the given size.
    Gather {
        /// The plan.
        gather: Gather,
        /// The axis, for messages.
        axis: usize,
    },
    /// Other values at some positions of a copy, or of the array itself if its memory is that of the result.
    Scatter(Scatter),
    /// Other values in a slice of a copy, or of the array itself if its memory is that of the result.
    Update(Update),
    /// A random draw.
    Random {
        /// The plan.
        plan: autojit_runtime::random::Draw,
        /// Which draw.
        source: DrawSource,
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
    /// A loop or a choice, with programs of its own.
    Control(Box<Control>),
    /// Linear algebra, or a Fourier transform, on contiguous arrays.
    Runtime(Box<RuntimeCall>),
}

impl Call {
    /// The operand that the call can change where it lies: its memory then becomes that of the result.
    pub(crate) fn changed(&self) -> Option<usize> {
        match self {
            Call::Scatter(_) | Call::Update(_) => Some(0),
            Call::Matmul(_)
            | Call::Gather { .. }
            | Call::Random { .. }
            | Call::ArgReduce(_)
            | Call::Scan(_)
            | Call::Sort(_)
            | Call::Copy(_)
            | Call::External(_)
            | Call::Control(_)
            | Call::Runtime(_) => None,
        }
    }

    /// The operand whose memory may become that of the operand at `position`.
    pub(crate) fn in_place(&self, position: usize) -> Option<usize> {
        let result = match self {
            // The array, the values, the positions and the result.
            Call::Scatter(_) => 3,
            // The array, the values and the result.
            Call::Update(_) => 2,
            _ => return None,
        };
        self.changed().filter(|_| position == result)
    }
}

/// A call with what it reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct CallSite {
    pub(crate) call: Call,
    pub(crate) inputs: SmallVec<[View; 3]>,
    pub(crate) outputs: SmallVec<[View; 3]>,
}

/// A part of [`Lowered::operands`] or of [`Lowered::parts`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexRange {
    start: u32,
    len: u32,
}

impl IndexRange {
    fn of<T>(self, all: &[T]) -> &[T] {
        &all[self.start as usize..(self.start + self.len) as usize]
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instruction {
    /// An elementwise op over the shape of the output.
    Map {
        op: OpId,
        inputs: IndexRange,
        output: View,
    },
    /// A copy over the shape of the output.
    Copy { input: Operand, output: View },
    /// A reduction over `axes` of `domain`, the shape of the input.
    Reduce {
        op: Fold,
        axes: Axes,
        /// The shape of the domain, contiguous.
        domain: GeometryId,
        input: Operand,
        output: View,
    },
    /// A call of the runtime: one of [`Lowered::calls`].
    Call(u32),
    /// Nothing to do: marks where all parts of a joined array are there.
    Join { parts: IndexRange },
}

/// A lowered graph.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    pub(crate) instructions: Vec<Instruction>,
    /// The graph value that each instruction computes, for source lines.
    pub(crate) values: Vec<ValueId>,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) geometries: Geometries,
    pub(crate) calls: Vec<CallSite>,
    pub(crate) literals: Vec<Literal>,
    /// For each result of the graph, the number of the output buffer.
    pub(crate) results: Vec<usize>,
    /// The draws that each call takes from generators.
    pub(crate) draws: Vec<Arc<CallDraws>>,
    /// The inputs of maps.
    pub(crate) operands: Vec<Operand>,
    /// The instructions that write the parts of joins.
    parts: Vec<InstructionId>,
    /// The different elementwise ops.
    ops: Vec<MapOp>,
    /// For each of them, the dtypes of results with which it may fail, one bit each.
    fails: Vec<u16>,
    op_numbers: FxHashMap<MapOp, OpId>,
}

impl Lowered {
    pub(crate) fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    pub(crate) fn instruction(&self, id: InstructionId) -> &Instruction {
        &self.instructions[id.0 as usize]
    }

    pub(crate) fn op(&self, id: OpId) -> &MapOp {
        &self.ops[usize::from(id.0)]
    }

    pub(crate) fn literal(&self, id: LiteralId) -> Literal {
        self.literals[id.0 as usize]
    }

    pub(crate) fn call(&self, index: u32) -> &CallSite {
        &self.calls[index as usize]
    }

    /// The number of an op.
    ///
    /// # Errors
    /// There are too many different ones.
    pub(crate) fn intern_op(&mut self, op: &MapOp) -> Result<OpId> {
        // Most programs have few, which are found sooner one by one than by a hash.
        const FEW: usize = 8;
        if let Some(index) = self.ops.iter().take(FEW).position(|known| known == op) {
            return Ok(OpId(index as u16));
        }
        if let Some(&id) = self.op_numbers.get(op) {
            return Ok(id);
        }
        let id = u16::try_from(self.ops.len())
            .map_err(|_| Error::unsupported("more than 65 536 different elementwise ops"))?;
        const { assert!(DType::ALL.len() <= u16::BITS as usize) };
        let fails = DType::ALL.iter().filter(|&&dtype| op.can_fail(dtype));
        self.fails
            .push(fails.fold(0, |bits, &dtype| bits | 1 << dtype as u32));
        self.ops.push(*op);
        self.op_numbers.insert(*op, OpId(id));
        Ok(OpId(id))
    }

    /// The part of the operands of maps that begins at `start`, a number that they had before.
    pub(crate) fn operands_from(&self, start: usize) -> IndexRange {
        IndexRange {
            start: start as u32,
            len: (self.operands.len() - start) as u32,
        }
    }

    pub(crate) fn add_parts(&mut self, parts: &[InstructionId]) -> IndexRange {
        let start = self.parts.len() as u32;
        self.parts.extend_from_slice(parts);
        IndexRange {
            start,
            len: parts.len() as u32,
        }
    }

    pub(crate) fn operands(&self, range: IndexRange) -> &[Operand] {
        range.of(&self.operands)
    }

    pub(crate) fn parts(&self, range: IndexRange) -> &[InstructionId] {
        range.of(&self.parts)
    }

    pub(crate) fn shape(&self, view: &View) -> &Shape {
        &self.geometries[view.geometry].shape
    }

    /// How many elements a view has.
    pub(crate) fn elements(&self, view: &View) -> usize {
        self.geometries[view.geometry].elements
    }

    pub(crate) fn strides(&self, view: &View) -> &Steps {
        &self.geometries[view.geometry].strides
    }

    pub(crate) fn layout(&self, view: &View) -> Layout {
        Layout {
            offset: view.offset,
            strides: self.strides(view).clone(),
        }
    }

    pub(crate) fn is_contiguous(&self, view: &View) -> bool {
        let Geometry { shape, strides, .. } = &self.geometries[view.geometry];
        layout::is_contiguous(strides, shape)
    }

    /// The operands that an instruction reads.
    #[inline]
    pub(crate) fn inputs<'a>(&'a self, instruction: &'a Instruction) -> &'a [Operand] {
        match instruction {
            Instruction::Map { inputs, .. } => self.operands(*inputs),
            Instruction::Copy { input, .. } | Instruction::Reduce { input, .. } => {
                std::slice::from_ref(input)
            }
            Instruction::Call(_) | Instruction::Join { .. } => &[],
        }
    }

    /// The views that an instruction reads.
    #[inline]
    pub(crate) fn reads<'a>(&'a self, instruction: &'a Instruction) -> Reads<'a> {
        let views = match instruction {
            Instruction::Call(call) => self.call(*call).inputs.as_slice(),
            Instruction::Map { .. }
            | Instruction::Copy { .. }
            | Instruction::Reduce { .. }
            | Instruction::Join { .. } => &[],
        };
        Reads {
            operands: self.inputs(instruction).iter(),
            views: views.iter(),
        }
    }

    /// The views that an instruction writes.
    pub(crate) fn writes<'a>(&'a self, instruction: &'a Instruction) -> &'a [View] {
        match instruction {
            Instruction::Map { output, .. }
            | Instruction::Copy { output, .. }
            | Instruction::Reduce { output, .. } => std::slice::from_ref(output),
            Instruction::Call(call) => &self.call(*call).outputs,
            Instruction::Join { .. } => &[],
        }
    }

    /// Whether some instruction can fail on some values.
    pub(crate) fn some_can_fail(&self) -> bool {
        self.fails.iter().any(|&dtypes| dtypes != 0)
    }

    /// Whether an instruction may fail on some values, and records that it did.
    #[inline]
    pub(crate) fn can_fail(&self, instruction: &Instruction) -> bool {
        match instruction {
            Instruction::Map { op, output, .. } => {
                self.fails[usize::from(op.0)] >> output.dtype as u32 & 1 == 1
            }
            Instruction::Copy { .. }
            | Instruction::Reduce { .. }
            | Instruction::Call(_)
            | Instruction::Join { .. } => false,
        }
    }
}

/// The views among the operands of a loop, or those that a call reads. Every pass asks for them, so it is written out.
#[derive(Clone)]
pub(crate) struct Reads<'a> {
    operands: std::slice::Iter<'a, Operand>,
    views: std::slice::Iter<'a, View>,
}

impl<'a> Iterator for Reads<'a> {
    type Item = &'a View;

    #[inline]
    fn next(&mut self) -> Option<&'a View> {
        for operand in &mut self.operands {
            if let Operand::View(view) = operand {
                return Some(view);
            }
        }
        self.views.next()
    }
}

/// The plan of a copy between two views of equal shape.
pub(crate) fn strided_copy(lowered: &Lowered, from: &View, to: &View) -> StridedCopy {
    let size = from.dtype.size();
    let bytes = |view: &View| -> Vec<isize> {
        let strides = lowered.strides(view).iter();
        strides.map(|s| s * size as isize).collect()
    };
    StridedCopy::new(size, lowered.shape(from), &bytes(from), &bytes(to))
}
