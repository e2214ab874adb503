//! Transformations inside of each other, and closures that capture arrays of what is around them.

use autojit::{
    Array, DType, Error, Result, autojit, grad, hessian, jvp, lazy, numpy as np, transform::SHARED,
    value_and_grad, vjp, vmap, vmap_axes,
};

fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

fn close(a: &[f64], b: &[f64]) {
    let equal = a
        .iter()
        .zip(b)
        .all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs()));
    assert!(a.len() == b.len() && equal, "{a:?} is not {b:?}");
}

#[test]
fn gradients_of_gradients() -> Result<()> {
    let f = |x: Array| np::sin(&x);
    let x = Array::from(0.7);
    let third = grad(grad(grad(f)))(x.clone())?;
    close(&values(&third), &[-0.7f64.cos()]);
    let compiled = autojit(grad(grad(grad(f))));
    close(&values(&compiled.call(&x)??), &[-0.7f64.cos()]);
    close(
        &values(&grad(grad(f))(lazy::array(&x))?.compute()?),
        &[-0.7f64.sin()],
    );
    Ok(())
}

#[test]
fn captured_arrays_that_no_result_depends_on_are_left_out() -> Result<()> {
    // The last step of a loop computes what nobody reads.
    let f = |(x, y): (Array, Array)| {
        let inner = |x: Array| {
            let unused = np::sin(&y);
            drop(&x * unused);
            np::sum(&x * &x, ..)
        };
        let (value, gradient) = value_and_grad(inner)(x.clone())?;
        let (_, tangent) = jvp(inner, x.clone(), x.clone())?;
        let each = vmap(inner)(x.clone().reshape([2, 1]))?;
        Ok::<_, Error>((value, gradient, tangent, each))
    };
    let args = (Array::from([1.0, 2.0]), Array::from([3.0, 4.0]));
    let check = |(value, gradient, tangent, each): (Array, Array, Array, Array)| {
        close(&values(&value), &[5.0]);
        close(&values(&gradient), &[2.0, 4.0]);
        close(&values(&tangent), &[10.0]);
        close(&values(&each), &[1.0, 4.0]);
        Ok::<_, Error>(())
    };
    check(f(args.clone())?)?;
    check(autojit(f).call(&args)??)?;
    // A lazy variable that is captured for nothing.
    let variable = lazy::variable(&[2], DType::Float64);
    let only = autojit(|x: Array| {
        drop(&x * &variable);
        x * 2.0
    });
    close(&values(&only.call(&args.0)?), &[2.0, 4.0]);
    Ok(())
}

#[test]
fn captured_arrays_of_an_outer_trace_are_arguments() -> Result<()> {
    // d/dx of (d/dy of x y^2 at y = x) is d/dx 2 x^2.
    let f = |x: Array| {
        let inner = |y: Array| &x * &y * &y;
        grad(inner)(x.clone())
    };
    let x = Array::from(3.0);
    close(&values(&f(x.clone())?), &[18.0]);
    close(&values(&grad(f)(x.clone())?), &[12.0]);
    close(&values(&autojit(f).call(&x)??), &[18.0]);
    close(&values(&autojit(grad(f)).call(&x)??), &[12.0]);
    close(&values(&autojit(grad(grad(f))).call(&x)??), &[4.0]);

    // Only captured: the argument of the inner function is a constant.
    let only = |x: Array| grad(|y: Array| &x * &x * &y)(Array::from(1.0));
    close(&values(&grad(only)(x.clone())?), &[6.0]);

    // Through several levels, with a result that is an array of the outermost one.
    let deep = |a: Array| {
        let outer = |b: Array| {
            let inner = |c: Array| (&a * &b * &c, a.clone());
            let ((product, same), pullback) = vjp(inner, b.clone())?;
            let gradient = pullback((np::ones_like(&product, ..), np::zeros_like(&same, ..)))?;
            Ok::<Array, Error>(gradient * &same)
        };
        grad(outer)(a.clone())
    };
    // gradient = a * b, times a; by b: a^2; by a at b = a: 2 a.
    close(&values(&deep(x.clone())?), &[9.0]);
    close(&values(&grad(deep)(x.clone())?), &[6.0]);

    // A lazy variable is captured too.
    let free = lazy::variable(&[], DType::Float64);
    let y = grad(|x: Array| &x * &free)(x)?;
    assert!(
        y.as_lazy()
            .unwrap()
            .ascend()
            .iter()
            .any(|n| n.is_same(free.as_lazy().unwrap()))
    );
    Ok(())
}

