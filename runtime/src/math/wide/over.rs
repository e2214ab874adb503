//! Work over lanes by other modules: compiled for each set of vector instructions, one of which is chosen when it runs.

use super::lanes::{Lanes, Scalar};
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx2One, Avx512};
use crate::processor::Level;

/// Work that is written once for any number of lanes.
pub(crate) trait OverLanes {
    type Output;
    /// `lane` is any value of the lanes, to make others of. Must be `#[inline(always)]`, as all that it calls, lest the
    /// instructions of `V` are missing.
    fn run<V: Lanes>(self, lane: V) -> Self::Output;
}

/// Runs the work over as many lanes as `level` has, or over one.
///
/// # Safety
/// The processor must have the instructions of `level`.
pub(crate) unsafe fn over_lanes<W: OverLanes>(level: Level, one_lane: bool, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise.
    unsafe {
        match level {
            Level::Avx2 | Level::Avx512 if one_lane => return avx2_one(work),
            Level::Avx512 => return avx512(work),
            Level::Avx2 => return avx2(work),
            Level::Baseline => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    if !one_lane {
        let _ = level;
        // SAFETY: every processor of the architecture has these instructions.
        return work.run(unsafe { Neon::splat(0.0) });
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (level, one_lane);
    // SAFETY: a scalar needs no instructions.
    work.run(unsafe { Scalar::splat(0.0) })
}

/// # Safety
/// The processor must have these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512<W: OverLanes>(work: W) -> W::Output {
    // SAFETY: the caller's promise.
    work.run(unsafe { Avx512::splat(0.0) })
}

/// # Safety
/// The processor must have these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<W: OverLanes>(work: W) -> W::Output {
    // SAFETY: the caller's promise.
    work.run(unsafe { Avx2::splat(0.0) })
}

/// # Safety
/// The processor must have these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_one<W: OverLanes>(work: W) -> W::Output {
    // SAFETY: the caller's promise.
    work.run(unsafe { Avx2One::splat(0.0) })
}
