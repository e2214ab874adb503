//! `autojit.Array`: an array with values, a lazy one, or one of a function that is being traced.
//!
//! It never holds a failed array: what fails raises where it was called. Arrays never change, so there are no in-place forms:
//! `x += y` is `x = x + y`, as Python does where there is none. Its methods are in `array.rs`, which may use all modules that know
//! the class from here.

use std::cell::Cell;

use autojit::{Array, numpy as np};
use pyo3::exceptions::PyFloatingPointError;
use pyo3::prelude::*;

/// An n-dimensional array: with values, lazy, or of a function that is being traced.
///
/// Made by `autojit.array`, `autojit.asarray` and the functions of NumPy that make arrays. Arrays never change: to get one with
/// other values somewhere use `x.at[key].set(values)`.
#[pyclass(frozen, weakref, name = "Array", module = "autojit")]
pub(crate) struct PyArrayObject(pub(crate) Array);

/// The object for an array, or the exception of a failed one.
pub(crate) fn wrapped(py: Python<'_>, array: Array) -> PyResult<Bound<'_, PyArrayObject>> {
    match array.check() {
        Ok(array) if CHECKING.get() && !is_finite(&array) => Err(PyFloatingPointError::new_err(
            CHECK.take().unwrap_or_default(),
        )),
        Ok(array) => Bound::new(py, PyArrayObject(array)),
        Err(error) => Err(crate::errors::raised(py, error)),
    }
}

thread_local! {
    /// Whether a NaN or an infinity in an array that is made on this thread is an error.
    static CHECKING: Cell<bool> = const { Cell::new(false) };
    /// The text of the exception.
    static CHECK: Cell<Option<String>> = const { Cell::new(None) };
}

/// Calls a function; with a message, the first array with a NaN or an infinity that it makes raises.
pub(crate) fn checking<R>(message: Option<String>, function: impl FnOnce() -> R) -> R {
    CHECKING.set(message.is_some());
    CHECK.set(message);
    let result = function();
    CHECKING.set(false);
    CHECK.set(None);
    result
}

fn is_finite(array: &Array) -> bool {
    let is_float = array
        .dtype()
        .is_ok_and(|dtype| dtype.is_float() || dtype.is_complex());
    !is_float || np::all(np::isfinite(array), ..).item().unwrap_or(true)
}

pub(crate) type Object<'py> = PyResult<Bound<'py, PyAny>>;
