//! Values of Python as arrays, and arrays as values of Python.
//!
//! Into an array: NumPy's arrays of the supported dtypes are copied, whatever their strides, byte order and alignment; numbers,
//! lists and all else go through `numpy.asarray`, which knows what an array is. Out of an array there are two ways: a view of
//! the same memory that cannot be written to, as arrays never change, or an array of its own.

use std::ffi::c_long;

use autojit::Scalar;
use autojit::ir::{HostArray, SharedArray};
use autojit::ndarray::{ArrayD, IxDyn};
use autojit::num_complex::{Complex32, Complex64};
use autojit::{Array, DType, numpy as np};
use numpy::npyffi::{
    self, NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_WRITEABLE, NPY_TYPES,
};
use numpy::{
    Element, PyArray, PyArrayDescr, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyList, PyModule, PyTuple, PyType};

use crate::errors::OrRaise;
use crate::object::PyArrayObject;

/// ndarray's views of NumPy's arrays have at most so many axes.
const MOST_VIEWED_AXES: usize = 32;

/// Results of up to so many bytes are copied into memory of NumPy's.
const COPIED: usize = 4096;

/// The module `numpy`.
pub(crate) fn numpy_module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?;
    Ok(module.bind(py))
}

/// Whether it is a scalar of NumPy, such as `np.float64(1.0)`.
pub(crate) fn is_numpy_scalar(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    static GENERIC: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    value.is_instance(GENERIC.import(value.py(), "numpy", "generic")?)
}

/// Any value as an array. Numbers get NumPy's dtype for them.
pub(crate) fn to_array(value: &Bound<'_, PyAny>) -> PyResult<Array> {
    if let Ok(array) = value.cast::<PyArrayObject>() {
        return Ok(array.get().0.clone());
    }
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        return from_numpy(array);
    }
    if (value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>())
        && holds_arrays(value, 0)?
    {
        return stacked(value);
    }
    let array = numpy_module(value.py())?.call_method1(intern!(value.py(), "asarray"), (value,))?;
    from_numpy(array.cast::<PyUntypedArray>()?)
}

/// Any value as an array of a dtype. Numbers of Python must fit into it, as NumPy has it; arrays are converted.
pub(crate) fn to_array_of(value: &Bound<'_, PyAny>, dtype: DType) -> PyResult<Array> {
    let is_list = value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>();
    let is_number = value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyComplex>();
    if is_number || is_list && !holds_arrays(value, 0)? {
        let py = value.py();
        let arguments = (value, numpy_dtype(py, dtype));
        let array = numpy_module(py)?.call_method1(intern!(py, "asarray"), arguments)?;
        return from_numpy(array.cast::<PyUntypedArray>()?);
    }
    Ok(to_array(value)?.astype(dtype))
}

