//! Vector code against Cranelift on random kernels, against recorded machine code, and its verifier.

mod golden;
mod graphs;
mod kernels;
pub(super) mod measure;
mod text_target;

use std::io::Write as _;

use super::target::Target;

/// Says whether code for a target runs in a test or is only verified: not by a macro, whose output the test harness keeps
/// to itself.
pub(in crate::codegen) fn report<T: Target>(what: &str) {
    let how = if T::is_available() {
        "run"
    } else {
        "are verified, and not run as this machine lacks it"
    };
    // A test does not fail for what it could not say.
    let _ = writeln!(std::io::stderr(), "{what} for {} {how}", T::NAME);
}
