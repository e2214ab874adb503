//! Copies of arrays with other values at given positions, by the runtime.

use autojit_runtime::abi::Failure;
use autojit_runtime::scatter::Scatter;

use super::kind;
use super::strided::filled;
use crate::scatter_mode;
use autojit_ir::HostArray;
use autojit_ir::error::{Error, Result};
use autojit_ir::scatter::ScatterMode;

/// A copy of `x` whose elements at positions in C order are combined with the values.
pub(super) fn scatter(
    x: &HostArray,
    values: &HostArray,
    positions: &HostArray,
    mode: ScatterMode,
) -> Result<HostArray> {
    let (x, values) = (x.try_contiguous()?, values.try_contiguous()?);
    let HostArray::Int64(_) = positions else {
        return Err(super::unexpected(positions));
    };
    let positions = positions.try_contiguous()?;
    let plan = Scatter {
        kind: kind(x.dtype()),
        mode: scatter_mode(mode),
        size: x.shape().iter().product(),
        count: positions.shape().iter().product(),
    };
    let run = |out: *mut u8| {
        let positions = positions.as_ptr().cast();
        // SAFETY: the arrays are contiguous, of the dtypes and with as many elements as the plan says, by the
        // op's signature and the check above; `out` was made with as many as `x` has.
        unsafe { plan.run(x.as_ptr(), positions, values.as_ptr(), out) }
    };
    // SAFETY: a scatter begins with a copy of all elements.
    unsafe {
        filled(x.dtype(), x.shape(), &mut |out| {
            run(out).map_err(|failure| match failure {
                Failure::IndexOutOfRange { index, len } => Error::index(format!(
                    "position {index} is out of range for {len} elements"
                )),
                other => Error::internal(other),
            })
        })
    }
}
