//! Functions of matrices written with decompositions.

use super::{Builder, Expanded};
use crate::types::Dims;
use crate::{Cutoff, LinalgOp, MapOp, Op, ReduceOp, ValueId};

/// `numpy.linalg.pinv`: `v s^-1 u^H`, where singular values, or moduli of eigenvalues, up to the cutoff count as zero.
pub(crate) fn pinv(
    rcond: &Cutoff,
    hermitian: &bool,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let x = x[0];
    let ty = b.ty(x)?;
    let rows = ty.ndim() - 2;
    let (m, n) = (ty.shape[rows], ty.shape[rows + 1]);
    if m == 0 || n == 0 {
        return swapped(b, x);
    }
    let (u, values, v) = if *hermitian {
        let eigh = b.push(LinalgOp::Eigh.into(), &[x])?;
        let [values, v] = [0, 1].map(|index| b.push(Op::Get { index }, &[eigh]));
        let v = v?;
        (v, values?, v)
    } else {
        let svd = b.push(
            LinalgOp::Svd {
                full_matrices: false,
            }
            .into(),
            &[x],
        )?;
        let [u, values, vh] = [0, 1, 2].map(|index| b.push(Op::Get { index }, &[svd]));
        (u?, values?, adjoint(b, vh?)?)
    };
    let real = ty.dtype.real();
    let part = rcond.rcond().unwrap_or(real.epsilon() * m.max(n) as f64);
    let sizes = b.push(MapOp::Absolute.into(), &[values])?;
    let max = ReduceOp::Max {
        axes: Dims::from_slice(&[rows]),
        keepdims: true,
    };
    let largest = b.push(max.into(), &[sizes])?;
    let part = b.literal(part, real);
    let limit = b.push(MapOp::Multiply.into(), &[part, largest])?;
    let counts = b.push(MapOp::Greater.into(), &[sizes, limit])?;
    let (one, zero) = (b.literal(1, real), b.literal(0, real));
    let inverse = b.push(MapOp::Divide.into(), &[one, values])?;
    let inverse = b.push(MapOp::Where.into(), &[counts, inverse, zero])?;
    let mut column = b.ty(inverse)?.shape;
    column.push(1);
    let inverse = b.reshape(inverse, &column)?;
    let u = adjoint(b, u)?;
    let scaled = b.push(MapOp::Multiply.into(), &[inverse, u])?;
    b.push(crate::ContractOp::Matmul.into(), &[v, scaled])
}

/// The matrices with rows and columns exchanged.
fn swapped(b: &mut Builder<'_>, x: ValueId) -> Expanded {
    let ndim = b.ty(x)?.ndim();
    let mut perm: Dims = (0..ndim).collect();
    perm.swap(ndim - 2, ndim - 1);
    b.transpose(x, perm)
}

fn adjoint(b: &mut Builder<'_>, x: ValueId) -> Expanded {
    let mut x = x;
    if b.ty(x)?.dtype.is_complex() {
        x = b.push(MapOp::Conj.into(), &[x])?;
    }
    swapped(b, x)
}
