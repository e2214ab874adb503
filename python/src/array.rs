//! The attributes and methods of `autojit.Array`; its operators are in `operators.rs`, what NumPy asks of it in `protocols.rs`.

use autojit::numpy as np;
use numpy::{PyArrayDescr, PyArrayDescrMethods};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyString, PyTuple};

use crate::convert::{
    numpy_dtype, numpy_module, to_dtype, to_number, to_numpy_owned, to_numpy_view,
};
use crate::errors::{OrRaise, TracingError};
use crate::functions;
use crate::object::{Object, PyArrayObject, wrapped};
use crate::reports::without_our_lines;

#[pymethods]
impl PyArrayObject {
    /// The number of elements along each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.ty().or_raise(py)?.shape.as_slice())
    }

    /// The dtype of the elements, as one of NumPy's dtypes.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDescr>> {
        Ok(numpy_dtype(py, self.0.dtype().or_raise(py)?))
    }

    /// The number of axes.
    #[getter]
    fn ndim(&self, py: Python<'_>) -> PyResult<usize> {
        self.0.ndim().or_raise(py)
    }

    /// The number of elements.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        self.0.size().or_raise(py)
    }

    /// The bytes of one element.
    #[getter]
    fn itemsize(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(numpy_dtype(py, self.0.dtype().or_raise(py)?).itemsize())
    }

    /// The bytes of all elements.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.size(py)? * self.itemsize(py)?)
    }

    /// The axes reversed.
    #[getter(T)]
    fn transposed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        wrapped(py, np::transpose(&self.0, ..))
    }

    /// The last two axes exchanged.
    #[getter(mT)]
    fn matrix_transposed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        if self.0.ndim().or_raise(py)? < 2 {
            return Err(PyValueError::new_err(
                "mT needs an array of two axes or more",
            ));
        }
        wrapped(py, np::swapaxes(&self.0, -1, -2))
    }

    /// The real parts.
    #[getter]
    fn real<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        wrapped(py, np::real(&self.0))
    }

    /// The imaginary parts.
    #[getter]
    fn imag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        wrapped(py, np::imag(&self.0))
    }

    /// Where the array is: `"cpu"`.
    #[getter]
    fn device(&self, py: Python<'_>) -> PyResult<String> {
        self.0.device().or_raise(py)
    }

    /// Whether the values are yet to be computed: the array is lazy, or its function is being traced.
    #[getter]
    fn is_lazy(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.0.library().or_raise(py)? == "lazy")
    }

    /// The array itself, as there is one device only.
    #[pyo3(signature = (device, /, *, stream = None))]
    fn to_device<'py>(
        slf: Bound<'py, Self>,
        device: &str,
        stream: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        match (device, stream) {
            ("cpu", None) => Ok(slf),
            _ => Err(PyValueError::new_err(format!(
                "expected the device \"cpu\", got {device:?}"
            ))),
        }
    }

    /// The elements converted to a dtype.
    #[pyo3(signature = (dtype, copy = true))]
    fn astype<'py>(
        &self,
        py: Python<'py>,
        dtype: &Bound<'py, PyAny>,
        copy: bool,
    ) -> PyResult<Bound<'py, Self>> {
        // Arrays never change, so whether it is a copy shows nowhere.
        let _ = copy;
        wrapped(py, self.0.astype(to_dtype(dtype)?))
    }

    /// The complex conjugate; `x` itself if it is real.
    fn conj(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let array = &slf.get().0;
        // Those of the function are bytes, as NumPy's.
        match array.dtype() {
            Ok(autojit::DType::Bool) => Ok(slf),
            _ => wrapped(slf.py(), np::conj(array)),
        }
    }

    /// The complex conjugate; `x` itself if it is real.
    fn conjugate(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        Self::conj(slf)
    }

    /// The same elements in C order under another shape; one size may be -1.
    #[pyo3(signature = (*shape))]
    fn reshape<'py>(slf: &Bound<'py, Self>, shape: &Bound<'py, PyTuple>) -> Object<'py> {
        functions::call(slf.py(), "reshape", (slf, one_or_all(shape)?))
    }

    /// The axes in another order, reversed if none is given.
    #[pyo3(signature = (*axes))]
    fn transpose<'py>(slf: &Bound<'py, Self>, axes: &Bound<'py, PyTuple>) -> Object<'py> {
        if axes.is_empty() {
            return functions::call(slf.py(), "transpose", (slf,));
        }
        functions::call(slf.py(), "transpose", (slf, one_or_all(axes)?))
    }

    /// A copy of the elements along one axis.
    fn flatten<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        wrapped(py, np::ravel(&self.0))
    }

    /// `round(x, ndigits)`: `numpy.round`, of the dtype of the array.
    #[pyo3(signature = (ndigits=None))]
    fn __round__<'py>(slf: Bound<'py, Self>, ndigits: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
        functions::call(slf.py(), "round", (slf, ndigits.unwrap_or(0)))
    }

    /// The array itself, as arrays never change.
    fn copy(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    /// Arrays are pickled by their values.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Object<'py> {
        let py = slf.py();
        let make = py
            .import(intern!(py, "autojit"))?
            .getattr(intern!(py, "asarray"))?;
        let values = to_numpy_view(py, &slf.get().0)?;
        Ok((make, (values,)).into_pyobject(py)?.into_any())
    }

    /// The values as an array of NumPy's that looks at the same memory, and cannot be written to.
    fn numpy<'py>(&self, py: Python<'py>) -> Object<'py> {
        to_numpy_view(py, &self.0)
    }

    #[pyo3(signature = (dtype = None, *, copy = None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> Object<'py> {
        let view = to_numpy_view(py, &self.0)?;
        let wanted = match dtype {
            None => self.dtype(py)?,
            Some(dtype) => PyArrayDescr::new(py, dtype)?,
        };
        if wanted.eq(self.dtype(py)?)? {
            return match copy {
                Some(true) => to_numpy_owned(py, self.0.clone()),
                _ => Ok(view),
            };
        }
        if copy == Some(false) {
            return Err(PyValueError::new_err("another dtype needs a copy"));
        }
        view.call_method1(intern!(py, "astype"), (wanted,))
    }

    /// The elements as nested lists of Python's numbers; a 0-d array is a number.
    fn tolist<'py>(&self, py: Python<'py>) -> Object<'py> {
        to_numpy_view(py, &self.0)?.call_method0(intern!(py, "tolist"))
    }

    /// One element as a number of Python; without an index the only one.
    #[pyo3(signature = (*index))]
    fn item<'py>(&self, py: Python<'py>, index: &Bound<'py, PyTuple>) -> Object<'py> {
        if index.is_empty() {
            return to_number(py, &self.0);
        }
        to_numpy_view(py, &self.0)?.call_method1(intern!(py, "item"), index)
    }

    fn __float__<'py>(&self, py: Python<'py>) -> Object<'py> {
        py.get_type::<PyFloat>().call1((to_number(py, &self.0)?,))
    }

    fn __int__<'py>(&self, py: Python<'py>) -> Object<'py> {
        py.get_type::<PyInt>().call1((to_number(py, &self.0)?,))
    }

    fn __complex__<'py>(&self, py: Python<'py>) -> Object<'py> {
        py.get_type::<PyComplex>().call1((to_number(py, &self.0)?,))
    }

    fn __index__<'py>(&self, py: Python<'py>) -> Object<'py> {
        let dtype = self.0.dtype().or_raise(py)?;
        if !dtype.is_integer() || self.0.ndim().or_raise(py)? != 0 {
            return Err(PyTypeError::new_err(
                "only 0-d arrays of integers can be used as an index",
            ));
        }
        to_number(py, &self.0)
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        if self.is_lazy(py)? && autojit::ir::HostArray::try_from(&self.0).is_err() {
            return Err(TracingError::new_err(
                "`if`, `while`, `and`, `or` and `not` need the value of an array, but its function is being traced or it is \
                 lazy, so there is none yet; choose between arrays with where, or make the argument static",
            ));
        }
        if self.0.size().or_raise(py)? != 1 {
            return Err(PyValueError::new_err(
                "the truth value of an array with more or less than one element is ambiguous; use any() or all()",
            ));
        }
        to_number(py, &self.0)?.is_truthy()
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        match self.0.ty().or_raise(py)?.shape.first() {
            Some(&length) => Ok(length),
            None => Err(PyTypeError::new_err("len() of a 0-d array")),
        }
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Object<'py> {
        let py = slf.py();
        let array = &slf.get().0;
        if array.ndim().or_raise(py)? == 0 {
            return Err(PyTypeError::new_err("iteration over a 0-d array"));
        }
        let rows = array.rows().or_raise(py)?.into_iter();
        let rows = rows
            .map(|row| wrapped(py, row))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, rows)?.try_iter()?.into_any())
    }

    fn __contains__(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let equal = crate::operators::compared(self, py, value, CompareOp::Eq)?;
        let Ok(equal) = equal.cast::<Self>() else {
            return Ok(false);
        };
        let any = wrapped(py, np::any(&equal.get().0, ..))?;
        any.get().__bool__(py)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> Object<'py> {
        if self.is_lazy(py)? {
            return Ok(PyString::new(py, &format!("Array({})", self.0)).into_any());
        }
        let text = numpy_module(py)?.call_method1(intern!(py, "array_repr"), (self.numpy(py)?,))?;
        let text: String = text.extract()?;
        // Continued lines stand below the first element in NumPy's text.
        let text = text.replacen("array(", "Array(", 1);
        Ok(PyString::new(py, &text).into_any())
    }

    fn __str__<'py>(&self, py: Python<'py>) -> Object<'py> {
        if self.is_lazy(py)? {
            return self.__repr__(py);
        }
        self.numpy(py)?.str().map(Bound::into_any)
    }

    fn __format__<'py>(&self, py: Python<'py>, spec: &str) -> Object<'py> {
        if spec.is_empty() {
            return self.__str__(py);
        }
        to_number(py, &self.0)?.call_method1(intern!(py, "__format__"), (spec,))
    }

    /// The values of a lazy array; an array with values is itself.
    fn compute<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        let array = self.0.clone();
        let computed = py.detach(move || array.compute());
        wrapped(py, computed.or_raise(py)?)
    }

    /// A picture of how a lazy array is computed, which notebooks show.
    fn plot(&self) -> PyResult<Picture> {
        match self.0.as_lazy() {
            Some(lazy) => Ok(Picture(lazy.plot())),
            None => Err(PyValueError::new_err(
                "an array with values was computed already",
            )),
        }
    }

    /// How a lazy array is computed, as text: one line for each operation.
    fn show(&self) -> PyResult<String> {
        match self.0.as_lazy() {
            Some(lazy) => Ok(lazy.show().to_string()),
            None => Err(PyValueError::new_err(
                "an array with values was computed already",
            )),
        }
    }
}

