//! The one driver of all rules: a rebuild of the live part of a graph, in order.
//!
//! Nodes come one after the other, inputs before users. Each is offered to the rules for its op; what a rule gives
//! is offered in turn, and so is what an expansion adds. Equal nodes become one on the way.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{Options, algebra, fold, views};
use crate::error::Result;
use crate::ir::{ArrayType, Builder, Form, Graph, Node, Op, Simplify, Type, ValueId};

/// A node that is about to be added to the graph under construction.
pub(crate) struct Candidate<'c, 'b> {
    builder: &'c mut Builder<'b>,
    pub(crate) op: &'c Op,
    pub(crate) inputs: &'c [ValueId],
    pub(crate) ty: &'c Arc<Type>,
    pub(crate) options: &'c Options,
    /// What is left of the budget of folding.
    pub(crate) fold_work: &'c Cell<usize>,
}

impl Candidate<'_, '_> {
    /// A node that is there already.
    pub(crate) fn node(&mut self, value: ValueId) -> &Node {
        &self.builder.graph()[value]
    }

    /// The graph so far.
    pub(crate) fn graph(&mut self) -> &mut Graph {
        self.builder.graph()
    }

    /// The type of the result, if it is an array.
    pub(crate) fn array_type(&self) -> Option<&ArrayType> {
        self.ty.array().ok()
    }

    /// The type of an input, if it is an array.
    pub(crate) fn input_type(&mut self, index: usize) -> Option<&ArrayType> {
        let input = self.inputs[index];
        self.node(input).ty.array().ok()
    }

    /// The input, if it can stand for the result.
    pub(crate) fn input_as_result(&mut self, index: usize) -> Option<ValueId> {
        let (input, ty) = (self.inputs[index], self.ty);
        // Nearly always it is the very same type.
        (self.node(input).ty == *ty).then_some(input)
    }

    /// Adds another op in place of this one.
    pub(crate) fn replace(&mut self, op: Op, inputs: &[ValueId]) -> Option<ValueId> {
        self.builder.push(op, inputs).ok()
    }
}

/// A rule by name: gives the value that stands for the candidate, or `None` if it does not apply.
pub(crate) type Rule = (&'static str, fn(&mut Candidate<'_, '_>) -> Option<ValueId>);

/// The rules, and how often each has applied.
pub(crate) struct Rules<'o> {
    options: &'o Options,
    fold_work: Cell<usize>,
    applied: RefCell<Vec<(&'static str, usize)>>,
}

impl<'o> Rules<'o> {
    pub(crate) fn new(options: &'o Options) -> Self {
        Self {
            options,
            fold_work: Cell::new(fold::WORK),
            applied: RefCell::default(),
        }
    }

    /// The rules that applied, in the order in which they first did, with how often.
    pub(crate) fn applied(self) -> Vec<(&'static str, usize)> {
        self.applied.into_inner()
    }
}

impl Simplify for Rules<'_> {
    fn simplify(
        &self,
        builder: &mut Builder<'_>,
        op: &Op,
        inputs: &[ValueId],
        ty: &Arc<Type>,
    ) -> Option<(&'static str, ValueId)> {
        let mut candidate = Candidate {
            builder,
            op,
            inputs,
            ty,
            options: self.options,
            fold_work: &self.fold_work,
        };
        let rules = algebra::rules(op).iter().chain(views::rules(op));
        let mut found = first(rules, &mut candidate);
        if found.is_none() && self.options.fast_math {
            found = first(algebra::fast_rules(op).iter(), &mut candidate);
        }
        let (name, value) = found.or_else(|| first(fold::RULES.iter(), &mut candidate))?;
        let mut applied = self.applied.borrow_mut();
        match applied.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => applied.push((name, 1)),
        }
        Some((name, value))
    }
}

/// What the first rule that applies gives.
#[inline]
fn first(
    mut rules: impl Iterator<Item = &'static Rule>,
    candidate: &mut Candidate<'_, '_>,
) -> Option<(&'static str, ValueId)> {
    rules.find_map(|(name, rule)| rule(candidate).map(|value| (*name, value)))
}

/// Rebuilds the live part of `graph` in a form, giving the rules a chance at each node.
///
/// # Errors
/// A rule or an expansion gave a value of another type: a mistake of ours.
pub(crate) fn rewrite(graph: Graph, form: Form, rules: &dyn Simplify) -> Result<Graph> {
    rebuild(graph, |new, node, _| {
        Builder::with_rules(new, node.location, form, rules).adopt(node)
    })
}

/// Rebuilds the live part of `graph`, each node by `add`; leaves are carried over. `add` is given the node with inputs
/// that are values of the new graph, and the values that all nodes before it have become.
pub(crate) fn rebuild(
    graph: Graph,
    mut add: impl FnMut(&mut Graph, &mut Node, &[ValueId]) -> Result<ValueId>,
) -> Result<Graph> {
    const DEAD: ValueId = ValueId(u32::MAX);
    let live = graph.live();
    let mut new = graph.same_inputs();
    let (mut nodes, constants, outputs) = graph.into_parts();
    let mut map: Vec<ValueId> = Vec::with_capacity(nodes.len());
    for (node, live) in nodes.iter_mut().zip(live) {
        map.push(match &node.op {
            _ if !live => DEAD,
            Op::Input { index, .. } => ValueId(*index as u32),
            Op::Constant { index, .. } => new.add_constant(constants[*index].clone()),
            Op::Literal { .. } => new.insert_node(node),
            _ => {
                for input in &mut node.inputs {
                    *input = map[input.index()];
                }
                add(&mut new, node, &map)?
            }
        });
    }
    new.set_outputs(outputs.iter().map(|o| map[o.index()]).collect());
    Ok(new)
}
