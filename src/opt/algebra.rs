//! Rules for numbers, exact for every value, NaN and signed zeros included.
//!
//! So `x * 1`, `x - 0` and `--x` go, while `x + 0` (which turns -0 into 0), `x * 0` and `x - x` stay; they go for
//! integers, and where the user asks for fast rather than exact results ([`fast_rules`]).

use super::rewrite::{Candidate, Rule};
use crate::ir::{Class, DType, Op, Scalar, ValueId};

/// The rules for an op.
pub(super) fn rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::Conj => &[
            ("conj_of_real", conj_of_real),
            ("conj_of_conj", conj_of_conj),
        ],
        Op::Real => &[("real_of_real", real_of_real)],
        Op::Absolute => &[("absolute_of_unsigned", absolute_of_unsigned)],
        Op::Astype { .. } => &[("astype_to_same", astype_to_same)],
        Op::Negative => &[("negative_of_negative", negative_of_negative)],
        Op::Add => &[
            ("neutral_right", neutral_right),
            ("neutral_left", neutral_left),
        ],
        Op::Multiply => &[
            ("neutral_right", neutral_right),
            ("neutral_left", neutral_left),
            ("integer_times_zero", integer_times_zero),
        ],
        Op::Subtract => &[
            ("neutral_right", neutral_right),
            ("integer_less_itself", integer_less_itself),
        ],
        Op::Divide => &[("neutral_right", neutral_right)],
        Op::Power => &[("power_two", power_two)],
        Op::Sum { .. } | Op::Prod { .. } | Op::Max { .. } | Op::Min { .. } => {
            &[("reduce_nothing", reduce_nothing)]
        }
        _ => &[],
    }
}

/// The rules for an op that are exact only for finite numbers, up to the sign of zeros, or up to rounding.
pub(super) fn fast_rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::Add => &[("fast_plus_zero", fast_plus_zero)],
        Op::Multiply => &[("fast_times_zero", fast_times_zero)],
        Op::Subtract => &[("fast_less_itself", fast_less_itself)],
        Op::Divide => &[("fast_over_constant", fast_over_constant)],
        _ => &[],
    }
}

fn conj_of_real(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let is_real = !c.array_type()?.dtype.is_complex();
    is_real.then(|| c.input_as_result(0))?
}

fn conj_of_conj(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let inner = c.node(c.inputs[0]);
    (inner.op == Op::Conj).then(|| inner.inputs[0])
}

