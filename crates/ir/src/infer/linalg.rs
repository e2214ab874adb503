//! Rules of linear algebra: matrices are the last two axes, leading axes are batches and broadcast.
//!
//! Booleans and integers are computed with as `float64`.

use smallvec::smallvec;

use super::{Signature, broadcast_shapes};
use crate::error::{Error, Result};
use crate::types::{ArrayType, DType, Shape, Type};
use crate::{Cutoff, QrMode};

/// Leading axes, rows, columns and the floating dtype of a batch of matrices.
fn matrices(ty: &ArrayType) -> Result<(&[usize], usize, usize, DType)> {
    match ty.shape.as_slice() {
        [batch @ .., m, n] => Ok((batch, *m, *n, ty.dtype.floating())),
        _ => Err(Error::shape(format!("expected matrices, got {ty}"))),
    }
}

/// The same for square matrices, whose order is given once.
fn square(ty: &ArrayType) -> Result<(&[usize], usize, DType)> {
    match matrices(ty) {
        Ok((batch, m, n, dtype)) if m == n => Ok((batch, n, dtype)),
        _ => Err(Error::shape(format!("expected square matrices, got {ty}"))),
    }
}

fn matrix_type(dtype: DType, batch: &[usize], rest: &[usize]) -> ArrayType {
    let mut shape = Shape::from_slice(batch);
    shape.extend_from_slice(rest);
    ArrayType { dtype, shape }
}

/// The complex dtype of the same precision.
fn complex(dtype: DType) -> DType {
    dtype.promote(DType::Complex64)
}

fn tuple<const N: usize>(operands: &[DType], types: [ArrayType; N]) -> Result<Signature> {
    Ok(Signature {
        operands: operands.iter().copied().map(Some).collect(),
        result: Type::Tuple(types.into()),
    })
}

pub(crate) fn qr(mode: &QrMode, inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    let k = match mode {
        QrMode::Reduced => m.min(n),
        QrMode::Complete => m,
    };
    let types = [[m, k], [k, n]].map(|rest| matrix_type(dtype, batch, &rest));
    tuple(&[dtype], types)
}

pub(crate) fn svd(full_matrices: &bool, inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    let k = m.min(n);
    let (columns, rows) = if *full_matrices { (m, n) } else { (k, k) };
    let types = [
        matrix_type(dtype, batch, &[m, columns]),
        matrix_type(dtype.real(), batch, &[k]),
        matrix_type(dtype, batch, &[rows, n]),
    ];
    tuple(&[dtype], types)
}

pub(crate) fn singular_values(inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    Signature::uniform(1, dtype, matrix_type(dtype.real(), batch, &[m.min(n)]))
}

pub(crate) fn eigh(inputs: &[&Type]) -> Result<Signature> {
    let (batch, n, dtype) = square(inputs[0].array()?)?;
    let types = [
        matrix_type(dtype.real(), batch, &[n]),
        matrix_type(dtype, batch, &[n, n]),
    ];
    tuple(&[dtype], types)
}

pub(crate) fn eigvalsh(inputs: &[&Type]) -> Result<Signature> {
    let (batch, n, dtype) = square(inputs[0].array()?)?;
    Signature::uniform(1, dtype, matrix_type(dtype.real(), batch, &[n]))
}

pub(crate) fn eig(inputs: &[&Type]) -> Result<Signature> {
    let (batch, n, dtype) = square(inputs[0].array()?)?;
    let types = [&[n][..], &[n, n]].map(|rest| matrix_type(complex(dtype), batch, rest));
    tuple(&[dtype], types)
}

pub(crate) fn eigvals(inputs: &[&Type]) -> Result<Signature> {
    let (batch, n, dtype) = square(inputs[0].array()?)?;
    Signature::uniform(1, dtype, matrix_type(complex(dtype), batch, &[n]))
}

