//! Products of arrays, and Fourier transforms.

use super::super::instructions::Compare;
use super::super::module::{Value, Writer, list};
use super::not_native;
use autojit_ir::error::Result;
use autojit_ir::{
    ArrayType, ContractOp, DType, Dims, Fourier, FourierKind, broadcast_shapes, derived,
};

/// A sum of products.
pub(super) fn lower(
    w: &mut Writer,
    op: &ContractOp,
    inputs: &[&Value],
    result: &ArrayType,
) -> Result<Value> {
    let &[x, y] = inputs else {
        return Err(not_native(op.name()));
    };
    let is_bool = x.ty.dtype == DType::Bool;
    let (mut x, mut y) = (x.clone(), y.clone());
    if is_bool {
        // Counted, as booleans are only or-ed and and-ed.
        x = w.convert(&x, DType::Int32);
        y = w.convert(&y, DType::Int32);
    }
    let product = match op {
        ContractOp::Tensordot { x_axes, y_axes } => dot(w, &x, &y, &Dims::new(), x_axes, y_axes),
        ContractOp::Matmul => matmul(w, &x, &y, result),
        derived!(ContractOp) => return Err(not_native(op.name())),
    };
    Ok(if is_bool {
        let zero = w.like(&product, 0);
        w.compare(Compare::NotEqual, &product, &zero)
    } else {
        product
    })
}

/// The sum of products over pairs of axes, with the first axes of both as batches.
fn dot(
    w: &mut Writer,
    x: &Value,
    y: &Value,
    batch: &[usize],
    x_axes: &[usize],
    y_axes: &[usize],
) -> Value {
    let free = |value: &Value, axes: &[usize]| -> Dims {
        let all = 0..value.ty.ndim();
        all.filter(|a| !axes.contains(a) && !batch.contains(a))
            .map(|a| value.ty.shape[a])
            .collect()
    };
    let mut shape: Dims = batch.iter().map(|&a| x.ty.shape[a]).collect();
    shape.extend(free(x, x_axes));
    shape.extend(free(y, y_axes));
    let mut attributes = format!(
        ", lhs_contracting_dims={{{}}}, rhs_contracting_dims={{{}}}",
        list(x_axes),
        list(y_axes)
    );
    if !batch.is_empty() {
        let batch = list(batch);
        attributes += &format!(", lhs_batch_dims={{{batch}}}, rhs_batch_dims={{{batch}}}");
    }
    w.op(
        "dot",
        ArrayType::new(x.ty.dtype, &shape),
        &[x, y],
        &attributes,
    )
}

fn matmul(w: &mut Writer, x: &Value, y: &Value, result: &ArrayType) -> Value {
    let (x_axis, y_axis) = (x.ty.ndim() - 1, y.ty.ndim().saturating_sub(2));
    if x.ty.ndim() <= 2 && y.ty.ndim() <= 2 {
        return dot(w, x, y, &[], &[x_axis], &[y_axis]);
    }
    // Batches of both have equal leading axes; vectors are rows and columns meanwhile.
    let lead =
        |value: &Value| Dims::from_slice(&value.ty.shape[..value.ty.ndim().saturating_sub(2)]);
    let shared = broadcast_shapes(&lead(x), &lead(y)).unwrap_or_default();
    let matrices = |w: &mut Writer, value: &Value, rest: &[usize]| {
        let mut shape = lead(value);
        shape.extend_from_slice(rest);
        let value = w.reshape(value, &shape);
        let mut shape = shared.clone();
        shape.extend_from_slice(rest);
        w.broadcast(&value, &shape)
    };
    let x_rest: Dims = match *x.ty.shape {
        [k] => Dims::from_slice(&[1, k]),
        ref shape => Dims::from_slice(&shape[shape.len() - 2..]),
    };
    let y_rest: Dims = match *y.ty.shape {
        [k] => Dims::from_slice(&[k, 1]),
        ref shape => Dims::from_slice(&shape[shape.len() - 2..]),
    };
    let (x, y) = (matrices(w, x, &x_rest), matrices(w, y, &y_rest));
    let batch: Dims = (0..shared.len()).collect();
    let product = dot(w, &x, &y, &batch, &[shared.len() + 1], &[shared.len()]);
    w.reshape(&product, &result.shape)
}

/// XLA transforms along the last axis, and divides inverse transforms by the length.
pub(super) fn transform(w: &mut Writer, x: &Value, fourier: Fourier, result: &ArrayType) -> Value {
    let Fourier { kind, n, axis, .. } = fourier;
    if result.size() == 0 {
        return w.literal(0, result.dtype, &result.shape);
    }
    // The axis last; swapping it back is the same permutation.
    let mut perm: Dims = (0..x.ty.ndim()).collect();
    let last = perm.len() - 1;
    perm.swap(axis, last);
    let mut x = w.transpose(x, &perm);
    let (len, taken) = (x.ty.shape[last], fourier.taken());
    if len > taken {
        let mut ranges: Vec<_> = x.ty.shape.iter().map(|&n| (0, n, 1)).collect();
        ranges[last] = (0, taken, 1);
        x = w.slice(&x, &ranges);
    } else if len < taken {
        x = w.pad(&x, last, taken - len, 0.into());
    }
    let name = match kind {
        FourierKind::Forward => "FFT",
        FourierKind::Inverse => "IFFT",
        FourierKind::Real => "RFFT",
        FourierKind::RealInverse => "IRFFT",
    };
    let mut shape = x.ty.shape.clone();
    shape[last] = result.shape[axis];
    let attributes = format!(", fft_type={name}, fft_length={{{n}}}");
    let mut y = w.op(
        "fft",
        ArrayType::new(result.dtype, &shape),
        &[&x],
        &attributes,
    );
    let divided = if fourier.is_forward() {
        1.0
    } else {
        1.0 / n as f64
    };
    let factor = fourier.factor() / divided;
    if factor != 1.0 {
        let real = y.ty.dtype.real();
        let factor = w.literal(factor, real, &shape);
        y = if y.ty.dtype.is_complex() {
            let (re, im) = (w.real(&y), w.imag(&y));
            let (re, im) = (
                w.binary("multiply", &re, &factor),
                w.binary("multiply", &im, &factor),
            );
            w.complex(&re, &im)
        } else {
            w.binary("multiply", &y, &factor)
        };
    }
    w.transpose(&y, &perm)
}
