//! `Graph`: a program as a dense list of nodes.
//!
//! Invariants, checked by [`Graph::verify`]: a node's inputs come before it; every type is what inference gives.
//! Nodes are never removed: passes build a new graph (see [`crate::transform::simplify`]), or leave out what is dead.
//!
//! A trace is *recorded* ([`Graph::record`]): as it was written down, equal nodes apart. The optimiser shares them, so in
//! its results, and in every graph that [`Graph::push`] built, equal nodes (same op, same inputs) are one node, which
//! [`Graph::verify_shared`] checks. Sharing compares values, never only hashes.

use std::sync::Arc;

use smallvec::SmallVec;

use super::constants::Constants;
use super::equal_nodes::EqualNodes;
use super::host::HostArray;
use super::infer::Signature;
use super::node::{Node, ValueId};
use super::op::{LeafOp, Op};
use super::scalar::{Literal, Scalar};
use super::site::{Site, SourceLine};
use super::types::{ArrayType, DType, Type};
use crate::error::{Error, Result};

/// A program.
#[derive(Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    /// The nodes by what they do; made when it is first asked for.
    shared: Option<EqualNodes>,
    inputs: Vec<ArrayType>,
    constants: Constants,
    outputs: Vec<ValueId>,
    /// Whether a node was ever added whose op may have graphs inside: a loop, a branch, or a function.
    has_nested: bool,
    /// The types of 0-d arrays, by dtype.
    scalar_types: [Option<Arc<Type>>; DType::ALL.len()],
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All nodes, inputs before users.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = ValueId> + use<> {
        (0..self.nodes.len() as u32).map(ValueId)
    }

    /// The types of the arguments.
    #[must_use]
    pub fn input_types(&self) -> &[ArrayType] {
        &self.inputs
    }

    /// The array constants.
    #[must_use]
    pub fn constants(&self) -> &[HostArray] {
        self.constants.arrays()
    }

    /// The results, in order; they may repeat.
    #[must_use]
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// Sets the results.
    pub fn set_outputs(&mut self, outputs: Vec<ValueId>) {
        self.outputs = outputs;
    }

    /// The array type of a value.
    ///
    /// # Errors
    /// The value is a tuple.
    #[inline]
    pub fn ty(&self, value: ValueId) -> Result<&ArrayType> {
        self[value].ty.array()
    }

    /// The literal that a value is, if it is one.
    #[must_use]
    pub fn as_literal(&self, value: ValueId) -> Option<Literal> {
        match self[value].op {
            Op::Leaf(LeafOp::Literal { value }) => Some(value),
            _ => None,
        }
    }

    /// Adds an argument.
    pub fn add_input(&mut self, ty: ArrayType) -> ValueId {
        let index = self.inputs.len();
        self.inputs.push(ty.clone());
        self.push_leaf(Op::Leaf(LeafOp::Input { index, ty }))
    }

    /// Adds the argument of the given number, whose type must be known already.
    pub(super) fn add_input_node(&mut self, index: usize, ty: &ArrayType) -> Result<ValueId> {
        if index == self.inputs.len() {
            return Ok(self.add_input(ty.clone()));
        }
        if self.inputs.get(index) == Some(ty) {
            return Ok(self.push_leaf(Op::Leaf(LeafOp::Input {
                index,
                ty: ty.clone(),
            })));
        }
        Err(Error::value(format!(
            "input number {index} of type {ty} is out of order"
        )))
    }

    /// Adds an array constant; one with the same bits is shared.
    pub fn add_constant(&mut self, array: HostArray) -> ValueId {
        if array.shape().is_empty()
            && let [value] = *array.to_scalars().as_slice()
        {
            return self.add_literal(value, array.dtype());
        }
        let ty = array.ty();
        let index = self.constants.add(array);
        self.push_leaf(Op::Leaf(LeafOp::Constant { index, ty }))
    }

    /// Adds a constant of another graph; one with the same bits is shared.
    pub(super) fn adopt_constant(&mut self, others: &Constants, index: usize) -> ValueId {
        let array = &others.arrays()[index];
        if array.shape().is_empty() {
            return self.add_constant(array.clone());
        }
        let ty = array.ty();
        let index = self.constants.adopt(others, index);
        self.push_leaf(Op::Leaf(LeafOp::Constant { index, ty }))
    }

    /// Adds a 0-d constant.
    pub fn add_literal(&mut self, value: impl Into<Scalar>, dtype: DType) -> ValueId {
        self.push_leaf(Op::Leaf(LeafOp::Literal {
            value: Literal::new(value, dtype),
        }))
    }

    fn push_leaf(&mut self, op: Op) -> ValueId {
        let ty = self.type_of_leaf(&op);
        self.insert(op, &[], ty, None)
    }

    /// Adds a node, or gives the equal one that is already there.
    ///
    /// # Errors
    /// The inputs do not fit the op.
    pub fn push(&mut self, op: Op, inputs: &[ValueId], location: Option<Site>) -> Result<ValueId> {
        let ty = self.infer(&op, inputs)?.result;
        Ok(self.insert(op, inputs, ty.into(), location))
    }

    /// The signature of an op applied to values of this graph.
    ///
    /// # Errors
    /// The inputs do not fit the op.
    pub fn infer(&self, op: &Op, inputs: &[ValueId]) -> Result<Signature> {
        let types: SmallVec<[&Type; 4]> = inputs.iter().map(|&i| &*self[i].ty).collect();
        op.infer(&types)
    }

    /// Adds a node whose type is known, or gives the equal one that is already there.
    pub fn insert(
        &mut self,
        op: Op,
        inputs: &[ValueId],
        ty: Arc<Type>,
        location: Option<Site>,
    ) -> ValueId {
        match self.find_or_add(&op, inputs) {
            Ok(found) => found,
            Err(value) => {
                self.append(Node {
                    op,
                    inputs: SmallVec::from_slice(inputs),
                    ty,
                    location,
                });
                value
            }
        }
    }

    /// The node with this op and these inputs; where there is none, the number of the next node, which is to be pushed now.
    #[inline]
    fn find_or_add(&mut self, op: &Op, inputs: &[ValueId]) -> Result<ValueId, ValueId> {
        let Self { nodes, shared, .. } = self;
        let shared = shared.get_or_insert_with(|| EqualNodes::of(nodes, nodes.capacity()));
        let vacancy = match shared.find(nodes, op, inputs) {
            Ok(found) => return Ok(found),
            Err(vacancy) => vacancy,
        };
        shared.add(nodes, vacancy);
        Err(ValueId(nodes.len() as u32))
    }

    /// The same for what is a node already.
    #[inline]
    pub fn insert_node(&mut self, node: Node) -> ValueId {
        match self.find_or_add(&node.op, &node.inputs) {
            Ok(found) => found,
            Err(value) => {
                self.append(node);
                value
            }
        }
    }

    #[inline]
    fn append(&mut self, node: Node) {
        self.has_nested |= matches!(node.op, Op::Control(_) | Op::Opaque { .. });
        self.nodes.push(node);
    }

    /// Whether a condition holds for an op of this graph, or of one inside of it, that may have graphs inside: a loop, a branch,
    /// or a function. Most graphs have none, and are not looked through.
    pub(super) fn any_nested(&self, condition: impl Fn(&Op) -> bool) -> bool {
        self.has_nested && self.nodes.iter().any(|node| node.op.any(&condition))
    }

    /// A type, which is shared if it is that of 0-d arrays.
    pub fn shared_type(&mut self, ty: Type) -> Arc<Type> {
        match &ty {
            Type::Array(array) if array.shape.is_empty() => {
                let known = &mut self.scalar_types[array.dtype as usize];
                known.get_or_insert_with(|| Arc::new(ty)).clone()
            }
            _ => Arc::new(ty),
        }
    }

    /// Adds a node whose type is known, whether an equal one is there or not: the way of traces, in which looking
    /// for one would be most of the work.
    #[inline]
    pub fn record(
        &mut self,
        op: Op,
        inputs: SmallVec<[ValueId; 4]>,
        ty: Arc<Type>,
        location: Option<Site>,
    ) -> ValueId {
        let Self { nodes, shared, .. } = self;
        let value = ValueId(nodes.len() as u32);
        let node = Node {
            op,
            inputs,
            ty,
            location,
        };
        if let Some(shared) = shared {
            shared.add_any(nodes, &node);
        }
        self.append(node);
        value
    }

    /// Appends a node that is equal to no other one, and by which no other one is replaced.
    pub(super) fn push_apart(&mut self, node: Node) -> ValueId {
        let value = ValueId(self.nodes.len() as u32);
        if let Some(shared) = &mut self.shared {
            shared.add_apart();
        }
        self.append(node);
        value
    }

    /// Makes room for so many more nodes: to grow the list step by step would copy it again and again.
    pub(super) fn reserve(&mut self, more: usize) {
        self.nodes.reserve(more);
    }

    /// Records an argument of a function that a line calls.
    pub fn record_input(&mut self, ty: ArrayType, location: Site) -> ValueId {
        let index = self.inputs.len();
        self.inputs.push(ty.clone());
        let value = self.record_leaf(Op::Leaf(LeafOp::Input { index, ty }));
        self.locate(value, Some(location));
        value
    }

    /// Records an array constant that a line reads in.
    pub fn record_constant(&mut self, array: HostArray, location: Site) -> ValueId {
        let ty = array.ty();
        let index = self.constants.record(array);
        let value = self.record_leaf(Op::Leaf(LeafOp::Constant { index, ty }));
        self.locate(value, Some(location));
        value
    }

    /// Records an array constant of another graph, whatever it is equal to.
    pub(super) fn carry_constant(&mut self, array: HostArray) -> ValueId {
        let ty = array.ty();
        let index = self.constants.record(array);
        self.record_leaf(Op::Leaf(LeafOp::Constant { index, ty }))
    }

    /// Records a leaf.
    pub fn record_leaf(&mut self, op: Op) -> ValueId {
        let ty = self.type_of_leaf(&op);
        self.record(op, SmallVec::new(), ty, None)
    }

    /// Says which line a node comes from, unless that is known: the first one stays.
    pub(super) fn locate(&mut self, value: ValueId, location: Option<Site>) {
        let known = &mut self.nodes[value.index()].location;
        *known = known.or(location);
    }

    /// Makes the next argument of a leaf that has no number yet.
    pub(super) fn close_leaf(&mut self, leaf: ValueId, ty: ArrayType) -> Result<()> {
        let next = self.inputs.len();
        match &mut self.nodes[leaf.index()].op {
            Op::Leaf(LeafOp::Input { index, .. }) if *index >= next => *index = next,
            other => return Err(Error::internal(format!("{other} is not a free variable"))),
        }
        self.inputs.push(ty);
        // It finds nodes by what they were.
        self.shared = None;
        Ok(())
    }

    fn type_of_leaf(&mut self, op: &Op) -> Arc<Type> {
        match op {
            Op::Leaf(LeafOp::Input { ty, .. } | LeafOp::Constant { ty, .. }) => {
                Arc::new(ty.clone().into())
            }
            Op::Leaf(LeafOp::Literal { value }) => {
                self.shared_type(ArrayType::scalar(value.dtype).into())
            }
            other => unreachable!("{other} is not a leaf; this is a bug in autojit"),
        }
    }

    /// An empty graph with the same arguments, and room for as many nodes; constants follow as they are used.
    #[must_use]
    pub fn same_inputs(&self) -> Self {
        let mut graph = Self::new();
        // A rebuild is about as long, or a little longer by nodes that are dead in the end. To grow the table step by step is most of
        // its time, and to copy a long list once is some of it.
        let room = self.nodes.len() + self.nodes.len() / 4;
        graph.nodes.reserve(room);
        graph.shared = Some(EqualNodes::with_capacity(room));
        for ty in &self.inputs {
            graph.add_input(ty.clone());
        }
        graph
    }

    /// The same graph with other ops that take and give the same types. Nodes keep their numbers.
    #[must_use]
    pub fn map_ops(&self, mut op: impl FnMut(&Op) -> Op) -> Self {
        let mut graph = self.clone();
        for node in &mut graph.nodes {
            node.op = op(&node.op);
        }
        // The new ops may be anything.
        graph.has_nested = true;
        graph.shared = None;
        graph
    }

    /// Nodes, constants and results.
    pub fn into_parts(self) -> (Vec<Node>, Constants, Vec<ValueId>) {
        (self.nodes, self.constants, self.outputs)
    }

    /// Leaves out the nodes and constants that the results do not depend on; arguments stay, and placeholders that
    /// [`close`](Self::close) did not make arguments do not.
    pub fn without_dead(mut self) -> Self {
        let (live, arguments) = (self.live(), self.inputs.len());
        let stays = |(node, &live): (&Node, &bool)| {
            live || matches!(node.op, Op::Leaf(LeafOp::Input { index, .. }) if index < arguments)
        };
        if self.nodes.iter().zip(&live).all(stays) {
            return self;
        }
        let mut map = vec![ValueId(u32::MAX); self.nodes.len()];
        let mut constants: Vec<usize> = Vec::new();
        let (mut old, mut kept) = (0, 0);
        self.nodes.retain_mut(|node| {
            let stays = stays((node, &live[old]));
            if stays {
                for input in &mut node.inputs {
                    *input = map[input.index()];
                }
                if let Op::Leaf(LeafOp::Constant { index, .. }) = &mut node.op {
                    constants.push(*index);
                    *index = constants.len() - 1;
                }
                map[old] = ValueId(kept);
                kept += 1;
            }
            old += 1;
            stays
        });
        for output in &mut self.outputs {
            *output = map[output.index()];
        }
        self.constants = self.constants.select(&constants);
        // It names nodes and constants by the numbers that they had.
        self.shared = None;
        self
    }

    /// Which nodes the results depend on.
    #[must_use]
    pub fn live(&self) -> Vec<bool> {
        self.live_beyond(|_| false)
    }

    /// Which nodes the results depend on, where what is known depends on nothing.
    pub(crate) fn live_beyond(&self, is_known: impl Fn(ValueId) -> bool) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for output in &self.outputs {
            live[output.index()] = true;
        }
        for value in self.values().rev() {
            if live[value.index()] && !is_known(value) {
                for input in &self[value].inputs {
                    live[input.index()] = true;
                }
            }
        }
        live
    }

    /// Which inputs are among the live nodes.
    pub(crate) fn live_inputs(&self, live: &[bool]) -> Vec<bool> {
        let mut read = vec![false; self.inputs.len()];
        for (node, live) in self.nodes.iter().zip(live) {
            if let Op::Leaf(LeafOp::Input { index, .. }) = &node.op {
                read[*index] |= live;
            }
        }
        read
    }
}

impl std::ops::Index<ValueId> for Graph {
    type Output = Node;

    fn index(&self, value: ValueId) -> &Node {
        &self.nodes[value.index()]
    }
}

/// The line of each node of a graph that was traced here.
pub fn source_lines(graph: &Graph) -> Vec<Option<SourceLine>> {
    let line = |node: &Node| node.location.map(SourceLine::from);
    graph.nodes().iter().map(line).collect()
}
