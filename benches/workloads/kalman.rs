//! An unrolled Kalman filter: small matrix products, a solve and a Cholesky decomposition in each step.

use autojit::{Array, DType, numpy as np};

use super::results::{expect_close, reals};
use super::{Case, DOUBLE, Workload, normal, program, tolerance};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "kalman",
    about: "a Kalman filter of 6 states and 3 observations, n steps unrolled",
    size: "steps",
    sizes: &[100],
    dtypes: DOUBLE,
    build,
    size_of_nodes: None,
}];

pub(super) const STATES: usize = 6;
pub(super) const OBSERVED: usize = 3;
/// Noise of the motion and of the observations.
const MOTION: f64 = 0.01;
const OBSERVATION: f64 = 0.25;

/// The motion, what is observed, and the noise of both.
pub(super) type Matrices = (Array, Array, Array, Array);

/// The estimate, its covariance, and the logarithm of the likelihood so far.
pub(super) type State = (Array, Array, Array);

/// The estimate, its covariance and the likelihood before the first observation.
pub(super) fn start(like: &Array) -> State {
    let n = STATES as i64;
    (
        np::zeros([n], np::like(like)),
        np::eye(n, np::like(like)),
        np::zeros(Vec::<i64>::new(), np::like(like)),
    )
}

/// Positions and speeds along three axes; positions are observed. `one` is the covariance at the start.
pub(super) fn step(
    (x, p, likelihood): State,
    z: &Array,
    (f, h, q, r): &Matrices,
    one: &Array,
) -> State {
    let x = np::matmul(f, &x);
    let p = np::matmul(np::matmul(f, &p), f.t()) + q;
    let s = np::matmul(np::matmul(h, &p), h.t()) + r;
    let residual = z - np::matmul(h, &x);
    // The gain is P H' S^-1; S and P are symmetric.
    let gain = np::linalg::solve(&s, np::matmul(h, &p)).t();
    let x = x + np::matmul(&gain, &residual);
    let p = np::matmul(one - np::matmul(&gain, h), &p);
    let factor = np::linalg::cholesky(&s, ..);
    let distance = np::sum(&residual * np::linalg::solve(&s, &residual), ..);
    let logarithm = np::sum(np::log(np::diagonal(factor, ..)), ..);
    (x, p, likelihood - distance * 0.5 - logarithm)
}

/// The last estimate, its covariance, and the logarithm of the likelihood of the observations.
pub(super) fn filter((f, h, q, r, z): (Array, Array, Array, Array, Array), n: usize) -> State {
    let matrices = (f, h, q, r);
    let mut state = start(&matrices.0);
    let one = state.1.clone();
    for number in 0..n as i64 {
        state = step(state, &z.get(number), &matrices, &one);
    }
    state
}

fn motion() -> Vec<f64> {
    let mut f = vec![0.0; STATES * STATES];
    for i in 0..STATES {
        f[i * STATES + i] = if i < OBSERVED { 1.0 } else { 0.98 };
        if i < OBSERVED {
            f[i * STATES + i + OBSERVED] = 0.1;
        }
    }
    f
}

pub(super) fn matrix(data: Vec<f64>, columns: usize) -> Array {
    np::reshape(Array::from(data), [-1, columns as i64])
}

/// The transition and the observation of the filter, and the noise of both.
pub(super) fn matrices() -> Matrices {
    (
        matrix(motion(), STATES),
        np::eye(OBSERVED as i64, np::columns(STATES as i64)),
        np::eye(STATES as i64, ..) * MOTION,
        np::eye(OBSERVED as i64, ..) * OBSERVATION,
    )
}

fn build(n: usize, dtype: DType) -> Result<Case, String> {
    let (f, h, q, r) = matrices();
    let z = normal(1, &[n, OBSERVED], dtype);
    let observations = reals(&z);
    let check = move |results: &[Array]| {
        let (x, p, likelihood) = by_axes(&observations);
        let expected = [Array::from(x), matrix(p, STATES), Array::from(likelihood)];
        expect_close(results, &expected, tolerance(dtype))
    };
    let run = move |args| filter(args, n);
    Ok(Case::new(program((f, h, q, r, z), run), check))
}

/// The three axes do not know of each other, so the filter is three filters of a position and a speed: scalars only.
pub(super) fn by_axes(z: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let (mut states, mut covariance) = (vec![0.0; STATES], vec![0.0; STATES * STATES]);
    let mut likelihood = 0.0;
    for axis in 0..OBSERVED {
        let (mut x, mut v) = (0.0, 0.0);
        let (mut xx, mut xv, mut vv) = (1.0, 0.0, 1.0);
        for z in z.iter().skip(axis).step_by(OBSERVED) {
            (x, v) = (x + 0.1 * v, 0.98 * v);
            xx += 0.2 * xv + 0.01 * vv + MOTION;
            xv = 0.98 * (xv + 0.1 * vv);
            vv = 0.98 * 0.98 * vv + MOTION;
            let s = xx + OBSERVATION;
            let (gain_x, gain_v, residual) = (xx / s, xv / s, z - x);
            (x, v) = (x + gain_x * residual, v + gain_v * residual);
            vv -= gain_v * xv;
            xv -= gain_x * xv;
            xx -= gain_x * xx;
            likelihood -= 0.5 * residual * residual / s + 0.5 * s.ln();
        }
        let speed = axis + OBSERVED;
        (states[axis], states[speed]) = (x, v);
        covariance[axis * STATES + axis] = xx;
        covariance[axis * STATES + speed] = xv;
        covariance[speed * STATES + axis] = xv;
        covariance[speed * STATES + speed] = vv;
    }
    (states, covariance, likelihood)
}
