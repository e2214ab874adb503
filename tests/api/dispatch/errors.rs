//! Errors of calls by name, each with the caller's line and with the right way.

use crate::process::in_own_process;
use autojit::dispatch::{Arguments, call, infer_backend, infer_backend_multi};
use autojit::{Array, Error, Result, Value, autojit, backend_like, call, numpy as np};
use autojit::{compose, register_function, register_function_wrapping, register_library};

use super::toys::{self, Boxed, Tagged};

/// The message, after checking that it carries a line of this file.
#[track_caller]
fn message<T: std::fmt::Debug>(result: Result<T>, kind: fn(&Error) -> bool) -> String {
    let error = result.unwrap_err();
    let location = error.location().expect("an error with a line");
    assert_eq!(location.file(), "tests/api/dispatch/errors.rs", "{error}");
    assert!(kind(&error), "{error:?}");
    error.to_string()
}

fn x() -> Array {
    Array::from([[1.0, 2.0], [3.0, 4.0]])
}

fn boxed() -> Array {
    toys::register();
    Array::from_foreign(Boxed(x()))
}

#[test]
fn an_unknown_function_is_answered_with_the_nearest_known() {
    in_own_process!();
    let text = message(call!("tensordott", x(), x()), Error::is_unknown_function);
    assert!(
        text.contains("no function is called `tensordott`, the nearest known are tensordot"),
        "{text}"
    );
    compose("smoothstep", |args: &Arguments| args.array(0));
    let text = message(call!("smothstep", x()), Error::is_unknown_function);
    assert!(text.contains("smoothstep"), "{text}");
    let wrap = |_| |args: &Arguments| args.array(0);
    let wrapped = register_function_wrapping("ndarray", "nothing_there", wrap);
    let text = message(wrapped, Error::is_unknown_function);
    assert!(
        text.contains("no function `nothing_there` to wrap"),
        "{text}"
    );
}

#[test]
fn an_unknown_library_is_answered_with_the_registered_ones() {
    in_own_process!();
    toys::register();
    let built = [
        ("torch", cfg!(feature = "torch")),
        ("xla", cfg!(feature = "xla")),
    ];
    let built = built.into_iter().filter(|(_, is_built)| *is_built);
    let names = ["ndarray", "lazy"]
        .into_iter()
        .chain(built.map(|(name, _)| name));
    let names = names
        .chain(["boxed", "tagged"])
        .collect::<Vec<_>>()
        .join(", ");
    let known = &format!("registered are {names}");
    let text = message(call!("zeros", 3, like = "numpi"), Error::is_unknown_library);
    assert!(text.contains("no library is called `numpi`"), "{text}");
    assert!(text.contains(known.as_str()), "{text}");
    let typed = np::zeros(3, np::like("numpi")).check();
    assert!(message(typed, Error::is_unknown_library).contains(known.as_str()));
    let block = backend_like("numpi", || unreachable!("the block must not run"));
    assert!(message::<()>(block, Error::is_unknown_library).contains(known.as_str()));
    let registered = register_function("numpi", "sqrt", |args: &Arguments| args.array(0));
    assert!(message(registered, Error::is_unknown_library).contains(known.as_str()));
    assert!(message(x().to("numpi").check(), Error::is_unknown_library).contains(known.as_str()));
    let text = message(x().to("ndarray-float16").check(), Error::is_unknown_library);
    assert!(
        text.contains("`float16` in `ndarray-float16` is neither"),
        "{text}"
    );
    let unregistered = Array::from_foreign(String::new()).check();
    let text = message(unregistered, Error::is_unknown_library);
    assert!(
        text.contains("no library has arrays of the type alloc::string::String"),
        "{text}"
    );
}

#[test]
fn names_that_a_library_cannot_have() {
    in_own_process!();
    for name in ["ndarray", "lazy", "", "my-library"] {
        let text = message(register_library(Tagged(name)), Error::is_value);
        assert!(
            text.contains(&format!("cannot be called `{name}`")),
            "{text}"
        );
    }
}

#[test]
fn without_an_array_there_is_nothing_to_infer_from() {
    in_own_process!();
    let text = message(infer_backend("text"), Error::is_unknown_library);
    assert!(
        text.contains("no array to infer the library from in (the string"),
        "{text}"
    );
    message(
        infer_backend_multi(Vec::<Value>::new()),
        Error::is_unknown_library,
    );
    toys::register();
    register_function("boxed", "only_boxed", |args: &Arguments| args.array(0)).unwrap();
    let text = message(call!("only_boxed", 3), Error::is_unknown_library);
    assert!(
        text.contains("no array to infer the library of `only_boxed` from"),
        "{text}"
    );
    let text = message(call!("only_boxed", x()), Error::is_unknown_function);
    assert!(
        text.contains("registered for boxed, not for the library ndarray"),
        "{text}"
    );
    let lazy = autojit::lazy::array(&boxed());
    let text = message(call!("only_boxed", lazy), Error::is_unsupported);
    assert!(text.contains("cannot be traced without a rule"), "{text}");
}

