//! `Arguments`: what a registered function is called with.

use crate::{Array, Value};
use autojit_ir::error::{Error, Result};

/// The arguments of a registered function, by position and by name, as the call had them.
///
/// A function in NumPy's place gets NumPy's parameters: the axis of `sum` is `args.get("axis")` whether it was
/// given by position or by name, or by a typed call such as `np::sum(&x, 0)`.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    positional: Vec<Value>,
    named: Vec<(String, Value)>,
    parameters: &'static [Parameter],
}

/// A parameter of a function that is called by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, which is NumPy's.
    pub name: &'static str,
    /// The default as Python writes it, if it has one.
    pub default: Option<&'static str>,
}

impl Arguments {
    /// Arguments by position and by name.
    #[must_use]
    pub fn new(positional: Vec<Value>, named: Vec<(String, Value)>) -> Self {
        Self {
            positional,
            named,
            parameters: &[],
        }
    }

    pub(crate) fn with_parameters(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// The arguments that were given by position.
    #[must_use]
    pub fn positional(&self) -> &[Value] {
        &self.positional
    }

    /// The arguments that were given by name.
    #[must_use]
    pub fn named(&self) -> &[(String, Value)] {
        &self.named
    }

    /// All of them.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.positional
            .iter()
            .chain(self.named.iter().map(|(_, value)| value))
    }

    /// The argument of this name, unless it was left out or is Python's `None`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let named = self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v);
        let at = || self.parameters.iter().position(|p| p.name == name);
        let value = named.or_else(|| self.positional.get(at()?));
        value.filter(|value| !matches!(value, Value::None))
    }

    /// The argument of this name as a number, a truth value or text, unless it was left out.
    ///
    /// # Errors
    /// It is of another kind.
    pub fn option<T: TryFrom<Value, Error = Error>>(&self, name: &str) -> Result<Option<T>> {
        let value = self.get(name).cloned().map(T::try_from).transpose();
        value.map_err(|e| Error::value(format!("the argument {name} is wrong: {e}")))
    }

    /// The argument at a position, also if it was given by name.
    #[must_use]
    pub fn value(&self, index: usize) -> Option<&Value> {
        let named = || self.get(self.parameters.get(index)?.name);
        self.positional.get(index).or_else(named)
    }

    /// The argument at a position as an array; a number is a 0-d array. Anything else gives a failed array.
    #[must_use]
    #[track_caller]
    pub fn array(&self, index: usize) -> Array {
        let array = match self.value(index) {
            Some(value) => value.clone().into_array(),
            None => Err(Error::value(format!("the argument {index} is missing"))),
        };
        Array::from_result(array)
    }

    /// All arrays among the arguments in order, those in lists included.
    #[must_use]
    pub fn arrays(&self) -> Vec<Array> {
        fn collect(value: &Value, arrays: &mut Vec<Array>) {
            match value {
                Value::Array(array) => arrays.push(array.clone()),
                Value::List(items) => items.iter().for_each(|item| collect(item, arrays)),
                _ => {}
            }
        }
        let mut arrays = Vec::new();
        self.values().for_each(|value| collect(value, &mut arrays));
        arrays
    }

    /// The same arguments with each array replaced, in the order of [`Arguments::arrays`].
    pub(crate) fn with_arrays(&self, mut next: impl FnMut() -> Option<Value>) -> Self {
        fn replace(value: &Value, next: &mut dyn FnMut() -> Option<Value>) -> Value {
            match value {
                Value::Array(_) => next().unwrap_or(Value::None),
                Value::List(items) => {
                    Value::List(items.iter().map(|item| replace(item, next)).collect())
                }
                other => other.clone(),
            }
        }
        let positional = self.positional.iter().map(|v| replace(v, &mut next));
        let positional = positional.collect();
        let named = self.named.iter();
        let named = named.map(|(name, v)| (name.clone(), replace(v, &mut next)));
        Self {
            positional,
            named: named.collect(),
            parameters: self.parameters,
        }
    }

    /// The arguments by name, borrowed as a call by name takes them.
    pub(crate) fn borrowed_names(&self) -> Vec<(&str, Value)> {
        let named = self.named.iter();
        named.map(|(n, v)| (n.as_str(), v.clone())).collect()
    }
}
