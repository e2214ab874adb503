//! Tracing for transformations: a closure as a graph, and a graph applied to arrays.
//!
//! Traces nest. What the closure captures from a trace around it, or of lazy variables, becomes one more argument of its
//! graph (closure conversion); the graph that is made of it is applied to these arrays too, which inlines it into the
//! recording around. Nothing is traced twice.
//!
//! Random draws of a closure that is transformed outside of any trace are drawn once for each call of the transformed
//! function; within a trace they belong to that, as if the closure had been called in place.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

use autojit_ir::error::{Error, Result};
use autojit_ir::random::{Draw, Reserved, unused};
use autojit_ir::transform::calls::{has_calls, inline_calls};
use autojit_ir::{ArrayType, Graph, HostArray, LeafOp, Op, ValueId};
use autojit_library::{self as library, Concrete};
use smallvec::SmallVec;

use super::flat::Flat;
use crate::array::{Array, Operand, Repr, write_down};
use crate::jit::with_stack;
use crate::nodes::{FreeVariable, Recording, Tracing, current_trace};
use crate::tree::{self, Structure, Tree};

/// A closure as a graph.
pub(crate) struct Function {
    /// Takes the arrays of the arguments, then those that were captured.
    pub(crate) graph: Graph,
    /// Arrays without values yet that the closure uses.
    pub(crate) captured: Vec<Array>,
    /// The results without their arrays.
    pub(crate) output: Structure,
}

impl Function {
    /// The types of the results.
    pub(crate) fn output_types(&self) -> Result<Vec<ArrayType>> {
        let outputs = self.graph.outputs().iter();
        outputs
            .map(|&output| self.graph.ty(output).cloned())
            .collect()
    }
}

/// Traces a closure with arguments of this structure and these types.
///
/// # Errors
/// An operation in the closure failed, or its result contains an `Err`.
pub(crate) fn trace<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    structure: &Structure,
    types: &[ArrayType],
    location: &'static Location<'static>,
) -> Result<Function> {
    with_stack(|| trace_here(f, structure, types, location))
}

fn trace_here<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    structure: &Structure,
    types: &[ArrayType],
    location: &'static Location<'static>,
) -> Result<Function> {
    let recording = Recording::new();
    let mut arrays = types.iter().map(|ty| {
        Array(Repr::Traced(
            recording.argument(ty.clone(), location.into()),
        ))
    });
    let arguments = tree::unflatten(structure.tokens(), &mut arrays)?;
    let tracing = current_trace().is_none().then(Tracing::begin);
    let until_end = recording.until_end();
    let result = f(arguments);
    let draws = tracing.as_ref().map(Tracing::draws);
    drop(tracing);

    let flat = Flat::of(&result)?;
    let outputs = recording.values_of(flat.arrays.iter().map(Array::input), location.into())?;
    let output = flat.structure.clone();
    // The arrays of the trace go first, so that its record need not be copied.
    drop(flat);
    drop(result);
    drop(until_end);
    let (graph, captured) = recording.close(outputs)?;
    let graph = match draws {
        None => graph,
        Some(draws) => {
            for draws in unused(&graph, draws) {
                let _ = draws.reserve();
            }
            let reserved = Reserved::new(graph.nodes().iter().map(|node| &node.op));
            let is_drawn = graph
                .nodes()
                .iter()
                .any(|node| matches!(node.op, Op::Random { .. }));
            if is_drawn {
                graph.map_ops(|op| reserved.fixed(op).unwrap_or_else(|| op.clone()))
            } else {
                graph
            }
        }
    };
    let captured = captured.into_iter().map(|variable| match variable {
        FreeVariable::Node(node) => Array::from_lazy(node),
        FreeVariable::Traced(traced) => Array(Repr::Traced(traced)),
    });
    Ok(Function {
        graph,
        captured: captured.collect(),
        output,
    })
}

