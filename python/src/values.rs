//! Arguments and results of calls by name: values of Python as [`Value`]s, and back.

use autojit::{Array, Operand, Scalar, Value};
use numpy::{PyArrayDescr, PyUntypedArray};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyComplex, PyEllipsis, PyFloat, PyInt, PyList, PyRange, PySlice, PyString, PyTuple,
    PyType,
};

use crate::convert::{is_numpy_scalar, to_array, to_dtype};
use crate::errors::{OrRaise, TracingError};
use crate::object::{PyArrayObject, wrapped};

/// A number of Python, which is weakly typed; NumPy's scalars have a dtype and are none.
pub(crate) fn to_scalar(value: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return Ok(Some(Scalar::Float(number.value())));
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return whole(number).map(Some);
    }
    if let Ok(flag) = value.cast_exact::<PyBool>() {
        return Ok(Some(Scalar::Bool(flag.is_true())));
    }
    if let Ok(number) = value.cast_exact::<PyComplex>() {
        return Ok(Some(Scalar::Complex(complex(number))));
    }
    if is_numpy_scalar(value)? {
        return Ok(None);
    }
    // Classes derived from numbers, such as `IntEnum`.
    if let Ok(number) = value.cast::<PyInt>() {
        return whole(number).map(Some);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Some(Scalar::Float(number.value())));
    }
    Ok(None)
}

/// An integer of 64 bits, with or without a sign.
fn whole(number: &Bound<'_, PyInt>) -> PyResult<Scalar> {
    match number.extract::<i64>() {
        Ok(i) => Ok(Scalar::Int(i)),
        Err(_) => match number.extract::<u64>() {
            Ok(i) => Ok(Scalar::from(i)),
            Err(_) => integer(number).map(Scalar::Int),
        },
    }
}

pub(crate) fn integer(number: &Bound<'_, PyInt>) -> PyResult<i64> {
    number
        .extract()
        .map_err(|_| PyOverflowError::new_err(format!("the integer {number} does not fit 64 bits")))
}

/// The stand-in for an integer of more than 64 bits beside an array: a floating number beside floating ones, and where integers are
/// compared with it an infinity, as all of them are on one side of it. Nothing where it has no meaning.
pub(crate) fn beyond_64_bits(
    number: &Bound<'_, PyAny>,
    array: &Array,
    is_compared: bool,
) -> PyResult<Option<Scalar>> {
    let (Ok(number), Ok(dtype)) = (number.cast::<PyInt>(), array.dtype()) else {
        return Ok(None);
    };
    if dtype.is_float() || dtype.is_complex() {
        return Ok(Some(Scalar::Float(number.extract()?)));
    }
    if !is_compared || !dtype.is_integer() {
        return Ok(None);
    }
    let side = match number.lt(0)? {
        true => f64::NEG_INFINITY,
        false => f64::INFINITY,
    };
    Ok(Some(Scalar::Float(side)))
}

pub(crate) fn complex(number: &Bound<'_, PyComplex>) -> autojit::num_complex::Complex64 {
    use pyo3::types::PyComplexMethods as _;
    autojit::num_complex::Complex64::new(number.real(), number.imag())
}

/// The operand of an operator; `None` if it is nothing that an array can meet.
pub(crate) fn to_operand(value: &Bound<'_, PyAny>) -> PyResult<Option<Operand<'static>>> {
    if let Ok(array) = value.cast::<PyArrayObject>() {
        return Ok(Some(array.get().0.clone().into()));
    }
    if let Some(scalar) = to_scalar(value)? {
        return Ok(Some(scalar.into()));
    }
    let is_array = value.is_instance_of::<PyUntypedArray>()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || is_numpy_scalar(value)?;
    match is_array {
        true => to_array(value).map(|array| Some(array.into())),
        false => Ok(None),
    }
}

/// An argument of a call by name.
pub(crate) fn to_value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(array) = value.cast::<PyArrayObject>() {
        return Ok(Value::Array(array.get().0.clone()));
    }
    if value.is_none() {
        return Ok(Value::None);
    }
    if let Some(scalar) = to_scalar(value)? {
        return Ok(scalar.into());
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::Str(text.to_cow()?.into_owned()));
    }
    if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyList>() {
        return list(value);
    }
    if value.is_instance_of::<PyUntypedArray>() {
        return to_array(value).map(Value::Array);
    }
    if is_numpy_scalar(value)? {
        return to_array(value).map(Value::Array);
    }
    if let Ok(slice) = value.cast::<PySlice>() {
        return slice_value(slice);
    }
    if value.is_instance_of::<PyEllipsis>() {
        return Ok(Value::Ellipsis);
    }
    if value.is_instance_of::<PyArrayDescr>() || value.is_instance_of::<PyType>() {
        return to_dtype(value).map(Value::DType);
    }
    if value.is_instance_of::<PyRange>() {
        return list(value);
    }
    other(value)
}

