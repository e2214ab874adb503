//! Pieces of neural networks: normalisations of rows, a perceptron, and a block of a transformer.

use autojit::{Array, DType, numpy as np};

use super::results::{expect_close, reals};
use super::{Baseline, Case, REAL, Workload, baseline, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "softmax",
        about: "softmax of the rows of an n x n matrix",
        size: "rows and columns",
        sizes: &[64, 512],
        dtypes: REAL,
        build: build_softmax,
        size_of_nodes: None,
    },
    Workload {
        name: "layernorm",
        about: "normalisation of the rows of an n x n matrix to mean 0 and variance 1, scaled and shifted",
        size: "rows and columns",
        sizes: &[64, 512],
        dtypes: REAL,
        build: build_layernorm,
        size_of_nodes: None,
    },
    Workload {
        name: "attention",
        about: "a block of a transformer forward: n tokens of n features, 4 heads, and a perceptron of 4 n",
        size: "tokens and features",
        sizes: &[64],
        dtypes: REAL,
        build: build_attention,
        size_of_nodes: None,
    },
    Workload {
        name: "mlp",
        about: "four layers n x n with tanh, on 32 rows",
        size: "features",
        sizes: &[32, 128],
        dtypes: REAL,
        build: build_mlp,
        size_of_nodes: None,
    },
];

fn softmax(x: &Array) -> Array {
    let e = np::exp(x - np::max(x, np::axis(-1).keepdims()));
    &e / np::sum(&e, np::axis(-1).keepdims())
}

const EPSILON: f64 = 1e-5;

fn layernorm(x: &Array, scale: &Array, shift: &Array) -> Array {
    let centred = x - np::mean(x, np::axis(-1).keepdims());
    let variance = np::mean(&centred * &centred, np::axis(-1).keepdims());
    centred / np::sqrt(variance + EPSILON) * scale + shift
}

/// A function of rows, one after the other, into a new matrix.
fn by_rows(x: Vec<f64>, n: usize, row: fn(&[f64], &mut [f64])) -> Box<dyn Baseline> {
    baseline(
        "rust",
        (x, Vec::new()),
        move |(x, out)| {
            *out = Vec::new();
            *out = vec![0.0; x.len()];
            for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
                row(x, out);
            }
        },
        move |(_, out)| vec![np::reshape(Array::from(out), [n as i64, -1])],
    )
}

fn softmax_row(x: &[f64], out: &mut [f64]) {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (out, x) in out.iter_mut().zip(x) {
        *out = (x - largest).exp();
        sum += *out;
    }
    for out in out {
        *out /= sum;
    }
}

fn layernorm_row(x: &[f64], out: &mut [f64]) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let deviation = (variance + EPSILON).sqrt();
    for (j, (out, x)) in out.iter_mut().zip(x).enumerate() {
        *out = (x - mean) / deviation * scale_at(j) + shift_at(j);
    }
}

fn scale_at(j: usize) -> f64 {
    1.0 + (j % 7) as f64 / 8.0
}

fn shift_at(j: usize) -> f64 {
    (j % 5) as f64 / 4.0 - 0.5
}

/// Checks a function of rows against the same one by hand.
fn check_rows(
    x: Vec<f64>,
    n: usize,
    dtype: DType,
    row: fn(&[f64], &mut [f64]),
) -> impl Fn(&[Array]) -> Result<(), String> {
    move |results| {
        let mut expected = vec![0.0; x.len()];
        for (x, out) in x.chunks_exact(n).zip(expected.chunks_exact_mut(n)) {
            row(x, out);
        }
        let expected = np::reshape(Array::from(expected), [n as i64, n as i64]);
        expect_close(results, &[expected], tolerance(dtype))
    }
}

fn build_softmax(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[n, n], dtype);
    let v = reals(&x);
    let check = check_rows(v.clone(), n, dtype, softmax_row);
    let case = Case::new(program(x, |x: Array| softmax(&x)), check).per(n * n, "element");
    Ok(match dtype {
        DType::Float64 => case.baseline(by_rows(v, n, softmax_row)),
        _ => case,
    })
}

fn build_layernorm(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[n, n], dtype);
    let v = reals(&x);
    let scale = Array::from((0..n).map(scale_at).collect::<Vec<f64>>()).astype(dtype);
    let shift = Array::from((0..n).map(shift_at).collect::<Vec<f64>>()).astype(dtype);
    let run = |(x, scale, shift): (Array, Array, Array)| layernorm(&x, &scale, &shift);
    let check = check_rows(v.clone(), n, dtype, layernorm_row);
    let case = Case::new(program((x, scale, shift), run), check).per(n * n, "element");
    Ok(match dtype {
        DType::Float64 => case.baseline(by_rows(v, n, layernorm_row)),
        _ => case,
    })
}

const HEADS: usize = 4;

