//! The program of docs/tutorial.md, step by step. It writes into the folder `tutorial` of the temporary folder, or into the
//! one that is named, and ends by checking what it shows.

use autojit::lazy::{self, Statistic};
use autojit::numpy::random::default_rng;
use autojit::{
    Array, DType, Error, Exported, autojit, backend_like, check_grads, grad, numpy as np, scan,
    value_and_grad, vmap, while_loop,
};

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

/// The steps of the tutorial.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join("tutorial"), Into::into);
    std::fs::create_dir_all(&folder)?;
    steps(&folder)?;
    println!(
        "\nThe pictures and the function are in {}",
        folder.display()
    );
    Ok(())
}

pub(crate) fn steps(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let x = default_rng(42).standard_normal([5, 5]);
    let q = gram_schmidt(x.clone());
    // The rows are orthonormal.
    let gram = np::matmul(&q, np::transpose(&q, ..));
    assert!(np::allclose(&gram, np::eye(5, ..), ..).item::<bool>()?);

    let z = backend_like("ndarray", || np::ones([3, 4], DType::Float32))?;
    assert_eq!(z.ty()?.to_string(), "f32[3,4]");

    let error = np::add(np::ones([2, 3], ..), np::ones([4], ..))
        .check()
        .unwrap_err();
    println!("{error}");
    assert!(
        error
            .to_string()
            .starts_with("cannot broadcast f64[2,3] with f64[4] in add, at ")
    );

    let lx = lazy::array(&x);
    let ly = gram_schmidt(lx);
    let node = ly.as_lazy().ok_or("not lazy")?;
    println!("{}", node.show().max_lines(12));
    assert_eq!(node.history_num_nodes(), 57);

    println!("{} elements at most", node.history_peak_size(true));
    println!("{:?}", node.history_fn_frequencies());
    assert_eq!(
        (node.history_max_size(), node.history_peak_size(true)),
        (25, 70)
    );

    node.plot().save(folder.join("circuit.svg"))?;
    node.plot_graph().save(folder.join("graph.html"))?;
    node.plot_history_size_footprint()
        .save(folder.join("memory.svg"))?;
    node.plot_history_stats(Statistic::SizeIn)
        .save(folder.join("stats.svg"))?;

    let result = ly.compute()?;
    assert!(np::allclose(&result, &q, ..).item::<bool>()?);

    let shared = lazy::shared_intermediates(|| gram_schmidt(lazy::array(&x)));
    assert_eq!(shared.as_lazy().ok_or("not lazy")?.history_num_nodes(), 51);

    let [a, b] = [0, 1].map(|seed| lazy::array(&default_rng(seed).standard_normal([10, 10])));
    let c = lazy::variable(&[10, 10], DType::Float64);
    let sum = np::tanh(np::matmul(&a, &b)) + &c;
    assert_eq!(lazy::history([&sum])?.num_nodes(), 6);
    lazy::compute_constants([&sum], [&c])?;
    assert_eq!(lazy::history([&sum])?.num_nodes(), 3);

    let fast = autojit(gram_schmidt).name("gram_schmidt");
    let compiled = fast.call(&x)?;
    assert!(np::allclose(&compiled, &q, ..).item::<bool>()?);
    fast.call(&x)?;
    assert_eq!((fast.misses(), fast.hits()), (1, 1));

    fast.call(Array::from([[3.0, 4.0], [1.0, 2.0]]))?;
    assert_eq!(
        fast.last_retrace().as_deref(),
        Some("argument changed from f64[5,5] to f64[2,2]")
    );

    println!("{}", fast.explain(&x)?);
    println!("{}", fast.profile(&x)?);

    let t = np::linspace(0.0, 2.0, 50);
    let y = 2.0 * np::exp(-1.5 * &t);
    let loss = |(scale, rate): (Array, Array)| {
        let error = &scale * np::exp(-(&rate * &t)) - &y;
        np::mean(np::square(error), ..)
    };
    let step = autojit(value_and_grad(loss));
    let mut at = (Array::from(1.0), Array::from(0.5));
    for _ in 0..2000 {
        let (_, (by_scale, by_rate)) = step.call(&at)??;
        at = (at.0 - by_scale * 0.5, at.1 - by_rate * 0.5);
    }
    assert!((at.0.item::<f64>()? - 2.0).abs() < 1e-3 && (at.1.item::<f64>()? - 1.5).abs() < 1e-3);

    let rates = np::linspace(0.5, 2.5, 5);
    let losses = autojit(vmap(loss)).call((np::full([5], 2.0, ..), rates))??;
    assert_eq!(np::argmin(&losses, ..).item::<i64>()?, 2);

    check_grads(loss, (Array::from(1.0), Array::from(0.5)))?;

    let walk = |pushes: Array| {
        let step = |position: Array, push: Array| {
            let next = np::tanh(position + push);
            // What is carried on, and a row of the result.
            (next.clone(), next)
        };
        scan(step, Array::from(0.0), pushes)
    };
    let walked = autojit(walk);
    let (end, path) = walked.call(default_rng(7).standard_normal([1000]))??;
    assert_eq!(path.get(-1).item::<f64>()?, end.item::<f64>()?);
    // Compiling does not grow with the number of iterations.
    let nodes = |n: i64| Ok::<usize, Error>(walked.compile(np::zeros([n], ..))?.traced_nodes);
    assert_eq!(nodes(10)?, nodes(100_000)?);

    let end = |pushes: Array| Ok::<Array, Error>(walk(pushes)?.0);
    let slopes = autojit(grad(end)).call(np::zeros([1000], ..))??;
    assert_eq!(slopes.get(-1).item::<f64>()?, 1.0);

    let root = autojit(|a: Array| {
        let goes_on = |x: Array| np::greater(np::absolute(&x * &x - &a), 1e-12);
        while_loop(goes_on, |x: Array| (&x + &a / &x) * 0.5, a.clone())
    });
    assert!((root.call(Array::from(2.0))??.item::<f64>()? - 2f64.sqrt()).abs() < 1e-12);

    let careful = autojit(gram_schmidt).debug_nans(true);
    let error = careful.call(np::zeros([2, 2], ..)).unwrap_err();
    println!("{error}");
    assert!(
        error
            .to_string()
            .starts_with("`divide` made 2 NaNs (first at [0]) of finite numbers")
    );

    let comparison = fast.check_against("replay", &x)?;
    println!("{comparison}");
    assert!(comparison.agrees());

    let path = folder.join("gram_schmidt.autojit");
    fast.export(&x, &path)?;
    let loaded = Exported::load(&path)?;
    let again: Array = loaded.call(&x)?;
    assert_eq!(again.to_vec::<f64>()?, compiled.to_vec::<f64>()?);
    Ok(())
}
