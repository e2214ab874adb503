//! Linear interpolation between known points.

use std::ops::RangeFull;

use super::searching::Side;
use super::{
    add, argsort, attempt, concatenate, divide, equal, fail, greater, isnan, less, logical_and,
    maximum, minimum, multiply, replaceable, searchsorted, subtract, take, to_array, where_,
};
use crate::{Array, DType, Error, Operand};
use autojit_ir::{Class, MapOp, Op};

/// The values of [`interp`] outside of the known points: the first and the last value unless it is told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Left of the first point.
    pub left: Option<Operand<'static>>,
    /// Right of the last point.
    pub right: Option<Operand<'static>>,
    /// The points repeat with this period, so nothing is outside; their order does not matter.
    pub period: Option<f64>,
}

impl From<RangeFull> for Outside {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl Outside {
    /// The value left of the first point.
    #[must_use]
    pub fn left<'a>(self, left: impl Into<Operand<'a>>) -> Self {
        let left = Some(left.into().into_owned());
        Self { left, ..self }
    }

    /// The value right of the last point.
    #[must_use]
    pub fn right<'a>(self, right: impl Into<Operand<'a>>) -> Self {
        let right = Some(right.into().into_owned());
        Self { right, ..self }
    }
}

/// The value left of the first point. See [`Outside`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (at, x, y) = (Array::from([-1.0, 0.5]), Array::from([0.0, 1.0]), Array::from([10.0, 20.0]));
/// assert_eq!(np::interp(&at, &x, &y, np::interpolation::left(0.0)).to_string(), "[ 0. 15.]");
/// ```
pub fn left<'a>(left: impl Into<Operand<'a>>) -> Outside {
    Outside::default().left(left)
}

/// The value right of the last point. See [`Outside`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (at, x, y) = (Array::from([0.5, 2.0]), Array::from([0.0, 1.0]), Array::from([10.0, 20.0]));
/// assert_eq!(np::interp(&at, &x, &y, np::interpolation::right(0.0)).to_string(), "[15.  0.]");
/// ```
pub fn right<'a>(right: impl Into<Operand<'a>>) -> Outside {
    Outside::default().right(right)
}

/// The points repeat with this period. See [`Outside`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (at, x, y) = (Array::from([361.0, 725.0]), Array::from([0.0, 10.0]), Array::from([0.0, 1.0]));
/// assert_eq!(np::interp(&at, &x, &y, np::interpolation::period(360.0)).to_string(), "[0.1 0.5]");
/// ```
#[must_use]
pub fn period(period: f64) -> Outside {
    Outside {
        period: Some(period),
        ..Outside::default()
    }
}

