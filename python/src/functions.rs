//! The functions of the table of names as callables: one object for each, with NumPy's name, signature and default values.
//!
//! A function is looked up here once, when the package is imported; a call converts its arguments, and the table binds them.

use autojit::Value;
use autojit::dispatch::{Described, Parameter, call as call_by_name, described};
use pyo3::exceptions::{PyAttributeError, PyOverflowError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use smallvec::SmallVec;

use crate::convert::to_dtype;
use crate::errors::OrRaise;
use crate::object::PyArrayObject;
use crate::values::{self, from_value, to_integers, to_single_number, to_value};

// A function of autojit: called like the one of NumPy that has its name. Not a docstring: each object has one of its own.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Function {
    described: &'static Described,
    /// The kind of each parameter.
    takes: Vec<Takes>,
    /// Whether several results are a list.
    gives_list: bool,
    /// Whether its first parameter is [`SUBSCRIPTS`].
    takes_subscripts: bool,
    /// Whether it is a method of arrays, whose first argument is the array.
    is_method: bool,
    /// Results that NumPy names, such as those of `svd`.
    result: Option<Py<PyType>>,
    /// The same function with keywords that the table does not have, and how many parameters by position both share.
    extended: PyOnceLock<(Py<PyAny>, usize)>,
}

/// The kind of a parameter, as far as values of Python are converted for it.
#[derive(Clone, Copy)]
enum Takes {
    Anything,
    DType,
    Integers,
    Number,
}

/// The parameter of `einsum` that is left out where each array is followed by a list of its axes.
const SUBSCRIPTS: &str = "subscripts";

/// Functions that give a list; several results are a tuple elsewhere.
const LISTS: [&str; 2] = ["split", "array_split"];

/// Parameters that are integers or lists of them: scalars and arrays of NumPy stand for these there.
const COUNTS: [&str; 26] = [
    "shape",
    "axis",
    "axis1",
    "axis2",
    "axes",
    "source",
    "destination",
    "repeats",
    "reps",
    "shift",
    "n",
    "N",
    "M",
    "k",
    "seed",
    "dims",
    "num",
    "decimals",
    "offset",
    "size",
    "s",
    "pad_width",
    "ddof",
    "minlength",
    "indices_or_sections",
    "trans",
];

/// Parameters that are numbers.
const NUMBERS: [&str; 15] = [
    "start",
    "stop",
    "step",
    "fill_value",
    "rtol",
    "atol",
    "nan",
    "posinf",
    "neginf",
    "base",
    "dx",
    "d",
    "period",
    "rcond",
    "constant_values",
];

impl Function {
    fn new(py: Python<'_>, described: &'static Described, is_method: bool) -> PyResult<Self> {
        let named = match described.function {
            "linalg.svd" | "svd" => Some("SVDResult"),
            "linalg.qr" | "qr" => Some("QRResult"),
            "linalg.eigh" | "eigh" => Some("EighResult"),
            "linalg.eig" | "eig" => Some("EigResult"),
            "linalg.slogdet" | "slogdet" => Some("SlogdetResult"),
            _ => None,
        };
        let result = match named {
            None => None,
            Some(name) => {
                let class = py.import("autojit._results")?.getattr(name)?;
                Some(class.cast_into::<PyType>()?.unbind())
            }
        };
        let takes = |p: &Parameter| match p.name {
            "dtype" => Takes::DType,
            name if COUNTS.contains(&name) => Takes::Integers,
            name if NUMBERS.contains(&name) => Takes::Number,
            _ => Takes::Anything,
        };
        Ok(Self {
            takes: described.parameters.iter().map(takes).collect(),
            gives_list: LISTS.contains(&described.function),
            takes_subscripts: described
                .parameters
                .first()
                .is_some_and(|p| p.name == SUBSCRIPTS),
            described,
            is_method,
            result,
            extended: PyOnceLock::new(),
        })
    }

