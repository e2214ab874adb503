//! Batches of functions that users register: by a rule of theirs, or one example after the other.

use autojit::dispatch::{Arguments, register_function};
use autojit::{
    Array, ArrayType, DType, Error, Result, Value, autojit, call, custom_vjp, grad, lazy,
    numpy as np, scan, transform::SHARED, vmap, vmap_axes,
};

use crate::process::in_own_process;

fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

fn call_one(name: &'static str) -> impl Fn((Array, Array)) -> Result<Array> + Copy {
    move |(x, y)| call!(name, &x, &y)?.try_into()
}

/// `x y_0`, of vectors `x` and `y`, registered with a rule for batches and with none but a loop.
fn register() {
    let product = |x: &Array, y: &Array| x * y.get(0);
    register_function("ndarray", "batch_rule", move |args: &Arguments| {
        product(&args.array(0), &args.array(1))
    })
    .unwrap()
    .with_shape_rule(|args: &Arguments| args.array(0).ty())
    .with_batch_rule(|args: &Arguments, flags: &[bool]| {
        let (x, y) = (args.array(0), args.array(1));
        match flags {
            [_, true] => np::moveaxis(np::moveaxis(&x, 0, -1) * np::take(&y, 0, -1), -1, 0),
            _ => x * y.get(0),
        }
    });
    register_function("ndarray", "batch_loop", move |args: &Arguments| {
        product(&args.array(0), &args.array(1))
    })
    .unwrap()
    .with_shape_rule(|args: &Arguments| args.array(0).ty())
    .with_batch_loop();
}

#[test]
fn examples_are_like_single_calls() {
    in_own_process!();
    like_single_calls().unwrap();
}

fn like_single_calls() -> Result<()> {
    register();
    let x = Array::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let y = Array::from([[10.0, 0.0], [100.0, 0.0], [1000.0, 0.0]]);
    for name in ["batch_rule", "batch_loop"] {
        let f = call_one(name);
        let expected = [10.0, 20.0, 300.0, 400.0, 5000.0, 6000.0];
        assert_eq!(
            values(&vmap(f)((x.clone(), y.clone()))??),
            expected,
            "{name}"
        );
        let lazily = vmap(f)((lazy::array(&x), y.clone()))??;
        assert_eq!(values(&lazily.compute()?), expected, "{name}");
        for backend in autojit::backends() {
            let compiled = autojit(vmap(f)).backend(backend);
            assert_eq!(
                values(&compiled.call((&x, &y))???),
                expected,
                "{name}, {backend}"
            );
        }
        // What all examples share has no axis for them.
        let shared = vmap_axes(f, (0, SHARED), 0)((x.clone(), y.get(0)))??;
        assert_eq!(
            values(&shared),
            [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "{name}"
        );
        // Batches of batches: each example of one with each of the other.
        let all =
            vmap_axes(vmap_axes(f, (SHARED, 0), 0), (0, SHARED), 0)((x.clone(), y.clone()))???;
        assert_eq!(all.shape()?, [3, 3, 2]);
        let expected =
            values(&(np::reshape(&x, [3, 1, 2]) * np::reshape(np::take(&y, 0, 1), [1, 3, 1])));
        assert_eq!(values(&all), expected, "{name}");
        let none = vmap(f)((np::zeros([0, 2], ..), np::zeros([0, 2], ..)))??;
        assert_eq!(
            (none.shape()?, none.dtype()?),
            (vec![0, 2], DType::Float64),
            "{name}"
        );
        // In a loop, in a batch.
        let looped = |(x, y): (Array, Array)| -> Result<Array> {
            let step = |carried: Array, y: Array| {
                let next = f((carried, np::stack([&y, &y], 0))).unwrap_or_else(|e| panic!("{e}"));
                (next, ())
            };
            Ok(scan(step, x, y)?.0)
        };
        let found = vmap(looped)((x.clone(), y.clone() + 1.0))??;
        let expected = values(&(&x * np::prod(&y + 1.0, np::axis(1).keepdims())));
        assert_eq!(values(&found), expected, "{name}");
    }
    Ok(())
}

#[test]
fn gradients_by_a_rule_of_examples_of_a_registered_function() {
    in_own_process!();
    rules_of_two_kinds().unwrap();
}

fn rules_of_two_kinds() -> Result<()> {
    register();
    let opaque = |x: &Array| call!("batch_loop", x, x).and_then(Value::into_array);
    let f = custom_vjp(
        |x: Array| opaque(&x).unwrap(),
        |x: Array| (opaque(&x).unwrap(), x),
        |x: Array, cotangent: Array| {
            let first = np::sum(&cotangent * &x, ..);
            &cotangent * x.get(0) + np::stack([first, Array::from(0.0)], 0)
        },
    );
    let loss = |x: Array| Ok::<_, Error>(np::sum(f(x)?, ..));
    let found = vmap(grad(loss))(Array::from([[1.0, 2.0], [3.0, 4.0]]))??;
    assert_eq!(values(&found), [4.0, 1.0, 10.0, 3.0]);
    Ok(())
}

#[test]
fn several_results_and_wrong_rules() {
    in_own_process!();
    results_and_rules().unwrap();
}

fn results_and_rules() -> Result<()> {
    register_function("ndarray", "both_ends", |args: &Arguments| {
        (args.array(0).get(0), args.array(0).get(-1))
    })?
    .with_shape_rule(|args: &Arguments| -> Result<Vec<ArrayType>> {
        let end = ArrayType::scalar(args.array(0).dtype()?);
        Ok(vec![end.clone(), end])
    })
    .with_batch_loop();
    let ends = |x: Array| -> Result<(Array, Array)> { call!("both_ends", &x)?.try_into() };
    let (first, last) = vmap(ends)(Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))??;
    assert_eq!(
        (values(&first), values(&last)),
        (vec![1.0, 4.0], vec![3.0, 6.0])
    );

    register_function("ndarray", "wrongly", |args: &Arguments| args.array(0))?
        .with_shape_rule(|args: &Arguments| args.array(0).ty())
        .with_batch_rule(|args: &Arguments, _: &[bool]| args.array(0).get(0));
    let wrong = |x: Array| -> Result<Array> { call!("wrongly", &x)?.try_into() };
    let error = vmap(wrong)(np::zeros([2, 3], ..))
        .and_then(|x| x?.check())
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the registered function gave f64[3], expected f64[2,3] in wrongly"),
        "{text}"
    );
    Ok(())
}
