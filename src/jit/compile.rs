//! Optimise and compile: what happens to the graph of a trace and to that of a file, and what is told of it.
//!
//! Invariants: a [`Task`] is announced before anything is done for it, and ends in one message, that of its report or
//! that of its failure; with `AUTOJIT_DUMP` each stage is written as soon as it is there, so what a crash leaves shows
//! where it was.

use std::fmt;
use std::time::{Duration, Instant};

use tracing::{debug, debug_span, info, info_span, trace};

use super::dump::Dump;
use super::report::Report;
use crate::backends::{self, Backend, Choice, Limits};
use crate::debug::{self, TARGET};
use crate::error::Result;
use crate::export::Format;
use crate::ir::Graph;
use crate::opt::{self, Optimized};

/// What is to be compiled, for whom, and how.
pub(super) struct Task<'a> {
    pub(super) function: &'a str,
    pub(super) signature: &'a dyn fmt::Display,
    /// Why there is something to compile: `first call`, what changed, or what for.
    pub(super) reason: &'a str,
    pub(super) backend: &'static dyn Backend,
    pub(super) strict: bool,
    pub(super) optimizer: &'a opt::Options,
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
    pub(super) fn told<T, E: fmt::Display>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        debug::told(|| {
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

    /// Optimises a graph and compiles it. Loaded graphs were traced in no time.
    ///
    /// # Errors
    /// The backend declines and the task is strict, it fails, or a mistake of ours.
    pub(super) fn compile(
        &self,
        traced: Graph,
        trace_time: Duration,
        dump: Option<&Dump>,
    ) -> Result<Code> {
        trace!(target: TARGET, "what was traced:\n{traced}");
        if let Some(dump) = dump {
            dump.graph("traced", &traced);
        }
        let start = Instant::now();
        let Optimized { graph, passes } = self.optimize(traced, dump)?;
        debug!(target: TARGET, "what the backend {} is given:\n{graph}", self.backend.name());
        let after_optimize = Instant::now();
        let span = debug_span!(target: TARGET, "generate", backend = self.backend.name());
        let choice =
            span.in_scope(|| backends::choose(self.backend, self.strict, &graph, self.limits))?;
        let report = Report {
            format: Format,
            backend: choice.backend.into(),
            traced_nodes: passes.first().map_or(0, |pass| pass.visited),
            optimized_nodes: graph.nodes().len(),
            trace_time,
            optimize_time: after_optimize - start,
            compile_time: after_optimize.elapsed(),
            passes,
            code: choice.executable.report(),
        };
        info!(
            target: TARGET,
            reason = self.reason,
            backend = choice.backend,
            traced_nodes = report.traced_nodes,
            optimized_nodes = report.optimized_nodes,
            trace_seconds = report.trace_time.as_secs_f64(),
            optimize_seconds = report.optimize_time.as_secs_f64(),
            compile_seconds = report.compile_time.as_secs_f64(),
            kernels = report.code.kernels,
            code_bytes = report.code.code_bytes,
            "{report}"
        );
        Ok(Code {
            graph,
            choice,
            report,
        })
    }

    fn optimize(&self, graph: Graph, dump: Option<&Dump>) -> Result<Optimized> {
        let verify = debug::environment().verify;
        if verify {
            graph.verify()?;
        }
        let span = debug_span!(target: TARGET, "optimise");
        let mut number = 0;
        span.in_scope(|| {
            opt::optimize_observed(
                graph,
                self.backend.form(),
                self.optimizer,
                &mut |pass, graph| {
                    debug!(
                        target: TARGET,
                        pass = &*pass.name,
                        visited = pass.visited,
                        nodes = pass.nodes,
                        rewritten = pass.rewritten,
                        seconds = pass.time.as_secs_f64(),
                        "{pass}"
                    );
                    number += 1;
                    if let Some(dump) = dump {
                        dump.pass(number, &pass.name, graph);
                    }
                    if verify {
                        graph.verify()?;
                    }
                    Ok(())
                },
            )
        })
    }
}
