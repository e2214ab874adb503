//! `Task` and `Code`: what is to be compiled, and what came of it.

use std::fmt;

use tracing::{info, info_span};

use super::report::Report;
use crate::backends::Choice;
use autojit_ir::Graph;
use autojit_ir::transform::simplify;
use autojit_library::backend::{Backend, Limits};
use autojit_library::logging::{self, TARGET};

/// A function to compile, with its backend and options.
pub(super) struct Task<'a> {
    pub(super) function: &'a str,
    pub(super) signature: &'a dyn fmt::Display,
    /// Why there is something to compile: `first call`, what changed, or what for.
    pub(super) reason: &'a str,
    pub(super) backend: &'static dyn Backend,
    pub(super) strict: bool,
    pub(super) optimizer: &'a simplify::Options,
    pub(super) limits: &'a Limits,
}

/// A graph with its code.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) graph: Graph,
    pub(super) choice: Choice,
    pub(super) report: Report,
}

impl Task<'_> {
    /// Does the work of the task, so that whoever listens knows what it is for.
    pub(super) fn logged<T, E: fmt::Display>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        logging::logged(|| {
            let span = info_span!(
                target: TARGET,
                "compile",
                function = self.function,
                signature = %self.signature,
                reason = self.reason,
            );
            span.in_scope(|| {
                let done = work();
                if let Err(error) = &done {
                    info!(target: TARGET, error = %error, "failed: {error}");
                }
                done
            })
        })
    }
}
