//! `Explanation`: how a call is run, for people to read: as text, or as a page (`explain/page.rs`).

mod cost;
mod page;

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use cost::Cost;

use super::report::Report;
use super::trace::Built;
use crate::backends::{self, Backend, KernelCode, Limits};
use crate::error::{Error, Result};
use crate::ir::{Graph, SourceLine, source_lines};
use crate::opt::{self, Optimized};
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
    /// The line of each node, where known.
    lines: Vec<Option<SourceLine>>,
    /// Written when it is first asked for: of a large graph it is large.
    text: OnceLock<String>,
    executable: String,
    code: Vec<KernelCode>,
}

impl Explanation {
    pub(super) fn new(name: &str, query: &Query<'_, '_>, built: Built) -> Self {
        let lines = source_lines(&built.optimized);
        Self {
            name: name.to_owned(),
            signature: query.signature().to_string(),
            report: built.report,
            wanted: query.options.backend,
            strict: query.options.strict,
            declined: built.choice.declined,
            graph: built.optimized,
            lines,
            text: OnceLock::new(),
            executable: built.choice.executable.describe(),
            code: built.choice.executable.machine_code(),
        }
    }

    /// Of a function that came without its closure: optimises and compiles its graph. Lines are those of a node of the
    /// graph that does the same, as the optimiser knows none.
    pub(super) fn of_graph(
        function: (&str, String),
        graph: &Graph,
        lines: &[Option<SourceLine>],
        backend: &'static dyn Backend,
        strict: bool,
    ) -> Result<Self> {
        let start = Instant::now();
        let options = opt::Options::default();
        let Optimized {
            graph: optimized,
            passes,
        } = opt::optimize(graph.clone(), backend.form(), &options)?;
        let optimize_time = start.elapsed();
        let choice = backends::choose(backend, strict, &optimized, &Limits::default())?;
        let report = Report {
            backend: choice.backend,
            traced_nodes: passes.first().map_or(0, |pass| pass.visited),
            optimized_nodes: optimized.nodes().len(),
            trace_time: Duration::ZERO,
            optimize_time,
            compile_time: start.elapsed() - optimize_time,
            passes,
            code: choice.executable.report(),
        };
        let (name, signature) = function;
        let lines = match optimized.nodes().len() == lines.len() {
            true => lines.to_vec(),
            false => source_lines(&optimized),
        };
        Ok(Self {
            name: name.to_owned(),
            signature,
            report,
            wanted: backend.name(),
            strict,
            declined: choice.declined,
            graph: optimized,
            lines,
            text: OnceLock::new(),
            executable: choice.executable.describe(),
            code: choice.executable.machine_code(),
        })
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
        Drawing::of_graph(&self.graph, |value| self.lines.get(value.index())?.clone())
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

impl Explanation {
    /// The machine code of each kernel; empty for backends that have none or do not tell. `autojit explain --code` prints
    /// it as assembly.
    #[must_use]
    pub fn machine_code(&self) -> &[KernelCode] {
        &self.code
    }

    /// Estimates of the work, from the graph that the backend was given.
    #[must_use]
    pub fn cost(&self) -> Cost {
        cost::of_graph(&self.graph)
    }

    /// A page of HTML with all of it: tables, the memory over time, a picture of the computation, and the graph. It needs
    /// no network.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// What stands first: names and values.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let report = &self.report;
        let strict = if self.strict { ", strict" } else { "" };
        let mut facts = vec![
            ("function", self.name.clone()),
            ("signature", self.signature.clone()),
            (
                "backend",
                format!("{} (asked for {}{strict})", report.backend, self.wanted),
            ),
        ];
        for (backend, why) in &self.declined {
            facts.push(("declined", format!("{backend}: {why}")));
        }
        facts.push(("stages", report.to_string()));
        let Cost { operations, bytes } = self.cost();
        facts.push((
            "work",
            format!(
                "about {operations} operations on {} read and written, if none were fused",
                bytes_in_words(bytes)
            ),
        ));
        if let Some(peak) = report.code.planned_peak_bytes {
            let held = format!(
                "{} at most, results among them",
                bytes_in_words(peak as u64)
            );
            facts.push(("memory", held));
        }
        facts
    }

    /// The graph as text that can be read back; lines of the source are comments.
    fn graph_with_lines(&self) -> String {
        let before = self.graph.constants().len();
        let mut text = String::new();
        for (index, line) in self.graph().lines().enumerate() {
            text.push_str(line);
            let node = index
                .checked_sub(before)
                .and_then(|node| self.lines.get(node));
            if let Some(Some(source)) = node {
                text.push_str(&format!("  ; {source}"));
            }
            text.push('\n');
        }
        text
    }
}

/// A number of bytes as people say it.
fn bytes_in_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Heights in one line of text, such as `▂▄▆█▂`; the largest of several that share a place.
fn sparkline(heights: &[usize], width: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = heights.iter().copied().max().unwrap_or(0).max(1);
    let columns = heights.chunks(heights.len().div_ceil(width).max(1));
    let largest = columns.map(|column| column.iter().copied().max().unwrap_or(0));
    largest
        .map(|height| BLOCKS[(height as f64 / most as f64 * 7.0).round() as usize])
        .collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value) in self.facts() {
            writeln!(f, "{what:<10} {value}")?;
        }
        for pass in &self.report.passes {
            writeln!(f, "pass       {pass}")?;
        }
        let held = self.drawing().held_after_each_step();
        writeln!(
            f,
            "\nelements held over time, one operation after the other"
        )?;
        let peak = held.iter().copied().max().unwrap_or(0);
        writeln!(f, "  {} {peak} at most", sparkline(&held, 60))?;
        writeln!(f, "\nexecutable")?;
        for line in self.executable.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\ngraph")?;
        for line in self.graph_with_lines().lines() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
