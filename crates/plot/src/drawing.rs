//! `Drawing`: the nodes of a computation, as pictures need them.

use smallvec::SmallVec;

use crate::statistics::footprint;
use autojit_ir::{Body, ControlOp, Graph, LeafOp, Op, SourceLine, Type, ValueId};

/// Where the value of a node comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given at each call.
    Variable,
    /// Known.
    Constant,
    /// Computed.
    Computed,
}

/// A node of a computation.
#[derive(Clone, Debug)]
pub struct Item {
    /// The short name of its function; of what is not computed, what it is.
    pub function: &'static str,
    /// Whether it is computed, an input or a constant.
    pub origin: Origin,
    /// Such as `f64[3,4]`.
    pub ty: String,
    /// The number of elements.
    pub size: usize,
    /// The nodes that it uses; one that is used twice stands here twice.
    pub inputs: SmallVec<[u32; 3]>,
    /// The operation with its attributes and numbers.
    pub operation: String,
    /// Where the program called for it.
    pub line: Option<SourceLine>,
    /// Whether the computation returns it.
    pub is_result: bool,
    /// The graphs inside of it, which pages open: those of loops and branches, each with its name.
    pub inside: Vec<(String, Body)>,
}

impl Item {
    /// The graphs inside of an operation, by what they are to it.
    #[must_use]
    pub fn inside(op: &Op) -> Vec<(String, Body)> {
        let Op::Control(control) = op else {
            return Vec::new();
        };
        match control {
            ControlOp::Scan { body, .. } => vec![("body".to_owned(), body.clone())],
            ControlOp::While {
                condition, body, ..
            } => vec![
                ("condition".to_owned(), condition.clone()),
                ("body".to_owned(), body.clone()),
            ],
            ControlOp::Switch { branches } => branches
                .iter()
                .enumerate()
                .map(|(i, branch)| (format!("branch {i}"), branch.clone()))
                .collect(),
        }
    }
}

/// The nodes of a computation, inputs before users: what pictures are made of.
///
/// Made from a [`Graph`], or of [`Item`]s.
///
/// ```
/// use autojit_ir::Graph;
/// use autojit_plot::Drawing;
///
/// let graph: Graph = "%x = input index=0 ty=f64[3]\n%y = exp %x\nreturn %y".parse()?;
/// let svg = Drawing::from(&graph).circuit().to_svg();
/// assert!(svg.contains("exp"));
/// # Ok::<(), autojit_ir::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Inputs before users.
    pub items: Vec<Item>,
}

fn elements(ty: &Type) -> usize {
    let sizes = ty.arrays().iter().map(autojit_ir::ArrayType::size);
    sizes.fold(0, usize::saturating_add)
}

impl From<&Graph> for Drawing {
    fn from(graph: &Graph) -> Self {
        let line = |value: ValueId| graph[value].location.map(SourceLine::from);
        Self::of_graph(graph, line)
    }
}

impl Drawing {
    /// A drawing of these nodes, inputs before users.
    #[must_use]
    pub fn new(items: Vec<Item>) -> Self {
        Self { items }
    }

    /// The nodes that the results depend on. Numbers stand in the operations that use them.
    pub fn of_graph(graph: &Graph, line: impl Fn(ValueId) -> Option<SourceLine>) -> Self {
        let live = graph.live();
        let mut places = vec![None; live.len()];
        let mut items: Vec<Item> = Vec::new();
        for value in graph.values().filter(|v| live[v.index()]) {
            let node = &graph[value];
            let (function, origin) = match &node.op {
                Op::Leaf(LeafOp::Literal { .. }) if !graph.outputs().contains(&value) => continue,
                Op::Leaf(LeafOp::Literal { .. }) => ("constant", Origin::Constant),
                Op::Leaf(LeafOp::Input { .. }) => ("variable", Origin::Variable),
                Op::Leaf(LeafOp::Constant { .. }) => ("constant", Origin::Constant),
                op => (op.shown_name(), Origin::Computed),
            };
            let mut operation = node.op.summary();
            for &input in &node.inputs {
                if let Op::Leaf(LeafOp::Literal { value }) = &graph[input].op {
                    operation.push_str(&format!(" {value}"));
                }
            }
            places[value.index()] = Some(items.len() as u32);
            items.push(Item {
                function,
                origin,
                ty: node.ty.to_string(),
                size: elements(&node.ty),
                inputs: node
                    .inputs
                    .iter()
                    .filter_map(|i| places[i.index()])
                    .collect(),
                operation,
                line: line(value),
                is_result: false,
                inside: Item::inside(&node.op),
            });
        }
        for output in graph.outputs() {
            if let Some(place) = places[output.index()] {
                items[place as usize].is_result = true;
            }
        }
        Self { items }
    }

    /// The number of nodes.
    #[must_use]
    pub fn num_nodes(&self) -> usize {
        self.items.len()
    }

    /// The elements that are held after each step, with inputs; see [`footprint`].
    pub fn held_after_each_step(&self) -> Vec<usize> {
        let steps = self.items.iter();
        let steps =
            steps.map(|item| (item.size, item.origin != Origin::Computed, &item.inputs[..]));
        footprint(steps, true)
    }

    /// For each node the position of the last one that uses it; results are used at the end.
    pub fn last_uses(&self) -> Vec<usize> {
        let end = self.items.len();
        let mut last: Vec<usize> = (0..end).collect();
        for (position, item) in self.items.iter().enumerate() {
            for &input in &item.inputs {
                last[input as usize] = position;
            }
        }
        for (last, item) in last.iter_mut().zip(&self.items) {
            if item.is_result {
                *last = end;
            }
        }
        last
    }
}
