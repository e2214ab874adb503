//! Values with gradients, and batches: what is traced, transformed and compiled as one function.
//!
//! A gradient is checked by the difference quotient of the function itself, called eagerly, in a direction of random numbers.

use autojit::{Array, DType, Result, numpy as np, value_and_grad, vmap};

use num_complex::Complex64;
use serde_json::json;

use super::gram_schmidt::gram_schmidt;
use super::kalman::{self, Matrices};
use super::nbody;
use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, normal, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "grad_mgs",
        about: "value and gradient of a weighted sum of the rows of modified Gram-Schmidt",
        size: "rows",
        sizes: &[20, 50],
        dtypes: DOUBLE,
        build: mgs,
        // About four times the nodes of the function, which are (3 n^2 + 5 n) / 2 + 1.
        size_of_nodes: Some(|nodes| ((nodes as f64 / 5.8).sqrt()).ceil() as usize),
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
        name: "grad_rk4",
        about: "value and gradient of a weighted sum of where 8 bodies are after n steps of Runge-Kutta, by start and masses",
        size: "steps",
        sizes: &[25],
        dtypes: DOUBLE,
        build: rk4,
        size_of_nodes: None,
    },
    Workload {
        name: "grad_circuit",
        about: "energy of 8 spins and its gradient by the angles of a variational circuit of n layers",
        size: "layers",
        sizes: &[10],
        dtypes: DOUBLE,
        build: circuit,
        size_of_nodes: None,
    },
    Workload {
        name: "grad_mps",
        about: "how far a matrix product state of n sites is from another one, and the gradient by its tensors",
        size: "sites",
        sizes: &[50],
        dtypes: DOUBLE,
        build: matrix_product_state,
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
    Workload {
        name: "vmap_mgs",
        about: "modified Gram-Schmidt of the rows of three n x n matrices at once",
        size: "rows",
        sizes: &[20],
        dtypes: DOUBLE,
        build: mgs_batch,
        // Five nodes for each pair of rows, where the function of one matrix has three.
        size_of_nodes: Some(|nodes| ((nodes as f64 / 2.5).sqrt()).ceil() as usize),
    },
];

