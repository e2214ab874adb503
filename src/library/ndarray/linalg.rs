//! Decompositions of matrices, by the runtime's batched functions.

use autojit_runtime::abi::Failure;
use autojit_runtime::linalg::{qr_batched, svd_batched};
use num_complex::{Complex32, Complex64};

use super::reduce::kind;
use super::strided::from_vec;
use super::{Concrete, Results};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, Element, HostArray, Type};

/// What a failure of the runtime means to a user.
fn failure(failure: Failure, x: &HostArray) -> Error {
    match failure {
        Failure::NoConvergence => {
            Error::linear_algebra("the singular value decomposition did not converge")
        }
        Failure::Singular => Error::linear_algebra(format!("{failure}, got {}", x.ty())),
        other => Error::internal(other),
    }
}

/// Batch size, rows and columns.
fn matrices(x: &HostArray) -> Result<(usize, usize, usize)> {
    match x.shape() {
        [batch @ .., m, n] => Ok((batch.iter().product(), *m, *n)),
        _ => Err(super::unexpected(x)),
    }
}

fn zeros<T: Element>(ty: &ArrayType) -> Vec<T> {
    vec![T::default(); ty.size()]
}

/// The reduced QR decomposition: `(q, r)`.
pub(super) fn qr(x: &HostArray, result: &Type) -> Result<Results> {
    match x {
        HostArray::Float32(_) => qr_typed::<f32>(x, result),
        HostArray::Float64(_) => qr_typed::<f64>(x, result),
        HostArray::Complex64(_) => qr_typed::<Complex32>(x, result),
        HostArray::Complex128(_) => qr_typed::<Complex64>(x, result),
        other => Err(super::unexpected(other)),
    }
}

fn qr_typed<T: Element>(x: &HostArray, result: &Type) -> Result<Results> {
    let (batch, m, n) = matrices(x)?;
    let [q_type, r_type] = result.arrays() else {
        return Err(super::unexpected(x));
    };
    let (mut q, mut r) = (zeros::<T>(q_type), zeros::<T>(r_type));
    let x = x.to_contiguous();
    // SAFETY: `x` is contiguous, and the results have the sizes that inference gives for its shape.
    unsafe {
        qr_batched(
            kind(x.dtype()),
            batch,
            m,
            n,
            x.as_ptr(),
            q.as_mut_ptr().cast(),
            r.as_mut_ptr().cast(),
        )
    }
    .map_err(|f| failure(f, &x))?;
    Ok(Results::from_iter([
        Concrete::Ndarray(from_vec(&q_type.shape, q)?),
        Concrete::Ndarray(from_vec(&r_type.shape, r)?),
    ]))
}

/// The singular value decomposition: `(u, s, vh)`.
pub(super) fn svd(x: &HostArray, full_matrices: bool, result: &Type) -> Result<Results> {
    match x {
        HostArray::Float32(_) => svd_typed::<f32, f32>(x, full_matrices, result),
        HostArray::Float64(_) => svd_typed::<f64, f64>(x, full_matrices, result),
        HostArray::Complex64(_) => svd_typed::<Complex32, f32>(x, full_matrices, result),
        HostArray::Complex128(_) => svd_typed::<Complex64, f64>(x, full_matrices, result),
        other => Err(super::unexpected(other)),
    }
}

fn svd_typed<T: Element, R: Element>(
    x: &HostArray,
    full_matrices: bool,
    result: &Type,
) -> Result<Results> {
    let (batch, m, n) = matrices(x)?;
    let [u_type, s_type, vh_type] = result.arrays() else {
        return Err(super::unexpected(x));
    };
    let (mut u, mut s, mut vh) = (zeros::<T>(u_type), zeros::<R>(s_type), zeros::<T>(vh_type));
    let x = x.to_contiguous();
    // SAFETY: `x` is contiguous, and the results have the sizes that inference gives for its shape.
    unsafe {
        svd_batched(
            kind(x.dtype()),
            full_matrices,
            batch,
            m,
            n,
            x.as_ptr(),
            u.as_mut_ptr().cast(),
            s.as_mut_ptr().cast(),
            vh.as_mut_ptr().cast(),
        )
    }
    .map_err(|f| failure(f, &x))?;
    Ok(Results::from_iter([
        Concrete::Ndarray(from_vec(&u_type.shape, u)?),
        Concrete::Ndarray(from_vec(&s_type.shape, s)?),
        Concrete::Ndarray(from_vec(&vh_type.shape, vh)?),
    ]))
}
