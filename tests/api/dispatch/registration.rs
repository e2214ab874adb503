//! Registered functions: where they take effect, in what order, and from many threads at once.
//!
//! Registrations are global and stay, so each test has ops of its own to replace.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::toys;
use crate::process::in_own_process;
use autojit::dispatch::Arguments;
use autojit::{Array, ArrayType, Error, Result, Value, autojit, call, compose, lazy, numpy as np};
use autojit::{register_function, register_function_wrapping};

fn values(x: Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

fn array(value: Result<Value>) -> Array {
    value.unwrap().into_array().unwrap()
}

/// Wraps a function of ndarray so that its calls are counted.
fn counted(name: &str) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    register_function_wrapping("ndarray", name, |old| {
        move |args: &Arguments| {
            counter.fetch_add(1, Ordering::SeqCst);
            old.call(args)
        }
    })
    .unwrap();
    count
}

#[test]
fn a_replaced_op_is_replaced_everywhere_at_once() {
    in_own_process!();
    let x = Array::from([1.0, 4.0]);
    let before = lazy::array(&x).sqrt();
    let compiled = autojit(|x: Array| np::sqrt(&x) + 1);
    assert_eq!(values(compiled.call(&x).unwrap()), [2.0, 3.0]);

    let count = counted("sqrt");
    let calls = || count.swap(0, Ordering::SeqCst);
    assert_eq!(values(np::sqrt(&x)), [1.0, 2.0]);
    assert_eq!(values(array(call!("sqrt", &x))), [1.0, 2.0]);
    assert_eq!(values(x.sqrt()), [1.0, 2.0]);
    assert_eq!(calls(), 3);
    // Written down before, run after.
    assert_eq!(values(before.compute().unwrap()), [1.0, 2.0]);
    assert_eq!(calls(), 1);
    // Compiled before, compiled again for the new meaning.
    for backend in autojit::backends() {
        let compiled = autojit(|x: Array| np::sqrt(&x) + 1).backend(backend);
        assert_eq!(values(compiled.call(&x).unwrap()), [2.0, 3.0], "{backend}");
        assert_eq!(calls(), 1, "{backend}");
        assert_eq!(values(compiled.call(&x).unwrap()), [2.0, 3.0], "{backend}");
        assert_eq!(calls(), 1, "{backend}");
    }
    assert_eq!(values(compiled.call(&x).unwrap()), [2.0, 3.0]);
    assert_eq!(calls(), 1);
    assert_eq!(
        compiled.last_retrace().unwrap(),
        "functions were registered"
    );
    // And where other functions are made of it.
    np::std(&x, ..);
    assert_eq!(calls(), 1);
    // Other libraries keep theirs.
    toys::register();
    np::sqrt(x.to("tagged"));
    assert_eq!(calls(), 0);
}

#[test]
fn replacements_get_numpys_arguments() {
    in_own_process!();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    register_function_wrapping("ndarray", "prod", |old| {
        move |args: &Arguments| {
            let axis = args.get("axis").map(|axis| format!("{axis:?}"));
            note.lock()
                .unwrap()
                .push((axis, args.option::<bool>("keepdims")?));
            old.call(args)
        }
    })
    .unwrap();
    let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(values(np::prod(&x, np::axis(-1).keepdims())), [2.0, 12.0]);
    assert_eq!(values(array(call!("prod", &x, 1))), [2.0, 12.0]);
    assert_eq!(
        values(array(call!("prod", axis = 1, a = &x, keepdims = true))),
        [2.0, 12.0]
    );
    assert_eq!(
        values(lazy::array(&x).prod(1).compute().unwrap()),
        [2.0, 12.0]
    );
    let axis = |text: &str| Some(text.to_owned());
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (axis("List([Int(1)])"), Some(true)),
            (axis("Int(1)"), None),
            (axis("Int(1)"), Some(true)),
            (axis("List([Int(1)])"), Some(false)),
        ]
    );
}

