//! The Cholesky decomposition of a quasiseparable matrix, and the likelihood of a Gaussian process by it: celerite's recursion
//! (Foreman-Mackey, Agol, Ambikasaran and Angus, 2017), which takes n steps where a dense decomposition takes n^3.
//!
//! The matrix is `sum_k a_k exp(-c_k |t - s|) cos(d_k |t - s|)` with noise on the diagonal. Results are checked by the dense
//! decomposition of that.

use autojit::{Array, DType, Result, ix, numpy as np, scan};
use serde_json::json;

use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, normal, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "quasiseparable.scan",
        about: "Cholesky of a quasiseparable matrix of n rows and the likelihood by it, as a scan",
        size: "rows",
        sizes: &[2_000],
        dtypes: DOUBLE,
        build: |n, dtype| build(n, dtype, true),
        size_of_nodes: None,
    },
    Workload {
        name: "quasiseparable.unrolled",
        about: "the same with its n steps unrolled",
        size: "rows",
        sizes: &[2_000],
        dtypes: DOUBLE,
        build: |n, dtype| build(n, dtype, false),
        size_of_nodes: None,
    },
];

/// Of the terms: how much, how fast they forget, and how fast they turn.
const TERMS: [[f64; 2]; 3] = [[1.0, 0.5], [0.1, 0.4], [1.0, 2.5]];
const NOISE: f64 = 0.1;

/// Times, observations, and the three numbers of the terms.
type Process = (Array, Array, (Array, Array, Array));

/// The carried values: `S` of the recursion, the prediction, and `z' D^-1 z + log |D|` so far.
type State = (Array, Array, Array);
/// The generators, decay and observation of a step.
type Row = (Array, Array, Array, Array);

fn step((s, f, total): State, (u, v, decay, y): Row, diagonal: &Array) -> (State, (Array, Array)) {
    let s = s * (decay.get(ix![.., NewAxis]) * &decay);
    let f = f * &decay;
    let su = np::matmul(&s, &u);
    let d = diagonal - np::sum(&u * &su, ..);
    let w = (v - su) / &d;
    let z = y - np::sum(u * &f, ..);
    let total = total + &z * &z / &d + np::log(&d);
    let s = s + w.get(ix![.., NewAxis]) * &w * &d;
    let f = f + w * &z;
    ((s, f, total), (d, z))
}

/// `z' D^-1 z + log |D|`, the diagonal `D` and `z`, where the matrix is `L D L'` and `L z` are the observations.
fn decompose((t, y, (a, c, d)): Process, n: usize, rolled: bool) -> Result<(Array, Array, Array)> {
    let phase = t.get(ix![.., NewAxis]) * d;
    let (cos, sin) = (np::cos(&phase), np::sin(phase));
    let u = np::concatenate([&a * &cos, &a * &sin], 1);
    let v = np::concatenate([cos, sin], 1);
    let gaps = np::concatenate([np::zeros([1], np::like(&t)), np::diff(&t, ..)], 0);
    let decay = np::exp(-(gaps.get(ix![.., NewAxis]) * np::concatenate([&c, &c], 0)));
    let diagonal = np::sum(a, ..) + NOISE;
    let none = np::zeros([4], np::like(&t));
    let nothing = (
        np::zeros([4, 4], np::like(&t)),
        none,
        np::zeros([0i64; 0], np::like(&t)),
    );
    if rolled {
        let each = |state: State, row: Row| step(state, row, &diagonal);
        let ((_, _, total), (d, z)) = scan(each, nothing, (u, v, decay, y))?;
        return Ok((total, d, z));
    }
    let mut state = nothing;
    let (mut ds, mut zs) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for i in 0..n as i64 {
        let row = (u.get(i), v.get(i), decay.get(i), y.get(i));
        let (next, (d, z)) = step(state, row, &diagonal);
        state = next;
        ds.push(d);
        zs.push(z);
    }
    Ok((state.2, np::stack(&ds, 0), np::stack(&zs, 0)))
}

/// The same by a dense decomposition, row by row.
fn densely(t: &[f64], y: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    let n = t.len();
    let [a, c, d] = TERMS;
    let entry = |i: usize, j: usize| {
        let gap = (t[i] - t[j]).abs();
        let terms = (0..2).map(|k| a[k] * (-c[k] * gap).exp() * (d[k] * gap).cos());
        terms.sum::<f64>() + if i == j { NOISE } else { 0.0 }
    };
    let mut l = vec![0.0; n * n];
    let (mut total, mut ds, mut zs) = (0.0, Vec::new(), Vec::new());
    for i in 0..n {
        let (above, rest) = l.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let known: f64 = row[..j]
                .iter()
                .zip(&above[j * n..][..j])
                .map(|(x, y)| x * y)
                .sum();
            row[j] = (entry(i, j) - known) / above[j * n + j];
        }
        let square = entry(i, i) - row[..i].iter().map(|x| x * x).sum::<f64>();
        row[i] = square.sqrt();
        // L z with the lower triangle scaled to ones on its diagonal.
        let known = row[..i].iter().zip(&zs).zip(&ds);
        let known: f64 = known
            .map(|((x, z), d): ((&f64, &f64), &f64)| x * z / d.sqrt())
            .sum();
        let z = y[i] - known;
        total += z * z / square + square.ln();
        ds.push(square);
        zs.push(z);
    }
    (total, ds, zs)
}

fn build(n: usize, dtype: DType, rolled: bool) -> std::result::Result<Case, String> {
    let t = np::cumsum(uniform(1, 0.02, 0.2, &[n], dtype), ..);
    let y = normal(2, &[n], dtype);
    let [a, c, d] = TERMS.map(Array::from);
    let (times, observations) = (reals(&t), reals(&y));
    let check = move |results: &[Array]| {
        let (total, d, z) = densely(&times, &observations);
        let expected = [Array::from(total), Array::from(d), Array::from(z)];
        expect_close(results, &expected, tolerance(dtype))
    };
    let run = move |process: Process| decompose(process, n, rolled);
    let case = Case::new(program((t, y, (a, c, d)), run), check).per(n, "row");
    Ok(case.parameters(json!({ "rolled": rolled })))
}
