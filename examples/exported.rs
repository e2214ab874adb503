//! Keeps modified Gram-Schmidt in a file, and calls it in another process without its closure.
//!
//! ```text
//! cargo run --release -p autojit --example exported
//! cargo run --release -p autojit --example exported -- --n 20 --backend replay
//! ```
//!
//! The other process reports how long it took from opening the file to its first result. The example ends by comparing the
//! bits of both.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use autojit::{Array, Exported, autojit, numpy as np};

mod options;
use options::Options;

/// Modified Gram-Schmidt: the rows, made orthonormal one after the other.
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

fn matrix(n: usize) -> Array {
    let n = n as i64;
    np::reshape(np::sin(np::arange(1..n * n + 1, ..)), [n, n])
}

/// A number that differs if any bit does.
fn fingerprint(x: &Array) -> autojit::Result<u64> {
    let mix = |sum: u64, x: &f64| {
        (sum ^ x.to_bits())
            .wrapping_mul(0x100_0000_01b3)
            .rotate_left(17)
    };
    Ok(x.to_vec::<f64>()?.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(&["n", "backend", "load"])?;
    let n: usize = options.get("n")?.unwrap_or(50);
    let backend: Option<String> = options.get("backend")?;
    // The part of the other process: it calls the function of this file.
    let load: Option<PathBuf> = options.get("load")?;
    if let Some(path) = load {
        let x = matrix(n);
        let start = Instant::now();
        let mut function = Exported::load(path)?;
        if let Some(backend) = backend {
            function = function.backend(backend).strict(true);
        }
        let q: Array = function.call(&x)?;
        let first = start.elapsed();
        let again = Instant::now();
        function.call::<Array>(&x)?;
        eprintln!(
            "another process: loaded {} nodes, compiled and called them in {first:.1?}, called again in {:.1?}",
            function.graph().nodes().len(),
            again.elapsed()
        );
        println!("{:016x}", fingerprint(&q)?);
        return Ok(());
    }

    let path =
        std::env::temp_dir().join(format!("gram_schmidt_{n}_{}.autojit", std::process::id()));
    let x = matrix(n);
    let function = match &backend {
        Some(backend) => autojit(gram_schmidt).backend(backend).strict(true),
        None => autojit(gram_schmidt),
    };
    let function = function.name("gram_schmidt");
    function.export(&x, &path)?;
    println!(
        "{}: {} bytes",
        path.display(),
        std::fs::metadata(&path)?.len()
    );

    let mut other = Command::new(std::env::current_exe()?);
    other.args(["--n", &n.to_string(), "--load"]).arg(&path);
    if let Some(backend) = &backend {
        other.args(["--backend", backend]);
    }
    let output = other.stderr(std::process::Stdio::inherit()).output()?;
    std::fs::remove_file(&path)?;
    let theirs = String::from_utf8(output.stdout)?;
    let ours = format!("{:016x}", fingerprint(&function.call(&x)?)?);
    if theirs.trim() != ours {
        return Err(format!("the bits differ: {ours} here, {} there", theirs.trim()).into());
    }
    println!("the same bits in both processes: {ours}");
    Ok(())
}
