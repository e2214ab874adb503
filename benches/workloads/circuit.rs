//! A quantum circuit: random gates of one and two qubits on the amplitudes of ten.

use autojit::{Array, DType, numpy as np};
use num_complex::Complex64;
use serde_json::json;

use super::results::{expect_close, values};
use super::{Baseline, Case, Choices, Workload, baseline, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "circuit",
    about: "n random gates of one and two qubits on 10 qubits",
    size: "gates",
    sizes: &[400],
    dtypes: &[DType::Complex128, DType::Complex64],
    build,
    size_of_nodes: None,
}];

const QUBITS: usize = 10;

/// Where a gate acts: on one qubit, or on two with the first before the second.
type Place = (usize, Option<usize>);

fn places(n: usize) -> Vec<Place> {
    let mut choices = Choices(10);
    let mut place = |_| {
        let (a, b) = (choices.below(QUBITS), choices.below(QUBITS));
        match a == b {
            true => (a, None),
            false if choices.below(2) == 0 => (a, None),
            false => (a.min(b), Some(a.max(b))),
        }
    };
    (0..n).map(&mut place).collect()
}

/// `gates` are `[2, 2]` or `[4, 4]`, as their places want it.
fn circuit((state, gates): (Array, Vec<Array>), places: &[Place]) -> Array {
    let size = |qubits: usize| 1_i64 << qubits;
    let mut state = state;
    for (gate, &place) in gates.iter().zip(places) {
        state = match place {
            (a, None) => {
                let parts = np::reshape(&state, [size(a), 2, size(QUBITS - 1 - a)]);
                let changed = np::tensordot(gate, parts, ([1], [1]));
                np::transpose(changed, [1, 0, 2])
            }
            (a, Some(b)) => {
                let shape = [size(a), 2, size(b - a - 1), 2, size(QUBITS - 1 - b)];
                let parts = np::reshape(&state, shape);
                let gate = np::reshape(gate, [2, 2, 2, 2]);
                let changed = np::tensordot(gate, parts, ([2, 3], [1, 3]));
                np::transpose(changed, [2, 0, 3, 1, 4])
            }
        };
        state = np::reshape(state, [size(QUBITS)]);
    }
    state
}

/// A rotation by three angles.
fn rotation(angles: &[f64]) -> [[Complex64; 2]; 2] {
    let (s, c) = angles[0].sin_cos();
    let (p, q) = (Complex64::cis(angles[1]), Complex64::cis(angles[2]));
    [[c * p, -s * q], [s * q.conj(), c * p.conj()]]
}

/// A rotation, or the product of two with a controlled sign between them.
fn gate(place: Place, angles: &[f64]) -> Vec<Complex64> {
    let (u, v) = (rotation(angles), rotation(&angles[3..]));
    if place.1.is_none() {
        return u.as_flattened().to_vec();
    }
    let entry = |i: usize, j: usize| {
        let sign = if j == 3 { -1.0 } else { 1.0 };
        u[i / 2][j / 2] * v[i % 2][j % 2] * sign
    };
    (0..16).map(|i| entry(i / 4, i % 4)).collect()
}

/// Applies a gate in place, the way one would write it by hand.
fn apply(state: &mut [Complex64], place: Place, gate: &[Complex64]) {
    let bit = |qubit: usize| 1 << (QUBITS - 1 - qubit);
    match place {
        (a, None) => {
            for i in (0..state.len()).filter(|i| i & bit(a) == 0) {
                let (x, y) = (state[i], state[i | bit(a)]);
                state[i] = gate[0] * x + gate[1] * y;
                state[i | bit(a)] = gate[2] * x + gate[3] * y;
            }
        }
        (a, Some(b)) => {
            for i in (0..state.len()).filter(|i| i & (bit(a) | bit(b)) == 0) {
                let at = [i, i | bit(b), i | bit(a), i | bit(a) | bit(b)];
                let x = at.map(|i| state[i]);
                for (row, &i) in at.iter().enumerate() {
                    state[i] = (0..4).map(|j| gate[row * 4 + j] * x[j]).sum();
                }
            }
        }
    }
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let places = places(n);
    let angles = uniform(1, -3.0, 3.0, &[6 * n.max(1)], DType::Float64);
    let angles = angles.to_vec::<f64>().map_err(|e| e.to_string())?;
    let chunks = places.iter().zip(angles.chunks_exact(6));
    let gates: Vec<Vec<Complex64>> = chunks.map(|(&p, a)| gate(p, a)).collect();
    let mut state = vec![Complex64::default(); 1 << QUBITS];
    state[0] = Complex64::new(1.0, 0.0);

    let arrays = gates.iter().map(|gate| {
        let n = if gate.len() == 4 { 2 } else { 4 };
        np::reshape(Array::from(gate), [n, n]).astype(dtype)
    });
    let args = (Array::from(&state).astype(dtype), arrays.collect());
    let check = {
        let (places, gates, state) = (places.clone(), gates.clone(), state.clone());
        move |results: &[Array]| {
            let mut expected = state.clone();
            for (&place, gate) in places.iter().zip(&gates) {
                apply(&mut expected, place, gate);
            }
            expect_close(results, &[Array::from(expected)], tolerance(dtype))?;
            let amplitudes = values(&results[0])?;
            let norm: f64 = amplitudes.iter().map(Complex64::norm_sqr).sum();
            if (norm - 1.0).abs() > tolerance(dtype) {
                return Err(format!("the norm is {norm}, expected 1"));
            }
            Ok(())
        }
    };
    let positions: Vec<_> = places.iter().map(|&(a, b)| json!([a, b])).collect();
    let case = {
        let places = places.clone();
        Case::new(program(args, move |args| circuit(args, &places)), check)
    };
    let case = case.parameters(json!({ "qubits": QUBITS, "places": positions }));
    Ok(match dtype {
        DType::Complex128 => case.baseline(by_hand(state, places, gates)),
        _ => case,
    })
}

fn by_hand(
    state: Vec<Complex64>,
    places: Vec<Place>,
    gates: Vec<Vec<Complex64>>,
) -> Box<dyn Baseline> {
    baseline(
        "rust",
        (state, Vec::new()),
        move |(state, out)| {
            out.clone_from(state);
            for (&place, gate) in places.iter().zip(&gates) {
                apply(out, place, gate);
            }
        },
        |(_, out)| vec![Array::from(out)],
    )
}
