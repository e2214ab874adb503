//! Rules that are exact for every value, NaN and signed zeros included.
//!
//! So `x * 1`, `x - 0` and `--x` go, while `x + 0` (which turns -0 into 0), `x * 0` and `x - x` stay.

use smallvec::SmallVec;

use super::rewrite::{Candidate, Rule};
use crate::ir::{Class, DType, Dims, Op, Scalar, ValueId};

pub(super) const RULES: &[Rule] = &[
    ("conj_of_real", conj_of_real),
    ("real_of_real", real_of_real),
    ("absolute_of_unsigned", absolute_of_unsigned),
    ("astype_to_same", astype_to_same),
    ("negative_of_negative", negative_of_negative),
    ("neutral_right", neutral_right),
    ("neutral_left", neutral_left),
    ("power_two", power_two),
    ("transpose", transpose),
    ("reshape", reshape),
    ("broadcast_to_same", broadcast_to_same),
    ("slice_whole", slice_whole),
    ("reduce_nothing", reduce_nothing),
    ("concatenate_one", concatenate_one),
];

/// The input, if it can stand for the result.
fn input_as_result(c: &Candidate<'_>, index: usize) -> Option<ValueId> {
    (c.input_type(index)? == c.array_type()?).then(|| c.inputs[index])
}

fn conj_of_real(c: &mut Candidate<'_>) -> Option<ValueId> {
    (*c.op == Op::Conj && !c.array_type()?.dtype.is_complex()).then(|| input_as_result(c, 0))?
}

fn real_of_real(c: &mut Candidate<'_>) -> Option<ValueId> {
    (*c.op == Op::Real).then(|| input_as_result(c, 0))?
}

fn absolute_of_unsigned(c: &mut Candidate<'_>) -> Option<ValueId> {
    let unsigned = matches!(c.array_type()?.dtype, DType::Bool | DType::Uint8);
    (*c.op == Op::Absolute && unsigned).then(|| input_as_result(c, 0))?
}

fn astype_to_same(c: &mut Candidate<'_>) -> Option<ValueId> {
    matches!(c.op, Op::Astype { .. }).then(|| input_as_result(c, 0))?
}

fn negative_of_negative(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Negative = c.op else { return None };
    let inner = &c.graph[c.inputs[0]];
    (inner.op == Op::Negative).then(|| inner.inputs[0])
}

/// The literal behind an input, looking through broadcasts and reshapes, as the op sees it: converted to the
/// dtype of its results. So the integer 0 beside floating numbers is +0, which is not neutral in a sum.
fn literal(c: &Candidate<'_>, index: usize) -> Option<Scalar> {
    let dtype = c.array_type()?.dtype;
    let mut value = c.inputs[index];
    while let Op::BroadcastTo { .. } | Op::Reshape { .. } = c.graph[value].op {
        value = c.graph[value].inputs[0];
    }
    c.graph.as_literal(value).map(|l| l.value.cast(dtype))
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
fn neutral_right(c: &mut Candidate<'_>) -> Option<ValueId> {
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
    is_real(literal(c, 1)?, neutral).then(|| input_as_result(c, 0))?
}

fn neutral_left(c: &mut Candidate<'_>) -> Option<ValueId> {
    if !matches!(c.array_type()?.dtype.class(), Class::Float | Class::Integer) {
        return None;
    }
    let neutral = match c.op {
        Op::Multiply => 1.0,
        Op::Add => -0.0,
        _ => return None,
    };
    is_real(literal(c, 0)?, neutral).then(|| input_as_result(c, 1))?
}

/// NumPy squares too when the exponent is two.
fn power_two(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Power = c.op else { return None };
    let scalar = literal(c, 1)?;
    let two =
        is_real(scalar, 2.0) || scalar == Scalar::Complex(num_complex::Complex64::new(2.0, 0.0));
    let x = c.inputs[0];
    (two && c.input_type(0)? == c.array_type()?).then(|| c.replace(Op::Multiply, &[x, x]))?
}

fn transpose(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Transpose { perm } = c.op else {
        return None;
    };
    if perm.is_sorted() {
        return Some(c.inputs[0]);
    }
    let inner = &c.graph[c.inputs[0]];
    let Op::Transpose { perm: before } = &inner.op else {
        return None;
    };
    let both: Dims = perm.iter().map(|&p| before[p]).collect();
    let x = inner.inputs[0];
    if both.is_sorted() {
        Some(x)
    } else {
        c.replace(Op::Transpose { perm: both }, &[x])
    }
}

fn reshape(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Reshape { shape } = c.op else {
        return None;
    };
    let mut x = c.inputs[0];
    if let Op::Reshape { .. } = c.graph[x].op {
        x = c.graph[x].inputs[0];
    }
    if c.graph.ty(x).ok()?.shape == *shape {
        return Some(x);
    }
    (x != c.inputs[0]).then(|| c.replace(c.op.clone(), &[x]))?
}

fn broadcast_to_same(c: &mut Candidate<'_>) -> Option<ValueId> {
    matches!(c.op, Op::BroadcastTo { .. }).then(|| input_as_result(c, 0))?
}

fn slice_whole(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Slice { slicing } = c.op else {
        return None;
    };
    slicing
        .steps
        .iter()
        .all(|&s| s == 1)
        .then(|| input_as_result(c, 0))?
}

/// Not for sums of floating numbers, which turn -0 into 0 even then, nor for products of complex numbers, which
/// begin with `1 * x` and so make NaN of infinite parts.
fn reduce_nothing(c: &mut Candidate<'_>) -> Option<ValueId> {
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
    axes.is_empty().then(|| input_as_result(c, 0))?
}

fn concatenate_one(c: &mut Candidate<'_>) -> Option<ValueId> {
    let Op::Concatenate { .. } = c.op else {
        return None;
    };
    // Empty parts add nothing.
    let axis_full: SmallVec<[usize; 4]> = (0..c.inputs.len())
        .filter(|&i| c.input_type(i).is_some_and(|t| t.size() > 0))
        .collect();
    match axis_full.as_slice() {
        [only] => input_as_result(c, *only),
        _ => None,
    }
}
