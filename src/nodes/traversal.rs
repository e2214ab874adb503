//! Walking a graph: what a node is made from, and the orders in which graphs are visited.
//!
//! Every walk is a loop, takes time linear in nodes and edges, and visits a node once. A walk holds on to the
//! nodes that it has seen, so their addresses stay theirs even if another thread computes the graph meanwhile.
//!
//! Source: autoray's `ascend` and `descend`; the order decides the figures of [`super::History`].

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use autojit_ir::{Op, Type};

/// A node of a walk, inputs before users.
pub(crate) struct Step {
    /// The node.
    pub(crate) node: LazyArray,
    /// The name of its function; `None` for what is not computed: variables and known values.
    pub(crate) fn_name: Option<&'static str>,
    /// Its dependencies, as positions in the walk; one that is used twice stands here twice.
    pub(crate) inputs: SmallVec<[u32; 3]>,
}

impl Step {
    /// Whether it is a variable or a known value.
    pub(crate) fn is_input(&self) -> bool {
        self.fn_name.is_none()
    }
}

/// Visits all that the roots depend on, and the roots: dependencies first, deepest first.
pub(crate) fn walk(roots: &[LazyArray]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut positions: FxHashMap<usize, u32> = FxHashMap::default();
    let mut stack: Vec<(LazyArray, Option<Look>)> = by_depth(roots.iter().cloned())
        .into_iter()
        .map(|root| (root, None))
        .collect();
    while let Some((node, look)) = stack.last_mut() {
        if positions.contains_key(&node.address()) {
            stack.pop();
            continue;
        }
        let Some(Look { fn_name, deps }) = look.take() else {
            let found = Look::at(node);
            let unvisited = |d: &&LazyArray| !positions.contains_key(&d.address());
            let waiting = by_depth(found.deps.iter().filter(unvisited).cloned());
            *look = Some(found);
            stack.extend(waiting.into_iter().map(|dep| (dep, None)));
            continue;
        };
        positions.insert(node.address(), steps.len() as u32);
        steps.push(Step {
            node: node.clone(),
            fn_name,
            inputs: deps
                .iter()
                .filter_map(|d| positions.get(&d.address()).copied())
                .collect(),
        });
        stack.pop();
    }
    steps
}

/// Sorted by depth, deepest last; equal ones stay in order.
fn by_depth(nodes: impl Iterator<Item = LazyArray>) -> SmallVec<[LazyArray; 4]> {
    let mut nodes: SmallVec<[LazyArray; 4]> = nodes.collect();
    nodes.sort_by_key(LazyArray::depth);
    nodes
}

/// The state of a node at one look; a second look might tell more, if another thread computes it.
struct Look {
    fn_name: Option<&'static str>,
    deps: SmallVec<[LazyArray; 3]>,
}

impl Look {
    fn at(node: &LazyArray) -> Self {
        match &*node.state() {
            State::Pending { op, inputs } => Self {
                fn_name: Some(op.shown_name()),
                deps: inputs
                    .iter()
                    .filter_map(LazyOperand::node)
                    .cloned()
                    .collect(),
            },
            State::Variable | State::Value(_) => Self {
                fn_name: None,
                deps: SmallVec::new(),
            },
        }
    }
}

impl LazyArray {
    /// Every node that this one depends on, and itself, dependencies before users.
    ///
    /// Of several dependencies the deepest is visited first.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// let names: Vec<_> = y.ascend().iter().map(|node| node.fn_name()).collect();
    /// assert_eq!((names.first(), names.last()), (Some(&None), Some(&Some("sum"))));
    /// ```
    #[must_use]
    pub fn ascend(&self) -> Vec<Self> {
        let steps = walk(std::slice::from_ref(self));
        steps.into_iter().map(|step| step.node).collect()
    }

    /// Itself and every node that it depends on, last dependency first.
    ///
    /// A node may come before another that uses it; [`LazyArray::ascend`] orders them.
    #[must_use]
    pub fn descend(&self) -> Vec<Self> {
        let (mut nodes, mut seen) = (Vec::new(), FxHashSet::default());
        let mut stack = vec![self.clone()];
        while let Some(node) = stack.pop() {
            if seen.insert(node.address()) {
                stack.extend(Look::at(&node).deps);
                nodes.push(node);
            }
        }
        nodes
    }

    /// The nodes that it is computed from, in the order of the arguments; one that is used twice stands here
    /// twice. Empty for variables and known values.
    ///
    /// ```
    /// use autojit::{Array, lazy, numpy as np};
    ///
    /// let x = lazy::array(&Array::from([1.0, 2.0, 3.0]));
    /// let y = np::sum(np::exp(&x) * np::sin(&x), ..);
    /// let y = y.as_lazy().unwrap();
    /// assert_eq!(y.deps()[0].fn_name(), Some("mul"));
    /// ```
    #[must_use]
    pub fn deps(&self) -> Vec<Self> {
        Look::at(self).deps.into_vec()
    }

    /// The short name of the function, as autoray prints it; `None` for variables and known values.
    #[must_use]
    pub fn fn_name(&self) -> Option<&'static str> {
        Look::at(self).fn_name
    }

    /// The op on the dependencies; `None` for variables and known values.
    #[must_use]
    pub fn op(&self) -> Option<Op> {
        match &*self.state() {
            State::Pending { op, .. } => Some(op.clone()),
            State::Variable | State::Value(_) => None,
        }
    }

    /// Whether its value is known.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        matches!(&*self.state(), State::Value(_))
    }

    /// The number of elements. For the tuple of a decomposition, as in autoray, the number of its arrays:
    /// their elements count where they are taken out.
    #[must_use]
    pub fn size(&self) -> usize {
        match self.ty() {
            // A shape that fits nowhere can still be written down.
            Type::Array(ty) => ty.shape.iter().fold(1, |n, &d| n.saturating_mul(d)),
            Type::Tuple(types) => types.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use autojit_ir::MapOp;
    use std::panic::Location;

    use smallvec::smallvec;

    use super::*;
    use crate::nodes::write as apply;
    use autojit_ir::{ArrayType, DType};

    fn x() -> LazyArray {
        LazyArray::variable(
            ArrayType::new(DType::Float64, &[]),
            Location::caller().into(),
        )
    }

    fn add(x: &LazyArray, y: &LazyArray) -> LazyArray {
        let inputs = smallvec![LazyOperand::Node(x.clone()), LazyOperand::Node(y.clone())];
        apply(Op::Map(MapOp::Add), inputs, Location::caller().into()).unwrap()
    }

    #[test]
    fn the_deepest_dependency_comes_first() {
        let (a, b) = (x(), x());
        let deep = add(&a, &a);
        let root = add(&b, &deep);
        let same = |nodes: &[LazyArray], expected: &[&LazyArray]| {
            nodes.len() == expected.len() && nodes.iter().zip(expected).all(|(x, y)| x.is_same(y))
        };
        assert!(same(&root.ascend(), &[&a, &deep, &b, &root]));
        assert!(same(&root.descend(), &[&root, &deep, &a, &b]));
        assert!(same(&deep.deps(), &[&a, &a]));
        assert_eq!((root.depth(), root.fn_name()), (2, Some("add")));
        assert_eq!((a.fn_name(), a.op(), a.deps().len()), (None, None, 0));
    }

    #[test]
    fn doubling_a_thousand_times_is_a_thousand_nodes() {
        let mut y = x();
        for _ in 0..1000 {
            y = add(&y, &y);
        }
        assert_eq!(y.ascend().len(), 1001);
        assert_eq!(y.descend().len(), 1001);
    }
}
