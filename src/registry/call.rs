//! A call of a registered function that was written down. Which function runs is looked up when it runs, by the library of the
//! arrays that it then gets.

use std::panic::Location;

use super::{Arguments, Rule, as_running, entry, find, results};
use crate::nodes::LazyArray;
use crate::{Array, Value};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Type};
use autojit_library::callback::caught;
use autojit_library::{AnyLibrary, Results};

/// A call that was written down.
pub(super) struct Call {
    pub(super) name: &'static str,
    /// The arguments, without their arrays: a node must not keep alive what it is computed from.
    pub(super) template: Arguments,
    pub(super) rule: Rule,
    pub(super) location: &'static Location<'static>,
}

impl Call {
    /// The types of the results for arrays of these types.
    pub(super) fn types(&self, inputs: &[ArrayType]) -> Result<Type> {
        let variable = |ty: &ArrayType| LazyArray::variable(ty.clone(), self.location.into());
        let variables = inputs.iter().map(|ty| Array::from_lazy(variable(ty)));
        let arguments = self.arguments(variables);
        caught("the rule for the types of results", || {
            (self.rule)(&arguments)
        })
    }

    /// The arguments with these arrays.
    pub(super) fn arguments(&self, arrays: impl IntoIterator<Item = Array>) -> Arguments {
        let mut arrays = arrays.into_iter().map(Value::from);
        self.template.with_arrays(|| arrays.next())
    }

    /// Calls the function.
    pub(super) fn run(
        &self,
        library: &'static dyn AnyLibrary,
        arrays: impl IntoIterator<Item = Array>,
    ) -> Result<Results> {
        run_in(library, self.name, &self.arguments(arrays))
    }
}

/// Calls what is known under a name in a library.
fn run_in(
    library: &'static dyn AnyLibrary,
    name: &'static str,
    arguments: &Arguments,
) -> Result<Results> {
    if let Some(found) = find(library.name(), name) {
        return results(library, found.call(arguments)?);
    }
    let builtin = entry(name).and_then(|(_, entry)| entry.builtin);
    let builtin = builtin.ok_or_else(|| {
        Error::unknown_function(format!(
            "the function `{name}` is not registered for the library {}",
            library.name()
        ))
    })?;
    let run = || (builtin.callable)(arguments);
    results(library, as_running(library.name(), name, run)?)
}
