//! The error function and the logarithm of the gamma function, by series that are slow and easy to check.
//!
//! Relative errors are a few units in the last place of `f64`, except for `lgamma` near its zeros between negative
//! integers, where only the absolute error is that small.

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::Tensor;
use super::elementwise::unary;
use crate::error::Result;
use crate::scalar::Scalar::Float;
use crate::types::Type;

pub(crate) fn erf(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    unary(inputs, result, |s| Float(error_function(s.to_f64())))
}

pub(crate) fn lgamma(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    unary(inputs, result, |s| Float(log_gamma(s.to_f64())))
}

/// `exp(-x^2)`, with what rounding the square loses.
fn gaussian(x: f64) -> f64 {
    let square = x * x;
    let lost = x.mul_add(x, -square);
    (-square).exp() * (1.0 - lost)
}

/// Source: Abramowitz and Stegun 7.1.6 (a series without cancellation) and 7.1.14 (a continued fraction).
fn error_function(x: f64) -> f64 {
    let magnitude = x.abs();
    if x.is_nan() || x == 0.0 {
        return x;
    }
    if magnitude > 6.0 {
        return 1.0f64.copysign(x);
    }
    if magnitude < 1.0 {
        // 2 / sqrt(pi) exp(-x^2) x (1 + 2 x^2 / 3 (1 + 2 x^2 / 5 (1 + ..)))
        let double = 2.0 * magnitude * magnitude;
        let series = (1..40)
            .rev()
            .fold(1.0, |rest, n| 1.0 + double / f64::from(2 * n + 1) * rest);
        let factor = series * gaussian(magnitude) * std::f64::consts::FRAC_2_SQRT_PI;
        return x * factor;
    }
    // exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + (2/2) / (x + (3/2) / ..)))
    let fraction = (1..400)
        .rev()
        .fold(magnitude, |below, k| magnitude + 0.5 * f64::from(k) / below);
    (1.0 - gaussian(magnitude) / (fraction * PI.sqrt())).copysign(x)
}

/// Riemann's zeta function less one, by the Euler-Maclaurin formula.
fn zeta_less_one(s: f64) -> f64 {
    const N: f64 = 80.0;
    let direct: f64 = (2..80).rev().map(|n| f64::from(n).powf(-s)).sum();
    let tail = N.powf(1.0 - s) / (s - 1.0) + 0.5 * N.powf(-s);
    let first = s / 12.0 * N.powf(-s - 1.0);
    let second = s * (s + 1.0) * (s + 2.0) / 720.0 * N.powf(-s - 3.0);
    let third = s * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) / 30240.0 * N.powf(-s - 5.0);
    direct + (tail + first - second + third)
}

/// `lgamma(1 + z)` for `|z| <= 1/2`.
///
/// Source: Abramowitz and Stegun 6.1.33.
fn log_gamma_near_one(z: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    static COEFFICIENTS: LazyLock<Vec<f64>> = LazyLock::new(|| {
        let coefficients = (2..50).map(f64::from);
        coefficients.map(|k| zeta_less_one(k) / k).collect()
    });
    let coefficients = COEFFICIENTS.iter().rev();
    let series = coefficients.fold(0.0, |sum, c| c - z * sum);
    z.mul_add(1.0 - EULER, z * z * series) - z.ln_1p()
}

fn log_gamma(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() || (x <= 0.0 && x == x.floor()) {
        return f64::INFINITY;
    }
    if x < 0.0 {
        // gamma(x) gamma(-x) = -pi / (x sin(pi x))
        let distance = x - x.round();
        let sine = (PI * distance).sin().abs();
        if x > -1e-20 {
            return -(-x).ln();
        }
        return PI.ln() - (-x).ln() - sine.ln() - log_gamma(-x);
    }
    if x < 0.5 {
        return log_gamma_near_one(x) - x.ln();
    }
    if x < 1.5 {
        return log_gamma_near_one(x - 1.0);
    }
    if x <= 2.5 {
        return (x - 2.0).ln_1p() + log_gamma_near_one(x - 2.0);
    }
    if x < 40.0 {
        let (mut reduced, mut product) = (x, 1.0);
        while reduced > 2.5 {
            reduced -= 1.0;
            product *= reduced;
        }
        return f64::ln(product) + log_gamma(reduced);
    }
    if x > 1e17 {
        return x * (x.ln() - 1.0);
    }
    // Stirling's series.
    let inverse = x.recip();
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + (0.5 * (2.0 * PI).ln() + series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_tables() {
        // Abramowitz and Stegun, tables 7.1 and 6.1, and mpmath for the rest.
        for (x, expected) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (-3.0, -0.999_977_909_503_001_4),
            (1e-300, 1.128_379_167_095_512_6e-300),
        ] {
            let got = error_function(x);
            assert!(
                (got - expected).abs() <= 3e-16 * expected.abs(),
                "{x}: {got}"
            );
        }
        for (x, expected) in [
            (0.5, 0.572_364_942_924_700_1),
            (1.1, -0.049_872_441_259_839_72),
            (2.5, 0.284_682_870_472_919_2),
            (10.0, 12.801_827_480_081_469),
            (100.0, 359.134_205_369_575_4),
            (-0.5, 1.265_512_123_484_645_4),
            (-2.5, -0.056_243_716_497_674_054),
        ] {
            let got = log_gamma(x);
            assert!(
                (got - expected).abs() <= 4e-16 * expected.abs().max(0.3),
                "{x}: {got}"
            );
        }
        assert_eq!(log_gamma(1.0), 0.0);
        assert_eq!(log_gamma(2.0), 0.0);
    }
}
