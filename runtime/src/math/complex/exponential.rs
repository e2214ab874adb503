//! Exponential, logarithm, square root and power of `Complex<f64>`.
//!
//! After W. Kahan, "Branch cuts for complex elementary functions" (1987), and the special values of C99 Annex G. C has no
//! complex `exp2`, `expm1`, `log2`, `log10`, `log1p`: those are NumPy's formulas (`umath/funcs.inc.src`), but for `log1p`
//! near zero.

use super::{divide, multiply};
use num_complex::Complex;
use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

/// Just below `ln(f64::MAX)`: e to this power is finite.
const OVERFLOW: f64 = 709.0;

/// `factor * e^x` where the product may be finite although `e^x` is not. `factor` is not zero.
pub(super) fn exp_times(mut x: f64, mut factor: f64) -> f64 {
    // Two steps of e^709 lead from the smallest subnormal factor beyond the largest number.
    for _ in 0..2 {
        if x > OVERFLOW {
            x -= OVERFLOW;
            factor *= OVERFLOW.exp();
        }
    }
    factor * x.exp()
}

pub(super) fn exp(z: Complex<f64>) -> Complex<f64> {
    let Complex { re, im } = z;
    if im == 0.0 {
        // Also for infinite and NaN real parts, where the general formula makes NaN of the zero.
        return Complex::new(re.exp(), im);
    }
    if !im.is_finite() {
        return if re == f64::NEG_INFINITY {
            Complex::new(0.0, 0.0_f64.copysign(im))
        } else if re == f64::INFINITY {
            Complex::new(f64::INFINITY, f64::NAN)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    let (sin, cos) = im.sin_cos();
    Complex::new(exp_times(re, cos), exp_times(re, sin))
}

/// Sum of two numbers and its exact rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `x * x + y * y - 1` to about twice working precision, for points near the unit circle.
fn squared_modulus_minus_one(x: f64, y: f64) -> f64 {
    let (xx, yy) = (x * x, y * y);
    let (partial, error_1) = two_sum(xx, -1.0);
    let (total, error_2) = two_sum(partial, yy);
    total + (error_1 + error_2 + x.mul_add(x, -xx) + y.mul_add(y, -yy))
}

/// `log |z|`: accurate near the unit circle, where it is nearly zero, and at both ends of the exponent range.
fn log_modulus(z: Complex<f64>) -> f64 {
    let (x, y) = (z.re.abs(), z.im.abs());
    let (large, small) = if x < y { (y, x) } else { (x, y) };
    if large.is_finite() && large > f64::MAX / 2.0 {
        return (large / 2.0).hypot(small / 2.0).ln() + LN_2;
    }
    if large > 0.0 && large < 1e-290 {
        let scale = 2.0_f64.powi(100);
        return (large * scale).hypot(small * scale).ln() - 100.0 * LN_2;
    }
    if (0.5..2.0).contains(&large) && (0.5..2.0).contains(&x.hypot(y)) {
        return 0.5 * squared_modulus_minus_one(large, small).ln_1p();
    }
    x.hypot(y).ln()
}

pub(super) fn log(z: Complex<f64>) -> Complex<f64> {
    Complex::new(log_modulus(z), z.im.atan2(z.re))
}

pub(super) fn exp2(z: Complex<f64>) -> Complex<f64> {
    exp(Complex::new(z.re * LN_2, z.im * LN_2))
}

pub(super) fn expm1(z: Complex<f64>) -> Complex<f64> {
    let half = (z.im / 2.0).sin();
    Complex::new(
        z.re.exp_m1() * z.im.cos() - 2.0 * half * half,
        z.re.exp() * z.im.sin(),
    )
}

pub(super) fn log2(z: Complex<f64>) -> Complex<f64> {
    let Complex { re, im } = log(z);
    Complex::new(re * LOG2_E, im * LOG2_E)
}

pub(super) fn log10(z: Complex<f64>) -> Complex<f64> {
    let Complex { re, im } = log(z);
    Complex::new(re * LOG10_E, im * LOG10_E)
}

/// `|1 + z|^2 - 1 = 2x + x^2 + y^2` to about twice working precision, for small `z`: the parts may cancel.
fn squared_modulus_of_sum_minus_one(x: f64, y: f64) -> f64 {
    let (xx, yy) = (x * x, y * y);
    let (partial, error_1) = two_sum(2.0 * x, yy);
    let (total, error_2) = two_sum(partial, xx);
    total + (error_1 + error_2 + x.mul_add(x, -xx) + y.mul_add(y, -yy))
}

/// Near zero the modulus of `1 + z` is formed without rounding `1 + z`; NumPy rounds it.
pub(super) fn log1p(z: Complex<f64>) -> Complex<f64> {
    let Complex { re: x, im: y } = z;
    let re = x + 1.0;
    let modulus = if x.abs() < 0.5 && y.abs() < 1.0 {
        0.5 * squared_modulus_of_sum_minus_one(x, y).ln_1p()
    } else {
        log_modulus(Complex::new(re, y))
    };
    Complex::new(modulus, y.atan2(re))
}

pub(super) fn sqrt(z: Complex<f64>) -> Complex<f64> {
    let Complex { re, im } = z;
    if re == 0.0 && im == 0.0 {
        return Complex::new(0.0, im);
    }
    if im.is_infinite() {
        return Complex::new(f64::INFINITY, im);
    }
    if re.is_nan() {
        return Complex::new(f64::NAN, f64::NAN);
    }
    if re.is_infinite() {
        return if re > 0.0 {
            Complex::new(
                re,
                if im.is_nan() {
                    im
                } else {
                    0.0_f64.copysign(im)
                },
            )
        } else {
            Complex::new(if im.is_nan() { im } else { 0.0 }, re.abs().copysign(im))
        };
    }
    // Scale by an even power of two so that neither the modulus overflows nor small parts lose bits.
    let largest = re.abs().max(im.abs());
    let (scale, unscale) = if largest > f64::MAX / 4.0 {
        (0.0625, 4.0)
    } else if largest < 1e-290 {
        (2.0_f64.powi(108), 2.0_f64.powi(-54))
    } else {
        (1.0, 1.0)
    };
    let (x, y) = (re * scale, im * scale);
    let root = (0.5 * (x.abs() + x.hypot(y))).sqrt();
    let other = y.abs() / (2.0 * root);
    let (real, imaginary) = if x >= 0.0 {
        (root, other)
    } else {
        (other, root)
    };
    Complex::new(real * unscale, (imaginary * unscale).copysign(im))
}

pub(super) fn power(base: Complex<f64>, exponent: Complex<f64>) -> Complex<f64> {
    let zero = Complex::new(0.0, 0.0);
    if exponent == zero {
        return Complex::new(1.0, 0.0);
    }
    if base == zero {
        return if exponent.re > 0.0 {
            zero
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if exponent.im == 0.0 && exponent.re.abs() < 100.0 && exponent.re.fract() == 0.0 {
        return integer_power(base, exponent.re as i32);
    }
    exp(annex_g_multiply(exponent, log(base)))
}

/// Repeated squaring in NumPy's order; 1, 2 and 3 are spelled out so that infinities come out as there.
fn integer_power(base: Complex<f64>, exponent: i32) -> Complex<f64> {
    match exponent {
        1 => return base,
        2 => return multiply(base, base),
        3 => return multiply(base, multiply(base, base)),
        _ => {}
    }
    let one = Complex::new(1.0, 0.0);
    let (mut result, mut square, mut remaining) = (one, base, exponent.unsigned_abs());
    loop {
        if remaining & 1 == 1 {
            result = multiply(result, square);
        }
        remaining >>= 1;
        if remaining == 0 {
            break;
        }
        square = multiply(square, square);
    }
    if exponent < 0 {
        divide(one, result)
    } else {
        result
    }
}

/// The product with C99 Annex G.5.1's recovery of infinities, which the C library's `cpow` uses.
fn annex_g_multiply(a: Complex<f64>, b: Complex<f64>) -> Complex<f64> {
    let product = multiply(a, b);
    let infinite = |z: Complex<f64>| z.re.is_infinite() || z.im.is_infinite();
    if !(product.re.is_nan() && product.im.is_nan()) || !(infinite(a) || infinite(b)) {
        return product;
    }
    // An infinite operand becomes a unit in its direction, NaN parts of the other become zeros.
    let direction = |z: Complex<f64>| {
        if infinite(z) {
            let unit = |x: f64| f64::from(u8::from(x.is_infinite())).copysign(x);
            Complex::new(unit(z.re), unit(z.im))
        } else {
            let finite = |x: f64| if x.is_nan() { 0.0_f64.copysign(x) } else { x };
            Complex::new(finite(z.re), finite(z.im))
        }
    };
    let direction = multiply(direction(a), direction(b));
    Complex::new(f64::INFINITY * direction.re, f64::INFINITY * direction.im)
}
