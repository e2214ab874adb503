//! Random numbers in loops and branches: new ones in each iteration, the same wherever the loop runs.

use autojit::{
    Array, Result, autojit, checkpoint, cond, control::*, fori_loop, lazy, numpy as np, scan,
    value_and_grad, vmap,
};

#[track_caller]
fn values(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

/// The results of a function that draws from the generator it is given: the same eagerly, lazily and compiled, and other numbers each time.
fn everywhere(
    f: impl Fn(Array, &np::random::Generator) -> Result<Array>,
    x: &Array,
) -> [Vec<f64>; 2] {
    let again = || np::random::default_rng(5);
    let twice = |g: &dyn Fn(&np::random::Generator) -> Array| {
        let generator = again();
        [values(&g(&generator)), values(&g(&generator))]
    };
    let eager = twice(&|generator| f(x.clone(), generator).unwrap());
    assert_ne!(eager[0], eager[1]);
    let later = twice(&|generator| f(lazy::array(x), generator).unwrap().compute().unwrap());
    assert_eq!(later, eager, "lazily");
    for backend in super::backends() {
        let generator = again();
        let compiled = autojit(|x: Array| f(x, &generator))
            .backend(backend)
            .strict(true);
        let call = || values(&compiled.call(x).unwrap().unwrap());
        let first = call();
        assert_eq!([first, call()], eager, "{backend}");
        let next = values(&generator.random(3));
        let generator = again();
        let _ = [f(x.clone(), &generator), f(x.clone(), &generator)];
        assert_eq!(values(&generator.random(3)), next, "after {backend}");
    }
    eager
}

#[test]
fn each_iteration_draws_anew() {
    let walk = |x: Array, generator: &np::random::Generator| {
        let step = |x: Array| {
            let drawn = generator.random(2);
            let whole = generator.integers(0, 100, ..);
            (
                x + &drawn,
                np::concatenate(
                    &[
                        drawn,
                        np::reshape(whole.astype(autojit::DType::Float64), [1]),
                    ],
                    ..,
                ),
            )
        };
        let (_, all) = scan_length(step, x, 4)?;
        Ok(np::reshape(all, [12]))
    };
    let [drawn, _] = everywhere(walk, &Array::from([0.0, 1.0]));
    let generator = np::random::default_rng(5);
    let (floats, whole) = (generator.random([4, 2]), generator.integers(0, 100, 4));
    let whole = np::reshape(whole.astype(autojit::DType::Float64), [4, 1]);
    let expected = np::concatenate(&[floats, whole], 1);
    assert_eq!(drawn, values(&np::reshape(expected, [12])));
}

#[test]
fn loops_in_loops_and_branches_draw() {
    let f = |x: Array, generator: &np::random::Generator| {
        let inner = |i: Array, x: Array| x + generator.random(..) * (i + 1);
        let outer = |x: Array, y: Array| {
            let x = fori_loop(0, 3, inner, x + y).unwrap();
            let more = |x: Array| x + generator.random(..);
            let x = cond(np::greater(&x, 3.0), more, |x| x * 2.0, x).unwrap();
            (x.clone(), x + generator.random(..))
        };
        Ok(scan(outer, Array::from(0.0), x)?.1)
    };
    let [drawn, _] = everywhere(f, &Array::from([1.0, 2.0, 0.0]));
    assert_eq!(drawn.len(), 3);
    let backwards = |x: Array, generator: &np::random::Generator| {
        let step = |c: Array, x: Array| {
            let c = c + x * generator.random(..);
            (c.clone(), c)
        };
        Ok(scan_reverse(step, Array::from(0.0), x)?.1)
    };
    everywhere(backwards, &Array::from([1.0, 2.0, 0.5]));
}

#[test]
fn loops_without_iterations_take_their_numbers_too() {
    let generator = np::random::default_rng(5);
    let nothing = fori_loop(
        0,
        0,
        |_: Array, x: Array| x + generator.random(..),
        Array::from(1.0),
    );
    assert_eq!(values(&nothing.unwrap()), [1.0]);
    let after = values(&generator.random(..));
    let generator = np::random::default_rng(5);
    let _ = generator.random(..);
    assert_eq!(values(&generator.random(..)), after);
}

#[test]
fn gradients_and_batches_use_the_numbers_of_the_loop() {
    let f = |generator: &np::random::Generator, x: Array| {
        let step = |c: Array, x: Array| {
            let c = c * generator.random(..) + &x * &x;
            (c.clone(), c)
        };
        Ok::<_, autojit::Error>(scan(step, Array::from(1.0), x)?.0)
    };
    let x = Array::from([1.0, 2.0, 3.0]);
    let drawn = values(&np::random::default_rng(5).random(3));
    let [a, b, c] = [drawn[0], drawn[1], drawn[2]];
    let value = ((a + 1.0) * b + 4.0) * c + 9.0;
    let slopes = [2.0 * b * c, 4.0 * c, 6.0];
    let generator = np::random::default_rng(5);
    #[track_caller]
    fn close(x: &Array, y: &[f64]) {
        for (x, y) in values(x).iter().zip(y) {
            assert!((x - y).abs() < 1e-12, "{x} is not {y}");
        }
    }
    let (found, gradient) = value_and_grad(|x: Array| f(&generator, x))(x.clone()).unwrap();
    close(&found, &[value]);
    close(&gradient, &slopes);
    let generator = np::random::default_rng(5);
    let again = |x: Array| f(&generator, x).unwrap();
    let (found, gradient) = value_and_grad(checkpoint(again))(x.clone()).unwrap();
    close(&found, &[value]);
    close(&gradient, &slopes);
    let generator = np::random::default_rng(5);
    let rows = np::stack(&[x.clone(), x], ..);
    let batch = vmap(|x: Array| f(&generator, x).unwrap())(rows).unwrap();
    // Each example has numbers of its own.
    let drawn = values(&np::random::default_rng(5).random([2, 3]).reshape([6]));
    let [_, _, _, a, b, c] = drawn[..] else {
        panic!("{drawn:?} are not six");
    };
    close(&batch, &[value, ((a + 1.0) * b + 4.0) * c + 9.0]);
}

/// The numbers of a checkpoint have values as soon as its arguments have.
#[test]
fn checkpoints_draw_once() {
    let f =
        |generator: &np::random::Generator, x: Array| np::sum(np::sin(x) * generator.random(3), ..);
    let x = Array::from([1.0, 2.0, 3.0]);
    let numbers = |generator: &np::random::Generator| {
        let drawn = values(&generator.random(3));
        let slopes = drawn.iter().zip(values(&x)).map(|(d, x)| d * x.cos());
        slopes.collect::<Vec<_>>()
    };
    let (ours, theirs) = (np::random::default_rng(5), np::random::default_rng(5));
    let eager = value_and_grad(checkpoint(|x| f(&ours, x)));
    let compiled = autojit(value_and_grad(checkpoint(|x| f(&ours, x))));
    for _ in 0..2 {
        let (_, gradient) = eager(x.clone()).unwrap();
        let (_, later) = compiled.call(&x).unwrap().unwrap();
        for gradient in [gradient, later] {
            for (x, y) in values(&gradient).iter().zip(numbers(&theirs)) {
                assert!((x - y).abs() < 1e-12, "{x} is not {y}");
            }
        }
    }
}
