//! Derivatives of graphs: [`vjp`] (reverse mode) and [`jvp`] (forward mode).
//!
//! There is one rule for each op, that for its tangent (`tangent/`), written with ops that are linear in the directions.
//! Reverse mode writes the tangents for directions that are placeholders, and then goes backwards through them: each
//! linear op is transposed (`adjoint/`). What is not linear in a direction is computed by the forward pass and used by the
//! backward one; the tangents themselves are left out of the result. Ops with an expansion that is as good as a rule are
//! written out first (`prepare.rs`). `treatment.rs` says which op is differentiated how.
//!
//! Conventions:
//! - The gradient `g` of a real `L` satisfies `dL = Re sum(conj(g) dx)`: the direction of steepest ascent for complex
//!   numbers, as in PyTorch. JAX's gradient is its conjugate. A gradient has the type of its array.
//! - Zeros are symbolic: only nodes on a path from an argument that is asked for to a result that is asked for are looked
//!   at, and those with zero derivatives on that path are not computed with.
//! - Integers and booleans have zero gradients and tangents, of their own type. Random draws are constants.
//! - New nodes carry the source line of the node that they come from.
//! - Functions that read one triangle of a matrix (`eigh`, `cholesky`) are differentiated as functions of its Hermitian
//!   part: their gradients are Hermitian.
//!
//! Invariant: the work is linear in the number of nodes.

mod adjoint;
mod custom;
mod prepare;
mod tangent;
#[cfg(test)]
mod tests;
mod treatment;
mod writer;

pub use treatment::Treatment;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::adjoint::{Cotangent, Part};
use self::tangent::{Site, Tangent};
use self::writer::{Mode, Writer};
use crate::error::{Error, Result};
use crate::index::IndexKey;
use crate::scatter::ScatterMode;
use crate::{Class, Graph, IndexOp, LeafOp, Node, Op, ValueId};

/// The graph that computes a function and its vector-Jacobian products.
///
/// Its arguments are those of `graph`, then a cotangent for each of `outputs`, of the type of that result. Its results are
/// those of `graph`, then the gradient by each of the arguments `wrt`, of the type of that argument: with
/// `L = Re sum_k sum(conj(cotangent_k) output_k)` it is the `g` for which `dL = Re sum(conj(g) dx)`.
///
/// # Errors
/// There is no such argument or result; a function without a rule is on the way from one to the other.
///
/// ```
/// use autojit_ir::{ArrayType, DType, Graph, HostArray, MapOp, Scalar, transform::differentiate::vjp};
/// let mut graph = Graph::new();
/// let x = graph.add_input(ArrayType::scalar(DType::Float64));
/// let y = graph.push(MapOp::Square.into(), &[x], None)?;
/// graph.set_outputs(vec![y]);
/// let number = |x: f64| HostArray::scalar(x.into(), DType::Float64);
/// let results = vjp(&graph, &[0], &[0])?.evaluate(&[number(3.0), number(1.0)])?;
/// assert_eq!(results[1].to_scalars(), [Scalar::Float(6.0)]);
/// # Ok::<(), autojit_ir::Error>(())
/// ```
///
/// Source: JAX's linearisation and transposition (Radul et al., "You Only Linearize Once", 2023).
pub fn vjp(graph: &Graph, wrt: &[usize], outputs: &[usize]) -> Result<Graph> {
    check(graph, wrt, outputs)?;
    let graph = prepare::prepare(graph, wrt, outputs)?;
    let mut w = Writer::new(graph.clone().into_owned(), Mode::Reverse);
    let first = w.graph.nodes().len();
    let mut seeds: FxHashMap<usize, ValueId> = FxHashMap::default();
    for &i in wrt {
        let ty = &graph.input_types()[i];
        if ty.dtype.class() >= Class::Float && !seeds.contains_key(&i) {
            seeds.insert(i, w.placeholder(ty.clone()));
        }
    }
    let tangents = tangents(&mut w, &graph, &seeds, wrt, outputs)?;
    let mut sweep = Sweep::new(&w, first);
    for &output in outputs {
        let value = graph.outputs()[output];
        let ct = w.graph.add_input(graph.ty(value)?.clone());
        if let Some(t) = tangents[value.index()] {
            w.location = graph[value].location;
            sweep.accumulate(&mut w, t, ct.into())?;
        }
    }
    sweep.run(&mut w)?;
    w.location = None;
    let mut results = graph.outputs().to_vec();
    for i in wrt {
        let gradient = seeds.get(i).and_then(|&seed| sweep.of(seed));
        results.push(match gradient {
            Some(gradient) => gradient,
            None => w.zeros(&graph.input_types()[*i])?,
        });
    }
    w.graph.set_outputs(results);
    let differentiated = std::mem::take(&mut w.called);
    let graph = w.graph.without_dead();
    if differentiated.is_empty() {
        return Ok(graph);
    }
    // Their rules hold for one derivative; what comes next differentiates what they are made of.
    super::calls::inline_calls(&graph, &|function| differentiated.contains(function))
}

