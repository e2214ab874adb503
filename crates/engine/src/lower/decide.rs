//! Which ops the engine compiles as they are. Graphs come in the form of core ops, so all others were expanded before.

use autojit_ir::{
    ContractOp, Error, FourierOp, IndexOp, JoinOp, LinalgOp, MapOp, Op, OperandType, ReduceOp,
    ScanOp, SortOp, ViewOp,
};
use autojit_library::backend::Lowering;

use super::Axes;

/// How an op is lowered.
pub(crate) fn decide(op: &Op, operands: &[OperandType<'_>]) -> Lowering {
    use Lowering::{Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } => Native,
        Op::Map(op) => match op {
            MapOp::Square
            | MapOp::Reciprocal
            | MapOp::IsNan
            | MapOp::IsInf
            | MapOp::IsFinite
            | MapOp::Greater
            | MapOp::GreaterEqual
            | MapOp::LogicalXor => Expand,
            MapOp::Negative
            | MapOp::Absolute
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
            | MapOp::LogicalAnd
            | MapOp::LogicalOr
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
            | ReduceOp::All { .. } => match operands.first().map_or(0, |x| x.ty.ndim()) {
                rank if rank > Axes::LIMIT => Lowering::Unsupported(Error::unsupported(format!(
                    "the cranelift backend does not reduce arrays with {rank} axes"
                ))),
                _ => Native,
            },
            ReduceOp::Argmax { .. } | ReduceOp::Argmin { .. } => Native,
        },
        Op::Scan(ScanOp::Cumsum { .. } | ScanOp::Cumprod { .. })
        | Op::Sort(SortOp::Sort { .. } | SortOp::Argsort { .. }) => Native,
        Op::Contract(op) => match op {
            ContractOp::Matmul => Native,
            ContractOp::Tensordot { .. } | ContractOp::Einsum { .. } => Expand,
        },
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        ) => Native,
        Op::Index(op) => match op {
            IndexOp::Getitem { .. } | IndexOp::Scatter { .. } => Expand,
            IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } => Native,
        },
        Op::Join(op) => match op {
            JoinOp::Concatenate { .. } => Native,
            JoinOp::Stack { .. } => Expand,
        },
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
            | LinalgOp::Lstsq { .. } => Native,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        // Steps of the program, on its own memory.
        Op::Random { .. } | Op::Opaque { .. } => Native,
    }
}
