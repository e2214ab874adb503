//! Least squares by singular value decomposition.

use super::field::Field;
use super::householder::Scalar;
use super::svd::svd_into;
use crate::kind::Failure;

/// The results of [`lstsq`].
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares<T: Field> {
    /// The solutions of smallest norm, of shape `[n, k]`.
    pub x: Vec<T>,
    /// Squared norms of the columns of `b - a x`, of shape `[k]`; NumPy returns them only if `rank == n < m`.
    pub residuals: Vec<T::Magnitude>,
    /// How many singular values are above the cutoff.
    pub rank: i64,
    /// Singular values, descending, of shape `[min(m, n)]`.
    pub singular_values: Vec<T::Magnitude>,
}

/// Minimises `|b - a x|` (`numpy.linalg.lstsq`) for `a` of shape `[m, n]` and `b` of shape `[m, k]`.
///
/// Singular values up to `rcond` times the largest count as zero. A negative `rcond` stands for the precision of the type,
/// `None` for that times `max(m, n)`, NumPy's default.
///
/// # Errors
/// [`Failure::NoConvergence`] if `a` is not finite, or if the iteration fails.
///
/// # Panics
/// If `a` does not have `m * n` elements or `b` not `m * k`.
pub fn lstsq<T: Field>(
    a: &[T],
    b: &[T],
    [m, n, k]: [usize; 3],
    rcond: Option<f64>,
) -> Result<LeastSquares<T>, Failure> {
    let mut found = LeastSquares {
        x: vec![T::NULL; n * k],
        residuals: vec![T::Magnitude::default(); k],
        rank: 0,
        singular_values: vec![T::Magnitude::default(); m.min(n)],
    };
    found.rank = lstsq_into(
        a,
        b,
        [m, n, k],
        rcond,
        &mut found.x,
        &mut found.residuals,
        &mut found.singular_values,
    )?;
    Ok(found)
}

/// [`lstsq`] into given slices; returns the rank.
pub(super) fn lstsq_into<T: Field>(
    a: &[T],
    b: &[T],
    [m, n, k]: [usize; 3],
    rcond: Option<f64>,
    x: &mut [T],
    residuals: &mut [T::Magnitude],
    s: &mut [T::Magnitude],
) -> Result<i64, Failure> {
    assert_eq!((a.len(), b.len()), (m * n, m * k));
    let size = m.min(n);
    let (mut u, mut vh) = (vec![T::NULL; m * size], vec![T::NULL; size * n]);
    svd_into(a, m, n, false, &mut u, s, &mut vh)?;
    let precision = T::Magnitude::PRECISION;
    let cutoff = match rcond {
        None => precision * m.max(n) as f64,
        Some(rcond) if rcond < 0.0 => precision,
        Some(rcond) => rcond,
    } * s.first().map_or(0.0, |s| s.parts().0);
    let rank = s.iter().take_while(|s| s.parts().0 > cutoff).count();
    x.fill(T::NULL);
    if k == 0 {
        return Ok(rank as i64);
    }
    // x = V diag(1 / s) U^H b, one singular value after the other.
    let mut coefficients = vec![T::NULL; k];
    for j in 0..rank {
        coefficients.fill(T::NULL);
        for (row, b) in b.chunks_exact(k).enumerate() {
            add_multiple(u[row * size + j].conj(), b, &mut coefficients);
        }
        let value = T::from_parts(s[j].parts().0, 0.0);
        for c in &mut coefficients {
            *c = c.over(value);
        }
        for (column, x) in x.chunks_exact_mut(k).enumerate() {
            add_multiple(vh[j * n + column].conj(), &coefficients, x);
        }
    }
    let mut squares = vec![0.0; k];
    let mut difference = vec![T::NULL; k];
    for (row, b) in b.chunks_exact(k).enumerate() {
        difference.copy_from_slice(b);
        for (column, x) in x.chunks_exact(k).enumerate() {
            add_multiple(-a[row * n + column], x, &mut difference);
        }
        for (square, d) in squares.iter_mut().zip(&difference) {
            let (re, im) = d.parts();
            *square += re * re + im * im;
        }
    }
    for (residual, square) in residuals.iter_mut().zip(squares) {
        *residual = T::Magnitude::from_parts(square, 0.0);
    }
    Ok(rank as i64)
}

/// `y += factor x`.
fn add_multiple<T: Scalar>(factor: T, x: &[T], y: &mut [T]) {
    for (&x, y) in x.iter().zip(y) {
        *y = *y + factor * x;
    }
}
