//! Values with gradients, and batches: what is traced, transformed and compiled as one function.
//!
//! A gradient is checked by the difference quotient of the function itself, called eagerly, in a direction of random numbers.

use autojit::{Array, DType, Result, numpy as np, value_and_grad, vmap};

use super::gram_schmidt::gram_schmidt;
use super::kalman;
use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "grad_mgs",
        about: "value and gradient of a weighted sum of the rows of modified Gram-Schmidt",
        size: "rows",
        sizes: &[20, 50],
        dtypes: DOUBLE,
        build: mgs,
        // About ten times the nodes of the function, which are (3 n^2 + 5 n) / 2 + 1.
        size_of_nodes: Some(|nodes| ((nodes as f64 / 15.0).sqrt()).ceil() as usize),
    },
    Workload {
        name: "grad_kalman",
        about: "value and gradient of the logarithm of the likelihood of a Kalman filter by its four matrices, n steps unrolled",
        size: "steps",
        sizes: &[50, 100],
        dtypes: DOUBLE,
        build: kalman_gradient,
        size_of_nodes: None,
    },
    Workload {
        name: "vmap_kalman",
        about: "the Kalman filter of 50 steps for n lists of observations at once",
        size: "filters",
        sizes: &[64],
        dtypes: DOUBLE,
        build: kalman_batch,
        size_of_nodes: None,
    },
];

/// Checks a value, and the gradients of several arrays, by the function.
fn check_gradient(
    f: impl Fn(&[Array]) -> Array,
    x: &[Array],
    results: &[Array],
) -> std::result::Result<(), String> {
    const STEP: f64 = 1e-6;
    let directions: Vec<Array> = x
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let shape = x.shape().unwrap_or_default();
            normal(100 + i as u64, &shape, DType::Float64)
        })
        .collect();
    let moved = |by: f64| {
        let moved = x.iter().zip(&directions).map(|(x, d)| x + d * by);
        f(&moved.collect::<Vec<_>>())
    };
    let quotient = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
    let products = results[1..].iter().zip(&directions);
    let products = products.map(|(g, d)| np::sum(g * d, ..));
    let derivative = products.fold(Array::from(0.0), |sum, term| sum + term);
    expect_close(&results[..1], &[f(x)], tolerance(DType::Float64))?;
    expect_close(&[derivative], &[quotient], 1e-5)
}

fn mgs(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let args = (normal(1, &[n, n], dtype), normal(2, &[n, n], dtype));
    let value = |x: Array, weights: &Array| np::sum(gram_schmidt(x) * weights, ..);
    let (start, weights) = args.clone();
    let check = move |results: &[Array]| {
        let of = |x: &[Array]| value(x[0].clone(), &weights);
        check_gradient(of, std::slice::from_ref(&start), results)
    };
    let run = move |(x, weights): (Array, Array)| value_and_grad(|x| value(x, &weights))(x);
    Ok(Case::new(program(args, run), check))
}

/// The motion, what is observed, and the noise of both.
type Matrices = (Array, Array, Array, Array);

fn kalman_gradient(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let matrices = kalman::matrices();
    let z = normal(1, &[n, kalman::OBSERVED], dtype);
    let value =
        move |(f, h, q, r): Matrices, z: &Array| kalman::filter((f, h, q, r, z.clone()), n).2;
    let (f, h, q, r) = matrices.clone();
    let (start, observations) = ([f, h, q, r], z.clone());
    let check = move |results: &[Array]| {
        let of = |x: &[Array]| {
            let matrices = (x[0].clone(), x[1].clone(), x[2].clone(), x[3].clone());
            value(matrices, &observations)
        };
        check_gradient(of, &start, results)
    };
    let run = move |(matrices, z): (Matrices, Array)| value_and_grad(|m| value(m, &z))(matrices);
    Ok(Case::new(program((matrices, z), run), check))
}

fn kalman_batch(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    const STEPS: usize = 50;
    let matrices = kalman::matrices();
    let z = normal(1, &[n, STEPS, kalman::OBSERVED], dtype);
    let observations = reals(&z);
    let check = move |results: &[Array]| {
        let each = observations.chunks(STEPS * kalman::OBSERVED);
        let likelihoods: Vec<f64> = each.map(|z| kalman::by_axes(z).2).collect();
        expect_close(results, &[Array::from(likelihoods)], tolerance(dtype))
    };
    let run = |((f, h, q, r), z): (Matrices, Array)| -> Result<Array> {
        let one = |z: Array| {
            let (f, h, q, r) = (f.clone(), h.clone(), q.clone(), r.clone());
            kalman::filter((f, h, q, r, z), STEPS).2
        };
        vmap(one)(z)
    };
    Ok(Case::new(program((matrices, z), run), check))
}
