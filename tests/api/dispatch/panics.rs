//! Code of users that panics: an `Err` of the operation that called it, whatever the code is and in every mode.

use crate::process::in_own_process;
use autojit::dispatch::{Arguments, compose, register_function};
use autojit::ir::{ArrayType, HostArray, Op};
use autojit::tree::{Flattener, Unflattener};
use autojit::{
    Array, Error, Exported, Library, Result, Spelled, Tree, autojit, call, lazy, numpy as np,
    register_library, tree_flatten, tree_map,
};

fn result(value: Result<autojit::Value>) -> Result<Array> {
    value.and_then(TryInto::try_into)
}

#[track_caller]
fn is_told(error: &Error, words: &str) {
    let text = error.to_string();
    assert!(text.contains(words), "{text}");
    let file = error.location().map_or("", |location| location.file());
    assert!(file.ends_with("panics.rs"), "{text}");
}

#[test]
fn registered_functions_and_their_rules() {
    in_own_process!();
    let function = |_: &Arguments| -> Array { panic!("no result") };
    register_function("ndarray", "ext.panics", function)
        .unwrap()
        .with_shape_rule(|args: &Arguments| args.array(0).ty());
    let rule = |_: &Arguments| -> ArrayType { panic!("no rule") };
    register_function("ndarray", "ext.rule", |args: &Arguments| {
        args.array(0).clone()
    })
    .unwrap()
    .with_shape_rule(rule);
    register_function("ndarray", "exp", function).unwrap();
    let composed = compose("ext.composed", function);
    let x = Array::from([1.0, 2.0]);

    let function = "the registered function panicked: no result";
    is_told(&result(call!("ext.panics", &x)).unwrap_err(), function);
    is_told(
        &result(call!("ext.panics", lazy::array(&x)))
            .and_then(|y| y.compute())
            .unwrap_err(),
        function,
    );
    is_told(&np::exp(&x).check().unwrap_err(), function);
    is_told(&lazy::array(&x).exp().compute().unwrap_err(), function);
    is_told(
        &result(composed.call(&[(&x).into()], &[])).unwrap_err(),
        function,
    );
    is_told(
        &result(composed.call(&[lazy::array(&x).into()], &[])).unwrap_err(),
        function,
    );
    let rule = "the rule for the types of results panicked: no rule";
    is_told(
        &result(call!("ext.rule", lazy::array(&x))).unwrap_err(),
        rule,
    );
    for backend in autojit::backends() {
        let f = autojit(|x: Array| result(call!("ext.panics", &x))).backend(backend);
        is_told(&f.call(&x).unwrap_err(), function);
        let f = autojit(|x: Array| np::exp(&x)).backend(backend);
        is_told(&f.call(&x).unwrap_err(), function);
        let f = autojit(|x: Array| result(call!("ext.rule", &x))).backend(backend);
        is_told(&f.call(&x).unwrap_err(), rule);
    }
    // Nothing is left in a state that others meet.
    assert_eq!(np::sqrt(&x).to_vec::<f64>().unwrap()[0], 1.0);
}

/// A library whose methods panic: which one says a number that it is made with.
struct Panicking(&'static str);

#[derive(Clone)]
struct Numbers(HostArray);

impl Library for Panicking {
    type Array = Numbers;

    fn name(&self) -> &'static str {
        "panicking"
    }

    fn array_type(&self, array: &Numbers) -> ArrayType {
        assert!(self.0 != "array_type", "no type");
        array.0.ty()
    }

    fn from_host(&self, array: &HostArray) -> Result<Numbers> {
        assert!(self.0 != "from_host", "no array");
        Ok(Numbers(array.clone()))
    }

    fn to_host(&self, array: &Numbers) -> Result<HostArray> {
        assert!(self.0 != "to_host", "no values");
        Ok(array.0.clone())
    }

    fn call(&self, _: &Op, _: &[&Numbers]) -> Result<Spelled<Numbers>> {
        panic!("no op")
    }

    fn round_trips(&self) -> bool {
        true
    }
}

