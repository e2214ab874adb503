//! Products of arrays, and decompositions of matrices.

use super::super::functions::Torch;
use super::{Values, ints, one};
use crate::error::Result;
use crate::ir::{ArrayType, DType, Literal, Op};

/// The ops of this file.
pub(super) fn spell<T: Torch>(
    t: &mut T,
    op: &Op,
    inputs: &[&T::Value],
    types: &[&ArrayType],
) -> Result<Option<Values<T::Value>>> {
    let (Some(&x), Some(&ty)) = (inputs.first(), types.first()) else {
        return Ok(None);
    };
    let is_bool = ty.dtype == DType::Bool;
    let results = match (op, inputs, types) {
        (Op::Matmul, [x, y], _) if is_bool => one(matmul_of_booleans(t, x, y)?),
        (Op::Matmul, [x, y], _) => one(t.matmul(x, y)?),
        (Op::Tensordot { x_axes, y_axes }, [x, y], [x_type, y_type]) if !is_bool => {
            let vectors = x_type.ndim() == 1 && y_type.ndim() == 1 && x_axes.len() == 1;
            one(if vectors {
                t.dot(x, y)?
            } else {
                t.tensordot(x, y, &ints(x_axes), &ints(y_axes))?
            })
        }
        (Op::Qr, ..) => t.qr(x, "reduced")?.into_iter().collect(),
        (Op::Svd { full_matrices }, ..) => t.svd(x, *full_matrices)?.into_iter().collect(),
        _ => return Ok(None),
    };
    Ok(Some(results))
}

/// Whether any pair is true in both: libtorch multiplies no matrices of booleans.
fn matmul_of_booleans<T: Torch>(t: &mut T, x: &T::Value, y: &T::Value) -> Result<T::Value> {
    let (x, y) = (t.cast(x, DType::Int64)?, t.cast(y, DType::Int64)?);
    let counts = t.matmul(&x, &y)?;
    let zero = t.literal(Literal::new(0, DType::Int64))?;
    t.ne(&counts, &zero)
}
