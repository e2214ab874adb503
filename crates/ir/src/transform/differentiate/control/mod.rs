//! Derivatives of loops and branches.
//!
//! Forward mode: the graphs inside compute derivatives beside what they compute, so one loop does both. Reverse mode: a loop
//! computes in addition what its way back needs, stacked along the iterations, and the way back is a loop over it from the last
//! iteration to the first; of branches the one that was taken is computed again, with its way back. A `while_loop` has no way
//! back, as the memory that it takes is not known.
//!
//! The new op stands in the place of the old one, so nothing is computed twice: [`redirect`].

mod branches;
mod repeat;
mod scan;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::prepare::active;
use super::recompute;
use super::writer::{Call, Mode, Pullback, Writer};
use crate::error::{Error, Result};
use crate::types::ArrayType;
use crate::{Class, ControlOp, Graph, LeafOp, Op, ValueId};

/// A loop or a choice that is differentiated.
pub(super) struct Site<'a> {
    pub(super) op: &'a ControlOp,
    pub(super) x: &'a [ValueId],
    pub(super) t: &'a [Option<ValueId>],
    pub(super) out: ValueId,
    pub(super) wanted: &'a [bool],
}

/// The tangents of the results.
///
/// # Errors
/// The way back through a `while_loop` is asked for, or something in a body has no rule.
pub(super) fn tangents(w: &mut Writer, site: &Site<'_>) -> Result<Vec<Option<ValueId>>> {
    match (site.op, w.mode) {
        (ControlOp::Scan { .. }, Mode::Forward) => scan::forward(w, site),
        (ControlOp::Scan { .. }, Mode::Reverse) => {
            let (pullback, varied) = scan::reverse(w, site)?;
            placeholders(w, site, &varied, Pullback::Loop(Box::new(pullback)))
        }
        (
            ControlOp::While {
                condition,
                body,
                carry,
                limit,
            },
            Mode::Forward,
        ) => repeat::forward(w, site, condition.graph()?, body.graph()?, *carry, *limit),
        (ControlOp::While { .. }, Mode::Reverse) => Err(Error::unsupported(
            "a while_loop has no derivative in reverse mode: how many iterations are to be kept is not known before it runs; \
             use scan or fori_loop, a derivative in a direction by jvp, or make it a constant by stop_gradient",
        )),
        (ControlOp::Switch { branches }, Mode::Forward) => branches::forward(w, site, branches),
        (ControlOp::Switch { branches }, Mode::Reverse) => {
            let varied = branches::varied(site, branches)?;
            placeholders(w, site, &varied, Pullback::Branches(branches.clone()))
        }
    }
}

/// The gradients of the inputs, by their numbers, for cotangents of the results.
///
/// # Errors
/// There is an internal error.
pub(super) fn pull(
    w: &mut Writer,
    call: &Call,
    cotangents: &[Option<ValueId>],
) -> Result<Vec<(usize, ValueId)>> {
    match &call.pullback {
        Pullback::Function(function) => {
            let Some(pullback) = function.pullback() else {
                return recompute::pull(w, function, call, cotangents);
            };
            let mut inputs = call.x.to_vec();
            let types = &pullback.input_types()[call.x.len()..];
            for (ct, ty) in cotangents.iter().zip(types) {
                inputs.push(match *ct {
                    Some(ct) => ct,
                    None => w.zeros(ty)?,
                });
            }
            let gradients = w.graph.inline(pullback, &inputs, w.location)?;
            Ok(gradients.into_iter().enumerate().collect())
        }
        Pullback::Loop(pullback) => scan::pull(w, pullback, call, cotangents),
        Pullback::Branches(branches) => branches::pull(w, branches, call, cotangents),
    }
}

/// Placeholders for the tangents of the results that vary and are wanted.
fn placeholders(
    w: &mut Writer,
    site: &Site<'_>,
    varied: &[bool],
    pullback: Pullback,
) -> Result<Vec<Option<ValueId>>> {
    let types = w.graph[site.out].ty.arrays().to_vec();
    let asked = site.wanted.iter().zip(varied).map(|(x, y)| *x && *y);
    let results = types.into_iter().zip(asked);
    let results = results.map(|(ty, asked)| asked.then(|| w.placeholder(ty)));
    let results: Vec<Option<ValueId>> = results.collect();
    if let Some(&first) = results.iter().flatten().next() {
        let call = Call {
            pullback,
            x: SmallVec::from_slice(site.x),
            t: SmallVec::from_slice(site.t),
            results: results.clone(),
        };
        w.calls.insert(first, call);
    }
    Ok(results)
}

