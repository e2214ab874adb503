//! Graph -> program: views become strides, joins become destinations, everything else an instruction.
//!
//! Two passes. Backwards, [`Destinations`] decides which values are computed right where they are needed: in
//! the buffer of a result, or in their part of a `concatenate`. Forwards, each node becomes a view of what is
//! already in memory, or an instruction that puts it there. Both are linear in nodes.

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use autojit_runtime::copy::StridedCopy;
use autojit_runtime::gather::Gather;
use autojit_runtime::lines::Lines;
use autojit_runtime::matmul::MatrixProduct;
use autojit_runtime::reduce::ArgReduce;
use autojit_runtime::scan::Scan;
use autojit_runtime::sort::Sort;

use super::layout::Layout;
use super::program::{
    Buffer, BufferId, Call, Instruction, InstructionId, Operand, Place, Program, View, kind,
};
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
    // ---- backwards: destinations ----

    /// One output buffer for each different result; results that repeat share it.
    fn place_outputs(&mut self) {
        let mut seen: FxHashMap<ValueId, usize> = FxHashMap::default();
        for &output in self.graph.outputs() {
            let next = seen.len();
            let index = *seen.entry(output).or_insert(next);
            self.program.results.push(index);
            if index == next
                && let Ok(ty) = self.graph.ty(output)
            {
                let buffer = self.new_buffer(Place::Output(index), ty);
                self.place(output, buffer, Layout::contiguous(&ty.shape));
            }
        }
    }

    /// The parts of a join are computed in the buffer of the whole.
    fn place_parts(&mut self, value: ValueId) {
        let node = &self.graph[value];
        let (Op::Concatenate { axis }, Ok(ty)) = (&node.op, self.graph.ty(value)) else {
            return;
        };
        let (buffer, layout) = match self.destinations.get(&value) {
            Some(destination) => destination.clone(),
            None => {
                let buffer = self.new_buffer(Place::Workspace, ty);
                let layout = Layout::contiguous(&ty.shape);
                self.destinations.insert(value, (buffer, layout.clone()));
                (buffer, layout)
            }
        };
        let mut start = 0;
        for &part in &node.inputs {
            self.place(part, buffer, layout.part(*axis, start));
            start += self.graph.ty(part).map_or(0, |t| t.shape[*axis]);
        }
    }

    /// Lets `value` be computed with the given layout, looking through views that can be undone.
    fn place(&mut self, mut value: ValueId, buffer: BufferId, mut layout: Layout) {
        loop {
            let node = &self.graph[value];
            let Ok(ty) = self.graph.ty(value) else { return };
            match &node.op {
                Op::Reshape { .. } => {
                    let Ok(before) = self.graph.ty(node.inputs[0]) else {
                        return;
                    };
                    layout = match layout.unreshape(&before.shape, &ty.shape) {
                        Some(layout) => layout,
                        None => match layout.reshape(&ty.shape, &before.shape) {
                            Some(layout) => layout,
                            None => return,
                        },
                    };
                    value = node.inputs[0];
                }
                Op::Transpose { perm } => {
                    layout = layout.untranspose(perm);
                    value = node.inputs[0];
                }
                // What the runtime writes must be contiguous, except for matrix products.
                Op::Take { .. } | Op::Argmax { .. } | Op::Argmin { .. }
                    if !layout.is_contiguous(&ty.shape) =>
                {
                    return;
                }
                Op::Input { .. }
                | Op::Constant { .. }
                | Op::Literal { .. }
                | Op::BroadcastTo { .. }
                | Op::Slice { .. }
                | Op::Get { .. } => return,
                _ => {
                    self.destinations.entry(value).or_insert((buffer, layout));
                    return;
                }
            }
        }
    }

    // ---- forwards: instructions ----

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
        if view.is_contiguous() {
            return Ok(view);
        }
        let ty = ArrayType {
            dtype: view.dtype,
            shape: view.shape.clone(),
        };
        Ok(self.copy(Operand::View(view), &ty, None))
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
            Op::Qr | Op::Svd { .. } => return self.decompose(value),
            op if op.is_elementwise() || matches!(op, Op::Astype { .. } | Op::WrapIndex { .. }) => {
                self.map(value)?
            }
            op => {
                return Err(Error::unsupported(format!(
                    "the cranelift backend does not have {}",
                    op.name()
                )));
            }
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

    fn concatenate(&mut self, value: ValueId, axis: usize) -> Result<View> {
        let node = &self.graph[value];
        let ty = self.graph.ty(value)?.clone();
        let (buffer, layout) = self.destinations[&value].clone();
        let mut parts = Vec::with_capacity(node.inputs.len());
        let mut start = 0;
        for &input in &node.inputs {
            let part_ty = self.graph.ty(input)?.clone();
            let target = layout.part(axis, start);
            start += part_ty.shape[axis];
            let from = self.operand(input)?;
            let in_place = match &from {
                Operand::View(v) => {
                    v.buffer == buffer && v.layout.same_elements(&target, &part_ty.shape)
                }
                Operand::Literal(_) => false,
            };
            if in_place {
                if let Operand::View(View {
                    origin: Some(origin),
                    ..
                }) = from
                {
                    parts.push(origin);
                }
            } else if part_ty.size() > 0 {
                parts.extend(self.copy(from, &part_ty, Some((buffer, target))).origin);
            }
        }
        let origin = Some(self.push(Instruction::Join { parts }));
        Ok(View {
            buffer,
            layout,
            shape: ty.shape,
            dtype: ty.dtype,
            origin,
        })
    }

    fn call(&mut self, call: Call, inputs: SmallVec<[View; 3]>, output: View) -> View {
        let output = View {
            origin: Some(self.next()),
            ..output
        };
        self.push(Instruction::Call {
            call,
            inputs,
            outputs: smallvec![output.clone()],
        });
        output
    }

    fn matmul(&mut self, value: ValueId) -> Result<View> {
        let node = &self.graph[value];
        let (x, y) = (self.view(node.inputs[0])?, self.view(node.inputs[1])?);
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        // Vectors become matrices of one row or one column.
        let mut c = output.layout.strides.clone();
        let (mut x_shape, mut x_strides) = (x.shape.clone(), x.layout.strides.clone());
        let (mut y_shape, mut y_strides) = (y.shape.clone(), y.layout.strides.clone());
        let mut shape = ty.shape.clone();
        if y.shape.len() == 1 {
            y_shape.push(1);
            y_strides.push(0);
            shape.push(1);
            c.push(0);
        }
        if x.shape.len() == 1 {
            x_shape.insert(0, 1);
            x_strides.insert(0, 0);
            shape.insert(shape.len() - 1, 1);
            c.insert(c.len() - 1, 0);
        }
        let batch = &shape[..shape.len() - 2];
        let lead = |s: &Dims, strides: &[isize]| {
            let inner = s.len() - 2;
            let layout = Layout {
                offset: 0,
                strides: strides[..inner].into(),
            };
            layout.broadcast(&s[..inner], batch).strides.to_vec()
        };
        let last_two = |strides: &[isize]| [strides[strides.len() - 2], strides[strides.len() - 1]];
        let product = MatrixProduct {
            kind: kind(ty.dtype),
            batch: batch.to_vec(),
            m: shape[shape.len() - 2],
            k: x_shape[x_shape.len() - 1],
            n: shape[shape.len() - 1],
            a_batch: lead(&x_shape, &x_strides),
            b_batch: lead(&y_shape, &y_strides),
            c_batch: c[..c.len() - 2].to_vec(),
            a: last_two(&x_strides),
            b: last_two(&y_strides),
            c: last_two(&c),
        };
        Ok(self.call(Call::Matmul(product), smallvec![x, y], output))
    }

    fn take(&mut self, value: ValueId, axis: usize) -> Result<View> {
        let node = &self.graph[value];
        let (x, indices) = (
            self.contiguous(node.inputs[0])?,
            self.contiguous(node.inputs[1])?,
        );
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let gather = Gather {
            item_size: x.dtype.size(),
            outer: x.shape[..axis].iter().product(),
            len: x.shape[axis],
            inner: x.shape[axis + 1..].iter().product(),
            index_kind: kind(indices.dtype),
            count: indices.shape.iter().product(),
        };
        Ok(self.call(Call::Gather { gather, axis }, smallvec![x, indices], output))
    }

    fn arg_reduce(&mut self, value: ValueId, axis: usize, largest: bool) -> Result<View> {
        let x = self.view(self.graph[value].inputs[0])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let (mut outer, mut strides) = (x.shape.to_vec(), x.layout.strides.to_vec());
        let (len, stride) = (outer.remove(axis), strides.remove(axis));
        let reduce = ArgReduce {
            kind: kind(x.dtype),
            outer,
            outer_strides_in: strides,
            len,
            stride,
            largest,
        };
        Ok(self.call(Call::ArgReduce(reduce), smallvec![x], output))
    }

    /// A running total, or a sort.
    fn along(&mut self, value: ValueId, axis: usize) -> Result<View> {
        let node = &self.graph[value];
        let x = self.view(node.inputs[0])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let lines = Lines::new(&x.shape, &x.layout.strides, &output.layout.strides, axis);
        let kind = kind(x.dtype);
        let product = matches!(node.op, Op::Cumprod { .. });
        let positions = matches!(node.op, Op::Argsort { .. });
        let call = match node.op {
            Op::Cumsum { .. } | Op::Cumprod { .. } => Call::Scan(Scan {
                kind,
                product,
                lines,
            }),
            _ => Call::Sort(Sort {
                kind,
                positions,
                lines,
            }),
        };
        Ok(self.call(call, smallvec![x], output))
    }

    fn decompose(&mut self, value: ValueId) -> Result<Held> {
        let node = &self.graph[value];
        let x = self.contiguous(node.inputs[0])?;
        let rank = x.shape.len();
        let (m, n, kind) = (x.shape[rank - 2], x.shape[rank - 1], kind(x.dtype));
        let batch = x.shape[..rank - 2].iter().product();
        let call = match node.op {
            Op::Svd { full_matrices } => Call::Svd {
                kind,
                full_matrices,
                batch,
                m,
                n,
            },
            _ => Call::Qr { kind, batch, m, n },
        };
        let types = node.ty.arrays();
        let buffers: SmallVec<[BufferId; 3]> = types
            .iter()
            .map(|ty| self.new_buffer(Place::Workspace, ty))
            .collect();
        let origin = Some(self.next());
        let outputs: SmallVec<[View; 3]> = types
            .iter()
            .zip(buffers)
            .map(|(ty, buffer)| View {
                buffer,
                layout: Layout::contiguous(&ty.shape),
                shape: ty.shape.clone(),
                dtype: ty.dtype,
                origin,
            })
            .collect();
        self.push(Instruction::Call {
            call,
            inputs: smallvec![x],
            outputs: outputs.clone(),
        });
        Ok(Held::Tuple(outputs))
    }

    /// Copies the results that could not be computed where they belong.
    fn finish_outputs(&mut self) -> Result<()> {
        let mut done = 0;
        for (position, &output) in self.graph.outputs().iter().enumerate() {
            let index = self.program.results[position];
            if index < done {
                continue;
            }
            done += 1;
            self.current = output;
            let ty = self.graph.ty(output)?.clone();
            // Output buffers were made first, in order.
            let buffer = BufferId(index as u32);
            let layout = Layout::contiguous(&ty.shape);
            let from = self.operand(output)?;
            let in_place = match &from {
                Operand::View(v) => {
                    v.buffer == buffer && v.layout.same_elements(&layout, &ty.shape)
                }
                Operand::Literal(_) => false,
            };
            if !in_place && ty.size() > 0 {
                self.copy(from, &ty, Some((buffer, layout)));
            }
        }
        Ok(())
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
