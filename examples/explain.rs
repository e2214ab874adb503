//! The way of a function from its closure to its machine code, for modified Gram-Schmidt.
//!
//! ```text
//! cargo run --release -p autojit --example explain
//! cargo run --release -p autojit --example explain -- --n 5 --html explain.html
//! ```
//!
//! The example walks through the parts of an explanation and says how to read each; `println!("{explanation}")` prints
//! all of it. It ends by checking what it said.

use std::path::PathBuf;

use autojit::numpy::random::default_rng;
use autojit::{Array, autojit, numpy as np};

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(&["n", "html"])?;
    let n = options.get("n")?.unwrap_or(20);
    let html: Option<PathBuf> = options.get("html")?;
    let x = default_rng(0).standard_normal([n, n]);
    let f = autojit(gram_schmidt).name("gram_schmidt");

    let explanation = f.explain(&x)?;
    let report = explanation.report();
    println!("1. The closure was traced");
    println!(
        "   Called with {}, it ran once with arrays that only write down what happens to them:",
        explanation.signature()
    );
    println!(
        "   {} operations, arguments among them, in {:.1?}.",
        report.traced_nodes, report.trace_time
    );
    println!("   Loops and branches of Rust are gone; other shapes and dtypes are traced anew.\n");

    println!("2. The graph was optimised");
    for pass in &report.passes {
        println!("   {pass}");
    }
    println!(
        "   `conj` of real numbers is no operation, equal operations became one, and functions such as\n   `norm` were written with simpler ones, which is why there may be more than before.\n"
    );

    println!(
        "3. The backend `{}` compiled it, in {:.1?}",
        explanation.backend(),
        report.compile_time
    );
    for (backend, why) in explanation.declined() {
        println!("   `{backend}` does not support it: {why}");
    }
    let code = &report.code;
    if let (Some(instructions), Some(kernels), Some(entries)) =
        (code.instructions, code.kernels, code.tape_entries)
    {
        println!(
            "   {instructions} instructions became {kernels} kernels: loops, each compiled once."
        );
        println!(
            "   A call runs them {entries} times, from a list (the tape). Each kernel says what its loop does:"
        );
    }
    for line in explanation.executable().lines() {
        println!("   | {line}");
    }
    println!(
        "   `a | b` are the parts of one loop: the inner loop, what is done with its sums, a second inner loop.\n   \
         \"reads 2, writes 1\" are its arrays; \"axes 1 outer + 1 inner\" are loops around it, and its own. \"wide\" is made by\n   \
         autojit's own emitter, other code by Cranelift. \"not fused\" says why operations are in different loops.\n"
    );

    println!("4. Memory is planned before any run");
    if let (Some(workspace), Some(peak)) = (code.workspace_bytes, code.planned_peak_bytes) {
        println!(
            "   {workspace} bytes for what is computed on the way, {peak} bytes at most with the results.\n"
        );
    }

    let cost = explanation.cost();
    println!("5. The work, by estimate");
    println!(
        "   {} operations on numbers; {} bytes if each operation read and wrote memory.",
        cost.operations, cost.bytes
    );
    println!("   Fused loops move less: that is what they are for.\n");

    let profile = f.profile(&x)?;
    println!("6. Where the time goes, measured");
    for line in profile.to_string().lines() {
        println!("   {line}");
    }

    let other = Array::from([[3.0, 4.0], [1.0, 2.0]]);
    f.call(&x)?;
    f.call(&other)?;
    let why = f.last_retrace().unwrap_or_default();
    println!("\n7. Called with another shape, it is traced again, and says why\n   {why}");

    if let Some(path) = html {
        std::fs::write(&path, explanation.to_html())?;
        println!("\nAll of it, with pictures: {}", path.display());
    }
    let agrees = f.check_against("replay", &x)?;
    println!("\n{agrees}");
    if !agrees.agrees() || !why.contains("changed from") || profile.steps.is_empty() {
        return Err("the explanation is not what the text says".into());
    }
    Ok(())
}
