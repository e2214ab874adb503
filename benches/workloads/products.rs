//! Matrix products, beside the best that there are.

use autojit::{Array, DType, numpy as np};
use faer::{Mat, MatRef, Par};
use ndarray::Array2;

use super::openblas;
use super::results::{expect_close, reals};
use super::{Baseline, Case, REAL, Workload, baseline, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "matmul",
    about: "the product of two n x n matrices",
    size: "rows and columns",
    sizes: &[8, 16, 32, 64, 128, 256, 512, 1024],
    dtypes: REAL,
    build,
    size_of_nodes: None,
}];

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let (x, y) = (normal(1, &[n, n], dtype), normal(2, &[n, n], dtype));
    let (vx, vy) = (reals(&x), reals(&y));
    let run = |(x, y): (Array, Array)| np::matmul(x, y);
    let program = program((x, y), run);
    let (check_x, check_y) = (vx.clone(), vy.clone());
    // Freivalds' check: (x y) v = x (y v) for a vector v, in n^2 steps.
    let check = move |results: &[Array]| {
        let apply = |m: &[f64], v: &[f64]| -> Vec<f64> {
            let row = |row: &[f64]| row.iter().zip(v).map(|(a, b)| a * b).sum();
            m.chunks_exact(n).map(row).collect()
        };
        let v: Vec<f64> = (0..n).map(|i| 1.0 + (i % 3) as f64).collect();
        let expected = Array::from(apply(&check_x, &apply(&check_y, &v)));
        let got = Array::from(apply(&reals(&results[0]), &v));
        expect_close(&[got], &[expected], 10.0 * tolerance(dtype))
    };
    let mut case = Case::new(program, check).per(n * n * n * 2, "operation");
    if dtype == DType::Float64 {
        case = case
            .baseline(with_faer(&vx, &vy, n))
            .baseline(with_gemm(&vx, &vy, n))
            .baseline(with_ndarray(&vx, &vy, n));
        if let Some(openblas) = openblas::product(vx, vy, n) {
            case = case.baseline(openblas);
        }
    }
    Ok(case)
}

fn square(data: Vec<f64>, n: usize) -> Array {
    np::reshape(Array::from(data), [n as i64, n as i64])
}

fn with_faer(x: &[f64], y: &[f64], n: usize) -> Box<dyn Baseline> {
    let matrix = |data: &[f64]| MatRef::from_row_major_slice(data, n, n).to_owned();
    baseline(
        "faer",
        (matrix(x), matrix(y), Mat::<f64>::zeros(0, 0)),
        move |(x, y, out)| {
            *out = Mat::zeros(0, 0);
            *out = Mat::zeros(n, n);
            faer::linalg::matmul::matmul(
                out.as_mut(),
                faer::Accum::Replace,
                &*x,
                &*y,
                1.0,
                Par::Seq,
            );
        },
        move |(_, _, out)| {
            let entries = (0..n * n).map(|i| out[(i / n, i % n)]);
            vec![square(entries.collect(), n)]
        },
    )
}

fn with_gemm(x: &[f64], y: &[f64], n: usize) -> Box<dyn Baseline> {
    baseline(
        "gemm",
        (x.to_vec(), y.to_vec(), Vec::new()),
        move |(x, y, out)| {
            *out = Vec::new();
            *out = vec![0.0; n * n];
            let n1 = n as isize;
            // SAFETY: all three are n x n in C order, and `out` is none of the others.
            unsafe {
                gemm::gemm(
                    n,
                    n,
                    n,
                    out.as_mut_ptr(),
                    1,
                    n1,
                    false,
                    x.as_ptr(),
                    1,
                    n1,
                    y.as_ptr(),
                    1,
                    n1,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::None,
                );
            }
        },
        move |(_, _, out)| vec![square(out.clone(), n)],
    )
}

fn with_ndarray(x: &[f64], y: &[f64], n: usize) -> Box<dyn Baseline> {
    let matrix = |data: &[f64]| Array2::from_shape_fn((n, n), |(i, j)| data[i * n + j]);
    baseline(
        "ndarray",
        (matrix(x), matrix(y), Array2::zeros((0, 0))),
        |(x, y, out)| *out = x.dot(y),
        |(_, _, out)| vec![Array::from(out)],
    )
}
