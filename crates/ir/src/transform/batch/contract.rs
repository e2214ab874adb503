//! Batching of sums of products.
//!
//! Where one side is the same for all examples, the examples become rows of one product instead of many small ones.

use super::{Batcher, Item, shifted};
use crate::einsum::Subscripts;
use crate::types::Dims;
use crate::{ContractOp, Error, Op, Result, ValueId};

pub(super) fn contract(b: &mut Batcher, op: &ContractOp, x: &[Item]) -> Result<ValueId> {
    match op {
        ContractOp::Matmul => matmul(b, x[0], x[1]),
        ContractOp::Tensordot { x_axes, y_axes } => match (x[0].batched, x[1].batched) {
            (true, false) => {
                let (x_axes, y_axes) = (shifted(x_axes), y_axes.clone());
                b.push(
                    ContractOp::Tensordot { x_axes, y_axes },
                    &[x[0].value, x[1].value],
                )
            }
            (false, true) => {
                let free = b.example(x[0])?.ndim() - x_axes.len();
                let (x_axes, y_axes) = (x_axes.clone(), shifted(y_axes));
                let product = b.push(
                    ContractOp::Tensordot { x_axes, y_axes },
                    &[x[0].value, x[1].value],
                )?;
                b.in_front(product, free)
            }
            // A batch of matrix products.
            (true, true) | (false, false) => b.expanded(&Op::Contract(op.clone()), x),
        },
        ContractOp::Einsum { subscripts } => einsum(b, subscripts, x),
    }
}

/// A label of its own for the batch axis, in the operands that have one and first in the result.
fn einsum(b: &mut Batcher, subscripts: &str, x: &[Item]) -> Result<ValueId> {
    let mut labels = Subscripts::parse(subscripts)?;
    let is_new = |c: &char| c.is_alphabetic() && !subscripts.contains(*c);
    let label = ('a'..=char::MAX).find(is_new);
    let label = label.ok_or_else(|| Error::internal("einsum has no label left"))?;
    for (operand, item) in labels.operands.iter_mut().zip(x) {
        if item.batched {
            operand.insert(0, label);
        }
    }
    labels.result.insert(0, label);
    let values: Vec<ValueId> = x.iter().map(|item| item.value).collect();
    let subscripts = labels.renamed().to_string().into_boxed_str();
    b.push(ContractOp::Einsum { subscripts }, &values)
}

fn matmul(b: &mut Batcher, x: Item, y: Item) -> Result<ValueId> {
    let (x_shape, y_shape) = (b.example(x)?.shape, b.example(y)?.shape);
    let product = |b: &mut Batcher, x, y| b.push(ContractOp::Matmul, &[x, y]);
    match (x.batched, x_shape.len(), y.batched, y_shape.len()) {
        // All rows of all examples in one product.
        (true, 2.., false, 2) => {
            let (k, n) = (y_shape[0], y_shape[1]);
            let rows = x_shape[..x_shape.len() - 1].iter().product::<usize>() * b.size;
            let flat = b.reshape(x.value, Dims::from_slice(&[rows, k]))?;
            let flat = product(b, flat, y.value)?;
            let mut shape = b.with_batch(&x_shape);
            shape.pop();
            shape.push(n);
            b.reshape(flat, shape)
        }
        // Vectors are the rows of a matrix.
        (true, _, false, 1) | (true, 1, false, 2) => product(b, x.value, y.value),
        (false, 1, true, 1) => product(b, y.value, x.value),
        (false, 2, true, 1) => {
            let transposed = b.transpose(x.value, Dims::from_slice(&[1, 0]))?;
            product(b, y.value, transposed)
        }
        (false, 1, true, _) | (false, 2, true, 2) => product(b, x.value, y.value),
        _ => stacked(b, x, y),
    }
}

/// Products of stacks of matrices, where a vector is a matrix of one row or column.
fn stacked(b: &mut Batcher, x: Item, y: Item) -> Result<ValueId> {
    let (mut x_shape, mut y_shape) = (b.example(x)?.shape, b.example(y)?.shape);
    let (is_row, is_column) = (x_shape.len() == 1, y_shape.len() == 1);
    if is_row {
        x_shape.insert(0, 1);
    }
    if is_column {
        y_shape.push(1);
    }
    let ndim = x_shape.len().max(y_shape.len());
    let mut side = |item: Item, shape: Dims| {
        let missing = if item.batched { ndim - shape.len() } else { 0 };
        let shape: Dims = std::iter::repeat_n(1, missing).chain(shape).collect();
        let shape = if item.batched {
            b.with_batch(&shape)
        } else {
            shape
        };
        b.reshape(item.value, shape)
    };
    let (x, y) = (side(x, x_shape)?, side(y, y_shape)?);
    let product = b.push(ContractOp::Matmul, &[x, y])?;
    let mut shape = b.shape(product)?;
    if is_column {
        shape.pop();
    }
    if is_row {
        shape.remove(shape.len() - 1 - usize::from(!is_column));
    }
    b.reshape(product, shape)
}
