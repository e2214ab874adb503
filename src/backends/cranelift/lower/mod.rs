//! Graph -> program: views become strides, joins become destinations, everything else an instruction.
//!
//! Two passes. Backwards, [`Destinations`] decides which values are computed right where they are needed: in
//! the buffer of a result, or in their part of a `concatenate`. Forwards, each node becomes a view of what is
//! already in memory, or an instruction that puts it there. Both are linear in nodes.

use rustc_hash::FxHashMap;
mod calls;
mod destinations;

use smallvec::{SmallVec, smallvec};

use autojit_runtime::copy::StridedCopy;

use super::layout::Layout;
use super::program::{Buffer, BufferId, Instruction, InstructionId, Operand, Place, Program, View};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, DType, Dims, Graph, Literal, Op, ValueId};

/// What is known of a graph value while lowering.
#[allow(clippy::large_enum_variant, reason = "nearly all are views")]
#[derive(Clone)]
enum Held {
    Literal(Literal),
    View(View),
    Tuple(SmallVec<[View; 3]>),
}

/// Lowers a graph of core ops.
///
/// # Errors
/// An op that this backend does not have (it then declines), or a mistake of ours.
pub(super) fn lower(graph: &Graph) -> Result<Program> {
    let live = graph.live();
    let mut lowering = Lowering {
        graph,
        program: Program::default(),
        held: vec![None; graph.nodes().len()],
        destinations: FxHashMap::default(),
        current: ValueId(0),
    };
    lowering.place_outputs();
    for value in graph.values().rev().filter(|v| live[v.index()]) {
        lowering.place_parts(value);
    }
    for value in graph.values().filter(|v| live[v.index()]) {
        lowering.current = value;
        let held = lowering.node(value).map_err(|e| {
            let e = e.in_op(graph[value].op.name());
            graph[value].location.map_or(e.clone(), |l| e.at(l))
        })?;
        lowering.held[value.index()] = Some(held);
    }
    lowering.finish_outputs()?;
    Ok(lowering.program)
}

struct Lowering<'a> {
    graph: &'a Graph,
    program: Program,
    held: Vec<Option<Held>>,
    /// Where a value is to be computed, if not in a buffer of its own.
    destinations: FxHashMap<ValueId, (BufferId, Layout)>,
    current: ValueId,
}

