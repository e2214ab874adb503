//! Random draws, by the runtime.

use autojit_runtime::random as runtime;

use super::kind;
use super::strided::filled;
use crate::random_distribution;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::{Distribution, Draw, fixed_numbers};
use autojit_ir::{ArrayType, HostArray};

/// The numbers of a draw whose number is known.
pub(super) fn random(draw: &Draw, distribution: Distribution, ty: &ArrayType) -> Result<HostArray> {
    let (seed, number) = fixed_numbers(draw)?;
    let plan = runtime::Draw {
        kind: kind(ty.dtype)?,
        distribution: random_distribution(distribution),
        count: ty.size(),
    };
    // SAFETY: `out` has as many elements as the plan says, of its kind, and all of them are written.
    unsafe {
        filled(ty.dtype, &ty.shape, &mut |out| {
            plan.run(seed, number, out).map_err(Error::internal)
        })
    }
}
