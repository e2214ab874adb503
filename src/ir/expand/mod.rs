//! Expansions: how rows of the op table that are not core ops are written with others.
//!
//! An expansion adds nodes through a [`Builder`], which converts inputs to the dtypes that inference asks for
//! and expands what it is given in turn: what comes out is core ops only, with equal dtypes. Expansions are
//! exact where the row's meaning is; they never look at values.

mod elementwise;
mod indexing;
mod products;
mod reductions;
mod scatter;

pub(super) use elementwise::*;
pub(super) use indexing::*;
pub(super) use products::*;
pub(super) use reductions::*;
pub(super) use scatter::*;

use std::panic::Location;

use smallvec::SmallVec;

use super::graph::{Graph, ValueId};
use super::types::{ArrayType, DType, Dims};
use super::{Op, Scalar};
use crate::error::{Error, Result};

type Expanded = Result<ValueId>;

/// Adds core ops to a graph.
pub struct Builder<'a> {
    graph: &'a mut Graph,
    location: Option<&'static Location<'static>>,
}

impl<'a> Builder<'a> {
    /// A builder whose nodes carry the given source line.
    pub fn new(graph: &'a mut Graph, location: Option<&'static Location<'static>>) -> Self {
        Self { graph, location }
    }

    /// Adds an op: converts its inputs, and expands it if it is not a core op.
    ///
    /// # Errors
    /// The inputs do not fit the op.
    pub fn push(&mut self, op: Op, inputs: &[ValueId]) -> Expanded {
        let signature = self.graph.infer(&op, inputs)?;
        let mut converted: SmallVec<[ValueId; 4]> = inputs.into();
        for (input, operand) in converted.iter_mut().zip(&signature.operands) {
            if let Some(dtype) = operand {
                *input = self.cast(*input, *dtype)?;
            }
        }
        match op.expand(self, &converted) {
            Some(expanded) => {
                let value = expanded?;
                if self.graph[value].ty == signature.result {
                    Ok(value)
                } else {
                    let got = &self.graph[value].ty;
                    Err(Error::internal(format!(
                        "the expansion of {op} gives {got}, not {}",
                        signature.result
                    )))
                }
            }
            None => Ok(self
                .graph
                .insert(op, &converted, signature.result, self.location)),
        }
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
        self.push(Op::Astype { dtype }, &[x])
    }

    fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Expanded {
        if self.graph.ty(x)?.shape.as_slice() == shape {
            return Ok(x);
        }
        self.push(
            Op::Reshape {
                shape: shape.into(),
            },
            &[x],
        )
    }

    fn transpose(&mut self, x: ValueId, perm: Dims) -> Expanded {
        if perm.is_sorted() {
            return Ok(x);
        }
        self.push(Op::Transpose { perm }, &[x])
    }

    fn sum(&mut self, x: ValueId, axes: Dims, keepdims: bool) -> Expanded {
        if axes.is_empty() {
            return Ok(x);
        }
        self.push(Op::Sum { axes, keepdims }, &[x])
    }
}
