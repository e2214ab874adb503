//! Arrays of XLA, and graphs run as XLA's programs.
#![cfg(feature = "xla")]

use std::panic::Location;

use autojit::ir::HostArray;
use autojit::{Array, DType, autojit, numpy as np};

fn array(values: &[f64]) -> Array {
    Array::from(values.to_vec()).to("xla")
}

fn values(x: &Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

// ---- the library ----

#[test]
fn arrays_go_there_and_back() {
    assert!(autojit::libraries().contains(&"xla"));
    for dtype in DType::ALL {
        for shape in [&[3][..], &[], &[0], &[1, 3], &[3, 0, 2]] {
            let count: i64 = shape.iter().product();
            let numbers: Vec<f64> = (0..count).map(|i| i as f64).collect();
            let x = np::astype(Array::from(numbers), dtype).reshape(shape);
            let there = x.to("xla");
            assert_eq!(there.library().unwrap(), "xla");
            assert_eq!(there.device().unwrap(), "cpu");
            assert_eq!(there.ty().unwrap(), x.ty().unwrap());
            let host = |x: &Array| HostArray::try_from(x).unwrap();
            assert!(
                host(&there.to("ndarray")).same_bits(&host(&x)),
                "{dtype} {shape:?}"
            );
        }
    }
    assert_eq!(array(&[1.0, 2.0, 3.0]).to_string(), "[1. 2. 3.]");
    let error = Array::from([1.0]).to("xla-cuda:0").check().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the library xla has no device cuda:0"),
        "{error}"
    );
}

#[test]
fn operations_stay_there() {
    let x = array(&[3.0, 4.0]);
    let y = np::sqrt(np::sum(&x * &x, ..));
    assert_eq!(y.library().unwrap(), "xla");
    assert_eq!(y.item::<f64>().unwrap(), 5.0);
    let error = (x + Array::from([2.0, 1.0])).check().unwrap_err();
    assert!(error.is_mixed_libraries(), "{error}");
    let z = np::zeros([2, 3], np::like("xla-float32"));
    assert_eq!(
        (z.library().unwrap(), z.ty().unwrap().to_string().as_str()),
        ("xla", "f32[2,3]")
    );
}

/// What XLA has not is done in main memory.
#[test]
fn decompositions_come_back_to_the_library() {
    let x = array(&[2.0, 1.0, 1.0, 3.0]).reshape([2, 2]);
    let (q, r) = np::linalg::qr(&x, ..);
    assert_eq!(q.library().unwrap(), "xla");
    let product = np::matmul(&q, &r).to("ndarray");
    let error: f64 = np::max(np::abs(product - x.to("ndarray")), ..)
        .item()
        .unwrap();
    assert!(error < 1e-15, "{error}");
}

// ---- the backend ----

#[test]
fn xla_arrays_choose_their_backend() {
    let f = autojit(|x: Array| np::exp(&x) + 1.0);
    let x = array(&[0.0, 0.0]);
    let explanation = f.explain(&x).unwrap();
    assert_eq!(explanation.backend(), "xla");
    assert!(
        explanation.executable().contains("exponential(x.0)"),
        "{explanation}"
    );
    let y = f.call(&x).unwrap();
    assert_eq!(y.library().unwrap(), "xla");
    assert_eq!(values(&y), [2.0, 2.0]);
    assert_ne!(f.explain(Array::from([0.0])).unwrap().backend(), "xla");
    // Asked for by name, results come back to the library and dtype of the caller.
    let named = autojit(|x: Array| np::exp(&x) + 1.0)
        .backend("xla")
        .strict(true);
    let y = named.call(Array::from([0.0f32])).unwrap();
    assert_eq!(
        (y.library().unwrap(), y.ty().unwrap().to_string().as_str()),
        ("ndarray", "f32[1]")
    );
}

#[test]
fn linear_algebra_and_random_numbers_are_calls_back() {
    let f = autojit(|x: Array| {
        let (u, s, vh) = np::linalg::svd(&x, ..);
        np::matmul(u * s, vh) - x
    });
    let x = array(&[2.0, 1.0, 1.0, 3.0, 5.0, 8.0]).reshape([3, 2]);
    assert_eq!(f.explain(&x).unwrap().backend(), "xla");
    for _ in 0..3 {
        let rest = f.call(&x).unwrap();
        assert_eq!(rest.library().unwrap(), "xla");
        assert!(values(&rest.ravel()).iter().all(|r| r.abs() < 1e-14));
    }
}

#[test]
fn failures_at_run_time_name_the_op_and_the_line() {
    let here = Location::caller().line();
    let f = autojit(|(x, i): (Array, Array)| {
        let y = np::exp(&x);
        let taken = np::take(&y, &i, 0);
        np::sqrt(taken)
    });
    let x = array(&[1.0, 2.0]);
    let index = |i: i64| Array::from([i]).to("xla");
    assert!(f.call((&x, &index(-2))).is_ok());
    for _ in 0..2 {
        let error = f.call((&x, &index(2))).unwrap_err();
        assert!(error.is_index(), "{error}");
        assert_eq!(error.op(), Some("take"));
        assert_eq!(error.location().unwrap().line(), here + 3, "{error}");
        assert!(
            error
                .to_string()
                .contains("out of range for axis 0 with size 2"),
            "{error}"
        );
    }
    // Later calls are as before.
    assert!(f.call((&x, &index(1))).is_ok());
}

fn gram_schmidt(x: Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.len().unwrap_or(0) as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

#[test]
fn thousands_of_ops_equal_the_reference() {
    for (dtype, n) in [(DType::Float64, 50), (DType::Complex128, 20)] {
        let value = |k: f64, step: f64| (k * step).fract() - 0.5;
        let numbers = |step: f64| -> Vec<f64> {
            (0..n * n)
                .map(|k| value(f64::from(k * (k / n + 1)), step))
                .collect()
        };
        let mut x = Array::from(numbers(0.618_033_988_749_894_9));
        if dtype.is_complex() {
            x += Array::from(numbers(0.414_213_562_373_095_1)) * num_complex::Complex64::i();
        }
        let x = x.reshape([i64::from(n), i64::from(n)]);
        let expected = gram_schmidt(x.clone());
        let f = autojit(gram_schmidt).strict(true);
        let explanation = f.explain(x.to("xla")).unwrap();
        println!(
            "compile {:?} nodes {}",
            explanation.compile_time(),
            explanation.optimized_nodes()
        );
        let x = x.to("xla");
        let got = f.call(&x).unwrap().to("ndarray");
        let start = std::time::Instant::now();
        for _ in 0..20 {
            let _ = f.call(&x).unwrap();
        }
        println!("call {:?}", start.elapsed() / 20);
        let error: f64 = np::max(np::abs(got - expected), ..).item().unwrap();
        assert!(error < 1e-12, "{dtype}: {error}");
    }
}
