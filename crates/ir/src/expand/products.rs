//! `tensordot` and `einsum` as matrix products, sums and transposes.

use super::{Builder, Expanded};
use crate::einsum::Subscripts;
use crate::einsum::path::{self, Search};
use crate::error::{Error, Result};
use crate::index::{IndexItem, IndexKey};
use crate::types::{ArrayType, Axes, Class, Dims};
use crate::{ContractOp, IndexOp, MapOp, Op, ReduceOp, ValueId};

pub(crate) fn tensordot(
    x_axes: &Axes,
    y_axes: &Axes,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    if let (&[_], &[_], &[length], &[_]) = (
        x_axes.as_slice(),
        y_axes.as_slice(),
        b.graph.ty(x[0])?.shape.as_slice(),
        b.graph.ty(x[1])?.shape.as_slice(),
    ) && length != 1
    {
        return inner_product(b, x);
    }
    let (x_ty, y_ty) = (b.graph.ty(x[0])?, b.graph.ty(x[1])?);
    let (x_ndim, y_ndim) = (x_ty.ndim(), y_ty.ndim());
    let are_numbers = x_ty.size() == 1 && y_ty.size() == 1;
    let x_free: Dims = (0..x_ndim).filter(|a| !x_axes.contains(a)).collect();
    let y_free: Dims = (0..y_ndim).filter(|a| !y_axes.contains(a)).collect();
    let operand = |free: &Dims, axes: &Axes| Contraction {
        batch: Dims::new(),
        free: free.clone(),
        summed: Dims::from_slice(axes),
    };
    let (x_operand, y_operand) = (operand(&x_free, x_axes), operand(&y_free, y_axes));
    let (value, is_sum) = contract(b, x[0], &x_operand, x[1], &y_operand)?;
    // NumPy's `dot` multiplies numbers, without a sum that would begin at +0.
    if is_sum || are_numbers {
        return Ok(value);
    }
    plus_zero(b, value)
}

/// The sum of one term: it begins at +0, so that of a negative zero is +0.
fn plus_zero(b: &mut Builder<'_>, x: ValueId) -> Expanded {
    let dtype = b.ty(x)?.dtype;
    if dtype.class() < Class::Float {
        return Ok(x);
    }
    let zero = b.literal(0, dtype);
    b.push(Op::Map(MapOp::Add), &[x, zero])
}

/// The contraction of two vectors: nothing to bring into order.
fn inner_product(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let dtype = b.graph.ty(x[0])?.dtype;
    let products = b.push(Op::Map(MapOp::Multiply), x)?;
    let sum = b.sum(products, Dims::from_slice(&[0]), false)?;
    b.cast(sum, dtype)
}

/// The axes of one operand of a contraction, by role.
struct Contraction {
    batch: Dims,
    free: Dims,
    summed: Dims,
}

/// The contraction with axes batch, free of `x`, free of `y`, and whether it is a sum rather than plain products.
///
/// A matrix product where both sides have free axes; otherwise a product and a sum, which fuse.
fn contract(
    b: &mut Builder<'_>,
    x: ValueId,
    xa: &Contraction,
    y: ValueId,
    ya: &Contraction,
) -> Result<(ValueId, bool)> {
    let (x_ty, y_ty) = (b.ty(x)?, b.ty(y)?);
    let sizes =
        |ty: &ArrayType, axes: &Dims| -> Dims { axes.iter().map(|&a| ty.shape[a]).collect() };
    let order = |parts: [&Dims; 3]| -> Dims { parts.into_iter().flatten().copied().collect() };
    let (batch, x_free, y_free) = (
        sizes(&x_ty, &xa.batch),
        sizes(&x_ty, &xa.free),
        sizes(&y_ty, &ya.free),
    );
    let summed = sizes(&x_ty, &xa.summed);
    let result: Dims = [&batch, &x_free, &y_free]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let (m, k, n): (usize, usize, usize) = (
        x_free.iter().product(),
        summed.iter().product(),
        y_free.iter().product(),
    );
    let with =
        |batch: &Dims, rest: &[usize]| -> Dims { batch.iter().chain(rest).copied().collect() };

    let product = if m == 1 && n == 1 || k == 1 {
        let x = b.transpose(x, order([&xa.batch, &xa.free, &xa.summed]))?;
        let y = b.transpose(y, order([&ya.batch, &ya.free, &ya.summed]))?;
        if k == 1 {
            let x = b.reshape(x, &with(&batch, &[m, 1]))?;
            let y = b.reshape(y, &with(&batch, &[1, n]))?;
            b.push(Op::Map(MapOp::Multiply), &[x, y])?
        } else {
            let x = b.reshape(x, &with(&batch, &[k]))?;
            let y = b.reshape(y, &with(&batch, &[k]))?;
            let products = b.push(Op::Map(MapOp::Multiply), &[x, y])?;
            b.push(
                Op::Reduce(ReduceOp::Sum {
                    axes: Dims::from_slice(&[batch.len()]),
                    keepdims: false,
                }),
                &[products],
            )
            .and_then(|sum| b.cast(sum, x_ty.dtype))?
        }
    } else {
        let x = b.transpose(x, order([&xa.batch, &xa.free, &xa.summed]))?;
        let y = b.transpose(y, order([&ya.batch, &ya.summed, &ya.free]))?;
        let x = b.reshape(x, &with(&batch, &[m, k]))?;
        let y = b.reshape(y, &with(&batch, &[k, n]))?;
        b.push(Op::Contract(ContractOp::Matmul), &[x, y])?
    };
    Ok((b.reshape(product, &result)?, k != 1))
}

