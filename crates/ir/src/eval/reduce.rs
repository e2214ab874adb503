//! Reductions: sums, products, extrema, quantifiers and the positions of extrema.

use super::complex::multiply_in;
use super::elementwise::{add_scalars, greater_of, is_nan, multiply_scalars, smaller_of};
use super::summation::in_order;
use super::{Indices, Tensor, one};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::types::{Class, DType, Dims, Type};

/// The elements of `x` that a reduction over `axes` brings together, for every element of the result.
fn groups(x: &Tensor, axes: &[usize]) -> impl Iterator<Item = Vec<Scalar>> {
    // The two index spaces: the axes that stay, and those that go; the others have length one in each.
    let part = |reduced: bool| -> Vec<usize> {
        let sizes = x.shape().iter().enumerate();
        sizes
            .map(|(a, &n)| if axes.contains(&a) == reduced { n } else { 1 })
            .collect()
    };
    let inner = part(true);
    Indices::new(&part(false)).map(move |kept| {
        Indices::new(&inner)
            .map(|i| {
                let index: Vec<usize> = kept.iter().zip(&i).map(|(a, b)| a + b).collect();
                x.at(&index)
            })
            .collect()
    })
}

/// Reduces every group to one element.
fn reduce(
    axes: &[usize],
    x: &Tensor,
    result: &Type,
    f: impl Fn(&[Scalar]) -> Result<Scalar>,
) -> Result<Vec<Tensor>> {
    let data: Vec<Scalar> = groups(x, axes).map(|g| f(&g)).collect::<Result<_>>()?;
    one(Tensor::new(result.array()?.clone(), data)?)
}

/// The sum of elements of one dtype, which are in C order over summed axes of these lengths.
pub(super) fn sum_scalars(elements: &[Scalar], lengths: &[usize], dtype: DType) -> Scalar {
    let each = elements.iter();
    match dtype.class() {
        Class::Bool => Scalar::Bool(each.fold(false, |any, s| any | s.is_true())),
        Class::Integer => each.fold(Scalar::Int(0), |sum, &s| add_scalars(sum, s).cast(dtype)),
        Class::Float | Class::Complex => in_order(elements, lengths, dtype),
    }
}

/// A product rounded to a dtype.
pub(super) fn multiply_rounded(x: Scalar, y: Scalar, dtype: DType) -> Scalar {
    match (x, y) {
        (Scalar::Complex(x), Scalar::Complex(y)) => Scalar::Complex(multiply_in(x, y, dtype)),
        _ => multiply_scalars(x, y).cast(dtype),
    }
}

pub(crate) fn sum(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    let x = &inputs[0];
    let summed = |(axis, &length): (usize, &usize)| axes.contains(&axis).then_some(length);
    let lengths: Vec<usize> = x.shape().iter().enumerate().filter_map(summed).collect();
    reduce(axes, x, result, |g| Ok(sum_scalars(g, &lengths, dtype)))
}

pub(crate) fn prod(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let dtype = result.array()?.dtype;
    let unit = Scalar::Int(1).cast(dtype);
    reduce(axes, &inputs[0], result, |g| {
        let product = |p, &s| multiply_rounded(p, s, dtype);
        Ok(g.iter().fold(unit, product))
    })
}

pub(crate) fn sum_where(
    axes: &Dims,
    keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let (x, mask) = (&inputs[0], &inputs[1]);
    let zero = Scalar::Int(0).cast(x.ty.dtype);
    let kept = Tensor::build(&x.ty, |i| {
        if mask.at_broadcast(i).is_true() {
            x.at(i)
        } else {
            zero
        }
    });
    sum(axes, keepdims, &[kept], result)
}

/// Of several zeros a maximum is +0 if one is, and a minimum -0: so the order does not matter. Complex numbers are taken in
/// order, the first of equal ones and the first with a NaN.
fn extremum(
    axes: &Dims,
    inputs: &[Tensor],
    result: &Type,
    better: impl Fn(Scalar, Scalar) -> Scalar,
) -> Result<Vec<Tensor>> {
    reduce(axes, &inputs[0], result, |g| {
        let best = g.iter().copied().reduce(&better);
        best.ok_or_else(|| Error::value("an empty array has no largest or smallest element"))
    })
}

pub(crate) fn max(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    extremum(axes, inputs, result, |x, y| match (x, y) {
        (Scalar::Float(a), Scalar::Float(b)) if a == 0.0 && b == 0.0 => {
            Scalar::Float(if a.is_sign_negative() { b } else { a })
        }
        _ => greater_of(x, y),
    })
}

pub(crate) fn min(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    extremum(axes, inputs, result, |x, y| match (x, y) {
        (Scalar::Float(a), Scalar::Float(b)) if a == 0.0 && b == 0.0 => {
            Scalar::Float(if a.is_sign_negative() { a } else { b })
        }
        _ => smaller_of(x, y),
    })
}

pub(crate) fn any(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    reduce(axes, &inputs[0], result, |g| {
        Ok(Scalar::Bool(g.iter().any(|s| s.is_true())))
    })
}

pub(crate) fn all(
    axes: &Dims,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    reduce(axes, &inputs[0], result, |g| {
        Ok(Scalar::Bool(g.iter().all(|s| s.is_true())))
    })
}

/// The position of the first NaN, or else of the first element that no other is better than.
fn position(
    axis: usize,
    inputs: &[Tensor],
    result: &Type,
    better: impl Fn(Scalar, Scalar) -> Scalar,
) -> Result<Vec<Tensor>> {
    reduce(&[axis], &inputs[0], result, |g| {
        let best = g.iter().copied().reduce(&better);
        let first = g.iter().position(|&s| is_nan(s)).or_else(|| {
            // Zeros of both signs are equal, so the place is looked for by value.
            g.iter()
                .position(|&s| best.is_some_and(|b| super::elementwise::is_equal(s, b)))
        });
        match first {
            Some(i) => Ok(Scalar::Int(i as i64)),
            None => Err(Error::value(
                "an empty array has no largest or smallest element",
            )),
        }
    })
}

pub(crate) fn argmax(
    axis: &usize,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    position(*axis, inputs, result, greater_of)
}

pub(crate) fn argmin(
    axis: &usize,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    position(*axis, inputs, result, smaller_of)
}
