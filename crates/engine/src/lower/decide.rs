//! Which ops the engine compiles as they are. Graphs come in the form of core ops, so all others were expanded before.

use autojit_ir::scatter::ScatterMode;
use autojit_ir::{
    ContractOp, ControlOp, Error, FourierOp, IndexOp, JoinOp, LinalgOp, Op, OperandType, ReduceOp,
    ScanOp, SortOp, ViewOp, derived,
};
use autojit_library::backend::Lowering;

use super::Axes;

/// How an op is lowered.
pub(crate) fn decide(op: &Op, operands: &[OperandType<'_>]) -> Lowering {
    use Lowering::{Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } => Native,
        // The rest are core ops, for all of which `semantics::lower` writes loops.
        Op::Map(op) if op.has_expansion() => Expand,
        Op::Map(_) => Native,
        Op::Reduce(op) => match op {
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
            derived!(ReduceOp) => Expand,
        },
        Op::Scan(ScanOp::Cumsum { .. } | ScanOp::Cumprod { .. })
        | Op::Sort(SortOp::Sort { .. } | SortOp::Argsort { .. }) => Native,
        Op::Contract(op) => match op {
            ContractOp::Matmul => Native,
            derived!(ContractOp) => Expand,
        },
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        ) => Native,
        Op::Index(op) => match op {
            IndexOp::Take { .. } | IndexOp::ScatterFlat { .. } => Native,
            IndexOp::Scatter {
                key,
                mode: ScatterMode::Set,
            } if key.arrays() == 0 => Native,
            derived!(IndexOp) => Expand,
        },
        Op::Join(op) => match op {
            JoinOp::Concatenate { .. } => Native,
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
            | LinalgOp::Lstsq { .. } => Native,
            derived!(LinalgOp) => Expand,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        // Steps of the program, on its own memory.
        Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
        ) => Native,
        Op::Random { .. } | Op::Opaque { .. } => Native,
    }
}
