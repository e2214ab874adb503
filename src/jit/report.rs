//! `Report`: what came of compiling, in numbers.

use std::time::Duration;

use super::trace::Built;
use crate::backends::CodeReport;
use crate::opt::PassReport;

/// What came of compiling for one signature, in numbers. Made by [`Jit::compile`](super::Jit::compile); part of
/// an [`Explanation`](super::Explanation).
///
/// Times are those of the one compilation that made the code; counts do not depend on the machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The backend that runs it; `"replay"` if the wanted one declined.
    pub backend: &'static str,
    /// Nodes that were traced, arguments and constants among them.
    pub traced_nodes: usize,
    /// Nodes that were left after optimising.
    pub optimized_nodes: usize,
    /// How long it took to run the closure on lazy arrays and to make a graph of what it did.
    pub trace_time: Duration,
    /// How long it took to optimise the graph.
    pub optimize_time: Duration,
    /// How long the backend took to compile the graph.
    pub compile_time: Duration,
    /// What each pass of the optimiser did.
    pub passes: Vec<PassReport>,
    /// The sizes of the code.
    pub code: CodeReport,
}

impl Report {
    pub(super) fn new(built: &Built) -> Self {
        Self {
            backend: built.choice.backend,
            traced_nodes: built.traced.nodes().len(),
            optimized_nodes: built.optimized.nodes().len(),
            trace_time: built.times.trace,
            optimize_time: built.times.optimize,
            compile_time: built.times.compile,
            passes: built.passes.clone(),
            code: built.choice.executable.report(),
        }
    }
}
