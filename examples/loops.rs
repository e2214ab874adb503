//! Loops that no program could unroll: an integrator that chooses its steps, a filter over 100 000 observations with its gradient,
//! and an iteration that stops by itself.
//!
//! ```text
//! cargo run --release -p autojit --example loops -- [--observations N]
//! ```
//!
//! The integrator is that of Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980), of order 5(4); the orbit is
//! Kepler's with eccentricity 0.6, which closes after one period. The filter is Kalman's of a position and a velocity, of which the
//! position is observed; its log-likelihood is differentiated by the logarithms of both noises. The iteration is von Mises' for the
//! largest eigenvalue. Each result is compared with what is known of it, and the program fails if it is not near.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use autojit::{Array, Result, autojit, numpy as np, scan, value_and_grad, while_loop};

/// The derivative of position and velocity in the field of a mass at the origin.
fn kepler(y: &Array) -> Array {
    let (position, velocity) = (y.get(0), y.get(1));
    let r2 = np::sum(&position * &position, ..);
    let acceleration = -position / (&r2 * np::sqrt(&r2));
    np::stack(&[velocity, acceleration], ..)
}

/// The weights of the stages; the last row is the result of order 5.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[
        19372.0 / 6561.0,
        -25360.0 / 2187.0,
        64448.0 / 6561.0,
        -212.0 / 729.0,
    ],
    &[
        9017.0 / 3168.0,
        -355.0 / 33.0,
        46732.0 / 5247.0,
        49.0 / 176.0,
        -5103.0 / 18656.0,
    ],
    &[
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
];

/// The weights of the difference between the results of order 5 and 4.
const ERROR: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339_200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

fn weighted(weights: &[f64], slopes: &[Array]) -> Array {
    let terms = weights.iter().zip(slopes).filter(|(w, _)| **w != 0.0);
    let mut terms = terms.map(|(w, slope)| slope * *w);
    let first = terms.next().unwrap_or_else(|| Array::from(0.0));
    terms.fold(first, |sum, term| sum + term)
}

/// The state after some time, the time, and how many steps were accepted and rejected.
fn integrate((start, end): (Array, Array)) -> Result<(Array, Array)> {
    let tolerance = 1e-10;
    type Carried = (Array, Array, Array, Array);
    let goes_on = |(t, _, _, _): Carried| np::less(&t, &end);
    let step = |(t, h, y, count): Carried| {
        let h = np::minimum(&h, &end - &t);
        let mut slopes = vec![kepler(&y)];
        let mut next = y.clone();
        for weights in STAGES {
            next = &y + &h * weighted(weights, &slopes);
            slopes.push(kepler(&next));
        }
        let error = &h * weighted(&ERROR, &slopes);
        let scale = np::maximum(np::abs(&y), np::abs(&next)) * tolerance + tolerance;
        let ratio = np::sqrt(np::mean(np::square(error / scale), ..));
        let accepted = np::less_equal(&ratio, 1.0);
        let factor = 0.9 * np::power(np::maximum(&ratio, 1e-10), -0.2);
        let factor = np::minimum(np::maximum(factor, 0.2), 5.0);
        let t = np::where_(&accepted, &t + &h, &t);
        (t, h * factor, np::where_(&accepted, next, y), count + 1)
    };
    let init = (
        Array::from(0.0),
        Array::from(1e-3),
        start,
        Array::from(0_i64),
    );
    let (_, _, y, count) = while_loop(goes_on, step, init)?;
    Ok((y, count))
}

/// The log-likelihood of observed positions.
fn likelihood((q, r): (Array, Array), observations: &Array) -> Result<Array> {
    let (q, r) = (np::exp(q), np::exp(r));
    type Carried = (Array, Array, Array, Array, Array, Array);
    // The mean, the covariance and the sum so far.
    let step = |(x, v, a, b, c, total): Carried, z: Array| {
        let (x, a, b) = (&x + &v, &a + 2.0 * &b + &c + &q / 3.0, &b + &c + &q / 2.0);
        let c = &c + &q;
        let s = &a + &r;
        let residual = z - &x;
        let (k, l) = (&a / &s, &b / &s);
        let total = total - 0.5 * (np::log(&s) + &residual * &residual / &s);
        let next = (
            x + &k * &residual,
            v + &l * &residual,
            &a - &k * &a,
            &b - &k * &b,
            c - &l * &b,
            total,
        );
        (next, Vec::<Array>::new())
    };
    let number = Array::from;
    let init = (
        number(0.0),
        number(0.0),
        number(1.0),
        number(0.0),
        number(1.0),
        number(0.0),
    );
    let ((.., total), _) = scan(step, init, observations.clone())?;
    Ok(total)
}

