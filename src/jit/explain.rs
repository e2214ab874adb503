//! `Explanation`: how a call is run, for people to read.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::report::Report;
use super::trace::Built;
use crate::error::Error;
use crate::ir::Graph;
use crate::plot::Drawing;
use crate::signature::Query;

/// How a call is run. Print it; made by [`Jit::explain`](super::Jit::explain).
#[derive(Clone, Debug)]
pub struct Explanation {
    name: String,
    signature: String,
    report: Report,
    wanted: &'static str,
    strict: bool,
    declined: Vec<(&'static str, Error)>,
    graph: Graph,
    /// Written when it is first asked for: of a large graph it is large.
    text: OnceLock<String>,
    executable: String,
}

impl Explanation {
    pub(super) fn new(name: &str, query: &Query<'_, '_>, built: Built) -> Self {
        Self {
            name: name.to_owned(),
            signature: query.signature().to_string(),
            report: built.report,
            wanted: query.options.backend,
            strict: query.options.strict,
            declined: built.choice.declined,
            graph: built.optimized,
            text: OnceLock::new(),
            executable: built.choice.executable.describe(),
        }
    }

    /// The arguments without the numbers in arrays, as in `(f64[3], {"a": f64[2]}, 3)`.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// All of it that is a number.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The number of nodes that were traced, arguments and constants among them.
    #[must_use]
    pub fn traced_nodes(&self) -> usize {
        self.report.traced_nodes
    }

    /// How long it took to run the closure on lazy arrays.
    #[must_use]
    pub fn trace_time(&self) -> Duration {
        self.report.trace_time
    }

    /// How long it took to optimise the graph.
    #[must_use]
    pub fn optimize_time(&self) -> Duration {
        self.report.optimize_time
    }

    /// How long the backend took to compile the graph.
    #[must_use]
    pub fn compile_time(&self) -> Duration {
        self.report.compile_time
    }

    /// The number of nodes that the backend was given.
    #[must_use]
    pub fn optimized_nodes(&self) -> usize {
        self.report.optimized_nodes
    }

    /// The backend that runs it.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.report.backend
    }

    /// The backends that declined, and why.
    #[must_use]
    pub fn declined(&self) -> &[(&'static str, Error)] {
        &self.declined
    }

    /// The nodes of that graph, to be [drawn](Drawing).
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        Drawing::from(&self.graph)
    }

    /// The text form of the graph that the backend was given.
    #[must_use]
    pub fn graph(&self) -> &str {
        self.text.get_or_init(|| self.graph.to_string())
    }

    /// What the backend says of its code.
    #[must_use]
    pub fn executable(&self) -> &str {
        &self.executable
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "function   {}", self.name)?;
        writeln!(f, "signature  {}", self.signature)?;
        writeln!(f, "stages     {}", self.report)?;
        for pass in &self.report.passes {
            writeln!(f, "pass       {pass}")?;
        }
        let strict = if self.strict { ", strict" } else { "" };
        writeln!(
            f,
            "backend    {} (asked for {}{strict})",
            self.report.backend, self.wanted
        )?;
        for (backend, why) in &self.declined {
            writeln!(f, "declined   {backend}: {why}")?;
        }
        writeln!(f, "\ngraph")?;
        for line in self.graph().lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\nexecutable")?;
        for line in self.executable.lines() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
