//! Verifiers of vector kernels and of vector code.
//!
//! In a vector kernel (`kernel.rs`) these mistakes are found:
//! - a register is read before it is written, is written twice, or is written though it is uniform;
//! - an operand is of the wrong kind: numbers where truth values belong, two kinds in one operation, a slot of another
//!   dtype than what is loaded or stored, a complex number where a slot is real;
//! - a register ends while it is still read later, ends twice, or never ends;
//! - a slot, a reduction or a value from outside that does not exist or is not in reach.
//!
//! In vector code, by its structure (`structure.rs`):
//! - a label is bound twice or never, or loops and blocks are not nested: unbalanced loops;
//! - a pointer advances in its loop by another distance than the kernel's strides say, twice, or not at all; an index
//!   does not advance as its loop says;
//! - memory is read or written without a mask in a block whose lanes reach beyond the end: a missing tail mask;
//! - code does not end by returning, or goes on after that.
//!
//! In vector code, by following it along all paths (`allocation.rs`):
//! - a vector, mask or general-purpose register is read that is not written on every path, or was overwritten by a call;
//! - a register that the target does not have;
//! - a register of the kernel is not where the emitter believes it to be: it was overwritten by another value while it
//!   was needed (two live values in one register), is in a register of the wrong class, or is used after its end.

mod allocation;
mod kernel;
mod structure;
#[cfg(test)]
mod tests;

use super::ir::VectorKernel;
use super::vcode::VCode;
use crate::codegen::simd::target::Target;
use crate::kernel::Kernel;

/// The fault, in words.
pub(super) type Mistake = String;

/// Verifies the vector kernel of a kernel, whose slots include the scratch memory of its strips.
///
/// # Errors
/// The first mistake.
pub(super) fn verify_kernel(source: &VectorKernel, kernel: &Kernel) -> Result<(), Mistake> {
    kernel::verify(source, kernel)
}

/// Verifies the vector code of a kernel.
///
/// # Errors
/// The first mistake.
pub(super) fn verify_code<T: Target>(code: &VCode, kernel: &Kernel) -> Result<(), Mistake> {
    structure::verify(code, kernel)?;
    allocation::verify(code, T::VECTORS - code.scratch, T::MASKS)
}