/// The graph that computes a function and its Jacobian-vector products.
///
/// Its arguments are those of `graph`, then a tangent for each of the arguments `wrt`, of the type of that argument. Its
/// results are those of `graph`, then the derivative of each of `outputs` in that direction, of the type of that result.
///
/// # Errors
/// As for [`vjp`].
///
/// ```
/// use autojit_ir::{ArrayType, DType, Graph, HostArray, MapOp, Scalar, transform::differentiate::jvp};
/// let mut graph = Graph::new();
/// let x = graph.add_input(ArrayType::scalar(DType::Float64));
/// let y = graph.push(MapOp::Square.into(), &[x], None)?;
/// graph.set_outputs(vec![y]);
/// let number = |x: f64| HostArray::scalar(x.into(), DType::Float64);
/// let results = jvp(&graph, &[0], &[0])?.evaluate(&[number(3.0), number(0.5)])?;
/// assert_eq!(results[1].to_scalars(), [Scalar::Float(3.0)]);
/// # Ok::<(), autojit_ir::Error>(())
/// ```
pub fn jvp(graph: &Graph, wrt: &[usize], outputs: &[usize]) -> Result<Graph> {
    check(graph, wrt, outputs)?;
    let graph = prepare::prepare(graph, wrt, outputs)?;
    let mut w = Writer::new(graph.clone().into_owned(), Mode::Forward);
    let mut seeds: FxHashMap<usize, ValueId> = FxHashMap::default();
    for &i in wrt {
        let ty = &graph.input_types()[i];
        let tangent = w.graph.add_input(ty.clone());
        if ty.dtype.class() >= Class::Float {
            // An argument that is named twice moves in the sum of both directions.
            let sum = match seeds.get(&i) {
                Some(&other) => w.add(other, tangent)?,
                None => tangent,
            };
            seeds.insert(i, sum);
        }
    }
    let tangents = tangents(&mut w, &graph, &seeds, wrt, outputs)?;
    w.location = None;
    let mut results = graph.outputs().to_vec();
    for &output in outputs {
        let value = graph.outputs()[output];
        results.push(match tangents[value.index()] {
            Some(tangent) => tangent,
            None => w.zeros(graph.ty(value)?)?,
        });
    }
    w.graph.set_outputs(results);
    Ok(w.graph.without_dead())
}

/// How an op is differentiated: what [`vjp`] and [`jvp`] do with it.
#[must_use]
pub fn treatment(op: &Op) -> Treatment {
    treatment::treatment(op)
}

fn check(graph: &Graph, wrt: &[usize], outputs: &[usize]) -> Result<()> {
    let (inputs, results) = (graph.input_types().len(), graph.outputs().len());
    if let Some(i) = wrt.iter().find(|&&i| i >= inputs) {
        return Err(Error::index(format!(
            "cannot differentiate by argument {i} of {inputs}"
        )));
    }
    if let Some(i) = outputs.iter().find(|&&i| i >= results) {
        return Err(Error::index(format!(
            "cannot differentiate result {i} of {results}"
        )));
    }
    Ok(())
}

/// The error for an op that has no rule.
fn without_rule(op: &Op) -> Error {
    match op {
        Op::Opaque { function } => Error::unsupported(format!(
            "the function `{}` has no rule for its derivative: give it one by calling it inside of `custom_vjp`, or make it \
             a constant by `stop_gradient`",
            function.name()
        )),
        op => Error::unsupported(format!("{} has no rule for its derivative", op.name())),
    }
}

