//! A matrix product state fitted to a state of many spins: the overlap and its gradient by all tensors, in one compiled function.
//!
//! ```text
//! cargo run --release -p autojit --example matrix_product_state -- [--sites N] [--bond D] [--steps S] [--backend NAME]
//! ```
//!
//! The target is the ground state of the Ising chain in a transverse field at the critical point, by diagonalisation. The tensors are
//! optimised by Adam (Kingma and Ba, 2015), written out below, and the program fails unless what is left is between two bounds
//! that the singular values of the target give: no state of this bond dimension is nearer than the weight that is cut off at the worst
//! bond, and the best one is at least as near as the weights of all bonds together. A larger bond dimension takes more steps.
//!
//! Source of the bounds: Verstraete and Cirac, "Matrix product states represent ground states faithfully" (2006), lemma 1.

mod adam;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use autojit::numpy::random;
use autojit::{Array, Result, autojit, numpy as np, value_and_grad};

use adam::Adam;

/// The ground state of the chain as a vector.
fn ground_state(sites: usize) -> Array {
    let size = 1usize << sites;
    let spin = |state: usize, k: usize| 1.0 - 2.0 * (state >> k & 1) as f64;
    let mut matrix = vec![0.0; size * size];
    for state in 0..size {
        let pairs = (1..sites).map(|k| spin(state, k - 1) * spin(state, k));
        matrix[state * size + state] = -pairs.sum::<f64>();
        for k in 0..sites {
            matrix[state * size + (state ^ (1 << k))] = -1.0;
        }
    }
    let matrix = np::reshape(Array::from(matrix), [size, size]);
    let (_, vectors) = np::linalg::eigh(&matrix, ..);
    vectors.t().get(0)
}

/// The bond before each site, and that after the last one.
fn bonds(sites: usize, bond: usize) -> Vec<usize> {
    let room = |k: usize| 1usize << k.min(sites - k).min(20);
    (0..=sites).map(|k| room(k).min(bond)).collect()
}

/// The state that tensors `[bond, 2, bond]` stand for, as a vector.
fn contracted(tensors: &[Array]) -> Array {
    let mut state = np::ones([1, 1], ..);
    for tensor in tensors {
        let [bond, _, next] = tensor.shape().unwrap_or_default()[..] else {
            return Array::from(0.0);
        };
        let joined = np::matmul(&state, np::reshape(tensor, [bond, 2 * next]));
        state = np::reshape(joined, [-1, next as i64]);
    }
    np::reshape(state, [-1])
}

/// One minus the overlap with the target.
fn infidelity(tensors: &[Array], target: &Array) -> Array {
    let state = contracted(tensors);
    let overlap = np::sum(&state * target, ..);
    1.0 - &overlap * &overlap / np::sum(&state * &state, ..)
}

/// The weight that is cut off at each bond.
fn cut_off(target: &Array, sites: usize, bond: usize) -> Result<Vec<f64>> {
    let cut = |k: usize| {
        let matrix = np::reshape(target, [1usize << k, 1 << (sites - k)]);
        let values = np::linalg::svdvals(&matrix).to_vec::<f64>()?;
        Ok(values.iter().skip(bond).map(|x| x * x).sum())
    };
    (1..sites).map(cut).collect()
}

fn run(
    sites: usize,
    bond: usize,
    steps: usize,
    backend: Option<&str>,
) -> std::result::Result<(), Box<dyn Error>> {
    let target = ground_state(sites);
    let cut = cut_off(&target, sites, bond)?;
    let (least, most) = (
        cut.iter().copied().fold(0.0, f64::max),
        cut.iter().sum::<f64>(),
    );

    let loss = |tensors: Vec<Array>| infidelity(&tensors, &target);
    let mut step = autojit(value_and_grad(loss)).name("overlap and gradient");
    if let Some(backend) = backend {
        step = step.backend(backend);
    }
    let generator = random::default_rng(3);
    let bonds = bonds(sites, bond);
    let mut tensors: Vec<Array> = (0..sites)
        .map(|k| generator.standard_normal(random::size([bonds[k], 2, bonds[k + 1]])) * 0.3 + 0.3)
        .collect();
    let start = Instant::now();
    let (value, mut gradients) = step.call(&tensors)??;
    println!(
        "{sites} sites, bond dimension {bond}: {:.3} of the overlap missing at first, compiled in {:.1?}",
        value.item::<f64>()?,
        start.elapsed()
    );
    let start = Instant::now();
    let mut adam = Adam::new(0.99, &tensors);
    for k in 0..steps {
        // Slower towards the end, so that it comes to rest.
        let rate = 0.03 * (1.0 - k as f64 / steps as f64).powi(2);
        adam.step(&mut tensors, &gradients, rate);
        gradients = step.call(&tensors)??.1;
    }
    let each = start.elapsed() / steps.max(1) as u32;
    // Apart from the compiled function.
    let missing = infidelity(&tensors, &target).item::<f64>()?;
    println!(
        "{missing:.3e} missing after {steps} steps of {each:.1?}; the best is between {least:.3e} and {most:.3e}"
    );
    if !(least * (1.0 - 1e-6) - 1e-12..=most * (1.0 + 1e-6) + 1e-9).contains(&missing) {
        return Err("the state is not as near as one of its bond dimension can be".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let (mut sites, mut bond, mut steps, mut backend) = (8, 2, 1500, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = || value.parse().ok().filter(|n| (1..=100_000).contains(n));
        let known = match name.as_str() {
            "--sites" => number().filter(|n| (2..=11).contains(n)).map(|n| sites = n),
            "--bond" => number().filter(|n| *n <= 64).map(|n| bond = n),
            "--steps" => number().map(|n| steps = n),
            "--backend" => {
                backend = Some(value.clone());
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            eprintln!(
                "error: expected [--sites N] [--bond D] [--steps S] [--backend NAME], got {name} {value}"
            );
            return ExitCode::from(2);
        }
    }
    match run(sites, bond, steps, backend.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
