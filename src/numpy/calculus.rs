//! Differences, integrals, cross products, and sequences that grow by factors.

use std::ops::RangeFull;

use super::along::Along;
use super::joining::part;
use super::options::LinspaceOptions;
use super::special::beside;
use super::{
    add, attempt, divide, expand_dims, fail, linspace, moveaxis, multiply, not_equal, power,
    replaceable, stack, subtract, sum, take, to_array,
};
use crate::{Array, DType, Error, Operand};
use autojit_ir::{ArrayType, Class, HostArray, Scalar};

/// How often, and along which axis, [`diff`] takes differences: once, along the last; and what to put before and
/// behind the elements first.
#[derive(Clone, Debug)]
pub struct Differences {
    /// How often.
    pub n: i64,
    /// The axis.
    pub axis: Along,
    /// The elements in front; a number is one element.
    pub prepend: Option<Operand<'static>>,
    /// The elements at the end; a number is one element.
    pub append: Option<Operand<'static>>,
}

impl Differences {
    /// Takes differences along this axis.
    #[must_use]
    pub fn axis(self, axis: impl Into<Along>) -> Self {
        let axis = axis.into();
        Self { axis, ..self }
    }

    /// Puts this before the elements first.
    #[must_use]
    pub fn prepend<'a>(self, x: impl Into<Operand<'a>>) -> Self {
        let prepend = Some(x.into().into_owned());
        Self { prepend, ..self }
    }

    /// Puts this behind the elements first.
    #[must_use]
    pub fn append<'a>(self, x: impl Into<Operand<'a>>) -> Self {
        let append = Some(x.into().into_owned());
        Self { append, ..self }
    }
}

impl Default for Differences {
    fn default() -> Self {
        Self {
            n: 1,
            axis: Along::default(),
            prepend: None,
            append: None,
        }
    }
}

impl From<RangeFull> for Differences {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Differences {
    fn from(n: i64) -> Self {
        Self {
            n,
            ..Self::default()
        }
    }
}

/// Differences of neighbours along an axis; of booleans, whether they differ.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::diff(Array::from([1, 4, 9, 16]), ..).to_string(), "[3 5 7]");
/// assert_eq!(np::diff(Array::from([1, 4, 9, 16]), 2).to_string(), "[2 2]");
/// ```
///
/// # Errors
/// `n` is negative, or the axis is out of range.
///
/// Source: `numpy.diff`.
#[track_caller]
pub fn diff<'a>(x: impl Into<Operand<'a>>, options: impl Into<Differences>) -> Array {
    let mut x = to_array(x.into());
    let Differences {
        n,
        axis,
        prepend,
        append,
    } = options.into();
    replaceable!("diff", [&x, n, axis.0, prepend.as_ref(), append.as_ref()]);
    let ty = attempt!("diff", x.ty());
    let axis = attempt!("diff", axis.resolve(&ty));
    if n < 0 {
        let wrong = Error::value(format!("the order cannot be negative, got {n}"));
        return fail("diff", wrong);
    }
    if n == 0 {
        return x;
    }
    if prepend.is_some() || append.is_some() {
        let mut parts = Vec::with_capacity(3);
        for (position, end) in [prepend, Some(Operand::from(&x)), append]
            .into_iter()
            .enumerate()
        {
            let Some(end) = end else { continue };
            let end_ty = attempt!("diff", end.ty());
            parts.push(if position != 1 && end_ty.ndim() == 0 {
                let mut shape = ty.shape.clone();
                shape[axis] = 1;
                super::broadcast_to(end, &shape).into()
            } else {
                end
            });
        }
        x = super::concatenate(parts, Some(axis as i64));
    }
    let ty = attempt!("diff", x.ty());
    // After as many rounds as there are elements, nothing is left.
    let rounds = usize::try_from(n).unwrap_or(usize::MAX);
    for _ in 0..rounds.min(ty.shape[axis]) {
        let later = part(&x, ty.ndim(), axis, Some(1), None);
        let earlier = part(&x, ty.ndim(), axis, None, Some(-1));
        x = if ty.dtype == DType::Bool {
            not_equal(later, earlier)
        } else {
            subtract(later, earlier)
        };
    }
    x
}

/// Where the values that [`trapezoid`] integrates stand: one apart along the last axis.
#[derive(Clone, Debug)]
pub struct Spacing {
    /// The positions, if they are not evenly spaced.
    pub x: Option<Operand<'static>>,
    /// The distance of neighbours.
    pub dx: f64,
    /// The axis.
    pub axis: Along,
}

impl Default for Spacing {
    fn default() -> Self {
        Self {
            x: None,
            dx: 1.0,
            axis: Along::default(),
        }
    }
}

