//! The overhead of a call of compiled code: three arguments of three elements each, against a
//! plain Rust function that makes the same result.
//!
//! ```text
//! cargo bench --bench call
//! ```

use std::hint::black_box;
use std::time::Instant;

use autojit::{Array, Result, autojit};
use ndarray::{ArcArray, IxDyn};

/// Nanoseconds of one run: the least of many rounds, as whatever disturbs only adds.
fn nanoseconds<R>(mut run: impl FnMut() -> R) -> f64 {
    const RUNS: u32 = 1_000;
    let round = |_| {
        let start = Instant::now();
        for _ in 0..RUNS {
            black_box(run());
        }
        start.elapsed().as_nanos() as f64 / f64::from(RUNS)
    };
    (0..500).map(round).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<()> {
    let (x, y, z) = (
        Array::from([1.0, 2.0, 3.0]),
        Array::from([4.0, 5.0, 6.0]),
        Array::from([7.0, 8.0, 9.0]),
    );
    let plain = |x: &Array, y: &Array, z: &Array| {
        black_box((x, y, z));
        let array = ArcArray::<f64, _>::from_shape_vec(IxDyn(&[3]), vec![0.0; 3]);
        array.map(Array::from)
    };
    let own = nanoseconds(|| plain(black_box(&x), black_box(&y), black_box(&z)));
    println!("plain Rust function with the same result {own:8.1} ns");
    for backend in autojit::backends() {
        let f = autojit(|(x, y, z): (Array, Array, Array)| x * y + z).backend(backend);
        f.call((&x, &y, &z))?;
        let time = nanoseconds(|| f.call((black_box(&x), black_box(&y), black_box(&z))));
        println!("{backend:40} {time:8.1} ns, {:8.1} above", time - own);
    }
    Ok(())
}
