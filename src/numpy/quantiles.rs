//! Quantiles and percentiles.

use std::ops::RangeFull;

use super::options::Reduction;
use super::special::{cast, constant};
use super::{
    add, astype, ceil, divide, equal, expand_dims, fail, floor, greater_equal, isnan, less_equal,
    logical_and, maximum, minimum, multiply, ravel, remainder, replaceable, reshape, rint, sort,
    subtract, take, to_array, transpose, where_,
};
use crate::array::Repr;
use crate::{Array, DType, Error, Operand, Result, Value};
use autojit_ir::{ArrayType, Class, Dims};

/// How [`quantile`] and [`percentile`] choose or interpolate between elements in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The smallest element whose share is not below `q`.
    InvertedCdf,
    /// The same, but the mean of two elements where the share is `q` exactly.
    AveragedInvertedCdf,
    /// The element whose share is nearest to `q`.
    ClosestObservation,
    /// Linear between the shares.
    InterpolatedInvertedCdf,
    /// Linear, the shares being those of the middles of steps.
    Hazen,
    /// Linear, the shares being expected ones.
    Weibull,
    /// Linear between the first and the last element.
    #[default]
    Linear,
    /// Linear, the shares being medians of their distribution.
    MedianUnbiased,
    /// Linear, unbiased for normal distributions.
    NormalUnbiased,
    /// The element below the place of `Linear`.
    Lower,
    /// The element above it.
    Higher,
    /// The mean of the two.
    Midpoint,
    /// The nearest of the two, the even one of two equally near.
    Nearest,
}

impl Method {
    /// NumPy's words, in its order.
    pub(crate) const WORDS: [(&'static str, Self); 13] = [
        ("linear", Self::Linear),
        ("inverted_cdf", Self::InvertedCdf),
        ("averaged_inverted_cdf", Self::AveragedInvertedCdf),
        ("closest_observation", Self::ClosestObservation),
        ("interpolated_inverted_cdf", Self::InterpolatedInvertedCdf),
        ("hazen", Self::Hazen),
        ("weibull", Self::Weibull),
        ("median_unbiased", Self::MedianUnbiased),
        ("normal_unbiased", Self::NormalUnbiased),
        ("lower", Self::Lower),
        ("higher", Self::Higher),
        ("midpoint", Self::Midpoint),
        ("nearest", Self::Nearest),
    ];

    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, method)| *method == self);
        found.map_or("linear", |(word, _)| word)
    }

    /// The two numbers by which the linear methods differ.
    fn plotting(self) -> Option<(f64, f64)> {
        match self {
            Self::InterpolatedInvertedCdf => Some((0.0, 1.0)),
            Self::Hazen => Some((0.5, 0.5)),
            Self::Weibull => Some((0.0, 0.0)),
            Self::MedianUnbiased => Some((1.0 / 3.0, 1.0 / 3.0)),
            Self::NormalUnbiased => Some((3.0 / 8.0, 3.0 / 8.0)),
            Self::InvertedCdf
            | Self::AveragedInvertedCdf
            | Self::ClosestObservation
            | Self::Linear
            | Self::Lower
            | Self::Higher
            | Self::Midpoint
            | Self::Nearest => None,
        }
    }
}

impl From<Method> for Value {
    fn from(method: Method) -> Self {
        method.word().into()
    }
}

/// The options of [`quantile`] and [`percentile`]: axes, all by default, and the method.
///
/// Written `..`, `0`, `axis(0).keepdims()`, `Method::Lower`, `method(Method::Lower).axis(0)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantile {
    pub(crate) reduction: Reduction,
    pub(crate) method: Method,
}

/// Choose or interpolate in this way. See [`Quantile`].
///
/// ```
/// use autojit::numpy::quantiles::{Method, method};
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::quantile(Array::from([1.0, 2.0]), 0.6, method(Method::Lower)).to_string(), "1.0");
/// ```
#[must_use]
pub fn method(method: Method) -> Quantile {
    Quantile {
        method,
        ..Quantile::default()
    }
}

impl Quantile {
    /// Over these axes.
    #[must_use]
    pub fn axis(self, axes: impl Into<Reduction>) -> Self {
        let reduction = axes.into();
        Self { reduction, ..self }
    }
}