/// The tangents of all nodes for those of the arguments.
fn tangents(
    w: &mut Writer,
    graph: &Graph,
    seeds: &FxHashMap<usize, ValueId>,
    wrt: &[usize],
    outputs: &[usize],
) -> Result<Vec<Tangent>> {
    let active = prepare::active(graph, wrt, outputs);
    let wanted = wanted(graph, &active);
    let mut tangents: Vec<Tangent> = vec![None; graph.nodes().len()];
    let mut tuples: FxHashMap<ValueId, Vec<Tangent>> = FxHashMap::default();
    for value in graph.values().filter(|value| active[value.index()]) {
        let node = &graph[value];
        w.location = node.location;
        let tangent = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => seeds.get(index).copied(),
            Op::Get { index } => {
                let tuple = tuples.get(&node.inputs[0]);
                tuple.and_then(|tuple| tuple[*index])
            }
            _ => {
                let given: SmallVec<[Tangent; 4]> =
                    node.inputs.iter().map(|i| tangents[i.index()]).collect();
                if given.iter().all(Option::is_none) {
                    continue;
                }
                let result = of_node(w, value, node, given, wanted.get(&value));
                let located = result.map_err(|e| match node.location {
                    Some(location) => e.in_op(node.op.name()).at(location),
                    None => e.in_op(node.op.name()),
                });
                match located? {
                    Found::Array(tangent) => tangent,
                    Found::Tuple(tuple) => {
                        tuples.insert(value, tuple);
                        None
                    }
                }
            }
        };
        tangents[value.index()] = tangent;
    }
    Ok(tangents)
}

/// Which results of ops with several are asked for.
fn wanted(graph: &Graph, active: &[bool]) -> FxHashMap<ValueId, Vec<bool>> {
    let mut wanted: FxHashMap<ValueId, Vec<bool>> = FxHashMap::default();
    for value in graph.values().filter(|value| active[value.index()]) {
        if let (Op::Get { index }, &[tuple]) = (&graph[value].op, graph[value].inputs.as_slice()) {
            let count = graph[tuple].ty.arrays().len();
            wanted.entry(tuple).or_insert_with(|| vec![false; count])[*index] = true;
        }
    }
    wanted
}

/// The tangents of a node.
enum Found {
    Array(Tangent),
    Tuple(Vec<Tangent>),
}

fn of_node(
    w: &mut Writer,
    value: ValueId,
    node: &Node,
    mut given: SmallVec<[Tangent; 4]>,
    wanted: Option<&Vec<bool>>,
) -> Result<Found> {
    if treatment::treatment(&node.op) == Treatment::None {
        return Err(without_rule(&node.op));
    }
    // Rules see the dtypes of the signature, as libraries and backends do.
    let signature = w.graph.infer(&node.op, &node.inputs)?;
    let mut inputs = node.inputs.clone();
    for (i, operand) in signature.operands.iter().enumerate() {
        let Some(dtype) = *operand else { continue };
        inputs[i] = if dtype.class() < Class::Float && w.dtype(inputs[i])? != dtype {
            w.op(crate::MapOp::Astype { dtype }, &[inputs[i]])?
        } else {
            w.cast(inputs[i], dtype)?
        };
        given[i] = match given[i] {
            Some(t) if dtype.class() >= Class::Float => Some(w.cast(t, dtype)?),
            _ => None,
        };
    }
    let site = Site {
        op: &node.op,
        x: &inputs,
        t: &given,
        out: value,
    };
    let types = node.ty.arrays();
    let fitted = |w: &mut Writer, t: Tangent, i: usize| match t {
        Some(t) => w.fit(t, &types[i]).map(Some),
        None => Ok(None),
    };
    if let Ok(ty) = node.ty.array() {
        let tangent = if matches!(node.op, Op::Map(crate::MapOp::Astype { .. }))
            && ty.dtype.class() < Class::Float
        {
            None
        } else {
            tangent::of_array(w, &site)?
        };
        return Ok(Found::Array(fitted(w, tangent, 0)?));
    }
    let wanted = wanted.ok_or_else(|| Error::internal("results that nothing asks for"))?;
    let mut tuple = tangent::of_tuple(w, &site, wanted)?;
    for (i, t) in tuple.iter_mut().enumerate() {
        *t = fitted(w, *t, i)?;
    }
    Ok(Found::Tuple(tuple))
}

/// The way back through the tangents.
struct Sweep {
    /// The number of the first node that may be a tangent; those after the last one belong to the backward pass.
    first: usize,
    /// Which nodes depend on a placeholder.
    linear: Vec<bool>,
    /// The sums so far.
    cotangents: Vec<Option<ValueId>>,
    /// What is not an array yet, and is put together when all of it is known.
    pending: FxHashMap<ValueId, Pending>,
}

