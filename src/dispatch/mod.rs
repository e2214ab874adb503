//! Calls by name: NumPy's functions as data, for programs that read what to call.
//!
//! ```
//! use autojit::{Array, Value, dispatch::call};
//!
//! let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
//! let total = call("sum", &[(&x).into()], &[("axis", 0.into())]).unwrap();
//! let Value::Array(total) = total else { panic!("expected an array") };
//! assert_eq!(total.to_string(), "[4. 6.]");
//! ```
//!
//! There is one table (`table.rs`) of names, parameters and implementations; elementwise functions enter it from
//! the op table. Arguments bind as in Python: by position, then by name, then by default. A mistake is an `Err`
//! with the caller's line and says what would have been right.

mod arguments;
mod forms;
mod table;

use std::panic::Location;

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::{Array, Operand, Value};
use arguments::Argument;
use table::{ENTRIES, Entry, Implementation};

/// Calls the function that NumPy knows by this name, such as `"sum"` or `"linalg.norm"`.
///
/// Besides NumPy's names there are `getitem(array, key)` and `astype(array, dtype)`. The result is an array, or
/// a list of arrays for a function that gives several.
///
/// # Errors
/// No function has this name (the nearest known are listed); an argument is missing, given twice, unknown, or of
/// the wrong kind; or the function itself fails.
#[track_caller]
pub fn call(name: &str, args: &[Value], kwargs: &[(&str, Value)]) -> Result<Value> {
    let location = Location::caller();
    let Some(entry) = ENTRIES.get(name) else {
        return Err(unknown(name).at(location));
    };
    let bound = match bind(entry, args, kwargs) {
        Ok(bound) => bound,
        Err(error) => return Err(error.in_op(entry.name).at(location)),
    };
    // Not with `map`: a closure would not pass the caller's line on.
    let result = match &entry.implementation {
        Implementation::Op(op) => match operands(&bound) {
            Ok(operands) => Ok(Array::apply(op.clone(), &operands).into()),
            Err(error) => Err(error),
        },
        Implementation::Function(function) => table::run(*function, &bound),
    };
    result
        .and_then(checked)
        .map_err(|e| e.in_op(entry.name).at(location))
}

/// All functions that [`call`] knows, in alphabetical order, each with its parameters as Python would write
/// them: `("sum", "a, axis=None, keepdims=False, where=None")`.
#[must_use]
pub fn functions() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = ENTRIES
        .iter()
        .map(|(name, entry)| (*name, entry.signature()))
        .collect();
    all.sort_unstable();
    all
}

/// The arguments of an op, all of which are arrays or numbers.
fn operands(bound: &[Argument<'_>]) -> Result<Vec<Operand>> {
    bound.iter().map(Argument::operand).collect()
}

/// A failed array is an error here: results of calls by name are data.
fn checked(value: Value) -> Result<Value> {
    match value {
        Value::Array(array) => array.check().map(Value::Array),
        Value::List(items) => Ok(Value::List(
            items.into_iter().map(checked).collect::<Result<_>>()?,
        )),
        other => Ok(other),
    }
}

/// Assigns arguments to parameters, as Python does.
fn bind<'a>(
    entry: &Entry,
    args: &'a [Value],
    kwargs: &'a [(&str, Value)],
) -> Result<Vec<Argument<'a>>> {
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
    let by_position = |p: &&table::Parameter| entry.rest.is_none() || p.default.is_none();
    let positions = parameters.iter().filter(by_position).count();
    let mut bound = Vec::with_capacity(parameters.len().max(args.len()));
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
        .map(|known| (edit_distance(name, known), *known))
        .collect();
    near.sort_unstable();
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
