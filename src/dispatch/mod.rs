//! Calls by name: NumPy's functions as data, for programs that read what to call; and what users register.
//!
//! ```
//! use autojit::{Array, call};
//!
//! let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
//! let total: Array = call!("sum", &x, axis = 0)?.try_into()?;
//! assert_eq!(total.to_string(), "[4. 6.]");
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! There is one table (`numpy/table.rs`) of names, parameters and implementations; elementwise functions enter it from
//! the op table. Arguments bind as in Python: by position, then by name, then by default. A mistake is an `Err`
//! with the caller's line and says what would have been right.
//!
//! # Which library runs a call
//!
//! The one that its arrays live in: all arrays count, those in lists too. If one of them is lazy the call is
//! written down; otherwise arrays of two libraries are an error. Plain numbers go along with any of them.
//!
//! The rule is one in all modes: what meets as arguments, of an operation or of a compiled or exported function, is of one
//! library. In a lazy or traced function, arrays in main memory are constants, and go where the other arrays are; arrays
//! of two other libraries do not meet there either. A
//! call without an array belongs to what `like = ..` says, else to the innermost [`backend_like`] block, else to
//! the ndarray library.
#![doc = include_str!("../../docs/dispatch.md")]

mod arguments;
mod forms;
mod libraries;
mod macros;
mod matrices;
mod namespace;
mod random;
mod register;
mod special;
mod table;

use std::panic::Location;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::array::Repr;
use crate::like::{Block, Like, Place};
use crate::registry;
use crate::{Array, Operand, Value};
use arguments::Argument;
use autojit_ir::ArrayType;
use autojit_ir::error::{Error, Result};
use autojit_library::{self as library, Concrete};
use table::{ENTRIES, Entry, Implementation};

pub use crate::registry::{Arguments, IntoResult, IntoTypes, Parameter};
pub use libraries::{backend_like, get_namespace, infer_backend, infer_backend_multi};
pub use namespace::Namespace;
pub use random::Random;
pub use register::{
    Composed, Original, Registration, compose, register_function, register_function_wrapping,
};
pub use special::{
    astype, from_ndarray, get_common_dtype, get_dtype_name, is_array, is_scalar, ndim, shape, size,
    stop_gradient, to, to_backend_dtype, to_ndarray,
};

/// Calls the function that NumPy knows by this name, such as `"sum"` or `"linalg.norm"`, or that was registered
/// under it. The macro [`call!`](crate::call!) writes it more shortly.
///
/// Besides NumPy's names there are `getitem(array, key)` and `astype(array, dtype)`. Every function takes a
/// further argument `like`, an array or the name of a library: where arrays are made if none is given. The result
/// is an array, or a list of arrays for a function that gives several.
///
/// # Errors
/// No function has this name (the nearest known are listed); an argument is missing, given twice, unknown, or of
/// the wrong kind; arrays of two libraries meet; or the function itself fails.
///
/// Source: autoray's `do`.
#[track_caller]
pub fn call(name: &str, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Value> {
    let location = Location::caller();
    if let Err(error) = check_nesting(args.iter().chain(kwargs.iter().map(|(_, value)| value))) {
        return Err(error.in_op(name).at(location));
    }
    if let Some((_, like)) = kwargs.iter().find(|(name, _)| *name == "like") {
        let others = kwargs.iter().filter(|(name, _)| *name != "like").cloned();
        let kwargs: SmallVec<[(&str, Value); 4]> = others.collect();
        let _block = match enter(like, args, &kwargs) {
            Ok(block) => block,
            Err(error) => return Err(error.in_op(name).at(location)),
        };
        return call_here(name, args, &kwargs);
    }
    call_here(name, args, kwargs)
}

/// Refuses lists nested deeper than arrays have axes, which what follows could not walk on every stack.
fn check_nesting<'v>(values: impl Iterator<Item = &'v Value>) -> Result<()> {
    let mut lists: Vec<(&Value, usize)> = Vec::new();
    let is_list = |value: &&Value| matches!(value, Value::List(_));
    lists.extend(values.filter(is_list).map(|value| (value, 1)));
    while let Some((value, depth)) = lists.pop() {
        if depth > ArrayType::MOST_AXES {
            let most = ArrayType::MOST_AXES;
            return Err(Error::value(format!(
                "lists can be nested {most} deep, got a deeper one"
            )));
        }
        if let Value::List(items) = value {
            lists.extend(items.iter().filter(is_list).map(|item| (item, depth + 1)));
        }
    }
    Ok(())
}

