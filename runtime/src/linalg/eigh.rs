//! Eigenvalues and eigenvectors of self-adjoint matrices: small ones by lanes, else by faer.

use super::field::{Field, guarded, scaling};
use super::householder::Scalar;
use super::small;
use super::workspace::{numbers, take_filled, with_workspace};
use crate::kind::Failure;
use faer::diag::DiagMut;
use faer::dyn_stack::StackReq;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::{AsMatMut, AsMatRef};
use faer::{MatRef, Par, Spec};

/// Eigenvalues, ascending, and orthonormal eigenvectors, in columns, of a self-adjoint matrix (`numpy.linalg.eigh`).
///
/// Only the lower triangle of `a` is read, and of its diagonal only real parts. Signs and phases of eigenvectors are
/// unspecified.
///
/// # Errors
/// [`Failure::NoConvergence`] for infinite or NaN input, or if the iteration fails.
///
/// # Panics
/// If `a` does not have `n * n` elements.
#[allow(clippy::type_complexity)]
pub fn eigh<T: Field>(a: &[T], n: usize) -> Result<(Vec<T::Magnitude>, Vec<T>), Failure> {
    let mut values = vec![T::Magnitude::default(); n];
    let mut vectors = vec![T::NULL; n * n];
    eigh_into(a, n, &mut values, Some(&mut vectors))?;
    Ok((values, vectors))
}

/// The eigenvalues alone (`numpy.linalg.eigvalsh`).
///
/// # Errors
/// As [`eigh`].
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn eigvalsh<T: Field>(a: &[T], n: usize) -> Result<Vec<T::Magnitude>, Failure> {
    let mut values = vec![T::Magnitude::default(); n];
    eigh_into(a, n, &mut values, None)?;
    Ok(values)
}

/// [`eigh`] into given slices.
pub(super) fn eigh_into<T: Field>(
    a: &[T],
    n: usize,
    values: &mut [T::Magnitude],
    vectors: Option<&mut [T]>,
) -> Result<(), Failure> {
    assert_eq!((a.len(), values.len()), (n * n, n));
    if n == 0 {
        return Ok(());
    }
    if n <= small::ORDER {
        return small::eigh(a, n, values, vectors);
    }
    guarded(|| {
        let compute = if vectors.is_some() {
            ComputeEigenvectors::Yes
        } else {
            ComputeEigenvectors::No
        };
        let order_of_vectors = if vectors.is_some() { n } else { 0 };
        let workspace = StackReq::all_of(&[
            numbers::<T>(n * n),
            numbers::<T>(n),
            temp_mat_scratch::<T>(order_of_vectors, order_of_vectors),
            self_adjoint_evd_scratch::<T>(n, compute, Par::Seq, Spec::default()),
        ]);
        with_workspace(workspace, |stack| {
            let (mut lower, stack) = take_filled(n * n, T::NULL, stack);
            let (mut diagonal, stack) = take_filled(n, T::NULL, stack);
            let (mut columns, stack) =
                temp_mat_zeroed::<T, _, _>(order_of_vectors, order_of_vectors, stack);
            // The other triangle is not read: it must neither fail nor scale.
            for (i, (to, from)) in lower.chunks_exact_mut(n).zip(a.chunks_exact(n)).enumerate() {
                to[..i].copy_from_slice(&from[..i]);
                to[i] = T::from_parts(from[i].parts().0, 0.0);
                if !to[..=i].iter().all(|x| x.finite()) {
                    return Err(Failure::NoConvergence);
                }
            }
            let scaling = scaling(&lower);
            if let Some((down, _)) = scaling {
                lower.iter_mut().for_each(|x| *x *= down);
            }
            let up = scaling.map_or(T::UNIT, |(_, up)| up);
            self_adjoint_evd(
                MatRef::from_row_major_slice(&lower, n, n),
                DiagMut::from_slice_mut(&mut diagonal),
                vectors.is_some().then(|| columns.as_mat_mut()),
                Par::Seq,
                stack,
                Spec::default(),
            )
            .map_err(|_| Failure::NoConvergence)?;
            for (value, &x) in values.iter_mut().zip(&*diagonal) {
                *value = T::Magnitude::from_parts((x * up).parts().0, 0.0);
            }
            if let Some(vectors) = vectors {
                let columns = columns.as_mat_ref();
                for (i, row) in vectors.chunks_exact_mut(n).enumerate() {
                    for (j, x) in row.iter_mut().enumerate() {
                        *x = columns[(i, j)];
                    }
                }
            }
            Ok(())
        })
    })
}
