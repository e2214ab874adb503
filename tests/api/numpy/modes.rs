//! Runs a function in every mode: eagerly, lazily, and compiled by each backend.

#![allow(dead_code, reason = "each test takes what it needs")]

use autojit::{Array, autojit, backends, lazy, numpy as np};

/// The results of a function by mode: eager, lazy, and of each backend, which may not leave it to replay.
pub(crate) fn modes(
    inputs: &[Array],
    f: fn(&[Array]) -> Vec<Array>,
) -> Vec<(&'static str, Vec<Array>)> {
    let lazily: Vec<Array> = inputs.iter().map(lazy::array).collect();
    let mut all = vec![
        ("eager", f(inputs)),
        ("lazy", lazy::compute(f(&lazily)).unwrap()),
    ];
    for backend in compared_backends() {
        let jit = autojit(|x: Vec<Array>| f(&x)).backend(backend).strict(true);
        all.push((backend, jit.call(inputs.to_vec()).unwrap()));
    }
    all
}

/// The backends whose results are compared with what is right. `AUTOJIT_VERIFY` tells where libtorch and XLA are less
/// accurate than replay, choose other eigenvectors, or give other results for infinities: not with those, then.
pub(crate) fn compared_backends() -> impl Iterator<Item = &'static str> {
    let verified = std::env::var("AUTOJIT_VERIFY").is_ok_and(|on| on != "0");
    let foreign = ["torch", "xla"];
    backends()
        .into_iter()
        .filter(move |name| !verified || !foreign.contains(name))
}

pub(crate) fn ty(x: &Array) -> String {
    x.ty().unwrap().to_string()
}

/// The types of the results, the same in every mode.
#[track_caller]
pub(crate) fn types(inputs: &[Array], f: fn(&[Array]) -> Vec<Array>) -> String {
    let all = modes(inputs, f);
    let text = |results: &[Array]| results.iter().map(ty).collect::<Vec<_>>().join(" ");
    for (mode, results) in &all {
        assert_eq!(text(results), text(&all[0].1), "{mode}");
    }
    text(&all[0].1)
}

#[track_caller]
pub(crate) fn close(x: &Array, y: &Array, what: &str) {
    assert_eq!(x.shape().unwrap(), y.shape().unwrap(), "{what}");
    let tolerance = np::logic::Tolerance {
        rtol: 1e-10,
        atol: 1e-10,
        equal_nan: true,
    };
    let equal = np::allclose(x, y, tolerance).item::<bool>().unwrap();
    assert!(equal, "{what}: {x} and {y}");
}

/// The first result is the second in every mode.
#[track_caller]
pub(crate) fn same(inputs: &[Array], f: fn(&[Array]) -> Vec<Array>) {
    for (mode, results) in modes(inputs, f) {
        close(&results[0], &results[1], mode);
    }
}