#[test]
fn every_op_can_be_wrapped_and_still_means_the_same() {
    in_own_process!();
    let x = Array::from([[4.0, 1.0], [2.0, 3.0]]);
    let run = || -> Vec<Vec<f64>> {
        let (q, r) = np::linalg::qr(&x, ..);
        let (u, s, vh) = np::linalg::svd(&x, np::full_matrices(true));
        let all = vec![
            np::matmul(q, r),
            np::einsum("ij,j,jk", [u, s, vh]),
            np::sum(&x, np::axis(0).where_(np::greater(&x, 1.5))),
            np::max(&x, 1),
            np::argmax(&x, np::axis(0).keepdims()).astype(autojit::DType::Float64),
            np::tensordot(&x, &x, ([1], [0])),
            np::linalg::norm(&x, np::ord(1).axis([0, 1])),
            np::linalg::norm(&x, "nuc"),
            np::transpose(&x, ..),
            np::broadcast_to(&x, [2, 2, 2]),
            np::take(&x, 1, 0),
            np::take(&x, Array::from([1i64, 0]), 0),
            np::stack([&x, &x], -1),
            np::concatenate([&x, &x], 1),
            np::where_(np::less(&x, 2.5), &x, 0.0),
            x.get(autojit::ix![.., [1, 0]]),
            x.get(autojit::ix![1, ..]),
            np::moveaxis(&x, 0, 1),
            np::mean(&x, np::keepdims()),
            np::flip(&x, 0),
            np::trace(&x, ..),
            np::diag(np::diag(&x, ..), 1),
            np::squeeze(np::expand_dims(&x, 0), 0),
            np::cumsum(&x, 1),
            np::sort(&x, 0),
        ];
        let lazily = all.iter().map(lazy::array).map(|x| x.compute().unwrap());
        lazily.map(|x| x.ravel().to_vec().unwrap()).collect()
    };
    let before = run();
    let names = [
        "cumsum",
        "sort",
        "matmul",
        "einsum",
        "sum",
        "max",
        "argmax",
        "tensordot",
        "linalg.norm",
        "linalg.qr",
        "linalg.svd",
        "transpose",
        "broadcast_to",
        "take",
        "stack",
        "concatenate",
        "where",
        "getitem",
        "reshape",
        "astype",
        "moveaxis",
        "mean",
        "flip",
        "trace",
        "diag",
        "diagonal",
        "squeeze",
        "expand_dims",
    ];
    let counts: Vec<_> = names.iter().map(|name| counted(name)).collect();
    assert_eq!(run(), before);
    for (name, count) in names.iter().zip(&counts) {
        assert!(count.load(Ordering::SeqCst) > 0, "{name} was not called");
    }
}

#[test]
fn a_replacement_may_use_the_name_that_it_replaces() {
    in_own_process!();
    register_function("ndarray", "tan", |args: &Arguments| {
        np::tan(args.array(0)) + 1
    })
    .unwrap();
    assert_eq!(np::tan(0.0).item::<f64>().unwrap(), 1.0);
    // Wrapped again, the first replacement is what there was.
    register_function_wrapping("ndarray", "tan", |old| {
        move |args: &Arguments| Ok::<_, Error>(old.call(args)?.into_array()? * 10)
    })
    .unwrap();
    assert_eq!(np::tan(0.0).item::<f64>().unwrap(), 10.0);
    // A name of one's own that ends alike is another name.
    register_function("ndarray", "mine.tan", |_: &Arguments| 7.0).unwrap();
    assert_eq!(np::tan(0.0).item::<f64>().unwrap(), 10.0);
    // Registering replaces all of that.
    register_function("ndarray", "tan", |args: &Arguments| args.array(0)).unwrap();
    assert_eq!(np::tan(0.5).item::<f64>().unwrap(), 0.5);
}