/// Begins the block that the argument `like` of a call stands for.
fn enter(like: &Value, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Block> {
    let like: Like = match like {
        Value::Array(array) => array.into(),
        Value::Str(name) => name.into(),
        Value::DType(dtype) => (*dtype).into(),
        Value::None => return Ok(Block::enter(crate::like::Wanted::default())),
        other => {
            return Err(Error::value(format!(
                "the argument like is {}, expected an array or the name of a library",
                other.describe()
            )));
        }
    };
    let wanted = like.0?;
    let found = registry::place_of(args.iter().chain(kwargs.iter().map(|(_, value)| value)))?;
    if let (Some(Place::Library(wanted)), Some(Place::Library(found))) = (wanted.place, found)
        && wanted.name() != found.name()
    {
        return Err(library::mixed(wanted, found));
    }
    Ok(Block::enter(wanted))
}

#[track_caller]
fn call_here(name: &str, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Value> {
    let location = Location::caller();
    let entry = ENTRIES.get(name);
    if registry::any()
        && let Some(result) = call_registered(entry, name, args, kwargs, location)
    {
        return result.map_err(|e| e.at(location));
    }
    let Some(entry) = entry else {
        return Err(unknown(name).at(location));
    };
    call_entry(entry, args, kwargs)
}

/// Calls a row of the table.
#[track_caller]
fn call_entry(entry: &Entry, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Value> {
    let location = Location::caller();
    let _block = match with_lists(args, kwargs) {
        Ok(block) => block,
        Err(error) => return Err(error.in_op(entry.name).at(location)),
    };
    let bound = match bind(entry, args, kwargs) {
        Ok(bound) => bound,
        Err(error) => return Err(error.in_op(entry.name).at(location)),
    };
    // Not with `map`: a closure would not pass the caller's line on.
    let result = match &entry.implementation {
        Implementation::Op(op) => {
            // Not with `and_then`, for the same reason.
            let at_once = match concrete(&bound) {
                Some(arrays) => Array::apply_borrowed(op, &arrays),
                None => None,
            };
            match at_once {
                Some(array) => Ok(array.into()),
                None => match operands(&bound) {
                    Ok(operands) => Ok(Array::apply(op.clone(), &operands).into()),
                    Err(error) => Err(error),
                },
            }
        }
        Implementation::Function(function) => table::run(*function, &bound),
    };
    let failed = match result {
        Ok(Value::Array(Array(Repr::Failed(error)))) => error,
        Ok(Value::List(items)) => match registry::checked(Value::List(items)) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        },
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    Err(failed.in_op(entry.name).at(location))
}

/// Lists of numbers become arrays of the library whose arrays they meet.
fn with_lists(args: &[Value], kwargs: &[(&str, Value)]) -> Result<Option<Block>> {
    let values = || args.iter().chain(kwargs.iter().map(|(_, value)| value));
    if !values().any(|value| matches!(value, Value::List(_))) {
        return Ok(None);
    }
    let place @ Some(Place::Library(_)) = registry::place_of(values())? else {
        return Ok(None);
    };
    let mut wanted = crate::like::innermost();
    wanted.place = place;
    Ok(Some(Block::enter(wanted)))
}

/// Calls what was registered under a name; `None` if the table is to be asked.
fn call_registered(
    entry: Option<&Entry>,
    name: &str,
    args: &[Value],
    kwargs: &[(&str, Value)],
    location: &'static Location<'static>,
) -> Option<Result<Value>> {
    let canonical = entry.map_or(name, |entry| entry.name);
    if !registry::knows(canonical) {
        return None;
    }
    let found = registry::place_of(args.iter().chain(kwargs.iter().map(|(_, value)| value)));
    let found = match found {
        Ok(found) => found.or(crate::like::innermost_place()),
        Err(error) => return Some(Err(error.in_op(canonical))),
    };
    let place = found.unwrap_or(Place::Library(library::default_library()));
    let named = kwargs.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    let arguments = Arguments::new(args.to_vec(), named.collect());
    let result = registry::call(place, canonical, &arguments, location);
    if result.is_some() || entry.is_some() {
        return result;
    }
    Some(Err(not_there(canonical, place, found.is_none())))
}

/// Why a function that is registered for some libraries cannot be called for this one.
fn not_there(name: &str, place: Place, no_array: bool) -> Error {
    let owners = registry::entry(name).map_or_else(Vec::new, |(_, entry)| entry.owners());
    if owners.is_empty() {
        return unknown(name);
    }
    let owners = owners.join(", ");
    if no_array {
        return Error::unknown_library(format!(
            "there is no array to infer the library of `{name}` from: it is registered for {owners}, \
             choose with like = .."
        ));
    }
    match place {
        Place::Lazy => Error::unsupported(format!(
            "the function `{name}`, registered for {owners}, cannot be traced without a rule for its types: \
             add one with with_shape_rule"
        )),
        Place::Library(library) => Error::unknown_function(format!(
            "the function `{name}` is registered for {owners}, not for the library {}",
            library.name()
        )),
    }
}

/// All functions that [`call`] knows, in alphabetical order, each with its parameters as Python would write
/// them: `("sum", "a, axis=None, keepdims=False, where=None")`.
///
/// ```
/// let functions = autojit::dispatch::functions();
/// let sum = functions.iter().find(|(name, _)| *name == "sum").unwrap();
/// assert_eq!(sum.1, "a, axis=None, keepdims=False, where=None");
/// ```
#[must_use]
pub fn functions() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = ENTRIES
        .iter()
        .map(|(name, entry)| (*name, entry.signature()))
        .collect();
    all.sort_unstable();
    all
}

/// A function that [`call`] knows, as data: for programs that offer the functions in another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Described {
    /// The name, such as `"linalg.norm"`.
    pub name: &'static str,
    /// The name of the function itself, which is another one for names such as `"abs"`.
    pub function: &'static str,
    /// A sentence or two about it, in Markdown.
    pub doc: &'static str,
    /// The parameters in NumPy's order.
    pub parameters: &'static [Parameter],
    /// The name of the parameter that takes all further arguments, if there is one.
    pub rest: Option<&'static str>,
}

/// All functions that [`call`] knows with their parameters, in alphabetical order.
///
/// ```
/// let functions = autojit::dispatch::described();
/// let sum = functions.iter().find(|function| function.name == "sum").unwrap();
/// assert_eq!((sum.parameters[1].name, sum.parameters[1].default), ("axis", Some("None")));
/// ```
#[must_use]
pub fn described() -> Vec<Described> {
    let describe = |(&name, entry): (&&'static str, &Entry)| Described {
        name,
        function: entry.name,
        doc: entry.doc.trim(),
        parameters: entry.parameters,
        rest: entry.rest,
    };
    let mut all: Vec<_> = ENTRIES.iter().map(describe).collect();
    all.sort_unstable_by_key(|function| function.name);
    all
}

/// The arguments of an op, if all of them are arrays with values: borrowed, as cloning costs more than the rest.
fn concrete<'a>(bound: &[Argument<'a>]) -> Option<SmallVec<[&'a Concrete; 3]>> {
    let mut arrays = SmallVec::new();
    for argument in bound {
        match argument.value {
            Some(Value::Array(Array(Repr::Concrete(array)))) => arrays.push(array),
            _ => return None,
        }
    }
    Some(arrays)
}

