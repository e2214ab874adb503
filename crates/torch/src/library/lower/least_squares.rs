//! Least squares by singular values, as NumPy does it: libtorch's own leaves the cutoff to its driver, and the
//! residuals out for matrices of low rank.

use super::super::functions::Torch;
use super::{Values, ints};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Cutoff, DType, Literal, Type};

/// The solutions, residuals, rank and singular values for one matrix.
pub(super) fn lower<T: Torch>(
    t: &mut T,
    rcond: Cutoff,
    a: &T::Value,
    a_type: &ArrayType,
    b: &T::Value,
    b_type: &ArrayType,
    result: &Type,
) -> Result<Values<T::Value>> {
    let (m, n) = (a_type.shape[0], a_type.shape[1]);
    let (dtype, real) = (a_type.dtype, a_type.dtype.real());
    let sides = b_type.shape.get(1).copied().unwrap_or(1);
    let columns = t.reshape(b, &ints(&[m, sides]))?;

    let [u, s, vh] = t.svd(a, false)?;
    let zero = t.literal(Literal::new(0, real))?;
    let kept = if m.min(n) == 0 {
        t.gt(&s, &zero)?
    } else {
        let precision = match real {
            DType::Float32 => f64::from(f32::EPSILON),
            _ => f64::EPSILON,
        };
        let relative = match rcond.rcond() {
            None => precision * m.max(n) as f64,
            Some(rcond) if rcond < 0.0 => precision,
            Some(rcond) => rcond,
        };
        let relative = t.literal(Literal::new(relative, real))?;
        let largest = t.amax(&s, &[0], false)?;
        let bound = t.mul(&largest, &relative)?;
        t.gt(&s, &bound)?
    };
    let rank = t.cast(&kept, DType::Int32)?;
    let rank = t.sum(&rank, &[0], false)?;
    let rank = t.cast(&rank, DType::Int32)?;

    let one = t.literal(Literal::new(1, real))?;
    let inverses = t.div(&one, &s)?;
    let inverses = t.select(&kept, &inverses, &zero)?;
    let inverses = t.cast(&inverses, dtype)?;
    let inverses = t.reshape(&inverses, &ints(&[m.min(n), 1]))?;
    let projected = adjoint(t, &u, dtype)?;
    let projected = t.matmul(&projected, &columns)?;
    let scaled = t.mul(&inverses, &projected)?;
    let v = adjoint(t, &vh, dtype)?;
    let solutions = t.matmul(&v, &scaled)?;

    let reached = t.matmul(a, &solutions)?;
    let rest = t.sub(&columns, &reached)?;
    let rest = t.abs(&rest)?;
    let squares = t.mul(&rest, &rest)?;
    let residuals = t.sum(&squares, &[0], false)?;
    let shape = result.arrays().first().map(|ty| ints(&ty.shape));
    let solutions = t.reshape(&solutions, &shape.unwrap_or_default())?;
    Ok(Values::from_iter([solutions, residuals, rank, s]))
}

/// The conjugate transpose of one matrix.
fn adjoint<T: Torch>(t: &mut T, x: &T::Value, dtype: DType) -> Result<T::Value> {
    let transposed = t.permute(x, &[1, 0])?;
    if dtype.is_complex() {
        return t.conj(&transposed);
    }
    Ok(transposed)
}
