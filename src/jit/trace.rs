//! Trace, optimise, compile: what happens once per signature. The second half is that of `compile.rs`.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tracing::debug_span;

use super::compile::with_stack;
use super::dump::Dump;
use super::signature::Query;
use super::task::{Code, Task};
use super::values::check_arrays;
use crate::array::{Array, Repr};
use crate::backends;
use crate::nodes::{Recording, Tracing};
use crate::registry;
use crate::tree::{self, Flattener, Structure, Tree};
use autojit_ir::error::{Error, Result};
use autojit_ir::random::{CallDraws, unused};
use autojit_ir::transform::calls::{has_calls, inline_calls};
use autojit_ir::{Graph, LeafOp, Op, OpaqueFunction, ValueId};
use autojit_library::backend::Backend;
use autojit_library::logging::TARGET;
use autojit_library::{self as library, AnyLibrary};

/// All that came of it.
#[derive(Clone)]
pub(super) struct Built {
    pub(super) code: Code,
    /// The results without their arrays.
    pub(super) output: Structure,
    /// Random draws that the function makes and does not use.
    pub(super) unused_draws: Vec<Arc<CallDraws>>,
    /// The graph as the closure wrote it down, if it was asked for.
    pub(super) traced: Option<Graph>,
}

/// Why there is no compiled code.
pub(super) enum Failure {
    /// The results depend on a variable that is not an argument of this trace.
    ForeignVariable(Error),
    /// Anything else.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ForeignVariable(error) | Failure::Error(error) => error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignVariable(_) => {
                f.write_str("it depends on a trace around it, so it is part of that one")
            }
            Self::Error(error) => error.fmt(f),
        }
    }
}

/// Traces the closure with variables in place of the arrays, optimises the graph, and compiles it.
pub(super) fn build<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    task: &Task<'_>,
    query: &Query<'_, '_>,
    location: &'static Location<'static>,
    dump: Option<&Dump>,
    keep_traced: bool,
) -> Result<Built, Failure> {
    let start = Instant::now();
    let span = debug_span!(target: TARGET, "trace");
    let (traced, output, draws) = span.in_scope(|| with_stack(|| trace(f, query, location)))?;
    let trace_time = start.elapsed();
    let library = super::library_of(query.arrays);
    let (backend, unfit) = runner(task.backend, task.strict, library)?;
    let traced = match has_calls(&traced) {
        true => inline_calls(&traced, &|_| true)?,
        false => traced,
    };
    let traced = external_steps(traced, library)?;
    let as_written = keep_traced.then(|| traced.clone().without_dead());
    let mut code = Task { backend, ..*task }.compile(traced, trace_time, dump)?;
    code.choice.declined.splice(0..0, unfit);
    Ok(Built {
        unused_draws: unused(&code.graph, draws),
        code,
        output,
        traced: as_written,
    })
}

fn trace<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    query: &Query<'_, '_>,
    location: &'static Location<'static>,
) -> Result<(Graph, Structure, Vec<Arc<CallDraws>>), Failure> {
    let recording = Recording::new();
    let mut arrays = query.arrays.iter().map(|array| {
        Array(Repr::Traced(
            recording.argument(array.ty(), location.into()),
        ))
    });
    let arguments = tree::unflatten(query.tokens, &mut arrays)?;
    let tracing = Tracing::begin();
    let until_end = recording.until_end();
    let result = f(arguments);
    let draws = tracing.draws();
    drop(tracing);

    let mut flat = Flattener::new();
    tree::take_apart(&result, &mut flat)?;
    flat.check()?;
    check_arrays(flat.arrays())?;
    let outputs = recording.values_of(
        flat.arrays().iter().map(|array| array.input()),
        location.into(),
    )?;
    let structure = flat.structure();
    // The arrays of the trace go first, so that its record need not be copied.
    drop(flat);
    drop(result);
    drop(until_end);
    let graph = recording.finish(outputs).map_err(|error| {
        if error.is_unbound_variable() {
            Failure::ForeignVariable(error)
        } else {
            Failure::Error(error)
        }
    })?;
    Ok((graph, structure, draws))
}

/// The name of a backend that cannot run a graph, and why.
type Unfit = (&'static str, Error);

/// The backend that runs the graph, and why not the one that was asked for. Compiled code keeps to the numbers, so a library whose
/// arrays are more than that runs its graphs itself.
fn runner(
    backend: &'static dyn Backend,
    strict: bool,
    library: &'static dyn AnyLibrary,
) -> Result<(&'static dyn Backend, Option<Unfit>)> {
    let replay = backends::find("replay")?;
    if library.round_trips() || backend.name() == replay.name() {
        return Ok((backend, None));
    }
    let declined = Error::unsupported(format!(
        "arrays of the library {} are more than their values",
        library.name()
    ));
    if strict {
        return Err(declined);
    }
    backends::log_unsupported(backend.name(), &declined);
    Ok((replay, Some((backend.name(), declined))))
}

/// The graph with the ops that a registered function stands in the place of as calls of that function, and all
/// such calls bound to the library whose arrays the compiled function was called with.
fn external_steps(graph: Graph, library: &'static dyn AnyLibrary) -> Result<Graph> {
    let is_replaced = |op: &Op| registry::is_replaced(library.name(), op);
    // Main memory is where opaque functions run by default.
    let foreign = library.name() != library::default_library().name();
    let is_call = |op: &Op| is_replaced(op) || (foreign && matches!(op, Op::Opaque { .. }));
    if !registry::any() || !graph.nodes().iter().any(|node| node.op.any(&is_call)) {
        return Ok(graph);
    }
    // Equal ops get one function, so that equal nodes stay one node.
    let mut functions: FxHashMap<&Op, OpaqueFunction> = FxHashMap::default();
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs: SmallVec<[ValueId; 4]> = node.inputs.iter().map(|i| map[i.index()]).collect();
        map.push(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => ValueId(*index as u32),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                new.add_constant(graph.constants()[*index].clone())
            }
            Op::Leaf(LeafOp::Literal { value }) => new.add_literal(value.value, value.dtype),
            op => {
                let call = || {
                    let function = match op {
                        Op::Opaque { function } => function.clone(),
                        op => registry::opaque_op(op),
                    };
                    match foreign {
                        true => registry::opaque_in(&function, library),
                        false => function,
                    }
                };
                let op = if is_call(op) {
                    let function = functions.entry(op).or_insert_with(call).clone();
                    Op::Opaque { function }
                } else {
                    op.map_graphs(|graph| external_steps(graph.clone(), library))?
                };
                new.insert(op, &inputs, node.ty.clone(), node.location)
            }
        });
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    Ok(new)
}
