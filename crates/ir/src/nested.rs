//! Graphs as the bodies of ops, and back.

use std::any::Any;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::attribute::Attribute;
use super::body::{Body, Contents};
use super::graph::Graph;
use super::node::ValueId;
use super::op::Op;
use super::random::Draw;
use crate::error::{Error, Result};

impl Contents for Graph {
    fn equals(&self, other: &dyn Contents) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| same(self, other))
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn nodes(&self) -> usize {
        let inner = self.nodes().iter().flat_map(|node| node.op.bodies());
        self.nodes().len() + inner.map(Body::nodes).sum::<usize>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Whether two graphs have the same nodes, lines apart.
fn same(x: &Graph, y: &Graph) -> bool {
    let mut nodes = x.nodes().iter().zip(y.nodes());
    let mut constants = x.constants().iter().zip(y.constants());
    x.input_types() == y.input_types()
        && x.outputs() == y.outputs()
        && x.nodes().len() == y.nodes().len()
        && x.constants().len() == y.constants().len()
        && nodes.all(|(x, y)| x.inputs == y.inputs && x.op == y.op)
        && constants.all(|(x, y)| x.same_bits(y))
}

fn hash(graph: &Graph) -> u64 {
    let mut hasher = FxHasher::default();
    for node in graph.nodes() {
        node.op.hash(&mut hasher);
        node.inputs.hash(&mut hasher);
    }
    graph.outputs().hash(&mut hasher);
    hasher.finish()
}

/// The live nodes, of equal ones one: so that bodies are equal whichever way they came, be it as a text.
fn normal(graph: &Graph) -> Result<Graph> {
    let mut new = Graph::new();
    let types = graph.input_types().iter();
    let inputs: Vec<ValueId> = types.map(|ty| new.add_input(ty.clone())).collect();
    let outputs = new.inline(graph, &inputs, None)?;
    new.set_outputs(outputs);
    Ok(new)
}

impl Body {
    /// A graph as the body of an op.
    ///
    /// # Errors
    /// A result of it is not an array (`is_value`); it draws random numbers anew in each call, or is nested too deep
    /// (`is_unsupported`).
    pub fn new(graph: Graph) -> Result<Self> {
        graph.check_outputs()?;
        let graph = normal(&graph)?;
        let draws = graph.nodes().iter().find(|node| {
            matches!(
                node.op,
                Op::Random {
                    draw: Draw::Call(_),
                    ..
                }
            )
        });
        if let Some(node) = draws {
            let error = Error::unsupported(
                "the graph inside of a loop or a branch draws no random numbers anew: those of all iterations are drawn before it, and \
                 are elements of its `xs` or captured",
            );
            return Err(node
                .location
                .map_or(error.clone(), |location| error.at(location)));
        }
        let inner = graph.nodes().iter().flat_map(|node| node.op.bodies());
        let depth = 1 + inner.map(Self::depth).max().unwrap_or(0);
        let outputs = graph.outputs().iter();
        let outputs = outputs.map(|&output| graph.ty(output).cloned());
        let outputs = outputs.collect::<Result<_>>()?;
        let (inputs, hash) = (graph.input_types().to_vec(), hash(&graph));
        Self::from_contents(inputs, outputs, hash, depth, Box::new(graph))
    }

    /// The graph.
    ///
    /// # Errors
    /// There is an internal error.
    pub fn graph(&self) -> Result<&Graph> {
        let graph = self.contents().downcast_ref();
        graph.ok_or_else(|| Error::internal(format!("{} is not a graph", self.print())))
    }

    /// The graph of the text that was read.
    pub(crate) fn resolved(&self) -> Result<Self> {
        match self.unread() {
            None => Ok(self.clone()),
            Some(text) => Self::new(text.parse()?),
        }
    }
}

impl Op {
    /// The same op with other graphs inside.
    ///
    /// # Errors
    /// Those of the closure, and of [`Body::new`].
    pub fn map_graphs(&self, mut map: impl FnMut(&Graph) -> Result<Graph>) -> Result<Self> {
        self.map_bodies(|body| Body::new(map(body.graph()?)?))
    }

    /// Whether a condition holds of the op, or of one in the graphs inside.
    #[inline]
    pub fn any(&self, condition: &dyn Fn(&Self) -> bool) -> bool {
        condition(self) || (matches!(self, Self::Control(_)) && self.any_inside(condition))
    }

    fn any_inside(&self, condition: &dyn Fn(&Self) -> bool) -> bool {
        let inside = |body: &&Body| {
            let graph = body.graph();
            graph.is_ok_and(|graph| graph.nodes().iter().any(|node| node.op.any(condition)))
        };
        self.bodies().iter().any(inside)
    }
}
