//! Graphs of as many nodes as one likes, on vectors of 50: what compiling costs.

use autojit::{Array, DType, numpy as np};

use super::results::{expect_close, reals};
use super::{Case, Choices, REAL, Workload, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "chain",
        about: "n elementwise operations one after the other, on vectors of 50",
        size: "operations",
        sizes: &[1_000, 10_000],
        dtypes: REAL,
        build: build_chain,
        size_of_nodes: Some(|nodes| nodes),
    },
    Workload {
        name: "dag",
        about: "a random graph of n elementwise operations, on vectors of 50",
        size: "operations",
        sizes: &[1_000, 10_000],
        dtypes: REAL,
        build: build_dag,
        size_of_nodes: Some(|nodes| nodes),
    },
];

const ELEMENTS: usize = 50;

/// Steps that keep numbers of any history within [-2, 2] and forget small differences.
fn chain(x: Array, n: usize) -> Array {
    let mut y = x.clone();
    for step in 0..n {
        y = match step % 4 {
            0 => &y + &x,
            1 => np::sin(&y),
            2 => &y * 0.75,
            _ => np::tanh(&y),
        };
    }
    y
}

fn build_chain(n: usize, dtype: DType) -> Result<Case, String> {
    let x = uniform(1, -1.0, 1.0, &[ELEMENTS], dtype);
    let start = reals(&x);
    let check = move |results: &[Array]| {
        let one = |x: f64| {
            (0..n).fold(x, |y, step| match step % 4 {
                0 => y + x,
                1 => y.sin(),
                2 => y * 0.75,
                _ => y.tanh(),
            })
        };
        let expected = Array::from(start.iter().copied().map(one).collect::<Vec<f64>>());
        expect_close(results, &[expected], tolerance(dtype))
    };
    Ok(Case::new(program(x, move |x| chain(x, n)), check))
}

/// An operation of the random graph, with the positions of its operands.
#[derive(Clone, Copy)]
enum Step {
    Sin(usize),
    Cos(usize),
    Tanh(usize),
    Multiply(usize, usize),
    Minimum(usize, usize),
    Maximum(usize, usize),
    /// Half the sum: two nodes.
    Mean(usize, usize),
}

const STARTS: usize = 8;
/// How far back an operand may lie.
const WINDOW: usize = 64;

/// The steps, and the values that none of them uses: the results. Every value is used or a result, so no node is dead.
fn plan(n: usize) -> (Vec<Step>, Vec<usize>) {
    let mut choices = Choices(2026);
    let mut unused: std::collections::VecDeque<usize> = (0..STARTS).collect();
    let (mut steps, mut nodes) = (Vec::new(), 0);
    while nodes < n {
        let value = STARTS + steps.len();
        let a = unused.pop_front().unwrap_or(value - 1);
        let b = value - 1 - choices.below(WINDOW.min(value));
        let step = match choices.below(7) {
            0 => Step::Sin(a),
            1 => Step::Cos(a),
            2 => Step::Tanh(a),
            3 => Step::Multiply(a, b),
            4 => Step::Minimum(a, b),
            5 => Step::Maximum(a, b),
            _ => Step::Mean(a, b),
        };
        nodes += if matches!(step, Step::Mean(..)) { 2 } else { 1 };
        steps.push(step);
        unused.push_back(value);
    }
    (steps, unused.into())
}

/// Runs the steps on any kind of number.
fn follow<T: Clone>(
    starts: Vec<T>,
    steps: &[Step],
    results: &[usize],
    run: impl Fn(Step, &[T]) -> T,
) -> Vec<T> {
    let mut values = starts;
    for &step in steps {
        values.push(run(step, &values));
    }
    results.iter().map(|&i| values[i].clone()).collect()
}

fn on_arrays(step: Step, v: &[Array]) -> Array {
    match step {
        Step::Sin(a) => np::sin(&v[a]),
        Step::Cos(a) => np::cos(&v[a]),
        Step::Tanh(a) => np::tanh(&v[a]),
        Step::Multiply(a, b) => &v[a] * &v[b],
        Step::Minimum(a, b) => np::minimum(&v[a], &v[b]),
        Step::Maximum(a, b) => np::maximum(&v[a], &v[b]),
        Step::Mean(a, b) => (&v[a] + &v[b]) * 0.5,
    }
}

fn on_numbers(step: Step, v: &[f64]) -> f64 {
    match step {
        Step::Sin(a) => v[a].sin(),
        Step::Cos(a) => v[a].cos(),
        Step::Tanh(a) => v[a].tanh(),
        Step::Multiply(a, b) => v[a] * v[b],
        Step::Minimum(a, b) => v[a].min(v[b]),
        Step::Maximum(a, b) => v[a].max(v[b]),
        Step::Mean(a, b) => (v[a] + v[b]) * 0.5,
    }
}

fn build_dag(n: usize, dtype: DType) -> Result<Case, String> {
    let starts: Vec<Array> = (0..STARTS as u64)
        .map(|i| uniform(i, -1.0, 1.0, &[ELEMENTS], dtype))
        .collect();
    let (steps, results) = plan(n);
    let numbers: Vec<Vec<f64>> = starts.iter().map(reals).collect();
    let (their_steps, their_results) = (steps.clone(), results.clone());
    let check = move |got: &[Array]| {
        let mut expected = vec![vec![0.0; ELEMENTS]; their_results.len()];
        for i in 0..ELEMENTS {
            let starts = numbers.iter().map(|x| x[i]).collect();
            let ends = follow(starts, &their_steps, &their_results, on_numbers);
            for (result, end) in expected.iter_mut().zip(ends) {
                result[i] = end;
            }
        }
        let expected: Vec<Array> = expected.into_iter().map(Array::from).collect();
        expect_close(got, &expected, tolerance(dtype))
    };
    let run = move |starts: Vec<Array>| follow(starts, &steps, &results, on_arrays);
    Ok(Case::new(program(starts, run), check))
}
