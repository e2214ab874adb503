//! A thousand products of tiny matrices, and thousands of tiny decompositions: work of tens of nanoseconds each, which is all overhead
//! where each of them is a call of a library.

use autojit::{Array, DType, numpy as np};
use num_complex::Complex64;
use serde_json::json;

use super::results::{expect_close, reals, values};
use super::{
    Case, DOUBLE, Workload, baseline, blasfeo, normal, openblas, program, tolerance, xsmm,
};

const DTYPES: &[DType] = &[DType::Float64, DType::Complex128];
const SIZES: &[usize] = &[2, 3, 4, 6, 8, 12, 16, 24, 32];

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "tiny.independent",
        about: "1000 products of n x n matrices that do not depend on each other",
        size: "rows and columns",
        sizes: SIZES,
        dtypes: DTYPES,
        build: |n, dtype| products(n, dtype, false),
        size_of_nodes: None,
    },
    Workload {
        name: "tiny.chain",
        about: "1000 products of n x n matrices, each with the result of the one before",
        size: "rows and columns",
        sizes: SIZES,
        dtypes: DTYPES,
        build: |n, dtype| products(n, dtype, true),
        size_of_nodes: None,
    },
    Workload {
        name: "tiny.eigvalsh",
        about: "eigenvalues of n symmetric matrices of 6 x 6",
        size: "matrices",
        sizes: &[20_000],
        dtypes: DOUBLE,
        build: eigenvalues,
        size_of_nodes: None,
    },
];

const COUNT: usize = 1000;

/// `out = a b` for n x n matrices.
fn multiply(n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    for (row, out) in a.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        out.fill(0.0);
        for (factor, b) in row.iter().zip(b.chunks_exact(n)) {
            for (out, b) in out.iter_mut().zip(b) {
                *out += factor * b;
            }
        }
    }
}

/// The same for complex numbers, as the definition says.
fn product(n: usize, a: &[Complex64], b: &[Complex64]) -> Vec<Complex64> {
    let entry = |i: usize| (0..n).map(|k| a[i / n * n + k] * b[k * n + i % n]).sum();
    (0..n * n).map(entry).collect()
}

/// Left and right factors, near one, so that no product of many is far from it.
fn factors(n: usize, dtype: DType) -> (Array, Array) {
    let near = |seed| {
        let random = normal(seed, &[COUNT, n, n], dtype) * (0.02 / (n as f64).sqrt());
        (np::eye(n as i64, ..) + random).astype(dtype)
    };
    (near(1), near(3))
}

fn products(n: usize, dtype: DType, chained: bool) -> Result<Case, String> {
    let (a, b) = factors(n, dtype);
    let (left, right) = (values(&a)?, values(&b)?);
    let check = move |results: &[Array]| {
        let size = n * n;
        let each = left.chunks_exact(size).zip(right.chunks_exact(size));
        let expected: Vec<Complex64> = if chained {
            let start = left[..size].to_vec();
            right
                .chunks_exact(size)
                .fold(start, |x, b| product(n, &x, b))
        } else {
            each.flat_map(|(a, b)| product(n, a, b)).collect()
        };
        let shape = results[0].shape().map_err(|e| e.to_string())?;
        let expected = np::reshape(Array::from(expected), shape);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = move |(a, b): (Array, Array)| {
        let each = 0..COUNT as i64;
        match chained {
            true => each.fold(a.get(0), |x, i| np::matmul(x, b.get(i))),
            false => np::stack(
                each.map(|i| np::matmul(a.get(i), b.get(i)))
                    .collect::<Vec<_>>(),
                0,
            ),
        }
    };
    let (left, right) = (reals(&a), reals(&b));
    let mut case = Case::new(program((a, b), run), check)
        .per(COUNT, "product")
        .parameters(json!({ "kind": if chained { "chain" } else { "independent" } }));
    if dtype == DType::Float64 {
        case = case.baseline(by_hand(
            n,
            left.clone(),
            right.clone(),
            chained,
            "rust",
            multiply,
        ));
        let libraries = [
            ("openblas", openblas::multiply()),
            ("blasfeo", blasfeo::multiply()),
            ("libxsmm", xsmm::multiply()),
        ];
        for (name, multiply) in libraries {
            if let Some(multiply) = multiply {
                let (left, right) = (left.clone(), right.clone());
                case = case.baseline(by_hand(n, left, right, chained, name, multiply));
            }
        }
    }
    Ok(case)
}

/// The products one after the other by a function.
fn by_hand(
    n: usize,
    left: Vec<f64>,
    right: Vec<f64>,
    chained: bool,
    name: &'static str,
    multiply: impl Fn(usize, &[f64], &[f64], &mut [f64]) + 'static,
) -> Box<dyn super::Baseline> {
    let size = n * n;
    let run = move |(left, right, out): &mut (Vec<f64>, Vec<f64>, Vec<f64>)| {
        if chained {
            let mut next = vec![0.0; size];
            *out = left[..size].to_vec();
            for b in right.chunks_exact(size) {
                multiply(n, out, b, &mut next);
                std::mem::swap(out, &mut next);
            }
            return;
        }
        *out = Vec::new();
        *out = vec![0.0; COUNT * size];
        let factors = left.chunks_exact(size).zip(right.chunks_exact(size));
        for ((a, b), out) in factors.zip(out.chunks_exact_mut(size)) {
            multiply(n, a, b, out);
        }
    };
    let rows = n as i64;
    let results = move |(_, _, out): &(Vec<f64>, Vec<f64>, Vec<f64>)| {
        let out = Array::from(&out[..]);
        vec![match chained {
            true => np::reshape(out, [rows, rows]),
            false => np::reshape(out, [COUNT as i64, rows, rows]),
        }]
    };
    baseline(name, (left, right, Vec::new()), run, results)
}

fn eigenvalues(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[n, 6, 6], dtype);
    let x = &x + np::transpose(&x, [0, 2, 1]);
    let entries = reals(&x);
    let check = move |results: &[Array]| {
        // The sums of the eigenvalues, of their squares and of their cubes are traces, and each row ascends.
        let found = reals(&results[0]);
        if found.len() != 6 * n || found.chunks_exact(6).any(|w| !w.is_sorted()) {
            return Err("eigenvalues do not ascend".to_owned());
        }
        let (mut traces, mut sums) = (Vec::new(), Vec::new());
        for (x, w) in entries.chunks_exact(36).zip(found.chunks_exact(6)) {
            let mut square = [0.0; 36];
            multiply(6, x, x, &mut square);
            let both = x.iter().zip(&square);
            traces.extend([
                (0..6).map(|i| x[i * 7]).sum::<f64>(),
                x.iter().map(|x| x * x).sum(),
                both.map(|(x, y)| x * y).sum(),
            ]);
            sums.extend([1, 2, 3].map(|power| w.iter().map(|w| w.powi(power)).sum::<f64>()));
        }
        expect_close(
            &[Array::from(sums)],
            &[Array::from(traces)],
            tolerance(dtype),
        )
    };
    let run = |x: Array| np::linalg::eigvalsh(x, ..);
    let case = Case::new(program(x, run), check).per(n, "matrix");
    Ok(case.parameters(json!({ "kind": "eigvalsh" })))
}
