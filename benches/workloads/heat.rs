//! Diffusion of heat on a grid: a stencil made of slices.

use autojit::{Array, DType, Tree, ix, numpy as np};

use super::results::{expect_close, reals};
use super::{Case, REAL, Workload, baseline, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "heat",
    about: "n steps of the heat equation on a 64 x 64 grid with fixed edges, unrolled",
    size: "steps",
    sizes: &[100],
    dtypes: REAL,
    build,
    size_of_nodes: None,
}];

const GRID: usize = 64;
const RATE: f64 = 0.2;

/// The grid after a step.
pub(super) fn step(u: &Array) -> Array {
    let middle = u.get(ix![1..-1, 1..-1]);
    let vertical = u.get(ix![..-2, 1..-1]) + u.get(ix![2.., 1..-1]);
    let horizontal = u.get(ix![1..-1, ..-2]) + u.get(ix![1..-1, 2..]);
    let middle = &middle + (vertical + horizontal - &middle * 4.0) * RATE;
    let (left, right) = (u.get(ix![1..-1, ..1]), u.get(ix![1..-1, -1..]));
    let middle = np::concatenate([left, middle, right], 1);
    np::concatenate([u.get(ix![..1, ..]), middle, u.get(ix![-1.., ..])], 0)
}

fn diffuse(u: Array, n: usize) -> Array {
    (0..n).fold(u, |u, _| step(&u))
}

/// As loops over two grids in turn; the result is in the first.
fn by_hand(u: &mut Vec<f64>, next: &mut Vec<f64>, n: usize) {
    next.clone_from(u);
    for _ in 0..n {
        for i in 1..GRID - 1 {
            let [up, here, down] = [i - 1, i, i + 1].map(|i| &u[i * GRID..(i + 1) * GRID]);
            let out = &mut next[i * GRID..(i + 1) * GRID];
            for j in 1..GRID - 1 {
                let around = up[j] + down[j] + (here[j - 1] + here[j + 1]);
                out[j] = here[j] + (around - 4.0 * here[j]) * RATE;
            }
        }
        std::mem::swap(u, next);
    }
}

fn grid(u: &[f64]) -> Array {
    np::reshape(Array::from(u), [GRID as i64, GRID as i64])
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    case(n, dtype, diffuse)
}

/// The case of a function that makes `n` steps.
pub(super) fn case<R: Tree + 'static>(
    n: usize,
    dtype: DType,
    diffuse: impl Fn(Array, usize) -> R + 'static,
) -> Result<Case, String> {
    let u = uniform(1, 0.0, 1.0, &[GRID, GRID], dtype);
    let start = reals(&u);
    let loops = baseline(
        "rust",
        (start.clone(), Vec::new(), Vec::new()),
        move |(start, u, next)| {
            u.clone_from(start);
            by_hand(u, next, n);
        },
        |(_, u, _)| vec![grid(u)],
    );
    let check = move |results: &[Array]| {
        let (mut u, mut next) = (start.clone(), Vec::new());
        by_hand(&mut u, &mut next, n);
        expect_close(results, &[grid(&u)], tolerance(dtype))
    };
    let case = Case::new(program(u, move |u| diffuse(u, n)), check);
    Ok(match dtype {
        DType::Float64 => case.baseline(loops),
        _ => case,
    })
}