#[derive(Default)]
struct Pending {
    parts: Vec<Part>,
    added: Vec<(IndexKey, Vec<ValueId>, ValueId)>,
}

impl Sweep {
    fn new(w: &Writer, first: usize) -> Self {
        let nodes = &w.graph.nodes()[first..];
        let mut linear = vec![false; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            let mut inputs = node.inputs.iter().map(|input| input.index());
            linear[i] = is_placeholder(w, node)
                || inputs.any(|input| input >= first && linear[input - first]);
        }
        Self {
            first,
            cotangents: vec![None; linear.len()],
            linear,
            pending: FxHashMap::default(),
        }
    }

    fn of(&self, value: ValueId) -> Option<ValueId> {
        self.cotangents[value.index() - self.first]
    }

    fn is_linear(&self, value: ValueId) -> bool {
        let index = value.index().checked_sub(self.first);
        index.is_some_and(|i| self.linear.get(i) == Some(&true))
    }

    /// Adds to the cotangent of a tangent.
    fn accumulate(&mut self, w: &mut Writer, value: ValueId, ct: Cotangent) -> Result<()> {
        if !self.is_linear(value) {
            return Ok(());
        }
        match ct {
            Cotangent::Whole(ct) => {
                let ty = w.ty(value)?;
                let ct = w.gather(ct, &ty)?;
                let sum = &mut self.cotangents[value.index() - self.first];
                *sum = Some(match *sum {
                    Some(sum) => w.add(sum, ct)?,
                    None => ct,
                });
            }
            Cotangent::Part(part) => self.pending.entry(value).or_default().parts.push(part),
            Cotangent::Added { key, arrays, ct } => {
                let pending = self.pending.entry(value).or_default();
                pending.added.push((key, arrays, ct));
            }
        }
        Ok(())
    }

    /// The cotangent of a tangent to which nothing is added any more.
    fn finished(&mut self, w: &mut Writer, value: ValueId) -> Result<Option<ValueId>> {
        if let Some(pending) = self.pending.remove(&value) {
            let ty = w.ty(value)?;
            if let Some(parts) = adjoint::assemble(w, pending.parts, &ty.shape)? {
                self.accumulate(w, value, parts.into())?;
            }
            for (key, arrays, ct) in pending.added {
                let sum = match self.of(value) {
                    Some(sum) => sum,
                    None => w.zeros(&ty)?,
                };
                // The sum is updated: nothing of the size of the array is added to it.
                let mut inputs = vec![sum, w.cast(ct, ty.dtype)?];
                inputs.extend(arrays);
                let mode = ScatterMode::Add;
                let sum = w.op(IndexOp::Scatter { key, mode }, &inputs)?;
                self.cotangents[value.index() - self.first] = Some(sum);
            }
        }
        Ok(self.of(value))
    }

    /// Goes from the last tangent to the first.
    fn run(&mut self, w: &mut Writer) -> Result<()> {
        for i in (0..self.linear.len()).rev() {
            let value = ValueId((self.first + i) as u32);
            if !self.linear[i] {
                continue;
            }
            w.location = w.graph[value].location;
            if let Some(call) = w.calls.remove(&value) {
                self.call(w, &call)?;
                continue;
            }
            let Some(ct) = self.finished(w, value)? else {
                continue;
            };
            let node = w.graph[value].clone();
            if is_placeholder(w, &node) {
                if let Some(&whole) = w.whole.get(&value) {
                    let (input, ct) = adjoint::of_whole(w, whole, ct)?;
                    self.accumulate(w, input, ct.into())?;
                }
                continue;
            }
            let linear: SmallVec<[bool; 4]> =
                node.inputs.iter().map(|&v| self.is_linear(v)).collect();
            let result = adjoint::of_node(w, &node, &linear, ct);
            let cotangents = result.map_err(|e| match node.location {
                Some(location) => e.at(location),
                None => e,
            })?;
            for (input, ct) in cotangents {
                self.accumulate(w, node.inputs[input], ct)?;
            }
        }
        Ok(())
    }
}

/// Whether a node is a leaf that stands for a direction.
fn is_placeholder(w: &Writer, node: &Node) -> bool {
    matches!(&node.op, Op::Leaf(LeafOp::Constant { index, .. }) if *index >= w.graph.constants().len())
}
