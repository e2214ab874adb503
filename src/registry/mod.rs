//! Functions that users registered: in place of NumPy's for a library, new ones, and compositions.
//!
//! They take effect at once, for calls by name, typed functions, operators and methods alike, also inside lazy
//! graphs that were written down before: a replaced op is looked up when it runs. While nothing is registered
//! that costs one relaxed load.
//!
//! Invariants: one lock guards all of it and is never held while a user's function runs, so functions may
//! register others and call anything. While a replacement runs, the function that it replaces is back in its
//! place on that thread, so a replacement may call it without calling itself. Names are never forgotten.

mod arguments;
mod batches;
mod call;
mod opaque;
mod outcome;
mod spelling;
mod trace;

use std::cell::RefCell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use crate::array::Repr;
use crate::like::Place;
use crate::{Array, Operand, Value};
use autojit_ir::error::{Error, Result};
use autojit_ir::{HostArray, Op, Type};
use autojit_library::callback::caught;
use autojit_library::{self as library, AnyLibrary, Concrete, Hooks, Results};

pub use arguments::{Arguments, Parameter};
pub(crate) use batches::BatchRule;
pub(crate) use opaque::{opaque_in, opaque_op};
pub use outcome::{IntoResult, IntoTypes};
pub(crate) use trace::trace;

/// The implementation of a registered function.
pub(crate) type Callable = Arc<dyn Fn(&Arguments) -> Result<Value> + Send + Sync>;

/// The rule for the types of its results.
pub(crate) type Rule = Arc<dyn Fn(&Arguments) -> Result<Type> + Send + Sync>;

/// A registered function.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) callable: Callable,
    pub(crate) rule: Option<Rule>,
    pub(crate) batches: Option<BatchRule>,
}

/// A function that is built in: how to run it, and its parameters.
#[derive(Clone)]
pub(crate) struct Builtin {
    pub(crate) callable: Callable,
    pub(crate) parameters: &'static [Parameter],
}

/// All that is known under one name.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    pub(crate) builtin: Option<Builtin>,
    /// For every library that has none of its own.
    default: Option<Function>,
    libraries: Vec<(&'static str, Function)>,
}

impl Entry {
    /// The libraries that have a function of their own.
    pub(crate) fn owners(&self) -> Vec<&'static str> {
        self.libraries.iter().map(|(library, _)| *library).collect()
    }

    fn find(&self, library: &str) -> Option<&Function> {
        let own = self.libraries.iter().find(|(known, _)| *known == library);
        own.map(|(_, function)| function).or(self.default.as_ref())
    }

    /// The rule for types, if any of the functions has one.
    fn rule(&self) -> Option<Rule> {
        let functions = self.libraries.iter().map(|(_, function)| function);
        functions
            .chain(&self.default)
            .find_map(|function| function.rule.clone())
    }

    /// The rule for batches, if any of the functions has one.
    fn batches(&self) -> Option<BatchRule> {
        let functions = self.libraries.iter().map(|(_, function)| function);
        functions
            .chain(&self.default)
            .find_map(|function| function.batches.clone())
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.builtin.as_ref().map_or(&[], |b| b.parameters)
    }
}

/// The registrations.
#[derive(Default)]
struct Functions {
    entries: FxHashMap<&'static str, Entry>,
    /// The names of functions that have another one as an op: `svd` is `linalg.svd`.
    by_op: FxHashMap<&'static str, &'static str>,
}

static FUNCTIONS: RwLock<Option<Functions>> = RwLock::new(None);

static REGISTRATIONS: AtomicU64 = AtomicU64::new(0);

/// Whose functions are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Library(&'static str),
    Default,
}

/// Whether anything is registered.
pub(crate) fn any() -> bool {
    library::any_replacement()
}

/// How often something was registered.
pub(crate) fn registrations() -> u64 {
    if any() {
        REGISTRATIONS.load(Ordering::Relaxed)
    } else {
        0
    }
}

