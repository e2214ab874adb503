//! Where values are computed: in the buffer of a result, in their part of a `concatenate`, or in a buffer of their own.

use rustc_hash::FxHashMap;

use super::ir::{BufferId, Instruction, InstructionId, Operand, Storage, View};
use super::layout::Layout;
use super::lowering::Lowering;
use autojit_ir::error::Result;
use autojit_ir::{IndexOp, JoinOp, LeafOp, Op, ReduceOp, ValueId, ViewOp};

impl Lowering<'_> {
    /// One output buffer for each different result; results that repeat share it.
    pub(crate) fn place_outputs(&mut self) {
        let mut seen: FxHashMap<ValueId, usize> = FxHashMap::default();
        for &output in self.graph.outputs() {
            let next = seen.len();
            let index = *seen.entry(output).or_insert(next);
            self.lowered.results.push(index);
            if index == next
                && let Ok(ty) = self.graph.ty(output)
            {
                let buffer = self.new_buffer(Storage::Output(index), ty);
                self.place(output, buffer, Layout::contiguous(&ty.shape));
            }
        }
    }

    /// The parts of a join are computed in the buffer of the whole.
    pub(crate) fn place_parts(&mut self, value: ValueId) {
        let node = &self.graph[value];
        let (Op::Join(JoinOp::Concatenate { axis }), Ok(ty)) = (&node.op, self.graph.ty(value))
        else {
            return;
        };
        let (buffer, layout) = match self.destinations.get(&value) {
            Some(destination) => destination.clone(),
            None => {
                let buffer = self.new_buffer(Storage::Workspace, ty);
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
    pub(crate) fn place(&mut self, mut value: ValueId, buffer: BufferId, mut layout: Layout) {
        loop {
            let node = &self.graph[value];
            let Ok(ty) = self.graph.ty(value) else { return };
            match &node.op {
                Op::View(ViewOp::Reshape { .. }) => {
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
                Op::View(ViewOp::Transpose { perm }) => {
                    layout = layout.untranspose(perm);
                    value = node.inputs[0];
                }
                // What the runtime and users' functions write must be contiguous, except for matrix products.
                Op::Index(
                    IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } | IndexOp::Scatter { .. },
                )
                | Op::Random { .. }
                | Op::Reduce(ReduceOp::Argmax { .. } | ReduceOp::Argmin { .. })
                | Op::Opaque { .. }
                    if !layout.is_contiguous(&ty.shape) =>
                {
                    return;
                }
                Op::Leaf(
                    LeafOp::Input { .. } | LeafOp::Constant { .. } | LeafOp::Literal { .. },
                )
                | Op::View(ViewOp::BroadcastTo { .. } | ViewOp::Slice { .. })
                | Op::Get { .. } => return,
                Op::Map(_)
                | Op::Reduce(_)
                | Op::Scan(_)
                | Op::Sort(_)
                | Op::Contract(_)
                | Op::Index(_)
                | Op::Join(_)
                | Op::Linalg(_)
                | Op::Fourier(_)
                | Op::Control(_)
                | Op::Random { .. }
                | Op::Opaque { .. } => {
                    self.destinations.entry(value).or_insert((buffer, layout));
                    return;
                }
            }
        }
    }

    /// Whether an operand is what a layout in a buffer says.
    fn is_at(&self, operand: &Operand, buffer: BufferId, layout: &Layout, shape: &[usize]) -> bool {
        match operand {
            Operand::View(v) => {
                v.buffer == buffer && self.lowered.layout(v).same_elements(layout, shape)
            }
            Operand::Literal(_) => false,
        }
    }

    pub(crate) fn concatenate(&mut self, value: ValueId, axis: usize) -> Result<View> {
        let graph = self.graph;
        let (buffer, layout) = self.destinations[&value].clone();
        let mut parts: Vec<InstructionId> = Vec::with_capacity(graph[value].inputs.len());
        let mut start = 0;
        for &input in &graph[value].inputs {
            let ty = graph.ty(input)?;
            let target = layout.part(axis, start);
            start += ty.shape[axis];
            let from = self.operand(input)?;
            if self.is_at(&from, buffer, &target, &ty.shape) {
                if let Operand::View(view) = from {
                    parts.extend(view.origin());
                }
            } else if ty.size() > 0 {
                let output = self.written(buffer, &target, ty);
                parts.extend(self.copy(from, output).origin());
            }
        }
        let parts = self.lowered.add_parts(&parts);
        let joined = self.written(buffer, &layout, graph.ty(value)?);
        self.push(Instruction::Join { parts });
        Ok(joined)
    }

    /// Copies the results that could not be computed where they belong.
    pub(crate) fn finish_outputs(&mut self) -> Result<()> {
        let graph = self.graph;
        let mut done = 0;
        for (position, &output) in graph.outputs().iter().enumerate() {
            let index = self.lowered.results[position];
            if index < done {
                continue;
            }
            done += 1;
            self.current = output;
            let ty = graph.ty(output)?;
            // Output buffers were made first, in order.
            let buffer = BufferId(index as u32);
            let layout = Layout::contiguous(&ty.shape);
            let from = self.operand(output)?;
            if !self.is_at(&from, buffer, &layout, &ty.shape) && ty.size() > 0 {
                let target = self.written(buffer, &layout, ty);
                self.copy(from, target);
            }
        }
        Ok(())
    }
}