impl From<RangeFull> for Quantile {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<Method> for Quantile {
    fn from(choice: Method) -> Self {
        method(choice)
    }
}

macro_rules! quantile_over {
    ($([$($generic:tt)*] $axes:ty),*) => {$(
        impl<$($generic)*> From<$axes> for Quantile {
            fn from(axes: $axes) -> Self {
                Self::default().axis(axes)
            }
        }
    )*};
}

quantile_over!([] Reduction, [] i32, [] i64, [] Vec<i64>, [const N: usize] [i64; N]);

impl<const N: usize> From<[i32; N]> for Quantile {
    fn from(axes: [i32; N]) -> Self {
        Self::default().axis(axes.as_slice())
    }
}

/// The values below which shares `q`, from 0 to 1, of the elements lie, over axes.
///
/// The result has the axes of `q`, then those of `x` that are left. NaN where an element is NaN, or where `q` is out of range
/// and not known until the function runs. Booleans and integers give `float64`, unless the method chooses elements.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[10.0, 7.0, 4.0], [3.0, 2.0, 1.0]]);
/// assert_eq!(np::quantile(&x, 0.5, ..).item::<f64>()?, 3.5);
/// assert_eq!(np::quantile(&x, Array::from([0.0, 1.0]), 0).to_string(), "[[ 3.  2.  1.]\n [10.  7.  4.]]");
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `x` is complex or boolean with a method that interpolates, or has no element; `q` has more than two axes or is out of
/// range; an axis is out of range or given twice.
///
/// Source: `numpy.quantile`; the methods are those of Hyndman and Fan, "Sample quantiles in statistical packages", The American
/// Statistician 50 (1996).
#[track_caller]
pub fn quantile<'a>(
    x: impl Into<Operand<'a>>,
    q: impl Into<Operand<'a>>,
    options: impl Into<Quantile>,
) -> Array {
    let (x, q, options) = (to_array(x.into()), q.into(), options.into());
    let Quantile { reduction, method } = &options;
    replaceable!(
        "quantile",
        [&x, &q, reduction.axes.as_ref(), *method, reduction.keepdims]
    );
    of_shares("quantile", x, q, 1.0, &options)
}

/// The same as [`quantile`], for percentages from 0 to 100.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([10.0, 7.0, 4.0, 3.0]);
/// assert_eq!(np::percentile(&x, 50, ..).item::<f64>()?, 5.5);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`quantile`].
///
/// Source: `numpy.percentile`.
#[track_caller]
pub fn percentile<'a>(
    x: impl Into<Operand<'a>>,
    q: impl Into<Operand<'a>>,
    options: impl Into<Quantile>,
) -> Array {
    let (x, q, options) = (to_array(x.into()), q.into(), options.into());
    let Quantile { reduction, method } = &options;
    replaceable!(
        "percentile",
        [&x, &q, reduction.axes.as_ref(), *method, reduction.keepdims]
    );
    of_shares("percentile", x, q, 100.0, &options)
}

/// Refuses shares out of range, where their values are known.
#[track_caller]
fn check_range(q: &Operand, whole: f64) -> Result<()> {
    let is_in = |x: f64| (0.0..=whole).contains(&x);
    let known = match q {
        Operand::Scalar(scalar) => is_in(scalar.to_f64()),
        Operand::Array(array) => match &array.0 {
            Repr::Concrete(_) => {
                let numbers: Vec<f64> = astype(&**array, DType::Float64).to_vec()?;
                numbers.into_iter().all(is_in)
            }
            _ => true,
        },
    };
    match known {
        true => Ok(()),
        false => Err(Error::value(format!(
            "expected shares from 0 to {whole}, got one out of range"
        ))),
    }
}

/// Shares from 0 to 1 as an array, and whether they are one number, which has the precision of the array that it meets.
#[track_caller]
fn shares(q: Operand, whole: f64, x: &Array) -> Result<(Array, bool)> {
    let ty = q.ty()?;
    if ty.dtype.is_complex() {
        return Err(Error::dtype(format!("expected real shares, got {ty}")));
    }
    let (q, weak) = match q {
        Operand::Scalar(scalar) => (constant(scalar.to_f64(), DType::Float64, x), true),
        array @ Operand::Array(_) => (cast(array, ty.dtype.floating()), false),
    };
    Ok((if whole == 1.0 { q } else { divide(q, whole) }, weak))
}

#[track_caller]
fn of_shares(name: &'static str, x: Array, q: Operand, whole: f64, options: &Quantile) -> Array {
    let ty = match x.ty() {
        Ok(ty) => ty,
        Err(error) => return fail(name, error),
    };
    let checked = check(&ty, &q, whole, options);
    let axes = match checked {
        Ok(axes) => axes,
        Err(error) => return fail(name, error),
    };
    let (q, weak) = match shares(q, whole, &x) {
        Ok(shares) => shares,
        Err(error) => return fail(name, error),
    };
    let q_ty = match q.ty() {
        Ok(ty) => ty,
        Err(error) => return fail(name, error),
    };
    // The elements of each sample in order, along the first axis.
    let kept: Dims = (0..ty.ndim()).filter(|a| !axes.contains(a)).collect();
    let n: usize = axes.iter().map(|&a| ty.shape[a]).product();
    let mut shape: Dims = std::iter::once(n).collect();
    shape.extend(kept.iter().map(|&a| ty.shape[a]));
    let perm: Dims = axes.iter().chain(&kept).copied().collect();
    let sorted = sort(reshape(transpose(x, perm), &shape), 0);
    let flat = ravel(&q);
    let dtype = (weak && ty.dtype.class() == Class::Float).then_some(ty.dtype);
    let value = chosen(&sorted, &flat, n, kept.len(), options.method, dtype);
    let value = if ty.dtype.class() == Class::Float {
        let nan = isnan(take(&sorted, -1, 0));
        let out = logical_and(greater_equal(&flat, 0.0), less_equal(&flat, 1.0));
        let out = expand_dims(out, (1..=kept.len() as i64).collect::<Vec<_>>());
        let value = where_(nan, f64::NAN, value);
        where_(out, value, f64::NAN)
    } else {
        value
    };
    let mut shape: Vec<usize> = q_ty.shape.to_vec();
    for (axis, &size) in ty.shape.iter().enumerate() {
        if !axes.contains(&axis) {
            shape.push(size);
        } else if options.reduction.keepdims {
            shape.push(1);
        }
    }
    reshape(value, shape)
}

