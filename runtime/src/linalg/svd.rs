//! Singular value decomposition by faer.

use super::field::{Field, all_finite, guarded, scale, scaling};
use crate::kind::Failure;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd as faer_svd, svd_scratch};
use faer::{Auto, Mat, MatRef, Par, Spec};

/// Singular value decomposition (`numpy.linalg.svd`): `a = u diag(s) vh`, singular values nonnegative and descending.
///
/// With `k = min(m, n)`: `u` is `[m, k]`, `s` is `[k]`, `vh` is `[k, n]`; with `full_matrices` `u` is `[m, m]` and `vh`
/// `[n, n]`. Signs and phases of singular vectors are unspecified.
///
/// # Errors
/// [`Failure::NoConvergence`] for infinite or NaN input, or if the iteration fails.
///
/// # Panics
/// If `a` does not have `m * n` elements.
#[allow(clippy::type_complexity)]
pub fn svd<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    full_matrices: bool,
) -> Result<(Vec<T>, Vec<T::Magnitude>, Vec<T>), Failure> {
    let size = m.min(n);
    let (u_columns, v_columns) = if full_matrices { (m, n) } else { (size, size) };
    let mut u = vec![T::NULL; m * u_columns];
    let mut s = vec![T::Magnitude::default(); size];
    let mut vh = vec![T::NULL; v_columns * n];
    svd_into(a, m, n, full_matrices, &mut u, &mut s, &mut vh)?;
    Ok((u, s, vh))
}

/// [`svd`] into given slices.
pub(super) fn svd_into<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    full_matrices: bool,
    u: &mut [T],
    s: &mut [T::Magnitude],
    vh: &mut [T],
) -> Result<(), Failure> {
    assert_eq!(a.len(), m * n);
    let size = m.min(n);
    if size == 0 {
        // No singular values; full matrices are any unitary ones.
        for (matrix, order) in [(u, m), (vh, n)] {
            matrix.fill(T::NULL);
            if full_matrices {
                matrix
                    .iter_mut()
                    .step_by(order + 1)
                    .for_each(|diagonal| *diagonal = T::UNIT);
            }
        }
        return Ok(());
    }
    if !all_finite(a) {
        return Err(Failure::NoConvergence);
    }
    let scaling = scaling(a);
    let scaled = scaling.map(|(down, _)| scale(a, down));
    let a = scaled.as_deref().unwrap_or(a);
    let up = scaling.map_or(T::UNIT, |(_, up)| up);
    guarded(|| {
        let (u_columns, v_columns) = if full_matrices { (m, n) } else { (size, size) };
        let vectors = if full_matrices {
            ComputeSvdVectors::Full
        } else {
            ComputeSvdVectors::Thin
        };
        let mut left: Mat<T> = Mat::zeros(m, u_columns);
        let mut right: Mat<T> = Mat::zeros(n, v_columns);
        let mut values = vec![T::NULL; size];
        let parameters = Spec::new(Auto::<T>::auto());
        let scratch = svd_scratch::<T>(m, n, vectors, vectors, Par::Seq, parameters);
        faer_svd(
            MatRef::from_row_major_slice(a, m, n),
            DiagMut::from_slice_mut(&mut values),
            Some(left.as_mut()),
            Some(right.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            parameters,
        )
        .map_err(|_| Failure::NoConvergence)?;
        for (s, &value) in s.iter_mut().zip(&values) {
            *s = faer::traits::math_utils::real(&(value * up));
        }
        for (row, u) in u.chunks_exact_mut(u_columns).enumerate() {
            for (column, u) in u.iter_mut().enumerate() {
                *u = left[(row, column)];
            }
        }
        for (row, vh) in vh.chunks_exact_mut(n).enumerate() {
            for (column, vh) in vh.iter_mut().enumerate() {
                *vh = right[(column, row)].conj();
            }
        }
        Ok(())
    })
}

/// Singular values alone (`numpy.linalg.svdvals`), nonnegative and descending.
///
/// # Errors
/// [`Failure::NoConvergence`] for infinite or NaN input, or if the iteration fails.
///
/// # Panics
/// If `a` does not have `m * n` elements.
pub fn svdvals<T: Field>(a: &[T], m: usize, n: usize) -> Result<Vec<T::Magnitude>, Failure> {
    let mut s = vec![T::Magnitude::default(); m.min(n)];
    svdvals_into(a, m, n, &mut s)?;
    Ok(s)
}

/// [`svdvals`] into a given slice.
pub(super) fn svdvals_into<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    s: &mut [T::Magnitude],
) -> Result<(), Failure> {
    assert_eq!(a.len(), m * n);
    if s.is_empty() {
        return Ok(());
    }
    if !all_finite(a) {
        return Err(Failure::NoConvergence);
    }
    let scaling = scaling(a);
    let scaled = scaling.map(|(down, _)| scale(a, down));
    let a = scaled.as_deref().unwrap_or(a);
    let up = scaling.map_or(T::UNIT, |(_, up)| up);
    guarded(|| {
        let mut values = vec![T::NULL; s.len()];
        let none = ComputeSvdVectors::No;
        let parameters = Spec::new(Auto::<T>::auto());
        let scratch = svd_scratch::<T>(m, n, none, none, Par::Seq, parameters);
        faer_svd(
            MatRef::from_row_major_slice(a, m, n),
            DiagMut::from_slice_mut(&mut values),
            None,
            None,
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            parameters,
        )
        .map_err(|_| Failure::NoConvergence)?;
        for (s, &value) in s.iter_mut().zip(&values) {
            *s = faer::traits::math_utils::real(&(value * up));
        }
        Ok(())
    })
}
