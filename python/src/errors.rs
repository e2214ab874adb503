//! Errors of Rust as the exceptions that Python programmers expect, and exceptions carried through Rust.
//!
//! The exception is raised in the call that failed, so the traceback ends at the line of the user. Lines of this package in
//! messages would only mislead, and are left out; lines of Python are those of operations that were written down before.
//!
//! A function of the user that is traced may raise. Rust is told so by an error whose text is [`CARRIED`], and the exception
//! waits on this thread until the call that began the trace takes it up again.

use std::cell::RefCell;

use autojit::Error;
use autojit::ir::Site;
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
const NO_VALUES: &str = "the value of a traced array is needed, but there is none yet: `float`, `int`, `range`, indices and slices of lists, \
     functions of `math`, `np.array`, formats and writing into an array of NumPy ask for it. Compute with the array itself, make arrays of \
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

/// The message of an error, with its line if that is one of Python: of an operation that was written down at another time, so that the
/// traceback ends elsewhere.
fn text_of(error: &Error) -> String {
    match error.location() {
        Some(Site::Rust(_)) => error.clone().without_location().to_string(),
        Some(Site::Foreign(_)) | None => error.to_string(),
    }
}

/// The exception for an error.
pub(crate) fn raised(py: Python<'_>, error: Error) -> PyErr {
    let text = text_of(&error);
    raised_as(py, &error, text)
}

/// The exception for an error of a function that has another name in Python.
pub(crate) fn raised_under_name(py: Python<'_>, error: Error, rust: &str, python: &str) -> PyErr {
    let text = text_of(&error);
    let text = match text.strip_prefix(rust) {
        Some(rest) => format!("{python}{rest}"),
        None => text,
    };
    raised_as(py, &error, text)
}

/// The exception for an error of `cond`, whose parameters have other names in Python.
pub(crate) fn raised_by_cond(py: Python<'_>, error: Error) -> PyErr {
    let text = text_of(&error);
    let text = text.replace("`if_true`", "`true_fun`");
    raised_as(py, &error, text.replace("`if_false`", "`false_fun`"))
}

/// A message with places in trees as Python writes them: `[0]["w"]` of a tuple in the place of `.0["w"]`. Arguments are one tuple in
/// Rust, so `.0["w"]` of the argument is `["w"]` of argument 0.
fn with_places_of_python(text: &str) -> String {
    let mut parts = text.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(quoted) = parts.next() {
        let after = parts.next();
        let rest = after.unwrap_or_default();
        let place = is_place(quoted).then(|| indexed(quoted));
        match (place, rest.strip_prefix(" of the argument")) {
            (Some(place), Some(rest)) => {
                let (number, member) = place.split_once(']').unwrap_or((&place, ""));
                let number = number.trim_start_matches('[');
                match member {
                    "" => out.push_str(&format!("argument {number}{rest}")),
                    member => out.push_str(&format!("`{member}` of argument {number}{rest}")),
                }
            }
            (place, _) => {
                out.push('`');
                out.push_str(place.as_deref().unwrap_or(quoted));
                if after.is_some() {
                    out.push('`');
                    out.push_str(rest);
                }
            }
        }
    }
    out
}

/// Whether it is the place of a member of a tuple, or in one.
fn is_place(quoted: &str) -> bool {
    let number = quoted.strip_prefix('.').unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// Members of tuples in brackets, but for what is in the quotes of a key.
fn indexed(place: &str) -> String {
    let mut out = String::new();
    let mut in_key = false;
    let mut in_number = false;
    let mut chars = place.chars().peekable();
    while let Some(c) = chars.next() {
        in_key ^= c == '"';
        if in_number && !c.is_ascii_digit() {
            in_number = false;
            out.push(']');
        }
        let begins = c == '.' && !in_key && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if begins { '[' } else { c });
        in_number |= begins;
    }
    if in_number {
        out.push(']');
    }
    out
}

/// The exception for an error, with another text.
fn raised_as(py: Python<'_>, error: &Error, text: String) -> PyErr {
    let text = with_places_of_python(&text);
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
    if error.is_index() && is_of_axis(&text) {
        axis_error(py).map_or_else(|e| e, |class| PyErr::from_type(class.clone(), text))
    } else if error.is_index() {
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
    } else if error.is_overflow() {
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

/// Whether an axis was refused, for which NumPy has an exception that is a `ValueError` and an `IndexError`.
fn is_of_axis(text: &str) -> bool {
    text.starts_with("axis ") && text.contains(" is out of range for ")
}

fn axis_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "numpy.exceptions", "AxisError")
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
