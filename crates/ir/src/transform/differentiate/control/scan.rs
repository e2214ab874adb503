//! Derivatives of `scan`.

use super::{Site, direction, positions, varied_in_loop};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::transform::differentiate::writer::{Call, LoopPullback, Residual, Writer};
use crate::transform::differentiate::{jvp, vjp};
use crate::transform::partition::partition;
use crate::types::ArrayType;
use crate::{ControlOp, Graph, LeafOp, MapOp, Op, ValueId, ViewOp};

/// The parts of the op.
fn parts(op: &ControlOp) -> Result<(&Graph, usize, usize, usize, bool)> {
    match op {
        ControlOp::Scan {
            body,
            carry,
            xs,
            length,
            reverse,
        } => Ok((body.graph()?, *carry, *xs, *length, *reverse)),
        ControlOp::While { .. } | ControlOp::Switch { .. } => {
            Err(Error::internal("expected a scan"))
        }
    }
}

/// The derivatives beside the results.
pub(super) fn forward(w: &mut Writer, site: &Site<'_>) -> Result<Vec<Option<ValueId>>> {
    let (body, carry, xs, length, reverse) = parts(site.op)?;
    let (inputs, outputs) = varied_in_loop(body, carry, site.t);
    let (wrt, varied) = (positions(&inputs), positions(&outputs));
    let derivative = jvp(body, &wrt, &varied)?;
    let types = body.input_types();
    // Each kind of inputs, and then the tangents of that kind.
    let (mut new, mut values, mut tangents) = (Graph::new(), Vec::new(), Vec::new());
    let mut given = Vec::new();
    let mut counts = Vec::new();
    for range in [0..carry, carry..carry + xs, carry + xs..types.len()] {
        let start = given.len();
        for i in range.clone() {
            values.push(new.add_input(types[i].clone()));
            given.push(site.x[i]);
        }
        for i in range.filter(|&i| inputs[i]) {
            tangents.push(new.add_input(types[i].clone()));
            given.push(direction(w, site.x[i], site.t[i])?);
        }
        counts.push(given.len() - start);
    }
    let results = new.inline(&derivative, &[values, tangents].concat(), w.location)?;
    let count = outputs.len();
    let (primal, derivatives) = results.split_at(count);
    let carried = varied.iter().take_while(|&&i| i < carry).count();
    let ordered = [
        &primal[..carry],
        &derivatives[..carried],
        &primal[carry..],
        &derivatives[carried..],
    ];
    new.set_outputs(ordered.concat());
    let op = ControlOp::Scan {
        body: Body::new(new)?,
        carry: counts[0],
        xs: counts[1],
        length,
        reverse,
    };
    let tuple = w.op(op, &given)?;
    let position = |i: usize| if i < carry { i } else { i + carried };
    w.replaced
        .insert(site.out, (tuple, (0..count).map(position).collect()));
    let mut found = vec![None; count];
    for (i, &output) in varied.iter().enumerate() {
        let index = if i < carried { carry + i } else { count + i };
        found[output] = Some(w.op(Op::Get { index }, &[tuple])?);
    }
    Ok(found)
}

/// Where the way back finds what it reads of an iteration.
#[derive(Clone, Copy)]
enum Kind {
    /// An input that is the same in all iterations.
    Invariant(usize),
    /// An element of an input.
    Element(usize),
    /// Computed from what is the same in all iterations.
    Shared(ValueId),
    /// Computed in each iteration.
    Computed(ValueId),
}

