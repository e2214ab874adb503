//! The behaviour of `autojit`, seen from outside. The module `pinned` has one test for each thing that autoray 0.11.0
//! gets wrong here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use autojit::{Array, DType, Jit, autojit, lazy, numpy as np};

fn vec(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

fn ty(x: &Array) -> String {
    x.ty().unwrap().to_string()
}

mod pinned {
    use super::*;

    #[test]
    fn another_shape_is_another_trace() {
        let total = autojit(|x: Array| np::sum(&x, ..) / x.len().unwrap() as f64);
        assert_eq!(vec(&total.call(Array::from([1.0, 3.0])).unwrap()), [2.0]);
        let result = total.call(Array::from([1.0, 2.0, 6.0])).unwrap();
        assert_eq!(vec(&result), [3.0]);
        assert_eq!(total.misses(), 2);
        assert_eq!(
            total.last_retrace().unwrap(),
            "argument changed from f64[2] to f64[3]"
        );
    }

    #[test]
    fn the_order_in_which_names_are_given_does_not_matter() {
        let f = autojit(|named: HashMap<String, Array>| &named["minuend"] - &named["subtrahend"]);
        let (a, b) = (Array::from([5.0]), Array::from([3.0]));
        let one = HashMap::from([
            ("minuend".into(), a.clone()),
            ("subtrahend".into(), b.clone()),
        ]);
        let two = HashMap::from([("subtrahend".into(), b), ("minuend".into(), a)]);
        assert_eq!(vec(&f.call(&one).unwrap()), [2.0]);
        assert_eq!(vec(&f.call(&two).unwrap()), [2.0]);
        assert_eq!((f.misses(), f.hits()), (1, 1));
    }

    #[test]
    fn negative_positions_stay_apart() {
        let f = autojit(|x: Array| lazy::shared_intermediates(|| x.get(-1) - x.get(-2)));
        let x = Array::from([[1.0, 2.0], [5.0, 7.0]]);
        assert_eq!(vec(&f.call(&x).unwrap()), [4.0, 5.0]);
    }

    #[test]
    fn two_and_two_point_zero_stay_apart() {
        let f = autojit(|x: Array| lazy::shared_intermediates(|| (&x * 2, &x * 2.0)));
        let (int, float) = f.call(Array::from([3i64])).unwrap();
        assert_eq!((ty(&int), ty(&float)), ("i64[1]".into(), "f64[1]".into()));
    }

    #[test]
    fn zero_and_minus_zero_stay_apart() {
        let f = autojit(|x: Array| {
            lazy::shared_intermediates(|| (1.0 / (&x * 0.0), 1.0 / (&x * -0.0)))
        });
        let (plus, minus) = f.call(Array::from([3.0])).unwrap();
        assert_eq!(
            (vec(&plus), vec(&minus)),
            (vec![f64::INFINITY], vec![f64::NEG_INFINITY])
        );
        // As static arguments too.
        let f = autojit(|(x, zero): (Array, f64)| x / zero);
        let x = Array::from([1.0]);
        assert_eq!(vec(&f.call((&x, 0.0)).unwrap()), [f64::INFINITY]);
        assert_eq!(vec(&f.call((&x, -0.0)).unwrap()), [f64::NEG_INFINITY]);
    }

    #[test]
    fn results_may_be_arguments_and_repeat() {
        let f = autojit(|(x, y): (Array, Array)| {
            let sum = &x + &y;
            (x.clone(), sum.clone(), vec![y, sum], x)
        });
        let (x, y) = (Array::from([1.0]), Array::from([2.0]));
        for _ in 0..2 {
            let (first, sum, list, again) = f.call((&x, &y)).unwrap();
            assert_eq!((vec(&first), vec(&again)), (vec![1.0], vec![1.0]));
            assert_eq!(
                (vec(&sum), vec(&list[0]), vec(&list[1])),
                (vec![3.0], vec![2.0], vec![3.0])
            );
        }
    }

    #[test]
    fn results_may_be_constants() {
        let captured = Array::from([7.0, 8.0]);
        let f = autojit(|x: Array| {
            (
                captured.clone(),
                np::zeros(2, ..),
                Array::from(5i64),
                3i64,
                "text",
                x,
            )
        });
        for _ in 0..2 {
            let (a, b, c, n, text, _) = f.call(Array::from([1.0])).unwrap();
            assert_eq!((vec(&a), vec(&b)), (vec![7.0, 8.0], vec![0.0, 0.0]));
            assert_eq!((c.item::<i64>().unwrap(), n, text), (5, 3, "text"));
        }
        // Also if nothing depends on the arguments, and if there are none of either.
        let f = autojit(|()| Array::from([1.0, 2.0]));
        assert_eq!(vec(&f.call(()).unwrap()), [1.0, 2.0]);
        let f = autojit(|_: Array| ());
        f.call(Array::from([1.0])).unwrap();
    }

    #[test]
    fn static_arguments_are_compiled_in() {
        let f = autojit(|(x, n, double): (Array, i64, bool)| {
            let y = (0..n).fold(x, |y, _| y + 1.0);
            if double { y * 2.0 } else { y }
        });
        let x = Array::from([0.0]);
        assert_eq!(vec(&f.call((&x, 2, false)).unwrap()), [2.0]);
        assert_eq!(vec(&f.call((&x, 3, false)).unwrap()), [3.0]);
        assert_eq!(
            f.last_retrace().unwrap(),
            "static argument 1 changed from 2 to 3"
        );
        assert_eq!(vec(&f.call((&x, 3, true)).unwrap()), [6.0]);
        assert_eq!(vec(&f.call((&x, 2, false)).unwrap()), [2.0]);
        assert_eq!((f.misses(), f.hits(), f.compiled()), (3, 1, 3));
    }

    #[test]
    fn threads_do_not_disturb_each_other() {
        let f = autojit(|(x, n): (Array, usize)| {
            lazy::shared_intermediates(|| (0..n).fold(x.clone(), |y, i| (&y + i as f64) * 1.0))
        });
        std::thread::scope(|scope| {
            for thread in 0..16usize {
                let f = &f;
                scope.spawn(move || {
                    for call in 0..20 {
                        let n = (thread + call) % 7;
                        let x = Array::from(vec![thread as f64; thread % 3 + 1]);
                        let expected = thread as f64 + (0..n).sum::<usize>() as f64;
                        let result = f.call((&x, n)).unwrap();
                        assert_eq!(vec(&result), vec![expected; thread % 3 + 1]);
                    }
                });
            }
        });
        assert_eq!(f.misses() + f.hits(), 16 * 20);
        assert_eq!(f.misses(), 7 * 3);
    }

    #[test]
    fn infinity_and_nan_are_numbers() {
        let f = autojit(|x: Array| {
            (
                np::minimum(&x, f64::INFINITY),
                np::maximum(&x, f64::NEG_INFINITY),
                &x + f64::NAN,
            )
        });
        let (low, high, nan) = f.call(Array::from([1.0])).unwrap();
        assert_eq!((vec(&low), vec(&high)), (vec![1.0], vec![1.0]));
        assert!(vec(&nan)[0].is_nan());
        let captured = Array::from([f64::INFINITY, f64::NAN]);
        let f = autojit(|x: Array| x * &captured);
        let result = vec(&f.call(Array::from([2.0, 2.0])).unwrap());
        assert!(result[0] == f64::INFINITY && result[1].is_nan());
    }

    #[test]
    fn shapes_are_numpys() {
        let f = autojit(|(x, y): (Array, Array)| {
            let stacked = np::stack([&x, &x, &x], -1);
            let product = np::tensordot(&x, &x, ([-1], [-1]));
            (stacked, product, np::matmul(&y, np::ones([1, 2, 4, 5], ..)))
        });
        let x = np::ones([2, 2], ..);
        let (stacked, product, batched) = f.call((&x, np::ones([2, 2, 3, 4], ..))).unwrap();
        assert_eq!(ty(&stacked), "f64[2,2,3]");
        assert_eq!(ty(&product), "f64[2,2]");
        assert_eq!(ty(&batched), "f64[2,2,3,5]");
        let add = autojit(|(x, y): (Array, Array)| x + y);
        let error = add
            .call((Array::from([1.0; 3]), Array::from([1.0; 4])))
            .unwrap_err();
        assert!(error.is_shape(), "{error}");
    }
}

#[test]
fn the_closure_runs_once_per_signature() {
    let runs = AtomicUsize::new(0);
    let f = autojit(|x: Array| {
        runs.fetch_add(1, Ordering::Relaxed);
        x + 1.0
    });
    for n in [1, 2, 3, 1, 2, 3, 3] {
        let result = f.call(Array::from(vec![1.0; n])).unwrap();
        assert_eq!(vec(&result), vec![2.0; n]);
    }
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert_eq!((f.misses(), f.hits(), f.compiled()), (3, 4, 3));
    // The dtype counts, the numbers do not.
    f.call(Array::from([1i64])).unwrap();
    f.call(Array::from([2i64])).unwrap();
    assert_eq!(f.misses(), 4);
    assert_eq!(
        f.last_retrace().unwrap(),
        "argument changed from f64[3] to i64[1]"
    );
    f.clear();
    assert_eq!(f.compiled(), 0);
    f.call(Array::from([1.0])).unwrap();
    assert_eq!((f.misses(), f.compiled()), (5, 1));
}

#[test]
fn arguments_may_be_borrowed_or_given() {
    let f = autojit(|(x, y): (Array, Array)| x - y);
    let (x, y) = (Array::from([5.0]), Array::from([3.0]));
    for result in [
        f.call((&x, &y)),
        f.call((x.clone(), &y)),
        f.call(&(x.clone(), y.clone())),
        f.call((x.clone(), y.clone())),
    ] {
        assert_eq!(vec(&result.unwrap()), [2.0]);
    }
    assert_eq!((f.misses(), f.hits()), (1, 3));
    let scale = autojit(|(x, n): (Array, i64)| x * n);
    assert_eq!(vec(&scale.call((&x, 3i64)).unwrap()), [15.0]);
    assert_eq!(vec(&scale.call((&x, 3)).unwrap()), [15.0]);
    let total = autojit(|list: Vec<Array>| list.into_iter().fold(Array::from(0.0), |a, b| a + b));
    assert_eq!(vec(&total.call([&x, &y].as_slice()).unwrap()), [8.0]);
    assert_eq!(vec(&total.call(vec![&x, &y]).unwrap()), [8.0]);
    let list = vec![x, y];
    assert_eq!(vec(&total.call(&list).unwrap()), [8.0]);
    assert_eq!(vec(&total.call(list).unwrap()), [8.0]);
    assert_eq!(total.misses(), 1);
}

#[test]
fn captured_arrays_are_constants() {
    let weights = Array::from([1.0, 10.0, 100.0]);
    let f = autojit(|x: Array| np::sum(&x * &weights, ..));
    assert_eq!(vec(&f.call(Array::from([1.0, 2.0, 3.0])).unwrap()), [321.0]);
    let text = f.explain(Array::from([1.0, 2.0, 3.0])).unwrap();
    assert!(
        text.graph().contains("constant 0 = f64[3] 1.0 10.0 100.0"),
        "{text}"
    );
}

#[test]
fn results_do_not_change_with_later_calls_and_arguments() {
    let f = autojit(|x: Array| (x.clone(), &x + 1.0, Array::from([1.0])));
    let mut x = Array::from([1.0]);
    let (same, plus, constant) = f.call(&x).unwrap();
    x += 10.0;
    let (_, second, mut changed) = f.call(&x).unwrap();
    changed += 5.0;
    let (_, _, constant_again) = f.call(&x).unwrap();
    assert_eq!(
        (vec(&same), vec(&plus), vec(&second)),
        (vec![1.0], vec![2.0], vec![12.0])
    );
    assert_eq!(
        (vec(&constant), vec(&constant_again)),
        (vec![1.0], vec![1.0])
    );
}

#[test]
fn nested_functions_are_inlined() {
    let inner = autojit(|x: Array| &x * &x);
    let outer = autojit(|(x, y): (Array, Array)| {
        inner
            .call(&x)
            .and_then(|square| Ok(square + inner.call(&y)?))
    });
    let (x, y) = (Array::from([3.0]), Array::from([4.0]));
    assert_eq!(vec(&outer.call((&x, &y)).unwrap().unwrap()), [25.0]);
    assert_eq!((inner.misses(), inner.hits(), inner.compiled()), (0, 0, 0));
    assert_eq!(outer.explain((&x, &y)).unwrap().traced_nodes(), 5);
}

#[test]
fn a_nested_function_may_capture_the_variables_of_the_outer_one() {
    let outer = autojit(|x: Array| {
        let inner = autojit(|y: Array| &x + y);
        inner.call(Array::from([10.0])).unwrap()
    });
    assert_eq!(vec(&outer.call(Array::from([1.0])).unwrap()), [11.0]);
    assert_eq!(vec(&outer.call(Array::from([2.0])).unwrap()), [12.0]);
    assert_eq!((outer.misses(), outer.hits()), (1, 1));
}

#[test]
fn lazy_arguments_stay_lazy() {
    let f = autojit(|x: Array| x * 2.0);
    let y: Array = f.call(lazy::array(&Array::from([1.0, 2.0]))).unwrap();
    assert!(y.as_lazy().is_some());
    assert_eq!(vec(&y.compute().unwrap()), [2.0, 4.0]);
    let z = f.call(lazy::variable(&[3], DType::Float32)).unwrap();
    assert_eq!(ty(&z), "f32[3]");
    assert_eq!((f.misses(), f.hits()), (0, 0));
}

#[test]
fn a_boxed_function_has_a_name_for_its_type() {
    type Boxed = Jit<Array, Array, Box<dyn Fn(Array) -> Array + Send + Sync>>;
    fn is_shareable<T: Send + Sync>(_: &T) {}
    let functions: Vec<Boxed> = vec![
        autojit(Box::new(|x: Array| x + 1.0) as Box<_>),
        autojit(Box::new(|x: Array| x * 3.0) as Box<_>),
    ];
    is_shareable(&functions);
    let x = Array::from([2.0]);
    let results: Vec<_> = functions
        .iter()
        .map(|f| vec(&f.call(&x).unwrap()))
        .collect();
    assert_eq!(results, [[3.0], [6.0]]);
}

#[test]
fn explain_tells_all() {
    let f = autojit(|(x, named): (Array, HashMap<String, Array>)| &x * 2.0 + &named["a"])
        .name("affine")
        .backend("replay");
    let x = Array::from([1.0, 2.0, 3.0]);
    let named = HashMap::from([("a".to_owned(), Array::from([1.0]))]);
    let explanation = f.explain((&x, &named)).unwrap();
    assert_eq!(explanation.signature(), r#"(f64[3], {"a": f64[1]})"#);
    assert_eq!(
        (explanation.backend(), explanation.traced_nodes()),
        ("replay", 5)
    );
    let text = explanation.to_string();
    for expected in [
        "function   affine",
        r#"signature  (f64[3], {"a": f64[1]})"#,
        "traced 5 nodes in ",
        "backend    replay (asked for replay)",
        "multiply",
        "interpreted node by node",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    assert_eq!((f.misses(), f.compiled()), (0, 0));
}

#[test]
fn a_long_chain_needs_no_recursion() {
    let f = autojit(|x: Array| (0..100_000).fold(x, |y, i| y + f64::from(i % 2))).backend("replay");
    assert_eq!(vec(&f.call(Array::from([0.0])).unwrap()), [50_000.0]);
}

/// How long a call takes is known of native code alone.
#[cfg(feature = "cranelift")]
mod brief {
    use super::*;

    /// Whether a function makes its second call if that is brief, and that it does so with the results of any call.
    fn is_brief(f: impl Fn(Array) -> Array, x: &Array) -> bool {
        let f = autojit(f).backend("cranelift").strict(true);
        assert!(f.call_if_brief(x).is_none(), "there was no code for it");
        let expected = f.call(x).unwrap();
        let Some(result) = f.call_if_brief(x) else {
            assert_eq!((f.misses(), f.hits()), (1, 0));
            return false;
        };
        assert_eq!((f.misses(), f.hits()), (1, 1));
        assert_eq!(result.unwrap().to_string(), expected.to_string());
        true
    }

    #[test]
    fn a_few_operations_on_a_few_elements_are_brief() {
        let x = np::linspace(0.0, 1.0, 64);
        assert!(is_brief(|x| np::exp(&x) * 2.0, &x));
        assert!(is_brief(|x| np::sum(&x, ..), &x));
        let square = np::reshape(&x, [8, 8]);
        assert!(is_brief(|x| np::matmul(&x, &x), &square));
        assert!(is_brief(|x| x.t() + 1.0, &square.t()));
    }

    #[test]
    fn work_that_is_more_than_its_arrays_show_is_not_brief() {
        let x = np::linspace(0.0, 1.0, 200);
        let pairs = |x: Array| np::sum(x.get(autojit::ix![.., NewAxis]) * &x, ..);
        assert!(!is_brief(pairs, &x));
        let loops = |x: Array| autojit::fori_loop(0, 10_000, |_, x: Array| x * 0.5, x).unwrap();
        assert!(!is_brief(loops, &np::ones(3, ..)));
        assert!(!is_brief(|x| np::sort(x, ..), &x));
    }

    #[test]
    fn what_a_call_refuses_is_left_to_it() {
        let f = autojit(|x: Array| np::sqrt(x) + 1.0)
            .backend("cranelift")
            .debug_nans(true);
        let x = Array::from([1.0, 4.0]);
        f.call(&x).unwrap();
        assert!(f.call_if_brief(&x).is_none(), "results are looked into");
        let failed = Array::from([1.0, 2.0]) + Array::from([1.0, 2.0, 3.0]);
        assert!(f.call_if_brief(&failed).is_none());
        assert!(f.call_if_brief(Array::from([1.0])).is_none());
        assert_eq!((f.misses(), f.hits()), (1, 0));
    }
}
