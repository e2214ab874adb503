//! How the processor treats floating numbers, which XLA changes while it runs programs.
//!
//! XLA has subnormal numbers flushed to zero on the threads that it runs on. Compiled Rust code relies on the mode that
//! programs start with: vectors of masks are subnormal numbers, and a decomposition of a complex matrix goes wrong where
//! they are lost. So calls from XLA put that mode back while they run.

/// The mode that programs start with, until this is dropped.
pub(super) struct UsualFloats {
    before: u64,
}

impl UsualFloats {
    pub(super) fn new() -> Self {
        let before = mode::get();
        mode::set(mode::USUAL);
        Self { before }
    }
}

impl Drop for UsualFloats {
    fn drop(&mut self) {
        mode::set(self.before);
    }
}

#[cfg(target_arch = "x86_64")]
mod mode {
    use std::arch::asm;

    /// All exceptions masked, to nearest, nothing flushed.
    pub(super) const USUAL: u64 = 0x1f80;

    pub(super) fn get() -> u64 {
        let mut mode = 0u32;
        // SAFETY: the instruction writes four bytes, which are there.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack)) };
        mode.into()
    }

    pub(super) fn set(mode: u64) {
        let mode = mode as u32;
        // SAFETY: the register was in this mode before, or gets the one that Rust's code is compiled for.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    use std::arch::asm;

    /// To nearest, nothing flushed.
    pub(super) const USUAL: u64 = 0;

    pub(super) fn get() -> u64 {
        let mode: u64;
        // SAFETY: reads a register.
        unsafe { asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack)) };
        mode
    }

    pub(super) fn set(mode: u64) {
        // SAFETY: the register was in this mode before, or gets the one that Rust's code is compiled for.
        unsafe { asm!("msr fpcr, {}", in(reg) mode, options(nostack)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    pub(super) const USUAL: u64 = 0;

    pub(super) fn get() -> u64 {
        USUAL
    }

    pub(super) fn set(_mode: u64) {}
}

#[cfg(test)]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn subnormal_numbers_are_there_while_it_lives() {
        let flushing = if cfg!(target_arch = "x86_64") {
            0x9fc0
        } else {
            1 << 24
        };
        let halves = || black_box(f64::MIN_POSITIVE) * black_box(0.5) > 0.0;
        let usual = mode::get();
        mode::set(flushing);
        let flushed = !halves();
        let inside = {
            let _usual = UsualFloats::new();
            halves()
        };
        let after = !halves();
        mode::set(usual);
        assert!(flushed && inside && after && halves());
    }
}
