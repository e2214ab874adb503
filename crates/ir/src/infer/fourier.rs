//! Rules of Fourier transforms along one axis.
//!
//! Booleans and integers are transformed as `float64`.

use super::Signature;
use crate::FourierNorm;
use crate::error::{Error, Result};
use crate::types::{ArrayType, DType, Type};

/// The type with another length along the axis.
fn along(ty: &ArrayType, axis: usize, length: usize, dtype: DType) -> Result<ArrayType> {
    let mut result = ty.with_dtype(dtype);
    match result.shape.get_mut(axis) {
        Some(size) => *size = length,
        None => {
            return Err(Error::index(format!(
                "axis {axis} is out of range for {ty}"
            )));
        }
    }
    Ok(result)
}

fn check_length(n: usize, ty: &ArrayType) -> Result<()> {
    if n == 0 {
        return Err(Error::value(format!(
            "a Fourier transform needs at least one element, got length 0 for {ty}"
        )));
    }
    Ok(())
}

pub(crate) fn fft(
    n: &usize,
    axis: &usize,
    _norm: &FourierNorm,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    check_length(*n, ty)?;
    let dtype = ty.dtype.floating().promote(DType::Complex64);
    Signature::uniform(1, dtype, along(ty, *axis, *n, dtype)?)
}

pub(crate) fn ifft(
    n: &usize,
    axis: &usize,
    norm: &FourierNorm,
    inputs: &[&Type],
) -> Result<Signature> {
    fft(n, axis, norm, inputs)
}

pub(crate) fn rfft(
    n: &usize,
    axis: &usize,
    _norm: &FourierNorm,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    if ty.dtype.is_complex() {
        return Err(Error::dtype(format!("expected real numbers, got {ty}")));
    }
    check_length(*n, ty)?;
    let dtype = ty.dtype.floating();
    let result = along(ty, *axis, n / 2 + 1, dtype.promote(DType::Complex64))?;
    Signature::uniform(1, dtype, result)
}

pub(crate) fn irfft(
    n: &usize,
    axis: &usize,
    _norm: &FourierNorm,
    inputs: &[&Type],
) -> Result<Signature> {
    let ty = inputs[0].array()?;
    check_length(*n, ty)?;
    let dtype = ty.dtype.floating().promote(DType::Complex64);
    Signature::uniform(1, dtype, along(ty, *axis, *n, dtype.real())?)
}
