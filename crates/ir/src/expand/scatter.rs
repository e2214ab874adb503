//! `scatter` by a key: to a slice as a join of what is around it with the values, or as an update where backends have
//! that; else as one by flat positions.

use super::{Builder, Expanded, Form};
use crate::error::{Error, Result};
use crate::host::HostArray;
use crate::index::{IndexItem, IndexKey, Slicing, advanced_position, advanced_shape};
use crate::scalar::Scalar;
use crate::scatter::ScatterMode;
use crate::types::{ArrayType, DType, Dims};
use crate::{IndexOp, IndexedBy, JoinOp, MapOp, Op, ValueId, ViewOp};

/// `x` with other values where a key selects.
pub(crate) fn scatter(
    key: &IndexKey,
    mode: &ScatterMode,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    if let &[x, values] = x {
        let ty = b.ty(x)?;
        let slicing = key.slicing(&ty)?;
        if *mode != ScatterMode::Set && b.form == Form::Updates {
            // No position is selected twice.
            let combined = combined(key, *mode, b, x, values)?;
            let set = IndexOp::Scatter {
                key: key.clone(),
                mode: ScatterMode::Set,
            };
            return b.push(Op::Index(set), &[x, combined]);
        }
        if *mode == ScatterMode::Set && is_joined(&slicing, &ty) {
            let values = stretched(b, values, &key.basic_shape(&slicing))?;
            return joined(&slicing, b, x, values);
        }
    }
    by_positions(key, mode, b, x)
}

/// Whether a node is an update of a slice, in place where nothing else reads the array.
pub(super) fn is_update(op: &Op, x: &ArrayType) -> bool {
    let Op::Index(IndexOp::Scatter { key, mode }) = op else {
        return false;
    };
    let is_small = || key.slicing(x).is_ok_and(|slicing| !is_joined(&slicing, x));
    *mode == ScatterMode::Set && key.arrays() == 0 && is_small()
}

/// Whether what is around a slice is no more than what is in it, and made of boxes. Copying the former to where the
/// values are computed is then less work than computing the values elsewhere and copying them to the array.
fn is_joined(slicing: &Slicing, ty: &ArrayType) -> bool {
    let part: usize = slicing.sizes.iter().product();
    let has_boxes = slicing.steps.iter().all(|&step| step == 1);
    has_boxes && part > 0 && part >= ty.size() - part
}

/// The selected part of `x` combined with values.
fn combined(
    key: &IndexKey,
    mode: ScatterMode,
    b: &mut Builder<'_>,
    x: ValueId,
    values: ValueId,
) -> Expanded {
    let op = match mode {
        ScatterMode::Set => return Ok(values),
        ScatterMode::Add => MapOp::Add,
        ScatterMode::Multiply => MapOp::Multiply,
        ScatterMode::Min => MapOp::Minimum,
        ScatterMode::Max => MapOp::Maximum,
    };
    let part = b.push(Op::Index(IndexOp::Getitem { key: key.clone() }), &[x])?;
    b.push(Op::Map(op), &[part, values])
}

/// The boxes of `x` around a slice and the values in it, joined axis by axis.
fn joined(slicing: &Slicing, b: &mut Builder<'_>, x: ValueId, values: ValueId) -> Expanded {
    let shape = b.ty(x)?.shape;
    let mut whole = b.reshape(values, &slicing.sizes)?;
    for axis in (0..shape.len()).rev() {
        let (start, size) = (slicing.starts[axis], slicing.sizes[axis]);
        let mut beside = |start: usize, end: usize| {
            let mut part = slicing.clone();
            for later in axis + 1..shape.len() {
                (part.starts[later], part.sizes[later]) = (0, shape[later]);
            }
            (part.starts[axis], part.sizes[axis]) = (start, end - start);
            if start == end {
                return Ok(None);
            }
            let slicing = Box::new(part);
            b.push(Op::View(ViewOp::Slice { slicing }), &[x]).map(Some)
        };
        let before = beside(0, start)?;
        let after = beside(start + size, shape[axis])?;
        let parts: Vec<ValueId> = before.into_iter().chain([whole]).chain(after).collect();
        if parts.len() > 1 {
            whole = b.push(Op::Join(JoinOp::Concatenate { axis }), &parts)?;
        }
    }
    Ok(whole)
}

