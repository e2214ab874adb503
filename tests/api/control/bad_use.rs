//! Bad use is refused, with the line of the loop and the reason.

use std::collections::BTreeMap;

use autojit::{
    Array, Error, Result, autojit, cond, control::*, fori_loop, numpy as np, scan, switch,
    while_loop,
};

fn error<T>(result: Result<T>) -> Error {
    let Err(error) = result else {
        panic!("it is not refused")
    };
    let text = error.to_string();
    assert!(text.contains("bad_use.rs"), "no line: {text}");
    error
}

/// The message without the line.
fn message(error: &Error) -> String {
    let text = error.to_string();
    text.split(", at ").next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_carried_stays_what_it_is() {
    let xs = Array::from([1.0, 2.0]);
    let grows = |c: Array, x: Array| (np::stack(&[c, x.clone()], ..), x);
    let e = error(scan(grows, Array::from(0.0), xs.clone()));
    assert!(e.is_shape());
    assert_eq!(
        message(&e),
        "the body of scan carries f64[] at what is carried, and gives f64[2] to the next iteration"
    );
    let of_pair = |(a, b): (Array, Array)| (a, np::greater(b, 0.0));
    let e = error(fori_loop(
        0,
        3,
        |_, c| of_pair(c),
        (Array::from(1.0), Array::from(2.0)),
    ));
    assert_eq!(
        message(&e),
        "the body of fori_loop carries f64[] at `.1` of what is carried, and gives bool[] to the next iteration; begin with bool, or convert by astype"
    );
    let e = error(while_loop(
        |(_, b): (Array, Array)| np::greater(b, 0.0),
        of_pair,
        (Array::from(1.0), Array::from(2.0)),
    ));
    assert!(e.is_shape());
    let more = |mut all: Vec<Array>, x: Array| {
        all.push(x.clone());
        (all, x)
    };
    let e = error(scan(more, vec![Array::from(0.0)], xs));
    assert!(e.is_tree());
    assert_eq!(
        message(&e),
        "the body of scan carries [*], and gives [*, *] to the next iteration, where * is an array"
    );
}

#[test]
fn elements_have_one_length() {
    let pair = |c: Array, (x, y): (Array, Array)| (c + &x * &y, x);
    let xs = (Array::from([1.0, 2.0]), Array::from([1.0, 2.0, 3.0]));
    let e = error(scan(pair, Array::from(0.0), xs));
    assert!(e.is_shape());
    assert_eq!(
        message(&e),
        "scan needs as many elements in all arrays, got 2 in f64[2] at `.0` of xs and 3 in f64[3] at `.1` of xs"
    );
    let one = |c: Array, x: Array| (c + &x, x);
    let e = error(scan(one, Array::from(0.0), Array::from(1.0)));
    assert_eq!(
        message(&e),
        "scan goes along the first axis of arrays, got f64[] at xs"
    );
    // A list of elements is no array of them.
    let listed = |c: Array, x: Vec<Array>| (c, x);
    let xs = vec![Array::from(1.0), Array::from(2.0)];
    let e = error(scan(listed, Array::from(0.0), xs));
    assert_eq!(
        message(&e),
        "scan goes along the first axis of arrays, got f64[] at `[0]` of xs; to go through the members of a list, put them into one \
         array by `stack`"
    );
    let none = |c: Array, _: Vec<Array>| (c.clone(), c);
    let e = error(scan(none, Array::from(0.0), Vec::new()));
    assert!(e.is_value());
    let e = error(map(|x: Array| x, Array::from(1.0)));
    assert!(e.is_shape());
}

#[test]
fn conditions_and_indices() {
    let x = || Array::from([1.0, 2.0]);
    let e = error(while_loop(
        |x: Array| np::greater(x, 0.0),
        |x: Array| x,
        x(),
    ));
    assert!(e.is_value());
    assert_eq!(
        message(&e),
        "the condition of while_loop is one boolean without axes, got bool[2]"
    );
    let e = error(while_loop(|x: Array| np::sum(x, ..), |x: Array| x, x()));
    assert!(message(&e).ends_with("got f64[]"));
    let same = |x: Array| x;
    let e = error(cond(x(), same, same, x()));
    assert_eq!(
        message(&e),
        "the predicate of cond is one boolean without axes, got f64[2]"
    );
    assert!(error(cond(1, same, same, x())).is_value());
    let e = error(switch(1.5, &[&same], x()));
    assert_eq!(
        message(&e),
        "the index of switch is one integer without axes, got f64[]"
    );
    assert!(error(switch(true, &[&same], x())).is_value());
    let none: &[&dyn Fn(Array) -> Array] = &[];
    assert_eq!(
        message(&error(switch(0, none, x()))),
        "switch needs a branch, got none"
    );
}

#[test]
fn branches_give_the_same_trees() {
    let x = || Array::from([1.0, 2.0]);
    let e = error(cond(true, |x: Array| np::sum(x, ..), |x: Array| x, x()));
    assert!(e.is_shape());
    assert_eq!(
        message(&e),
        "`if_false` of cond gives f64[2], and `if_true` of cond gives f64[] at the result"
    );
    let e = error(cond(
        true,
        |x: Array| vec![x],
        |x: Array| vec![x.clone(), x],
        x(),
    ));
    assert!(e.is_tree());
    assert_eq!(
        message(&e),
        "`if_false` of cond gives [*, *], and `if_true` of cond gives [*], where * is an array"
    );
    let named = |name: &'static str| move |x: Array| BTreeMap::from([(name.to_owned(), x)]);
    let e = error(switch(0, &[&named("a"), &named("b")], x()));
    assert!(e.is_tree());
}

#[test]
fn counts_and_limits() {
    let same = |_: Array, x: Array| x;
    let x = || Array::from(1.0);
    let e = error(fori_loop(3, 1, same, x()));
    assert!(e.is_value());
    assert_eq!(message(&e), "fori_loop counts up, got the bounds 3 and 1");
    let e = error(fori_loop(0, 2.5, same, x()));
    assert!(e.is_dtype());
    assert_eq!(
        message(&e),
        "the bounds of fori_loop are integers without axes, got f64[]"
    );
    assert!(error(fori_loop(0, Array::from([1_i64]), same, x())).is_dtype());
    assert!(error(fori_loop(i64::MIN, i64::MAX, same, x())).is_value());
    // For ever, eagerly and compiled.
    let forever =
        |x: Array| while_loop_within(10, |x: Array| np::greater(x, 0.0), |x: Array| x + 1.0, x);
    let expected = "the condition of the loop still holds after 10 iterations, which is its limit in while_loop";
    let e = error(forever(x()));
    assert!(e.is_value());
    assert_eq!(message(&e), expected);
    for backend in super::backends() {
        let compiled = autojit(forever).backend(backend).strict(true);
        assert_eq!(message(&error(compiled.call(x()))), expected);
    }
}

#[test]
fn errors_name_the_iteration_and_the_line_inside() {
    let table = Array::from([1.0, 2.0, 3.0]);
    let f = |x: Array| {
        let step = |i: Array, _: Array| {
            let value = np::take(&table, &i, ..);
            (i + 1, value)
        };
        scan(step, Array::from(0_i64), x)
    };
    let x = Array::from([0.0; 5]);
    let expected = "index 3 is out of range for axis 0 with size 3 in take, in iteration 3";
    assert_eq!(message(&error(f(x.clone()))), expected);
    for backend in super::backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let e = error(compiled.call(&x));
        assert!(e.is_index());
        assert_eq!(message(&e), expected, "{backend}");
    }
}

