//! Reads the JSON of conformance files.
//!
//! A single call is read as a program of one step, so that everything runs the same way. What the project has
//! no dtype for is distinguished from what is malformed.

use autojit::{Array, DType, Scalar, Value};
use num_complex::Complex64;
use serde_json::Value as Json;

/// A computation: inputs, steps that each append a value, and what NumPy gave.
#[derive(Clone)]
pub(crate) struct Case {
    /// The function, or the name of the program.
    pub(crate) name: String,
    pub(crate) inputs: Vec<Data>,
    pub(crate) steps: Vec<Step>,
    /// Which values are compared; `None` is all results of the last step.
    pub(crate) outputs: Option<Vec<usize>>,
    pub(crate) expected: Expected,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
    /// How results are compared that are not unique.
    pub(crate) compare: String,
    /// The transformation of the function before it is called.
    pub(crate) transform: Option<Transform>,
}

/// A transformation of the function of the inputs that the steps are.
#[derive(Clone)]
pub(crate) enum Transform {
    /// A batch of examples, along an axis of each input or the same for all.
    Batch {
        in_axes: Vec<Option<i64>>,
        out_axis: i64,
    },
    /// The gradients of `Re sum conj(cotangent) * output` over results by number, for some inputs.
    Gradient {
        wrt: Vec<usize>,
        outputs: Vec<usize>,
        cotangents: Vec<Data>,
    },
    /// The derivatives of results by number in a direction.
    Tangent {
        wrt: Vec<usize>,
        outputs: Vec<usize>,
        tangents: Vec<Data>,
    },
    /// The derivatives of the gradients in a direction.
    HessianProduct {
        wrt: Vec<usize>,
        outputs: Vec<usize>,
        cotangents: Vec<Data>,
        tangents: Vec<Data>,
    },
}

/// A call.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) function: String,
    pub(crate) args: Vec<Argument>,
    pub(crate) kwargs: Vec<(String, Argument)>,
    /// The only result that is a value of the program, if not all are.
    pub(crate) get: Option<usize>,
}

/// An argument of a call.
#[derive(Clone)]
pub(crate) enum Argument {
    /// A value of the program: an input or the result of a step.
    Reference(usize),
    /// An array that is no input: a constant of the program.
    Array(Data),
    List(Vec<Argument>),
    Plain(Value),
}

/// The outcome in NumPy.
#[derive(Clone)]
pub(crate) enum Expected {
    Arrays(Vec<Data>),
    /// It refused, with an exception of this name.
    Error(String),
}

/// Why a case cannot be run.
pub(crate) enum Unreadable {
    /// The project has no such dtype.
    NoDType(String),
    Malformed(String),
}

impl From<&str> for Unreadable {
    fn from(why: &str) -> Self {
        Self::Malformed(why.to_owned())
    }
}

type Read<T> = Result<T, Unreadable>;

/// An array as plain data in C order.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) elements: Vec<Scalar>,
}

/// Runs `$body` with `$T` bound to the Rust type of a dtype.
macro_rules! with_element_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $T = bool;
                $body
            }
            DType::Int8 => {
                type $T = i8;
                $body
            }
            DType::Uint8 => {
                type $T = u8;
                $body
            }
            DType::Int16 => {
                type $T = i16;
                $body
            }
            DType::Uint16 => {
                type $T = u16;
                $body
            }
            DType::Int32 => {
                type $T = i32;
                $body
            }
            DType::Uint32 => {
                type $T = u32;
                $body
            }
            DType::Int64 => {
                type $T = i64;
                $body
            }
            DType::Uint64 => {
                type $T = u64;
                $body
            }
            DType::Float32 => {
                type $T = f32;
                $body
            }
            DType::Float64 => {
                type $T = f64;
                $body
            }
            DType::Complex64 => {
                type $T = num_complex::Complex32;
                $body
            }
            DType::Complex128 => {
                type $T = num_complex::Complex64;
                $body
            }
        }
    };
}

