//! The functions that are registered, each for all matrices of a batch.
//!
//! Each gives `None` where LAPACK has nothing to offer: for shapes that are wrong, so that autojit's own message comes,
//! and for optional arguments without a counterpart.

use autojit::dispatch::Arguments;
use autojit::{Array, Result, Value};
use ndarray::{Array1, Ix1};
use ndarray_linalg::{
    Cholesky, Determinant, Eig, EigVals, EigValsh, Eigh, FactorizeInto, Inverse, JobSvd, QR, SVDDC,
    Solve, UPLO,
};

use crate::matrices::{Batch, Number, append, failure};

/// The square matrices of an array.
fn square<T: Number>(x: &Array) -> Result<Option<Batch<T>>> {
    Ok(Batch::new(x)?.filter(Batch::is_square))
}

macro_rules! batch {
    ($matrices:expr) => {
        match $matrices? {
            Some(batch) => batch,
            None => return Ok(None),
        }
    };
}

/// The lower triangular factor.
pub(crate) fn cholesky<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let mut l = Vec::new();
    for a in batch.matrices() {
        append(&mut l, &a.cholesky(UPLO::Lower).map_err(failure)?);
    }
    let n = batch.rows;
    Ok(Some(batch.gather(&[n, n], l)?.into()))
}

/// Determinants, by the LU decomposition.
pub(crate) fn det<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let determinants = batch.matrices().map(|a| match a.det() {
        // LAPACK calls a pivot of exactly zero a failure.
        Err(_) => Ok(T::zero()),
        determinant => determinant,
    });
    let determinants = determinants.collect::<Result<_, _>>().map_err(failure)?;
    Ok(Some(batch.gather(&[], determinants)?.into()))
}

/// The inverse.
pub(crate) fn inv<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let mut inverses = Vec::new();
    for a in batch.matrices() {
        append(&mut inverses, &a.inv().map_err(failure)?);
    }
    let n = batch.rows;
    Ok(Some(batch.gather(&[n, n], inverses)?.into()))
}

/// The reduced QR decomposition.
pub(crate) fn qr<T: Number>(x: &Array, arguments: &Arguments) -> Result<Option<Value>> {
    if arguments
        .option::<String>("mode")?
        .is_some_and(|m| m != "reduced")
    {
        return Ok(None);
    }
    let batch = batch!(Batch::<T>::new(x));
    let (mut q, mut r) = (Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (q_one, r_one) = a.qr().map_err(failure)?;
        append(&mut q, &q_one);
        append(&mut r, &r_one);
    }
    let (m, n) = (batch.rows, batch.columns);
    let k = m.min(n);
    let results = (batch.gather(&[m, k], q)?, batch.gather(&[k, n], r)?);
    Ok(Some(results.into()))
}

/// The singular value decomposition, by divide and conquer.
pub(crate) fn svd<T: Number>(x: &Array, arguments: &Arguments) -> Result<Option<Value>> {
    let full = arguments.option::<bool>("full_matrices")?.unwrap_or(false);
    let batch = batch!(Batch::<T>::new(x));
    let (mut u, mut s, mut vh) = (Vec::new(), Vec::new(), Vec::new());
    for a in batch.matrices() {
        let job = if full { JobSvd::All } else { JobSvd::Some };
        let (Some(u_one), s_one, Some(vh_one)) = a.svddc(job).map_err(failure)? else {
            return Ok(None);
        };
        append(&mut u, &u_one);
        append(&mut s, &s_one);
        append(&mut vh, &vh_one);
    }
    let (m, n) = (batch.rows, batch.columns);
    let k = m.min(n);
    let (columns, rows) = if full { (m, n) } else { (k, k) };
    let results = (
        batch.gather(&[m, columns], u)?,
        batch.gather(&[k], s)?,
        batch.gather(&[rows, n], vh)?,
    );
    Ok(Some(results.into()))
}

/// Singular values alone.
pub(crate) fn svdvals<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(Batch::<T>::new(x));
    let mut s = Vec::new();
    for a in batch.matrices() {
        append(&mut s, &a.svddc(JobSvd::None).map_err(failure)?.1);
    }
    let k = batch.rows.min(batch.columns);
    Ok(Some(batch.gather(&[k], s)?.into()))
}

/// Which triangle is read, as NumPy's `UPLO`.
fn triangle(arguments: &Arguments) -> Result<UPLO> {
    let lower = arguments.option::<String>("UPLO")?;
    Ok(match lower.as_deref() {
        Some("U" | "u") => UPLO::Upper,
        _ => UPLO::Lower,
    })
}

/// Eigenvalues and eigenvectors of Hermitian matrices.
pub(crate) fn eigh<T: Number>(x: &Array, arguments: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (values_one, vectors_one) = a.eigh(triangle(arguments)?).map_err(failure)?;
        append(&mut values, &values_one);
        append(&mut vectors, &vectors_one);
    }
    let n = batch.rows;
    let results = (batch.gather(&[n], values)?, batch.gather(&[n, n], vectors)?);
    Ok(Some(results.into()))
}

/// Eigenvalues of Hermitian matrices.
pub(crate) fn eigvalsh<T: Number>(x: &Array, arguments: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let mut values = Vec::new();
    for a in batch.matrices() {
        append(
            &mut values,
            &a.eigvalsh(triangle(arguments)?).map_err(failure)?,
        );
    }
    let n = batch.rows;
    Ok(Some(batch.gather(&[n], values)?.into()))
}

/// Complex eigenvalues and eigenvectors.
pub(crate) fn eig<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (values_one, vectors_one) = a.eig().map_err(failure)?;
        append(&mut values, &values_one);
        append(&mut vectors, &vectors_one);
    }
    let n = batch.rows;
    let results = (batch.gather(&[n], values)?, batch.gather(&[n, n], vectors)?);
    Ok(Some(results.into()))
}

/// Complex eigenvalues.
pub(crate) fn eigvals<T: Number>(x: &Array, _: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let mut values = Vec::new();
    for a in batch.matrices() {
        append(&mut values, &a.eigvals().map_err(failure)?);
    }
    let n = batch.rows;
    Ok(Some(batch.gather(&[n], values)?.into()))
}

/// The solution for one matrix and one or several right-hand sides; batches are left to autojit.
pub(crate) fn solve<T: Number>(x: &Array, arguments: &Arguments) -> Result<Option<Value>> {
    let batch = batch!(square::<T>(x));
    let b = arguments.array(1);
    let fits = b.dtype()? == x.dtype()? && b.shape()?.first() == Some(&batch.rows);
    let (Some(a), true, 1..=2) = (batch.matrices().next(), fits, b.ndim()?) else {
        return Ok(None);
    };
    if !batch.shape.is_empty() {
        return Ok(None);
    }
    let b = b.to_ndarray::<T>()?;
    let factors = a.factorize_into().map_err(failure)?;
    let solve = |b: Array1<T>| factors.solve_into(b).map_err(failure);
    let Ok(vector) = b.clone().into_dimensionality::<Ix1>() else {
        let mut solution = b;
        for mut column in solution.lanes_mut(ndarray::Axis(0)) {
            let solved = solve(column.to_owned())?;
            column.assign(&solved);
        }
        return Ok(Some(Array::from(solution).into()));
    };
    Ok(Some(Array::from(solve(vector)?).into()))
}
