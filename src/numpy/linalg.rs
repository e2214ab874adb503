//! Linear algebra: norms and decompositions of matrices, which are the last two axes; leading axes are batches.

use super::options::{NormOptions, Reduction, SvdOptions};
use super::{attempt, type_of};
use crate::ir::{ArrayType, Dims, NormOrder, Op};
use crate::{Array, Error, Operand, Result};

/// A norm of vectors (along one axis), of matrices (over two axes), or of all elements. The result is real.
///
/// Without an order it is the square root of the sum of squares. Orders of vectors are any number and
/// infinities; of matrices 1, -1, 2, -2, infinities, `"fro"` and `"nuc"`. Without axes, an order takes a
/// vector or a matrix.
///
/// # Errors
/// The order does not go with the number of axes; an axis is out of range or given twice.
///
/// Source: `numpy.linalg.norm`.
#[track_caller]
pub fn norm(x: impl Into<Operand>, options: impl Into<NormOptions>) -> Array {
    let x = x.into();
    let options = options.into();
    let ty = attempt!("norm", type_of(&x));
    let (order, axes) = attempt!("norm", norm_attributes(&options, &ty));
    let op = Op::Norm {
        order,
        axes,
        keepdims: options.reduction.keepdims,
    };
    Array::apply(op, &[x])
}

fn norm_attributes(options: &NormOptions, ty: &ArrayType) -> Result<(NormOrder, Option<Dims>)> {
    let order = options.order.resolve()?;
    let Reduction { axes, .. } = &options.reduction;
    let axes = axes.as_ref().map(|axes| axes.as_axes(ty)).transpose()?;
    if let Some(axes) = &axes
        && !(1..=2).contains(&axes.len())
    {
        return Err(Error::value(format!(
            "a norm is over one or two axes, got {}",
            axes.len()
        )));
    }
    Ok((order, axes))
}

/// The reduced QR decomposition: for `[.., m, n]` and `k = min(m, n)`, `q` is `[.., m, k]` with orthonormal
/// columns and `r` is `[.., k, n]`, upper triangular. Integers decompose as `float64`.
///
/// # Errors
/// There are fewer than two axes.
///
/// Source: `numpy.linalg.qr`.
#[track_caller]
pub fn qr(x: impl Into<Operand>) -> (Array, Array) {
    let [q, r] = Array::apply_many(Op::Qr, &[x.into()]);
    (q, r)
}

/// The singular value decomposition: for `[.., m, n]` and `k = min(m, n)`, `u` is `[.., m, k]`, the singular
/// values are `[.., k]`, real and in descending order, and `vh` is `[.., k, n]`. With full matrices `u` and
/// `vh` are square.
///
/// Unlike NumPy's the default is the reduced decomposition, as in autoray.
///
/// # Errors
/// There are fewer than two axes.
///
/// Source: `numpy.linalg.svd`.
#[track_caller]
pub fn svd(x: impl Into<Operand>, options: impl Into<SvdOptions>) -> (Array, Array, Array) {
    let SvdOptions { full_matrices } = options.into();
    let [u, s, vh] = Array::apply_many(Op::Svd { full_matrices }, &[x.into()]);
    (u, s, vh)
}
