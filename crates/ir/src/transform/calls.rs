//! Functions that are graphs with a rule for reverse mode of their own: opaque to all but transformations, which differentiate
//! their calls by that rule, and at last put the graph in the place of the call.
//!
//! The rule is a pullback, or that the function is computed again on the way back (`differentiate/recompute.rs`).

use std::any::Any;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    ArrayType, Error, Graph, HostArray, LeafOp, Op, OpaqueFunction, Result, Type, ValueId,
};

/// The facts about a function that is a graph.
struct Custom {
    body: Graph,
    rule: Rule,
    implement: Implement,
}

/// How reverse mode goes through a call.
enum Rule {
    /// By this graph.
    Pullback(Box<Graph>),
    /// The function is computed again, and what that computes is differentiated: nothing of the call itself is kept.
    Recomputed,
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
        let (arguments, results) = (body.input_types().to_vec(), output_types(&body)?);
        let taken = [arguments.as_slice(), &results].concat();
        if pullback.input_types() != taken || output_types(&pullback)? != arguments {
            return Err(Error::internal(format!(
                "the pullback of `{name}` does not have the types of the function"
            )));
        }
        Self::of_graph(name, body, Rule::Pullback(Box::new(pullback)), implement)
    }

    /// A function that is a graph, and gives the tuple of its results. Where it is differentiated in reverse mode it is computed
    /// again on the way back, so that nothing but its arguments is kept until then.
    ///
    /// # Errors
    /// A result is a tuple.
    pub fn recomputed(name: &'static str, body: Graph, implement: Implement) -> Result<Self> {
        Self::of_graph(name, body, Rule::Recomputed, implement)
    }

    fn of_graph(name: &'static str, body: Graph, rule: Rule, implement: Implement) -> Result<Self> {
        let (arguments, results) = (body.input_types().to_vec(), output_types(&body)?);
        let types = move |inputs: &[ArrayType]| {
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
            rule,
            implement,
        };
        Ok(Self::with_custom(
            name,
            Box::new(types),
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
        match &custom(self)?.rule {
            Rule::Pullback(pullback) => Some(pullback),
            Rule::Recomputed => None,
        }
    }

    /// Whether it is a graph that is computed again on the way back.
    #[must_use]
    pub fn is_recomputed(&self) -> bool {
        custom(self).is_some_and(|custom| matches!(custom.rule, Rule::Recomputed))
    }

    /// The same function with another graph, and another pullback if it has one.
    ///
    /// # Errors
    /// It is no graph, or the two do not fit.
    pub(super) fn map_graphs(
        &self,
        map_body: impl FnOnce(&Graph) -> Result<Graph>,
        map_pullback: impl FnOnce(&Graph) -> Result<Graph>,
    ) -> Result<Self> {
        let Some(custom) = custom(self) else {
            return Err(Error::internal(format!("`{}` is no graph", self.name())));
        };
        let (body, implement) = (map_body(&custom.body)?, Arc::clone(&custom.implement));
        match &custom.rule {
            Rule::Pullback(pullback) => {
                Self::with_pullback(self.name(), body, map_pullback(pullback)?, implement)
            }
            Rule::Recomputed => Self::recomputed(self.name(), body, implement),
        }
    }
}

fn output_types(graph: &Graph) -> Result<Vec<ArrayType>> {
    let outputs = graph.outputs().iter();
    outputs.map(|&output| graph.ty(output).cloned()).collect()
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
    graph.any_nested(|op| matches!(op, Op::Opaque { function } if function.body().is_some()))
}
