//! External steps: functions that users registered, called between kernels with copies of what they read.
//!
//! Such a function sees arrays of its own, so it may keep them, and compiled code never sees its memory: what it
//! gives is checked against the types that were inferred and copied to where later steps read it. It runs on a
//! plain Rust frame, never on one of compiled code; its panics are caught where it was registered
//! (`registry/opaque.rs`) and arrive here as errors.

use ndarray::{ArrayD, IxDyn};

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Element, HostArray, OpaqueFunction, host_from};
use autojit_library::{Concrete, check_types};

/// A call of a user's function on contiguous views.
#[derive(Clone, Debug)]
pub(crate) struct External {
    pub(crate) function: OpaqueFunction,
    pub(crate) inputs: Vec<ArrayType>,
    pub(crate) outputs: Vec<ArrayType>,
}

impl External {
    /// Runs it.
    ///
    /// # Safety
    /// `addresses` are those of initialised contiguous arrays of the types of the inputs, then of memory for
    /// contiguous arrays of the types of the outputs, all aligned for their dtypes.
    ///
    /// # Errors
    /// The function failed, or gave other types than its rule says.
    pub(crate) unsafe fn run(&self, addresses: &[*mut u8]) -> Result<()> {
        let (inputs, outputs) = addresses.split_at(self.inputs.len());
        let read = |(&address, ty): (&*mut u8, &ArrayType)| {
            // SAFETY: forwarded.
            host_from!(ty.dtype, T => unsafe { read::<T>(address, ty) })
        };
        let inputs: Vec<HostArray> = inputs
            .iter()
            .zip(&self.inputs)
            .map(read)
            .collect::<Result<_>>()?;
        let run = || {
            let results = self.function.call(&inputs)?;
            let results: Vec<Concrete> = results.into_iter().map(Concrete::Ndarray).collect();
            check_types(&results, &self.outputs)?;
            Ok(results)
        };
        let results: Vec<Concrete> = run().map_err(|e: Error| e.in_op(self.function.name()))?;
        for (result, &address) in results.iter().zip(outputs) {
            let host = result.to_host()?.to_contiguous();
            let bytes = host.ty().size() * host.dtype().size();
            // SAFETY: the result has the type that the memory is for, as was just checked, and memory of its own.
            unsafe { address.copy_from_nonoverlapping(host.as_ptr(), bytes) };
        }
        Ok(())
    }
}

/// # Safety
/// `address` is that of an initialised contiguous array of type `ty`, whose dtype is that of `T`.
unsafe fn read<T: Element>(address: *const u8, ty: &ArrayType) -> Result<HostArray> {
    // SAFETY: forwarded; the bases of views without elements are aligned and not null either.
    let elements = unsafe { std::slice::from_raw_parts(address.cast::<T>(), ty.size()) };
    let array = ArrayD::from_shape_vec(IxDyn(&ty.shape), elements.to_vec());
    array.map(HostArray::from).map_err(Error::internal)
}
