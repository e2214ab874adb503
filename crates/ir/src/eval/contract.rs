//! Contractions: matrix products, tensordot and einsum, as sums of products over all indices.
//!
//! Booleans are or-ed and and-ed; integers wrap. Inner products of vectors are sums of rounded products in the order of sums;
//! those of matrices are summed with compensation and exact products.

use rustc_hash::FxHashMap;

use super::elementwise::multiply_scalars;
use super::reduce::{multiply_rounded, sum_scalars};
use super::summation::{ComplexSum, Sum};
use super::{Indices, Tensor, one};
use crate::einsum::Subscripts;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::{ArrayType, Axes, Class, DType, Type};

/// The sum of the products of pairs.
fn dot(pairs: impl Iterator<Item = (Scalar, Scalar)>, dtype: DType) -> Scalar {
    match dtype.class() {
        Class::Bool | Class::Integer => inner(pairs, dtype),
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

/// The inner product of two vectors: rounded products, summed in the defined order.
fn inner(pairs: impl Iterator<Item = (Scalar, Scalar)>, dtype: DType) -> Scalar {
    let products: Vec<Scalar> = pairs.map(|(x, y)| multiply_rounded(x, y, dtype)).collect();
    sum_scalars(&products, &[products.len()], dtype)
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
    let length = x.shape()[x.ty.ndim() - 1];
    let rows_of = |t: &Tensor, axis: usize| t.shape()[t.ty.ndim() - 2 + axis];
    let are_vectors = rows_of(&rows, 0) == 1 && rows_of(&columns, 1) == 1;
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
        let pairs = (0..length).map(|k| (at(&rows, i, k), at(&columns, k, j)));
        if are_vectors {
            inner(pairs, ty.dtype)
        } else {
            dot(pairs, ty.dtype)
        }
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
    let are_vectors = ty.size() == 1;
    one(Tensor::build(ty, |index| {
        let (left, right) = index.split_at(x_free.len());
        let pairs = Indices::new(&summed).map(|k| {
            (
                at(x, &x_free, left, x_axes, &k),
                at(y, &y_free, right, y_axes, &k),
            )
        });
        if are_vectors {
            inner(pairs, ty.dtype)
        } else {
            dot(pairs, ty.dtype)
        }
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
    if let [labels] = subscripts.operands.as_slice() {
        // One operand is summed over its axes in their order, diagonals last.
        let is_repeated = |label: &char| labels.iter().filter(|l| *l == label).count() > 1;
        let place = |label: &char| labels.iter().position(|l| l == label);
        summed.sort_by_key(|label| (is_repeated(label), place(label)));
    }
    let mut is_inner = false;
    if let ([first, second], [x, y]) = (subscripts.operands.as_slice(), inputs) {
        // Where no axis is left over it is an inner product, over the axes of the first operand in their order.
        let has = |labels: &[char], t: &Tensor, label: &char| {
            let mut places = labels.iter().zip(t.shape());
            places.any(|(l, size)| l == label && sizes[label] == *size)
        };
        let is_paired = |(label, &size): (&char, &usize)| {
            size == 1 || has(first, x, label) && has(second, y, label)
        };
        is_inner = sizes.iter().all(is_paired);
        let place = |label: &char| first.iter().position(|l| l == label);
        summed.sort_by_key(place);
    }
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
            let terms: Vec<Scalar> = terms.flatten().collect();
            return sum_scalars(&terms, &summed_sizes, ty.dtype);
        }
        let pairs = terms.filter_map(|f| {
            let (&last, others) = f.split_last()?;
            Some((product(others)?, last))
        });
        if is_inner {
            inner(pairs, ty.dtype)
        } else {
            dot(pairs, ty.dtype)
        }
    }))
}
