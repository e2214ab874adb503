//! Functions of one or two complex numbers, with C99's and NumPy's results at special values.
//!
//! Each is the textbook formula in a form without cancellation, after a list of the cases in which it does
//! not hold (zeros, infinities, NaN, overflow). Sources: ISO C99 Annex G.6; W. Kahan, "Branch cuts for
//! complex elementary functions", 1987; NumPy's npy_math_complex.c.src for what is NumPy's own.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LN_10, PI};

use num_complex::{Complex, Complex64};

use super::summation::sum_of;
use crate::types::DType;

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;
const MINUS_INFINITY: f64 = f64::NEG_INFINITY;

fn c(re: f64, im: f64) -> Complex64 {
    Complex64::new(re, im)
}

/// `i z`, which only moves parts.
fn times_i(z: Complex64) -> Complex64 {
    c(-z.im, z.re)
}

/// `-i z`, which only moves parts.
fn over_i(z: Complex64) -> Complex64 {
    c(z.im, -z.re)
}

/// The four-product formula, as NumPy computes it: no recovery of infinities.
pub(super) fn multiply(x: Complex64, y: Complex64) -> Complex64 {
    c(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)
}

/// The same in the precision of a dtype: in single precision, squares overflow that do not in double.
pub(super) fn multiply_in(x: Complex64, y: Complex64, dtype: DType) -> Complex64 {
    if dtype != DType::Complex64 {
        return multiply(x, y);
    }
    widen(narrow(x) * narrow(y))
}

fn narrow(z: Complex64) -> Complex<f32> {
    Complex::new(z.re as f32, z.im as f32)
}

fn widen(z: Complex<f32>) -> Complex64 {
    c(z.re.into(), z.im.into())
}

/// Smith's method in one precision, as NumPy computes it.
macro_rules! divide {
    ($name:ident, $real:ty) => {
        fn $name(x: Complex<$real>, y: Complex<$real>) -> Complex<$real> {
            if y.re.abs() >= y.im.abs() {
                if y.re == 0.0 && y.im == 0.0 {
                    return Complex::new(x.re / y.re.abs(), x.im / y.re.abs());
                }
                let ratio = y.im / y.re;
                let scale = 1.0 / (y.re + y.im * ratio);
                Complex::new((x.re + x.im * ratio) * scale, (x.im - x.re * ratio) * scale)
            } else {
                let ratio = y.re / y.im;
                let scale = 1.0 / (y.im + y.re * ratio);
                Complex::new((x.re * ratio + x.im) * scale, (x.im * ratio - x.re) * scale)
            }
        }
    };
}

divide!(divide_single, f32);
divide!(divide_double, f64);

/// The quotient; in single precision, `1 / z` is infinite for the smallest `z`, which decides about NaN in the rest.
pub(super) fn divide(x: Complex64, y: Complex64, dtype: DType) -> Complex64 {
    if dtype != DType::Complex64 {
        return divide_double(x, y);
    }
    widen(divide_single(narrow(x), narrow(y)))
}

/// NumPy's loop for `reciprocal` in one precision: Smith's method with a numerator of one, which has no imaginary part.
macro_rules! invert {
    ($name:ident, $real:ty) => {
        fn $name(z: Complex<$real>) -> Complex<$real> {
            if z.im.abs() <= z.re.abs() {
                let ratio = z.im / z.re;
                let divisor = z.re + z.im * ratio;
                Complex::new(1.0 / divisor, -ratio / divisor)
            } else {
                let ratio = z.re / z.im;
                let divisor = z.re * ratio + z.im;
                Complex::new(ratio / divisor, -1.0 / divisor)
            }
        }
    };
}

invert!(invert_single, f32);
invert!(invert_double, f64);

/// One divided by the number. As in NumPy, zero gives NaN in both parts, and a positive number a zero below the axis.
pub(super) fn reciprocal(z: Complex64, dtype: DType) -> Complex64 {
    if dtype != DType::Complex64 {
        return invert_double(z);
    }
    widen(invert_single(narrow(z)))
}

/// `z / |z|`, zero for zero.
pub(super) fn sign(z: Complex64) -> Complex64 {
    let magnitude = z.re.hypot(z.im);
    if magnitude.is_nan() || (z.re.is_infinite() && z.im.is_infinite()) {
        c(NAN, NAN)
    } else if z.re.is_infinite() {
        c(z.re.signum(), 0.0)
    } else if magnitude.is_infinite() {
        // Also where the modulus of finite parts overflows, as NumPy has it.
        c(0.0, z.im.signum())
    } else if magnitude == 0.0 {
        c(0.0, 0.0)
    } else {
        c(z.re / magnitude, z.im / magnitude)
    }
}

