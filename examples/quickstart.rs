//! A first look: arrays, errors, lazy graphs, and compiled functions.
//!
//! ```text
//! cargo run --release -p autojit --example quickstart
//! ```

use autojit::{Array, DType, Error, autojit, ix, lazy, numpy as np};

/// Ordinary code over arrays: the softmax of each row.
fn softmax(x: Array) -> Array {
    let e = np::exp(&x - np::max(&x, np::axis(-1).keepdims()));
    &e / np::sum(&e, np::axis(-1).keepdims())
}

fn main() -> Result<(), Error> {
    println!("Arrays: NumPy's functions, broadcasting and indices");
    let x = Array::from([[1.0, 2.0, 4.0], [0.5, 0.0, -1.0]]);
    println!("x =\n{x}");
    println!("its columns backwards =\n{}", x.get(ix![.., ..; -1]));
    println!("softmax of its rows =\n{}", softmax(x.clone()));

    println!("\nErrors name the types and your line");
    let error = (&x + Array::from([1.0, 2.0])).check().unwrap_err();
    println!("{error}");

    println!("\nLazy arrays write a computation down");
    let variable = lazy::variable(&[2, 3], DType::Float64);
    let traced = softmax(variable);
    if let Some(node) = traced.as_lazy() {
        print!("{}", node.show());
        println!(
            "{} nodes, at most {} elements at once",
            node.history_num_nodes(),
            node.history_peak_size(true)
        );
    }

    println!("\nautojit compiles once for each dtype and shape");
    let fast = autojit(softmax).name("softmax");
    let first = fast.call(&x)?;
    let second = fast.call(&x * 2.0)?;
    println!("{first}\n{second}");
    println!(
        "{} compilation, {} call of code that was there",
        fast.misses(),
        fast.hits()
    );
    let explanation = fast.explain(&x)?.to_string();
    for line in explanation.lines().take(4) {
        println!("  {line}");
    }

    let sums = np::sum(&first, 1) + np::sum(&second, 1);
    let off = np::max(np::absolute(&first - softmax(x)), ..).item::<f64>()?
        + np::max(np::absolute(sums - 2.0), ..).item::<f64>()?;
    println!("\ncompiled and eager differ by {off:.1e}");
    if off < 1e-14 && error.is_shape() && (fast.misses(), fast.hits()) == (1, 1) {
        println!("all is well");
        Ok(())
    } else {
        eprintln!("something is wrong");
        std::process::exit(1)
    }
}