/// The largest eigenvalue, and after how many iterations it no longer changed.
fn power_iteration(a: Array) -> Result<(Array, Array)> {
    type Carried = (Array, Array, Array, Array);
    let changes = |(_, value, before, _): Carried| np::greater(np::abs(value - before), 1e-12);
    let step = |(x, value, _, count): Carried| {
        let y = np::matmul(&a, &x);
        let next = np::sum(&x * &y, ..);
        let norm = np::sqrt(np::sum(&y * &y, ..));
        (y / norm, next, value, count + 1)
    };
    let n = a.shape()?[0];
    let x = np::full([n], (n as f64).sqrt().recip(), ..);
    let init = (x, Array::from(0.0), Array::from(1.0), Array::from(0_i64));
    let (_, value, _, count) = while_loop(changes, step, init)?;
    Ok((value, count))
}

fn near(what: &str, found: f64, expected: f64, within: f64) -> Result<(), Box<dyn Error>> {
    if (found - expected).abs() <= within * (1.0 + expected.abs()) {
        return Ok(());
    }
    Err(format!("{what}: {found} is not near {expected}").into())
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut count = 100_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--observations", Some(n)) => count = n.parse()?,
            _ => return Err("usage: loops [--observations N]".into()),
        }
    }

    let start = Array::from([[0.4, 0.0], [0.0, 2.0]]);
    let period = Array::from(std::f64::consts::TAU);
    let integrate = autojit(integrate);
    let before = Instant::now();
    let (end, steps) = integrate.call((start.clone(), period.clone()))??;
    let first = before.elapsed();
    let before = Instant::now();
    integrate.call((start.clone(), period))??;
    let time = before.elapsed();
    let distance = np::max(np::abs(&end - &start), ..).item::<f64>()?;
    let steps = steps.item::<i64>()?;
    println!(
        "orbit: closes up to {distance:.1e} after {steps} steps; {first:.1?} first, then {time:.1?}"
    );
    near("the orbit", distance, 0.0, 1e-7)?;

    let generator = np::random::default_rng(1);
    let noise = generator.standard_normal([count]);
    let kicks = generator.standard_normal([count]) * 0.1;
    let observations = np::cumsum(np::cumsum(kicks, 0), 0) + noise;
    let gradient = autojit(value_and_grad(|noises: (Array, Array)| {
        likelihood(noises, &observations)
    }));
    let noises = || (Array::from(0.01_f64.ln()), Array::from(0.0));
    let before = Instant::now();
    let (value, (by_q, by_r)) = gradient.call(noises())??;
    let first = before.elapsed();
    let before = Instant::now();
    gradient.call(noises())??;
    let time = before.elapsed();
    let value = value.item::<f64>()?;
    println!(
        "filter: {count} observations, log-likelihood {value:.1}; value and gradient {first:.1?} first, then {time:.1?}"
    );
    let likelihood = autojit(|noises| likelihood(noises, &observations));
    let at = |q: f64, r: f64| -> Result<f64> {
        let noises = (Array::from(0.01_f64.ln() + q), Array::from(r));
        likelihood.call(noises)??.item::<f64>()
    };
    let h = 1e-4;
    let within = 1e-4;
    near(
        "the gradient",
        by_q.item::<f64>()?,
        (at(h, 0.0)? - at(-h, 0.0)?) / (2.0 * h),
        within,
    )?;
    near(
        "the gradient",
        by_r.item::<f64>()?,
        (at(0.0, h)? - at(0.0, -h)?) / (2.0 * h),
        within,
    )?;

    let x = generator.standard_normal([40_usize, 20]);
    let matrix = np::matmul(np::transpose(&x, ..), &x);
    let largest = np::max(np::linalg::eigvalsh(&matrix, ..), ..).item::<f64>()?;
    let (value, iterations) = autojit(power_iteration).call(matrix)??;
    let (value, iterations) = (value.item::<f64>()?, iterations.item::<i64>()?);
    println!("power iteration: {value:.9} after {iterations} iterations");
    near("the eigenvalue", value, largest, 1e-8)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
