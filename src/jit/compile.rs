//! Optimise and compile, with logging: the same for the graph of a trace and for that of a file.
//!
//! Invariants: a [`Task`] is announced before anything is done for it, and ends in one message, that of its report or
//! that of its failure; with `AUTOJIT_DUMP` each stage is written as soon as it is there, so what a crash leaves shows
//! where it was.

use std::time::{Duration, Instant};

use tracing::{debug, debug_span, info, trace};

use super::dump::Dump;
use super::report::Report;
use super::task::{Code, Task};
use crate::backends;
use autojit_ir::Graph;
use autojit_ir::error::Result;
use autojit_ir::serial::Format;
use autojit_ir::transform::simplify::{self, Optimized};
use autojit_library::environment::environment;
use autojit_library::logging::TARGET;

/// Runs the closure of a user's, or the compiler, on a new stack where the caller's thread has little left.
pub(crate) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    /// Bytes that are left at least, and those of a new stack.
    const LEAST: usize = 512 << 10;
    const NEW: usize = 8 << 20;
    stacker::maybe_grow(LEAST, NEW, work)
}

impl Task<'_> {
    /// Optimises a graph and compiles it. Loaded graphs were traced in no time.
    ///
    /// # Errors
    /// The backend does not support the graph and the task is strict, it fails, or there is an internal error.
    pub(super) fn compile(
        &self,
        traced: Graph,
        trace_time: Duration,
        dump: Option<&Dump>,
    ) -> Result<Code> {
        with_stack(|| self.compile_here(traced, trace_time, dump))
    }

    fn compile_here(
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
        let verify = environment().verify;
        if verify {
            graph.verify()?;
        }
        let span = debug_span!(target: TARGET, "optimise");
        let mut number = 0;
        span.in_scope(|| {
            simplify::optimize_observed(
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
                        graph.verify_shared()?;
                    }
                    Ok(())
                },
            )
        })
    }
}
