//! Functions of real numbers that XLA does not have, or not as NumPy means them.

use std::f64::consts::LN_2;

use super::super::instructions::Compare;
use super::super::module::{Value, Writer};
use autojit_ir::DType;

pub(super) fn never(w: &mut Writer, x: &Value) -> Value {
    let shape = x.ty.shape.clone();
    w.literal(false, DType::Bool, &shape)
}

/// The logarithm to the base with this natural logarithm.
pub(super) fn logarithm(w: &mut Writer, x: &Value, base: f64) -> Value {
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
pub(super) fn cube_root(w: &mut Writer, x: &Value) -> Value {
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
pub(super) fn cosine_of_arcsin(w: &mut Writer, x: &Value) -> Value {
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
pub(super) fn is_large(w: &mut Writer, magnitude: &Value) -> Value {
    let bound = if magnitude.ty.dtype == DType::Float32 {
        88.0
    } else {
        709.0
    };
    let bound = w.like(magnitude, bound);
    w.compare(Compare::Greater, magnitude, &bound)
}

pub(super) fn sinh(w: &mut Writer, x: &Value) -> Value {
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

pub(super) fn cosh(w: &mut Writer, x: &Value) -> Value {
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
pub(super) fn arcsinh(w: &mut Writer, x: &Value) -> Value {
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
pub(super) fn arccosh(w: &mut Writer, x: &Value) -> Value {
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
pub(super) fn arctanh(w: &mut Writer, x: &Value) -> Value {
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
fn is_negative(w: &mut Writer, x: &Value) -> Value {
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

/// The quotient where the divisor is not zero, else zero.
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

pub(super) fn whole_quotient(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let mut quotient = w.binary("divide", x, y);
    if x.ty.dtype != DType::Uint8 {
        let remainder = w.binary("remainder", x, y);
        let (off, one) = (is_off(w, &remainder, y), w.like(x, 1));
        let below = w.binary("subtract", &quotient, &one);
        quotient = w.select(&off, &below, &quotient);
    }
    unless_zero(w, y, &quotient)
}

pub(super) fn whole_remainder(w: &mut Writer, x: &Value, y: &Value) -> Value {
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
pub(super) fn quotient_and_remainder(w: &mut Writer, x: &Value, y: &Value) -> (Value, Value) {
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
