//! Errors of calls: they name the types, what was expected, and the user's own line.

use autojit::{Array, Error, autojit, backends, ix, lazy, numpy as np};

/// The message, after checking that it ends with this file and the line and column of `line!()` and so on.
fn message_at(error: &Error, line: u32, column: Option<u32>) -> String {
    let location = error.location().expect("an error of a call has a place");
    assert_eq!(location.file(), file!(), "{error}");
    assert_eq!(location.line(), line, "{error}");
    if let Some(column) = column {
        assert_eq!(location.column(), column, "{error}");
    }
    let suffix = format!(", at {location}");
    let text = error.to_string();
    text.strip_suffix(&suffix)
        .expect("the place ends the message")
        .to_owned()
}

#[test]
fn an_operation_of_the_closure_names_its_own_line() {
    let mut line = 0;
    let f = autojit(|(x, y): (Array, Array)| {
        let z = &x * 2.0;
        np::add(&z, &y)
    });
    line += line!() - 2;
    let (x, y) = (Array::from([[1.0; 4]; 3]), Array::from([1.0; 5]));
    let error = f.call((&x, &y)).unwrap_err();
    assert!(error.is_shape());
    assert_eq!(
        message_at(&error, line, Some(9)),
        "cannot broadcast f64[3,4] with f64[5] in add"
    );
    assert_eq!(error.op(), Some("add"));
}

#[test]
fn a_failed_argument_gives_its_own_error() {
    let f = autojit(|(x, _n): (Array, i64)| x);
    let failed = Array::from([1.0; 2]) + Array::from([1.0; 3]);
    let line = line!() - 1;
    let error = f.call((&failed, 1)).unwrap_err();
    assert!(error.is_shape());
    assert_eq!(
        message_at(&error, line, None),
        "cannot broadcast f64[2] with f64[3] in add"
    );
    assert_eq!(f.misses(), 0);
    assert!(f.explain((&failed, 1)).unwrap_err().is_shape());
}

#[test]
fn a_failure_among_several_results_is_the_error_of_the_call() {
    let f = autojit(|x: Array| (&x + 1.0, vec![x.get(5)]));
    let error = f.call(Array::from([1.0, 2.0])).unwrap_err();
    assert!(error.is_index(), "{error:?}");
    // A failure that nothing depends on is not.
    let f = autojit(|x: Array| {
        let _ = x.get(5);
        x
    });
    f.call(Array::from([1.0, 2.0])).unwrap();
}

#[test]
fn a_question_mark_inside_gives_the_error_of_the_call() {
    let f = autojit(|x: Array| -> Result<Array, Error> {
        let y = x.get(5).check()?;
        Ok(y + 1.0)
    });
    assert!(f.call(Array::from([1.0])).unwrap_err().is_index());
    let nine = f.call(Array::from([8.0; 6])).unwrap().unwrap();
    assert_eq!(nine.item::<f64>().unwrap(), 9.0);
}

#[test]
fn an_unknown_backend_is_answered_with_the_known_ones() {
    let f = autojit(|x: Array| x);
    let x = Array::from([1.0]);
    let error = f.call_with("numba", &x).unwrap_err();
    let line = line!() - 1;
    assert!(error.is_unknown_backend());
    let known = backends().join(", ");
    assert_eq!(
        message_at(&error, line, Some(19)),
        format!("no backend is called `numba`, expected one of {known}")
    );
    assert!(known.contains("replay"));

    let f = autojit(|x: Array| x).backend("numba");
    let error = f.call(&x).unwrap_err();
    assert_eq!(error.location().unwrap().line(), line!() - 1);
    assert!(error.is_unknown_backend());
    assert!(f.explain(&x).unwrap_err().is_unknown_backend());
    // Other backends are still there for the asking.
    f.call_with("replay", &x).unwrap();
}

#[test]
fn a_backend_that_is_not_built_in_names_its_feature() {
    let absent = ["cranelift", "torch", "xla"]
        .into_iter()
        .find(|name| !backends().contains(name));
    let Some(absent) = absent else { return };
    let f = autojit(|x: Array| x);
    let error = f.call_with(absent, Array::from([1.0])).unwrap_err();
    assert!(error.is_unknown_backend());
    let text = format!("the backend `{absent}` is not built in: enable the feature `{absent}`");
    assert!(error.to_string().starts_with(&text), "{error}");
}

