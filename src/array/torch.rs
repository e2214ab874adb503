//! Tensors of `tch` as arrays, and back, without a copy.

use std::panic::Location;

use tch::Tensor;

use super::{Array, Repr};
use autojit_ir::error::Error;
use autojit_torch::library as torch;

/// An array of the library torch. It shares the memory of the tensor, and its gradients are recorded.
///
/// If the tensor is sparse, undefined, or of a dtype that there is not, the array is a failed one.
///
/// ```
/// use autojit::{Array, numpy as np, tch::Tensor};
///
/// let x = Array::from(Tensor::from_slice(&[3.0, 4.0]));
/// let norm = Tensor::try_from(np::linalg::norm(&x, ..))?;
/// assert_eq!(norm.double_value(&[]), 5.0);
/// # Ok::<(), autojit::Error>(())
/// ```
impl From<Tensor> for Array {
    #[track_caller]
    fn from(tensor: Tensor) -> Self {
        Self::from_result(torch::wrap(tensor).map(Self::from_concrete))
    }
}

impl From<&Tensor> for Array {
    #[track_caller]
    fn from(tensor: &Tensor) -> Self {
        tensor.shallow_clone().into()
    }
}

/// The tensor behind an array of torch, which shares its memory; for another library's array one with its values.
impl TryFrom<&Array> for Tensor {
    type Error = Error;

    #[track_caller]
    fn try_from(array: &Array) -> Result<Self, Error> {
        let location = Location::caller();
        let tensor = match &array.0 {
            Repr::Concrete(array) => torch::to_tensor(array),
            Repr::Lazy(node) => {
                let value = node.value();
                let value = value.as_ref().and_then(|value| value.first());
                let missing = || Error::value("the array is lazy, call compute() first");
                value.ok_or_else(missing).and_then(torch::to_tensor)
            }
            Repr::Traced(_) => Err(Error::value("a traced array has no values yet")),
            Repr::Failed(error) => Err(error.clone()),
        };
        tensor.map_err(|e| e.at(location))
    }
}

impl TryFrom<Array> for Tensor {
    type Error = Error;

    #[track_caller]
    fn try_from(array: Array) -> Result<Self, Error> {
        Self::try_from(&array)
    }
}
