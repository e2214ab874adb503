//! Derivatives and batches of loops and branches, against those of unrolled loops.

use autojit::{
    Array, DType, Result, autojit, check_grads, checkpoint, cond,
    control::{scan_length, scan_reverse},
    fori_loop, grad, hvp, jvp, numpy as np, scan, switch, value_and_grad, vjp, vmap, while_loop,
};

fn values(x: &Array) -> Vec<f64> {
    np::astype(x, DType::Float64).to_vec::<f64>().unwrap()
}

fn close(a: &Array, b: &Array) {
    let (a, b) = (values(a), values(b));
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
    assert!(
        a.len() == b.len() && a.iter().zip(&b).all(near),
        "{a:?} is not {b:?}"
    );
}

type Pair = (Array, Array);

/// A step with something carried, elements, and a matrix that is captured.
fn step(a: &Array, (state, count): Pair, x: Array) -> (Pair, Array) {
    let state = np::tanh(np::matmul(a, &state) + &x);
    let count = count + np::sum(&state, ..);
    ((state.clone(), count.clone()), np::sin(&state) * count)
}

fn looped((a, init, xs): (Array, Array, Array)) -> Result<Array> {
    let run = |carried: Pair, x: Array| step(&a, carried, x);
    let ((state, count), ys) = scan(run, (init, Array::from(0.5)), xs)?;
    Ok(np::sum(&state, ..) * count + np::sum(&ys * &ys, ..))
}

fn unrolled((a, init, xs): (Array, Array, Array)) -> Result<Array> {
    let mut carried = (init, Array::from(0.5));
    let mut total = Array::from(0.0);
    for i in 0..xs.shape()?[0] {
        let (next, y) = step(&a, carried, np::take(&xs, i as i64, 0));
        carried = next;
        total += np::sum(&y * &y, ..);
    }
    Ok(np::sum(&carried.0, ..) * carried.1 + total)
}

fn arguments() -> (Array, Array, Array) {
    (
        Array::from([[0.5, -0.25], [0.75, 0.125]]),
        Array::from([0.3, -0.6]),
        Array::from([[0.1, 0.2], [-0.3, 0.4], [0.5, -0.7]]),
    )
}

#[test]
fn gradients_of_scans_are_those_of_unrolled_loops() -> Result<()> {
    let (value, gradient) = value_and_grad(looped)(arguments())?;
    let (expected, unrolled_gradient) = value_and_grad(unrolled)(arguments())?;
    close(&value, &expected);
    let compiled = autojit(value_and_grad(looped))
        .backend(super::NATIVE)
        .strict(true);
    let (_, compiled) = compiled.call(arguments())??;
    for (found, expected) in [
        (&gradient, &unrolled_gradient),
        (&compiled, &unrolled_gradient),
    ] {
        close(&found.0, &expected.0);
        close(&found.1, &expected.1);
        close(&found.2, &expected.2);
    }
    check_grads(looped, arguments())
}

#[test]
fn directions_and_second_derivatives() -> Result<()> {
    let (_, t) = jvp(looped, arguments(), arguments())?;
    let (_, expected) = jvp(unrolled, arguments(), arguments())?;
    close(&t?, &expected?);
    let product = hvp(looped, arguments(), arguments())?;
    let expected = hvp(unrolled, arguments(), arguments())?;
    close(&product.0, &expected.0);
    close(&product.1, &expected.1);
    close(&product.2, &expected.2);
    // Reverse over reverse.
    let twice = |f: fn((Array, Array, Array)) -> Result<Array>| {
        move |args: (Array, Array, Array)| -> Result<Array> {
            let gradient = grad(f)(args)?;
            Ok(np::sum(&gradient.0 * &gradient.0, ..) + np::sum(np::exp(&gradient.2), ..))
        }
    };
    let found = autojit(grad(twice(looped))).call(arguments())??;
    let expected = grad(twice(unrolled))(arguments())?;
    close(&found.0, &expected.0);
    close(&found.1, &expected.1);
    close(&found.2, &expected.2);
    Ok(())
}

#[test]
fn pullbacks_keep_what_they_need() -> Result<()> {
    let f = |xs: Array| {
        let step = |c: Array, x: Array| (&c * &x, &c + x);
        scan_reverse(step, Array::from(2.0), xs)
    };
    let xs = Array::from([3.0, 5.0, 7.0]);
    let (result, pullback) = vjp(f, xs)?;
    let (last, ys) = result?;
    assert_eq!(values(&last), [210.]);
    assert_eq!(values(&ys), [73., 19., 9.]);
    let gradient = pullback(Ok((Array::from(1.0), Array::from([0.0, 0.0, 0.0]))))?;
    assert_eq!(values(&gradient), [70., 42., 30.]);
    let gradient = pullback(Ok((Array::from(0.0), Array::from([1.0, 10.0, 100.0]))))?;
    // y0 = 2*7*5 + 3, y1 = 2*7 + 5, y2 = 2 + 7.
    assert_eq!(values(&gradient), [1., 14. + 10., 10. + 20. + 100.]);
    Ok(())
}

