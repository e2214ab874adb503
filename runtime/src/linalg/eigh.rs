//! Eigenvalues and eigenvectors of self-adjoint matrices: by rotations for tiny ones, else by faer.

use super::field::{Field, convert, guarded, scaling};
use super::householder::Scalar;
use crate::kind::Failure;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, MatRef, Par, Spec};

/// Up to this order rotations are faster than faer (measured on Zen 5).
const ROTATED: usize = 4;
/// More sweeps than any matrix of such an order needs; five or six are usual.
const SWEEPS: usize = 40;

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
    if n <= ROTATED {
        return tiny(a, n, values, vectors);
    }
    // What is not read must neither fail nor scale.
    let mut lower = a.to_vec();
    for (i, row) in lower.chunks_exact_mut(n).enumerate() {
        row[i] = T::from_parts(row[i].parts().0, 0.0);
        row[i + 1..].fill(T::NULL);
        if !row[..=i].iter().all(|x| x.finite()) {
            return Err(Failure::NoConvergence);
        }
    }
    let scaling = scaling(&lower);
    if let Some((down, _)) = scaling {
        lower.iter_mut().for_each(|x| *x *= down);
    }
    let up = scaling.map_or(T::UNIT, |(_, up)| up);
    guarded(|| {
        let compute = if vectors.is_some() {
            ComputeEigenvectors::Yes
        } else {
            ComputeEigenvectors::No
        };
        let scratch = self_adjoint_evd_scratch::<T>(n, compute, Par::Seq, Spec::default());
        let mut diagonal = vec![T::NULL; n];
        let mut columns: Option<Mat<T>> = vectors.is_some().then(|| Mat::zeros(n, n));
        self_adjoint_evd(
            MatRef::from_row_major_slice(&lower, n, n),
            DiagMut::from_slice_mut(&mut diagonal),
            columns.as_mut().map(faer::mat::generic::Mat::as_mut),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Spec::default(),
        )
        .map_err(|_| Failure::NoConvergence)?;
        for (value, &x) in values.iter_mut().zip(&diagonal) {
            *value = T::Magnitude::from_parts((x * up).parts().0, 0.0);
        }
        if let (Some(vectors), Some(columns)) = (vectors, columns) {
            for (i, row) in vectors.chunks_exact_mut(n).enumerate() {
                for (j, x) in row.iter_mut().enumerate() {
                    *x = columns[(i, j)];
                }
            }
        }
        Ok(())
    })
}

/// [`eigh_into`] by Jacobi's method in double precision: rotations make one pair of elements off the diagonal after the other
/// zero, until none is larger than the rounding errors of its diagonal elements.
fn tiny<T: Field>(
    a: &[T],
    n: usize,
    values: &mut [T::Magnitude],
    mut vectors: Option<&mut [T]>,
) -> Result<(), Failure> {
    let zero = T::Double::NULL;
    let (mut a_full, mut v) = ([[zero; ROTATED]; ROTATED], [[zero; ROTATED]; ROTATED]);
    let mut largest = 0.0_f64;
    for i in 0..n {
        for j in 0..=i {
            let (re, im) = a[i * n + j].parts();
            let im = if i == j { 0.0 } else { im };
            if !(re.is_finite() && im.is_finite()) {
                return Err(Failure::NoConvergence);
            }
            largest = largest.max(re.abs()).max(im.abs());
            a_full[i][j] = T::Double::from_parts(re, im);
            a_full[j][i] = Scalar::conj(a_full[i][j]);
        }
        v[i][i] = T::Double::UNIT;
    }
    // Products of two elements must neither overflow nor vanish.
    let mut up = 1.0;
    if largest > 0.0 && !(1e-100..=1e100).contains(&largest) {
        let exponent = (largest.log2().floor() as i32).clamp(-1020, 1020);
        up = 2.0_f64.powi(exponent);
        let down = T::Double::from_parts(2.0_f64.powi(-exponent), 0.0);
        a_full
            .as_flattened_mut()
            .iter_mut()
            .for_each(|x| *x *= down);
    }
    let mut diagonal = [0.0; ROTATED];
    for i in 0..n {
        diagonal[i] = a_full[i][i].parts().0;
    }
    let done = (0..SWEEPS).any(|_| {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= rotate(
                    &mut a_full,
                    &mut v,
                    &mut diagonal,
                    n,
                    p,
                    q,
                    vectors.is_some(),
                );
            }
        }
        !rotated
    });
    if !done {
        return Err(Failure::NoConvergence);
    }
    let mut order = [0, 1, 2, 3];
    order[..n].sort_by(|&i, &j| diagonal[i].total_cmp(&diagonal[j]));
    for (position, &column) in order[..n].iter().enumerate() {
        values[position] = T::Magnitude::from_parts(diagonal[column] * up, 0.0);
        if let Some(vectors) = &mut vectors {
            for row in 0..n {
                vectors[row * n + position] = convert(v[row][column]);
            }
        }
    }
    Ok(())
}

/// One rotation of rows and columns `p` and `q`; returns whether it was needed.
#[inline]
fn rotate<T: Scalar>(
    a: &mut [[T; ROTATED]; ROTATED],
    v: &mut [[T; ROTATED]; ROTATED],
    diagonal: &mut [f64; ROTATED],
    n: usize,
    p: usize,
    q: usize,
    vectors: bool,
) -> bool {
    let (re, im) = a[p][q].parts();
    let modulus = if im == 0.0 { re.abs() } else { re.hypot(im) };
    let (first, second) = (diagonal[p], diagonal[q]);
    let negligible = 0.125 * modulus;
    // Matrices are scaled; so small a number has lost its phase.
    if modulus < 1e-290 {
        return false;
    }
    if first.abs() + negligible == first.abs() && second.abs() + negligible == second.abs() {
        return false;
    }
    let phase = T::from_parts(re / modulus, im / modulus);
    let cotangent = (second - first) / (2.0 * modulus);
    // The square overflows where it dwarfs the one.
    let root = if cotangent.abs() < 1e150 {
        (1.0 + cotangent * cotangent).sqrt()
    } else {
        cotangent.abs()
    };
    let tangent = (cotangent.abs() + root).recip().copysign(cotangent);
    let cosine = (1.0 + tangent * tangent).sqrt().recip();
    let sine = T::from_parts(tangent * cosine, 0.0) * phase;
    let cosine = T::from_parts(cosine, 0.0);
    diagonal[p] = first - tangent * modulus;
    diagonal[q] = second + tangent * modulus;
    for k in (0..n).filter(|&k| k != p && k != q) {
        let (x, y) = (a[k][p], a[k][q]);
        a[k][p] = cosine * x - sine.conj() * y;
        a[k][q] = sine * x + cosine * y;
        a[p][k] = a[k][p].conj();
        a[q][k] = a[k][q].conj();
    }
    (a[p][q], a[q][p]) = (T::NULL, T::NULL);
    if vectors {
        for row in &mut v[..n] {
            let (x, y) = (row[p], row[q]);
            row[p] = cosine * x - sine.conj() * y;
            row[q] = sine * x + cosine * y;
        }
    }
    true
}
