//! Singular value decomposition by faer.

use super::field::{Field, all_finite, guarded, scale, scaling};
use super::workspace::{numbers, take_filled, with_workspace};
use crate::kind::Failure;
use faer::diag::DiagMut;
use faer::dyn_stack::StackReq;
use faer::linalg::svd::{ComputeSvdVectors, svd as faer_svd, svd_scratch};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::{AsMatMut, AsMatRef};
use faer::{Auto, MatRef, Par, Spec};

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
        let parameters = Spec::new(Auto::<T>::auto());
        let workspace = StackReq::all_of(&[
            temp_mat_scratch::<T>(m, u_columns),
            temp_mat_scratch::<T>(n, v_columns),
            numbers::<T>(size),
            svd_scratch::<T>(m, n, vectors, vectors, Par::Seq, parameters),
        ]);
        with_workspace(workspace, |stack| {
            let (mut left, stack) = temp_mat_zeroed::<T, _, _>(m, u_columns, stack);
            let (mut right, stack) = temp_mat_zeroed::<T, _, _>(n, v_columns, stack);
            let (mut values, stack) = take_filled(size, T::NULL, stack);
            faer_svd(
                MatRef::from_row_major_slice(a, m, n),
                DiagMut::from_slice_mut(&mut values),
                Some(left.as_mat_mut()),
                Some(right.as_mat_mut()),
                Par::Seq,
                stack,
                parameters,
            )
            .map_err(|_| Failure::NoConvergence)?;
            let (left, right) = (left.as_mat_ref(), right.as_mat_ref());
            for (s, &value) in s.iter_mut().zip(&*values) {
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
        let none = ComputeSvdVectors::No;
        let parameters = Spec::new(Auto::<T>::auto());
        let workspace = StackReq::all_of(&[
            numbers::<T>(s.len()),
            svd_scratch::<T>(m, n, none, none, Par::Seq, parameters),
        ]);
        with_workspace(workspace, |stack| {
            let (mut values, stack) = take_filled(s.len(), T::NULL, stack);
            faer_svd(
                MatRef::from_row_major_slice(a, m, n),
                DiagMut::from_slice_mut(&mut values),
                None,
                None,
                Par::Seq,
                stack,
                parameters,
            )
            .map_err(|_| Failure::NoConvergence)?;
            for (s, &value) in s.iter_mut().zip(&*values) {
                *s = faer::traits::math_utils::real(&(value * up));
            }
            Ok(())
        })
    })
}
