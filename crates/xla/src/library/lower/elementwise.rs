//! Elementwise ops, conversions among them. Where XLA means something else than NumPy, the difference stands beside the op.

use std::f64::consts::{LN_2, LN_10};

use smallvec::SmallVec;

use super::super::instructions::Compare;
use super::super::module::{Purpose, Value, Writer};
use super::parts::{complex_sign, greater_of, less, less_equal, smaller_of};
use super::real::{
    arccosh, arcsinh, arctanh, copysign, cosh, cosine_of_arcsin, cube_root, hypot, log_plus_one,
    logarithm, never, quotient_and_remainder, sinh, trunc, whole_quotient, whole_remainder,
};
use super::{complex, not_native, shape};
use autojit_ir::error::Result;
use autojit_ir::semantics::{self, Primitives};
use autojit_ir::{ArrayType, Class, DType, MapOp, OperandType, derived};
use autojit_library::backend::Lowering;

/// How an elementwise op is lowered.
pub(super) fn lowering(op: MapOp, operands: &[OperandType<'_>], purpose: Purpose) -> Lowering {
    use Lowering::{Call, Expand, Native};
    let class = operands.first().map(|x| x.ty.dtype.class());
    match op {
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
        | MapOp::Arctanh => match class {
            Some(Class::Complex) => Call,
            Some(Class::Bool | Class::Integer | Class::Float) | None => Native,
        },
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
        MapOp::Negative
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
        derived!(MapOp) => Expand,
    }
}

/// An elementwise op.
#[allow(clippy::too_many_lines, reason = "one arm for each op")]
pub(super) fn lower(
    w: &mut Writer,
    op: MapOp,
    inputs: &[&Value],
    result: &ArrayType,
) -> Result<Value> {
    let Some(first) = inputs.first() else {
        return Err(Writer::missing());
    };
    let (dtype, class) = (first.ty.dtype, first.ty.dtype.class());
    let is_whole = class <= Class::Integer;
    let is_complex = class == Class::Complex;
    let stretched: SmallVec<[Value; 3]> = inputs
        .iter()
        .map(|x| w.broadcast(x, &result.shape))
        .collect();
    let x = &stretched[0];
    // Ops with one input never look at it.
    let y = stretched.get(1).unwrap_or(x);
    let value = match op {
        MapOp::Negative => w.unary("negate", x),
        MapOp::Absolute if is_complex => {
            let (re, im) = (w.real(x), w.imag(x));
            hypot(w, &re, &im)
        }
        MapOp::Absolute if matches!(dtype, DType::Bool | DType::Uint8) => x.clone(),
        MapOp::Absolute => w.unary("abs", x),
        MapOp::Square | MapOp::Multiply if dtype == DType::Bool => {
            let y = if op == MapOp::Square { x } else { y };
            w.binary("and", x, y)
        }
        MapOp::Square => w.binary("multiply", x, x),
        MapOp::Sign if is_complex => complex_sign(w, x)?,
        // XLA keeps the sign of a zero, and has no signs of unsigned numbers.
        MapOp::Sign => semantics::sign(w, x, dtype)?,
        MapOp::Sqrt if is_complex => complex::sqrt(w, x),
        MapOp::Sqrt => w.unary("sqrt", x),
        MapOp::Exp if is_complex => complex::exp(w, x),
        MapOp::Exp => w.unary("exponential", x),
        MapOp::Exp2 => {
            let two = w.like(x, 2.0);
            w.binary("power", &two, x)
        }
        MapOp::Expm1 => w.unary("exponential-minus-one", x),
        MapOp::Log if is_complex => complex::log(w, x),
        MapOp::Log => w.unary("log", x),
        MapOp::Log2 => logarithm(w, x, LN_2),
        MapOp::Log10 => logarithm(w, x, LN_10),
        MapOp::Log1p => log_plus_one(w, x),
        MapOp::Sin => w.unary("sine", x),
        MapOp::Cos => w.unary("cosine", x),
        MapOp::Tan => w.unary("tan", x),
        MapOp::Arcsin => {
            let cosine = cosine_of_arcsin(w, x);
            w.binary("atan2", x, &cosine)
        }
        MapOp::Arccos => {
            let sine = cosine_of_arcsin(w, x);
            w.binary("atan2", &sine, x)
        }
        MapOp::Arctan => {
            let one = w.like(x, 1.0);
            w.binary("atan2", x, &one)
        }
        MapOp::Sinh => sinh(w, x),
        MapOp::Cosh => cosh(w, x),
        MapOp::Tanh => w.unary("tanh", x),
        MapOp::Arcsinh => arcsinh(w, x),
        MapOp::Arccosh => arccosh(w, x),
        MapOp::Arctanh => arctanh(w, x),
        MapOp::Erf => w.unary("erf", x),
        MapOp::Cbrt => cube_root(w, x),
        MapOp::Conj if is_complex => {
            let (re, im) = (w.real(x), w.imag(x));
            let im = w.unary("negate", &im);
            w.complex(&re, &im)
        }
        MapOp::Real if is_complex => w.real(x),
        MapOp::Imag if is_complex => w.imag(x),
        MapOp::Conj | MapOp::Real => x.clone(),
        MapOp::Imag => w.like(x, 0),
        MapOp::LogicalNot | MapOp::Invert => w.unary("not", x),
        MapOp::IsNan if is_whole => never(w, x),
        MapOp::IsNan => w.compare(Compare::NotEqual, x, x),
        MapOp::Floor | MapOp::Ceil | MapOp::Trunc if is_whole => x.clone(),
        MapOp::Floor => w.unary("floor", x),
        MapOp::Ceil => w.unary("ceil", x),
        MapOp::Trunc => trunc(w, x),
        MapOp::Rint if is_complex => {
            let (re, im) = (w.real(x), w.imag(x));
            let re = w.unary("round-nearest-even", &re);
            let im = w.unary("round-nearest-even", &im);
            w.complex(&re, &im)
        }
        MapOp::Rint => w.unary("round-nearest-even", x),

        MapOp::Add if dtype == DType::Bool => w.binary("or", x, y),
        MapOp::Add => w.binary("add", x, y),
        MapOp::Subtract => w.binary("subtract", x, y),
        MapOp::Multiply => w.binary("multiply", x, y),
        MapOp::Divide if is_complex => complex::divide(w, x, y),
        MapOp::Divide => w.binary("divide", x, y),
        MapOp::FloorDivide if is_whole => whole_quotient(w, x, y),
        MapOp::FloorDivide => quotient_and_remainder(w, x, y).0,
        MapOp::Remainder if is_whole => whole_remainder(w, x, y),
        MapOp::Remainder => quotient_and_remainder(w, x, y).1,
        MapOp::Fmod if is_whole => {
            Primitives::binary(w, semantics::Binary::Remainder, dtype, x, y)?
        }
        MapOp::Fmod => w.binary("remainder", x, y),
        MapOp::Power => w.binary("power", x, y),
        MapOp::Arctan2 => w.binary("atan2", x, y),
        MapOp::Hypot => hypot(w, x, y),
        MapOp::Copysign => copysign(w, x, y),
        MapOp::Maximum => greater_of(w, x, y)?,
        MapOp::Minimum => smaller_of(w, x, y)?,
        MapOp::Equal => w.compare(Compare::Equal, x, y),
        MapOp::NotEqual => w.compare(Compare::NotEqual, x, y),
        MapOp::Less => less(w, x, y)?,
        MapOp::LessEqual => less_equal(w, x, y)?,
        MapOp::Greater => less(w, y, x)?,
        MapOp::GreaterEqual => less_equal(w, y, x)?,
        MapOp::LogicalAnd | MapOp::BitwiseAnd => w.binary("and", x, y),
        MapOp::LogicalOr | MapOp::BitwiseOr => w.binary("or", x, y),
        MapOp::LogicalXor | MapOp::BitwiseXor => w.binary("xor", x, y),
        MapOp::LeftShift => Primitives::binary(w, semantics::Binary::ShiftLeft, dtype, x, y)?,
        MapOp::RightShift => Primitives::binary(w, semantics::Binary::ShiftRight, dtype, x, y)?,
        MapOp::Where => match &*stretched {
            [condition, x, y] => w.select(condition, x, y),
            _ => return Err(Writer::missing()),
        },
        // A call.
        MapOp::Lgamma => return Err(not_native(op.name())),
        derived!(MapOp) => return Err(not_native(op.name())),
        MapOp::Astype { dtype } => shape::astype(w, x, dtype),
        MapOp::WrapIndex { axis, size, of } => shape::wrap_index(w, x, axis, size, of),
    };
    Ok(value)
}
