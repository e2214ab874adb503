//! Ops that rearrange arrays, convert them, or take parts of them.

use super::super::functions::{Refusal, Torch};
use super::{ints, not_native, scatter};
use autojit_ir::error::Result;
use autojit_ir::index::Slicing;
use autojit_ir::{ArrayType, DType, Dims, IndexOp, JoinOp, Literal, ViewOp, derived};

/// An op that rearranges elements.
pub(super) fn view<T: Torch>(
    t: &mut T,
    op: &ViewOp,
    x: &T::Value,
    ty: &ArrayType,
) -> Result<T::Value> {
    match op {
        ViewOp::Reshape { shape } => t.reshape(x, &ints(shape)),
        ViewOp::Transpose { perm } => t.permute(x, &ints(perm)),
        ViewOp::BroadcastTo { shape } => t.expand(x, &ints(shape)),
        ViewOp::Slice { slicing } => slice(t, x, ty, slicing),
    }
}

/// An op that takes or changes elements at positions.
#[allow(
    clippy::unnested_or_patterns,
    reason = "the pattern of derived ops is one of alternatives"
)]
pub(super) fn index<T: Torch>(
    t: &mut T,
    op: &IndexOp,
    inputs: &[&T::Value],
    types: &[&ArrayType],
) -> Result<T::Value> {
    match (op, inputs, types) {
        (IndexOp::Getitem { key }, [x], [ty]) => {
            let slicing = key.slicing(ty)?;
            let shape = key.basic_shape(&slicing);
            let part = slice(t, x, ty, &slicing)?;
            if shape == slicing.sizes {
                return Ok(part);
            }
            t.reshape(&part, &ints(&shape))
        }
        (IndexOp::Take { axis }, [x, indices], [ty, index_type]) => {
            take(t, x, ty, indices, index_type, *axis)
        }
        (IndexOp::ScatterFlat { mode }, &[x, values, positions], [ty, _, position_type]) => {
            scatter::lower(t, *mode, [x, values, positions], ty, position_type.size())
        }
        (IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } | derived!(IndexOp), ..) => {
            Err(not_native(op.name()))
        }
    }
}

/// Several arrays as one.
pub(super) fn join<T: Torch>(t: &mut T, op: &JoinOp, inputs: &[&T::Value]) -> Result<T::Value> {
    match op {
        JoinOp::Concatenate { axis } => t.cat(inputs, *axis as i64),
        JoinOp::Stack { axis } => t.stack(inputs, *axis as i64),
        derived!(JoinOp) => Err(not_native(op.name())),
    }
}

/// libtorch has no negative steps: what runs backwards is taken forwards, and then flipped.
fn slice<T: Torch>(t: &mut T, x: &T::Value, ty: &ArrayType, slicing: &Slicing) -> Result<T::Value> {
    let mut value = t.share(x);
    let mut flipped = Dims::new();
    for (axis, &n) in ty.shape.iter().enumerate() {
        let (start, step, size) = (
            slicing.starts[axis] as i64,
            slicing.steps[axis] as i64,
            slicing.sizes[axis] as i64,
        );
        if size == 0 {
            value = t.slice(&value, axis as i64, 0, 0, 1)?;
            continue;
        }
        let (mut first, last) = (start, start + (size - 1) * step);
        if step < 0 && size > 1 {
            first = last;
            flipped.push(axis);
        }
        let step = if size == 1 { 1 } else { step.abs() };
        if size != n as i64 {
            let end = first + (size - 1) * step + 1;
            value = t.slice(&value, axis as i64, first, end, step)?;
        }
    }
    if flipped.is_empty() {
        return Ok(value);
    }
    t.flip(&value, &ints(&flipped))
}

/// Positions that may count from the end, checked and counted from the start.
pub(super) fn wrap_index<T: Torch>(
    t: &mut T,
    indices: &T::Value,
    ty: &ArrayType,
    axis: usize,
    size: usize,
) -> Result<T::Value> {
    if ty.size() == 0 {
        return Ok(t.share(indices));
    }
    let mut literal = |n: i64| t.literal(Literal::new(n, DType::Int64));
    let (zero, end, start) = (literal(0)?, literal(size as i64)?, literal(-(size as i64))?);
    let (below, above) = (t.lt(indices, &start)?, t.ge(indices, &end)?);
    let outside = t.bitwise_or(&below, &above)?;
    t.refuse_where(&outside, indices, Refusal::Index { axis, size })?;
    let (negative, wrapped) = (t.lt(indices, &zero)?, t.add(indices, &end)?);
    t.select(&negative, &wrapped, indices)
}

/// libtorch takes along one axis by a vector of positions.
fn take<T: Torch>(
    t: &mut T,
    x: &T::Value,
    ty: &ArrayType,
    indices: &T::Value,
    index_type: &ArrayType,
    axis: usize,
) -> Result<T::Value> {
    let positions = wrap_index(t, indices, index_type, axis, ty.shape[axis])?;
    if index_type.ndim() == 1 {
        return t.index_select(x, axis as i64, &positions);
    }
    let positions = t.reshape(&positions, &[index_type.size() as i64])?;
    let taken = t.index_select(x, axis as i64, &positions)?;
    let mut shape = Dims::from_slice(&ty.shape[..axis]);
    shape.extend_from_slice(&index_type.shape);
    shape.extend_from_slice(&ty.shape[axis + 1..]);
    t.reshape(&taken, &ints(&shape))
}
