//! `Array`: the one array type that users see, and the one point where an op finds out where it runs.
//!
//! An array is one of three things: an array of a library, a lazy one, or a failed one that carries its error
//! to where values leave (`call`, `compute`, `item`, `to_ndarray`). Nothing here panics.

mod convert;
mod display;
mod foreign;
mod number_format;
#[cfg(feature = "torch")]
mod torch;

use std::panic::Location;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::ir::{ArrayType, DType, HostArray, Op, Scalar, Type, resolve_scalars};
use crate::lazy::{self, LazyArray, LazyOperand};
use crate::library::{self, AnyLibrary, Concrete, Place, Results};
use crate::operand::Operand;
use crate::registry;
use crate::value::Value;

/// An array of numbers: of a library such as ndarray, or lazy.
#[derive(Clone, Debug)]
pub struct Array(pub(crate) Repr);

#[derive(Clone, Debug)]
pub(crate) enum Repr {
    /// The values are there.
    Concrete(Concrete),
    /// The values are yet to be computed.
    Lazy(LazyArray),
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
    /// # Errors
    /// The array is a failed one: its error.
    pub fn ty(&self) -> Result<ArrayType> {
        match &self.0 {
            Repr::Concrete(array) => Ok(array.ty()),
            Repr::Lazy(array) => array.ty().array().cloned(),
            Repr::Failed(error) => Err(error.clone()),
        }
    }

    /// The array itself, or the error that it carries.
    ///
    /// # Errors
    /// An operation on the way to this array failed.
    pub fn check(self) -> Result<Self> {
        match self.0 {
            Repr::Failed(error) => Err(error),
            _ => Ok(self),
        }
    }

    /// Runs or writes down an op with one result. This is where every function ends up, and what libraries that
    /// are made of other arrays need (see [`crate::Library`]); everybody else has [`crate::numpy`].
    ///
    /// ```
    /// use autojit::{Array, ir::Op};
    ///
    /// let x = Array::apply(Op::Add, &[Array::from([1.0, 2.0]).into(), 1.0.into()]);
    /// assert_eq!(x.to_string(), "[2. 3.]");
    /// ```
    ///
    /// # Errors
    /// The inputs do not fit the op, or it fails.
    #[must_use]
    #[track_caller]
    pub fn apply(op: Op, inputs: &[Operand]) -> Self {
        let location = Location::caller();
        let name = op.name();
        Self::try_apply(op, inputs, location)
            .unwrap_or_else(|e| Self::failed(e.in_op(name).at(location)))
    }

    fn try_apply(op: Op, inputs: &[Operand], location: &'static Location<'static>) -> Result<Self> {
        match Self::place(inputs)? {
            Place::Lazy => {
                if library::any_replacement() && library::replaced_lazily(&op) {
                    return registry::replaced_lazy_op(&op, inputs)?.into_array();
                }
                lazy::apply(op, lazy_operands(inputs, location)?, location).map(Self::from_lazy)
            }
            Place::Library(library) => {
                let mut results = apply_eagerly(library, &op, inputs)?;
                results
                    .pop()
                    .map(Self::from_concrete)
                    .ok_or_else(|| Error::internal(format!("{op} gave nothing")))
            }
        }
    }

    /// Runs an op with one result on borrowed arrays that have values; `None` if they are of several libraries,
    /// which [`Array::apply`] then says.
    #[track_caller]
    pub(crate) fn apply_borrowed(op: &Op, inputs: &[&Concrete]) -> Option<Self> {
        let library = inputs.first()?.library();
        let one = |input: &&Concrete| match input {
            Concrete::Ndarray(_) => library.name() == library::default_library().name(),
            Concrete::Foreign(array) => array.library().name() == library.name(),
        };
        if !inputs.iter().all(one) {
            return None;
        }
        let location = Location::caller();
        Some(match library::apply(library, op, inputs) {
            Ok(mut results) => match results.pop() {
                Some(array) => Self::from_concrete(array),
                None => Self::failed(Error::internal(format!("{op} gave nothing")).at(location)),
            },
            Err(error) => Self::failed(error.in_op(op.name()).at(location)),
        })
    }

    /// The number of axes.
    ///
    /// # Errors
    /// The array is a failed one: its error.
    pub(crate) fn axis_count(&self) -> Result<usize> {
        match &self.0 {
            Repr::Concrete(array) => Ok(array.shape().len()),
            Repr::Lazy(array) => Ok(array.ty().array()?.ndim()),
            Repr::Failed(error) => Err(error.clone()),
        }
    }

    /// Runs or writes down an op with several results.
    #[track_caller]
    pub(crate) fn apply_many<const N: usize>(op: Op, inputs: &[Operand]) -> [Self; N] {
        let location = Location::caller();
        let name = op.name();
        Self::try_apply_many(op, inputs, location).unwrap_or_else(|e| {
            let failed = Self::failed(e.in_op(name).at(location));
            std::array::from_fn(|_| failed.clone())
        })
    }

    fn try_apply_many<const N: usize>(
        op: Op,
        inputs: &[Operand],
        location: &'static Location<'static>,
    ) -> Result<[Self; N]> {
        Self::try_apply_several(op, inputs, N, location)?
            .try_into()
            .map_err(|_| Error::internal("wrong number of results"))
    }

