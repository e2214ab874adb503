//! The support of ops by backends, by their [`Backend::lower`](super::Backend::lower): the source of the coverage table.

use autojit_ir::{ArrayType, Op, OperandType, Result, Type};
use autojit_library::backend::Support;

use super::find;

/// The support of an op on arguments of these types by the backend of this name.
///
/// ```
/// use autojit::ir::{MapOp, Op};
/// use autojit::{ArrayType, DType, Support, support};
/// let x = ArrayType::new(DType::Float64, &[3]);
/// assert!(matches!(support("replay", &Op::Map(MapOp::Sqrt), &[x])?, Support::Native));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is no such backend, or the op does not take arguments of these types.
pub fn support(backend: &str, op: &Op, arguments: &[ArrayType]) -> Result<Support> {
    let backend = find(backend)?;
    let types: Vec<Type> = arguments.iter().cloned().map(Type::from).collect();
    let signature = op.infer(&types.iter().collect::<Vec<_>>())?;
    let operands = arguments.iter().zip(&signature.operands);
    let converted: Vec<ArrayType> = operands
        .map(|(ty, dtype)| ty.with_dtype(dtype.unwrap_or(ty.dtype)))
        .collect();
    let operands: Vec<OperandType<'_>> = converted.iter().map(Into::into).collect();
    Ok(backend.lower(op, &operands).into())
}