#[test]
fn jit_in_grad_in_jit() -> Result<()> {
    let inner = autojit(|x: Array| np::sum(&x * &x * &x, ..));
    let outer = autojit(|x: Array| {
        let gradient = grad(|x: Array| inner.call(&x))(x.clone())?;
        Ok::<Array, Error>(np::sum(gradient * x, ..))
    });
    let x = Array::from([1.0, 2.0]);
    close(&values(&outer.call(&x)??), &[27.0]);
    let gradient = grad(|x: Array| outer.call(&x))(x.clone())?;
    close(&values(&gradient), &[9.0, 36.0]);
    assert_eq!(outer.misses(), 1);
    // A compiled function that captures an array of the trace around it belongs to that.
    let f = |scale: Array| {
        let scaled = autojit(|x: Array| np::sum(&x * &scale, ..));
        scaled.call(Array::from([1.0, 2.0]))
    };
    close(&values(&grad(f)(Array::from(5.0))?), &[3.0]);
    Ok(())
}

#[test]
fn batches_of_gradients_and_gradients_of_batches() -> Result<()> {
    let loss = |(w, x): (Array, Array)| np::sum(np::tanh(&w * &x), ..);
    let (w, x) = (
        Array::from([0.5, -1.0]),
        Array::from([[1.0, 2.0], [0.3, 0.1], [2.0, -1.0]]),
    );
    let each = vmap_axes(grad(loss), (SHARED, 0), 0)((w.clone(), x.clone()))??;
    assert_eq!((each.0.shape()?, each.1.shape()?), (vec![3, 2], vec![3, 2]));
    for i in 0..3 {
        let one = grad(loss)((w.clone(), x.get(i)))?;
        close(&values(&each.0.get(i)), &values(&one.0));
        close(&values(&each.1.get(i)), &values(&one.1));
    }
    let total = |w: Array| {
        let losses = vmap(|x: Array| loss((w.clone(), x)))(x.clone())?;
        Ok::<Array, Error>(np::sum(losses, ..))
    };
    close(
        &values(&grad(total)(w.clone())?),
        &values(&np::sum(&each.0, 0)),
    );
    let compiled = autojit(grad(total));
    close(&values(&compiled.call(&w)??), &values(&np::sum(&each.0, 0)));

    // Hessians of many, and batches in batches.
    let f = |x: Array| np::prod(&x, ..);
    let many = vmap(hessian(f))(x.clone())??;
    assert_eq!(many.shape()?, [3, 2, 2]);
    close(&values(&many), &[0.0, 1.0, 1.0, 0.0].repeat(3));
    let table =
        vmap(|a: Array| vmap(|b: Array| &a * &b)(Array::from([1.0, 2.0])))(Array::from([3.0, 4.0]));
    close(&values(&table??), &[3.0, 6.0, 4.0, 8.0]);
    Ok(())
}

#[test]
fn forward_over_reverse_and_reverse_over_forward() -> Result<()> {
    let f = |x: Array| np::sum(np::exp(&x * &x), ..);
    let (x, v) = (Array::from([0.3, -0.2]), Array::from([1.0, 2.0]));
    let forward = jvp(grad(f), x.clone(), v.clone())?.1?;
    let reverse = grad(|x: Array| jvp(f, x, v.clone()).map(|(_, d)| d))(x.clone())?;
    close(&values(&forward), &values(&reverse));
    let (value, _) = value_and_grad(|x: Array| jvp(f, x, v.clone()).map(|(_, d)| d))(x)?;
    assert_eq!(value.ndim()?, 0);
    Ok(())
}
