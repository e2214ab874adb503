//! Systems of equations whose matrices are factored already, and matrices made of blocks.

use super::options::{Transposition, TriangularOptions, Uplo};
use super::solve_triangular;
use crate::array::Repr;
use crate::numpy::special::{beside, cast, constant, positions};
use crate::numpy::{
    arange, argsort, atleast_2d, attempt, broadcast_to, concatenate, fail, replaceable, take,
    to_array, where_, zeros,
};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{ArrayType, Class, Dims};

/// Matrices along the diagonal of a matrix of zeros. Vectors are rows, numbers are matrices of one element; leading axes
/// broadcast.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = np::linalg::block_diag([Array::from([[1, 2]]), Array::from([[3], [4]])]);
/// assert_eq!(x.to_string(), "[[1 2 0]\n [0 0 3]\n [0 0 4]]");
/// ```
///
/// # Errors
/// Leading axes do not broadcast, or the matrix does not fit into memory.
///
/// Source: `scipy.linalg.block_diag`.
#[track_caller]
pub fn block_diag<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("linalg.block_diag", &arrays);
    let mut matrices = Vec::with_capacity(arrays.len());
    for array in arrays {
        matrices.push(atleast_2d(array));
    }
    let types = matrices.iter().map(Array::ty).collect::<Result<Vec<_>>>();
    let types = attempt!("block_diag", types);
    let Some(dtype) = DType::promote_all(types.iter().map(|ty| ty.dtype)) else {
        return zeros([1, 0], ..);
    };
    let batch = attempt!("block_diag", batch(&types));
    let columns: usize = types.iter().map(|ty| ty.shape[ty.ndim() - 1]).sum();
    let mut rows = Vec::with_capacity(matrices.len());
    let mut left = 0;
    for (matrix, ty) in matrices.into_iter().zip(&types) {
        let (m, n) = (ty.shape[ty.ndim() - 2], ty.shape[ty.ndim() - 1]);
        let sized = |n: usize| {
            let mut shape = batch.clone();
            shape.extend([m, n]);
            shape
        };
        let zero = constant(0, dtype, &matrix);
        let parts = [
            broadcast_to(&zero, sized(left)),
            broadcast_to(cast(matrix.into(), dtype), sized(n)),
            broadcast_to(zero, sized(columns - left - n)),
        ];
        rows.push(concatenate(parts, Some(-1)));
        left += n;
    }
    concatenate(rows, Some(-2))
}

/// The leading axes of matrices together.
fn batch(types: &[ArrayType]) -> Result<Dims> {
    let mut batch = Dims::new();
    for ty in types {
        let leading = &ty.shape[..ty.ndim() - 2];
        batch = autojit_ir::broadcast_shapes(&batch, leading)
            .ok_or_else(|| Error::shape(format!("cannot broadcast the leading axes of {ty}")))?;
    }
    Ok(batch)
}

/// The solutions of `a x = b` by the factors of `a = l l^H` that [`cholesky`](super::cholesky()) gives, or of `a = u^H u`
/// if the options say that the factor is upper. Shapes are as for [`solve`](super::solve()).
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let a = Array::from([[4.0, 2.0], [2.0, 5.0]]);
/// let x = np::linalg::cho_solve(np::linalg::cholesky(&a, ..), Array::from([8.0, 8.0]), ..);
/// assert!(np::allclose(x, Array::from([1.5, 1.0]), ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`solve_triangular`](super::solve_triangular()).
///
/// Source: `scipy.linalg.cho_solve`.
#[track_caller]
pub fn cho_solve<'a>(
    c: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
    options: impl Into<Uplo>,
) -> Array {
    let (c, b, uplo) = (to_array(c.into()), b.into(), options.into());
    let lower = uplo == Uplo::Lower;
    replaceable!("linalg.cho_solve", [(&c, lower), &b]);
    attempt!("cho_solve", square(&c));
    let first = TriangularOptions::default();
    let second = first.trans(Transposition::Adjoint);
    if lower {
        let y = solve_triangular(&c, b, first.lower());
        solve_triangular(c, y, second.lower())
    } else {
        let y = solve_triangular(&c, b, second);
        solve_triangular(c, y, first)
    }
}