#[test]
fn mixed_libraries_are_both_named() {
    in_own_process!();
    let both = "the libraries boxed and ndarray cannot be mixed";
    let (boxed, plain) = (boxed(), x());
    let text = message(call!("add", &boxed, &plain), Error::is_mixed_libraries);
    assert!(text.contains(both), "{text}");
    let text = message(call!("stack", [&boxed, &plain]), Error::is_mixed_libraries);
    assert!(text.contains(both), "{text}");
    let sum = (&boxed + &plain).check();
    assert!(message(sum, Error::is_mixed_libraries).contains(both));
    let text = message(
        call!("sum", &plain, like = &boxed),
        Error::is_mixed_libraries,
    );
    assert!(text.contains(both), "{text}");
    message(
        infer_backend_multi([&boxed, &plain]),
        Error::is_mixed_libraries,
    );

    // Numbers and lists of them go along, and so does anything once one array is lazy.
    let list = call!("add", &boxed, [1, 2]).unwrap().into_array().unwrap();
    assert_eq!(list.library().unwrap(), "boxed");
    let lazy = call!("add", autojit::lazy::array(&boxed), &plain).unwrap();
    assert_eq!(infer_backend(lazy.clone()).unwrap(), "lazy");
    let computed = lazy.into_array().unwrap().compute().unwrap();
    assert_eq!(computed.library().unwrap(), "boxed");
}

#[test]
fn wrong_arguments_are_answered_with_the_right_ones() {
    in_own_process!();
    let text = message(call!("sum", x(), axes = 0), Error::is_value);
    assert!(
        text.contains("no argument axes, expected (a, axis=None, keepdims=False, where=None)"),
        "{text}"
    );
    let text = message(call!("sum", x(), axis = "rows"), Error::is_value);
    assert!(
        text.contains("axis is the string \"rows\", expected an integer"),
        "{text}"
    );
    let text = message(call!("sum", x(), like = 3), Error::is_value);
    assert!(
        text.contains("like is the integer 3, expected an array or the name"),
        "{text}"
    );
    let text = message(call!("zeros", 3, dtype = "float16"), Error::is_dtype);
    assert!(text.contains("no dtype is called `float16`"), "{text}");
    let text = message(
        call!("linalg.svd", x())
            .unwrap()
            .try_into()
            .map(|_: (Array, Array)| ()),
        Error::is_value,
    );
    assert!(
        text.contains("expected two arrays, got a list of 3"),
        "{text}"
    );
    let text = message(x().as_foreign::<Boxed>().map(|_| ()), Error::is_value);
    assert!(
        text.contains("Boxed, got one of the library ndarray"),
        "{text}"
    );
    let text = message(call("sqrt", &[], &[]), Error::is_value);
    assert!(text.contains("the argument x is missing"), "{text}");
    for device in ["ndarray-cuda", "boxed-cuda:1"] {
        toys::register();
        let text = message(x().to(device).check(), Error::is_value);
        assert!(text.contains("has no device cuda"), "{text}");
    }
}

#[test]
fn what_a_registered_function_does_wrong() {
    in_own_process!();
    let fails = |args: &Arguments| -> Result<Array> { args.array(0).astype_of("float16") };
    register_function("ndarray", "fails", fails).unwrap();
    let text = message(call!("fails", x()), Error::is_dtype);
    assert!(text.contains("`float16`"), "{text}");
    register_function("ndarray", "log10", |_: &Arguments| Array::from(1.0)).unwrap();
    let text = message(np::log10(x()).check(), Error::is_value);
    assert!(
        text.contains("the registered function gave f64[], expected f64[2,2] in log10"),
        "{text}"
    );
    register_function("ndarray", "log2", |_: &Arguments| Value::from("two")).unwrap();
    let text = message(np::log2(x()).check(), Error::is_value);
    assert!(
        text.contains("expected an array as the result, got the string"),
        "{text}"
    );
}

trait AstypeOf {
    fn astype_of(&self, name: &str) -> Result<Array>;
}

impl AstypeOf for Array {
    fn astype_of(&self, name: &str) -> Result<Array> {
        autojit::dispatch::astype(self, name).check()
    }
}

#[test]
fn libraries_do_not_mix_in_compiled_and_lazy_functions() {
    in_own_process!();
    toys::register();
    let x = Array::from([1.0, 2.0]);
    let tagged = x.to("tagged");
    for backend in autojit::backends() {
        let f = autojit(|(x, y): (Array, Array)| &x + &y).backend(backend);
        for (x, y) in [(&x, &tagged), (&tagged, &x)] {
            let error = f.call((x, y)).unwrap_err();
            assert!(error.is_mixed_libraries(), "{backend}: {error}");
        }
        assert!(f.call((&tagged, &tagged)).is_ok());
        // What the function makes is a constant, which goes along.
        let g = autojit(|x: Array| x + np::ones([2], ..)).backend(backend);
        assert!(g.call(&tagged).is_ok());
    }
    let f = autojit(|(x, y): (Array, Array)| &x + &y);
    let exported = f.to_exported((&x, &x)).unwrap();
    let error = exported
        .call::<Array>(&(&x + 0.0, tagged.clone()))
        .unwrap_err();
    assert!(error.is_mixed_libraries(), "{error}");
}