/// A picture of a graph.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Picture(autojit::plot::Plot);

#[pymethods]
impl Picture {
    /// The picture alone, as notebooks show it.
    fn _repr_svg_(&self) -> String {
        self.0.to_svg()
    }

    /// The picture as SVG.
    fn to_svg(&self) -> String {
        self.0.to_svg()
    }

    /// A page of HTML with the picture, which answers to the mouse.
    fn to_html(&self) -> String {
        without_our_lines(&self.0.to_html())
    }

    /// Writes the picture into a file, `.svg` or `.html`.
    fn save(&self, py: Python<'_>, path: std::path::PathBuf) -> PyResult<()> {
        match path
            .extension()
            .is_some_and(|kind| kind == "html" || kind == "htm")
        {
            true => Ok(std::fs::write(path, self.to_html())?),
            false => self.0.save(path).or_raise(py),
        }
    }
}

/// `x.reshape((2, 3))` and `x.reshape(2, 3)` are the same.
fn one_or_all<'py>(items: &Bound<'py, PyTuple>) -> Object<'py> {
    match items.len() {
        1 => items.get_item(0),
        _ => Ok(items.clone().into_any()),
    }
}

/// Adds the methods that are functions of the table with the array as their first argument.
pub(crate) fn add_methods(py: Python<'_>) -> PyResult<()> {
    const METHODS: [&str; 27] = [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "clip",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ptp",
        "ravel",
        "repeat",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "var",
    ];
    let class = py.get_type::<PyArrayObject>();
    for name in METHODS {
        class.setattr(name, functions::method(py, name)?)?;
    }
    Ok(())
}
