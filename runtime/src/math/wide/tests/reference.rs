//! The functions in arbitrary precision, and errors in units in the last place.

use super::{BinaryFunction, UnaryFunction};
use astro_float::{BigFloat, Consts, RoundingMode, Sign};

const ROUND: RoundingMode = RoundingMode::ToEven;
/// Bits of most results; enough for the error to be exact to many digits.
const BITS: usize = 192;
/// Where a sum cancels.
const MANY_BITS: usize = 384;

/// Computes references; keeps constants from call to call.
pub(super) struct Reference(Consts);

/// The same number; `from_f64` of astro-float 0.9.6 is wrong for subnormal ones.
fn big(x: f64) -> BigFloat {
    if x == 0.0 || x.abs() >= f64::MIN_POSITIVE {
        return BigFloat::from_f64(x, BITS);
    }
    let scale = (1_u64 << 60) as f64;
    BigFloat::from_f64(x * scale, BITS).div(&BigFloat::from_f64(scale, BITS), BITS, ROUND)
}

impl Reference {
    pub(super) fn new() -> Self {
        Reference(Consts::new().expect("memory for constants"))
    }

    pub(super) fn unary(&mut self, function: UnaryFunction, x: f64) -> BigFloat {
        use UnaryFunction::*;
        let (b, constants) = (big(x), &mut self.0);
        match function {
            Exp => b.exp(BITS, ROUND, constants),
            Exp2 => big(2.0).pow(&b, BITS, ROUND, constants),
            Expm1 if x.abs() < 1e-9 => taylor(x, &[1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0]),
            Expm1 => b
                .exp(MANY_BITS, ROUND, constants)
                .sub(&big(1.0), MANY_BITS, ROUND),
            Log => b.ln(BITS, ROUND, constants),
            Log1p if x.abs() < 1e-9 => taylor(x, &[1.0, 1.0, -2.0, 3.0, -4.0, 5.0, -6.0]),
            Log1p => b
                .add(&big(1.0), MANY_BITS, ROUND)
                .ln(BITS, ROUND, constants),
            Log2 => b.log2(BITS, ROUND, constants),
            Log10 => b.log10(BITS, ROUND, constants),
            Sin => b.sin(BITS, ROUND, constants),
            Cos => b.cos(BITS, ROUND, constants),
            Tan => b.tan(BITS, ROUND, constants),
            Arcsin => b.asin(BITS, ROUND, constants),
            Arccos => b.acos(BITS, ROUND, constants),
            Arctan => b.atan(BITS, ROUND, constants),
            Sinh => b.sinh(BITS, ROUND, constants),
            Cosh => b.cosh(BITS, ROUND, constants),
            Tanh => b.tanh(BITS, ROUND, constants),
            Arcsinh => b.asinh(BITS, ROUND, constants),
            Arccosh => b.acosh(BITS, ROUND, constants),
            Arctanh => b.atanh(BITS, ROUND, constants),
            Erf => self.erf(x),
            Cbrt => b.cbrt(BITS, ROUND),
        }
    }

    pub(super) fn binary(&mut self, function: BinaryFunction, x: f64, y: f64) -> BigFloat {
        match function {
            BinaryFunction::Power => big(x).pow(&big(y), BITS, ROUND, &mut self.0),
            // The first argument is the ordinate.
            BinaryFunction::Arctan2 => {
                let angle =
                    big(x.abs())
                        .div(&big(y.abs()), BITS, ROUND)
                        .atan(BITS, ROUND, &mut self.0);
                let angle = if y < 0.0 {
                    self.0.pi(BITS, ROUND).sub(&angle, BITS, ROUND)
                } else {
                    angle
                };
                if x < 0.0 { angle.neg() } else { angle }
            }
            BinaryFunction::Hypot => {
                let square = |x| big(x).mul(&big(x), BITS, ROUND);
                square(x).add(&square(y), BITS, ROUND).sqrt(BITS, ROUND)
            }
        }
    }

    /// `2 / sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!`, all of whose terms have one sign.
    fn erf(&mut self, x: f64) -> BigFloat {
        let square = big(x).mul(&big(x), BITS, ROUND);
        let twice = square.add(&square, BITS, ROUND);
        let (mut term, mut sum) = (big(x), big(x));
        let mut odd = 1.0;
        loop {
            odd += 2.0;
            term = term.mul(&twice, BITS, ROUND).div(&big(odd), BITS, ROUND);
            let next = sum.add(&term, BITS, ROUND);
            if next.cmp(&sum) == Some(0) {
                break;
            }
            sum = next;
        }
        let bell = square.neg().exp(BITS, ROUND, &mut self.0);
        let root = self.0.pi(BITS, ROUND).sqrt(BITS, ROUND);
        let factor = big(2.0).div(&root, BITS, ROUND).mul(&bell, BITS, ROUND);
        sum.mul(&factor, BITS, ROUND)
    }
}

/// `sum x^n / divisors[n]` from n = 1 on; so few terms do where `x` is tiny.
fn taylor(x: f64, divisors: &[f64; 7]) -> BigFloat {
    let (mut sum, mut power) = (big(0.0), big(1.0));
    for divisor in &divisors[1..] {
        power = power.mul(&big(x), BITS, ROUND);
        sum = sum.add(&power.div(&big(*divisor), BITS, ROUND), BITS, ROUND);
    }
    sum
}

/// `2^exponent`, also where that is subnormal.
fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        -1074..=-1023 => f64::from_bits(1 << (exponent + 1074)),
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => panic!("2^{exponent} is no number"),
    }
}

/// The distance of `got` from the exact `want` in units in the last place of a number as large as `want`.
///
/// An overflow is right, and its error 0, where `want` would round to infinity.
pub(super) fn error_in_units(got: f64, want: &BigFloat) -> f64 {
    let Some((words, _, sign, exponent, _)) = want.as_raw_parts() else {
        return if want.is_nan() == got.is_nan() && (want.is_nan() || got.is_infinite()) {
            0.0
        } else {
            f64::INFINITY
        };
    };
    if want.is_zero() {
        return if got == 0.0 { 0.0 } else { f64::INFINITY };
    }
    if (got < 0.0) != (sign == Sign::Neg) && got != 0.0 {
        return f64::INFINITY;
    }
    // |want| = 0.words 2^exponent; in two parts, in units of 2^unit, `high` being an integer below 2^53.
    let (first, second) = (words[words.len() - 1], words[words.len() - 2]);
    let unit = (exponent - 53).clamp(-1074, 971);
    let shift = exponent - 53 - unit;
    if shift < -200 {
        return got.abs() * 2.0_f64.powi(1000);
    }
    let high = (first >> 11) as f64 * 2.0_f64.powi(shift);
    let rest = ((first & 0x7ff) << 53 | second >> 11) as f64 * 2.0_f64.powi(shift - 64);
    if got.is_infinite() {
        // Halfway between the largest number and the next power of two.
        return if high + rest >= 2.0_f64.powi(53) - 0.5 {
            0.0
        } else {
            f64::INFINITY
        };
    }
    // Two steps, because the inverse of the unit may overflow; both are exact.
    let (half, other) = (-unit / 2, -unit - (-unit / 2));
    let got = got.abs() * power_of_two(half) * power_of_two(other);
    ((got - high) - rest).abs()
}