pub(super) fn sqrt(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if y.is_infinite() {
        return c(INFINITY, y);
    }
    if x.is_nan() || (x.is_finite() && y.is_nan()) {
        return c(NAN, NAN);
    }
    if x == INFINITY {
        return c(x, if y.is_nan() { y } else { 0.0f64.copysign(y) });
    }
    if x == MINUS_INFINITY {
        return c(if y.is_nan() { y } else { 0.0 }, INFINITY.copysign(y));
    }
    if x == 0.0 && y == 0.0 {
        return c(0.0, y);
    }
    // A power of four keeps the sum of squares in range, and its root is exact.
    let largest = x.abs().max(y.abs());
    let (scale, root) = if largest > 1e300 {
        (0.0625, 4.0)
    } else if largest < 1e-290 {
        (2.0f64.powi(108), 2.0f64.powi(-54))
    } else {
        (1.0, 1.0)
    };
    let (x, y) = (x * scale, y * scale);
    let t = ((x.abs() + x.hypot(y)) / 2.0).sqrt();
    if x >= 0.0 {
        c(t * root, y / (2.0 * t) * root)
    } else {
        c(y.abs() / (2.0 * t) * root, t.copysign(y) * root)
    }
}

/// `e^x (cos y, sin y)` for finite `y`, without overflow before the product.
fn exp_polar(x: f64, y: f64) -> Complex64 {
    let (sin, cos) = y.sin_cos();
    if x > 700.0 && x < 1500.0 {
        let half = (x / 2.0).exp();
        return c(half * cos * half, half * sin * half);
    }
    c(x.exp() * cos, x.exp() * sin)
}

pub(super) fn exp(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if y == 0.0 {
        return c(x.exp(), y);
    }
    if y.is_finite() {
        return exp_polar(x, y);
    }
    match x {
        MINUS_INFINITY => c(0.0, 0.0f64.copysign(y)),
        INFINITY => c(INFINITY, NAN),
        _ => c(NAN, NAN),
    }
}

pub(super) fn exp2(z: Complex64) -> Complex64 {
    exp(c(z.re * LN_2, z.im * LN_2))
}

pub(super) fn expm1(z: Complex64) -> Complex64 {
    let half = (z.im / 2.0).sin();
    let parts = [z.re.exp_m1() * z.im.cos(), -2.0 * half * half];
    // Plain addition keeps the sign of a zero.
    let re = match parts[0] + parts[1] {
        0.0 => parts[0] + parts[1],
        _ => sum_of(&parts),
    };
    c(re, z.re.exp() * z.im.sin())
}

/// `log sqrt(1 + the sum of the parts)`, accurate where the sum is small.
fn half_log1p(parts: &[f64]) -> f64 {
    0.5 * sum_of(parts).ln_1p()
}

/// The logarithm of `|x + iy|`.
fn log_abs(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return x.hypot(y).ln();
    }
    let (large, small) = (x.abs().max(y.abs()), x.abs().min(y.abs()));
    if large > 0.5 && large < 2.0 {
        // (large - 1)(large + 1) + small^2 cancels near the unit circle, so every rounding is kept.
        let (minus, plus) = (large - 1.0, large + 1.0);
        let lost = (large - (plus - 1.0)) * minus;
        let (p, q) = (minus * plus, small * small);
        let errors = [minus.mul_add(plus, -p), small.mul_add(small, -q), lost];
        return half_log1p(&[p, q, errors[0], errors[1], errors[2]]);
    }
    if large.is_finite() && !(1e-290..=1e300).contains(&large) && large > 0.0 {
        let ratio = small / large;
        return large.ln() + 0.5 * (ratio * ratio).ln_1p();
    }
    x.hypot(y).ln()
}

pub(super) fn log(z: Complex64) -> Complex64 {
    c(log_abs(z.re, z.im), z.im.atan2(z.re))
}

pub(super) fn log2(z: Complex64) -> Complex64 {
    let w = log(z);
    c(w.re / LN_2, w.im / LN_2)
}

pub(super) fn log10(z: Complex64) -> Complex64 {
    let w = log(z);
    c(w.re / LN_10, w.im / LN_10)
}

pub(super) fn log1p(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    let im = y.atan2(x + 1.0);
    if x.abs() < 0.5 && y.abs() < 1.0 {
        // |1 + z|^2 - 1 = 2x + x^2 + y^2, which can cancel.
        let (p, q) = (x * x, y * y);
        let parts = [2.0 * x, p, q, x.mul_add(x, -p), y.mul_add(y, -q)];
        return c(half_log1p(&parts), im);
    }
    c(log_abs(x + 1.0, y), im)
}

