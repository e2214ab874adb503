//! Functions that graphs call back when they run.

use std::sync::Arc;

use autojit_ir::error::Result;
use autojit_ir::{ArrayType, HostArray, Op, OpaqueFunction, Type};
use autojit_library::callback::caught;
use autojit_library::{self as library, AnyLibrary, Concrete, LibraryFunction, Results};

/// The op of a library as a function that looks for its replacement each time it runs.
pub(crate) fn opaque_op(op: &Op) -> OpaqueFunction {
    let (typed, run) = (op.clone(), op.clone());
    let types = move |inputs: &[ArrayType]| {
        let types: Vec<Type> = inputs.iter().cloned().map(Type::from).collect();
        Ok(typed.infer(&types.iter().collect::<Vec<_>>())?.result)
    };
    let name = super::spelling::name_of(op).unwrap_or(op.name());
    let run = move |library, inputs: &[&Concrete]| library::apply(library, &run, inputs);
    opaque(name, types, run, None)
}

/// Gives the function of a batch.
pub(super) type Batches = Box<dyn Fn(&[bool], usize) -> Result<OpaqueFunction> + Send + Sync>;

pub(super) fn opaque(
    name: &'static str,
    types: impl Fn(&[ArrayType]) -> Result<Type> + Send + Sync + 'static,
    run: impl Fn(&'static dyn AnyLibrary, &[&Concrete]) -> Result<Results> + Send + Sync + 'static,
    batches: Option<Batches>,
) -> OpaqueFunction {
    let run = move |library, inputs: &[&Concrete]| {
        caught("the registered function", || run(library, inputs)).map_err(|e| e.in_op(name))
    };
    let run = Arc::new(run);
    let reference = run.clone();
    let types = Box::new(types);
    let reference = Box::new(move |hosts: &[HostArray]| {
        let inputs: Vec<Concrete> = hosts.iter().cloned().map(Concrete::Ndarray).collect();
        let results = reference(
            library::default_library(),
            &inputs.iter().collect::<Vec<_>>(),
        );
        results?.iter().map(Concrete::to_host).collect()
    });
    let implementation = Box::new(LibraryFunction(Box::new(move |library, inputs| {
        run(library, inputs)
    })));
    match batches {
        Some(batches) => {
            OpaqueFunction::with_batches(name, types, reference, implementation, batches)
        }
        None => OpaqueFunction::new(name, types, reference, implementation),
    }
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
