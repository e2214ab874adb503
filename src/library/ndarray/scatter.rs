//! Copies of arrays with other values at given positions, by the runtime.

use autojit_runtime::abi::Failure;
use autojit_runtime::scatter::Scatter;

use super::reduce::kind;
use super::strided::from_vec;
use crate::error::{Error, Result};
use crate::ir::scatter::ScatterMode;
use crate::ir::{HostArray, host_from};
use crate::library::scatter_mode;

/// A copy of `x` whose elements at positions in C order are combined with the values.
pub(super) fn scatter(
    x: &HostArray,
    values: &HostArray,
    positions: &HostArray,
    mode: ScatterMode,
) -> Result<HostArray> {
    let (x, values) = (x.to_contiguous(), values.to_contiguous());
    let HostArray::Int64(_) = positions else {
        return Err(super::unexpected(positions));
    };
    let positions = positions.to_contiguous();
    let plan = Scatter {
        kind: kind(x.dtype()),
        mode: scatter_mode(mode),
        size: x.shape().iter().product(),
        count: positions.shape().iter().product(),
    };
    host_from!(x.dtype(), T => {
        let mut out = vec![T::default(); plan.size];
        // SAFETY: the arrays are contiguous, of the dtypes and with as many elements as the plan says, by the
        // op's signature and the check above; `out` was made with as many as `x` has.
        unsafe {
            plan.run(
                x.as_ptr(),
                positions.as_ptr().cast(),
                values.as_ptr(),
                out.as_mut_ptr().cast(),
            )
        }
        .map_err(|failure| match failure {
            Failure::IndexOutOfRange { index, len } => Error::index(format!(
                "position {index} is out of range for {len} elements"
            )),
            other => Error::internal(other),
        })?;
        from_vec(x.shape(), out)
    })
}
