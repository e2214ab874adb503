//! Which library a call belongs to: asking, and deciding for a block of code.
//!
//! autoray's names are kept; what it calls a backend is a library here, where arrays live, and not one of the
//! backends that run traced graphs.

use std::panic::Location;

use super::Namespace;
use crate::like::{Block, Like, Place};
use crate::registry;
use crate::{Array, Value};
use autojit_ir::error::{Error, Result};

/// The name of the library that a value belongs to: that of its arrays, `"lazy"`, or for plain numbers the
/// one that calls without arrays go to.
///
/// ```
/// use autojit::{Array, dispatch::infer_backend, lazy};
///
/// let x = Array::from([1.0, 2.0]);
/// assert_eq!(infer_backend(&x)?, "ndarray");
/// assert_eq!(infer_backend(lazy::array(&x))?, "lazy");
/// assert!(infer_backend("text").unwrap_err().is_unknown_library());
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// It is neither an array nor a number nor a list of them; an array failed; a list has arrays of two libraries.
///
/// Source: autoray's `infer_backend`; "backend" means the library.
#[track_caller]
pub fn infer_backend(value: impl Into<Value>) -> Result<&'static str> {
    let location = Location::caller();
    infer(&[value.into()]).map_err(|e| e.at(location))
}

/// The name of the library that a call with these arguments belongs to. Lazy arrays come first, then those of
/// other libraries, then plain numbers.
///
/// ```
/// use autojit::{Array, dispatch::infer_backend_multi, lazy};
///
/// assert_eq!(infer_backend_multi([Array::from([1.0]), lazy::array(&Array::from([1.0]))])?, "lazy");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is neither an array nor a number; an array failed; there are arrays of two libraries and none is lazy.
///
/// Source: autoray's `infer_backend_multi`; "backend" means the library.
#[track_caller]
pub fn infer_backend_multi(values: impl IntoIterator<Item: Into<Value>>) -> Result<&'static str> {
    let location = Location::caller();
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    infer(&values).map_err(|e| e.at(location))
}

fn infer(values: &[Value]) -> Result<&'static str> {
    fn has_number(value: &Value) -> bool {
        match value {
            Value::List(items) => items.iter().any(has_number),
            other => other.scalar().is_some(),
        }
    }
    if let Some(place) = registry::place_of(values)? {
        return Ok(place.name());
    }
    if values.iter().any(has_number) {
        let place = crate::like::innermost_place();
        return Ok(place.map_or("ndarray", Place::name));
    }
    let got: Vec<String> = values.iter().map(Value::describe).collect();
    Err(Error::unknown_library(format!(
        "there is no array to infer the library from in ({})",
        got.join(", ")
    )))
}

/// Runs `f` with functions that are given no array making theirs in a library: the one of this name, or that of
/// an array, with its dtype and on its device.
///
/// Blocks belong to their thread and nest. An explicit `like` wins over them; arrays among the arguments do too.
///
/// ```
/// use autojit::{backend_like, numpy as np};
///
/// let z = backend_like("ndarray-float32", || np::ones([3, 4], ..))?;
/// assert_eq!(z.ty()?.to_string(), "f32[3,4]");
/// assert_eq!(np::ones(2, ..).ty()?.to_string(), "f64[2]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// No library has this name; `f` is not run then.
///
/// Source: autoray's `backend_like`; "backend" means the library.
#[track_caller]
pub fn backend_like<R>(like: impl Into<Like>, f: impl FnOnce() -> R) -> Result<R> {
    let location = Location::caller();
    let wanted = like.into().0.map_err(|e| e.at(location))?;
    let _block = Block::enter(wanted);
    Ok(f())
}

/// NumPy's functions bound to the library, dtype and device of an array: what they make is like it.
///
/// ```
/// use autojit::{Array, dispatch::get_namespace, numpy as np};
///
/// let x = Array::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// let xp = get_namespace(&x);
/// let y = xp.einsum("ij,jk->ik", [&x, &xp.eye(2, ..)]);
/// assert_eq!(xp.linspace(0.0, 1.0, np::num(3)).ty()?.to_string(), "f32[3]");
/// assert_eq!(xp.linalg().norm(&y, ..).ndim()?, 0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: autoray's `get_namespace`, and the Python array API standard.
#[must_use]
pub fn get_namespace(like: &Array) -> Namespace {
    Namespace::new(like.into())
}
