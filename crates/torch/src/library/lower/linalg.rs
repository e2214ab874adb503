//! Products of arrays, decompositions of matrices, systems of equations, and Fourier transforms.

use super::super::functions::{Refusal, Torch};
use super::{Values, ints, least_squares, not_native, one, reduce};
use autojit_ir::error::Result;
use autojit_ir::{
    ArrayType, ContractOp, DType, Fourier, FourierKind, FourierNorm, LinalgOp, Literal, NormOrder,
    QrMode, Type, derived,
};

/// A sum of products.
pub(super) fn contract<T: Torch>(
    t: &mut T,
    op: &ContractOp,
    inputs: &[&T::Value],
    types: &[&ArrayType],
) -> Result<T::Value> {
    let (&[x, y], &[x_type, y_type]) = (inputs, types) else {
        return Err(not_native(op.name()));
    };
    match op {
        ContractOp::Matmul if x_type.dtype == DType::Bool => matmul_of_booleans(t, x, y),
        ContractOp::Matmul => t.matmul(x, y),
        ContractOp::Tensordot { x_axes, y_axes } => {
            if x_type.ndim() == 1 && y_type.ndim() == 1 && x_axes.len() == 1 {
                t.dot(x, y)
            } else {
                t.tensordot(x, y, &ints(x_axes), &ints(y_axes))
            }
        }
        derived!(ContractOp) => Err(not_native(op.name())),
    }
}

/// A norm, a decomposition or a system of equations.
#[allow(
    clippy::unnested_or_patterns,
    reason = "the pattern of derived ops is one of alternatives"
)]
pub(super) fn lower<T: Torch>(
    t: &mut T,
    op: &LinalgOp,
    inputs: &[&T::Value],
    types: &[&ArrayType],
    result: &Type,
) -> Result<Values<T::Value>> {
    let (Some(&x), Some(&ty)) = (inputs.first(), types.first()) else {
        return Err(not_native(op.name()));
    };
    let results = match (op, inputs, types) {
        (
            LinalgOp::Norm {
                order: NormOrder::Default,
                axes,
                keepdims,
            },
            ..,
        ) => one(reduce::norm(t, x, ty, axes.as_deref(), *keepdims)?),
        (LinalgOp::Qr { mode }, ..) => {
            let mode = match mode {
                QrMode::Reduced => "reduced",
                QrMode::Complete => "complete",
            };
            if ty.dtype != DType::Complex64 {
                return Ok(t.qr(x, mode)?.into_iter().collect());
            }
            // In single precision libtorch gives NaN for complex matrices of low rank (seen in 2.13).
            let wide = t.cast(x, DType::Complex128)?;
            let factors = t.qr(&wide, mode)?;
            let narrow = factors.iter().map(|x| t.cast(x, DType::Complex64));
            narrow.collect::<Result<_>>()?
        }
        (LinalgOp::Svd { full_matrices }, ..) => {
            refuse_not_finite(t, x, false)?;
            t.svd(x, *full_matrices)?.into_iter().collect()
        }
        (LinalgOp::Svdvals, ..) => {
            refuse_not_finite(t, x, false)?;
            one(t.svdvals(x)?)
        }
        (LinalgOp::Eigh, ..) => {
            refuse_not_finite(t, x, true)?;
            t.eigh(x)?.into_iter().collect()
        }
        (LinalgOp::Eigvalsh, ..) => {
            refuse_not_finite(t, x, true)?;
            one(t.eigvalsh(x)?)
        }
        (LinalgOp::Eig, ..) => {
            refuse_not_finite(t, x, false)?;
            t.eig(x)?.into_iter().collect()
        }
        (LinalgOp::Eigvals, ..) => {
            refuse_not_finite(t, x, false)?;
            one(t.eigvals(x)?)
        }
        (LinalgOp::Cholesky, ..) => one(t.cholesky(x)?),
        (LinalgOp::Lu, ..) => t.lu(x)?.into_iter().collect(),
        (LinalgOp::Inv, ..) => one(t.inv(x)?),
        (LinalgOp::Det, ..) => one(t.det(x)?),
        (LinalgOp::Slogdet, ..) => {
            // The sign of a matrix with NaN is 0 in libtorch.
            let [sign, logarithm] = t.slogdet(x)?;
            let nan = t.literal(Literal::new(f64::NAN, ty.dtype))?;
            let failed = t.isnan(&logarithm)?;
            let sign = t.select(&failed, &nan, &sign)?;
            Values::from_iter([sign, logarithm])
        }
        (LinalgOp::Lstsq { rcond }, [a, b], [a_type, b_type]) => {
            refuse_not_finite(t, a, false)?;
            least_squares::lower(t, *rcond, a, a_type, b, b_type, result)?
        }
        (LinalgOp::Expm, ..) => one(t.matrix_exp(x)?),
        (LinalgOp::Solve, [a, b], [a_type, b_type]) => {
            let columns = as_matrices(t, b, a_type, b_type)?;
            let solved = t.solve(a, &columns)?;
            one(t.reshape(&solved, &ints(&result.array()?.shape))?)
        }
        (
            LinalgOp::SolveTriangular {
                lower,
                unit_diagonal,
            },
            [a, b],
            [a_type, b_type],
        ) => {
            if !unit_diagonal {
                let diagonal = t.diagonal(a, 0, -2, -1)?;
                let zero = t.literal(Literal::new(0, a_type.dtype))?;
                let singular = t.eq(&diagonal, &zero)?;
                t.refuse_where(&singular, &diagonal, Refusal::Singular)?;
            }
            let columns = as_matrices(t, b, a_type, b_type)?;
            let solved = t.solve_triangular(a, &columns, !lower, *unit_diagonal)?;
            one(t.reshape(&solved, &ints(&result.array()?.shape))?)
        }
        (
            LinalgOp::Lstsq { .. }
            | LinalgOp::Solve
            | LinalgOp::SolveTriangular { .. }
            | derived!(LinalgOp),
            ..,
        ) => return Err(not_native(op.name())),
    };
    Ok(results)
}

