//! Backends: who runs a traced graph. Not to be confused with a library, which is where arrays live.
//!
//! A backend compiles a graph or declines it; what it compiles must give what the reference interpreter
//! gives. `replay` never declines, so every graph runs. To add a backend: implement [`Backend`] in a file or
//! folder of this one, and add it to [`BUILT`].

mod coverage;
#[cfg(feature = "cranelift")]
mod cranelift;
mod replay;
#[cfg(feature = "torch")]
pub(crate) mod torchscript;
#[cfg(feature = "xla")]
mod xla;

pub use coverage::{Support, support};

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::debug;
use crate::error::{Error, Result};
use crate::ir::{Form, Graph, HostArray, Op};
use crate::library::Concrete;
use crate::opt;

/// A way to run graphs.
pub(crate) trait Backend: Send + Sync {
    /// The name by which users choose it.
    fn name(&self) -> &'static str;

    /// Whether this op reaches the backend as it is; others come written with core ops.
    fn spells(&self, op: &Op) -> bool {
        !op.has_expansion()
    }

    /// How graphs are to be written that it compiles.
    fn form(&self) -> Form {
        Form::Written
    }

    /// What it does with an op that is all there is in a graph. Compiles, unless a backend knows without.
    fn support(&self, op: &Op, graph: &Graph) -> Result<Support> {
        self.compile(graph)?;
        Ok(if self.spells(op) {
            Support::Native
        } else {
            Support::Expanded
        })
    }

    /// Compiles; an `Err` with `is_unsupported()` means that the backend declines.
    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>>;

    /// Compiles within limits, if the backend knows them; others have their own.
    fn compile_within(&self, graph: &Graph, _limits: &Limits) -> Result<Arc<dyn Executable>> {
        self.compile(graph)
    }
}

/// What compiled code may take of the machine; the methods of [`Jit`](crate::Jit) of the same names say it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes by which intermediate results may take more than in the order of the program.
    pub(crate) memory: Option<usize>,
    /// Threads of one call.
    pub(crate) threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: None,
            threads: 1,
        }
    }
}

impl Limits {
    /// Sets the number of threads; one is the least.
    pub(crate) fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }
}

/// A compiled graph.
pub(crate) trait Executable: Send + Sync {
    /// Runs it and appends the results. Inputs have the types of the graph's arguments; results never alias them.
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()>;

    /// Runs it as [`run`](Self::run) does, and tells how long its steps took, in order; one that cannot look inside
    /// itself is one step.
    fn profile(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<Vec<StepTime>> {
        let start = Instant::now();
        self.run(inputs, outputs)?;
        Ok(vec![StepTime {
            step: "the whole program".into(),
            op: "all",
            location: None,
            time: start.elapsed(),
        }])
    }

    /// Lines for `explain`.
    fn describe(&self) -> String;

    /// The machine code, kernel by kernel; empty if there is none, or nobody knows it.
    fn machine_code(&self) -> Vec<KernelCode> {
        Vec::new()
    }

    /// The sizes of the code.
    fn report(&self) -> CodeReport;
}

/// The machine code of a kernel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KernelCode {
    /// What the kernel does, with its number.
    pub name: String,
    /// Where it lies in memory: jumps are relative to that.
    pub address: u64,
    /// The instructions, for the processor that this program runs on.
    pub bytes: Vec<u8>,
    /// What Cranelift made them of, in its [text form](https://docs.rs/cranelift-codegen), before it optimised; `None` for
    /// kernels that it did not make.
    pub clif: Option<String>,
}

/// How long a step of compiled code took.
#[derive(Clone, Debug)]
pub(crate) struct StepTime {
    /// What ran, such as `kernel 3`.
    pub(crate) step: Cow<'static, str>,
    /// The op that it is named by, and its line.
    pub(crate) op: &'static str,
    pub(crate) location: Option<&'static Location<'static>>,
    pub(crate) time: Duration,
}

/// The sizes of compiled code. `None` is what a backend does not have, or does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CodeReport {
    /// Operations that the backend was left with, after writing the graph in its own terms.
    pub instructions: Option<usize>,
    /// Distinct kernels: loops that machine code was made for, or found.
    pub kernels: Option<usize>,
    /// Entries of the tape that a call goes through.
    pub tape_entries: Option<usize>,
    /// Those of them that call the runtime or a user's function.
    pub runtime_calls: Option<usize>,
    /// Bytes of machine code.
    pub code_bytes: Option<usize>,
    /// Bytes that a call holds for intermediate results.
    pub workspace_bytes: Option<usize>,
    /// Bytes that a call holds at most, intermediate results and results, as planned before any run. Arguments and
    /// constants are not counted.
    pub planned_peak_bytes: Option<usize>,
}

