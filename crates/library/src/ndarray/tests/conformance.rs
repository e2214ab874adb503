//! The project's conformance cases that are one op of the table, run on this library alone.
//!
//! `tests/conformance` runs all cases through the public functions; this is the part of it that says whether a
//! mistake is the library's.

use std::collections::BTreeMap;

use serde_json::Value;
use smallvec::smallvec;

use super::{run, z};
use autojit_ir::error::Result;
use autojit_ir::{
    ArrayType, ContractOp, DType, Dims, HostArray, MapOp, Op, ReduceOp, Scalar, normalize_axis,
    resolve_scalars,
};

/// A value of a conformance case.
enum Input {
    Array(HostArray),
    Scalar(Scalar),
}

fn number(value: &Value) -> Option<Scalar> {
    match value {
        Value::Number(n) => n
            .as_i64()
            .map(Scalar::Int)
            .or(n.as_u64().map(Scalar::from))
            .or(n.as_f64().map(Scalar::Float)),
        Value::String(s) => s.parse().ok().map(Scalar::Float),
        Value::Bool(b) => Some(Scalar::Bool(*b)),
        Value::Array(pair) => {
            let (re, im) = (number(pair.first()?)?, number(pair.get(1)?)?);
            Some(Scalar::Complex(z(re.to_f64(), im.to_f64())))
        }
        Value::Object(o) => number(o.get("float").or(o.get("complex"))?),
        Value::Null => None,
    }
}

fn read_array(value: &Value) -> Option<HostArray> {
    let dtype: DType = value["dtype"].as_str()?.parse().ok()?;
    let shape = value["shape"].as_array()?.iter();
    let shape: Vec<usize> = shape
        .map(|n| n.as_u64().map(|n| n as usize))
        .collect::<Option<_>>()?;
    let data: Vec<Scalar> = value["data"]
        .as_array()?
        .iter()
        .map(number)
        .collect::<Option<_>>()?;
    HostArray::from_scalars(&ArrayType::new(dtype, &shape), &data)
}

