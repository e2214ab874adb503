//! Checks that are asked for: NaNs are traced to the line that made them, and backends are compared.

use autojit::numpy::random::default_rng;
use autojit::{Array, DType, Error, autojit, numpy as np};

fn f(x: Array) -> Array {
    let y = np::sqrt(&x) * 2.0;
    np::sum(y * &x, ..)
}
const LINE_OF_SQRT: u32 = line!() - 3;

fn backends() -> Vec<&'static str> {
    let own = ["cranelift", "replay"].into_iter();
    own.filter(|name| autojit::backends().contains(name))
        .collect()
}

#[test]
fn the_first_node_that_makes_a_nan_is_named() {
    for backend in backends() {
        let checked = autojit(f).backend(backend).debug_nans(true);
        assert_eq!(
            checked
                .call(Array::from([1.0, 4.0]))
                .unwrap()
                .item::<f64>()
                .unwrap(),
            18.0
        );
        for _ in 0..2 {
            let error = checked.call(Array::from([1.0, -4.0])).unwrap_err();
            assert!(error.is_failed_check());
            let text = error.to_string();
            let start =
                "`sqrt` made a NaN (first at [1]) of finite numbers, in a result f64[2], at ";
            assert!(text.starts_with(start), "{backend}: {text}");
            assert!(
                text.contains(&format!("tests/api/jit/checks.rs:{LINE_OF_SQRT}:")),
                "{text}"
            );
        }
        assert_eq!((checked.misses(), checked.hits()), (1, 2));
        // Without the check it is a number like any other.
        let unchecked = autojit(f).backend(backend);
        assert!(
            unchecked
                .call(Array::from([1.0, -4.0]))
                .unwrap()
                .item::<f64>()
                .unwrap()
                .is_nan()
        );
    }
}

#[test]
fn infinities_and_what_was_not_finite_before_are_told_apart() {
    let message = |error: Result<Array, Error>| error.unwrap_err().to_string();
    let exp = autojit(|x: Array| np::exp(x)).debug_nans(true);
    let text = message(exp.call(Array::from([[0.0, 1000.0], [2000.0, 0.0]])));
    assert!(
        text.starts_with("`exp` made 2 infinities (first at [0, 1]) of finite numbers"),
        "{text}"
    );
    let text = message(exp.call(Array::from([[f64::NAN, 1000.0], [0.0, 0.0]])));
    assert!(
        text.starts_with("array 0 of the arguments has a NaN (first at [0, 0])"),
        "{text}"
    );

    let constant = Array::from([1.0, f64::INFINITY]);
    let add = autojit(move |x: Array| x + &constant).debug_nans(true);
    let text = message(add.call(Array::from([1.0, 1.0])));
    assert!(
        text.starts_with("a constant of the function has an infinity (first at [1])"),
        "{text}"
    );

    let complex = autojit(|x: Array| x / 0.0).debug_nans(true);
    let text = message(complex.call(Array::from([num_complex::Complex64::new(0.0, 1.0)])));
    assert!(text.starts_with("`divide` made a NaN"), "{text}");
}

fn failure<R>(result: autojit::Result<R>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn what_was_folded_or_merged_is_named_with_its_first_line() {
    let mut line = 0;
    for backend in crate::numpy::modes::compared_backends() {
        let folded = autojit(|x: Array| {
            let k = np::full_like(&x, -1.0, ..);
            let bad = np::log(k);
            &x + bad
        });
        let text = failure(
            folded
                .backend(backend)
                .debug_nans(true)
                .call(Array::from([1.0, 2.0])),
        );
        let expected = format!("tests/api/jit/checks.rs:{}:", line!() - 9);
        assert!(
            text.starts_with("`log` made ") && text.contains(&expected),
            "{backend}: {text}"
        );

        // Equal ones become one, and views and casts are moved.
        let merged = autojit(|x: Array| {
            let first = np::log(&x);
            let second = np::log(&x);
            let moved = np::transpose(np::astype(second, DType::Complex128), ..);
            moved + first
        });
        let x = Array::from([[1.0, -2.0], [3.0, 4.0]]);
        let text = failure(merged.backend(backend).debug_nans(true).call(x));
        line = line!() - 7;
        let expected = format!("tests/api/jit/checks.rs:{line}:");
        assert!(
            text.starts_with("`log` made ") && text.contains(&expected),
            "{backend}: {text}"
        );
    }
    assert!(line > 0);

    // The graph that runs names the line too.
    let exported = autojit(|x: Array| &x + np::exp(np::zeros_like(&x, ..) + 2.0))
        .to_exported(Array::from([1.0, 2.0]))
        .unwrap();
    let values = exported.graph().values();
    for value in values {
        let is_input =
            exported.graph()[value].inputs.is_empty() && exported.source_line(value).is_none();
        assert!(!is_input || value.index() == 0, "{}", exported.graph());
    }
}

#[test]
fn what_is_replaced_on_the_way_is_no_mistake() {
    let safe =
        autojit(|x: Array| np::where_(np::greater(&x, 0.0), np::log(&x), 0.0)).debug_nans(true);
    let result = safe.call(Array::from([1.0, -1.0])).unwrap();
    assert_eq!(result.to_vec::<f64>().unwrap(), [0.0, 0.0]);
    // Results that are no floats are never wrong.
    let index = autojit(|x: Array| np::argmax(np::log(&x), ..)).debug_nans(true);
    assert!(index.call(Array::from([1.0, -1.0])).is_ok());
}

#[test]
fn backends_agree_on_what_they_should() {
    let x = np::reshape(np::sin(np::arange(1..26, ..)), [5, 5]);
    let f = autojit(|x: Array| {
        let (q, r) = np::linalg::qr(&x, ..);
        (
            np::matmul(&q, &r),
            np::sum(np::exp(&x), 0),
            np::argmax(&x, ..),
        )
    });
    for backend in autojit::backends() {
        let comparison = f.check_against(backend, &x).unwrap();
        assert!(comparison.agrees(), "{comparison}");
        assert_eq!((comparison.results, comparison.against), (3, backend));
        let text = comparison.to_string();
        assert!(text.contains(" agree: 3 results of "), "{text}");
    }
    // Nothing was kept.
    assert_eq!((f.compiled(), f.hits(), f.misses()), (0, 0, 0));
}

#[test]
fn both_backends_see_the_same_random_numbers() {
    let generator = default_rng(7);
    let f = autojit(|x: Array| x + generator.random([4]));
    let comparison = f
        .check_against("replay", Array::from([1.0, 2.0, 3.0, 4.0]))
        .unwrap();
    assert!(comparison.agrees(), "{comparison}");
}

#[test]
fn mistakes_of_the_call_are_errors() {
    let f = autojit(|x: Array| x + 1.0);
    let error = f.check_against("numba", Array::from([1.0])).unwrap_err();
    assert!(error.is_unknown_backend());
    assert!(
        error.to_string().contains("tests/api/jit/checks.rs:"),
        "{error}"
    );
    let lazy = autojit::lazy::variable(&[2], autojit::DType::Float64);
    assert!(f.check_against("replay", lazy).unwrap_err().is_value());
}