/// The results of a call; a few of them need no memory of their own.
pub(crate) type Outputs = SmallVec<[Concrete; 4]>;

/// The backends of this build, the preferred one first.
static BUILT: &[&dyn Backend] = &[
    #[cfg(feature = "cranelift")]
    &cranelift::Cranelift,
    #[cfg(feature = "torch")]
    &torchscript::TorchScript,
    #[cfg(feature = "xla")]
    &xla::Xla,
    &replay::Replay,
];

/// All backends that there are, with the feature that builds each.
const FEATURES: &[(&str, &str)] = &[
    ("cranelift", "cranelift"),
    ("torch", "torch"),
    ("xla", "xla"),
];

/// The names of the backends of this build, the preferred one first.
///
/// ```
/// assert!(autojit::backends().contains(&"replay"));
/// ```
#[must_use]
pub fn backends() -> Vec<&'static str> {
    BUILT.iter().map(|backend| backend.name()).collect()
}

/// The backend of this name.
///
/// # Errors
/// There is none, or this build is without it; the message lists those that are there.
pub(crate) fn find(name: &str) -> Result<&'static dyn Backend> {
    if let Some(backend) = BUILT.iter().find(|backend| backend.name() == name) {
        return Ok(*backend);
    }
    let known = backends().join(", ");
    let feature = FEATURES.iter().find(|(backend, _)| *backend == name);
    Err(Error::unknown_backend(match feature {
        Some((_, feature)) => format!(
            "the backend `{name}` is not built in: enable the feature `{feature}` of autojit, or choose one of {known}"
        ),
        None => format!("no backend is called `{name}`, expected one of {known}"),
    }))
}

/// The backend that the environment names for functions that name none.
///
/// # Errors
/// `AUTOJIT_BACKEND` names one that is not there.
pub(crate) fn from_environment() -> Result<Option<&'static dyn Backend>> {
    let name = debug::environment().backend.as_ref();
    let found = name.map(|name| {
        find(name).map_err(|e| {
            Error::unknown_backend(format!("the variable AUTOJIT_BACKEND is wrong: {e}"))
        })
    });
    found.transpose()
}

/// The backend for arrays of a library where none is named: its own, which runs without converting arrays, else
/// the first.
pub(crate) fn preferred(library: &str) -> &'static dyn Backend {
    let own = BUILT.iter().find(|backend| backend.name() == library);
    *own.unwrap_or(&BUILT[0])
}

