//! Sharing of repeated intermediates while lazy arrays are written down.
//!
//! Inside a scope ([`shared_intermediates`], or a [`SharedIntermediates`] guard), writing down an equal op on
//! equal inputs again gives the node from before, and so does reading the same array in again. Inner scopes
//! join the outer one; what was shared is forgotten when the outermost ends.
//!
//! Invariants: a scope belongs to its thread. Keys are compared by value, never by hash alone: ops by their
//! attributes, nodes by identity, scalars by class and bits, so `x*2` and `x*2.0`, or `0.0` and `-0.0`, stay
//! apart. The cache keeps all that its keys name alive, so that no address in a key can be used again.
//! Outside of a scope the cost is one look at a thread-local number.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::node::{LazyArray, LazyOperand, State};
use autojit_ir::{ArrayType, Op, Site, Steps, Type, dispatch_host};
use autojit_library::Concrete;

thread_local! {
    static SCOPES: Cell<usize> = const { Cell::new(0) };
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache::new()) };
}

/// Runs `f` with sharing of repeated intermediates on this thread.
///
/// ```
/// use autojit::{lazy, numpy as np, DType};
///
/// let x = lazy::variable(&[2], DType::Float64);
/// let y = lazy::shared_intermediates(|| np::add(np::tanh(&x), np::tanh(&x)));
/// assert_eq!(y.as_lazy().unwrap().history_num_nodes(), 3);
/// ```
///
/// Source: autoray's `shared_intermediates`.
pub fn shared_intermediates<T>(f: impl FnOnce() -> T) -> T {
    let _scope = SharedIntermediates::new();
    f()
}

/// Shares repeated intermediates on this thread until the guard is dropped; see [`shared_intermediates`].
///
/// ```
/// use autojit::{lazy, numpy as np, DType};
///
/// let x = lazy::variable(&[2], DType::Float64);
/// let sharing = lazy::share_intermediates();
/// let (a, b) = (np::tanh(&x), np::tanh(&x));
/// drop(sharing);
/// assert!(a.as_lazy().unwrap().is_same(b.as_lazy().unwrap()));
/// ```
pub fn share_intermediates() -> SharedIntermediates {
    SharedIntermediates::new()
}

/// A scope in which repeated intermediates are shared; it ends when the guard is dropped, also by a panic.
#[must_use = "sharing ends when the guard is dropped"]
#[derive(Debug)]
pub struct SharedIntermediates {
    /// A guard counts scopes of its own thread, so it must not leave it.
    not_send: PhantomData<*const ()>,
}

impl SharedIntermediates {
    /// Begins a scope.
    pub fn new() -> Self {
        SCOPES.set(SCOPES.get() + 1);
        Self {
            not_send: PhantomData,
        }
    }
}

impl Default for SharedIntermediates {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SharedIntermediates {
    fn drop(&mut self) {
        SCOPES.set(SCOPES.get() - 1);
        if SCOPES.get() == 0 {
            // Taken out before it is dropped: dropping nodes must not meet the borrowed cache.
            let forgotten = CACHE.try_with(|cache| cache.replace(Cache::new()));
            drop(forgotten);
        }
    }
}

/// Whether repeated intermediates are shared on this thread.
#[inline]
pub(super) fn is_on() -> bool {
    SCOPES.get() != 0
}

/// A node for the op, or the equal one from before.
pub(super) fn intern(
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    ty: Arc<Type>,
    location: Site,
) -> LazyArray {
    if !is_on() {
        return LazyArray::new(ty, State::Pending { op, inputs }, location);
    }
    CACHE.with_borrow_mut(|cache| cache.intern(op, inputs, ty, location))
}

impl LazyArray {
    /// A leaf with a known value; in a sharing scope, the one that the same array gave before.
    pub(crate) fn from_concrete(value: Concrete, location: Site) -> Self {
        if !is_on() {
            return Self::known(value, location);
        }
        CACHE.with_borrow_mut(|cache| cache.intern_leaf(value, location))
    }
}

struct Cache {
    nodes: HashTable<Entry>,
    leaves: HashTable<(Storage, LazyArray)>,
}

/// A node with what it was made from: once computed it does not know that any more.
struct Entry {
    op: Op,
    inputs: SmallVec<[LazyOperand; 3]>,
    node: LazyArray,
}

/// The identity of an array: they read the same memory in the same way.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Storage {
    first: usize,
    ty: ArrayType,
    strides: Steps,
}

