//! The targets without a fuzzer: fixed random bytes, and inputs that failed once.

use std::path::Path;

use autojit::{Array, autojit, numpy as np};

use crate::values::{self, Random};

/// Runs a target on `count` random inputs, or as many as `AUTOJIT_CASES` says, and on those in `regressions`.
fn run(mut target: impl FnMut(&[u8]), folder: &str, count: usize) {
    let count = std::env::var("AUTOJIT_CASES").map_or(count, |n| n.parse().expect("a number"));
    let mut random = Random::new(values::seed());
    for _ in 0..count {
        let length = random.below(400);
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        target(&bytes);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("regressions")
        .join(folder);
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        target(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

#[test]
fn graphs() {
    run(crate::graph, "graph", 1000);
}

#[test]
fn kernels() {
    run(crate::kernel, "kernel", 200);
}

#[test]
fn calls() {
    let (mut calls, mut results) = (0, 0);
    let target = |bytes: &[u8]| {
        calls += 1;
        results += usize::from(crate::calls::check(bytes));
    };
    run(target, "call", 3000);
    // Most arguments are wrong for most functions; enough are right.
    assert!(results * 10 > calls, "{results} of {calls}");
}

#[test]
fn texts() {
    run(crate::text, "text", 1000);
}

#[test]
fn random_bytes_are_no_files() {
    run(crate::exported_file, "exported_file", 5000);
}

/// Random bytes are seldom more than a bad beginning: so those of a real file are changed, one at a time.
#[test]
fn changed_files() {
    let f = autojit(|x: Array| np::sum(np::exp(&x) * 2.0, ..) + np::matmul(&x, &x));
    let file = f.to_exported(Array::from([[1.0, 2.0], [3.0, 4.0]]));
    let file = file.unwrap().to_bytes().unwrap();
    let payload = &file[crate::damage::HEADER..];
    let mut random = Random::new(1);
    for _ in 0..5000 {
        let mut changed = payload.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(changed.len());
            changed[at] = random.below(256) as u8;
        }
        crate::exported_file(&changed);
    }
}