impl From<RangeFull> for Spacing {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<f64> for Spacing {
    fn from(dx: f64) -> Self {
        Self {
            dx,
            ..Self::default()
        }
    }
}

/// The integral along an axis by the trapezoidal rule.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::trapezoid(Array::from([1.0, 2.0, 3.0]), ..).to_string(), "4.0");
/// assert_eq!(np::trapezoid(Array::from([1.0, 2.0, 3.0]), 0.5).to_string(), "2.0");
/// ```
///
/// # Errors
/// The axis is out of range, or positions do not broadcast with the values.
///
/// Source: `numpy.trapezoid`.
#[track_caller]
pub fn trapezoid<'a>(y: impl Into<Operand<'a>>, spacing: impl Into<Spacing>) -> Array {
    let y = to_array(y.into());
    let Spacing { x, dx, axis } = spacing.into();
    replaceable!("trapezoid", [&y, x.as_ref(), dx, axis.0]);
    let ty = attempt!("trapezoid", y.ty());
    let axis = attempt!("trapezoid", axis.resolve(&ty));
    let later = part(&y, ty.ndim(), axis, Some(1), None);
    let earlier = part(&y, ty.ndim(), axis, None, Some(-1));
    let heights = add(later, earlier);
    let areas = match x {
        None => multiply(heights, dx),
        Some(x) => {
            let x_ty = attempt!("trapezoid", x.ty());
            let widths = if x_ty.ndim() == 1 {
                let behind: Vec<i64> = (1..(ty.ndim() - axis) as i64).collect();
                expand_dims(diff(x, ..), behind)
            } else {
                let axis = Along(Some(axis as i64));
                diff(x, Differences::default().axis(axis))
            };
            multiply(heights, widths)
        }
    };
    sum(divide(areas, 2.0), axis)
}

/// The cross product of vectors with three elements, along an axis (the last by default) of both and of the
/// result. A vector with two has a third that is zero; of two such ones the third element of the product is the
/// result, and the axis disappears.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::cross(Array::from([1, 0, 0]), Array::from([0, 1, 0]), ..).to_string(), "[0 0 1]");
/// ```
///
/// # Errors
/// The vectors do not have two or three elements, the axis is out of range, or the shapes do not broadcast.
///
/// Source: `numpy.cross`.
#[track_caller]
pub fn cross<'a>(
    x: impl Into<Operand<'a>>,
    y: impl Into<Operand<'a>>,
    axis: impl Into<Along>,
) -> Array {
    let (x, y) = (to_array(x.into()), to_array(y.into()));
    let Along(axis) = axis.into();
    let axis = axis.unwrap_or(-1);
    replaceable!("cross", [&x, &y, axis]);
    let (mut a, mut b) = (x, y);
    let mut lengths = [0; 2];
    for (vectors, length) in [&mut a, &mut b].into_iter().zip(&mut lengths) {
        let ty = attempt!("cross", vectors.ty());
        let along = attempt!("cross", Along(Some(axis)).resolve(&ty));
        *length = ty.shape[along];
        if !(2..=3).contains(length) {
            let wrong = Error::shape(format!(
                "expected vectors with two or three elements along axis {axis}, got {ty}"
            ));
            return fail("cross", wrong);
        }
        *vectors = moveaxis(&*vectors, axis, -1);
    }
    if lengths == [2, 2] {
        return subtract(
            multiply(take(&a, 0, -1), take(&b, 1, -1)),
            multiply(take(&a, 1, -1), take(&b, 0, -1)),
        );
    }
    for (vectors, length) in [&mut a, &mut b].into_iter().zip(lengths) {
        if length == 2 {
            let third = expand_dims(super::zeros_like(take(&*vectors, 0, -1), ..), -1);
            *vectors = super::concatenate([&*vectors, &third], Some(-1));
        }
    }
    let mut parts = Vec::with_capacity(3);
    for i in 0..3 {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        parts.push(subtract(
            multiply(take(&a, j, -1), take(&b, k, -1)),
            multiply(take(&a, k, -1), take(&b, j, -1)),
        ));
    }
    moveaxis(stack(parts, Some(-1)), -1, axis)
}

/// The options of [`logspace`]: those of `linspace`, and the base of the powers, 10 by default.
#[derive(Clone, Debug)]
pub struct LogspaceOptions {
    pub(crate) exponents: LinspaceOptions,
    /// The base.
    pub base: f64,
}

impl<T: Into<LinspaceOptions>> From<T> for LogspaceOptions {
    fn from(exponents: T) -> Self {
        Self {
            exponents: exponents.into(),
            base: 10.0,
        }
    }
}

impl LogspaceOptions {
    /// Powers of this base.
    #[must_use]
    pub fn base(self, base: f64) -> Self {
        Self { base, ..self }
    }
}

/// Powers whose exponents are evenly spaced: from `base` to the power `start` to `base` to the power `stop`.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::logspace(0.0, 3.0, 4).to_string(), "[   1.   10.  100. 1000.]");
/// ```
///
/// # Errors
/// The number is negative, or the array does not fit into memory.
///
/// Source: `numpy.logspace`.
#[track_caller]
pub fn logspace(
    start: impl Into<Scalar>,
    stop: impl Into<Scalar>,
    options: impl Into<LogspaceOptions>,
) -> Array {
    let (start, stop) = (start.into(), stop.into());
    let LogspaceOptions { exponents, base } = options.into();
    let LinspaceOptions {
        num,
        endpoint,
        creation,
    } = &exponents;
    let dtype = creation.dtype;
    replaceable!("logspace", [start, stop, *num, *endpoint, base, dtype]; like = creation);
    let wide = without_dtype(exponents);
    let powers = power(base, linspace(start, stop, wide));
    match dtype {
        None => powers,
        Some(dtype) => super::astype(powers, dtype),
    }
}