impl Storage {
    pub(super) fn of(array: &Concrete) -> Self {
        match array {
            Concrete::Ndarray(host) => Self {
                first: host.as_ptr().addr(),
                ty: host.ty(),
                strides: dispatch_host!(host, a => Steps::from_slice(a.strides())),
            },
            Concrete::Foreign(foreign) => Self {
                first: std::sync::Arc::as_ptr(foreign).addr(),
                ty: foreign.ty().clone(),
                strides: Steps::new(),
            },
        }
    }
}

impl Cache {
    const fn new() -> Self {
        Self {
            nodes: HashTable::new(),
            leaves: HashTable::new(),
        }
    }

    fn intern(
        &mut self,
        op: Op,
        inputs: SmallVec<[LazyOperand; 3]>,
        ty: Arc<Type>,
        location: Site,
    ) -> LazyArray {
        let hash = hash_op(&op, &inputs);
        let equal =
            |e: &Entry| e.op == op && same_inputs(&e.inputs, &inputs) && *e.node.ty() == *ty;
        if let Some(found) = self.nodes.find(hash, equal) {
            return found.node.clone();
        }
        let state = State::Pending {
            op: op.clone(),
            inputs: inputs.clone(),
        };
        let node = LazyArray::new(ty, state, location);
        let entry = Entry {
            op,
            inputs,
            node: node.clone(),
        };
        self.nodes
            .insert_unique(hash, entry, |e| hash_op(&e.op, &e.inputs));
        node
    }

    fn intern_leaf(&mut self, value: Concrete, location: Site) -> LazyArray {
        let storage = Storage::of(&value);
        let hash = hash_of(&storage);
        if let Some((_, found)) = self.leaves.find(hash, |(s, _)| *s == storage) {
            return found.clone();
        }
        let leaf = LazyArray::known(value, location);
        self.leaves
            .insert_unique(hash, (storage, leaf.clone()), |(s, _)| hash_of(s));
        leaf
    }
}

fn same_inputs(x: &[LazyOperand], y: &[LazyOperand]) -> bool {
    let same = |(a, b): (&LazyOperand, &LazyOperand)| match (a, b) {
        (LazyOperand::Node(a), LazyOperand::Node(b)) => a.is_same(b),
        (LazyOperand::Scalar(a), LazyOperand::Scalar(b)) => a == b,
        _ => false,
    };
    x.len() == y.len() && x.iter().zip(y).all(same)
}