#[test]
fn gradients_of_counted_loops_and_branches() -> Result<()> {
    let f = |x: Array| -> Result<Array> {
        let body = |i: Array, x: Array| {
            let odd = np::equal(np::remainder(&i, 2), 1);
            let a = |x: Array| np::sin(&x) + &x;
            let b = |x: Array| &x * &x * 0.5;
            cond(odd, a, b, x).unwrap()
        };
        let x = fori_loop(0, 5, body, x)?;
        let pick = np::astype(np::greater(&x, 0.0), DType::Int64);
        let (p, q) = (|x: Array| x * 3.0, |x: Array| np::exp(&x));
        switch(pick, &[&p, &q], x)
    };
    let unrolled = |mut x: Array| {
        for i in 0..5 {
            x = if i % 2 == 1 {
                np::sin(&x) + &x
            } else {
                &x * &x * 0.5
            };
        }
        np::exp(&x)
    };
    let x = Array::from(1.2);
    close(&grad(f)(x.clone())?, &grad(unrolled)(x.clone())?);
    close(&autojit(grad(f)).call(&x)??, &grad(unrolled)(x.clone())?);
    let second = |x: Array| grad(f)(x);
    let second_unrolled = |x: Array| grad(unrolled)(x);
    close(
        &grad(second)(x.clone())?,
        &grad(second_unrolled)(x.clone())?,
    );
    let (_, t) = jvp(f, x.clone(), Array::from(1.0))?;
    close(&t?, &grad(unrolled)(x)?);
    Ok(())
}

#[test]
fn open_loops_have_directions_and_no_gradients() -> Result<()> {
    let power = |x: Array| {
        let small = |(y, _): Pair| np::less(y, 100.0);
        Ok::<Array, autojit::Error>(
            while_loop(small, |(y, x): Pair| (y * &x, x), (x.clone(), x))?.0,
        )
    };
    let (y, t) = jvp(power, Array::from(3.0), Array::from(1.0))?;
    // 3^5 = 243.
    assert_eq!((values(&y?), values(&t?)), (vec![243.], vec![405.]));
    let error = grad(power)(Array::from(3.0)).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("a while_loop has no derivative in reverse mode"),
        "{text}"
    );
    assert!(text.contains("derivatives.rs"), "{text}");
    // One that does not matter is no obstacle.
    let f = |x: Array| {
        let n = while_loop(
            |n: Array| np::less(n, 3.0),
            |n: Array| n + 1.0,
            Array::from(0.0),
        );
        Ok::<Array, autojit::Error>(x * n?)
    };
    assert_eq!(values(&grad(f)(Array::from(2.0))?), [3.]);
    Ok(())
}

/// The function on each example.
fn one_by_one(f: impl Fn(Array) -> Result<Array>, xs: &Array) -> Result<Array> {
    let n = xs.shape()?[0];
    let all: Vec<Array> = (0..n)
        .map(|i| f(np::take(xs, i as i64, 0)))
        .collect::<Result<_>>()?;
    np::stack(&all, ..).check()
}

