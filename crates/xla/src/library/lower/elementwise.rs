//! Elementwise ops, conversions among them. Where XLA means something else than NumPy, the difference stands beside the op.

use std::f64::consts::{LN_2, LN_10};

use smallvec::SmallVec;

use super::super::module::{Compare, Purpose, Value, Writer};
use super::parts::{complex_sign, element};
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
        MapOp::WrapIndex { axis, size } => shape::wrap_index(w, x, axis, size),
    };
    Ok(value)
}

fn never(w: &mut Writer, x: &Value) -> Value {
    let shape = x.ty.shape.clone();
    w.literal(false, DType::Bool, &shape)
}

/// The logarithm to the base with this natural logarithm.
fn logarithm(w: &mut Writer, x: &Value, base: f64) -> Value {
    let (log, base) = (w.unary("log", x), w.like(x, base));
    w.binary("divide", &log, &base)
}

/// `log(1 + x)`; XLA's own is some ten units off in the last place.
///
/// The logarithm of the rounded sum, and to first order what the rounding lost.
///
/// Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.1, for what rounding does here.
pub(super) fn log_plus_one(w: &mut Writer, x: &Value) -> Value {
    let (zero, one) = (w.like(x, 0), w.like(x, 1));
    let sum = w.binary("add", &one, x);
    let log = w.unary("log", &sum);
    let kept = w.binary("subtract", &sum, &one);
    let lost = w.binary("subtract", x, &kept);
    let more = w.binary("divide", &lost, &sum);
    let value = w.binary("add", &log, &more);
    // At the ends of the range nothing is lost, but zero over zero, or infinity less infinity.
    let infinity = w.like(x, f64::INFINITY);
    let size = w.unary("abs", &log);
    let ends = w.compare(Compare::Equal, &size, &infinity);
    let value = w.select(&ends, &log, &value);
    let is_zero = w.compare(Compare::Equal, x, &zero);
    w.select(&is_zero, x, &value)
}

/// The cube root; XLA's own is a power, whose exponent is rounded. One step of Newton's method mends that.
fn cube_root(w: &mut Writer, x: &Value) -> Value {
    let three = w.like(x, 3);
    let root = w.unary("cbrt", x);
    let square = w.binary("multiply", &root, &root);
    let quotient = w.binary("divide", x, &square);
    let difference = w.binary("subtract", &root, &quotient);
    let third = w.binary("divide", &difference, &three);
    let value = w.binary("subtract", &root, &third);
    // Zeros and infinities have no quotient.
    let is_number = w.compare(Compare::Equal, &value, &value);
    w.select(&is_number, &value, &root)
}

pub(super) fn trunc(w: &mut Writer, x: &Value) -> Value {
    let zero = w.like(x, 0);
    let negative = w.compare(Compare::Less, x, &zero);
    let (floor, ceil) = (w.unary("floor", x), w.unary("ceil", x));
    w.select(&negative, &ceil, &floor)
}

/// `sqrt(1 - x^2)`, without cancellation near one.
fn cosine_of_arcsin(w: &mut Writer, x: &Value) -> Value {
    let one = w.like(x, 1);
    let (below, above) = (w.binary("subtract", &one, x), w.binary("add", &one, x));
    let product = w.binary("multiply", &below, &above);
    w.unary("sqrt", &product)
}

/// `exp(|x|) / 2` in two steps, which is finite a little longer than the exponential.
fn half_of_exp(w: &mut Writer, magnitude: &Value) -> Value {
    let half = w.like(magnitude, 0.5);
    let halved = w.binary("multiply", magnitude, &half);
    let root = w.unary("exponential", &halved);
    let part = w.binary("multiply", &root, &half);
    w.binary("multiply", &root, &part)
}

/// Where the exponential is near its end.
fn is_large(w: &mut Writer, magnitude: &Value) -> Value {
    let bound = if magnitude.ty.dtype == DType::Float32 {
        88.0
    } else {
        709.0
    };
    let bound = w.like(magnitude, bound);
    w.compare(Compare::Greater, magnitude, &bound)
}

fn sinh(w: &mut Writer, x: &Value) -> Value {
    let magnitude = w.unary("abs", x);
    let (one, half) = (w.like(x, 1), w.like(x, 0.5));
    // With e = exp(x) - 1: (e + e / (e + 1)) / 2.
    let e = w.unary("exponential-minus-one", &magnitude);
    let next = w.binary("add", &e, &one);
    let quotient = w.binary("divide", &e, &next);
    let sum = w.binary("add", &e, &quotient);
    let small = w.binary("multiply", &sum, &half);
    let (large, is_large) = (half_of_exp(w, &magnitude), is_large(w, &magnitude));
    let result = w.select(&is_large, &large, &small);
    copysign(w, &result, x)
}