/// Operands are contracted pairwise, in an order that takes few products, after sums and diagonals of each alone.
#[allow(clippy::borrowed_box, reason = "rows pass attributes by reference")]
pub(crate) fn einsum(subscripts: &Box<str>, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let subscripts = Subscripts::parse(subscripts)?;
    let types = x.iter().map(|&v| b.ty(v)).collect::<Result<Vec<_>>>()?;
    let types: Vec<&ArrayType> = types.iter().collect();
    let sizes = subscripts.sizes(&types)?;
    let mut operands: Vec<(ValueId, Vec<char>)> = Vec::with_capacity(x.len());
    let mut ends_in_sum = false;
    for (i, (&value, labels)) in x.iter().zip(&subscripts.operands).enumerate() {
        let needed = |label: char| {
            let elsewhere = subscripts
                .operands
                .iter()
                .enumerate()
                .any(|(j, o)| j != i && o.contains(&label));
            elsewhere || subscripts.result.contains(&label)
        };
        let (value, labels) = take_diagonals(b, value, labels)?;
        // Axes of length one that stand for a longer label: drop them here, broadcasting brings them back.
        let ty = b.ty(value)?;
        let short = |a: usize| ty.shape[a] == 1 && sizes[&labels[a]] != 1;
        let shape: Dims = (0..ty.ndim())
            .filter(|&a| !short(a))
            .map(|a| ty.shape[a])
            .collect();
        let labels: Vec<char> = (0..ty.ndim())
            .filter(|&a| !short(a))
            .map(|a| labels[a])
            .collect();
        let value = b.reshape(value, &shape)?;
        let (sum, kept) = sum_labels(b, value, &labels, &|l| !needed(l))?;
        ends_in_sum = kept.len() < labels.len();
        operands.push((sum, kept));
    }
    for step in path::find(&subscripts, &types, &sizes, Search::Auto)? {
        let &[first, second] = step.as_slice() else {
            return Err(Error::internal("a contraction of other than two operands"));
        };
        let (y, y_labels) = operands.remove(second);
        let (x, x_labels) = operands.remove(first);
        let needed = |label: &char| {
            subscripts.result.contains(label) || operands.iter().any(|(_, o)| o.contains(label))
        };
        let positions = |labels: &[char], keep: &dyn Fn(&char) -> bool| -> Dims {
            labels
                .iter()
                .enumerate()
                .filter(|(_, l)| keep(l))
                .map(|(a, _)| a)
                .collect()
        };
        let find = |labels: &[char], axes: &Dims, other: &[char]| -> Dims {
            axes.iter()
                .filter_map(|&a| other.iter().position(|l| *l == labels[a]))
                .collect()
        };
        let batch = positions(&x_labels, &|l| y_labels.contains(l) && needed(l));
        let summed = positions(&x_labels, &|l| y_labels.contains(l) && !needed(l));
        let xa = Contraction {
            free: positions(&x_labels, &|l| !y_labels.contains(l)),
            batch,
            summed,
        };
        let ya = Contraction {
            free: positions(&y_labels, &|l| !x_labels.contains(l)),
            batch: find(&x_labels, &xa.batch, &y_labels),
            summed: find(&x_labels, &xa.summed, &y_labels),
        };
        let mut labels: Vec<char> = xa
            .batch
            .iter()
            .chain(&xa.free)
            .map(|&a| x_labels[a])
            .collect();
        labels.extend(ya.free.iter().map(|&a| y_labels[a]));
        let (value, is_sum) = contract(b, x, &xa, y, &ya)?;
        // A label that only this pair had is gone from both; one that only one operand had may end here.
        let last = operands.is_empty();
        let (value, kept) = sum_labels(b, value, &labels, &|l| {
            last && !subscripts.result.contains(&l)
        })?;
        ends_in_sum = is_sum || kept.len() < labels.len();
        operands.push((value, kept));
    }
    let (value, labels) = operands
        .pop()
        .ok_or_else(|| Error::internal("a contraction of nothing"))?;
    let perm: Dims = subscripts
        .result
        .iter()
        .filter_map(|r| labels.iter().position(|l| l == r))
        .collect();
    let mut value = b.transpose(value, perm)?;
    let sums = sizes.keys().any(|label| !subscripts.result.contains(label));
    if sums && !ends_in_sum {
        value = plus_zero(b, value)?;
    }
    // Labels that were one everywhere but in the result cannot be: sizes are the largest of each label.
    let shape: Dims = subscripts.result.iter().map(|l| sizes[l]).collect();
    b.reshape(value, &shape)
}