/// Writes the loop that computes what the way back needs, and says which results vary.
pub(super) fn reverse(w: &mut Writer, site: &Site<'_>) -> Result<(LoopPullback, Vec<bool>)> {
    let (body, carry, xs, length, reverse) = parts(site.op)?;
    let (inputs, outputs) = varied_in_loop(body, carry, site.t);
    let (wrt, varied) = (positions(&inputs), positions(&outputs));
    let both = vjp(body, &wrt, &varied)?;
    let parts = partition(&both, body.input_types().len())?;
    let (mut early, count) = (parts.early, outputs.len());
    let needed: Vec<ValueId> = early.outputs()[count..].to_vec();
    let invariant = invariant(&early, carry + xs);
    let kind = |&value: &ValueId| match early[value].op {
        Op::Leaf(LeafOp::Input { index, .. }) if index >= carry + xs => Kind::Invariant(index),
        Op::Leaf(LeafOp::Input { index, .. }) if index >= carry => Kind::Element(index),
        // Without iterations nothing is computed, not even what all of them share.
        _ if length > 0 && invariant[value.index()] => Kind::Shared(value),
        _ => Kind::Computed(value),
    };
    let kinds: Vec<Kind> = needed.iter().map(kind).collect();
    let shared = kinds.iter().filter_map(|kind| match kind {
        Kind::Shared(value) => Some(*value),
        _ => None,
    });
    let mut outside = early.clone();
    outside.set_outputs(shared.collect());
    let mut shared = w
        .graph
        .inline_live(&outside, site.x, w.location)
        .into_iter();

    let computed = kinds.iter().filter_map(|kind| match kind {
        Kind::Computed(value) => Some(*value),
        _ => None,
    });
    let results = early.outputs()[..count].iter().copied().chain(computed);
    let results = results.collect();
    early.set_outputs(results);
    let op = ControlOp::Scan {
        body: Body::new(early.without_dead())?,
        carry,
        xs,
        length,
        reverse,
    };
    let tuple = w.op(op, site.x)?;
    w.replaced.insert(site.out, (tuple, (0..count).collect()));
    let mut residuals = Vec::with_capacity(kinds.len());
    let mut next = count..;
    for kind in kinds {
        residuals.push(match kind {
            Kind::Invariant(index) => Residual::Invariant(site.x[index]),
            Kind::Element(index) => Residual::Stacked(site.x[index]),
            Kind::Shared(_) => Residual::Invariant(
                shared
                    .next()
                    .ok_or_else(|| Error::internal("a residual was lost"))?,
            ),
            Kind::Computed(_) => {
                let index = next.next().unwrap_or(count);
                Residual::Stacked(w.op(Op::Get { index }, &[tuple])?)
            }
        });
    }
    let pullback = LoopPullback {
        late: parts.late,
        is_late: parts.is_late[count..].to_vec(),
        residuals,
        inputs,
        outputs: outputs.clone(),
        element_types: element_types(body)?,
        carry,
        xs,
        length,
        reverse,
    };
    Ok((pullback, outputs))
}

fn element_types(body: &Graph) -> Result<Vec<ArrayType>> {
    let outputs = body.outputs().iter();
    outputs.map(|&output| body.ty(output).cloned()).collect()
}

/// Which values depend on nothing that differs between iterations: the first inputs do.
fn invariant(graph: &Graph, differ: usize) -> Vec<bool> {
    let mut invariant = vec![true; graph.nodes().len()];
    for value in graph.values() {
        let node = &graph[value];
        invariant[value.index()] = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => *index >= differ,
            _ => node.inputs.iter().all(|input| invariant[input.index()]),
        };
    }
    invariant
}

