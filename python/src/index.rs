//! `x[key]` and `x.at[key]`: keys of Python as an [`Index`].

use autojit::index::{Bounds, Ellipsis, Index, Item, NewAxis, step};
use autojit::{Array, DType};
use numpy::PyUntypedArray;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyEllipsis, PyInt, PySlice, PyTuple};

use crate::convert::{is_numpy_scalar, to_array};
use crate::errors::OrRaise;
use crate::object::{PyArrayObject, wrapped};
use crate::values::{to_index, to_operand};

#[pymethods]
impl PyArrayObject {
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        match truth(key)? {
            // One more axis, with the array or with nothing.
            Some(is_true) => {
                let all = self.0.get(NewAxis).check().or_raise(py)?;
                let (start, stop) = (Some(0), Some(i64::from(is_true)));
                wrapped(py, all.get(Item::from(Bounds::new(start, stop))))
            }
            None => wrapped(py, self.0.get(index(key)?)),
        }
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = (key, value);
        Err(PyTypeError::new_err(
            "arrays never change, so that functions can be traced: use `x = x.at[key].set(value)`, or `.add`, `.multiply`, \
             `.min`, `.max`",
        ))
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = key;
        Err(PyTypeError::new_err(
            "elements of an array cannot be deleted",
        ))
    }

    /// Raises: this method of NumPy's sorts in place, and whoever calls it does not look at what it gives.
    #[pyo3(signature = (*args, **keywords))]
    fn sort(
        &self,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let _ = (args, keywords);
        Err(PyTypeError::new_err(
            "arrays never change, so that functions can be traced, and NumPy's `x.sort()` sorts in place: use `x = np.sort(x)`",
        ))
    }

    /// A place in the array: `x.at[key].set(values)` is a copy with other values there. Errors, graphs and pictures call such an
    /// update `scatter`.
    #[getter]
    fn at(&self) -> At {
        At(self.0.clone())
    }
}

/// `x.at`, which waits for a key.
#[pyclass(frozen, module = "autojit")]
struct At(Array);

#[pymethods]
impl At {
    fn __getitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<Place> {
        Ok(Place {
            array: self.0.clone(),
            index: index(key)?,
        })
    }
}

/// `x.at[key]`: copies of the array with other values at a place.
#[pyclass(frozen, module = "autojit")]
struct Place {
    array: Array,
    index: Index,
}

macro_rules! updates {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        #[pymethods]
        impl Place {
            $(
                $(#[doc = $doc])*
                fn $name<'py>(
                    &self,
                    py: Python<'py>,
                    values: &Bound<'py, PyAny>,
                ) -> PyResult<Bound<'py, PyArrayObject>> {
                    let Some(values) = to_operand(values)? else {
                        return Err(PyTypeError::new_err(format!(
                            "expected an array or a number, got {}",
                            values.get_type().fully_qualified_name()?
                        )));
                    };
                    wrapped(py, self.array.at(self.index.clone()).$name(values))
                }
            )*

            /// The selected part, as `x[key]`.
            fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayObject>> {
                wrapped(py, self.array.get(self.index.clone()))
            }
        }
    };
}

updates! {
    /// The array with these values at the place; of several values for one position the last one stays.
    set;
    /// The array with these values added at the place, each of several for one position.
    add;
    /// The array multiplied with these values at the place.
    multiply;
    /// The array with the smaller of its elements and these values at the place.
    min;
    /// The array with the larger of its elements and these values at the place.
    max;
}

/// The value of a key that is a mask without axes; Python's truth values are none.
fn truth(key: &Bound<'_, PyAny>) -> PyResult<Option<bool>> {
    let only = match key.cast::<PyTuple>() {
        Ok(items) if items.len() == 1 => items.get_item(0)?,
        Ok(_) => return Ok(None),
        Err(_) => key.clone(),
    };
    let is_ours = only.is_instance_of::<PyArrayObject>();
    if !is_ours && !only.is_instance_of::<PyUntypedArray>() && !is_numpy_scalar(&only)? {
        return Ok(None);
    }
    let array = to_array(&only)?;
    let ty = array.ty().or_raise(key.py())?;
    match ty.ndim() == 0 && ty.dtype == DType::Bool {
        true => only.is_truthy().map(Some),
        false => Ok(None),
    }
}

