//! LU decomposition as a result of its own, and faer's for large matrices.

use super::elimination::factorise;
use super::field::{Field, guarded};
use super::householder::Scalar;
use crate::kind::Failure;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::triangular_solve::{
    solve_unit_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Mat, MatMut, MatRef, Par, Spec};

/// Whether elimination by hand is faster than faer at this order (measured on Zen 5: by 1.1 to 1.3 up to 16 for real
/// matrices and 10 for complex ones; 2 to 2.5 times at order 8, above 10 at order 2).
pub(super) fn by_hand<T: Field>(order: usize) -> bool {
    order <= if T::IS_REAL { 16 } else { 10 }
}

/// faer's LU decomposition: row `i` of `L U` is row `rows[i]` of the matrix.
pub(super) struct Large<T: Field> {
    lu: Mat<T>,
    rows: Vec<usize>,
    pub(super) odd: bool,
}

impl<T: Field> Large<T> {
    /// To be called under [`guarded`]. After a zero pivot `L` holds NaN.
    pub(super) fn factorise(a: &[T], m: usize, n: usize) -> Self {
        let mut lu: Mat<T> = MatRef::from_row_major_slice(a, m, n).to_owned();
        let (mut rows, mut inverse) = (vec![0_usize; m], vec![0_usize; m]);
        let scratch = lu_in_place_scratch::<usize, T>(m, n, Par::Seq, Spec::default());
        let (info, _) = lu_in_place(
            lu.as_mut(),
            &mut rows,
            &mut inverse,
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Spec::default(),
        );
        let odd = info.transposition_count % 2 == 1;
        Large { lu, rows, odd }
    }

    /// The diagonal of `U`.
    pub(super) fn diagonal(&self) -> impl Iterator<Item = T> + '_ {
        (0..self.lu.nrows().min(self.lu.ncols())).map(|i| self.lu[(i, i)])
    }

    /// Whether a pivot is exactly zero.
    pub(super) fn singular(&self) -> bool {
        self.diagonal().any(|pivot| pivot == T::NULL)
    }

    /// Solves for the columns of the row-major `x` of width `k`, in place.
    pub(super) fn solve(&self, x: &mut [T], k: usize, par: Par) {
        if k == 0 {
            return;
        }
        let b = x.to_vec();
        for (x, &row) in x.chunks_exact_mut(k).zip(&self.rows) {
            x.copy_from_slice(&b[row * k..(row + 1) * k]);
        }
        let mut x = MatMut::from_row_major_slice_mut(x, self.lu.nrows(), k);
        solve_unit_lower_triangular_in_place(self.lu.as_ref(), x.as_mut(), par);
        solve_upper_triangular_in_place(self.lu.as_ref(), x, par);
    }
}

/// LU decomposition with partial pivoting (`scipy.linalg.lu`): `a = p l u`.
///
/// With `k = min(m, n)`: `p` is a permutation matrix of shape `[m, m]`, `l` is `[m, k]`, lower triangular with ones on the
/// diagonal, `u` is `[k, n]`, upper triangular.
///
/// # Errors
/// [`Failure::NoConvergence`] if faer panics, which is not known to happen.
///
/// # Panics
/// If `a` does not have `m * n` elements.
#[allow(clippy::type_complexity)]
pub fn lu<T: Field>(a: &[T], m: usize, n: usize) -> Result<(Vec<T>, Vec<T>, Vec<T>), Failure> {
    let size = m.min(n);
    let mut p = vec![T::NULL; m * m];
    let mut l = vec![T::NULL; m * size];
    let mut u = vec![T::NULL; size * n];
    lu_into(a, m, n, &mut p, &mut l, &mut u)?;
    Ok((p, l, u))
}

/// [`lu`] into given slices.
pub(super) fn lu_into<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    p: &mut [T],
    l: &mut [T],
    u: &mut [T],
) -> Result<(), Failure> {
    assert_eq!(a.len(), m * n);
    let size = m.min(n);
    if !by_hand::<T>(size) {
        let mut done = false;
        guarded(|| {
            let large = Large::factorise(a, m, n);
            // faer divides by a zero pivot, LAPACK leaves its column alone.
            if !large.singular() {
                store(&large.rows, m, n, |i, j| large.lu[(i, j)], p, l, u);
                done = true;
            }
            Ok(())
        })?;
        if done {
            return Ok(());
        }
    }
    let mut rows: Vec<usize> = (0..m).collect();
    let mut factors = a.to_vec();
    if size > 0 {
        let mut pivots = vec![0; size];
        factorise(&mut factors, m, n, &mut pivots);
        for (step, pivot) in pivots.into_iter().enumerate() {
            rows.swap(step, pivot);
        }
    }
    store(&rows, m, n, |i, j| factors[i * n + j], p, l, u);
    Ok(())
}

/// Takes packed factors apart.
fn store<T: Scalar>(
    rows: &[usize],
    m: usize,
    n: usize,
    factor: impl Fn(usize, usize) -> T,
    p: &mut [T],
    l: &mut [T],
    u: &mut [T],
) {
    let size = m.min(n);
    p.fill(T::NULL);
    for (position, &row) in rows.iter().enumerate() {
        p[row * m + position] = T::UNIT;
    }
    for i in 0..m {
        for j in 0..size {
            l[i * size + j] = match j.cmp(&i) {
                std::cmp::Ordering::Less => factor(i, j),
                std::cmp::Ordering::Equal => T::UNIT,
                std::cmp::Ordering::Greater => T::NULL,
            };
        }
    }
    for i in 0..size {
        for j in 0..n {
            u[i * n + j] = if j < i { T::NULL } else { factor(i, j) };
        }
    }
}