/// The outcome of [`choose`].
#[derive(Clone)]
pub(crate) struct Choice {
    /// Who compiled it.
    pub(crate) backend: &'static str,
    /// The compiled graph.
    pub(crate) executable: Arc<dyn Executable>,
    /// Who declined before, and why.
    pub(crate) declined: Vec<(&'static str, Error)>,
}

/// Compiles with the wanted backend; if it declines, replay takes over, unless `strict` forbids it.
///
/// # Errors
/// The backend declined and `strict` is set, or it failed.
pub(crate) fn choose(
    wanted: &'static dyn Backend,
    strict: bool,
    graph: &Graph,
    limits: &Limits,
) -> Result<Choice> {
    let name = wanted.name();
    match wanted.compile_within(graph, limits) {
        Ok(executable) => Ok(Choice {
            backend: name,
            executable,
            declined: Vec::new(),
        }),
        Err(error) if error.is_unsupported() && !strict => {
            tell_declined(name, &error);
            Ok(Choice {
                backend: replay::Replay.name(),
                executable: replay::Replay.compile(graph)?,
                declined: vec![(name, error)],
            })
        }
        Err(error) => Err(error),
    }
}

/// Tells that replay takes over.
pub(crate) fn tell_declined(backend: &'static str, why: &Error) {
    tracing::warn!(
        target: debug::TARGET,
        backend,
        why = %why,
        "the backend {backend} declines, replay takes over: {why}"
    );
}

/// Optimises, compiles and runs a graph once, on the backend of this name.
///
/// This is what [`autojit()`](crate::autojit()) does with a traced graph, without its cache and without falling
/// back: tests compare its results with those of [`Graph::evaluate`].
///
/// ```
/// use autojit::{DType, Scalar, ir::{Graph, HostArray}};
/// let graph: Graph = "%x = input index=0 ty=f64[]\n%y = sqrt %x\nreturn %y".parse()?;
/// let nine = HostArray::scalar(Scalar::Float(9.0), DType::Float64);
/// for backend in autojit::backends() {
///     let results = autojit::run_graph(backend, &graph, std::slice::from_ref(&nine))?;
///     assert_eq!(results[0].to_scalars(), [Scalar::Float(3.0)]);
/// }
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is no such backend, it declines the graph (`is_unsupported`), the arguments do not have the types of
/// the graph, or an op fails on these values.
pub fn run_graph(backend: &str, graph: &Graph, inputs: &[HostArray]) -> Result<Vec<HostArray>> {
    graph.check_arguments(inputs)?;
    CompiledGraph::new(backend, graph)?.run(inputs)
}

/// A graph that is compiled once and run on several arguments, see [`run_graph`].
pub struct CompiledGraph {
    graph: Graph,
    executable: Arc<dyn Executable>,
}

impl CompiledGraph {
    /// Optimises and compiles a graph on the backend of this name.
    ///
    /// # Errors
    /// There is no such backend, or it declines the graph (`is_unsupported`).
    pub fn new(backend: &str, graph: &Graph) -> Result<Self> {
        let backend = find(backend)?;
        let optimized = opt::optimize(graph.clone(), backend.form(), &opt::Options::default())?;
        let choice = choose(backend, true, &optimized.graph, &Limits::default())?;
        Ok(Self {
            graph: graph.clone(),
            executable: choice.executable,
        })
    }

    /// Runs it.
    ///
    /// # Errors
    /// The arguments do not have the types of the graph, or an op fails on these values.
    pub fn run(&self, inputs: &[HostArray]) -> Result<Vec<HostArray>> {
        self.graph.check_arguments(inputs)?;
        let inputs: Vec<Concrete> = inputs.iter().cloned().map(Concrete::Ndarray).collect();
        let inputs: Vec<&Concrete> = inputs.iter().collect();
        let mut results = Outputs::new();
        self.executable.run(&inputs, &mut results)?;
        results.iter().map(Concrete::to_host).collect()
    }
}

/// The graph that the backend of this name is given for a graph, with what each pass of the optimiser did.
///
/// ```
/// use autojit::{OptimizerOptions, ir::Graph};
/// let graph: Graph = "%x = input index=0 ty=f64[3]\n%y = negative %x\n%z = negative %y\nreturn %z".parse()?;
/// let (optimized, passes) = autojit::optimize_graph("replay", &graph, OptimizerOptions::default())?;
/// assert_eq!(optimized.to_string(), "%0 = input index=0 ty=f64[3]\nreturn %0\n");
/// assert_eq!(passes[0].rules, [("negative_of_negative".into(), 1)]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// There is no such backend.
pub fn optimize_graph(
    backend: &str,
    graph: &Graph,
    options: opt::Options,
) -> Result<(Graph, Vec<opt::PassReport>)> {
    let form = find(backend)?.form();
    let optimized = opt::optimize(graph.clone(), form, &options)?;
    Ok((optimized.graph, optimized.passes))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Declining;

    impl Backend for Declining {
        fn name(&self) -> &'static str {
            "declining"
        }

        fn compile(&self, _graph: &Graph) -> Result<Arc<dyn Executable>> {
            Err(Error::unsupported("it never does anything"))
        }
    }

    fn graph() -> Graph {
        "%0 = input index=0 ty=f64[2]\nreturn %0".parse().unwrap()
    }

    #[test]
    fn replay_takes_over_what_is_declined_unless_strict() {
        let choice = choose(&Declining, false, &graph(), &Limits::default()).unwrap();
        assert_eq!(choice.backend, "replay");
        assert_eq!(choice.declined[0].0, "declining");
        let error = choose(&Declining, true, &graph(), &Limits::default())
            .err()
            .unwrap();
        assert!(error.is_unsupported());
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = find("numba").err().unwrap();
        assert!(error.is_unknown_backend());
        let text = error.to_string();
        assert!(text.starts_with("no backend is called `numba`, expected one of "));
        assert!(text.ends_with("replay"), "{text}");
    }
}
