//! Batching: a graph of one example as a graph of many, without a loop over the examples.
//!
//! Inputs that differ from example to example get a leading *batch axis*, and so does every value that depends on one.
//! Values that are the same for all examples are computed once. Each class of ops has its rules in a file of its own; a derived
//! op without a better rule is expanded, and its expansion is batched.
//!
//! Invariants: a batched value has the type of its example behind the batch axis, which is always the first; nodes carry
//! the source lines of the nodes that they stand for. Random draws give each example numbers of its own, so what is drawn
//! is batched even if no input is.
//!
//! Source: `jax.vmap`; the rules follow from the definition: a result is the stack of the results of the examples.

mod axes;
mod calls;
mod contract;
mod control;
mod indexing;
mod linalg;
#[cfg(test)]
mod tests;
mod views;

use smallvec::SmallVec;

use crate::expand::{OperandType, expansion};
use crate::types::{ArrayType, Dims, Type};
use crate::{Error, Graph, LeafOp, MapOp, Node, Op, Result, Site, ValueId, ViewOp};

/// The graph that computes what `graph` computes for each of `size` examples.
///
/// Inputs for which `batched` is true have the examples along a new leading axis; the others are the same for all. The
/// flags that come with the graph say which outputs have a leading axis of examples: those that depend on a batched input or on
/// a random draw.
///
/// ```
/// use autojit_ir::{Graph, transform::batch::batch};
///
/// let graph: Graph = "%x = input index=0 ty=f64[3]\n%y = input index=1 ty=f64[3]\n%z = matmul %x %y\nreturn %z".parse()?;
/// let (batched, outputs) = batch(&graph, &[true, false], 10)?;
/// assert_eq!(batched.ty(batched.outputs()[0])?.to_string(), "f64[10]");
/// assert_eq!(outputs, [true]);
/// # Ok::<(), autojit_ir::Error>(())
/// ```
///
/// # Errors
/// There is not one flag for each input (`is_value`); an opaque function without a rule is called with batched arrays (`is_unsupported`); an array
/// has more axes than arrays may have, or is too large. The message names the op and its line.
pub fn batch(graph: &Graph, batched: &[bool], size: usize) -> Result<(Graph, Vec<bool>)> {
    let types = graph.input_types();
    if batched.len() != types.len() {
        return Err(Error::value(format!(
            "expected a flag for each of {} inputs, got {}",
            types.len(),
            batched.len()
        )));
    }
    let mut b = Batcher {
        graph: Graph::new(),
        size,
        location: None,
    };
    let inputs = types.iter().zip(batched).map(|(ty, &batched)| {
        let ty = if batched {
            b.batched_type(ty)
        } else {
            ty.clone()
        };
        ty.check_size()?;
        let value = b.graph.add_input(ty);
        Ok(Item { value, batched })
    });
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let outputs = b.inline(graph, &inputs)?;
    let mut result = b.graph;
    result.set_outputs(outputs.iter().map(|item| item.value).collect());
    Ok((result, outputs.iter().map(|item| item.batched).collect()))
}

/// A value of the batched graph, and whether it has a batch axis.
#[derive(Clone, Copy, Debug)]
struct Item {
    value: ValueId,
    batched: bool,
}

/// The value that stands for one of the graph of one example.
#[derive(Clone, Debug)]
enum Mapped {
    /// A value, which may be a tuple.
    One(Item),
    /// The parts of a tuple that no op gave.
    Parts(SmallVec<[Item; 4]>),
}

/// The batched graph, as far as it is built.
struct Batcher {
    graph: Graph,
    /// The number of examples.
    size: usize,
    /// The line of the node whose rule is running.
    location: Option<Site>,
}

impl Batcher {
    /// Adds what a graph computes from these inputs.
    fn inline(&mut self, graph: &Graph, inputs: &[Item]) -> Result<Vec<Item>> {
        let around = self.location;
        let live = graph.live();
        let mut map: Vec<Option<Mapped>> = Vec::with_capacity(live.len());
        for (node, live) in graph.nodes().iter().zip(live) {
            if !live {
                map.push(None);
                continue;
            }
            self.location = node.location.or(around);
            let mapped = self.node(graph, node, inputs, &map);
            let mapped = mapped.map_err(|e| {
                let e = e.in_op(node.op.name());
                self.location.map_or(e.clone(), |line| e.at(line))
            })?;
            map.push(Some(mapped));
        }
        self.location = around;
        let outputs = graph.outputs().iter();
        outputs.map(|output| one(&map, *output)).collect()
    }

