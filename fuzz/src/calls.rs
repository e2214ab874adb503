//! Calls by name with arbitrary arguments: eagerly, lazily and compiled.

use std::sync::{Mutex, PoisonError};

use autojit::ir::{ArrayType, HostArray, Scalar};
use autojit::{Array, DType, Error, Result, Value, dispatch};
use num_complex::Complex64;

use crate::bytes::Bytes;
use crate::compare::Tolerance;

/// Names that have no meaning beyond one run or one place.
const EXCLUDED: &[&str] = &["to", "backend_like", "register"];

const REAL: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    -3.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    5.0,
    -0.25,
    3.0,
    1e-310,
    -5e-324,
    1e308,
    -1e200,
    5.430_273_782_279_421,
    0.1,
    1e-20,
];

const INTEGERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    3,
    -2,
    5,
    1 << 32,
    1 << 40,
    1 << 61,
    i64::MAX,
    i64::MIN,
    -(1 << 33),
    7,
    64,
    255,
];

const TEXTS: &[&str] = &[
    "ij,jk->ik",
    "ii->i",
    "ij->ji",
    "i,i",
    "...ij->...ji",
    "",
    "->",
    "full",
    "valid",
    "same",
    "constant",
    "edge",
    "reflect",
    "wrap",
    "symmetric",
    "linear",
    "left",
    "right",
    "fro",
    "nuc",
    "ortho",
    "forward",
    "float32",
    "complex128",
    "int64",
    "bool",
    "stable",
    "raise",
    "clip",
    "xy",
    "ij",
    "reduced",
    "complete",
    "r",
    "L",
    "U",
];

