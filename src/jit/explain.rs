//! `Explanation`: how a call is run, for people to read: as text, or as a page (`explain/page.rs`).

mod cost;
mod page;
mod summary;

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use cost::Cost;
pub use summary::Summary;

use super::report::Report;
use super::task::{Code, Task};
use super::{Args, Jit, Tree};
use crate::plot::Drawing;
use autojit_ir::error::{Error, Result};
use autojit_ir::serial::Format;
use autojit_ir::{Graph, SourceLine, source_lines};
use autojit_library::backend::{Backend, Executable, KernelCode};

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// Says how a call with these arguments is run, and whether it would find code that is there, or why not: it traces
    /// and compiles, keeps nothing, and runs nothing.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(np::exp(x), ..));
    /// let explanation = f.explain(&Array::from([1.0, 2.0]))?;
    /// assert_eq!(explanation.traced_nodes(), 3);
    /// println!("{explanation}");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; and lazy arguments, which are not compiled for.
    #[track_caller]
    pub fn explain<X: Args<A>>(&self, args: X) -> Result<Explanation> {
        let location = Location::caller();
        self.wanted()
            .and_then(|backend| self.explain_at(backend, &args, location))
            .map_err(|e| e.at(location))
    }

    fn explain_at(
        &self,
        wanted: Option<&'static dyn Backend>,
        args: &impl Args<A>,
        location: &'static Location<'static>,
    ) -> Result<Explanation> {
        self.with_query(wanted, args, |backend, query| {
            let call = match self.cache.look_up(query) {
                Ok(()) => "finds code that is there".to_owned(),
                Err(None) => "traces and compiles, as the first one".to_owned(),
                Err(Some(before)) => {
                    let why = query.signature().diff(&before);
                    format!("traces and compiles: {why}")
                }
            };
            let task = self.task(backend, query, "to explain it");
            let explanation = Explanation::new(&task, self.build(&task, query, location)?.code);
            Ok(explanation.with_call(call))
        })
    }
}

/// How a call is run. Print it; made by [`Jit::explain`](super::Jit::explain).
#[derive(Clone, Debug)]
pub struct Explanation {
    name: String,
    signature: String,
    /// The effect of a call, where known.
    call: Option<String>,
    report: Report,
    wanted: &'static str,
    strict: bool,
    declined: Vec<(&'static str, Error)>,
    graph: Graph,
    /// The line of each node, where known.
    lines: Vec<Option<SourceLine>>,
    /// Written when it is first asked for: of a large graph it is large.
    text: OnceLock<String>,
    executable: Held,
    described: String,
    /// Read when it is first asked for, too.
    code: OnceLock<Vec<KernelCode>>,
}

/// The code that is explained.
#[derive(Clone)]
struct Held(Arc<dyn Executable>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("executable")
    }
}

impl Explanation {
    pub(super) fn new(task: &Task<'_>, code: Code) -> Self {
        let lines = source_lines(&code.graph);
        Self::of_code(task, code, lines)
    }

    /// Of a graph whose lines are known.
    pub(super) fn of_code(task: &Task<'_>, code: Code, lines: Vec<Option<SourceLine>>) -> Self {
        Self {
            name: task.function.to_owned(),
            signature: task.signature.to_string(),
            call: None,
            report: code.report,
            wanted: task.backend.name(),
            strict: task.strict,
            declined: code.choice.declined,
            graph: code.graph,
            lines,
            text: OnceLock::new(),
            described: code.choice.executable.describe(),
            executable: Held(code.choice.executable),
            code: OnceLock::new(),
        }
    }

    /// With what a call would do first.
    pub(super) fn with_call(mut self, call: String) -> Self {
        self.call = Some(call);
        self
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
    pub fn backend(&self) -> &str {
        &self.report.backend
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

    /// The text form of the graph that the backend was given, with all elements of its constants.
    #[must_use]
    pub fn graph(&self) -> &str {
        self.text.get_or_init(|| self.graph.to_string())
    }

    /// The backend's description of its code.
    #[must_use]
    pub fn executable(&self) -> &str {
        &self.described
    }
}

impl Explanation {
    /// The machine code of each kernel, with what Cranelift made it of; empty for backends that have none or do not tell.
    /// `autojit explain --code` prints it as assembly, and with `--clif` that too.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let explanation = autojit(|x: Array| np::exp(&x) + 1.0).explain(Array::from([1.0, 2.0]))?;
    /// for kernel in explanation.machine_code() {
    ///     println!("{}: {} bytes", kernel.name, kernel.bytes.len());
    ///     if let Some(clif) = &kernel.clif {
    ///         println!("{clif}");
    ///     }
    /// }
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn machine_code(&self) -> &[KernelCode] {
        self.code.get_or_init(|| self.executable.0.machine_code())
    }

    /// The parts of it as plain data that can be kept and compared, see [`Summary`].
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            format: Format,
            function: self.name.clone(),
            signature: self.signature.clone(),
            call: self.call.clone(),
            asked_for: self.wanted.to_owned(),
            strict: self.strict,
            declined: self
                .declined
                .iter()
                .map(|(backend, why)| ((*backend).to_owned(), why.to_string()))
                .collect(),
            report: self.report.clone(),
            cost: self.cost(),
            executable: self.described.clone(),
            graph: self.with_lines(self.graph()),
        }
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

    /// The head: names and values.
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
        if let Some(call) = &self.call {
            facts.push(("a call", call.clone()));
        }
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

    /// The graph for people, with the middle of large constants left out; lines of the source are comments.
    #[must_use]
    pub fn shortened_graph(&self) -> String {
        self.with_lines(&self.graph.shortened().to_string())
    }

    /// The text of the graph with lines of the source as comments.
    fn with_lines(&self, graph: &str) -> String {
        let before = self.graph.constants().len();
        let mut text = String::new();
        for (index, line) in graph.lines().enumerate() {
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

/// With `{:#}` the kernels that Cranelift made follow as it was given them.
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
        for line in self.described.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\ngraph")?;
        for line in self.shortened_graph().lines() {
            writeln!(f, "  {line}")?;
        }
        if f.alternate() {
            for kernel in self.machine_code() {
                let Some(clif) = &kernel.clif else { continue };
                writeln!(f, "\n{}", kernel.name)?;
                for line in clif.lines() {
                    writeln!(f, "  {line}")?;
                }
            }
        }
        Ok(())
    }
}
