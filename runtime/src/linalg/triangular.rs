//! Triangular systems: by hand for small ones, faer's blocked substitution for large.

use super::field::{Field, guarded};
use crate::kind::Failure;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_unit_lower_triangular_in_place,
    solve_unit_upper_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{MatMut, MatRef, Par};

/// Up to this order substitution by hand is faster than faer.
const BY_HAND: usize = 32;

/// Which triangle of a matrix is read, and how (`scipy.linalg.solve_triangular`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Triangle {
    /// The lower triangle, else the upper one.
    pub lower: bool,
    /// The diagonal is taken as ones and not read.
    pub unit_diagonal: bool,
    /// The triangle is transposed after it was read (SciPy's `trans=1`).
    pub transposed: bool,
    /// Its elements are conjugated; together with `transposed` SciPy's `trans=2`.
    pub conjugated: bool,
}

/// Solves `a x = b` for a triangle of `a` of shape `[n, n]` and `b` of shape `[n, k]` (`scipy.linalg.solve_triangular`).
///
/// # Errors
/// [`Failure::Singular`] if the diagonal has an exact zero and is not a unit one.
///
/// # Panics
/// If `a` does not have `n * n` elements or `b` not `n * k`.
pub fn solve_triangular<T: Field>(
    triangle: Triangle,
    a: &[T],
    b: &[T],
    n: usize,
    k: usize,
) -> Result<Vec<T>, Failure> {
    let mut x = b.to_vec();
    solve_triangular_in_place(triangle, a, &mut x, n, k)?;
    Ok(x)
}

/// [`solve_triangular`] with `b` in the place of the result.
pub(super) fn solve_triangular_in_place<T: Field>(
    triangle: Triangle,
    a: &[T],
    x: &mut [T],
    n: usize,
    k: usize,
) -> Result<(), Failure> {
    assert_eq!((a.len(), x.len()), (n * n, n * k));
    if !triangle.unit_diagonal && a.iter().step_by(n + 1).any(|&pivot| pivot == T::NULL) {
        return Err(Failure::Singular);
    }
    if n == 0 || k == 0 {
        return Ok(());
    }
    if n > BY_HAND {
        return guarded(|| {
            large(triangle, a, x, n, k);
            Ok(())
        });
    }
    if k == 1 {
        substitute(triangle, a, x, n, 1);
    } else {
        substitute(triangle, a, x, n, k);
    }
    Ok(())
}

/// Row operations on `x`, from the first row on where the triangle as used is a lower one, else from the last.
#[inline(always)]
fn substitute<T: Field>(triangle: Triangle, a: &[T], x: &mut [T], n: usize, k: usize) {
    let (row_stride, column_stride) = if triangle.transposed { (1, n) } else { (n, 1) };
    let element = |row: usize, column: usize| {
        let element = a[row * row_stride + column * column_stride];
        if triangle.conjugated {
            element.conj()
        } else {
            element
        }
    };
    let forward = triangle.lower != triangle.transposed;
    for step in 0..n {
        let row = if forward { step } else { n - 1 - step };
        let (before, rest) = x.split_at_mut(row * k);
        let (target, after) = rest.split_at_mut(k);
        let mut subtract = |column: usize, source: &[T]| {
            let factor = element(row, column);
            for (x, &y) in target.iter_mut().zip(source) {
                *x -= factor * y;
            }
        };
        if forward {
            for (column, source) in before.chunks_exact(k).enumerate() {
                subtract(column, source);
            }
        } else {
            for (column, source) in after.chunks_exact(k).enumerate() {
                subtract(row + 1 + column, source);
            }
        }
        if !triangle.unit_diagonal {
            let pivot = element(row, row);
            for x in target {
                *x = x.over(pivot);
            }
        }
    }
}

/// faer's substitution.
fn large<T: Field>(triangle: Triangle, a: &[T], x: &mut [T], n: usize, k: usize) {
    // A conjugated matrix and a conjugated right-hand side give the conjugated solution.
    let conjugate = |x: &mut [T]| {
        if triangle.conjugated {
            x.iter_mut().for_each(|x| *x = x.conj());
        }
    };
    conjugate(x);
    let matrix = MatRef::from_row_major_slice(a, n, n);
    let matrix = if triangle.transposed {
        matrix.transpose().as_dyn_stride()
    } else {
        matrix.as_dyn_stride()
    };
    let target = MatMut::from_row_major_slice_mut(&mut *x, n, k);
    let lower = triangle.lower != triangle.transposed;
    match (lower, triangle.unit_diagonal) {
        (true, false) => solve_lower_triangular_in_place(matrix, target, Par::Seq),
        (true, true) => solve_unit_lower_triangular_in_place(matrix, target, Par::Seq),
        (false, false) => solve_upper_triangular_in_place(matrix, target, Par::Seq),
        (false, true) => solve_unit_upper_triangular_in_place(matrix, target, Par::Seq),
    }
    conjugate(x);
}
