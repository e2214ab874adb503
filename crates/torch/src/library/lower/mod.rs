//! How ops are lowered to libtorch's functions, so that they mean what NumPy means.
//!
//! [`lowering`] decides, and [`lower`] does what is native, one function for each class of ops. Promotion is done:
//! inputs have the dtypes of the op's signature. Random draws are made in main memory, so that they are the same
//! numbers as everywhere.

mod elementwise;
mod least_squares;
mod linalg;
mod order;
mod parts;
mod reduce;
mod scatter;
mod shape;

use smallvec::SmallVec;

use super::functions::Torch;
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, ContractOp, ControlOp, DType, FourierOp, IndexOp, JoinOp, LinalgOp, NormOrder, Op,
    OperandType, ReduceOp, ScanOp, SortOp, Type, ViewOp, derived, is_widened,
};
use autojit_library::backend::Lowering;

/// The results of an op: one, except for decompositions.
pub(super) type Values<V> = SmallVec<[V; 1]>;

/// A reduction over several axes.
type Over<T> = fn(&mut T, &<T as Torch>::Value, &[i64], bool) -> Result<<T as Torch>::Value>;

/// How an op is lowered, eagerly as in modules. Leaves and draws count as native: the lowering of the graph provides them.
pub fn lowering(op: &Op, operands: &[OperandType<'_>]) -> Lowering {
    use Lowering::{Expand, Native};
    match op {
        Op::Leaf(_) | Op::Get { .. } | Op::Random { .. } => Native,
        op if is_widened(op, operands.iter().map(|operand| operand.ty.dtype)) => Expand,
        Op::Map(op) => elementwise::lowering(*op),
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
            ContractOp::Matmul => Native,
            // libtorch multiplies no booleans.
            ContractOp::Tensordot { .. }
                if operands.first().is_some_and(|x| x.ty.dtype != DType::Bool) =>
            {
                Native
            }
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
            LinalgOp::Norm {
                order: NormOrder::Default,
                ..
            }
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
            derived!(LinalgOp) => Expand,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Native,
        // Modules have loops and branches; eagerly the ops inside run one by one.
        Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
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
        Op::Leaf(_) | Op::Control(_) | Op::Get { .. } | Op::Random { .. } | Op::Opaque { .. } => {
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
