//! Draws modified Gram-Schmidt: every picture of a lazy graph, and of the graph that is compiled.
//!
//! ```text
//! cargo run --release -p autojit --example pictures -- --n 5 --out pictures
//! ```
//!
//! Open `pictures/gram_schmidt.html` in a browser: it needs no network. The example ends by checking what it drew.

use std::path::PathBuf;

use autojit::lazy::{self, Statistic};
use autojit::plot::{ColorBy, FunctionsStyle};
use autojit::{Array, DType, cond, fori_loop, numpy as np};

mod options;
use options::Options;

/// Modified Gram-Schmidt: the rows, made orthonormal one after the other.
fn gram_schmidt(x: &Array, n: usize) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..n as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

/// A step of a loop with a branch inside.
fn step(i: Array, x: Array) -> Array {
    let is_even = np::equal(i % 2, 0);
    let next = cond(is_even, |x: Array| np::sin(x) + 1.0, |x: Array| x * 2.0, x);
    next.expect("both branches keep the type of x")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(&["n", "out"])?;
    let n: usize = options.get("n")?.unwrap_or(5);
    let out: PathBuf = options.get("out")?.unwrap_or("pictures".into());
    std::fs::create_dir_all(&out)?;
    // What repeats is written down once.
    let x = lazy::variable(&[n, n], DType::Float64);
    let q = lazy::shared_intermediates(|| gram_schmidt(&x, n));
    let node = q.as_lazy().ok_or("a lazy array")?;

    node.plot().save(out.join("gram_schmidt.html"))?;
    node.plot_circuit().save(out.join("circuit.svg"))?;
    node.plot_graph().save(out.join("graph.svg"))?;
    node.plot_graph()
        .color_by(ColorBy::Id)
        .save(out.join("graph_by_id.svg"))?;
    node.plot_history_size_footprint()
        .save(out.join("size_footprint.svg"))?;
    for (style, name) in [
        (FunctionsStyle::Scatter, "functions_scatter.svg"),
        (FunctionsStyle::Lines, "functions_lines.svg"),
        (FunctionsStyle::Image, "functions_image.svg"),
    ] {
        node.plot_history_functions(style).save(out.join(name))?;
    }
    node.plot_history_stats(Statistic::Count)
        .save(out.join("stats.svg"))?;
    node.plot_graph().save(out.join("graph.dot"))?;
    node.plot_graph().save(out.join("graph.mmd"))?;
    // A loop is one node; in the page it opens, and the branch inside of it does.
    let series = fori_loop(0, 10, step, x.get(0))?;
    let series = series.as_lazy().ok_or("a lazy array")?;
    series.plot_graph().save(out.join("loop.html"))?;

    let history = lazy::history([&q])?;
    println!("{} nodes drawn into {}", history.num_nodes(), out.display());
    let svg = std::fs::read_to_string(out.join("circuit.svg"))?;
    if !svg.contains(&format!("{} steps on", history.num_nodes())) && n < 20 {
        return Err("the circuit does not say how many steps it has".into());
    }
    Ok(())
}
