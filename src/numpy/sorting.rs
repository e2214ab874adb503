//! Sorting, running totals, and what needs sorted elements.

use super::along::Along;
use super::options::{Axes, Reduction};
use super::special::{cast, constant};
use super::{
    attempt, axis_count, fail, isnan, logical_and, logical_not, mean, not_equal, ravel,
    replaceable, reshape, take, to_array, transpose, where_,
};
use crate::{Array, Error, Operand};
use autojit_ir::{Dims, Op, ScanOp, SortOp};

/// The array, flattened if there is no axis, with the axis counted from the front.
#[track_caller]
fn along(x: Operand, axis: Along) -> crate::Result<(Array, usize)> {
    let x = match axis.0 {
        None => ravel(x),
        Some(_) => to_array(x),
    };
    let axis = axis.resolve(&x.ty()?)?;
    Ok((x, axis))
}

/// The elements in order along an axis, the last by default; `None` sorts the flattened array.
///
/// Equal elements keep their order, NaN comes last, complex numbers go by real, then imaginary part.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::sort(Array::from([3.0, f64::NAN, 1.0]), ..).to_string(), "[ 1.  3. nan]");
/// assert_eq!(np::sort(Array::from([[3, 1], [2, 4]]), 0).to_string(), "[[2 1]\n [3 4]]");
/// ```
///
/// # Errors
/// The axis is out of range.
///
/// Source: `numpy.sort`.
#[track_caller]
pub fn sort<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Along>) -> Array {
    let (x, axis) = attempt!("sort", along(x.into(), axis.into()));
    Array::apply(Op::Sort(SortOp::Sort { axis }), &[x.into()])
}

/// The positions that put the elements in order along an axis, as [`sort`] does.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::argsort(Array::from([3, 1, 2]), ..).to_string(), "[1 2 0]");
/// ```
///
/// # Errors
/// The axis is out of range.
///
/// Source: `numpy.argsort`, with `kind="stable"`.
#[track_caller]
pub fn argsort<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Along>) -> Array {
    let (x, mut axis) = (x.into(), axis.into());
    // NumPy lets a 0-d array have one axis here.
    if matches!(axis.0, Some(0 | -1)) && attempt!("argsort", axis_count(&x)) == 0 {
        axis = Along(None);
    }
    let (x, axis) = attempt!("argsort", along(x, axis));
    Array::apply(Op::Sort(SortOp::Argsort { axis }), &[x.into()])
}

/// The axis of a running total; without one the array is flattened.
#[track_caller]
fn running(x: Operand, axis: Axes) -> crate::Result<(Array, usize)> {
    let axis = match axis.0 {
        None => None,
        Some(axes) if axes.is_of_number(&x.ty()?) => None,
        Some(axes) => match *axes.0.as_slice() {
            [axis] => Some(axis),
            _ => return Err(Error::value("expected one axis")),
        },
    };
    along(x, Along(axis))
}

/// Sums up to and with each element along an axis; without an axis, of the flattened array.
///
/// Booleans and integers sum as `int64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::cumsum(Array::from([1, 2, 3]), ..).to_string(), "[1 3 6]");
/// assert_eq!(np::cumsum(Array::from([[1, 2], [3, 4]]), 0).to_string(), "[[1 2]\n [4 6]]");
/// ```
///
/// # Errors
/// The axis is out of range.
///
/// Source: `numpy.cumsum`.
#[track_caller]
pub fn cumsum<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Axes>) -> Array {
    let (x, axis) = attempt!("cumsum", running(x.into(), axis.into()));
    Array::apply(Op::Scan(ScanOp::Cumsum { axis }), &[x.into()])
}

/// Products up to and with each element along an axis; without an axis, of the flattened array.
///
/// Booleans and integers multiply as `int64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::cumprod(Array::from([1, 2, 3]), ..).to_string(), "[1 2 6]");
/// ```
///
/// # Errors
/// The axis is out of range.
///
/// Source: `numpy.cumprod`.
#[track_caller]
pub fn cumprod<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Axes>) -> Array {
    let (x, axis) = attempt!("cumprod", running(x.into(), axis.into()));
    Array::apply(Op::Scan(ScanOp::Cumprod { axis }), &[x.into()])
}

/// The element in the middle, or the mean of the two there, over axes; NaN if any is or if there is none.
///
/// Booleans and integers give `float64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::median(Array::from([3.0, 1.0, 2.0, 10.0]), ..).to_string(), "2.5");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.median`.
#[track_caller]
pub fn median<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("median", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("median", x.ty());
    let axes = attempt!("median", options.resolve(&ty));
    if ty.dtype.is_complex() {
        let wrong = Error::dtype(format!("complex numbers are not supported, got {ty}"));
        return fail("median", wrong);
    }
    let dtype = ty.dtype.floating();
    let kept: Dims = (0..ty.ndim()).filter(|a| !axes.contains(a)).collect();
    let n: usize = axes.iter().map(|&a| ty.shape[a]).product();
    let mut shape: Dims = kept.iter().map(|&a| ty.shape[a]).collect();
    shape.push(n);
    let mut perm = kept;
    perm.extend(axes.iter().copied());
    let lines = reshape(transpose(cast(x.into(), dtype), perm), &shape);
    let middle = if n == 0 {
        mean(lines, -1)
    } else {
        let sorted = sort(lines, -1);
        let middle: Vec<i64> = vec![(n as i64 - 1) / 2, n as i64 / 2];
        let middle = attempt!("median", super::special::positions(middle, &sorted));
        let middle = mean(take(&sorted, middle, -1), -1);
        where_(
            isnan(take(&sorted, -1, -1)),
            constant(f64::NAN, dtype, &sorted),
            middle,
        )
    };
    if !options.keepdims {
        return middle;
    }
    let sizes = ty.shape.iter().enumerate();
    let shape: Dims = sizes
        .map(|(a, &n)| if axes.contains(&a) { 1 } else { n })
        .collect();
    reshape(middle, &shape)
}

/// Whether two arrays differ, NaN counting as equal to itself.
#[track_caller]
pub(super) fn different(x: &Array, y: &Array) -> Array {
    let both_nan = logical_and(isnan(x), isnan(y));
    logical_and(not_equal(x, y), logical_not(both_nan))
}
