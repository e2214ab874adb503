//! Modified Gram-Schmidt: thousands of dot products and updates of short rows.

use std::ops::Add;

use autojit::ir::Element;
use autojit::{Array, DType, numpy as np};
use faer::{Mat, MatRef};
use num_complex::Complex64;

use super::results::expect_close;
use super::{Baseline, Case, Workload, baseline, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "mgs",
    about: "modified Gram-Schmidt of the rows of an n x n matrix",
    size: "rows",
    sizes: &[50, 100, 140],
    dtypes: &[
        DType::Float64,
        DType::Complex128,
        DType::Float32,
        DType::Complex64,
    ],
    build,
    // n rows of real numbers are (3 n^2 + 5 n) / 2 + 1 nodes.
    size_of_nodes: Some(|nodes| (((1.0 + 24.0 * nodes as f64).sqrt() - 5.0) / 6.0).ceil() as usize),
}];

/// The rows of `x`, made orthonormal one after the other.
pub(super) fn gram_schmidt(x: Array) -> Array {
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

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[n, n], dtype);
    let check = move |results: &[Array]| {
        let q = &results[0];
        let product = np::matmul(q, np::transpose(np::conj(q), ..));
        let one = np::eye(n as i64, np::dtype(dtype));
        // Modified Gram-Schmidt loses orthogonality with the condition of the matrix, about n^2 here.
        expect_close(&[product], &[one], 100.0 * tolerance(dtype))
    };
    let case = Case::new(program(x.clone(), gram_schmidt), check);
    Ok(match dtype {
        DType::Float64 => case
            .baseline(loops::<f64>(&x, n))
            .baseline(faer_real(&x, n)),
        DType::Complex128 => case.baseline(loops::<Complex64>(&x, n)),
        _ => case,
    })
}

/// The operations on numbers that the loops below need.
trait Number: Element + Add<Output = Self> + Copy + Default + 'static
where
    Array: From<Vec<Self>>,
{
    fn conj_times(self, other: Self) -> Self;
    fn minus_product(self, a: Self, b: Self) -> Self;
    fn square(self) -> f64;
    fn over(self, x: f64) -> Self;
}

impl Number for f64 {
    fn conj_times(self, other: Self) -> Self {
        self * other
    }
    fn minus_product(self, a: Self, b: Self) -> Self {
        self - a * b
    }
    fn square(self) -> f64 {
        self * self
    }
    fn over(self, x: f64) -> Self {
        self / x
    }
}

impl Number for Complex64 {
    fn conj_times(self, other: Self) -> Self {
        self.conj() * other
    }
    fn minus_product(self, a: Self, b: Self) -> Self {
        self - a * b
    }
    fn square(self) -> f64 {
        self.norm_sqr()
    }
    fn over(self, x: f64) -> Self {
        self / x
    }
}

/// The way one would write it by hand, without thinking of vectors or caches.
fn loops<T: Number>(x: &Array, n: usize) -> Box<dyn Baseline> {
    let data = x.to_vec::<T>().unwrap_or_default();
    let state = (data.clone(), data);
    baseline(
        "rust",
        state,
        move |(x, q)| {
            for j in 0..n {
                let (done, rest) = q.split_at_mut(j * n);
                let row = &mut rest[..n];
                row.copy_from_slice(&x[j * n..(j + 1) * n]);
                for earlier in done.chunks_exact(n) {
                    let products = earlier.iter().zip(&*row).map(|(&a, &b)| a.conj_times(b));
                    let dot = products.fold(T::default(), |sum, x| sum + x);
                    for (r, &a) in row.iter_mut().zip(earlier) {
                        *r = r.minus_product(dot, a);
                    }
                }
                let norm = row.iter().map(|r| r.square()).sum::<f64>().sqrt();
                for r in row {
                    *r = r.over(norm);
                }
            }
        },
        move |(_, q)| vec![np::reshape(Array::from(q.clone()), [n as i64, n as i64])],
    )
}

/// faer's QR decomposition: Householder reflections, which are more accurate and another algorithm.
fn faer_real(x: &Array, n: usize) -> Box<dyn Baseline> {
    let data = x.to_vec::<f64>().unwrap_or_default();
    // Rows of x are columns for faer.
    let state = (data, Mat::<f64>::zeros(n, n), Mat::<f64>::zeros(n, n));
    baseline(
        "faer qr",
        state,
        move |(x, q, r)| {
            let qr = MatRef::from_column_major_slice(x, n, n).qr();
            *q = qr.compute_thin_Q();
            *r = qr.thin_R().to_owned();
        },
        move |(_, q, r)| {
            // Gram-Schmidt's R has a positive diagonal, which makes Q unique.
            let sign = |j: usize| r[(j, j)].signum();
            let rows = (0..n * n).map(|i| q[(i % n, i / n)] * sign(i / n));
            let rows = Array::from(rows.collect::<Vec<f64>>());
            vec![np::reshape(rows, [n as i64, n as i64])]
        },
    )
}
