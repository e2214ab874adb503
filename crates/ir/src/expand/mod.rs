//! Expansions: how rows of the op table that are not core ops are written with others.
//!
//! An expansion adds nodes through a [`Builder`], which converts inputs to the dtypes that inference asks for
//! and expands what it is given in turn: what comes out is core ops only, with equal dtypes. Expansions are
//! exact where the row's meaning is; they never look at values. The optimiser puts its rules into the builder, so
//! that what an expansion adds is simplified on the spot.

mod elementwise;
mod indexing;
mod matrices;
mod products;
mod reductions;
mod scatter;
mod stored;
#[cfg(test)]
mod stored_tests;

pub(super) use elementwise::*;
pub(super) use indexing::*;
pub(super) use matrices::*;
pub(super) use products::*;
pub(super) use reductions::*;
pub(super) use scatter::*;
pub use stored::is_widened;

use std::sync::Arc;

use smallvec::SmallVec;

use super::graph::Graph;
use super::infer::{PlainType, infer_plain};
use super::node::{Node, ValueId};
use super::site::Site;
use super::types::{ArrayType, DType, Dims, Type};
use super::{IndexOp, Literal, MapOp, Op, ReduceOp, Scalar, ViewOp};
use crate::error::{Error, Result};

type Expanded = Result<ValueId>;

/// The ops that a graph is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they were written down.
    Written,
    /// Core ops only, on inputs that have been converted. Of dtypes that are [only stored](DType::is_stored) there are leaves,
    /// views, joins, gathers, loops and branches, and conversions from and to `int64`.
    Core,
    /// The same, but for `scatter` in mode `set` to slices of an array of which more is outside of them: updates, which
    /// backends can do in place.
    Updates,
}

/// The facts about an operand of an op, before there is an array.
#[derive(Clone, Copy, Debug)]
pub struct OperandType<'a> {
    /// dtype and shape.
    pub ty: &'a ArrayType,
    /// The number that all elements are known to be.
    pub known: Option<Literal>,
}

impl OperandType<'_> {
    /// The number that a 0-d operand is known to be.
    #[must_use]
    pub fn as_literal(&self) -> Option<Literal> {
        self.known.filter(|_| self.ty.ndim() == 0)
    }
}

impl<'a> From<&'a ArrayType> for OperandType<'a> {
    fn from(ty: &'a ArrayType) -> Self {
        Self { ty, known: None }
    }
}

