//! Linear algebra and Fourier transforms: calls of the runtime on arrays in C order.

use smallvec::SmallVec;

use super::strided::{from_vec, reserved};
use super::{Concrete, Results, shape};
use crate::runtime::RuntimeCall;
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, HostArray, Type, dispatch_host, host_from};

/// Runs a call on inputs of the types that it was planned for.
pub(super) fn run(call: &RuntimeCall, inputs: &[&HostArray], result: &Type) -> Result<Results> {
    let mut laid_out: SmallVec<[HostArray; 2]> = SmallVec::new();
    for (x, wanted) in inputs.iter().zip(call.operands()) {
        laid_out.push(shape::broadcast_to(x, wanted)?.try_contiguous()?);
    }
    let results: Result<SmallVec<[HostArray; 3]>> = result.arrays().iter().map(zeros).collect();
    let mut results = results?;
    let read = laid_out.iter().map(|x| x.as_ptr().cast_mut());
    let written = results
        .iter_mut()
        .map(|x| dispatch_host!(x, x => x.as_mut_ptr().cast::<u8>()));
    let pointers: SmallVec<[*mut u8; 6]> = read.chain(written).collect();
    // SAFETY: inputs are contiguous and of the shapes that the call asks for, and are only read; the results are new,
    // contiguous, and of the types of the op's result.
    unsafe { call.run(&pointers) }?;
    Ok(results.into_iter().map(Concrete::Ndarray).collect())
}

fn zeros(ty: &ArrayType) -> Result<HostArray> {
    host_from!(ty.dtype, T => {
        let mut zeros = reserved::<T>(ty.size())?;
        zeros.resize(ty.size(), T::default());
        from_vec(&ty.shape, zeros)
    })
}