/// A condition belongs to the iteration that it follows, and the first one to the first iteration.
#[test]
fn errors_of_conditions_name_the_iteration_before() {
    let table = Array::from([1.0, 2.0, 3.0]);
    let f = |start: Array| {
        let holds = |i: Array| np::greater(np::take(&table, &i, ..), 0.0);
        while_loop(holds, |i: Array| i + 1, start)
    };
    for (start, iteration) in [(1_i64, 1), (3, 0)] {
        let start = Array::from(start);
        let expected = format!(
            "index 3 is out of range for axis 0 with size 3 in take, in iteration {iteration}"
        );
        assert_eq!(message(&error(f(start.clone()))), expected);
        let lazily = f(autojit::lazy::array(&start)).and_then(|x| x.compute());
        assert_eq!(message(&error(lazily)), expected);
        for backend in super::backends() {
            let compiled = autojit(f).backend(backend).strict(true);
            assert_eq!(
                message(&error(compiled.call(&start))),
                expected,
                "{backend}"
            );
        }
    }
}

#[test]
fn random_numbers_need_a_known_number_of_iterations() {
    let generator = np::random::default_rng(1);
    let in_body = |x: Array| {
        let step = |x: Array| x + generator.random(..);
        while_loop(|x: Array| np::less(x, 3.0), step, x)
    };
    let in_condition = |x: Array| {
        let holds = |x: Array| np::less(x, generator.random(..));
        while_loop(holds, |x: Array| x + 1.0, x)
    };
    let counted = |x: Array| {
        let n = x.astype(autojit::DType::Int64);
        fori_loop(0, &n, |_: Array, x: Array| x + generator.random(..), x)
    };
    let x = Array::from(2.0);
    for e in [error(in_body(x.clone())), error(in_condition(x.clone()))] {
        assert!(e.is_unsupported());
        assert!(message(&e).starts_with("the body of while_loop draws random numbers"));
    }
    let compiled = autojit(counted).call(&x).and_then(|result| result);
    assert!(message(&error(compiled)).starts_with("the body of fori_loop draws random numbers"));
}

#[test]
fn conditions_of_several_arrays_are_refused() {
    let pair = |x: Array| (np::greater(&x, 0.0), np::greater(&x, 1.0));
    let refused = error(while_loop(pair, |x: Array| x, Array::from(1.0)));
    assert_eq!(
        message(&refused),
        "the condition of while_loop is one boolean without axes, got 2 arrays"
    );
}
