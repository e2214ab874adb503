//! libtorch and XLA in one process: in both orders, in turns, and from threads.
#![cfg(all(feature = "torch", feature = "xla"))]

use crate::process::in_own_process;
use autojit::{Array, autojit, numpy as np};

/// A matrix product, a decomposition and elementary functions: what both libraries have kernels of their own for.
fn work(x: Array) -> Array {
    let product = np::matmul(&x, np::transpose(&x, ..)) + np::eye(3, np::like(&x));
    let (values, vectors) = np::linalg::eigh(&product, ..);
    np::matmul(&vectors * np::exp(-values), np::transpose(&vectors, ..))
}

fn matrix() -> Array {
    let numbers: Vec<f64> = (0..9).map(|i| (f64::from(i) * 0.37).sin()).collect();
    Array::from(numbers).reshape([3, 3])
}

/// How far a library is from the reference.
fn error(library: &str) -> f64 {
    let f = autojit(work).strict(true);
    let x = matrix().to(library);
    assert_eq!(f.explain(&x).unwrap().backend(), library);
    let got = f.call(&x).unwrap();
    assert_eq!(got.library().unwrap(), library);
    let difference = got.to("ndarray") - work(matrix());
    np::max(np::abs(difference), ..).item().unwrap()
}

/// Runs in a process of its own, so that neither library has been touched before.
fn in_order(first: &str, second: &str) {
    for library in [first, second, first, second] {
        assert!(error(library) < 1e-13, "{library} after {first}");
    }
}

#[test]
fn torch_may_come_first() {
    in_own_process!();
    in_order("torch", "xla");
}

#[test]
fn xla_may_come_first() {
    in_own_process!();
    in_order("xla", "torch");
}

#[test]
fn both_run_from_threads() {
    std::thread::scope(|scope| {
        for i in 0..6 {
            scope.spawn(move || {
                for j in 0..5 {
                    let library = ["torch", "xla"][(i + j) % 2];
                    assert!(error(library) < 1e-13, "{library}");
                }
            });
        }
    });
}

#[test]
fn arrays_move_between_them() {
    let x = matrix().to("torch");
    let y = np::exp(&x).to("xla");
    let z = np::log(&y).to("torch");
    let difference: f64 = np::max(np::abs(z - &x), ..).item().unwrap();
    assert!(difference < 1e-14);
    // In one call they do not meet.
    let f = autojit(|(x, y): (Array, Array)| x + y);
    for arguments in [(&x, &y), (&y, &x)] {
        assert!(f.call(arguments).unwrap_err().is_mixed_libraries());
    }
    let sum = f.call((&x, &y.to("torch"))).unwrap();
    assert_eq!(sum.library().unwrap(), "torch");
    let sum = f.call((&y, &x.to("xla"))).unwrap();
    assert_eq!(sum.library().unwrap(), "xla");
}