    /// Runs or writes down an op with one result or several.
    pub(crate) fn apply_opaque(
        op: Op,
        inputs: &[Operand],
        result: &Type,
        location: &'static Location<'static>,
    ) -> Result<Value> {
        match result {
            Type::Array(_) => Self::try_apply(op, inputs, location).map(Value::from),
            Type::Tuple(types) => {
                Self::try_apply_several(op, inputs, types.len(), location).map(Value::from)
            }
        }
    }

    fn try_apply_several(
        op: Op,
        inputs: &[Operand],
        count: usize,
        location: &'static Location<'static>,
    ) -> Result<Vec<Self>> {
        match Self::place(inputs)? {
            Place::Lazy if library::any_replacement() && library::replaced_lazily(&op) => {
                registry::replaced_lazy_op(&op, inputs)?.into_arrays()
            }
            Place::Lazy => {
                let tuple = lazy::apply(op, lazy_operands(inputs, location)?, location)?;
                let get = |index| lazy::get(&tuple, index, location).map(Self::from_lazy);
                (0..count).map(get).collect()
            }
            Place::Library(library) => Ok(apply_eagerly(library, &op, inputs)?
                .into_iter()
                .map(Self::from_concrete)
                .collect()),
        }
    }

    /// Where an op with these inputs runs: lazily if any is lazy, else in the library of the arrays.
    ///
    /// Arrays of two libraries can meet in a lazy op, which is computed in one that takes both.
    #[inline]
    fn place(inputs: &[Operand]) -> Result<Place> {
        let mut first: Option<&Concrete> = None;
        let (mut lazy, mut mixed) = (false, None);
        for input in inputs {
            match input {
                Operand::Array(Self(Repr::Failed(error))) => return Err(error.clone()),
                Operand::Array(Self(Repr::Lazy(_))) => lazy = true,
                Operand::Array(Self(Repr::Concrete(array))) => match (first, array) {
                    (None, _) => first = Some(array),
                    (Some(Concrete::Ndarray(_)), Concrete::Ndarray(_)) => {}
                    (Some(x), y) if x.library().name() != y.library().name() => {
                        mixed = mixed.or(Some((x, y)));
                    }
                    _ => {}
                },
                Operand::Scalar(_) => {}
            }
        }
        match (lazy, first, mixed) {
            (true, ..) => Ok(Place::Lazy),
            (_, _, Some((x, y))) => Err(library::mixed(x.library(), y.library())),
            (_, Some(array), _) => Ok(Place::Library(array.library())),
            (_, None, _) => Ok(Place::Library(library::innermost_library())),
        }
    }

    /// Where the array is: lazy, or in a library.
    ///
    /// # Errors
    /// The array is a failed one: its error.
    pub(crate) fn own_place(&self) -> Result<Place> {
        match &self.0 {
            Repr::Concrete(array) => Ok(Place::Library(array.library())),
            Repr::Lazy(_) => Ok(Place::Lazy),
            Repr::Failed(error) => Err(error.clone()),
        }
    }
}

/// Arrays with values become leaves beside the lazy ones.
fn lazy_operands(
    inputs: &[Operand],
    location: &'static Location<'static>,
) -> Result<SmallVec<[LazyOperand; 3]>> {
    let operand = |input: &Operand| match input {
        Operand::Array(Array(Repr::Lazy(node))) => Ok(LazyOperand::Node(node.clone())),
        Operand::Array(Array(Repr::Concrete(array))) => Ok(LazyOperand::Node(
            LazyArray::from_concrete(array.clone(), location),
        )),
        Operand::Array(Array(Repr::Failed(error))) => Err(error.clone()),
        Operand::Scalar(scalar) => Ok(LazyOperand::Scalar(*scalar)),
    };
    inputs.iter().map(operand).collect()
}

#[inline]
fn apply_eagerly(library: &'static dyn AnyLibrary, op: &Op, inputs: &[Operand]) -> Result<Results> {
    let mut arrays: SmallVec<[&Concrete; 4]> = SmallVec::new();
    for input in inputs {
        if let Operand::Array(Array(Repr::Concrete(array))) = input {
            arrays.push(array);
        }
    }
    if arrays.len() == inputs.len() {
        return library::apply(library, op, &arrays);
    }
    apply_with_scalars(library, op, inputs)
}

/// Gives the numbers among the inputs the dtypes that they take on beside the arrays.
fn apply_with_scalars(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[Operand],
) -> Result<Results> {
    let dtypes: SmallVec<[Option<DType>; 4]> = inputs
        .iter()
        .map(|input| match input {
            Operand::Array(Array(Repr::Concrete(array))) => Some(array.ty().dtype),
            _ => None,
        })
        .collect();
    let scalar = |s: Scalar| -> Result<Concrete> {
        let literal = resolve_scalars(op, &dtypes, s)?;
        library.from_host(HostArray::scalar(literal.value, literal.dtype))
    };
    let inputs = inputs
        .iter()
        .map(|input| match input {
            Operand::Array(Array(Repr::Concrete(array))) => Ok(array.clone()),
            Operand::Scalar(s) => scalar(*s),
            Operand::Array(_) => Err(Error::internal("a lazy array met an eager op")),
        })
        .collect::<Result<SmallVec<[Concrete; 4]>>>()?;
    library::apply(library, op, &inputs.iter().collect::<SmallVec<[_; 4]>>())
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