/// Checks a value, and the gradients of several arrays, by the function.
pub(super) fn check_gradient(
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

fn mgs_batch(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let x = normal(1, &[3, n, n], dtype);
    let matrices = x.clone();
    let check = move |results: &[Array]| {
        let each = (0..3).map(|i| gram_schmidt(matrices.get(i)));
        let expected = np::stack(each.collect::<Vec<_>>(), 0);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = |x: Array| vmap(gram_schmidt)(x);
    Ok(Case::new(program(x, run), check))
}

/// Positions, speeds and masses.
type Bodies = (Array, Array, Array);

fn rk4(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let bodies = (
        normal(1, &[nbody::BODIES, 3], dtype),
        normal(2, &[nbody::BODIES, 3], dtype),
        uniform(3, 0.5, 1.5, &[nbody::BODIES], dtype),
    );
    let weights = normal(4, &[nbody::BODIES, 3], dtype);
    let value = move |bodies: Bodies, weights: &Array| {
        let (x, v) = nbody::integrate(bodies, n);
        np::sum((x + v) * weights, ..)
    };
    let (start, at_end) = (bodies.clone(), weights.clone());
    let check = move |results: &[Array]| {
        let of = |x: &[Array]| value((x[0].clone(), x[1].clone(), x[2].clone()), &at_end);
        let (x, v, mass) = start.clone();
        check_gradient(of, &[x, v, mass], results)
    };
    let run = move |(bodies, weights): (Bodies, Array)| {
        value_and_grad(|bodies| value(bodies, &weights))(bodies)
    };
    Ok(Case::new(program((bodies, weights), run), check))
}

const QUBITS: usize = 8;

/// `sum_k Z_k Z_(k + 1)`, which is diagonal: a number for each basis state.
fn neighbours() -> Vec<f64> {
    let spin = |state: usize, k: usize| 1.0 - 2.0 * (state >> k & 1) as f64;
    let sum = |state| {
        let pairs = (1..QUBITS).map(|k| spin(state, k - 1) * spin(state, k));
        pairs.sum()
    };
    (0..1 << QUBITS).map(sum).collect()
}

/// The energy of the Ising chain in a transverse field, of the state that a circuit prepares: each layer turns all pairs of
/// neighbours by one angle, and each qubit by one of its own.
fn energy(angles: &Array, zz: &Array, layers: usize) -> Array {
    let around = |state: &Array, qubit: usize| {
        let (before, after) = (1usize << qubit, 1usize << (QUBITS - qubit - 1));
        np::reshape(state, [before, 2, after])
    };
    let size = 1usize << QUBITS;
    let start = Complex64::new((size as f64).sqrt().recip(), 0.0);
    let mut state = np::full([size], start, ..);
    for layer in 0..layers as i64 {
        let angles = angles.get(layer);
        state *= np::exp(zz * angles.get(QUBITS as i64) * -Complex64::i());
        for qubit in 0..QUBITS {
            let (parts, angle) = (around(&state, qubit), angles.get(qubit as i64));
            let flipped = np::flip(&parts, 1);
            let turned = parts * np::cos(&angle) - flipped * (np::sin(&angle) * Complex64::i());
            state = np::reshape(turned, [size]);
        }
    }
    let probability = np::real(np::conj(&state) * &state);
    let mut energy = -np::sum(probability * zz, ..);
    for qubit in 0..QUBITS {
        let parts = around(&state, qubit);
        energy -= np::sum(np::real(np::conj(&parts) * np::flip(&parts, 1)), ..);
    }
    energy
}

fn circuit(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let angles = uniform(1, -1.0, 1.0, &[n, QUBITS + 1], dtype);
    let zz = Array::from(neighbours());
    let (start, pairs) = (angles.clone(), zz.clone());
    let check = move |results: &[Array]| {
        let of = |x: &[Array]| energy(&x[0], &pairs, n);
        check_gradient(of, std::slice::from_ref(&start), results)
    };
    let run = move |(angles, zz): (Array, Array)| value_and_grad(|x| energy(&x, &zz, n))(angles);
    let case = Case::new(program((angles, zz), run), check);
    Ok(case.parameters(json!({ "qubits": QUBITS })))
}

/// The dimension of the bonds of matrix product states.
const BOND: usize = 8;

/// The inner product of two matrix product states with tensors `[sites, bond, 2, bond]` and open ends.
fn inner(x: &Array, y: &Array, sites: usize) -> Array {
    let mut left = np::full([BOND, BOND], 1.0 / BOND as f64, ..);
    for site in 0..sites as i64 {
        let half = np::tensordot(left, x.get(site), ([0], [0]));
        left = np::tensordot(half, y.get(site), ([0, 1], [0, 1]));
    }
    np::sum(left, ..)
}

/// The logarithm of the norm over the overlap with the target, which is 0 where the states are the same up to a factor, if that has
/// norm 1.
fn distance(x: &Array, target: &Array, sites: usize) -> Array {
    let overlap = inner(x, target, sites);
    np::log(inner(x, x, sites)) - np::log(&overlap * &overlap)
}

fn matrix_product_state(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let shape = [n, BOND, 2, BOND];
    let target = normal(1, &shape, dtype) * 0.25;
    let x = &target + normal(2, &shape, dtype) * 0.05;
    let (start, fixed) = (x.clone(), target.clone());
    let check = move |results: &[Array]| {
        let of = |x: &[Array]| distance(&x[0], &fixed, n);
        check_gradient(of, std::slice::from_ref(&start), results)
    };
    let run = move |(x, target): (Array, Array)| value_and_grad(|x| distance(&x, &target, n))(x);
    Ok(Case::new(program((x, target), run), check))
}
