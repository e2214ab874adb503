//! `Recording`: what a trace writes down, and [`Traced`], an array in it.
//!
//! While a function is traced, its ops go straight into a graph, one after the other: no node of its own for each,
//! no search for equal ones, nothing to walk when the trace ends. What comes from outside of the trace is read in
//! where it meets an array of the trace: values as constants, lazy graphs as the ops they stand for.
//!
//! Requesting the history of an array of a trace gives a [`LazyArray`]: the record is turned into nodes then, once.
//!
//! A free variable, which is an argument of no trace or of one around this one, is recorded as a leaf with a type. If a
//! result depends on it, the function belongs to whatever gives that variable, and the trace fails with
//! `is_unbound_variable`; unless the trace is [closed](Recording::close): then the variable becomes one more argument, and the
//! graph may be [inlined](Recording::inline) where the variable is known.
//!
//! Invariants: values of the record never change, so an array may leave the trace and still knows what it is; the
//! lock is never held while code of a user runs.

mod nodes;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::infer::{Given, infer};
use super::node::LazyArray;
use super::sharing::{self, Storage};
use super::sites::site_of;
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, Graph, LeafOp, Op, PlainType, Scalar, Site, Type, ValueId, resolve_scalar,
};
use autojit_library::Concrete;

/// The record of a trace.
pub(crate) struct Recording {
    /// Traces that began later have larger ones.
    number: u64,
    /// Whether the function has returned: arrays of it that are still around have escaped.
    ended: AtomicBool,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    graph: Graph,
    /// Nodes and values in which they are known: those that were read in, and those that were made of values. They
    /// are kept, so that their addresses stay theirs.
    known: FxHashMap<usize, (LazyArray, ValueId)>,
    /// The other way.
    nodes: FxHashMap<ValueId, LazyArray>,
    /// Arrays that were read in, kept for the same reason.
    constants: FxHashMap<Storage, (Concrete, ValueId)>,
    /// The last types that were not those of an input; the next ones are likely among them.
    types: [Option<Arc<Type>>; 4],
    newest_type: usize,
    /// Leaves that stand for variables which are not arguments of the trace.
    free: FxHashMap<ValueId, FreeVariable>,
    /// The leaf of each array of another trace, by its recording and value.
    leaves: FxHashMap<(usize, ValueId), ValueId>,
}

/// An array of a function that is being traced.
#[derive(Clone)]
pub(crate) struct Traced {
    recording: Arc<Recording>,
    value: ValueId,
    ty: Arc<Type>,
    node: OnceLock<LazyArray>,
}

/// While this is there, the function is being traced.
pub(crate) struct UntilEnd(Weak<Recording>);

impl Drop for UntilEnd {
    fn drop(&mut self) {
        if let Some(recording) = self.0.upgrade() {
            recording.ended.store(true, Ordering::Relaxed);
        }
    }
}

/// A value of the record, and its type.
pub(crate) struct Recorded {
    value: ValueId,
    ty: Arc<Type>,
}

