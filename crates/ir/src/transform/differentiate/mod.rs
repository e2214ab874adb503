//! Derivatives of graphs: [`vjp`] (reverse mode) and [`jvp`] (forward mode).
//!
//! There is one rule for each op, that for its tangent (`tangent/`), written with ops that are linear in the directions.
//! Reverse mode writes the tangents for directions that are placeholders, and then goes backwards through them: each
//! linear op is transposed (`adjoint/`). Ops that are linear in each of their inputs, which most are, are transposed as they
//! are, without a tangent. What is not linear in a direction is computed by the forward pass and used by the
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
//! - A function that is recomputed (`recompute.rs`) is one node until the way back comes to it.
//!
//! Invariant: the work is linear in the number of nodes.

mod adjoint;
mod control;
mod prepare;
mod recompute;
mod sweep;
mod tangent;
#[cfg(test)]
mod tests;
mod treatment;
mod writer;

pub use treatment::Treatment;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::sweep::Sweep;
use self::tangent::{Site, Tangent};
use self::writer::{Direct, Mode, Writer};
use super::calls::inline_calls;
use crate::error::{Error, Result};
use crate::{ArrayType, Class, Graph, LeafOp, Node, Op, OpaqueFunction, ValueId};

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
    let cotangent = |w: &mut Writer, ty: &ArrayType| Ok(w.graph.add_input(ty.clone()));
    Ok(reverse(graph, wrt, outputs, cotangent)?.without_dead())
}

/// The graph that computes a function and the gradient of one of its results, the sum of its elements if it has several.
///
/// The same as [`vjp`] for one result whose cotangent is 1, which is no argument. What no result depends on is still there, leaves
/// that stand for nothing among it: to inline the graph leaves it out, as [`Graph::without_dead`] does.
///
/// # Errors
/// As for [`vjp`].
///
/// ```
/// use autojit_ir::{Graph, HostArray, Scalar, transform::differentiate::gradient};
/// let graph: Graph = "%x = input index=0 ty=f64[]\n%y = square %x\nreturn %y".parse()?;
/// let x = HostArray::scalar(3.0.into(), autojit_ir::DType::Float64);
/// let results = gradient(&graph, &[0], 0)?.without_dead().evaluate(&[x])?;
/// assert_eq!(results[1].to_scalars(), [Scalar::Float(6.0)]);
/// # Ok::<(), autojit_ir::Error>(())
/// ```
pub fn gradient(graph: &Graph, wrt: &[usize], output: usize) -> Result<Graph> {
    reverse(graph, wrt, &[output], |w, ty| w.fill(1.0, ty))
}

/// Reverse mode, with cotangents of these types. Dead nodes may be left in.
fn reverse(
    graph: &Graph,
    wrt: &[usize],
    outputs: &[usize],
    mut cotangent: impl FnMut(&mut Writer, &ArrayType) -> Result<ValueId>,
) -> Result<Graph> {
    check(graph, wrt, outputs)?;
    let mut graph = prepare::prepare(graph, wrt, outputs)?;
    let active = prepare::active(&graph, wrt, outputs);
    let input_types: Vec<ArrayType> = wrt
        .iter()
        .map(|&i| graph.input_types()[i].clone())
        .collect();
    let mut results = graph.outputs().to_vec();
    let first = graph.nodes().len();
    // Beside what is differentiated: placeholders, and about twice as much on the way back.
    graph.reserve(4 * first);
    let mut w = Writer::new(graph, Mode::Reverse);
    let mut seeds: FxHashMap<usize, ValueId> = FxHashMap::default();
    for (&i, ty) in wrt.iter().zip(&input_types) {
        if ty.dtype.class() >= Class::Float && !seeds.contains_key(&i) {
            seeds.insert(i, w.placeholder(ty.clone()));
        }
    }
    let tangents = tangents(&mut w, &seeds, &active)?;
    let mut sweep = Sweep::new(&w, first);
    for &output in outputs {
        let value = results[output];
        let ty = w.ty(value)?;
        let ct = cotangent(&mut w, &ty)?;
        if let Some(t) = tangents[value.index()] {
            w.location = w.graph[value].location;
            sweep.accumulate(&mut w, t, ct.into())?;
        }
    }
    sweep.run(&mut w)?;
    w.location = None;
    for (i, ty) in wrt.iter().zip(&input_types) {
        let gradient = seeds.get(i).and_then(|&seed| sweep.of(seed));
        results.push(match gradient {
            Some(gradient) => gradient,
            None => w.zeros(ty)?,
        });
    }
    w.graph.set_outputs(results);
    let differentiated = std::mem::take(&mut w.called);
    let graph = redirected(w)?;
    if differentiated.is_empty() {
        return Ok(graph);
    }
    // Their rules hold for one derivative; what comes next differentiates what they are made of.
    inline_calls(&graph.without_dead(), &|function| {
        differentiated.contains(function)
    })
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
    // There is no way back, so nothing is computed again.
    let is_recomputed =
        |node: &Node| matches!(&node.op, Op::Opaque { function } if function.is_recomputed());
    let inlined = match graph.nodes().iter().any(is_recomputed) {
        true => Some(inline_calls(graph, &OpaqueFunction::is_recomputed)?),
        false => None,
    };
    let graph = inlined.as_ref().unwrap_or(graph);
    let graph = prepare::prepare(graph, wrt, outputs)?;
    let active = prepare::active(&graph, wrt, outputs);
    let mut results = graph.outputs().to_vec();
    let mut w = Writer::new(graph, Mode::Forward);
    let mut seeds: FxHashMap<usize, ValueId> = FxHashMap::default();
    for &i in wrt {
        let ty = w.graph.input_types()[i].clone();
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
    let tangents = tangents(&mut w, &seeds, &active)?;
    w.location = None;
    for &output in outputs {
        let value = results[output];
        results.push(match tangents[value.index()] {
            Some(tangent) => tangent,
            None => {
                let ty = w.ty(value)?;
                w.zeros(&ty)?
            }
        });
    }
    w.graph.set_outputs(results);
    Ok(redirected(w)?.without_dead())
}

/// The graph of a writer, with the tuples that stand in the place of others.
fn redirected(w: Writer) -> Result<Graph> {
    match w.replaced.is_empty() {
        true => Ok(w.graph),
        false => control::redirect(&w.graph, &w.replaced),
    }
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

/// The tangents of the active nodes, those of the function, for those of the arguments. They are followed by what is written.
fn tangents(
    w: &mut Writer,
    seeds: &FxHashMap<usize, ValueId>,
    active: &[bool],
) -> Result<Vec<Tangent>> {
    let active_values = || {
        let values = (0..).map(ValueId).zip(active);
        values.filter_map(|(value, active)| active.then_some(value))
    };
    let wanted = wanted(&w.graph, active_values());
    let mut tangents: Vec<Tangent> = vec![None; active.len()];
    let mut tuples: FxHashMap<ValueId, Vec<Tangent>> = FxHashMap::default();
    for value in active_values() {
        let node = &w.graph[value];
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
                if w.mode == Mode::Reverse && adjoint::is_direct(&w.graph, node, &given) {
                    tangents[value.index()] = Some(w.direct(Direct { value, t: given })?);
                    continue;
                }
                let node = node.clone();
                let result = of_node(w, value, &node, given, wanted.get(&value));
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
fn wanted(graph: &Graph, active: impl Iterator<Item = ValueId>) -> FxHashMap<ValueId, Vec<bool>> {
    let mut wanted: FxHashMap<ValueId, Vec<bool>> = FxHashMap::default();
    for value in active {
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
        return Err(treatment::without_rule(&node.op));
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
