//! Modified Gram-Schmidt, written once: run eagerly, replayed from its graph, and compiled to native code.
//!
//! ```text
//! cargo run --release -p autojit --example gram_schmidt -- [--n N] [--input FILE.npy] [--backend NAME] [--library NAME] \
//!     [--dtype NAME]
//! ```
//!
//! Prints the size of the graph, what tracing, compiling and calling cost, and how orthonormal the result is;
//! exits with an error if it is not. A plain Rust loop nest does the same for comparison.

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use autojit::{Array, DType, autojit, lazy, numpy as np};
use ndarray::Array2;

mod npy;
mod options;
use options::Options;

/// The rows of `x`, made orthonormal one after the other.
fn gram_schmidt(x: Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.len().unwrap_or(0) as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

/// The same for `float64` as loops, the way one would write it by hand.
fn plain_loops(x: &[f64], q: &mut [f64], n: usize, columns: usize) {
    for j in 0..n {
        let (done, rest) = q.split_at_mut(j * columns);
        let row = &mut rest[..columns];
        row.copy_from_slice(&x[j * columns..(j + 1) * columns]);
        for earlier in done.chunks_exact(columns) {
            let dot: f64 = earlier.iter().zip(&*row).map(|(a, b)| a * b).sum();
            for (r, a) in row.iter_mut().zip(earlier) {
                *r -= dot * a;
            }
        }
        let norm = row.iter().map(|r| r * r).sum::<f64>().sqrt();
        for r in row {
            *r /= norm;
        }
    }
}

/// A matrix from a file of any real or complex floating dtype, or a reproducible one.
fn matrix(options: &Options) -> Result<Array, Box<dyn Error>> {
    let Some(path) = options.get::<PathBuf>("input")? else {
        // A Weyl sequence: evenly spread, and rows are far from dependent.
        let n: usize = options.get("n")?.unwrap_or(50);
        let dtype = options.get("dtype")?.unwrap_or(DType::Float64);
        let value = |k: usize, step: f64| (k as f64 * step).fract() - 0.5;
        let real = Array2::from_shape_fn((n, n), |(i, j)| {
            value((i * n + j) * (i + 1), 0.618_033_988_749_894_9)
        });
        let x = Array::from(real);
        if !dtype.is_complex() {
            return Ok(np::astype(&x, dtype).check()?);
        }
        let imag = Array2::from_shape_fn((n, n), |(i, j)| {
            value((i * n + j) * (j + 3), 0.414_213_562_373_095_1)
        });
        let i = num_complex::Complex64::i();
        return Ok(np::astype(x + Array::from(imag) * i, dtype).check()?);
    };
    npy::read(&path)
}

/// The same with libtorch's functions called directly, as its users write it.
#[cfg(feature = "torch")]
fn plain_torch(x: &autojit::tch::Tensor) -> autojit::tch::Tensor {
    let mut rows: Vec<autojit::tch::Tensor> = Vec::new();
    for j in 0..x.size()[0] {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - q.conj().dot(&row) * q;
        }
        let norm = row.norm();
        rows.push(row / norm);
    }
    autojit::tch::Tensor::stack(&rows, 0)
}

/// The time of eager torch, and the ratio to compiled code.
#[cfg(feature = "torch")]
fn compare_with_torch(x: &Array, backend: &str, compiled: f64) -> Result<(), Box<dyn Error>> {
    use autojit::tch::Tensor;
    let x = Tensor::try_from(x)?;
    let _no_grad = autojit::tch::no_grad_guard();
    let plain = time(|| drop(black_box(plain_torch(black_box(&x)))));
    println!("call       {:<10} {plain:>10.2} us", "plain torch");
    println!(
        "ratio      {backend} / plain torch = {:.2}",
        compiled / plain
    );
    Ok(())
}

