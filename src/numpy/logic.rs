//! Comparisons up to a tolerance.

use std::ops::RangeFull;

use super::special::cast;
use super::{
    absolute, add, all, attempt, equal, isfinite, isnan, less_equal, logical_and, logical_or,
    multiply, replaceable, subtract,
};
use crate::{Array, Operand};
use autojit_ir::{Class, Scalar};

/// How far numbers may be apart: `|x - y| <= atol + rtol |y|`, with `1e-5` and `1e-8` by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Relative to the second number.
    pub rtol: f64,
    /// Absolute.
    pub atol: f64,
    /// Whether NaN is close to NaN.
    pub equal_nan: bool,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            rtol: 1e-5,
            atol: 1e-8,
            equal_nan: false,
        }
    }
}

impl From<RangeFull> for Tolerance {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// Whether numbers are equal up to a tolerance. Infinities are close to themselves alone.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::isclose(Array::from([1.0, 2.0]), Array::from([1.0 + 1e-9, 2.1]), ..).to_string(), "[ True False]");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.isclose`.
#[track_caller]
pub fn isclose<'a>(
    x: impl Into<Operand<'a>>,
    y: impl Into<Operand<'a>>,
    tolerance: impl Into<Tolerance>,
) -> Array {
    let (x, y) = (x.into(), y.into());
    let Tolerance {
        rtol,
        atol,
        equal_nan,
    } = tolerance.into();
    replaceable!("isclose", [&x, &y, rtol, atol, equal_nan]);
    let dtype = attempt!("isclose", y.ty()).dtype.floating();
    let y = match y {
        // A plain number stays one, so that it takes part by its class; an integer is a floating one, as differences of integers wrap.
        Operand::Scalar(scalar) if scalar.class() < Class::Float => {
            Scalar::Float(scalar.to_f64()).into()
        }
        Operand::Scalar(_) => y,
        array @ Operand::Array(_) => cast(array, dtype).into(),
    };
    let apart = absolute(subtract(x.clone(), y.clone()));
    let allowed = add(multiply(absolute(y.clone()), rtol), atol);
    let near = logical_and(less_equal(apart, allowed), isfinite(y.clone()));
    let close = logical_or(near, equal(x.clone(), y.clone()));
    if !equal_nan {
        return close;
    }
    logical_or(close, logical_and(isnan(x), isnan(y)))
}

/// Whether all numbers are equal up to a tolerance; 0-d.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::allclose(Array::from([1.0, 2.0]), Array::from([1.0 + 1e-9, 2.0]), ..).to_string(), "True");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.allclose`.
#[track_caller]
pub fn allclose<'a>(
    x: impl Into<Operand<'a>>,
    y: impl Into<Operand<'a>>,
    tolerance: impl Into<Tolerance>,
) -> Array {
    let (x, y, tolerance) = (x.into(), y.into(), tolerance.into());
    let Tolerance {
        rtol,
        atol,
        equal_nan,
    } = tolerance;
    replaceable!("allclose", [&x, &y, rtol, atol, equal_nan]);
    all(isclose(x, y, tolerance), ..)
}

/// Whether [`array_equal`] takes NaN as equal to itself: no by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EqualNan(pub bool);

impl From<std::ops::RangeFull> for EqualNan {
    fn from(_: std::ops::RangeFull) -> Self {
        Self::default()
    }
}

impl From<bool> for EqualNan {
    fn from(equal_nan: bool) -> Self {
        Self(equal_nan)
    }
}

/// Whether two arrays have the same shape and equal elements; 0-d.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([1.0, f64::NAN]);
/// assert!(!np::array_equal(&x, &x, ..).item::<bool>()?);
/// assert!(np::array_equal(&x, &x, true).item::<bool>()?);
/// assert!(!np::array_equal(&x, 1.0, ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// One of the arrays failed.
///
/// Source: `numpy.array_equal`.
#[track_caller]
pub fn array_equal<'a>(
    x: impl Into<Operand<'a>>,
    y: impl Into<Operand<'a>>,
    equal_nan: impl Into<EqualNan>,
) -> Array {
    let (x, y, EqualNan(equal_nan)) = (x.into(), y.into(), equal_nan.into());
    replaceable!("array_equal", [&x, &y, equal_nan]);
    let (x_ty, y_ty) = (
        attempt!("array_equal", x.ty()),
        attempt!("array_equal", y.ty()),
    );
    if x_ty.shape != y_ty.shape {
        return super::special::constant(false, crate::DType::Bool, &super::to_array(x));
    }
    let same = equal(x.clone(), y.clone());
    if !equal_nan {
        return all(same, ..);
    }
    all(logical_or(same, logical_and(isnan(x), isnan(y))), ..)
}
