//! The optimiser: rewrites of graphs that every backend profits from.
//!
//! [`optimize`] runs its passes in order, each linear in the number of nodes:
//!
//! 1. `reorder products`, by option only: chains of matrix products in the order that takes the fewest operations;
//! 2. `loops`, where there are any: what iterations share is computed once, and what nothing reads is not;
//! 3. `rewrite`: one rebuild of the live part, in which equal nodes become one, the rules of `algebra.rs`, `views.rs`
//!    and `fold.rs` are tried at every node, and ops are written with core ops if the backend takes only those;
//! 4. `dead code`: what the rules left behind goes.
//!
//! All rules but those of [`Options::fast_math`] are exact under IEEE 754: nothing here changes a bit of a result,
//! signed zeros and NaN included. The order of the products is a matter of rounding, which is why it is an option.

mod algebra;
mod candidate;
mod fold;
mod loops;
mod products;
mod rewrite;
mod views;

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::{Form, Graph};

/// The options of the optimiser; `Jit` of the crate `autojit` has methods of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The largest constant that folding makes, in bytes.
    pub fold_limit: usize,
    /// Whether chains of matrix products are reordered.
    pub reorder_products: bool,
    /// Whether rules may take finite numbers for granted, ignore the sign of zeros, and round otherwise.
    pub fast_math: bool,
}

impl Options {
    /// The default options: nothing that changes a bit of a result.
    pub const EXACT: Self = Self {
        fold_limit: 1 << 20,
        reorder_products: false,
        fast_math: false,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::EXACT
    }
}

/// The report of a pass of the optimiser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PassReport {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Nodes that it looked at; linear passes look at each once.
    pub visited: usize,
    /// Nodes that it stood something else in the place of.
    pub rewritten: usize,
    /// Nodes of the graph that it gave, arguments and constants among them.
    pub nodes: usize,
    /// How long it took.
    pub time: Duration,
    /// The rules that applied, with how often.
    pub rules: Vec<(Cow<'static, str>, usize)>,
}

/// One line, such as `rewrite: 5 -> 4 nodes in 1.0µs (conj_of_real 1)`.
impl fmt::Display for PassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            visited,
            nodes,
            time,
            rules,
            ..
        } = self;
        write!(f, "{name}: {visited} -> {nodes} nodes in {time:.1?}")?;
        for (index, (rule, count)) in rules.iter().enumerate() {
            let before = if index == 0 { " (" } else { ", " };
            write!(f, "{before}{rule} {count}")?;
        }
        f.write_str(if rules.is_empty() { "" } else { ")" })
    }
}

/// An optimised graph.
#[derive(Debug)]
pub struct Optimized {
    /// The graph after all passes.
    pub graph: Graph,
    /// The report of each pass, in the order in which they ran.
    pub passes: Vec<PassReport>,
}

/// Runs all passes, for a backend that takes graphs of a form.
///
/// # Errors
/// A rule broke the graph: an internal error.
pub fn optimize(graph: Graph, form: Form, options: &Options) -> Result<Optimized> {
    optimize_observed(graph, form, options, &mut |_, _| Ok(()))
}

/// The same, and shows what each pass made. Its errors end the optimising.
///
/// # Errors
/// As [`optimize`], and those of the observer.
pub fn optimize_observed(
    graph: Graph,
    form: Form,
    options: &Options,
    observe: Observer<'_>,
) -> Result<Optimized> {
    let mut passes = Passes {
        nodes: graph.live().into_iter().filter(|&live| live).count(),
        done: Vec::new(),
        observe,
    };
    let mut graph = graph;
    if options.reorder_products {
        graph = passes.run("reorder products", || {
            Ok((products::reorder(graph)?, vec![]))
        })?;
    }
    if loops::has_loops(&graph) {
        graph = passes.run("loops", || loops::reduce(&graph))?;
    }
    let rules = rewrite::Rules::new(options);
    graph = passes.run("rewrite", || {
        let graph = rewrite::rewrite(graph, form, &rules)?;
        Ok((graph, rules.applied()))
    })?;
    graph = passes.run("dead code", || Ok((graph.without_dead(), vec![])))?;
    Ok(Optimized {
        graph,
        passes: passes.done,
    })
}

/// Is given each pass with the graph that it made.
type Observer<'a> = &'a mut dyn FnMut(&PassReport, &Graph) -> Result<()>;

struct Passes<'a> {
    /// Of the graph so far.
    nodes: usize,
    done: Vec<PassReport>,
    observe: Observer<'a>,
}

impl Passes<'_> {
    fn run(
        &mut self,
        name: &'static str,
        pass: impl FnOnce() -> Result<(Graph, Vec<(&'static str, usize)>)>,
    ) -> Result<Graph> {
        let start = Instant::now();
        let (graph, rules) = pass()?;
        let time = start.elapsed();
        let nodes = graph.nodes().len();
        let report = PassReport {
            name: name.into(),
            visited: std::mem::replace(&mut self.nodes, nodes),
            rewritten: rules.iter().map(|(_, count)| count).sum(),
            nodes,
            time,
            rules: rules
                .into_iter()
                .map(|(rule, count)| (rule.into(), count))
                .collect(),
        };
        (self.observe)(&report, &graph)?;
        self.done.push(report);
        Ok(graph)
    }
}