fn cosh(w: &mut Writer, x: &Value) -> Value {
    let magnitude = w.unary("abs", x);
    let (one, half) = (w.like(x, 1), w.like(x, 0.5));
    let exp = w.unary("exponential", &magnitude);
    let inverse = w.binary("divide", &one, &exp);
    let sum = w.binary("add", &exp, &inverse);
    let small = w.binary("multiply", &sum, &half);
    let (large, is_large) = (half_of_exp(w, &magnitude), is_large(w, &magnitude));
    w.select(&is_large, &large, &small)
}

/// `log(2 |x|)` where one is nothing beside the square, else what the function gives.
fn unless_huge(w: &mut Writer, magnitude: &Value, value: &Value) -> Value {
    let (bound, two) = (w.like(magnitude, 1e8), w.like(magnitude, LN_2));
    let huge = w.compare(Compare::Greater, magnitude, &bound);
    let log = w.unary("log", magnitude);
    let log = w.binary("add", &log, &two);
    w.select(&huge, &log, value)
}

/// `log(x + sqrt(x^2 + 1))`, accurate for small arguments.
fn arcsinh(w: &mut Writer, x: &Value) -> Value {
    let (magnitude, one) = (w.unary("abs", x), w.like(x, 1));
    let square = w.binary("multiply", &magnitude, &magnitude);
    let sum = w.binary("add", &square, &one);
    let root = w.unary("sqrt", &sum);
    let next = w.binary("add", &root, &one);
    let beyond = w.binary("divide", &square, &next);
    let beyond = w.binary("add", &magnitude, &beyond);
    let log = log_plus_one(w, &beyond);
    let result = unless_huge(w, &magnitude, &log);
    copysign(w, &result, x)
}

/// `log(x + sqrt(x^2 - 1))`, accurate near one; NaN below.
fn arccosh(w: &mut Writer, x: &Value) -> Value {
    let one = w.like(x, 1);
    let (below, above) = (w.binary("subtract", x, &one), w.binary("add", x, &one));
    let product = w.binary("multiply", &below, &above);
    let root = w.unary("sqrt", &product);
    let beyond = w.binary("add", &below, &root);
    let log = log_plus_one(w, &beyond);
    let result = unless_huge(w, x, &log);
    let (nan, outside) = (w.like(x, f64::NAN), w.compare(Compare::Less, x, &one));
    w.select(&outside, &nan, &result)
}

/// `log((1 + x) / (1 - x)) / 2`, accurate near zero.
fn arctanh(w: &mut Writer, x: &Value) -> Value {
    let magnitude = w.unary("abs", x);
    let (one, two, half) = (w.like(x, 1), w.like(x, 2), w.like(x, 0.5));
    let below = w.binary("subtract", &one, &magnitude);
    let twice = w.binary("multiply", &two, &magnitude);
    let quotient = w.binary("divide", &twice, &below);
    let log = log_plus_one(w, &quotient);
    let result = w.binary("multiply", &log, &half);
    copysign(w, &result, x)
}

/// The larger and the smaller of two numbers; of a NaN one is the other one. XLA's own have no rule for NaN on CPUs.
pub(super) fn by_size(w: &mut Writer, x: &Value, y: &Value) -> (Value, Value) {
    let first = w.compare(Compare::GreaterEqual, x, y);
    (w.select(&first, x, y), w.select(&first, y, x))
}

/// The root of the sum of squares, scaled by the larger so that no square leaves the range.
pub(super) fn hypot(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let (x, y) = (w.unary("abs", x), w.unary("abs", y));
    let (large, small) = by_size(w, &x, &y);
    let (zero, one, infinity) = (w.like(&x, 0), w.like(&x, 1), w.like(&x, f64::INFINITY));
    let ratio = w.binary("divide", &small, &large);
    let square = w.binary("multiply", &ratio, &ratio);
    let sum = w.binary("add", &one, &square);
    let root = w.unary("sqrt", &sum);
    let product = w.binary("multiply", &large, &root);
    // Both, as the smaller one may be NaN.
    let is_zero = w.compare(Compare::Equal, &x, &zero);
    let also = w.compare(Compare::Equal, &y, &zero);
    let is_zero = w.binary("and", &is_zero, &also);
    let finite = w.select(&is_zero, &zero, &product);
    // An infinity beats even NaN.
    let x_infinite = w.compare(Compare::Equal, &x, &infinity);
    let y_infinite = w.compare(Compare::Equal, &y, &infinity);
    let infinite = w.binary("or", &x_infinite, &y_infinite);
    w.select(&infinite, &infinity, &finite)
}

/// Whether the sign is negative, of zeros and NaN too.
pub(super) fn is_negative(w: &mut Writer, x: &Value) -> Value {
    let whole = if x.ty.dtype == DType::Float32 {
        DType::Int32
    } else {
        DType::Int64
    };
    let bits = w.bits(x, whole);
    let zero = w.like(&bits, 0);
    w.compare(Compare::Less, &bits, &zero)
}

pub(super) fn copysign(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let negative = is_negative(w, y);
    let magnitude = w.unary("abs", x);
    let negated = w.unary("negate", &magnitude);
    w.select(&negative, &negated, &magnitude)
}

