//! NumPy's protocols: code that was written for NumPy runs, and traces, with arrays of autojit.

use numpy::PyUntypedArray;
use pyo3::exceptions::{PyBufferError, PyNotImplementedError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyTuple};

use crate::convert::{numpy_module, to_numpy_owned, to_numpy_view};
use crate::object::PyArrayObject;

/// The function of ours with a full name such as `linalg.norm`.
fn ours<'py>(py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let functions = py
        .import(intern!(py, "autojit._functions"))?
        .getattr(intern!(py, "OF_NUMPY"))?;
    functions.cast::<PyDict>()?.get_item(name)
}

/// The function over an axis that a ufunc with a method stands for.
fn of_method(method: &str, ufunc: &str) -> Option<&'static str> {
    Some(match (method, ufunc) {
        ("reduce", "add") => "sum",
        ("reduce", "multiply") => "prod",
        ("reduce", "maximum") => "max",
        ("reduce", "minimum") => "min",
        ("reduce", "logical_and") => "all",
        ("reduce", "logical_or") => "any",
        ("accumulate", "add") => "cumsum",
        ("accumulate", "multiply") => "cumprod",
        ("outer", "multiply") => "outer",
        _ => return None,
    })
}

#[pymethods]
impl PyArrayObject {
    #[pyo3(signature = (ufunc, method, *inputs, **keywords))]
    fn __array_ufunc__<'py>(
        &self,
        py: Python<'py>,
        ufunc: &Bound<'py, PyAny>,
        method: &str,
        inputs: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name: String = ufunc.getattr(intern!(py, "__name__"))?.extract()?;
        let function = match method {
            "__call__" => ours(py, &name)?,
            "outer" if inputs.len() == 2 => return outer(py, &name, inputs),
            _ => match of_method(method, &name) {
                Some(name) => ours(py, name)?,
                None => None,
            },
        };
        let Some(function) = function else {
            let method = if method == "__call__" {
                String::new()
            } else {
                format!(".{method}")
            };
            // Other libraries have ufuncs too, SciPy among them.
            let owner = match numpy_module(py)?.hasattr(name.as_str())? {
                true => "numpy.",
                false => "the ufunc ",
            };
            return Err(missing(&format!("{owner}{name}{method}")));
        };
        let keywords = keywords.map(given).transpose()?;
        if method == "reduce" || method == "accumulate" {
            // The default of a ufunc's method is the first axis, not all of them.
            let with_axis = keywords.unwrap_or_else(|| PyDict::new(py));
            if inputs.len() == 1 && !with_axis.contains("axis")? {
                with_axis.set_item("axis", 0)?;
            }
            return function.call(inputs, Some(&with_axis));
        }
        match keywords {
            Some(keywords) if !keywords.is_empty() => {
                let extended = py
                    .import(intern!(py, "autojit._keywords"))?
                    .getattr(intern!(py, "call_ufunc"))?;
                extended.call1((name, function, inputs, keywords))
            }
            _ => function.call1(inputs),
        }
    }

    fn __array_function__<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
        types: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        keywords: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        for class in types.try_iter()? {
            let class = class?;
            let is_known =
                class.is(py.get_type::<Self>()) || class.is(py.get_type::<PyUntypedArray>());
            if !is_known {
                return Ok(py.NotImplemented().into_bound(py));
            }
        }
        let module: String = function.getattr(intern!(py, "__module__"))?.extract()?;
        let name: String = function.getattr(intern!(py, "__name__"))?.extract()?;
        let name = match module.strip_prefix("numpy.") {
            Some(inner) => format!("{inner}.{name}"),
            None => name,
        };
        let keywords = given(keywords)?;
        // The one default that differs here: autoray and tensor networks expect the reduced decomposition.
        if name == "linalg.svd" && args.len() < 2 && !keywords.contains("full_matrices")? {
            keywords.set_item("full_matrices", true)?;
        }
        match ours(py, &name)? {
            Some(ours) => ours.call(args, Some(&keywords)),
            None => Err(missing(&format!("numpy.{name}"))),
        }
    }

    /// The array as a capsule of DLPack: of the same memory where the other side knows arrays that cannot be written to
    /// (DLPack 1.0), else of a copy.
    #[pyo3(signature = (*, stream = None, max_version = None, dl_device = None, copy = None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keywords = PyDict::new(py);
        keywords.set_item("stream", stream)?;
        let knows_read_only = max_version.is_some_and(|(major, _)| major >= 1);
        let array = if knows_read_only && copy != Some(true) {
            to_numpy_view(py, &self.0)?
        } else if copy == Some(false) {
            return Err(PyBufferError::new_err(
                "arrays of autojit cannot be written to, which only DLPack 1.0 can say; a copy is needed",
            ));
        } else {
            to_numpy_owned(py, self.0.clone())?
        };
        if knows_read_only {
            keywords.set_item("max_version", max_version)?;
            keywords.set_item("dl_device", dl_device)?;
        }
        array.call_method(intern!(py, "__dlpack__"), (), Some(&keywords))
    }

    fn __dlpack_device__(&self) -> (u32, u32) {
        // The CPU, in DLPack's numbering.
        (1, 0)
    }

    /// The namespace of the Python array API.
    #[pyo3(signature = (*, api_version = None))]
    fn __array_namespace__<'py>(
        &self,
        py: Python<'py>,
        api_version: Option<&str>,
    ) -> PyResult<Bound<'py, PyModule>> {
        let _ = api_version;
        py.import(intern!(py, "autojit.array_api"))
    }
}

