//! Hyperbolic and circular functions of `Complex<f64>`.
//!
//! The circular functions are the hyperbolic ones with parts exchanged: `sin(x + iy)` is `sinh(y + ix)` mirrored in the
//! diagonal, which moves no rounding and no sign. Special values follow C99 Annex G.6.2.

use super::exponential::exp_times;
use num_complex::Complex;

/// From here on `e^-2x` is below half a unit in the last place of 1.
const SATURATED: f64 = 22.0;

/// Exchanges the parts.
pub(super) fn mirror(z: Complex<f64>) -> Complex<f64> {
    Complex::new(z.im, z.re)
}

/// `factor * e^x / 2`; the smallest subnormal factors have no half.
fn half_exp_times(x: f64, factor: f64) -> f64 {
    if factor.abs() < 2.0 * f64::MIN_POSITIVE {
        0.5 * exp_times(x, factor)
    } else {
        exp_times(x, 0.5 * factor)
    }
}

pub(super) fn sinh(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if y == 0.0 {
        return Complex::new(x.sinh(), y);
    }
    if !y.is_finite() {
        // C99 leaves the sign of the infinity open; glibc's is positive.
        let real = if x == 0.0 {
            x
        } else if x.is_infinite() {
            f64::INFINITY
        } else {
            f64::NAN
        };
        return Complex::new(real, f64::NAN);
    }
    let (sin, cos) = y.sin_cos();
    if x.abs() > SATURATED {
        let (real, imaginary) = (half_exp_times(x.abs(), cos), half_exp_times(x.abs(), sin));
        return Complex::new(if x < 0.0 { -real } else { real }, imaginary);
    }
    Complex::new(x.sinh() * cos, x.cosh() * sin)
}

pub(super) fn cosh(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if y == 0.0 {
        // The sign of a zero imaginary part is that of x * y, also for infinite x.
        let imaginary = if x.is_nan() {
            y
        } else {
            y * 1.0_f64.copysign(x)
        };
        return Complex::new(x.cosh(), imaginary);
    }
    if !y.is_finite() {
        return if x == 0.0 {
            Complex::new(f64::NAN, 0.0)
        } else if x.is_infinite() {
            Complex::new(f64::INFINITY, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    let (sin, cos) = y.sin_cos();
    if x == 0.0 {
        return Complex::new(cos, x * sin);
    }
    if x.abs() > SATURATED {
        let (real, imaginary) = (half_exp_times(x.abs(), cos), half_exp_times(x.abs(), sin));
        return Complex::new(real, if x < 0.0 { -imaginary } else { imaginary });
    }
    Complex::new(x.cosh() * cos, x.sinh() * sin)
}

/// Kahan's formula in `tan y` and `sinh x`, which neither overflows nor cancels.
pub(super) fn tanh(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    if x.is_nan() {
        return Complex::new(x, if y == 0.0 { y } else { f64::NAN });
    }
    if x.is_infinite() {
        let sign = if y.is_finite() { y.sin() * y.cos() } else { y };
        return Complex::new(1.0_f64.copysign(x), 0.0_f64.copysign(sign));
    }
    if !y.is_finite() {
        return Complex::new(if x == 0.0 { x } else { f64::NAN }, f64::NAN);
    }
    if y == 0.0 {
        return Complex::new(x.tanh(), y);
    }
    if x.abs() > SATURATED {
        let decay = (-x.abs()).exp();
        return Complex::new(1.0_f64.copysign(x), 4.0 * y.sin() * y.cos() * decay * decay);
    }
    let tangent = y.tan();
    let secant_squared = 1.0 + tangent * tangent;
    let sinh = x.sinh();
    let cosh = (1.0 + sinh * sinh).sqrt();
    let denominator = 1.0 + secant_squared * sinh * sinh;
    Complex::new(
        secant_squared * cosh * sinh / denominator,
        tangent / denominator,
    )
}

pub(super) fn sin(z: Complex<f64>) -> Complex<f64> {
    mirror(sinh(mirror(z)))
}

pub(super) fn cos(z: Complex<f64>) -> Complex<f64> {
    cosh(Complex::new(-z.im, z.re))
}

pub(super) fn tan(z: Complex<f64>) -> Complex<f64> {
    mirror(tanh(mirror(z)))
}
