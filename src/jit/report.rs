//! `Report`: what came of compiling, in numbers.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use autojit_ir::serial::Format;
use autojit_ir::transform::simplify::PassReport;
use autojit_library::backend::CodeReport;

/// The outcome of compiling for one signature, in numbers. Made by [`Jit::compile`](super::Jit::compile); part of
/// an [`Explanation`](super::Explanation).
///
/// Times are those of the one compilation that made the code; counts do not depend on the machine.
///
/// It is written and read by serde's formats as these fields, and a field `format` which is 1; another number is refused.
/// Times are written as serde writes [`Duration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    pub(super) format: Format<1>,
    /// The backend that runs it; `"replay"` if the wanted one declined.
    pub backend: Cow<'static, str>,
    /// Nodes that the results depend on as they were traced, arguments and constants among them.
    pub traced_nodes: usize,
    /// Nodes that were left after optimising: what the backend was given.
    pub optimized_nodes: usize,
    /// How long it took to run the closure on traced arrays; zero for what was loaded.
    pub trace_time: Duration,
    /// How long it took to optimise the graph.
    pub optimize_time: Duration,
    /// How long the backend took to compile the graph.
    pub compile_time: Duration,
    /// Each pass of the optimiser.
    pub passes: Vec<PassReport>,
    /// The sizes of the code.
    pub code: CodeReport,
}

/// One line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trace_time {
            Duration::ZERO => write!(f, "given {} nodes", self.traced_nodes)?,
            time => write!(f, "traced {} nodes in {time:.1?}", self.traced_nodes)?,
        }
        write!(
            f,
            ", optimised to {} in {:.1?}, compiled by {} in {:.1?}",
            self.optimized_nodes, self.optimize_time, self.backend, self.compile_time,
        )
    }
}
