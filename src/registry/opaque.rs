//! Calls of registered functions inside graphs: traced as opaque ops that call back when they run.
//!
//! Such a node keeps the name and the arguments without their arrays; which function runs is looked up when it
//! runs, by the library of the arrays that it then gets.

use std::panic::Location;

use super::{Arguments, Rule, as_running, entry, find, results};
use crate::nodes::LazyArray;
use crate::{Array, Operand, Value};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, Op, OpaqueFunction, Type};
use autojit_library::callback::caught;
use autojit_library::{self as library, AnyLibrary, Concrete, LibraryFunction, Results};

/// Writes down a call with lazy arrays.
pub(crate) fn trace(
    name: &'static str,
    arguments: &Arguments,
    rule: Rule,
    location: &'static Location<'static>,
) -> Result<Value> {
    let arrays: Vec<Operand> = arguments.arrays().into_iter().map(Into::into).collect();
    // Without its arrays: a node must not keep alive what it is computed from.
    let template = arguments.with_arrays(|| Some(Array::from(false).into()));
    let filled = template.clone();
    let types = move |inputs: &[ArrayType]| {
        let mut variables = inputs
            .iter()
            .map(|ty| Array::from_lazy(LazyArray::variable(ty.clone(), location)).into());
        caught("the rule for the types of results", || {
            rule(&filled.with_arrays(|| variables.next()))
        })
    };
    let run = move |library: &'static dyn AnyLibrary, inputs: &[&Concrete]| {
        let mut inputs = inputs
            .iter()
            .map(|&x| Array::from_concrete(x.clone()).into());
        let arguments = template.with_arrays(|| inputs.next());
        run_in(library, name, &arguments)
    };
    let function = opaque(name, types, run);
    let types: Vec<ArrayType> = arrays.iter().map(Operand::ty).collect::<Result<_>>()?;
    let op = Op::Opaque {
        function: function.clone(),
    };
    let result = function.infer(&types).map_err(|e| e.in_op(name))?;
    Array::apply_opaque(op, &arrays, &result, location)
}

/// The op of a library as a function that looks for its replacement each time it runs.
pub(crate) fn opaque_op(op: &Op) -> OpaqueFunction {
    let (typed, run) = (op.clone(), op.clone());
    let types = move |inputs: &[ArrayType]| {
        let types: Vec<Type> = inputs.iter().cloned().map(Type::from).collect();
        Ok(typed.infer(&types.iter().collect::<Vec<_>>())?.result)
    };
    let name = super::spelling::name_of(op).unwrap_or(op.name());
    opaque(name, types, move |library, inputs| {
        library::apply(library, &run, inputs)
    })
}

fn opaque(
    name: &'static str,
    types: impl Fn(&[ArrayType]) -> Result<Type> + Send + Sync + 'static,
    run: impl Fn(&'static dyn AnyLibrary, &[&Concrete]) -> Result<Results> + Send + Sync + 'static,
) -> OpaqueFunction {
    let run = move |library, inputs: &[&Concrete]| {
        caught("the registered function", || run(library, inputs)).map_err(|e| e.in_op(name))
    };
    let run = std::sync::Arc::new(run);
    let reference = run.clone();
    OpaqueFunction::new(
        name,
        Box::new(types),
        Box::new(move |hosts: &[HostArray]| {
            let inputs: Vec<Concrete> = hosts.iter().cloned().map(Concrete::Ndarray).collect();
            let results = reference(
                library::default_library(),
                &inputs.iter().collect::<Vec<_>>(),
            );
            results?.iter().map(Concrete::to_host).collect()
        }),
        Box::new(LibraryFunction(Box::new(move |library, inputs| {
            run(library, inputs)
        }))),
    )
}

/// The same function, computed in a library even where main memory is all that is offered: compiled code keeps
/// to main memory, and what is registered for the library of the arguments must run all the same.
pub(crate) fn opaque_in(
    function: &OpaqueFunction,
    library: &'static dyn AnyLibrary,
) -> OpaqueFunction {
    let (rule, run, reference) = (function.clone(), function.clone(), function.clone());
    let call = move |library, function: &OpaqueFunction, inputs: &[&Concrete]| {
        let types: Vec<ArrayType> = inputs.iter().map(|x| x.ty()).collect();
        library::call_opaque(library, function, inputs, &function.infer(&types)?)
    };
    OpaqueFunction::new(
        function.name(),
        Box::new(move |types: &[ArrayType]| rule.infer(types)),
        Box::new(move |hosts: &[HostArray]| {
            let inputs = hosts.iter().map(|host| library.from_host(host.clone()));
            let inputs = inputs.collect::<Result<Vec<_>>>()?;
            let results = call(library, &reference, &inputs.iter().collect::<Vec<_>>())?;
            results.iter().map(Concrete::to_host).collect()
        }),
        Box::new(LibraryFunction(Box::new(move |library, inputs| {
            call(library, &run, inputs)
        }))),
    )
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
