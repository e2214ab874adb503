//! Registered functions inside compiled graphs: steps that each backend calls back into, and their failures.
//!
//! Registrations are global and stay, so each test has names of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::toys;
use crate::process::in_own_process;
use autojit::dispatch::Arguments;
use autojit::numpy::random;
use autojit::{Array, ArrayType, DType, Error, Result, Value, autojit, call, numpy as np};
use autojit::{register_function, register_function_wrapping};

/// The backends that call back. TorchScript cannot, so `torch` leaves such graphs to replay.
fn backends() -> impl Iterator<Item = &'static str> {
    let all = autojit::backends().into_iter();
    all.filter(|&name| name != "torch")
}

fn values(x: Array) -> Vec<f64> {
    x.ravel().to_vec().unwrap()
}

fn array(value: Result<Value>) -> Array {
    match value.and_then(Value::into_array) {
        Ok(array) => array,
        Err(error) => panic!("{error}"),
    }
}

/// The type of the first argument.
fn same(args: &Arguments) -> Result<ArrayType> {
    args.array(0).ty()
}

/// `x` sorted, their sum, and the position of the smallest: three results of three types.
fn register_summary() {
    let summary = |args: &Arguments| -> Result<Vec<Array>> {
        let x = args.array(0);
        Ok(vec![np::sort(&x, -1), np::sum(&x, ..), np::argmin(&x, ..)])
    };
    register_function("ndarray", "ext.summary", summary)
        .unwrap()
        .with_shape_rule(|args: &Arguments| -> Result<Vec<ArrayType>> {
            let ty = args.array(0).ty()?;
            Ok(vec![
                ty.clone(),
                ArrayType::scalar(ty.dtype),
                ArrayType::scalar(DType::Int64),
            ])
        });
}

#[test]
fn several_results_go_on_into_kernels() {
    in_own_process!();
    register_summary();
    let f = |x: Array| -> Result<(Array, Array)> {
        // The input is a transposed view of a computed array, the results go on into loops and joins.
        let x = np::transpose(&x * 2.0, ..);
        let results: Vec<Array> = call!("ext.summary", x.ravel())?.try_into()?;
        let scaled = &results[0] / &results[1] + results[2].astype(DType::Float64);
        Ok((np::stack([&scaled, &results[0]], 0), results[2].clone()))
    };
    let x = Array::from([[3.0, 1.0], [2.0, 4.0]]);
    let (expected, position) = f(x.clone()).unwrap();
    assert_eq!(position.item::<i64>().unwrap(), 2);
    for backend in backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let (result, position) = compiled.call(&x).unwrap().unwrap();
        assert_eq!(values(result), values(expected.clone()), "{backend}");
        assert_eq!(position.item::<i64>().unwrap(), 2, "{backend}");
    }
}

#[test]
fn every_dtype_and_empty_arrays_go_through() {
    in_own_process!();
    register_function("ndarray", "ext.same", |args: &Arguments| args.array(0))
        .unwrap()
        .with_shape_rule(same);
    let dtypes = [
        DType::Bool,
        DType::Uint8,
        DType::Int32,
        DType::Int64,
        DType::Float32,
        DType::Float64,
        DType::Complex64,
        DType::Complex128,
    ];
    for dtype in dtypes {
        for shape in [vec![2i64, 3], vec![0, 3], vec![]] {
            let x = np::ones(shape, dtype);
            for backend in backends() {
                let f = |x: Array| array(call!("ext.same", &x));
                let y = autojit(f).backend(backend).strict(true).call(&x).unwrap();
                assert_eq!(y.ty().unwrap(), x.ty().unwrap(), "{backend}");
                assert_eq!(y.to_string(), x.to_string(), "{backend}");
            }
        }
    }
}

#[test]
fn any_number_of_arrays_can_be_taken() {
    in_own_process!();
    register_function(
        "ndarray",
        "ext.total",
        |args: &Arguments| -> Result<Array> {
            let arrays: Vec<Array> = args.value(0).cloned().unwrap_or(Value::None).try_into()?;
            Ok(arrays.into_iter().fold(Array::from(0.0), |sum, x| sum + x))
        },
    )
    .unwrap()
    .with_shape_rule(|_: &Arguments| ArrayType::scalar(DType::Float64));
    let f = |x: Array| -> Array {
        let parts: Vec<Array> = (0..200).map(|i| np::sum(&x * f64::from(i), ..)).collect();
        array(call!("ext.total", parts))
    };
    for backend in backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let y = compiled.call(Array::from([1.0, 1.0])).unwrap();
        assert_eq!(y.item::<f64>().unwrap(), 2.0 * 199.0 * 100.0, "{backend}");
    }
}