/// Square matrices to square matrices.
pub(crate) fn square_matrices(inputs: &[&Type]) -> Result<Signature> {
    let (batch, n, dtype) = square(inputs[0].array()?)?;
    Signature::uniform(1, dtype, matrix_type(dtype, batch, &[n, n]))
}

pub(crate) fn pinv(_rcond: &Cutoff, hermitian: &bool, inputs: &[&Type]) -> Result<Signature> {
    let ty = inputs[0].array()?;
    if *hermitian {
        square(ty)?;
    }
    let (batch, m, n, dtype) = matrices(ty)?;
    Signature::uniform(1, dtype, matrix_type(dtype, batch, &[n, m]))
}

pub(crate) fn lu(inputs: &[&Type]) -> Result<Signature> {
    let (batch, m, n, dtype) = matrices(inputs[0].array()?)?;
    let k = m.min(n);
    let types = [[m, m], [m, k], [k, n]].map(|rest| matrix_type(dtype, batch, &rest));
    tuple(&[dtype], types)
}

pub(crate) fn det(inputs: &[&Type]) -> Result<Signature> {
    let (batch, _, dtype) = square(inputs[0].array()?)?;
    Signature::uniform(1, dtype, matrix_type(dtype, batch, &[]))
}

pub(crate) fn slogdet(inputs: &[&Type]) -> Result<Signature> {
    let (batch, _, dtype) = square(inputs[0].array()?)?;
    let types = [dtype, dtype.real()].map(|dtype| matrix_type(dtype, batch, &[]));
    tuple(&[dtype], types)
}

/// NumPy 2's rule: `b` is one vector only if it has one axis, else it holds matrices.
pub(crate) fn solve(inputs: &[&Type]) -> Result<Signature> {
    let (a, b) = (inputs[0].array()?, inputs[1].array()?);
    let (batch, n, dtype) = square(a)?;
    let wrong = || {
        Error::shape(format!(
            "cannot solve with {a} for {b}: expected {n} rows on the right, and leading axes that broadcast"
        ))
    };
    let dtype = dtype.promote(b.dtype.floating());
    let result = match b.shape.as_slice() {
        [rows] if *rows == n => matrix_type(dtype, batch, &[n]),
        [b_batch @ .., rows, columns] if *rows == n => {
            let batch = broadcast_shapes(batch, b_batch).ok_or_else(wrong)?;
            matrix_type(dtype, &batch, &[n, *columns])
        }
        _ => return Err(wrong()),
    };
    Signature::uniform(2, dtype, result)
}

pub(crate) fn solve_triangular(
    _lower: &bool,
    _unit_diagonal: &bool,
    inputs: &[&Type],
) -> Result<Signature> {
    solve(inputs)
}

/// The residuals are one number for each right side, also for a vector; NumPy leaves them out where the rank is
/// less than the number of columns, which depends on values.
pub(crate) fn lstsq(_rcond: &Cutoff, inputs: &[&Type]) -> Result<Signature> {
    let (a, b) = (inputs[0].array()?, inputs[1].array()?);
    let dtype = a.dtype.floating().promote(b.dtype.floating());
    let (m, n, sides) = match (a.shape.as_slice(), b.shape.as_slice()) {
        (&[m, n], &[rows, ref sides @ ..]) if rows == m && sides.len() < 2 => (m, n, sides),
        _ => {
            return Err(Error::shape(format!(
                "cannot solve with {a} for {b}: expected one matrix, and a vector or a matrix with as many rows"
            )));
        }
    };
    let columns = sides.first().copied().unwrap_or(1);
    Ok(Signature {
        operands: smallvec![Some(dtype); 2],
        result: Type::Tuple(
            [
                matrix_type(dtype, &[n], sides),
                matrix_type(dtype.real(), &[], &[columns]),
                ArrayType::scalar(DType::Int32),
                matrix_type(dtype.real(), &[], &[m.min(n)]),
            ]
            .into(),
        ),
    })
}
