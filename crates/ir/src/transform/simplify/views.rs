//! Rules for views and joins: what only says where elements lie is merged, cancelled, or looked through.
//!
//! All are exact, as no number is touched. Each serves at least two of the workloads in `examples` and `benches`:
//! transposes and conjugates that cancel come from adjoints (tensor networks, quantum circuits) and from axes that
//! are moved there and back (batched products, normalisations of columns); parts of joins come from states that are
//! packed and taken apart at each step (integrators, filters) and from rows of stacked results (Gram-Schmidt).

use smallvec::SmallVec;

use super::candidate::{Candidate, Rule};
use crate::index::{IndexItem, IndexKey, Slicing};
use crate::{Dims, IndexOp, JoinOp, MapOp, Op, ValueId, ViewOp};

/// The rules for an op.
pub(super) fn rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::View(ViewOp::Transpose { .. }) => &[
            ("transpose", transpose),
            ("transpose_around", transpose_around),
        ],
        Op::Map(MapOp::Conj) => &[("conj_around_transpose", conj_around_transpose)],
        Op::View(ViewOp::Reshape { .. }) => &[("reshape", reshape)],
        Op::View(ViewOp::BroadcastTo { .. }) => &[
            ("broadcast_to_same", broadcast_to_same),
            ("broadcast_of_broadcast", broadcast_of_broadcast),
        ],
        Op::View(ViewOp::Slice { .. }) => &[
            ("slice_whole", slice_whole),
            ("slice_of_slice", slice_of_slice),
            ("slice_of_concatenate", slice_of_concatenate),
        ],
        Op::Index(IndexOp::Getitem { .. }) => &[
            ("getitem_whole", getitem_whole),
            ("getitem_of_stack", getitem_of_stack),
            ("getitem_of_concatenate", getitem_of_concatenate),
        ],
        Op::Join(JoinOp::Concatenate { .. }) => &[("concatenate_one", concatenate_one)],
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => &[],
    }
}

/// A transpose that is none, or of a transpose.
fn transpose(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Transpose { perm }) = c.op else {
        return None;
    };
    if perm.is_sorted() {
        return Some(c.inputs[0]);
    }
    let inner = c.node(c.inputs[0]);
    let Op::View(ViewOp::Transpose { perm: before }) = &inner.op else {
        return None;
    };
    let both: Dims = perm.iter().map(|&p| before[p]).collect();
    let x = inner.inputs[0];
    if both.is_sorted() {
        Some(x)
    } else {
        c.replace(Op::View(ViewOp::Transpose { perm: both }), &[x])
    }
}

/// Transposes there and back around an op that costs less than a load: it may be computed twice.
fn transpose_around(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Transpose { perm }) = c.op else {
        return None;
    };
    let around = c.node(c.inputs[0]);
    if !matches!(
        around.op,
        Op::Map(MapOp::Conj | MapOp::Negative | MapOp::Real | MapOp::Imag)
    ) {
        return None;
    }
    let (op, inner) = (around.op.clone(), *around.inputs.first()?);
    let inner = c.node(inner);
    let Op::View(ViewOp::Transpose { perm: before }) = &inner.op else {
        return None;
    };
    let cancels = perm.iter().map(|&p| before[p]).eq(0..perm.len());
    let x = inner.inputs[0];
    cancels.then(|| c.replace(op, &[x]))?
}

/// The conjugate of a transposed conjugate: the adjoint of an adjoint.
fn conj_around_transpose(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let transposed = c.node(c.inputs[0]);
    let op @ Op::View(ViewOp::Transpose { .. }) = &transposed.op else {
        return None;
    };
    let (op, inner) = (op.clone(), transposed.inputs[0]);
    let inner = c.node(inner);
    let x = *inner.inputs.first()?;
    (inner.op == Op::Map(MapOp::Conj)).then(|| c.replace(op, &[x]))?
}

/// A reshape that is none, or of a reshape.
fn reshape(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Reshape { shape }) = c.op else {
        return None;
    };
    let mut x = c.inputs[0];
    if let Op::View(ViewOp::Reshape { .. }) = c.node(x).op {
        x = c.node(x).inputs[0];
    }
    if c.graph().ty(x).ok()?.shape == *shape {
        return Some(x);
    }
    (x != c.inputs[0]).then(|| c.replace(c.op.clone(), &[x]))?
}

fn broadcast_to_same(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn broadcast_of_broadcast(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let inner = c.node(c.inputs[0]);
    let x = *inner.inputs.first()?;
    matches!(inner.op, Op::View(ViewOp::BroadcastTo { .. }))
        .then(|| c.replace(c.op.clone(), &[x]))?
}

fn slice_whole(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Slice { slicing }) = c.op else {
        return None;
    };
    let forwards = slicing.steps.iter().all(|&step| step == 1);
    forwards.then(|| c.input_as_result(0))?
}

fn slice_of_slice(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Slice { slicing: outer }) = c.op else {
        return None;
    };
    let node = c.node(c.inputs[0]);
    let Op::View(ViewOp::Slice { slicing: inner }) = &node.op else {
        return None;
    };
    let mut both = outer.clone();
    for (axis, &size) in outer.sizes.iter().enumerate() {
        let start = outer.starts[axis] as isize * inner.steps[axis] + inner.starts[axis] as isize;
        // As the slicings of keys are, so that equal parts are equal nodes.
        (both.starts[axis], both.steps[axis]) = match size {
            0 => (0, 1),
            1 => (usize::try_from(start).ok()?, 1),
            _ => {
                let step = outer.steps[axis].checked_mul(inner.steps[axis])?;
                (usize::try_from(start).ok()?, step)
            }
        };
    }
    let x = node.inputs[0];
    c.replace(Op::View(ViewOp::Slice { slicing: both }), &[x])
}

