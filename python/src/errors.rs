//! Errors of Rust as the exceptions that Python programmers expect, and exceptions carried through Rust.
//!
//! The exception is raised in the call that failed, so the traceback ends at the line of the user. Lines of this package in
//! messages would only mislead, and are left out.
//!
//! A function of the user that is traced may raise. Rust is told so by an error whose text is [`CARRIED`], and the exception
//! waits on this thread until the call that began the trace takes it up again.

use std::cell::RefCell;

use autojit::Error;
use pyo3::exceptions::{
    PyFloatingPointError, PyIndexError, PyKeyboardInterrupt, PyNotImplementedError, PyOSError,
    PyOverflowError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

const CARRIED: &str = "an exception in a function that is traced";

thread_local! {
    static CARRIED_EXCEPTION: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

pyo3::create_exception!(
    autojit,
    TracingError,
    PyTypeError,
    "Python needed the value of an array that has none yet, because its function is being traced."
);

/// What a traced array says that is asked for its values, which any of these may do.
const NO_VALUES: &str = "the value of a traced array is needed, but there is none yet: `float`, `int`, `range`, bounds of slices, functions \
     of `math`, `np.array`, formats and writing into an array of NumPy ask for it. Compute with the array itself, make arrays of \
     elements by autojit.array or np.stack, choose by np.where, or give it to jit as a Python number, which is static";

/// An error that stands for an exception until [`raised`] takes it up.
pub(crate) fn carried(exception: PyErr) -> Error {
    CARRIED_EXCEPTION.with_borrow_mut(|carried| *carried = Some(exception));
    Error::value(CARRIED)
}

/// Whether a signal arrived whose handler raises, as that of Ctrl-C does: what long loops ask. The exception waits as one of a
/// function does.
pub(crate) fn is_interrupted() -> bool {
    let raised = Python::try_attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(exception) => {
            CARRIED_EXCEPTION.with_borrow_mut(|carried| *carried = Some(exception));
            true
        }
    });
    raised.unwrap_or(false)
}

/// The exception for an error.
pub(crate) fn raised(py: Python<'_>, error: Error) -> PyErr {
    let text = error.clone().without_location().to_string();
    raised_as(py, &error, text)
}

/// The exception for an error of a function that has another name in Python.
pub(crate) fn raised_under_name(py: Python<'_>, error: Error, rust: &str, python: &str) -> PyErr {
    let text = error.clone().without_location().to_string();
    let text = match text.strip_prefix(rust) {
        Some(rest) => format!("{python}{rest}"),
        None => text,
    };
    raised_as(py, &error, text)
}

/// The exception for an error, with another text.
fn raised_as(py: Python<'_>, error: &Error, text: String) -> PyErr {
    let is_carried = error.is_interrupted() || error.is_value() && text.contains(CARRIED);
    if is_carried && let Some(exception) = CARRIED_EXCEPTION.with_borrow_mut(Option::take) {
        return exception;
    }
    if text.contains("has no values yet") {
        return TracingError::new_err(NO_VALUES);
    }
    if text.contains("is lazy, so the shape of the result")
        || text.contains("is lazy, and the shape of the result")
    {
        return TracingError::new_err(text.replace("where_", "where"));
    }
    if error.is_index() {
        PyIndexError::new_err(text)
    } else if error.is_dtype() || error.is_tree() || is_of_wrong_type(error, &text) {
        PyTypeError::new_err(text)
    } else if error.is_linear_algebra() {
        linalg_error(py).map_or_else(|e| e, |class| PyErr::from_type(class.clone(), text))
    } else if error.is_unsupported() {
        PyNotImplementedError::new_err(text)
    } else if error.is_file() {
        PyOSError::new_err(text)
    } else if error.is_failed_check() {
        PyFloatingPointError::new_err(text)
    } else if error.is_interrupted() {
        PyKeyboardInterrupt::new_err(text)
    } else if error.is_internal() {
        PyRuntimeError::new_err(text)
    } else if text.starts_with("the integer ") && text.contains(" does not fit into ") {
        PyOverflowError::new_err(text)
    } else {
        PyValueError::new_err(text)
    }
}

/// Whether an argument was refused for what it is, rather than for its value: Rust has one kind of error for both.
fn is_of_wrong_type(error: &Error, text: &str) -> bool {
    const KINDS: [&str; 8] = [
        "an array",
        "an integer",
        "a bool",
        "a number",
        "a real number",
        "a dtype",
        "a list",
        "a string",
    ];
    let expected = text.rsplit_once("expected ").map(|(_, expected)| expected);
    let is_kind = expected.is_some_and(|e| KINDS.iter().any(|kind| e.starts_with(kind)));
    let of_arguments = [
        " is missing, expected (",
        " is given twice",
        "unknown argument",
    ];
    error.is_value()
        && text.starts_with("the argument ")
        && (is_kind || of_arguments.iter().any(|part| text.contains(part)))
        || error.is_value()
            && (text.starts_with("expected at most ") || text.contains("no argument "))
}

fn linalg_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "numpy.linalg", "LinAlgError")
}

/// Results of Rust as results of Python.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception for the error.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for autojit::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, error))
    }
}