#[test]
fn the_backend_is_part_of_the_signature() {
    let f = autojit(|x: Array| x + 1.0);
    let x = Array::from([1.0]);
    for backend in backends() {
        let result: Array = f.call_with(backend, &x).unwrap();
        assert_eq!(result.to_vec::<f64>().unwrap(), [2.0], "{backend}");
        f.call_with(backend, &x).unwrap();
    }
    assert_eq!(f.compiled(), backends().len());
    assert_eq!(f.hits(), backends().len() as u64);
}

#[test]
fn a_free_variable_leaves_the_result_lazy() {
    let free = lazy::variable(&[1], autojit::DType::Float64);
    let f = autojit(|x: Array| x + &free);
    let result = f.call(Array::from([1.0])).unwrap();
    assert!(result.as_lazy().is_some());
    assert_eq!(f.compiled(), 0);
    let error = result.compute().unwrap_err();
    assert!(error.is_unbound_variable(), "{error:?}");
}

#[test]
fn lazy_calls_have_no_explanation() {
    let f = autojit(|x: Array| x);
    let error = f.explain(lazy::array(&Array::from([1.0]))).unwrap_err();
    let line = line!() - 1;
    assert!(error.is_value());
    assert!(message_at(&error, line, None).starts_with("expected arrays with values"));
}

#[test]
fn an_error_at_run_time_names_the_line_of_the_closure() {
    let line = line!() + 1;
    let f = autojit(|(x, indices): (Array, Array)| np::take(&x, &indices, 0)).backend("replay");
    let x = Array::from([1.0, 2.0]);
    let error = f.call((&x, Array::from([7i64]))).unwrap_err();
    assert!(error.is_index(), "{error:?}");
    message_at(&error, line, None);
    // The function stays usable.
    let result = f.call((&x, Array::from([1i64]))).unwrap();
    assert_eq!(result.to_vec::<f64>().unwrap(), [2.0]);
}

#[test]
fn empty_arrays_are_fine() {
    let f = autojit(|x: Array| (&x + 1.0, np::sum(&x, ..)));
    let (empty, zero): (Array, Array) = f.call(np::zeros([0, 3], ..)).unwrap();
    assert_eq!(empty.ty().unwrap().to_string(), "f64[0,3]");
    assert_eq!(zero.item::<f64>().unwrap(), 0.0);
    let f = autojit(|x: Array| np::max(&x, ..));
    assert!(f.call(np::zeros(0, ..)).is_err());
}

/// A traced array that outlives its function.
static ESCAPED: std::sync::Mutex<Option<Array>> = std::sync::Mutex::new(None);

#[test]
fn an_array_that_escaped_from_its_trace_is_an_error_that_says_from_where() {
    let escape = autojit(|x: Array| {
        let escaping = np::sin(&x);
        *ESCAPED.lock().unwrap() = Some(escaping);
        x
    });
    let line = line!() - 4;
    escape.call(Array::from([1.0, 2.0])).unwrap();
    let escaped = ESCAPED.lock().unwrap().take().unwrap();
    for backend in autojit::backends() {
        let later = autojit(|x: Array| x + &escaped).backend(backend);
        let error = later.call(Array::from([1.0, 2.0])).unwrap_err();
        let text = error.to_string();
        assert!(error.is_unbound_variable(), "{text}");
        assert!(text.contains("it escaped in add, at "), "{text}");
        assert!(
            text.contains(&format!("tests/api/jit/errors.rs:{line}:")),
            "{text}"
        );
        // Also as a result, and where nothing is used of it.
        let returned = autojit(|_: Array| escaped.clone()).backend(backend);
        assert!(
            returned
                .call(Array::from([1.0]))
                .unwrap_err()
                .is_unbound_variable()
        );
    }
    // Its history can be looked at; it has no value.
    assert_eq!(escaped.as_lazy().unwrap().history_num_nodes(), 2);
    let error = escaped.compute().unwrap_err();
    assert!(error.is_unbound_variable());
    assert!(
        error.to_string().contains("tests/api/jit/errors.rs:"),
        "{error}"
    );

    // The trace ends when the function panics, too.
    let panics = autojit(|x: Array| -> Array {
        *ESCAPED.lock().unwrap() = Some(x);
        std::panic::resume_unwind(Box::new(0))
    });
    let call = || panics.call(Array::from([1.0]));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
    let escaped = ESCAPED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take()
        .unwrap();
    let later = autojit(|x: Array| x + &escaped).call(Array::from([1.0]));
    assert!(later.unwrap_err().is_unbound_variable());

    // Nested traces may use arrays of those around them.
    let nested = autojit(|x: Array| {
        let inner = autojit(|y: Array| y * &x);
        inner.call(&x).unwrap_or_else(|e| panic!("{e}"))
    });
    assert_eq!(
        nested
            .call(Array::from([3.0]))
            .unwrap()
            .to_vec::<f64>()
            .unwrap(),
        [9.0]
    );
}

