//! Loops and branches in every backend: what they hold besides arithmetic, and how they fail.

use autojit::dispatch::Arguments;
use autojit::{
    Array, DType, Result, autojit, call, cond, control::*, fori_loop, numpy as np,
    register_function, scan, switch, while_loop,
};

use crate::process::in_own_process;

fn values(x: &Array) -> Vec<f64> {
    np::astype(x, DType::Float64).to_vec::<f64>().unwrap()
}

/// The same function eagerly and from every backend, up to rounding.
fn agree(f: impl Fn(Array) -> Result<Vec<Array>>, x: &Array) {
    let expected = f(x.clone()).unwrap();
    for backend in super::backends() {
        let compiled = autojit(&f).backend(backend).strict(true);
        for _ in 0..2 {
            let found = compiled.call(x).unwrap().unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.dtype().unwrap(), expected.dtype().unwrap());
                assert_eq!(found.shape().unwrap(), expected.shape().unwrap());
                for (x, y) in values(found).into_iter().zip(values(expected)) {
                    let close = (x - y).abs() <= 1e-12 * (1.0 + y.abs());
                    assert!(close, "{backend}: {x} is not {y}");
                }
            }
        }
    }
}

/// The message of a failing call of every backend, without the line; eagerly too.
fn fails(f: impl Fn(Array) -> Result<Array>, x: &Array, expected: &str) {
    let check = |name: &str, result: Result<Array>| {
        let text = result.map(|_| ()).unwrap_err().to_string();
        let (message, line) = text.split_once(", at ").expect("a line");
        assert_eq!(message, expected, "{name}");
        assert!(line.contains("backends.rs"), "{name}: {line}");
    };
    check("eager", f(x.clone()));
    for backend in super::backends() {
        let compiled = autojit(&f).backend(backend).strict(true);
        check(backend, compiled.call(x).and_then(|result| result));
    }
}

#[test]
fn every_dtype_is_carried_and_stacked() {
    use DType::*;
    for dtype in [Bool, Uint8, Int32, Int64, Float32, Float64] {
        let xs = Array::from([1.5, 2.0, 0.25, 3.0, 0.0]).astype(dtype);
        agree(
            |xs: Array| {
                // The carried values change places.
                let step = |(a, b): (Array, Array), x: Array| {
                    let next = (np::multiply(&a, &x) + &b).astype(dtype);
                    ((b, next.clone()), (next, a))
                };
                let number = |x: f64| Array::from(x).astype(dtype);
                let init = || (number(1.0), number(2.0));
                let ((a, b), (c, d)) = scan(step, init(), xs.clone())?;
                let ((e, _), (g, h)) = scan_reverse(step, init(), xs)?;
                Ok(vec![a, b, c, d, e, g, h])
            },
            &xs,
        );
    }
}

/// XLA takes them as arguments of the whole program.
#[test]
fn large_constants_are_known_in_loops_of_loops() {
    let large = Array::from((0..100).map(f64::from).collect::<Vec<_>>());
    let f = |x: Array| {
        let inner = |i: Array, x: Array| {
            let other = |x: Array| x * 0.5 + np::take(np::linspace(0.0, 1.0, 64), &i, 0);
            cond(np::greater(np::sum(&x, ..), 20.0), other, |x| x + &large, x).unwrap()
        };
        let outer = |x: Array, y: Array| {
            let x = fori_loop(0, 3, inner, x * y).unwrap();
            (x.clone(), np::sum(np::multiply(x, &large), ..))
        };
        let (x, sums) = scan(outer, x, Array::from([0.5, 0.25]))?;
        Ok(vec![x, sums])
    };
    agree(f, &Array::from(vec![0.125; 100]));
}

#[test]
fn loops_hold_matrices_and_updates() {
    let f = |a: Array| {
        let step = |(a, log): (Array, Array), x: Array| {
            let lower = np::linalg::cholesky(&a, ..);
            let y = np::linalg::solve(&a, &x);
            let a = np::matmul(&lower, np::transpose(&lower, ..)) + np::outer(&y, &y);
            let (sign, size) = np::linalg::slogdet(&a);
            let log = log.at(1).set(sign * size).at(0).add(1.0);
            ((a, log), y)
        };
        let xs = np::reshape(np::arange(8, ..), [4, 2]).astype(DType::Float64);
        let ((a, log), ys) = scan(step, (a, np::zeros([2], ..)), xs)?;
        Ok(vec![a, log, ys])
    };
    agree(f, &Array::from([[2.0, 0.5], [0.5, 3.0]]));
}