pub(super) fn sinh(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if y == 0.0 {
        return c(x.sinh(), y);
    }
    if !y.is_finite() {
        // C99 leaves the sign of this infinity open; NumPy's is positive.
        let re = match x {
            0.0 => x,
            INFINITY | MINUS_INFINITY => INFINITY,
            _ => NAN,
        };
        return c(re, NAN);
    }
    if x.is_nan() {
        return c(NAN, NAN);
    }
    if x == 0.0 {
        return c(x * y.cos(), y.sin());
    }
    if x.abs() > 700.0 {
        let w = exp_polar(x.abs() - LN_2, y);
        return c(w.re * x.signum(), w.im);
    }
    c(x.sinh() * y.cos(), x.cosh() * y.sin())
}

pub(super) fn cosh(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if y == 0.0 {
        // The sign of the zero is that of the product sinh(x) sin(y).
        let im = if x.is_nan() {
            y
        } else {
            y * 1.0f64.copysign(x)
        };
        return c(x.cosh(), im);
    }
    if !y.is_finite() {
        return match x {
            0.0 => c(NAN, 0.0),
            INFINITY | MINUS_INFINITY => c(INFINITY, NAN),
            _ => c(NAN, NAN),
        };
    }
    if x.is_nan() {
        return c(NAN, NAN);
    }
    if x == 0.0 {
        return c(y.cos(), x * y.sin());
    }
    if x.abs() > 700.0 {
        let w = exp_polar(x.abs() - LN_2, y);
        return c(w.re, w.im * x.signum());
    }
    c(x.cosh() * y.cos(), x.sinh() * y.sin())
}

pub(super) fn tanh(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if x.is_nan() {
        return c(NAN, if y == 0.0 { y } else { NAN });
    }
    if x.is_infinite() {
        // The sign of sin(2y), whose argument may overflow.
        let im = if y.is_finite() { y.sin() * y.cos() } else { y };
        return c(
            x.signum(),
            0.0f64.copysign(if im.is_nan() { 1.0 } else { im }),
        );
    }
    if !y.is_finite() {
        return c(if x == 0.0 { x } else { NAN }, NAN);
    }
    if x.abs() > 22.0 {
        // 1 up to rounding; the imaginary part is sin(2y) / (2 cosh^2 x).
        let small = (-x.abs()).exp();
        return c(x.signum(), 4.0 * y.sin() * y.cos() * small * small);
    }
    // Kahan's form.
    let (t, s) = (y.tan(), x.sinh());
    let (rho, beta) = ((1.0 + s * s).sqrt(), 1.0 + t * t);
    let denominator = 1.0 + beta * s * s;
    c(beta * rho * s / denominator, t / denominator)
}

pub(super) fn sin(z: Complex64) -> Complex64 {
    if z.im.is_infinite() && !z.re.is_finite() {
        return c(NAN, INFINITY);
    }
    over_i(sinh(times_i(z)))
}

pub(super) fn cos(z: Complex64) -> Complex64 {
    cosh(times_i(z))
}

pub(super) fn tan(z: Complex64) -> Complex64 {
    over_i(tanh(times_i(z)))
}

/// Beyond this, one is nothing beside `z` and its square may overflow.
const LARGE: f64 = 1e150;

pub(super) fn arcsin(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if x.is_infinite() || y.is_infinite() {
        let re = match (x.is_infinite(), y.is_infinite()) {
            (true, true) => FRAC_PI_4.copysign(x),
            (true, false) if !y.is_nan() => FRAC_PI_2.copysign(x),
            (false, true) if !x.is_nan() => 0.0f64.copysign(x),
            _ => NAN,
        };
        return c(re, INFINITY.copysign(y));
    }
    if x.is_nan() || y.is_nan() {
        return c(if x == 0.0 { x } else { NAN }, NAN);
    }
    if x.abs().max(y.abs()) > LARGE {
        return c(x.atan2(y.abs()), (log_abs(x, y) + LN_2).copysign(y));
    }
    let (minus, plus) = (sqrt(c(1.0 - x, -y)), sqrt(c(1.0 + x, y)));
    let re = x.atan2(minus.re * plus.re - minus.im * plus.im);
    let im = (minus.re * plus.im - minus.im * plus.re).asinh();
    // The formula loses the sign of a zero.
    c(re, im.abs().copysign(y))
}

