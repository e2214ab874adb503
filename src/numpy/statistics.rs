//! Reductions that are written with others: counts, ranges, reductions that leave NaN out, normalised exponentials.

use super::options::Reduction;
use super::special::{cast, constant};
use super::{
    all, astype, attempt, divide, exp, isfinite, isnan, log, logical_not, max, mean, min,
    replaceable, reshape, subtract, sum, to_array, where_,
};
use crate::{Array, DType, Operand, Result};
use autojit_ir::{ArrayType, Class};

/// How many elements are not zero, over axes; NaN counts.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::count_nonzero(Array::from([[0, 1], [2, 3]]), 0).to_string(), "[1 2]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.count_nonzero`.
#[track_caller]
pub fn count_nonzero<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!(
        "count_nonzero",
        [&x, options.axes.as_ref(), options.keepdims]
    );
    sum(astype(x, DType::Bool), options)
}

/// The distance of the largest from the smallest element, over axes.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::ptp(Array::from([[1, 9], [4, 2]]), 0).to_string(), "[3 7]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, there is no element, or `x` is boolean.
///
/// Source: `numpy.ptp`.
#[track_caller]
pub fn ptp<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("ptp", [&x, options.axes.as_ref(), options.keepdims]);
    subtract(max(x.clone(), options.clone()), min(x, options))
}

/// The array with a number in the place of NaN, and where NaN was; `None` if its dtype has no NaN.
#[track_caller]
fn without_nan(x: &Array, ty: &ArrayType, number: f64) -> Option<(Array, Array)> {
    if ty.dtype.class() <= Class::Integer {
        return None;
    }
    let missing = isnan(x);
    Some((where_(&missing, constant(number, ty.dtype, x), x), missing))
}

/// The sum over axes of the elements that are not NaN.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nansum(Array::from([1.0, f64::NAN, 3.0]), ..).to_string(), "4.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.nansum`.
#[track_caller]
pub fn nansum<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("nansum", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("nansum", x.ty());
    match without_nan(&x, &ty, 0.0) {
        Some((numbers, _)) => sum(numbers, options),
        None => sum(x, options),
    }
}

/// The product over axes of the elements that are not NaN.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nanprod(Array::from([1.0, f64::NAN, 3.0]), ..).to_string(), "3.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.nanprod`.
#[track_caller]
pub fn nanprod<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("nanprod", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("nanprod", x.ty());
    match without_nan(&x, &ty, 1.0) {
        Some((numbers, _)) => super::prod(numbers, options),
        None => super::prod(x, options),
    }
}

/// The mean over axes of the elements that are not NaN; NaN if there is none.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nanmean(Array::from([1.0, f64::NAN, 3.0]), ..).to_string(), "2.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.nanmean`.
#[track_caller]
pub fn nanmean<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("nanmean", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("nanmean", x.ty());
    match without_nan(&x, &ty, 0.0) {
        Some((numbers, missing)) => {
            let count = sum(logical_not(missing), options.clone());
            divide(sum(numbers, options), astype(count, ty.dtype.real()))
        }
        None => mean(x, options),
    }
}

/// The largest element over axes that is not NaN; NaN if all are.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nanmax(Array::from([1.0, f64::NAN, 3.0]), ..).to_string(), "3.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or there is no element.
///
/// Source: `numpy.nanmax`.
#[track_caller]
pub fn nanmax<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("nanmax", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("nanmax", x.ty());
    match without_nan(&x, &ty, f64::NEG_INFINITY) {
        Some((numbers, missing)) => where_(
            all(missing, options.clone()),
            constant(f64::NAN, ty.dtype, &x),
            max(numbers, options),
        ),
        None => max(x, options),
    }
}

/// The smallest element over axes that is not NaN; NaN if all are.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nanmin(Array::from([1.0, f64::NAN, 3.0]), ..).to_string(), "1.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or there is no element.
///
/// Source: `numpy.nanmin`.
#[track_caller]
pub fn nanmin<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    replaceable!("nanmin", [&x, options.axes.as_ref(), options.keepdims]);
    let ty = attempt!("nanmin", x.ty());
    match without_nan(&x, &ty, f64::INFINITY) {
        Some((numbers, missing)) => where_(
            all(missing, options.clone()),
            constant(f64::NAN, ty.dtype, &x),
            min(numbers, options),
        ),
        None => min(x, options),
    }
}

/// The largest elements, kept as axes of length one; zero where they are infinite, so that they can be
/// subtracted.
#[track_caller]
fn shift(x: &Array, options: &Reduction) -> Array {
    let largest = max(x, options.clone().keepdims());
    where_(isfinite(&largest), &largest, 0)
}

/// Booleans and integers as `float64`.
fn floating(x: Operand) -> Result<(Operand, DType)> {
    let dtype = x.ty()?.dtype.floating();
    Ok((x, dtype))
}

/// `log(sum(exp(x)))` over axes, without overflow on the way.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::logsumexp(Array::from([1000.0, 1000.0]), ..).to_string(), "1000.6931471805599");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or there is no element.
///
/// Source: `scipy.special.logsumexp`.
#[track_caller]
pub fn logsumexp<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("logsumexp", [&x, options.axes.as_ref(), options.keepdims]);
    let (x, dtype) = attempt!("logsumexp", floating(x));
    let x = cast(x, dtype);
    let largest = shift(&x, &options);
    let logarithm = log(sum(exp(subtract(&x, &largest)), options));
    let ty = attempt!("logsumexp", logarithm.ty());
    super::add(&logarithm, reshape(largest, &ty.shape))
}

/// `exp(x)` divided by its sum over axes, without overflow on the way.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::softmax(Array::from([0.0, 0.0, 1000.0]), ..).to_string(), "[0. 0. 1.]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or there is no element.
///
/// Source: `scipy.special.softmax`.
#[track_caller]
pub fn softmax<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("softmax", [&x, options.axes.as_ref()]);
    let (x, dtype) = attempt!("softmax", floating(x));
    let x = cast(x, dtype);
    let options = options.keepdims();
    let powers = exp(subtract(&x, max(&x, options.clone())));
    divide(&powers, sum(&powers, options))
}

/// The logarithm of [`softmax`], without cancellation.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::log_softmax(Array::from([0.0, 1000.0]), ..).to_string(), "[-1000.     0.]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or there is no element.
///
/// Source: `scipy.special.log_softmax`.
#[track_caller]
pub fn log_softmax<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("log_softmax", [&x, options.axes.as_ref()]);
    let (x, dtype) = attempt!("log_softmax", floating(x));
    let x = cast(x, dtype);
    let options = options.keepdims();
    let below = subtract(&x, shift(&x, &options));
    subtract(&below, log(sum(exp(&below), options)))
}
