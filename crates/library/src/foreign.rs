//! `Library`: what a user implements so that an array type of theirs works with every function.
//!
//! Behind it stands [`ForeignArray`], which keeps a value of any type together with its library, dtype and
//! shape. A value is only ever seen by the library that has its type, so the casts here cannot go wrong.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::callback::caught;
use super::{AnyLibrary, Concrete, Results, known, mixed};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, Op, Type};

/// An array library of your own. Register it with `autojit::register_library`.
///
/// Only what [`Library::call`] runs is needed of it: ops that it leaves out are written with others where the
/// op table says how, and refused where not. `examples/custom_library.rs` is a complete one.
///
/// Source: autoray's `register_backend`.
#[allow(
    clippy::wrong_self_convention,
    reason = "it is the library that makes the arrays"
)]
pub trait Library: Send + Sync + 'static {
    /// The arrays of this library. Cloning should be cheap.
    type Array: Clone + Send + Sync + 'static;

    /// The name by which users call it.
    fn name(&self) -> &'static str;

    /// dtype and shape of an array. They never change.
    fn array_type(&self, array: &Self::Array) -> ArrayType;

    /// An array with these values: for numbers and constants that meet arrays of this library.
    ///
    /// # Errors
    /// The library does not have the dtype.
    fn from_host(&self, array: &HostArray) -> Result<Self::Array>;

    /// The values of an array.
    ///
    /// # Errors
    /// They cannot be had.
    fn to_host(&self, array: &Self::Array) -> Result<HostArray>;

    /// Runs an op. The inputs have the dtypes that the op asks for, and shapes that fit.
    ///
    /// # Errors
    /// The op failed.
    fn call(&self, op: &Op, inputs: &[&Self::Array]) -> Result<Spelled<Self::Array>>;

    /// Where an array lives, such as `"cpu"` or `"cuda:0"`.
    fn device(&self, _array: &Self::Array) -> String {
        "cpu".into()
    }

    /// An array with these values on a device.
    ///
    /// # Errors
    /// There is no such device; without this method, there is only `"cpu"`.
    fn from_host_on(&self, array: &HostArray, device: &str) -> Result<Self::Array> {
        if device == "cpu" {
            return self.from_host(array);
        }
        Err(Error::value(format!(
            "the library {} has no device {device}",
            self.name()
        )))
    }

    /// Whether an array is the same after [`Library::to_host`] and [`Library::from_host`].
    ///
    /// If so, what the library does not run is computed in main memory, and compiled code may stand in for it.
    /// If not, as for arrays that carry derivatives or bounds, ops that it does not run are refused, and
    /// `autojit` replays its graphs with this library's ops.
    fn round_trips(&self) -> bool {
        false
    }
}

/// The function by which a [`Library`] runs an op.
#[derive(Clone, Debug)]
pub enum Spelled<A> {
    /// The one result.
    Array(A),
    /// The results of an op with several, such as `svd`.
    Several(Vec<A>),
    /// The library has nothing of its own for the op.
    Unknown,
}

impl<A> From<A> for Spelled<A> {
    fn from(array: A) -> Self {
        Self::Array(array)
    }
}

impl<A> From<Option<A>> for Spelled<A> {
    fn from(array: Option<A>) -> Self {
        array.map_or(Self::Unknown, Self::Array)
    }
}

/// An array of a registered library.
pub struct ForeignArray<T: ?Sized = dyn Any + Send + Sync> {
    library: &'static dyn AnyLibrary,
    ty: ArrayType,
    value: T,
}

impl ForeignArray {
    /// dtype and shape.
    pub fn ty(&self) -> &ArrayType {
        &self.ty
    }

    /// The library that it belongs to: the one that now has the name that the array was made under, unless that
    /// has arrays of another type.
    pub fn library(&self) -> &'static dyn AnyLibrary {
        known::current(self.library)
    }

    /// The value, if it is of this type.
    pub fn value<T: 'static>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }
}

impl fmt::Debug for ForeignArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.ty, self.library.name())
    }
}

/// A library as it was registered.
pub(super) struct Registered<L>(pub(super) L);

/// An array of a library that has just been looked up by the type of its arrays.
pub fn make<A: Send + Sync + 'static>(
    library: &'static dyn AnyLibrary,
    ty: ArrayType,
    value: A,
) -> Concrete {
    Concrete::Foreign(Arc::new(ForeignArray { library, ty, value }))
}

impl<L: Library> Registered<L> {
    /// Runs a method of the library; a panic in it is an error.
    fn caught<R>(&self, run: impl FnOnce(&L) -> Result<R>) -> Result<R> {
        let what = format_args!("the library {}", self.0.name());
        caught(what, || run(&self.0))
    }

    fn wrap(&'static self, value: L::Array) -> Result<Concrete> {
        let ty = self.caught(|library| Ok(library.array_type(&value)))?;
        Ok(make(self, ty, value))
    }

    fn value<'a>(&self, array: &'a Concrete) -> Result<&'a L::Array> {
        let value = match array {
            Concrete::Ndarray(_) => None,
            Concrete::Foreign(array) => array.value(),
        };
        value.ok_or_else(|| mixed(self, array.library()))
    }
}

impl<L: Library> AnyLibrary for Registered<L> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn run(&'static self, op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>> {
        let mut values: SmallVec<[&L::Array; 4]> = SmallVec::new();
        for input in inputs {
            values.push(self.value(input)?);
        }
        let results = match self.caught(|library| library.call(op, &values))? {
            Spelled::Unknown => return Ok(None),
            Spelled::Array(array) => Results::from_buf([self.wrap(array)?]),
            Spelled::Several(arrays) => {
                let arrays = arrays.into_iter().map(|array| self.wrap(array));
                arrays.collect::<Result<Results>>()?
            }
        };
        let types = result.arrays();
        let fits = |(array, ty): (&Concrete, &ArrayType)| match array {
            Concrete::Ndarray(_) => false,
            Concrete::Foreign(array) => array.ty() == ty,
        };
        if results.len() == types.len() && results.iter().zip(types).all(fits) {
            return Ok(Some(results));
        }
        let got: Vec<String> = results.iter().map(|x| x.ty().to_string()).collect();
        Err(Error::value(format!(
            "the library {} gave {}, expected {result}",
            self.name(),
            got.join(", ")
        )))
    }

    fn from_host_on(&'static self, array: HostArray, device: Option<&str>) -> Result<Concrete> {
        let value = self.caught(|library| match device {
            None => library.from_host(&array),
            Some(device) => library.from_host_on(&array, device),
        });
        self.wrap(value?)
    }

    fn to_host(&self, array: &Concrete) -> Result<HostArray> {
        let value = self.value(array)?;
        self.caught(|library| library.to_host(value))
    }

    fn device(&self, array: &Concrete) -> String {
        let value = self.value(array);
        value.map_or_else(|_| "cpu".into(), |value| self.0.device(value))
    }

    fn round_trips(&self) -> bool {
        self.0.round_trips()
    }

    fn array_type_id(&self) -> TypeId {
        TypeId::of::<L::Array>()
    }

    fn type_of(&self, value: &dyn Any) -> Option<ArrayType> {
        value.downcast_ref().map(|value| self.0.array_type(value))
    }
}
