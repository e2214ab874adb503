//! Values in and out of arrays: Rust numbers, vectors, nested arrays and ndarray's arrays.
//!
//! In, every element type keeps its dtype: `Array::from([1.0_f32])` is float32. Out, the Rust type must be
//! that of the dtype; converting is `astype`'s business. A failed array gives its error, and a lazy one says that
//! it has no values yet: nothing here computes.

use std::panic::Location;

use ndarray::{
    ArcArray, ArrayBase, ArrayD, ArrayView, CowArray, Data, Dimension, IxDyn, OwnedRepr,
};
use rustc_hash::FxHashSet;

use super::Element;
use super::{Array, Repr};
use crate::nodes::{LazyArray, LazyOperand, State};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, HostArray, SharedArray};

/// The elements in C order as an array.
#[track_caller]
fn from_elements<T: Element>(shape: &[usize], data: Vec<T>) -> Array {
    Array::from_result(
        ArrayD::from_shape_vec(IxDyn(shape), data)
            .map_err(|e| Error::shape(e.to_string()))
            .and_then(|array| checked(HostArray::from(array))),
    )
}

/// A copy of as many elements in C order as the shape has.
#[track_caller]
fn from_slice<T: Element>(shape: &[usize], data: &[T]) -> Array {
    match HostArray::from_slice(shape, data) {
        Ok(host) => Array::from_host(host),
        Err(error) => Array::from_result(Err(error)),
    }
}

/// The array, unless it has more axes than arrays have.
fn checked(array: HostArray) -> Result<Array> {
    ArrayType::check_axes(array.shape().len())?;
    Ok(Array::from_host(array))
}

/// The elements one after the other.
///
/// # Errors
/// There is no memory for them.
fn collected<'a, T: Element>(
    shape: &[usize],
    elements: impl Iterator<Item = &'a T>,
) -> Result<Vec<T>> {
    let ty = ArrayType::new(T::DTYPE, shape);
    let mut data = HostArray::room_for(shape.iter().product(), format_args!("an array {ty}"))?;
    data.extend(elements.copied());
    Ok(data)
}

/// A copy of elements in C order as an array.
#[track_caller]
fn copied<'a, T: Element>(shape: &[usize], elements: impl Iterator<Item = &'a T>) -> Array {
    match collected(shape, elements) {
        Ok(data) => from_elements(shape, data),
        Err(error) => Array::from_result(Err(error)),
    }
}

macro_rules! from_scalar {
    ($($t:ty)*) => {$(
        /// A 0-d array with the dtype of the number. Plain numbers in formulas are weakly typed instead; see
        /// [`crate::Operand`].
        impl From<$t> for Array {
            fn from(x: $t) -> Self {
                Self::from_host(HostArray::from(ArrayD::from_elem(IxDyn(&[]), x)))
            }
        }
    )*};
}

from_scalar! { bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 num_complex::Complex32 num_complex::Complex64 }

/// A 1-d array.
impl<T: Element> From<Vec<T>> for Array {
    #[track_caller]
    fn from(data: Vec<T>) -> Self {
        from_elements(&[data.len()], data)
    }
}

/// A 1-d array.
impl<T: Element> From<&[T]> for Array {
    #[track_caller]
    fn from(data: &[T]) -> Self {
        from_slice(&[data.len()], data)
    }
}

/// A 1-d array.
impl<T: Element> From<&Vec<T>> for Array {
    #[track_caller]
    fn from(data: &Vec<T>) -> Self {
        Self::from(data.as_slice())
    }
}

/// A 1-d array.
impl<T: Element, const N: usize> From<[T; N]> for Array {
    #[track_caller]
    fn from(data: [T; N]) -> Self {
        from_slice(&[N], &data)
    }
}

/// A 2-d array from rows.
impl<T: Element, const N: usize, const M: usize> From<[[T; M]; N]> for Array {
    #[track_caller]
    fn from(data: [[T; M]; N]) -> Self {
        from_slice(&[N, M], data.as_flattened())
    }
}

/// A 3-d array.
impl<T: Element, const N: usize, const M: usize, const K: usize> From<[[[T; K]; M]; N]> for Array {
    #[track_caller]
    fn from(data: [[[T; K]; M]; N]) -> Self {
        from_slice(&[N, M, K], data.as_flattened().as_flattened())
    }
}

