//! Element types of linear algebra, and what every call of faer needs around it.

use super::householder::Scalar;
use crate::kind::{Failure, Kind};
use num_complex::Complex;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An element type of linear algebra: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`.
pub trait Field: faer::traits::ComplexField<Real = Self::Magnitude> + Scalar {
    /// The type of norms and singular values.
    type Magnitude: Field<Magnitude = Self::Magnitude> + faer::traits::RealField + Default;
    /// The complex numbers of the same precision.
    type Complex: Field<Magnitude = Self::Magnitude>;
    /// The same field in double precision.
    type Double: Field<Magnitude = f64, Complex = Complex<f64>, Double = Self::Double>;
    /// The kind of array element that this is.
    const KIND: Kind;
    /// The distance from 1 to the next larger number.
    const PRECISION: f64;
    /// A value that is not a number.
    const NAN: Self;
    /// Binary exponents up to this, of either sign, are safe to square and multiply without further scaling.
    const SAFE_EXPONENT: i32;
    /// Whether neither part is infinite or NaN.
    fn finite(self) -> bool;
}

macro_rules! field {
    ($($type:ty, $real:ident, $complex:ident;)*) => {$(
        impl Field for $type {
            type Magnitude = $type;
            type Complex = Complex<$type>;
            type Double = f64;
            const KIND: Kind = Kind::$real;
            const PRECISION: f64 = <$type>::EPSILON as f64;
            const NAN: Self = <$type>::NAN;
            const SAFE_EXPONENT: i32 = <$type>::MAX_EXP / 4;
            fn finite(self) -> bool {
                self.is_finite()
            }
        }

        impl Field for Complex<$type> {
            type Magnitude = $type;
            type Complex = Complex<$type>;
            type Double = Complex<f64>;
            const KIND: Kind = Kind::$complex;
            const PRECISION: f64 = <$type>::EPSILON as f64;
            const NAN: Self = Complex::new(<$type>::NAN, <$type>::NAN);
            const SAFE_EXPONENT: i32 = <$type>::MAX_EXP / 4;
            fn finite(self) -> bool {
                self.re.is_finite() && self.im.is_finite()
            }
        }
    )*};
}

field! {
    f32, Float32, Complex64;
    f64, Float64, Complex128;
}

/// Whether every element is finite.
pub(super) fn all_finite<T: Field>(a: &[T]) -> bool {
    a.iter().all(|x| x.finite())
}

/// Rounds to another precision.
pub(super) fn convert<T: Scalar, U: Scalar>(x: T) -> U {
    let (re, im) = x.parts();
    U::from_parts(re, im)
}

/// Runs faer: turns a panic into a failure, and leaves the vector registers as other code wants them.
///
/// Only buffers that a failure makes unspecified may be touched in `f`.
pub(super) fn guarded(f: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let result = catch_unwind(AssertUnwindSafe(f)).unwrap_or(Err(Failure::NoConvergence));
    clear_upper_registers();
    result
}

/// Clears the upper halves of the vector registers, which faer's assembly kernels leave dirty.
///
/// Until that happens, every SSE instruction of the thread waits for those halves (measured on Zen 5: after one SVD,
/// compiled code without AVX ran at a third of its speed).
fn clear_upper_registers() {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx")]
        fn clear() {
            std::arch::x86_64::_mm256_zeroupper();
        }
        if is_x86_feature_detected!("avx") {
            // SAFETY: the feature was just found.
            unsafe { clear() };
        }
    }
}

/// A power of two that brings the largest element near 1, and its inverse; `None` where all magnitudes are safe.
///
/// faer squares elements; matrices at the ends of the exponent range would overflow or vanish on the way.
pub(super) fn scaling<T: Field>(a: &[T]) -> Option<(T, T)> {
    let largest = a.iter().fold(0.0, |largest: f64, x| {
        let (re, im) = x.parts();
        largest.max(re.abs()).max(im.abs())
    });
    if largest == 0.0 {
        return None;
    }
    let exponent = largest.log2().floor() as i32;
    // Both factors must be normal numbers of the type; what remains of an extreme exponent is safe.
    let limit = 4 * T::SAFE_EXPONENT - 4;
    (exponent.abs() > T::SAFE_EXPONENT).then(|| {
        let exponent = exponent.clamp(-limit, limit);
        (
            T::from_parts(2.0_f64.powi(-exponent), 0.0),
            T::from_parts(2.0_f64.powi(exponent), 0.0),
        )
    })
}

/// `factor a`.
pub(super) fn scale<T: Field>(a: &[T], factor: T) -> Vec<T> {
    a.iter().map(|&x| x * factor).collect()
}