/// An input of an op that is written down, or a result of a trace.
#[derive(Clone, Copy)]
pub(crate) enum Input<'i> {
    /// An array of some trace.
    Traced(&'i Traced),
    /// A lazy array.
    Node(&'i LazyArray),
    /// An array with values.
    Concrete(&'i Concrete),
    /// An operation on the way to this input failed.
    Failed(&'i Error),
    /// A number, weakly typed.
    Scalar(&'i Scalar),
}

/// A variable that is not an argument of the trace.
#[derive(Clone)]
pub(crate) enum FreeVariable {
    /// A lazy one.
    Node(LazyArray),
    /// An array of a trace around this one, or of one that has ended.
    Traced(Traced),
}

impl FreeVariable {
    fn ty(&self) -> &Type {
        match self {
            Self::Node(node) => node.ty(),
            Self::Traced(traced) => traced.ty(),
        }
    }

    fn node(&self) -> &LazyArray {
        match self {
            Self::Node(node) => node,
            Self::Traced(traced) => traced.node(),
        }
    }
}

/// An input that belongs to the trace.
#[derive(Clone, Copy)]
enum Own<'i> {
    /// An array of the trace.
    Traced(&'i Traced),
    /// A number, weakly typed.
    Scalar(&'i Scalar),
}

impl Traced {
    /// The type: an array, or a tuple for the result of a decomposition.
    #[inline]
    pub(crate) fn ty(&self) -> &Type {
        &self.ty
    }

    /// Whether the function that it belongs to is still being traced.
    fn check_in_trace(&self) -> Result<()> {
        let recording = &self.recording;
        if !recording.ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        let error = Error::unbound_variable(format!(
            "the array {} of a traced function was used in another one after that function had returned: it has no value \
             there, return it or make it an argument; it escaped",
            self.ty
        ));
        let location = recording.written().graph[self.value].location;
        Err(location.map_or(error.clone(), |location| error.at(location)))
    }

    /// The nodes that it is computed from.
    pub(crate) fn node(&self) -> &LazyArray {
        self.node.get_or_init(|| self.recording.node(self.value))
    }
}

impl fmt::Debug for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "traced {}", self.ty)
    }
}

impl Recording {
    /// An empty record.
    pub(crate) fn new() -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            ended: AtomicBool::new(false),
            written: Mutex::default(),
        })
    }

    /// Marks the trace as ended once this is dropped, whether the function returns or panics.
    pub(crate) fn until_end(self: &Arc<Self>) -> UntilEnd {
        UntilEnd(Arc::downgrade(self))
    }

    /// The record to which an op on these arrays belongs: that of the innermost trace.
    #[inline(always)]
    pub(crate) fn of_newest<'i>(arrays: impl Iterator<Item = &'i Traced>) -> Option<&'i Arc<Self>> {
        let mut newest: Option<&Arc<Self>> = None;
        for traced in arrays {
            if newest.is_none_or(|newest| newest.number < traced.recording.number) {
                newest = Some(&traced.recording);
            }
        }
        newest
    }

    /// A new argument of a function that this line calls.
    pub(crate) fn argument(self: &Arc<Self>, ty: ArrayType, location: Site) -> Traced {
        let site = site_of(location);
        let mut written = self.written();
        let value = written.graph.record_input(ty, site);
        let ty = written.graph[value].ty.clone();
        drop(written);
        self.traced(Recorded { value, ty })
    }

    /// Writes down an op on the inputs that `input` gives for the positions below `count`.
    ///
    /// This and what follows is one piece with its callers: an op and an array are large, and each move of one that has
    /// just been written waits for the cache.
    ///
    /// # Errors
    /// The inputs do not fit the op, or one of them cannot be read in; the error names the op.
    #[inline(always)]
    pub(crate) fn record<'i>(
        self: &Arc<Self>,
        op: Op,
        count: usize,
        input: impl Fn(usize) -> Input<'i>,
        location: Site,
    ) -> Result<Recorded> {
        let mut own = [Own::Scalar(&Scalar::Bool(false)); 4];
        let all_own = count <= own.len()
            && own.iter_mut().enumerate().take(count).all(|(index, own)| {
                *own = match input(index) {
                    Input::Traced(traced) if self.owns(traced) => Own::Traced(traced),
                    Input::Scalar(scalar) => Own::Scalar(scalar),
                    _ => return false,
                };
                true
            });
        if all_own {
            self.record_own(op, &own[..count], location)
        } else {
            let inputs: SmallVec<[Input<'i>; 8]> = (0..count).map(input).collect();
            self.record_any(op, &inputs, location)
        }
    }

    /// Writes down an op on any number of inputs, from anywhere.
    #[inline(never)]
    fn record_any(
        self: &Arc<Self>,
        op: Op,
        inputs: &[Input<'_>],
        location: Site,
    ) -> Result<Recorded> {
        let mut read: SmallVec<[Traced; 4]> = SmallVec::new();
        for &input in inputs {
            if !matches!(input, Input::Scalar(_)) {
                read.push(match self.own(input) {
                    Some(traced) => traced.clone(),
                    None => {
                        let value = self.read(input, location);
                        self.traced(value.map_err(|e| e.in_op(op.error_name()))?)
                    }
                });
            }
        }
        let mut read = read.iter();
        let mut own: SmallVec<[Own<'_>; 8]> = SmallVec::new();
        for input in inputs {
            match input {
                Input::Scalar(scalar) => own.push(Own::Scalar(scalar)),
                _ => own.extend(read.next().map(Own::Traced)),
            }
        }
        self.record_own(op, &own, location)
    }

    #[inline(always)]
    fn record_own(
        self: &Arc<Self>,
        op: Op,
        inputs: &[Own<'_>],
        location: Site,
    ) -> Result<Recorded> {
        let given = |index: usize| match inputs[index] {
            Own::Traced(traced) => Given::Array(&traced.ty),
            Own::Scalar(scalar) => Given::Scalar(scalar),
        };
        let named = |e: Error| e.in_op(op.error_name());
        let (ty, strong) = infer(&op, inputs.len(), given).map_err(named)?;
        let site = site_of(location);
        let mut written = self.written();
        let ty = match ty {
            PlainType::Input(ty) => Arc::clone(ty),
            PlainType::Other(ty) => written.shared(ty),
        };
        let mut values: SmallVec<[ValueId; 4]> = SmallVec::new();
        for input in inputs {
            values.push(match input {
                Own::Traced(traced) => traced.value,
                Own::Scalar(scalar) => {
                    let value = resolve_scalar(&op, strong, **scalar).map_err(named)?;
                    written
                        .graph
                        .record_leaf(Op::Leaf(LeafOp::Literal { value }))
                }
            });
        }
        let (shared, site) = (Arc::clone(&ty), Some(site));
        let value = if sharing::is_on() {
            written.graph.insert(op, &values, shared, site)
        } else {
            written.graph.record(op, values, shared, site)
        };
        Ok(Recorded { value, ty })
    }

    /// The values of results. What is not of this trace is read in.
    ///
    /// # Errors
    /// One of them failed, or cannot be a constant.
    pub(crate) fn values_of<'i>(
        self: &Arc<Self>,
        results: impl IntoIterator<Item = Input<'i>>,
        location: Site,
    ) -> Result<Vec<ValueId>> {
        let value = |result| match self.own(result) {
            Some(traced) => Ok(traced.value),
            None => self.read(result, location).map(|read| read.value),
        };
        results.into_iter().map(value).collect()
    }

    /// The graph, at the end of the trace. If the arrays of the trace are gone it is not copied.
    ///
    /// # Errors
    /// A result depends on a variable that is not an argument.
    pub(crate) fn finish(self: Arc<Self>, outputs: Vec<ValueId>) -> Result<Graph> {
        let (graph, free) = self.end(outputs);
        if !free.is_empty() {
            let live = graph.live();
            let used = free.iter().find(|(value, _)| live[value.index()]);
            if let Some((_, variable)) = used {
                return Err(unbound(variable));
            }
            // The leaves of variables that nothing depends on are no arguments, and must not be taken for such.
            return Ok(graph.without_dead());
        }
        Ok(graph)
    }

    /// The graph, at the end of the trace, with each variable from elsewhere that a result depends on as an argument behind
    /// the others, and these variables.
    ///
    /// # Errors
    /// There is an internal error.
    pub(crate) fn close(
        self: Arc<Self>,
        outputs: Vec<ValueId>,
    ) -> Result<(Graph, Vec<FreeVariable>)> {
        let (mut graph, free) = self.end(outputs);
        if free.is_empty() {
            return Ok((graph, Vec::new()));
        }
        let live = graph.live();
        let mut used: Vec<(ValueId, FreeVariable)> = free.into_iter().collect();
        let all = used.len();
        used.retain(|(value, _)| live[value.index()]);
        used.sort_by_key(|(value, _)| *value);
        graph.close(&used.iter().map(|(value, _)| *value).collect::<Vec<_>>())?;
        if used.len() < all {
            // The leaves of the others are no arguments, and must not be taken for such.
            graph = graph.without_dead();
        }
        Ok((
            graph,
            used.into_iter().map(|(_, variable)| variable).collect(),
        ))
    }

    fn end(self: Arc<Self>, outputs: Vec<ValueId>) -> (Graph, FxHashMap<ValueId, FreeVariable>) {
        let (mut graph, free) = match Arc::try_unwrap(self) {
            Ok(recording) => {
                let written = recording.written.into_inner();
                let written = written.unwrap_or_else(PoisonError::into_inner);
                (written.graph, written.free)
            }
            Err(shared) => {
                let written = shared.written();
                (written.graph.clone(), written.free.clone())
            }
        };
        graph.set_outputs(outputs);
        (graph, free)
    }

    /// Writes down what a graph computes from these arrays, of which those from elsewhere are read in.
    ///
    /// # Errors
    /// An array cannot be read in, or the arrays do not have the types of the graph's arguments.
    pub(crate) fn inline<'i>(
        self: &Arc<Self>,
        graph: Cow<'_, Graph>,
        inputs: impl IntoIterator<Item = Input<'i>>,
        location: Site,
    ) -> Result<Vec<Traced>> {
        let inputs = self.values_of(inputs, location)?;
        let site = site_of(location);
        let mut written = self.written();
        let outputs = if sharing::is_on() {
            written.graph.inline(&graph, &inputs, Some(site))?
        } else {
            let graph = graph.into_owned();
            written.graph.record_all(graph, &inputs, site)?
        };
        let recorded = outputs.into_iter().map(|value| Recorded {
            value,
            ty: written.graph[value].ty.clone(),
        });
        let recorded: Vec<Recorded> = recorded.collect();
        drop(written);
        Ok(recorded
            .into_iter()
            .map(|recorded| self.traced(recorded))
            .collect())
    }

    /// A recorded value, as an array of the trace.
    #[inline(always)]
    pub(crate) fn traced(self: &Arc<Self>, Recorded { value, ty }: Recorded) -> Traced {
        Traced {
            recording: Arc::clone(self),
            value,
            ty,
            node: OnceLock::new(),
        }
    }

    #[inline]
    fn written(&self) -> MutexGuard<'_, Written> {
        // Nothing that panics half-way is done under the lock.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn owns(self: &Arc<Self>, traced: &Traced) -> bool {
        Arc::ptr_eq(&traced.recording, self)
    }

    #[inline]
    fn own<'i>(self: &Arc<Self>, input: Input<'i>) -> Option<&'i Traced> {
        match input {
            Input::Traced(traced) if self.owns(traced) => Some(traced),
            _ => None,
        }
    }

    /// An array from outside of the trace as a value of it.
    fn read(self: &Arc<Self>, input: Input<'_>, location: Site) -> Result<Recorded> {
        let value = match input {
            Input::Failed(error) => return Err(error.clone()),
            Input::Concrete(array) => self
                .read_constant(array, location)
                .map_err(|e| e.at(location))?,
            Input::Node(node) => self.read_node(node)?,
            Input::Traced(traced) => {
                traced.check_in_trace()?;
                self.free(FreeVariable::Traced(traced.clone()))?
            }
            Input::Scalar(_) => return Err(Error::internal("a number is read in as an array")),
        };
        let ty = self.written().graph[value].ty.clone();
        Ok(Recorded { value, ty })
    }

    /// A captured array as a constant, which is kept in main memory.
    fn read_constant(&self, array: &Concrete, location: Site) -> Result<ValueId> {
        let storage = Storage::of(array);
        if let Some((_, value)) = self.written().constants.get(&storage) {
            return Ok(*value);
        }
        let library = array.library();
        if !library.round_trips() {
            return Err(Error::unsupported(format!(
                "the captured array {} of the library {} cannot become a constant, pass it as an argument",
                array.ty(),
                library.name()
            )));
        }
        let host = array.to_host()?;
        let site = site_of(location);
        let mut written = self.written();
        let value = written.graph.record_constant(host, site);
        written.constants.insert(storage, (array.clone(), value));
        Ok(value)
    }

    /// A leaf for a variable that is not an argument of this trace.
    fn free(&self, variable: FreeVariable) -> Result<ValueId> {
        let ty = variable.ty().array()?.clone();
        let index = usize::MAX;
        let mut written = self.written();
        // A node is found by its address; an array of another trace by its place there.
        let key = match &variable {
            FreeVariable::Node(_) => None,
            FreeVariable::Traced(traced) => {
                Some((Arc::as_ptr(&traced.recording).addr(), traced.value))
            }
        };
        if let Some(leaf) = key.and_then(|key| written.leaves.get(&key)) {
            return Ok(*leaf);
        }
        let value = written
            .graph
            .record_leaf(Op::Leaf(LeafOp::Input { index, ty }));
        written.free.insert(value, variable);
        if let Some(key) = key {
            written.leaves.insert(key, value);
        }
        Ok(value)
    }
}

impl Written {
    /// The type, which nodes share where that is cheap to see.
    fn shared(&mut self, new: Type) -> Arc<Type> {
        if let Some(known) = self.types.iter().flatten().find(|known| ***known == new) {
            return Arc::clone(known);
        }
        let new = Arc::new(new);
        self.newest_type = (self.newest_type + 1) % self.types.len();
        self.types[self.newest_type] = Some(Arc::clone(&new));
        new
    }

    /// A node and a value are the same.
    fn know(&mut self, node: LazyArray, value: ValueId) {
        self.nodes.insert(value, node.clone());
        self.known.insert(node.address(), (node, value));
    }
}

fn unbound(variable: &FreeVariable) -> Error {
    let ty = variable.ty();
    let error = Error::unbound_variable(format!("the variable {ty} is not an argument"));
    error.at(variable.node().location())
}

#[cfg(test)]
mod tests;