/// The values at `x` of the function that is linear between the points `(xp, fp)`; `xp` must increase.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (xp, fp) = (Array::from([1.0, 2.0, 3.0]), Array::from([3.0, 2.0, 0.0]));
/// let y = np::interp(Array::from([0.0, 1.5, 2.5, 9.0]), &xp, &fp, ..);
/// assert_eq!(y.to_string(), "[3.  2.5 1.  0. ]");
/// let y = np::interp(9.0, &xp, &fp, np::interpolation::right(-1.0));
/// assert_eq!(y.item::<f64>()?, -1.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `xp` and `fp` are not vectors of the same length, or empty; `x` or `xp` is complex; the period is zero or not
/// finite.
///
/// Source: `numpy.interp`.
#[track_caller]
pub fn interp<'a>(
    x: impl Into<Operand<'a>>,
    xp: impl Into<Operand<'a>>,
    fp: impl Into<Operand<'a>>,
    outside: impl Into<Outside>,
) -> Array {
    let (x, xp, fp) = (to_array(x.into()), to_array(xp.into()), to_array(fp.into()));
    let Outside {
        left,
        right,
        period,
    } = outside.into();
    replaceable!(
        "interp",
        [&x, &xp, &fp, left.as_ref(), right.as_ref(), period]
    );
    let (x_ty, xp_ty, fp_ty) = (
        attempt!("interp", x.ty()),
        attempt!("interp", xp.ty()),
        attempt!("interp", fp.ty()),
    );
    for ty in [&x_ty, &xp_ty] {
        if ty.dtype.class() == Class::Complex {
            return fail(
                "interp",
                Error::dtype(format!("expected real positions, got {ty}")),
            );
        }
    }
    let n = match (xp_ty.shape.as_slice(), fp_ty.shape.as_slice()) {
        (&[n], &[m]) if n == m && n > 0 => n as i64,
        _ => {
            let wrong = Error::shape(format!(
                "expected points as two vectors of the same length, got {xp_ty} and {fp_ty}"
            ));
            return fail("interp", wrong);
        }
    };
    let dtype = if fp_ty.dtype.class() == Class::Complex {
        DType::Complex128
    } else {
        DType::Float64
    };
    let (x, xp, fp) = (
        super::astype(x, DType::Float64),
        super::astype(xp, DType::Float64),
        super::astype(fp, dtype),
    );
    if let Some(period) = period {
        let length = period.abs();
        if length == 0.0 || !length.is_finite() {
            let wrong = Error::value(format!("expected a period that is not zero, got {period}"));
            return fail("interp", wrong);
        }
        let (x, xp) = (super::remainder(x, length), super::remainder(xp, length));
        let order = argsort(&xp, -1);
        let (xp, fp) = (take(xp, &order, 0), take(fp, order, 0));
        // The last point once more before the first, and the first behind the last.
        let last = subtract(xp.get(-1..), length);
        let first = add(xp.get(..1), length);
        let positions = concatenate([&last, &xp, &first], 0);
        let values = concatenate([&fp.get(-1..), &fp, &fp.get(..1)], 0);
        return between(&x, &positions, &values, n + 2);
    }
    let inside = between(&x, &xp, &fp, n);
    let left = left.unwrap_or_else(|| fp.get(0).into());
    let right = right.unwrap_or_else(|| fp.get(-1).into());
    let inside = where_(less(&x, xp.get(0)), left, inside);
    let inside = where_(greater(&x, xp.get(-1)), right, inside);
    where_(isnan(&x), super::astype(&x, dtype), inside)
}

/// Interpolates between neighbours; what lies outside is not looked at.
#[track_caller]
fn between(x: &Array, xp: &Array, fp: &Array, n: i64) -> Array {
    let behind = searchsorted(xp, x, Side::Right);
    let before = minimum(maximum(subtract(behind, 1), 0), (n - 2).max(0));
    let after = minimum(add(&before, 1), n - 1);
    let (x0, x1) = (take(xp, &before, 0), take(xp, &after, 0));
    let (y0, y1) = (take(fp, &before, 0), take(fp, after, 0));
    let width = subtract(&x1, &x0);
    let width = where_(equal(&width, 0.0), 1.0, width);
    let slope = divide(subtract(&y1, &y0), width);
    let from_left = add(multiply(&slope, subtract(x, &x0)), &y0);
    // Beside an infinite value one direction can have a limit where the other is undefined.
    let from_right = add(multiply(slope, subtract(x, &x1)), &y1);
    let constant = logical_and(isnan(&from_right), equal(&y0, &y1));
    let other = where_(constant, &y0, &from_right);
    let inside = where_(isnan(&from_left), other, &from_left);
    let inside = where_(equal(x, x0), at_point(&from_left, &y0), inside);
    where_(equal(x, x1), at_point(&from_right, &y1), inside)
}

/// At a point the value is that of the point, whatever the slope, and a derivative is that of the line, if there is one.
#[track_caller]
fn at_point(line: &Array, value: &Array) -> Array {
    let still = |x: &Array| Array::apply(Op::Map(MapOp::StopGradient), &[x.into()]);
    // Subtracted, so that the sign of a zero stays.
    let moving = subtract(still(value), subtract(still(line), line));
    where_(isnan(line), value, moving)
}
