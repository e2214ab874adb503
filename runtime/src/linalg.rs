//! QR and singular value decompositions of dense matrices on the calling thread, by faer and, where small, by hand.
//!
//! Matrices are row-major and contiguous on both sides. Two forms: generic functions on slices that return vectors
//! ([`qr`], [`svd`]), and kind-dispatched functions on raw pointers over a batch ([`qr_batched`], [`svd_batched`]).
//!
//! Input that is not finite never reaches an iteration: QR answers with NaN, SVD fails. Should faer panic all the same,
//! the panic is caught and becomes [`Failure::NoConvergence`].

mod householder;
#[cfg(test)]
mod tests;

pub use householder::Scalar;

use crate::abi::{Failure, Kind};
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::{
    qr_in_place, qr_in_place_scratch, recommended_block_size,
};
use faer::linalg::svd::{ComputeSvdVectors, svd as faer_svd, svd_scratch};
use faer::{Auto, Conj, Mat, MatRef, Par, Spec};
use num_complex::Complex;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Up to this smaller dimension the reflections by hand are faster than faer's blocked ones (measured on Zen 5).
const SMALL_QR: usize = 64;

/// An element type of linear algebra: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`.
pub trait Field: faer::traits::ComplexField<Real = Self::Magnitude> + Scalar {
    /// The type of norms and singular values.
    type Magnitude: faer::traits::RealField + Copy + Default + 'static;
    /// A value that is not a number.
    const NAN: Self;
    /// Binary exponents up to this, of either sign, are safe to square and multiply without further scaling.
    const SAFE_EXPONENT: i32;
    /// Whether neither part is infinite or NaN.
    fn finite(self) -> bool;
}

macro_rules! field {
    ($($type:ty)*) => {$(
        impl Field for $type {
            type Magnitude = $type;
            const NAN: Self = <$type>::NAN;
            const SAFE_EXPONENT: i32 = <$type>::MAX_EXP / 4;
            fn finite(self) -> bool {
                self.is_finite()
            }
        }

        impl Field for Complex<$type> {
            type Magnitude = $type;
            const NAN: Self = Complex::new(<$type>::NAN, <$type>::NAN);
            const SAFE_EXPONENT: i32 = <$type>::MAX_EXP / 4;
            fn finite(self) -> bool {
                self.re.is_finite() && self.im.is_finite()
            }
        }
    )*};
}

field! { f32 f64 }

/// Turns a panic inside faer into a failure; only buffers that the failure makes unspecified are touched in `f`.
fn guarded(f: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(Err(Failure::NoConvergence))
}

/// A power of two that brings the largest element near 1, and its inverse; `None` where all magnitudes are safe.
///
/// faer squares elements; matrices at the ends of the exponent range would overflow or vanish on the way.
fn scaling<T: Field>(a: &[T]) -> Option<(T, T)> {
    let largest = a.iter().fold(0.0, |largest: f64, x| {
        let (re, im) = x.parts();
        largest.max(re.abs()).max(im.abs())
    });
    if largest == 0.0 {
        return None;
    }
    let exponent = largest.log2().floor() as i32;
    // Both factors must be normal numbers of the type; what remains of an extreme exponent is safe.
    let limit = 4 * T::SAFE_EXPONENT - 4;
    (exponent.abs() > T::SAFE_EXPONENT).then(|| {
        let exponent = exponent.clamp(-limit, limit);
        (
            T::from_parts(2.0_f64.powi(-exponent), 0.0),
            T::from_parts(2.0_f64.powi(exponent), 0.0),
        )
    })
}

/// `factor a`.
fn scale<T: Field>(a: &[T], factor: T) -> Vec<T> {
    a.iter().map(|&x| x * factor).collect()
}

/// Reduced QR decomposition (`numpy.linalg.qr`): `a = q r` with `q` of shape `[m, k]`, `r` of shape `[k, n]`, `k = min(m, n)`.
///
/// The diagonal of `r` is real. Up to a size of 64, and for real matrices beyond it, its signs are LAPACK's; larger complex
/// matrices get a nonnegative one. Input with infinities or NaN gives NaN.
///
/// # Errors
/// [`Failure::NoConvergence`] if faer panics, which is not known to happen.
///
/// # Panics
/// If `a` does not have `m * n` elements.
pub fn qr<T: Field>(a: &[T], m: usize, n: usize) -> Result<(Vec<T>, Vec<T>), Failure> {
    let size = m.min(n);
    let (mut q, mut r) = (vec![T::NULL; m * size], vec![T::NULL; size * n]);
    qr_into(a, m, n, &mut q, &mut r)?;
    Ok((q, r))
}

/// [`qr`] into given slices.
fn qr_into<T: Field>(a: &[T], m: usize, n: usize, q: &mut [T], r: &mut [T]) -> Result<(), Failure> {
    assert_eq!(a.len(), m * n);
    let size = m.min(n);
    if size == 0 {
        return Ok(());
    }
    if !a.iter().all(|x| x.finite()) {
        q.fill(T::NAN);
        for (row, r) in r.chunks_exact_mut(n).enumerate() {
            let (below, above) = r.split_at_mut(row);
            below.fill(T::NULL);
            above.fill(T::NAN);
        }
        return Ok(());
    }
    if size <= SMALL_QR {
        let mut columns = Vec::with_capacity(m * n);
        for column in 0..n {
            columns.extend((0..m).map(|row| a[row * n + column]));
        }
        householder::qr(&mut columns, m, n, q, r);
        return Ok(());
    }
    let scaling = scaling(a);
    let scaled = scaling.map(|(down, _)| scale(a, down));
    guarded(|| {
        large_qr(scaled.as_deref().unwrap_or(a), m, n, q, r);
        Ok(())
    })?;
    if let Some((_, up)) = scaling {
        r.iter_mut().for_each(|r| *r *= up);
    }
    Ok(())
}

