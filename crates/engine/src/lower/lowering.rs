//! The passes of lowering. Backwards, `destinations.rs` decides which values are computed right where they are needed: in
//! the buffer of a result, or in their part of a `concatenate`. Forwards, each node becomes a view of what is
//! already in memory, or an instruction that puts it there. Both are linear in nodes.

use rustc_hash::FxHashMap;

use super::ir::{
    Axes, Buffer, BufferId, Fold, Instruction, InstructionId, LiteralId, Lowered, Operand, Storage,
    View,
};
use super::layout::{GeometryId, Layout};
use autojit_ir::error::{Error, Result};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{
    ArrayType, ContractOp, Dims, Graph, IndexOp, JoinOp, LeafOp, Literal, MapOp, Op, ReduceOp,
    ValueId, ViewOp, derived,
};

/// The lowered form of a graph value.
#[derive(Clone)]
pub(crate) enum LoweredValue {
    One(Operand),
    Tuple(Box<[View]>),
}

/// Lowers a graph of core ops.
///
/// # Errors
/// An op that this backend does not have (unsupported), or an internal error.
pub(crate) fn lower(graph: &Graph) -> Result<Lowered> {
    let live = graph.live();
    let nodes = live.iter().filter(|&&live| live).count();
    let mut lowered = Lowered::default();
    // About as many as there are nodes. Growing step by step would touch twice the memory.
    lowered.instructions.reserve(nodes);
    lowered.values.reserve(nodes);
    lowered.buffers.reserve(nodes);
    let nothing = lowered.geometries.contiguous(&[]);
    let mut lowering = Lowering {
        graph,
        lowered,
        last_stretch: (nothing, nothing, nothing),
        known_types: [None; 2],
        values: vec![None; graph.nodes().len()],
        destinations: FxHashMap::default(),
        current: ValueId(0),
    };
    lowering.place_outputs();
    for value in graph.values().rev().filter(|v| live[v.index()]) {
        lowering.place_parts(value);
    }
    for value in graph.values().filter(|v| live[v.index()]) {
        lowering.current = value;
        let lowered = lowering.node(value).map_err(|e| {
            let e = e.in_op(graph[value].op.error_name());
            graph[value].location.map_or(e.clone(), |l| e.at(l))
        })?;
        lowering.values[value.index()] = Some(lowered);
    }
    lowering.finish_outputs()?;
    Ok(lowering.lowered)
}

pub(crate) struct Lowering<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) lowered: Lowered,
    values: Vec<Option<LoweredValue>>,
    /// Where a value is to be computed, if not in a buffer of its own.
    pub(crate) destinations: FxHashMap<ValueId, (BufferId, Layout)>,
    /// The last geometry that was stretched, to which domain, and what that gave: mostly the next one is the same.
    last_stretch: (GeometryId, GeometryId, GeometryId),
    /// The last types of nodes. Most nodes share few, which are told apart by their addresses.
    known_types: [Option<KnownType<'a>>; 2],
    pub(crate) current: ValueId,
}

/// The type of a node, and what an array of it takes in memory.
#[derive(Clone, Copy)]
struct KnownType<'a> {
    ty: &'a ArrayType,
    /// In C order without gaps.
    geometry: GeometryId,
    bytes: usize,
}

