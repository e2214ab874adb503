//! Functions that are graphs with pullbacks of their own: opaque to all but transformations, which differentiate their calls by
//! the pullback, and at last put the graph in the place of the call.

use std::any::Any;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    ArrayType, Error, Graph, HostArray, LeafOp, Op, OpaqueFunction, Result, Type, ValueId,
};

/// What is known of a function that is a graph.
struct Custom {
    body: Graph,
    pullback: Graph,
    implement: Implement,
}

/// Gives what those who run graphs know a function by that is a graph.
pub type Implement = Arc<dyn Fn(&Graph) -> Box<dyn Any + Send + Sync> + Send + Sync>;

fn custom(function: &OpaqueFunction) -> Option<&Custom> {
    function.custom()?.downcast_ref()
}

impl OpaqueFunction {
    /// A function that is a graph, and gives the tuple of its results, with a pullback of its own: a graph of the arguments
    /// and then a cotangent for each result, which gives a gradient for each argument, of its type.
    ///
    /// # Errors
    /// The pullback does not have these types.
    pub fn with_pullback(
        name: &'static str,
        body: Graph,
        pullback: Graph,
        implement: Implement,
    ) -> Result<Self> {
        let types = |graph: &Graph| -> Result<Vec<ArrayType>> {
            let outputs = graph.outputs().iter();
            outputs.map(|&output| graph.ty(output).cloned()).collect()
        };
        let arguments = body.input_types().to_vec();
        let results = types(&body)?;
        let taken = [arguments.as_slice(), &results].concat();
        if pullback.input_types() != taken || types(&pullback)? != arguments {
            return Err(Error::internal(format!(
                "the pullback of `{name}` does not have the types of the function"
            )));
        }
        let rule = move |inputs: &[ArrayType]| {
            if inputs != arguments {
                return Err(Error::internal("a function was called with other types"));
            }
            Ok(Type::Tuple(results.clone().into()))
        };
        let evaluated = body.clone();
        let reference = move |inputs: &[HostArray]| evaluated.evaluate(inputs);
        let implementation = implement(&body);
        let custom = Custom {
            body,
            pullback,
            implement,
        };
        Ok(Self::with_custom(
            name,
            Box::new(rule),
            Box::new(reference),
            implementation,
            Box::new(custom),
        ))
    }

    /// The graph that it is, if it is one.
    #[must_use]
    pub fn body(&self) -> Option<&Graph> {
        custom(self).map(|custom| &custom.body)
    }

    /// The graph of its pullback, if it has one of its own.
    #[must_use]
    pub fn pullback(&self) -> Option<&Graph> {
        custom(self).map(|custom| &custom.pullback)
    }

    /// The same function with another graph and pullback.
    ///
    /// # Errors
    /// It is no graph, or the two do not fit.
    pub(super) fn map_graphs(
        &self,
        map: impl FnOnce(&Graph, &Graph) -> Result<(Graph, Graph)>,
    ) -> Result<Self> {
        let Some(custom) = custom(self) else {
            return Err(Error::internal(format!("`{}` is no graph", self.name())));
        };
        let (body, pullback) = map(&custom.body, &custom.pullback)?;
        Self::with_pullback(self.name(), body, pullback, Arc::clone(&custom.implement))
    }
}

/// The graph with the bodies of some functions in place of their calls; calls in the bodies too.
///
/// # Errors
/// A call does not fit its function.
pub fn inline_calls(graph: &Graph, which: &dyn Fn(&OpaqueFunction) -> bool) -> Result<Graph> {
    let body = |op: &Op| match op {
        Op::Opaque { function } if which(function) => function.body().cloned(),
        _ => None,
    };
    let inside = |op: &Op| match op.any(&|op| body(op).is_some()) {
        true => op.map_graphs(|graph| inline_calls(graph, which)),
        false => Ok(op.clone()),
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
                None => new.insert(inside(op)?, &inputs, node.ty.clone(), node.location),
            },
        });
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    Ok(new)
}

/// Whether a graph calls a function that is a graph, be it in a loop or a branch.
#[must_use]
pub fn has_calls(graph: &Graph) -> bool {
    let is_call = |op: &Op| matches!(op, Op::Opaque { function } if function.body().is_some());
    graph.nodes().iter().any(|node| node.op.any(&is_call))
}
