//! Inverse circular and hyperbolic functions of `Complex<f64>`.
//!
//! Kahan's formulas (1987), which combine `sqrt(1 - z)` and `sqrt(1 + z)` so that no term cancels and the sign of a zero
//! part picks the side of a branch cut; logarithms take over where the square roots would overflow. Special values
//! follow C99 Annex G.6.1 and G.6.2.

use super::exponential::sqrt;
use super::hyperbolic::mirror;
use crate::math::Real;
use num_complex::Complex;
use std::f64::consts::{FRAC_PI_2, LN_2, PI};

/// Beyond this modulus `1 - z * z` rounds to `-z * z`.
const LARGE: f64 = 1e17;
/// Below this modulus an odd function rounds to its argument.
const SMALL: f64 = 1e-9;

fn is_nan(z: Complex<f64>) -> bool {
    z.re.is_nan() || z.im.is_nan()
}

/// `log(2 |z|)` for large or infinite `z`, without overflow.
fn log_twice_modulus(z: Complex<f64>) -> f64 {
    (z.re.abs() / 4.0).hypot(z.im.abs() / 4.0).ln() + 3.0 * LN_2
}

/// `sqrt(1 - z)` and `sqrt(1 + z)`.
fn roots(z: Complex<f64>) -> (Complex<f64>, Complex<f64>) {
    (
        sqrt(Complex::new(1.0 - z.re, -z.im)),
        sqrt(Complex::new(1.0 + z.re, z.im)),
    )
}

pub(super) fn arcsin(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if is_nan(z) {
        return if y.is_infinite() {
            Complex::new(f64::NAN, y)
        } else if x.is_infinite() {
            Complex::new(f64::NAN, f64::INFINITY)
        } else if x == 0.0 {
            Complex::new(x, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    let largest = x.abs().max(y.abs());
    if largest < SMALL {
        return z;
    }
    if largest > LARGE {
        return Complex::new(x.atan2(y.abs()), log_twice_modulus(z).copysign(y));
    }
    if y == 0.0 && x.abs() <= 1.0 {
        return Complex::new(x.asin(), y);
    }
    let (minus, plus) = roots(z);
    let real = x.atan2(minus.re * plus.re - minus.im * plus.im);
    let imaginary = (minus.re * plus.im - minus.im * plus.re).arcsinh();
    Complex::new(real, imaginary)
}

pub(super) fn arccos(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if is_nan(z) {
        return if y.is_infinite() {
            Complex::new(f64::NAN, -y)
        } else if x.is_infinite() {
            Complex::new(f64::NAN, f64::NEG_INFINITY)
        } else if x == 0.0 {
            Complex::new(FRAC_PI_2, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if x.abs().max(y.abs()) > LARGE {
        return Complex::new(y.abs().atan2(x), -log_twice_modulus(z).copysign(y));
    }
    if y == 0.0 && x.abs() <= 1.0 {
        return Complex::new(x.acos(), -y);
    }
    let (minus, plus) = roots(z);
    let real = 2.0 * minus.re.atan2(plus.re);
    let imaginary = (plus.re * minus.im - plus.im * minus.re).arcsinh();
    Complex::new(real, imaginary)
}

pub(super) fn arccosh(z: Complex<f64>) -> Complex<f64> {
    // i * arccos(z) or -i * arccos(z), whichever has a nonnegative real part.
    let Complex { re, im } = arccos(z);
    if re.is_nan() {
        return Complex::new(im.abs(), f64::NAN);
    }
    Complex::new(im.abs(), if im.is_nan() { re } else { re.copysign(z.im) })
}

pub(super) fn arcsinh(z: Complex<f64>) -> Complex<f64> {
    mirror(arcsin(mirror(z)))
}

/// The real part of `1 / z`, for large `z` without overflow of the squared modulus.
fn reciprocal_real_part(x: f64, y: f64) -> f64 {
    if x.is_infinite() || y.is_infinite() {
        return 0.0;
    }
    if x.abs() >= y.abs() {
        1.0 / (x + y * (y / x))
    } else {
        (x / y) / (y + x * (x / y))
    }
}

pub(super) fn arctanh(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if is_nan(z) {
        return if x.is_infinite() {
            Complex::new(0.0_f64.copysign(x), f64::NAN)
        } else if y.is_infinite() {
            Complex::new(0.0_f64.copysign(x), FRAC_PI_2.copysign(y))
        } else if x == 0.0 {
            Complex::new(x, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    // By symmetry in the first quadrant; signs come back at the end.
    let (a, b) = (x.abs(), y.abs());
    let (real, imaginary) = if a.max(b) < SMALL {
        (a, b)
    } else if a.max(b) > LARGE {
        (reciprocal_real_part(a, b), FRAC_PI_2)
    } else if b == 0.0 && a < 1.0 {
        (a.arctanh(), b)
    } else if a == 0.0 {
        (a, b.atan())
    } else if a == 1.0 && b < f64::EPSILON {
        // |z + 1|^2 / |z - 1|^2 = 4 / b^2; the angle of 1 - z is that of -ib. With b = 0, log makes the pole.
        ((LN_2 - b.ln()) / 2.0, if b == 0.0 { 0.0 } else { PI / 4.0 })
    } else {
        let real = (4.0 * a / ((a - 1.0) * (a - 1.0) + b * b)).ln_1p() / 4.0;
        let imaginary = (2.0 * b).atan2((1.0 - a) * (1.0 + a) - b * b) / 2.0;
        (real, imaginary)
    };
    Complex::new(real.copysign(x), imaginary.copysign(y))
}

pub(super) fn arctan(z: Complex<f64>) -> Complex<f64> {
    mirror(arctanh(mirror(z)))
}
