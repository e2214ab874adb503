//! Runs a case through `autojit`, with a backend by name.

use std::sync::{Mutex, PoisonError};

use autojit::{Array, Error, Result};

use crate::execute::{Ran, evaluate};
use crate::json::Case;

/// Whether this build has a backend of this name.
///
/// # Errors
/// It has not; the message lists those that it has.
pub(crate) fn probe(name: &str) -> std::result::Result<(), String> {
    let built = autojit::backends();
    if built.contains(&name) {
        return Ok(());
    }
    Err(format!(
        "the backend {name} is not built, known are eager, lazy, {} and all",
        built.join(", ")
    ))
}

/// Traces a case, compiles it and runs it. A case that the backend does not support is run by replay, and reported.
pub(crate) fn run(backend: &str, case: &Case, inputs: &[Array]) -> Result<Ran> {
    match attempt(backend, true, case, inputs) {
        Ok(arrays) => Ok(Ran {
            arrays,
            declined: None,
        }),
        // A refusal of the backend looks like any unsupported thing; if replay cannot do it either, it is one.
        Err(error) if error.is_unsupported() => Ok(Ran {
            arrays: attempt(backend, false, case, inputs)?,
            declined: Some(error.to_string()),
        }),
        Err(error) => Err(error),
    }
}

fn attempt(backend: &str, strict: bool, case: &Case, inputs: &[Array]) -> Result<Vec<Array>> {
    // The traced function can only return arrays; an error on the way is stored here.
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let function = |inputs: Vec<Array>| {
        evaluate(case, &inputs).unwrap_or_else(|error| {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Vec::new()
        })
    };
    let jit = autojit::autojit(function).backend(backend).strict(strict);
    let result = jit.call(inputs.to_vec());
    drop(jit);
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => result,
    }
}
