//! LAPACK's versions give what autojit's own give, in all floating dtypes, for batches and for odd shapes.
//!
//! Decompositions that are not unique are compared by what defines them. One test, because installing is for the
//! whole process and the first half needs autojit's own functions.

#![cfg(not(feature = "torch"))]

use autojit::dispatch::Arguments;
use autojit::{Array, DType, Result, Value, numpy as np};

const DTYPES: [DType; 4] = [
    DType::Float32,
    DType::Float64,
    DType::Complex64,
    DType::Complex128,
];

/// Numbers without a pattern that would make matrices singular, of any shape.
fn sample(shape: &[usize], dtype: DType) -> Array {
    let size: usize = shape.iter().product();
    let real: Vec<f64> = (0..size)
        .map(|i| ((i * i) as f64 * 0.37 + 0.3).sin())
        .collect();
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    let real = np::reshape(Array::from(real), shape);
    if dtype.is_complex() {
        let imaginary = np::cos(&real * 5.0) * num_complex::Complex64::new(0.0, 1.0);
        np::astype(real + imaginary, dtype)
    } else {
        np::astype(real, dtype)
    }
}

fn hermitian(shape: &[usize], dtype: DType) -> Array {
    let x = sample(shape, dtype);
    &x + adjoint(&x)
}

fn adjoint(x: &Array) -> Array {
    np::conj(np::swapaxes(x, -1, -2))
}

fn identity_like(x: &Array) -> Array {
    np::eye(
        *x.shape().unwrap().last().unwrap() as i64,
        x.dtype().unwrap(),
    )
}

/// The sum of the magnitudes.
fn magnitude(x: &Array) -> f64 {
    let total = np::sum(np::absolute(x), ..);
    np::astype(total, DType::Float64).item().unwrap()
}

/// Equal to within rounding, in proportion to the numbers.
#[track_caller]
fn assert_close(x: &Array, y: &Array) {
    assert_eq!(x.ty().unwrap(), y.ty().unwrap());
    let single = matches!(x.dtype().unwrap(), DType::Float32 | DType::Complex64);
    let tolerance = if single { 2e-4 } else { 1e-11 };
    let difference = magnitude(&(x - y)) / (1.0 + magnitude(y));
    assert!(difference < tolerance, "{difference}");
}

/// Results of one function for a list of arguments.
fn results(name: &str, x: &Array) -> Result<Vec<Array>> {
    let value = autojit::dispatch::call(name, &[x.into()], &[])?;
    Ok(match value {
        Value::List(items) => items.into_iter().map(|v| v.try_into().unwrap()).collect(),
        value => vec![value.try_into()?],
    })
}

const SHAPES: [&[usize]; 4] = [&[1, 1], &[4, 4], &[3, 5, 5], &[2, 1, 12, 12]];
const UNIQUE: [&str; 4] = [
    "linalg.det",
    "linalg.inv",
    "linalg.svdvals",
    "linalg.cholesky",
];

/// A positive definite matrix of any size and dtype.
fn positive(shape: &[usize], dtype: DType) -> Array {
    let x = sample(shape, dtype);
    np::matmul(&x, adjoint(&x)) + identity_like(&x)
}

#[test]
fn installed_versions_agree_with_those_that_they_replace() -> Result<()> {
    let mut before = Vec::new();
    for name in UNIQUE {
        for dtype in DTYPES {
            for shape in SHAPES {
                before.push(results(name, &positive(shape, dtype))?);
            }
        }
    }
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    autojit_lapack::install()?;
    assert!(autojit_lapack::functions().count() >= 11);

    let mut before = before.into_iter();
    for name in UNIQUE {
        for dtype in DTYPES {
            for shape in SHAPES {
                let after = results(name, &positive(shape, dtype))?;
                for (x, y) in after.iter().zip(before.next().unwrap()) {
                    assert_close(x, &y);
                }
            }
        }
    }

    for dtype in DTYPES {
        for shape in SHAPES {
            let x = hermitian(shape, dtype);
            let [w, v] = results("linalg.eigh", &x)?.try_into().unwrap();
            let scaled = &v * np::expand_dims(np::astype(&w, v.dtype()?), -2);
            assert_close(&np::matmul(&x, &v), &scaled);
            assert_close(&results("linalg.eigvalsh", &x)?[0], &w);

            let x = sample(shape, dtype);
            let [w, v] = results("linalg.eig", &x)?.try_into().unwrap();
            let complex = np::astype(&x, w.dtype()?);
            assert_close(&np::matmul(&complex, &v), &(&v * np::expand_dims(&w, -2)));
            assert_eq!(results("linalg.eigvals", &x)?[0].ty()?, w.ty()?);
        }
        for shape in [[6, 4], [4, 6], [5, 5]] {
            let x = sample(&shape, dtype);
            let (q, r) = np::linalg::qr(&x, ..);
            assert_close(&np::matmul(&q, &r), &x);
            assert_close(&np::matmul(adjoint(&q), &q), &identity_like(&q));
            for full in [false, true] {
                let (u, s, vh) = np::linalg::svd(&x, np::full_matrices(full));
                let k = s.shape()?[0] as i64;
                let u = u.get(autojit::ix![.., ..k]);
                let vh = vh.get(autojit::ix![..k, ..]);
                assert_close(&np::matmul(u * np::astype(s, dtype), vh), &x);
            }
        }
        let a = sample(&[4, 4], dtype);
        for shape in [&[4][..], &[4, 3]] {
            let b = sample(shape, dtype);
            let x = autojit::dispatch::call("linalg.solve", &[(&a).into(), (&b).into()], &[])?;
            assert_close(&np::matmul(&a, Array::try_from(x)?), &b);
        }
    }

    // What LAPACK does not take goes to the version before; errors are Err.
    let empty = np::zeros([0, 3], ..);
    assert_eq!(np::linalg::svd(&empty, ..).1.shape()?, [0]);
    let singular = Array::from([[1.0, 2.0], [2.0, 4.0]]);
    let error = results("linalg.inv", &singular).and_then(|r| r[0].clone().check());
    assert!(error.unwrap_err().is_linear_algebra());
    assert_eq!(
        results("linalg.det", &Array::from([[0.0, 0.0], [0.0, 1.0]]))?[0].item::<f64>()?,
        0.0
    );
    assert_eq!(
        np::linalg::qr(Array::from([[1i64, 2], [3, 4]]), ..)
            .0
            .dtype()?,
        DType::Float64
    );

    // Wrapping LAPACK's in turn sees the calls.
    let counter = calls.clone();
    autojit::register_function_wrapping("ndarray", "linalg.inv", move |old| {
        move |arguments: &Arguments| {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            old.call(arguments)
        }
    })?;
    results(
        "linalg.inv",
        &identity_like(&sample(&[2, 2], DType::Float64)),
    )?;
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
    Ok(())
}