/// The part of a join in which all positions of a slicing along its axis lie, and where it begins. The part has the
/// dtype of the join.
fn part_of_join(
    c: &mut Candidate<'_, '_>,
    join: ValueId,
    axis: usize,
    slicing: &Slicing,
) -> Option<(ValueId, usize)> {
    let (size, step) = (slicing.sizes[axis], slicing.steps[axis]);
    let first = slicing.starts[axis];
    let last = usize::try_from(first as isize + step * (size as isize - 1)).ok()?;
    let (low, high) = (first.min(last), first.max(last));
    let dtype = c.graph().ty(join).ok()?.dtype;
    let mut begin = 0;
    for index in 0..c.node(join).inputs.len() {
        let part = c.node(join).inputs[index];
        let ty = c.graph().ty(part).ok()?;
        let end = begin + ty.shape[axis];
        if size > 0 && begin <= low && high < end {
            return (ty.dtype == dtype).then_some((part, begin));
        }
        begin = end;
    }
    None
}

fn slice_of_concatenate(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::View(ViewOp::Slice { slicing }) = c.op else {
        return None;
    };
    let Op::Join(JoinOp::Concatenate { axis }) = c.node(c.inputs[0]).op else {
        return None;
    };
    let (part, begin) = part_of_join(c, c.inputs[0], axis, slicing)?;
    let mut slicing = slicing.clone();
    slicing.starts[axis] -= begin;
    c.replace(Op::View(ViewOp::Slice { slicing }), &[part])
}

/// A key that selects everything as it is.
fn getitem_whole(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::Index(IndexOp::Getitem { key }) = c.op else {
        return None;
    };
    let slices = |item: &IndexItem| matches!(item, IndexItem::Slice { .. });
    if !key.0.iter().all(slices) {
        return None;
    }
    let steps = key.slicing(c.input_type(0)?).ok()?.steps;
    let forwards = steps.iter().all(|&step| step == 1);
    forwards.then(|| c.input_as_result(0))?
}

/// The slicing of a key without index arrays.
fn basic_slicing(c: &mut Candidate<'_, '_>, key: &IndexKey) -> Option<Slicing> {
    let ty = c.input_type(0)?;
    (key.arrays() == 0).then(|| key.slicing(ty).ok())?
}

/// The key with another item for an axis, or with none.
fn with_item(key: &IndexKey, axis: usize, item: Option<IndexItem>) -> IndexKey {
    let mut items: SmallVec<[IndexItem; 4]> = SmallVec::new();
    let mut axes = 0;
    for &old in &key.0 {
        if old == IndexItem::NewAxis {
            items.push(old);
            continue;
        }
        if axes == axis {
            items.extend(item);
        } else {
            items.push(old);
        }
        axes += 1;
    }
    IndexKey(items.into_vec().into())
}

fn item_at(key: &IndexKey, axis: usize) -> Option<IndexItem> {
    let items = key.0.iter().filter(|item| **item != IndexItem::NewAxis);
    items.copied().nth(axis)
}

/// One position along the new axis of a stack: that array.
fn getitem_of_stack(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::Index(IndexOp::Getitem { key }) = c.op else {
        return None;
    };
    let Op::Join(JoinOp::Stack { axis }) = c.node(c.inputs[0]).op else {
        return None;
    };
    let slicing = basic_slicing(c, key)?;
    if slicing.sizes[axis] != 1 {
        return None;
    }
    let part = *c.node(c.inputs[0]).inputs.get(slicing.starts[axis])?;
    let dtype = c.array_type()?.dtype;
    if c.graph().ty(part).ok()?.dtype != dtype {
        return None;
    }
    // A slice keeps the axis.
    let item = match item_at(key, axis)? {
        IndexItem::Int(_) => None,
        _ => Some(IndexItem::NewAxis),
    };
    let key = with_item(key, axis, item);
    c.replace(Op::Index(IndexOp::Getitem { key }), &[part])
}

/// Positions that lie in one of the arrays that are joined.
fn getitem_of_concatenate(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let Op::Index(IndexOp::Getitem { key }) = c.op else {
        return None;
    };
    let Op::Join(JoinOp::Concatenate { axis }) = c.node(c.inputs[0]).op else {
        return None;
    };
    let slicing = basic_slicing(c, key)?;
    let (part, begin) = part_of_join(c, c.inputs[0], axis, &slicing)?;
    let start = (slicing.starts[axis] - begin) as i64;
    let item = match item_at(key, axis)? {
        IndexItem::Int(_) => IndexItem::Int(start),
        _ if slicing.steps[axis] > 0 => {
            let step = slicing.steps[axis] as i64;
            let span = (slicing.sizes[axis] as i64 - 1) * step;
            IndexItem::Slice {
                start: Some(start),
                stop: Some(start + span + 1),
                step: (step > 1).then_some(step),
            }
        }
        _ => return None,
    };
    let key = with_item(key, axis, Some(item));
    c.replace(Op::Index(IndexOp::Getitem { key }), &[part])
}

/// Empty parts add nothing.
fn concatenate_one(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let mut only = None;
    for index in 0..c.inputs.len() {
        if c.input_type(index)?.size() > 0 && only.replace(index).is_some() {
            return None;
        }
    }
    c.input_as_result(only?)
}