    fn node(
        &mut self,
        graph: &Graph,
        node: &Node,
        inputs: &[Item],
        map: &[Option<Mapped>],
    ) -> Result<Mapped> {
        let shared = |value| Item {
            value,
            batched: false,
        };
        match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => {
                let missing = || Error::internal(format!("there is no input {index}"));
                return inputs
                    .get(*index)
                    .copied()
                    .map(Mapped::One)
                    .ok_or_else(missing);
            }
            Op::Leaf(LeafOp::Literal { value }) => {
                let value = self.graph.add_literal(value.value, value.dtype);
                return Ok(Mapped::One(shared(value)));
            }
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let value = self.graph.add_constant(graph.constants()[*index].clone());
                return Ok(Mapped::One(shared(value)));
            }
            Op::Get { index } => {
                let tuple = map[node.inputs[0].index()].as_ref();
                if let Some(Mapped::Parts(parts)) = tuple {
                    let missing = || Error::internal(format!("a tuple has no part {index}"));
                    return parts
                        .get(*index)
                        .copied()
                        .map(Mapped::One)
                        .ok_or_else(missing);
                }
            }
            Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Contract(_)
            | Op::View(_)
            | Op::Index(_)
            | Op::Join(_)
            | Op::Linalg(_)
            | Op::Fourier(_)
            | Op::Control(_)
            | Op::Random { .. }
            | Op::Opaque { .. } => {}
        }
        let operands = node.inputs.iter().map(|&input| one(map, input));
        let operands = operands.collect::<Result<SmallVec<[Item; 4]>>>()?;
        let mapped = self.op(&node.op, &operands)?;
        self.check(&mapped, &node.ty)?;
        Ok(mapped)
    }

    /// Applies an op to values of which some may be batched.
    fn op(&mut self, op: &Op, x: &[Item]) -> Result<Mapped> {
        let is_batched = x.iter().any(|item| item.batched) || matches!(op, Op::Random { .. });
        if !is_batched {
            let values: SmallVec<[ValueId; 4]> = x.iter().map(|item| item.value).collect();
            let value = self.push(op.clone(), &values)?;
            return Ok(Mapped::One(Item {
                value,
                batched: false,
            }));
        }
        let value = match op {
            // Element by element, with broadcasting: one rule for the whole class.
            Op::Map(op) => {
                let values = self.aligned(x)?;
                self.push(*op, &values)?
            }
            Op::Reduce(op) => axes::reduce(self, op, x)?,
            Op::Scan(op) => axes::scan(self, op, x[0].value)?,
            Op::Sort(op) => axes::sort(self, op, x[0].value)?,
            Op::Fourier(op) => axes::fourier(self, op, x[0].value)?,
            Op::Contract(op) => contract::contract(self, op, x)?,
            Op::View(op) => views::view(self, op, x[0])?,
            Op::Join(op) => views::join(self, op, x)?,
            Op::Index(op) => indexing::index(self, op, x)?,
            Op::Linalg(op) => return linalg::linalg(self, op, x),
            Op::Control(op) => return control::control(self, op, x),
            Op::Get { .. } => self.push(op.clone(), &[x[0].value])?,
            Op::Random {
                draw,
                distribution,
                ty,
            } => {
                let op = Op::Random {
                    draw: draw.clone(),
                    distribution: *distribution,
                    ty: Box::new(self.batched_type(ty)),
                };
                self.push(op, &[])?
            }
            Op::Opaque { function } if function.body().is_some() => {
                let flags: Vec<bool> = x.iter().map(|item| item.batched).collect();
                let function = calls::batched(function, &flags, self.size)?;
                let values: Vec<ValueId> = x.iter().map(|item| item.value).collect();
                self.push(Op::Opaque { function }, &values)?
            }
            Op::Opaque { function } => {
                let flags: Vec<bool> = x.iter().map(|item| item.batched).collect();
                let Some(batched) = function.batched(&flags, self.size) else {
                    return Err(Error::unsupported(format!(
                        "the function `{}` is opaque, so there is no rule for a batch of its arguments: give it one by \
                         `with_batch_rule` or `with_batch_loop` of its registration, write it with functions of numpy, or \
                         register it by `compose`, which is traced",
                        function.name()
                    )));
                };
                let values: Vec<ValueId> = x.iter().map(|item| item.value).collect();
                let function = batched?;
                self.push(Op::Opaque { function }, &values)?
            }
            Op::Leaf(_) => return Err(Error::internal("a leaf has no inputs")),
        };
        Ok(Mapped::One(Item {
            value,
            batched: true,
        }))
    }

    /// Checks that a rule gave what the class promises.
    fn check(&self, mapped: &Mapped, example: &Type) -> Result<()> {
        let wrong = |item: &Item, got: &ArrayType, ty: &ArrayType| {
            let expected = if item.batched {
                self.batched_type(ty)
            } else {
                ty.clone()
            };
            let message = || format!("a rule for batches gave {got}, not {expected}");
            (*got != expected).then(|| Error::internal(message()))
        };
        let found = match mapped {
            Mapped::One(item) => {
                let types = self.graph[item.value]
                    .ty
                    .arrays()
                    .iter()
                    .zip(example.arrays());
                types.filter_map(|(got, ty)| wrong(item, got, ty)).next()
            }
            Mapped::Parts(parts) => {
                let mut parts = parts.iter().zip(example.arrays());
                parts.find_map(|(item, ty)| wrong(item, self.graph.ty(item.value).ok()?, ty))
            }
        };
        found.map_or(Ok(()), Err)
    }

    /// Adds a node with the line of the node whose rule is running.
    fn push(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<ValueId> {
        self.graph.push(op.into(), inputs, self.location)
    }

    /// The expansion of a derived op, batched.
    fn expanded(&mut self, op: &Op, x: &[Item]) -> Result<ValueId> {
        let types = x.iter().map(|&item| self.example(item));
        let mut types = types.collect::<Result<Vec<ArrayType>>>()?;
        let given: Vec<Type> = types.iter().cloned().map(Type::from).collect();
        let signature = op.infer(&given.iter().collect::<Vec<_>>())?;
        let mut items: SmallVec<[Item; 4]> = SmallVec::from_slice(x);
        let operands = items.iter_mut().zip(&mut types).zip(&signature.operands);
        for ((item, ty), operand) in operands {
            if let Some(dtype) = *operand {
                item.value = self.cast(item.value, dtype)?;
                ty.dtype = dtype;
            }
        }
        let operands: Vec<OperandType<'_>> = types.iter().map(OperandType::from).collect();
        let graph = expansion(op, &operands)?;
        let results = self.inline(&graph, &items)?;
        let [result] = results.as_slice() else {
            return Err(Error::internal("an expansion has one result"));
        };
        self.batched(*result)
    }

    /// The type of a batch of arrays of this type.
    fn batched_type(&self, ty: &ArrayType) -> ArrayType {
        ArrayType {
            dtype: ty.dtype,
            shape: self.with_batch(&ty.shape),
        }
    }

    /// A shape behind the batch axis.
    fn with_batch(&self, shape: &[usize]) -> Dims {
        let mut batched = Dims::from_slice(&[self.size]);
        batched.extend_from_slice(shape);
        batched
    }

    fn shape(&self, value: ValueId) -> Result<Dims> {
        Ok(self.graph.ty(value)?.shape.clone())
    }

    /// The type of one example of a value.
    fn example(&self, item: Item) -> Result<ArrayType> {
        let mut ty = self.graph.ty(item.value)?.clone();
        if item.batched {
            ty.shape.remove(0);
        }
        Ok(ty)
    }

    /// The value with a batch axis, along which it repeats if all examples have the same.
    fn batched(&mut self, item: Item) -> Result<ValueId> {
        if item.batched {
            return Ok(item.value);
        }
        let shape = self.with_batch(&self.shape(item.value)?);
        self.push(ViewOp::BroadcastTo { shape }, &[item.value])
    }

    /// Values that broadcast as their examples do: axes of length one follow the batch axis where an example has fewer than the
    /// others.
    fn aligned(&mut self, x: &[Item]) -> Result<SmallVec<[ValueId; 4]>> {
        let mut most = 0;
        for &item in x {
            most = most.max(self.example(item)?.ndim());
        }
        x.iter().map(|&item| self.aligned_to(item, most)).collect()
    }

    /// The value with leading axes of length one, so that its example has `ndim` of them; one without a batch axis broadcasts as
    /// it is.
    fn aligned_to(&mut self, item: Item, ndim: usize) -> Result<ValueId> {
        if !item.batched {
            return Ok(item.value);
        }
        let example = self.example(item)?.shape;
        let missing = ndim.saturating_sub(example.len());
        let shape: Dims = std::iter::repeat_n(1, missing).chain(example).collect();
        self.reshape(item.value, self.with_batch(&shape))
    }

    fn reshape(&mut self, x: ValueId, shape: Dims) -> Result<ValueId> {
        if self.graph.ty(x)?.shape == shape {
            return Ok(x);
        }
        self.push(ViewOp::Reshape { shape }, &[x])
    }

    fn transpose(&mut self, x: ValueId, perm: Dims) -> Result<ValueId> {
        if perm.is_sorted() {
            return Ok(x);
        }
        self.push(ViewOp::Transpose { perm }, &[x])
    }

    /// The value with an axis moved to the front.
    fn in_front(&mut self, x: ValueId, axis: usize) -> Result<ValueId> {
        let ndim = self.graph.ty(x)?.ndim();
        let perm = std::iter::once(axis).chain((0..ndim).filter(|&a| a != axis));
        self.transpose(x, perm.collect())
    }

    fn cast(&mut self, x: ValueId, dtype: crate::DType) -> Result<ValueId> {
        if self.graph.ty(x)?.dtype == dtype {
            return Ok(x);
        }
        self.push(MapOp::Astype { dtype }, &[x])
    }
}

/// The value that stands for one of the graph of an example; a tuple in parts stands for none.
fn one(map: &[Option<Mapped>], value: ValueId) -> Result<Item> {
    match map.get(value.index()) {
        Some(Some(Mapped::One(item))) => Ok(*item),
        _ => Err(Error::internal(format!("no value stands for {value}"))),
    }
}

/// Axes behind the batch axis.
fn shifted<const N: usize>(axes: &SmallVec<[usize; N]>) -> SmallVec<[usize; N]>
where
    [usize; N]: smallvec::Array<Item = usize>,
{
    axes.iter().map(|axis| axis + 1).collect()
}
