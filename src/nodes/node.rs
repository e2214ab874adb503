//! `LazyArray`: the node of a lazy graph.
//!
//! Invariants: a node's type and depth never change; once it has a value it holds no references to other
//! nodes; dropping a node of any depth uses constant stack. Nodes are shared between threads, so the part
//! that changes is behind a lock, which is never held while another node's is taken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Op, Scalar, Site, Type};
use autojit_library::{Concrete, Results};

/// A computation that was written down but not yet run.
#[derive(Clone)]
pub struct LazyArray(Arc<Node>);

struct Node {
    ty: Arc<Type>,
    depth: u32,
    location: Site,
    state: Mutex<State>,
}

/// The part of a node that changes when it is computed.
#[derive(Clone)]
pub(crate) enum State {
    /// To be given at each call.
    Variable,
    /// To be computed.
    Pending {
        /// The op.
        op: Op,
        /// To what.
        inputs: SmallVec<[LazyOperand; 3]>,
    },
    /// Known: one array, or those of a tuple.
    Value(Results),
}

/// An input of a node.
#[derive(Clone)]
pub(crate) enum LazyOperand {
    /// Another node.
    Node(LazyArray),
    /// A number, weakly typed. It is not a node of its own.
    Scalar(Scalar),
}

impl LazyOperand {
    /// The node, unless it is a number.
    pub(crate) fn node(&self) -> Option<&LazyArray> {
        match self {
            Self::Node(node) => Some(node),
            Self::Scalar(_) => None,
        }
    }

    fn into_node(self) -> Option<LazyArray> {
        match self {
            Self::Node(node) => Some(node),
            Self::Scalar(_) => None,
        }
    }
}

impl LazyArray {
    /// A node of any state; its depth follows from its inputs.
    pub(crate) fn new(ty: Arc<Type>, state: State, location: Site) -> Self {
        let depth = match &state {
            State::Pending { inputs, .. } => inputs
                .iter()
                .filter_map(LazyOperand::node)
                .map(|n| n.0.depth + 1)
                .max()
                .unwrap_or(0),
            State::Variable | State::Value(_) => 0,
        };
        Self(Arc::new(Node {
            ty,
            depth,
            location,
            state: Mutex::new(state),
        }))
    }

    /// A new leaf with a known value.
    pub(super) fn known(value: Concrete, location: Site) -> Self {
        Self::new(
            Arc::new(value.ty().into()),
            State::Value(Results::from_iter([value])),
            location,
        )
    }

    /// A leaf without a value.
    pub(crate) fn variable(ty: ArrayType, location: Site) -> Self {
        Self::new(Arc::new(ty.into()), State::Variable, location)
    }

    /// The type: an array, or a tuple for the node of a decomposition.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.0.ty
    }

    /// The type, which nodes share.
    pub(crate) fn shared_ty(&self) -> &Arc<Type> {
        &self.0.ty
    }

    /// The longest way to a leaf, in nodes.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.depth as usize
    }

    /// Where in the user's source it was made.
    #[must_use]
    pub fn location(&self) -> Site {
        self.0.location
    }

    /// Whether both are the same node.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number that no other living node has.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Locks the part that changes. Never hold two of these at once.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held leaves the state whole: it is only ever replaced at once.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the node its value and lets go of its inputs. If it has a value, that stays: what follows may
    /// have been computed from it.
    pub(crate) fn set_value(&self, value: Results) {
        let mut state = self.state();
        if matches!(*state, State::Value(_)) {
            return;
        }
        let old = std::mem::replace(&mut *state, State::Value(value));
        drop(state);
        // Dropped here, after the lock: it may be the last owner of a long chain.
        if let State::Pending { inputs, .. } = old {
            drop_all(
                inputs
                    .into_iter()
                    .filter_map(LazyOperand::into_node)
                    .collect(),
            );
        }
    }

    /// The value, if it is known.
    pub(crate) fn value(&self) -> Option<Results> {
        match &*self.state() {
            State::Value(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// The value, if it is known and is one array.
    pub(crate) fn concrete(&self) -> Result<Concrete> {
        let value = self.value().and_then(|mut v| v.pop());
        value
            .ok_or_else(|| Error::unbound_variable("the variable has no value").at(self.location()))
    }
}

/// Nodes that are yet to be dropped; of most graphs a few at a time.
type Waiting = SmallVec<[LazyArray; 8]>;

/// Drops nodes with a loop, because chains are as long as programs.
fn drop_all(mut nodes: Waiting) {
    while let Some(mut node) = nodes.pop() {
        // The last owner takes the inputs out first, so that the node itself has nothing to drop. Of two owners that
        // go at the same time neither may be it; the node then takes the way of its own `drop`.
        if let Some(inner) = Arc::get_mut(&mut node.0) {
            inner.take_inputs(&mut nodes);
        }
    }
}

impl Node {
    fn take_inputs(&mut self, nodes: &mut Waiting) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Pending { inputs, .. } = state {
            for input in inputs.drain(..) {
                if let LazyOperand::Node(node) = input {
                    nodes.push(node);
                }
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut nodes = Waiting::new();
        self.take_inputs(&mut nodes);
        drop_all(nodes);
    }
}

impl std::fmt::Debug for LazyArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "lazy {}, at {}", self.0.ty, self.0.location)
    }
}
