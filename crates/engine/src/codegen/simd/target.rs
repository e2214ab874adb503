//! The interface of a processor to the emitter; the processors are in `codegen/target`.

use autojit_runtime::abi::Symbol;

use super::vcode::VCode;

/// All that the emitter knows of a processor.
pub(crate) trait Target {
    /// What users call it.
    const NAME: &'static str;

    /// Bytes of a vector register: 64, 32 or 16.
    const BYTES: i32;

    /// The number of vector registers, 32 at most.
    const VECTORS: u32;

    /// The number of mask registers, 8 at most; the first is never used, see [`VCode`] for those of tails. A target
    /// whose truth values are in vectors keeps so many vector registers for them.
    const MASKS: u32;

    /// Whether this processor has the instructions, and the system the calling convention.
    fn is_available() -> bool;

    /// The machine code, which runs wherever it lies at a multiple of 64 bytes. It calls functions at the addresses
    /// that `address` gives.
    fn encode(code: &VCode, address: impl Fn(&'static Symbol) -> u64) -> Vec<u8>;
}
