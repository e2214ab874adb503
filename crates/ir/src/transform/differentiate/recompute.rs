//! The way back through a function that is computed again: its pullback is the gradient of its graph, at arguments that are
//! not known before the cotangents are.
//!
//! Without that the optimiser would find that what is computed again has been computed before, and keep it, and a scheduler
//! would compute it early. So an argument `x` is read as `where(token, x, x)`, with an element of a cotangent as `token`: every
//! backend has this op, its result is `x` bit for bit whatever the token is, and it depends on the token. Invariant: no rule of
//! the optimiser looks through it unless the token is a known number (`tests/filetests/opt/recompute.graph`).
//!
//! A cotangent that is a known number, as at the end of a function, ties nothing: the call was the last thing to be computed, so
//! what it computed is still there.

use smallvec::SmallVec;

use super::writer::{Call, Writer};
use crate::error::Result;
use crate::index::Slicing;
use crate::{Class, LeafOp, MapOp, Op, OpaqueFunction, ValueId};

/// The gradients by the arguments of a call that have tangents, by their numbers.
///
/// # Errors
/// The function has no derivative.
pub(super) fn pull(
    w: &mut Writer,
    function: &OpaqueFunction,
    call: &Call,
    cotangents: &[Option<ValueId>],
) -> Result<Vec<(usize, ValueId)>> {
    let Some(body) = function.body() else {
        return Ok(Vec::new());
    };
    let types = body.input_types();
    let varied = |&i: &usize| call.t[i].is_some() && types[i].dtype.class() >= Class::Float;
    let wrt: Vec<usize> = (0..types.len()).filter(varied).collect();
    if wrt.is_empty() {
        return Ok(Vec::new());
    }
    let given = |&i: &usize| cotangents[i].is_some();
    let outputs: Vec<usize> = (0..cotangents.len()).filter(given).collect();
    let mut pullback = super::vjp(body, &wrt, &outputs)?;
    let gradients = pullback.outputs()[body.outputs().len()..].to_vec();
    pullback.set_outputs(gradients);

    let mut tokens: SmallVec<[ValueId; 2]> = SmallVec::new();
    for &ct in cotangents.iter().flatten() {
        tokens.extend(token(w, ct)?);
    }
    let mut inputs = call.x.to_vec();
    for (input, is_read) in inputs
        .iter_mut()
        .zip(pullback.live_inputs(&pullback.live()))
    {
        if is_read && w.graph.as_literal(*input).is_none() {
            for &token in &tokens {
                *input = w.op(MapOp::Where, &[token, *input, *input])?;
            }
        }
    }
    inputs.extend(cotangents.iter().flatten());
    let gradients = w.graph.inline(&pullback, &inputs, w.location)?;
    Ok(wrt.into_iter().zip(gradients).collect())
}

/// One element of a cotangent; none if that is a number which is known, or empty.
fn token(w: &mut Writer, ct: ValueId) -> Result<Option<ValueId>> {
    let mut source = ct;
    while let Op::View(_) = &w.graph[source].op {
        source = w.graph[source].inputs[0];
    }
    let shape = w.shape(ct)?;
    let is_known = matches!(
        w.graph[source].op,
        Op::Leaf(LeafOp::Literal { .. } | LeafOp::Constant { .. })
    );
    if is_known || shape.contains(&0) {
        return Ok(None);
    }
    let rank = shape.len();
    let first = Slicing {
        starts: SmallVec::from_elem(0, rank),
        steps: SmallVec::from_elem(1, rank),
        sizes: SmallVec::from_elem(1, rank),
    };
    let element = match shape.iter().all(|&n| n == 1) {
        true => ct,
        false => w.slice(ct, first)?,
    };
    w.reshape(element, &[]).map(Some)
}