/// The solutions of `a x = b`, `a^T x = b` or `a^H x = b` by the factors of `a`: the upper triangle of `lu` and, below the
/// diagonal, the lower one, which has ones on it; row `i` was exchanged with row `pivots[i]`, one after the other.
///
/// `b` is one right side `[n]` or several `[n, k]`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// // Of [[1, 2], [3, 4]], whose rows were exchanged.
/// let lu = Array::from([[3.0, 4.0], [1.0 / 3.0, 2.0 / 3.0]]);
/// let x = np::linalg::lu_solve(&lu, Array::from([1, 1]), Array::from([5.0, 11.0]), ..);
/// assert!(np::allclose(x, Array::from([1.0, 2.0]), ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `lu` is no square matrix, there are not as many pivots as rows, or `b` does not fit; when it runs, a pivot is out of range
/// or a matrix is singular.
///
/// Source: `scipy.linalg.lu_solve`.
#[track_caller]
pub fn lu_solve<'a>(
    lu: impl Into<Operand<'a>>,
    pivots: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
    options: impl Into<Transposition>,
) -> Array {
    let (lu, pivots, b) = (
        to_array(lu.into()),
        to_array(pivots.into()),
        to_array(b.into()),
    );
    let trans = options.into();
    let number = match trans {
        Transposition::None => 0i64,
        Transposition::Transposed => 1,
        Transposition::Adjoint => 2,
    };
    replaceable!("linalg.lu_solve", [(&lu, &pivots), &b, number]);
    let n = attempt!("lu_solve", square(&lu));
    attempt!("lu_solve", fits(n, &pivots, &b));
    let order = match order(&pivots, n) {
        Ok(order) => order,
        Err(error) => return fail("lu_solve", error),
    };
    let upper = TriangularOptions::default().trans(trans);
    let lower = upper.lower().unit_diagonal();
    if trans == Transposition::None {
        let y = solve_triangular(&lu, take(b, order, 0), lower);
        return solve_triangular(lu, y, upper);
    }
    let y = solve_triangular(&lu, b, upper);
    let x = solve_triangular(lu, y, lower);
    take(x, argsort(order, 0), 0)
}

fn square(x: &Array) -> Result<usize> {
    let ty = x.ty()?;
    match ty.shape[..] {
        [m, n] if m == n => Ok(n),
        _ => Err(Error::shape(format!("expected a square matrix, got {ty}"))),
    }
}

fn fits(n: usize, pivots: &Array, b: &Array) -> Result<()> {
    let (pivots, b) = (pivots.ty()?, b.ty()?);
    if pivots.shape.as_slice() != [n] || pivots.dtype.class() != Class::Integer {
        return Err(Error::shape(format!("expected {n} pivots, got {pivots}")));
    }
    match b.shape[..] {
        [m] | [m, _] if m == n => Ok(()),
        _ => Err(Error::shape(format!(
            "expected right sides with {n} rows, got {b}"
        ))),
    }
}

/// The order of rows that exchanges make.
#[track_caller]
fn order(pivots: &Array, n: usize) -> Result<Array> {
    if matches!(pivots.0, Repr::Concrete(_)) {
        let list: Vec<i64> = cast(pivots.into(), DType::Int64).to_vec()?;
        let mut order: Vec<i64> = (0..n as i64).collect();
        for (row, pivot) in list.into_iter().enumerate() {
            let at = usize::try_from(pivot).ok().filter(|&at| at < n);
            let at = at.ok_or_else(|| {
                Error::index(format!("the pivot {pivot} is out of range for {n} rows"))
            })?;
            order.swap(row, at);
        }
        return positions(order, pivots);
    }
    let mut order = arange(n as i64, beside(pivots).dtype(DType::Int64));
    let rows = order.clone();
    for row in 0..n as i64 {
        let pivot = pivots.get(row);
        let (here, there) = (order.get(row), take(&order, &pivot, 0));
        let exchanged = where_(crate::numpy::equal(&rows, &pivot), here, &order);
        order = where_(crate::numpy::equal(&rows, row), there, exchanged);
    }
    Ok(order)
}
