//! Noise estimated by maximum likelihood: the gradient of a Kalman filter, unrolled, in one compiled function.
//!
//! ```text
//! cargo run --release -p autojit --example kalman_likelihood -- [--steps N] [--iterations K] [--backend NAME]
//! ```
//!
//! A point moves along a line, pushed by white noise; its position is observed with noise. Both noises are to be found from the
//! observations alone: the logarithms of their variances are optimised by Adam (Kingma and Ba, 2015), written out below. The program
//! fails if the likelihood, computed by loops in plain Rust, is higher at the true variances or near the estimates, or if the
//! estimates are far from the truth.
//!
//! Source: Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter" (1989), section 3.4.

mod adam;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use autojit::numpy::random;
use autojit::{Array, Result, autojit, numpy as np, value_and_grad};

use adam::Adam;

/// Variances of the push and of an observation.
const TRUE: [f64; 2] = [0.04, 1.5];

/// Observed positions.
fn simulated(steps: usize) -> Result<Vec<f64>> {
    let numbers = random::default_rng(7).standard_normal(random::size([3 * steps as i64]));
    let numbers = numbers.to_vec::<f64>()?;
    let (mut x, mut v) = (0.0, 0.0);
    let observed = numbers.chunks(3).map(|noise| {
        // The integral of white noise over a unit of time, and that of its integral.
        let push = TRUE[0].sqrt();
        x += v + push * (noise[0] / 2.0 + noise[1] / 12f64.sqrt());
        v += push * noise[0];
        x + TRUE[1].sqrt() * noise[2]
    });
    Ok(observed.collect())
}

/// The negative logarithm of the likelihood, without its constant.
fn loss(logarithms: &Array, observed: &Array, steps: usize) -> Array {
    let variances = np::exp(logarithms);
    let f = Array::from([[1.0, 1.0], [0.0, 1.0]]);
    let h = Array::from([[1.0, 0.0]]);
    let q = Array::from([[1.0 / 3.0, 0.5], [0.5, 1.0]]) * variances.get(0);
    let r = np::reshape(variances.get(1), [1, 1]);
    let mut x = np::zeros([2, 1], ..);
    let mut p = np::eye(2, ..) * 10.0;
    let mut loss = Array::from(0.0);
    for step in 0..steps as i64 {
        x = np::matmul(&f, &x);
        p = np::matmul(np::matmul(&f, &p), f.t()) + &q;
        let s = np::matmul(np::matmul(&h, &p), h.t()) + &r;
        let residual = np::reshape(observed.get(step), [1, 1]) - np::matmul(&h, &x);
        let gain = np::linalg::solve(&s, np::matmul(&h, &p)).t();
        let (_, logarithm) = np::linalg::slogdet(&s);
        let squared = np::sum(&residual * np::linalg::solve(&s, &residual), ..);
        loss += (squared + logarithm) * 0.5;
        x += np::matmul(&gain, &residual);
        p -= np::matmul(np::matmul(&gain, &h), &p);
    }
    loss
}

/// The same by hand.
fn loss_by_hand([q, r]: [f64; 2], observed: &[f64]) -> f64 {
    let (mut x, mut v) = (0.0, 0.0);
    let (mut xx, mut xv, mut vv) = (10.0, 0.0, 10.0);
    let mut loss = 0.0;
    for z in observed {
        x += v;
        xx += 2.0 * xv + vv + q / 3.0;
        xv += vv + q / 2.0;
        vv += q;
        let (s, residual) = (xx + r, z - x);
        loss += (residual * residual / s + s.ln()) * 0.5;
        let (gain_x, gain_v) = (xx / s, xv / s);
        x += gain_x * residual;
        v += gain_v * residual;
        vv -= gain_v * xv;
        xv -= gain_v * xx;
        xx -= gain_x * xx;
    }
    loss
}

fn run(
    steps: usize,
    iterations: usize,
    backend: Option<&str>,
) -> std::result::Result<(), Box<dyn Error>> {
    let observed = simulated(steps)?;
    let z = Array::from(observed.clone());
    let of = |logarithms: Array| loss(&logarithms, &z, steps);
    let mut step = autojit(value_and_grad(of)).name("likelihood and gradient");
    if let Some(backend) = backend {
        step = step.backend(backend);
    }
    let mut logarithms = [np::zeros([2], ..)];
    let start = Instant::now();
    let (first, mut gradient) = step.call(&logarithms[0])??;
    println!(
        "{steps} observations: {:.3} at first, compiled in {:.1?}",
        -first.item::<f64>()?,
        start.elapsed()
    );
    let start = Instant::now();
    let mut adam = Adam::new(0.99, &logarithms);
    for iteration in 0..iterations {
        // Slower towards the end, so that it comes to rest.
        let rate = 0.1 * (1.0 - iteration as f64 / iterations as f64);
        adam.step(&mut logarithms, &[gradient], rate);
        gradient = step.call(&logarithms[0])??.1;
    }
    let each = start.elapsed() / iterations.max(1) as u32;
    let numbers = logarithms[0].to_vec::<f64>()?;
    let found = [numbers[0].exp(), numbers[1].exp()];
    let best = loss_by_hand(found, &observed);
    println!(
        "{:.3} after {iterations} steps of {each:.1?}: variances {found:.4?}, true ones {TRUE:?} with {:.3}",
        -best,
        -loss_by_hand(TRUE, &observed)
    );

    let compiled = step.call(&logarithms[0])??.0.item::<f64>()?;
    if (compiled - best).abs() > 1e-9 * best.abs() {
        return Err(format!("the filter gives {compiled}, loops give {best}").into());
    }
    let near = [[1.05, 1.0], [0.95, 1.0], [1.0, 1.05], [1.0, 0.95]];
    let near = near.map(|[a, b]| [found[0] * a, found[1] * b]);
    if near
        .iter()
        .chain([&TRUE])
        .any(|&x| loss_by_hand(x, &observed) < best)
    {
        return Err("the estimates are not those of maximum likelihood".into());
    }
    if found
        .iter()
        .zip(TRUE)
        .any(|(x, y)| (x / y).ln().abs() > 1.0)
    {
        return Err("the estimates are far from the truth".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let (mut steps, mut iterations, mut backend) = (150, 200, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = || value.parse().ok().filter(|n| (1..=10_000).contains(n));
        let known = match name.as_str() {
            "--steps" => number().map(|n| steps = n),
            "--iterations" => number().map(|n| iterations = n),
            "--backend" => {
                backend = Some(value.clone());
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            eprintln!(
                "error: expected [--steps N] [--iterations K] [--backend NAME], got {name} {value}"
            );
            return ExitCode::from(2);
        }
    }
    match run(steps, iterations, backend.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