/// What was computed where the divisor is not zero, else zero.
pub(super) fn unless_zero(w: &mut Writer, divisor: &Value, value: &Value) -> Value {
    let zero = w.like(divisor, 0);
    let is_zero = w.compare(Compare::Equal, divisor, &zero);
    w.select(&is_zero, &zero, value)
}

/// Where division that rounds towards zero must be corrected to round down: where a remainder has the wrong sign.
fn is_off(w: &mut Writer, remainder: &Value, divisor: &Value) -> Value {
    let zero = w.like(remainder, 0);
    let remains = w.compare(Compare::NotEqual, remainder, &zero);
    let (a, b) = (
        w.compare(Compare::Less, remainder, &zero),
        w.compare(Compare::Less, divisor, &zero),
    );
    let differ = w.binary("xor", &a, &b);
    w.binary("and", &remains, &differ)
}

fn whole_quotient(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let mut quotient = w.binary("divide", x, y);
    if x.ty.dtype != DType::Uint8 {
        let remainder = w.binary("remainder", x, y);
        let (off, one) = (is_off(w, &remainder, y), w.like(x, 1));
        let below = w.binary("subtract", &quotient, &one);
        quotient = w.select(&off, &below, &quotient);
    }
    unless_zero(w, y, &quotient)
}

fn whole_remainder(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let mut remainder = w.binary("remainder", x, y);
    if x.ty.dtype != DType::Uint8 {
        let off = is_off(w, &remainder, y);
        let moved = w.binary("add", &remainder, y);
        remainder = w.select(&off, &moved, &remainder);
    }
    unless_zero(w, y, &remainder)
}

/// NumPy's `divmod` of real numbers.
///
/// Source: `npy_divmod` in NumPy's `npy_math_internal.h.src`.
fn quotient_and_remainder(w: &mut Writer, x: &Value, y: &Value) -> (Value, Value) {
    let (zero, one, half) = (w.like(x, 0), w.like(x, 1), w.like(x, 0.5));
    let rest = w.binary("remainder", x, y);
    let difference = w.binary("subtract", x, &rest);
    let quotient = w.binary("divide", &difference, y);
    let is_exact = w.compare(Compare::Equal, &rest, &zero);
    let signed_zero = copysign(w, &zero, y);
    let off = is_off(w, &rest, y);
    // NaN has no sign that could be wrong.
    let is_number = w.compare(Compare::Equal, &rest, &rest);
    let off = w.binary("and", &off, &is_number);
    let moved = w.binary("add", &rest, y);
    let remainder = w.select(&off, &moved, &rest);
    let remainder = w.select(&is_exact, &signed_zero, &remainder);
    let below = w.binary("subtract", &quotient, &one);
    let quotient = w.select(&off, &below, &quotient);
    // The quotient is an integer but for rounding.
    let floor = w.unary("floor", &quotient);
    let fraction = w.binary("subtract", &quotient, &floor);
    let above = w.compare(Compare::Greater, &fraction, &half);
    let next = w.binary("add", &floor, &one);
    let snapped = w.select(&above, &next, &floor);
    let plain = w.binary("divide", x, y);
    let no_quotient = w.compare(Compare::Equal, &quotient, &zero);
    let small = copysign(w, &zero, &plain);
    let snapped = w.select(&no_quotient, &small, &snapped);
    // Division by zero gives what it gives.
    let by_zero = w.compare(Compare::Equal, y, &zero);
    (
        w.select(&by_zero, &plain, &snapped),
        w.select(&by_zero, &rest, &remainder),
    )
}

/// `x < y`, which XLA does not have for complex numbers.
pub(super) fn less(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let (a, b) = (element(w, x), element(w, y));
    semantics::less(w, &a, &b, x.ty.dtype)
}

fn less_equal(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let (a, b) = (element(w, x), element(w, y));
    semantics::less_equal(w, &a, &b, x.ty.dtype)
}

/// The larger; the first that is NaN, if one is. XLA's own has no rule for NaN on CPUs.
pub(super) fn greater_of(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let first = less_equal(w, y, x)?;
    Ok(first_or_second(w, first, x, y))
}

/// The smaller; the first that is NaN, if one is.
pub(super) fn smaller_of(w: &mut Writer, x: &Value, y: &Value) -> Result<Value> {
    let first = less_equal(w, x, y)?;
    Ok(first_or_second(w, first, x, y))
}

/// The first where it wins or is NaN, else the second: `semantics::second_wins` the other way round, which takes one
/// instruction where that takes three.
fn first_or_second(w: &mut Writer, wins: Value, x: &Value, y: &Value) -> Value {
    let mut first = wins;
    if x.ty.dtype.class() >= Class::Float {
        let is_nan = w.compare(Compare::NotEqual, x, x);
        first = w.binary("or", &first, &is_nan);
    }
    w.select(&first, x, y)
}
