//! Decompositions one after the other, as compiled code calls them.

use autojit::{Array, DType, numpy as np};

use super::results::expect_close;
use super::{Case, DOUBLE, Workload, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "linalg",
    about: "qr, svd, eigh and solve of n x n matrices, chained",
    size: "rows and columns",
    sizes: &[50, 200],
    dtypes: DOUBLE,
    build,
    size_of_nodes: None,
}];

/// Each step gives what does not depend on the signs that a decomposition is free to choose.
fn chained((x, b): (Array, Array)) -> (Array, Array, Array) {
    let (_, r) = np::linalg::qr(&x, ..);
    let gram = np::matmul(r.t(), &r);
    let (u, s, v) = np::linalg::svd(&gram, ..);
    let again = np::matmul(u * &s, v);
    let (w, q) = np::linalg::eigh(again + gram.t(), ..);
    let root = np::matmul(&q * np::sqrt(np::absolute(&w)), q.t());
    let solution = np::linalg::solve(&root, &b);
    (s, w, solution)
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let one = np::eye(n as i64, np::dtype(dtype));
    // Singular values between 1 and 3 or so: a well-conditioned problem of any size.
    let x = one * 2.0 + normal(1, &[n, n], dtype) / (2.0 * (n as f64).sqrt());
    let b = normal(2, &[n, 3], dtype);
    let (x_again, b_again) = (x.clone(), b.clone());
    let check = move |results: &[Array]| {
        // gram = x' x, and root * root = 2 gram: so root is found by what it does to the solution.
        let [s, w, solution] = results else {
            return Err(format!("{} results, expected 3", results.len()));
        };
        let doubled = np::flip(w, ..) / 2.0;
        expect_close(&[doubled], std::slice::from_ref(s), tolerance(dtype))?;
        let total = np::sum(&x_again * &x_again, ..);
        expect_close(&[np::sum(s, ..)], &[total], tolerance(dtype))?;
        let gram = np::matmul(x_again.t(), &x_again) * 2.0;
        // |root y| = |b| for the solution y, as y' root root y = y' (2 gram) y = b' b.
        let left = np::matmul(solution.t(), np::matmul(gram, solution));
        let right = np::matmul(b_again.t(), &b_again);
        expect_close(&[left], &[right], tolerance(dtype))
    };
    Ok(Case::new(program((x, b), chained), check))
}