/// Changes what is known under a name. `change` must not call back into this module.
pub(crate) fn update<R>(
    name: &str,
    builtin: Option<Builtin>,
    change: impl FnOnce(&'static str, &mut Entry) -> R,
) -> R {
    let mut functions = FUNCTIONS.write().unwrap_or_else(PoisonError::into_inner);
    let functions = functions.get_or_insert_default();
    let name = match functions.entries.get_key_value(name) {
        Some((name, _)) => *name,
        // Names are kept for as long as the program runs: nodes and errors refer to them.
        None => Box::leak(name.to_owned().into_boxed_str()),
    };
    // Only NumPy's own: a user's `mine.sqrt` has nothing to do with the op.
    if let (Some(_), Some((_, last))) = (&builtin, name.rsplit_once('.')) {
        functions.by_op.insert(last, name);
    }
    let entry = functions.entries.entry(name).or_default();
    if entry.builtin.is_none() {
        entry.builtin = builtin;
    }
    let result = change(name, entry);
    REGISTRATIONS.fetch_add(1, Ordering::Relaxed);
    library::install(Hooks {
        replaced: replaced_op,
        replaced_lazily: |op| is_replaced(crate::libraries::LAZY, op),
    });
    crate::array::install_lazy_replacement(replaced_lazy_op);
    result
}

impl Entry {
    /// Puts a function in; one that was there is replaced, its rules too.
    pub(crate) fn set(&mut self, owner: Owner, function: Function) {
        match owner {
            Owner::Default => self.default = Some(function),
            Owner::Library(library) => match self.libraries.iter_mut().find(|f| f.0 == library) {
                Some((_, known)) => *known = function,
                None => self.libraries.push((library, function)),
            },
        }
    }

    /// The registrations of an owner.
    pub(crate) fn get_mut(&mut self, owner: Owner) -> Option<&mut Function> {
        match owner {
            Owner::Default => self.default.as_mut(),
            Owner::Library(library) => {
                let mut functions = self.libraries.iter_mut();
                functions.find(|f| f.0 == library).map(|(_, f)| f)
            }
        }
    }

    /// The present implementation for an owner: registered, or built in.
    pub(crate) fn callable(&self, owner: Owner) -> Option<Callable> {
        let registered = match owner {
            Owner::Default => self.default.as_ref(),
            Owner::Library(library) => self.find(library),
        };
        let builtin = self.builtin.as_ref().map(|b| &b.callable);
        registered.map(|f| &f.callable).or(builtin).cloned()
    }
}

/// The functions under a name.
pub(crate) fn entry(name: &str) -> Option<(&'static str, Entry)> {
    let functions = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner);
    let found = functions.as_ref()?.entries.get_key_value(name);
    found.map(|(name, entry)| (*name, entry.clone()))
}

/// All names under which something is registered.
pub(crate) fn names() -> Vec<&'static str> {
    let functions = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner);
    let entries = functions.iter().flat_map(|f| &f.entries);
    let known = |entry: &Entry| entry.default.is_some() || !entry.libraries.is_empty();
    entries
        .filter(|(_, entry)| known(entry))
        .map(|(name, _)| *name)
        .collect()
}

thread_local! {
    /// The replacements that run on this thread, by library and name.
    static RUNNING: RefCell<Vec<(&'static str, &'static str)>> = const { RefCell::new(Vec::new()) };
}

/// A function that is to be called, with the name and the library under which it was found.
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) library: &'static str,
    pub(crate) function: Function,
    pub(crate) parameters: &'static [Parameter],
}

/// The function that was registered for a library, unless it replaces another and is running.
pub(crate) fn find(library: &'static str, name: &str) -> Option<Found> {
    let functions = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner);
    found(functions.as_ref()?, library, name)
}

/// The function that stands in the place of an op.
fn find_op(library: &'static str, op: &Op) -> Option<Found> {
    let name = spelling::name_of(op)?;
    let functions = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner);
    let functions = functions.as_ref()?;
    let dotted = || found(functions, library, functions.by_op.get(name)?);
    found(functions, library, name).or_else(dotted)
}

