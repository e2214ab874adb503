//! Sequences of samples: their slopes, and their sums of products with a shifted sequence.

use std::ops::RangeFull;

use super::joining::part;
use super::options::{Axes, Integers};
use super::special::cast;
use super::{
    add, any, astype, attempt, broadcast_to, concatenate, conj, divide, expand_dims, fail, flip,
    multiply, negative, ravel, replaceable, reshape, subtract, sum, to_array, zeros,
};
use crate::numpy::special::beside;
use crate::{Array, DType, Error, Operand, Result, Value};
use autojit_ir::ArrayType;

/// The options of [`gradient`]: distances of samples, axes, and the order of the differences at the ends.
///
/// Written `..`, `spacing([0.5])`, `spacing([x, y]).axis([0, 1]).edge_order(2)`.
#[derive(Clone, Debug)]
pub struct Slopes {
    /// One number for all axes, or for each axis a number or the vector of its positions; one apart if there is none.
    pub(crate) spacing: Vec<Operand<'static>>,
    pub(crate) axes: Axes,
    pub(crate) edge_order: i64,
}

impl Default for Slopes {
    fn default() -> Self {
        Self {
            spacing: Vec::new(),
            axes: Axes::default(),
            edge_order: 1,
        }
    }
}

impl From<RangeFull> for Slopes {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<f64> for Slopes {
    fn from(distance: f64) -> Self {
        spacing([distance])
    }
}

/// The samples stand this far apart: one number for all axes, or for each axis a number or the vector of positions.
/// See [`Slopes`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::gradient(Array::from([1.0, 4.0, 9.0]), np::signal::spacing([0.5]))[0].to_string(), "[ 6.  8. 10.]");
/// ```
pub fn spacing<'a, I>(spacing: I) -> Slopes
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let spacing = spacing.into_iter();
    Slopes {
        spacing: spacing.map(|x| x.into().into_owned()).collect(),
        ..Slopes::default()
    }
}

impl Slopes {
    /// Slopes along these axes.
    #[must_use]
    pub fn axis(self, axes: impl Into<Integers>) -> Self {
        let axes = Axes(Some(axes.into()));
        Self { axes, ..self }
    }

    /// At the ends, differences of this order, 1 or 2.
    #[must_use]
    pub fn edge_order(self, edge_order: i64) -> Self {
        Self { edge_order, ..self }
    }
}

/// The slopes of an array along axes, all by default, one array for each: differences of both neighbours inside, of one
/// side at the ends.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([1.0, 2.0, 4.0, 7.0]);
/// assert_eq!(np::gradient(&x, ..)[0].to_vec::<f64>()?, [1.0, 1.5, 2.5, 3.0]);
/// let at = Array::from([0.0, 1.0, 3.0, 4.0]);
/// let slopes = np::gradient(&x, np::signal::spacing([at])).remove(0);
/// assert!(np::allclose(slopes, [1.0, 1.0, 7.0 / 3.0, 3.0], ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `x` is boolean; an axis is out of range, given twice or shorter than the order of the ends plus one; that order is not 1 or 2; there
/// are not as many distances as axes, or not as many positions as samples. A failure is the only item of the list.
///
/// Source: `numpy.gradient`.
#[track_caller]
pub fn gradient<'a>(x: impl Into<Operand<'a>>, options: impl Into<Slopes>) -> Vec<Array> {
    let (x, options) = (to_array(x.into()), options.into());
    let Slopes {
        spacing,
        axes,
        edge_order,
    } = options;
    let positional: Vec<Operand> = std::iter::once(Operand::from(&x))
        .chain(spacing.iter().cloned())
        .collect();
    replaceable!(
        "gradient",
        &positional,
        "axis" = &axes,
        "edge_order" = edge_order
    );
    let plan = match plan(&x, &spacing, &axes, edge_order) {
        Ok(plan) => plan,
        Err(error) => return vec![fail("gradient", error)],
    };
    let x = cast(x.into(), plan.dtype);
    let mut slopes = Vec::with_capacity(plan.lines.len());
    for line in plan.lines {
        let slope = match line.distance {
            Distance::Even(distance) => even(&x, line.axis, plan.ndim, &distance, edge_order),
            Distance::Positions(at) => uneven(&x, line.axis, plan.ndim, &at, edge_order),
        };
        // Positions of a wider dtype do not widen the result.
        slopes.push(cast(slope.into(), plan.dtype));
    }
    slopes
}

