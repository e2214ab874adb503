//! Gates on a matrix product state: two tensors are joined, turned and split again by an SVD, and a QR decomposition of each
//! tensor brings the state back into its canonical form.
//!
//! The bond of two qubits doubles with each layer, so with three layers and a bond of eight nothing is cut off, and results can be
//! checked by the vector of all amplitudes.

use autojit::{Array, DType, ix, numpy as np};
use num_complex::Complex64;

use super::results::{expect_close, values};
use super::{Case, Workload, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "mps_gates",
    about: "three layers of gates on a matrix product state of n qubits with bonds of 8, by QR and SVD",
    size: "qubits",
    sizes: &[20],
    dtypes: &[DType::Complex128],
    build,
    size_of_nodes: None,
}];

const LAYERS: usize = 3;
/// The most that a bond may have.
const BOND: usize = 8;

fn adjoint(x: &Array) -> Array {
    np::conj(x.t())
}

/// The shape of a tensor of the state: left bond, qubit, right bond.
fn bonds(x: &Array) -> (i64, i64) {
    // An array that failed has no shape; whatever is made of it has the error.
    match x.shape().unwrap_or_default()[..] {
        [left, _, right] => (left as i64, right as i64),
        _ => (1, 1),
    }
}

/// Expectations of Z of each qubit, and the norm, of the state that layers of gates make of zeros: one gate for each qubit, then one for each
/// pair of neighbours.
fn run((singles, pairs): (Array, Array), n: usize) -> (Array, Array) {
    let zero = np::reshape(Array::from([1.0, 0.0]), [1, 2, 1]).astype(DType::Complex128);
    let mut state = vec![zero; n];
    for layer in 0..LAYERS as i64 {
        for (site, tensor) in state.iter_mut().enumerate() {
            let gate = singles.get(ix![layer, site as i64]);
            let turned = np::tensordot(gate, &*tensor, ([1], [1]));
            *tensor = np::transpose(turned, [1, 0, 2]);
        }
        for site in 0..n - 1 {
            let gate = pairs.get(ix![layer, site as i64]);
            let (left, right) = (bonds(&state[site]).0, bonds(&state[site + 1]).1);
            let both = np::tensordot(&state[site], &state[site + 1], ([2], [0]));
            let turned = np::tensordot(gate, both, ([2, 3], [1, 2]));
            let matrix = np::transpose(turned, [2, 0, 1, 3]).reshape([2 * left, 2 * right]);
            let (u, s, v) = np::linalg::svd(matrix, ..);
            let kept = (2 * left.min(right)).min(BOND as i64);
            state[site] = np::reshape(u.get(ix![.., ..kept]), [left, 2, kept]);
            let rest = s.get(ix![..kept, NewAxis]) * v.get(ix![..kept]);
            state[site + 1] = np::reshape(rest, [kept, 2, right]);
        }
        for site in (1..n).rev() {
            let (left, right) = bonds(&state[site]);
            let matrix = np::reshape(&state[site], [left, 2 * right]);
            let (q, r) = np::linalg::qr(adjoint(&matrix), ..);
            state[site] = np::reshape(adjoint(&q), [-1, 2, right]);
            state[site - 1] = np::tensordot(&state[site - 1], adjoint(&r), 1);
        }
    }
    let mut left = np::eye(1, np::dtype(DType::Complex128));
    let mut expectations = Vec::with_capacity(n);
    for tensor in &state {
        let half = np::tensordot(&left, np::conj(tensor), ([1], [0]));
        // All tensors to the right are orthonormal, so nothing is to be summed there.
        let weights = np::sum(np::real(tensor * &half), [0, 2]);
        expectations.push(weights.get(0) - weights.get(1));
        left = np::tensordot(tensor, half, ([0, 1], [0, 1]));
    }
    (np::stack(&expectations, 0), np::real(np::sum(left, ..)))
}

/// Rotations about two axes for each qubit, and turns by `Z Z` for each pair: `[layers, n, 2, 2]` and `[layers, n - 1, 2, 2, 2, 2]`.
fn gates(n: usize) -> (Array, Array) {
    let angles = |seed, count| {
        let x = uniform(seed, -1.0, 1.0, &[LAYERS * count], DType::Float64);
        x.to_vec::<f64>().unwrap_or_default()
    };
    let mut singles = Vec::new();
    for (x, z) in angles(1, n).into_iter().zip(angles(2, n)) {
        let (sin, cos) = x.sin_cos();
        let (sin, cos) = (Complex64::new(0.0, -sin), Complex64::new(cos, 0.0));
        let phases = [Complex64::cis(z), Complex64::cis(-z)];
        singles.extend([
            phases[0] * cos,
            phases[0] * sin,
            phases[1] * sin,
            phases[1] * cos,
        ]);
    }
    let mut pairs = Vec::new();
    for angle in angles(3, n - 1) {
        for (row, column) in (0..16).map(|i| (i / 4, i % 4)) {
            let sign = if row == 0 || row == 3 { 1.0 } else { -1.0 };
            let is_diagonal = f64::from(u8::from(row == column));
            pairs.push(Complex64::cis(sign * angle) * is_diagonal);
        }
    }
    let (layers, n) = (LAYERS as i64, n as i64);
    (
        np::reshape(Array::from(singles), [layers, n, 2, 2]),
        np::reshape(Array::from(pairs), [layers, n - 1, 2, 2, 2, 2]),
    )
}

/// The same by all amplitudes; the first qubit is the highest bit.
fn by_amplitudes(singles: &[Complex64], pairs: &[Complex64], n: usize) -> Vec<f64> {
    let mut amplitudes = vec![Complex64::default(); 1 << n];
    amplitudes[0] = 1.0.into();
    let bit = |state: usize, qubit: usize| state >> (n - 1 - qubit) & 1;
    for layer in 0..LAYERS {
        for qubit in 0..n {
            let gate = &singles[(layer * n + qubit) * 4..][..4];
            let other = 1 << (n - 1 - qubit);
            for state in (0..1 << n).filter(|&state| bit(state, qubit) == 0) {
                let (low, high) = (amplitudes[state], amplitudes[state | other]);
                amplitudes[state] = gate[0] * low + gate[1] * high;
                amplitudes[state | other] = gate[2] * low + gate[3] * high;
            }
        }
        for qubit in 0..n - 1 {
            let gate = &pairs[(layer * (n - 1) + qubit) * 16..][..16];
            for (state, amplitude) in amplitudes.iter_mut().enumerate() {
                // These gates are diagonal.
                *amplitude *= gate[(2 * bit(state, qubit) + bit(state, qubit + 1)) * 5];
            }
        }
    }
    let expectation = |qubit: usize| {
        let each = amplitudes.iter().enumerate();
        each.map(|(state, x)| x.norm_sqr() * (1.0 - 2.0 * bit(state, qubit) as f64))
            .sum()
    };
    (0..n).map(expectation).collect()
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    if !(2..=24).contains(&n) {
        return Err(format!(
            "2 to 24 qubits are checked by all amplitudes, not {n}"
        ));
    }
    let gates = gates(n);
    let (singles, pairs) = (values(&gates.0)?, values(&gates.1)?);
    let check = move |results: &[Array]| {
        let expectations = by_amplitudes(&singles, &pairs, n);
        let expected = [Array::from(expectations), Array::from(1.0)];
        expect_close(results, &expected, tolerance(dtype))
    };
    Ok(Case::new(program(gates, move |gates| run(gates, n)), check))
}
