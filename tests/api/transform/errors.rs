//! Errors of calls of transformed functions, and their lines.

use autojit::dispatch::{Arguments, register_function};
use autojit::{
    Array, Error, call, custom_vjp, grad, jvp, numpy as np, transform::SHARED, value_and_grad_aux,
    vjp, vmap, vmap_axes,
};

use crate::process::in_own_process;

/// The message, without the line, which must be one of this file.
#[track_caller]
fn message<T>(result: Result<T, Error>) -> String {
    let text = result.err().expect("an error").to_string();
    let (message, line) = text.split_once(", at ").expect("a line");
    assert!(line.starts_with("tests/api/transform/errors.rs:"), "{text}");
    message.to_owned()
}

#[test]
fn functions_to_something_else_have_no_gradient() {
    let x = || Array::from([1.0, 2.0]);
    assert_eq!(
        message(grad(|x: Array| &x * 2.0)(x())),
        "grad takes a function to one real number, such as a sum, got one to f64[2]"
    );
    let complex = |x: Array| np::sum(np::exp(&x * num_complex::Complex64::i()), ..);
    assert_eq!(
        message(grad(complex)(x())),
        "grad takes a function to one real number, such as a sum, got one to c128[]"
    );
    let pair = |x: Array| (np::sum(&x, ..), x);
    assert_eq!(
        message(grad(pair)(x())),
        "grad takes a function to one real number, such as a sum, got one to (f64[], f64[2])"
    );
    let swapped = |x: Array| (x.clone(), np::sum(&x, ..));
    assert_eq!(
        message(value_and_grad_aux(swapped)(x())),
        "value_and_grad_aux takes a function to a pair of one real number and anything else, such as a sum, got one to \
         (f64[2], f64[])"
    );
}

#[test]
fn integers_have_no_gradient() {
    let f = |(x, list): (Array, Vec<Array>)| np::sum(&x, ..) + np::sum(&list[1], ..);
    let args = (
        Array::from([1.0]),
        vec![Array::from([1.0]), Array::from([1i64, 2])],
    );
    let error = grad(f)(args.clone()).unwrap_err();
    assert!(error.is_dtype());
    assert_eq!(
        message(grad(f)(args.clone())),
        "grad takes floating and complex arrays, got i64[2] at `.1[1]` of the argument: capture it in the closure, or convert it"
    );
    assert!(message(vjp(f, args).map(|_| ())).starts_with("vjp takes floating"));
}

#[test]
fn cotangents_and_tangents_fit() {
    let x = || Array::from([1.0, 2.0]);
    let (_, pullback) = vjp(|x: Array| (np::sum(&x, ..), x), x()).unwrap();
    assert_eq!(
        message(pullback((Array::from(1.0), Array::from([1.0])))),
        "expected a cotangent of type f64[2], got f64[1] at `.1` of a cotangent"
    );
    let error = message(jvp(|x: Array| x, x(), Array::from([1.0f32, 2.0])).map(|_| ()));
    assert_eq!(
        error,
        "expected a tangent of type f64[2], got f32[2] at a tangent"
    );
    let lists = jvp(|x: Vec<Array>| x, vec![x(), x()], vec![x()]);
    assert_eq!(
        message(lists.map(|_| ())),
        "expected a tangent with 2 arrays as in [*, *], got [*]"
    );
}

#[test]
fn cotangents_and_tangents_have_their_arrays_at_the_same_places() {
    use std::collections::BTreeMap;
    let named = |name: &str| BTreeMap::from([(name.to_owned(), Array::from([1.0, 2.0]))]);
    let f = |x: BTreeMap<String, Array>| x;
    let (_, pullback) = vjp(f, named("a")).unwrap();
    assert!(pullback(named("a")).is_ok());
    assert_eq!(
        message(pullback(named("b"))),
        r#"expected a cotangent as in {"a": *}, got {"b": *} with an array at `["b"]` of a cotangent"#
    );
    assert_eq!(
        message(jvp(f, named("a"), named("b")).map(|_| ())),
        r#"expected a tangent as in {"a": *}, got {"b": *} with an array at `["b"]` of a tangent"#
    );
}

