//! Random draws, by the runtime.

use autojit_runtime::random as runtime;

use super::reduce::kind;
use super::strided::from_vec;
use crate::error::{Error, Result};
use crate::ir::random::{Distribution, Draw, fixed_numbers};
use crate::ir::{ArrayType, HostArray, host_from};
use crate::library::random_distribution;

/// The numbers of a draw whose number is known.
pub(super) fn random(draw: &Draw, distribution: Distribution, ty: &ArrayType) -> Result<HostArray> {
    let (seed, number) = fixed_numbers(draw)?;
    let plan = runtime::Draw {
        kind: kind(ty.dtype),
        distribution: random_distribution(distribution),
        count: ty.size(),
    };
    host_from!(ty.dtype, T => {
        let mut out = vec![T::default(); plan.count];
        // SAFETY: `out` has as many elements as the plan says, of its kind.
        unsafe { plan.run(seed, number, out.as_mut_ptr().cast()) }.map_err(Error::internal)?;
        from_vec(&ty.shape, out)
    })
}
