//! Derivatives as users define them: constants, and rules of their own.

use std::sync::atomic::{AtomicUsize, Ordering};

use autojit::{
    Array, Error, Result, autojit, custom_vjp, grad, jvp, lazy, numpy as np, stop_gradient,
    transform::SHARED, tree_map, value_and_grad, vmap, vmap_axes,
};

fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

#[test]
fn stopped_gradients_are_zero_and_nothing_else() -> Result<()> {
    let f = |x: Array| np::sum(&x * stop_gradient(&x * &x), ..);
    let x = Array::from([1.0, 3.0]);
    let (value, gradient) = value_and_grad(f)(x.clone())?;
    assert_eq!(
        (value.item::<f64>()?, values(&gradient)),
        (28.0, vec![1.0, 9.0])
    );
    assert_eq!(
        values(&vmap(grad(|x: Array| &x * stop_gradient(&x)))(x.clone())??),
        [1.0, 3.0]
    );
    let (_, tangent) = jvp(|x: Array| stop_gradient(&x) + &x, x.clone(), x.clone())?;
    assert_eq!(values(&tangent), [1.0, 3.0]);
    // Nothing of it is left in compiled code.
    // That of the functions about arrays is the same.
    let f = |x: Array| np::sum(&x * autojit::dispatch::stop_gradient(&(&x * &x)), ..);
    assert_eq!(values(&grad(f)(x.clone())?), values(&(&x * &x)));
    let compiled = autojit(|x: Array| stop_gradient(np::sin(&x)));
    assert_eq!(values(&compiled.call(&x)?), values(&np::sin(&x)));
    assert_eq!(compiled.compile(&x)?.optimized_nodes, 2);
    assert_eq!(
        values(&stop_gradient(lazy::array(&x)).compute()?),
        values(&x)
    );
    let tree = tree_map(|x| stop_gradient(x), &(x, 3))?;
    assert_eq!((values(&tree.0), tree.1), (vec![1.0, 3.0], 3));
    Ok(())
}

/// A cube whose gradient is said to be a hundred times the cotangent, so that it can be told apart.
fn marked() -> impl Fn(Array) -> Result<Array> + Copy {
    fn cube(x: Array) -> Array {
        &x * &x * &x
    }
    |x: Array| {
        let f = custom_vjp(
            cube,
            |x: Array| (cube(x.clone()), x),
            |x: Array, ct: Array| ct * x * 100.0,
        );
        f(x)
    }
}

#[test]
fn rules_of_users_are_used_in_all_modes() -> Result<()> {
    let x = Array::from([1.0, 2.0]);
    let total = |x: Array| marked()(x).map(|y| np::sum(y, ..));
    assert_eq!(values(&marked()(x.clone())?), [1.0, 8.0]);
    let (value, gradient) = value_and_grad(total)(x.clone())?;
    assert_eq!(
        (value.item::<f64>()?, values(&gradient)),
        (9.0, vec![100.0, 200.0])
    );
    assert_eq!(
        values(&grad(total)(lazy::array(&x))?.compute()?),
        [100.0, 200.0]
    );
    assert_eq!(values(&marked()(lazy::array(&x))?.compute()?), [1.0, 8.0]);
    for backend in autojit::backends() {
        let compiled = autojit(grad(total)).backend(backend).strict(true);
        assert_eq!(values(&compiled.call(&x)??), [100.0, 200.0], "{backend}");
        let plain = autojit(marked()).backend(backend).strict(true);
        assert_eq!(values(&plain.call(&x)??), [1.0, 8.0], "{backend}");
    }
    let outer = autojit(grad(autojit_total));
    assert_eq!(values(&outer.call(&x)??), [100.0, 200.0]);
    // Of the second derivative, the backward function is differentiated.
    let second = grad(|x: Array| Ok::<_, Error>(np::sum(grad(total)(x)?, ..)))(x)?;
    assert_eq!(values(&second), [100.0, 100.0]);
    Ok(())
}

fn autojit_total(x: Array) -> Result<Array> {
    let inner = autojit(|x: Array| marked()(x).map(|y| np::sum(y, ..)));
    inner.call(&x)?
}