    /// The extended function, if the call has what the table does not know.
    fn beyond_table<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<&Bound<'py, PyAny>>> {
        let Some((extended, positions)) = self.extended.get(py) else {
            return Ok(None);
        };
        let is_text_missing = self.takes_subscripts
            && !args
                .get_item(0)
                .is_ok_and(|first| first.is_instance_of::<PyString>());
        if args.len() > *positions || is_text_missing {
            return Ok(Some(extended.bind(py)));
        }
        for (name, _) in keywords.into_iter().flatten() {
            let name = name.cast_into::<PyString>()?;
            let name = name.to_cow()?;
            if name != "like" && !self.described.parameters.iter().any(|p| p.name == name) {
                return Ok(Some(extended.bind(py)));
            }
        }
        Ok(None)
    }

    /// Calls the function.
    fn run<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // With a condition alone it is another function in NumPy.
        if self.described.name == "where"
            && args.len() == 1
            && keywords.is_none_or(|k| k.is_empty())
        {
            return call(py, "nonzero", (args.get_item(0)?,));
        }
        let mut values: SmallVec<[Value; 4]> = SmallVec::with_capacity(args.len());
        for (at, arg) in args.iter_borrowed().enumerate() {
            values.push(match self.value(at, &arg) {
                Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
                    self.beyond_64_bits(args, at).unwrap_or(Err(error))?
                }
                value => value?,
            });
        }
        let mut names: SmallVec<[Bound<'py, PyString>; 4]> = SmallVec::new();
        let mut named: SmallVec<[Value; 4]> = SmallVec::new();
        if let Some(keywords) = keywords {
            for (name, arg) in keywords {
                let name = name.cast_into::<PyString>()?;
                let text = name.to_cow()?;
                let parameters = self.described.parameters;
                let at = parameters
                    .iter()
                    .position(|p| p.name == text)
                    .unwrap_or(usize::MAX);
                named.push(self.value(at, &arg)?);
                drop(text);
                names.push(name);
            }
        }
        let texts = names.iter().map(|name| name.to_cow());
        let texts = texts.collect::<PyResult<SmallVec<[_; 4]>>>()?;
        let pairs = texts
            .iter()
            .zip(named)
            .map(|(name, value)| (&**name, value));
        let pairs: SmallVec<[(&str, Value); 4]> = pairs.collect();
        let name = self.described.name;
        let result = match is_long(&values) {
            // Without the interpreter, for other threads; for short calls handing it over takes longer than the call.
            true => py.detach(|| call_by_name(name, &values, &pairs)),
            false => call_by_name(name, &values, &pairs),
        };
        let result = from_value(py, result.or_raise(py)?, self.gives_list)?;
        match &self.result {
            Some(class) if result.is_instance_of::<PyTuple>() => {
                class.bind(py).call1(result.cast::<PyTuple>()?)
            }
            _ => Ok(result),
        }
    }

    /// The stand-in for an integer of more than 64 bits, where the function takes two operands of which the other one is an array.
    fn beyond_64_bits(&self, args: &Bound<'_, PyTuple>, at: usize) -> Option<PyResult<Value>> {
        const COMPARISONS: [&str; 6] = [
            "less",
            "less_equal",
            "greater",
            "greater_equal",
            "equal",
            "not_equal",
        ];
        const ARITHMETIC: [&str; 8] = [
            "add",
            "subtract",
            "multiply",
            "divide",
            "floor_divide",
            "remainder",
            "maximum",
            "minimum",
        ];
        let is_compared = COMPARISONS.contains(&self.described.name);
        if args.len() != 2 || !is_compared && !ARITHMETIC.contains(&self.described.name) {
            return None;
        }
        let other = args.get_item(1 - at).ok()?;
        let other = other.cast::<PyArrayObject>().ok()?;
        let number = args.get_item(at).ok()?;
        let found = values::beyond_64_bits(&number, &other.get().0, is_compared);
        found.map(|scalar| scalar.map(Value::from)).transpose()
    }

    fn value(&self, at: usize, arg: &Bound<'_, PyAny>) -> PyResult<Value> {
        let py = arg.py();
        match self.takes.get(at).copied().unwrap_or(Takes::Anything) {
            Takes::Anything => to_value(arg),
            Takes::DType if arg.is_none() => Ok(Value::None),
            Takes::DType => to_dtype(arg).map(Value::DType),
            Takes::Integers => to_integers(py, to_value(arg)?),
            Takes::Number => to_single_number(py, to_value(arg)?),
        }
    }
}

/// A callable bound to an object, as a function of Python that is looked up in it.
pub(crate) fn bound_method<'py>(
    callable: &Bound<'py, PyAny>,
    instance: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(callable.py(), "types", "MethodType")?;
    class.call1((callable, instance))
}

/// Whether a call is likely to take longer than handing over the interpreter.
fn is_long(values: &[Value]) -> bool {
    const ELEMENTS: usize = 4096;
    let is_large = |value: &Value| match value {
        Value::Array(array) => array.size().is_ok_and(|size| size >= ELEMENTS),
        Value::List(items) => items.iter().any(|item| match item {
            Value::Array(array) => array.size().is_ok_and(|size| size >= ELEMENTS),
            _ => false,
        }),
        _ => false,
    };
    values.iter().any(is_large)
}

