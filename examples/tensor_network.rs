//! Tensor networks from files: contracted along the path that the file gives, compiled by any backend.
//!
//! ```text
//! cargo run --release -p autojit --example tensor_network -- [--backend NAME|all] [--library NAME] [--seed N] [FILE.json ..]
//! ```
//!
//! Without files, those of `benches/data`; its README says what is in them. For each network and backend it prints
//! how many contractions there are, what compiling and calling cost, and how far the result is from that of another
//! order of contractions, run eagerly on ndarray. Exits with an error if one is too far.

use std::collections::HashSet;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use autojit::{Array, autojit, backends, numpy as np};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// An einsum with two orders in which to contract it, two operands at a time.
struct Network {
    operands: Vec<String>,
    result: String,
    shapes: Vec<Vec<usize>>,
    /// Positions of the two operands that go; what they give comes last.
    path: Vec<[usize; 2]>,
    other_path: Vec<[usize; 2]>,
}

fn numbers(list: &Value) -> Result<Vec<usize>> {
    let numbers = list.as_array().ok_or("expected a list of numbers")?;
    let number = |n: &Value| n.as_u64().map(|n| n as usize).ok_or("expected a number");
    Ok(numbers
        .iter()
        .map(number)
        .collect::<std::result::Result<_, _>>()?)
}

fn read(file: &str) -> Result<Network> {
    let json: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let format = json
        .get("format_string_rowmajor")
        .unwrap_or(&json["format_string"]);
    let format = format.as_str().ok_or("there is no format_string")?;
    let (operands, result) = format
        .split_once("->")
        .ok_or("expected -> in format_string")?;
    let lists = |list: &Value| -> Result<Vec<Vec<usize>>> {
        let lists = list.as_array().ok_or("expected a list of lists")?;
        lists.iter().map(numbers).collect()
    };
    let path = |name: &str| -> Result<Vec<[usize; 2]>> {
        let steps = lists(&json["paths"][name]["path"])?;
        let pair =
            |step: Vec<usize>| <[usize; 2]>::try_from(step).map_err(|_| "expected pairs".into());
        steps.into_iter().map(pair).collect()
    };
    Ok(Network {
        operands: operands.split(',').map(str::to_owned).collect(),
        result: result.to_owned(),
        shapes: lists(&json["shapes"])?,
        path: path("opt_flops")?,
        other_path: path("opt_size")?,
    })
}

/// Contracts two operands at a time. A label that no other operand has is summed over.
fn contract(network: &Network, path: &[[usize; 2]], arrays: &[Array]) -> Array {
    let mut labels = network.operands.clone();
    let mut arrays = arrays.to_vec();
    for &[i, j] in path {
        let (first, second) = (i.min(j), i.max(j));
        let (y_labels, y) = (labels.remove(second), arrays.remove(second));
        let (x_labels, x) = (labels.remove(first), arrays.remove(first));
        let needed = |label: &char| {
            network.result.contains(*label) || labels.iter().any(|other| other.contains(*label))
        };
        let mut seen = HashSet::new();
        let kept: String = if labels.is_empty() {
            network.result.clone()
        } else {
            let all = x_labels.chars().chain(y_labels.chars());
            all.filter(|label| needed(label) && seen.insert(*label))
                .collect()
        };
        arrays.push(np::einsum(
            &format!("{x_labels},{y_labels}->{kept}"),
            &[x, y],
        ));
        labels.push(kept);
    }
    arrays.swap_remove(0)
}

/// Reproducible numbers, scaled so that sums of products keep their size.
fn random_arrays(network: &Network, seed: u64) -> Vec<Array> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut unit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let array = |shape: &Vec<usize>| {
        let count: usize = shape.iter().product();
        // Of each pair of axes one side is summed over.
        let scale = 3f64.sqrt() / (count as f64).powf(0.25);
        let numbers: Vec<f64> = (0..count).map(|_| scale * unit()).collect();
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        Array::from(numbers).reshape(shape)
    };
    network.shapes.iter().map(array).collect()
}

/// The shortest of several calls.
fn time(mut f: impl FnMut() -> Result<()>) -> Result<Duration> {
    let (begin, mut best, mut calls) = (Instant::now(), Duration::MAX, 0);
    while calls < 3 || (begin.elapsed() < Duration::from_millis(300) && calls < 1000) {
        let start = Instant::now();
        f()?;
        best = best.min(start.elapsed());
        calls += 1;
    }
    Ok(best)
}

/// How far a backend is from the expected array, relative to the largest element of that.
fn run(
    network: &Network,
    backend: &str,
    arrays: &[Array],
    expected: &Array,
    name: &str,
) -> Result<f64> {
    let f = autojit(|arrays: Vec<Array>| contract(network, &network.path, &arrays))
        .backend(backend)
        .strict(true);
    let arrays = arrays.to_vec();
    let start = Instant::now();
    let got = f.call(&arrays)?.to("ndarray");
    let first = start.elapsed();
    let call = time(|| f.call(&arrays)?.check().map(|_| ()).map_err(Into::into))?;
    let largest: f64 = np::max(np::abs(expected), ..).item()?;
    let error: f64 = np::max(np::abs(got - expected), ..).item()?;
    let error = error / largest;
    println!(
        "{name:<38} {backend:<10} {:>4} contractions   first call {:>9.1} ms   call {:>9.3} ms   off by {error:.1e}",
        network.path.len(),
        first.as_secs_f64() * 1e3,
        call.as_secs_f64() * 1e3,
    );
    Ok(error)
}

fn run_all() -> Result<bool> {
    let (mut backend, mut library, mut seed, mut files) = (None, None, 1, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--backend" => backend = Some(value()?),
            "--library" => library = Some(value()?),
            "--seed" => seed = value()?.parse()?,
            option if option.starts_with("--") => {
                return Err(format!(
                    "unknown option {option}, expected --backend, --library or --seed"
                )
                .into());
            }
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/data");
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path.display().to_string());
            }
        }
        files.sort();
    }
    let all = backends();
    let chosen: Vec<&str> = match backend.as_deref() {
        None => vec![all[0]],
        Some("all") => all,
        Some(name) => vec![name],
    };
    let mut good = true;
    for file in &files {
        let network = read(file).map_err(|e| format!("{file}: {e}"))?;
        let mut arrays = random_arrays(&network, seed);
        let expected = contract(&network, &network.other_path, &arrays)
            .check()?
            .clone();
        if let Some(library) = &library {
            arrays = arrays.iter().map(|x| x.to(library)).collect();
        }
        let name = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".json");
        for backend in &chosen {
            // Two orders of thousands of products and sums round differently; a wrong one is off by as much as one.
            good &= run(&network, backend, &arrays, &expected, name)? < 1e-10;
        }
    }
    println!(
        "{}",
        if good {
            "all agree"
        } else {
            "some do not agree"
        }
    );
    Ok(good)
}

fn main() -> ExitCode {
    match run_all() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tensor_network: {error}");
            ExitCode::from(2)
        }
    }
}