/// One call: a name with arguments.
struct Call {
    name: &'static str,
    arrays: Vec<HostArray>,
    arguments: Vec<Value>,
    named: Vec<(&'static str, Value)>,
}

/// In place of an array stands text that begins so, with its number: no other text does.
const MARK: &str = "\u{0}array ";

fn array(bytes: &mut Bytes<'_>) -> HostArray {
    let dtype = bytes.pick(&[
        DType::Float64,
        DType::Float64,
        DType::Complex128,
        DType::Float32,
        DType::Int64,
        DType::Complex64,
        DType::Bool,
        DType::Int32,
        DType::Uint8,
        DType::Int8,
        DType::Int16,
        DType::Uint16,
        DType::Uint32,
        DType::Uint64,
    ]);
    let rank = bytes.below(4);
    let extents = if bytes.below(16) == 0 {
        [0, 1, 2, 17]
    } else {
        [1, 2, 3, 4]
    };
    let shape: Vec<usize> = (0..rank).map(|_| bytes.pick(&extents)).collect();
    let ty = ArrayType::new(dtype, shape.as_slice());
    // Sums of the first ones are exact in any order.
    let palette = if bytes.below(2) == 0 {
        &REAL[..13]
    } else {
        REAL
    };
    let scalars: Vec<Scalar> = (0..ty.size())
        .map(|_| match dtype {
            DType::Bool => Scalar::Bool(bytes.below(2) == 0),
            _ if dtype.is_complex() => {
                Scalar::Complex(Complex64::new(bytes.pick(palette), bytes.pick(palette)))
            }
            _ if dtype.is_float() => Scalar::Float(bytes.pick(palette)),
            _ => Scalar::Int(i64::from(bytes.byte() as i8)),
        })
        .collect();
    HostArray::from_scalars(&ty, &scalars).expect("as many elements as the shape has")
}

fn value(bytes: &mut Bytes<'_>, arrays: &mut Vec<HostArray>, depth: usize) -> Value {
    match bytes.below(if depth < 2 { 16 } else { 12 }) {
        0..=4 => {
            arrays.push(array(bytes));
            Value::Str(format!("{MARK}{}", arrays.len() - 1))
        }
        5 | 6 => Value::Int(bytes.pick(INTEGERS)),
        7 => Value::Float(bytes.pick(REAL)),
        8 => Value::None,
        9 => Value::Str(bytes.pick(TEXTS).to_owned()),
        10 => match bytes.below(4) {
            0 => Value::Bool(true),
            1 => Value::Bool(false),
            2 => Value::Complex(Complex64::new(bytes.pick(REAL), bytes.pick(REAL))),
            _ => Value::DType(bytes.pick(&[DType::Float32, DType::Int64, DType::Complex128])),
        },
        11 => {
            let mut bound = || {
                let n = bytes.pick(INTEGERS);
                (n != 7).then_some(n)
            };
            match bound() {
                Some(0) => Value::Ellipsis,
                start => Value::Slice {
                    start,
                    stop: bound(),
                    step: bound(),
                },
            }
        }
        _ => {
            let count = bytes.below(4);
            Value::List(
                (0..count)
                    .map(|_| value(bytes, arrays, depth + 1))
                    .collect(),
            )
        }
    }
}

fn decode(bytes: &mut Bytes<'_>) -> Call {
    let functions = dispatch::described();
    let function = loop {
        let function = &functions[bytes.below(functions.len())];
        if !EXCLUDED.contains(&function.name) {
            break function;
        }
    };
    let mut arrays = Vec::new();
    let count = 1 + bytes.below(function.parameters.len().max(1) + 1);
    let arguments = (0..count).map(|_| value(bytes, &mut arrays, 0)).collect();
    let mut named = Vec::new();
    for parameter in function.parameters.iter().skip(count) {
        if bytes.below(3) == 0 {
            named.push((parameter.name, value(bytes, &mut arrays, 0)));
        }
    }
    Call {
        name: function.name,
        arrays,
        arguments,
        named,
    }
}

/// The value with the arrays in their places.
fn placed(value: &Value, arrays: &[Array]) -> Value {
    match value {
        Value::Str(text) => match text.strip_prefix(MARK) {
            Some(number) => Value::Array(arrays[number.parse::<usize>().unwrap()].clone()),
            None => value.clone(),
        },
        Value::List(items) => Value::List(items.iter().map(|v| placed(v, arrays)).collect()),
        other => other.clone(),
    }
}

impl Call {
    fn run(&self, arrays: &[Array]) -> Result<Vec<Array>> {
        if self.name.starts_with("random") {
            autojit::numpy::random::seed(1);
        }
        let arguments: Vec<Value> = self.arguments.iter().map(|v| placed(v, arrays)).collect();
        let named: Vec<(&str, Value)> = self
            .named
            .iter()
            .map(|(name, v)| (*name, placed(v, arrays)))
            .collect();
        let mut results = Vec::new();
        flatten(dispatch::call(self.name, &arguments, &named)?, &mut results);
        Ok(results)
    }

    fn inputs(&self) -> Vec<Array> {
        self.arrays.iter().cloned().map(Array::from).collect()
    }

    fn lazy(&self) -> Result<Vec<HostArray>> {
        let inputs: Vec<Array> = self.inputs().iter().map(autojit::lazy::array).collect();
        values(&autojit::lazy::compute(self.run(&inputs)?)?)
    }

    fn compiled(&self, backend: &str) -> Result<Vec<HostArray>> {
        // The traced function can only return arrays; an error on the way is stored here.
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let function = |inputs: Vec<Array>| {
            self.run(&inputs).unwrap_or_else(|error| {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Vec::new()
            })
        };
        let jit = autojit::autojit(function).backend(backend);
        let result = jit.call(self.inputs());
        drop(jit);
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        values(&result?)
    }