#[test]
fn failures_inside_name_the_function_and_the_users_line() {
    in_own_process!();
    // Fails for some values only, in four ways; the same executable must work again afterwards.
    register_function(
        "ndarray",
        "ext.picky",
        |args: &Arguments| -> Result<Array> {
            let x = args.array(0);
            match x.get(0).item::<f64>()? as i64 {
                1 => np::add(&x, np::ones(7, ..)).check(),
                2 => panic!("two is a {}", "problem"),
                3 => Ok(np::concatenate([&x, &x], 0)),
                4 => Ok(x.astype(DType::Int64)),
                _ => Ok(x),
            }
        },
    )
    .unwrap()
    .with_shape_rule(same);
    let line = line!() + 1;
    let f = |x: Array| np::exp(array(call!("ext.picky", &x * 1.0))) + 1.0;
    for backend in backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let good = Array::from([0.0, 0.0]);
        let run = |x: f64| compiled.call(Array::from([x, 0.0]));
        for (x, expected) in [
            (1.0, "cannot broadcast f64[2] with f64[7] in add"),
            (
                2.0,
                "the registered function panicked: two is a problem in ext.picky",
            ),
            (
                3.0,
                "the registered function gave f64[4], expected f64[2] in ext.picky",
            ),
            (
                4.0,
                "the registered function gave i64[2], expected f64[2] in ext.picky",
            ),
        ] {
            let error = run(x).unwrap_err();
            assert!(
                error.to_string().starts_with(expected),
                "{backend}: {error}"
            );
            let location = error.location().unwrap();
            assert_eq!(location.file(), "tests/api/dispatch/external.rs", "{error}");
            if x > 1.0 {
                assert_eq!(location.line(), line, "{backend}: {error}");
            }
            assert_eq!(
                values(compiled.call(&good).unwrap()),
                [2.0, 2.0],
                "{backend}"
            );
        }
        assert_eq!(compiled.misses(), 1);
    }
}

#[test]
fn a_panic_inside_is_an_error_in_lazy_arrays_too() {
    in_own_process!();
    register_function("ndarray", "ext.panics", |_: &Arguments| -> Array {
        std::panic::panic_any(7)
    })
    .unwrap()
    .with_shape_rule(same);
    let x = autojit::lazy::array(&Array::from([1.0]));
    let error = array(call!("ext.panics", x)).compute().unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the registered function panicked: with a value that is no text in ext.panics, at tests/"),
        "{text}"
    );
}

#[test]
fn threads_share_an_executable_with_external_steps() {
    in_own_process!();
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    register_function(
        "ndarray",
        "ext.counted",
        |args: &Arguments| -> Result<Array> {
            CALLS.fetch_add(1, Ordering::Relaxed);
            if args.array(0).get(0).item::<f64>()? < 0.0 {
                panic!("negative");
            }
            // Itself a compiled function, so calls nest.
            autojit(|x: Array| np::sqrt(&x) * 2.0).call(args.array(0))
        },
    )
    .unwrap()
    .with_shape_rule(same);
    let f = |x: Array| array(call!("ext.counted", &x + 1.0)) - 1.0;
    for backend in backends() {
        let before = CALLS.load(Ordering::Relaxed);
        let compiled = autojit(f).backend(backend).strict(true);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let compiled = &compiled;
                scope.spawn(move || {
                    for i in 0..20 {
                        let x = f64::from(thread * 20 + i);
                        let y = compiled.call(Array::from([x, 3.0])).unwrap();
                        assert_eq!(values(y), [2.0 * (x + 1.0).sqrt() - 1.0, 3.0]);
                        if i % 5 == 0 {
                            compiled.call(Array::from([-2.0, 0.0])).unwrap_err();
                        }
                    }
                });
            }
        });
        assert_eq!(CALLS.load(Ordering::Relaxed) - before, 8 * (20 + 4));
    }
}

