//! Transposed selections and updates.

use smallvec::smallvec;

use super::super::writer::Writer;
use super::{Added, Cotangent, Cotangents, Part, not_linear};
use crate::error::Result;
use crate::index::{IndexItem, IndexKey, Slicing};
use crate::scatter::ScatterMode;
use crate::types::DType;
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
                return unslice(w, ct, &slicing);
            }
            Ok(smallvec![(0, added(key.clone(), arrays, ct))])
        }
        IndexOp::Take { axis } => {
            let ndim = w.ty(node.inputs[0])?.ndim();
            let items = (0..ndim).map(|a| {
                if a == *axis {
                    IndexItem::Array
                } else {
                    IndexItem::FULL
                }
            });
            let key = IndexKey(items.collect());
            Ok(smallvec![(0, added(key, &node.inputs[1..], ct))])
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
    let mut cotangents = Cotangents::new();
    match mode {
        ScatterMode::Add => {
            if linear[0] {
                cotangents.push((0, ct.into()));
            }
            if linear[1] {
                cotangents.push((1, (get(w, ct)?).into()));
            }
        }
        ScatterMode::Set => {
            if linear[0] {
                let zero = w.number(0.0, ct)?;
                let ty = w.ty(values)?;
                let dtype = w.dtype(ct)?;
                let zeros = w.broadcast(zero, &ty.with_dtype(dtype).shape)?;
                cotangents.push((0, (put(w, ct, zeros, mode)?).into()));
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
                cotangents.push((1, taken.into()));
            }
        }
        ScatterMode::Multiply if !linear[1] => {
            let factors = w.conj(values)?;
            cotangents.push((0, (put(w, ct, factors, mode)?).into()));
        }
        ScatterMode::Multiply | ScatterMode::Min | ScatterMode::Max => {
            return Err(not_linear(node));
        }
    }
    Ok(cotangents)
}

fn added(key: IndexKey, arrays: &[ValueId], ct: ValueId) -> Cotangent {
    let arrays = arrays.to_vec();
    Cotangent::Added(Box::new(Added { key, arrays, ct }))
}

/// The cotangent of what a slice is taken of: a box, in which elements that were left out between others are zero.
pub(super) fn unslice(w: &mut Writer, ct: ValueId, slicing: &Slicing) -> Result<Cotangents> {
    if slicing.sizes.contains(&0) {
        return Ok(Cotangents::new());
    }
    let (mut ct, mut starts) = (ct, slicing.starts.clone());
    for axis in 0..starts.len() {
        let (step, size) = (slicing.steps[axis], slicing.sizes[axis]);
        if size == 1 {
            continue;
        }
        let gap = step.unsigned_abs();
        let length = (size - 1) * gap + 1;
        if step < 0 {
            ct = w.flip(ct, axis)?;
            starts[axis] -= length - 1;
        }
        if gap > 1 {
            // Each element with zeros behind it.
            let apart = w.expand(ct, axis + 1)?;
            let apart = w.pad(apart, axis + 1, [0, gap - 1], 0.0)?;
            let mut shape = w.shape(ct)?;
            shape[axis] = size * gap;
            let row = w.reshape(apart, &shape)?;
            ct = w.narrow(row, axis, 0, length)?;
        }
    }
    let part = Part { starts, ct };
    Ok(smallvec![(0, Cotangent::Part(Box::new(part)))])
}