pub(super) fn arccos(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if x.is_infinite() || y.is_infinite() {
        let im = -INFINITY.copysign(y);
        let re = match (x, y) {
            (MINUS_INFINITY, y) if y.is_infinite() => 3.0 * FRAC_PI_4,
            (INFINITY, y) if y.is_infinite() => FRAC_PI_4,
            (x, y) if x.is_nan() || y.is_nan() => NAN,
            (MINUS_INFINITY, _) => PI,
            (INFINITY, _) => 0.0,
            _ => FRAC_PI_2,
        };
        return c(re, im);
    }
    if x.is_nan() || y.is_nan() {
        return c(if x == 0.0 { FRAC_PI_2 } else { NAN }, NAN);
    }
    if x.abs().max(y.abs()) > LARGE {
        return c(y.abs().atan2(x), (log_abs(x, y) + LN_2).copysign(-y));
    }
    let (minus, plus) = (sqrt(c(1.0 - x, -y)), sqrt(c(1.0 + x, y)));
    let re = 2.0 * minus.re.atan2(plus.re);
    let im = (plus.re * minus.im - plus.im * minus.re).asinh();
    c(re, im.abs().copysign(-y))
}

/// The inverse hyperbolic tangent, from which the inverse tangent follows.
fn arctanh(z: Complex64) -> Complex64 {
    let (x, y) = (z.re, z.im);
    if x.is_infinite() || y.is_infinite() {
        let im = if y.is_nan() {
            NAN
        } else {
            FRAC_PI_2.copysign(y)
        };
        return c(0.0f64.copysign(x), im);
    }
    if x.is_nan() || y.is_nan() {
        return c(if x == 0.0 { x } else { NAN }, NAN);
    }
    let (a, b) = (x.abs(), y.abs());
    let (re, im) = if a.max(b) > LARGE {
        // The first term of the series in 1 / z.
        let h = a.hypot(b);
        (a / h / h, FRAC_PI_2)
    } else if a == 1.0 && b == 0.0 {
        (INFINITY, 0.0)
    } else if a == 1.0 {
        (
            0.5 * (2.0f64.hypot(b).ln() - b.ln()),
            0.5 * (2.0 * b).atan2(-b * b),
        )
    } else {
        let d = 1.0 - a;
        let re = 0.25 * (4.0 * a / (d * d + b * b)).ln_1p();
        let im = 0.5 * (2.0 * b).atan2(sum_of(&[d * (1.0 + a), -b * b]));
        (re, im)
    };
    c(re.copysign(x), im.copysign(y))
}

pub(super) fn arctan(z: Complex64) -> Complex64 {
    over_i(arctanh(times_i(z)))
}

/// `npy_cpow`: powers of zero are settled first, small whole exponents multiply; a square is a product in the precision
/// of the dtype.
pub(super) fn power(x: Complex64, y: Complex64, dtype: DType) -> Complex64 {
    if y.re == 2.0 && y.im == 0.0 {
        return multiply_in(x, x, dtype);
    }
    if y.re == 0.0 && y.im == 0.0 {
        return c(1.0, 0.0);
    }
    if x.re == 0.0 && x.im == 0.0 {
        return if y.re > 0.0 { c(0.0, 0.0) } else { c(NAN, NAN) };
    }
    if y.im == 0.0 && y.re.abs() < 100.0 && y.re.fract() == 0.0 {
        return whole_power(x, y.re as i32);
    }
    exp(multiply_infinite(y, log(x)))
}

/// The product as C99 Annex G.5.1 has it, which recovers infinities: what the C library's `cpow` does.
fn multiply_infinite(x: Complex64, y: Complex64) -> Complex64 {
    let product = multiply(x, y);
    let is_infinite = |z: Complex64| z.re.is_infinite() || z.im.is_infinite();
    if !(product.re.is_nan() && product.im.is_nan()) || !(is_infinite(x) || is_infinite(y)) {
        return product;
    }
    // An infinite factor counts by its direction alone; a NaN beside it as zero.
    let part = |z: Complex64, a: f64| {
        let size = match (
            is_infinite(z),
            a.is_infinite() || !is_infinite(z) && !a.is_nan(),
        ) {
            (true, infinite) => f64::from(u8::from(infinite)),
            (false, true) => a.abs(),
            (false, false) => 0.0,
        };
        size.copysign(a)
    };
    let direction = |z: Complex64| c(part(z, z.re), part(z, z.im));
    let product = multiply(direction(x), direction(y));
    c(INFINITY * product.re, INFINITY * product.im)
}

fn whole_power(x: Complex64, n: i32) -> Complex64 {
    match n {
        1 => return x,
        3 => return multiply(x, multiply(x, x)),
        _ => {}
    }
    let (mut result, mut base, mut rest) = (c(1.0, 0.0), x, n.unsigned_abs());
    loop {
        if rest % 2 == 1 {
            result = multiply(result, base);
        }
        rest /= 2;
        if rest == 0 {
            break;
        }
        base = multiply(base, base);
    }
    if n < 0 {
        divide_double(c(1.0, 0.0), result)
    } else {
        result
    }
}
