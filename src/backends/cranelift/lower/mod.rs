//! Graph -> program: views become strides, joins become destinations, everything else an instruction.
//!
//! Two passes. Backwards, [`Destinations`] decides which values are computed right where they are needed: in
//! the buffer of a result, or in their part of a `concatenate`. Forwards, each node becomes a view of what is
//! already in memory, or an instruction that puts it there. Both are linear in nodes.

mod calls;
mod destinations;

use rustc_hash::FxHashMap;

use autojit_runtime::copy::StridedCopy;

use super::layout::{GeometryId, Layout};
use super::program::{
    Axes, Buffer, BufferId, Instruction, InstructionId, LiteralId, Operand, Place, Program,
    ReduceOp, View,
};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, Dims, Graph, Literal, Op, ValueId};

/// What is known of a graph value while lowering.
#[derive(Clone)]
enum Held {
    One(Operand),
    Tuple(Box<[View]>),
}

/// Lowers a graph of core ops.
///
/// # Errors
/// An op that this backend does not have (it then declines), or a mistake of ours.
pub(super) fn lower(graph: &Graph) -> Result<Program> {
    let live = graph.live();
    let nodes = live.iter().filter(|&&live| live).count();
    let mut program = Program::default();
    // About as many as there are nodes. Growing step by step would touch twice the memory.
    program.instructions.reserve(nodes);
    program.values.reserve(nodes);
    program.buffers.reserve(nodes);
    let nothing = program.geometries.contiguous(&[]);
    let mut lowering = Lowering {
        graph,
        program,
        last_stretch: (nothing, nothing, nothing),
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
    /// The last geometry that was stretched, to which domain, and what that gave: mostly the next one is the same.
    last_stretch: (GeometryId, GeometryId, GeometryId),
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
        let id = self.next();
        self.program.instructions.push(instruction);
        self.program.values.push(self.current);
        id
    }

    /// The instruction that will be pushed next.
    fn next(&self) -> InstructionId {
        InstructionId(self.program.instructions.len() as u32)
    }

    /// Elements of a buffer that the instruction pushed next writes.
    fn written(&mut self, buffer: BufferId, layout: &Layout, ty: &ArrayType) -> View {
        View {
            buffer,
            geometry: self.program.geometries.intern(&ty.shape, &layout.strides),
            offset: layout.offset,
            dtype: ty.dtype,
            origin: Some(self.next()),
        }
    }

    /// A new part of the workspace, which the instruction pushed next writes.
    fn new_view(&mut self, ty: &ArrayType) -> View {
        View {
            buffer: self.new_buffer(Place::Workspace, ty),
            geometry: self.program.geometries.contiguous(&ty.shape),
            offset: 0,
            dtype: ty.dtype,
            origin: Some(self.next()),
        }
    }

    /// Where a value is to be computed: its destination, or a new part of the workspace.
    fn output(&mut self, value: ValueId, ty: &ArrayType) -> View {
        match self.destinations.get(&value) {
            Some((buffer, layout)) => {
                let (buffer, layout) = (*buffer, layout.clone());
                self.written(buffer, &layout, ty)
            }
            None => self.new_view(ty),
        }
    }

    fn shape(&self, view: &View) -> &[usize] {
        self.program.shape(view)
    }

    /// The same elements seen through another layout.
    fn seen(&mut self, view: &View, layout: &Layout, shape: &[usize]) -> View {
        View {
            geometry: self.program.geometries.intern(shape, &layout.strides),
            offset: layout.offset,
            ..*view
        }
    }

    fn held(&self, value: ValueId) -> Result<&Held> {
        self.held[value.index()]
            .as_ref()
            .ok_or_else(|| Error::internal(format!("{value} was not lowered")))
    }

    fn operand(&self, value: ValueId) -> Result<Operand> {
        match self.held(value)? {
            Held::One(operand) => Ok(*operand),
            Held::Tuple(_) => Err(Error::internal(format!("{value} is a tuple"))),
        }
    }

    /// A view stretched to a shape by NumPy's broadcasting.
    fn stretched(&mut self, view: &View, shape: &[usize]) -> View {
        if self.shape(view) == shape {
            return *view;
        }
        let layout = self.program.layout(view);
        let layout = layout.broadcast(self.shape(view), shape);
        self.seen(view, &layout, shape)
    }

    /// An operand broadcast to a domain, which is given as a contiguous geometry too.
    fn broadcast(
        &mut self,
        value: ValueId,
        shape: &[usize],
        domain: GeometryId,
    ) -> Result<Operand> {
        let view = match self.operand(value)? {
            Operand::View(view) => view,
            literal @ Operand::Literal(_) => return Ok(literal),
        };
        if view.geometry == domain {
            return Ok(Operand::View(view));
        }
        let (from, to, geometry) = self.last_stretch;
        if (from, to) == (view.geometry, domain) {
            return Ok(Operand::View(View { geometry, ..view }));
        }
        let stretched = self.stretched(&view, shape);
        self.last_stretch = (view.geometry, domain, stretched.geometry);
        Ok(Operand::View(stretched))
    }

    fn literal(&mut self, literal: Literal) -> Operand {
        let id = LiteralId(self.program.literals.len() as u32);
        self.program.literals.push(literal);
        Operand::Literal(id)
    }

    /// A value in memory; a literal is written there first.
    fn view(&mut self, value: ValueId) -> Result<View> {
        match self.operand(value)? {
            Operand::View(view) => Ok(view),
            literal @ Operand::Literal(_) => {
                let ty = self.graph.ty(value)?.clone();
                let output = self.new_view(&ty);
                Ok(self.copy(literal, output))
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
        if self.program.is_contiguous(&view) {
            return view;
        }
        let ty = ArrayType {
            dtype: view.dtype,
            shape: self.shape(&view).into(),
        };
        let output = self.new_view(&ty);
        self.copy(Operand::View(view), output)
    }

    /// Copies to a view that was made for the next instruction.
    fn copy(&mut self, input: Operand, output: View) -> View {
        self.push(Instruction::Copy { input, output });
        output
    }

    fn node(&mut self, value: ValueId) -> Result<Held> {
        let node = &self.graph[value];
        let first = node.inputs.first().copied();
        let input = || first.ok_or_else(|| Error::internal("an input is missing"));
        let view = match &node.op {
            Op::Input { index, ty } => self.leaf(Place::Input(*index), ty),
            Op::Constant { index, ty } => self.leaf(Place::Constant(*index), ty),
            Op::Literal { value } => return Ok(Held::One(self.literal(*value))),
            Op::Get { index } => match self.held(input()?)? {
                Held::Tuple(views) => views[*index],
                Held::One(_) => return Err(Error::internal("get of something that is no tuple")),
            },
            op @ (Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::BroadcastTo { .. }
            | Op::Slice { .. }) => match self.operand(input()?)? {
                literal @ Operand::Literal(_) => return Ok(Held::One(literal)),
                Operand::View(view) => self.look(&view, op, value)?,
            },
            Op::Sum { axes, .. } => self.reduce(value, ReduceOp::Sum, axes)?,
            Op::Prod { axes, .. } => self.reduce(value, ReduceOp::Prod, axes)?,
            Op::Max { axes, .. } => self.reduce(value, ReduceOp::Max, axes)?,
            Op::Min { axes, .. } => self.reduce(value, ReduceOp::Min, axes)?,
            Op::Any { axes, .. } => self.reduce(value, ReduceOp::Any, axes)?,
            Op::All { axes, .. } => self.reduce(value, ReduceOp::All, axes)?,
            Op::Concatenate { axis } => self.concatenate(value, *axis)?,
            Op::Matmul => self.matmul(value)?,
            Op::Take { axis } => self.take(value, *axis)?,
            Op::ScatterFlat { mode } => self.scatter(value, *mode)?,
            Op::Random {
                draw, distribution, ..
            } => self.random(value, draw, *distribution)?,
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
        Ok(Held::One(Operand::View(view)))
    }

    fn leaf(&mut self, place: Place, ty: &ArrayType) -> View {
        View {
            origin: None,
            buffer: self.new_buffer(place, ty),
            geometry: self.program.geometries.contiguous(&ty.shape),
            offset: 0,
            dtype: ty.dtype,
        }
    }

    /// An op that only changes how elements are seen; a reshape that strides cannot say copies first.
    fn look(&mut self, view: &View, op: &Op, value: ValueId) -> Result<View> {
        let layout = self.program.layout(view);
        let from = self.shape(view);
        let shape = &self.graph.ty(value)?.shape;
        let layout = match op {
            Op::Transpose { perm } => layout.transpose(perm),
            Op::BroadcastTo { shape } => layout.broadcast(from, shape),
            Op::Slice { slicing } => layout.slice(&slicing.starts, &slicing.steps),
            _ => match layout.reshape(from, shape) {
                Some(layout) => layout,
                None => {
                    let copy = self.contiguous_view(*view);
                    return Ok(self.seen(&copy, &Layout::contiguous(shape), shape));
                }
            },
        };
        Ok(self.seen(view, &layout, shape))
    }

    fn map(&mut self, value: ValueId) -> Result<View> {
        let graph = self.graph;
        let node = &graph[value];
        let ty = graph.ty(value)?;
        let domain = self.program.geometries.contiguous(&ty.shape);
        let output = self.output(value, ty);
        if let (Op::Astype { .. }, &[input]) = (&node.op, node.inputs.as_slice())
            && graph.ty(input)?.dtype == ty.dtype
        {
            let input = self.broadcast(input, &ty.shape, domain)?;
            return Ok(self.copy(input, output));
        }
        let op = self.program.intern_op(&node.op)?;
        let start = self.program.operands.len();
        for &input in &node.inputs {
            let operand = self.broadcast(input, &ty.shape, domain)?;
            self.program.operands.push(operand);
        }
        let inputs = self.program.operands_from(start);
        self.push(Instruction::Map { op, inputs, output });
        Ok(output)
    }

    fn reduce(&mut self, value: ValueId, op: ReduceOp, axes: &Dims) -> Result<View> {
        let graph = self.graph;
        let source = graph[value].inputs[0];
        let shape = &graph.ty(source)?.shape;
        if shape.len() > Axes::LIMIT {
            let rank = shape.len();
            return Err(Error::unsupported(format!(
                "the cranelift backend does not reduce arrays with {rank} axes"
            )));
        }
        let domain: GeometryId = self.program.geometries.contiguous(shape);
        let input = self.operand(source)?;
        let output = self.output(value, graph.ty(value)?);
        self.push(Instruction::Reduce {
            op,
            axes: Axes::new(axes),
            domain,
            input,
            output,
        });
        Ok(output)
    }
}

/// The plan of a copy between two views of equal shape.
pub(super) fn strided_copy(program: &Program, from: &View, to: &View) -> StridedCopy {
    let size = from.dtype.size();
    let bytes = |view: &View| -> Vec<isize> {
        let strides = program.strides(view).iter();
        strides.map(|s| s * size as isize).collect()
    };
    StridedCopy::new(size, program.shape(from), &bytes(from), &bytes(to))
}
