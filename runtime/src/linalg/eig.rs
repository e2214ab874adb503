//! Eigenvalues and right eigenvectors of general square matrices, by faer in double precision.
//!
//! The matrix is scaled by a power of two until its largest element is near 1, because faer's thresholds are absolute in
//! places. Eigenvectors are normalised as by LAPACK's `geev`. Where faer's back substitution overflows, which it does for
//! defective matrices beyond order 20 or so, a step of inverse iteration with growth control replaces the vector.

use super::elimination::factorise;
use super::field::{Field, all_finite, convert, guarded};
use super::householder::Scalar;
use crate::kind::Failure;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, evd_cplx, evd_real, evd_scratch};
use faer::{Mat, MatRef, Par, Spec};
use num_complex::Complex;

/// Eigenvalues and eigenvectors, in columns, of a general square matrix (`numpy.linalg.eig`), always complex.
///
/// The order of the eigenvalues is unspecified, but complex ones of a real matrix come in adjacent conjugate pairs.
/// Vectors have norm 1; a complex vector's largest element is real.
///
/// # Errors
/// [`Failure::NoConvergence`] for infinite or NaN input, or if the iteration fails.
///
/// # Panics
/// If `a` does not have `n * n` elements.
#[allow(clippy::type_complexity)]
pub fn eig<T: Field>(a: &[T], n: usize) -> Result<(Vec<T::Complex>, Vec<T::Complex>), Failure> {
    let mut values = vec![T::Complex::NULL; n];
    let mut vectors = vec![T::Complex::NULL; n * n];
    eig_into(a, n, &mut values, Some(&mut vectors))?;
    Ok((values, vectors))
}

/// The eigenvalues alone (`numpy.linalg.eigvals`).
///
/// # Errors
/// As [`eig`].
///
/// # Panics
/// If `a` does not have `n * n` elements.
pub fn eigvals<T: Field>(a: &[T], n: usize) -> Result<Vec<T::Complex>, Failure> {
    let mut values = vec![T::Complex::NULL; n];
    eig_into(a, n, &mut values, None)?;
    Ok(values)
}

/// [`eig`] into given slices.
pub(super) fn eig_into<T: Field>(
    a: &[T],
    n: usize,
    values: &mut [T::Complex],
    vectors: Option<&mut [T::Complex]>,
) -> Result<(), Failure> {
    assert_eq!((a.len(), values.len()), (n * n, n));
    if n == 0 {
        return Ok(());
    }
    if !all_finite(a) {
        return Err(Failure::NoConvergence);
    }
    if n == 1 {
        values[0] = convert(a[0]);
        if let Some(vectors) = vectors {
            vectors[0] = T::Complex::UNIT;
        }
        return Ok(());
    }
    let largest = a.iter().fold(0.0, |largest: f64, x| {
        let (re, im) = x.parts();
        largest.max(re.abs()).max(im.abs())
    });
    let exponent = if largest == 0.0 {
        0
    } else {
        // A power of two beyond this overflows; such matrices are near enough to 1 then.
        (largest.log2().floor() as i32).clamp(-1020, 1020)
    };
    let (down, up) = (2.0_f64.powi(-exponent), 2.0_f64.powi(exponent));
    let scaled: Vec<Complex<f64>> = a
        .iter()
        .map(|x| {
            let (re, im) = x.parts();
            Complex::new(re * down, im * down)
        })
        .collect();
    let compute = vectors.is_some();
    guarded(|| {
        let (spectrum, mut columns) = if T::IS_REAL {
            real(&scaled, n, compute)?
        } else {
            complex(&scaled, n, compute)?
        };
        for (value, &x) in values.iter_mut().zip(&spectrum) {
            *value = convert(x * up);
        }
        if let Some(vectors) = vectors {
            for (j, column) in columns.chunks_exact_mut(n).enumerate() {
                if !all_finite(column) {
                    iterate_inversely(&scaled, n, spectrum[j], column);
                }
                normalise(column, spectrum[j].im != 0.0 || !T::IS_REAL);
                for (i, &x) in column.iter().enumerate() {
                    vectors[i * n + j] = convert(x);
                }
            }
        }
        Ok(())
    })
}

/// Eigenvalues, and eigenvectors one after the other.
type Eigen = (Vec<Complex<f64>>, Vec<Complex<f64>>);