#[test]
fn aliases_and_functions_made_of_others_can_be_replaced() {
    in_own_process!();
    let count = counted("abs");
    let x = Array::from([-1.0, 2.0]);
    np::abs(&x);
    np::absolute(&x);
    array(call!("absolute", &x));
    assert_eq!(count.load(Ordering::SeqCst), 3);
    register_function("ndarray", "var", |_: &Arguments| Array::from(9.0)).unwrap();
    assert_eq!(np::var(&x, ..).item::<f64>().unwrap(), 9.0);
    assert_eq!(np::std(&x, ..).item::<f64>().unwrap(), 3.0);
    register_function("boxed_like", "ones", |_: &Arguments| 1.0).unwrap_err();
    toys::register();
    register_function("boxed", "ones", |args: &Arguments| {
        let shape: Vec<Value> = Vec::try_from(args.value(0).cloned().unwrap_or(Value::None))?;
        Ok::<_, Error>(Array::from(shape.len() as f64))
    })
    .unwrap();
    assert_eq!(
        np::ones([4, 5], np::like("boxed")).item::<f64>().unwrap(),
        2.0
    );
    assert_eq!(
        array(call!("ones", [4, 5], like = "boxed"))
            .item::<f64>()
            .unwrap(),
        2.0
    );
    assert_eq!(np::ones(2, ..).size().unwrap(), 2);
}

/// `x` sorted, and the mean beside it: several results, which no graph can look into.
fn register_sorted() {
    let sorted = |args: &Arguments| -> Result<(Array, Array)> {
        let mut numbers = args.array(0).to_vec::<f64>()?;
        numbers.sort_by(f64::total_cmp);
        if args.option("reverse")? == Some(true) {
            numbers.reverse();
        }
        let mean = np::mean(args.array(0), ..);
        Ok((numbers.into(), mean))
    };
    register_function("ndarray", "sorted", sorted)
        .unwrap()
        .with_shape_rule(|args: &Arguments| -> Result<Vec<ArrayType>> {
            let ty = args.array(0).ty()?;
            if ty.ndim() != 1 {
                return Err(args.array(0).item::<f64>().unwrap_err());
            }
            Ok(vec![ty.clone(), ArrayType::scalar(ty.dtype)])
        });
}

#[test]
fn functions_with_a_rule_are_traced_as_one_node() {
    in_own_process!();
    register_sorted();
    let x = Array::from([3.0, 1.0, 2.0]);
    let f = |x: Array| -> Result<Array> {
        let (sorted, mean) = call!("sorted", &x * 2, reverse = true)?.try_into()?;
        let sorted: Array = sorted;
        Ok(sorted - mean)
    };
    let expected = values(f(x.clone()).unwrap());
    assert_eq!(expected, [2.0, 0.0, -2.0]);

    let traced = f(lazy::array(&x)).unwrap();
    assert!(
        traced
            .as_lazy()
            .unwrap()
            .show()
            .to_string()
            .contains("sorted")
    );
    assert_eq!(values(traced.compute().unwrap()), expected);
    for backend in autojit::backends() {
        let compiled = autojit(f).backend(backend);
        assert_eq!(
            values(compiled.call(&x).unwrap().unwrap()),
            expected,
            "{backend}"
        );
        let other = Array::from([5.0, 7.0, 6.0]);
        assert_eq!(
            values(compiled.call(&other).unwrap().unwrap()),
            expected,
            "{backend}"
        );
        assert_eq!((compiled.misses(), compiled.hits()), (1, 1));
        let explanation = compiled.explain(&x).unwrap();
        assert!(
            explanation.graph().contains("opaque function=sorted"),
            "{explanation}"
        );
        // All but TorchScript, whose modules have no way to call it, so replay takes over and that is seen.
        if backend == "torch" {
            assert_eq!(explanation.backend(), "replay");
            assert!(explanation.declined()[0].1.is_unsupported());
        } else {
            assert_eq!(explanation.backend(), backend);
        }
    }
    let error = call!("sorted", lazy::array(&Array::from([[1.0]]))).unwrap_err();
    assert_eq!(
        error.location().unwrap().file(),
        "tests/api/dispatch/registration.rs"
    );
}