/// The same options with the function's own dtype.
fn without_dtype(mut options: LinspaceOptions) -> LinspaceOptions {
    options.creation.dtype = None;
    options
}

/// Numbers from `start` to `stop`, each the same multiple of the one before.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::geomspace(1.0, 8.0, 4).to_string(), "[1. 2. 4. 8.]");
/// ```
///
/// # Errors
/// A limit is zero or complex, the limits have different signs, or the number is negative.
///
/// Source: `numpy.geomspace`.
#[track_caller]
pub fn geomspace(
    start: impl Into<Scalar>,
    stop: impl Into<Scalar>,
    options: impl Into<LinspaceOptions>,
) -> Array {
    let (start, stop, options) = (start.into(), stop.into(), options.into());
    let LinspaceOptions {
        num,
        endpoint,
        creation,
    } = &options;
    replaceable!("geomspace", [start, stop, *num, *endpoint, creation.dtype]; like = creation);
    if start.class().max(stop.class()) == Class::Complex {
        let wrong = Error::dtype("expected real numbers, got complex ones");
        return fail("geomspace", wrong);
    }
    let (first, last) = (start.to_f64(), stop.to_f64());
    if first == 0.0 || last == 0.0 || (first < 0.0) != (last < 0.0) {
        let wrong = Error::value(format!(
            "expected limits of one sign that are not zero, got {first} and {last}"
        ));
        return fail("geomspace", wrong);
    }
    let dtype = options.creation.dtype.unwrap_or(DType::Float64);
    let endpoint = options.endpoint;
    let exponents = linspace(
        Scalar::Float(first.abs().log10()),
        Scalar::Float(last.abs().log10()),
        without_dtype(options),
    );
    let powers = power(10.0, exponents);
    let mut numbers: Vec<f64> = attempt!("geomspace", powers.to_vec());
    let sign = first.signum();
    numbers.iter_mut().for_each(|x| *x *= sign);
    // The ends are exact, whatever the logarithms made of them.
    if endpoint && numbers.len() > 1 {
        numbers.last_mut().into_iter().for_each(|x| *x = last);
    }
    numbers.first_mut().into_iter().for_each(|x| *x = first);
    let numbers = attempt!("geomspace", Array::from(numbers).brought_to(&powers.into()));
    if dtype == DType::Float64 {
        numbers
    } else {
        super::astype(numbers, dtype)
    }
}

/// The options of [`vander`]: the number of columns, as many as rows by default, and whether powers increase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// The number of columns.
    pub columns: Option<i64>,
    /// Whether the first column is the power zero; else the last one is.
    pub increasing: bool,
}

impl From<RangeFull> for Powers {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Powers {
    fn from(columns: i64) -> Self {
        Self {
            columns: Some(columns),
            increasing: false,
        }
    }
}

/// The Vandermonde matrix: its columns are the powers of a vector, decreasing to the power zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::vander(Array::from([1, 2, 3]), ..).to_string(), "[[1 1 1]\n [4 2 1]\n [9 3 1]]");
/// ```
///
/// # Errors
/// `x` is not a vector, or the number of columns is negative.
///
/// Source: `numpy.vander`.
#[track_caller]
pub fn vander<'a>(x: impl Into<Operand<'a>>, powers: impl Into<Powers>) -> Array {
    let x = to_array(x.into());
    let Powers {
        columns,
        increasing,
    } = powers.into();
    replaceable!("vander", [&x, columns, increasing]);
    let ty = attempt!("vander", x.ty());
    let &[rows] = ty.shape.as_slice() else {
        let wrong = Error::shape(format!("expected a vector, got {ty}"));
        return fail("vander", wrong);
    };
    let dtype = ty.dtype.promote(DType::Int64);
    let columns = columns.unwrap_or(rows as i64);
    let sizes = super::options::Integers::from([rows as i64, columns]);
    let sizes = attempt!("vander", sizes.as_sizes(dtype.size()));
    if sizes.contains(&0) {
        return super::zeros(&sizes, beside(&x).dtype(dtype));
    }
    let ty = ArrayType::new(dtype, &sizes);
    attempt!("vander", HostArray::check_memory(&ty));
    let x = super::special::cast(x.into(), dtype);
    // Each column is the one before times `x`.
    let ones = super::ones([rows, 1], beside(&x).dtype(dtype));
    let factors = super::broadcast_to(super::expand_dims(&x, 1), [rows as i64, columns - 1]);
    let powers = super::cumprod(super::concatenate([ones, factors], Some(1)), 1);
    if increasing {
        powers
    } else {
        super::flip(powers, 1)
    }
}
