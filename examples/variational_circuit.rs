//! A variational circuit optimised to the ground state of a chain of spins: value and gradient in one compiled function.
//!
//! ```text
//! cargo run --release -p autojit --example variational_circuit -- [--qubits N] [--layers L] [--steps S] [--backend NAME]
//! ```
//!
//! The energy is that of the Ising chain in a transverse field, with open ends, at the critical point. Each layer turns
//! pairs of neighbours by one angle (`exp(-i a Z Z)`), and each qubit by another (`exp(-i b X)`). The angles are optimised by Adam
//! (Kingma and Ba, 2015), written out below, and the result is compared with the lowest eigenvalue of the Hamiltonian; the program
//! fails if it is not near it.
//!
//! Source of the circuit: Ho and Hsieh, "Efficient variational simulation of non-trivial quantum states" (2019).

mod adam;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use autojit::{Array, Result, autojit, numpy as np, value_and_grad};
use num_complex::Complex64;

use adam::Adam;

/// `sum_k Z_k Z_(k + 1)`, which is diagonal: a number for each basis state.
fn neighbours(qubits: usize) -> Vec<f64> {
    let spin = |state: usize, k: usize| 1.0 - 2.0 * (state >> k & 1) as f64;
    let sum = |state| {
        (1..qubits)
            .map(|k| spin(state, k - 1) * spin(state, k))
            .sum()
    };
    (0..1 << qubits).map(sum).collect()
}

/// The state as an array of three axes, of which the middle one is the qubit.
fn around(state: &Array, qubit: usize, qubits: usize) -> Array {
    let (before, after) = (1usize << qubit, 1usize << (qubits - qubit - 1));
    np::reshape(state, [before, 2, after])
}

/// `exp(-i angle X)` on one qubit.
fn turned(state: &Array, angle: &Array, qubit: usize, qubits: usize) -> Array {
    let parts = around(state, qubit, qubits);
    let flipped = np::flip(&parts, 1);
    let turned = parts * np::cos(angle) - flipped * (np::sin(angle) * Complex64::i());
    np::reshape(turned, [1usize << qubits])
}

/// The energy of the state that the circuit prepares with angles of shape `[layers, 2]`.
fn energy(angles: &Array, zz: &Array, qubits: usize, layers: usize) -> Array {
    let size = 1usize << qubits;
    let mut state = np::full(
        [size],
        Complex64::new((size as f64).sqrt().recip(), 0.0),
        ..,
    );
    for layer in 0..layers as i64 {
        let pair = angles.get(layer);
        state *= np::exp(zz * pair.get(0) * -Complex64::i());
        for qubit in 0..qubits {
            state = turned(&state, &pair.get(1), qubit, qubits);
        }
    }
    let probability = np::real(np::conj(&state) * &state);
    let mut energy = -np::sum(probability * zz, ..);
    for qubit in 0..qubits {
        let parts = around(&state, qubit, qubits);
        energy -= np::sum(np::real(np::conj(&parts) * np::flip(&parts, 1)), ..);
    }
    energy
}

/// The lowest eigenvalue of the Hamiltonian as a matrix.
fn ground_energy(qubits: usize) -> Result<f64> {
    let size = 1usize << qubits;
    let mut matrix = vec![0.0; size * size];
    for (state, zz) in neighbours(qubits).into_iter().enumerate() {
        matrix[state * size + state] = -zz;
        for k in 0..qubits {
            matrix[state * size + (state ^ (1 << k))] = -1.0;
        }
    }
    let matrix = np::reshape(Array::from(matrix), [size, size]);
    np::linalg::eigvalsh(&matrix, ..).get(0).item()
}

fn run(
    qubits: usize,
    layers: usize,
    steps: usize,
    backend: Option<&str>,
) -> std::result::Result<(), Box<dyn Error>> {
    let zz = Array::from(neighbours(qubits));
    let loss = |angles: Array| energy(&angles, &zz, qubits, layers);
    let mut step = autojit(value_and_grad(loss)).name("energy and gradient");
    if let Some(backend) = backend {
        step = step.backend(backend);
    }
    let mut angles = [np::full([layers, 2], 0.2, ..)];
    let mut adam = Adam::new(0.999, &angles);
    let first = Instant::now();
    let mut lowest = step.call(&angles[0])??.0.item::<f64>()?;
    println!(
        "{qubits} qubits, {layers} layers: energy {lowest:.6} at first, compiled in {:.1?}",
        first.elapsed()
    );
    let start = Instant::now();
    for _ in 0..steps {
        let (value, gradient) = step.call(&angles[0])??;
        lowest = lowest.min(value.item::<f64>()?);
        adam.step(&mut angles, &[gradient], 0.02);
    }
    let each = start.elapsed() / steps.max(1) as u32;
    let ground = ground_energy(qubits)?;
    let error = (lowest - ground) / ground.abs();
    println!(
        "energy {lowest:.6} after {steps} steps of {each:.1?}; ground state {ground:.6}, relative error {error:.1e}"
    );
    if !(-1e-12..1e-3).contains(&error) {
        return Err("the circuit did not reach the ground state".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let (mut qubits, mut layers, mut steps, mut backend) = (8, 10, 400, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = || value.parse().ok().filter(|n| (1..=10_000).contains(n));
        let known = match name.as_str() {
            "--qubits" => number().filter(|n| *n <= 12).map(|n| qubits = n),
            "--layers" => number().map(|n| layers = n),
            "--steps" => number().map(|n| steps = n),
            "--backend" => {
                backend = Some(value.clone());
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            eprintln!(
                "error: expected [--qubits N] [--layers L] [--steps S] [--backend NAME], got {name} {value}"
            );
            return ExitCode::from(2);
        }
    }
    match run(qubits, layers, steps, backend.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
