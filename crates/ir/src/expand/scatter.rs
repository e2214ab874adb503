//! `scatter` by a key as one by flat positions.

use super::{Builder, Expanded};
use crate::error::{Error, Result};
use crate::host::HostArray;
use crate::index::{IndexItem, IndexKey, advanced_position, advanced_shape};
use crate::scalar::Scalar;
use crate::scatter::ScatterMode;
use crate::types::{ArrayType, DType, Dims};
use crate::{IndexOp, IndexedBy, MapOp, Op, ValueId, ViewOp};

/// The position of each selected element in C order is a sum over axes; each term varies along one axis of the
/// selection, or along those of the index arrays.
pub(crate) fn scatter(
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
    let mut stretched = |value: ValueId| {
        if b.ty(value)?.shape == part {
            return Ok(value);
        }
        let shape = part.clone();
        b.push(Op::View(ViewOp::BroadcastTo { shape }), &[value])
    };
    let (positions, values) = (stretched(positions)?, stretched(values)?);
    b.push(
        Op::Index(IndexOp::ScatterFlat { mode: *mode }),
        &[x, values, positions],
    )
}
