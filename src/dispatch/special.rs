//! Functions about arrays that NumPy has under other names or not at all: autoray's special functions.
//!
//! Trees have theirs in [`crate::tree`]: `tree_map`, `tree_flatten`, `tree_unflatten`.

use std::panic::Location;

use ndarray::{ArrayBase, ArrayD, Data, Dimension};

use crate::array::Element;
use crate::like::Like;
use crate::{Array, DType, Operand, Value, numpy as np};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, MapOp, Op};

/// The dtype of this name, as a library's functions take it. All libraries take the same ones here.
///
/// ```
/// use autojit::{DType, dispatch::to_backend_dtype};
///
/// assert_eq!(to_backend_dtype("float32", "ndarray")?, DType::Float32);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// No dtype has this name, or `like` names no library.
///
/// Source: autoray's `to_backend_dtype`; "backend" means the library.
#[track_caller]
pub fn to_backend_dtype(name: &str, like: impl Into<Like>) -> Result<DType> {
    let location = Location::caller();
    let dtype = like.into().0.and_then(|_| name.parse());
    dtype.map_err(|e: Error| e.at(location))
}

/// NumPy's name for the dtype of an array or a number, such as `"float64"`.
///
/// ```
/// use autojit::{Array, dispatch::get_dtype_name};
///
/// assert_eq!(get_dtype_name(Array::from([1.0, 2.0]))?, "float64");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The array is a failed one: its error.
///
/// Source: autoray's `get_dtype_name`.
#[track_caller]
pub fn get_dtype_name<'a>(x: impl Into<Operand<'a>>) -> Result<&'static str> {
    let location = Location::caller();
    let ty = x.into().ty();
    ty.map(|ty| ty.dtype.name()).map_err(|e| e.at(location))
}

/// The name of the smallest dtype that holds those of all the arrays.
///
/// ```
/// use autojit::{Array, dispatch::get_common_dtype};
///
/// assert_eq!(get_common_dtype([Array::from([1]), Array::from([0.5])])?, "float64");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is no array, or one failed.
///
/// Source: autoray's `get_common_dtype`.
#[track_caller]
pub fn get_common_dtype<'a>(
    arrays: impl IntoIterator<Item: Into<Operand<'a>>>,
) -> Result<&'static str> {
    let location = Location::caller();
    let types = arrays.into_iter().map(|x| x.into().ty());
    let types = types.collect::<Result<Vec<ArrayType>>>();
    let common = types.and_then(|types| {
        let common = DType::promote_all(types.iter().map(|ty| ty.dtype));
        common.ok_or_else(|| Error::value("there is no array to infer a dtype from"))
    });
    common.map(DType::name).map_err(|e| e.at(location))
}

/// The array with the dtype of this name.
///
/// ```
/// use autojit::{Array, dispatch::astype};
///
/// assert_eq!(astype(&Array::from([1.7]), "int64").to_string(), "[1]");
/// ```
///
/// # Errors
/// No dtype has this name.
///
/// Source: autoray's `astype`.
#[must_use]
#[track_caller]
pub fn astype(x: &Array, dtype: &str) -> Array {
    match dtype.parse() {
        Ok(dtype) => np::astype(x, dtype),
        Err(error) => np::fail("astype", error),
    }
}

/// The values as an array of the ndarray crate. See [`Array::to_ndarray`].
///
/// # Errors
/// `T` is not the Rust type of the dtype, the array is lazy and not computed, or failed.
///
/// Source: autoray's `to_numpy`.
#[track_caller]
pub fn to_ndarray<T: Element>(x: &Array) -> Result<ArrayD<T>> {
    x.to_ndarray()
}

/// An array of the ndarray crate, in the library and with the dtype of another array, or in the library of this
/// name.
///
/// ```
/// use autojit::{Array, dispatch::from_ndarray};
///
/// let numbers = ndarray::array![1.0, 2.0];
/// assert_eq!(from_ndarray(&numbers, "lazy").library()?, "lazy");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// No library has this name.
#[must_use]
#[track_caller]
pub fn from_ndarray<T: Element, S: Data<Elem = T>, D: Dimension>(
    array: &ArrayBase<S, D>,
    like: impl Into<Like>,
) -> Array {
    Array::from(array).to(like)
}

/// The array in another library, with another dtype, on another device. See [`Array::to`].
///
/// # Errors
/// As [`Array::to`].
///
/// Source: autoray's `to`.
#[must_use]
#[track_caller]
pub fn to(x: &Array, like: impl Into<Like>) -> Array {
    x.to(like)
}

/// The number of elements along each axis of an array, of a number, or of nested lists of numbers.
///
/// ```
/// use autojit::{Array, dispatch::shape};
///
/// assert_eq!(shape(Array::from([[1.0, 2.0]]))?, [1, 2]);
/// assert!(shape(3.0)?.is_empty());
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The array is a failed one, or `x` is something else.
///
/// Source: autoray's `shape`.
#[track_caller]
pub fn shape(x: impl Into<Value>) -> Result<Vec<usize>> {
    let location = Location::caller();
    let ty = super::arguments::array_type("x", &x.into());
    ty.map(|ty| ty.shape.to_vec()).map_err(|e| e.at(location))
}

/// The number of axes. See [`shape`].
///
/// ```
/// assert_eq!(autojit::dispatch::ndim(3.0)?, 0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`shape`].
///
/// Source: autoray's `ndim`.
#[track_caller]
pub fn ndim(x: impl Into<Value>) -> Result<usize> {
    Ok(shape(x)?.len())
}

/// The number of elements. See [`shape`].
///
/// ```
/// use autojit::{Array, dispatch::size};
///
/// assert_eq!(size(Array::from([[1.0, 2.0]]))?, 2);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`shape`].
///
/// Source: autoray's `size`.
#[track_caller]
pub fn size(x: impl Into<Value>) -> Result<usize> {
    Ok(shape(x)?.iter().product())
}

/// Whether it is an array, of any library, or lazy. A failed one is not.
///
/// ```
/// use autojit::{Array, dispatch::is_array};
///
/// assert!(is_array(Array::from([1.0])));
/// assert!(!is_array(1.0));
/// ```
///
/// Source: autoray's `is_array`.
pub fn is_array(x: impl Into<Value>) -> bool {
    matches!(x.into(), Value::Array(array) if array.ty().is_ok())
}

/// Whether it is a number or a 0-d array.
///
/// ```
/// use autojit::{Array, dispatch::is_scalar};
///
/// assert!(is_scalar(1.0));
/// assert!(!is_scalar(Array::from([1.0])));
/// ```
///
/// Source: autoray's `is_scalar`.
pub fn is_scalar(x: impl Into<Value>) -> bool {
    match x.into() {
        Value::Array(array) => array.ty().is_ok_and(|ty| ty.ndim() == 0),
        other => other.scalar().is_some(),
    }
}

/// The same values, which no gradient flows through: [`stop_gradient`](crate::stop_gradient) of an array.
///
/// Source: autoray's `stop_gradient`.
#[must_use]
#[track_caller]
pub fn stop_gradient(x: &Array) -> Array {
    Array::apply(Op::Map(MapOp::StopGradient), &[x.into()])
}
