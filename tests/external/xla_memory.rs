//! Calls and compilations through XLA give their memory back. In a process of its own, as other tests allocate too.
#![cfg(all(feature = "xla", target_os = "linux"))]

use crate::process::in_own_process;
use autojit::{Array, autojit, numpy as np};

/// Resident memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// How much more is resident after so many runs; the first tenth warms up.
fn growth(runs: usize, mut run: impl FnMut()) -> isize {
    for _ in 0..runs / 10 {
        run();
    }
    let before = resident();
    for _ in 0..runs {
        run();
    }
    resident() as isize - before as isize
}

const MEGABYTE: isize = 1 << 20;

#[test]
fn memory_stays_flat() {
    in_own_process!();
    let numbers: Vec<f64> = (0..1024).map(|i| 1.0 + f64::from(i)).collect();
    let host = Array::from(numbers).reshape([32, 32]);
    let x = host.to("xla");
    let f = autojit(|x: Array| (np::sqrt(&x), np::matmul(&x, &x), x));

    // One result that stays behind is 8 kB, 80 MB of ten thousand.
    let grown = growth(10_000, || {
        let (_, product, _) = f.call(&x).unwrap();
        assert_eq!(product.library().unwrap(), "xla");
    });
    assert!(grown < 8 * MEGABYTE, "calls on arrays of xla: {grown}");

    let named = autojit(|x: Array| np::sqrt(x)).backend("xla");
    let grown = growth(10_000, || {
        let y = named.call(&host).unwrap();
        assert_eq!(y.library().unwrap(), "ndarray");
    });
    assert!(
        grown < 8 * MEGABYTE,
        "calls on arrays in main memory: {grown}"
    );

    // Calls back into autojit, some of which fail.
    let g = autojit(|(x, i): (Array, Array)| {
        (
            np::linalg::svd(np::take(&x, &i, 0), ..).1,
            np::random::normal(0.0, 1.0, [64]),
        )
    });
    let indices = [[0, 1, 2], [3, 4, 99]].map(|i| Array::from(i).to("xla"));
    let mut failed = 0;
    let grown = growth(10_000, || {
        for i in &indices {
            failed += usize::from(g.call((&x, i)).is_err());
        }
    });
    assert_eq!(failed, 11_000);
    assert!(grown < 8 * MEGABYTE, "calls back: {grown}");

    let grown = growth(5_000, || {
        let _ = np::exp(&x) + &x;
    });
    assert!(grown < 8 * MEGABYTE, "eager operations: {grown}");

    // An executable takes some 100 kB: 30 MB of three hundred.
    let grown = growth(300, || {
        let h = autojit(|x: Array| np::sum(np::exp(&x) * 2.0, 0));
        h.call(&x).unwrap();
    });
    assert!(grown < 10 * MEGABYTE, "compilations: {grown}");
}
