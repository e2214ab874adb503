//! Updates of arrays, row by row and of all but the edges.

use autojit::{Array, DType, ix, numpy as np};
use serde_json::json;

use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, baseline, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "updates.rows",
        about: "n rows of 3 put into an array one after the other, each made of the one before",
        size: "rows",
        sizes: &[500, 1000, 2000, 4000],
        dtypes: DOUBLE,
        build: rows,
        size_of_nodes: None,
    },
    Workload {
        name: "updates.elements",
        about: "n single elements put into an array one after the other",
        size: "elements",
        sizes: &[2_000, 20_000],
        dtypes: DOUBLE,
        build: elements,
        size_of_nodes: None,
    },
    Workload {
        name: "updates.jacobi",
        about: "50 steps of Jacobi's method on an n x n grid with fixed edges, by updates of the rest",
        size: "n",
        sizes: &[150],
        dtypes: DOUBLE,
        build: jacobi,
        size_of_nodes: None,
    },
];

fn rows(n: usize, dtype: DType) -> Result<Case, String> {
    let (x, factor) = (
        uniform(1, 0.0, 1.0, &[n, 3], dtype),
        uniform(2, 0.5, 1.0, &[3], dtype),
    );
    let (start, by) = (reals(&x), reals(&factor));
    let by_hand = move |x: &mut Vec<f64>| {
        x.clone_from(&start);
        for t in 1..n {
            for i in 0..3 {
                x[t * 3 + i] = x[(t - 1) * 3 + i] * by[i];
            }
        }
    };
    let result = move |x: &[f64]| np::reshape(Array::from(x), [n as i64, 3]);
    let run = by_hand.clone();
    let loops = baseline("rust", Vec::new(), run, move |x| vec![result(x)]);
    let check = move |results: &[Array]| {
        let mut x = Vec::new();
        by_hand(&mut x);
        expect_close(results, &[result(&x)], tolerance(dtype))
    };
    let f = move |(x, factor): (Array, Array)| {
        let mut x = x;
        for t in 1..n as i64 {
            x = x.at(t).set(x.get(t - 1) * &factor);
        }
        x
    };
    let case = Case::new(program((x, factor), f), check).baseline(loops);
    Ok(case.parameters(json!({ "kind": "rows" })))
}

fn elements(n: usize, dtype: DType) -> Result<Case, String> {
    let (x, value) = (
        uniform(1, 0.0, 1.0, &[n], dtype),
        uniform(2, 0.5, 1.0, &[], dtype),
    );
    let expected = vec![reals(&value)[0]; n];
    let check = move |results: &[Array]| {
        let expected = Array::from(&expected[..]);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let f = move |(x, value): (Array, Array)| {
        let mut x = x;
        for t in 0..n as i64 {
            x = x.at(t).set(&value);
        }
        x
    };
    let case = Case::new(program((x, value), f), check).per(n, "element");
    Ok(case.parameters(json!({ "kind": "elements" })))
}

fn jacobi(n: usize, dtype: DType) -> Result<Case, String> {
    const STEPS: usize = 50;
    let u = uniform(1, 0.0, 1.0, &[n, n], dtype);
    let start = reals(&u);
    let by_hand = move |u: &mut Vec<f64>, next: &mut Vec<f64>| {
        u.clone_from(&start);
        next.clone_from(&start);
        for _ in 0..STEPS {
            for i in 1..n - 1 {
                let [up, here, down] = [i - 1, i, i + 1].map(|i| &u[i * n..(i + 1) * n]);
                let out = &mut next[i * n..(i + 1) * n];
                for j in 1..n - 1 {
                    out[j] = ((up[j] + down[j]) + (here[j - 1] + here[j + 1])) * 0.25;
                }
            }
            std::mem::swap(u, next);
        }
    };
    let result = move |u: &[f64]| np::reshape(Array::from(u), [n as i64, n as i64]);
    let run = by_hand.clone();
    let loops = baseline(
        "rust",
        (Vec::new(), Vec::new()),
        move |(u, next)| run(u, next),
        move |(u, _)| vec![result(u)],
    );
    let check = move |results: &[Array]| {
        let (mut u, mut next) = (Vec::new(), Vec::new());
        by_hand(&mut u, &mut next);
        expect_close(results, &[result(&u)], tolerance(dtype))
    };
    let f = move |u: Array| {
        let mut u = u;
        for _ in 0..STEPS {
            let vertical = u.get(ix![..-2, 1..-1]) + u.get(ix![2.., 1..-1]);
            let horizontal = u.get(ix![1..-1, ..-2]) + u.get(ix![1..-1, 2..]);
            u = u.at(ix![1..-1, 1..-1]).set((vertical + horizontal) * 0.25);
        }
        u
    };
    let case = Case::new(program(u, f), check).baseline(loops);
    Ok(case.parameters(json!({ "kind": "jacobi" })))
}
