//! Products that sum over axes: `matmul`, `tensordot` and their relatives; `einsum` has a file of its own.
//!
//! Results have the promoted dtype of the inputs. Sizes of paired axes must be equal.

use super::options::{Diagonal, Integers, TensordotAxes};
use super::{attempt, axis_count, conj, diagonal, multiply, replaceable, reshape, sum, to_array};
use crate::{Array, Error, Operand, Result};
use autojit_ir::{Axes, ContractOp, Op};

/// The matrix product over the last two axes: `[.., m, k]` with `[.., k, n]` gives `[.., m, n]`.
///
/// Leading axes broadcast. A vector on the left is a row, on the right a column, and its axis disappears.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1, 2], [3, 4]]);
/// assert_eq!(np::matmul(&x, Array::from([1, 10])).to_string(), "[21 43]");
/// assert_eq!(np::matmul(&x, &x).to_string(), "[[ 7 10]\n [15 22]]");
/// ```
///
/// # Errors
/// The sizes do not fit, or an argument is 0-d.
///
/// Source: `numpy.matmul`.
#[track_caller]
pub fn matmul<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    Array::apply(Op::Contract(ContractOp::Matmul), &[x.into(), y.into()])
}

/// The dot product: of vectors the inner product, of matrices the matrix product, of a number and an array
/// the product; otherwise the sum over the last axis of `x` and the second-to-last of `y`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::dot(Array::from([1, 2, 3]), Array::from([4, 5, 6])).to_string(), "32");
/// ```
///
/// # Errors
/// The sizes do not fit.
///
/// Source: `numpy.dot`.
#[track_caller]
pub fn dot<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("dot", [&x, &y]);
    let (x_ty, y_ty) = (attempt!("dot", x.ty()), attempt!("dot", y.ty()));
    match (x_ty.ndim(), y_ty.ndim()) {
        (0, _) | (_, 0) => multiply(x, y),
        (1 | 2, 1 | 2) => matmul(x, y),
        (_, 1) => tensordot(x, y, (-1, 0)),
        _ => tensordot(x, y, (-1, -2)),
    }
}

/// The sum of products over the last axes of both; the product if one is 0-d.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::inner(Array::from([[1, 2], [3, 4]]), Array::from([1, 10])).to_string(), "[21 43]");
/// ```
///
/// # Errors
/// The last axes have different sizes.
///
/// Source: `numpy.inner`.
#[track_caller]
pub fn inner<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("inner", [&x, &y]);
    let (x_ty, y_ty) = (attempt!("inner", x.ty()), attempt!("inner", y.ty()));
    match (x_ty.ndim(), y_ty.ndim()) {
        (0, _) | (_, 0) => multiply(x, y),
        _ => tensordot(x, y, (-1, -1)),
    }
}

/// The products of all elements of `x` with all of `y`: both are flattened, the result is `[m, n]`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::outer(Array::from([1, 2]), Array::from([3, 4, 5])).to_string(), "[[ 3  4  5]\n [ 6  8 10]]");
/// ```
///
/// Source: `numpy.outer`.
#[track_caller]
pub fn outer<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("outer", [&x, &y]);
    let column = reshape(x, [-1, 1]);
    let row = reshape(y, [1, -1]);
    multiply(column, row)
}

/// The inner product of the flattened arrays, the first one conjugated; 0-d.
///
/// ```
/// use autojit::{Array, numpy as np};
/// use num_complex::Complex64;
///
/// let i = Array::from([Complex64::new(0.0, 1.0)]);
/// assert_eq!(np::vdot(&i, &i).to_string(), "(1+0j)");
/// ```
///
/// # Errors
/// The numbers of elements differ.
///
/// Source: `numpy.vdot`.
#[track_caller]
pub fn vdot<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("vdot", [&x, &y]);
    let (x, y) = (flat(x), flat(y));
    let x = match x.ty() {
        Ok(ty) if ty.dtype.is_complex() => conj(x),
        _ => x,
    };
    matmul(x, y)
}

#[track_caller]
fn flat(x: Operand) -> Array {
    match x.ty() {
        Ok(ty) if ty.ndim() == 1 => to_array(x),
        _ => reshape(x, -1),
    }
}

/// The sum over the diagonals of the matrices that two axes span.
///
/// Booleans and integers sum as `int64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::trace(Array::from([[1, 2], [3, 4]]), ..).to_string(), "5");
/// ```
///
/// # Errors
/// There are fewer than two axes, an axis is out of range, or both are the same.
///
/// Source: `numpy.trace`.
#[track_caller]
pub fn trace<'a>(x: impl Into<Operand<'a>>, options: impl Into<Diagonal>) -> Array {
    let (x, options) = (x.into(), options.into());
    let (axis1, axis2) = options.axes;
    replaceable!(
        "trace",
        [&x],
        "offset" = options.offset,
        "axis1" = axis1,
        "axis2" = axis2
    );
    sum(diagonal(x, options), -1)
}

/// The sum of products over pairs of axes; the other axes of `x`, then those of `y`, make the result.
///
/// `axes` is a number `n`, meaning the last `n` axes of `x` with the first `n` of `y`; or a pair of lists, as in
/// `([1, 2], [0, 1])`. `..` is 2.
///
/// ```
/// use autojit::numpy as np;
///
/// let (x, y) = (np::ones([2, 3, 4], ..), np::ones([4, 3, 5], ..));
/// assert_eq!(np::tensordot(&x, &y, 1).shape()?, [2, 3, 3, 5]);
/// assert_eq!(np::tensordot(&x, &y, ([1, 2], [1, 0])).shape()?, [2, 5]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Paired axes have different sizes, an axis is out of range or given twice, or the lists differ in length.
///
/// Source: `numpy.tensordot`.
#[track_caller]
pub fn tensordot<'a>(
    x: impl Into<Operand<'a>>,
    y: impl Into<Operand<'a>>,
    axes: impl Into<TensordotAxes>,
) -> Array {
    let (x, y) = (x.into(), y.into());
    let (x_axes, y_axes) = attempt!("tensordot", pair_axes(&axes.into(), &x, &y));
    Array::apply(
        Op::Contract(ContractOp::Tensordot { x_axes, y_axes }),
        &[x, y],
    )
}

fn pair_axes(axes: &TensordotAxes, x: &Operand, y: &Operand) -> Result<(Axes, Axes)> {
    match axes {
        TensordotAxes::Count(count) => {
            let (x_ndim, y_ndim) = (axis_count(x)?, axis_count(y)?);
            let fits = |n: &usize| *n <= x_ndim && *n <= y_ndim;
            let Some(count) = usize::try_from(*count).ok().filter(fits) else {
                let (x, y) = (x.ty()?, y.ty()?);
                return Err(Error::shape(format!(
                    "cannot contract {count} axes of {x} with {y}"
                )));
            };
            let (mut x_axes, mut y_axes) = (Axes::new(), Axes::new());
            for axis in 0..count {
                x_axes.push(x_ndim - count + axis);
                y_axes.push(axis);
            }
            Ok((x_axes, y_axes))
        }
        TensordotAxes::Pairs(x_axes, y_axes) => {
            let (x, y) = (&x.ty()?, &y.ty()?);
            let (Integers(a), Integers(b)) = (x_axes, y_axes);
            if a.len() != b.len() {
                return Err(Error::shape(format!(
                    "expected as many axes of {x} as of {y}, got {} and {}",
                    a.len(),
                    b.len()
                )));
            }
            Ok((
                x_axes.as_axes(x)?.into_iter().collect(),
                y_axes.as_axes(y)?.into_iter().collect(),
            ))
        }
    }
}