/// faer's blocked QR, with the diagonal of `r` made real.
fn large_qr<T: Field>(a: &[T], m: usize, n: usize, q: &mut [T], r: &mut [T]) {
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
    let mut orthogonal: Mat<T> = Mat::identity(m, size);
    let scratch =
        apply_block_householder_sequence_on_the_left_in_place_scratch::<T>(m, block, size);
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
        let (re, _) = r[row].parts();
        r[row] = T::from_parts(re, 0.0);
    }
    for (row, q) in q.chunks_exact_mut(size).enumerate() {
        for (column, q) in q.iter_mut().enumerate() {
            *q = orthogonal[(row, column)] * phases[column];
        }
    }
}

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
fn svd_into<T: Field>(
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
    if !a.iter().all(|x| x.finite()) {
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

/// `len` elements from position `start` that are about to be overwritten.
///
/// # Safety
/// They must be writable, aligned and not otherwise in use for `'a`.
unsafe fn output<'a, T: Field>(base: *mut T, start: usize, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise; zeroing first, because a slice must not hold uninitialised memory.
    unsafe {
        let first = base.add(start);
        first.write_bytes(0, len);
        std::slice::from_raw_parts_mut(first, len)
    }
}

/// `len` elements from position `start`.
///
/// # Safety
/// They must be readable and aligned, and stay unchanged for `'a`.
unsafe fn input<'a, T: Field>(base: *const T, start: usize, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(base.add(start), len) }
}

/// [`qr`] of `batch` matrices that lie one after the other.
///
/// # Errors
/// As [`qr`]; [`Failure::UnsupportedKind`] unless `kind` is floating or complex.
///
/// # Safety
/// `a` must be readable for `batch * m * n` aligned elements of `kind`; `q` and `r` writable for `batch * m * k` and
/// `batch * k * n`, where `k = min(m, n)`; none may overlap.
pub unsafe fn qr_batched(
    kind: Kind,
    batch: usize,
    m: usize,
    n: usize,
    a: *const u8,
    q: *mut u8,
    r: *mut u8,
) -> Result<(), Failure> {
    /// # Safety
    /// As for `qr_batched`, with elements of type `T`.
    unsafe fn run<T: Field>(
        [batch, m, n]: [usize; 3],
        a: *const u8,
        q: *mut u8,
        r: *mut u8,
    ) -> Result<(), Failure> {
        let size = m.min(n);
        (0..batch).try_for_each(|item| {
            // SAFETY: matrix `item` of each buffer.
            let (a, q, r) = unsafe {
                (
                    input::<T>(a.cast(), item * m * n, m * n),
                    output::<T>(q.cast(), item * m * size, m * size),
                    output::<T>(r.cast(), item * size * n, size * n),
                )
            };
            qr_into(a, m, n, q, r)
        })
    }
    let shape = [batch, m, n];
    // SAFETY: passed on from the caller; the type is that of the kind.
    unsafe {
        match kind {
            Kind::Float32 => run::<f32>(shape, a, q, r),
            Kind::Float64 => run::<f64>(shape, a, q, r),
            Kind::Complex64 => run::<Complex<f32>>(shape, a, q, r),
            Kind::Complex128 => run::<Complex<f64>>(shape, a, q, r),
            _ => Err(Failure::UnsupportedKind(kind)),
        }
    }
}

/// [`svd`] of `batch` matrices that lie one after the other.
///
/// # Errors
/// As [`svd`], with the first matrix that fails; [`Failure::UnsupportedKind`] unless `kind` is floating or complex.
///
/// # Safety
/// `a` must be readable for `batch * m * n` aligned elements of `kind`; `u`, `s`, `vh` writable for `batch` times the sizes
/// that [`svd`] states, `s` of the real type of `kind`; none may overlap.
#[allow(clippy::too_many_arguments)]
pub unsafe fn svd_batched(
    kind: Kind,
    full_matrices: bool,
    batch: usize,
    m: usize,
    n: usize,
    a: *const u8,
    u: *mut u8,
    s: *mut u8,
    vh: *mut u8,
) -> Result<(), Failure> {
    /// # Safety
    /// As for `svd_batched`, with elements of type `T`.
    unsafe fn run<T: Field<Magnitude: Field>>(
        full_matrices: bool,
        [batch, m, n]: [usize; 3],
        a: *const u8,
        [u, s, vh]: [*mut u8; 3],
    ) -> Result<(), Failure> {
        let size = m.min(n);
        let (u_size, vh_size) = if full_matrices {
            (m * m, n * n)
        } else {
            (m * size, size * n)
        };
        (0..batch).try_for_each(|item| {
            // SAFETY: matrix `item` of each buffer.
            let (a, u, s, vh) = unsafe {
                (
                    input::<T>(a.cast(), item * m * n, m * n),
                    output::<T>(u.cast(), item * u_size, u_size),
                    output::<T::Magnitude>(s.cast(), item * size, size),
                    output::<T>(vh.cast(), item * vh_size, vh_size),
                )
            };
            svd_into(a, m, n, full_matrices, u, s, vh)
        })
    }
    let (shape, out) = ([batch, m, n], [u, s, vh]);
    // SAFETY: passed on from the caller; the type is that of the kind.
    unsafe {
        match kind {
            Kind::Float32 => run::<f32>(full_matrices, shape, a, out),
            Kind::Float64 => run::<f64>(full_matrices, shape, a, out),
            Kind::Complex64 => run::<Complex<f32>>(full_matrices, shape, a, out),
            Kind::Complex128 => run::<Complex<f64>>(full_matrices, shape, a, out),
            _ => Err(Failure::UnsupportedKind(kind)),
        }
    }
}
