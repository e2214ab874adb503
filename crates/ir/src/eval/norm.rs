//! Norms of vectors and matrices, by the definition of each order.
//!
//! Squares are not scaled: like NumPy's, a Euclidean norm overflows where a square does.

use num_complex::Complex64;

use super::linalg::{matrix, singular_values};
use super::reduce::sum_scalars;
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
    let axes: Dims = match axes {
        Some(axes) => Dims::from_slice(axes),
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

fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let values = values.into_iter().map(Scalar::Float);
    sum_scalars(values, DType::Float64).to_f64()
}

fn euclidean(x: &Tensor) -> f64 {
    let parts = x.data.iter().map(|s| s.to_complex());
    sum(parts.flat_map(|z| [z.re * z.re, z.im * z.im])).sqrt()
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
    match order {
        NormOrder::Infinity => extremum(magnitudes(), true),
        NormOrder::NegativeInfinity => extremum(magnitudes(), false),
        _ => Ok(match order.as_number().unwrap_or(2.0) {
            0.0 => magnitudes().filter(|&x| x != 0.0).count() as f64,
            1.0 => sum(magnitudes()),
            2.0 => euclidean(x),
            p => sum(magnitudes().map(|x| x.powf(p))).powf(1.0 / p),
        }),
    }
}

fn matrix_norm(order: NormOrder, x: &Tensor) -> Result<f64> {
    let columns = matrix(x, &[]);
    let rows = x.shape()[0];
    let size = |z: &Complex64| z.re.hypot(z.im);
    let column_sums = || columns.iter().map(|c| sum(c.iter().map(size)));
    let row_sums = || (0..rows).map(|i| sum(columns.iter().map(|c| size(&c[i]))));
    let values = || singular_values(&x.ty, columns.clone(), rows);
    match (order, order.as_number()) {
        (NormOrder::Infinity, _) => extremum(row_sums(), true),
        (NormOrder::NegativeInfinity, _) => extremum(row_sums(), false),
        (NormOrder::Nuclear, _) => Ok(sum(values()?)),
        (_, Some(1.0)) => extremum(column_sums(), true),
        (_, Some(-1.0)) => extremum(column_sums(), false),
        (_, Some(2.0)) => extremum(values()?, true),
        (_, Some(-2.0)) => extremum(values()?, false),
        _ => Err(Error::value(format!(
            "matrices have no norm of order {order}"
        ))),
    }
}