/// The shortest of several calls, in microseconds.
fn time(mut f: impl FnMut()) -> f64 {
    f();
    let (begin, mut best, mut calls) = (Instant::now(), Duration::MAX, 0);
    while calls < 5 || (begin.elapsed() < Duration::from_millis(500) && calls < 20_000) {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed());
        calls += 1;
    }
    best.as_secs_f64() * 1e6
}

fn run() -> Result<bool, Box<dyn Error>> {
    let options = Options::parse(&["n", "input", "backend", "library", "dtype"])?;
    let mut x = matrix(&options)?;
    if let Some(library) = options.get::<String>("library")? {
        x = x.to(&library).check()?;
    }
    let ty = x.ty()?;
    let (rows, columns) = match *ty.shape {
        [rows, columns] if 0 < rows && rows <= columns => (rows, columns),
        _ => {
            return Err(format!(
                "expected a matrix of at least one row, and with at least as many columns as rows, got {ty}"
            )
            .into());
        }
    };
    println!("modified Gram-Schmidt of {ty} in {}", x.library()?);

    let lazy_x = lazy::array(&x);
    let plain = gram_schmidt(lazy_x.clone()).check()?;
    let shared = lazy::shared_intermediates(|| gram_schmidt(lazy_x)).check()?;
    let nodes = |a: &Array| a.as_lazy().map_or(0, lazy::LazyArray::history_num_nodes);
    println!(
        "graph      {} nodes, {} with shared intermediates",
        nodes(&plain),
        nodes(&shared)
    );

    let mut jit = autojit(gram_schmidt);
    if let Some(backend) = options.get::<String>("backend")? {
        jit = jit.backend(&backend);
    }
    // What `call` would do at once. The stages are those of this compilation, as what `explain` says is of one more.
    let start = Instant::now();
    let stages = jit.compile(&x)?;
    let q = jit.call(&x)?;
    let first_call = start.elapsed();
    let explanation = jit.explain(&x)?;
    for (backend, why) in explanation.declined() {
        println!("fallback   {backend} does not support it: {why}");
    }
    println!(
        "backend    {}: trace {:.3} ms, optimise {:.3} ms, compile {:.3} ms; first call {:.3} ms in all",
        explanation.backend(),
        stages.trace_time.as_secs_f64() * 1e3,
        stages.optimize_time.as_secs_f64() * 1e3,
        stages.compile_time.as_secs_f64() * 1e3,
        first_call.as_secs_f64() * 1e3,
    );

    let report = |name: &str, us: f64| println!("call       {name:<10} {us:>10.2} us");
    report(
        "eager",
        time(|| drop(black_box(gram_schmidt(black_box(x.clone()))))),
    );
    let replay = autojit(gram_schmidt).backend("replay");
    report(
        "replay",
        time(|| drop(black_box(replay.call(black_box(&x))))),
    );
    let native = time(|| drop(black_box(jit.call(black_box(&x)))));
    report(explanation.backend(), native);
    #[cfg(feature = "torch")]
    if x.library()? == "torch" {
        compare_with_torch(&x, explanation.backend(), native)?;
    }
    if ty.dtype == DType::Float64 {
        let data = x.to_vec::<f64>()?;
        let mut out = vec![0.0; data.len()];
        let plain = time(|| plain_loops(black_box(&data), black_box(&mut out), rows, columns));
        report("plain Rust", plain);
        println!(
            "ratio      {} / plain Rust = {:.2}",
            explanation.backend(),
            native / plain
        );
    }

    let product = np::matmul(&q, np::transpose(np::conj(&q), ..));
    let error = np::max(
        np::absolute(product - np::eye(rows as i64, np::like(&x))),
        ..,
    );
    let error = np::astype(error, DType::Float64).item::<f64>()?;
    println!("max |Q Q^H - 1| = {error:.2e}");
    let single = matches!(ty.dtype, DType::Float32 | DType::Complex64);
    Ok(error < if single { 1e-3 } else { 1e-9 })
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: the rows are not orthonormal");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