/// How far samples are apart along an axis.
enum Distance {
    Even(Operand<'static>),
    Positions(Array),
}

struct Line {
    axis: usize,
    distance: Distance,
}

struct Plan {
    dtype: DType,
    ndim: usize,
    lines: Vec<Line>,
}

fn plan(
    x: &Array,
    spacing: &[Operand<'static>],
    Axes(axes): &Axes,
    edge_order: i64,
) -> Result<Plan> {
    let ty = x.ty()?;
    let axes = match axes {
        Some(axes) => axes.as_axes(&ty)?,
        None => (0..ty.ndim()).collect(),
    };
    if !(1..=2).contains(&edge_order) {
        return Err(Error::value(format!(
            "expected 1 or 2 as the order at the ends, got {edge_order}"
        )));
    }
    if ty.dtype == DType::Bool {
        return Err(Error::dtype(format!(
            "booleans are not supported, got {ty}"
        )));
    }
    let mut lines = Vec::with_capacity(axes.len());
    for (i, &axis) in axes.iter().enumerate() {
        let n = ty.shape[axis];
        if n < edge_order as usize + 1 {
            return Err(Error::shape(format!(
                "expected at least {} elements along axis {axis}, got {ty}",
                edge_order + 1
            )));
        }
        let given = match spacing {
            [] => None,
            [one] if one.ty()?.ndim() == 0 => Some(one),
            all if all.len() == axes.len() => all.get(i),
            all => {
                return Err(Error::value(format!(
                    "expected one distance for each of {} axes, got {}",
                    axes.len(),
                    all.len()
                )));
            }
        };
        let distance = match given {
            None => Distance::Even(1.0.into()),
            Some(distance) => match distance.ty()?.shape.as_slice() {
                [] => Distance::Even(distance.clone()),
                &[m] if m == n => Distance::Positions(to_array(distance.clone())),
                _ => {
                    return Err(Error::shape(format!(
                        "expected a number or {n} positions for axis {axis} of {ty}, got {}",
                        distance.ty()?
                    )));
                }
            },
        };
        lines.push(Line { axis, distance });
    }
    Ok(Plan {
        dtype: ty.dtype.floating(),
        ndim: ty.ndim(),
        lines,
    })
}

/// The slopes of samples that are evenly spaced.
#[track_caller]
fn even(x: &Array, axis: usize, ndim: usize, distance: &Operand, edge_order: i64) -> Array {
    let rise = subtract(
        part(x, ndim, axis, Some(2), None),
        part(x, ndim, axis, None, Some(-2)),
    );
    let inside = divide(rise, multiply(distance.clone(), 2.0));
    let (first, last) = if edge_order == 1 {
        let (first, last) = end_rises(x, ndim, axis);
        (
            divide(first, distance.clone()),
            divide(last, distance.clone()),
        )
    } else {
        let (a, b, c) = (
            divide(1.5, distance.clone()),
            divide(2.0, distance.clone()),
            divide(0.5, distance.clone()),
        );
        let first = weighted(x, ndim, axis, 0, [&negative(&a), &b, &negative(&c)]);
        let last = weighted(x, ndim, axis, -3, [&c, &negative(&b), &a]);
        (first, last)
    };
    concatenate([first, inside, last], Some(axis as i64))
}

/// By how much the first two samples along an axis, and the last two, differ.
#[track_caller]
fn end_rises(x: &Array, ndim: usize, axis: usize) -> (Array, Array) {
    let first = subtract(
        part(x, ndim, axis, Some(1), Some(2)),
        part(x, ndim, axis, Some(0), Some(1)),
    );
    let last = subtract(
        part(x, ndim, axis, Some(-1), None),
        part(x, ndim, axis, Some(-2), Some(-1)),
    );
    (first, last)
}

/// Three neighbours along an axis, from a position on, times a weight each.
#[track_caller]
fn weighted(x: &Array, ndim: usize, axis: usize, start: i64, weights: [&Array; 3]) -> Array {
    let mut total: Option<Array> = None;
    for (i, weight) in (start..).zip(weights) {
        let stop = if i == -1 { None } else { Some(i + 1) };
        let term = multiply(weight, part(x, ndim, axis, Some(i), stop));
        total = Some(match total {
            Some(total) => add(total, term),
            None => term,
        });
    }
    let lost = || Error::internal("no neighbours");
    attempt!("gradient", total.ok_or_else(lost))
}

/// The slopes of samples at positions.
#[track_caller]
fn uneven(x: &Array, axis: usize, ndim: usize, at: &Array, edge_order: i64) -> Array {
    let at = match at.ty() {
        Ok(ty) => cast(at.into(), ty.dtype.floating()),
        Err(error) => return fail("gradient", error),
    };
    let distances = subtract(at.get(1..), at.get(..-1));
    let behind: Vec<i64> = (1..(ndim - axis) as i64).collect();
    // As axes of one element behind the axis of the positions.
    let shaped = expand_dims(&distances, behind);
    let count = ndim - axis;
    let d1 = part(&shaped, count, 0, None, Some(-1));
    let d2 = part(&shaped, count, 0, Some(1), None);
    let both = add(&d1, &d2);
    let a = divide(negative(&d2), multiply(&d1, &both));
    let b = divide(subtract(&d2, &d1), multiply(&d1, &d2));
    let c = divide(&d1, multiply(&d2, &both));
    let inside = add(
        add(
            multiply(a, part(x, ndim, axis, None, Some(-2))),
            multiply(b, part(x, ndim, axis, Some(1), Some(-1))),
        ),
        multiply(c, part(x, ndim, axis, Some(2), None)),
    );
    let (first, last) = if edge_order == 1 {
        let (first, last) = end_rises(x, ndim, axis);
        (
            divide(first, distances.get(0)),
            divide(last, distances.get(-1)),
        )
    } else {
        let (d1, d2) = (distances.get(0), distances.get(1));
        let both = add(&d1, &d2);
        let a = divide(negative(add(multiply(&d1, 2.0), &d2)), multiply(&d1, &both));
        let b = divide(&both, multiply(&d1, &d2));
        let c = divide(negative(&d1), multiply(&d2, &both));
        let first = weighted(x, ndim, axis, 0, [&a, &b, &c]);
        let (d1, d2) = (distances.get(-2), distances.get(-1));
        let both = add(&d1, &d2);
        let a = divide(&d2, multiply(&d1, &both));
        let b = divide(negative(&both), multiply(&d1, &d2));
        let c = divide(add(multiply(&d2, 2.0), &d1), multiply(&d2, &both));
        let last = weighted(x, ndim, axis, -3, [&a, &b, &c]);
        (first, last)
    };
    concatenate([first, inside, last], Some(axis as i64))
}

/// Which part of all sums of products [`convolve`] and [`correlate`] give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// All sums with at least one product: `n + m - 1`.
    Full,
    /// As many as the longer sequence has elements, in the middle.
    Same,
    /// Those in which every element of the shorter sequence takes part.
    Valid,
}

impl Overlap {
    fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Same => "same",
            Self::Valid => "valid",
        }
    }
}