/// The positions of what is true.
fn positions(flags: &[bool]) -> Vec<usize> {
    (0..flags.len()).filter(|&i| flags[i]).collect()
}

/// Which results of a graph vary with the inputs that vary.
fn varied(graph: &Graph, inputs: &[bool]) -> Vec<bool> {
    let all: Vec<usize> = (0..graph.outputs().len()).collect();
    let active = active(graph, &positions(inputs), &all);
    graph.outputs().iter().map(|o| active[o.index()]).collect()
}

/// Which inputs and which results of the body of a loop vary: what is carried varies in every iteration if it does in one.
fn varied_in_loop(body: &Graph, carry: usize, t: &[Option<ValueId>]) -> (Vec<bool>, Vec<bool>) {
    let is_smooth = |ty: &ArrayType| ty.dtype.class() >= Class::Float;
    let types = body.input_types().iter();
    let flags = t
        .iter()
        .zip(types)
        .map(|(t, ty)| t.is_some() && is_smooth(ty));
    let mut inputs: Vec<bool> = flags.collect();
    loop {
        let mut outputs = varied(body, &inputs);
        let before = inputs.clone();
        for (input, output) in inputs.iter_mut().zip(&mut outputs).take(carry) {
            *input |= *output;
            *output = *input;
        }
        if inputs == before {
            return (inputs, outputs);
        }
    }
}

/// The tangent of an input that varies; zero if it does only in later iterations.
fn direction(w: &mut Writer, x: ValueId, t: Option<ValueId>) -> Result<ValueId> {
    match t {
        Some(t) => Ok(t),
        None => {
            let ty = w.ty(x)?;
            w.zeros(&ty)
        }
    }
}

/// The graph with the results of some ops taken from others instead: `replaced` has for a tuple the one that stands in its
/// place, whose first results are the same ones where `positions` does not say otherwise. Nodes come in another order, as what
/// uses the one may have been written before the other.
pub(super) fn redirect(
    graph: &Graph,
    replaced: &FxHashMap<ValueId, (ValueId, Vec<usize>)>,
) -> Result<Graph> {
    let mut new = graph.same_inputs();
    let mut map: Vec<Option<ValueId>> = vec![None; graph.nodes().len()];
    let mut stack: Vec<ValueId> = graph.outputs().to_vec();
    let lost = |value: ValueId| Error::internal(format!("{value} was lost"));
    while let Some(&value) = stack.last() {
        if map[value.index()].is_some() {
            stack.pop();
            continue;
        }
        let node = &graph[value];
        let mut op = node.op.clone();
        let mut inputs = node.inputs.clone();
        if let Op::Get { index } = &mut op
            && let Some((tuple, positions)) = replaced.get(&inputs[0])
        {
            inputs[0] = *tuple;
            *index = *positions.get(*index).ok_or_else(|| lost(value))?;
        }
        let before = stack.len();
        stack.extend(inputs.iter().filter(|i| map[i.index()].is_none()));
        if stack.len() > before {
            continue;
        }
        stack.pop();
        map[value.index()] = Some(match &op {
            Op::Leaf(LeafOp::Input { index, .. }) => {
                let value = ValueId(*index as u32);
                new.locate(value, node.location);
                value
            }
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let array = graph.constants().get(*index).ok_or_else(|| lost(value))?;
                let value = new.add_constant(array.clone());
                new.locate(value, node.location);
                value
            }
            Op::Leaf(LeafOp::Literal { value }) => new.add_literal(value.value, value.dtype),
            op => {
                let inputs = inputs
                    .iter()
                    .map(|i| map[i.index()].ok_or_else(|| lost(*i)));
                let inputs = inputs.collect::<Result<SmallVec<[ValueId; 4]>>>()?;
                new.insert(op.clone(), &inputs, node.ty.clone(), node.location)
            }
        });
    }
    let outputs = graph.outputs().iter();
    let outputs = outputs.map(|o| map[o.index()].ok_or_else(|| lost(*o)));
    new.set_outputs(outputs.collect::<Result<_>>()?);
    Ok(new)
}
