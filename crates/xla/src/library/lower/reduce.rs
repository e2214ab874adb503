//! Reductions, and running totals.

use smallvec::SmallVec;

use super::super::instructions::Compare;
use super::super::module::{Value, Writer, type_name};
use super::not_native;
use super::parts::{greater_of, less, smaller_of};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Class, DType, Dims, ReduceOp, Scalar, ScanOp, derived};

/// A reduction.
pub(super) fn lower(w: &mut Writer, op: &ReduceOp, x: &Value, result: &ArrayType) -> Result<Value> {
    let value = match op {
        ReduceOp::Sum { axes, .. } => {
            let region = w.scalar_region("add", x.ty.dtype)?;
            let x = &shortened(w, x, axes, &region);
            if axes.iter().all(|&a| x.ty.shape[a] == 1) {
                plus_zero(w, x)
            } else {
                over(w, x, axes, 0.into(), &region)
            }
        }
        ReduceOp::Prod { axes, .. } => {
            let region = w.scalar_region("multiply", x.ty.dtype)?;
            over(w, x, axes, 1.into(), &region)
        }
        ReduceOp::Any { axes, .. } => {
            let region = w.scalar_region("or", x.ty.dtype)?;
            over(w, x, axes, false.into(), &region)
        }
        ReduceOp::All { axes, .. } => {
            let region = w.scalar_region("and", x.ty.dtype)?;
            over(w, x, axes, true.into(), &region)
        }
        ReduceOp::Max { axes, .. } => extremum(w, x, axes, true)?,
        ReduceOp::Min { axes, .. } => extremum(w, x, axes, false)?,
        ReduceOp::Argmax { axis, .. } => position(w, x, *axis, true)?,
        ReduceOp::Argmin { axis, .. } => position(w, x, *axis, false)?,
        derived!(ReduceOp) => return Err(not_native(op.name())),
    };
    Ok(w.reshape(&value, &result.shape))
}

/// A running total.
pub(super) fn scan(w: &mut Writer, op: &ScanOp, x: &Value, result: &ArrayType) -> Result<Value> {
    let value = match op {
        ScanOp::Cumsum { axis } => {
            let zero = no_summand(x.ty.dtype);
            let region = w.scalar_region("add", x.ty.dtype)?;
            running(w, x, *axis, zero, &region)
        }
        ScanOp::Cumprod { axis } => {
            let region = w.scalar_region("multiply", x.ty.dtype)?;
            running(w, x, *axis, 1.into(), &region)
        }
    };
    Ok(w.reshape(&value, &result.shape))
}

fn over(w: &mut Writer, x: &Value, axes: &[usize], initial: Scalar, region: &str) -> Value {
    if axes.is_empty() {
        return x.clone();
    }
    w.reduce(x, axes, initial, region)
}

/// The number that changes no sum: minus zero, which keeps even that of minus zeros.
fn no_summand(dtype: DType) -> Scalar {
    match dtype.class() {
        Class::Float => Scalar::Float(-0.0),
        Class::Complex => num_complex::Complex64::new(-0.0, -0.0).into(),
        _ => 0.into(),
    }
}

/// How many numbers are added one after the other, at the beginning and in the end.
const IN_A_ROW: usize = 10;

/// An array with the same sums over these axes, of no more than [`IN_A_ROW`] numbers each, as far as numbers are rounded.
///
/// XLA adds the numbers of a sum in a row, so that errors grow with their count; NumPy adds 16 in a row and then halves.
/// Here rows are added first, a few at a time. If many are left, the second half of an axis is added to the first one
/// until few are. Rows come first, as XLA would write what is halved into the code of both halves, and of their halves.
fn shortened(w: &mut Writer, x: &Value, axes: &[usize], region: &str) -> Value {
    let mut x = x.clone();
    let count = |x: &Value| axes.iter().map(|&a| x.ty.shape[a]).product::<usize>();
    // The first of the longest: its parts lie in one piece.
    let longest = |x: &Value| axes.iter().rev().copied().max_by_key(|&a| x.ty.shape[a]);
    let all = count(&x);
    if x.ty.dtype.class() < Class::Float || x.ty.size() == 0 || all <= 2 * IN_A_ROW {
        return x;
    }
    let nothing = no_summand(x.ty.dtype);
    if let Some(axis) = longest(&x) {
        let rows = (1..IN_A_ROW).find(|n| n * n >= all).unwrap_or(IN_A_ROW);
        let rows = rows.min(x.ty.shape[axis]);
        let (parts, shape) = in_parts(w, &x, axis, rows, nothing);
        let parts = w.reshape(&parts, &shape);
        x = w.reduce(&parts, &[axis], nothing, region);
    }
    while count(&x) > IN_A_ROW
        && let Some(axis) = longest(&x)
    {
        let (whole, shape) = in_parts(w, &x, axis, 2, nothing);
        let half = shape[axis + 1];
        let [first, second] = [0, half].map(|start| {
            let ranges = whole.ty.shape.iter().map(|&n| (0, n, 1));
            let mut ranges: SmallVec<[(usize, usize, usize); 4]> = ranges.collect();
            ranges[axis] = (start, start + half, 1);
            w.slice(&whole, &ranges)
        });
        x = w.binary("add", &first, &second);
    }
    x
}

/// An array whose axis has a multiple of so many elements, and its shape with an axis of the parts before it.
fn in_parts(w: &mut Writer, x: &Value, axis: usize, parts: usize, more: Scalar) -> (Value, Dims) {
    let n = x.ty.shape[axis];
    let length = n.div_ceil(parts);
    let x = match parts * length - n {
        0 => x.clone(),
        missing => w.pad(x, axis, missing, more),
    };
    let mut shape = x.ty.shape.clone();
    shape[axis] = length;
    shape.insert(axis, parts);
    (x, shape)
}

