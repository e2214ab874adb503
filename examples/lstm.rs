//! An LSTM that reads ten thousand numbers, with the gradient of its error by all weights: one loop each way.
//!
//! ```text
//! cargo run --release -p autojit --example lstm -- [--steps N]
//! ```
//!
//! The network is that of Hochreiter and Schmidhuber, "Long short-term memory" (1997), with forget gates; it predicts a noisy wave one
//! step ahead. The gradient is compared with a difference quotient in a random direction, and the program fails if they differ.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use autojit::{Array, Result, autojit, ix, numpy as np, scan, value_and_grad};

const UNITS: i64 = 16;

/// Those of the input, of what the units gave before, the bias, and those of the prediction.
type Weights = (Array, Array, Array, Array);

fn sigmoid(x: Array) -> Array {
    1.0 / (1.0 + np::exp(-x))
}

/// The mean of the squares by which the predictions are off.
fn error((w, u, b, out): &Weights, wave: &Array) -> Result<Array> {
    let step = |(h, c): (Array, Array), x: Array| {
        let gates = w * x + np::matmul(u, h) + b;
        let gate = |k: i64| gates.get(ix![k * UNITS..(k + 1) * UNITS]);
        let (enter, keep, give) = (sigmoid(gate(0)), sigmoid(gate(1)), sigmoid(gate(2)));
        let c = keep * c + enter * np::tanh(gate(3));
        let h = give * np::tanh(&c);
        ((h.clone(), c), np::matmul(out, h))
    };
    let nothing = np::zeros([UNITS], ..);
    let known = wave.get(ix![..-1]);
    let (_, predictions) = scan(step, (nothing.clone(), nothing), known)?;
    Ok(np::mean(np::square(predictions - wave.get(ix![1..])), ..))
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut count = 10_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--steps", Some(n)) => count = n.parse()?,
            _ => return Err("usage: lstm [--steps N]".into()),
        }
    }

    let generator = np::random::default_rng(1);
    let draw = |shape: &[i64]| generator.standard_normal(np::random::size(shape.to_vec()));
    let noise = draw(&[count + 1]) * 0.1;
    let wave = np::sin(np::arange(count + 1, ..) * 0.1) + noise;
    let weights = |size: f64| -> Weights {
        (
            draw(&[4 * UNITS]) * size,
            draw(&[4 * UNITS, UNITS]) * size,
            draw(&[4 * UNITS]) * size,
            draw(&[UNITS]) * size,
        )
    };
    let (start, direction) = (weights(0.3), weights(1.0));

    let gradient = autojit(value_and_grad(|weights: Weights| error(&weights, &wave)));
    let before = Instant::now();
    let (value, slopes) = gradient.call(&start)??;
    let first = before.elapsed();
    let before = Instant::now();
    gradient.call(&start)??;
    let time = before.elapsed();
    println!(
        "{count} steps, error {:.4}; value and gradient {first:.1?} first, then {time:.1?}",
        value.item::<f64>()?
    );

    let along = |by: f64| -> Result<f64> {
        let ((w, u, b, o), (dw, du, db, d)) = (&start, &direction);
        let moved = (w + dw * by, u + du * by, b + db * by, o + d * by);
        autojit(|weights: Weights| error(&weights, &wave))
            .call(moved)??
            .item::<f64>()
    };
    let h = 1e-5;
    let quotient = (along(h)? - along(-h)?) / (2.0 * h);
    let ((gw, gu, gb, g), (dw, du, db, d)) = (slopes, direction);
    let product = |g: Array, d: Array| np::sum(g * d, ..).item::<f64>();
    let slope = product(gw, dw)? + product(gu, du)? + product(gb, db)? + product(g, d)?;
    println!("slope in a random direction: {slope:.6}, by differences {quotient:.6}");
    if (slope - quotient).abs() > 1e-5 * (1.0 + quotient.abs()) {
        return Err("the gradient is not that of the error".into());
    }
    Ok(())
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