/// A key, which is one item or a tuple of them.
fn index(key: &Bound<'_, PyAny>) -> PyResult<Index> {
    match key.cast::<PyTuple>() {
        Ok(items) => items.iter().map(|part| item(&part)).collect(),
        Err(_) => Ok(std::iter::once(item(key)?).collect()),
    }
}

fn item(part: &Bound<'_, PyAny>) -> PyResult<Item> {
    if part.is_exact_instance_of::<PyInt>() {
        let position: Result<i64, _> = part.extract();
        return position.map(Item::from).map_err(|_| {
            PyIndexError::new_err(format!("the index {part} is out of range for every axis"))
        });
    }
    if let Ok(slice) = part.cast::<PySlice>() {
        return bounds(slice);
    }
    if part.is_none() {
        return Ok(NewAxis.into());
    }
    if part.is_instance_of::<PyEllipsis>() {
        return Ok(Ellipsis.into());
    }
    if part.is_instance_of::<PyBool>() {
        return Err(PyIndexError::new_err(
            "True and False are no index here; use a mask of the shape of the array, or where",
        ));
    }
    array_item(part)
}

fn bounds(slice: &Bound<'_, PySlice>) -> PyResult<Item> {
    let bound = |name: &str| {
        let bound = slice.getattr(name)?;
        match bound.is_none() {
            true => Ok(None),
            false => to_bound(&bound).map(Some),
        }
    };
    let range = Bounds::new(bound("start")?, bound("stop")?);
    match bound("step")? {
        None => Ok(range.into()),
        Some(0) => Err(PyValueError::new_err("the step of a slice cannot be zero")),
        Some(by) => Ok(step(range, by)),
    }
}

/// A bound of a slice; one that does not fit is behind every end.
fn to_bound(bound: &Bound<'_, PyAny>) -> PyResult<i64> {
    if bound.is_exact_instance_of::<PyInt>() {
        let clamped = |_: PyErr| -> PyResult<i64> {
            Ok(if bound.lt(0)? {
                i64::MIN / 2
            } else {
                i64::MAX / 2
            })
        };
        return bound.extract::<i64>().or_else(clamped);
    }
    if bound.hasattr("__index__")? {
        return to_index(bound);
    }
    Err(PyTypeError::new_err(format!(
        "bounds of slices are integers or None, got {}",
        bound.get_type().fully_qualified_name()?
    )))
}

fn array_item(part: &Bound<'_, PyAny>) -> PyResult<Item> {
    let py = part.py();
    let is_ours = part.is_instance_of::<PyArrayObject>();
    if !is_ours && is_numpy_scalar(part)? && part.hasattr("__index__")? {
        return to_index(part).map(Item::from);
    }
    let is_like_array = is_ours
        || part.hasattr("__array__")?
        || part.hasattr("__len__")? && !part.is_instance_of::<pyo3::types::PyString>();
    if !is_like_array {
        if part.hasattr("__index__")? {
            return to_index(part).map(Item::from);
        }
        return Err(PyIndexError::new_err(format!(
            "an index is an integer, a slice, `...`, None, or an array of integers or booleans, got {} of type {}",
            part.repr()?,
            part.get_type().fully_qualified_name()?
        )));
    }
    let array = to_array(part)?;
    let ty = array.ty().or_raise(py)?;
    // An empty list has floats to NumPy, and yet it may be an index.
    if ty.size() == 0 && ty.dtype == DType::Float64 && !is_ours {
        return Ok(array.astype(DType::Int64).into());
    }
    if !(ty.dtype.is_integer() || ty.dtype == DType::Bool) {
        return Err(PyIndexError::new_err(format!(
            "an index array has integers or booleans, got {ty}"
        )));
    }
    Ok(array.into())
}
