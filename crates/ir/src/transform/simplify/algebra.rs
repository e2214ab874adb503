//! Rules for numbers, exact for every value, NaN and signed zeros included.
//!
//! So `x * 1`, `x - 0` and `--x` go, while `x + 0` (which turns -0 into 0), `x * 0` and `x - x` stay; they go for
//! integers, and where the user asks for fast rather than exact results ([`fast_rules`]).

use super::candidate::{Candidate, Rule};
use crate::{
    ArrayType, Class, DType, Graph, LeafOp, MapOp, Op, ReduceOp, Scalar, Type, ValueId, ViewOp,
};

/// The rules for an op.
pub(super) fn rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::Map(MapOp::Conj) => &[
            ("conj_of_real", conj_of_real),
            ("conj_of_conj", conj_of_conj),
        ],
        Op::Map(MapOp::Real) => &[("real_of_real", real_of_real)],
        // Derivatives are taken before.
        Op::Map(MapOp::StopGradient) => &[("stop_gradient", stop_gradient)],
        Op::Map(MapOp::Absolute) => &[("absolute_of_unsigned", absolute_of_unsigned)],
        Op::Map(MapOp::Astype { .. }) => &[("astype_to_same", astype_to_same)],
        Op::Map(MapOp::Negative) => &[("negative_of_negative", negative_of_negative)],
        Op::Map(MapOp::WrapIndex { .. }) => &[("wrap_index_twice", wrap_index_twice)],
        Op::Map(MapOp::Add) => &[
            ("neutral_right", neutral_right),
            ("neutral_left", neutral_left),
        ],
        Op::Map(MapOp::Multiply) => &[
            ("neutral_right", neutral_right),
            ("neutral_left", neutral_left),
            ("integer_times_zero", integer_times_zero),
        ],
        Op::Map(MapOp::Subtract) => &[
            ("neutral_right", neutral_right),
            ("integer_less_itself", integer_less_itself),
        ],
        Op::Map(MapOp::Divide) => &[("neutral_right", neutral_right)],
        Op::Map(MapOp::Power) => &[("power_two", power_two)],
        Op::Reduce(
            ReduceOp::Sum { .. }
            | ReduceOp::Prod { .. }
            | ReduceOp::Max { .. }
            | ReduceOp::Min { .. },
        ) => &[("reduce_nothing", reduce_nothing)],
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => &[],
    }
}

/// The rules for an op that are exact only for finite numbers, up to the sign of zeros, or up to rounding.
pub(super) fn fast_rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::Map(MapOp::Add) => &[("fast_plus_zero", fast_plus_zero)],
        Op::Map(MapOp::Multiply) => &[("fast_times_zero", fast_times_zero)],
        Op::Map(MapOp::Subtract) => &[("fast_less_itself", fast_less_itself)],
        Op::Map(MapOp::Divide) => &[("fast_over_constant", fast_over_constant)],
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Control(_)
        | Op::Get { .. }
        | Op::Random { .. }
        | Op::Opaque { .. } => &[],
    }
}

/// Whether it is plain at a glance that a node stays as it is: arithmetic on floating numbers of one dtype, as most nodes are. It is a
/// core op, and all rules for it, folding too, begin at a literal, or at two inputs that are one.
#[inline]
pub(super) fn stays(graph: &Graph, op: &Op, inputs: &[ValueId], ty: &Type) -> bool {
    let (
        Op::Map(MapOp::Add | MapOp::Subtract | MapOp::Multiply | MapOp::Divide),
        &[x, y],
        Type::Array(ArrayType { dtype, .. }),
    ) = (op, inputs, ty)
    else {
        return false;
    };
    let is_plain = |input: ValueId| {
        let node = &graph[input];
        // A literal may be behind views.
        !matches!(node.op, Op::Leaf(_) | Op::View(_))
            && matches!(&*node.ty, Type::Array(ty) if ty.dtype == *dtype)
    };
    dtype.class() >= Class::Float && x != y && is_plain(x) && is_plain(y)
}

fn conj_of_real(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let is_real = !c.array_type()?.dtype.is_complex();
    is_real.then(|| c.input_as_result(0))?
}

fn conj_of_conj(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let inner = c.node(c.inputs[0]);
    (inner.op == Op::Map(MapOp::Conj)).then(|| inner.inputs[0])
}

