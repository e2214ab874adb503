//! Sorts: stable, NaN last, complex numbers by where they have a NaN, then by real, then by imaginary part.

use super::super::instructions::Compare;
use super::super::module::{Value, Writer, type_name};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Class, DType, SortOp};

/// A sort.
pub(super) fn lower(w: &mut Writer, op: &SortOp, x: &Value) -> Result<Value> {
    let scalar = ArrayType::scalar(x.ty.dtype);
    let name = type_name(x.ty.dtype);
    Ok(match op {
        SortOp::Sort { axis } => {
            let parameters = [scalar.clone(), scalar];
            let region = w.region(&format!("before_{name}"), &parameters, |w, x| {
                Ok([before(w, &x[0], &x[1])].into_iter().collect())
            })?;
            w.op("sort", x.ty.clone(), &[x], &attributes(*axis, &region))
        }
        SortOp::Argsort { axis } => {
            let index = ArrayType::scalar(DType::Int64);
            let parameters = [scalar.clone(), scalar, index.clone(), index];
            let region = w.region(&format!("arg_before_{name}"), &parameters, |w, x| {
                Ok([before(w, &x[0], &x[1])].into_iter().collect())
            })?;
            let positions = w.iota(DType::Int64, &x.ty.shape, *axis);
            let types = [x.ty.clone(), positions.ty.clone()];
            let attributes = attributes(*axis, &region);
            w.tuple_op("sort", &types, &[x, &positions], &attributes)
                .swap_remove(1)
        }
    })
}

fn attributes(axis: usize, region: &str) -> String {
    format!(", dimensions={{{axis}}}, is_stable=true, to_apply={region}")
}

/// Whether an element goes before another one.
fn before(w: &mut Writer, x: &Value, y: &Value) -> Value {
    match x.ty.dtype.class() {
        Class::Bool | Class::Integer => w.compare(Compare::Less, x, y),
        Class::Float => real_before(w, x, y),
        Class::Complex => {
            let (xr, xi, yr, yi) = (w.real(x), w.imag(x), w.real(y), w.imag(y));
            // NaN in the real part last, among those and the others NaN in the imaginary part.
            let [xr_nan, xi_nan, yr_nan, yi_nan] =
                [&xr, &xi, &yr, &yi].map(|part| w.compare(Compare::NotEqual, part, part));
            let by_imag = real_before(w, &xi, &yi);
            let by_real = w.compare(Compare::Less, &xr, &yr);
            let same_real = same(w, &xr, &yr, &xr_nan, &yr_nan);
            let rest = w.select(&same_real, &by_imag, &by_real);
            let [by_real_nan, by_imag_nan] =
                [(&xr_nan, &yr_nan), (&xi_nan, &yi_nan)].map(|(a, b)| {
                    let not = w.unary("not", a);
                    w.binary("and", &not, b)
                });
            let same_imag_nan = w.compare(Compare::Equal, &xi_nan, &yi_nan);
            let rest = w.select(&same_imag_nan, &rest, &by_imag_nan);
            let same_real_nan = w.compare(Compare::Equal, &xr_nan, &yr_nan);
            w.select(&same_real_nan, &rest, &by_real_nan)
        }
    }
}

fn same(w: &mut Writer, x: &Value, y: &Value, x_nan: &Value, y_nan: &Value) -> Value {
    let equal = w.compare(Compare::Equal, x, y);
    let both = w.binary("and", x_nan, y_nan);
    w.binary("or", &equal, &both)
}

fn real_before(w: &mut Writer, x: &Value, y: &Value) -> Value {
    let less = w.compare(Compare::Less, x, y);
    let x_number = w.compare(Compare::Equal, x, x);
    let y_nan = w.compare(Compare::NotEqual, y, y);
    let last = w.binary("and", &x_number, &y_nan);
    w.binary("or", &less, &last)
}