#[test]
fn functions_for_lazy_arrays_are_called_in_the_trace() {
    in_own_process!();
    register_function("lazy", "log1p", |args: &Arguments| {
        np::log(args.array(0) + 1)
    })
    .unwrap();
    let x = lazy::array(&Array::from([0.0]));
    assert_eq!(np::log1p(&x).as_lazy().unwrap().depth(), 2);
    assert_eq!(array(call!("log1p", &x)).as_lazy().unwrap().depth(), 2);
    assert_eq!(np::log1p(0.0).item::<f64>().unwrap(), 0.0);
}

#[test]
fn composed_functions_have_a_default_and_better_ones() {
    in_own_process!();
    toys::register();
    let cube = compose("cube", |args: &Arguments| np::power(args.array(0), 3));
    let x = Array::from([2.0]);
    assert_eq!(values(array(call!("cube", &x))), [8.0]);
    let lazily = array(call!("cube", lazy::array(&x)));
    assert_eq!(values(lazily.compute().unwrap()), [8.0]);
    cube.register("boxed", |args| np::multiply(args.array(0), 100))
        .unwrap();
    assert_eq!(
        values(array(cube.call(&[x.to("boxed").into()], &[]))),
        [200.0]
    );
    assert_eq!(values(array(call!("cube", &x))), [8.0]);
    compose("cube", |args: &Arguments| args.array(0));
    assert_eq!(values(array(call!("cube", &x))), [2.0]);
    assert_eq!(values(array(call!("cube", x.to("boxed")))), [200.0]);
}

#[test]
fn eight_threads_register_while_eight_call() {
    in_own_process!();
    const ROUNDS: usize = 300;
    toys::register();
    // Two results that belong together: nobody may see one of one version and one of another.
    let version = |n: f64| {
        move |args: &Arguments| -> (Array, Array) {
            let x = args.array(0);
            (np::full_like(&x, n, ..), np::full_like(&x, -n, ..))
        }
    };
    register_function("ndarray", "pair", version(0.0)).unwrap();
    register_function("ndarray", "arctan", |args: &Arguments| args.array(0) * 1.0).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|thread| {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let n = (thread * ROUNDS + round) as f64;
                        let library = if round % 2 == 0 { "ndarray" } else { "boxed" };
                        register_function(library, "pair", version(n)).unwrap();
                        register_function("ndarray", "arctan", move |args: &Arguments| {
                            args.array(0) * n
                        })
                        .unwrap()
                        .with_shape_rule(|args: &Arguments| args.array(0).ty());
                        compose(&format!("made_{thread}"), |args: &Arguments| args.array(0));
                        // From inside a function, too.
                        register_function("ndarray", "registers", move |_: &Arguments| {
                            register_function("ndarray", "inner", move |_: &Arguments| n)?;
                            Ok::<_, Error>(n)
                        })
                        .unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..8 {
            scope.spawn(|| {
                let x = Array::from([1.0, 1.0]);
                while !done.load(Ordering::Relaxed) {
                    let (a, b): (Array, Array) = call!("pair", &x).unwrap().try_into().unwrap();
                    assert_eq!(values(a + b), [0.0, 0.0]);
                    let y = values(np::arctan(&x));
                    assert_eq!(y[0], y[1]);
                    let lazily = values(np::arctan(lazy::array(&x)).compute().unwrap());
                    assert_eq!(lazily[0], lazily[1]);
                    let replayed =
                        autojit(|x: Array| np::arctan(&x) - np::arctan(&x)).backend("replay");
                    assert_eq!(replayed.call(&x).unwrap().size().unwrap(), 2);
                    if let Err(error) = call!("registers", &x) {
                        assert!(error.is_unknown_function(), "{error}");
                    }
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
