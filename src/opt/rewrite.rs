//! The one driver of all passes: a rebuild of the live part of a graph, in order.

use std::panic::Location;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::ir::{ArrayType, Graph, Node, Op, Type, ValueId};

/// A node that is about to be added to the graph under construction.
pub(crate) struct Candidate<'a> {
    pub(crate) graph: &'a mut Graph,
    pub(crate) op: &'a Op,
    pub(crate) inputs: &'a [ValueId],
    pub(crate) ty: &'a Type,
    pub(crate) location: Option<&'static Location<'static>>,
}

impl Candidate<'_> {
    /// The type of the result, if it is an array.
    pub(crate) fn array_type(&self) -> Option<&ArrayType> {
        self.ty.array().ok()
    }

    /// The type of an input, if it is an array.
    pub(crate) fn input_type(&self, index: usize) -> Option<&ArrayType> {
        self.graph.ty(self.inputs[index]).ok()
    }

    /// Adds another op in place of this one.
    pub(crate) fn replace(&mut self, op: Op, inputs: &[ValueId]) -> Option<ValueId> {
        self.graph.push(op, inputs, self.location).ok()
    }
}

/// A rule by name: gives the value that stands for the candidate, or `None` if it does not apply.
pub(crate) type Rule = (&'static str, fn(&mut Candidate<'_>) -> Option<ValueId>);

/// The work of a rewrite, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Nodes that rules were tried at.
    pub(crate) visited: usize,
    /// Nodes that a rule stood something in the place of.
    pub(crate) rewritten: usize,
}

/// Rebuilds the live part of `graph`, giving every rule a chance at each node; the first that applies wins.
///
/// # Errors
/// A rule gave a value of another type: a mistake of ours.
pub(crate) fn rewrite(graph: &Graph, rules: &[Rule]) -> Result<(Graph, Counts)> {
    let mut counts = Counts::default();
    let graph = rebuild(graph, |new, node, inputs| {
        counts.visited += 1;
        for (name, rule) in rules {
            let (op, ty, location) = (&node.op, &node.ty, node.location);
            if let Some(value) = rule(&mut Candidate {
                graph: new,
                op,
                inputs,
                ty,
                location,
            }) {
                if new[value].ty != node.ty {
                    let got = &new[value].ty;
                    return Err(Error::internal(format!(
                        "rule {name} turned {op} : {ty} into {got}"
                    )));
                }
                counts.rewritten += 1;
                return Ok(value);
            }
        }
        Ok(new.insert(node.op.clone(), inputs, node.ty.clone(), node.location))
    })?;
    Ok((graph, counts))
}

/// Rebuilds the live part of `graph`, each node by `add`; leaves are carried over.
pub(crate) fn rebuild(
    graph: &Graph,
    mut add: impl FnMut(&mut Graph, &Node, &[ValueId]) -> Result<ValueId>,
) -> Result<Graph> {
    let live = graph.live();
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = vec![ValueId(u32::MAX); graph.nodes().len()];
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        map[value.index()] = match &node.op {
            Op::Input { index, .. } => ValueId(*index as u32),
            Op::Constant { index, .. } => new.add_constant(graph.constants()[*index].clone()),
            Op::Literal { value } => new.add_literal(value.value, value.dtype),
            _ => {
                let inputs: SmallVec<[ValueId; 4]> =
                    node.inputs.iter().map(|i| map[i.index()]).collect();
                add(&mut new, node, &inputs)?
            }
        };
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    Ok(new)
}