/// A 2-d array from rows, which must be equally long: else the array is a failed one.
///
/// No rows at all give the shape `[0, 0]`.
impl<T: Element> From<Vec<Vec<T>>> for Array {
    #[track_caller]
    fn from(rows: Vec<Vec<T>>) -> Self {
        let columns = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().find(|row| row.len() != columns) {
            return Self::from_result(Err(Error::shape(format!(
                "expected rows of equal length, got {columns} and {}",
                row.len()
            ))));
        }
        copied(&[rows.len(), columns], rows.iter().flatten())
    }
}

/// Takes over the array of the ndarray crate without a copy, if it is of more than a few elements.
impl<T: Element, D: Dimension> From<ArrayBase<OwnedRepr<T>, D>> for Array {
    #[track_caller]
    fn from(array: ArrayBase<OwnedRepr<T>, D>) -> Self {
        Self::from_result(checked(HostArray::from(array.into_dyn())))
    }
}

/// Shares the array of the ndarray crate without a copy, if it is of more than a few elements.
impl<T: Element, D: Dimension> From<ArcArray<T, D>> for Array {
    #[track_caller]
    fn from(array: ArcArray<T, D>) -> Self {
        Self::from_result(checked(HostArray::from(array)))
    }
}

/// Copies the elements.
impl<T: Element, D: Dimension> From<ArrayView<'_, T, D>> for Array {
    #[track_caller]
    fn from(array: ArrayView<'_, T, D>) -> Self {
        Self::from(&array)
    }
}

/// Copies the elements only if they are borrowed.
impl<T: Element, D: Dimension> From<CowArray<'_, T, D>> for Array {
    #[track_caller]
    fn from(array: CowArray<'_, T, D>) -> Self {
        if array.is_view() {
            return Self::from(&array);
        }
        Self::from(array.into_owned())
    }
}

/// Copies the elements.
impl<T: Element, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Array {
    #[track_caller]
    fn from(array: &ArrayBase<S, D>) -> Self {
        let ty = ArrayType::new(T::DTYPE, array.shape());
        match HostArray::check_memory(&ty) {
            Ok(()) => Self::from(array.to_owned()),
            Err(error) => Self::from_result(Err(error)),
        }
    }
}

/// Shares the array in main memory.
impl From<HostArray> for Array {
    #[track_caller]
    fn from(array: HostArray) -> Self {
        Self::from_result(checked(array))
    }
}

/// The values in main memory, whatever the dtype; see [`Array::to_ndarray`] for one that is known.
impl TryFrom<&Array> for HostArray {
    type Error = Error;

    #[track_caller]
    fn try_from(array: &Array) -> Result<Self> {
        let location = Location::caller();
        array.to_host().map_err(|e| e.at(location))
    }
}

impl Array {
    /// The number of elements along each axis; lazy arrays know it without being computed.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// assert_eq!(np::zeros([2, 3], ..).shape()?, [2, 3]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The array is a failed one: its error. So for the three below.
    #[track_caller]
    pub fn shape(&self) -> Result<Vec<usize>> {
        self.known_ty().map(|ty| ty.shape.to_vec())
    }

    /// The number of axes.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// assert_eq!(np::zeros([2, 3], ..).ndim()?, 2);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Array::shape`].
    #[track_caller]
    pub fn ndim(&self) -> Result<usize> {
        self.known_ty().map(|ty| ty.ndim())
    }

    /// The number of elements.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// assert_eq!(np::zeros([2, 3], ..).size()?, 6);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Array::shape`].
    #[track_caller]
    pub fn size(&self) -> Result<usize> {
        self.known_ty().map(|ty| ty.size())
    }

    /// The dtype of the elements.
    ///
    /// ```
    /// use autojit::{Array, DType};
    ///
    /// assert_eq!(Array::from([1.0, 2.0]).dtype()?, DType::Float64);
    /// assert_eq!(Array::from([1, 2]).dtype()?, DType::Int32); // as Rust's integers
    /// assert_eq!(Array::from([1i64, 2]).dtype()?, DType::Int64);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Array::shape`].
    #[track_caller]
    pub fn dtype(&self) -> Result<DType> {
        self.known_ty().map(|ty| ty.dtype)
    }

    #[track_caller]
    fn known_ty(&self) -> Result<autojit_ir::ArrayType> {
        let location = Location::caller();
        self.ty().map_err(|e| e.at(location))
    }

    /// The values as an array of the ndarray crate.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.to_ndarray::<f64>().unwrap()[[1, 0]], 3.0);
    /// assert!(x.to_ndarray::<f32>().unwrap_err().is_dtype());
    /// ```
    ///
    /// # Errors
    /// `T` is not the Rust type of the dtype; an operation on the way to this array failed; or the array is lazy
    /// and not computed.
    #[track_caller]
    pub fn to_ndarray<T: Element>(&self) -> Result<ArrayD<T>> {
        let location = Location::caller();
        self.typed(|array: &SharedArray<T>| {
            let elements = HostArray::elements_of(&array.view())?;
            ArrayD::from_shape_vec(IxDyn(array.shape()), elements)
                .map_err(|e| Error::internal(format!("a copy has the wrong size ({e})")))
        })
        .map_err(|e| e.at(location))
    }

