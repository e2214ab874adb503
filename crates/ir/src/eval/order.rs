//! Running totals and sorting along an axis.

use std::cmp::Ordering;

use super::elementwise::multiply_scalars;
use super::{Tensor, one};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::Type;

/// The elements of the line along `axis` that goes through an index.
fn line(x: &Tensor, axis: usize, index: &[usize]) -> Vec<Scalar> {
    let mut at = index.to_vec();
    (0..x.shape()[axis])
        .map(|i| {
            at[axis] = i;
            x.at(&at)
        })
        .collect()
}

pub(crate) fn cumsum(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let ty = result.array()?;
    one(Tensor::build(ty, |index| {
        let line = line(&inputs[0], *axis, index);
        // In order: the total begins with the first element, whatever the sign of its zero.
        let terms = line[..=index[*axis]].iter().copied();
        terms.reduce(add_scalars).unwrap_or(line[0])
    }))
}

fn add_scalars(x: Scalar, y: Scalar) -> Scalar {
    match (x, y) {
        (Scalar::Int(x), Scalar::Int(y)) => Scalar::Int(x.wrapping_add(y)),
        (Scalar::Complex(x), Scalar::Complex(y)) => Scalar::Complex(x + y),
        _ => Scalar::Float(x.to_f64() + y.to_f64()),
    }
}

pub(crate) fn cumprod(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let ty = result.array()?;
    let unit = Scalar::Int(1).cast(ty.dtype);
    one(Tensor::build(ty, |index| {
        let line = line(&inputs[0], *axis, index);
        let factors = line[..=index[*axis]].iter();
        factors.fold(unit, |product, &x| multiply_scalars(product, x))
    }))
}

/// NumPy's order: NaN last; complex numbers by where they have a NaN, then by real, then by imaginary part.
fn order(x: Scalar, y: Scalar) -> Ordering {
    let real = |x: f64, y: f64| {
        x.partial_cmp(&y)
            .unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
    };
    match (x, y) {
        (Scalar::Bool(x), Scalar::Bool(y)) => x.cmp(&y),
        (Scalar::Int(x), Scalar::Int(y)) => x.cmp(&y),
        (Scalar::Complex(x), Scalar::Complex(y)) => (x.re.is_nan(), x.im.is_nan())
            .cmp(&(y.re.is_nan(), y.im.is_nan()))
            .then_with(|| real(x.re, y.re))
            .then_with(|| real(x.im, y.im)),
        _ => real(x.to_f64(), y.to_f64()),
    }
}

/// The positions of a line in the order of its elements, equal ones as they stand.
fn positions(line: &[Scalar]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..line.len()).collect();
    positions.sort_by(|&i, &j| order(line[i], line[j]));
    positions
}

pub(crate) fn sort(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        let line = line(&inputs[0], *axis, index);
        line[positions(&line)[index[*axis]]]
    }))
}

pub(crate) fn argsort(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(Tensor::build(result.array()?, |index| {
        let line = line(&inputs[0], *axis, index);
        Scalar::Int(positions(&line)[index[*axis]] as i64)
    }))
}