/// The expansion of an op, or of a [widened](is_widened) one, as a graph of its own: core ops, with one input for each operand
/// that is no [literal](OperandType::as_literal). Operands have the dtypes of the op's signature.
///
/// Libraries and backends that lower op by op expand with this; the simplifier, which has a graph already, with
/// [`Builder::add_node`].
///
/// # Errors
/// The op is a core op (an internal error), or the operands do not fit it.
pub fn expansion(op: &Op, operands: &[OperandType<'_>]) -> Result<Graph> {
    let mut graph = Graph::new();
    let operands = operands.iter();
    let values: SmallVec<[ValueId; 4]> = operands
        .map(|operand| match operand.as_literal() {
            Some(literal) => graph.add_literal(literal.value, literal.dtype),
            None => graph.add_input(operand.ty.clone()),
        })
        .collect();
    let output = Builder::new(&mut graph, None).push(op.clone(), &values)?;
    if graph[output].op == *op && graph[output].inputs == values {
        return Err(Error::internal(format!("{} has no expansion", op.name())));
    }
    graph.set_outputs(vec![output]);
    Ok(graph)
}

/// Finds values that stand for a node which is about to be added.
pub trait Simplify {
    /// The value with the name of the rule that found it; `None` if no rule applies.
    fn simplify(
        &self,
        builder: &mut Builder<'_>,
        op: &Op,
        inputs: &[ValueId],
        ty: &Arc<Type>,
    ) -> Option<(&'static str, ValueId)>;
}

/// Adds ops to a graph.
pub struct Builder<'a> {
    graph: &'a mut Graph,
    location: Option<Site>,
    form: Form,
    rules: Option<&'a dyn Simplify>,
}

impl<'a> Builder<'a> {
    /// A builder of core ops, whose nodes carry the given source line.
    pub fn new(graph: &'a mut Graph, location: Option<Site>) -> Self {
        Self {
            graph,
            location,
            form: Form::Core,
            rules: None,
        }
    }

    /// A builder that tries rules before it adds a node.
    pub fn with_rules(
        graph: &'a mut Graph,
        location: Option<Site>,
        form: Form,
        rules: &'a dyn Simplify,
    ) -> Self {
        Self {
            graph,
            location,
            form,
            rules: Some(rules),
        }
    }

    /// The source line that new nodes carry.
    pub fn location(&self) -> Option<Site> {
        self.location
    }

    /// The graph so far.
    pub fn graph(&mut self) -> &mut Graph {
        self.graph
    }

    /// Adds an op: converts its inputs, and expands it if it is not a core op.
    ///
    /// # Errors
    /// The inputs do not fit the op.
    pub fn push(&mut self, op: Op, inputs: &[ValueId]) -> Expanded {
        let types = inputs.iter().map(|&input| Some(&self.graph[input].ty));
        match infer_plain(&op, inputs.len(), types) {
            Some(PlainType::Input(ty)) => {
                let ty = Arc::clone(ty);
                return self.add(op, inputs, ty);
            }
            Some(PlainType::Other(ty)) => {
                let ty = self.graph.shared_type(ty);
                return self.add(op, inputs, ty);
            }
            None => {}
        }
        let signature = self.graph.infer(&op, inputs)?;
        let result = self.graph.shared_type(signature.result);
        if self.form == Form::Written {
            return self.add(op, inputs, result);
        }
        let mut converted: SmallVec<[ValueId; 4]> = SmallVec::from_slice(inputs);
        for (input, operand) in converted.iter_mut().zip(&signature.operands) {
            if let Some(dtype) = operand {
                *input = self.cast(*input, *dtype)?;
            }
        }
        self.add(op, &converted, result)
    }

    /// Adds an op whose result is known, and whose inputs need no conversion.
    fn add(&mut self, op: Op, inputs: &[ValueId], ty: Arc<Type>) -> Expanded {
        let location = self.location;
        self.add_node(Node {
            op,
            inputs: SmallVec::from_slice(inputs),
            ty,
            location,
        })
    }

    /// Adds a node whose inputs need no conversion: what a rule gives for it, or what its op expands to, or itself.
    #[inline]
    pub fn add_node(&mut self, node: Node) -> Expanded {
        if let Some(rules) = self.rules
            && let Some((rule, value)) = rules.simplify(self, &node.op, &node.inputs, &node.ty)
        {
            return self.checked(value, &node.ty, || {
                format!("the rule {rule} for {}", node.op)
            });
        }
        if self.form != Form::Written && !self.keeps(&node)? {
            let expanded = match self.widened(&node) {
                None => node.op.expand(self, &node.inputs),
                widened => widened,
            };
            if let Some(expanded) = expanded {
                let value = expanded?;
                return self.checked(value, &node.ty, || format!("the expansion of {}", node.op));
            }
        }
        Ok(self.graph.insert_node(node))
    }

    /// Adds a node of a graph whose inputs are values of this one already.
    #[inline]
    pub fn adopt(&mut self, node: Node) -> Expanded {
        if self.form != Form::Written {
            let types = node.inputs.iter();
            let types = types.map(|&input| Some(&self.graph[input].ty));
            if infer_plain(&node.op, node.inputs.len(), types).is_none() {
                return self.push(node.op, &node.inputs);
            }
        }
        self.add_node(node)
    }

    /// Whether a node that has an expansion belongs to the form as it is.
    fn keeps(&self, node: &Node) -> Result<bool> {
        let Op::Index(IndexOp::Scatter { .. }) = &node.op else {
            return Ok(false);
        };
        Ok(self.form == Form::Updates && is_update(&node.op, self.graph.ty(node.inputs[0])?))
    }

    fn checked(&self, value: ValueId, ty: &Arc<Type>, what: impl FnOnce() -> String) -> Expanded {
        let got = &self.graph[value].ty;
        if got == ty {
            return Ok(value);
        }
        Err(Error::internal(format!("{} gives {got}, not {ty}", what())))
    }

    /// The array type of a value.
    ///
    /// # Errors
    /// The value is a tuple.
    pub fn ty(&self, value: ValueId) -> Result<ArrayType> {
        self.graph.ty(value).cloned()
    }

    /// Adds a scalar of the given dtype.
    pub fn literal(&mut self, value: impl Into<Scalar>, dtype: DType) -> ValueId {
        self.graph.add_literal(value, dtype)
    }

    fn cast(&mut self, x: ValueId, dtype: DType) -> Expanded {
        if self.graph.ty(x)?.dtype == dtype {
            return Ok(x);
        }
        if let Some(literal) = self.graph.as_literal(x) {
            return Ok(self.literal(literal.value, dtype));
        }
        self.push(Op::Map(MapOp::Astype { dtype }), &[x])
    }

    fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Expanded {
        if self.graph.ty(x)?.shape.as_slice() == shape {
            return Ok(x);
        }
        self.push(
            Op::View(ViewOp::Reshape {
                shape: shape.into(),
            }),
            &[x],
        )
    }

    fn transpose(&mut self, x: ValueId, perm: Dims) -> Expanded {
        if perm.is_sorted() {
            return Ok(x);
        }
        self.push(Op::View(ViewOp::Transpose { perm }), &[x])
    }

    fn sum(&mut self, x: ValueId, axes: Dims, keepdims: bool) -> Expanded {
        if axes.is_empty() {
            return Ok(x);
        }
        self.push(Op::Reduce(ReduceOp::Sum { axes, keepdims }), &[x])
    }
}