fn found(functions: &Functions, library: &'static str, name: &str) -> Option<Found> {
    let (name, entry) = functions.entries.get_key_value(name)?;
    let function = entry.find(library)?;
    let runs = || RUNNING.with_borrow(|running| running.contains(&(library, *name)));
    if entry.builtin.is_some() && runs() {
        return None;
    }
    Some(Found {
        name,
        library,
        function: function.clone(),
        parameters: entry.parameters(),
    })
}

impl Found {
    /// Runs it.
    pub(crate) fn call(&self, arguments: &Arguments) -> Result<Value> {
        let result = as_running(self.library, self.name, || {
            caught("the registered function", || {
                (self.function.callable)(arguments)
            })
        });
        result.and_then(checked).map_err(|e| e.in_op(self.name))
    }
}

/// Runs `f` with what a registered function replaces back in its place.
pub(crate) fn as_running<R>(library: &'static str, name: &'static str, f: impl FnOnce() -> R) -> R {
    struct Running;

    impl Drop for Running {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(Vec::pop);
        }
    }

    RUNNING.with_borrow_mut(|running| running.push((library, name)));
    let _running = Running;
    f()
}

/// A failed array is an error where results are data.
pub(crate) fn checked(value: Value) -> Result<Value> {
    match value {
        Value::Array(array) => array.check().map(Value::Array),
        Value::List(items) => Ok(Value::List(
            items.into_iter().map(checked).collect::<Result<_>>()?,
        )),
        other => Ok(other),
    }
}

/// Where a call with these arguments belongs: lazy, or the library of the arrays, those in lists included.
///
/// # Errors
/// An array failed, or there are arrays of two libraries and none is lazy.
pub(crate) fn place_of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<Option<Place>> {
    let mut places = Places::default();
    values.into_iter().try_for_each(|value| places.add(value))?;
    match (places.lazy, places.first, places.mixed) {
        (true, ..) => Ok(Some(Place::Lazy)),
        (_, Some(x), Some(y)) => Err(library::mixed(x, y)),
        (_, first, _) => Ok(first.map(Place::Library)),
    }
}

#[derive(Default)]
struct Places {
    lazy: bool,
    first: Option<&'static dyn AnyLibrary>,
    mixed: Option<&'static dyn AnyLibrary>,
}

impl Places {
    fn add(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Array(array) => match (array.own_place()?, self.first) {
                (Place::Lazy, _) => self.lazy = true,
                (Place::Library(library), None) => self.first = Some(library),
                (Place::Library(library), Some(first)) if library.name() != first.name() => {
                    self.mixed = self.mixed.or(Some(library));
                }
                _ => {}
            },
            Value::List(items) => items.iter().try_for_each(|item| self.add(item))?,
            _ => {}
        }
        Ok(())
    }
}

/// Whether anything may be registered under a name.
pub(crate) fn knows(name: &str) -> bool {
    let functions = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner);
    functions
        .as_ref()
        .is_some_and(|f| f.entries.contains_key(name))
}

/// The result of a typed function, made of that of a function in its place.
pub(crate) trait FromReplacement {
    /// The result; a failure gets the line of the caller.
    fn from_replacement(result: Result<Value>) -> Self;
}

impl FromReplacement for Array {
    #[track_caller]
    fn from_replacement(result: Result<Value>) -> Self {
        Self::from_result(result.and_then(TryFrom::try_from))
    }
}

/// A failure is the only item of the list.
impl FromReplacement for Vec<Array> {
    #[track_caller]
    fn from_replacement(result: Result<Value>) -> Self {
        let location = Location::caller();
        let arrays = result.and_then(TryFrom::try_from);
        arrays.unwrap_or_else(|e| vec![Array::failed(e.at(location))])
    }
}

/// A failure is both arrays.
impl FromReplacement for (Array, Array) {
    #[track_caller]
    fn from_replacement(result: Result<Value>) -> Self {
        let location = Location::caller();
        result.and_then(TryFrom::try_from).unwrap_or_else(|e| {
            let failed = Array::failed(e.at(location));
            (failed.clone(), failed)
        })
    }
}

