//! Products of matrices and tensors, by the runtime's strided batched product.
//!
//! Transposed, sliced and broadcast operands are given by their strides, never copied.

use autojit_runtime::matmul::MatrixProduct;

use super::elementwise;
use super::shape::reshape;
use super::strided::{View, broadcast_strides, filled, transpose};
use super::{kind, unexpected};
use autojit_ir::error::Result;
use autojit_ir::{Dims, HostArray, MapOp};

/// The matrix product over the last two axes; vectors are rows on the left and columns on the right.
pub(super) fn matmul(x: &HostArray, y: &HostArray, shape: &[usize]) -> Result<HostArray> {
    let (x_strides, y_strides) = (View::new(x).strides, View::new(y).strides);
    let (x_batch, m, k, a) = match (x.shape(), x_strides) {
        ([batch @ .., m, k], [.., row, column]) => (batch, *m, *k, [*row, *column]),
        ([k], [column]) => (&[][..], 1, *k, [0, *column]),
        _ => return Err(unexpected(x)),
    };
    let (y_batch, n, b) = match (y.shape(), y_strides) {
        ([batch @ .., _, n], [.., row, column]) => (batch, *n, [*row, *column]),
        ([_], [row]) => (&[][..], 1, [*row, 0]),
        _ => return Err(super::unexpected(y)),
    };
    let matrix_axes = x.shape().len().min(2) + y.shape().len().min(2) - 2;
    let batch = &shape[..shape.len() - matrix_axes];
    let mut c_batch = vec![0; batch.len()];
    let mut stride = (m * n) as isize;
    for (c, &len) in c_batch.iter_mut().zip(batch).rev() {
        *c = stride;
        stride *= len as isize;
    }
    let product = MatrixProduct {
        kind: kind(x.dtype())?,
        batch: batch.to_vec(),
        m,
        k,
        n,
        a_batch: broadcast_strides(x_batch, x_strides, batch.len()).into_vec(),
        b_batch: broadcast_strides(y_batch, y_strides, batch.len()).into_vec(),
        c_batch,
        a,
        b,
        c: [n as isize, 1],
    };
    // SAFETY: shapes and strides are those of `x` and `y`, stretched with strides of zero where they
    // broadcast; `out` is contiguous with the shape of the result, all of which is written.
    unsafe {
        filled(x.dtype(), shape, &mut |out| {
            product.run(x.as_ptr(), y.as_ptr(), out);
            Ok(())
        })
    }
}

/// The sum of products over pairs of axes, as one matrix product.
pub(super) fn tensordot(
    x: &HostArray,
    y: &HostArray,
    x_axes: &[usize],
    y_axes: &[usize],
    shape: &[usize],
) -> Result<HostArray> {
    if View::new(x).size() == 1 && View::new(y).size() == 1 {
        // NumPy's `dot` multiplies numbers, without a sum that would begin at +0.
        let (x, y) = (reshape(x, shape)?, reshape(y, shape)?);
        let product = elementwise::run(MapOp::Multiply, &[&x, &y], shape)?;
        return product.ok_or_else(|| unexpected(&x));
    }
    // The contracted axes come last in `x` and first in `y`.
    let free = |array: &HostArray, axes: &[usize]| -> Dims {
        (0..array.shape().len())
            .filter(|a| !axes.contains(a))
            .collect()
    };
    let size = |array: &HostArray, axes: &[usize]| -> usize {
        axes.iter().map(|&a| array.shape()[a]).product()
    };
    let (mut x_perm, y_free) = (free(x, x_axes), free(y, y_axes));
    let (m, k, n) = (size(x, &x_perm), size(x, x_axes), size(y, &y_free));
    x_perm.extend_from_slice(x_axes);
    let mut y_perm: Dims = y_axes.into();
    y_perm.extend_from_slice(&y_free);
    let left = reshape(&transpose(x, &x_perm), &[m, k])?;
    let right = reshape(&transpose(y, &y_perm), &[k, n])?;
    reshape(&matmul(&left, &right, &[m, n])?, shape)
}