#[test]
fn rules_hold_for_each_example() -> Result<()> {
    let product = |(w, x): (Array, Array)| {
        let f = custom_vjp(
            |(w, x): (Array, Array)| (np::sum(&w * &x, ..), np::argmax(&x, ..)),
            |(w, x): (Array, Array)| ((np::sum(&w * &x, ..), np::argmax(&x, ..)), (w, x)),
            |(w, x): (Array, Array), (ct, _): (Array, Array)| (&ct * &x * 10.0, &ct * &w * 1000.0),
        );
        f((w, x)).map(|(sum, _)| sum)
    };
    let (w, x) = (
        Array::from([1.0, 2.0]),
        Array::from([[1.0, 3.0], [5.0, 7.0], [0.0, 1.0]]),
    );
    let (dw, dx) = vmap_axes(grad(product), (SHARED, 0), 0)((w.clone(), x.clone()))??;
    assert_eq!(values(&dw), [10.0, 30.0, 50.0, 70.0, 0.0, 10.0]);
    assert_eq!(values(&dx), [1000.0, 2000.0].repeat(3));
    // The gradient of a batch: what is shared has the sum.
    let total = |(w, x): (Array, Array)| {
        let sums = vmap_axes(product, (SHARED, 0), 0)((w, x))??;
        Ok::<_, Error>(np::sum(sums, ..))
    };
    let (dw, dx) = grad(total)((w.clone(), x.clone()))?;
    assert_eq!(values(&dw), [60.0, 110.0]);
    assert_eq!(values(&dx), [1000.0, 2000.0].repeat(3));
    let compiled = autojit(grad(total));
    assert_eq!(values(&compiled.call((&w, &x))??.0), [60.0, 110.0]);
    Ok(())
}

#[test]
fn forward_runs_only_where_a_gradient_is_taken() -> Result<()> {
    static FORWARD: AtomicUsize = AtomicUsize::new(0);
    let f = custom_vjp(
        |x: Array| np::exp(&x),
        |x: Array| {
            FORWARD.fetch_add(1, Ordering::Relaxed);
            let y = np::exp(&x);
            (y.clone(), y)
        },
        |y: Array, ct: Array| ct * y,
    );
    f(Array::from(1.0))?;
    assert_eq!(FORWARD.load(Ordering::Relaxed), 0);
    let gradient = grad(&f)(Array::from(0.0))?;
    assert_eq!(gradient.item::<f64>()?, 1.0);
    // What closures capture from a trace around counts as constant.
    let scaled = |scale: Array| {
        let g = custom_vjp(
            |x: Array| &x * &scale,
            |x: Array| (&x * &scale, ()),
            |(): (), ct: Array| ct * &scale,
        );
        g(scale.clone())
    };
    assert_eq!(grad(scaled)(Array::from(3.0))?.item::<f64>()?, 3.0);
    Ok(())
}

#[test]
fn rules_that_do_not_fit_are_refused() {
    let x = || Array::from([1.0, 2.0]);
    let message = |result: Result<Array>| result.unwrap_err().to_string();
    let wrong_result = custom_vjp(
        |x: Array| x,
        |x: Array| (np::sum(&x, ..), ()),
        |(): (), ct: Array| ct,
    );
    let text = message(grad(|x: Array| wrong_result(x).map(|y| np::sum(y, ..)))(x()));
    assert!(
        text.starts_with("the forward function of custom_vjp gives "),
        "{text}"
    );
    let wrong_gradient = custom_vjp(
        |x: Array| x,
        |x: Array| (x, ()),
        |(): (), ct: Array| np::sum(ct, ..),
    );
    let text = message(grad(|x: Array| wrong_gradient(x).map(|y| np::sum(y, ..)))(
        x(),
    ));
    assert!(
        text.starts_with("the backward function of custom_vjp gives gradients of types f64[], where the argument has f64[2]"),
        "{text}"
    );
    assert!(text.contains("tests/api/transform/rules.rs:"), "{text}");
    let error = jvp(marked(), x(), x()).map(|_| ()).unwrap_err();
    assert!(error.is_unsupported());
    assert!(
        error
            .to_string()
            .contains("has a rule for reverse mode alone"),
        "{error}"
    );
}

/// Their numbers would be others in the function than in the rule.
#[test]
fn rules_do_not_draw() {
    let generator = np::random::default_rng(1);
    let dropped = custom_vjp(
        |x: Array| x * generator.random(3),
        |x: Array| {
            let kept = generator.random(3);
            (x * &kept, kept)
        },
        |kept: Array, ct: Array| ct * kept,
    );
    let x = Array::from([1.0, 2.0, 3.0]);
    // Nothing is differentiated here.
    assert!(values(&dropped(x.clone()).unwrap())[0] < 1.0);
    let loss = |x: Array| Ok::<_, Error>(np::sum(dropped(x)?, ..));
    let errors = [
        grad(loss)(x.clone()).unwrap_err(),
        autojit(loss).call(x).map(|_| ()).unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(
            error.is_unsupported() && text.contains("draws random numbers"),
            "{text}"
        );
        assert!(text.contains("rules.rs"), "{text}");
    }
}
