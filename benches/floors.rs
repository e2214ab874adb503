//! Costs of small things: updates of slices, rows and elements, calls of a few hundred nanoseconds, tiny products, and
//! eager operations on a few numbers.
//!
//! ```text
//! cargo bench --bench floors [-- NAME]
//! ```
//!
//! Each line names what was measured and gives the best of many rounds. Where there is a loop in plain Rust beside it, both
//! take turns, so that their ratio holds on a busy machine.

use std::hint::black_box;
use std::time::Instant;

use autojit::{Array, DType, Result, autojit, ix, numpy as np};

/// Nanoseconds of one run: the least of many rounds, as whatever disturbs only adds.
fn nanoseconds<R>(mut run: impl FnMut() -> R) -> f64 {
    let start = Instant::now();
    black_box(run());
    let once = start.elapsed().as_nanos().max(1) as f64;
    let runs = (20_000.0 / once).clamp(1.0, 1_000.0) as u32;
    let rounds = (2e8 / (once * f64::from(runs))).clamp(5.0, 400.0) as u32;
    let round = |_| {
        let start = Instant::now();
        for _ in 0..runs {
            black_box(run());
        }
        start.elapsed().as_nanos() as f64 / f64::from(runs)
    };
    (0..rounds).map(round).fold(f64::INFINITY, f64::min)
}

