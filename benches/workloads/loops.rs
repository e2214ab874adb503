//! Loops that stay loops: what is compiled is one iteration, however many there are.
//!
//! `scan_kalman` and `fori_heat` do in a loop what `kalman` and `heat` do unrolled.

use autojit::{Array, DType, Result, fori_loop, ix, numpy as np, scan, value_and_grad};

use super::gradients::check_gradient;
use super::kalman::{self, Matrices};
use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, baseline, heat, normal, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "scan_kalman",
        about: "the Kalman filter of 6 states and 3 observations as a scan over n observations",
        size: "steps",
        sizes: &[100, 100_000],
        dtypes: DOUBLE,
        build: kalman_scan,
        size_of_nodes: None,
    },
    Workload {
        name: "scan_scalars",
        about: "a cascade of 60 reservoirs as a scan of n steps that carries 60 numbers",
        size: "steps",
        sizes: &[614],
        dtypes: DOUBLE,
        build: scalars,
        size_of_nodes: None,
    },
    Workload {
        name: "grad_scan_scalars",
        about: "value and gradient of what runs off, by the 60 numbers at the start and the 60 rates",
        size: "steps",
        sizes: &[614],
        dtypes: DOUBLE,
        build: scalars_gradient,
        size_of_nodes: None,
    },
    Workload {
        name: "scan_iir",
        about: "four filters of second order in a row, as a scan over n samples that carries 8 numbers",
        size: "samples",
        sizes: &[100_000],
        dtypes: DOUBLE,
        build: iir,
        size_of_nodes: None,
    },
    Workload {
        name: "scan_lstm",
        about: "an LSTM of 64 units with inputs of 32, as a scan of n steps",
        size: "steps",
        sizes: &[10_000],
        dtypes: DOUBLE,
        build: lstm,
        size_of_nodes: None,
    },
    Workload {
        name: "fori_heat",
        about: "n steps of the heat equation on a 64 x 64 grid with fixed edges, as a fori_loop",
        size: "steps",
        sizes: &[1_000, 100],
        dtypes: DOUBLE,
        build: |n, dtype| heat::case(n, dtype, diffuse),
        size_of_nodes: None,
    },
];

type Outcome<T> = std::result::Result<T, String>;

fn kalman_scan(n: usize, dtype: DType) -> Outcome<Case> {
    let z = normal(1, &[n, kalman::OBSERVED], dtype);
    let observations = reals(&z);
    let check = move |results: &[Array]| {
        let (x, p, likelihood) = kalman::by_axes(&observations);
        let p = kalman::matrix(p, kalman::STATES);
        let expected = [Array::from(x), p, Array::from(likelihood)];
        expect_close(results, &expected, tolerance(dtype))
    };
    let run = |(matrices, z): (Matrices, Array)| -> Result<kalman::State> {
        let start = kalman::start(&matrices.0);
        let one = start.1.clone();
        let step = |state: kalman::State, z: Array| {
            let state = kalman::step(state, &z, &matrices, &one);
            (state, Vec::<Array>::new())
        };
        Ok(scan(step, start, z)?.0)
    };
    Ok(Case::new(program((kalman::matrices(), z), run), check).per(n, "step"))
}

fn diffuse(u: Array, n: usize) -> Result<Array> {
    fori_loop(0, n as i64, |_: Array, u: Array| heat::step(&u), u)
}

/// Numbers that are carried.
const RESERVOIRS: usize = 60;
/// The length of a step.
const TIME: f64 = 0.25;

/// The contents of the reservoirs at the end, and the outflow of the last one at each step.
fn cascade(start: &Array, rates: &Array, rain: Array) -> Result<(Array, Array)> {
    let each = |x: &Array| -> Vec<Array> { (0..RESERVOIRS as i64).map(|i| x.get(i)).collect() };
    let rates = each(rates);
    let step = |levels: Vec<Array>, rain: Array| {
        let mut flow = rain;
        let mut next = Vec::with_capacity(RESERVOIRS);
        for (level, rate) in levels.iter().zip(&rates) {
            let out = rate * level / (1.0 + level);
            next.push(level + (flow - &out) * TIME);
            flow = out;
        }
        (next, flow)
    };
    let (levels, flows) = scan(step, each(start), rain)?;
    Ok((np::stack(&levels, ..), flows))
}