    /// The elements in C order.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// assert_eq!(Array::from([[1, 2], [3, 4]]).to_vec::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Array::to_ndarray`].
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let location = Location::caller();
        self.typed(|array: &SharedArray<T>| HostArray::elements_of(&array.view()))
            .map_err(|e| e.at(location))
    }

    /// The one element of an array of any number of axes.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::sum(Array::from([0.5, 1.5]), ..).item::<f64>()?, 2.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is not exactly one element, or as for [`Array::to_ndarray`].
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        let location = Location::caller();
        self.typed(|array: &SharedArray<T>| {
            let one = (array.len() == 1).then(|| array.first().copied()).flatten();
            one.ok_or_else(|| {
                let ty = autojit_ir::ArrayType::new(T::DTYPE, array.shape());
                Error::shape(format!("expected one element, got {ty}"))
            })
        })
        .map_err(|e| e.at(location))
    }

    /// Runs `read` on the values, if they are there and of type `T`.
    fn typed<T: Element, R>(&self, read: impl Fn(&SharedArray<T>) -> Result<R>) -> Result<R> {
        let array = self.to_host()?;
        let typed = T::from_host(&array).ok_or_else(|| {
            Error::dtype(format!(
                "expected {}, got {}; convert with astype",
                T::DTYPE,
                array.ty()
            ))
        })?;
        read(typed)
    }

    /// The values in main memory.
    pub(crate) fn to_host(&self) -> Result<HostArray> {
        match &self.0 {
            Repr::Concrete(array) => array.to_host(),
            Repr::Failed(error) => Err(error.clone()),
            Repr::Traced(_) => Err(no_values_yet()),
            Repr::Lazy(node) => match node.value() {
                Some(value) => match value.as_slice() {
                    [value] => value.to_host(),
                    _ => Err(Error::internal("an array stands for several results")),
                },
                None if depends_on_variable(node) => Err(no_values_yet()),
                None => Err(Error::value("the array is lazy, call compute() first")),
            },
        }
    }
}

fn no_values_yet() -> Error {
    Error::value(
        "a traced array has no values yet; compute with the array itself, and choose by where_ or cond",
    )
}

/// Whether an argument that is yet to be given is among what a node is computed from.
fn depends_on_variable(root: &LazyArray) -> bool {
    let mut seen = FxHashSet::default();
    let mut stack = vec![root.clone()];
    while let Some(node) = stack.pop() {
        if !seen.insert(node.address()) {
            continue;
        }
        match &*node.state() {
            State::Variable => return true,
            State::Pending { inputs, .. } => {
                stack.extend(inputs.iter().filter_map(LazyOperand::node).cloned());
            }
            State::Value(_) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Operand;
    use autojit_ir::{MapOp, Op};

    #[test]
    fn lazy_arrays_know_their_type_and_say_why_they_have_no_values() {
        let location = Location::caller();
        let leaf = Array::from([1.0, 2.0]);
        let Repr::Concrete(concrete) = &leaf.0 else {
            panic!("expected values");
        };
        let known = Array::from_lazy(LazyArray::from_concrete(concrete.clone(), location.into()));
        assert_eq!(known.to_vec::<f64>().unwrap(), [1.0, 2.0]);

        let pending = Array::apply(Op::Map(MapOp::Negative), &[Operand::from(&known)]);
        assert_eq!(pending.shape().unwrap(), [2]);
        assert_eq!(pending.dtype().unwrap(), DType::Float64);
        assert_eq!(pending.to_string(), "lazy f64[2]");
        let error = pending.to_ndarray::<f64>().unwrap_err();
        assert!(error.is_value());
        let message = "the array is lazy, call compute() first, at src/array/convert.rs:";
        assert!(error.to_string().starts_with(message), "{error}");

        let argument = LazyArray::variable(ArrayType::new(DType::Float64, &[2]), location.into());
        let argument = Operand::from(Array::from_lazy(argument));
        let traced = Array::apply(Op::Map(MapOp::Add), &[pending.into(), argument]);
        let error = traced.item::<f64>().unwrap_err().to_string();
        let message = "a traced array has no values yet; compute with the array itself, and choose by where_ or cond, at src/";
        assert!(error.starts_with(message), "{error}");
    }
}
