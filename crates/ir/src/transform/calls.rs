//! Calls of functions that are graphs, as what these compute.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{Graph, LeafOp, Op, OpaqueFunction, Result, ValueId};

/// The graph with the bodies of some functions in place of their calls; calls in the bodies too.
///
/// # Errors
/// A call does not fit its function.
pub fn inline_calls(graph: &Graph, which: &dyn Fn(&OpaqueFunction) -> bool) -> Result<Graph> {
    let body = |op: &Op| match op {
        Op::Opaque { function } if which(function) => function.body().cloned(),
        _ => None,
    };
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    let mut results: FxHashMap<ValueId, Vec<ValueId>> = FxHashMap::default();
    for value in graph.values() {
        let node = &graph[value];
        let inputs: SmallVec<[ValueId; 4]> = node.inputs.iter().map(|i| map[i.index()]).collect();
        let known = node.inputs.first().and_then(|tuple| results.get(tuple));
        map.push(match (&node.op, known) {
            (Op::Leaf(LeafOp::Input { index, .. }), _) => ValueId(*index as u32),
            (Op::Leaf(LeafOp::Constant { index, .. }), _) => {
                new.add_constant(graph.constants()[*index].clone())
            }
            (Op::Leaf(LeafOp::Literal { value }), _) => new.add_literal(value.value, value.dtype),
            (Op::Get { index }, Some(results)) => results[*index],
            (op, _) => match body(op) {
                Some(body) => {
                    let body = inline_calls(&body, which)?;
                    results.insert(value, new.inline(&body, &inputs, node.location)?);
                    // Only its parts are read.
                    ValueId(u32::MAX)
                }
                None => new.insert(op.clone(), &inputs, node.ty.clone(), node.location),
            },
        });
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    Ok(new)
}

/// Whether a graph calls a function that is a graph.
#[must_use]
pub fn has_calls(graph: &Graph) -> bool {
    let is_call = |op: &Op| matches!(op, Op::Opaque { function } if function.body().is_some());
    graph.nodes().iter().any(|node| is_call(&node.op))
}
