//! Transposed selections and updates.

use super::super::writer::Writer;
use super::{Cotangents, not_linear};
use crate::error::Result;
use crate::index::{IndexItem, IndexKey, Slicing};
use crate::scatter::ScatterMode;
use crate::types::{ArrayType, DType};
use crate::{IndexOp, MapOp, Node, ValueId};

pub(super) fn of_node(
    w: &mut Writer,
    op: &IndexOp,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    match op {
        IndexOp::Getitem { key } => {
            let ty = w.ty(node.inputs[0])?;
            let arrays = &node.inputs[1..];
            if arrays.is_empty() {
                let slicing = key.slicing(&ty)?;
                let ct = w.reshape(ct, &slicing.sizes)?;
                return Ok(vec![(0, unslice(w, ct, &slicing, &ty)?)]);
            }
            let dtype = w.dtype(ct)?;
            let zeros = w.zeros(&ty.with_dtype(dtype))?;
            let mut inputs = vec![zeros, ct];
            inputs.extend_from_slice(arrays);
            let mode = ScatterMode::Add;
            let key = key.clone();
            Ok(vec![(0, w.op(IndexOp::Scatter { key, mode }, &inputs)?)])
        }
        IndexOp::Take { axis } => {
            let ty = w.ty(node.inputs[0])?;
            let items = (0..ty.ndim()).map(|a| {
                if a == *axis {
                    IndexItem::Array
                } else {
                    IndexItem::FULL
                }
            });
            let key = IndexKey(items.collect());
            let dtype = w.dtype(ct)?;
            let zeros = w.zeros(&ty.with_dtype(dtype))?;
            let mode = ScatterMode::Add;
            let scatter = IndexOp::Scatter { key, mode };
            Ok(vec![(0, w.op(scatter, &[zeros, ct, node.inputs[1]])?)])
        }
        IndexOp::Scatter { mode, .. } | IndexOp::ScatterFlat { mode } => {
            scatter(w, op, *mode, node, linear, ct)
        }
    }
}

fn scatter(
    w: &mut Writer,
    op: &IndexOp,
    mode: ScatterMode,
    node: &Node,
    linear: &[bool],
    ct: ValueId,
) -> Result<Cotangents> {
    let (values, arrays) = (node.inputs[1], &node.inputs[2..]);
    let with = |mode| match op {
        IndexOp::Scatter { key, .. } => IndexOp::Scatter {
            key: key.clone(),
            mode,
        },
        IndexOp::ScatterFlat { .. } | IndexOp::Getitem { .. } | IndexOp::Take { .. } => {
            IndexOp::ScatterFlat { mode }
        }
    };
    let put = |w: &mut Writer, x: ValueId, values: ValueId, mode| {
        let mut inputs = vec![x, values];
        inputs.extend_from_slice(arrays);
        w.op(with(mode), &inputs)
    };
    let get = |w: &mut Writer, x: ValueId| {
        let mut inputs = vec![x];
        inputs.extend_from_slice(arrays);
        match op {
            IndexOp::Scatter { key, .. } => w.op(IndexOp::Getitem { key: key.clone() }, &inputs),
            IndexOp::ScatterFlat { .. } | IndexOp::Getitem { .. } | IndexOp::Take { .. } => {
                let size = w.ty(x)?.size();
                inputs[0] = w.reshape(x, &[size])?;
                w.op(IndexOp::Take { axis: 0 }, &inputs)
            }
        }
    };
    let mut cotangents = Vec::with_capacity(2);
    match mode {
        ScatterMode::Add => {
            if linear[0] {
                cotangents.push((0, ct));
            }
            if linear[1] {
                cotangents.push((1, get(w, ct)?));
            }
        }
        ScatterMode::Set => {
            if linear[0] {
                let zero = w.number(0.0, ct)?;
                let ty = w.ty(values)?;
                let dtype = w.dtype(ct)?;
                let zeros = w.broadcast(zero, &ty.with_dtype(dtype).shape)?;
                cotangents.push((0, put(w, ct, zeros, mode)?));
            }
            if linear[1] {
                let taken = get(w, ct)?;
                let part = w.ty(taken)?;
                // Where positions may meet, only the last value was put.
                let taken = if arrays.is_empty() || part.size() < 2 {
                    taken
                } else {
                    let ty = w.ty(ct)?.with_dtype(DType::Int64);
                    let numbers = w.positions(part.size())?;
                    let numbers = w.reshape(numbers, &part.shape)?;
                    let none = w.zeros(&ty)?;
                    let winners = put(w, none, numbers, ScatterMode::Set)?;
                    let winners = get(w, winners)?;
                    let won = w.op(MapOp::Equal, &[winners, numbers])?;
                    w.keep(won, taken)?
                };
                cotangents.push((1, taken));
            }
        }
        ScatterMode::Multiply if !linear[1] => {
            let factors = w.conj(values)?;
            cotangents.push((0, put(w, ct, factors, mode)?));
        }
        ScatterMode::Multiply | ScatterMode::Min | ScatterMode::Max => {
            return Err(not_linear(node));
        }
    }
    Ok(cotangents)
}

/// Zeros of a type, with the elements of `ct` at the positions of a slicing: joins and reshapes, no positions as data.
pub(in super::super) fn unslice(
    w: &mut Writer,
    ct: ValueId,
    slicing: &Slicing,
    ty: &ArrayType,
) -> Result<ValueId> {
    let dtype = w.dtype(ct)?;
    if slicing.sizes.contains(&0) {
        return w.zeros(&ty.with_dtype(dtype));
    }
    let mut ct = ct;
    for (axis, &n) in ty.shape.iter().enumerate() {
        let (mut start, step, size) = (
            slicing.starts[axis],
            slicing.steps[axis],
            slicing.sizes[axis],
        );
        let gap = step.unsigned_abs();
        let length = (size - 1) * gap + 1;
        if step < 0 && size > 1 {
            ct = w.flip(ct, axis)?;
            start -= length - 1;
        }
        if gap > 1 && size > 1 {
            // Each element with zeros behind it.
            let apart = w.expand(ct, axis + 1)?;
            let apart = w.pad(apart, axis + 1, [0, gap - 1], 0.0)?;
            let mut shape = w.shape(ct)?;
            shape[axis] = size * gap;
            let row = w.reshape(apart, &shape)?;
            ct = w.narrow(row, axis, 0, length)?;
        }
        let length = w.shape(ct)?[axis];
        ct = w.pad(ct, axis, [start, n - start - length], 0.0)?;
    }
    Ok(ct)
}