#[pymethods]
impl Function {
    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.beyond_table(py, args, keywords)? {
            Some(extended) => extended.call(args, keywords),
            None => self.run(py, args, keywords),
        }
    }

    /// Sets what is called for keywords that the table does not have, or for more than so many arguments by position.
    fn extend(&self, py: Python<'_>, extended: Py<PyAny>, positions: usize) -> PyResult<()> {
        self.extended.set(py, (extended, positions)).map_err(|_| {
            pyo3::exceptions::PyValueError::new_err("the function has its keywords already")
        })
    }

    /// The signature with the keywords of the extended function, as `inspect.signature` looks for it.
    #[getter]
    fn __signature__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.extended.get(py) {
            Some((extended, _)) => py
                .import(intern!(py, "inspect"))?
                .call_method1(intern!(py, "signature"), (extended,)),
            None => Ok(py.None().into_bound(py)),
        }
    }

    /// A method is bound to its array; a function stays what it is, as functions of C do.
    fn __get__<'py>(
        slf: Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = owner;
        if !slf.get().is_method || instance.is_none() {
            return Ok(slf.into_any());
        }
        bound_method(slf.as_any(), instance)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        let name = self.described.name;
        name.rsplit_once('.').map_or(name, |(_, name)| name)
    }

    #[getter]
    fn __qualname__(&self) -> String {
        match self.is_method {
            true => format!("Array.{}", self.__name__()),
            false => self.__name__().to_owned(),
        }
    }

    #[getter]
    fn __module__(&self) -> String {
        match self.described.name.rsplit_once('.') {
            Some((module, _)) => format!("autojit.{module}"),
            None => "autojit".to_owned(),
        }
    }

    /// A description; the package makes it the docstring.
    #[getter]
    fn doc(&self) -> &'static str {
        self.described.doc
    }

    /// The parameters, for `inspect.signature` and `help`.
    #[getter]
    fn __text_signature__(&self) -> String {
        let part = |p: &Parameter| match p.default {
            Some(default) => format!("{}={default}", p.name),
            None => p.name.to_owned(),
        };
        let parameters = self.described.parameters;
        let mut parts: Vec<String> = match self.described.rest {
            None => parameters.iter().map(part).collect(),
            Some(rest) => {
                let required = parameters.iter().filter(|p| p.default.is_none()).map(part);
                let optional = parameters.iter().filter(|p| p.default.is_some()).map(part);
                required
                    .chain([format!("*{rest}")])
                    .chain(optional)
                    .collect()
            }
        };
        if self.is_method && !parts.is_empty() {
            parts[0] = "$self".to_owned();
        }
        format!("({})", parts.join(", "))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let name = slf.get().__name__();
        Ok(PyString::new(slf.py(), name).into_any())
    }

    fn __repr__(&self) -> String {
        let kind = if self.is_method { "method" } else { "function" };
        format!("<{kind} {}.{}>", self.__module__(), self.__qualname__())
    }
}

/// All functions of the table, in the order of their names.
fn table() -> &'static [Described] {
    static TABLE: std::sync::OnceLock<Vec<Described>> = std::sync::OnceLock::new();
    TABLE.get_or_init(described)
}

fn find(name: &str) -> Option<&'static Described> {
    let table = table();
    let at = table
        .binary_search_by_key(&name, |function| function.name)
        .ok()?;
    table.get(at)
}

/// The function of a name as a method of arrays.
pub(crate) fn method(py: Python<'_>, name: &str) -> PyResult<Function> {
    let described = find(name)
        .ok_or_else(|| PyAttributeError::new_err(format!("there is no function {name}")))?;
    Function::new(py, described, true)
}

/// All functions by their full names.
fn all(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static ALL: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let make = || {
        let functions = PyDict::new(py);
        for described in table() {
            functions.set_item(described.name, Function::new(py, described, false)?)?;
        }
        Ok::<_, PyErr>(functions.unbind())
    };
    Ok(ALL.get_or_try_init(py, make)?.bind(py))
}

/// Calls a function by its name.
pub(crate) fn call<'py>(
    py: Python<'py>,
    name: &str,
    args: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<Bound<'py, PyAny>> {
    let function = all(py)?.get_item(name)?;
    let function = function
        .ok_or_else(|| PyAttributeError::new_err(format!("there is no function {name}")))?;
    let function = function.cast::<Function>()?;
    function.get().run(py, &args.into_pyobject(py)?, None)
}

/// A dictionary of all functions by their full names, such as `linalg.norm`.
#[pyfunction]
pub(crate) fn all_functions(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    all(py)?.copy()
}
