//! Machine code of our own for the loops of kernels: x86-64 with AVX-512, in a few microseconds a kernel.
//!
//! ```text
//! select.rs        ops become vector instructions on registers without number limits     (program.rs)
//! plan.rs          which axis lies along the lanes, how often loops are unrolled
//! emitter.rs       registers, and the instructions of a section
//! transfers.rs     addresses, loads and stores
//! loops.rs         the loops around the instructions, their tails by masks
//! held.rs          what stays in registers where an extent is known
//! calls.rs         functions of the runtime
//! reductions.rs    partial sums, blocks, what is combined at the end
//! instructions.rs  the bytes of vector instructions                                      (assembler.rs)
//! general.rs       the bytes of the others
//! memory.rs        pages that are written, then executed
//! ```
//!
//! The functions have the interface and the semantics of those that Cranelift makes from the same kernels; multiplication
//! and addition are never contracted. What this emitter has no instructions for it refuses, in words, and Cranelift
//! makes the kernel: integers of eight bits, functions that have no form for blocks, kernels that can fail, other
//! processors.
//!
//! Written slots share memory with other slots in one way only: element by element the same.

mod assembler;
mod calls;
mod emitter;
mod general;
mod held;
mod instructions;
mod loops;
mod memory;
mod plan;
mod program;
mod reductions;
mod select;
#[cfg(test)]
mod tests;
mod transfers;

use std::sync::LazyLock;

pub(super) use memory::Pages;

use super::kernel::Kernel;

/// Why a kernel is left to Cranelift.
pub(super) type Refusal = &'static str;

/// Whether this processor has the instructions, and the system the calling convention.
static IS_WIDE: LazyLock<bool> = LazyLock::new(is_wide);

#[cfg(all(target_arch = "x86_64", unix))]
fn is_wide() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("bmi2")
}

#[cfg(not(all(target_arch = "x86_64", unix)))]
fn is_wide() -> bool {
    false
}

/// The machine code of a kernel, which runs wherever it lies at a multiple of 64 bytes.
///
/// # Errors
/// Why this kernel has no wide code.
pub(super) fn emit(kernel: &Kernel) -> Result<Vec<u8>, Refusal> {
    if !crate::debug::environment().wide {
        return Err("AUTOJIT_WIDE=0");
    }
    if !*IS_WIDE {
        return Err("the processor has no AVX-512");
    }
    // The first refusal is that of the best layout.
    let mut refusal = None;
    for lanes in plan::choices(kernel)? {
        match plan::plans(kernel, lanes) {
            Ok(plans) => {
                for plan in plans {
                    match emitter::emit(&plan) {
                        Ok(code) => return Ok(code),
                        Err(why) => refusal = refusal.or(Some(why)),
                    }
                }
            }
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(refusal.unwrap_or("no layout suits it"))
}