    fn describe(&self) -> String {
        let mut text = format!("{}({:?}, {:?})", self.name, self.arguments, self.named);
        for (i, array) in self.arrays.iter().enumerate() {
            let elements: Vec<String> =
                array.to_scalars().iter().map(ToString::to_string).collect();
            text += &format!("\n  array {i}: {} [{}]", array.ty(), elements.join(" "));
        }
        text
    }
}

fn flatten(value: Value, results: &mut Vec<Array>) {
    match value {
        Value::Array(array) => results.push(array),
        Value::List(items) => items.into_iter().for_each(|item| flatten(item, results)),
        _ => {}
    }
}

fn values(arrays: &[Array]) -> Result<Vec<HostArray>> {
    arrays.iter().map(HostArray::try_from).collect()
}

/// How far results of two modes may be apart: not at all, but for what is added up in another order.
fn tolerance(call: &Call, largest: f64) -> Tolerance {
    Tolerance {
        relative: 64.0,
        absolute: 1024.0 * largest.clamp(1.0, 1e15),
        any_nan: call.arrays.iter().any(|a| a.dtype().is_complex()),
        any_unbounded: call.arrays.iter().any(|a| a.dtype().is_complex()),
        ..Tolerance::EXACT
    }
}

fn largest(array: &HostArray) -> f64 {
    let sizes = array
        .to_scalars()
        .into_iter()
        .map(|s| s.to_complex().norm());
    sizes.filter(|x| x.is_finite()).fold(0.0, f64::max)
}

/// Runs the call that the bytes are, in every mode; whether it has a result.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let call = decode(&mut Bytes::new(bytes));
    let eager = call.run(&call.inputs());
    // A broadcast view takes no memory, its elements and the copies of other modes do.
    let is_huge = |x: &Array| x.size().is_ok_and(|size| size > 1 << 24);
    if eager
        .as_ref()
        .is_ok_and(|arrays| arrays.iter().any(is_huge))
    {
        return true;
    }
    let eager = eager.and_then(|arrays| values(&arrays));
    let mut modes = vec![("lazy", call.lazy())];
    for backend in ["replay", "cranelift"] {
        modes.push((backend, call.compiled(backend)));
    }
    let internal = |result: &Result<Vec<HostArray>>| result.as_ref().is_err_and(Error::is_internal);
    assert!(!internal(&eager), "eager: {eager:?}\n{}", call.describe());
    for (mode, got) in modes {
        let difference = match (&eager, &got) {
            (Ok(expected), Ok(got)) if expected.len() == got.len() => {
                let inputs = call.arrays.iter().map(largest).fold(0.0, f64::max);
                expected.iter().zip(got).find_map(|(e, g)| {
                    let size = inputs.max(largest(e));
                    if size > 1e15 {
                        // Sums of such numbers depend on their order.
                        return (e.ty() != g.ty()).then(|| format!("{} and {}", e.ty(), g.ty()));
                    }
                    tolerance(&call, size).mismatch(g, e)
                })
            }
            (Ok(_), Ok(_)) => Some("another number of results".to_owned()),
            (Err(_), Err(error)) if !error.is_internal() => None,
            // What depends on values cannot be traced.
            (Ok(_), Err(error)) if error.is_unsupported() || needs_values(error) => None,
            (Ok(_), Err(error)) => Some(format!("fails: {error}")),
            (Err(expected), Err(error)) => Some(format!("fails: {error}\ninstead of: {expected}")),
            // Parameters of distributions, shares and weights are looked into where their values are known.
            (Err(error), Ok(_)) if error.is_value() && has_parameters(call.name) => None,
            (Err(expected), Ok(_)) => Some(format!("should fail: {expected}")),
        };
        if let Some(difference) = difference {
            panic!("{mode}: {difference}\n{}", call.describe());
        }
    }
    eager.is_ok()
}

/// Whether a function looks into arguments beside the array, whose values it must know for that.
fn has_parameters(name: &str) -> bool {
    name.starts_with("random") || ["quantile", "percentile", "average"].contains(&name)
}

/// Whether an error says that a traced array has no values yet.
fn needs_values(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("traced") || text.contains("lazy")
}
