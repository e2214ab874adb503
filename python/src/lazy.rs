//! Lazy arrays: computations that are written down instead of being run.

use autojit::{Array, lazy};
use pyo3::prelude::*;

use crate::convert::{to_array, to_dtype};
use crate::errors::OrRaise;
use crate::object::{PyArrayObject, wrapped};

/// A lazy array with the values of another one: what is computed from it is written down.
#[pyfunction]
pub(crate) fn lazy_array<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArrayObject>> {
    wrapped(py, lazy::array(&to_array(x)?))
}

/// A lazy array without values, which stands for an argument.
#[pyfunction]
#[pyo3(signature = (shape, dtype))]
pub(crate) fn lazy_variable<'py>(
    py: Python<'py>,
    shape: Vec<usize>,
    dtype: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArrayObject>> {
    wrapped(py, lazy::variable(&shape, to_dtype(dtype)?))
}

/// The values of several lazy arrays; what they have in common is computed once.
#[pyfunction]
pub(crate) fn lazy_compute<'py>(
    py: Python<'py>,
    arrays: Vec<Bound<'py, PyAny>>,
) -> PyResult<Vec<Bound<'py, PyArrayObject>>> {
    let arrays = arrays
        .iter()
        .map(to_array)
        .collect::<PyResult<Vec<Array>>>()?;
    let computed = py.detach(|| lazy::compute(&arrays)).or_raise(py)?;
    computed
        .into_iter()
        .map(|array| wrapped(py, array))
        .collect()
}
