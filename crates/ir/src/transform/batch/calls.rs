//! Batching of functions that are graphs with a rule for reverse mode: graph and pullback are batched, so the rule holds for
//! each example.

use super::batch;
use crate::types::Dims;
use crate::{Graph, MapOp, OpaqueFunction, ReduceOp, Result, ValueId, ViewOp};

/// The function of a batch; all its results have a batch axis.
pub(super) fn batched(
    function: &OpaqueFunction,
    flags: &[bool],
    size: usize,
) -> Result<OpaqueFunction> {
    let of_body = |body: &Graph| {
        let (mut new, depends) = batch(body, flags, size)?;
        let outputs = new.outputs().to_vec().into_iter().zip(depends);
        let outputs = outputs.map(|(output, depends)| repeated(&mut new, output, depends, size));
        let outputs = outputs.collect::<Result<Vec<_>>>()?;
        new.set_outputs(outputs);
        Ok(new)
    };
    let of_pullback = |pullback: &Graph| {
        let mut all = flags.to_vec();
        all.resize(pullback.input_types().len(), true);
        let (mut back, depends) = batch(pullback, &all, size)?;
        let gradients = back.outputs().to_vec().into_iter().zip(depends).zip(flags);
        let gradients = gradients.map(|((gradient, depends), &batched)| {
            let repeats = repeated(&mut back, gradient, depends, size)?;
            if batched {
                return Ok(repeats);
            }
            // What all examples share has the sum of their gradients.
            let dtype = back.ty(repeats)?.dtype;
            let sum = ReduceOp::Sum {
                axes: Dims::from_slice(&[0]),
                keepdims: false,
            };
            let sum = back.push(sum.into(), &[repeats], None)?;
            if back.ty(sum)?.dtype == dtype {
                return Ok(sum);
            }
            back.push(MapOp::Astype { dtype }.into(), &[sum], None)
        });
        let gradients = gradients.collect::<Result<Vec<_>>>()?;
        back.set_outputs(gradients);
        Ok(back)
    };
    function.map_graphs(of_body, of_pullback)
}

/// The value along a batch axis, if it has none.
fn repeated(graph: &mut Graph, value: ValueId, depends: bool, size: usize) -> Result<ValueId> {
    if depends {
        return Ok(value);
    }
    let mut shape = graph.ty(value)?.shape.clone();
    shape.insert(0, size);
    graph.push(ViewOp::BroadcastTo { shape }.into(), &[value], None)
}
