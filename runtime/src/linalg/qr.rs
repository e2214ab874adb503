//! QR decomposition: reflections by hand for small matrices, faer's blocked ones for large.

use super::field::{Field, all_finite, guarded, scale, scaling};
use super::householder;
use crate::kind::Failure;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::{
    qr_in_place, qr_in_place_scratch, recommended_block_size,
};
use faer::{Conj, Mat, MatRef, Par, Spec};

/// Up to this smaller dimension the reflections by hand compete with faer's blocked ones (measured on Zen 5: faster up to 64
/// for real matrices and 45 for complex ones, at 8 twice as fast).
const SMALL_QR: usize = 64;

/// QR decomposition (`numpy.linalg.qr`): `a = q r` with `q` of shape `[m, k]` and `r` of shape `[k, n]`, where `k` is
/// `min(m, n)`, or `m` if `complete`.
///
/// The diagonal of `r` is real. Up to a size of 64, and for real matrices beyond it, its signs are LAPACK's; larger complex
/// matrices get a nonnegative one. Input with infinities or NaN gives NaN.
///
/// # Errors
/// [`Failure::NoConvergence`] if faer panics, which is not known to happen.
///
/// # Panics
/// If `a` does not have `m * n` elements.
pub fn qr<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    complete: bool,
) -> Result<(Vec<T>, Vec<T>), Failure> {
    let size = if complete { m } else { m.min(n) };
    let (mut q, mut r) = (vec![T::NULL; m * size], vec![T::NULL; size * n]);
    qr_into(a, m, n, complete, &mut q, &mut r)?;
    Ok((q, r))
}

/// [`qr`] into given slices.
pub(super) fn qr_into<T: Field>(
    a: &[T],
    m: usize,
    n: usize,
    complete: bool,
    q: &mut [T],
    r: &mut [T],
) -> Result<(), Failure> {
    assert_eq!(a.len(), m * n);
    let size = m.min(n);
    let columns = if complete { m } else { size };
    if size == 0 {
        // `r` has no elements; a complete `q` is any unitary matrix.
        q.fill(T::NULL);
        q.iter_mut().step_by(columns + 1).for_each(|q| *q = T::UNIT);
        return Ok(());
    }
    if !all_finite(a) {
        q.fill(T::NAN);
        for (row, r) in r.chunks_exact_mut(n).enumerate() {
            let (below, above) = r.split_at_mut(row.min(n));
            below.fill(T::NULL);
            above.fill(T::NAN);
        }
        return Ok(());
    }
    if size <= SMALL_QR {
        householder::qr(a, m, n, columns, q, r);
        return Ok(());
    }
    let scaling = scaling(a);
    let scaled = scaling.map(|(down, _)| scale(a, down));
    guarded(|| {
        large_qr(scaled.as_deref().unwrap_or(a), m, n, columns, q, r);
        Ok(())
    })?;
    if let Some((_, up)) = scaling {
        r.iter_mut().for_each(|r| *r *= up);
    }
    Ok(())
}

/// faer's blocked QR, with the diagonal of `r` made real.
fn large_qr<T: Field>(a: &[T], m: usize, n: usize, columns: usize, q: &mut [T], r: &mut [T]) {
    let size = m.min(n);
    let mut factored: Mat<T> = MatRef::from_row_major_slice(a, m, n).to_owned();
    let block = recommended_block_size::<T>(m, n);
    let mut coefficients: Mat<T> = Mat::zeros(block, size);
    let mut buffer = MemBuffer::new(qr_in_place_scratch::<T>(
        m,
        n,
        block,
        Par::Seq,
        Spec::default(),
    ));
    qr_in_place(
        factored.as_mut(),
        coefficients.as_mut(),
        Par::Seq,
        MemStack::new(&mut buffer),
        Spec::default(),
    );
    let mut orthogonal: Mat<T> = Mat::identity(m, columns);
    let scratch =
        apply_block_householder_sequence_on_the_left_in_place_scratch::<T>(m, block, columns);
    apply_block_householder_sequence_on_the_left_in_place_with_conj(
        factored.as_ref().subcols(0, size),
        coefficients.as_ref(),
        Conj::No,
        orthogonal.as_mut(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
    );
    // Columns of q take the phases that rows of r give up.
    let phases: Vec<T> = (0..size)
        .map(|i| {
            let (re, im) = factored[(i, i)].parts();
            let modulus = re.hypot(im);
            if im == 0.0 || modulus == 0.0 {
                T::UNIT
            } else {
                T::from_parts(re / modulus, im / modulus)
            }
        })
        .collect();
    for (row, r) in r.chunks_exact_mut(n).enumerate() {
        for (column, r) in r.iter_mut().enumerate() {
            *r = if row > column {
                T::NULL
            } else {
                phases[row].conj() * factored[(row, column)]
            };
        }
        if row >= size {
            continue;
        }
        let (re, _) = r[row].parts();
        r[row] = T::from_parts(re, 0.0);
    }
    for (row, q) in q.chunks_exact_mut(columns).enumerate() {
        for (column, q) in q.iter_mut().enumerate() {
            let phase = phases.get(column).copied().unwrap_or(T::UNIT);
            *q = orthogonal[(row, column)] * phase;
        }
    }
}