impl From<Overlap> for Value {
    fn from(overlap: Overlap) -> Self {
        overlap.word().into()
    }
}

/// The options of [`convolve`]: the full result by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution(pub Overlap);

/// The options of [`correlate`]: where the sequences overlap in full, by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correlation(pub Overlap);

macro_rules! overlap_options {
    ($($options:ident = $default:ident;)*) => {$(
        impl From<RangeFull> for $options {
            fn from(_: RangeFull) -> Self {
                Self(Overlap::$default)
            }
        }

        impl From<Overlap> for $options {
            fn from(overlap: Overlap) -> Self {
                Self(overlap)
            }
        }
    )*};
}

overlap_options! {
    Convolution = Full;
    Correlation = Valid;
}

/// The lengths and the common dtype of two vectors.
fn vectors(a: &Array, v: &Array) -> Result<(usize, usize, DType)> {
    let (a, v) = (a.ty()?, v.ty()?);
    match (a.shape.as_slice(), v.shape.as_slice()) {
        (&[n], &[m]) if n > 0 && m > 0 => Ok((n, m, a.dtype.promote(v.dtype))),
        _ => Err(Error::shape(format!(
            "expected two vectors with elements, got {a} and {v}"
        ))),
    }
}

/// The sums of products of a vector with another one that is reversed and shifted: `sum over k of a[k] v[n - k]`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (a, v) = (Array::from([1.0, 2.0, 3.0]), Array::from([0.0, 1.0, 0.5]));
/// assert_eq!(np::convolve(&a, &v, ..).to_vec::<f64>()?, [0.0, 1.0, 2.5, 4.0, 1.5]);
/// assert_eq!(np::convolve(&a, &v, np::signal::Overlap::Same).to_vec::<f64>()?, [1.0, 2.5, 4.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An input has more than one axis or no element.
///
/// Source: `numpy.convolve`.
#[track_caller]
pub fn convolve<'a>(
    a: impl Into<Operand<'a>>,
    v: impl Into<Operand<'a>>,
    options: impl Into<Convolution>,
) -> Array {
    let (a, v, Convolution(overlap)) = (a.into(), v.into(), options.into());
    replaceable!("convolve", [&a, &v, overlap]);
    let (a, v) = (super::atleast_1d(a), super::atleast_1d(v));
    let (n, m, dtype) = attempt!("convolve", vectors(&a, &v));
    let full = full(
        "convolve",
        cast(a.into(), dtype),
        cast(v.into(), dtype),
        n,
        m,
        dtype,
    );
    chosen(&full, n.max(m), n.min(m), overlap, false)
}

