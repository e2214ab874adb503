//! An integrator that chooses its steps: a loop of which nobody knows how often it runs.
//!
//! The method is that of Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980), of order 5(4); the orbit is
//! Kepler's with eccentricity 0.6, which closes after each period.

use autojit::{Array, DType, Result, numpy as np, while_loop};

use super::results::expect_close;
use super::{Case, DOUBLE, Workload, program};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    name: "while_dopri",
    about: "an orbit by Runge-Kutta of order 5(4) with adaptive steps as a while_loop, n periods",
    size: "periods",
    sizes: &[10],
    dtypes: DOUBLE,
    build,
    size_of_nodes: None,
}];

/// The derivative of position and velocity in the field of a mass at the origin.
fn kepler(y: &Array) -> Array {
    let (position, velocity) = (y.get(0), y.get(1));
    let r2 = np::sum(&position * &position, ..);
    let acceleration = -position / (&r2 * np::sqrt(&r2));
    np::stack(&[velocity, acceleration], ..)
}

/// The weights of the stages; the last row is the result of order 5.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[
        19372.0 / 6561.0,
        -25360.0 / 2187.0,
        64448.0 / 6561.0,
        -212.0 / 729.0,
    ],
    &[
        9017.0 / 3168.0,
        -355.0 / 33.0,
        46732.0 / 5247.0,
        49.0 / 176.0,
        -5103.0 / 18656.0,
    ],
    &[
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
];

/// The weights of the difference between the results of order 5 and 4.
const ERROR: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339_200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

const TOLERANCE: f64 = 1e-10;

fn weighted(weights: &[f64], slopes: &[Array]) -> Array {
    let terms = weights.iter().zip(slopes).filter(|(w, _)| **w != 0.0);
    let terms = terms.map(|(w, slope)| slope * *w);
    terms
        .reduce(|sum, term| sum + term)
        .unwrap_or_else(|| Array::from(0.0))
}

/// Where the body is after some time.
fn integrate((start, end): (Array, Array)) -> Result<Array> {
    type Carried = (Array, Array, Array);
    let goes_on = |(t, _, _): Carried| np::less(&t, &end);
    let step = |(t, h, y): Carried| {
        let h = np::minimum(&h, &end - &t);
        let mut slopes = vec![kepler(&y)];
        let mut next = y.clone();
        for weights in STAGES {
            next = &y + &h * weighted(weights, &slopes);
            slopes.push(kepler(&next));
        }
        let error = &h * weighted(&ERROR, &slopes);
        let scale = np::maximum(np::abs(&y), np::abs(&next)) * TOLERANCE + TOLERANCE;
        let ratio = np::sqrt(np::mean(np::square(error / scale), ..));
        let accepted = np::less_equal(&ratio, 1.0);
        let factor = 0.9 * np::power(np::maximum(&ratio, 1e-10), -0.2);
        let factor = np::minimum(np::maximum(factor, 0.2), 5.0);
        let t = np::where_(&accepted, &t + &h, &t);
        (t, h * factor, np::where_(&accepted, next, y))
    };
    let init = (Array::from(0.0), Array::from(1e-3), start);
    Ok(while_loop(goes_on, step, init)?.2)
}

fn build(n: usize, _: DType) -> std::result::Result<Case, String> {
    let start = Array::from([[0.4, 0.0], [0.0, 2.0]]);
    let end = Array::from(n as f64 * std::f64::consts::TAU);
    let expected = start.clone();
    let check =
        move |results: &[Array]| expect_close(results, std::slice::from_ref(&expected), 1e-5);
    Ok(Case::new(program((start, end), integrate), check))
}
