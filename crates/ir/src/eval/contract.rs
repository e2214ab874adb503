//! Contractions: matrix products, tensordot and einsum, as sums of products over all indices.
//!
//! Booleans are or-ed and and-ed; integers wrap.

use rustc_hash::FxHashMap;

use super::elementwise::multiply_scalars;
use super::reduce::sum_scalars;
use super::summation::{ComplexSum, Sum};
use super::{Indices, Tensor, one};
use crate::einsum::Subscripts;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::{ArrayType, Axes, Class, DType, Type};

/// The sum of the products of pairs.
fn dot(pairs: impl Iterator<Item = (Scalar, Scalar)>, dtype: DType) -> Scalar {
    match dtype.class() {
        Class::Bool | Class::Integer => {
            sum_scalars(pairs.map(|(x, y)| multiply_scalars(x, y)), dtype)
        }
        Class::Float => {
            let mut sum = Sum::default();
            pairs.for_each(|(x, y)| sum.add_product(x.to_f64(), y.to_f64()));
            Scalar::Float(sum.value())
        }
        Class::Complex => {
            let mut sum = ComplexSum::default();
            pairs.for_each(|(x, y)| sum.add_product(x.to_complex(), y.to_complex()));
            Scalar::Complex(sum.value())
        }
    }
}

/// A vector on the left is a row and on the right a column; that axis is not in the result.
pub(crate) fn matmul(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let (x, y) = (&inputs[0], &inputs[1]);
    let ty = result.array()?;
    let with_axis = |t: &Tensor, axis: usize| {
        let mut shape = t.ty.shape.clone();
        if shape.len() == 1 {
            shape.insert(axis, 1);
        }
        Tensor {
            ty: ArrayType {
                dtype: t.ty.dtype,
                shape,
            },
            data: t.data.clone(),
        }
    };
    let (rows, columns) = (with_axis(x, 0), with_axis(y, 1));
    let inner = x.shape()[x.ty.ndim() - 1];
    one(Tensor::build(ty, |index| {
        let mut batch = index.to_vec();
        let column = if y.ty.ndim() > 1 { batch.pop() } else { None };
        let row = if x.ty.ndim() > 1 { batch.pop() } else { None };
        let at = |t: &Tensor, i: usize, j: usize| {
            let lead = t.ty.ndim() - 2;
            let mut full: Vec<usize> = batch[batch.len() - lead..].to_vec();
            full.extend([i, j]);
            // Only the batch axes broadcast; an inner or outer axis of length one has index zero anyway.
            t.at_broadcast(&full)
        };
        let (i, j) = (row.unwrap_or(0), column.unwrap_or(0));
        dot(
            (0..inner).map(|k| (at(&rows, i, k), at(&columns, k, j))),
            ty.dtype,
        )
    }))
}

pub(crate) fn tensordot(
    x_axes: &Axes,
    y_axes: &Axes,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let (x, y) = (&inputs[0], &inputs[1]);
    let ty = result.array()?;
    let summed: Vec<usize> = x_axes.iter().map(|&a| x.shape()[a]).collect();
    let free = |t: &Tensor, axes: &Axes| -> Vec<usize> {
        (0..t.ty.ndim()).filter(|a| !axes.contains(a)).collect()
    };
    let (x_free, y_free) = (free(x, x_axes), free(y, y_axes));
    let at = |t: &Tensor, free: &[usize], outer: &[usize], axes: &[usize], inner: &[usize]| {
        let mut index = vec![0; t.ty.ndim()];
        free.iter().zip(outer).for_each(|(&a, &i)| index[a] = i);
        axes.iter().zip(inner).for_each(|(&a, &i)| index[a] = i);
        t.at(&index)
    };
    if x.data.len() == 1 && y.data.len() == 1 {
        // NumPy's `dot` multiplies numbers, without a sum that would begin at +0.
        let product = multiply_scalars(x.data[0], y.data[0]);
        return one(Tensor::build(ty, |_| product));
    }
    one(Tensor::build(ty, |index| {
        let (left, right) = index.split_at(x_free.len());
        let pairs = Indices::new(&summed).map(|k| {
            (
                at(x, &x_free, left, x_axes, &k),
                at(y, &y_free, right, y_axes, &k),
            )
        });
        dot(pairs, ty.dtype)
    }))
}

/// Every label is an index; those that are not in the result are summed over.
#[allow(clippy::borrowed_box, reason = "rows pass attributes by reference")]
pub(crate) fn einsum(
    subscripts: &Box<str>,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let subscripts = Subscripts::parse(subscripts)?;
    let ty = result.array()?;
    let sizes = subscripts.sizes(&inputs.iter().map(Tensor::ty).collect::<Vec<_>>())?;
    let mut summed: Vec<char> = sizes.keys().copied().collect();
    summed.retain(|label| !subscripts.result.contains(label));
    summed.sort_unstable();
    let summed_sizes: Vec<usize> = summed.iter().map(|label| sizes[label]).collect();
    one(Tensor::build(ty, |index| {
        let factors = |inner: Vec<usize>| -> Vec<Scalar> {
            let labels = subscripts.result.iter().zip(index);
            let position: FxHashMap<char, usize> = labels
                .chain(summed.iter().zip(&inner))
                .map(|(&label, &i)| (label, i))
                .collect();
            let element = |(t, labels): (&Tensor, &Vec<char>)| {
                let own: Vec<usize> = labels.iter().map(|l| position[l]).collect();
                t.at_broadcast(&own)
            };
            inputs
                .iter()
                .zip(&subscripts.operands)
                .map(element)
                .collect()
        };
        // Nothing is multiplied by one and no zero is added, which would change infinities and signs.
        let product = |factors: &[Scalar]| factors.iter().copied().reduce(multiply_scalars);
        let terms = Indices::new(&summed_sizes).map(factors);
        if summed.is_empty() {
            let mut products = terms.filter_map(|f| product(&f));
            return products.next().unwrap_or(Scalar::Int(0));
        }
        if inputs.len() == 1 {
            return sum_scalars(terms.flatten(), ty.dtype);
        }
        let pairs = terms.filter_map(|f| {
            let (&last, others) = f.split_last()?;
            Some((product(others)?, last))
        });
        dot(pairs, ty.dtype)
    }))
}