/// Arrays of one integer as that integer, where a count, an axis or a shape is expected; all else as it is.
pub(crate) fn to_integers(py: Python<'_>, value: Value) -> PyResult<Value> {
    Ok(match value {
        Value::Array(array) => {
            let ty = array.ty().or_raise(py)?;
            let is_known = autojit::ir::HostArray::try_from(&array);
            match is_known {
                Ok(_) if ty.ndim() == 0 && ty.dtype.is_integer() => {
                    let wide = array.astype(autojit::DType::Int64);
                    Value::Int(wide.item().or_raise(py)?)
                }
                Ok(_) if ty.ndim() == 1 && ty.dtype.is_integer() => {
                    let wide = array.astype(autojit::DType::Int64);
                    let list: Vec<i64> = wide.to_vec().or_raise(py)?;
                    Value::from(list)
                }
                _ => Value::Array(array),
            }
        }
        Value::List(items) => {
            let items = items.into_iter().map(|item| to_integers(py, item));
            Value::List(items.collect::<PyResult<_>>()?)
        }
        other => other,
    })
}

fn list(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let items = value.try_iter()?.map(|item| to_value(&item?));
    items.collect::<PyResult<Vec<Value>>>().map(Value::List)
}

fn slice_value(slice: &Bound<'_, PySlice>) -> PyResult<Value> {
    let part = |name: &str| {
        let part = slice.getattr(name)?;
        if part.is_none() {
            return Ok::<_, PyErr>(None);
        }
        to_index(&part).map(Some)
    };
    Ok(Value::Slice {
        start: part("start")?,
        stop: part("stop")?,
        step: part("step")?,
    })
}

/// An integer, or whatever is one by `__index__`.
pub(crate) fn to_index(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract::<i64>().map_err(|e| {
        let py = value.py();
        if e.is_instance_of::<PyOverflowError>(py) || e.is_instance_of::<TracingError>(py) {
            return e;
        }
        let kind = value.get_type();
        PyTypeError::new_err(format!("expected an integer, got {value} of type {kind}"))
    })
}

/// Whatever says how it is an array, or a sequence.
fn other(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.hasattr("__array__")? || value.hasattr("__array_interface__")? {
        return to_array(value).map(Value::Array);
    }
    if value.hasattr("__index__")? {
        return to_index(value).map(Value::Int);
    }
    if value.hasattr("__next__")? {
        return list(value);
    }
    let kind = value.get_type().fully_qualified_name()?;
    Err(PyTypeError::new_err(format!(
        "expected an array, a number, a list or another argument of a NumPy function, got {kind}"
    )))
}

/// A 0-d array whose value is known as a number, where one is expected; all else as it is.
pub(crate) fn to_single_number(py: Python<'_>, value: Value) -> PyResult<Value> {
    let Value::Array(array) = &value else {
        return Ok(value);
    };
    if array.ndim().or_raise(py)? != 0 || autojit::ir::HostArray::try_from(array).is_err() {
        return Ok(value);
    }
    let number = crate::convert::to_number(py, array)?;
    Ok(to_scalar(&number)?.map_or(value, Value::from))
}

/// A result: lists become tuples, as the results of NumPy's functions are, unless the function gives a list there.
pub(crate) fn from_value(
    py: Python<'_>,
    value: Value,
    as_list: bool,
) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Array(array) => wrapped(py, array)?.into_any(),
        Value::Int(i) => i.into_pyobject(py)?.into_any(),
        Value::Uint(i) => i.into_pyobject(py)?.into_any(),
        Value::Float(x) => x.into_pyobject(py)?.into_any(),
        Value::Complex(z) => PyComplex::from_doubles(py, z.re, z.im).into_any(),
        Value::Bool(b) => b.into_pyobject(py)?.to_owned().into_any(),
        Value::Str(s) => s.into_pyobject(py)?.into_any(),
        Value::List(items) => {
            let items = items.into_iter().map(|item| from_value(py, item, false));
            let items = items.collect::<PyResult<Vec<_>>>()?;
            match as_list {
                true => PyList::new(py, items)?.into_any(),
                false => PyTuple::new(py, items)?.into_any(),
            }
        }
        Value::DType(dtype) => crate::convert::numpy_dtype(py, dtype).into_any(),
        Value::None => py.None().into_bound(py),
        Value::Ellipsis => py.Ellipsis().into_bound(py),
        Value::Slice { start, stop, step } => {
            py.get_type::<PySlice>().call1((start, stop, step))?
        }
    })
}