/// Where not all is finite, libtorch gives anything for singular values and for Hermitian matrices, of which the lower
/// triangle is read, and ends the program for others.
fn refuse_not_finite<T: Torch>(t: &mut T, x: &T::Value, lower: bool) -> Result<()> {
    let read = if lower { t.tril(x, 0)? } else { t.share(x) };
    let (nan, infinite) = (t.isnan(&read)?, t.isinf(&read)?);
    let refused = t.bitwise_or(&nan, &infinite)?;
    t.refuse_where(&refused, &refused, Refusal::NotFinite)
}

/// A Fourier transform. libtorch refuses to transform what has no elements, which gives zeros.
pub(super) fn transform<T: Torch>(
    t: &mut T,
    fourier: Fourier,
    x: &T::Value,
    ty: &ArrayType,
    result: &ArrayType,
) -> Result<T::Value> {
    if ty.size() == 0 {
        let zero = t.literal(Literal::new(0, result.dtype))?;
        return t.expand(&zero, &ints(&result.shape));
    }
    let (n, axis) = (fourier.n as i64, fourier.axis as i64);
    let norm = match fourier.norm {
        FourierNorm::Backward => "backward",
        FourierNorm::Ortho => "ortho",
        FourierNorm::Forward => "forward",
    };
    match fourier.kind {
        FourierKind::Forward => t.fft(x, n, axis, norm),
        FourierKind::Inverse => t.ifft(x, n, axis, norm),
        FourierKind::Real => t.rfft(x, n, axis, norm),
        FourierKind::RealInverse => t.irfft(x, n, axis, norm),
    }
}

/// Right sides with at least as many axes as the matrices: libtorch takes what has fewer for vectors, where it can.
fn as_matrices<T: Torch>(
    t: &mut T,
    b: &T::Value,
    a_type: &ArrayType,
    b_type: &ArrayType,
) -> Result<T::Value> {
    let mut shape = b_type.shape.clone();
    if shape.len() == 1 {
        shape.push(1);
    }
    while shape.len() < a_type.ndim() {
        shape.insert(0, 1);
    }
    if shape == b_type.shape {
        return Ok(t.share(b));
    }
    t.reshape(b, &ints(&shape))
}

/// Whether any pair is true in both: libtorch multiplies no matrices of booleans.
fn matmul_of_booleans<T: Torch>(t: &mut T, x: &T::Value, y: &T::Value) -> Result<T::Value> {
    let (x, y) = (t.cast(x, DType::Int64)?, t.cast(y, DType::Int64)?);
    let counts = t.matmul(&x, &y)?;
    let zero = t.literal(Literal::new(0, DType::Int64))?;
    t.ne(&counts, &zero)
}
