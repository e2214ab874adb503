//! Sums that are more accurate than those of any engine: Neumaier's compensated summation.
//!
//! Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.
//! Infinities and NaN give what plain summation from the left gives.

use num_complex::Complex64;

/// A running sum with the rounding errors beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    plain: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, x: f64) {
        let next = self.plain + x;
        self.lost += if self.plain.abs() >= x.abs() {
            (self.plain - next) + x
        } else {
            (x - next) + self.plain
        };
        self.plain = next;
    }

    /// Adds the product, with the part that its rounding loses.
    pub(super) fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        self.add(product);
        self.lost += x.mul_add(y, -product);
    }

    pub(super) fn value(self) -> f64 {
        // Once the plain sum is infinite or NaN, the errors are NaN and mean nothing.
        let corrected = self.plain + self.lost;
        if self.plain.is_finite() && corrected.is_finite() {
            corrected
        } else {
            self.plain
        }
    }
}

/// A running sum of complex numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ComplexSum {
    re: Sum,
    im: Sum,
}

impl ComplexSum {
    pub(super) fn add(&mut self, z: Complex64) {
        self.re.add(z.re);
        self.im.add(z.im);
    }

    /// Adds the product; its four parts are formed separately, as NumPy does.
    pub(super) fn add_product(&mut self, x: Complex64, y: Complex64) {
        self.re.add_product(x.re, y.re);
        self.re.add_product(-x.im, y.im);
        self.im.add_product(x.re, y.im);
        self.im.add_product(x.im, y.re);
    }

    pub(super) fn value(self) -> Complex64 {
        Complex64::new(self.re.value(), self.im.value())
    }
}

/// The sum of a few numbers.
pub(super) fn sum_of(parts: &[f64]) -> f64 {
    let mut sum = Sum::default();
    parts.iter().for_each(|&x| sum.add(x));
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancellation_loses_nothing() {
        assert_eq!(sum_of(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum_of(&[]).to_bits(), 0.0f64.to_bits());
        assert_eq!(sum_of(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum_of(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        let mut dot = Sum::default();
        let x = 1.0 + f64::EPSILON;
        dot.add_product(x, x);
        dot.add(-(1.0 + 2.0 * f64::EPSILON));
        assert_eq!(dot.value(), f64::EPSILON * f64::EPSILON);
    }
}
