//! Norms of vectors and matrices, by the definition of each order.
//!
//! Sums over elements are in the defined order, of numbers rounded to the dtype of the result.
//!
//! Squares are not scaled: like NumPy's, a Euclidean norm overflows where a square does.

use num_complex::Complex64;

use super::linalg::{matrix, singular_values};
use super::summation::in_order;
use super::{Indices, Tensor, one};
use crate::NormOrder;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::types::{ArrayType, Axes, DType, Dims, Type};

/// `numpy.linalg.norm`, by the definition of each order.
pub(crate) fn norm(
    order: &NormOrder,
    axes: &Option<Axes>,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let in_c_order = |axes: &Axes| {
        let mut axes = Dims::from_slice(axes);
        // Which axis is which matters to norms of matrices alone.
        if matches!(order, NormOrder::Default | NormOrder::Frobenius) {
            axes.sort_unstable();
        }
        axes
    };
    let axes: Dims = match axes {
        Some(axes) => in_c_order(axes),
        None => (0..x.ty.ndim()).collect(),
    };
    let shape: Vec<usize> = x.shape().to_vec();
    let sizes: Vec<usize> = axes.iter().map(|&a| shape[a]).collect();
    let kept: Vec<usize> = (0..shape.len())
        .map(|a| if axes.contains(&a) { 1 } else { shape[a] })
        .collect();
    let mut data = Vec::new();
    for outer in Indices::new(&kept) {
        // The elements under this norm, as an array over `axes` in their order.
        let element = |inner: &[usize]| {
            let mut index = outer.clone();
            axes.iter().zip(inner).for_each(|(&a, &i)| index[a] = i);
            x.at(&index)
        };
        let part = Tensor::build(&ArrayType::new(x.ty.dtype, &sizes), element);
        data.push(Scalar::Float(match (order, sizes.len()) {
            (NormOrder::Default | NormOrder::Frobenius, _) => euclidean(&part),
            (_, 1) => vector_norm(*order, &part)?,
            _ => matrix_norm(*order, &part)?,
        }));
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

/// The sum of values over axes of these lengths, in the precision of a dtype.
fn sum(values: impl IntoIterator<Item = f64>, lengths: &[usize], dtype: DType) -> f64 {
    let values = values
        .into_iter()
        .map(|x| Scalar::Float(x).cast(dtype.real()));
    let values: Vec<Scalar> = values.collect();
    in_order(&values, lengths, dtype.real()).to_f64()
}

fn euclidean(x: &Tensor) -> f64 {
    let dtype = x.ty.dtype.real();
    let round = |x: f64| Scalar::Float(x).cast(dtype).to_f64();
    let squares = x.data.iter().map(|s| match s {
        Scalar::Complex(z) => round(z.re * z.re) + round(z.im * z.im),
        other => other.to_f64() * other.to_f64(),
    });
    sum(squares, x.shape(), dtype).sqrt()
}

fn magnitude(s: &Scalar) -> f64 {
    match s {
        Scalar::Complex(z) => z.re.hypot(z.im),
        other => other.to_f64().abs(),
    }
}

/// The extremum, where NaN wins; nothing has the largest magnitude zero, and no smallest.
fn extremum(values: impl IntoIterator<Item = f64>, largest: bool) -> Result<f64> {
    let better = |x: f64, y: f64| {
        if x.is_nan() || y.is_nan() {
            f64::NAN
        } else if largest {
            x.max(y)
        } else {
            x.min(y)
        }
    };
    match values.into_iter().reduce(better) {
        Some(best) => Ok(best),
        None if largest => Ok(0.0),
        None => Err(Error::value("an empty array has no smallest element")),
    }
}

fn vector_norm(order: NormOrder, x: &Tensor) -> Result<f64> {
    let magnitudes = || x.data.iter().map(magnitude);
    let sum = |values: &mut dyn Iterator<Item = f64>| sum(values, x.shape(), x.ty.dtype);
    match order {
        NormOrder::Infinity => extremum(magnitudes(), true),
        NormOrder::NegativeInfinity => extremum(magnitudes(), false),
        _ => Ok(match order.as_number().unwrap_or(2.0) {
            0.0 => magnitudes().filter(|&x| x != 0.0).count() as f64,
            1.0 => sum(&mut magnitudes()),
            2.0 => euclidean(x),
            p => sum(&mut magnitudes().map(|x| x.powf(p))).powf(1.0 / p),
        }),
    }
}

fn matrix_norm(order: NormOrder, x: &Tensor) -> Result<f64> {
    let columns = matrix(x, &[]);
    let rows = x.shape()[0];
    let size = |z: &Complex64| z.re.hypot(z.im);
    let sum = |values: &mut dyn ExactSizeIterator<Item = f64>| {
        let length = values.len();
        sum(values, &[length], x.ty.dtype)
    };
    let column_sums = || columns.iter().map(|c| sum(&mut c.iter().map(size)));
    let row_sums = || (0..rows).map(|i| sum(&mut columns.iter().map(|c| size(&c[i]))));
    let values = || singular_values(&x.ty, columns.clone(), rows);
    match (order, order.as_number()) {
        (NormOrder::Infinity, _) => extremum(row_sums(), true),
        (NormOrder::NegativeInfinity, _) => extremum(row_sums(), false),
        (NormOrder::Nuclear, _) => Ok(sum(&mut values()?.into_iter())),
        (_, Some(1.0)) => extremum(column_sums(), true),
        (_, Some(-1.0)) => extremum(column_sums(), false),
        (_, Some(2.0)) => extremum(values()?, true),
        (_, Some(-2.0)) => extremum(values()?, false),
        _ => Err(Error::value(format!(
            "matrices have no norm of order {order}"
        ))),
    }
}