/// The axes to reduce.
#[track_caller]
fn check(ty: &ArrayType, q: &Operand, whole: f64, options: &Quantile) -> Result<Dims> {
    let axes = options.reduction.resolve(ty)?;
    if ty.dtype.is_complex() {
        return Err(Error::dtype(format!("expected real numbers, got {ty}")));
    }
    let n: usize = axes.iter().map(|&a| ty.shape[a]).product();
    if n == 0 {
        return Err(Error::shape(format!(
            "expected at least one element, got {ty}"
        )));
    }
    let q_ty = q.ty()?;
    if q_ty.ndim() > 2 {
        return Err(Error::shape(format!(
            "expected shares with at most two axes, got {q_ty}"
        )));
    }
    check_range(q, whole)?;
    Ok(axes)
}

/// The elements at, or between, the places of shares; `weights` is the dtype in which they are weighted, if not that of the
/// shares.
#[track_caller]
fn chosen(
    sorted: &Array,
    q: &Array,
    n: usize,
    others: usize,
    method: Method,
    weights: Option<DType>,
) -> Array {
    let (count, last) = (n as f64, n as f64 - 1.0);
    let linear = multiply(q, last);
    // What is chosen by a rule of whole numbers.
    let whole = match method {
        Method::Lower => Some(floor(&linear)),
        Method::Higher => Some(ceil(&linear)),
        Method::Nearest => Some(rint(&linear)),
        Method::InvertedCdf => {
            let place = subtract(multiply(q, count), 1.0);
            let before = floor(&place);
            Some(where_(equal(&place, &before), &before, add(&before, 1.0)))
        }
        Method::ClosestObservation => {
            let place = subtract(multiply(q, count), 1.5);
            let before = floor(&place);
            let odd = equal(remainder(&before, 2.0), 1.0);
            let takes = logical_and(equal(&place, &before), odd);
            Some(where_(takes, &before, add(&before, 1.0)))
        }
        Method::AveragedInvertedCdf
        | Method::InterpolatedInvertedCdf
        | Method::Hazen
        | Method::Weibull
        | Method::Linear
        | Method::MedianUnbiased
        | Method::NormalUnbiased
        | Method::Midpoint => None,
    };
    if let Some(places) = whole {
        return elements(sorted, places, last);
    }
    let place = match method.plotting() {
        Some((alpha, beta)) => {
            let shift = add(multiply(q, 1.0 - alpha - beta), alpha);
            subtract(add(multiply(q, count), shift), 1.0)
        }
        None if method == Method::AveragedInvertedCdf => subtract(multiply(q, count), 1.0),
        None if method == Method::Midpoint => multiply(add(floor(&linear), ceil(&linear)), 0.5),
        None => linear,
    };
    // Beyond the ends are the ends themselves.
    let before = floor(&place);
    let above_all = greater_equal(&place, last);
    let below_all = super::less(&place, 0.0);
    let (mut left, mut right) = (before.clone(), add(&before, 1.0));
    left = where_(&above_all, last, left);
    right = where_(&above_all, last, right);
    left = where_(&below_all, 0.0, left);
    right = where_(&below_all, 0.0, right);
    let share = subtract(&place, &left);
    let share = match method {
        Method::AveragedInvertedCdf => {
            where_(equal(&share, 0.0), 0.5, super::ones_like(&share, ..))
        }
        Method::Midpoint => {
            let middle = super::full_like(&share, 0.5, ..);
            where_(equal(remainder(&place, 1.0), 0.0), 0.0, middle)
        }
        _ => share,
    };
    let share = match weights {
        Some(dtype) => cast(share.into(), dtype),
        None => share,
    };
    let share = expand_dims(share, (1..=others as i64).collect::<Vec<_>>());
    let (left, right) = (elements(sorted, left, last), elements(sorted, right, last));
    let distance = subtract(&right, &left);
    let from_left = add(&left, multiply(&distance, &share));
    let from_right = subtract(&right, multiply(&distance, subtract(1.0, &share)));
    where_(greater_equal(&share, 0.5), from_right, from_left)
}

/// The elements at places, which are whole numbers up to `last`.
#[track_caller]
fn elements(sorted: &Array, places: Array, last: f64) -> Array {
    let places = astype(minimum(maximum(places, 0.0), last), DType::Int64);
    take(sorted, places, 0)
}