/// The sums of products of a vector with another one that is conjugated and shifted: `sum over k of a[k + n] conj(v[k])`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (a, v) = (Array::from([1.0, 2.0, 3.0]), Array::from([0.0, 1.0, 0.5]));
/// assert_eq!(np::correlate(&a, &v, ..).to_vec::<f64>()?, [3.5]);
/// assert_eq!(np::correlate(&a, &v, np::signal::Overlap::Full).to_vec::<f64>()?, [0.5, 2.0, 3.5, 3.0, 0.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An input is not a vector or has no element.
///
/// Source: `numpy.correlate`.
#[track_caller]
pub fn correlate<'a>(
    a: impl Into<Operand<'a>>,
    v: impl Into<Operand<'a>>,
    options: impl Into<Correlation>,
) -> Array {
    let (a, v) = (to_array(a.into()), to_array(v.into()));
    let Correlation(overlap) = options.into();
    replaceable!("correlate", [&a, &v, overlap]);
    let (n, m, dtype) = attempt!("correlate", vectors(&a, &v));
    let (a, v) = (cast(a.into(), dtype), cast(v.into(), dtype));
    let full = full("correlate", a, conj(flip(v, 0)), n, m, dtype);
    chosen(&full, n.max(m), n.min(m), overlap, n < m)
}

/// The part of the full result; `from_end` if NumPy exchanges the inputs and reverses what it gets.
#[track_caller]
fn chosen(full: &Array, long: usize, short: usize, overlap: Overlap, from_end: bool) -> Array {
    let (start, count) = match overlap {
        Overlap::Full => return full.clone(),
        Overlap::Same => (short - 1 - short / 2, long),
        Overlap::Valid => (short - 1, long - short + 1),
    };
    let start = if from_end {
        long + short - 1 - count - start
    } else {
        start
    };
    part(full, 1, 0, Some(start as i64), Some((start + count) as i64))
}

/// All `n + m - 1` sums of products of `a[i] v[j]` over `i + j`.
///
/// The products of a few elements of the shorter vector with the longer one are the rows of a matrix. Read as rows that are
/// shorter by one than they are, each row begins one element later than the one before, so columns sum what belongs
/// together.
#[track_caller]
fn full(name: &'static str, a: Array, v: Array, n: usize, m: usize, dtype: DType) -> Array {
    /// Elements of the matrix of products, unless rows are longer.
    const PRODUCTS: usize = 1 << 20;
    /// The fewest rows of the matrix.
    const ROWS: usize = 16;
    let (long, short, n, m) = if n >= m { (a, v, n, m) } else { (v, a, m, n) };
    let rows = (PRODUCTS / n).max(ROWS).min(m);
    let total = n + m - 1;
    // Before anything is made, so that the message has the sizes of the result.
    let sizes = Integers::from([rows, n.saturating_add(rows)]).as_sizes(dtype.size());
    if let Err(error) = sizes {
        return fail(name, error);
    }
    let creation = beside(&long).dtype(dtype);
    let mut result: Option<Array> = None;
    let mut first = 0;
    while first < m {
        let count = rows.min(m - first);
        let block = part(
            &short,
            1,
            0,
            Some(first as i64),
            Some((first + count) as i64),
        );
        let products = multiply(expand_dims(block, 1), expand_dims(&long, 0));
        let width = n + count;
        let zeros_behind = broadcast_to(zeros((), beside(&long).dtype(dtype)), [count, count]);
        let padded = ravel(concatenate([products, zeros_behind], Some(1)));
        let kept = part(&padded, 1, 0, None, Some((count * (width - 1)) as i64));
        let skewed = reshape(kept, [count, width - 1]);
        let sums = if dtype == DType::Bool {
            any(skewed, 0)
        } else {
            // Small integers sum in a wider dtype; NumPy stays in theirs.
            let sums = sum(skewed, 0);
            match sums.ty() {
                Ok(ArrayType { dtype: wide, .. }) if wide != dtype => astype(sums, dtype),
                _ => sums,
            }
        };
        let behind = total - first - (width - 1);
        let placed = match (first, behind) {
            (0, 0) => sums,
            (before, behind) => concatenate(
                [
                    zeros([before], creation.clone()),
                    sums,
                    zeros([behind], creation.clone()),
                ],
                Some(0),
            ),
        };
        result = Some(match result {
            Some(so_far) => add(so_far, placed),
            None => placed,
        });
        first += count;
    }
    let lost = || Error::internal("no products to sum");
    match result.ok_or_else(lost) {
        Ok(result) => result,
        Err(error) => fail(name, error),
    }
}
