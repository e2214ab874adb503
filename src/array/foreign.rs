//! Arrays of registered libraries: in, out, and from one library to another.

use std::any::type_name;
use std::panic::Location;

use super::{Array, Operand, Repr};
use crate::like::{Like, Place, Wanted};
use crate::nodes::LazyArray;
use autojit_ir::error::{Error, Result};
use autojit_ir::{MapOp, Op};
use autojit_library::{Concrete, registered};

impl Array {
    /// An array of a library of your own: the one that was registered for arrays of this type.
    ///
    /// If there is none, the array is a failed one.
    #[must_use]
    #[track_caller]
    pub fn from_foreign<A: Clone + Send + Sync + 'static>(array: A) -> Self {
        Self::from_result(registered::wrap(array).map(Self::from_concrete))
    }

    /// The value behind an array of a library of your own.
    ///
    /// # Errors
    /// It is an array of another type, lazy and not computed, or a failed one.
    #[track_caller]
    pub fn as_foreign<A: Clone + 'static>(&self) -> Result<A> {
        let location = Location::caller();
        let foreign = |array: &Concrete| match array {
            Concrete::Ndarray(_) => None,
            Concrete::Foreign(array) => array.value::<A>().cloned(),
        };
        let found = match &self.0 {
            Repr::Concrete(array) => foreign(array),
            Repr::Lazy(node) => node.value().and_then(|v| v.first().and_then(foreign)),
            Repr::Traced(_) => None,
            Repr::Failed(error) => return Err(error.clone().at(location)),
        };
        found.ok_or_else(|| {
            let library = self.own_place().map_or("none", Place::name);
            let expected = type_name::<A>();
            Error::value(format!(
                "expected an array of the type {expected}, got one of the library {library}"
            ))
            .at(location)
        })
    }

    /// The name of the library that the array lives in, or `"lazy"`.
    ///
    /// ```
    /// use autojit::{Array, lazy};
    ///
    /// assert_eq!(Array::from([1.0]).library()?, "ndarray");
    /// assert_eq!(lazy::array(&Array::from([1.0])).library()?, "lazy");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The array is a failed one: its error.
    ///
    /// Source: autoray's `infer_backend`, which calls libraries backends.
    #[track_caller]
    pub fn library(&self) -> Result<&'static str> {
        let location = Location::caller();
        match self.own_place() {
            Ok(place) => Ok(place.name()),
            Err(error) => Err(error.at(location)),
        }
    }

    /// Where the array lives, such as `"cpu"`. Lazy arrays are nowhere yet, and say `"cpu"`.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// assert_eq!(Array::from([1.0]).device()?, "cpu");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The array is a failed one: its error.
    #[track_caller]
    pub fn device(&self) -> Result<String> {
        let location = Location::caller();
        match &self.0 {
            Repr::Concrete(array) => Ok(array.library().device(array)),
            Repr::Lazy(_) | Repr::Traced(_) => Ok("cpu".into()),
            Repr::Failed(error) => Err(error.clone().at(location)),
        }
    }

    /// The same values in another library, with another dtype, on another device: whatever is given, as another
    /// array or as words such as `"ndarray-float32-cpu"`, in any order.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// let x = Array::from([1.5, 2.5]);
    /// assert_eq!(x.to("float32").ty()?.to_string(), "f32[2]");
    /// assert_eq!(x.to("cpu-complex64-ndarray").ty()?.to_string(), "c64[2]");
    /// assert_eq!(x.to("lazy").library()?, "lazy");
    /// assert!(x.to("numpy-float32").check().unwrap_err().is_unknown_library());
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// A word is none of the three, there is no such device, or the array is lazy and would have to be computed.
    ///
    /// Source: autoray's `to`.
    #[must_use]
    #[track_caller]
    pub fn to(&self, like: impl Into<Like>) -> Self {
        let location = Location::caller();
        let moved = match like.into().0 {
            Ok(wanted) => self.moved(wanted, location),
            Err(error) => Err(error),
        };
        moved.unwrap_or_else(|e| Self::failed(e.in_op("to").at(location)))
    }

    fn moved(&self, wanted: Wanted, location: &'static Location<'static>) -> Result<Self> {
        let mut array = self.clone();
        if let Some(dtype) = wanted.dtype
            && array.ty()?.dtype != dtype
        {
            let converted =
                Self::try_apply(Op::Map(MapOp::Astype { dtype }), &[array.into()], location);
            array = converted?;
        }
        let device = wanted.device.as_deref();
        match (&array.0, wanted.place) {
            (Repr::Failed(error), _) => Err(error.clone()),
            (_, None) if device.is_none() => Ok(array),
            (Repr::Lazy(_) | Repr::Traced(_), None | Some(Place::Lazy)) => Ok(array),
            (Repr::Lazy(node), Some(Place::Library(_))) => match node.value() {
                Some(value) => match value.first() {
                    Some(value) => Self::from_concrete(value.clone()).moved(wanted, location),
                    None => Err(Error::internal("an array without a value")),
                },
                None => Err(Error::value("the array is lazy, call compute() first")),
            },
            (Repr::Traced(_), Some(Place::Library(_))) => {
                Err(Error::value("the array is lazy, call compute() first"))
            }
            (Repr::Concrete(value), Some(Place::Lazy)) => Ok(Self::from_lazy(
                LazyArray::from_concrete(value.clone(), location.into()),
            )),
            (Repr::Concrete(value), place) => {
                let library = match place {
                    Some(Place::Library(library)) => library,
                    _ => value.library(),
                };
                let same = library.name() == value.library().name();
                if same && device.is_none_or(|device| device == library.device(value)) {
                    return Ok(array);
                }
                // Asked for by name, so that what only this library knows may be left behind.
                let moved = library.from_host_on(value.to_host()?, device)?;
                Ok(Self::from_concrete(moved))
            }
        }
    }

    /// The array, in the library of another one if it is in main memory and that one is not: for the numbers
    /// and lists that come with an array.
    pub(crate) fn brought_to(self, other: &Operand) -> Result<Self> {
        if let Repr::Concrete(Concrete::Ndarray(host)) = &self.0
            && let Operand::Array(other) = other
            && let Repr::Concrete(Concrete::Foreign(other)) = &other.0
        {
            let moved = other.library().from_host(host.clone());
            return moved.map(Self::from_concrete);
        }
        Ok(self)
    }
}

impl From<&Array> for Like {
    fn from(array: &Array) -> Self {
        let wanted = || {
            Ok(Wanted {
                place: Some(array.own_place()?),
                dtype: Some(array.ty()?.dtype),
                device: match &array.0 {
                    Repr::Concrete(array) => Some(array.library().device(array)),
                    Repr::Lazy(_) | Repr::Traced(_) | Repr::Failed(_) => None,
                },
            })
        };
        Self(wanted())
    }
}

impl From<Array> for Like {
    fn from(array: Array) -> Self {
        (&array).into()
    }
}