impl<'a> Lowering<'a> {
    /// The type of a node.
    #[inline]
    fn known_type(&mut self, value: ValueId) -> Result<KnownType<'a>> {
        let ty = self.graph.ty(value)?;
        let is_it = |known: &KnownType<'a>| std::ptr::eq(known.ty, ty);
        if let Some(known) = self.known_types.into_iter().flatten().find(is_it) {
            return Ok(known);
        }
        let known = KnownType {
            ty,
            geometry: self.lowered.geometries.contiguous(&ty.shape),
            bytes: ty.bytes(),
        };
        self.known_types = [Some(known), self.known_types[0]];
        Ok(known)
    }

    pub(crate) fn new_buffer(&mut self, storage: Storage, ty: &ArrayType) -> BufferId {
        let id = BufferId(self.lowered.buffers.len() as u32);
        self.lowered.buffers.push(Buffer {
            storage,
            bytes: ty.bytes(),
        });
        id
    }

    pub(crate) fn push(&mut self, instruction: Instruction) -> InstructionId {
        let id = self.next();
        self.lowered.instructions.push(instruction);
        self.lowered.values.push(self.current);
        id
    }

    /// The instruction that will be pushed next.
    pub(crate) fn next(&self) -> InstructionId {
        InstructionId(self.lowered.instructions.len() as u32)
    }

    /// Elements of a buffer that the instruction pushed next writes.
    pub(crate) fn written(&mut self, buffer: BufferId, layout: &Layout, ty: &ArrayType) -> View {
        let geometry = self.lowered.geometries.intern(&ty.shape, &layout.strides);
        View::new(buffer, geometry, layout.offset, ty.dtype, Some(self.next()))
    }

    /// A new part of the workspace, which the instruction pushed next writes.
    pub(crate) fn new_view(&mut self, ty: &ArrayType) -> View {
        let buffer = self.new_buffer(Storage::Workspace, ty);
        let geometry = self.lowered.geometries.contiguous(&ty.shape);
        View::new(buffer, geometry, 0, ty.dtype, Some(self.next()))
    }

    /// Where a value is to be computed: its destination, or a new part of the workspace.
    pub(crate) fn output(&mut self, value: ValueId, ty: &ArrayType) -> View {
        match self.destinations.get(&value) {
            Some((buffer, layout)) => {
                let (buffer, layout) = (*buffer, layout.clone());
                self.written(buffer, &layout, ty)
            }
            None => self.new_view(ty),
        }
    }

    /// The same for a value of a known type.
    #[inline]
    fn output_of(&mut self, value: ValueId, known: KnownType<'_>) -> View {
        if self.destinations.contains_key(&value) {
            return self.output(value, known.ty);
        }
        let buffer = BufferId(self.lowered.buffers.len() as u32);
        self.lowered.buffers.push(Buffer {
            storage: Storage::Workspace,
            bytes: known.bytes,
        });
        let dtype = known.ty.dtype;
        View::new(buffer, known.geometry, 0, dtype, Some(self.next()))
    }

    pub(crate) fn shape(&self, view: &View) -> &[usize] {
        self.lowered.shape(view)
    }

    /// The same elements seen through another layout.
    fn seen(&mut self, view: &View, layout: &Layout, shape: &[usize]) -> View {
        View {
            geometry: self.lowered.geometries.intern(shape, &layout.strides),
            offset: layout.offset,
            ..*view
        }
    }

    fn lowered_value(&self, value: ValueId) -> Result<&LoweredValue> {
        self.values[value.index()]
            .as_ref()
            .ok_or_else(|| Error::internal(format!("{value} was not lowered")))
    }

    pub(crate) fn operand(&self, value: ValueId) -> Result<Operand> {
        match self.lowered_value(value)? {
            LoweredValue::One(operand) => Ok(*operand),
            LoweredValue::Tuple(_) => Err(Error::internal(format!("{value} is a tuple"))),
        }
    }

    /// A view stretched to a shape by NumPy's broadcasting.
    pub(crate) fn stretched(&mut self, view: &View, shape: &[usize]) -> View {
        if self.shape(view) == shape {
            return *view;
        }
        let layout = self.lowered.layout(view);
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
        let id = LiteralId(self.lowered.literals.len() as u32);
        self.lowered.literals.push(literal);
        Operand::Literal(id)
    }

    /// A value in memory; a literal is written there first.
    pub(crate) fn view(&mut self, value: ValueId) -> Result<View> {
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
    pub(crate) fn contiguous(&mut self, value: ValueId) -> Result<View> {
        let view = self.view(value)?;
        Ok(self.contiguous_view(view))
    }

    /// The view itself, or a copy in C order without gaps.
    pub(crate) fn contiguous_view(&mut self, view: View) -> View {
        if self.lowered.is_contiguous(&view) {
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
    pub(crate) fn copy(&mut self, input: Operand, mut output: View) -> View {
        if self.shape(&output).contains(&0) {
            output.written_by(None);
            return output;
        }
        self.push(Instruction::Copy { input, output });
        output
    }

    fn node(&mut self, value: ValueId) -> Result<LoweredValue> {
        let node = &self.graph[value];
        let first = node.inputs.first().copied();
        let input = || first.ok_or_else(|| Error::internal("an input is missing"));
        if let Some(nothing) = self.nothing(value)? {
            return Ok(LoweredValue::One(nothing));
        }
        let view = match &node.op {
            Op::Leaf(LeafOp::Input { index, ty }) => self.leaf(Storage::Input(*index), ty),
            Op::Leaf(LeafOp::Constant { index, ty }) => self.leaf(Storage::Constant(*index), ty),
            Op::Leaf(LeafOp::Literal { value }) => {
                return Ok(LoweredValue::One(self.literal(*value)));
            }
            Op::Get { index } => match self.lowered_value(input()?)? {
                LoweredValue::Tuple(views) => views[*index],
                LoweredValue::One(_) => {
                    return Err(Error::internal("get of something that is no tuple"));
                }
            },
            Op::Map(op) => self.map(value, op)?,
            Op::View(op) => match self.operand(input()?)? {
                literal @ Operand::Literal(_) => return Ok(LoweredValue::One(literal)),
                Operand::View(view) => self.look(&view, op, value)?,
            },
            Op::Reduce(op) => match op {
                ReduceOp::Sum { axes, .. } => self.reduce(value, Fold::Sum, axes)?,
                ReduceOp::Prod { axes, .. } => self.reduce(value, Fold::Prod, axes)?,
                ReduceOp::Max { axes, .. } => self.reduce(value, Fold::Max, axes)?,
                ReduceOp::Min { axes, .. } => self.reduce(value, Fold::Min, axes)?,
                ReduceOp::Any { axes, .. } => self.reduce(value, Fold::Any, axes)?,
                ReduceOp::All { axes, .. } => self.reduce(value, Fold::All, axes)?,
                ReduceOp::Argmax { axis, .. } => self.arg_reduce(value, *axis, true)?,
                ReduceOp::Argmin { axis, .. } => self.arg_reduce(value, *axis, false)?,
                derived!(ReduceOp) => return Err(not_expanded(&node.op)),
            },
            Op::Scan(op) => self.scan(value, op)?,
            Op::Sort(op) => self.sort(value, op)?,
            Op::Join(op) => match op {
                JoinOp::Concatenate { axis } => self.concatenate(value, *axis)?,
                derived!(JoinOp) => return Err(not_expanded(&node.op)),
            },
            Op::Contract(op) => match op {
                ContractOp::Matmul => self.matmul(value)?,
                derived!(ContractOp) => return Err(not_expanded(&node.op)),
            },
            Op::Index(op) => match op {
                IndexOp::Take { axis } => self.take(value, *axis)?,
                IndexOp::ScatterFlat { mode } => self.scatter(value, *mode)?,
                IndexOp::Scatter {
                    key,
                    mode: ScatterMode::Set,
                } if key.arrays() == 0 => self.update(value, key)?,
                derived!(IndexOp) => return Err(not_expanded(&node.op)),
            },
            Op::Linalg(_) | Op::Fourier(_) => {
                let lowered = self.runtime_call(value)?;
                return lowered.ok_or_else(|| {
                    let op = node.op.name();
                    Error::unsupported(format!("the cranelift backend does not have {op}"))
                });
            }
            Op::Random {
                draw, distribution, ..
            } => self.random(value, draw, *distribution)?,
            Op::Control(op) => return self.control(value, op),
            Op::Opaque { function } => return self.external(value, function),
        };
        Ok(LoweredValue::One(Operand::View(view)))
    }

    /// The result of an op that need not run: an array without elements, or the reduction of none. Loops around nothing would
    /// still count: an axis beside one of length zero may have any length.
    fn nothing(&mut self, value: ValueId) -> Result<Option<Operand>> {
        let node = &self.graph[value];
        match &node.op {
            Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Contract(_)
            | Op::Join(_) => {}
            // The others have no loops of their own, or may fail.
            Op::Leaf(_)
            | Op::View(_)
            | Op::Index(_)
            | Op::Linalg(_)
            | Op::Fourier(_)
            | Op::Control(_)
            | Op::Get { .. }
            | Op::Random { .. }
            | Op::Opaque { .. } => return Ok(None),
        }
        let ty = self.graph.ty(value)?;
        let dtype = ty.dtype;
        if ty.shape.contains(&0) {
            let ty = ty.clone();
            let mut view = self.output(value, &ty);
            view.written_by(None);
            return Ok(Some(Operand::View(view)));
        }
        let Op::Reduce(op) = &node.op else {
            return Ok(None);
        };
        let of_none = self.graph.ty(node.inputs[0])?.shape.contains(&0);
        let neutral = match op {
            ReduceOp::Sum { .. } | ReduceOp::Any { .. } => 0,
            ReduceOp::Prod { .. } | ReduceOp::All { .. } => 1,
            // Inference refuses these of nothing.
            ReduceOp::SumWhere { .. }
            | ReduceOp::Max { .. }
            | ReduceOp::Min { .. }
            | ReduceOp::Argmax { .. }
            | ReduceOp::Argmin { .. } => return Ok(None),
        };
        Ok(of_none.then(|| self.literal(Literal::new(neutral, dtype))))
    }

    fn leaf(&mut self, storage: Storage, ty: &ArrayType) -> View {
        let buffer = self.new_buffer(storage, ty);
        let geometry = self.lowered.geometries.contiguous(&ty.shape);
        View::new(buffer, geometry, 0, ty.dtype, None)
    }

    /// An op that only changes how elements are seen; a reshape that strides cannot say copies first.
    fn look(&mut self, view: &View, op: &ViewOp, value: ValueId) -> Result<View> {
        let layout = self.lowered.layout(view);
        let from = self.shape(view);
        let shape = &self.graph.ty(value)?.shape;
        let layout = match op {
            ViewOp::Transpose { perm } => layout.transpose(perm),
            ViewOp::BroadcastTo { shape } => layout.broadcast(from, shape),
            ViewOp::Slice { slicing } => layout.slice(&slicing.starts, &slicing.steps),
            ViewOp::Reshape { .. } => match layout.reshape(from, shape) {
                Some(layout) => layout,
                None => {
                    let copy = self.contiguous_view(*view);
                    return Ok(self.seen(&copy, &Layout::contiguous(shape), shape));
                }
            },
        };
        Ok(self.seen(view, &layout, shape))
    }

    fn map(&mut self, value: ValueId, op: &MapOp) -> Result<View> {
        let graph = self.graph;
        let node = &graph[value];
        let known = self.known_type(value)?;
        let (ty, domain) = (known.ty, known.geometry);
        let output = self.output_of(value, known);
        if let (MapOp::Astype { .. }, &[input]) = (op, node.inputs.as_slice())
            && graph.ty(input)?.dtype == ty.dtype
        {
            let input = self.broadcast(input, &ty.shape, domain)?;
            return Ok(self.copy(input, output));
        }
        let op = self.lowered.intern_op(op)?;
        let start = self.lowered.operands.len();
        for &input in &node.inputs {
            let operand = self.broadcast(input, &ty.shape, domain)?;
            self.lowered.operands.push(operand);
        }
        let inputs = self.lowered.operands_from(start);
        self.push(Instruction::Map { op, inputs, output });
        Ok(output)
    }

    fn reduce(&mut self, value: ValueId, op: Fold, axes: &Dims) -> Result<View> {
        let graph = self.graph;
        let source = graph[value].inputs[0];
        let KnownType {
            ty: ArrayType { shape, .. },
            geometry: domain,
            ..
        } = self.known_type(source)?;
        if shape.len() > Axes::LIMIT {
            let rank = shape.len();
            return Err(Error::unsupported(format!(
                "the cranelift backend does not reduce arrays with {rank} axes"
            )));
        }
        let input = self.operand(source)?;
        let known = self.known_type(value)?;
        let output = self.output_of(value, known);
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

/// The error for an op that reached the engine although it is not one of those that graphs are expanded to.
fn not_expanded(op: &Op) -> Error {
    Error::internal(format!("{} should have been expanded", op.name()))
}