fn real_of_real(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn absolute_of_unsigned(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let unsigned = matches!(c.array_type()?.dtype, DType::Bool | DType::Uint8);
    unsigned.then(|| c.input_as_result(0))?
}

fn astype_to_same(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn negative_of_negative(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let inner = c.node(c.inputs[0]);
    (inner.op == Op::Negative).then(|| inner.inputs[0])
}

/// The literal behind an input, looking through broadcasts and reshapes, as the op sees it: converted to the
/// dtype of its results. So the integer 0 beside floating numbers is +0, which is not neutral in a sum.
fn literal(c: &mut Candidate<'_, '_>, index: usize) -> Option<Scalar> {
    let mut value = c.inputs[index];
    loop {
        let node = c.node(value);
        match node.op {
            Op::Literal { value } => return Some(value.value.cast(c.array_type()?.dtype)),
            Op::BroadcastTo { .. } | Op::Reshape { .. } => value = node.inputs[0],
            _ => return None,
        }
    }
}

fn is_real(scalar: Scalar, x: f64) -> bool {
    match scalar {
        Scalar::Float(y) => y.to_bits() == x.to_bits(),
        Scalar::Int(i) => i == x as i64,
        _ => false,
    }
}

/// `x * 1`, `x / 1`, `x - 0`, `x + -0`; `x + 0` for integers. Not for complex numbers, where `(inf + 0i) * 1`
/// has a NaN.
fn neutral_right(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let class = c.array_type()?.dtype.class();
    if !matches!(class, Class::Float | Class::Integer) {
        return None;
    }
    let neutral = match c.op {
        Op::Multiply | Op::Divide => 1.0,
        Op::Subtract => 0.0,
        Op::Add => -0.0,
        _ => return None,
    };
    is_real(literal(c, 1)?, neutral).then(|| c.input_as_result(0))?
}

fn neutral_left(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    if !matches!(c.array_type()?.dtype.class(), Class::Float | Class::Integer) {
        return None;
    }
    let neutral = match c.op {
        Op::Multiply => 1.0,
        Op::Add => -0.0,
        _ => return None,
    };
    is_real(literal(c, 0)?, neutral).then(|| c.input_as_result(1))?
}

/// Zeros of the type of the result.
fn zeros(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let ty = c.array_type()?.clone();
    let zero = c.graph().add_literal(0, ty.dtype);
    if ty.ndim() == 0 {
        return Some(zero);
    }
    c.replace(Op::BroadcastTo { shape: ty.shape }, &[zero])
}

fn is_zero(c: &mut Candidate<'_, '_>, index: usize) -> bool {
    literal(c, index).is_some_and(|number| !number.is_true())
}

/// `x * 0` and `0 * x`, whatever `x` is: nothing is infinite or NaN there.
fn integer_times_zero(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let is_integer = c.array_type()?.dtype.class() == Class::Integer;
    (is_integer && (is_zero(c, 0) || is_zero(c, 1))).then(|| zeros(c))?
}

/// `x - x`.
fn integer_less_itself(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let is_integer = c.array_type()?.dtype.class() == Class::Integer;
    (is_integer && c.inputs[0] == c.inputs[1]).then(|| zeros(c))?
}

/// `x + 0` and `0 + x`, which turn -0 into 0.
fn fast_plus_zero(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    match (is_zero(c, 0), is_zero(c, 1)) {
        (_, true) => c.input_as_result(0),
        (true, _) => c.input_as_result(1),
        _ => None,
    }
}

/// `x * 0` and `0 * x`, which are NaN for infinite `x` and NaN, and -0 for negative `x`.
fn fast_times_zero(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    (is_zero(c, 0) || is_zero(c, 1)).then(|| zeros(c))?
}

/// `x - x`, which is NaN for infinite `x` and NaN.
fn fast_less_itself(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    (c.inputs[0] == c.inputs[1]).then(|| zeros(c))?
}

/// `x / 3.0` as `x * (1.0 / 3.0)`, which rounds twice.
fn fast_over_constant(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let dtype = c.array_type()?.dtype;
    let Scalar::Float(divisor) = literal(c, 1)? else {
        return None;
    };
    let reciprocal = 1.0 / divisor;
    let usable = divisor.is_normal() && reciprocal.is_normal();
    if !dtype.is_float() || !usable || c.input_as_result(0).is_none() {
        return None;
    }
    let factor = c.graph().add_literal(reciprocal, dtype);
    c.replace(Op::Multiply, &[c.inputs[0], factor])
}

/// NumPy squares too when the exponent is two.
fn power_two(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let scalar = literal(c, 1)?;
    let two =
        is_real(scalar, 2.0) || scalar == Scalar::Complex(num_complex::Complex64::new(2.0, 0.0));
    let x = c.inputs[0];
    (two && c.input_as_result(0).is_some()).then(|| c.replace(Op::Multiply, &[x, x]))?
}

/// Not for sums of floating numbers, which turn -0 into 0 even then, nor for products of complex numbers, which
/// begin with `1 * x` and so make NaN of infinite parts.
fn reduce_nothing(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let class = c.array_type()?.dtype.class();
    match c.op {
        Op::Sum { .. } if class > Class::Integer => return None,
        Op::Prod { .. } if class == Class::Complex => return None,
        _ => {}
    }
    let (Op::Sum { axes, .. }
    | Op::Prod { axes, .. }
    | Op::Max { axes, .. }
    | Op::Min { axes, .. }) = c.op
    else {
        return None;
    };
    axes.is_empty().then(|| c.input_as_result(0))?
}
