//! How ops are lowered to XLA's instructions, so that they mean what NumPy means.
//!
//! [`lowering`] decides, and [`lower`] writes what is native, one function for each class of ops. Promotion is done: inputs
//! have the dtypes of the op's signature. XLA flushes subnormal numbers to zero, and contracts products and sums into one
//! rounding; nothing here can change that.

mod complex;
mod elementwise;
mod order;
mod products;
mod reduce;
mod shape;

use smallvec::SmallVec;

use super::module::{Purpose, Value, Writer};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    Class, ContractOp, FourierOp, IndexOp, JoinOp, LinalgOp, MapOp, Op, OperandType, ReduceOp,
    ScanOp, SortOp, Type, ViewOp,
};
use autojit_library::backend::Lowering;
pub(super) use shape::astype;

/// How an op is lowered in a module for some purpose. Leaves count as native: the lowering of the graph provides them.
pub(super) fn lowering(op: &Op, operands: &[OperandType<'_>], purpose: Purpose) -> Lowering {
    use Lowering::{Call, Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } => Native,
        Op::Map(op) => map_lowering(*op, operands, purpose),
        Op::Reduce(op) => match op {
            ReduceOp::SumWhere { .. } => Expand,
            ReduceOp::Sum { .. }
            | ReduceOp::Prod { .. }
            | ReduceOp::Max { .. }
            | ReduceOp::Min { .. }
            | ReduceOp::Any { .. }
            | ReduceOp::All { .. }
            | ReduceOp::Argmax { .. }
            | ReduceOp::Argmin { .. } => Native,
        },
        Op::Scan(ScanOp::Cumsum { .. } | ScanOp::Cumprod { .. })
        | Op::Sort(SortOp::Sort { .. } | SortOp::Argsort { .. }) => Native,
        Op::Contract(op) => match op {
            ContractOp::Matmul | ContractOp::Tensordot { .. } => Native,
            ContractOp::Einsum { .. } => Expand,
        },
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        ) => Native,
        Op::Index(op) => match op {
            IndexOp::Getitem { key } if key.arrays() > 0 => Expand,
            IndexOp::Scatter { .. } => Expand,
            IndexOp::Getitem { .. } | IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } => Native,
        },
        Op::Join(JoinOp::Concatenate { .. } | JoinOp::Stack { .. }) => Native,
        Op::Linalg(op) => match op {
            LinalgOp::Norm { .. } => Expand,
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
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        // Registered functions are called between programs, see `backend/stages.rs`.
        Op::Random { .. } | Op::Opaque { .. } => Call,
    }
}

fn map_lowering(op: MapOp, operands: &[OperandType<'_>], purpose: Purpose) -> Lowering {
    use Lowering::{Call, Expand, Native};
    let class = operands.first().map(|x| x.ty.dtype.class());
    match op {
        MapOp::Reciprocal | MapOp::IsInf | MapOp::IsFinite => Expand,
        MapOp::Lgamma => Call,
        MapOp::Exp2
        | MapOp::Expm1
        | MapOp::Log2
        | MapOp::Log10
        | MapOp::Log1p
        | MapOp::Sin
        | MapOp::Cos
        | MapOp::Tan
        | MapOp::Arcsin
        | MapOp::Arccos
        | MapOp::Arctan
        | MapOp::Sinh
        | MapOp::Cosh
        | MapOp::Tanh
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
            if class == Some(Class::Complex) =>
        {
            Call
        }
        MapOp::Power => match class {
            Some(Class::Complex) => Call,
            Some(Class::Integer) => {
                // XLA looks at the last six bits of exponents alone; besides, negative ones are refused by the call.
                let exponent = operands.get(1).and_then(|y| y.known);
                match exponent {
                    Some(y) if (0..64).contains(&y.value.to_i64()) => Native,
                    _ => Call,
                }
            }
            Some(Class::Bool | Class::Float) | None => Native,
        },
        // The call checks it; a module for others leaves the check out.
        MapOp::WrapIndex { size, .. } => {
            let known = operands.first().and_then(|x| x.known);
            let is_in_range = known.is_some_and(|index| shape::wrapped(index, size).is_some());
            match purpose {
                Purpose::Save => Native,
                Purpose::Run if is_in_range => Native,
                Purpose::Run => Call,
            }
        }
        MapOp::Exp2
        | MapOp::Expm1
        | MapOp::Log2
        | MapOp::Log10
        | MapOp::Log1p
        | MapOp::Sin
        | MapOp::Cos
        | MapOp::Tan
        | MapOp::Arcsin
        | MapOp::Arccos
        | MapOp::Arctan
        | MapOp::Sinh
        | MapOp::Cosh
        | MapOp::Tanh
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
        | MapOp::Negative
        | MapOp::Absolute
        | MapOp::Square
        | MapOp::Sign
        | MapOp::Sqrt
        | MapOp::Exp
        | MapOp::Log
        | MapOp::Conj
        | MapOp::Real
        | MapOp::Imag
        | MapOp::LogicalNot
        | MapOp::IsNan
        | MapOp::Floor
        | MapOp::Ceil
        | MapOp::Trunc
        | MapOp::Rint
        | MapOp::Cbrt
        | MapOp::Erf
        | MapOp::Invert
        | MapOp::Add
        | MapOp::Subtract
        | MapOp::Multiply
        | MapOp::Divide
        | MapOp::FloorDivide
        | MapOp::Remainder
        | MapOp::Arctan2
        | MapOp::Maximum
        | MapOp::Minimum
        | MapOp::Equal
        | MapOp::NotEqual
        | MapOp::Less
        | MapOp::LessEqual
        | MapOp::Greater
        | MapOp::GreaterEqual
        | MapOp::LogicalAnd
        | MapOp::LogicalOr
        | MapOp::LogicalXor
        | MapOp::Fmod
        | MapOp::Hypot
        | MapOp::Copysign
        | MapOp::BitwiseAnd
        | MapOp::BitwiseOr
        | MapOp::BitwiseXor
        | MapOp::LeftShift
        | MapOp::RightShift
        | MapOp::Where
        | MapOp::Astype { .. } => Native,
    }
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
        Op::Join(op) => shape::join(w, op, inputs, result),
        Op::Fourier(op) => products::transform(w, x, op.transform(), result),
        Op::Leaf(_) | Op::Get { .. } | Op::Linalg(_) | Op::Random { .. } | Op::Opaque { .. } => {
            return Err(not_native(op.name()));
        }
    };
    Ok(SmallVec::from_iter([value]))
}

/// The error for an op that was to be lowered natively although [`lowering`] says otherwise.
fn not_native(op: &str) -> Error {
    Error::internal(format!("{op} on these operands is not native in XLA"))
}