#[test]
fn array_libraries() {
    in_own_process!();
    let words = |text: &str| format!("the library panicking panicked: {text}");
    for (method, text) in [("array_type", "no type"), ("from_host", "no array")] {
        register_library(Panicking(method)).unwrap();
        let error = Array::from([1.0]).to("panicking").check().unwrap_err();
        is_told(&error, &words(text));
    }
    register_library(Panicking("call")).unwrap();
    let x = Array::from([1.0]).to("panicking");
    is_told(&np::exp(&x).check().unwrap_err(), &words("no op"));
    is_told(
        &lazy::array(&x).exp().compute().unwrap_err(),
        &words("no op"),
    );
    let replayed = autojit(|x: Array| np::exp(&x)).backend("replay").call(&x);
    is_told(&replayed.unwrap_err(), &words("no op"));
    register_library(Panicking("to_host")).unwrap();
    let x = Array::from([1.0]).to("panicking");
    is_told(&x.to_vec::<f64>().unwrap_err(), &words("no values"));
    // Native code works on values; replay calls the library.
    if autojit::backends().contains(&"cranelift") {
        let compiled = autojit(|x: Array| &x + 1.0).backend("cranelift").call(&x);
        is_told(&compiled.unwrap_err(), &words("no values"));
    }
}

#[derive(Clone)]
struct Wild {
    array: Array,
    when: &'static str,
}

impl Tree for Wild {
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        assert!(self.when != "flatten", "no leaves");
        self.array.flatten(flattener);
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> Result<Self> {
        let array = Array::unflatten(unflattener)?;
        assert!(array.shape()? != [3], "no tree");
        Ok(Self { array, when: "" })
    }
}

#[test]
fn trees() {
    let tree = |n: usize, when| Wild {
        array: Array::from(vec![1.0; n]),
        when,
    };
    let flatten = "a `Tree` panicked: no leaves";
    let unflatten = "a `Tree` panicked: no tree";
    let f = autojit(|(x, _): (Wild, Array)| x.array + 1.0);
    let one = Array::from(1.0);
    is_told(
        &f.call(&(tree(2, "flatten"), one.clone())).err().unwrap(),
        flatten,
    );
    is_told(
        &f.call(&(tree(3, ""), one.clone())).err().unwrap(),
        unflatten,
    );
    assert!(f.call(&(tree(2, ""), one)).is_ok());
    let g = autojit(|x: Array| Wild {
        array: x,
        when: "flatten",
    });
    is_told(&g.call(Array::from([1.0])).err().unwrap(), flatten);
    let g = autojit(|x: Array| Wild { array: x, when: "" });
    is_told(&g.call(Array::from([1.0; 3])).err().unwrap(), unflatten);
    is_told(&tree_flatten(&tree(2, "flatten")).unwrap_err(), flatten);
    is_told(
        &tree_map(Array::clone, &tree(3, "")).err().unwrap(),
        unflatten,
    );
    let exported = g.to_exported(Array::from([1.0; 3])).unwrap();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    let result: Result<Wild> = loaded.call(&Array::from([1.0; 3]));
    is_told(&result.err().unwrap(), unflatten);
}

#[test]
fn rolls_by_nothing() {
    let x = Array::from([[1, 2], [3, 4]]);
    let none = Vec::<i64>::new;
    for rolled in [
        np::roll(&x, none(), ..),
        np::roll(&x, none(), none()),
        np::roll(&x, 1, none()),
        np::roll(&x, none(), 0),
        np::roll(&x, [], []),
    ] {
        assert_eq!(rolled.to_string(), "[[1 2]\n [3 4]]");
    }
    assert!(np::roll(&x, none(), [0, 1]).check().unwrap_err().is_value());
    assert!(
        np::roll(np::zeros([0, 2], ..), [1, 1], [0, 1])
            .check()
            .is_ok()
    );
}

#[test]
fn an_empty_list_needs_no_type() {
    assert!(np::zeros([], ..).shape().unwrap().is_empty());
    assert_eq!(np::full([], 2.0, ..).item::<f64>().unwrap(), 2.0);
    assert!(
        np::reshape(np::ones([1], ..), [])
            .shape()
            .unwrap()
            .is_empty()
    );
    assert_eq!(np::sum(np::ones([2], ..), []).shape().unwrap(), [2]);
    assert_eq!(np::split(np::ones([2], ..), [], 0).len(), 1);
    let (rows, columns): (usize, i32) = (2, 3);
    assert_eq!(np::zeros([rows, rows], ..).shape().unwrap(), [2, 2]);
    assert_eq!(np::zeros([columns, 1], ..).shape().unwrap(), [3, 1]);
}