impl Data {
    /// As an array of the default library.
    pub(crate) fn to_array(&self) -> Array {
        with_element_type!(self.dtype, T => {
            let elements = self.elements.iter().map(|&x| <T as autojit::ir::Element>::from_scalar(x));
            let shape = ndarray::IxDyn(&self.shape);
            let array = ndarray::ArrayD::<T>::from_shape_vec(shape, elements.collect());
            Array::from(array.expect("the reader checks the number of elements"))
        })
    }

    /// The data of an array whose values are known.
    pub(crate) fn of(array: &Array) -> autojit::Result<Self> {
        let ty = array.ty()?;
        let elements = with_element_type!(ty.dtype, T => {
            array.to_ndarray::<T>()?.iter().map(|&x| Scalar::from(x)).collect()
        });
        Ok(Self {
            dtype: ty.dtype,
            shape: ty.shape.to_vec(),
            elements,
        })
    }
}

/// Reads a file of cases or of programs.
pub(crate) fn read(text: &str) -> Result<Vec<Read<Case>>, String> {
    let json: Json = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let items = |key: &str| json.get(key).and_then(Json::as_array);
    if let Some(cases) = items("cases") {
        let hessians = cases.iter().filter_map(read_hessian);
        let read = |case: &Json| match case.get("steps") {
            Some(_) => read_program(case),
            None => read_case(case),
        };
        Ok(cases.iter().map(read).chain(hessians).collect())
    } else if let Some(programs) = items("programs") {
        Ok(programs.iter().map(read_program).collect())
    } else {
        Err("neither `cases` nor `programs` in the file".into())
    }
}

fn read_case(json: &Json) -> Read<Case> {
    let mut step = read_step(json)?;
    let mut inputs = Vec::new();
    let arguments = step.args.iter_mut();
    let arguments = arguments.chain(step.kwargs.iter_mut().map(|(_, argument)| argument));
    arguments.for_each(|argument| take_arrays(argument, &mut inputs));
    // NumPy's default, which is not ours.
    if step.function == "linalg.svd" && !step.kwargs.iter().any(|(k, _)| k == "full_matrices") {
        let full = Argument::Plain(Value::Bool(true));
        step.kwargs.push(("full_matrices".into(), full));
    }
    Ok(Case {
        name: step.function.clone(),
        inputs,
        steps: vec![step],
        outputs: None,
        expected: match json.get("error").and_then(Json::as_str) {
            Some(error) => Expected::Error(error.to_owned()),
            None => Expected::Arrays(read_results(json)?),
        },
        rtol: number_or_zero(json, "rtol"),
        atol: number_or_zero(json, "atol"),
        compare: text(json, "compare").unwrap_or_default(),
        transform: read_transform(json)?,
    })
}

/// The transformation of the function of a case.
fn read_transform(json: &Json) -> Read<Option<Transform>> {
    if json.get("in_axes").is_some() {
        let mut in_axes = Vec::new();
        for (axis, argument) in list(json, "in_axes")?.iter().zip(list(json, "args")?) {
            in_axes.extend(std::iter::repeat_n(axis.as_i64(), arrays_in(argument)));
        }
        let out_axis = json.get("out_axis").and_then(Json::as_i64);
        let out_axis = out_axis.ok_or("no `out_axis`")?;
        return Ok(Some(Transform::Batch { in_axes, out_axis }));
    }
    if json.get("wrt").is_none() {
        return Ok(None);
    }
    let args = list(json, "args")?;
    let input = |place: &Json| -> Option<usize> {
        let place = place.as_array()?;
        let argument = place.first()?.as_u64()? as usize;
        let before: usize = args.get(..argument)?.iter().map(arrays_in).sum();
        let Some(element) = place.get(1) else {
            return Some(before);
        };
        let elements = args.get(argument)?.get("list")?.as_array()?;
        let within = elements.get(..element.as_u64()? as usize)?;
        Some(before + within.iter().map(arrays_in).sum::<usize>())
    };
    let wrt = list(json, "wrt")?.iter().map(input);
    let wrt = wrt.collect::<Option<_>>().ok_or("`wrt` names no array")?;
    let outputs = read_numbers(json, "outputs")?;
    Ok(Some(if json.get("tangents").is_some() {
        let tangents = read_arrays(json, "tangents")?;
        Transform::Tangent {
            wrt,
            outputs,
            tangents,
        }
    } else {
        let cotangents = read_arrays(json, "cotangents")?;
        Transform::Gradient {
            wrt,
            outputs,
            cotangents,
        }
    }))
}