fn missing(name: &str) -> PyErr {
    const WRITING: [&str; 6] = [
        "copyto",
        "fill_diagonal",
        "place",
        "put",
        "put_along_axis",
        "putmask",
    ];
    let own = name.strip_prefix("numpy.").unwrap_or(name);
    if WRITING.contains(&own) || own.ends_with(".at") {
        return PyTypeError::new_err(format!(
            "{name} writes into an array, and arrays of autojit never change, so that functions can be traced: use \
             `x = x.at[key].set(value)`, or `.add`, `.multiply`, `.min`, `.max`"
        ));
    }
    PyNotImplementedError::new_err(format!(
        "{name} is not implemented for arrays of autojit; outside of a function that is traced numpy.asarray(x) makes an array that has it"
    ))
}

/// Keywords of which NumPy gives its defaults too.
fn given<'py>(keywords: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let given = PyDict::new(keywords.py());
    for (name, value) in keywords {
        let text: &str = &name.extract::<String>()?;
        let is_default = match text {
            "out" => is_none_or_nones(&value),
            "dtype" | "casting" | "order" | "initial" | "signature" => value.is_none(),
            "where" | "subok" => value.is(pyo3::types::PyBool::new(keywords.py(), true)),
            _ => false,
        };
        if !is_default {
            given.set_item(name, value)?;
        }
    }
    Ok(given)
}

/// Whether nothing is to be written to: None, or a tuple of it.
fn is_none_or_nones(out: &Bound<'_, PyAny>) -> bool {
    match out.cast::<PyTuple>() {
        Ok(outs) => outs.iter().all(|out| out.is_none()),
        Err(_) => out.is_none(),
    }
}

/// `ufunc.outer(x, y)`: the function of all pairs.
fn outer<'py>(
    py: Python<'py>,
    name: &str,
    inputs: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let (Some(function), Some(reshape)) = (ours(py, name)?, ours(py, "reshape")?) else {
        return Err(missing(&format!("numpy.{name}.outer")));
    };
    let (x, y) = (inputs.get_item(0)?, inputs.get_item(1)?);
    let numpy = numpy_module(py)?;
    let axes: usize = numpy.call_method1("ndim", (&y,))?.extract()?;
    let x_shape: Vec<usize> = numpy.call_method1("shape", (&x,))?.extract()?;
    let shape: Vec<usize> = x_shape
        .into_iter()
        .chain(std::iter::repeat_n(1, axes))
        .collect();
    let x = reshape.call1((x, PyTuple::new(py, shape)?))?;
    function.call1((x, y))
}
