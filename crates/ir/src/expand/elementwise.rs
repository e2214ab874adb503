//! Elementwise ops written with others.

use num_complex::Complex64;

use super::{Builder, Expanded};
use crate::types::Class;
use crate::{MapOp, Op, ValueId};

/// An op that gives its input.
pub(crate) fn same(_b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    Ok(x[0])
}

pub(crate) fn square(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    b.push(Op::Map(MapOp::Multiply), &[x[0], x[0]])
}

pub(crate) fn reciprocal(b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let dtype = b.ty(x[0])?.dtype;
    if dtype.is_complex() {
        return complex_reciprocal(b, x[0]);
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

/// NumPy's loop, operation by operation. Not a quotient: the reciprocal of the divisor may overflow where the result does
/// not.
fn complex_reciprocal(b: &mut Builder<'_>, z: ValueId) -> Expanded {
    let (re, im) = (
        b.push(Op::Map(MapOp::Real), &[z])?,
        b.push(Op::Map(MapOp::Imag), &[z])?,
    );
    let size = |b: &mut Builder<'_>, part| b.push(Op::Map(MapOp::Absolute), &[part]);
    let (re_size, im_size) = (size(b, re)?, size(b, im)?);
    let wide = b.push(Op::Map(MapOp::LessEqual), &[im_size, re_size])?;
    let large = b.push(Op::Map(MapOp::Where), &[wide, re, im])?;
    let small = b.push(Op::Map(MapOp::Where), &[wide, im, re])?;
    let ratio = b.push(Op::Map(MapOp::Divide), &[small, large])?;
    let product = b.push(Op::Map(MapOp::Multiply), &[small, ratio])?;
    let divisor = b.push(Op::Map(MapOp::Add), &[large, product])?;
    let real = b.ty(re)?.dtype;
    let (one, minus_one) = (b.literal(1, real), b.literal(-1, real));
    let minus_ratio = b.push(Op::Map(MapOp::Negative), &[ratio])?;
    let above_re = b.push(Op::Map(MapOp::Where), &[wide, one, ratio])?;
    let above_im = b.push(Op::Map(MapOp::Where), &[wide, minus_ratio, minus_one])?;
    let re = b.push(Op::Map(MapOp::Divide), &[above_re, divisor])?;
    let im = b.push(Op::Map(MapOp::Divide), &[above_im, divisor])?;
    join_parts(b, re, im)
}

/// Complex numbers with these parts, to the last bit: `(re - 0i) + (-0 + im i)`. Neither part meets the other one.
fn join_parts(b: &mut Builder<'_>, re: ValueId, im: ValueId) -> Expanded {
    let dtype = b.ty(re)?.dtype.promote(crate::DType::Complex64);
    let below_axis = |b: &mut Builder<'_>, part| {
        let complex = b.cast(part, dtype)?;
        b.push(Op::Map(MapOp::Conj), &[complex])
    };
    let left = below_axis(b, re)?;
    // (im - 0i) i = 0 + im i for finite parts; negated and conjugated, the zero is -0.
    let right = below_axis(b, im)?;
    let unit = b.literal(Complex64::new(0.0, 1.0), dtype);
    let turned = b.push(Op::Map(MapOp::Multiply), &[right, unit])?;
    let turned = b.push(Op::Map(MapOp::Negative), &[turned])?;
    let turned = b.push(Op::Map(MapOp::Conj), &[turned])?;
    let [up, down, nan] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN]
        .map(|part| b.literal(Complex64::new(-0.0, part), dtype));
    let real = b.ty(im)?.dtype;
    let zero = b.literal(0, real);
    let is_above = b.push(Op::Map(MapOp::Less), &[zero, im])?;
    let infinite = b.push(Op::Map(MapOp::Where), &[is_above, up, down])?;
    let is_nan = b.push(Op::Map(MapOp::IsNan), &[im])?;
    let special = b.push(Op::Map(MapOp::Where), &[is_nan, nan, infinite])?;
    let is_finite = b.push(Op::Map(MapOp::IsFinite), &[im])?;
    let right = b.push(Op::Map(MapOp::Where), &[is_finite, turned, special])?;
    b.push(Op::Map(MapOp::Add), &[left, right])
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
