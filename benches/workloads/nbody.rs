//! Eight bodies under gravity, integrated by Runge-Kutta of fourth order.

use autojit::{Array, DType, ix, numpy as np};

use super::results::{expect_close, reals};
use super::{Baseline, Case, REAL, Workload, baseline, normal, program, tolerance, uniform};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "rk4",
    about: "n steps of Runge-Kutta for 8 bodies under gravity, unrolled",
    size: "steps",
    sizes: &[25],
    dtypes: REAL,
    build,
    size_of_nodes: None,
}];

pub(super) const BODIES: usize = 8;
const STEP: f64 = 0.01;
/// Keeps bodies that meet from infinite forces.
const SOFTENING: f64 = 0.05;

fn acceleration(position: &Array, mass: &Array) -> Array {
    let apart = position.get(ix![NewAxis, .., ..]) - position.get(ix![.., NewAxis, ..]);
    let squared = np::sum(&apart * &apart, -1) + SOFTENING;
    let weight = mass / (&squared * np::sqrt(&squared));
    np::sum(apart * weight.get(ix![.., .., NewAxis]), 1)
}

pub(super) fn integrate((x, v, mass): (Array, Array, Array), n: usize) -> (Array, Array) {
    let (mut x, mut v) = (x, v);
    for _ in 0..n {
        let a1 = acceleration(&x, &mass);
        let v2 = &v + &a1 * (STEP / 2.0);
        let a2 = acceleration(&(&x + &v * (STEP / 2.0)), &mass);
        let v3 = &v + &a2 * (STEP / 2.0);
        let a3 = acceleration(&(&x + &v2 * (STEP / 2.0)), &mass);
        let v4 = &v + &a3 * STEP;
        let a4 = acceleration(&(&x + &v3 * STEP), &mass);
        x += (&v + v2 * 2.0 + v3 * 2.0 + v4) * (STEP / 6.0);
        v += (a1 + a2 * 2.0 + a3 * 2.0 + a4) * (STEP / 6.0);
    }
    (x, v)
}

type Bodies = [[f64; 3]; BODIES];

fn pull(x: &Bodies, mass: &[f64]) -> Bodies {
    let mut a = [[0.0; 3]; BODIES];
    for i in 0..BODIES {
        for j in 0..BODIES {
            let apart: [f64; 3] = std::array::from_fn(|d| x[j][d] - x[i][d]);
            let squared = apart.iter().map(|d| d * d).sum::<f64>() + SOFTENING;
            let weight = mass[j] / (squared * squared.sqrt());
            for d in 0..3 {
                a[i][d] += apart[d] * weight;
            }
        }
    }
    a
}

/// `x + h * y`.
fn advanced(x: &Bodies, h: f64, y: &Bodies) -> Bodies {
    std::array::from_fn(|i| std::array::from_fn(|d| x[i][d] + h * y[i][d]))
}

fn by_hand(start: &(Bodies, Bodies, Vec<f64>), n: usize) -> (Bodies, Bodies) {
    let (mut x, mut v, mass) = (start.0, start.1, &start.2);
    for _ in 0..n {
        let a1 = pull(&x, mass);
        let v2 = advanced(&v, STEP / 2.0, &a1);
        let a2 = pull(&advanced(&x, STEP / 2.0, &v), mass);
        let v3 = advanced(&v, STEP / 2.0, &a2);
        let a3 = pull(&advanced(&x, STEP / 2.0, &v2), mass);
        let v4 = advanced(&v, STEP, &a3);
        let a4 = pull(&advanced(&x, STEP, &v3), mass);
        for (h, dx, dv) in [(1.0, v, a1), (2.0, v2, a2), (2.0, v3, a3), (1.0, v4, a4)] {
            x = advanced(&x, h * STEP / 6.0, &dx);
            v = advanced(&v, h * STEP / 6.0, &dv);
        }
    }
    (x, v)
}

fn array(bodies: &Bodies) -> Array {
    Array::from(*bodies)
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let x = normal(1, &[BODIES, 3], dtype);
    let v = normal(2, &[BODIES, 3], dtype);
    let mass = uniform(3, 0.5, 1.5, &[BODIES], dtype);
    let bodies = |x: &Array| {
        let numbers = reals(x);
        std::array::from_fn(|i| std::array::from_fn(|d| numbers[3 * i + d]))
    };
    let start: (Bodies, Bodies, Vec<f64>) = (bodies(&x), bodies(&v), reals(&mass));
    let loops: Box<dyn Baseline> = baseline(
        "rust",
        (start.clone(), ([[0.0; 3]; BODIES], [[0.0; 3]; BODIES])),
        move |(start, out)| *out = by_hand(start, n),
        |(_, (x, v))| vec![array(x), array(v)],
    );
    let check = move |results: &[Array]| {
        let (x, v) = by_hand(&start, n);
        expect_close(results, &[array(&x), array(&v)], tolerance(dtype))
    };
    let case = Case::new(program((x, v, mass), move |args| integrate(args, n)), check);
    Ok(match dtype {
        DType::Float64 => case.baseline(loops),
        _ => case,
    })
}
