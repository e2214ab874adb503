//! Reductions, running totals and sorts.
//!
//! libtorch takes an empty list of axes for all of them, where NumPy reduces nothing.

use super::super::functions::Torch;
use super::{ints, order};
use crate::error::Result;
use crate::ir::{ArrayType, DType, Literal, NormOrder, Op};

/// A reduction over several axes.
pub(super) type Over<T> =
    fn(&mut T, &<T as Torch>::Value, &[i64], bool) -> Result<<T as Torch>::Value>;

type Along<T> = fn(&mut T, &<T as Torch>::Value, i64, bool) -> Result<<T as Torch>::Value>;

/// The ops of this file.
pub(super) fn spell<T: Torch>(
    t: &mut T,
    op: &Op,
    inputs: &[&T::Value],
    types: &[&ArrayType],
) -> Result<Option<T::Value>> {
    let (Some(&x), Some(&ty)) = (inputs.first(), types.first()) else {
        return Ok(None);
    };
    let dtype = ty.dtype;
    let over = |t: &mut T, f: Over<T>, axes: &[usize], keepdims: bool| {
        if axes.is_empty() {
            return Ok(t.share(x));
        }
        f(t, x, &ints(axes), keepdims)
    };
    let result = match op {
        Op::Sum { axes, .. } if axes.is_empty() => {
            // Of one element each, so that -0 becomes 0.
            let mut shape = ints(&ty.shape);
            shape.push(1);
            let lines = t.reshape(x, &shape)?;
            t.sum(&lines, &[ty.ndim() as i64], false)
        }
        Op::Sum { axes, keepdims } => over(t, T::sum, axes, *keepdims),
        Op::Prod { axes, keepdims } => one_by_one(t, x, T::prod, axes, *keepdims),
        Op::Any { axes, keepdims } => one_by_one(t, x, T::any, axes, *keepdims),
        Op::All { axes, keepdims } => one_by_one(t, x, T::all, axes, *keepdims),
        Op::Max { axes, keepdims } | Op::Min { axes, keepdims }
            if dtype.is_complex() && !axes.is_empty() =>
        {
            let largest = matches!(op, Op::Max { .. });
            order::extremum(t, x, ty, axes, *keepdims, largest)
        }
        Op::Max { axes, keepdims } => over(t, T::amax, axes, *keepdims),
        Op::Min { axes, keepdims } => over(t, T::amin, axes, *keepdims),
        Op::Argmax { axis, keepdims } | Op::Argmin { axis, keepdims } if dtype.is_complex() => {
            let largest = matches!(op, Op::Argmax { .. });
            let found = order::position(t, x, dtype, *axis, largest)?;
            let mut shape = ty.shape.clone();
            if *keepdims {
                return Ok(Some(found));
            }
            shape.remove(*axis);
            t.reshape(&found, &ints(&shape))
        }
        Op::Argmax { axis, keepdims } => position(t, x, T::argmax, dtype, *axis, *keepdims),
        Op::Argmin { axis, keepdims } => position(t, x, T::argmin, dtype, *axis, *keepdims),
        Op::Norm {
            order: NormOrder::Default,
            axes,
            keepdims,
        } => {
            let all = (0..ty.ndim()).collect();
            let axes = axes.as_ref().unwrap_or(&all);
            if axes.is_empty() {
                t.abs(x)
            } else {
                t.norm(x, 2, &ints(axes), *keepdims)
            }
        }
        Op::Cumsum { axis } => t.cumsum(x, *axis as i64),
        Op::Cumprod { axis } => t.cumprod(x, *axis as i64),
        // libtorch numbers the elements of one line, however long, before it sees that there are no lines.
        Op::Sort { .. } | Op::Argsort { .. } if ty.size() == 0 => {
            let is_sort = matches!(op, Op::Sort { .. });
            let dtype = if is_sort { dtype } else { DType::Int64 };
            let zero = t.literal(Literal::new(0, dtype))?;
            t.expand(&zero, &ints(&ty.shape))
        }
        Op::Sort { axis } if dtype.is_complex() => {
            let positions = order::argsort(t, x, *axis)?;
            t.gather(x, *axis as i64, &positions)
        }
        Op::Argsort { axis } if dtype.is_complex() => order::argsort(t, x, *axis),
        Op::Sort { axis } => t.sort(x, *axis as i64).map(|[sorted, _]| sorted),
        Op::Argsort { axis } => t.sort(x, *axis as i64).map(|[_, positions]| positions),
        _ => return Ok(None),
    };
    result.map(Some)
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
