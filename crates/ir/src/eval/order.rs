//! Running totals and sorting along an axis.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::elementwise::{add_scalars, integers, multiply_scalars};
use super::{Tensor, one};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::{ArrayType, Type};

/// Replaces each line along `axis` by as many scalars.
fn by_lines(
    x: &Tensor,
    axis: usize,
    ty: &ArrayType,
    result: impl Fn(Vec<Scalar>) -> Vec<Scalar>,
) -> Tensor {
    let mut lines: HashMap<Vec<usize>, Vec<Scalar>> = HashMap::new();
    Tensor::build(ty, |index| {
        let mut at = index.to_vec();
        at[axis] = 0;
        let line = lines.entry(at.clone()).or_insert_with(|| {
            let elements = (0..x.shape()[axis]).map(|i| {
                at[axis] = i;
                x.at(&at)
            });
            result(elements.collect())
        });
        line[index[axis]]
    })
}

/// The line of the totals of the elements up to each.
fn running(line: Vec<Scalar>, add: impl Fn(Scalar, Scalar) -> Scalar) -> Vec<Scalar> {
    let mut total = None;
    let totals = line.into_iter().map(|x| {
        let next = total.map_or(x, |total| add(total, x));
        total = Some(next);
        next
    });
    totals.collect()
}

/// In order: the total begins with the first element, whatever the sign of its zero.
pub(crate) fn cumsum(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(by_lines(&inputs[0], *axis, result.array()?, |line| {
        running(line, add_scalars)
    }))
}

pub(crate) fn cumprod(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let ty = result.array()?;
    let unit = Scalar::Int(1).cast(ty.dtype);
    one(by_lines(&inputs[0], *axis, ty, |mut line| {
        if let Some(first) = line.first_mut() {
            *first = multiply_scalars(unit, *first);
        }
        running(line, multiply_scalars)
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
        (Scalar::Complex(x), Scalar::Complex(y)) => (x.re.is_nan(), x.im.is_nan())
            .cmp(&(y.re.is_nan(), y.im.is_nan()))
            .then_with(|| real(x.re, y.re))
            .then_with(|| real(x.im, y.im)),
        _ => match integers(x, y) {
            Some((x, y)) => x.cmp(&y),
            None => real(x.to_f64(), y.to_f64()),
        },
    }
}

/// The positions of a line in the order of its elements, equal ones as they stand.
fn positions(line: &[Scalar]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..line.len()).collect();
    positions.sort_by(|&i, &j| order(line[i], line[j]));
    positions
}

pub(crate) fn sort(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(by_lines(&inputs[0], *axis, result.array()?, |line| {
        positions(&line).into_iter().map(|i| line[i]).collect()
    }))
}

pub(crate) fn argsort(axis: &usize, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    one(by_lines(&inputs[0], *axis, result.array()?, |line| {
        let positions = positions(&line).into_iter();
        positions.map(|i| Scalar::Int(i as i64)).collect()
    }))
}
