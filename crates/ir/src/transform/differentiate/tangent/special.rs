//! The derivative of `lgamma`, which no op is.

use std::f64::consts::PI;

use super::super::writer::Writer;
use crate::error::Result;
use crate::{MapOp, ValueId};

/// How far an argument is moved before the series is used.
const STEPS: usize = 8;

/// `B(2k) / 2k` of the asymptotic series, for k = 1, 2, ..
const SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];

/// The digamma function of real numbers, the derivative of `lgamma`; infinite or NaN at its poles.
///
/// By reflection to arguments of at least 1/2, by recurrence to those beyond 8, and there by the asymptotic series, whose
/// error is below 1e-15. Source: Abramowitz and Stegun, 6.3.5, 6.3.7 and 6.3.18.
pub(super) fn digamma(w: &mut Writer, x: ValueId) -> Result<ValueId> {
    let half = w.number(0.5, x)?;
    let reflected = w.op(MapOp::Less, &[x, half])?;
    let mirror = w.minus(1.0, x)?;
    let z = w.select(reflected, mirror, x)?;

    let mut steps = w.op(MapOp::Reciprocal, &[z])?;
    for i in 1..STEPS {
        let next = w.shift(z, i as f64)?;
        let inverse = w.op(MapOp::Reciprocal, &[next])?;
        steps = w.add(steps, inverse)?;
    }
    let far = w.shift(z, STEPS as f64)?;
    let inverse = w.op(MapOp::Reciprocal, &[far])?;
    let square = w.mul(inverse, inverse)?;
    let mut series = w.number(SERIES[SERIES.len() - 1], x)?;
    for &coefficient in SERIES[..SERIES.len() - 1].iter().rev() {
        let product = w.mul(series, square)?;
        series = w.shift(product, coefficient)?;
    }
    let series = w.mul(series, square)?;
    let half = w.scale(inverse, 0.5)?;
    let log = w.op(MapOp::Log, &[far])?;
    let value = w.sub(log, half)?;
    let value = w.sub(value, series)?;
    let value = w.sub(value, steps)?;

    // psi(x) = psi(1 - x) - pi / tan(pi x). The tangent is of the fraction of x, which is exact.
    let whole = w.op(MapOp::Rint, &[x])?;
    let fraction = w.sub(x, whole)?;
    let angle = w.scale(fraction, PI)?;
    let tangent = w.op(MapOp::Tan, &[angle])?;
    let pi = w.number(PI, x)?;
    let cotangent = w.div(pi, tangent)?;
    let cotangent = w.keep(reflected, cotangent)?;
    w.sub(value, cotangent)
}
