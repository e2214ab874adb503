//! Every function of linear algebra on a batch of matrices, by kind of element and raw pointer.
//!
//! The matrices of a batch lie one after the other. The first matrix that fails ends the call.

use super::cholesky::cholesky_into;
use super::eig::eig_into;
use super::eigh::eigh_into;
use super::expm::expm_into;
use super::field::Field;
use super::lstsq::lstsq_into;
use super::lu::lu_into;
use super::qr::qr_into;
use super::small;
use super::solve::{det, inv_into, slogdet, solve_in_place};
use super::svd::{svd_into, svdvals_into};
use super::triangular::{Triangle, solve_triangular_in_place};
use crate::kind::{Failure, Kind};
use num_complex::Complex;

/// `len` elements that are about to be overwritten.
///
/// # Safety
/// They must be writable, aligned and not otherwise in use for `'a`, and zero bytes must be an element.
unsafe fn output<'a, T: Copy>(first: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise; zeroing first, because a slice must not hold uninitialised memory.
    unsafe {
        first.write_bytes(0, len);
        std::slice::from_raw_parts_mut(first, len)
    }
}

/// `len` elements.
///
/// # Safety
/// They must be readable and aligned, and stay unchanged for `'a`.
unsafe fn input<'a, T: Copy>(first: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first, len) }
}

