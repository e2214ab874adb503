//! `BuildStatistics`: what the stages of a compilation came to.

use std::fmt;
use std::time::Duration;

use crate::opt::PassStatistics;

/// What tracing, optimising and compiling came to, and how long they took. Given by
/// [`Jit::last_build`](super::Jit::last_build) and [`Explanation::statistics`](super::Explanation::statistics).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BuildStatistics {
    /// The number of nodes that the results depend on as they were traced, arguments and constants among them.
    pub traced_nodes: usize,
    /// The number of nodes that the backend was given.
    pub nodes: usize,
    /// The backend that runs them.
    pub backend: &'static str,
    /// How long it took to run the closure on traced arrays.
    pub trace: Duration,
    /// How long it took to optimise the graph.
    pub optimize: Duration,
    /// How long the backend took to compile it.
    pub compile: Duration,
    /// What each pass of the optimiser did.
    pub passes: Vec<PassStatistics>,
}

/// One line.
impl fmt::Display for BuildStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            traced_nodes,
            nodes,
            backend,
            trace,
            optimize,
            compile,
            ..
        } = self;
        write!(
            f,
            "traced {traced_nodes} nodes in {trace:.1?}, optimised to {nodes} in {optimize:.1?}, compiled by {backend} in {compile:.1?}",
        )
    }
}