/// Attention of four heads and a perceptron, each with a normalisation before and the sum of both after.
///
/// `w` holds query, key, value and output weights of `[n, n]`, then those of the perceptron, `[n, 4 n]` and `[4 n, n]`.
fn block((x, w, scale, shift): (Array, Vec<Array>, Array, Array), n: usize) -> Array {
    let (tokens, heads) = (n as i64, HEADS as i64);
    let width = tokens / heads;
    let split = |y: Array| {
        let y = np::reshape(y, [tokens, heads, width]);
        np::transpose(y, [1, 0, 2])
    };
    let y = layernorm(&x, &scale, &shift);
    let query = split(np::matmul(&y, &w[0]));
    let key = split(np::matmul(&y, &w[1]));
    let value = split(np::matmul(&y, &w[2]));
    let scores = np::matmul(query, np::transpose(key, [0, 2, 1])) / (width as f64).sqrt();
    let mixed = np::transpose(np::matmul(softmax(&scores), value), [1, 0, 2]);
    let x = x + np::matmul(np::reshape(mixed, [tokens, tokens]), &w[3]);
    let y = np::matmul(layernorm(&x, &scale, &shift), &w[4]);
    let cube = &y * &y * &y;
    let gelu = &y * 0.5 * (np::tanh((&y + cube * 0.044715) * 0.797_884_560_802_865_4) + 1.0);
    x + np::matmul(gelu, &w[5])
}

fn build_attention(n: usize, dtype: DType) -> Result<Case, String> {
    if n == 0 || !n.is_multiple_of(HEADS) {
        return Err(format!("expected a size that {HEADS} divides, got {n}"));
    }
    let x = normal(1, &[n, n], dtype);
    let weights = |seed, rows: usize, columns| {
        let w = normal(seed, &[rows, columns], DType::Float64) / (rows as f64).sqrt();
        w.astype(dtype)
    };
    let mut w: Vec<Array> = (2..6).map(|seed| weights(seed, n, n)).collect();
    w.push(weights(6, n, 4 * n));
    w.push(weights(7, 4 * n, n));
    let scale = Array::from((0..n).map(scale_at).collect::<Vec<f64>>()).astype(dtype);
    let shift = Array::from((0..n).map(shift_at).collect::<Vec<f64>>()).astype(dtype);
    let v: Vec<Vec<f64>> = std::iter::once(&x).chain(&w).map(reals).collect();
    let check = move |results: &[Array]| {
        let expected = block_by_hand(&v, n);
        let expected = np::reshape(Array::from(expected), [n as i64, n as i64]);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = move |args| block(args, n);
    Ok(Case::new(program((x, w, scale, shift), run), check))
}

fn product(x: &[f64], y: &[f64], inner: usize) -> Vec<f64> {
    let (rows, columns) = (x.len() / inner, y.len() / inner);
    let mut out = vec![0.0; rows * columns];
    for i in 0..rows {
        for k in 0..inner {
            for j in 0..columns {
                out[i * columns + j] += x[i * inner + k] * y[k * columns + j];
            }
        }
    }
    out
}

/// The block as loops: `v` is the tokens and the weights.
fn block_by_hand(v: &[Vec<f64>], n: usize) -> Vec<f64> {
    let width = n / HEADS;
    let normalised = |x: &[f64]| {
        let mut y = vec![0.0; x.len()];
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            layernorm_row(x, y);
        }
        y
    };
    let y = normalised(&v[0]);
    let [query, key, value] = [1, 2, 3].map(|i| product(&y, &v[i], n));
    let mut mixed = vec![0.0; n * n];
    for head in 0..HEADS {
        for i in 0..n {
            let at = |x: &[f64], row: usize, d: usize| x[row * n + head * width + d];
            let score = |j: usize| {
                let products = (0..width).map(|d| at(&query, i, d) * at(&key, j, d));
                products.sum::<f64>() / (width as f64).sqrt()
            };
            let scores: Vec<f64> = (0..n).map(score).collect();
            let mut shares = vec![0.0; n];
            softmax_row(&scores, &mut shares);
            for d in 0..width {
                mixed[i * n + head * width + d] = shares
                    .iter()
                    .enumerate()
                    .map(|(j, s)| s * at(&value, j, d))
                    .sum();
            }
        }
    }
    let sum = |x: &[f64], y: Vec<f64>| x.iter().zip(y).map(|(x, y)| x + y).collect::<Vec<f64>>();
    let x = sum(&v[0], product(&mixed, &v[4], n));
    let mut y = product(&normalised(&x), &v[5], n);
    for y in &mut y {
        let inner = 0.797_884_560_802_865_4 * (*y + 0.044715 * y.powi(3));
        *y *= 0.5 * (1.0 + inner.tanh());
    }
    sum(&x, product(&y, &v[6], 4 * n))
}

const ROWS: usize = 32;
const LAYERS: u64 = 4;

fn build_mlp(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[ROWS, n], dtype);
    let weights = |layer| {
        let w = normal(10 + layer, &[n, n], DType::Float64) / (n as f64).sqrt();
        w.astype(dtype)
    };
    let w: Vec<Array> = (0..LAYERS).map(weights).collect();
    let b: Vec<Array> = (0..LAYERS)
        .map(|layer| normal(20 + layer, &[n], dtype))
        .collect();
    let (vx, vw, vb) = (
        reals(&x),
        w.iter().map(reals).collect::<Vec<_>>(),
        b.iter().map(reals).collect::<Vec<_>>(),
    );
    let check = move |results: &[Array]| {
        let mut y = vx.clone();
        for (w, b) in vw.iter().zip(&vb) {
            y = product(&y, w, n);
            for (i, y) in y.iter_mut().enumerate() {
                *y = (*y + b[i % n]).tanh();
            }
        }
        let expected = np::reshape(Array::from(y), [ROWS as i64, n as i64]);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = |(x, w, b): (Array, Vec<Array>, Vec<Array>)| {
        let layer = |x: Array, (w, b)| np::tanh(np::matmul(x, w) + b);
        w.iter().zip(&b).fold(x, layer)
    };
    Ok(Case::new(program((x, w, b), run), check))
}