fn real_of_real(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn stop_gradient(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn absolute_of_unsigned(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let dtype = c.array_type()?.dtype;
    let unsigned = dtype == DType::Bool || dtype.is_unsigned();
    unsigned.then(|| c.input_as_result(0))?
}

fn astype_to_same(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    c.input_as_result(0)
}

fn negative_of_negative(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let inner = c.node(c.inputs[0]);
    (inner.op == Op::Map(MapOp::Negative)).then(|| inner.inputs[0])
}

/// A check of indices that were checked for the same size.
fn wrap_index_twice(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let size_of = |op: &Op| match op {
        Op::Map(MapOp::WrapIndex { size, .. }) => Some(*size),
        _ => None,
    };
    let checked = size_of(&c.node(c.inputs[0]).op)?;
    (size_of(c.op)? == checked).then(|| c.input_as_result(0))?
}

/// The literal behind an input, looking through broadcasts and reshapes, as the op sees it: converted to the
/// dtype of its results. So the integer 0 beside floating numbers is +0, which is not neutral in a sum.
fn literal(c: &mut Candidate<'_, '_>, index: usize) -> Option<Scalar> {
    let mut value = c.inputs[index];
    loop {
        let node = c.node(value);
        match node.op {
            Op::Leaf(LeafOp::Literal { value }) => {
                return Some(value.value.cast(c.array_type()?.dtype));
            }
            Op::View(ViewOp::BroadcastTo { .. } | ViewOp::Reshape { .. }) => {
                value = node.inputs[0];
            }
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
        Op::Map(MapOp::Multiply | MapOp::Divide) => 1.0,
        Op::Map(MapOp::Subtract) => 0.0,
        Op::Map(MapOp::Add) => -0.0,
        _ => return None,
    };
    is_real(literal(c, 1)?, neutral).then(|| c.input_as_result(0))?
}

fn neutral_left(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    if !matches!(c.array_type()?.dtype.class(), Class::Float | Class::Integer) {
        return None;
    }
    let neutral = match c.op {
        Op::Map(MapOp::Multiply) => 1.0,
        Op::Map(MapOp::Add) => -0.0,
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
    c.replace(Op::View(ViewOp::BroadcastTo { shape: ty.shape }), &[zero])
}

fn is_zero(c: &mut Candidate<'_, '_>, index: usize) -> bool {
    literal(c, index).is_some_and(|number| !number.is_true())
}

/// `x * 0` and `0 * x`, whatever `x` is: nothing is infinite or NaN there.
fn integer_times_zero(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let is_integer = c.array_type()?.dtype.class() == Class::Integer;
    // What may fail is not left out.
    let may_fail = (0..2).any(|i| match &c.node(c.inputs[i]).op {
        Op::Map(op) => op.can_fail(DType::Int64),
        _ => false,
    });
    (is_integer && !may_fail && (is_zero(c, 0) || is_zero(c, 1))).then(|| zeros(c))?
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
    c.replace(Op::Map(MapOp::Multiply), &[c.inputs[0], factor])
}

/// NumPy squares too when the exponent is two.
fn power_two(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let scalar = literal(c, 1)?;
    let two =
        is_real(scalar, 2.0) || scalar == Scalar::Complex(num_complex::Complex64::new(2.0, 0.0));
    let x = c.inputs[0];
    (two && c.input_as_result(0).is_some()).then(|| c.replace(Op::Map(MapOp::Multiply), &[x, x]))?
}

/// Not for sums of floating numbers, which turn -0 into 0 even then, nor for products of complex numbers, which
/// begin with `1 * x` and so make NaN of infinite parts.
fn reduce_nothing(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let class = c.array_type()?.dtype.class();
    let Op::Reduce(op) = c.op else {
        return None;
    };
    let axes = match op {
        ReduceOp::Sum { axes, .. } if class <= Class::Integer => axes,
        ReduceOp::Prod { axes, .. } if class != Class::Complex => axes,
        ReduceOp::Max { axes, .. } | ReduceOp::Min { axes, .. } => axes,
        ReduceOp::Sum { .. }
        | ReduceOp::Prod { .. }
        | ReduceOp::Any { .. }
        | ReduceOp::All { .. }
        | ReduceOp::Argmax { .. }
        | ReduceOp::Argmin { .. }
        | derived!(ReduceOp) => return None,
    };
    axes.is_empty().then(|| c.input_as_result(0))?
}
