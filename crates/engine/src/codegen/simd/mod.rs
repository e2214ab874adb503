//! Vector code for the loops of kernels, in a few microseconds a kernel.
//!
//! ```text
//! kinds.rs        what lanes hold, and the operations on them
//! ir.rs           vector kernels: vector instructions on registers without number limits
//! select.rs       kernel -> vector kernel: which instructions each op takes
//! plan.rs         which axis lies along the lanes, how often loops are unrolled
//! target.rs       the interface of a processor to the emitter
//! vcode.rs        vector code: loops, pointers and instructions on the registers of a target
//! operands.rs     registers and their roles, addresses, constants                         (builder.rs writes both)
//! emitter.rs      vector kernel -> vector code: entry and exit, the instructions of a block
//! frame.rs        where values lie on the stack around calls, and in registers across loops
//! registers.rs    register allocation
//! transfers.rs    addresses, loads and stores
//! loops.rs        the loops around the instructions, their tails by masks
//! rows.rs         rows that stay in registers where an extent is known
//! pipeline.rs     rows that are summed one ahead
//! calls.rs        functions of the runtime, strip-mined loops
//! reductions.rs   partial results, chunks of long sums, what is combined at the end  (combine.rs)
//! text.rs         both representations as text
//! random/         random kernels for tests and fuzzers
//! verify/         what both of them promise
//! ```
//!
//! The code depends on a target's vector width and numbers of registers, and on nothing of the machine that emits it.
//!
//! The functions have the interface and the semantics of those that Cranelift makes from the same kernels; multiplication
//! and addition are never contracted. What the emitter has no instructions for falls back to Cranelift, for a reason in
//! words: integers of eight bits, functions that have no form for slices, kernels that can fail.
//!
//! Written slots share memory with other slots in one way only: element by element the same.

mod builder;
mod calls;
mod combine;
mod emitter;
mod frame;
pub(crate) mod ir;
mod kinds;
mod loops;
mod operands;
mod pipeline;
mod plan;
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::codegen) mod random;
mod reductions;
mod registers;
mod rows;
mod select;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod text;
mod transfers;
pub(crate) mod vcode;
mod verify;

use super::Fallback;
use crate::kernel::Kernel;
use plan::Plan;
use target::Target;
use vcode::VCode;

/// The machine code of a kernel, which runs wherever it lies at a multiple of 64 bytes.
///
/// # Errors
/// Why this kernel has no vector code.
pub(super) fn emit<T: Target>(kernel: &Kernel) -> Result<Vec<u8>, Fallback> {
    let verifies = cfg!(debug_assertions) || autojit_library::environment::environment().verify;
    let (_, code) = vector_code::<T>(kernel, verifies)?;
    Ok(T::encode(&code, |function| function.address as u64))
}

/// The vector code of a kernel by the best plan for which registers suffice; verified, if that is wanted.
///
/// # Errors
/// Why this kernel has no vector code.
pub(super) fn vector_code<T: Target>(
    kernel: &Kernel,
    verifies: bool,
) -> Result<(Plan, VCode), Fallback> {
    // The first reason is that of the best layout.
    let mut fallback = None;
    for lanes in plan::choices(kernel)? {
        match plan::plans::<T>(kernel, lanes) {
            Ok(plans) => {
                for plan in plans {
                    match emitter::emit::<T>(&plan, verifies) {
                        Ok(code) => {
                            if verifies {
                                verify::<T>(&plan, &code)?;
                            }
                            return Ok((plan, code));
                        }
                        Err(why) => fallback = fallback.or(Some(why)),
                    }
                }
            }
            Err(why) => fallback = fallback.or(Some(why)),
        }
    }
    Err(fallback.unwrap_or("no layout suits it"))
}

/// Mistakes are internal errors: they stop debug builds, and elsewhere the kernel falls back.
fn verify<T: Target>(plan: &Plan, code: &VCode) -> Result<(), Fallback> {
    let kernel = &plan.mined.kernel;
    let verified = verify::verify_kernel(&plan.source, kernel)
        .and_then(|()| verify::verify_code::<T>(code, kernel));
    if let Err(why) = verified {
        tracing::error!(target: "autojit", "internal error in vector code: {why}");
        debug_assert!(false, "{why}\n{plan}{code:#}");
        return Err("an internal error in its vector code");
    }
    Ok(())
}