fn cascade_by_hand(levels: &mut [f64], rates: &[f64], rain: &[f64], flows: &mut Vec<f64>) {
    for &rain in rain {
        let mut flow = rain;
        for (level, rate) in levels.iter_mut().zip(rates) {
            let out = rate * *level / (1.0 + *level);
            *level += (flow - out) * TIME;
            flow = out;
        }
        flows.push(flow);
    }
}

fn reservoirs(n: usize, dtype: DType) -> (Array, Array, Array) {
    (
        uniform(1, 0.0, 2.0, &[RESERVOIRS], dtype),
        uniform(2, 0.5, 1.5, &[RESERVOIRS], dtype),
        uniform(3, 0.0, 1.0, &[n], dtype),
    )
}

fn scalars(n: usize, dtype: DType) -> Outcome<Case> {
    let (start, rates, rain) = reservoirs(n, dtype);
    let numbers = [&start, &rates, &rain].map(reals);
    let loops = baseline(
        "rust",
        (numbers.clone(), Vec::new(), Vec::new()),
        |([start, rates, rain], levels, flows)| {
            levels.clone_from(start);
            flows.clear();
            cascade_by_hand(levels, rates, rain, flows);
        },
        |(_, levels, flows)| vec![Array::from(&levels[..]), Array::from(&flows[..])],
    );
    let check = move |results: &[Array]| {
        let [mut levels, rates, rain] = numbers.clone();
        let mut flows = Vec::new();
        cascade_by_hand(&mut levels, &rates, &rain, &mut flows);
        let expected = [Array::from(levels), Array::from(flows)];
        expect_close(results, &expected, tolerance(dtype))
    };
    let run = |(start, rates, rain): (Array, Array, Array)| cascade(&start, &rates, rain);
    let case = Case::new(program((start, rates, rain), run), check);
    Ok(case.baseline(loops).per(n, "step"))
}

/// A weighted sum of the outflow and of the contents that are left.
fn run_off(start: &Array, rates: &Array, rain: Array) -> Result<Array> {
    let (levels, flows) = cascade(start, rates, rain)?;
    Ok(np::sum(&levels * &levels, ..) + np::sum(flows, ..))
}

fn scalars_gradient(n: usize, dtype: DType) -> Outcome<Case> {
    let (start, rates, rain) = reservoirs(n, dtype);
    let given = rain.clone();
    // A number that nothing is close to, if it failed.
    let of = move |x: &[Array]| {
        run_off(&x[0], &x[1], given.clone()).unwrap_or_else(|_| Array::from(f64::NAN))
    };
    let at = [start.clone(), rates.clone()];
    let check = move |results: &[Array]| check_gradient(&of, &at, results);
    let run = |((start, rates), rain): ((Array, Array), Array)| {
        value_and_grad(|(start, rates): (Array, Array)| run_off(&start, &rates, rain.clone()))((
            start, rates,
        ))
    };
    let case = Case::new(program(((start, rates), rain), run), check);
    Ok(case.per(n, "step"))
}

/// Filters of second order: what new samples and old results are multiplied with.
const FILTERS: [([f64; 3], [f64; 2]); 4] = [
    ([0.2, 0.4, 0.2], [-0.4, 0.2]),
    ([0.3, -0.2, 0.3], [-0.6, 0.3]),
    ([0.5, 0.1, 0.4], [0.2, 0.1]),
    ([0.6, -0.3, 0.1], [-0.1, 0.4]),
];

/// The filters in the transposed direct form.
fn filtered(x: Array) -> Result<Array> {
    let step = |memory: Vec<Array>, x: Array| {
        let (mut x, mut next) = (x, Vec::with_capacity(memory.len()));
        for (([b0, b1, b2], [a1, a2]), memory) in FILTERS.iter().zip(memory.chunks(2)) {
            let y = &x * *b0 + &memory[0];
            next.push(&x * *b1 - &y * *a1 + &memory[1]);
            next.push(&x * *b2 - &y * *a2);
            x = y;
        }
        (next, x)
    };
    let nothing = vec![Array::from(0.0); 2 * FILTERS.len()];
    Ok(scan(step, nothing, x)?.1)
}

