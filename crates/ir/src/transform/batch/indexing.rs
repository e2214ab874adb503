//! Batching of selections and updates at positions that are data.
//!
//! Where positions differ from example to example, examples are laid side by side along one axis, and the positions of an
//! example move by its number times the length of one. Positions are checked against the axis of the user's array before.

use super::{Batcher, Item};
use crate::host::HostArray;
use crate::index::{IndexItem, IndexKey};
use crate::scalar::Scalar;
use crate::scatter::ScatterMode;
use crate::types::{ArrayType, DType, Dims};
use crate::{Error, IndexOp, IndexedBy, MapOp, Op, Result, ValueId};

pub(super) fn index(b: &mut Batcher, op: &IndexOp, x: &[Item]) -> Result<ValueId> {
    match op {
        IndexOp::Getitem { key } if key.arrays() == 0 => {
            let key = behind_batch(key);
            b.push(IndexOp::Getitem { key }, &[x[0].value])
        }
        IndexOp::Scatter { key, mode } if key.arrays() == 0 => {
            let (key, mode) = (behind_batch(key), *mode);
            let array = b.batched(x[0])?;
            let ndim = key.0.iter().filter(|i| !matches!(i, IndexItem::Int(_)));
            let values = b.aligned_to(x[1], ndim.count() - 1)?;
            b.push(IndexOp::Scatter { key, mode }, &[array, values])
        }
        // As steps, in which positions are checked by the numbers of the user's axes.
        IndexOp::Getitem { .. } | IndexOp::Scatter { .. } => b.expanded(&Op::Index(op.clone()), x),
        IndexOp::Take { axis } => take(b, *axis, x[0], x[1]),
        IndexOp::ScatterFlat { mode } => scatter_flat(b, *mode, x),
    }
}

/// The key for all examples at once.
fn behind_batch(key: &IndexKey) -> IndexKey {
    let items = std::iter::once(IndexItem::FULL).chain(key.0.iter().copied());
    IndexKey(items.collect())
}

fn take(b: &mut Batcher, axis: usize, x: Item, indices: Item) -> Result<ValueId> {
    match (x.batched, indices.batched) {
        (true, false) => {
            let op = IndexOp::Take { axis: axis + 1 };
            b.push(op, &[x.value, indices.value])
        }
        (false, true) => {
            let taken = b.push(IndexOp::Take { axis }, &[x.value, indices.value])?;
            b.in_front(taken, axis)
        }
        (true, true) | (false, false) => {
            let shape = b.shape(x.value)?;
            let size = shape[axis + 1];
            let of = IndexedBy::Getitem;
            let op = MapOp::WrapIndex { axis, size, of };
            let positions = b.push(op, &[indices.value])?;
            let common = b.graph.ty(positions)?.ndim() - 1;
            let numbers = numbers(b, size, common)?;
            let positions = b.push(MapOp::Add, &[positions, numbers])?;
            // The axis comes next to that of the examples, to be one with it.
            let others = (1..shape.len()).filter(|&a| a != axis + 1);
            let perm: Dims = [0, axis + 1].into_iter().chain(others).collect();
            let mut rows: Dims = perm[1..].iter().map(|&a| shape[a]).collect();
            rows[0] *= b.size;
            let side_by_side = b.transpose(x.value, perm)?;
            let side_by_side = b.reshape(side_by_side, rows)?;
            let taken = b.push(IndexOp::Take { axis: 0 }, &[side_by_side, positions])?;
            // The axes of the indices go where the axis stood.
            let ndim = b.graph.ty(taken)?.ndim();
            let before = 1 + common..1 + common + axis;
            let after = 1 + common + axis..ndim;
            let perm = std::iter::once(0)
                .chain(before)
                .chain(1..=common)
                .chain(after);
            b.transpose(taken, perm.collect())
        }
    }
}

/// Positions count through the array of one example; examples follow each other.
fn scatter_flat(b: &mut Batcher, mode: ScatterMode, x: &[Item]) -> Result<ValueId> {
    let size = b.example(x[0])?.size();
    let array = b.batched(x[0])?;
    let values = b.batched(x[1])?;
    let positions = b.batched(x[2])?;
    let positions = b.cast(positions, DType::Int64)?;
    let axes = b.graph.ty(positions)?.ndim() - 1;
    // A position outside of the example stays outside of all, so that it is an error and does not hit another example.
    let (zero, one) = (b.graph.add_literal(0, DType::Int64), size as i64);
    let one = b.graph.add_literal(one, DType::Int64);
    let all = b.graph.add_literal((size * b.size) as i64, DType::Int64);
    let numbers = numbers(b, size, axes)?;
    let fits = b.push(MapOp::Less, &[positions, one])?;
    let offset = b.push(MapOp::Where, &[fits, numbers, all])?;
    let is_negative = b.push(MapOp::Less, &[positions, zero])?;
    let offset = b.push(MapOp::Where, &[is_negative, zero, offset])?;
    let positions = b.push(MapOp::Add, &[positions, offset])?;
    b.push(IndexOp::ScatterFlat { mode }, &[array, values, positions])
}

/// `0, step, 2 * step, ..` along the batch axis, which so many axes of length one follow.
fn numbers(b: &mut Batcher, step: usize, axes: usize) -> Result<ValueId> {
    let numbers: Vec<Scalar> = (0..b.size)
        .map(|i| Scalar::Int((i * step) as i64))
        .collect();
    let shape = b.with_batch(&Dims::from_elem(1, axes));
    let host = HostArray::from_scalars(&ArrayType::new(DType::Int64, &shape), &numbers);
    let host = host.ok_or_else(|| Error::internal("numbers of another shape"))?;
    Ok(b.graph.add_constant(host))
}
