//! The backends of this build, and the choice between them.
//!
//! To add a backend: implement [`Backend`] in a crate of its own, and add it to [`BUILT`].

mod coverage;

use std::sync::Arc;

use autojit_ir::transform::simplify;
use autojit_ir::{Error, Graph, HostArray, Result};
use autojit_library::backend::{Backend, Executable, Limits, Outputs, Replay};
use autojit_library::environment::environment;
use autojit_library::{Concrete, logging};

pub use coverage::support;

/// The backends of this build, the preferred one first.
static BUILT: &[&dyn Backend] = &[
    #[cfg(feature = "cranelift")]
    &autojit_engine::Cranelift,
    #[cfg(feature = "torch")]
    &autojit_torch::backend::TorchScript,
    #[cfg(feature = "xla")]
    &autojit_xla::backend::Xla,
    &Replay,
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
    let name = environment().backend.as_ref();
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
    /// The backend that compiled it.
    pub(crate) backend: &'static str,
    /// The compiled graph.
    pub(crate) executable: Arc<dyn Executable>,
    /// The backends that do not support the graph, and why.
    pub(crate) declined: Vec<(&'static str, Error)>,
}

/// Compiles with the wanted backend; if it does not support the graph, replay takes over, unless `strict` forbids it.
///
/// # Errors
/// The backend does not support the graph and `strict` is set, or it failed.
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
            log_unsupported(name, &error);
            Ok(Choice {
                backend: Replay.name(),
                executable: Replay.compile(graph)?,
                declined: vec![(name, error)],
            })
        }
        Err(error) => Err(error),
    }
}

/// Logs that replay takes over.
pub(crate) fn log_unsupported(backend: &'static str, why: &Error) {
    tracing::warn!(
        target: logging::TARGET,
        backend,
        why = %why,
        "the backend {backend} does not support this graph, replay takes over: {why}"
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
/// There is no such backend, it does not support the graph (`is_unsupported`), the arguments do not have the types of
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
    /// There is no such backend, it does not support the graph (`is_unsupported`), or a result is not an array.
    pub fn new(backend: &str, graph: &Graph) -> Result<Self> {
        let backend = find(backend)?;
        graph.check_outputs()?;
        let optimized =
            simplify::optimize(graph.clone(), backend.form(), &simplify::Options::default())?;
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
/// There is no such backend, or a result is not an array.
pub fn optimize_graph(
    backend: &str,
    graph: &Graph,
    options: simplify::Options,
) -> Result<(Graph, Vec<simplify::PassReport>)> {
    let form = find(backend)?.form();
    graph.check_outputs()?;
    let optimized = simplify::optimize(graph.clone(), form, &options)?;
    Ok((optimized.graph, optimized.passes))
}

#[cfg(test)]
mod tests {
    use autojit_ir::{Op, OperandType};
    use autojit_library::backend::Lowering;

    use super::*;

    struct Nothing;

    impl Backend for Nothing {
        fn name(&self) -> &'static str {
            "nothing"
        }

        fn lower(&self, op: &Op, _operands: &[OperandType<'_>]) -> Lowering {
            Lowering::unsupported(self.name(), op)
        }

        fn compile(&self, _graph: &Graph) -> Result<Arc<dyn Executable>> {
            Err(Error::unsupported("it never does anything"))
        }
    }

    fn graph() -> Graph {
        "%0 = input index=0 ty=f64[2]\nreturn %0".parse().unwrap()
    }

    #[test]
    fn replay_takes_over_what_is_not_supported_unless_strict() {
        let choice = choose(&Nothing, false, &graph(), &Limits::default()).unwrap();
        assert_eq!(choice.backend, "replay");
        assert_eq!(choice.declined[0].0, "nothing");
        let error = choose(&Nothing, true, &graph(), &Limits::default())
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
