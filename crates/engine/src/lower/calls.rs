//! Ops that run as one call: products, gathers, scans, sorts and decompositions of the runtime, users' functions.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use autojit_runtime::copy::{StridedCopy, Update};
use autojit_runtime::gather::Gather;
use autojit_runtime::lines::Lines;
use autojit_runtime::matmul::MatrixProduct;
use autojit_runtime::reduce::ArgReduce;
use autojit_runtime::scan::Scan;
use autojit_runtime::scatter::Scatter;
use autojit_runtime::sort::Sort;

use super::control::Control;
use super::external::External;
use super::ir::{Call, CallSite, DrawSource, Instruction, Operand, View};
use super::layout::{Geometry, Layout};
use super::lowering::{LoweredValue, Lowering};
use autojit_ir::error::Result;
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::random::{Distribution, Draw};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{
    ArrayType, ControlOp, Dims, Node, OpaqueFunction, ScanOp, SortOp, Steps, Type, ValueId,
};
use autojit_library::runtime::RuntimeCall;
use autojit_library::runtime::kind;
use autojit_library::{random_distribution, scatter_mode};

impl Lowering<'_> {
    fn push_call(&mut self, call: Call, inputs: SmallVec<[View; 3]>, outputs: SmallVec<[View; 3]>) {
        let index = self.lowered.calls.len() as u32;
        self.lowered.calls.push(CallSite {
            call,
            inputs,
            outputs,
        });
        self.push(Instruction::Call(index));
    }

    fn call(&mut self, call: Call, inputs: SmallVec<[View; 3]>, mut output: View) -> View {
        output.written_by(Some(self.next()));
        self.push_call(call, inputs, smallvec![output]);
        output
    }

    /// The shape and the strides of a view, to be changed.
    fn geometry(&self, view: &View) -> (Dims, Steps) {
        let Geometry { shape, strides, .. } = &self.lowered.geometries[view.geometry];
        (shape.clone(), strides.clone())
    }

    pub(crate) fn matmul(&mut self, value: ValueId) -> Result<View> {
        let node = &self.graph[value];
        let (x, y) = (self.view(node.inputs[0])?, self.view(node.inputs[1])?);
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        // Vectors become matrices of one row or one column.
        let (mut shape, mut c) = self.geometry(&output);
        let (mut x_shape, mut x_strides) = self.geometry(&x);
        let (mut y_shape, mut y_strides) = self.geometry(&y);
        let (is_row, is_column) = (x_shape.len() == 1, y_shape.len() == 1);
        if is_column {
            y_shape.push(1);
            y_strides.push(0);
            shape.push(1);
            c.push(0);
        }
        if is_row {
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
            kind: kind(ty.dtype)?,
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

    pub(crate) fn take(&mut self, value: ValueId, axis: usize) -> Result<View> {
        let node = &self.graph[value];
        let (x, indices) = (
            self.contiguous(node.inputs[0])?,
            self.contiguous(node.inputs[1])?,
        );
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let gather = Gather {
            item_size: x.dtype.size(),
            outer: self.shape(&x)[..axis].iter().product(),
            len: self.shape(&x)[axis],
            inner: self.shape(&x)[axis + 1..].iter().product(),
            index_kind: kind(indices.dtype)?,
            count: self.shape(&indices).iter().product(),
        };
        Ok(self.call(Call::Gather { gather, axis }, smallvec![x, indices], output))
    }

    pub(crate) fn scatter(&mut self, value: ValueId, mode: ScatterMode) -> Result<View> {
        let node = &self.graph[value];
        let x = self.contiguous(node.inputs[0])?;
        let values = self.contiguous(node.inputs[1])?;
        let positions = self.contiguous(node.inputs[2])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let scatter = Scatter {
            kind: kind(ty.dtype)?,
            mode: scatter_mode(mode),
            size: ty.size(),
            count: self.shape(&positions).iter().product(),
        };
        let inputs = smallvec![x, values, positions];
        Ok(self.call(Call::Scatter(scatter), inputs, output))
    }

    /// An array with other values in a slice of it.
    pub(crate) fn update(&mut self, value: ValueId, key: &IndexKey) -> Result<View> {
        let node = &self.graph[value];
        let ty = self.graph.ty(value)?.clone();
        let slicing = key.slicing(&ty)?;
        let x = self.contiguous(node.inputs[0])?;
        let values = self.view(node.inputs[1])?;
        let mut values = self.stretched(&values, &key.basic_shape(&slicing));
        if values.buffer == x.buffer {
            // Apart from the array, which can then be changed where it lies.
            let shape = self.shape(&values).into();
            let apart = self.new_view(&ArrayType {
                shape,
                ..ty.clone()
            });
            values = self.copy(Operand::View(values), apart);
        }
        let output = self.output(value, &ty);
        // The part that the key selects, with its axes as the values have them.
        let part = Layout::contiguous(&ty.shape).slice(&slicing.starts, &slicing.steps);
        let mut strides = part.strides.iter();
        let mut selected = Steps::new();
        for item in &key.0 {
            match item {
                IndexItem::NewAxis => selected.push(0),
                IndexItem::Int(_) => {
                    strides.next();
                }
                IndexItem::Slice { .. } | IndexItem::Ellipsis | IndexItem::Array => {
                    selected.extend(strides.next().copied());
                }
            }
        }
        let size = ty.dtype.size();
        let in_bytes = |strides: &[isize]| -> Vec<isize> {
            strides.iter().map(|s| s * size as isize).collect()
        };
        let Geometry { shape, strides, .. } = &self.lowered.geometries[values.geometry];
        let update = Update {
            bytes: ty.size() * size,
            offset: part.offset * size as isize,
            part: StridedCopy::new(size, shape, &in_bytes(strides), &in_bytes(&selected)),
        };
        Ok(self.call(Call::Update(update), smallvec![x, values], output))
    }

    pub(crate) fn random(
        &mut self,
        value: ValueId,
        draw: &Draw,
        distribution: Distribution,
    ) -> Result<View> {
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let source = match draw {
            Draw::Fixed { seed, number } => DrawSource::Fixed {
                seed: *seed,
                number: *number,
            },
            Draw::Call(draw) => {
                let known = &mut self.lowered.draws;
                let found = known.iter().position(|d| Arc::ptr_eq(d, &draw.draws));
                let draws = found.unwrap_or_else(|| {
                    known.push(Arc::clone(&draw.draws));
                    known.len() - 1
                });
                DrawSource::Call {
                    draws,
                    offset: draw.offset,
                }
            }
        };
        let plan = autojit_runtime::random::Draw {
            kind: kind(ty.dtype)?,
            distribution: random_distribution(distribution),
            count: ty.size(),
        };
        Ok(self.call(Call::Random { plan, source }, smallvec![], output))
    }

    pub(crate) fn arg_reduce(
        &mut self,
        value: ValueId,
        axis: usize,
        largest: bool,
    ) -> Result<View> {
        let x = self.view(self.graph[value].inputs[0])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let (outer, strides) = self.geometry(&x);
        let (mut outer, mut strides) = (outer.to_vec(), strides.to_vec());
        let (len, stride) = (outer.remove(axis), strides.remove(axis));
        let reduce = ArgReduce {
            kind: kind(x.dtype)?,
            outer,
            outer_strides_in: strides,
            len,
            stride,
            largest,
        };
        Ok(self.call(Call::ArgReduce(reduce), smallvec![x], output))
    }

    /// A running sum or product.
    pub(crate) fn scan(&mut self, value: ValueId, op: &ScanOp) -> Result<View> {
        let (axis, product) = match op {
            ScanOp::Cumsum { axis } => (*axis, false),
            ScanOp::Cumprod { axis } => (*axis, true),
        };
        let (x, output, lines) = self.lines(value, axis)?;
        let kind = kind(x.dtype)?;
        let scan = Scan {
            kind,
            product,
            lines,
        };
        Ok(self.call(Call::Scan(scan), smallvec![x], output))
    }

    /// A sort, or the positions that sort.
    pub(crate) fn sort(&mut self, value: ValueId, op: &SortOp) -> Result<View> {
        let (axis, positions) = match op {
            SortOp::Sort { axis } => (*axis, false),
            SortOp::Argsort { axis } => (*axis, true),
        };
        let (x, output, lines) = self.lines(value, axis)?;
        let kind = kind(x.dtype)?;
        let sort = Sort {
            kind,
            positions,
            lines,
        };
        Ok(self.call(Call::Sort(sort), smallvec![x], output))
    }

    /// The operand of an op along an axis, its output, and the lines along the axis.
    fn lines(&mut self, value: ValueId, axis: usize) -> Result<(View, View, Lines)> {
        let x = self.view(self.graph[value].inputs[0])?;
        let ty = self.graph.ty(value)?.clone();
        let output = self.output(value, &ty);
        let lines = Lines::new(
            self.shape(&x),
            self.lowered.strides(&x),
            self.lowered.strides(&output),
            axis,
        );
        Ok((x, output, lines))
    }

    /// An op that is one call of the runtime on contiguous arrays; `None` if it is not.
    pub(crate) fn runtime_call(&mut self, value: ValueId) -> Result<Option<LoweredValue>> {
        let node = &self.graph[value];
        let types = node.inputs.iter().map(|&input| self.graph.ty(input));
        let types = types.collect::<Result<SmallVec<[&ArrayType; 2]>>>()?;
        let Some(call) = RuntimeCall::plan(&node.op, &types, &node.ty) else {
            return Ok(None);
        };
        let mut inputs: SmallVec<[View; 3]> = SmallVec::new();
        for (&input, shape) in node.inputs.iter().zip(call.operands()) {
            let view = self.view(input)?;
            let stretched = self.stretched(&view, shape);
            inputs.push(self.contiguous_view(stretched));
        }
        if let Ok(ty) = node.ty.array() {
            let mut output = self.output(value, ty);
            if !self.lowered.is_contiguous(&output) {
                // It is copied to its destination from here.
                output = self.new_view(ty);
            }
            let view = self.call(Call::Runtime(Box::new(call)), inputs, output);
            return Ok(Some(LoweredValue::One(Operand::View(view))));
        }
        let outputs = self.several(node.ty.arrays());
        self.push_call(Call::Runtime(Box::new(call)), inputs, outputs.clone());
        Ok(Some(LoweredValue::Tuple(outputs.into_vec().into())))
    }

    /// A call of a function that a user registered.
    pub(crate) fn external(
        &mut self,
        value: ValueId,
        function: &OpaqueFunction,
    ) -> Result<LoweredValue> {
        let node = &self.graph[value];
        let (inputs, types) = self.whole_inputs(node)?;
        let call = Call::External(External {
            function: function.clone(),
            inputs: types,
            outputs: node.ty.arrays().to_vec(),
        });
        if let Type::Array(ty) = &*node.ty {
            let output = self.output(value, ty);
            return Ok(LoweredValue::One(Operand::View(
                self.call(call, inputs, output),
            )));
        }
        let outputs = self.several(node.ty.arrays());
        self.push_call(call, inputs, outputs.clone());
        Ok(LoweredValue::Tuple(outputs.into_vec().into()))
    }

    /// A loop or a choice.
    pub(crate) fn control(&mut self, value: ValueId, op: &ControlOp) -> Result<LoweredValue> {
        let node = &self.graph[value];
        let (inputs, types) = self.whole_inputs(node)?;
        let control = Control {
            op: op.clone(),
            inputs: types,
            results: node.ty.arrays().to_vec(),
        };
        let mut types = control.results.clone();
        types.extend_from_slice(&control.results[..control.carried()]);
        let outputs = self.several(&types);
        let given = outputs[..control.results.len()].to_vec();
        self.push_call(Call::Control(Box::new(control)), inputs, outputs);
        Ok(LoweredValue::Tuple(given.into()))
    }

    /// The inputs of a node as contiguous arrays, and their types.
    fn whole_inputs(&mut self, node: &Node) -> Result<(SmallVec<[View; 3]>, Vec<ArrayType>)> {
        let views = node.inputs.iter().map(|&input| self.contiguous(input));
        let views: SmallVec<[View; 3]> = views.collect::<Result<_>>()?;
        let ty = |view: &View| ArrayType {
            dtype: view.dtype,
            shape: self.lowered.shape(view).clone(),
        };
        let types = views.iter().map(ty).collect();
        Ok((views, types))
    }

    /// Views of new buffers, which the instruction that will be pushed next writes.
    fn several(&mut self, types: &[ArrayType]) -> SmallVec<[View; 3]> {
        types.iter().map(|ty| self.new_view(ty)).collect()
    }
}
