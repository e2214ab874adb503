//! Loops that are told to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::NATIVE;
use crate::process::in_own_process;
use autojit::{
    Array, DType, Result, autojit, clear_interrupt_check, fori_loop, numpy as np, scan,
    set_interrupt_check, while_loop,
};

/// Loops forever: one number, which native code keeps in a register, and arrays.
fn endless(x: &Array) -> Result<Array> {
    while_loop(
        |c: Array| np::all(np::greater_equal(c, 0.0), ..),
        |c: Array| np::abs(c * 0.5 - 1.0),
        x.clone(),
    )
}

#[track_caller]
fn check_interrupted(result: Result<Array>) {
    let error = result.unwrap_err();
    assert!(error.is_interrupted(), "{error}");
    let text = error.to_string();
    assert!(text.contains("the loop was interrupted"), "{text}");
    assert!(text.contains("in iteration"), "{text}");
    assert!(text.contains("interrupt.rs:"), "{text}");
}

#[test]
fn endless_loops_end_where_the_check_says_so() {
    in_own_process!();
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    set_interrupt_check(move || count.fetch_add(1, Ordering::Relaxed) % 3 == 2);
    for x in [Array::from(2.0), Array::from([1.0, 2.0, 3.0])] {
        check_interrupted(endless(&x));
        for backend in ["replay", NATIVE] {
            let f = autojit(|x: Array| endless(&x).unwrap())
                .backend(backend)
                .strict(true);
            check_interrupted(f.call(&x));
            // It was not the function's fault, and the code is still there.
            check_interrupted(f.call(&x));
            assert_eq!((f.misses(), f.hits()), (1, 1));
        }
    }
    assert!(asked.load(Ordering::Relaxed) >= 30);
}

#[test]
fn long_loops_with_a_count_end_where_the_check_says_so() {
    in_own_process!();
    set_interrupt_check(|| true);
    let many = 1_i64 << 40;
    for x in [Array::from(2.0), Array::from([1.0, 2.0, 3.0])] {
        let f = |x: Array| fori_loop(0, many, |_, c: Array| np::abs(c * 0.5 - 1.0), x);
        check_interrupted(f(x.clone()));
        let compiled = autojit(|x| f(x).unwrap()).backend(NATIVE).strict(true);
        check_interrupted(compiled.call(&x));
    }
}

#[test]
fn loops_that_are_asked_about_give_what_others_give() {
    in_own_process!();
    // Enough iterations that kernels which repeat themselves do so in several parts.
    let xs = np::sin(np::arange(30_000.0, ..));
    let filter = |xs: Array| {
        let step = |(p, q): (Array, Array), x: Array| {
            let y = x + &p * 0.5 - &q * 0.25;
            ((y.clone(), p), y)
        };
        let zero = np::zeros((), np::dtype(DType::Float64));
        let ((p, q), ys) = scan(step, (zero.clone(), zero), xs).unwrap();
        (p, q, ys)
    };
    let count = |xs: Array| {
        let goes_on = |(_, n): (Array, Array)| np::less(n, 30_000);
        let step = |(x, n): (Array, Array)| (x * 0.999_999 + 1.0, n + 1);
        while_loop(goes_on, step, (xs.get(1), Array::from(0_i64))).unwrap()
    };
    let reversed = |xs: Array| {
        let step = |c: Array, x: Array| {
            let c = c * 0.75 + x;
            (c.clone(), c)
        };
        autojit::control::scan_reverse(step, Array::from(0.0), xs).unwrap()
    };
    let all = |xs: Array| (filter(xs.clone()), count(xs.clone()), reversed(xs));
    let f = || autojit(all).backend(NATIVE).strict(true);
    let expected = f().call(&xs).unwrap();
    set_interrupt_check(|| false);
    let watched = f().call(&xs).unwrap();
    clear_interrupt_check();
    let bits = |x: &Array| -> Vec<u64> {
        let values = x.astype(DType::Float64).to_vec::<f64>().unwrap();
        values.into_iter().map(f64::to_bits).collect()
    };
    let ((p, q, ys), (x, n), (last, sums)) = &expected;
    let ((p2, q2, ys2), (x2, n2), (last2, sums2)) = &watched;
    for (a, b) in [
        (p, p2),
        (q, q2),
        (ys, ys2),
        (x, x2),
        (n, n2),
        (last, last2),
        (sums, sums2),
    ] {
        assert!(bits(a) == bits(b));
    }
}