/// The arguments of an op, all of which are arrays or numbers.
fn operands<'a>(bound: &[Argument<'a>]) -> Result<SmallVec<[Operand<'a>; 3]>> {
    let mut operands = SmallVec::new();
    for argument in bound {
        operands.push(argument.operand()?);
    }
    Ok(operands)
}

/// Assigns arguments to parameters, as Python does.
fn bind<'a>(
    entry: &Entry,
    args: &'a [Value],
    kwargs: &'a [(&str, Value)],
) -> Result<SmallVec<[Argument<'a>; 6]>> {
    let parameters = entry.parameters;
    if args.len() > parameters.len() && entry.rest.is_none() {
        return Err(Error::value(format!(
            "expected at most {} arguments ({}), got {}",
            parameters.len(),
            entry.signature(),
            args.len()
        )));
    }
    // Where a parameter takes all further arguments, those with a default can only be named.
    let by_position = |p: &&crate::registry::Parameter| entry.rest.is_none() || p.default.is_none();
    let positions = parameters.iter().filter(by_position).count();
    let mut bound = SmallVec::with_capacity(parameters.len().max(args.len()));
    for (i, parameter) in parameters.iter().enumerate() {
        let name = parameter.name;
        let i = if i < positions { i } else { usize::MAX };
        let named = kwargs.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let value = match (args.get(i), named) {
            (Some(_), Some(_)) => {
                return Err(Error::value(format!("the argument {name} is given twice")));
            }
            (Some(value), None) | (None, Some(value)) => Some(value),
            (None, None) if parameter.default.is_some() => None,
            (None, None) => {
                return Err(Error::value(format!(
                    "the argument {name} is missing, expected ({})",
                    entry.signature()
                )));
            }
        };
        bound.push(Argument { name, value });
    }
    if let Some(name) = entry.rest {
        let rest = args.iter().skip(positions);
        bound.extend(rest.map(|value| Argument {
            name,
            value: Some(value),
        }));
    }
    for (i, (name, _)) in kwargs.iter().enumerate() {
        if !parameters.iter().any(|p| p.name == *name) {
            return Err(Error::value(format!(
                "there is no argument {name}, expected ({})",
                entry.signature()
            )));
        }
        if kwargs[..i].iter().any(|(n, _)| n == name) {
            return Err(Error::value(format!("the argument {name} is given twice")));
        }
    }
    Ok(bound)
}

/// The error for an unknown name lists the known ones that look most like it.
fn unknown(name: &str) -> Error {
    let mut near: Vec<(usize, &str)> = ENTRIES
        .keys()
        .copied()
        .chain(registry::names())
        .map(|known| (edit_distance(name, known), known))
        .collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<&str> = near.iter().take(3).map(|(_, known)| *known).collect();
    Error::unknown_function(format!(
        "no function is called `{name}`, the nearest known are {}",
        near.join(", ")
    ))
}

/// How many letters must be put in, taken out or changed. Source: Wagner and Fischer, 1974.
fn edit_distance(x: &str, y: &str) -> usize {
    let y: Vec<char> = y.chars().collect();
    let mut row: Vec<usize> = (0..=y.len()).collect();
    for (i, a) in x.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in y.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[y.len()]
}

type Entries = FxHashMap<&'static str, Entry>;