/// Whether there is one of our arrays anywhere in nested lists, for which NumPy would ask element by element.
fn holds_arrays(list: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
    if depth > MOST_VIEWED_AXES * 2 {
        return Err(PyValueError::new_err(
            "lists are nested too deeply for an array",
        ));
    }
    for item in list.try_iter()? {
        let item = item?;
        if item.is_instance_of::<PyArrayObject>() {
            return Ok(true);
        }
        let is_list = item.is_instance_of::<PyList>() || item.is_instance_of::<PyTuple>();
        if is_list && holds_arrays(&item, depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn stacked(list: &Bound<'_, PyAny>) -> PyResult<Array> {
    let items = list.try_iter()?.map(|item| to_array(&item?));
    let items = items.collect::<PyResult<Vec<Array>>>()?;
    let dtypes = items.iter().map(Array::dtype);
    let dtypes = dtypes
        .collect::<Result<Vec<DType>, _>>()
        .or_raise(list.py())?;
    let common = DType::promote_all(dtypes).unwrap_or(DType::Float64);
    let items = items.iter().map(|item| item.astype(common));
    np::stack(items.collect::<Vec<_>>(), 0)
        .check()
        .or_raise(list.py())
}

/// Our dtype for one of NumPy's.
///
/// # Errors
/// There is none.
pub(crate) fn dtype_of(descr: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    let dtype = match (descr.kind(), descr.itemsize()) {
        (b'b', _) => DType::Bool,
        (b'i', 1) => DType::Int8,
        (b'u', 1) => DType::Uint8,
        (b'i', 2) => DType::Int16,
        (b'u', 2) => DType::Uint16,
        (b'i', 4) => DType::Int32,
        (b'u', 4) => DType::Uint32,
        (b'i', 8) => DType::Int64,
        (b'u', 8) => DType::Uint64,
        (b'f', 4) => DType::Float32,
        (b'f', 8) => DType::Float64,
        (b'c', 8) => DType::Complex64,
        (b'c', 16) => DType::Complex128,
        _ => return Err(unsupported(descr)),
    };
    Ok(dtype)
}

fn unsupported(descr: &Bound<'_, PyArrayDescr>) -> PyErr {
    let why = match descr.kind() {
        b'O' => {
            "an array of Python objects, such as one of lists of different lengths, has no numbers to compute with"
        }
        b'U' | b'S' | b'T' => "arrays hold numbers, not text",
        b'V' => "structured arrays are not supported; take its fields one by one",
        b'M' | b'm' => "dates and times are not supported",
        _ => "convert it with astype",
    };
    let known: Vec<&str> = DType::ALL.iter().map(|dtype| dtype.name()).collect();
    PyTypeError::new_err(format!(
        "autojit has no dtype {descr}: {why}. There are {}",
        known.join(", ")
    ))
}

/// The forms in which a user may give a dtype: one of NumPy's, a type such as `float`, or a name.
pub(crate) fn to_dtype(value: &Bound<'_, PyAny>) -> PyResult<DType> {
    if let Ok(descr) = value.cast::<PyArrayDescr>() {
        return dtype_of(descr);
    }
    dtype_of(&PyArrayDescr::new(value.py(), value)?)
}

/// NumPy's dtype for one of ours.
pub(crate) fn numpy_dtype(py: Python<'_>, dtype: DType) -> Bound<'_, PyArrayDescr> {
    match dtype {
        DType::Bool => PyArrayDescr::of::<bool>(py),
        DType::Int8 => PyArrayDescr::of::<i8>(py),
        DType::Uint8 => PyArrayDescr::of::<u8>(py),
        DType::Int16 => PyArrayDescr::of::<i16>(py),
        DType::Uint16 => PyArrayDescr::of::<u16>(py),
        DType::Int32 => PyArrayDescr::of::<i32>(py),
        DType::Uint32 => PyArrayDescr::of::<u32>(py),
        DType::Int64 => PyArrayDescr::of::<i64>(py),
        DType::Uint64 => PyArrayDescr::of::<u64>(py),
        DType::Float32 => PyArrayDescr::of::<f32>(py),
        DType::Float64 => PyArrayDescr::of::<f64>(py),
        DType::Complex64 => PyArrayDescr::of::<Complex32>(py),
        DType::Complex128 => PyArrayDescr::of::<Complex64>(py),
    }
}

/// The dtype of an array whose bytes can be copied as they are: native, aligned and in C order, of a dtype of which any bytes are
/// values. It is read from NumPy's structure, as asking for each of this takes longer than the copy of a small array.
fn plain_dtype(array: &npyffi::PyArrayObject) -> Option<DType> {
    // SAFETY: the dtype of an array that is alive; these fields are those of all versions of NumPy.
    let (byteorder, number) = unsafe { ((*array.descr).byteorder, (*array.descr).type_num) };
    let is_native = matches!(byteorder as u8, b'=' | b'|');
    if array.flags & PLAIN != PLAIN || !is_native || array.nd as usize > MOST_VIEWED_AXES {
        return None;
    }
    match number {
        n if n == NPY_TYPES::NPY_DOUBLE as i32 => Some(DType::Float64),
        n if n == NPY_TYPES::NPY_CDOUBLE as i32 => Some(DType::Complex128),
        n if n == NPY_TYPES::NPY_FLOAT as i32 => Some(DType::Float32),
        n if n == NPY_TYPES::NPY_CFLOAT as i32 => Some(DType::Complex64),
        n if n == NPY_TYPES::NPY_LONG as i32 && size_of::<c_long>() == 8 => Some(DType::Int64),
        _ => None,
    }
}

/// The flags of an array that is aligned and in C order.
const PLAIN: i32 = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;

/// A copy of an array that is [plain](plain_dtype).
fn copied_plain<T: autojit::ir::Element>(array: &npyffi::PyArrayObject) -> PyResult<Array> {
    let shape: &[usize] = match array.nd {
        0 => &[],
        // SAFETY: an array has as many sizes as axes, none of them negative.
        axes => unsafe { std::slice::from_raw_parts(array.dimensions.cast(), axes as usize) },
    };
    let count = shape.iter().product();
    let mut elements: Vec<T> = Vec::new();
    elements
        .try_reserve_exact(count)
        .map_err(|_| no_memory(count))?;
    // SAFETY: so many elements of the size and alignment of `T` are there, one after the other, and there is room for them; any
    // bytes are a `T`; the interpreter is held, so that nothing in Python writes to them.
    unsafe {
        let from = array.data.cast::<T>();
        std::ptr::copy_nonoverlapping(from, elements.as_mut_ptr(), count);
        elements.set_len(count);
    }
    let array = ArrayD::from_shape_vec(IxDyn(shape), elements);
    let array = array.map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(Array::from(array))
}

fn no_memory(count: usize) -> PyErr {
    pyo3::exceptions::PyMemoryError::new_err(format!(
        "not enough memory for a copy of {count} elements"
    ))
}

/// A copy of an array of NumPy's.
///
/// # Errors
/// There is no such dtype, or elements are masked: what computes with all of them would be wrong.
pub(crate) fn from_numpy(array: &Bound<'_, PyUntypedArray>) -> PyResult<Array> {
    if !array.is_exact_instance_of::<PyUntypedArray>() {
        static MASKED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if array.is_instance(MASKED.import(array.py(), "numpy.ma", "MaskedArray")?)? {
            return Err(PyTypeError::new_err(
                "masked arrays are not supported, as their masks would be lost: give `x.filled(value)`, or `x.data` and \
                 `x.mask` as two arrays",
            ));
        }
    }
    // SAFETY: it is an array, which is alive.
    let raw = unsafe { &*array.as_array_ptr() };
    match plain_dtype(raw) {
        Some(DType::Float64) => copied_plain::<f64>(raw),
        Some(DType::Float32) => copied_plain::<f32>(raw),
        Some(DType::Int64) => copied_plain::<i64>(raw),
        Some(DType::Complex64) => copied_plain::<Complex32>(raw),
        Some(DType::Complex128) => copied_plain::<Complex64>(raw),
        Some(_) | None => from_any_numpy(array),
    }
}

/// A copy of an array of NumPy's of any dtype and layout.
fn from_any_numpy(array: &Bound<'_, PyUntypedArray>) -> PyResult<Array> {
    let py = array.py();
    let descr = array.dtype();
    let dtype = dtype_of(&descr)?;
    if descr.is_native_byteorder() == Some(false) || !array.is_aligned() {
        let native = numpy_dtype(py, dtype);
        let array = array.call_method1(intern!(py, "astype"), (native,))?;
        return from_numpy(array.cast()?);
    }
    if array.ndim() > MOST_VIEWED_AXES {
        let shape: Vec<i64> = array.shape().iter().map(|&n| n as i64).collect();
        let flat = array.call_method1(intern!(py, "reshape"), (-1,))?;
        return np::reshape(&from_numpy(flat.cast()?)?, shape)
            .check()
            .or_raise(py);
    }
    let host = match dtype {
        // Bytes of such an array may be other than 0 and 1, which a `bool` must not be.
        DType::Bool => {
            let bytes = copied::<u8>(array)?;
            HostArray::from(bytes.mapv(|byte| byte != 0))
        }
        DType::Int8 => copied::<i8>(array)?.into(),
        DType::Uint8 => copied::<u8>(array)?.into(),
        DType::Int16 => copied::<i16>(array)?.into(),
        DType::Uint16 => copied::<u16>(array)?.into(),
        DType::Int32 => copied::<i32>(array)?.into(),
        DType::Uint32 => copied::<u32>(array)?.into(),
        DType::Int64 => copied::<i64>(array)?.into(),
        DType::Uint64 => copied::<u64>(array)?.into(),
        DType::Float32 => copied::<f32>(array)?.into(),
        DType::Float64 => copied::<f64>(array)?.into(),
        DType::Complex64 => copied::<Complex32>(array)?.into(),
        DType::Complex128 => copied::<Complex64>(array)?.into(),
    };
    Array::from(host).check().or_raise(py)
}

/// The elements of an array whose dtype has the size and alignment of `T`, in C order.
fn copied<T: Element + Copy>(
    array: &Bound<'_, PyUntypedArray>,
) -> PyResult<autojit::ndarray::ArrayD<T>> {
    // SAFETY: `cast_unchecked` changes the type of a handle; elements are as large as a `T`, native and aligned, and any bytes
    // are a `T`, for the caller has looked at the dtype and the flags.
    let typed = unsafe { array.cast_unchecked::<PyArrayDyn<T>>() };
    // SAFETY: the view ends in this function, which holds the interpreter, so that nothing in Python writes to it.
    let view = unsafe { typed.as_array() };
    let mut data = Vec::new();
    data.try_reserve_exact(view.len())
        .map_err(|_| no_memory(view.len()))?;
    match view.as_slice() {
        Some(slice) => data.extend_from_slice(slice),
        None => data.extend(view.iter().copied()),
    }
    autojit::ndarray::ArrayD::from_shape_vec(IxDyn(view.shape()), data)
        .map_err(|e| PyValueError::new_err(e.to_string()))
}

/// Keeps the memory that a view of NumPy's looks at.
#[pyclass(frozen, module = "autojit")]
struct Memory(HostArray);

/// Runs `$body` for the typed array inside of one in main memory.
macro_rules! typed {
    ($host:expr, $array:ident => $body:expr) => {
        match $host {
            HostArray::Bool($array) => $body,
            HostArray::Int8($array) => $body,
            HostArray::Uint8($array) => $body,
            HostArray::Int16($array) => $body,
            HostArray::Uint16($array) => $body,
            HostArray::Int32($array) => $body,
            HostArray::Uint32($array) => $body,
            HostArray::Int64($array) => $body,
            HostArray::Uint64($array) => $body,
            HostArray::Float32($array) => $body,
            HostArray::Float64($array) => $body,
            HostArray::Complex64($array) => $body,
            HostArray::Complex128($array) => $body,
        }
    };
}

/// The values as an array of NumPy's that looks at the same memory and cannot be written to.
pub(crate) fn to_numpy_view<'py>(py: Python<'py>, array: &Array) -> PyResult<Bound<'py, PyAny>> {
    let host = HostArray::try_from(array).or_raise(py)?;
    if host.shape().len() > MOST_VIEWED_AXES {
        return with_many_axes(py, array, host.shape(), to_numpy_view);
    }
    let memory = Bound::new(py, Memory(host.clone()))?.into_any();
    Ok(typed!(&host, array => viewed(array, memory)))
}

fn viewed<'py, T: Element>(array: &SharedArray<T>, memory: Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    // SAFETY: `memory` keeps a reference to the elements of `array`, which never change while there is one.
    let view = unsafe { PyArray::borrow_from_array(&array.view(), memory) };
    // SAFETY: nothing else has this new array yet.
    unsafe { (*view.as_array_ptr()).flags &= !NPY_ARRAY_WRITEABLE };
    view.into_any()
}

/// The values as an array of NumPy's that owns them. They are copied only where something else has them too.
pub(crate) fn to_numpy_owned(py: Python<'_>, array: Array) -> PyResult<Bound<'_, PyAny>> {
    let mut host = HostArray::try_from(&array).or_raise(py)?;
    if host.shape().len() > MOST_VIEWED_AXES {
        return with_many_axes(py, &array, host.shape(), |py, flat| {
            to_numpy_owned(py, flat.clone())
        });
    }
    drop(array);
    // An object that keeps our memory takes longer to make and to free than a few elements take to copy.
    if host.ty().bytes() <= COPIED {
        return Ok(typed!(&host, array => PyArray::from_array(py, &array.view()).into_any()));
    }
    // Copies what something else has, too.
    host.as_mut_ptr();
    let memory = Bound::new(py, Memory(host))?;
    Ok(typed!(&memory.get().0, array => {
        // SAFETY: the memory lives as long as the array of NumPy's, and nothing else reads it or writes to it.
        unsafe { PyArray::borrow_from_array(&array.view(), memory.clone().into_any()) }.into_any()
    }))
}

fn with_many_axes<'py>(
    py: Python<'py>,
    array: &Array,
    shape: &[usize],
    convert: impl Fn(Python<'py>, &Array) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let flat = convert(py, &np::ravel(array).check().or_raise(py)?)?;
    flat.call_method1(intern!(py, "reshape"), (PyTuple::new(py, shape)?,))
}

/// The one element of an array as a number of Python.
pub(crate) fn to_number<'py>(py: Python<'py>, array: &Array) -> PyResult<Bound<'py, PyAny>> {
    let host = HostArray::try_from(array).or_raise(py)?;
    let count: usize = host.shape().iter().product();
    if count != 1 {
        return Err(PyValueError::new_err(format!(
            "only an array of one element is a number, got {}",
            host.ty()
        )));
    }
    typed!(host, array => {
        let element = array.first().map(|x| Scalar::from(*x));
        match element {
            Some(Scalar::Bool(b)) => Ok(b.into_pyobject(py)?.to_owned().into_any()),
            Some(Scalar::Int(i)) => Ok(i.into_pyobject(py)?.into_any()),
            Some(Scalar::Uint(i)) => Ok(i.into_pyobject(py)?.into_any()),
            Some(Scalar::Float(x)) => Ok(x.into_pyobject(py)?.into_any()),
            Some(Scalar::Complex(z)) => {
                Ok(pyo3::types::PyComplex::from_doubles(py, z.re, z.im).into_any())
            }
            None => Err(PyValueError::new_err("an array without elements is no number")),
        }
    })
}
