//! When a result counts as equal to that of the reference interpreter.

use autojit::ir::{HostArray, Scalar};
use autojit::{DType, Result};
use num_complex::Complex64;

/// How far results may be from the expected ones; all zero for bits that must agree.
///
/// A NaN equals any NaN in every case.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tolerance {
    /// Units in the last place of the expected value; of the modulus for complex numbers.
    pub(crate) relative: f64,
    /// The absolute error in units of the machine epsilon.
    pub(crate) absolute: f64,
    /// Zeros of both signs are equal.
    pub(crate) any_zero_sign: bool,
    /// Zeros of both signs are equal where a backend does not order them: XLA's extrema over axes.
    pub(crate) zeros_as_they_come: bool,
    /// Complex numbers with a NaN in either part are equal.
    pub(crate) any_nan: bool,
    /// Complex numbers that are infinite or NaN, in whichever part, are equal.
    pub(crate) any_unbounded: bool,
    /// Subnormal numbers may be zero.
    pub(crate) flushes: bool,
    /// Products with sums may be rounded once: complex numbers may be three units off in any case.
    pub(crate) contracts: bool,
}

impl Tolerance {
    pub(crate) const EXACT: Self = Self {
        relative: 0.0,
        absolute: 0.0,
        any_zero_sign: false,
        zeros_as_they_come: false,
        any_nan: false,
        any_unbounded: false,
        flushes: false,
        contracts: false,
    };

    /// Further differences that this backend may have.
    ///
    /// libtorch's vectors round elementary functions, and complex products and quotients, in another order than
    /// scalars; they lose signs of zeros, and turn parts of infinite complex numbers into NaN.
    ///
    /// XLA flushes subnormal numbers to zero, also between the parts of a complex quotient, whose zeros then lose signs;
    /// and it computes products with sums in one rounding, which shows in complex products: their parts are differences
    /// of products, which have other last digits, or are infinite where two roundings give NaN. It has no switch for
    /// either; tests/external/xla.rs sees that both are so. Tolerances of real numbers are those of the other engines.
    pub(crate) fn on(self, backend: &str) -> Self {
        if backend == "xla" {
            return Self {
                any_zero_sign: self.any_zero_sign || self.zeros_as_they_come,
                any_unbounded: true,
                flushes: true,
                contracts: true,
                ..self
            };
        }
        if backend != "torch" {
            return self;
        }
        Self {
            relative: (2.0 * self.relative).max(8.0),
            absolute: 2.0 * self.absolute,
            any_zero_sign: true,
            zeros_as_they_come: true,
            any_nan: true,
            any_unbounded: true,
            flushes: false,
            contracts: false,
        }
    }

    pub(crate) const fn ulps(relative: f64) -> Self {
        Self {
            relative,
            ..Self::EXACT
        }
    }

    fn close(self, got: Scalar, expected: Scalar, dtype: DType) -> bool {
        if got == expected {
            return true;
        }
        if !dtype.is_float() && !dtype.is_complex() {
            return false;
        }
        let (epsilon, smallest) = match dtype.real() {
            DType::Float32 => (f64::from(f32::EPSILON), f64::from(f32::MIN_POSITIVE)),
            _ => (f64::EPSILON, f64::MIN_POSITIVE),
        };
        let (a, b) = (got.to_complex(), expected.to_complex());
        if self.any_nan && a.is_nan() && b.is_nan() {
            return true;
        }
        if self.any_unbounded && dtype.is_complex() && !a.is_finite() && !b.is_finite() {
            return true;
        }
        let modulus = b.norm();
        let part = |x: f64, y: f64| {
            if x == y {
                let any_sign = self.any_zero_sign || self.flushes && dtype.is_complex();
                return any_sign || x.is_sign_negative() == y.is_sign_negative();
            }
            if x.is_nan() || y.is_nan() {
                return x.is_nan() && y.is_nan();
            }
            let size = if modulus.is_finite() {
                modulus
            } else {
                y.abs()
            };
            if self.flushes && x == 0.0 && y.abs() < smallest {
                return true;
            }
            let relative = if self.contracts && dtype.is_complex() {
                self.relative.max(3.0)
            } else {
                self.relative
            };
            let allowed = epsilon * (relative * size.max(smallest) + self.absolute);
            x.is_finite() && y.is_finite() && (x - y).abs() <= allowed
        };
        part(a.re, b.re) && part(a.im, b.im)
    }

    /// The fault of a result, if there is one.
    pub(crate) fn mismatch(self, got: &HostArray, expected: &HostArray) -> Option<String> {
        if got.ty() != expected.ty() {
            return Some(format!("type {} instead of {}", got.ty(), expected.ty()));
        }
        let (a, b) = (got.to_scalars(), expected.to_scalars());
        let wrong = |&(_, (&a, &b)): &(usize, (&Scalar, &Scalar))| !self.close(a, b, got.dtype());
        let all: Vec<_> = a.iter().zip(&b).enumerate().filter(wrong).collect();
        let (index, (got, expected)) = all.first()?;
        let count = all.len();
        Some(format!(
            "element {index} is {got}, not {expected} ({count} of {} differ)",
            a.len()
        ))
    }
}

/// The same numbers with zeros in the place of subnormal ones, which XLA takes for zeros.
pub(crate) fn flushed(array: &HostArray) -> HostArray {
    let smallest = match array.dtype().real() {
        DType::Float32 => f64::from(f32::MIN_POSITIVE),
        _ => f64::MIN_POSITIVE,
    };
    let real = |x: f64| {
        if x.abs() < smallest {
            0.0f64.copysign(x)
        } else {
            x
        }
    };
    let scalar = |s: Scalar| match s {
        Scalar::Float(x) => Scalar::Float(real(x)),
        Scalar::Complex(z) => Scalar::Complex(Complex64::new(real(z.re), real(z.im))),
        whole => whole,
    };
    let scalars: Vec<Scalar> = array.to_scalars().into_iter().map(scalar).collect();
    HostArray::from_scalars(&array.ty(), &scalars).expect("as many elements as before")
}

/// Compares all results; what fails must fail on both sides, and not by a mistake of the engine's own. Which of
/// several failing ops is named depends on the order of execution, so messages may differ.
pub(crate) fn differences(
    backend: &str,
    got: &Result<Vec<HostArray>>,
    expected: &Result<Vec<HostArray>>,
    tolerances: &[Tolerance],
) -> Vec<(usize, String)> {
    match (got, expected) {
        (Ok(got), Ok(expected)) if got.len() == expected.len() => {
            let pairs = got.iter().zip(expected).zip(tolerances).enumerate();
            pairs
                .filter_map(|(i, ((g, e), t))| Some((i, t.on(backend).mismatch(g, e)?)))
                .collect()
        }
        (Err(got), Err(_)) if !got.is_internal() && !got.is_unsupported() => vec![],
        (Err(got), Err(expected)) => vec![(0, format!("fails with `{got}`, not `{expected}`"))],
        (Ok(_), Ok(_)) => vec![(0, "another number of results".into())],
        (Err(error), Ok(_)) => vec![(0, format!("fails: {error}"))],
        (Ok(_), Err(error)) => vec![(0, format!("should fail: {error}"))],
    }
}