fn stretched(b: &mut Builder<'_>, value: ValueId, shape: &Dims) -> Expanded {
    if b.ty(value)?.shape == *shape {
        return Ok(value);
    }
    let shape = shape.clone();
    b.push(Op::View(ViewOp::BroadcastTo { shape }), &[value])
}

/// The position of each selected element in C order is a sum over axes; each term varies along one axis of the
/// selection, or along those of the index arrays.
fn by_positions(
    key: &IndexKey,
    mode: &ScatterMode,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let (x, values, arrays) = (x[0], x[1], &x[2..]);
    let ty = b.ty(x)?;
    let slicing = key.slicing(&ty)?;
    let types = arrays
        .iter()
        .map(|&a| b.ty(a))
        .collect::<Result<Vec<_>>>()?;
    let (part, at, common) = if arrays.is_empty() {
        (key.basic_shape(&slicing), 0, 0)
    } else {
        (
            advanced_shape(key, &slicing, &types.iter().collect::<Vec<_>>())?,
            advanced_position(key).unwrap_or(0),
            types.iter().map(ArrayType::ndim).max().unwrap_or(0),
        )
    };
    let mut offset = 0;
    let mut terms: Vec<ValueId> = Vec::new();
    // The axis of `x`, the next axis of the selection beside those of the index arrays, and the next index array.
    let (mut axis, mut beside, mut number) = (0, 0, 0);
    for item in &key.0 {
        let mut place = || {
            let place = if beside < at { beside } else { beside + common };
            beside += 1;
            place
        };
        if *item == IndexItem::NewAxis {
            place();
            continue;
        }
        // Of an array without elements every stride will do, and times zero would leave out the checks of indices.
        let stride: usize = ty.shape[axis + 1..].iter().product::<usize>().max(1);
        match item {
            IndexItem::Int(_) => offset += slicing.starts[axis] * stride,
            IndexItem::Array => {
                let size = ty.shape[axis];
                let of = IndexedBy::Scatter;
                let wrapped = b.push(
                    Op::Map(MapOp::WrapIndex { axis, size, of }),
                    &[arrays[number]],
                )?;
                let stride = b.literal(stride as i64, DType::Int64);
                let scaled = b.push(Op::Map(MapOp::Multiply), &[wrapped, stride])?;
                // Its axes are the last of those of all index arrays.
                let mut shape = types[number].shape.clone();
                shape.extend(std::iter::repeat_n(1, part.len() - at - common));
                terms.push(b.reshape(scaled, &shape)?);
                number += 1;
            }
            _ => {
                let place = place();
                let (start, step) = (slicing.starts[axis] as i64, slicing.steps[axis] as i64);
                let positions: Vec<Scalar> = (0..slicing.sizes[axis] as i64)
                    .map(|i| Scalar::Int((start + step * i) * stride as i64))
                    .collect();
                let mut shape = Dims::from_slice(&[positions.len()]);
                shape.extend(std::iter::repeat_n(1, part.len() - place - 1));
                let host =
                    HostArray::from_scalars(&ArrayType::new(DType::Int64, &shape), &positions);
                let host = host.ok_or_else(|| Error::internal("positions of another shape"))?;
                terms.push(b.graph.add_constant(host));
            }
        }
        axis += 1;
    }
    let mut positions = b.literal(offset as i64, DType::Int64);
    for term in terms {
        positions = b.push(Op::Map(MapOp::Add), &[positions, term])?;
    }
    let positions = stretched(b, positions, &part)?;
    let values = stretched(b, values, &part)?;
    b.push(
        Op::Index(IndexOp::ScatterFlat { mode: *mode }),
        &[x, values, positions],
    )
}