#[test]
fn arrays_without_elements_and_loops_without_iterations() {
    let f = |x: Array| {
        let step = |c: Array, x: Array| (c + &x, (np::sum(&x, ..), x));
        let (c, (sums, all)) = scan(step, np::zeros([0], ..), np::zeros([3, 0], ..))?;
        let none = |c: Array, x: Array| (c * &x, x);
        let (d, rows) = scan_reverse(none, x.clone(), np::zeros([0, 2], ..))?;
        let e = fori_loop(0, 0, |_: Array, x: Array| x + 1.0, x)?;
        Ok(vec![c, sums, all, d, rows, e])
    };
    agree(f, &Array::from([1.0, 2.0]));
}

#[test]
fn branches_may_be_one_or_many_or_give_nothing_new() {
    for index in -1..6 {
        agree(
            |index: Array| {
                let x = Array::from([1.0, 2.0]);
                let scaled = |by: f64| move |x: Array| x * by;
                let many = switch(
                    &index,
                    &[
                        &scaled(1.0),
                        &scaled(2.0),
                        &scaled(3.0),
                        &scaled(4.0),
                        &scaled(5.0),
                    ],
                    x.clone(),
                )?;
                let one = switch(&index, &[&scaled(7.0)], x.clone())?;
                let same = |x: Array| x;
                let not = cond(np::greater(&index, 2), same, same, x)?;
                Ok(vec![many, one, not])
            },
            &Array::from(index as i64),
        );
    }
}

/// A generator that is made in the body gives the same numbers in each iteration.
#[test]
fn fixed_draws_are_the_same_in_each_iteration() {
    let f = |x: Array| {
        let step = |c: Array, x: Array| {
            let drawn = np::random::default_rng(7).random([3]);
            (c + &drawn * x, drawn)
        };
        let (c, all) = scan(step, np::zeros([3], ..), x)?;
        Ok(vec![c, all])
    };
    agree(f, &Array::from([1.0, 2.0]));
}

#[test]
fn failures_name_the_iterations_of_all_loops() {
    let table = Array::from([1.0, 2.0, 3.0]);
    let f = |x: Array| {
        let inner = |i: Array, x: Array| {
            let at = np::astype(&x, DType::Int64) + i;
            x + np::take(&table, at, 0) * 0.0
        };
        let outer = |x: Array, y: Array| {
            let x = fori_loop(0, 2, inner, x + y).unwrap();
            (x.clone(), x)
        };
        Ok(scan(outer, Array::from(0.0), x)?.0)
    };
    fails(
        f,
        &Array::from([0.0, 1.0, 1.0, 1.0]),
        "index 3 is out of range for axis 0 with size 3 in take, in iteration 1 of iteration 2",
    );
    // A failure ends a loop whose condition depends on what failed.
    let g = |x: Array| {
        let step = |x: Array| np::take(&table, np::astype(x + 2.0, DType::Int64), 0);
        while_loop(|x: Array| np::less(x, 100.0), step, x)
    };
    fails(
        g,
        &Array::from(0.0),
        "index 5 is out of range for axis 0 with size 3 in take, in iteration 1",
    );
    let forever = |x: Array| {
        let inner = |x: Array| {
            while_loop_within(5, |x: Array| np::less(x, 100.0), |x: Array| x + 1.0, x).unwrap()
        };
        fori_loop(0, 9, |i: Array, x: Array| inner(x) - 4.0 - i, x)
    };
    fails(
        forever,
        &Array::from(97.0),
        "the condition of the loop still holds after 5 iterations, which is its limit in while_loop, in iteration 3",
    );
}

/// XLA calls functions between programs, and a TorchScript module has no way to call them.
#[test]
fn registered_functions_inside_are_left_to_replay() {
    in_own_process!();
    let registered = register_function("ndarray", "twice_in_a_loop", |args: &Arguments| {
        args.array(0) * 2.0
    });
    let _ = registered
        .unwrap()
        .with_shape_rule(|args: &Arguments| args.array(0).ty());
    let f = |x: Array| {
        let step = |c: Array, x: Array| {
            let twice: Array = call!("twice_in_a_loop", c + x).unwrap().try_into().unwrap();
            (twice.clone(), twice)
        };
        scan(step, Array::from(0.0), x)
    };
    let x = Array::from([1.0, 2.0, 3.0]);
    for backend in super::backends() {
        let compiled = autojit(f).backend(backend);
        let (_, all) = compiled.call(&x).unwrap().unwrap();
        assert_eq!(values(&all), [2., 8., 22.], "{backend}");
        if let "torch" | "xla" = backend {
            let error = compiled.strict(true).call(&x).map(|_| ()).unwrap_err();
            assert!(error.is_unsupported(), "{error}");
            assert!(error.to_string().contains("registered function"), "{error}");
        }
    }
}
