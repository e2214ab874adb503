//! Threads that compile, call and drop functions for as long as one likes, within a limit of memory that the shell sets.
//!
//! ```text
//! cargo build --release --example soak
//! (ulimit -v 4000000; target/release/examples/soak --seconds 1800)
//! ```
//!
//! Each thread makes functions that no other makes: formulas, gradients, batches, loops, decompositions and functions of files. It calls
//! each of them several times and compares the results with those without compiling, bit for bit where sums and products leave no
//! choice. Functions that all threads share are called in between, with arguments of shapes that are compiled while others call, and so are functions
//! whose result cannot fit into memory, which must be an error. The program fails if a result is wrong, if an error is another one, or if
//! memory grows by more than `--grown` megabytes (64) after the first quarter of the time.

mod options;

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use autojit::numpy::random::default_rng;
use autojit::{
    Array, Exported, Result, autojit, fori_loop, numpy as np, scan, value_and_grad, vmap,
};
use options::Options;

/// A formula that no other number gives: its kernels and constants differ too.
fn formula(number: u64, x: &Array) -> Array {
    let mut y = x * (number as f64 * 1e-3 + 0.5);
    for bit in 0..10 {
        y = match number >> bit & 3 {
            0 => np::tanh(y + x),
            1 => np::sqrt(np::absolute(y) + 1.0),
            2 => np::matmul(&y, x.t()) * 0.1,
            _ => &y * np::sum(&y, 0) * 0.1,
        };
    }
    y
}

/// The kinds of functions; each is one of a matrix, and of a number that makes it unlike all others.
fn function(kind: u64, number: u64, x: &Array) -> Result<Array> {
    Ok(match kind {
        0 => formula(number, x),
        1 => value_and_grad(|x: Array| np::sum(np::tanh(formula(number, &x)), ..))(x.clone())?.1,
        2 => vmap(|row: Array| np::cumsum(row * number as f64, ..))(x.clone())?,
        3 => {
            let step = |carried: Array, row: Array| {
                let next = np::tanh(carried * 0.5 + row);
                (next.clone(), next * number as f64)
            };
            scan(step, x.get(0), x.clone())?.1
        }
        4 => fori_loop(
            0,
            (number % 7) as i64,
            |_: Array, y: Array| np::tanh(np::matmul(&y, x)),
            x.clone(),
        )?,
        _ => {
            let (q, r) = np::linalg::qr(x, ..);
            np::matmul(q, r) * number as f64
        }
    })
}

const KINDS: u64 = 6;

/// Fails unless both are alike: products of matrices may be added in another order.
fn compare(what: &str, got: &Array, expected: &Array) -> Result<(), Box<dyn Error>> {
    let scale = np::max(np::absolute(expected), ..) + 1e-300;
    let difference = np::max(np::absolute(got - expected) / scale, ..).item::<f64>()?;
    if difference.is_nan() || difference > 1e-9 {
        return Err(format!("{what} is off by {difference:.1e}").into());
    }
    Ok(())
}

/// Makes one function, calls it, and drops it.
fn round(thread: u64, number: u64, shared: &Shared<'_>) -> Result<(), Box<dyn Error>> {
    let kind = number % KINDS;
    let n = 2 + (number / KINDS % 7) as i64;
    let x = default_rng(number).standard_normal([n, n]);
    // Functions of all threads and rounds are different ones.
    let unique = number * 64 + thread;
    let expected = function(kind, unique, &x)?.check()?;
    let f = autojit(|x: Array| function(kind, unique, &x));
    for _ in 0..3 {
        compare(
            &format!("kind {kind} of {unique}"),
            &f.call(&x)??,
            &expected,
        )?;
    }
    if number % 16 == thread {
        let path =
            std::env::temp_dir().join(format!("soak-{}-{thread}.autojit", std::process::id()));
        f.export(&x, &path)?;
        let loaded = Exported::load(&path)?;
        std::fs::remove_file(&path)?;
        compare(
            &format!("a file of kind {kind}"),
            &loaded.call::<Array>(&x)?,
            &expected,
        )?;
    }
    let rows = default_rng(number).standard_normal([1 + (number % 31) as i64, 3]);
    compare("a shared function", &shared(&rows)?, &np::tanh(&rows * 2.0))?;
    if number % 64 == thread {
        // 2^40 bytes, which no limit of this program allows.
        let huge = autojit(|x: Array| np::sum(x, ..) + np::zeros([1_i64 << 37], ..));
        match huge.call(&x) {
            Err(error) if error.to_string().contains("memory") => {}
            Err(error) => {
                return Err(format!("expected an error about memory, got: {error}").into());
            }
            Ok(_) => return Err("a result of 2^40 bytes was there".into()),
        }
    }
    Ok(())
}

/// A compiled function that all threads call.
type Shared<'a> = dyn Fn(&Array) -> Result<Array> + Sync + 'a;

/// Bytes of this process in main memory, where the system tells.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

/// Runs the threads; gives the number of rounds, and by how much memory grew.
fn soak(threads: u64, time: Duration) -> Result<(u64, u64), Box<dyn Error>> {
    let f = autojit(|x: Array| np::tanh(x * 2.0));
    let shared: &Shared<'_> = &|x| f.call(x);
    let (rounds, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (begin, mut before, mut most) = (Instant::now(), None, 0);
    let failed = std::thread::scope(|scope| {
        let run = |thread| {
            let (rounds, stop) = (&rounds, &stop);
            move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if let Err(error) = round(thread, number, shared) {
                        stop.store(true, Ordering::Relaxed);
                        return Some(format!("thread {thread}, round {number}: {error}"));
                    }
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
                None
            }
        };
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(run(thread)))
            .collect();
        while begin.elapsed() < time && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
            let now = resident().unwrap_or(0);
            most = now.max(most);
            if begin.elapsed() > time / 4 && before.is_none() {
                before = Some(most);
            }
        }
        stop.store(true, Ordering::Relaxed);
        let ends = running.into_iter().map(ScopedJoinHandle::join);
        ends.map(|end| end.unwrap_or_else(|_| Some("a thread panicked".into())))
            .collect::<Vec<_>>()
    });
    if let Some(message) = failed.into_iter().flatten().next() {
        return Err(message.into());
    }
    let grown = most - before.unwrap_or(most);
    Ok((rounds.into_inner(), grown))
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(&["seconds", "threads", "grown"])?;
    let seconds = options.get("seconds")?.unwrap_or(10.0);
    let threads = options.get("threads")?.unwrap_or(8);
    let bound: u64 = options.get("grown")?.unwrap_or(64);
    let (rounds, grown) = soak(threads, Duration::try_from_secs_f64(seconds)?)?;
    let now = resident().unwrap_or(0);
    println!(
        "{threads} threads, {seconds} s: {rounds} functions compiled and dropped, each called three times; resident memory {} MB, {} MB \
         more than after a quarter of the time",
        now >> 20,
        grown >> 20
    );
    if grown >> 20 > bound {
        return Err(format!("memory grew by {} MB, allowed are {bound}", grown >> 20).into());
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