fn in_units(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

fn line(what: &str, time: f64) {
    println!("{what:52} {:>12}", in_units(time));
}

fn against(what: &str, time: f64, by_hand: f64) {
    let (shown, by_hand_shown) = (in_units(time), in_units(by_hand));
    let ratio = time / by_hand;
    println!("{what:52} {shown:>12}   by hand {by_hand_shown:>12}   ratio {ratio:6.2}");
}

fn iota(shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    (np::arange(count as i64, DType::Float64) * 0.001 + 0.5).reshape(shape)
}

/// Calls a function of two arrays: what compiling, the first and a later call cost.
fn compiled(what: &str, f: impl Fn(Array, Array) -> Array, x: &Array, y: &Array) -> Result<f64> {
    let f = autojit(|(x, y): (Array, Array)| f(x, y)).backend("cranelift");
    let start = Instant::now();
    f.call((x, y))?;
    let first = start.elapsed().as_nanos() as f64;
    let report = f.compile((x, y))?;
    let time = nanoseconds(|| f.call((black_box(x), black_box(y))));
    println!(
        "{what:52} {:>12}   first {:>10}  optimise {:>10}  compile {:>10}  entries {:?}  kernels {:?}  workspace {:?}",
        in_units(time),
        in_units(first),
        in_units(report.optimize_time.as_nanos() as f64),
        in_units(report.compile_time.as_nanos() as f64),
        report.code.tape_entries,
        report.code.kernels,
        report.code.workspace_bytes,
    );
    Ok(time)
}

fn updates() -> Result<()> {
    for n in [500i64, 1000, 2000, 4000] {
        let rows = |mut x: Array, c: Array| {
            for t in 0..n {
                x = x.at(t).set(&c);
            }
            x
        };
        compiled(
            &format!("update, {n} rows of 3"),
            rows,
            &iota(&[n as usize, 3]),
            &iota(&[3]),
        )?;
    }
    for n in [2_000i64, 20_000] {
        let elements = |mut x: Array, c: Array| {
            for t in 0..n {
                x = x.at(t).set(&c);
            }
            x
        };
        compiled(
            &format!("update, {n} elements"),
            elements,
            &iota(&[n as usize]),
            &iota(&[]),
        )?;
    }
    for (name, mode) in [("set", 0), ("add", 1), ("multiply", 2), ("max", 3)] {
        let slices = move |mut x: Array, c: Array| {
            for t in 0..100 {
                let at = x.at(ix![t..t + 50, 1..-1]);
                x = match mode {
                    0 => at.set(&c * t as f64),
                    1 => at.add(&c * t as f64),
                    2 => at.multiply(&c * t as f64),
                    _ => at.max(&c * t as f64),
                };
            }
            x
        };
        let (x, c) = (iota(&[150, 150]), iota(&[50, 148]));
        compiled(
            &format!("update, 100 slices of 50 x 148, {name}"),
            slices,
            &x,
            &c,
        )?;
    }
    let jacobi = |mut x: Array, _: Array| {
        for _ in 0..50 {
            let vertical = x.get(ix![..-2, 1..-1]) + x.get(ix![2.., 1..-1]);
            let horizontal = x.get(ix![1..-1, ..-2]) + x.get(ix![1..-1, 2..]);
            let middle = (vertical + horizontal) * 0.25;
            x = x.at(ix![1..-1, 1..-1]).set(middle);
        }
        x
    };
    let x = iota(&[150, 150]);
    let time = compiled("jacobi, 50 steps of 150 x 150", jacobi, &x, &iota(&[1]))?;
    let start = x.to_vec::<f64>()?;
    let (mut u, mut next) = (start.clone(), start.clone());
    let by_hand = nanoseconds(|| {
        u.clone_from(&start);
        next.clone_from(&start);
        for _ in 0..50 {
            for i in 1..149 {
                let [up, here, down] = [i - 1, i, i + 1].map(|i| &u[i * 150..(i + 1) * 150]);
                let out = &mut next[i * 150..(i + 1) * 150];
                for j in 1..149 {
                    out[j] = ((up[j] + down[j]) + (here[j - 1] + here[j + 1])) * 0.25;
                }
            }
            std::mem::swap(&mut u, &mut next);
        }
        u[151]
    });
    against("jacobi, 50 steps of 150 x 150", time, by_hand);
    Ok(())
}

fn calls() -> Result<()> {
    let (x, y, z) = (
        Array::from([1.0, 2.0, 3.0]),
        Array::from([4.0, 5.0, 6.0]),
        Array::from([7.0, 8.0, 9.0]),
    );
    let own = nanoseconds(|| {
        black_box((&x, &y, &z));
        let array = ndarray::ArcArray::<f64, _>::from_shape_vec(ndarray::IxDyn(&[3]), vec![0.0; 3]);
        array.map(Array::from)
    });
    let f = autojit(|(x, y, z): (Array, Array, Array)| x * y + z).backend("cranelift");
    f.call((&x, &y, &z))?;
    let time = nanoseconds(|| f.call((black_box(&x), black_box(&y), black_box(&z))));
    line(
        "call, three arguments of 3, above one that is empty",
        time - own,
    );
    line(
        "eager, z + w of 3",
        nanoseconds(|| black_box(&z) + black_box(&y)),
    );
    line(
        "eager, z + 1.0 of 3",
        nanoseconds(|| black_box(&z) + black_box(1.0)),
    );
    line(
        "eager, sum of 3",
        nanoseconds(|| np::sum(black_box(&z), ..)),
    );
    Ok(())
}

fn contractions() {
    let (a, b) = (iota(&[40, 40]), iota(&[40, 40, 40, 40]));
    let run = || np::einsum("kl,ijkl->ij", [&a, &b]);
    line("eager, einsum kl,ijkl->ij of 40", nanoseconds(run));
    let (flat, rows) = (iota(&[1600]), iota(&[1600, 1600]));
    line(
        "eager, the same as a matrix times a vector",
        nanoseconds(|| np::matmul(&rows, &flat)),
    );
}

fn products() -> Result<()> {
    const COUNT: usize = 1000;
    for n in [2usize, 3, 4, 6, 8, 12, 16, 24, 32] {
        let (a, b) = (iota(&[COUNT, n, n]), iota(&[COUNT, n, n]) * 0.001);
        let independent = |a: Array, b: Array| {
            let products = (0..COUNT as i64).map(|i| np::matmul(a.get(i), b.get(i)));
            np::stack(products.collect::<Vec<_>>(), 0)
        };
        let batched = compiled(&format!("products, 1000 of {n}"), independent, &a, &b)?;
        let (left, right) = (a.to_vec::<f64>()?, b.to_vec::<f64>()?);
        let mut out = vec![0.0; COUNT * n * n];
        let by_hand = nanoseconds(|| {
            for i in 0..COUNT {
                let at = i * n * n;
                multiply(n, &left[at..], &right[at..], &mut out[at..at + n * n]);
            }
            out[0]
        });
        against(&format!("products, 1000 of {n}"), batched, by_hand);
        let dependent = |x: Array, b: Array| {
            let mut x = x.get(0);
            for i in 0..COUNT as i64 {
                x = np::matmul(&x, b.get(i));
            }
            x
        };
        let chained = compiled(
            &format!("products, chain of 1000 of {n}"),
            dependent,
            &a,
            &b,
        )?;
        let mut state = left[..n * n].to_vec();
        let mut next = state.clone();
        let by_hand = nanoseconds(|| {
            for i in 0..COUNT {
                multiply(n, &state, &right[i * n * n..], &mut next);
                std::mem::swap(&mut state, &mut next);
            }
            state[0]
        });
        against(&format!("products, chain of 1000 of {n}"), chained, by_hand);
    }
    Ok(())
}

/// A product of small matrices as one would write it.
fn multiply(n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    for i in 0..n {
        let row = &mut out[i * n..(i + 1) * n];
        row.fill(0.0);
        for k in 0..n {
            let factor = a[i * n + k];
            for (o, b) in row.iter_mut().zip(&b[k * n..(k + 1) * n]) {
                *o += factor * b;
            }
        }
    }
}

fn heat() -> Result<()> {
    let diffuse = |u: Array, _: Array| {
        let mut u = u;
        for _ in 0..10 {
            let middle = u.get(ix![1..-1, 1..-1]);
            let vertical = u.get(ix![..-2, 1..-1]) + u.get(ix![2.., 1..-1]);
            let horizontal = u.get(ix![1..-1, ..-2]) + u.get(ix![1..-1, 2..]);
            let middle = &middle + (vertical + horizontal - &middle * 4.0) * 0.2;
            let (left, right) = (u.get(ix![1..-1, ..1]), u.get(ix![1..-1, -1..]));
            let middle = np::concatenate([left, middle, right], 1);
            u = np::concatenate([u.get(ix![..1, ..]), middle, u.get(ix![-1.., ..])], 0);
        }
        u
    };
    compiled("heat, 10 steps", diffuse, &iota(&[64, 64]), &iota(&[1]))?;
    Ok(())
}

fn functions() -> Result<()> {
    type Function = fn(Array) -> Array;
    let functions: [(&str, Function, f64); 14] = [
        ("exp", |x| np::exp(x), 4.0),
        ("log", |x| np::log(x), 4.0),
        ("sin", |x| np::sin(x), 4.0),
        ("cos", |x| np::cos(x), 4.0),
        ("tan", |x| np::tan(x), 4.0),
        ("tanh", |x| np::tanh(x), 4.0),
        ("sinh", |x| np::sinh(x), 4.0),
        ("arctan", |x| np::arctan(x), 4.0),
        ("arcsin", |x| np::arcsin(x), 0.9),
        ("erfc", |x| np::erfc(x), 2.0),
        ("exp2", |x| np::exp2(x), 4.0),
        ("expm1", |x| np::expm1(x), 4.0),
        ("log1p", |x| np::log1p(x), 4.0),
        ("cbrt", |x| np::cbrt(x), 4.0),
    ];
    for dtype in [DType::Float64, DType::Float32] {
        for (name, f, most) in functions {
            let x = (np::arange(4096, DType::Float64) * (most / 4096.0) + 0.01).astype(dtype);
            let f = autojit(f).backend("cranelift");
            f.call(&x)?;
            let time = nanoseconds(|| f.call(black_box(&x)));
            line(
                &format!("{name} {dtype}, an element of 4096"),
                time / 4096.0,
            );
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let is_wanted = |name: &str| {
        wanted
            .as_ref()
            .is_none_or(|wanted| name.contains(wanted.as_str()))
    };
    if is_wanted("updates") {
        updates()?;
    }
    if is_wanted("calls") {
        calls()?;
    }
    if is_wanted("contractions") {
        contractions();
    }
    if is_wanted("heat") {
        heat()?;
    }
    if is_wanted("functions") {
        functions()?;
    }
    if is_wanted("products") {
        products()?;
    }
    Ok(())
}