#[test]
fn batches() -> Result<()> {
    fn check(f: impl Fn(Array) -> Result<Array> + Copy, xs: &Array) -> Result<()> {
        let expected = one_by_one(f, xs)?;
        close(&vmap(f)(xs.clone())??, &expected);
        let compiled = autojit(vmap(f)).backend(super::NATIVE).strict(true);
        close(&compiled.call(xs)???, &expected);
        Ok(())
    }
    let rows = Array::from([[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]]);
    // Elements are batched; one thing that is carried is not, another one only after the first iteration.
    let scanned = |xs: Array| {
        let step = |(n, sum): Pair, x: Array| {
            let sum = sum * &n + x;
            ((n + 1.0, sum.clone()), sum)
        };
        let ((n, sum), ys) = scan(step, (Array::from(1.0), Array::from(0.0)), xs)?;
        Ok(np::sum(ys, ..) * n + sum)
    };
    check(scanned, &rows)?;
    let numbers = Array::from([1.5, 3.0, 200.0, 9.0]);
    let doubled = |x: Array| {
        let small = |(x, _): Pair| np::less(x, 100.0);
        let step = |(x, n): Pair| (x * 2.0, n + 1);
        let (x, n) = while_loop(small, step, (x, Array::from(0_i64)))?;
        Ok(x + n)
    };
    check(doubled, &numbers)?;
    let counted = |x: Array| {
        let small = |(_, n): Pair| np::less(n, 4);
        Ok(while_loop(
            small,
            |(x, n): Pair| (&x * 0.5 + 1.0, n + 1),
            (x, Array::from(0_i64)),
        )?
        .0)
    };
    check(counted, &numbers)?;
    let chosen = |x: Array| {
        let (a, b) = (|x: Array| x + 1.0, |_: Array| Array::from(-1.0));
        cond(np::greater(&x, 5.0), a, b, x)
    };
    check(chosen, &numbers)?;
    let (a, b, c) = (|x: Array| x + 1.0, |x: Array| -x, |x: Array| x * 7.0);
    let switched = |x: Array| switch(np::astype(&x - 2.0, DType::Int64), &[&a, &b, &c], x);
    check(switched, &numbers)?;
    let same_for_all = |x: Array| switch(1, &[&a, &b, &c], x);
    check(same_for_all, &numbers)?;
    // Gradients of batches, and batches of gradients.
    let of_row = |xs: Array| grad(scanned)(xs);
    check(of_row, &rows)?;
    let total = |rows: Array| Ok::<Array, autojit::Error>(np::sum(vmap(scanned)(rows)??, ..));
    close(&grad(total)(rows.clone())?, &one_by_one(of_row, &rows)?);
    Ok(())
}

/// The sum of what a chain of eight steps gives in each of many iterations, in a checkpoint or not.
fn chained(is_cut: bool) -> impl Fn(Array) -> Result<Array> {
    let chain = |mut x: Array| {
        for _ in 0..8 {
            x = np::tanh(&x * 1.5);
        }
        x
    };
    move |x: Array| {
        let step = |x: Array| {
            let x = match is_cut {
                true => checkpoint(chain)(x).unwrap(),
                false => chain(x),
            };
            (x.clone(), np::sum(x, ..))
        };
        let (last, sums) = scan_length(step, x, 50)?;
        Ok(np::sum(last, ..) + np::sum(sums, ..))
    }
}

#[test]
fn checkpoints_in_bodies_change_no_numbers() -> Result<()> {
    let x = np::linspace(-1.0, 1.0, 30);
    let expected = grad(chained(false))(x.clone())?;
    close(&grad(chained(true))(x.clone())?, &expected);
    for backend in super::backends() {
        let compiled = autojit(grad(chained(true))).backend(backend).strict(true);
        close(&compiled.call(&x)??, &expected);
    }
    Ok(())
}

/// Of each iteration what is carried is kept, in place of all results on the way.
#[cfg(feature = "cranelift")]
#[test]
fn checkpoints_in_bodies_take_less_memory() -> Result<()> {
    let x = np::linspace(-1.0, 1.0, 1000);
    let planned = |is_cut: bool| -> Result<usize> {
        let report = autojit(grad(chained(is_cut))).compile(&x)?;
        Ok(report.code.planned_peak_bytes.unwrap())
    };
    let of_one = 50 * 1000 * 8;
    let (kept, cut) = (planned(false)?, planned(true)?);
    assert!(kept >= 8 * of_one, "{kept} bytes, {of_one} for each result");
    assert!(cut <= 2 * of_one, "{cut} bytes, {of_one} for each result");
    Ok(())
}

/// Loops in each other, the outer body in a checkpoint: what is carried is kept for the outer iterations, and for the inner ones of
/// one of them at a time.
#[cfg(feature = "cranelift")]
#[test]
fn nested_loops_in_checkpoints_keep_the_root() -> Result<()> {
    fn steps(x: Array, count: usize) -> Array {
        let step = |x: Array| (np::tanh(&x * 1.5), Vec::<Array>::new());
        scan_length(step, x, count).unwrap().0
    }
    let flat = |x: Array| np::sum(steps(x, 400), ..);
    let nested = |x: Array| {
        let block = |x: Array| {
            let x = checkpoint(|x: Array| steps(x, 20))(x).unwrap();
            (x, Vec::<Array>::new())
        };
        scan_length(block, x, 20).map(|(x, _)| np::sum(x, ..))
    };
    let x = np::linspace(-1.0, 1.0, 1000);
    let (flat, nested) = (autojit(grad(flat)), autojit(grad(nested)));
    close(&nested.call(&x)??, &flat.call(&x)??);
    let array = 1000 * 8;
    let planned = |report: autojit::Report| report.code.planned_peak_bytes.unwrap();
    let (whole, root) = (planned(flat.compile(&x)?), planned(nested.compile(&x)?));
    assert!(whole >= 400 * array, "{} arrays", whole / array);
    assert!(root <= 60 * array, "{} arrays", root / array);
    Ok(())
}
