//! The report of a verifier.

use autojit_ir::error::Error;

/// The internal error for a mistake in the representation that a stage made.
pub(crate) fn fault(stage: &str, mistake: impl std::fmt::Display) -> Error {
    Error::internal(format!("verifier of stage {stage}: {mistake}"))
}
