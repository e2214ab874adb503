//! The environment variables of `autojit`. Each case runs this test program again with its variables.

use std::env;
use std::process::{Command, Output};

use autojit::{Array, autojit};

/// Set in the inner runs, so that the case itself is run there.
const CASE: &str = "AUTOJIT_TEST_CASE";

/// Runs the test `case` of this file with the variables.
fn inner(case: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    for name in [
        "AUTOJIT_BACKEND",
        "AUTOJIT_DISABLE",
        "AUTOJIT_VERIFY",
        "AUTOJIT_LOG",
    ] {
        command.env_remove(name);
    }
    command.args([case, "--exact", "--nocapture", "--include-ignored"]);
    command.env(CASE, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "{text}");
    output
}

fn is_inner() -> bool {
    env::var_os(CASE).is_some()
}

#[test]
fn disable_runs_the_closure() {
    if !is_inner() {
        inner("disable_runs_the_closure", &[("AUTOJIT_DISABLE", "1")]);
        return;
    }
    let f = autojit(|x: Array| {
        assert!(x.as_lazy().is_none());
        x + 1.0
    });
    for _ in 0..2 {
        let result = f.call(Array::from([1.0])).unwrap();
        assert_eq!(result.to_vec::<f64>().unwrap(), [2.0]);
    }
    assert_eq!((f.misses(), f.hits(), f.compiled()), (0, 0, 0));
}

#[test]
fn disable_zero_does_not() {
    if !is_inner() {
        inner("disable_zero_does_not", &[("AUTOJIT_DISABLE", "0")]);
        return;
    }
    let f = autojit(|x: Array| x + 1.0);
    f.call(Array::from([1.0])).unwrap();
    assert_eq!(f.compiled(), 1);
}

#[test]
fn backend_sets_the_default_only() {
    if !is_inner() {
        inner(
            "backend_sets_the_default_only",
            &[("AUTOJIT_BACKEND", "replay")],
        );
        return;
    }
    let x = Array::from([1.0]);
    let f = autojit(|x: Array| x + 1.0);
    assert_eq!(f.explain(&x).unwrap().backend(), "replay");
    let f = autojit(|x: Array| x + 1.0).backend(autojit::backends()[0]);
    assert_eq!(f.explain(&x).unwrap().backend(), autojit::backends()[0]);
}

#[test]
fn a_wrong_default_is_an_error_that_names_the_variable() {
    if !is_inner() {
        let case = "a_wrong_default_is_an_error_that_names_the_variable";
        inner(case, &[("AUTOJIT_BACKEND", "numba")]);
        return;
    }
    let f = autojit(|x: Array| x);
    let error = f.call(Array::from([1.0])).unwrap_err();
    assert!(error.is_unknown_backend());
    let text = "the variable AUTOJIT_BACKEND is wrong: no backend is called `numba`";
    assert!(error.to_string().starts_with(text), "{error}");
}

#[test]
fn log_tells_of_compilations_and_verify_accepts_them() {
    if !is_inner() {
        let case = "log_tells_of_compilations_and_verify_accepts_them";
        let output = inner(case, &[("AUTOJIT_LOG", "debug"), ("AUTOJIT_VERIFY", "1")]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("autojit: plus_one (first call): traced 3 nodes in "),
            "{text}"
        );
        let retrace = "autojit: plus_one (argument changed from f64[1] to f64[2]): traced 3";
        assert!(text.contains(retrace), "{text}");
        assert!(text.contains("return %2"), "{text}");
        assert_eq!(text.matches("traced").count(), 2, "{text}");
        return;
    }
    let f = autojit(|x: Array| x + 1.0).name("plus_one");
    for n in [1, 1, 2, 2] {
        f.call(Array::from(vec![1.0; n])).unwrap();
    }
}
