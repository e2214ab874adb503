//! Arrays in main memory as tensors, and back.
//!
//! Both ways copy, once: libtorch frees memory its own way, so neither side can adopt what the other made.
//! [`Borrowed`] shares memory for as long as a call runs, without a copy.

use tch::{Device, Kind, Tensor};

use super::errors::failure;
use super::functions::{dtype, held, kind};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, HostArray, MapOp, Op, Shape, host_from};
use autojit_library::{Concrete, apply, default_library};

/// Sizes as libtorch takes them.
pub(super) fn sizes(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

/// The array as tensors [hold](held) it.
pub(crate) fn as_held(array: &HostArray) -> Result<HostArray> {
    converted(array, held(array.dtype()))
}

fn converted(array: &HostArray, dtype: DType) -> Result<HostArray> {
    if array.dtype() == dtype {
        return Ok(array.clone());
    }
    let array = Concrete::Ndarray(array.clone());
    let op = Op::Map(MapOp::Astype { dtype });
    let mut converted = apply(default_library(), &op, &[&array])?;
    let missing = || Error::internal("a conversion gave nothing");
    converted.pop().ok_or_else(missing)?.to_host()
}

/// A tensor on the CPU with these values.
pub(super) fn to_tensor(array: &HostArray) -> Result<Tensor> {
    let array = as_held(array)?.to_contiguous();
    let shape = sizes(array.shape());
    let bytes: usize = array.ty().size() * array.dtype().size();
    // SAFETY: the array is contiguous, has that many bytes, all initialised, and lives through the call.
    let data = unsafe { std::slice::from_raw_parts(array.as_ptr(), bytes) };
    Tensor::f_from_data_size(data, &shape, kind(array.dtype())).map_err(failure)
}

/// The values of a tensor, from wherever it is.
pub(super) fn to_host(tensor: &Tensor, ty: &ArrayType) -> Result<HostArray> {
    if held(ty.dtype) != ty.dtype {
        let host = to_host(tensor, &ty.with_dtype(held(ty.dtype)))?;
        return converted(&host, ty.dtype);
    }
    // Conjugates and negations may be noted down only; then the memory holds other numbers.
    let plain = tensor.f_resolve_conj().and_then(|x| x.f_resolve_neg());
    let plain = plain.map_err(failure)?;
    let count = ty.size();
    host_from!(ty.dtype, T => {
        let mut data = vec![T::default(); count];
        // SAFETY: the elements lie one after the other without padding; every bit pattern that libtorch puts
        // there is an element, as it is of the same dtype.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(data.as_mut_ptr().cast::<u8>(), count * size_of::<T>())
        };
        plain.f_copy_data_u8(bytes, count).map_err(failure)?;
        let array = ndarray::ArrayD::from_shape_vec(ndarray::IxDyn(&ty.shape), data);
        array.map(HostArray::from).map_err(|e| Error::internal(e.to_string()))
    })
}

/// dtype and shape of a tensor of the user's.
///
/// # Errors
/// It is undefined, or has a dtype or a layout that is not known here.
pub(super) fn type_of(tensor: &Tensor) -> Result<ArrayType> {
    let kind = kind_of(tensor)
        .ok_or_else(|| Error::dtype("expected a tensor with values, got an undefined one"))?;
    let dtype = dtype(kind)
        .ok_or_else(|| Error::dtype(format!("there is no dtype for libtorch's {kind:?}")))?;
    if tensor.is_sparse() || tensor.is_mkldnn() {
        return Err(Error::unsupported("expected a dense tensor"));
    }
    let shape: Shape = tensor.size().iter().map(|&n| n as usize).collect();
    Ok(ArrayType { dtype, shape })
}

/// A tensor in the memory of an array, which it keeps alive.
pub struct Borrowed {
    tensor: Tensor,
    _array: HostArray,
}

impl Borrowed {
    /// Copies only what is not contiguous, or held by tensors of another dtype.
    pub fn new(array: &HostArray) -> Result<Self> {
        let array = as_held(array)?.to_contiguous();
        let shape = sizes(array.shape());
        // SAFETY: the memory is contiguous, of this dtype and shape, and lives as long as `self`; see `tensor`
        // for who must not outlive it. Nothing writes to it: no function of the table works in place.
        let tensor = unsafe {
            Tensor::f_from_blob(
                array.as_ptr(),
                &shape,
                &[],
                kind(array.dtype()),
                Device::Cpu,
            )
        };
        let tensor = tensor.map_err(failure)?;
        Ok(Self {
            tensor,
            _array: array,
        })
    }

    /// The tensor. Neither it nor a view of it may outlive `self`.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }
}

/// The dtype of a tensor, or none for undefined tensors too.
fn kind_of(tensor: &Tensor) -> Option<Kind> {
    if !tensor.defined() {
        return None;
    }
    tensor.f_kind().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use autojit_ir::Scalar;

    #[test]
    fn values_survive_the_way_there_and_back() {
        for dtype in DType::ALL {
            for shape in [&[][..], &[0], &[3], &[2, 3]] {
                let ty = ArrayType::new(dtype, shape);
                let data: Vec<Scalar> = (0..ty.size()).map(|i| Scalar::Int(i as i64)).collect();
                let array = HostArray::from_scalars(&ty, &data).unwrap();
                let tensor = to_tensor(&array).unwrap();
                assert_eq!(type_of(&tensor).unwrap(), ty.with_dtype(held(dtype)));
                assert!(to_host(&tensor, &ty).unwrap().same_bits(&array));
                let borrowed = Borrowed::new(&array).unwrap();
                assert!(to_host(borrowed.tensor(), &ty).unwrap().same_bits(&array));
                if ty.size() > 0 && held(dtype) == dtype {
                    assert_eq!(
                        borrowed.tensor().data_ptr().cast_const().cast(),
                        array.as_ptr()
                    );
                }
            }
        }
    }
}
