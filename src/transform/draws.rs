//! Random draws in functions that become the graph of an op, such as the body of a loop: they are inputs of the graph, which are drawn
//! before the op.
//!
//! So the numbers of an iteration depend on the generator and on the iteration alone, wherever the loop runs; and to everything
//! that is done with loops a draw is an element of `xs` like others. A loop takes one number of its generator for each draw in its
//! body, however many iterations there are; a choice those of all its branches, whichever is taken. What is
//! computed again is computed from the same numbers.

use std::panic::Location;
use std::sync::Arc;

use autojit_ir::error::{Error, Result};
use autojit_ir::random::{CallDraws, Distribution, Draw};
use autojit_ir::{ArrayType, Graph, LeafOp, Op, Site, ValueId};
use autojit_library::{self as library, Concrete};
use smallvec::SmallVec;

use super::trace::{Function, trace};
use crate::array::{Array, Repr, write_down};
use crate::nodes::{Tracing, current_trace, next_draw};
use crate::tree::{Structure, Tree};

/// Where each generator was made that a closure draws from.
type Sources = Vec<(Arc<CallDraws>, Option<u64>)>;

/// A draw that a closure makes anew each time.
pub(crate) struct Drawn {
    source: Arc<CallDraws>,
    made_in: Option<u64>,
    distribution: Distribution,
    ty: ArrayType,
    location: Option<Site>,
}

impl Drawn {
    /// The numbers: of one run of the closure, or of so many along a new first axis; as arrays like the others.
    ///
    /// # Errors
    /// There is not enough memory.
    pub(crate) fn numbers(
        &self,
        iterations: Option<usize>,
        others: &[Array],
        location: &'static Location<'static>,
    ) -> Result<Array> {
        let location = self.location.unwrap_or(location.into());
        let mut ty = self.ty.clone();
        if let Some(iterations) = iterations {
            ty.shape.insert(0, iterations);
        }
        let op = Op::Random {
            draw: next_draw(self.source.generator(), self.made_in),
            distribution: self.distribution,
            ty: Box::new(ty),
        };
        let is_lazy = |array: &Array| matches!(array.0, Repr::Lazy(_) | Repr::Traced(_));
        if current_trace().is_some() || others.iter().any(is_lazy) {
            return write_down(op, &[], location);
        }
        let drawn = library::apply(library::default_library(), &op, &[]);
        let drawn = drawn.map_err(|e| e.at(location))?.pop();
        let drawn = drawn.ok_or_else(|| Error::internal("a draw gave nothing"))?;
        let foreign = others.iter().find_map(|array| match &array.0 {
            Repr::Concrete(array @ Concrete::Foreign(_)) => Some(array.library()),
            _ => None,
        });
        Ok(Array::from_concrete(match foreign {
            Some(library) => library.from_host(drawn.to_host()?)?,
            None => drawn,
        }))
    }

    /// The error where it is not known how many iterations there are.
    pub(crate) fn refused_in_loop(&self, name: &str) -> Error {
        self.refused(format!(
            "the body of {name} draws random numbers, and how many iterations there are is not known before: use `scan` or \
             `fori_loop` with known bounds, or draw before the loop"
        ))
    }

    /// The error where draws have no meaning, at the line of the draw.
    pub(super) fn refused(&self, why: String) -> Error {
        let error = Error::unsupported(why);
        self.location
            .map_or(error.clone(), |location| error.at(location))
    }
}

/// Traces a closure that is to be run many times, or not at all. The random numbers that it draws are inputs of the graph, after the
/// arguments.
///
/// # Errors
/// As [`trace`](trace()).
pub(crate) fn trace_drawn<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    structure: &Structure,
    types: &[ArrayType],
    location: &'static Location<'static>,
) -> Result<(Function, Vec<Drawn>)> {
    // In a trace of its own draws are not yet those of one call.
    let tracing = Tracing::begin();
    let function = trace(f, structure, types, location);
    let sources = tracing.sources();
    drop(tracing);
    let mut function = function?;
    let (graph, draws) = hoisted(function.graph, types.len(), &sources)?;
    function.graph = graph;
    Ok((function, draws))
}

/// The graph of a closure with the numbers that it draws as inputs after its first ones, and the draws in that order.
///
/// # Errors
/// There is an internal error.
fn hoisted(graph: Graph, arguments: usize, sources: &Sources) -> Result<(Graph, Vec<Drawn>)> {
    let live = graph.live();
    let mut draws: Vec<Drawn> = Vec::new();
    let mut places: Vec<(ValueId, usize)> = Vec::new();
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        let Op::Random {
            draw: Draw::Call(draw),
            distribution,
            ty,
        } = &node.op
        else {
            continue;
        };
        // Others are drawn by a trace around it.
        let mut sources = sources.iter();
        let source = sources.find(|(source, _)| Arc::ptr_eq(source, &draw.draws));
        let Some((_, made_in)) = source else {
            continue;
        };
        places.push((value, draws.len()));
        draws.push(Drawn {
            source: Arc::clone(&draw.draws),
            made_in: *made_in,
            distribution: *distribution,
            ty: (**ty).clone(),
            location: node.location,
        });
    }
    if draws.is_empty() {
        return Ok((graph, draws));
    }
    let (first, captured) = graph.input_types().split_at(arguments);
    let drawn = draws.iter().map(|draw| &draw.ty);
    let mut new = Graph::new();
    let inputs: Vec<ValueId> = first
        .iter()
        .chain(drawn)
        .chain(captured)
        .map(|ty| new.add_input(ty.clone()))
        .collect();
    let input = |index: usize| match index < arguments {
        true => inputs[index],
        false => inputs[index + draws.len()],
    };
    let mut places = places.into_iter().peekable();
    let mut map: Vec<Option<ValueId>> = Vec::with_capacity(live.len());
    let lost = || Error::internal("a value of a body was lost");
    for value in graph.values() {
        let node = &graph[value];
        if !live[value.index()] {
            map.push(None);
            continue;
        }
        if let Some((_, place)) = places.next_if(|(drawn, _)| *drawn == value) {
            map.push(Some(inputs[arguments + place]));
            continue;
        }
        map.push(Some(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => input(*index),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                new.add_constant(graph.constants()[*index].clone())
            }
            Op::Leaf(LeafOp::Literal { value }) => new.add_literal(value.value, value.dtype),
            op => {
                let operands = node.inputs.iter().map(|i| map[i.index()]);
                let operands: Option<SmallVec<[ValueId; 4]>> = operands.collect();
                let operands = operands.ok_or_else(lost)?;
                new.insert(op.clone(), &operands, node.ty.clone(), node.location)
            }
        }));
    }
    let outputs = graph.outputs().iter().map(|output| map[output.index()]);
    new.set_outputs(outputs.collect::<Option<_>>().ok_or_else(lost)?);
    Ok((new, draws))
}
