//! Lazy nodes read into a record, and values of it as lazy nodes again.
//!
//! Both ways walk with a stack of their own, however deep the graph is, and each node and each value is taken once: the record
//! keeps what belongs together.

use std::panic::Location;

use smallvec::SmallVec;

use super::super::infer::{given, infer};
use super::super::node::{LazyArray, LazyOperand, State};
use super::{FreeVariable, Recording};
use autojit_ir::error::{Error, Result};
use autojit_ir::{LeafOp, Op, Site, ValueId, resolve_scalar};
use autojit_library::Concrete;

impl Recording {
    /// A lazy graph as the ops that it stands for; a stack stands in for recursion.
    pub(super) fn read_node(&self, root: &LazyArray) -> Result<ValueId> {
        let mut stack = vec![root.clone()];
        while let Some(node) = stack.last().cloned() {
            if self.known(&node).is_some() {
                stack.pop();
                continue;
            }
            // A copy, as no two locks are held at once.
            let state = node.state().clone();
            let value = match state {
                State::Variable => self.free(FreeVariable::Node(node.clone()))?,
                State::Value(value) => match value.as_slice() {
                    [value] => self
                        .read_constant(value, node.location())
                        .map_err(|e| e.at(node.location()))?,
                    // A tuple that another thread has just computed: its user is looked at again, and finds it.
                    _ => {
                        stack.pop();
                        continue;
                    }
                },
                State::Pending { op, inputs } => {
                    if let Some(value) = known_result(&op, &inputs) {
                        self.read_constant(&value, node.location())?
                    } else {
                        let nodes = inputs.iter().rev().filter_map(LazyOperand::node);
                        let waiting = nodes.filter(|n| self.known(n).is_none()).cloned();
                        let before = stack.len();
                        stack.extend(waiting);
                        if stack.len() > before {
                            continue;
                        }
                        self.write_node(&node, op, &inputs)?
                    }
                }
            };
            self.written().know(node, value);
            stack.pop();
        }
        let lost = || Error::internal("a lazy node was lost");
        self.known(root).ok_or_else(lost)
    }

    /// Writes down the op of a node whose inputs are known.
    fn write_node(&self, node: &LazyArray, op: Op, inputs: &[LazyOperand]) -> Result<ValueId> {
        let given = |index: usize| given(&inputs[index]);
        let (_, strong) = infer(&op, inputs.len(), given)?;
        let mut values: SmallVec<[ValueId; 4]> = SmallVec::new();
        for input in inputs {
            values.push(match input {
                LazyOperand::Node(node) => self
                    .known(node)
                    .ok_or_else(|| Error::internal("an input of a lazy node was lost"))?,
                LazyOperand::Scalar(scalar) => {
                    let literal = resolve_scalar(&op, strong, *scalar)?;
                    let graph = &mut self.written().graph;
                    graph.record_leaf(Op::Leaf(LeafOp::Literal { value: literal }))
                }
            });
        }
        let (ty, location) = (node.shared_ty().clone(), Some(node.location()));
        Ok(self.written().graph.record(op, values, ty, location))
    }

    fn known(&self, node: &LazyArray) -> Option<ValueId> {
        let written = self.written();
        written.known.get(&node.address()).map(|&(_, value)| value)
    }

    /// A value of the record as a node, and all that it depends on; each once, so the same values are the same nodes.
    pub(super) fn node(&self, root: ValueId) -> LazyArray {
        let here = Site::from(Location::caller());
        let mut written = self.written();
        let mut stack = vec![root];
        while let Some(&value) = stack.last() {
            if written.nodes.contains_key(&value) {
                stack.pop();
                continue;
            }
            let node = &written.graph[value];
            let waiting = node.inputs.iter().rev().copied();
            let waiting = waiting.filter(|input| !written.nodes.contains_key(input));
            let before = stack.len();
            stack.extend(waiting);
            if stack.len() > before {
                continue;
            }
            let location = node.location.unwrap_or(here);
            let free = written.free.get(&value);
            let made = match (&node.op, free.map(FreeVariable::node)) {
                (_, Some(node)) => node.clone(),
                (Op::Leaf(LeafOp::Input { .. }), _) => {
                    LazyArray::new(node.ty.clone(), State::Variable, location)
                }
                (Op::Leaf(LeafOp::Constant { index, .. }), _) => {
                    let host = written.graph.constants()[*index].clone();
                    LazyArray::known(Concrete::Ndarray(host), location)
                }
                (Op::Leaf(LeafOp::Literal { value }), _) => {
                    let host = autojit_ir::HostArray::scalar(value.value, value.dtype);
                    LazyArray::known(Concrete::Ndarray(host), location)
                }
                (op, _) => {
                    // Beside other inputs a number would adopt another dtype than these ops take.
                    let is_exact = matches!(op, Op::Control(_) | Op::Opaque { .. });
                    let literal =
                        |input: ValueId| written.graph.as_literal(input).filter(|_| !is_exact);
                    let operand = |input: &ValueId| match literal(*input) {
                        Some(literal) => LazyOperand::Scalar(literal.value),
                        None => LazyOperand::Node(written.nodes[input].clone()),
                    };
                    let state = State::Pending {
                        op: op.clone(),
                        inputs: node.inputs.iter().map(operand).collect(),
                    };
                    LazyArray::new(node.ty.clone(), state, location)
                }
            };
            written.know(made, value);
            stack.pop();
        }
        written.nodes[&root].clone()
    }
}

/// The array that is taken out of a tuple which has been computed: graphs have no tuple constants.
fn known_result(op: &Op, inputs: &[LazyOperand]) -> Option<Concrete> {
    let Op::Get { index } = op else { return None };
    let tuple = inputs.first()?.node()?.value()?;
    tuple.get(*index).cloned()
}
