//! The logarithm of the gamma function of `f64`.
//!
//! Polynomials by Chebyshev interpolation with 60 digits, whose own error is below a tenth of a unit in the last place;
//! rounding in their evaluation adds one or two units.

use std::f64::consts::PI;

/// Half the logarithm of two pi.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
/// From here on ten terms of Stirling's series are more than enough.
const STIRLING_FROM: f64 = 13.0;

/// A polynomial by its coefficients, from the constant term on.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The logarithm of the modulus of the gamma function (`scipy.special.gammaln`), within 2 units in the last place for
/// positive arguments. Near its zeros between negative integers only the absolute error is that small.
pub(super) fn lgamma(x: f64) -> f64 {
    if x.is_infinite() {
        return f64::INFINITY;
    }
    if x < 0.0 {
        // The reflection formula; the sine of the exact distance from the nearest integer.
        let sine = (PI * (x - x.round())).sin().abs();
        if sine == 0.0 {
            return f64::INFINITY;
        }
        // Of tiny arguments the product with the sine would vanish.
        return if x > -1e-20 {
            -(-x).ln()
        } else {
            (PI / (x * sine).abs()).ln() - lgamma(-x)
        };
    }
    if x < 0.5 {
        x * polynomial(&LGAMMA_ONE, x) - x.ln()
    } else if x <= 1.5 {
        (x - 1.0) * polynomial(&LGAMMA_ONE, x - 1.0)
    } else if x < STIRLING_FROM {
        let (mut reduced, mut product) = (x, 1.0);
        while reduced > 2.5 {
            reduced -= 1.0;
            product *= reduced;
        }
        let rest = (reduced - 2.0) * polynomial(&LGAMMA_TWO, reduced - 2.0);
        if product == 1.0 {
            rest
        } else {
            product.ln() + rest
        }
    } else if x < 1e17 {
        let inverse = x.recip();
        let series = inverse * polynomial(&STIRLING, inverse * inverse);
        (x - 0.5) * x.ln() - x + (HALF_LOG_TAU + series)
    } else {
        // Nothing but this remains, and it overflows no earlier than the result; NaN comes here, too.
        x * (x.ln() - 1.0)
    }
}

/// `lgamma(1 + z) / z` in powers of `z`, for `|z| <= 1/2`.
const LGAMMA_ONE: [f64; 29] = [
    -0.5772156649015329,
    0.8224670334241131,
    -0.4006856343865313,
    0.2705808084278337,
    -0.20738555102872175,
    0.16955717698926046,
    -0.14404989676093186,
    0.12550967015385275,
    -0.11133426648064039,
    0.10009943008747753,
    -0.09095399050709609,
    0.08335458900295017,
    -0.07693324338734528,
    0.07141935724662937,
    -0.06665550719444015,
    0.0626711104727693,
    -0.05898924031065899,
    0.054058776743014576,
    -0.051177808935222266,
    0.05928878667667664,
    -0.05663969322285954,
    0.005299145410064582,
    -0.004485262603857743,
    0.15846766634774326,
    -0.15340561526661967,
    -0.17310581118613022,
    0.16833795110458488,
    0.23220268431813382,
    -0.2251396034009193,
];
/// `lgamma(2 + z) / z` in powers of `z`, for `|z| <= 1/2`.
const LGAMMA_TWO: [f64; 19] = [
    0.42278433509846713,
    0.32246703342411326,
    -0.0673523010531981,
    0.02058080842778038,
    -0.0073855510286719986,
    0.002890510331034267,
    -0.0011927539118428156,
    0.0005096695154115458,
    -0.00022315475400520507,
    9.945767355819498e-05,
    -4.49263133791557e-05,
    2.0505590755833454e-05,
    -9.438715099211532e-06,
    4.38470440459836e-06,
    -2.0439048107029907e-06,
    9.200527894968101e-07,
    -4.3252393445604814e-07,
    2.78740805211359e-07,
    -1.3219945666117874e-07,
];
/// Coefficients of `1/x, 1/x^3, ...` in Stirling's series.
const STIRLING: [f64; 10] = [
    0.08333333333333333,
    -0.002777777777777778,
    0.0007936507936507937,
    -0.0005952380952380953,
    0.0008417508417508417,
    -0.0019175269175269176,
    0.00641025641025641,
    -0.029550653594771242,
    0.17964437236883057,
    -1.3924322169059011,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Real;

    /// Units in the last place between two numbers of one sign.
    fn units(got: f64, want: f64) -> f64 {
        if got == want || (got.is_nan() && want.is_nan()) {
            return 0.0;
        }
        (got - want).abs() / (want.abs() * f64::EPSILON).max(f64::MIN_POSITIVE)
    }

    #[test]
    fn values_agree_with_a_reference_of_high_precision() {
        let (mut largest, mut counts) = ([0.0_f64; 3], [0; 3]);
        for line in include_str!("../../tests/data/special_functions.txt").lines() {
            let bits = |text| f64::from_bits(u64::from_str_radix(text, 16).unwrap());
            let words: Vec<&str> = line.split(' ').collect();
            let (x, want) = (bits(words[1]), bits(words[2]));
            let (class, error) = match words[0] {
                "erf" => (0, units(Real::erf(x), want)),
                _ if x > 0.0 => (1, units(lgamma(x), want)),
                // Relative to the terms of the reflection formula.
                _ => (
                    2,
                    (lgamma(x) - want).abs()
                        / (f64::EPSILON * (want.abs() + lgamma(-x).abs() + 1.0)),
                ),
            };
            assert!(
                error <= [2.0, 2.0, 2.0][class],
                "{line}: {x} off by {error}"
            );
            largest[class] = largest[class].max(error);
            counts[class] += 1;
        }
        println!(
            "erf, lgamma of positive and of negative arguments: {largest:.2?} units in {counts:?} values"
        );
        assert!(counts.iter().all(|&count| count >= 200));
    }

    #[test]
    fn special_values() {
        let inf = f64::INFINITY;
        assert!(lgamma(f64::NAN).is_nan());
        for pole in [0.0, -0.0, -1.0, -2.0, -1e18, inf, -inf] {
            assert_eq!(lgamma(pole), inf, "{pole}");
        }
        assert_eq!([lgamma(1.0), lgamma(2.0)], [0.0, 0.0]);
        assert!((lgamma(-5e-324) - 744.440_071_921_381_3).abs() < 1e-12);
        assert_eq!(lgamma(f64::MAX), inf);
        assert!(lgamma(2.5e305).is_finite());
    }
}
