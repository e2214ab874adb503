//! Reductions, running totals and sorts.
//!
//! libtorch takes an empty list of axes for all of them, where NumPy reduces nothing.

use super::super::functions::Torch;
use super::{Over, ints, not_native, order};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, DType, Dims, Literal, ReduceOp, ScanOp, SortOp, derived};

type Along<T> = fn(&mut T, &<T as Torch>::Value, i64, bool) -> Result<<T as Torch>::Value>;

/// A reduction.
pub(super) fn lower<T: Torch>(
    t: &mut T,
    op: &ReduceOp,
    x: &T::Value,
    ty: &ArrayType,
) -> Result<T::Value> {
    let dtype = ty.dtype;
    match op {
        ReduceOp::Sum { axes, .. } if axes.is_empty() => {
            // Of one element each, so that -0 becomes 0.
            let mut shape = ints(&ty.shape);
            shape.push(1);
            let lines = t.reshape(x, &shape)?;
            t.sum(&lines, &[ty.ndim() as i64], false)
        }
        ReduceOp::Sum { axes, keepdims } => over(t, x, T::sum, axes, *keepdims),
        ReduceOp::Prod { axes, keepdims } => one_by_one(t, x, T::prod, axes, *keepdims),
        ReduceOp::Any { axes, keepdims } => one_by_one(t, x, T::any, axes, *keepdims),
        ReduceOp::All { axes, keepdims } => one_by_one(t, x, T::all, axes, *keepdims),
        ReduceOp::Max { axes, keepdims } | ReduceOp::Min { axes, keepdims }
            if dtype.is_complex() && !axes.is_empty() =>
        {
            let largest = matches!(op, ReduceOp::Max { .. });
            order::extremum(t, x, ty, axes, *keepdims, largest)
        }
        ReduceOp::Max { axes, keepdims } => over(t, x, T::amax, axes, *keepdims),
        ReduceOp::Min { axes, keepdims } => over(t, x, T::amin, axes, *keepdims),
        ReduceOp::Argmax { axis, keepdims } | ReduceOp::Argmin { axis, keepdims }
            if dtype.is_complex() =>
        {
            let largest = matches!(op, ReduceOp::Argmax { .. });
            let found = order::position(t, x, dtype, *axis, largest)?;
            let mut shape = ty.shape.clone();
            if *keepdims {
                return Ok(found);
            }
            shape.remove(*axis);
            t.reshape(&found, &ints(&shape))
        }
        ReduceOp::Argmax { axis, keepdims } => position(t, x, T::argmax, dtype, *axis, *keepdims),
        ReduceOp::Argmin { axis, keepdims } => position(t, x, T::argmin, dtype, *axis, *keepdims),
        derived!(ReduceOp) => Err(not_native(op.name())),
    }
}

/// The Euclidean norm, of all elements if there are no axes.
pub(super) fn norm<T: Torch>(
    t: &mut T,
    x: &T::Value,
    ty: &ArrayType,
    axes: Option<&[usize]>,
    keepdims: bool,
) -> Result<T::Value> {
    let all: Dims = (0..ty.ndim()).collect();
    let axes = axes.unwrap_or(&all);
    if axes.is_empty() {
        t.abs(x)
    } else {
        t.norm(x, 2, &ints(axes), keepdims)
    }
}

/// A running total.
pub(super) fn scan<T: Torch>(t: &mut T, op: &ScanOp, x: &T::Value) -> Result<T::Value> {
    match op {
        ScanOp::Cumsum { axis } => t.cumsum(x, *axis as i64),
        ScanOp::Cumprod { axis } => t.cumprod(x, *axis as i64),
    }
}

/// A sort.
pub(super) fn sort<T: Torch>(
    t: &mut T,
    op: &SortOp,
    x: &T::Value,
    ty: &ArrayType,
) -> Result<T::Value> {
    let dtype = ty.dtype;
    match op {
        // libtorch numbers the elements of one line, however long, before it sees that there are no lines.
        SortOp::Sort { .. } | SortOp::Argsort { .. } if ty.size() == 0 => {
            let is_sort = matches!(op, SortOp::Sort { .. });
            let dtype = if is_sort { dtype } else { DType::Int64 };
            let zero = t.literal(Literal::new(0, dtype))?;
            t.expand(&zero, &ints(&ty.shape))
        }
        SortOp::Sort { axis } if dtype.is_complex() => {
            let positions = order::argsort(t, x, *axis)?;
            t.gather(x, *axis as i64, &positions)
        }
        SortOp::Argsort { axis } if dtype.is_complex() => order::argsort(t, x, *axis),
        SortOp::Sort { axis } => t.sort(x, *axis as i64).map(|[sorted, _]| sorted),
        SortOp::Argsort { axis } => t.sort(x, *axis as i64).map(|[_, positions]| positions),
    }
}

/// For functions that take several axes; none of them is `x` itself.
fn over<T: Torch>(
    t: &mut T,
    x: &T::Value,
    f: Over<T>,
    axes: &[usize],
    keepdims: bool,
) -> Result<T::Value> {
    if axes.is_empty() {
        return Ok(t.share(x));
    }
    f(t, x, &ints(axes), keepdims)
}

/// For functions that take one axis: the last first, so that the others keep their numbers.
fn one_by_one<T: Torch>(
    t: &mut T,
    x: &T::Value,
    f: Along<T>,
    axes: &[usize],
    keepdims: bool,
) -> Result<T::Value> {
    let mut value = t.share(x);
    for &axis in axes.iter().rev() {
        value = f(t, &value, axis as i64, keepdims)?;
    }
    Ok(value)
}

/// Booleans have no order in libtorch.
fn position<T: Torch>(
    t: &mut T,
    x: &T::Value,
    f: Along<T>,
    dtype: DType,
    axis: usize,
    keepdims: bool,
) -> Result<T::Value> {
    if dtype == DType::Bool {
        let numbers = t.cast(x, DType::Uint8)?;
        return f(t, &numbers, axis as i64, keepdims);
    }
    f(t, x, axis as i64, keepdims)
}