/// The loop from the last iteration to the first. It carries the cotangents of what the loop carries, and the sums of the
/// gradients of what is the same in all iterations.
pub(super) fn pull(
    w: &mut Writer,
    pullback: &LoopPullback,
    call: &Call,
    cotangents: &[Option<ValueId>],
) -> Result<Vec<(usize, ValueId)>> {
    let LoopPullback {
        late,
        is_late,
        residuals,
        inputs,
        outputs,
        element_types,
        carry,
        xs,
        length,
        reverse,
    } = pullback;
    let (carry, xs) = (*carry, *xs);
    let mut body = Graph::new();
    let mut given: Vec<ValueId> = Vec::new();

    let carried = positions(&inputs[..carry]);
    let mut cts: Vec<ValueId> = Vec::new();
    for &k in &carried {
        let ty = &element_types[k];
        cts.push(body.add_input(ty.clone()));
        given.push(match cotangents[k] {
            Some(ct) => ct,
            None => w.zeros(ty)?,
        });
    }
    let summed: Vec<usize> = (carry + xs..inputs.len()).filter(|&i| inputs[i]).collect();
    let mut sums: Vec<ValueId> = Vec::new();
    for &i in &summed {
        let ty = w.ty(call.x[i])?;
        sums.push(body.add_input(ty.clone()));
        given.push(w.zeros(&ty)?);
    }

    // What differs between iterations, and then what does not.
    let mut kept: Vec<Option<ValueId>> = vec![None; residuals.len()];
    let mut elements = 0;
    for (kept, residual) in kept.iter_mut().zip(residuals) {
        if let Residual::Stacked(value) = *residual {
            let mut ty: ArrayType = w.ty(value)?;
            ty.shape.remove(0);
            *kept = Some(body.add_input(ty));
            given.push(value);
            elements += 1;
        }
    }
    let mut element_cts: Vec<Option<ValueId>> = Vec::new();
    for k in (carry..outputs.len()).filter(|&k| outputs[k]) {
        element_cts.push(cotangents[k].map(|ct| {
            given.push(ct);
            elements += 1;
            body.add_input(element_types[k].clone())
        }));
    }
    for (kept, residual) in kept.iter_mut().zip(residuals) {
        if let Residual::Invariant(value) = *residual {
            *kept = Some(body.add_input(w.ty(value)?));
            given.push(value);
        }
    }

    let varied = (carry..outputs.len()).filter(|&k| outputs[k]);
    for (k, ct) in varied.zip(element_cts) {
        let ty = &element_types[k];
        cts.push(match ct {
            Some(ct) => ct,
            None => {
                let zero = body.add_literal(0, ty.dtype);
                let shape = ty.shape.clone();
                body.push(ViewOp::BroadcastTo { shape }.into(), &[zero], None)?
            }
        });
    }
    let kept: Vec<ValueId> = kept.into_iter().flatten().collect();
    let constant = is_late.iter().filter(|late| !**late).count();
    let (constants, read) = kept.split_at(constant);
    let late_inputs = [read, &cts].concat();
    let mut late_results = body.inline(late, &late_inputs, w.location)?.into_iter();
    let mut constants = constants.iter().copied();
    let mut of_carry = Vec::new();
    let mut of_elements = Vec::new();
    let mut sums_after = Vec::new();
    let wrt = positions(inputs);
    for (&i, late) in wrt.iter().zip(is_late) {
        let next = if *late {
            late_results.next()
        } else {
            constants.next()
        };
        let gradient = next.ok_or_else(|| Error::internal("a gradient was lost"))?;
        if i < carry {
            of_carry.push(gradient);
        } else if i < carry + xs {
            of_elements.push(gradient);
        } else {
            let sum = sums[sums_after.len()];
            sums_after.push(body.push(MapOp::Add.into(), &[sum, gradient], w.location)?);
        }
    }
    let carry_count = of_carry.len() + sums_after.len();
    body.set_outputs([of_carry, sums_after, of_elements].concat());
    let op = ControlOp::Scan {
        body: Body::new(body)?,
        carry: carry_count,
        xs: elements,
        length: *length,
        reverse: !reverse,
    };
    let tuple = w.op(op, &given)?;
    // Carried ones, what is the same in all iterations, elements: the order of the results.
    let among_xs = (carry..carry + xs).filter(|&i| inputs[i]);
    let order = carried.into_iter().chain(summed).chain(among_xs);
    let mut gradients = Vec::new();
    for (index, input) in order.enumerate() {
        if call.t[input].is_some() {
            gradients.push((input, w.op(Op::Get { index }, &[tuple])?));
        }
    }
    Ok(gradients)
}
