//! Transposed products of arrays: products of the cotangent with the conjugates of the other operands.

use smallvec::smallvec;

use super::super::writer::Writer;
use super::{Cotangents, not_linear};
use crate::einsum::Subscripts;
use crate::error::Result;
use crate::types::{ArrayType, Axes, Dims};
use crate::{ContractOp, Node, ValueId};

pub(super) fn of_node(
    w: &mut Writer,
    op: &ContractOp,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    let Some(own) = linear.iter().position(|&linear| linear) else {
        return Ok(Cotangents::new());
    };
    if linear.iter().filter(|&&linear| linear).count() > 1 {
        return Err(not_linear(node));
    }
    let ct = match op {
        ContractOp::Matmul => matmul(w, node, own, ct)?,
        ContractOp::Tensordot { x_axes, y_axes } => tensordot(w, [x_axes, y_axes], node, own, ct)?,
        ContractOp::Einsum { subscripts } => einsum(w, subscripts, node, own, ct)?,
    };
    Ok(smallvec![(own, ct.into())])
}

fn matmul(w: &mut Writer, node: &Node, own: usize, ct: ValueId) -> Result<ValueId> {
    let (x_ty, y_ty) = (w.ty(node.inputs[0])?, w.ty(node.inputs[1])?);
    match (x_ty.ndim(), y_ty.ndim(), own) {
        (1, 1, _) => {
            let other = w.conj(node.inputs[1 - own])?;
            return w.mul(ct, other);
        }
        // A matrix and a vector.
        (2, 1, 1) => {
            let x = w.adjoint(node.inputs[0])?;
            return w.matmul(x, ct);
        }
        (1, 2, 0) => {
            let y = w.conj(node.inputs[1])?;
            return w.matmul(y, ct);
        }
        _ => {}
    }
    // Vectors as a row on the left, and as a column on the right.
    let as_matrix = |ty: &ArrayType, is_left: bool| -> Dims {
        match *ty.shape.as_slice() {
            [n] if is_left => Dims::from_slice(&[1, n]),
            [n] => Dims::from_slice(&[n, 1]),
            _ => ty.shape.clone(),
        }
    };
    let shapes = [as_matrix(&x_ty, true), as_matrix(&y_ty, false)];
    let mut shape = w.shape(ct)?;
    if y_ty.ndim() == 1 {
        shape.push(1);
    }
    if x_ty.ndim() == 1 {
        shape.insert(shape.len() - 1, 1);
    }
    let ct = w.reshape(ct, &shape)?;
    let other = w.reshape(node.inputs[1 - own], &shapes[1 - own])?;
    let batch = shape.len() - 2;
    let is_full = shapes[1 - own][..shapes[1 - own].len() - 2] == shape[..batch];
    let result = if batch > 0 && shapes[own].len() == 2 && is_full {
        // One matrix for the whole batch: one product over the batch and the other's free axis.
        let free = if own == 0 { batch + 1 } else { batch };
        let axes: Axes = (0..batch).chain([free]).collect();
        let other = w.conj(other)?;
        let tensordot = ContractOp::Tensordot {
            x_axes: axes.clone(),
            y_axes: axes,
        };
        if own == 0 {
            w.op(tensordot, &[ct, other])?
        } else {
            w.op(tensordot, &[other, ct])?
        }
    } else {
        let other = w.adjoint(other)?;
        if own == 0 {
            w.matmul(ct, other)?
        } else {
            w.matmul(other, ct)?
        }
    };
    let ty = [&x_ty, &y_ty][own];
    if ty.ndim() == 1 {
        return w.reshape(result, &ty.shape);
    }
    Ok(result)
}

fn tensordot(
    w: &mut Writer,
    axes: [&Axes; 2],
    node: &Node,
    own: usize,
    ct: ValueId,
) -> Result<ValueId> {
    let other = w.conj(node.inputs[1 - own])?;
    let (own_axes, other_axes) = (axes[own], axes[1 - own]);
    let other_ndim = w.graph.ty(other)?.ndim();
    let own_ndim = w.graph.ty(node.inputs[own])?.ndim();
    let ct_ndim = w.graph.ty(ct)?.ndim();
    // The inner product of two vectors, which programs have by the thousand.
    if (own_ndim, other_ndim, ct_ndim) == (1, 1, 0) {
        return w.mul(ct, other);
    }
    let own_free: Dims = (0..own_ndim).filter(|a| !own_axes.contains(a)).collect();
    let other_free: Axes = (0..other_ndim)
        .filter(|a| !other_axes.contains(a))
        .collect();
    // The free axes of the other operand, as axes of the cotangent.
    let behind = if own == 0 { own_free.len() } else { 0 };
    let ct_axes: Axes = (behind..behind + other_free.len()).collect();
    let product = if ct_ndim == 0 {
        w.mul(ct, other)?
    } else {
        let tensordot = ContractOp::Tensordot {
            x_axes: ct_axes,
            y_axes: other_free,
        };
        w.op(tensordot, &[ct, other])?
    };
    // Its axes: those free in the own operand, then the contracted ones in the order of the other operand.
    let mut sorted: Axes = (0..other_axes.len()).collect();
    sorted.sort_by_key(|&i| other_axes[i]);
    let now: Dims = own_free
        .iter()
        .copied()
        .chain(sorted.iter().map(|&i| own_axes[i]))
        .collect();
    let mut perm: Dims = now.iter().map(|_| 0).collect();
    now.iter().enumerate().for_each(|(i, &a)| perm[a] = i);
    w.transpose(product, &perm)
}