/// How many arrays an argument has.
fn arrays_in(argument: &Json) -> usize {
    match argument.get("list").and_then(Json::as_array) {
        Some(items) => items.iter().map(arrays_in).sum(),
        None => usize::from(argument.get("array").is_some()),
    }
}

/// The Hessian products of a program, as a case of their own.
fn read_hessian(json: &Json) -> Option<Read<Case>> {
    json.get("hessian_products")?;
    let read = || {
        let mut case = read_program(json)?;
        let all = (0..case.inputs.len()).collect();
        case.expected = Expected::Arrays(read_arrays(json, "hessian_products")?);
        case.atol = number_or_zero(json, "hessian_atol");
        case.transform = Some(Transform::HessianProduct {
            wrt: all,
            outputs: (0..list(json, "outputs")?.len()).collect(),
            cotangents: read_arrays(json, "cotangents")?,
            tangents: read_arrays(json, "tangents")?,
        });
        Ok(case)
    };
    Some(read())
}

fn read_program(json: &Json) -> Read<Case> {
    let inputs = read_arrays(json, "inputs")?;
    let steps = list(json, "steps")?.iter().map(read_step);
    let steps = steps.collect::<Read<Vec<_>>>()?;
    let outputs = read_numbers(json, "outputs")?;
    let is_gradient = json.get("gradients").is_some();
    let transform = if is_gradient {
        Some(Transform::Gradient {
            wrt: (0..inputs.len()).collect(),
            outputs: (0..outputs.len()).collect(),
            cotangents: read_arrays(json, "cotangents")?,
        })
    } else {
        None
    };
    Ok(Case {
        name: text(json, "name").unwrap_or_default(),
        inputs,
        steps,
        outputs: Some(outputs),
        expected: Expected::Arrays(read_results(json)?),
        rtol: number_or_zero(json, "rtol"),
        atol: number_or_zero(json, "atol"),
        compare: String::new(),
        transform,
    })
}

fn read_numbers(json: &Json, key: &str) -> Read<Vec<usize>> {
    let numbers = list(json, key)?.iter();
    let numbers = numbers.map(|i| i.as_u64().map(|i| i as usize));
    let wrong = || Unreadable::Malformed(format!("`{key}` are not numbers"));
    numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)
}

fn read_arrays(json: &Json, key: &str) -> Read<Vec<Data>> {
    list(json, key)?.iter().map(read_array).collect()
}

fn read_results(json: &Json) -> Read<Vec<Data>> {
    let key = if json.get("gradients").is_some() {
        "gradients"
    } else {
        "out"
    };
    read_arrays(json, key)
}

/// Makes the arrays in an argument inputs.
fn take_arrays(argument: &mut Argument, inputs: &mut Vec<Data>) {
    match argument {
        Argument::Array(data) => {
            inputs.push(data.clone());
            *argument = Argument::Reference(inputs.len() - 1);
        }
        Argument::List(items) => items.iter_mut().for_each(|item| take_arrays(item, inputs)),
        Argument::Reference(_) | Argument::Plain(_) => {}
    }
}

/// Reads a call.
fn read_step(json: &Json) -> Read<Step> {
    let args = list(json, "args")?;
    let kwargs = json.get("kwargs").and_then(Json::as_object);
    Ok(Step {
        function: text(json, "fn").ok_or("no `fn`")?,
        args: args.iter().map(read_argument).collect::<Read<_>>()?,
        kwargs: kwargs
            .ok_or("no `kwargs`")?
            .iter()
            .map(|(name, a)| Ok((name.clone(), read_argument(a)?)))
            .collect::<Read<_>>()?,
        get: json.get("get").and_then(Json::as_u64).map(|i| i as usize),
    })
}

