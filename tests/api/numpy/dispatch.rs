//! Calls by name: binding of arguments, conversion of values, and what is refused.

use autojit::dispatch::{call, functions};
use autojit::{Array, DType, Error, Value, lazy};

fn matrix() -> Value {
    Array::from([[1.0, 2.0], [3.0, 4.0]]).into()
}

fn array(value: Value) -> Array {
    match value {
        Value::Array(array) => array,
        other => panic!("expected an array, got {other:?}"),
    }
}

#[test]
fn arguments_bind_as_in_python() {
    let by_position = call("sum", &[matrix(), 0.into(), true.into()], &[]).unwrap();
    let by_name = call(
        "sum",
        &[],
        &[
            ("keepdims", true.into()),
            ("a", matrix()),
            ("axis", 0.into()),
        ],
    );
    for sum in [by_position, by_name.unwrap()].map(array) {
        assert_eq!(sum.shape().unwrap(), [1, 2]);
        assert_eq!(sum.to_vec::<f64>().unwrap(), [4.0, 6.0]);
    }
    let none = call("sum", &[matrix()], &[("axis", Value::None)]).unwrap();
    assert_eq!(array(none).item::<f64>().unwrap(), 10.0);
}

#[test]
fn values_of_every_kind_are_understood() {
    let get = |key: Value| array(call("getitem", &[matrix(), key], &[]).unwrap());
    let reversed = Value::Slice {
        start: None,
        stop: None,
        step: Some(-1),
    };
    let key = Value::List(vec![Value::Ellipsis, reversed, Value::None]);
    assert_eq!(get(key).to_vec::<f64>().unwrap(), [2.0, 1.0, 4.0, 3.0]);
    assert_eq!(
        get(Value::List(vec![1.into(), [0, 0].into()]))
            .to_vec::<f64>()
            .unwrap(),
        [3.0, 3.0]
    );

    let stacked = call(
        "stack",
        &[[matrix(), matrix()].into()],
        &[("axis", (-1).into())],
    );
    assert_eq!(array(stacked.unwrap()).shape().unwrap(), [2, 2, 2]);
    let flat = call(
        "concatenate",
        &[[matrix(), matrix()].into()],
        &[("axis", Value::None)],
    );
    assert_eq!(array(flat.unwrap()).shape().unwrap(), [8]);
    let pairs = Value::List(vec![[1].into(), [0].into()]);
    let product = call("tensordot", &[matrix(), matrix()], &[("axes", pairs)]);
    assert_eq!(
        array(product.unwrap()).to_vec::<f64>().unwrap(),
        [7.0, 10.0, 15.0, 22.0]
    );
    let trace = call("einsum", &["ii".into(), matrix()], &[]).unwrap();
    assert_eq!(array(trace).item::<f64>().unwrap(), 5.0);
    let nuclear = call("linalg.norm", &[matrix(), "nuc".into()], &[]).unwrap();
    assert!((array(nuclear).item::<f64>().unwrap() - 34f64.sqrt()).abs() < 1e-12);
    let nested = Value::List(vec![[1, 2].into(), [3.5, 4.0].into()]);
    let list = array(call("add", &[nested, 1.into()], &[]).unwrap());
    assert_eq!(list.to_vec::<f64>().unwrap(), [2.0, 3.0, 4.5, 5.0]);
    let ones = call("ones", &[2.into(), DType::Int32.into()], &[]).unwrap();
    assert_eq!(array(ones).dtype().unwrap(), DType::Int32);
    let typed = call("astype", &[matrix(), "complex64".into()], &[]).unwrap();
    assert_eq!(array(typed).dtype().unwrap(), DType::Complex64);
    // A number is weakly typed, so this stays float32.
    let single = Array::from([1.0f32]);
    let product = call("power", &[2.0.into(), single.into()], &[]).unwrap();
    assert_eq!(array(product).dtype().unwrap(), DType::Float32);
}

#[test]
fn several_results_are_a_list() {
    let Value::List(parts) = call("linalg.svd", &[matrix()], &[]).unwrap() else {
        panic!("expected a list");
    };
    assert_eq!(parts.len(), 3);
}

#[test]
fn every_op_that_works_element_by_element_has_a_name() {
    let known = functions();
    assert!(known.is_sorted());
    for name in [
        "where",
        "add",
        "isnan",
        "logical_xor",
        "mod",
        "linalg.norm",
        "getitem",
    ] {
        assert!(known.iter().any(|(n, _)| *n == name), "{name}");
    }
    let (_, signature) = known.iter().find(|(n, _)| *n == "sum").unwrap();
    assert_eq!(signature, "a, axis=None, keepdims=False, where=None");
    let (_, signature) = known.iter().find(|(n, _)| *n == "einsum").unwrap();
    assert_eq!(signature, "subscripts, *operands, optimize=None");
}

/// The message, after checking that it carries a line of this file.
#[track_caller]
fn message(result: Result<Value, Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(
        error.location().unwrap().file(),
        "tests/api/numpy/dispatch.rs"
    );
    error.to_string()
}

#[test]
fn mistakes_say_what_would_have_been_right() {
    let error = call("sume", &[matrix()], &[]).unwrap_err();
    assert!(error.is_unknown_function());
    assert!(message(Err(error)).contains("the nearest known are sum"));

    let text = message(call("sum", &[matrix()], &[("axes", 0.into())]));
    assert!(
        text.contains("no argument axes, expected (a, axis=None, keepdims=False"),
        "{text}"
    );
    let text = message(call("sum", &[], &[]));
    assert!(text.contains("the argument a is missing"), "{text}");
    let text = message(call("sum", &[matrix()], &[("a", matrix())]));
    assert!(text.contains("a is given twice"), "{text}");
    let text = message(call("sqrt", &[matrix(), matrix()], &[]));
    assert!(
        text.contains("expected at most 1 arguments (x), got 2"),
        "{text}"
    );
    let text = message(call("add", &[matrix(), "2".into()], &[]));
    assert!(
        text.contains("y is the string \"2\", expected an array or a number"),
        "{text}"
    );
    let text = message(call("sum", &[matrix()], &[("axis", 0.5.into())]));
    assert!(
        text.contains("axis is the float 0.5, expected an integer"),
        "{text}"
    );
    let text = message(call("astype", &[matrix(), "float16".into()], &[]));
    assert!(
        text.contains("float16") && text.contains("float32"),
        "{text}"
    );
    let ragged = Value::List(vec![[1, 2].into(), [3].into()]);
    assert!(message(call("sqrt", &[ragged], &[])).contains("lists of equal length"));
    let deeper = Value::List(vec![1.into(), [2].into()]);
    assert!(message(call("sqrt", &[deeper], &[])).contains("lists of equal length"));
    let text = message(call(
        "matmul",
        &[matrix(), Array::from([1.0, 2.0, 3.0]).into()],
        &[],
    ));
    assert!(
        text.contains("cannot multiply f64[2,2] with f64[3]"),
        "{text}"
    );
}

#[test]
fn lazy_nodes_carry_the_line_of_the_call() {
    let x: Value = lazy::variable(&[2, 2], DType::Float64).into();
    for (name, args) in [
        ("exp", vec![x.clone()]),
        ("reshape", vec![x.clone(), [4].into()]),
        ("mean", vec![x]),
    ] {
        let line = line!() + 1;
        let y = array(call(name, &args, &[]).unwrap());
        let location = y.as_lazy().unwrap().location();
        assert_eq!(
            (location.file(), location.line()),
            ("tests/api/numpy/dispatch.rs", line)
        );
    }
}