/// The op of a case, where it is one op of the table. `flat` means that the input is flattened first.
fn read_op(case: &Value, ndim: usize) -> Option<(Op, bool)> {
    let keepdims = case["kwargs"]["keepdims"].as_bool().unwrap_or(false);
    let axis = |v: &Value| normalize_axis(v.as_i64()?, ndim).ok();
    let axes = || -> Option<Dims> {
        let mut axes: Dims = match &case["kwargs"]["axis"] {
            Value::Null => (0..ndim).collect(),
            Value::Object(list) => list["list"]
                .as_array()?
                .iter()
                .map(axis)
                .collect::<Option<_>>()?,
            one => smallvec![axis(one)?],
        };
        axes.sort_unstable();
        Some(axes)
    };
    let one_axis = match &case["kwargs"]["axis"] {
        Value::Null => Some(0),
        one => axis(one),
    };
    let flat = case["kwargs"]["axis"].is_null();
    Some(match case["fn"].as_str()? {
        "sum" => (
            Op::Reduce(ReduceOp::Sum {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "prod" => (
            Op::Reduce(ReduceOp::Prod {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "max" | "amax" => (
            Op::Reduce(ReduceOp::Max {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "min" | "amin" => (
            Op::Reduce(ReduceOp::Min {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "any" => (
            Op::Reduce(ReduceOp::Any {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "all" => (
            Op::Reduce(ReduceOp::All {
                axes: axes()?,
                keepdims,
            }),
            false,
        ),
        "argmax" if !(flat && keepdims) => (
            Op::Reduce(ReduceOp::Argmax {
                axis: one_axis?,
                keepdims,
            }),
            flat,
        ),
        "argmin" if !(flat && keepdims) => (
            Op::Reduce(ReduceOp::Argmin {
                axis: one_axis?,
                keepdims,
            }),
            flat,
        ),
        "matmul" => (Op::Contract(ContractOp::Matmul), false),
        "astype" => {
            let dtype = case["args"][1]["dtype"].as_str()?.parse().ok()?;
            (Op::Map(MapOp::Astype { dtype }), false)
        }
        name => {
            let op = Op::parse(name, &[]).ok().filter(Op::is_elementwise)?;
            (op, false)
        }
    })
}

/// The result of a case, or `None` if it is not one op.
fn run_case(case: &Value) -> Option<Result<HostArray>> {
    let mut inputs = Vec::new();
    for value in case["args"]
        .as_array()?
        .iter()
        .filter(|v| v.get("dtype").is_none())
    {
        inputs.push(match value.get("array") {
            Some(array) => Input::Array(read_array(array)?),
            None => Input::Scalar(number(value)?),
        });
    }
    let ndim = match inputs.first()? {
        Input::Array(x) => x.shape().len(),
        Input::Scalar(_) => 0,
    };
    let (op, flat) = read_op(case, ndim)?;
    let dtypes: Vec<Option<DType>> = inputs
        .iter()
        .map(|i| match i {
            Input::Array(x) => Some(x.dtype()),
            Input::Scalar(_) => None,
        })
        .collect();
    let mut arrays = Vec::new();
    for input in inputs {
        arrays.push(match input {
            Input::Array(x) if flat => {
                let size = x.shape().iter().product();
                super::super::shape::reshape(&x, &[size]).unwrap()
            }
            Input::Array(x) => x,
            Input::Scalar(s) => match resolve_scalars(&op, &dtypes, s) {
                Ok(literal) => HostArray::scalar(literal.value, literal.dtype),
                Err(error) => return Some(Err(error)),
            },
        });
    }
    Some(run(&op, &arrays.iter().collect::<Vec<_>>()))
}

fn close(got: Scalar, expected: Scalar, rtol: f64, atol: f64) -> bool {
    let near = |a: f64, b: f64| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= atol + rtol * b.abs()
    };
    let (a, b) = (got.to_complex(), expected.to_complex());
    match (got, expected) {
        (Scalar::Int(a), Scalar::Int(b)) => a == b,
        (Scalar::Complex(_), _) => {
            near(a.re, b.re) && near(a.im, b.im) || (a - b).norm() <= atol + rtol * b.norm()
        }
        _ => near(a.re, b.re),
    }
}

#[test]
fn conformance_cases_that_are_one_op() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let files = [
        "unary",
        "unary_special",
        "binary",
        "binary_special",
        "binary_promote",
        "binary_scalar",
        "compare",
        "logic",
        "where",
        "reduce",
        "reduce_edge",
        "contract",
        "shape",
        "integers",
    ];
    for file in files {
        let text = std::fs::read_to_string(format!("{folder}{file}.json")).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        for case in json["cases"].as_array().unwrap() {
            let Some(result) = run_case(case) else {
                continue;
            };
            let name = format!("{file}: {} {} {}", case["fn"], case["args"], case["kwargs"]);
            let expected = case.get("out").map(|out| read_array(&out[0]));
            *counts.entry(file).or_default() += 1;
            match (result, expected) {
                (Err(_), None) => {}
                // A dtype that the project has no type for.
                (_, Some(None)) => *counts.entry(file).or_default() -= 1,
                (Ok(got), Some(Some(expected))) => {
                    let tolerance = |key: &str| case[key].as_f64().unwrap_or(0.0);
                    let (rtol, atol) = (tolerance("rtol"), tolerance("atol"));
                    let (a, b) = (got.to_scalars(), expected.to_scalars());
                    if got.ty() != expected.ty()
                        || !a.iter().zip(&b).all(|(&a, &b)| close(a, b, rtol, atol))
                    {
                        wrong.push(format!(
                            "{name}\n  got {} {a:?}\n  not {} {b:?}",
                            got.ty(),
                            expected.ty()
                        ));
                    }
                }
                (Ok(got), None) => wrong.push(format!("{name}\n  got {}, not an error", got.ty())),
                (Err(error), _) => wrong.push(format!("{name}\n  {error}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let total: usize = counts.values().sum();
    assert!(total > 1000, "only {total} cases are one op: {counts:?}");
}
