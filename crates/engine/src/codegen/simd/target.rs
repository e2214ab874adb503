//! The interface of a processor to the emitter; the processors are in `codegen/target`.

use autojit_runtime::abi::Symbol;

use super::ir::VectorKernel;
use super::vcode::VCode;

/// Where truth values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masks {
    /// In mask registers, 8 at most. The first is never used, and some are reserved for tails, see `operands.rs`.
    Registers(u32),
    /// In vector registers, a lane of ones or zeros for each value; lanes are as wide as a vector allows with all elements
    /// of the kernel in it. The masks of tails are in the frame, or constants.
    Vectors,
}

impl Masks {
    pub(crate) fn are_vectors(self) -> bool {
        self == Self::Vectors
    }
}

/// The demands of a kernel on a target, beside its instructions.
pub(crate) struct Demand<'a> {
    pub(crate) kernel: &'a VectorKernel,
    /// Whether there are tails whose lengths are known only when the kernel runs.
    pub(crate) has_tails: bool,
    /// Whether elements that lie apart are gathered or scattered.
    pub(crate) gathers: bool,
}

/// All that the emitter knows of a processor.
pub(crate) trait Target {
    /// The name for users.
    const NAME: &'static str;

    /// The name in `AUTOJIT_TARGET`.
    const KEY: &'static str;

    /// Bytes of a vector register: 64, 32 or 16.
    const BYTES: i32;

    /// Whether vectors are so short and so few that a row takes many of them and has no room in registers. Then rows that
    /// all rounds of a loop read get registers first, and sums of rows that a second loop uses have partial ones, too.
    const IS_NARROW: bool = Self::BYTES <= 32;

    /// The number of vector registers, 32 at most.
    const VECTORS: u32;

    /// Where truth values are.
    const MASKS: Masks;

    /// Whether one instruction takes any lanes of two vectors.
    const PERMUTES_TWO: bool;

    /// How many vector registers, the last ones, are needed to encode a kernel's instructions beside those that the
    /// instructions name.
    fn scratch(demand: &Demand<'_>) -> u32;

    /// Whether this processor has the instructions, and the system the calling convention.
    fn is_available() -> bool;

    /// The machine code, which runs wherever it lies at a multiple of 64 bytes. It calls functions at the addresses
    /// that `address` gives.
    fn encode(code: &VCode, address: impl Fn(&'static Symbol) -> u64) -> Vec<u8>;
}

/// Says whether code for a target runs in a test or is only verified: not by a macro, whose output the test harness keeps
/// to itself.
#[cfg(test)]
pub(crate) fn report<T: Target>(what: &str) {
    use std::io::Write as _;
    let how = if T::is_available() {
        "run"
    } else {
        "are verified, and not run as this machine lacks it"
    };
    // A test does not fail for what it could not say.
    let _ = writeln!(std::io::stderr(), "{what} for {} {how}", T::NAME);
}