#[test]
fn functions_of_another_library_run_in_that_library() {
    in_own_process!();
    toys::register();
    register_function(
        "boxed",
        "ext.boxed_only",
        |args: &Arguments| -> Result<Array> {
            let x = args.array(0);
            assert_eq!(autojit::dispatch::infer_backend(&x)?, "boxed");
            Ok(x * 3.0)
        },
    )
    .unwrap()
    .with_shape_rule(same);
    register_function_wrapping("boxed", "tanh", |old| {
        move |args: &Arguments| Ok::<_, Error>(old.call(args)?.into_array()? + 1.0)
    })
    .unwrap();
    let x = Array::from([0.0, 0.0]).to("boxed");
    let f = |x: Array| np::tanh(array(call!("ext.boxed_only", &x + 1.0)) - 3.0);
    for backend in backends() {
        let compiled = autojit(f).backend(backend).strict(true);
        let y = compiled.call(&x).unwrap();
        assert_eq!(autojit::dispatch::infer_backend(&y).unwrap(), "boxed");
        assert_eq!(values(y.to("ndarray")), [1.0, 1.0], "{backend}");
    }
}

#[test]
fn draws_constants_and_arguments_go_around_calls() {
    in_own_process!();
    register_function("ndarray", "ext.halves", |args: &Arguments| {
        let half = args.array(0) / 2.0;
        vec![half.clone(), half]
    })
    .unwrap()
    .with_shape_rule(|args: &Arguments| -> Result<Vec<ArrayType>> {
        let ty = args.array(0).ty()?;
        Ok(vec![ty.clone(), ty])
    });
    // Draws before, between and after calls that need each other; a call of constants alone; one whose results nobody
    // uses; arguments, constants and results of calls handed out as they are.
    let halves = |x: Array| -> [Array; 2] {
        let halves: Vec<Array> = call!("ext.halves", x).unwrap().try_into().unwrap();
        halves.try_into().unwrap()
    };
    let program = |generator: &random::Generator, x: &Array| -> Vec<Array> {
        let [first, same] = halves(x + generator.normal(0.0, 1.0, 3));
        let [second, _] = halves(&first * generator.random(3));
        let [third, _] = halves(second.clone());
        let [constant, _] = halves(Array::from([1.0, 2.0, 4.0]));
        let _unused = halves(x * 3.0);
        let last = &third + generator.normal(0.0, 1.0, 3) + &constant;
        let literal = Array::from([7.0; 40].to_vec());
        vec![x.clone(), same, second, third, constant, last, literal]
    };
    let x = Array::from([1.0, 2.0, 3.0]);
    let generator = random::default_rng(5);
    let all = |arrays: Vec<Array>| -> Vec<Vec<f64>> { arrays.into_iter().map(values).collect() };
    let expected: Vec<_> = (0..2).map(|_| all(program(&generator, &x))).collect();
    for backend in backends() {
        let generator = random::default_rng(5);
        let compiled = autojit(move |x: Array| program(&generator, &x));
        let compiled = compiled.backend(backend).strict(true);
        for expected in &expected {
            assert_eq!(&all(compiled.call(&x).unwrap()), expected, "{backend}");
        }
        let explanation = compiled.explain(&x).unwrap();
        assert_eq!(explanation.backend(), backend);
    }
}

#[cfg(feature = "xla")]
#[test]
fn functions_of_the_users_may_use_xla_themselves() {
    in_own_process!();
    use autojit::dispatch::infer_backend;
    // Called from inside of a program such a function would take a thread of XLA's and wait for another.
    let nested = |args: &Arguments| -> Result<Array> {
        let x = args.array(0);
        assert_eq!(infer_backend(&x)?, "xla");
        let solved = autojit(|x: Array| np::linalg::inv(&x) + 1.0).call(&x)?;
        np::matmul(&solved, &x).check()
    };
    register_function("xla", "ext.nested", nested)
        .unwrap()
        .with_shape_rule(|args: &Arguments| args.array(0).ty());
    let f = autojit(|x: Array| -> Result<Array> {
        let y = call!("ext.nested", np::exp(&x))?.into_array()?;
        Ok(np::linalg::det(&y) + call!("ext.nested", &y * 2.0)?.into_array()?)
    })
    .strict(true);
    let x = Array::from([[0.5, 1.0], [2.0, 0.25]]).to("xla");
    let first = f.call(&x).unwrap().unwrap();
    assert_eq!(infer_backend(&first).unwrap(), "xla");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let again = f.call(&x).unwrap().unwrap();
                    assert_eq!(again.to_string(), first.to_string());
                }
            });
        }
    });
    assert_eq!(f.explain(&x).unwrap().backend(), "xla");
    // Three programs with the two calls between them: no one text, and nothing to hand to others.
    assert!(f.hlo_text(&x).unwrap_err().is_unsupported());
    assert!(f.stablehlo(&x).unwrap_err().is_unsupported());
}