/// Of a matrix with zero imaginary parts.
fn real(a: &[Complex<f64>], n: usize, compute: bool) -> Result<Eigen, Failure> {
    let a: Mat<f64> = Mat::from_fn(n, n, |i, j| a[i * n + j].re);
    let (mut re, mut im) = (vec![0.0; n], vec![0.0; n]);
    let mut vectors: Option<Mat<f64>> = compute.then(|| Mat::zeros(n, n));
    evd_real(
        a.as_ref(),
        DiagMut::from_slice_mut(&mut re),
        DiagMut::from_slice_mut(&mut im),
        None,
        vectors.as_mut().map(faer::mat::generic::Mat::as_mut),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch::<f64>(n, compute))),
        Spec::default(),
    )
    .map_err(|_| Failure::NoConvergence)?;
    let values: Vec<_> = re
        .iter()
        .zip(&im)
        .map(|(&re, &im)| Complex::new(re, im))
        .collect();
    let mut columns = Vec::new();
    if let Some(vectors) = vectors {
        columns.reserve(n * n);
        let mut j = 0;
        while j < n {
            if im[j] == 0.0 || j + 1 == n {
                columns.extend((0..n).map(|i| Complex::new(vectors[(i, j)], 0.0)));
                j += 1;
                continue;
            }
            // Real and imaginary part of the first of a pair; the second is its conjugate.
            let parts = |sign: f64| {
                let vectors = &vectors;
                (0..n).map(move |i| Complex::new(vectors[(i, j)], sign * vectors[(i, j + 1)]))
            };
            columns.extend(parts(1.0));
            columns.extend(parts(-1.0));
            j += 2;
        }
    }
    Ok((values, columns))
}

/// Of a complex matrix.
fn complex(a: &[Complex<f64>], n: usize, compute: bool) -> Result<Eigen, Failure> {
    let mut values = vec![Complex::new(0.0, 0.0); n];
    let mut vectors: Option<Mat<Complex<f64>>> = compute.then(|| Mat::zeros(n, n));
    evd_cplx(
        MatRef::from_row_major_slice(a, n, n),
        DiagMut::from_slice_mut(&mut values),
        None,
        vectors.as_mut().map(faer::mat::generic::Mat::as_mut),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch::<Complex<f64>>(n, compute))),
        Spec::default(),
    )
    .map_err(|_| Failure::NoConvergence)?;
    let columns = vectors.map_or_else(Vec::new, |vectors| {
        (0..n * n).map(|k| vectors[(k % n, k / n)]).collect()
    });
    Ok((values, columns))
}

fn scratch<T: Field>(n: usize, compute: bool) -> faer::dyn_stack::StackReq {
    let right = if compute {
        ComputeEigenvectors::Yes
    } else {
        ComputeEigenvectors::No
    };
    evd_scratch::<T>(n, ComputeEigenvectors::No, right, Par::Seq, Spec::default())
}

/// An eigenvector for `value`: one solve with `a - value`, zero pivots replaced by rounding errors, and everything scaled
/// down whenever an element grows beyond bounds.
fn iterate_inversely(a: &[Complex<f64>], n: usize, value: Complex<f64>, x: &mut [Complex<f64>]) {
    const BOUND: f64 = 1e150;
    let mut shifted = a.to_vec();
    shifted.iter_mut().step_by(n + 1).for_each(|d| *d -= value);
    factorise(&mut shifted, n, n, &mut vec![0; n]);
    // The right-hand side is what `L` makes of ones, so that only `U` remains to be solved.
    let mut right_side = 1.0;
    for i in (0..n).rev() {
        let row = &shifted[i * n..(i + 1) * n];
        let mut sum = Complex::new(right_side, 0.0);
        for (&u, &x) in row[i + 1..].iter().zip(&x[i + 1..]) {
            sum -= u * x;
        }
        let pivot = if row[i].norm() < f64::EPSILON {
            Complex::new(f64::EPSILON, 0.0)
        } else {
            row[i]
        };
        x[i] = sum / pivot;
        if x[i].norm() > BOUND {
            right_side /= BOUND;
            x[i..].iter_mut().for_each(|x| *x /= BOUND);
        }
    }
}

/// Norm 1 and, on request, a real largest element.
fn normalise(x: &mut [Complex<f64>], rotate: bool) {
    let largest = x.iter().fold(0.0, |largest: f64, x| largest.max(x.norm()));
    if largest == 0.0 || !largest.is_finite() {
        return;
    }
    x.iter_mut().for_each(|x| *x /= largest);
    let norm = x
        .iter()
        .map(num_complex::Complex::norm_sqr)
        .sum::<f64>()
        .sqrt();
    x.iter_mut().for_each(|x| *x /= norm);
    if !rotate {
        return;
    }
    let mut best = 0;
    for (position, candidate) in x.iter().enumerate() {
        if candidate.norm_sqr() > x[best].norm_sqr() {
            best = position;
        }
    }
    let phase = x[best].conj() / x[best].norm();
    x.iter_mut().for_each(|x| *x *= phase);
    x[best].im = 0.0;
}