impl Lowering<'_> {
    fn new_buffer(&mut self, place: Place, ty: &ArrayType) -> BufferId {
        let id = BufferId(self.program.buffers.len() as u32);
        self.program.buffers.push(Buffer {
            place,
            bytes: ty.size() * ty.dtype.size(),
        });
        id
    }

    fn push(&mut self, instruction: Instruction) -> InstructionId {
        let id = InstructionId(self.program.instructions.len() as u32);
        self.program.instructions.push(instruction);
        self.program.values.push(self.current);
        id
    }

    /// The instruction that will be pushed next.
    fn next(&self) -> InstructionId {
        InstructionId(self.program.instructions.len() as u32)
    }

    /// Where a value is to be computed: its destination, or a new part of the workspace.
    fn output(&mut self, value: ValueId, ty: &ArrayType) -> View {
        let (buffer, layout) = match self.destinations.get(&value) {
            Some(destination) => destination.clone(),
            None => (
                self.new_buffer(Place::Workspace, ty),
                Layout::contiguous(&ty.shape),
            ),
        };
        View {
            buffer,
            layout,
            shape: ty.shape.clone(),
            dtype: ty.dtype,
            origin: Some(self.next()),
        }
    }

    fn held(&self, value: ValueId) -> Result<&Held> {
        self.held[value.index()]
            .as_ref()
            .ok_or_else(|| Error::internal(format!("{value} was not lowered")))
    }

    fn operand(&self, value: ValueId) -> Result<Operand> {
        match self.held(value)? {
            Held::Literal(literal) => Ok(Operand::Literal(*literal)),
            Held::View(view) => Ok(Operand::View(view.clone())),
            Held::Tuple(_) => Err(Error::internal(format!("{value} is a tuple"))),
        }
    }

    /// An operand broadcast to a domain.
    fn broadcast(&self, value: ValueId, domain: &[usize]) -> Result<Operand> {
        Ok(match self.operand(value)? {
            Operand::View(view) => {
                Operand::View(view.with(view.layout.broadcast(&view.shape, domain), domain))
            }
            literal @ Operand::Literal(_) => literal,
        })
    }

    /// A value in memory; a literal is written there first.
    fn view(&mut self, value: ValueId) -> Result<View> {
        match self.operand(value)? {
            Operand::View(view) => Ok(view),
            literal @ Operand::Literal(_) => {
                let ty = self.graph.ty(value)?.clone();
                Ok(self.copy(literal, &ty, None))
            }
        }
    }

    /// A value in memory, in C order without gaps.
    fn contiguous(&mut self, value: ValueId) -> Result<View> {
        let view = self.view(value)?;
        Ok(self.contiguous_view(view))
    }

    /// The view itself, or a copy in C order without gaps.
    fn contiguous_view(&mut self, view: View) -> View {
        if view.is_contiguous() {
            return view;
        }
        let ty = ArrayType {
            dtype: view.dtype,
            shape: view.shape.clone(),
        };
        self.copy(Operand::View(view), &ty, None)
    }

    /// Copies to a destination, or to a new contiguous part of the workspace.
    fn copy(&mut self, from: Operand, ty: &ArrayType, to: Option<(BufferId, Layout)>) -> View {
        let (buffer, layout) = match to {
            Some(destination) => destination,
            None => (
                self.new_buffer(Place::Workspace, ty),
                Layout::contiguous(&ty.shape),
            ),
        };
        let origin = Some(self.next());
        let output = View {
            buffer,
            layout,
            shape: ty.shape.clone(),
            dtype: ty.dtype,
            origin,
        };
        self.push(Instruction::Map {
            op: Op::Astype { dtype: ty.dtype },
            inputs: smallvec![from],
            output: output.clone(),
        });
        output
    }

    fn node(&mut self, value: ValueId) -> Result<Held> {
        let node = &self.graph[value];
        let first = node.inputs.first().copied();
        let input = || first.ok_or_else(|| Error::internal("an input is missing"));
        let view = match &node.op {
            Op::Input { index, ty } => self.leaf(Place::Input(*index), ty),
            Op::Constant { index, ty } => self.leaf(Place::Constant(*index), ty),
            Op::Literal { value } => return Ok(Held::Literal(*value)),
            Op::Get { index } => match self.held(input()?)? {
                Held::Tuple(views) => views[*index].clone(),
                _ => return Err(Error::internal("get of something that is no tuple")),
            },
            Op::Reshape { shape } => match self.operand(input()?)? {
                Operand::Literal(literal) => return Ok(Held::Literal(literal)),
                Operand::View(view) => self.reshape(&view, shape, value)?,
            },
            Op::Transpose { perm } => match self.operand(input()?)? {
                Operand::Literal(literal) => return Ok(Held::Literal(literal)),
                Operand::View(view) => {
                    view.with(view.layout.transpose(perm), &self.graph.ty(value)?.shape)
                }
            },
            Op::BroadcastTo { shape } => match self.operand(input()?)? {
                Operand::Literal(literal) => return Ok(Held::Literal(literal)),
                Operand::View(view) => view.with(view.layout.broadcast(&view.shape, shape), shape),
            },
            Op::Slice { slicing } => match self.operand(input()?)? {
                Operand::Literal(literal) => return Ok(Held::Literal(literal)),
                Operand::View(view) => view.with(
                    view.layout.slice(&slicing.starts, &slicing.steps),
                    &slicing.sizes,
                ),
            },
            Op::Sum { axes, .. }
            | Op::Prod { axes, .. }
            | Op::Max { axes, .. }
            | Op::Min { axes, .. }
            | Op::Any { axes, .. }
            | Op::All { axes, .. } => self.reduce(value, axes)?,
            Op::Concatenate { axis } => self.concatenate(value, *axis)?,
            Op::Matmul => self.matmul(value)?,
            Op::Take { axis } => self.take(value, *axis)?,
            Op::Argmax { axis, .. } => self.arg_reduce(value, *axis, true)?,
            Op::Argmin { axis, .. } => self.arg_reduce(value, *axis, false)?,
            Op::Cumsum { axis }
            | Op::Cumprod { axis }
            | Op::Sort { axis }
            | Op::Argsort { axis } => self.along(value, *axis)?,
            Op::Opaque { function } => return self.external(value, function),
            op if op.is_elementwise() || matches!(op, Op::Astype { .. } | Op::WrapIndex { .. }) => {
                self.map(value)?
            }
            op => match self.runtime_call(value)? {
                Some(held) => return Ok(held),
                None => {
                    return Err(Error::unsupported(format!(
                        "the cranelift backend does not have {}",
                        op.name()
                    )));
                }
            },
        };
        Ok(Held::View(view))
    }

    fn leaf(&mut self, place: Place, ty: &ArrayType) -> View {
        let buffer = self.new_buffer(place, ty);
        let layout = Layout::contiguous(&ty.shape);
        View {
            buffer,
            layout,
            shape: ty.shape.clone(),
            dtype: ty.dtype,
            origin: None,
        }
    }

    fn reshape(&mut self, view: &View, shape: &Dims, value: ValueId) -> Result<View> {
        if let Some(layout) = view.layout.reshape(&view.shape, shape) {
            return Ok(view.with(layout, shape));
        }
        let before = ArrayType {
            dtype: view.dtype,
            shape: view.shape.clone(),
        };
        let copy = self.copy(Operand::View(view.clone()), &before, None);
        Ok(copy.with(Layout::contiguous(shape), &self.graph.ty(value)?.shape))
    }

    fn map(&mut self, value: ValueId) -> Result<View> {
        let node = &self.graph[value];
        let ty = self.graph.ty(value)?.clone();
        let inputs = node
            .inputs
            .iter()
            .map(|&i| self.broadcast(i, &ty.shape))
            .collect::<Result<_>>()?;
        let output = self.output(value, &ty);
        self.push(Instruction::Map {
            op: node.op.clone(),
            inputs,
            output: output.clone(),
        });
        Ok(output)
    }

    fn reduce(&mut self, value: ValueId, axes: &Dims) -> Result<View> {
        let node = &self.graph[value];
        let domain = self.graph.ty(node.inputs[0])?.shape.clone();
        let input = self.operand(node.inputs[0])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let (op, axes) = (node.op.clone(), axes.clone());
        self.push(Instruction::Reduce {
            op,
            axes,
            domain,
            input,
            output: output.clone(),
        });
        Ok(output)
    }
}

/// The plan of a copy between two views of equal shape.
pub(super) fn strided_copy(from: &View, to: &View) -> StridedCopy {
    let bytes = |view: &View| -> Vec<isize> {
        view.layout
            .strides
            .iter()
            .map(|s| s * from.dtype.size() as isize)
            .collect()
    };
    StridedCopy::new(from.dtype.size(), &from.shape, &bytes(from), &bytes(to))
}

/// Whether a map only copies.
pub(super) fn is_copy(op: &Op, input: DType) -> bool {
    matches!(op, Op::Astype { dtype } if *dtype == input)
}
