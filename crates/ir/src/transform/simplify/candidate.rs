//! `Candidate`: what a rule is given, a node that is about to be added to the graph under construction.

use std::cell::Cell;
use std::sync::Arc;

use super::Options;
use crate::{ArrayType, Builder, Graph, Node, Op, Type, ValueId};

/// A node that is about to be added to the graph under construction.
pub(super) struct Candidate<'c, 'b> {
    pub builder: &'c mut Builder<'b>,
    pub op: &'c Op,
    pub inputs: &'c [ValueId],
    pub ty: &'c Arc<Type>,
    pub options: &'c Options,
    /// The rest of the budget of folding.
    pub fold_work: &'c Cell<usize>,
}

impl Candidate<'_, '_> {
    /// A node that is there already.
    pub(super) fn node(&mut self, value: ValueId) -> &Node {
        &self.builder.graph()[value]
    }

    /// The graph so far.
    pub(super) fn graph(&mut self) -> &mut Graph {
        self.builder.graph()
    }

    /// The type of the result, if it is an array.
    pub(super) fn array_type(&self) -> Option<&ArrayType> {
        self.ty.array().ok()
    }

    /// The type of an input, if it is an array.
    pub(super) fn input_type(&mut self, index: usize) -> Option<&ArrayType> {
        let input = self.inputs[index];
        self.node(input).ty.array().ok()
    }

    /// The input, if it can stand for the result.
    pub(super) fn input_as_result(&mut self, index: usize) -> Option<ValueId> {
        let (input, ty) = (self.inputs[index], self.ty);
        // Nearly always it is the very same type.
        (self.node(input).ty == *ty).then_some(input)
    }

    /// Adds another op in place of this one.
    pub(super) fn replace(&mut self, op: Op, inputs: &[ValueId]) -> Option<ValueId> {
        self.builder.push(op, inputs).ok()
    }
}

/// A rule by name: gives the value that stands for the candidate, or `None` if it does not apply.
pub(super) type Rule = (&'static str, fn(&mut Candidate<'_, '_>) -> Option<ValueId>);