fn einsum(
    w: &mut Writer,
    subscripts: &str,
    node: &Node,
    own: usize,
    ct: ValueId,
) -> Result<ValueId> {
    let subscripts = Subscripts::parse(subscripts)?;
    let types = node
        .inputs
        .iter()
        .map(|&v| w.ty(v))
        .collect::<Result<Vec<_>>>()?;
    let sizes = subscripts.sizes(&types.iter().collect::<Vec<_>>())?;
    let labels = &subscripts.operands[own];
    let mut unique: Vec<char> = Vec::new();
    for &label in labels {
        if !unique.contains(&label) {
            unique.push(label);
        }
    }
    let own_size = |label: char| {
        let axis = labels.iter().position(|&l| l == label);
        axis.map_or(1, |a| types[own].shape[a])
    };
    // Labels that the cotangent or another operand has at full length. An axis of length one that stood for a longer
    // one is summed over, one that nothing else has is stretched.
    let others = |label: &char| {
        let elsewhere = (0..types.len()).filter(|&j| j != own).any(|j| {
            let axes = subscripts.operands[j].iter();
            axes.zip(&types[j].shape)
                .any(|(l, &n)| l == label && n == sizes[label])
        });
        elsewhere || subscripts.result.contains(label)
    };
    let kept: Vec<char> = unique
        .iter()
        .copied()
        .filter(|label| own_size(*label) == sizes[label] && others(label))
        .collect();
    let mut operands = vec![subscripts.result.clone()];
    let mut inputs = vec![ct];
    for (j, &input) in node.inputs.iter().enumerate().filter(|(j, _)| *j != own) {
        operands.push(subscripts.operands[j].clone());
        inputs.push(w.conj(input)?);
    }
    let result = if inputs.len() == 1 && kept == subscripts.result {
        ct
    } else {
        let transposed = Subscripts {
            operands,
            result: kept.clone(),
        };
        let subscripts = transposed.renamed().to_string().into();
        w.op(ContractOp::Einsum { subscripts }, &inputs)?
    };
    let shape: Dims = unique
        .iter()
        .map(|l| if kept.contains(l) { sizes[l] } else { 1 })
        .collect();
    let mut result = w.reshape(result, &shape)?;
    let shape: Dims = unique.iter().map(|&l| own_size(l)).collect();
    result = w.broadcast(result, &shape)?;
    on_diagonals(w, result, &unique, labels)
}

/// Puts an array with one axis for each label on the diagonals of one with repeated labels.
fn on_diagonals(w: &mut Writer, x: ValueId, unique: &[char], labels: &[char]) -> Result<ValueId> {
    let (mut x, mut have) = (x, unique.to_vec());
    for &label in unique {
        let count = labels.iter().filter(|&&l| l == label).count();
        for _ in 1..count {
            // [.., n] -> [.., n, n]: each element with n zeros behind it, in rows of n.
            let axis = have.iter().position(|&l| l == label).unwrap_or(0);
            let shape = w.shape(x)?;
            let n = shape[axis];
            let mut perm: Dims = (0..shape.len()).filter(|&a| a != axis).collect();
            perm.push(axis);
            let last = w.transpose(x, &perm)?;
            have.remove(axis);
            have.push(label);
            let end = shape.len();
            let column = w.expand(last, end)?;
            let padded = w.pad(column, end, [0, n], 0.0)?;
            let mut flat = w.shape(last)?;
            flat[end - 1] = n * (n + 1);
            let row = w.reshape(padded, &flat)?;
            let row = w.narrow(row, end - 1, 0, n * n)?;
            flat[end - 1] = n;
            flat.push(n);
            x = w.reshape(row, &flat)?;
            have.push(label);
        }
    }
    let mut perm = Dims::new();
    for label in labels {
        let axis = (0..have.len()).find(|a| have[*a] == *label && !perm.contains(a));
        perm.extend(axis);
    }
    w.transpose(x, &perm)
}