#[test]
fn batches_fit() {
    let f = |(x, y): (Array, Vec<Array>)| &x + &y[0];
    let args = || (np::ones([3, 2], ..), vec![np::ones([4, 2], ..)]);
    let error = vmap(f)(args()).unwrap_err();
    assert!(error.is_shape());
    assert_eq!(
        message(vmap(f)(args())),
        "vmap needs as many examples in all arrays, got 3 in `.0` of the argument (f64[3,2]) and 4 in `.1[0]` of the argument \
         (f64[4,2])"
    );
    assert_eq!(
        message(vmap_axes(f, (0, 2), 0)(args())),
        "vmap needs the axis 2 of `.1[0]` of the argument, got f64[4,2]"
    );
    assert_eq!(
        message(vmap_axes(f, SHARED, 0)(args())),
        "vmap needs an array with examples, got the argument (*, [*])"
    );
    assert_eq!(
        message(vmap_axes(f, (0, SHARED, 0), 0)(args())),
        "the axes of the argument have 3 members where it has a tuple of 2"
    );
    let sum = |x: Array| (np::sum(&x, ..), 3);
    assert_eq!(
        message(vmap_axes(sum, 0, SHARED)(np::ones([3, 2], ..))),
        "`.0` of the result of vmap differs between examples, so it needs an axis for them"
    );
    assert_eq!(
        message(vmap_axes(sum, 0, (1, 0))(np::ones([3, 2], ..))),
        "vmap cannot put the examples along axis 1 of `.0` of the result, which has 0 axes for one example"
    );
}

#[test]
fn operations_in_the_function_name_their_line() {
    let f = |x: Array| np::sum(&x + Array::from([1.0, 2.0, 3.0]), ..);
    let text = message(grad(f)(Array::from([1.0, 2.0])));
    assert_eq!(text, "cannot broadcast f64[2] with f64[3] in add");
    // What fails when it runs names the forward operation, in the backward pass too.
    let g = |x: Array| np::sum(np::linalg::inv(&x), ..);
    let text = message(vmap(g)(np::zeros([2, 2, 2], ..)));
    assert!(text.contains("singular"), "{text}");
    // A closure may give an error.
    let failing = |_: Array| Err::<Array, Error>(np::ones([2], ..).get(5).check().unwrap_err());
    assert!(message(grad(failing)(Array::from(1.0))).contains("out of range"));
}

#[test]
fn opaque_functions_are_named() {
    in_own_process!();
    let registered = register_function("ndarray", "transform_opaque", |args: &Arguments| {
        np::exp(args.array(0))
    });
    let _ = registered
        .unwrap()
        .with_shape_rule(|args: &Arguments| args.array(0).ty());
    let f = |x: Array| -> Result<Array, Error> { call!("transform_opaque", &x)?.try_into() };
    let text = message(vmap(f)(np::ones([2, 2], ..)));
    assert!(
        text.starts_with("the function `transform_opaque` is opaque, so there is no rule for a batch of its arguments"),
        "{text}"
    );
    let number = |x: Array| Ok::<_, Error>(np::sum(f(x)?, ..));
    let text = message(grad(number)(np::ones([2], ..)));
    assert!(
        text.contains("`transform_opaque` has no rule for its derivative"),
        "{text}"
    );
    // With a rule of one's own there is a derivative.
    let opaque = |x: &Array| -> Array {
        let result = call!("transform_opaque", x).and_then(autojit::Value::into_array);
        result.expect("a registered function")
    };
    let ruled = custom_vjp(
        |x: Array| opaque(&x),
        |x: Array| (opaque(&x), opaque(&x)),
        |y: Array, ct: Array| ct * y,
    );
    let number = |x: Array| ruled(x).map(|y| np::sum(y, ..));
    let gradient = grad(number)(np::zeros([2], ..)).unwrap();
    assert_eq!(gradient.to_vec::<f64>().unwrap(), [1.0, 1.0]);
}
