//! The torch library: tensors of libtorch, through `tch`.
//!
//! How an op is lowered is in the module `lower`, over the table in `functions`; what is not native is expanded, or
//! done in main memory. Tensors are shared, never changed: an array that was made from a tensor of the user's sees what
//! the user writes into it later, as with every view of torch's.
//!
//! Refuses: tensors that are sparse, undefined, or of a dtype that there is not, such as half precision.

mod convert;
mod eager;
mod errors;
mod functions;
mod lower;
pub mod settings;

use std::any::{Any, TypeId};

use smallvec::SmallVec;
use tch::{Cuda, Device, Tensor};

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, Op, OperandType, Type};
use autojit_library::backend::Lowering;
use autojit_library::{AnyLibrary, Concrete, Results, make, mixed};
pub use convert::Borrowed;
pub(crate) use convert::as_held;
pub use errors::{classify, explained, failure};
pub use functions::{Refusal, Torch, kind_number};
pub(crate) use functions::{held, torch_argument, torch_functions};
pub use lower::{lower, lowering};

/// The library.
pub struct TorchLibrary;

/// The one there is.
pub static TORCH: TorchLibrary = TorchLibrary;

/// A tensor inside an array.
pub struct TorchArray(Tensor);

// SAFETY: libtorch counts references atomically and allows reading one tensor from many threads; there is no way
// from `&TorchArray` to anything that writes.
unsafe impl Sync for TorchArray {}

impl TorchArray {
    /// The tensor, to be read.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

/// The array of a tensor of the user's. It shares the tensor's memory.
///
/// # Errors
/// The tensor is undefined, sparse, or of a dtype that there is not.
pub fn wrap(tensor: Tensor) -> Result<Concrete> {
    let ty = convert::type_of(&tensor)?;
    Ok(from_tensor(tensor, ty))
}

/// The array of a tensor that is known to be of this type.
pub fn from_tensor(tensor: Tensor, ty: ArrayType) -> Concrete {
    debug_assert_eq!(
        convert::type_of(&tensor).ok().as_ref(),
        Some(&ty.with_dtype(held(ty.dtype)))
    );
    make(&TORCH, ty, TorchArray(tensor))
}

/// The tensor inside an array of this library.
pub fn tensor(array: &Concrete) -> Option<&Tensor> {
    match array {
        Concrete::Ndarray(_) => None,
        Concrete::Foreign(array) => array.value::<TorchArray>().map(TorchArray::tensor),
    }
}

/// The tensor inside an array, or a new one with its values.
pub fn to_tensor(array: &Concrete) -> Result<Tensor> {
    match tensor(array) {
        Some(tensor) => Ok(tensor.shallow_clone()),
        None => convert::to_tensor(&array.to_host()?),
    }
}

/// The values of a tensor of this type.
pub fn to_host(tensor: &Tensor, ty: &ArrayType) -> Result<HostArray> {
    convert::to_host(tensor, ty)
}

/// A device by its name, such as `cpu`, `cuda` or `cuda:1`.
fn device(name: &str) -> Result<Device> {
    let (kind, number) = name.split_once(':').unwrap_or((name, "0"));
    let found = match (kind, number.parse::<usize>()) {
        ("cpu", Ok(0)) => Some(Device::Cpu),
        ("cuda" | "gpu", Ok(n)) if (n as i64) < Cuda::device_count() => Some(Device::Cuda(n)),
        ("mps", Ok(0)) if tch::utils::has_mps() => Some(Device::Mps),
        _ => None,
    };
    found.ok_or_else(|| Error::value(format!("the library torch has no device {name}")))
}

impl AnyLibrary for TorchLibrary {
    fn name(&self) -> &'static str {
        "torch"
    }

    fn run(&'static self, op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>> {
        let mut tensors: SmallVec<[&Tensor; 4]> = SmallVec::new();
        let mut types: SmallVec<[&ArrayType; 4]> = SmallVec::new();
        for input in inputs {
            match (tensor(input), input) {
                (Some(tensor), Concrete::Foreign(array)) => {
                    tensors.push(tensor);
                    types.push(array.ty());
                }
                _ => return Err(mixed(self, input.library())),
            }
        }
        let operands: SmallVec<[OperandType<'_>; 4]> = types.iter().map(|&ty| ty.into()).collect();
        match lowering(op, &operands) {
            // Drawn in main memory.
            Lowering::Native if matches!(op, Op::Random { .. }) => return Ok(None),
            // Run as it is written, op by op.
            Lowering::Native if matches!(op, Op::Control(_)) => return Ok(None),
            Lowering::Native => {}
            Lowering::Expand | Lowering::Call | Lowering::Unsupported(_) => return Ok(None),
        }
        let results = lower(&mut eager::Eager, op, &tensors, &types, result);
        let named = |e| match types.first() {
            Some(ty) => explained(e, ty),
            None => e,
        };
        let typed = results.map_err(named)?.into_iter().zip(result.arrays());
        Ok(Some(
            typed.map(|(x, ty)| from_tensor(x, ty.clone())).collect(),
        ))
    }

    fn from_host_on(&'static self, array: HostArray, device: Option<&str>) -> Result<Concrete> {
        let ty = array.ty();
        let place = device.map_or(Ok(Device::Cpu), self::device)?;
        let mut tensor = convert::to_tensor(&array)?;
        if place != Device::Cpu {
            tensor = tensor.f_to(place).map_err(failure)?;
        }
        Ok(from_tensor(tensor, ty))
    }

    fn to_host(&self, array: &Concrete) -> Result<HostArray> {
        match tensor(array) {
            Some(tensor) => convert::to_host(tensor, &array.ty()),
            None => Err(mixed(self, array.library())),
        }
    }

    fn device(&self, array: &Concrete) -> String {
        match tensor(array).map(Tensor::device) {
            Some(Device::Cuda(n)) => format!("cuda:{n}"),
            Some(Device::Mps) => "mps".into(),
            Some(Device::Vulkan) => "vulkan".into(),
            Some(Device::Cpu) | None => "cpu".into(),
        }
    }

    fn round_trips(&self) -> bool {
        true
    }

    fn array_type_id(&self) -> TypeId {
        TypeId::of::<TorchArray>()
    }

    fn type_of(&self, value: &dyn Any) -> Option<ArrayType> {
        let array: &TorchArray = value.downcast_ref()?;
        convert::type_of(&array.0).ok()
    }
}
