//! How each op is differentiated, in one place.

use crate::error::Error;
use crate::{
    ContractOp, ControlOp, FourierOp, IndexOp, JoinOp, LinalgOp, MapOp, NormOrder, Op, ReduceOp,
    ScanOp, SortOp, ViewOp,
};

/// How an op is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// By a rule of its own.
    Rule,
    /// It is written with other ops first, which have rules.
    Expansion,
    /// Its derivative is zero wherever it exists, or its result is no number that varies.
    Zero,
    /// Not at all: an error.
    None,
}

/// How an op is differentiated.
pub(super) fn treatment(op: &Op) -> Treatment {
    use Treatment::{Expansion, Rule, Zero};
    match op {
        Op::Leaf(_) | Op::Random { .. } => Zero,
        Op::Map(op) => map(*op),
        Op::Reduce(op) => match op {
            ReduceOp::Sum { .. }
            | ReduceOp::Prod { .. }
            | ReduceOp::SumWhere { .. }
            | ReduceOp::Max { .. }
            | ReduceOp::Min { .. } => Rule,
            ReduceOp::Any { .. }
            | ReduceOp::All { .. }
            | ReduceOp::Argmax { .. }
            | ReduceOp::Argmin { .. } => Zero,
        },
        Op::Scan(ScanOp::Cumsum { .. } | ScanOp::Cumprod { .. }) => Rule,
        Op::Sort(SortOp::Sort { .. }) => Rule,
        Op::Sort(SortOp::Argsort { .. }) => Zero,
        Op::Contract(op) => match op {
            ContractOp::Matmul | ContractOp::Tensordot { .. } => Rule,
            // Of many operands: pairwise, so that the gradients by all of them share their products.
            ContractOp::Einsum { subscripts } => {
                if subscripts.matches(',').count() > 1 {
                    Expansion
                } else {
                    Rule
                }
            }
        },
        Op::View(
            ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::BroadcastTo { .. }
            | ViewOp::Slice { .. },
        ) => Rule,
        Op::Index(
            IndexOp::Getitem { .. }
            | IndexOp::Take { .. }
            | IndexOp::Scatter { .. }
            | IndexOp::ScatterFlat { .. },
        ) => Rule,
        Op::Join(JoinOp::Concatenate { .. } | JoinOp::Stack { .. }) => Rule,
        Op::Linalg(op) => match op {
            LinalgOp::Norm { order, axes, .. } => norm(*order, axes.as_deref().map(<[usize]>::len)),
            LinalgOp::Svdvals | LinalgOp::Eigvalsh | LinalgOp::Eigvals => Expansion,
            LinalgOp::Qr { .. }
            | LinalgOp::Svd { .. }
            | LinalgOp::Eigh
            | LinalgOp::Eig
            | LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::Inv
            | LinalgOp::Det
            | LinalgOp::Slogdet
            | LinalgOp::Expm
            | LinalgOp::Solve
            | LinalgOp::SolveTriangular { .. }
            | LinalgOp::Pinv { .. }
            | LinalgOp::Lstsq { .. } => Rule,
        },
        Op::Fourier(
            FourierOp::Fft { .. }
            | FourierOp::Ifft { .. }
            | FourierOp::Rfft { .. }
            | FourierOp::Irfft { .. },
        ) => Rule,
        // A loop of which the number of iterations is not known has a rule for forward mode alone.
        Op::Control(
            ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. },
        ) => Rule,
        Op::Get { .. } => Rule,
        Op::Opaque { function } if function.body().is_some() => Rule,
        Op::Opaque { .. } => Treatment::None,
    }
}

/// Powers and roots have a rule that is finite where elements or norms are zero; the others are sums, extrema and singular
/// values.
fn norm(order: NormOrder, axes: Option<usize>) -> Treatment {
    match order {
        NormOrder::Default | NormOrder::Frobenius => Treatment::Rule,
        NormOrder::Number(_) if axes == Some(1) => match order.as_number() {
            Some(0.0 | 1.0) => Treatment::Expansion,
            _ => Treatment::Rule,
        },
        NormOrder::Number(_)
        | NormOrder::Nuclear
        | NormOrder::Infinity
        | NormOrder::NegativeInfinity => Treatment::Expansion,
    }
}

/// The pattern of the elementwise ops whose derivative is zero wherever it exists: they have no rule, and are linear in no
/// tangent.
macro_rules! constant {
    () => {
        $crate::MapOp::LogicalNot
            | $crate::MapOp::IsNan
            | $crate::MapOp::IsInf
            | $crate::MapOp::IsFinite
            | $crate::MapOp::Floor
            | $crate::MapOp::Ceil
            | $crate::MapOp::Trunc
            | $crate::MapOp::Rint
            | $crate::MapOp::Invert
            | $crate::MapOp::FloorDivide
            | $crate::MapOp::Equal
            | $crate::MapOp::NotEqual
            | $crate::MapOp::Less
            | $crate::MapOp::LessEqual
            | $crate::MapOp::Greater
            | $crate::MapOp::GreaterEqual
            | $crate::MapOp::LogicalAnd
            | $crate::MapOp::LogicalOr
            | $crate::MapOp::LogicalXor
            | $crate::MapOp::BitwiseAnd
            | $crate::MapOp::BitwiseOr
            | $crate::MapOp::BitwiseXor
            | $crate::MapOp::LeftShift
            | $crate::MapOp::RightShift
            | $crate::MapOp::StopGradient
            | $crate::MapOp::WrapIndex { .. }
    };
}
pub(super) use constant;

fn map(op: MapOp) -> Treatment {
    match op {
        MapOp::Negative
        | MapOp::Absolute
        | MapOp::Square
        | MapOp::Sign
        | MapOp::Sqrt
        | MapOp::Reciprocal
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
        | MapOp::Cbrt
        | MapOp::Arcsinh
        | MapOp::Arccosh
        | MapOp::Arctanh
        | MapOp::Erf
        | MapOp::Lgamma
        | MapOp::Add
        | MapOp::Subtract
        | MapOp::Multiply
        | MapOp::Divide
        | MapOp::Remainder
        | MapOp::Power
        | MapOp::Arctan2
        | MapOp::Maximum
        | MapOp::Minimum
        | MapOp::Fmod
        | MapOp::Hypot
        | MapOp::Copysign
        | MapOp::Where
        | MapOp::Astype { .. } => Treatment::Rule,
        constant!() => Treatment::Zero,
    }
}

/// The error for an op that has no rule.
pub(super) fn without_rule(op: &Op) -> Error {
    match op {
        Op::Opaque { function } => Error::unsupported(format!(
            "the function `{}` has no rule for its derivative: give it one by calling it inside of `custom_vjp`, or make it \
             a constant by `stop_gradient`",
            function.name()
        )),
        op => Error::unsupported(format!("{} has no rule for its derivative", op.name())),
    }
}
