//! Trace, optimise, compile: what happens once per signature.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::check_arrays;
use crate::Array;
use crate::array::Repr;
use crate::backends::{self, Backend, Choice};
use crate::debug;
use crate::error::{Error, Result};
use crate::ir::random::{CallDraws, unused};
use crate::ir::{Graph, Op, OpaqueFunction, ValueId};
use crate::lazy::{self, LazyArray};
use crate::library::{self, AnyLibrary};
use crate::opt::PassReport;
use crate::registry;
use crate::signature::Query;
use crate::tree::{self, Flattener, Structure, Tree};

/// All that came of it.
pub(super) struct Built {
    pub(super) traced: Graph,
    pub(super) optimized: Graph,
    /// The results without their arrays.
    pub(super) output: Structure,
    pub(super) choice: Choice,
    /// Random draws that the function makes and does not use.
    pub(super) unused_draws: Vec<Arc<CallDraws>>,
    pub(super) passes: Vec<PassReport>,
    pub(super) times: Times,
}

/// How long the stages took.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) trace: Duration,
    pub(super) optimize: Duration,
    pub(super) compile: Duration,
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

impl Built {
    /// One line.
    pub(super) fn summary(&self) -> String {
        let Times {
            trace,
            optimize,
            compile,
        } = self.times;
        format!(
            "traced {} nodes in {trace:.1?}, optimised to {} in {optimize:.1?}, compiled by {} in {compile:.1?}",
            self.traced.nodes().len(),
            self.optimized.nodes().len(),
            self.choice.backend,
        )
    }
}

/// Traces the closure with variables in place of the arrays, optimises the graph, and compiles it.
pub(super) fn build<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    backend: &'static dyn Backend,
    query: &Query<'_, '_>,
    location: &'static Location<'static>,
) -> Result<Built, Failure> {
    let start = Instant::now();
    let (traced, output, draws) = trace(f, query, location)?;
    verify(&traced)?;
    let after_trace = Instant::now();
    let library = super::library_of(query.arrays);
    let (optimized, passes) = crate::opt::optimize(&external_steps(&traced, library))?;
    verify(&optimized)?;
    let after_optimize = Instant::now();
    let choice = choose(backend, query.options.strict, &optimized, library)?;
    let unused_draws = unused(&optimized, draws);
    Ok(Built {
        traced,
        optimized,
        output,
        choice,
        unused_draws,
        passes,
        times: Times {
            trace: after_trace - start,
            optimize: after_optimize - after_trace,
            compile: after_optimize.elapsed(),
        },
    })
}

fn trace<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    query: &Query<'_, '_>,
    location: &'static Location<'static>,
) -> Result<(Graph, Structure, Vec<Arc<CallDraws>>), Failure> {
    let variables: Vec<LazyArray> = query
        .arrays
        .iter()
        .map(|array| LazyArray::variable(array.ty(), location))
        .collect();
    let mut arrays = variables.iter().cloned().map(Array::from_lazy);
    let arguments = tree::unflatten(query.tokens, &mut arrays)?;
    let tracing = lazy::Tracing::begin();
    let result = f(arguments);
    let draws = tracing.draws();
    drop(tracing);

    let mut flat = Flattener::new();
    result.flatten(&mut flat);
    flat.check()?;
    check_arrays(flat.arrays())?;
    let outputs: Vec<LazyArray> = flat
        .arrays()
        .iter()
        .filter_map(|array| match &array.0 {
            Repr::Lazy(array) => Some(array.clone()),
            Repr::Concrete(array) => Some(LazyArray::from_concrete(array.clone(), location)),
            // `check_arrays` has just found that there are none.
            Repr::Failed(_) => None,
        })
        .collect();
    let graph = lazy::to_graph(&variables, &outputs).map_err(|error| {
        if error.is_unbound_variable() {
            Failure::ForeignVariable(error)
        } else {
            Failure::Error(error)
        }
    })?;
    Ok((graph, flat.structure(), draws))
}

/// Compiled code keeps to the numbers, so a library whose arrays are more than that runs its graphs itself.
fn choose(
    backend: &'static dyn Backend,
    strict: bool,
    graph: &Graph,
    library: &'static dyn AnyLibrary,
) -> Result<Choice> {
    let replay = backends::find("replay")?;
    if library.round_trips() || backend.name() == replay.name() {
        return backends::choose(backend, strict, graph);
    }
    let declined = Error::unsupported(format!(
        "arrays of the library {} are more than their values",
        library.name()
    ));
    if strict {
        return Err(declined);
    }
    let mut choice = backends::choose(replay, strict, graph)?;
    choice.declined.insert(0, (backend.name(), declined));
    Ok(choice)
}

/// The graph with the ops that a registered function stands in the place of as calls of that function, and all
/// such calls bound to the library whose arrays the compiled function was called with.
fn external_steps(graph: &Graph, library: &'static dyn AnyLibrary) -> Graph {
    let is_replaced = |op: &Op| registry::is_replaced(library.name(), op);
    // Main memory is where opaque functions run unless told otherwise.
    let foreign = library.name() != library::default_library().name();
    let is_call = |op: &Op| is_replaced(op) || (foreign && matches!(op, Op::Opaque { .. }));
    if !registry::any() || !graph.nodes().iter().any(|node| is_call(&node.op)) {
        return graph.clone();
    }
    // Equal ops get one function, so that equal nodes stay one node.
    let mut functions: FxHashMap<&Op, OpaqueFunction> = FxHashMap::default();
    let mut new = graph.same_inputs();
    let mut map: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs: SmallVec<[ValueId; 4]> = node.inputs.iter().map(|i| map[i.index()]).collect();
        map.push(match &node.op {
            Op::Input { index, .. } => ValueId(*index as u32),
            Op::Constant { index, .. } => new.add_constant(graph.constants()[*index].clone()),
            Op::Literal { value } => new.add_literal(value.value, value.dtype),
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
                    op.clone()
                };
                new.insert(op, &inputs, node.ty.clone(), node.location)
            }
        });
    }
    new.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    new
}

fn verify(graph: &Graph) -> Result<()> {
    if debug::environment().verify {
        graph.verify()?;
    }
    Ok(())
}
