//! `Array`: the one array type that users see, and the one point where an op finds out where it runs.
//!
//! An array is an array of a library, a lazy one, or a failed one that carries its error to where values leave
//! (`call`, `compute`, `item`, `to_ndarray`). Inside a function that is being traced lazy arrays are places in the
//! record of the trace. Nothing here panics.

mod apply;
mod convert;
mod display;
mod element;
mod foreign;
mod number_format;
mod operand;
mod operators;
#[cfg(feature = "torch")]
mod torch;
mod value;

pub(crate) use apply::{install_lazy_replacement, write_down};
pub use element::Element;
pub use operand::Operand;
pub use value::Value;

use std::panic::Location;

use crate::like::Place;
use crate::nodes::{Input, LazyArray, Traced};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray};
use autojit_library::Concrete;

/// An array of numbers: of a library such as ndarray, or lazy.
#[derive(Clone, Debug)]
pub struct Array(pub(crate) Repr);

#[derive(Clone, Debug)]
pub(crate) enum Repr {
    /// The values are there.
    Concrete(Concrete),
    /// The values are yet to be computed.
    Lazy(LazyArray),
    /// The values are yet to be computed, each time that the function which is being traced is called.
    Traced(Traced),
    /// An operation failed; the first error stays.
    Failed(Error),
}

impl Array {
    /// An array in main memory.
    pub(crate) fn from_host(array: HostArray) -> Self {
        Self(Repr::Concrete(Concrete::Ndarray(array)))
    }

    #[inline]
    pub(crate) fn from_concrete(array: Concrete) -> Self {
        Self(Repr::Concrete(array))
    }

    pub(crate) fn from_lazy(array: LazyArray) -> Self {
        Self(Repr::Lazy(array))
    }

    /// An array that stands for a failure.
    pub(crate) fn failed(error: Error) -> Self {
        Self(Repr::Failed(error))
    }

    /// The array of a result, or the failed array of an error, which gets the source line of the caller.
    #[track_caller]
    pub(crate) fn from_result(result: Result<Self>) -> Self {
        let location = Location::caller();
        result.unwrap_or_else(|e| Self::failed(e.at(location)))
    }

    /// dtype and shape.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// assert_eq!(Array::from([[1.0, 2.0]]).ty()?.to_string(), "f64[1,2]");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The array is a failed one: its error.
    pub fn ty(&self) -> Result<ArrayType> {
        match &self.0 {
            Repr::Concrete(array) => Ok(array.ty()),
            Repr::Lazy(array) => array.ty().array().cloned(),
            Repr::Traced(array) => array.ty().array().cloned(),
            Repr::Failed(error) => Err(error.clone()),
        }
    }

    /// The array itself, or the error that it carries.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// let sum = (Array::from([1.0, 2.0]) + Array::from([1.0, 2.0, 3.0])).check();
    /// assert!(sum.unwrap_err().to_string().contains("cannot broadcast f64[2] with f64[3] in add"));
    /// ```
    ///
    /// # Errors
    /// An operation on the way to this array failed.
    pub fn check(self) -> Result<Self> {
        match self.0 {
            Repr::Failed(error) => Err(error),
            _ => Ok(self),
        }
    }

    /// The number of axes.
    ///
    /// # Errors
    /// The array is a failed one: its error.
    pub(crate) fn axis_count(&self) -> Result<usize> {
        match &self.0 {
            Repr::Concrete(array) => Ok(array.shape().len()),
            Repr::Lazy(array) => Ok(array.ty().array()?.ndim()),
            Repr::Traced(array) => Ok(array.ty().array()?.ndim()),
            Repr::Failed(error) => Err(error.clone()),
        }
    }

    /// The array as an input of what is written down.
    #[inline]
    pub(crate) fn input(&self) -> Input<'_> {
        match &self.0 {
            Repr::Concrete(array) => Input::Concrete(array),
            Repr::Lazy(node) => Input::Node(node),
            Repr::Traced(traced) => Input::Traced(traced),
            Repr::Failed(error) => Input::Failed(error),
        }
    }

    /// Where the array is: lazy, or in a library.
    ///
    /// # Errors
    /// The array is a failed one: its error.
    pub(crate) fn own_place(&self) -> Result<Place> {
        match &self.0 {
            Repr::Concrete(array) => Ok(Place::Library(array.library())),
            Repr::Lazy(_) | Repr::Traced(_) => Ok(Place::Lazy),
            Repr::Failed(error) => Err(error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_small_enough_to_be_moved_around() {
        // ndarray's shape and strides, in place; every call moves a few of them.
        assert!(size_of::<Array>() <= 112, "{}", size_of::<Array>());
        assert!(size_of::<Operand>() <= 120, "{}", size_of::<Operand>());
    }
}