/// Sums over the axes whose label is not needed any more, keeping the dtype.
fn sum_labels(
    b: &mut Builder<'_>,
    x: ValueId,
    labels: &[char],
    done: &dyn Fn(char) -> bool,
) -> Result<(ValueId, Vec<char>)> {
    let axes: Dims = (0..labels.len()).filter(|&a| done(labels[a])).collect();
    let dtype = b.ty(x)?.dtype;
    let sum = b.sum(x, axes, false)?;
    Ok((
        b.cast(sum, dtype)?,
        labels.iter().copied().filter(|&l| !done(l)).collect(),
    ))
}

/// Replaces repeated labels of one operand by the diagonals over their axes, all labels at once: at most one copy, and none
/// where the axes already lie so.
fn take_diagonals(
    b: &mut Builder<'_>,
    mut x: ValueId,
    labels: &[char],
) -> Result<(ValueId, Vec<char>)> {
    let mut labels = labels.to_vec();
    loop {
        let pairs = repeated(&labels);
        if pairs.is_empty() {
            return Ok((x, labels));
        }
        let ty = b.ty(x)?;
        if let Some((first, second)) = pairs.iter().find(|(i, j)| ty.shape[*i] != ty.shape[*j]) {
            return Err(Error::shape(format!(
                "the diagonal of {ty} needs axes of equal length, {} and {} are not",
                ty.shape[*first], ty.shape[*second]
            )));
        }
        let is_paired = |axis: usize| pairs.iter().any(|&(i, j)| axis == i || axis == j);
        let others: Dims = (0..ty.ndim()).filter(|&a| !is_paired(a)).collect();
        let firsts = pairs.iter().map(|&(first, _)| first);
        let seconds = pairs.iter().map(|&(_, second)| second);
        let perm: Dims = others
            .iter()
            .copied()
            .chain(firsts.clone())
            .chain(seconds)
            .collect();
        let moved = b.transpose(x, perm)?;
        // The pairs are a square matrix with a row for each index of the first axes.
        let n: usize = firsts.clone().map(|a| ty.shape[a]).product();
        let mut shape: Dims = others.iter().map(|&a| ty.shape[a]).collect();
        shape.push(n * n);
        let flat = b.reshape(moved, &shape)?;
        // Its diagonal is every (n + 1)-th element.
        let mut items = vec![IndexItem::FULL; shape.len() - 1];
        items.push(IndexItem::Slice {
            start: None,
            stop: None,
            step: Some(n as i64 + 1),
        });
        let key = IndexKey(items.into());
        let diagonal = b.push(Op::Index(IndexOp::Getitem { key }), &[flat])?;
        shape.pop();
        shape.extend(firsts.clone().map(|a| ty.shape[a]));
        x = b.reshape(diagonal, &shape)?;
        labels = others
            .iter()
            .copied()
            .chain(firsts)
            .map(|a| labels[a])
            .collect();
    }
}

/// For each label that is there more than once, the first two axes that have it.
fn repeated(labels: &[char]) -> Vec<(usize, usize)> {
    let second = |i: usize| {
        let is_first = !labels[..i].contains(&labels[i]);
        let second = labels[i + 1..].iter().position(|l| *l == labels[i]);
        second.filter(|_| is_first).map(|j| (i, i + 1 + j))
    };
    (0..labels.len()).filter_map(second).collect()
}
