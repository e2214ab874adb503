//! Elementary functions of complex numbers: C99 Annex G at special values and on branch cuts, as NumPy has them.
//!
//! `num_complex`'s own functions overflow early and lose signs of zeros, hence these. The work is done in `f64`;
//! `Complex<f32>` widens, computes and rounds once, so its intermediate values cannot overflow.
//! Division alone stays in its own type: it is NumPy's Smith algorithm, operation by operation.

mod exponential;
mod hyperbolic;
mod inverse;

use super::real::Real;
use num_complex::Complex;

/// Widens to double precision; exact.
#[inline]
fn widen<T: Real>(z: Complex<T>) -> Complex<f64> {
    Complex::new(z.re.to_f64(), z.im.to_f64())
}

/// Rounds both parts to `T`.
#[inline]
fn narrow<T: Real>(z: Complex<f64>) -> Complex<T> {
    Complex::new(T::from_f64(z.re), T::from_f64(z.im))
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $function:path;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name<T: Real>(z: Complex<T>) -> Complex<T> {
            narrow($function(widen(z)))
        }
    )*};
}

unary! {
    /// e to the power `z` (`numpy.exp`).
    exp = exponential::exp;
    /// Natural logarithm, cut along the negative real axis (`numpy.log`).
    log = exponential::log;
    /// 2 to the power `z` (`numpy.exp2`).
    exp2 = exponential::exp2;
    /// `exp(z) - 1` without cancellation of the real part for small `z` (`numpy.expm1`).
    expm1 = exponential::expm1;
    /// Logarithm to base 2 (`numpy.log2`).
    log2 = exponential::log2;
    /// Logarithm to base 10 (`numpy.log10`).
    log10 = exponential::log10;
    /// `log(1 + z)`, accurate near zero (`numpy.log1p`, which rounds `1 + z` first).
    log1p = exponential::log1p;
    /// Square root with nonnegative real part, cut along the negative real axis (`numpy.sqrt`).
    sqrt = exponential::sqrt;
    /// Sine (`numpy.sin`).
    sin = hyperbolic::sin;
    /// Cosine (`numpy.cos`).
    cos = hyperbolic::cos;
    /// Tangent (`numpy.tan`).
    tan = hyperbolic::tan;
    /// Hyperbolic sine (`numpy.sinh`).
    sinh = hyperbolic::sinh;
    /// Hyperbolic cosine (`numpy.cosh`).
    cosh = hyperbolic::cosh;
    /// Hyperbolic tangent (`numpy.tanh`).
    tanh = hyperbolic::tanh;
    /// Inverse sine, cut along the real axis outside `[-1, 1]` (`numpy.arcsin`).
    arcsin = inverse::arcsin;
    /// Inverse cosine, cut along the real axis outside `[-1, 1]` (`numpy.arccos`).
    arccos = inverse::arccos;
    /// Inverse tangent, cut along the imaginary axis outside `[-i, i]` (`numpy.arctan`).
    arctan = inverse::arctan;
    /// Inverse hyperbolic sine, cut along the imaginary axis outside `[-i, i]` (`numpy.arcsinh`).
    arcsinh = inverse::arcsinh;
    /// Inverse hyperbolic cosine, cut along the real axis below 1 (`numpy.arccosh`).
    arccosh = inverse::arccosh;
    /// Inverse hyperbolic tangent, cut along the real axis outside `[-1, 1]` (`numpy.arctanh`).
    arctanh = inverse::arctanh;
}

/// Modulus without overflow on the way (`numpy.absolute`).
#[inline]
pub fn absolute<T: Real>(z: Complex<T>) -> T {
    z.re.hypot(z.im)
}

/// The plain product, with no recovery of infinities, as NumPy multiplies.
#[inline]
pub fn multiply<T: Real>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    Complex::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
}

/// `a / b` by Smith's algorithm (1962), in NumPy's order of operations; a zero divisor divides each part by zero.
#[inline]
pub fn divide<T: Real>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    let magnitude = |x: T| if x < T::ZERO { -x } else { x + T::ZERO };
    let (re, im) = (magnitude(b.re), magnitude(b.im));
    if re >= im {
        if re == T::ZERO && im == T::ZERO {
            return Complex::new(a.re / re, a.im / re);
        }
        let ratio = b.im / b.re;
        let scale = T::ONE / (b.re + b.im * ratio);
        Complex::new((a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale)
    } else {
        let ratio = b.re / b.im;
        let scale = T::ONE / (b.im + b.re * ratio);
        Complex::new((a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale)
    }
}

/// `1 / z`, in NumPy's order of operations (`numpy.reciprocal`): zero gives NaN in both parts.
#[inline]
pub fn reciprocal<T: Real>(z: Complex<T>) -> Complex<T> {
    let magnitude = |x: T| if x < T::ZERO { -x } else { x + T::ZERO };
    if magnitude(z.im) <= magnitude(z.re) {
        let ratio = z.im / z.re;
        let divisor = z.re + z.im * ratio;
        Complex::new(T::ONE / divisor, -ratio / divisor)
    } else {
        let ratio = z.re / z.im;
        let divisor = z.re * ratio + z.im;
        Complex::new(ratio / divisor, -T::ONE / divisor)
    }
}

/// `base ** exponent` (`numpy.power`): `x ** 0 = 1`; `0 ** y` is 0 for a positive real part of `y`, else NaN; integer
/// exponents below 100 in magnitude by repeated multiplication; the rest is `exp(y log x)`. Squares are products in `T`,
/// to the last bit.
#[inline]
pub fn power<T: Real>(base: Complex<T>, exponent: Complex<T>) -> Complex<T> {
    if exponent.im == T::ZERO && exponent.re == T::ONE + T::ONE {
        return multiply(base, base);
    }
    narrow(exponential::power(widen(base), widen(exponent)))
}

#[cfg(test)]
mod tests;