/// One row per function: parameters before the batch size, dimensions after it, inputs and outputs with the number of
/// their elements per matrix, and what to do for one matrix, where names of buffers mean that matrix's slice; before it, what
/// may be done for all matrices at once, where they mean all slices.
macro_rules! batched {
    ($(
        $(#[$doc:meta])*
        $name:ident<$T:ident> ($($flag:ident: $flag_type:ty),*) [$($dimension:ident),*]
            ($($in:ident: $in_type:ty = $in_len:expr),*) -> ($($out:ident: $out_type:ty = $out_len:expr),*)
            $(all if $several:block $all:block)? $body:block
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// As the function for one matrix, with the first matrix that fails; [`Failure::UnsupportedKind`] unless `kind`
        /// is floating or complex.
        ///
        /// # Safety
        /// Inputs must be readable and outputs writable for `batch` times the elements that the function for one matrix
        /// takes and gives, aligned, of the type that belongs to `kind`; nothing may overlap an output.
        #[allow(clippy::too_many_arguments)]
        pub unsafe fn $name(
            kind: Kind,
            $($flag: $flag_type,)*
            batch: usize,
            $($dimension: usize,)*
            $($in: *const u8,)*
            $($out: *mut u8,)*
        ) -> Result<(), Failure> {
            /// # Safety
            /// As for the function around it, with elements of one type.
            #[allow(clippy::too_many_arguments)]
            unsafe fn run<$T: Field>(
                $($flag: $flag_type,)*
                batch: usize,
                $($dimension: usize,)*
                $($in: *const u8,)*
                $($out: *mut u8,)*
            ) -> Result<(), Failure> {
                // Matrices without elements that give none cannot fail, however many there are.
                if [$($in_len,)* $($out_len,)*].iter().all(|&len| len == 0) {
                    return Ok(());
                }
                // SAFETY: passed on from the caller; zero bytes are a number of each type.
                let ($($in,)* $($out,)*) = unsafe {
                    (
                        $(input::<$in_type>($in.cast(), batch * ($in_len)),)*
                        $(output::<$out_type>($out.cast(), batch * ($out_len)),)*
                    )
                };
                $(if $several {
                    return $all;
                })?
                (0..batch).try_for_each(|item| {
                    $(let $in = &$in[item * ($in_len)..(item + 1) * ($in_len)];)*
                    $(let $out = &mut $out[item * ($out_len)..(item + 1) * ($out_len)];)*
                    $body
                })
            }
            // SAFETY: passed on from the caller; the type is that of the kind.
            unsafe {
                match kind {
                    Kind::Float32 => run::<f32>($($flag,)* batch, $($dimension,)* $($in,)* $($out),*),
                    Kind::Float64 => run::<f64>($($flag,)* batch, $($dimension,)* $($in,)* $($out),*),
                    Kind::Complex64 => run::<Complex<f32>>($($flag,)* batch, $($dimension,)* $($in,)* $($out),*),
                    Kind::Complex128 => run::<Complex<f64>>($($flag,)* batch, $($dimension,)* $($in,)* $($out),*),
                    _ => Err(Failure::UnsupportedKind(kind)),
                }
            }
        }
    )*};
}

batched! {
    /// Reduced [`qr`](super::qr()) of `batch` matrices.
    qr_batched<T>()[m, n](a: T = m * n) -> (q: T = m * m.min(n), r: T = m.min(n) * n) {
        qr_into(a, m, n, false, q, r)
    }

    /// Complete [`qr`](super::qr()) of `batch` matrices.
    qr_complete_batched<T>()[m, n](a: T = m * n) -> (q: T = m * m, r: T = m * n) {
        qr_into(a, m, n, true, q, r)
    }

    /// [`svd`](super::svd()) of `batch` matrices; `s` is of the real type of `kind`.
    svd_batched<T>(full_matrices: bool)[m, n](a: T = m * n) -> (
        u: T = m * if full_matrices { m } else { m.min(n) },
        s: T::Magnitude = m.min(n),
        vh: T = n * if full_matrices { n } else { m.min(n) }
    ) {
        svd_into(a, m, n, full_matrices, u, s, vh)
    }

    /// [`svdvals`](super::svdvals) of `batch` matrices; `s` is of the real type of `kind`.
    svdvals_batched<T>()[m, n](a: T = m * n) -> (s: T::Magnitude = m.min(n)) {
        svdvals_into(a, m, n, s)
    }

    /// [`cholesky`](super::cholesky()) of `batch` matrices.
    cholesky_batched<T>()[n](a: T = n * n) -> (l: T = n * n) {
        cholesky_into(a, n, l)
    }

    /// [`solve`](super::solve()) for `batch` matrices, each with `k` right-hand sides.
    solve_batched<T>()[n, k](a: T = n * n, b: T = n * k) -> (x: T = n * k) {
        x.copy_from_slice(b);
        solve_in_place(a, x, n, k)
    }

    /// [`solve_triangular`](super::solve_triangular) for `batch` matrices, each with `k` right-hand sides.
    solve_triangular_batched<T>(triangle: Triangle)[n, k](a: T = n * n, b: T = n * k) -> (x: T = n * k) {
        x.copy_from_slice(b);
        solve_triangular_in_place(triangle, a, x, n, k)
    }

    /// [`inv`](super::inv) of `batch` matrices.
    inv_batched<T>()[n](a: T = n * n) -> (inverse: T = n * n) {
        inv_into(a, n, inverse)
    }

    /// [`det`](super::det) of `batch` matrices, one number each.
    det_batched<T>()[n](a: T = n * n) -> (determinant: T = 1) {
        determinant[0] = det(a, n)?;
        Ok(())
    }

    /// [`slogdet`](super::slogdet) of `batch` matrices, one pair of numbers each; `logabsdet` is of the real type of `kind`.
    slogdet_batched<T>()[n](a: T = n * n) -> (sign: T = 1, logabsdet: T::Magnitude = 1) {
        (sign[0], logabsdet[0]) = slogdet(a, n)?;
        Ok(())
    }

    /// [`lu`](super::lu()) of `batch` matrices.
    lu_batched<T>()[m, n](a: T = m * n) -> (p: T = m * m, l: T = m * m.min(n), u: T = m.min(n) * n) {
        lu_into(a, m, n, p, l, u)
    }

    /// [`eigh`](super::eigh()) of `batch` matrices; `values` are of the real type of `kind`.
    eigh_batched<T>()[n](a: T = n * n) -> (values: T::Magnitude = n, vectors: T = n * n)
    all if { n <= small::ORDER } { small::eigh(a, n, values, Some(vectors)) }
    {
        eigh_into(a, n, values, Some(vectors))
    }

    /// [`eigvalsh`](super::eigvalsh) of `batch` matrices; `values` are of the real type of `kind`.
    eigvalsh_batched<T>()[n](a: T = n * n) -> (values: T::Magnitude = n)
    all if { n <= small::ORDER } { small::eigh(a, n, values, None) }
    {
        eigh_into(a, n, values, None)
    }

    /// [`eig`](super::eig()) of `batch` matrices; `values` and `vectors` are of the complex type that belongs to `kind`.
    eig_batched<T>()[n](a: T = n * n) -> (values: T::Complex = n, vectors: T::Complex = n * n) {
        eig_into(a, n, values, Some(vectors))
    }

    /// [`eigvals`](super::eigvals) of `batch` matrices; `values` are of the complex type that belongs to `kind`.
    eigvals_batched<T>()[n](a: T = n * n) -> (values: T::Complex = n) {
        eig_into(a, n, values, None)
    }

    /// [`lstsq`](super::lstsq()) for `batch` matrices, each with `k` right-hand sides; `residuals` and `s` are of the real
    /// type of `kind`, `rank` is one `i32` each.
    lstsq_batched<T>(rcond: Option<f64>)[m, n, k](a: T = m * n, b: T = m * k) -> (
        x: T = n * k,
        residuals: T::Magnitude = k,
        rank: i32 = 1,
        s: T::Magnitude = m.min(n)
    ) {
        rank[0] = lstsq_into(a, b, [m, n, k], rcond, x, residuals, s)? as i32;
        Ok(())
    }

    /// [`expm`](super::expm()) of `batch` matrices.
    expm_batched<T>()[n](a: T = n * n) -> (result: T = n * n) {
        expm_into(a, n, result)
    }
}