/// Applies a graph to arrays: inlined into the innermost trace that one of them belongs to, written down as lazy nodes if one
/// is lazy, else run op by op in the library of the arrays. What a trace around it draws in each call is lazy too.
///
/// # Errors
/// An array failed, or an op does; the message names its line.
pub(crate) fn apply(
    graph: &Graph,
    inputs: &[Array],
    location: &'static Location<'static>,
) -> Result<Vec<Array>> {
    apply_any(Cow::Borrowed(graph), inputs, location)
}

/// The same for a graph that is needed no more, which may have dead nodes: a trace takes over the others.
///
/// # Errors
/// As [`apply`].
pub(super) fn apply_once(
    graph: Graph,
    inputs: &[Array],
    location: &'static Location<'static>,
) -> Result<Vec<Array>> {
    apply_any(Cow::Owned(graph), inputs, location)
}

fn apply_any(
    graph: Cow<'_, Graph>,
    inputs: &[Array],
    location: &'static Location<'static>,
) -> Result<Vec<Array>> {
    let mut traced = SmallVec::<[_; 8]>::new();
    let (mut lazy, mut concrete) = (false, SmallVec::<[&Concrete; 8]>::new());
    for array in inputs {
        match &array.0 {
            Repr::Failed(error) => return Err(error.clone()),
            Repr::Traced(array) => traced.push(array),
            Repr::Lazy(_) => lazy = true,
            Repr::Concrete(array) => concrete.push(array),
        }
    }
    if let Some(recording) = Recording::of_newest(traced.into_iter()) {
        let recording = Arc::clone(recording);
        let results = recording.inline(graph, inputs.iter().map(Array::input), location.into())?;
        return Ok(results
            .into_iter()
            .map(|r| Array(Repr::Traced(r)))
            .collect());
    }
    let graph = match graph {
        Cow::Owned(graph) => Cow::Owned(graph.without_dead()),
        Cow::Borrowed(_) => graph,
    };
    // What a trace draws anew in each call has no value yet.
    let draws = |op: &Op| {
        let call = |draw: &Draw| matches!(draw, Draw::Call(_));
        matches!(op, Op::Random { draw, .. } if call(draw))
    };
    if lazy || graph.nodes().iter().any(|node| draws(&node.op)) {
        return write_all(&graph, inputs, location);
    }
    library::check_together(concrete.iter().copied())?;
    let library = match concrete.is_empty() {
        true => crate::like::innermost_library(),
        false => library::common(concrete.iter().copied()),
    };
    let results = match has_calls(&graph) {
        true => library::run_graph(library, &inline_calls(&graph, &|_| true)?, &concrete)?,
        false => library::run_graph(library, &graph, &concrete)?,
    };
    Ok(results.into_iter().map(Array::from_concrete).collect())
}

/// Writes down a graph as lazy nodes.
fn write_all(
    graph: &Graph,
    inputs: &[Array],
    location: &'static Location<'static>,
) -> Result<Vec<Array>> {
    let live = graph.live();
    let mut map: Vec<Option<Array>> = Vec::with_capacity(live.len());
    let lost = || Error::internal("a value of a graph was lost");
    for (node, live) in graph.nodes().iter().zip(live) {
        let line = node.location.unwrap_or(location.into());
        map.push(match &node.op {
            _ if !live => None,
            Op::Leaf(LeafOp::Input { index, .. }) => inputs.get(*index).cloned(),
            Op::Leaf(LeafOp::Literal { value }) => Some(Array::from_host(HostArray::scalar(
                value.value,
                value.dtype,
            ))),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                Some(Array::from_host(graph.constants()[*index].clone()))
            }
            op => {
                let operands = node.inputs.iter().map(|input| {
                    let array = map[input.index()].as_ref().ok_or_else(lost)?;
                    Ok(Operand::from(array))
                });
                let operands = operands.collect::<Result<SmallVec<[Operand<'_>; 4]>>>()?;
                let written = write_down(op.clone(), &operands, line);
                Some(written.map_err(|e| e.in_op(op.name()).at(line))?)
            }
        });
    }
    let outputs = graph.outputs().iter();
    let output = |output: &ValueId| map[output.index()].clone().ok_or_else(lost);
    outputs.map(output).collect()
}
