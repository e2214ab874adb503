//! How ops are lowered to XLA's instructions, so that they mean what NumPy means.
//!
//! [`lowering`] decides, and [`lower`] writes what is native, one function for each class of ops. Promotion is done: inputs
//! have the dtypes of the op's signature. XLA flushes subnormal numbers to zero, and contracts products and sums into one
//! rounding; nothing here can change that.

mod complex;
mod elementwise;
mod order;
mod parts;
mod products;
mod real;
mod reduce;
mod shape;

use smallvec::SmallVec;

use super::module::{Purpose, Value, Writer};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ContractOp, ControlOp, DType, FourierOp, IndexOp, JoinOp, LinalgOp, MapOp, Op, OperandType,
    ReduceOp, ScanOp, SortOp, Type, ViewOp, derived, is_widened,
};
use autojit_library::backend::Lowering;
pub(super) use shape::astype;

/// How an op is lowered in a module for some purpose. Leaves count as native: the lowering of the graph provides them.
pub(super) fn lowering(op: &Op, operands: &[OperandType<'_>], purpose: Purpose) -> Lowering {
    use Lowering::{Call, Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } => Native,
        // Int64 is drawn, and converted.
        Op::Random { ty, .. } if ty.dtype.is_stored() => Expand,
        // Registered functions are called between programs, see `backend/stages.rs`.
        Op::Random { .. } | Op::Opaque { .. } => Call,
        // The process dies in XLA 2.21 for the processor where it fuses bitwise logic with what made an integer shorter.
        Op::Map(MapOp::BitwiseAnd | MapOp::BitwiseOr | MapOp::BitwiseXor | MapOp::Invert)
            if let Some(dtype) = operands.iter().map(|x| x.ty.dtype).find(is_short) =>
        {
            Lowering::Unsupported(Error::unsupported(format!(
                "XLA fails on bitwise logic of {dtype}"
            )))
        }
        op if is_widened(op, operands.iter().map(|operand| operand.ty.dtype)) => Expand,
        Op::Map(op) => elementwise::lowering(*op, operands, purpose),
        Op::Reduce(op) => match op {
            ReduceOp::Sum { .. }
            | ReduceOp::Prod { .. }
            | ReduceOp::Max { .. }
            | ReduceOp::Min { .. }
            | ReduceOp::Any { .. }
            | ReduceOp::All { .. }
            | ReduceOp::Argmax { .. }
            | ReduceOp::Argmin { .. } => Native,
            derived!(ReduceOp) => Expand,
        },
        Op::Scan(ScanOp::Cumsum { .. } | ScanOp::Cumprod { .. })
        | Op::Sort(SortOp::Sort { .. } | SortOp::Argsort { .. }) => Native,
        Op::Contract(op) => match op {
            ContractOp::Matmul | ContractOp::Tensordot { .. } => Native,
            derived!(ContractOp) => Expand,
        },
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        ) => Native,
        Op::Index(op) => match op {
            IndexOp::Getitem { key } if key.arrays() == 0 => Native,
            IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } => Native,
            derived!(IndexOp) => Expand,
        },
        Op::Join(op) => match op {
            JoinOp::Concatenate { .. } | JoinOp::Stack { .. } => Native,
            derived!(JoinOp) => Expand,
        },
        Op::Linalg(op) => match op {
            LinalgOp::Qr { .. }
            | LinalgOp::Svd { .. }
            | LinalgOp::Svdvals
            | LinalgOp::Eigh
            | LinalgOp::Eigvalsh
            | LinalgOp::Eig
            | LinalgOp::Eigvals
            | LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::Inv
            | LinalgOp::Det
            | LinalgOp::Slogdet
            | LinalgOp::Expm
            | LinalgOp::Solve
            | LinalgOp::SolveTriangular { .. }
            | LinalgOp::Lstsq { .. } => Call,
            derived!(LinalgOp) => Expand,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
        ) if op.any(&|op| matches!(op, Op::Opaque { .. })) => {
            Lowering::Unsupported(Error::unsupported(
                "XLA calls registered functions between its programs, so not inside of a loop or a branch",
            ))
        }
        Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
        ) => Native,
    }
}

/// Whether integers are made shorter for this dtype.
fn is_short(dtype: &DType) -> bool {
    dtype.is_stored() && dtype.size() < DType::Int64.size()
}

/// Writes an op whose lowering is native.
///
/// # Errors
/// An internal error for what is not native.
pub(super) fn lower(
    w: &mut Writer,
    op: &Op,
    inputs: &[&Value],
    result: &Type,
) -> Result<SmallVec<[Value; 2]>> {
    let (Some(&x), Type::Array(result)) = (inputs.first(), result) else {
        return Err(not_native(op.name()));
    };
    let value = match op {
        Op::Map(op) => elementwise::lower(w, *op, inputs, result)?,
        Op::Reduce(op) => reduce::lower(w, op, x, result)?,
        Op::Scan(op) => reduce::scan(w, op, x, result)?,
        Op::Sort(op) => order::lower(w, op, x)?,
        Op::Contract(op) => products::lower(w, op, inputs, result)?,
        Op::View(op) => shape::view(w, op, x),
        Op::Index(op) => shape::index(w, op, inputs, result)?,
        Op::Join(op) => shape::join(w, op, inputs, result)?,
        Op::Fourier(op) => products::transform(w, x, op.transform(), result),
        Op::Leaf(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Linalg(_)
        | Op::Random { .. }
        | Op::Opaque { .. } => {
            return Err(not_native(op.name()));
        }
    };
    Ok(SmallVec::from_iter([value]))
}

/// The error for an op that was to be lowered natively although [`lowering`] says otherwise.
fn not_native(op: &str) -> Error {
    Error::internal(format!("{op} on these operands is not native in XLA"))
}