/// One rule in all modes: what meets as arguments is of one library, and constants of a graph go along with any.
#[cfg(feature = "torch")]
#[test]
fn arguments_are_of_one_library_and_constants_go_along() {
    const REFUSAL: &str = "arrays of the libraries ndarray and torch cannot be mixed, convert one of them with to(..)";
    let refused = |result: Result<Array, Error>| {
        let text = result.unwrap_err().to_string();
        assert!(text.starts_with(REFUSAL), "{text}");
        assert!(text.contains("tests/api/jit/errors.rs:"), "{text}");
    };
    let sum = |result: Result<Array, Error>, library: &str| {
        let result = result.unwrap();
        assert_eq!(result.library().unwrap(), library);
        let host = result.to("ndarray").to_vec::<f64>().unwrap();
        assert_eq!(host, [4.0, 6.0], "{library}");
    };
    let x = Array::from([1.0, 2.0]);
    let t = Array::from([3.0, 4.0]).to("torch");
    refused((&x + &t).check());
    sum((lazy::array(&x) + &t).compute(), "torch");
    for backend in backends() {
        let f = autojit(|(x, t): (Array, Array)| x + t).backend(backend);
        refused(f.call((&x, &t)));
        let captured = x.clone();
        let f = autojit(move |t: Array| &captured + t).backend(backend);
        sum(f.call(&t), "torch");
        let captured = t.clone();
        let f = autojit(move |x: Array| x + &captured).backend(backend);
        sum(f.call(&x), "ndarray");
    }
}

#[test]
fn failures_of_compiled_code_name_their_operation() {
    let x = Array::from([1.0, 2.0, 3.0]);
    let at = Array::from([1i64, 7]);
    for backend in autojit::backends() {
        let named = |op: &str, f: fn(&Array, &Array) -> Array| {
            let compiled = autojit(move |(x, at): (Array, Array)| f(&x, &at)).backend(backend);
            let text = compiled.call((&x, &at)).unwrap_err().to_string();
            let expected = format!("index 7 is out of range for axis 0 with size 3 in {op}, at ");
            assert!(text.contains(&expected), "{backend}: {text}");
            let eager = f(&x, &at).check().unwrap_err().to_string();
            assert!(eager.contains(&expected), "{eager}");
        };
        named("scatter", |x, at| x.at(at).set(1.0));
        named("scatter", |x, at| x.at(at).add(at));
        named("take", |x, at| np::take(x, at, 0) * 2.0);
        named("getitem", |x, at| {
            np::stack([x, x], Some(1)).get(ix![at, at])
        });
        named("take_along_axis", |x, at| {
            np::take_along_axis(x, at, 0) * 2.0
        });
        named("put_along_axis", |x, at| np::put_along_axis(x, at, 4.0, 0));
        // Indices are checked even if there is nothing to read or to write.
        named("scatter", |x, at| {
            let wide = np::broadcast_to(np::expand_dims(x, 1), [3, 0]);
            wide.at(at).set(1.0)
        });
        named("take", |x, at| {
            let wide = np::broadcast_to(np::expand_dims(x, 1), [3, 0]);
            np::take(wide, at, 0)
        });
        // Results, and what lies between, that no memory holds.
        let huge =
            autojit(|x: Array| np::broadcast_to(&x, [1_i64 << 40, 3]) + 1.0).backend(backend);
        let error = huge.call(&x).unwrap_err();
        let text = error.to_string();
        // XLA does not say which of its instructions wanted the memory.
        assert!(
            (backend == "xla" || error.op().is_some()) && text.contains("tests/api/jit/errors.rs:"),
            "{backend}: {text}"
        );
        let between = autojit(|x: Array| {
            let wide = np::sort(np::broadcast_to(&x, [1_i64 << 40, 3]), 1);
            np::sum(wide, ..)
        });
        let error = between.backend(backend).call(&x).unwrap_err();
        let text = error.to_string();
        // XLA does not say which of its instructions wanted the memory.
        assert!(
            (backend == "xla" || error.op().is_some()) && text.contains("tests/api/jit/errors.rs:"),
            "{backend}: {text}"
        );
        assert!(!text.contains("18446744073709551615"), "{text}");
    }
}
