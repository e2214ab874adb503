//! Derivatives of a choice: those of the branch that is taken.

use super::{Site, positions};
use crate::body::{Bodies, Body};
use crate::error::Result;
use crate::transform::differentiate::writer::{Call, Writer};
use crate::transform::differentiate::{jvp, vjp};
use crate::{Class, ControlOp, Graph, Op, ValueId};

/// Which results vary, in one of the branches at least.
pub(super) fn varied(site: &Site<'_>, branches: &Bodies) -> Result<Vec<bool>> {
    let inputs = directions(site.t);
    let mut all: Vec<bool> = Vec::new();
    for branch in branches {
        let varied = super::varied(branch.graph()?, &inputs);
        all.resize(varied.len(), false);
        all.iter_mut()
            .zip(varied)
            .for_each(|(all, one)| *all |= one);
    }
    Ok(all)
}

/// Which operands have a direction; the index is none of them.
fn directions(t: &[Option<ValueId>]) -> Vec<bool> {
    t[1..].iter().map(Option::is_some).collect()
}

/// The derivatives beside the results.
pub(super) fn forward(
    w: &mut Writer,
    site: &Site<'_>,
    branches: &Bodies,
) -> Result<Vec<Option<ValueId>>> {
    let outputs = positions(&varied(site, branches)?);
    let wrt = positions(&directions(site.t));
    let both = |branch: &Body| Body::new(jvp(branch.graph()?, &wrt, &outputs)?);
    let both: Bodies = branches.iter().map(both).collect::<Result<_>>()?;
    let mut inputs = site.x.to_vec();
    inputs.extend(site.t[1..].iter().flatten());
    let tuple = w.op(ControlOp::Switch { branches: both }, &inputs)?;
    let count = site.wanted.len();
    w.replaced.insert(site.out, (tuple, (0..count).collect()));
    let mut tangents = vec![None; count];
    for (i, &output) in outputs.iter().enumerate() {
        tangents[output] = Some(w.op(Op::Get { index: count + i }, &[tuple])?);
    }
    Ok(tangents)
}

/// The gradients of the operands by the branch that was taken, which is computed again.
pub(super) fn pull(
    w: &mut Writer,
    branches: &Bodies,
    call: &Call,
    cotangents: &[Option<ValueId>],
) -> Result<Vec<(usize, ValueId)>> {
    let wrt = positions(&directions(&call.t));
    let outputs: Vec<usize> = (0..cotangents.len())
        .filter(|&i| cotangents[i].is_some())
        .collect();
    let back = |branch: &Body| -> Result<Body> {
        let mut graph: Graph = vjp(branch.graph()?, &wrt, &outputs)?;
        graph.set_outputs(graph.outputs()[cotangents.len()..].to_vec());
        Body::new(graph.without_dead())
    };
    let back: Bodies = branches.iter().map(back).collect::<Result<_>>()?;
    let mut inputs = call.x.to_vec();
    inputs.extend(cotangents.iter().flatten());
    let tuple = w.op(ControlOp::Switch { branches: back }, &inputs)?;
    let mut gradients = Vec::with_capacity(wrt.len());
    for (index, &operand) in wrt.iter().enumerate() {
        let gradient = w.op(Op::Get { index }, &[tuple])?;
        if w.dtype(gradient)?.class() >= Class::Float {
            gradients.push((operand + 1, gradient));
        }
    }
    Ok(gradients)
}