fn hash_of(key: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

fn hash_op(op: &Op, inputs: &[LazyOperand]) -> u64 {
    let mut hasher = FxHasher::default();
    op.hash(&mut hasher);
    for input in inputs {
        match input {
            LazyOperand::Node(node) => node.address().hash(&mut hasher),
            LazyOperand::Scalar(scalar) => scalar.hash(&mut hasher),
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use autojit_ir::MapOp;
    use smallvec::smallvec;

    use super::*;
    use crate::nodes::write as apply;
    use autojit_ir::{DType, HostArray, Scalar};

    fn here() -> Site {
        std::panic::Location::caller().into()
    }

    fn x() -> LazyArray {
        LazyArray::variable(ArrayType::new(DType::Float64, &[2]), here())
    }

    fn scaled(x: &LazyArray, scalar: impl Into<Scalar>) -> LazyArray {
        let inputs = smallvec![
            LazyOperand::Node(x.clone()),
            LazyOperand::Scalar(scalar.into())
        ];
        apply(Op::Map(MapOp::Multiply), inputs, here()).unwrap()
    }

    fn cache_size() -> usize {
        CACHE.with_borrow(|c| c.nodes.len() + c.leaves.len())
    }

    #[test]
    fn equal_ops_on_equal_inputs_are_one_node_inside_a_scope_only() {
        let (x, y) = (x(), x());
        assert!(!scaled(&x, 2).is_same(&scaled(&x, 2)));
        shared_intermediates(|| {
            assert!(scaled(&x, 2).is_same(&scaled(&x, 2)));
            assert!(!scaled(&x, 2).is_same(&scaled(&y, 2)));
            assert!(!scaled(&x, 2).is_same(&scaled(&x, 2.0)));
            assert!(!scaled(&x, 0.0).is_same(&scaled(&x, -0.0)));
            assert!(scaled(&x, f64::NAN).is_same(&scaled(&x, f64::NAN)));
            assert!(!scaled(&x, 1).is_same(&scaled(&x, true)));
        });
        assert!(!scaled(&x, 2).is_same(&scaled(&x, 2)));
        assert_eq!(cache_size(), 0);
    }

    #[test]
    fn keys_compare_values_when_hashes_collide() {
        // Every entry goes to one hash, so only the comparison of values keeps them apart.
        let mut table: HashTable<Entry> = HashTable::new();
        let x = x();
        for scalar in [Scalar::Int(-1), Scalar::Int(-2), Scalar::Float(-2.0)] {
            let inputs: SmallVec<[LazyOperand; 3]> =
                smallvec![LazyOperand::Node(x.clone()), LazyOperand::Scalar(scalar)];
            let equal = |e: &Entry| same_inputs(&e.inputs, &inputs);
            assert!(table.find(0, equal).is_none());
            let entry = Entry {
                op: Op::Map(MapOp::Multiply),
                inputs,
                node: x.clone(),
            };
            table.insert_unique(0, entry, |_| 0);
        }
    }

    #[test]
    fn inner_scopes_join_the_outer_one() {
        let x = x();
        let outer = share_intermediates();
        let before = scaled(&x, 2);
        let inside = shared_intermediates(|| {
            assert!(scaled(&x, 2).is_same(&before));
            scaled(&x, 3)
        });
        assert!(scaled(&x, 3).is_same(&inside));
        drop(outer);
        assert!(!scaled(&x, 3).is_same(&inside));
    }

    #[test]
    fn a_panic_ends_the_scope() {
        let result = std::panic::catch_unwind(|| shared_intermediates(|| std::panic::panic_any(1)));
        assert!(result.is_err());
        assert_eq!((SCOPES.get(), cache_size()), (0, 0));
    }

    #[test]
    fn scopes_belong_to_their_thread() {
        let _scope = share_intermediates();
        let x = x();
        let here = scaled(&x, 2);
        let there = std::thread::scope(|s| {
            s.spawn(|| {
                assert!(!scaled(&x, 2).is_same(&scaled(&x, 2)));
                scaled(&x, 2)
            })
            .join()
            .unwrap()
        });
        assert!(!here.is_same(&there));
    }

    #[test]
    fn leaves_of_one_array_are_one_node() {
        let data = HostArray::from_scalars(
            &ArrayType::new(DType::Float64, &[2, 2]),
            &[1.0, 2.0, 3.0, 4.0].map(Scalar::Float),
        )
        .unwrap();
        let HostArray::Float64(a) = &data else {
            unreachable!("it was made so");
        };
        let transposed =
            HostArray::Float64(a.viewed(|view| view.permuted_axes(ndarray::IxDyn(&[1, 0]))));
        let equal = HostArray::from(a.to_owned());
        let leaf = |x: &HostArray| LazyArray::from_concrete(Concrete::Ndarray(x.clone()), here());
        assert!(!leaf(&data).is_same(&leaf(&data)));
        let _scope = share_intermediates();
        assert!(leaf(&data).is_same(&leaf(&data)));
        assert!(!leaf(&data).is_same(&leaf(&transposed)));
        assert!(!leaf(&data).is_same(&leaf(&equal)));
    }

    #[test]
    fn what_a_key_names_stays_alive() {
        let _scope = share_intermediates();
        let addresses: Vec<usize> = (0..100)
            .map(|_| {
                let x = x();
                let _ = scaled(&x, 2);
                x.address()
            })
            .collect();
        let mut distinct = addresses.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), addresses.len());
    }
}