fn filtered_by_hand(x: &[f64], results: &mut Vec<f64>) {
    let mut memory = [[0.0; 2]; FILTERS.len()];
    results.clear();
    for &x in x {
        let mut x = x;
        for (([b0, b1, b2], [a1, a2]), memory) in FILTERS.iter().zip(&mut memory) {
            let y = x * b0 + memory[0];
            *memory = [x * b1 - y * a1 + memory[1], x * b2 - y * a2];
            x = y;
        }
        results.push(x);
    }
}

fn iir(n: usize, dtype: DType) -> Outcome<Case> {
    let x = normal(1, &[n], dtype);
    let samples = reals(&x);
    let loops = baseline(
        "rust",
        (samples.clone(), Vec::new()),
        |(x, results)| filtered_by_hand(x, results),
        |(_, results)| vec![Array::from(&results[..])],
    );
    let check = move |results: &[Array]| {
        let mut expected = Vec::new();
        filtered_by_hand(&samples, &mut expected);
        expect_close(results, &[Array::from(expected)], tolerance(dtype))
    };
    let case = Case::new(program(x, filtered), check);
    Ok(case.baseline(loops).per(n, "sample"))
}

const UNITS: usize = 64;
const FEATURES: usize = 32;

fn sigmoid(x: Array) -> Array {
    1.0 / (1.0 + np::exp(-x))
}

type Weights = (Array, Array, Array);

/// The outputs of the units at each step. The four parts of the weights are those of the input, forget and output gates and of the
/// candidates.
fn units((w, u, b): &Weights, xs: Array) -> Result<Array> {
    let step = |(h, c): (Array, Array), x: Array| {
        let all = np::matmul(w, x) + np::matmul(u, h) + b;
        let part = |k: usize| all.get(ix![(k * UNITS) as i64..((k + 1) * UNITS) as i64]);
        let (enter, keep) = (sigmoid(part(0)), sigmoid(part(1)));
        let c = keep * c + enter * np::tanh(part(3));
        let h = sigmoid(part(2)) * np::tanh(&c);
        ((h.clone(), c), h)
    };
    let nothing = np::zeros([UNITS], np::like(w));
    Ok(scan(step, (nothing.clone(), nothing), xs)?.1)
}

fn units_by_hand([w, u, b, xs]: &[Vec<f64>; 4]) -> Vec<f64> {
    let dot = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (mut h, mut c) = (vec![0.0; UNITS], vec![0.0; UNITS]);
    let mut results = Vec::new();
    for x in xs.chunks(FEATURES) {
        let all: Vec<f64> = (0..4 * UNITS)
            .map(|i| {
                let (w, u) = (&w[i * FEATURES..][..FEATURES], &u[i * UNITS..][..UNITS]);
                dot(w, x) + dot(u, &h) + b[i]
            })
            .collect();
        for i in 0..UNITS {
            let [enter, keep, give, new] = [0, 1, 2, 3].map(|k| all[k * UNITS + i]);
            c[i] = sigmoid(keep) * c[i] + sigmoid(enter) * new.tanh();
            h[i] = sigmoid(give) * c[i].tanh();
        }
        results.extend_from_slice(&h);
    }
    results
}

fn lstm(n: usize, dtype: DType) -> Outcome<Case> {
    let rows = 4 * UNITS;
    let weights = (
        normal(1, &[rows, FEATURES], dtype) * 0.15,
        normal(2, &[rows, UNITS], dtype) * 0.1,
        normal(3, &[rows], dtype) * 0.1,
    );
    let xs = normal(4, &[n, FEATURES], dtype);
    let (w, u, b) = &weights;
    let numbers = [w, u, b, &xs].map(reals);
    let check = move |results: &[Array]| {
        let expected = Array::from(units_by_hand(&numbers));
        let expected = np::reshape(expected, [-1, UNITS as i64]);
        expect_close(results, &[expected], tolerance(dtype))
    };
    let run = |(weights, xs): (Weights, Array)| units(&weights, xs);
    let case = Case::new(program((weights, xs), run), check);
    Ok(case.per(n, "step"))
}
