//! Transposed Fourier transforms: transforms in the other direction, scaled as the one that is transposed.

use super::super::writer::Writer;
use crate::error::Result;
use crate::fourier::{Fourier, FourierKind};
use crate::types::{ArrayType, DType};
use crate::{FourierNorm, FourierOp, Node, Scalar, ValueId};

pub(super) fn of_transform(
    w: &mut Writer,
    transform: Fourier,
    node: &Node,
    ct: ValueId,
) -> Result<ValueId> {
    let Fourier {
        kind,
        n,
        axis,
        norm,
    } = transform;
    // The scale of the other direction that is that of this one.
    let norm = match norm {
        FourierNorm::Backward => FourierNorm::Forward,
        FourierNorm::Ortho => FourierNorm::Ortho,
        FourierNorm::Forward => FourierNorm::Backward,
    };
    let result = match kind {
        FourierKind::Forward => w.op(FourierOp::Ifft { n, axis, norm }, &[ct])?,
        FourierKind::Inverse => w.op(FourierOp::Fft { n, axis, norm }, &[ct])?,
        FourierKind::Real => {
            let ct = weighed(w, ct, n, axis, 0.5)?;
            w.op(FourierOp::Irfft { n, axis, norm }, &[ct])?
        }
        FourierKind::RealInverse => {
            let half = w.op(FourierOp::Rfft { n, axis, norm }, &[ct])?;
            weighed(w, half, n, axis, 2.0)?
        }
    };
    // Elements beyond the length did not take part; zeros that were appended have no cotangent.
    let length = w.shape(node.inputs[0])?[axis];
    w.resize(result, axis, length)
}

/// Multiplies the elements of half a spectrum that stand for two of the whole one.
fn weighed(w: &mut Writer, x: ValueId, n: usize, axis: usize, weight: f64) -> Result<ValueId> {
    let ty = w.ty(x)?;
    let dtype: DType = ty.dtype.real();
    let is_single = |i: usize| i == 0 || 2 * i == n;
    let weights = (0..ty.shape[axis]).map(|i| if is_single(i) { 1.0 } else { weight });
    let weights: Vec<Scalar> = weights.map(|x| Scalar::Float(x).cast(dtype)).collect();
    let mut shape = ty.shape.clone();
    shape.iter_mut().for_each(|n| *n = 1);
    shape[axis] = ty.shape[axis];
    let weights = w.constant(&ArrayType { dtype, shape }, &weights)?;
    w.mul(x, weights)
}
