//! Programs of 100 000 operations: linear time, constant stack.
//!
//! The times that are printed are to be judged in a release build: a chain takes less than a second there.
//!
//! ```text
//! cargo test --release --test scale -- --nocapture --test-threads=1
//! ```

use std::thread;
use std::time::Instant;

use autojit::{Array, autojit, lazy, numpy as np};

const NODES: usize = 100_000;

/// Enough for the frames of a debug build, and for a recursion of a few hundred calls only.
const STACK: usize = 256 * 1024;

/// Runs on a thread whose stack a recursion over the nodes would overflow.
fn on_a_small_stack<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(f)
        .unwrap()
        .join()
        .unwrap()
}

fn one_op(x: Array) -> Array {
    (0..NODES).fold(x, |y, _| np::sin(y))
}

fn mixed_ops(x: Array) -> Array {
    (0..NODES / 4).fold(x, |y, _| {
        let z = np::cos(&y);
        let z = np::sqrt(&z * &z);
        np::minimum(z, y)
    })
}

/// Each step has a number of its own: no two nodes are equal, and no kernel can hold their values.
fn many_scalars(x: Array) -> Array {
    (0..NODES).fold(x, |y, i| y + 1.0 / (i + 1) as f64)
}

/// A chain whose every step reads a value from far back.
fn long_lives(x: Array) -> Array {
    let first = &x * 0.5;
    (0..NODES / 2).fold(x, |y, _| np::sin(y) + &first)
}

/// Reductions and products, which are steps of their own.
fn products(x: Array) -> Array {
    let scaled = &x * 0.1;
    (0..NODES / 2).fold(x, |y, _| np::sum(&y, ..) * &scaled)
}

/// Traces, compiles, runs and drops, with each backend and without any; all results agree.
fn check(name: &'static str, f: fn(Array) -> Array) {
    on_a_small_stack(move || {
        let x = Array::from([0.1, 0.2, 0.3]);
        let start = Instant::now();
        let eager = f(x.clone()).to_vec::<f64>().unwrap();
        println!("{name}: eager {:.2?}", start.elapsed());
        let close = |result: &Array, by: &str| {
            let result = result.to_vec::<f64>().unwrap();
            for (r, e) in result.iter().zip(&eager) {
                let scale = e.abs().max(f64::MIN_POSITIVE);
                assert!(
                    (r - e).abs() <= 1e-9 * scale,
                    "{name}, {by}: {result:?} for {eager:?}"
                );
            }
            assert_eq!(result.len(), eager.len());
        };

        let start = Instant::now();
        let y = f(lazy::array(&x));
        let traced = start.elapsed();
        close(&y.compute().unwrap(), "lazy");
        drop(y);
        println!(
            "{name}: lazy traced in {traced:.2?}, all {:.2?}",
            start.elapsed()
        );

        for backend in autojit::backends() {
            let start = Instant::now();
            let jit = autojit(f).backend(backend);
            let first: Array = jit.call(&x).unwrap();
            let compiled = start.elapsed();
            let second: Array = jit.call(&x).unwrap();
            drop(jit);
            println!(
                "{name}: {backend} traced, compiled and run in {compiled:.2?}, with a second call and drop {:.2?}",
                start.elapsed()
            );
            close(&first, backend);
            close(&second, backend);
        }
    });
}

#[test]
fn a_chain_of_one_op() {
    check("one op", one_op);
}

#[test]
fn a_chain_of_mixed_ops() {
    check("mixed ops", mixed_ops);
}

#[test]
fn a_chain_with_many_scalars() {
    check("many scalars", many_scalars);
}

#[test]
fn a_chain_that_reads_from_far_back() {
    check("long lives", long_lives);
}

#[test]
fn a_chain_of_reductions() {
    check("reductions", products);
}

#[test]
fn a_chain_that_nobody_computes_is_dropped() {
    on_a_small_stack(|| {
        let x = lazy::variable(&[2], autojit::DType::Float64);
        let y = one_op(x.clone());
        let node = y.as_lazy().unwrap();
        assert_eq!(node.depth(), NODES);
        assert_eq!(node.history_num_nodes(), NODES + 1);
        assert_eq!(node.show().max_lines(100).to_string().lines().count(), 100);
        let mut head = Vec::new();
        // Kept alive from the middle, then dropped from there.
        head.extend(node.ascend().into_iter().nth(NODES / 2));
        drop((x, y));
        drop(head);
    });
}

#[test]
fn stages_of_a_long_chain() {
    on_a_small_stack(|| {
        let x = Array::from([0.1, 0.2, 0.3]);
        for (name, f) in [
            ("one op", one_op as fn(Array) -> Array),
            ("mixed ops", mixed_ops),
            ("many scalars", many_scalars),
            ("long lives", long_lives),
            ("reductions", products),
        ] {
            for backend in autojit::backends() {
                let how = autojit(f).backend(backend).explain(&x).unwrap();
                println!(
                    "{name}: {backend} traced {} nodes in {:.2?}, optimised to {} in {:.2?}, compiled by {} in {:.2?}",
                    how.traced_nodes(),
                    how.trace_time(),
                    how.optimized_nodes(),
                    how.optimize_time(),
                    how.backend(),
                    how.compile_time(),
                );
            }
        }
    });
}
