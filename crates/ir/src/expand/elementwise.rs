//! Elementwise ops written with others.

use num_complex::Complex64;

use super::{Builder, Expanded};
use crate::types::Class;
use crate::{MapOp, Op, ValueId};

pub(crate) fn square(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::Multiply), &[x[0], x[0]])
}

pub(crate) fn reciprocal(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let dtype = b.ty(x[0])?.dtype;
    if dtype.is_complex() {
        // The sign of the imaginary part makes that of zeros NumPy's.
        let one = b.literal(Complex64::new(1.0, -0.0), dtype);
        let zero = b.literal(0, dtype);
        let nan = b.literal(Complex64::new(f64::NAN, f64::NAN), dtype);
        let is_zero = b.push(Op::Map(MapOp::Equal), &[x[0], zero])?;
        let quotient = b.push(Op::Map(MapOp::Divide), &[one, x[0]])?;
        return b.push(Op::Map(MapOp::Where), &[is_zero, nan, quotient]);
    }
    let one = b.literal(1, dtype);
    if dtype.class() != Class::Integer {
        return b.push(Op::Map(MapOp::Divide), &[one, x[0]]);
    }
    // 1 / x is zero except at 1 and -1, where it is x itself.
    let magnitude = b.push(Op::Map(MapOp::Absolute), x)?;
    let is_unit = b.push(Op::Map(MapOp::Equal), &[magnitude, one])?;
    let zero = b.literal(0, dtype);
    b.push(Op::Map(MapOp::Where), &[is_unit, x[0], zero])
}

pub(crate) fn isnan(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::NotEqual), &[x[0], x[0]])
}

/// Of each part for complex numbers, with `join` between the two.
fn of_parts(
    b: &mut Builder<'_>,
    x: ValueId,
    join: Op,
    test: impl Fn(&mut Builder<'_>, ValueId) -> Expanded,
) -> Expanded {
    if !b.ty(x)?.dtype.is_complex() {
        return test(b, x);
    }
    let (re, im) = (
        b.push(Op::Map(MapOp::Real), &[x])?,
        b.push(Op::Map(MapOp::Imag), &[x])?,
    );
    let (re, im) = (test(b, re)?, test(b, im)?);
    b.push(join, &[re, im])
}

pub(crate) fn isinf(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    of_parts(b, x[0], Op::Map(MapOp::LogicalOr), |b, x| {
        let dtype = b.ty(x)?.dtype;
        if !dtype.is_float() {
            return b.push(Op::Map(MapOp::NotEqual), &[x, x]);
        }
        let infinity = b.literal(f64::INFINITY, dtype);
        let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
        b.push(Op::Map(MapOp::Equal), &[magnitude, infinity])
    })
}

pub(crate) fn isfinite(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    of_parts(b, x[0], Op::Map(MapOp::LogicalAnd), |b, x| {
        let dtype = b.ty(x)?.dtype;
        if !dtype.is_float() {
            return b.push(Op::Map(MapOp::Equal), &[x, x]);
        }
        let infinity = b.literal(f64::INFINITY, dtype);
        let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
        b.push(Op::Map(MapOp::Less), &[magnitude, infinity])
    })
}

pub(crate) fn greater(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::Less), &[x[1], x[0]])
}

pub(crate) fn greater_equal(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::LessEqual), &[x[1], x[0]])
}

pub(crate) fn logical_xor(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::NotEqual), x)
}