/// The result of a registered function for a typed call; `None` if none is registered for it.
///
/// For functions that are made of others: ops look for functions in their place by themselves.
#[track_caller]
pub(crate) fn replaced(
    name: &'static str,
    place: Option<Place>,
    arguments: impl FnOnce() -> Arguments,
) -> Option<Result<Value>> {
    let location = Location::caller();
    if !knows(name) {
        return None;
    }
    let arguments = arguments();
    let place = match place_of(arguments.values()) {
        Ok(found) => place
            .or(found)
            .unwrap_or(Place::Library(crate::like::innermost_library())),
        Err(error) => return Some(Err(error)),
    };
    call(place, name, &arguments, location)
}

/// Calls what is registered under a name for arrays of this place; `None` if that is nothing.
pub(crate) fn call(
    place: Place,
    name: &str,
    arguments: &Arguments,
    location: &'static Location<'static>,
) -> Option<Result<Value>> {
    let with = |found: Found| {
        let arguments = arguments.clone().with_parameters(found.parameters);
        found.call(&arguments)
    };
    match place {
        Place::Library(library) => find(library.name(), name).map(with),
        Place::Lazy => match find(place.name(), name) {
            Some(found) => Some(with(found)),
            None => {
                let (name, entry) = entry(name)?;
                // An op is written down as what it is, and replaced when it runs.
                let rule = entry.rule().filter(|_| !spelling::is_op(name))?;
                let arguments = arguments.clone().with_parameters(entry.parameters());
                let rules = (rule, entry.batches());
                Some(trace(name, &arguments, rules, location))
            }
        },
    }
}

/// Whether a function stands in the place of an op.
pub(crate) fn is_replaced(library: &'static str, op: &Op) -> bool {
    find_op(library, op).is_some()
}

/// Runs the function that stands in an op's place.
fn replaced_op(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[&Concrete],
) -> Option<Result<Results>> {
    let found = find_op(library.name(), op)?;
    let arrays = inputs
        .iter()
        .map(|&x| Array::from_concrete(x.clone()).into());
    let arguments = spelling::arguments(op, arrays.collect()).with_parameters(found.parameters);
    let run = || {
        let types: Vec<Type> = inputs.iter().map(|x| x.ty().into()).collect();
        let signature = op.infer(&types.iter().collect::<Vec<_>>())?;
        let results = results(library, found.call(&arguments)?)?;
        library::check_types(&results, signature.result.arrays())?;
        Ok(results)
    };
    Some(run().map_err(|e: Error| e.in_op(found.name)))
}

/// The result of the function for lazy arrays for an op.
fn replaced_lazy_op(op: &Op, inputs: &[Operand]) -> Result<Value> {
    let lost = || Error::internal(format!("no function stands in the place of {op}"));
    let found = find_op(Place::Lazy.name(), op).ok_or_else(lost)?;
    let inputs = inputs.iter().cloned().map(Value::from).collect();
    let arguments = spelling::arguments(op, inputs);
    found.call(&arguments.with_parameters(found.parameters))
}

/// The arrays of a result, in a library.
fn results(library: &'static dyn AnyLibrary, value: Value) -> Result<Results> {
    let one = |value: Value| match &value {
        Value::Array(array) => match &array.0 {
            Repr::Concrete(array) => array.moved_to(library),
            Repr::Failed(error) => Err(error.clone()),
            Repr::Lazy(_) | Repr::Traced(_) => Err(Error::value(
                "expected an array with values as the result, got a lazy one",
            )),
        },
        other => match other.scalar() {
            Some(scalar) => library.from_host(HostArray::scalar(scalar, scalar.dtype())),
            None => Err(Error::value(format!(
                "expected an array as the result, got {}",
                other.describe()
            ))),
        },
    };
    match value {
        Value::List(items) => items.into_iter().map(one).collect(),
        value => Ok(Results::from_iter([one(value)?])),
    }
}
