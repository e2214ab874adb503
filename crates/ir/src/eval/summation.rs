//! Sums: those of `sum` and of inner products in the order that docs/engine.md defines, all others more accurate than any engine's.
//!
//! The defined order ([`in_order`]): the elements under the last summed axes, joined until they are 32 or more, are rows; rows are cut
//! into blocks of 256; the elements of a block are dealt to as many lanes as elements take 128 bytes, each lane is added from +0
//! on, and the lanes are folded in halves; the sums of blocks are added with compensation. Every step is rounded to the dtype.
//!
//! The others use Neumaier's compensated summation. Infinities and NaN give what plain summation from the left gives.
//!
//! Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.

use num_complex::Complex64;

use crate::scalar::Scalar;
use crate::types::{Class, DType};

/// The sum of floating or complex elements, in C order over summed axes of these lengths, in the defined order.
pub(super) fn in_order(elements: &[Scalar], lengths: &[usize], dtype: DType) -> Scalar {
    let part = |of: &dyn Fn(&Scalar) -> f64| {
        let parts: Vec<f64> = elements.iter().map(of).collect();
        Rounded::of(dtype).sum(&parts, lengths)
    };
    match dtype.class() {
        Class::Complex => Scalar::Complex(Complex64::new(
            part(&|s| s.to_complex().re),
            part(&|s| s.to_complex().im),
        )),
        _ => Scalar::Float(part(&|s| s.to_f64())),
    }
}

/// Arithmetic rounded to a precision after each step.
struct Rounded {
    single: bool,
    lanes: usize,
}

impl Rounded {
    fn of(dtype: DType) -> Self {
        Self {
            single: matches!(dtype, DType::Float32 | DType::Complex64),
            lanes: 128 / dtype.size(),
        }
    }

    fn round(&self, x: f64) -> f64 {
        if self.single { f64::from(x as f32) } else { x }
    }

    fn add(&self, x: f64, y: f64) -> f64 {
        self.round(x + y)
    }

    fn subtract(&self, x: f64, y: f64) -> f64 {
        self.round(x - y)
    }

    fn sum(&self, elements: &[f64], lengths: &[usize]) -> f64 {
        let mut row = 1;
        let mut shorter = lengths.iter().rev();
        while let Some(length) = shorter.next().filter(|_| row < 32) {
            row *= length;
        }
        let (mut total, mut lost) = (0.0, 0.0);
        for block in elements.chunks(row.max(1)).flat_map(|row| row.chunks(256)) {
            let lanes = (0..self.lanes).map(|lane| {
                let own = block.iter().skip(lane).step_by(self.lanes);
                own.fold(0.0, |sum, &x| self.add(sum, x))
            });
            let x = self.fold(&lanes.collect::<Vec<f64>>());
            // Knuth's two-sum: what this addition loses, exactly.
            let next = self.add(total, x);
            let from_x = self.subtract(next, total);
            let from_total = self.subtract(next, from_x);
            let errors = [self.subtract(total, from_total), self.subtract(x, from_x)];
            lost = self.add(lost, self.add(errors[0], errors[1]));
            total = next;
        }
        // Once the total is infinite or NaN, the errors are NaN and mean nothing.
        if lost == 0.0 || lost.is_nan() {
            total
        } else {
            self.add(total, lost)
        }
    }

    /// The first half of the lanes and the second, lane by lane, until one is left.
    fn fold(&self, lanes: &[f64]) -> f64 {
        if let [one] = lanes {
            return *one;
        }
        let (low, high) = lanes.split_at(lanes.len() / 2);
        let sums = low.iter().zip(high).map(|(&x, &y)| self.add(x, y));
        self.fold(&sums.collect::<Vec<f64>>())
    }
}

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
    fn the_order_is_the_defined_one() {
        let floats = |x: &[f64]| -> Vec<Scalar> { x.iter().map(|&x| Scalar::Float(x)).collect() };
        let value =
            |x: &[f64], lengths: &[usize]| in_order(&floats(x), lengths, DType::Float64).to_f64();
        // Half a last place of 1, eight times, in lanes that meet 1 first and in others.
        let half = f64::EPSILON / 2.0;
        let mut x = vec![0.0; 16];
        x[0] = 1.0;
        for lane in [8, 4, 2, 1] {
            x[lane] = half;
        }
        assert_eq!(value(&x, &[16]), 1.0);
        for lane in [9, 5, 3] {
            x[lane] = half;
        }
        assert_eq!(value(&x, &[16]), 1.0 + 4.0 * half);
        // In rows of 32 there are two blocks, whose sum loses nothing: two halves are a last place.
        let mut y = vec![0.0; 96];
        (y[0], y[32], y[64]) = (1.0, half, half);
        assert_eq!(value(&y, &[3, 32]), 1.0 + 2.0 * half);
        assert_eq!(value(&y, &[6, 16]), 1.0);
        assert_eq!(value(&y, &[96]), 1.0);
        assert!(value(&[-0.0, -0.0], &[2]).is_sign_positive());
        assert_eq!(value(&[f64::INFINITY, 1.0], &[2]), f64::INFINITY);
        let single = in_order(
            &floats(&[16_777_216.0, 1.0, 0.0, 1.0]),
            &[4],
            DType::Float32,
        );
        assert_eq!(single.to_f64(), 16_777_218.0);
    }

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
