//! Runs a case in one of the modes: eagerly, lazily, or compiled by a backend.
//!
//! Only arrays are traced; numbers, axes and shapes are part of the program.

use std::fmt;

use autojit::dispatch::call;
use autojit::{Array, Result, Value};

use crate::compiled;
use crate::json::{Argument, Case, Data};
use crate::transforms;

/// How a case is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each call at once.
    Eager,
    /// All calls written down first, then computed.
    Lazy,
    /// By `autojit`, with the backend of this name.
    Backend(String),
}

impl Mode {
    /// The modes that this build has.
    pub(crate) fn built() -> Vec<Self> {
        let backends = autojit::backends().into_iter();
        let backends = backends.map(|name| Self::Backend(name.to_owned()));
        [Self::Eager, Self::Lazy]
            .into_iter()
            .chain(backends)
            .collect()
    }

    /// The mode of this name.
    ///
    /// # Errors
    /// No backend of this name is built; the message lists those that are.
    pub(crate) fn parse(name: &str) -> std::result::Result<Self, String> {
        match name {
            "eager" => Ok(Self::Eager),
            "lazy" => Ok(Self::Lazy),
            _ => compiled::probe(name).map(|()| Self::Backend(name.to_owned())),
        }
    }

    /// Whether calls are written down before there are values.
    pub(crate) fn is_traced(&self) -> bool {
        *self != Self::Eager
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eager => "eager",
            Self::Lazy => "lazy",
            Self::Backend(name) => name,
        })
    }
}

/// The outcome of running a case.
pub(crate) struct Ran {
    /// The results, with values.
    pub(crate) arrays: Vec<Array>,
    /// Why the backend left it to replay, if it did.
    pub(crate) declined: Option<String>,
}

/// Runs a case, in a library of this name if one is given.
pub(crate) fn run(mode: &Mode, library: Option<&str>, case: &Case) -> Result<Ran> {
    let inputs = case.inputs.iter().map(Data::to_array);
    let Some(library) = library else {
        return run_on(mode, case, inputs.collect());
    };
    let inputs = inputs.map(|x| x.to(library)).collect();
    let ran = autojit::backend_like(library, || run_on(mode, case, inputs))??;
    for array in &ran.arrays {
        assert_eq!(array.library()?, library, "a result left the library");
    }
    Ok(ran)
}

fn run_on(mode: &Mode, case: &Case, inputs: Vec<Array>) -> Result<Ran> {
    let arrays = match mode {
        Mode::Eager => evaluate(case, &inputs)?,
        Mode::Lazy => {
            let inputs: Vec<Array> = inputs.iter().map(autojit::lazy::array).collect();
            autojit::lazy::compute(evaluate(case, &inputs)?)?
        }
        Mode::Backend(name) => return compiled::run(name, case, &inputs),
    };
    Ok(Ran {
        arrays,
        declined: None,
    })
}

/// Makes the calls of a case one after the other, or those of the function that is made of them.
pub(crate) fn evaluate(case: &Case, inputs: &[Array]) -> Result<Vec<Array>> {
    match &case.transform {
        Some(transform) => transforms::evaluate(case, transform, inputs),
        None => call_all(case, inputs),
    }
}

/// Makes the calls of a case one after the other.
pub(crate) fn call_all(case: &Case, inputs: &[Array]) -> Result<Vec<Array>> {
    let mut values: Vec<Value> = inputs.iter().map(Value::from).collect();
    for step in &case.steps {
        let args: Vec<Value> = step.args.iter().map(|a| resolve(a, &values)).collect();
        let kwargs: Vec<(&str, Value)> = step
            .kwargs
            .iter()
            .map(|(name, a)| (name.as_str(), resolve(a, &values)))
            .collect();
        let value = call(&step.function, &args, &kwargs)?;
        values.push(match (step.get, value) {
            (Some(index), Value::List(mut items)) if index < items.len() => {
                items.swap_remove(index)
            }
            (_, value) => value,
        });
    }
    let mut results = Vec::new();
    match &case.outputs {
        Some(outputs) => outputs
            .iter()
            .for_each(|&i| flatten(&values[i], &mut results)),
        None => values
            .last()
            .into_iter()
            .for_each(|v| flatten(v, &mut results)),
    }
    Ok(results)
}

fn resolve(argument: &Argument, values: &[Value]) -> Value {
    match argument {
        Argument::Reference(i) => values[*i].clone(),
        Argument::Array(data) => Value::from(&data.to_array()),
        Argument::List(items) => Value::List(items.iter().map(|a| resolve(a, values)).collect()),
        Argument::Plain(value) => value.clone(),
    }
}

fn flatten(value: &Value, results: &mut Vec<Array>) {
    match value {
        Value::Array(array) => results.push(array.clone()),
        Value::List(items) => items.iter().for_each(|item| flatten(item, results)),
        _ => {}
    }
}
