//! The one driver of all rules: a rebuild of the live part of a graph, in order.
//!
//! Nodes come one after the other, inputs before users. Each is offered to the rules for its op; what a rule gives
//! is offered in turn, and so is what an expansion adds. Equal nodes become one on the way.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::candidate::{Candidate, Rule};
use super::{Options, algebra, fold, views};
use crate::error::Result;
use crate::{Builder, Form, Graph, LeafOp, Node, Op, Simplify, Type, ValueId};

/// The rules, and how often each has applied.
pub(super) struct Rules<'o> {
    options: &'o Options,
    fold_work: Cell<usize>,
    applied: RefCell<Vec<(&'static str, usize)>>,
}

impl<'o> Rules<'o> {
    pub(super) fn new(options: &'o Options) -> Self {
        Self {
            options,
            fold_work: Cell::new(fold::WORK),
            applied: RefCell::default(),
        }
    }

    /// The rules that applied, in the order in which they first did, with how often.
    pub(super) fn applied(self) -> Vec<(&'static str, usize)> {
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
        if algebra::stays(builder.graph(), op, inputs, ty) {
            return None;
        }
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
        // Nearly always it is one and the same, which is cheaper to see.
        let is_it = |known: &'static str| std::ptr::eq(known, name) || known == name;
        match applied.iter_mut().find(|(known, _)| is_it(known)) {
            Some((_, count)) => *count += 1,
            None => applied.push((name, 1)),
        }
        Some((name, value))
    }
}

/// The result of the first rule that applies.
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
/// A rule or an expansion gave a value of another type: an internal error.
pub(super) fn rewrite(graph: Graph, form: Form, rules: &dyn Simplify) -> Result<Graph> {
    rebuild(graph, |new, mut node, _| {
        // As the builder would find, step by step.
        if algebra::stays(new, &node.op, &node.inputs, &node.ty) {
            return Ok(new.insert_node(node));
        }
        if let Op::Control(_) = &node.op {
            let inside = |graph: &Graph| Ok(rewrite(graph.clone(), form, rules)?.without_dead());
            node.op = node.op.map_graphs(inside)?;
        }
        Builder::with_rules(new, node.location, form, rules).adopt(node)
    })
}

/// Rebuilds the live part of `graph`, each node by `add`; leaves are carried over. `add` is given the node with inputs
/// that are values of the new graph, and the values that all nodes before it have become.
pub(super) fn rebuild(
    graph: Graph,
    mut add: impl FnMut(&mut Graph, Node, &[ValueId]) -> Result<ValueId>,
) -> Result<Graph> {
    const DEAD: ValueId = ValueId(u32::MAX);
    let live = graph.live();
    let mut new = graph.same_inputs();
    let (nodes, constants, outputs) = graph.into_parts();
    let mut map: Vec<ValueId> = Vec::with_capacity(nodes.len());
    for (mut node, live) in nodes.into_iter().zip(live) {
        map.push(match &node.op {
            _ if !live => DEAD,
            Op::Leaf(LeafOp::Input { index, .. }) => ValueId(*index as u32),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let value = new.adopt_constant(&constants, *index);
                new.locate(value, node.location);
                value
            }
            Op::Leaf(LeafOp::Literal { .. }) => new.insert_node(node),
            Op::Map(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Sort(_)
            | Op::Contract(_)
            | Op::View(_)
            | Op::Index(_)
            | Op::Join(_)
            | Op::Linalg(_)
            | Op::Fourier(_)
            | Op::Control(_)
            | Op::Get { .. }
            | Op::Random { .. }
            | Op::Opaque { .. } => {
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