fn read_argument(json: &Json) -> Read<Argument> {
    let Some(object) = json.as_object() else {
        return read_plain(json).map(Argument::Plain);
    };
    let [(kind, value)] = object.iter().collect::<Vec<_>>()[..] else {
        return Err("a value has not exactly one key".into());
    };
    Ok(match kind.as_str() {
        "array" => Argument::Array(read_array(value)?),
        "ref" => Argument::Reference(value.as_u64().ok_or("a reference is not a number")? as usize),
        "list" => {
            let items = value.as_array().ok_or("a list is not an array")?;
            Argument::List(items.iter().map(read_argument).collect::<Read<_>>()?)
        }
        "float" => Argument::Plain(Value::Float(read_float(value)?)),
        "complex" => Argument::Plain(Value::Complex(read_complex(value)?)),
        "slice" => {
            let part = |i: usize| value.get(i).and_then(Json::as_i64);
            Argument::Plain(Value::Slice {
                start: part(0),
                stop: part(1),
                step: part(2),
            })
        }
        "ellipsis" => Argument::Plain(Value::Ellipsis),
        "dtype" => Argument::Plain(Value::DType(read_dtype(value)?)),
        other => return Err(Unreadable::Malformed(format!("no value is a `{other}`"))),
    })
}

fn read_plain(json: &Json) -> Read<Value> {
    Ok(match json {
        Json::Null => Value::None,
        Json::Bool(b) => Value::Bool(*b),
        Json::String(s) => Value::Str(s.clone()),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Value::Int(i),
            (_, Some(i)) => Value::Uint(i),
            _ if n.is_f64() => Value::Float(read_float(json)?),
            _ => return Err("an integer does not fit into 64 bits".into()),
        },
        _ => return Err("a value is an array".into()),
    })
}

fn read_array(json: &Json) -> Read<Data> {
    let dtype = read_dtype(json.get("dtype").ok_or("an array has no dtype")?)?;
    let shape = list(json, "shape")?
        .iter()
        .map(|n| n.as_u64().map(|n| n as usize))
        .collect::<Option<Vec<_>>>()
        .ok_or("a shape is not of numbers")?;
    let elements = list(json, "data")?
        .iter()
        .map(|x| read_element(x, dtype))
        .collect::<Read<Vec<_>>>()?;
    if shape.iter().product::<usize>() != elements.len() {
        return Err("an array has not as many elements as its shape says".into());
    }
    Ok(Data {
        dtype,
        shape,
        elements,
    })
}

fn read_element(json: &Json, dtype: DType) -> Read<Scalar> {
    let scalar = if dtype.is_complex() {
        Scalar::Complex(read_complex(json)?)
    } else if dtype.is_float() {
        Scalar::Float(read_float(json)?)
    } else if let Some(b) = json.as_bool() {
        Scalar::Int(b.into())
    } else {
        match (json.as_i64(), json.as_u64()) {
            (Some(i), _) => Scalar::Int(i),
            (_, Some(i)) => Scalar::Uint(i),
            _ => return Err("an integer element is not one".into()),
        }
    };
    Ok(scalar.cast(dtype))
}

fn read_float(json: &Json) -> Read<f64> {
    match json {
        Json::String(s) => match s.as_str() {
            "nan" => Ok(f64::NAN),
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err("a float is an unknown string".into()),
        },
        Json::Number(n) => n.as_f64().ok_or_else(|| "a float is not a number".into()),
        _ => Err("a float is not a number".into()),
    }
}

fn read_complex(json: &Json) -> Read<Complex64> {
    match json.as_array().map(Vec::as_slice) {
        Some([re, im]) => Ok(Complex64::new(read_float(re)?, read_float(im)?)),
        _ => Err("a complex number is not a pair".into()),
    }
}

fn read_dtype(json: &Json) -> Read<DType> {
    let name = json.as_str().ok_or("a dtype is not a string")?;
    name.parse()
        .map_err(|_| Unreadable::NoDType(name.to_owned()))
}

fn list<'a>(json: &'a Json, key: &str) -> Read<&'a [Json]> {
    let list = json.get(key).and_then(Json::as_array);
    list.map(Vec::as_slice)
        .ok_or_else(|| Unreadable::Malformed(format!("no list `{key}`")))
}

fn text(json: &Json, key: &str) -> Option<String> {
    json.get(key).and_then(Json::as_str).map(str::to_owned)
}

fn number_or_zero(json: &Json, key: &str) -> f64 {
    json.get(key).and_then(Json::as_f64).unwrap_or(0.0)
}
