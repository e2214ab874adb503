//! How ops are lowered to libtorch's functions, so that they mean what NumPy means.
//!
//! [`lowering`] decides, and [`lower`] does what is native, one function for each class of ops. Promotion is done:
//! inputs have the dtypes of the op's signature. Random draws are made in main memory, so that they are the same
//! numbers as everywhere.

mod elementwise;
mod least_squares;
mod linalg;
mod order;
mod reduce;
mod scatter;
mod shape;

use smallvec::SmallVec;

use super::functions::Torch;
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, ContractOp, DType, FourierOp, IndexOp, JoinOp, LinalgOp, MapOp, NormOrder, Op,
    OperandType, ReduceOp, ScanOp, SortOp, Type, ViewOp,
};
use autojit_library::backend::Lowering;

/// The results of an op: one, except for decompositions.
pub(super) type Values<V> = SmallVec<[V; 1]>;

/// How an op is lowered, eagerly as in modules. Leaves and draws count as native: the lowering of the graph provides them.
pub fn lowering(op: &Op, operands: &[OperandType<'_>]) -> Lowering {
    use Lowering::{Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } | Op::Random { .. } => Native,
        Op::Map(op) => match op {
            MapOp::Reciprocal => Expand,
            MapOp::Negative
            | MapOp::Absolute
            | MapOp::Square
            | MapOp::Sign
            | MapOp::Sqrt
            | MapOp::Exp
            | MapOp::Exp2
            | MapOp::Expm1
            | MapOp::Log
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
            | MapOp::Conj
            | MapOp::Real
            | MapOp::Imag
            | MapOp::LogicalNot
            | MapOp::IsNan
            | MapOp::IsInf
            | MapOp::IsFinite
            | MapOp::Floor
            | MapOp::Ceil
            | MapOp::Trunc
            | MapOp::Rint
            | MapOp::Cbrt
            | MapOp::Arcsinh
            | MapOp::Arccosh
            | MapOp::Arctanh
            | MapOp::Erf
            | MapOp::Lgamma
            | MapOp::Invert
            | MapOp::Add
            | MapOp::Subtract
            | MapOp::Multiply
            | MapOp::Divide
            | MapOp::FloorDivide
            | MapOp::Remainder
            | MapOp::Power
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
            | MapOp::Astype { .. }
            | MapOp::WrapIndex { .. } => Native,
        },
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
            ContractOp::Matmul => Native,
            // libtorch multiplies no booleans.
            ContractOp::Tensordot { .. } => match operands.first() {
                Some(x) if x.ty.dtype == DType::Bool => Expand,
                _ => Native,
            },
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
            LinalgOp::Norm { order, .. } if *order != NormOrder::Default => Expand,
            LinalgOp::Norm { .. }
            | LinalgOp::Qr { .. }
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
            | LinalgOp::Lstsq { .. } => Native,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        Op::Opaque { function } => Lowering::Unsupported(Error::unsupported(format!(
            "a TorchScript module has no way to call the registered function {}",
            function.name()
        ))),
    }
}

/// Runs an op whose lowering is native, or writes it down.
///
/// # Errors
/// libtorch fails; an internal error for what is not native.
pub fn lower<T: Torch>(
    t: &mut T,
    op: &Op,
    inputs: &[&T::Value],
    types: &[&ArrayType],
    result: &Type,
) -> Result<Values<T::Value>> {
    let (Some(&x), Some(&ty)) = (inputs.first(), types.first()) else {
        return Err(not_native(op.name()));
    };
    let value = match op {
        Op::Map(op) => elementwise::lower(t, *op, inputs, ty, result.array()?.size())?,
        Op::Reduce(op) => reduce::lower(t, op, x, ty)?,
        Op::Scan(op) => reduce::scan(t, op, x)?,
        Op::Sort(op) => reduce::sort(t, op, x, ty)?,
        Op::Contract(op) => linalg::contract(t, op, inputs, types)?,
        Op::View(op) => shape::view(t, op, x, ty)?,
        Op::Index(op) => shape::index(t, op, inputs, types)?,
        Op::Join(op) => shape::join(t, op, inputs)?,
        Op::Linalg(op) => return linalg::lower(t, op, inputs, types, result),
        Op::Fourier(op) => linalg::transform(t, op.transform(), x, ty, result.array()?)?,
        Op::Leaf(_) | Op::Get { .. } | Op::Random { .. } | Op::Opaque { .. } => {
            return Err(not_native(op.name()));
        }
    };
    Ok(one(value))
}

/// The error for an op that was to be lowered natively although [`lowering`] says otherwise.
fn not_native(op: &str) -> Error {
    Error::internal(format!("{op} on these operands is not native in torch"))
}

fn one<V>(value: V) -> Values<V> {
    Values::from_buf([value])
}

/// Axes and sizes as libtorch takes them.
fn ints(numbers: &[usize]) -> SmallVec<[i64; 4]> {
    numbers.iter().map(|&n| n as i64).collect()
}