/// The sum of each number alone: the same, without minus zeros. XLA leaves out an addition of zero.
fn plus_zero(w: &mut Writer, x: &Value) -> Value {
    if x.ty.dtype.is_complex() {
        let (re, im) = (w.real(x), w.imag(x));
        let (re, im) = (plus_zero(w, &re), plus_zero(w, &im));
        return w.complex(&re, &im);
    }
    if x.ty.dtype.class() < Class::Float {
        return x.clone();
    }
    let zero = w.like(x, 0);
    let is_zero = w.compare(Compare::Equal, x, &zero);
    w.select(&is_zero, &zero, x)
}

/// The number that no element is better than: the other end of the dtype's range.
fn worst(dtype: DType, largest: bool) -> Scalar {
    let (low, high) = match dtype {
        DType::Bool => return (!largest).into(),
        DType::Uint8 => (0, i64::from(u8::MAX)),
        DType::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DType::Int64 => (i64::MIN, i64::MAX),
        _ => {
            let end = if largest {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
            return match dtype.is_complex() {
                true => num_complex::Complex64::new(end, end).into(),
                false => end.into(),
            };
        }
    };
    (if largest { low } else { high }).into()
}

fn extremum(w: &mut Writer, x: &Value, axes: &[usize], largest: bool) -> Result<Value> {
    let dtype = x.ty.dtype;
    let region = match (dtype.class(), largest) {
        (Class::Bool, true) => w.scalar_region("or", dtype)?,
        (Class::Bool, false) => w.scalar_region("and", dtype)?,
        (Class::Integer, true) => w.scalar_region("maximum", dtype)?,
        (Class::Integer, false) => w.scalar_region("minimum", dtype)?,
        // XLA's own have no rule for NaN on CPUs.
        _ => {
            let name = format!(
                "{}_{}",
                if largest { "greater" } else { "smaller" },
                type_name(dtype)
            );
            let scalar = ArrayType::scalar(dtype);
            w.region(&name, &[scalar.clone(), scalar], |w, x| {
                let better = if largest { greater_of } else { smaller_of };
                Ok([better(w, &x[0], &x[1])?].into_iter().collect())
            })?
        }
    };
    Ok(over(w, x, axes, worst(dtype, largest), &region))
}

/// The position of the first of the best elements along an axis; NaN is best.
fn position(w: &mut Writer, x: &Value, axis: usize, largest: bool) -> Result<Value> {
    let dtype = x.ty.dtype;
    let name = format!(
        "{}_{}",
        if largest { "argmax" } else { "argmin" },
        type_name(dtype)
    );
    let (element, index) = (ArrayType::scalar(dtype), ArrayType::scalar(DType::Int64));
    let parameters = [
        element.clone(),
        index.clone(),
        element.clone(),
        index.clone(),
    ];
    let region = w.region(&name, &parameters, |w, x| {
        let (a, i, b, j) = (&x[0], &x[1], &x[2], &x[3]);
        let better = if largest {
            less(w, b, a)?
        } else {
            less(w, a, b)?
        };
        let equal = w.compare(Compare::Equal, a, b);
        let (mut wins, mut ties) = (better, equal);
        if dtype.class() >= Class::Float {
            let a_nan = w.compare(Compare::NotEqual, a, a);
            let b_nan = w.compare(Compare::NotEqual, b, b);
            let both = w.binary("and", &a_nan, &b_nan);
            let b_number = w.unary("not", &b_nan);
            let alone = w.binary("and", &a_nan, &b_number);
            wins = w.binary("or", &wins, &alone);
            ties = w.binary("or", &ties, &both);
        }
        let before = w.compare(Compare::Less, i, j);
        let first = w.binary("and", &ties, &before);
        let chosen = w.binary("or", &wins, &first);
        let values = [w.select(&chosen, a, b), w.select(&chosen, i, j)];
        Ok(values.into_iter().collect())
    })?;
    let positions = w.iota(DType::Int64, &x.ty.shape, axis);
    let initial = w.literal(worst(dtype, largest), dtype, &[]);
    let end = w.literal(i64::MAX, DType::Int64, &[]);
    let mut shape = x.ty.shape.clone();
    shape.remove(axis);
    let types = [dtype, DType::Int64].map(|dtype| ArrayType::new(dtype, &shape));
    let attributes = format!(", dimensions={{{axis}}}, to_apply={region}");
    let mut results = w.tuple_op(
        "reduce",
        &types,
        &[x, &positions, &initial, &end],
        &attributes,
    );
    Ok(results.swap_remove(1))
}

/// The reduction of each element and those before it, as windows that begin before the array does.
fn running(w: &mut Writer, x: &Value, axis: usize, initial: Scalar, region: &str) -> Value {
    let n = x.ty.shape[axis];
    if x.ty.size() == 0 || n == 1 {
        return x.clone();
    }
    let along = |here: String, elsewhere: &str| -> String {
        let parts: SmallVec<[String; 4]> = (0..x.ty.ndim())
            .map(|a| {
                if a == axis {
                    here.clone()
                } else {
                    elsewhere.to_owned()
                }
            })
            .collect();
        parts.join("x")
    };
    let (sizes, pads) = (
        along(n.to_string(), "1"),
        along(format!("{}_0", n - 1), "0_0"),
    );
    let initial = w.literal(initial, x.ty.dtype, &[]);
    let attributes = format!(", window={{size={sizes} pad={pads}}}, to_apply={region}");
    w.op("reduce-window", x.ty.clone(), &[x, &initial], &attributes)
}
