//! Arrays put together, taken apart and repeated.
//!
//! All of these are views, joins and, for repetition by position, gathers; none changes a dtype, except that
//! joined arrays promote to a common one.

use std::ops::RangeFull;

use super::integers::one_axis;
use super::options::{Axes, Integers};
use super::{
    attempt, broadcast_to, concatenate, fail, multiply, ravel, replaceable, reshape, take, to_array,
};
use crate::{Array, Error, Operand, Result, Value};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{ArrayType, Dims, HostArray, IndexOp, Op};

/// A part of an array along one axis.
#[track_caller]
pub(super) fn part(
    x: &Array,
    ndim: usize,
    axis: usize,
    start: Option<i64>,
    stop: Option<i64>,
) -> Array {
    let slice = IndexItem::Slice {
        start,
        stop,
        step: None,
    };
    let item = |a| if a == axis { slice } else { IndexItem::FULL };
    let items: Vec<IndexItem> = (0..ndim).map(item).collect();
    let key = attempt!(
        "getitem",
        x.ty().and_then(|ty| IndexKey::normalize(&items, &ty))
    );
    Array::apply(Op::Index(IndexOp::Getitem { key }), &[x.into()])
}

/// The shape with at least `ndim` axes, new ones in front.
fn padded(ty: &ArrayType, ndim: usize) -> Dims {
    let missing = ndim.saturating_sub(ty.ndim());
    let ones = std::iter::repeat_n(1, missing);
    ones.chain(ty.shape.iter().copied()).collect()
}

#[track_caller]
fn with_shape(name: &'static str, x: Operand, shape: impl Fn(&ArrayType) -> Dims) -> Array {
    let ty = match x.ty() {
        Ok(ty) => ty,
        Err(error) => return fail(name, error),
    };
    let shape = shape(&ty);
    if shape == ty.shape {
        return to_array(x);
    }
    reshape(x, &shape)
}

/// A number as an array with one axis; other arrays as they are.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::atleast_1d(3.0).to_string(), "[3.]");
/// ```
///
/// Source: `numpy.atleast_1d`.
#[track_caller]
pub fn atleast_1d<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("atleast_1d", [&x]);
    with_shape("atleast_1d", x, |ty| padded(ty, 1))
}

/// An array with at least two axes, new ones in front: a vector becomes a row.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::atleast_2d(Array::from([1, 2])).to_string(), "[[1 2]]");
/// ```
///
/// Source: `numpy.atleast_2d`.
#[track_caller]
pub fn atleast_2d<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("atleast_2d", [&x]);
    with_shape("atleast_2d", x, |ty| padded(ty, 2))
}

/// An array with at least three axes: `[n]` becomes `[1, n, 1]` and `[m, n]` becomes `[m, n, 1]`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::atleast_3d(Array::from([1, 2])).shape()?, [1, 2, 1]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: `numpy.atleast_3d`.
#[track_caller]
pub fn atleast_3d<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("atleast_3d", [&x]);
    with_shape("atleast_3d", x, |ty| {
        let mut shape = padded(ty, 2);
        if shape.len() == 2 {
            shape.push(1);
        }
        shape
    })
}

/// The function that arrays go through before they are joined. It is no function pointer, as a call of one has no line of the caller's.
#[derive(Clone, Copy)]
enum Raise {
    /// At least so many axes.
    Axes(usize),
    /// Vectors become columns.
    Columns,
}

#[track_caller]
fn joined(arrays: Vec<Operand>, raise: Raise, axis: impl Fn(&Array) -> i64) -> Array {
    let mut raised = Vec::with_capacity(arrays.len());
    for array in arrays {
        raised.push(match raise {
            Raise::Axes(0 | 1) => atleast_1d(array),
            Raise::Axes(2) => atleast_2d(array),
            Raise::Axes(_) => atleast_3d(array),
            Raise::Columns => with_shape("column_stack", array, |ty| match *ty.shape.as_slice() {
                [] => Dims::from_slice(&[1, 1]),
                [n] => Dims::from_slice(&[n, 1]),
                _ => ty.shape.clone(),
            }),
        });
    }
    let axis = raised.first().map_or(0, axis);
    concatenate(raised, Some(axis))
}

/// Arrays below each other: vectors are rows.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::vstack([Array::from([1, 2]), Array::from([3, 4])]).to_string(), "[[1 2]\n [3 4]]");
/// ```
///
/// # Errors
/// The shapes do not fit, or there is no array.
///
/// Source: `numpy.vstack`.
#[track_caller]
pub fn vstack<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("vstack", [&arrays]);
    joined(arrays, Raise::Axes(2), |_| 0)
}

/// Arrays beside each other: along the first axis of vectors, else along the second.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::hstack([Array::from([1, 2]), Array::from([3, 4])]).to_string(), "[1 2 3 4]");
/// ```
///
/// # Errors
/// The shapes do not fit, or there is no array.
///
/// Source: `numpy.hstack`.
#[track_caller]
pub fn hstack<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("hstack", [&arrays]);
    let axis = |first: &Array| i64::from(first.ty().is_ok_and(|ty| ty.ndim() > 1));
    joined(arrays, Raise::Axes(1), axis)
}

/// Arrays behind each other, along the third axis.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::dstack([Array::from([1, 2]), Array::from([3, 4])]).to_string(), "[[[1 3]\n  [2 4]]]");
/// ```
///
/// # Errors
/// The shapes do not fit, or there is no array.
///
/// Source: `numpy.dstack`.
#[track_caller]
pub fn dstack<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("dstack", [&arrays]);
    joined(arrays, Raise::Axes(3), |_| 2)
}

/// Vectors as the columns of a matrix; matrices beside each other.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::column_stack([Array::from([1, 2]), Array::from([3, 4])]).to_string(), "[[1 3]\n [2 4]]");
/// ```
///
/// # Errors
/// The lengths differ, or there is no array.
///
/// Source: `numpy.column_stack`.
#[track_caller]
pub fn column_stack<'a, I>(arrays: I) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    replaceable!("column_stack", [&arrays]);
    joined(arrays, Raise::Columns, |_| 1)
}

/// Where to take an array apart: into a number of parts, or at positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sections {
    /// This many parts.
    Count(i64),
    /// A part ends, and the next begins, at each of these.
    At(Integers),
}

impl From<&Sections> for Value {
    fn from(sections: &Sections) -> Self {
        match sections {
            Sections::Count(count) => (*count).into(),
            Sections::At(Integers(positions)) => positions.as_slice().into(),
        }
    }
}

macro_rules! sections_from {
    ($($t:ty),*) => {$(
        impl From<$t> for Sections {
            fn from(count: $t) -> Self {
                Self::Count(count.into())
            }
        }

        impl From<Vec<$t>> for Sections {
            fn from(positions: Vec<$t>) -> Self {
                Self::At(positions.into())
            }
        }
    )*};
}

sections_from!(i32, i64);

// One type for an empty list that is written `[]`, as for [`Integers`].
impl<const N: usize> From<[i64; N]> for Sections {
    fn from(positions: [i64; N]) -> Self {
        Self::At(positions.into())
    }
}

macro_rules! positions_from {
    ($($n:literal)*) => {$(
        impl From<[i32; $n]> for Sections {
            #[inline]
            fn from(positions: [i32; $n]) -> Self {
                Self::At(positions.as_slice().into())
            }
        }
    )*};
}

positions_from!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);

/// An array taken apart along an axis, 0 by default: into equal parts, or at positions.
///
/// ```
/// use autojit::numpy as np;
///
/// let parts = np::split(np::arange(6, ..), 3, ..);
/// assert_eq!(parts[1].to_string(), "[2 3]");
/// let parts = np::split(np::arange(6, ..), [1, 4], ..);
/// assert_eq!(parts[1].to_string(), "[1 2 3]");
/// ```
///
/// # Errors
/// The parts would not be equal, or the axis is out of range. A failure is the only item of the list.
///
/// Source: `numpy.split`.
#[track_caller]
pub fn split<'a>(
    x: impl Into<Operand<'a>>,
    sections: impl Into<Sections>,
    axis: impl Into<SplitAxis>,
) -> Vec<Array> {
    let (x, sections, axis) = (x.into(), sections.into(), axis.into());
    replaceable!("split", [&x, &sections, axis.0]);
    parts("split", x, sections, axis, true)
}

/// An array taken apart along an axis as [`split`] does it, but the first parts may be longer by one.
///
/// ```
/// use autojit::numpy as np;
///
/// let parts = np::array_split(np::arange(5, ..), 2, ..);
/// assert_eq!(parts[0].to_string(), "[0 1 2]");
/// assert_eq!(parts[1].to_string(), "[3 4]");
/// ```
///
/// # Errors
/// The number of parts is not positive, or the axis is out of range. A failure is the only item of the list.
///
/// Source: `numpy.array_split`.
#[track_caller]
pub fn array_split<'a>(
    x: impl Into<Operand<'a>>,
    sections: impl Into<Sections>,
    axis: impl Into<SplitAxis>,
) -> Vec<Array> {
    let (x, sections, axis) = (x.into(), sections.into(), axis.into());
    replaceable!("array_split", [&x, &sections, axis.0]);
    parts("array_split", x, sections, axis, false)
}

/// The axis along which arrays are taken apart, 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitAxis(pub(crate) i64);

impl From<RangeFull> for SplitAxis {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for SplitAxis {
    fn from(axis: i64) -> Self {
        Self(axis)
    }
}

impl From<i32> for SplitAxis {
    fn from(axis: i32) -> Self {
        Self(axis.into())
    }
}

#[track_caller]
fn parts(
    name: &'static str,
    x: Operand,
    sections: Sections,
    SplitAxis(axis): SplitAxis,
    equal: bool,
) -> Vec<Array> {
    let x = to_array(x);
    let bounds = x.ty().and_then(|ty| {
        let axis = one_axis(axis, &ty)?;
        Ok((bounds(&ty, axis, sections, equal)?, axis, ty.ndim()))
    });
    let (bounds, axis, ndim) = match bounds {
        Ok(found) => found,
        Err(error) => return vec![fail(name, error)],
    };
    let mut parts = Vec::with_capacity(bounds.len());
    for (start, stop) in bounds {
        parts.push(part(&x, ndim, axis, start, stop));
    }
    parts
}

type Bounds = (Option<i64>, Option<i64>);

fn bounds(ty: &ArrayType, axis: usize, sections: Sections, equal: bool) -> Result<Vec<Bounds>> {
    let length = ty.shape[axis];
    match sections {
        Sections::At(Integers(positions)) => {
            let starts = std::iter::once(None).chain(positions.iter().copied().map(Some));
            let stops = positions.iter().copied().map(Some).chain([None]);
            // As slices of Python: a part between positions out of order is empty.
            let parts = starts.map(|s| s.or(Some(0))).zip(stops);
            Ok(parts.collect())
        }
        Sections::Count(count) => {
            let count = usize::try_from(count)
                .ok()
                .filter(|&count| count > 0)
                .ok_or_else(|| Error::value(format!("expected at least one part, got {count}")))?;
            if equal && !length.is_multiple_of(count) {
                return Err(Error::value(format!(
                    "cannot split axis {axis} of {ty} into {count} equal parts"
                )));
            }
            let (size, longer) = (length / count, length % count);
            HostArray::check_bytes(count.saturating_mul(size_of::<Array>()))?;
            let start = |i: usize| (i * size + i.min(longer)) as i64;
            let mut bounds = HostArray::list_of(count)?;
            bounds.extend((0..count).map(|i| (Some(start(i)), Some(start(i + 1)))));
            Ok(bounds)
        }
    }
}

/// An array repeated as a whole along each axis.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::tile(Array::from([1, 2]), [2, 2]).to_string(), "[[1 2 1 2]\n [1 2 1 2]]");
/// ```
///
/// # Errors
/// A number of repetitions is negative, or the result would be too large.
///
/// Source: `numpy.tile`.
#[track_caller]
pub fn tile<'a>(x: impl Into<Operand<'a>>, repetitions: impl Into<Integers>) -> Array {
    let (x, repetitions) = (x.into(), repetitions.into());
    replaceable!("tile", [&x, &repetitions]);
    let ty = attempt!("tile", x.ty());
    let Integers(mut repetitions) = repetitions;
    let shape = padded(&ty, repetitions.len());
    while repetitions.len() < shape.len() {
        repetitions.insert(0, 1);
    }
    let (mut between, mut stretched, mut result) = (Vec::new(), Vec::new(), Vec::new());
    for (&n, &count) in shape.iter().zip(&repetitions) {
        let n = n as i64;
        between.extend([1, n]);
        stretched.extend([count, n]);
        result.push(n.saturating_mul(count));
    }
    reshape(broadcast_to(reshape(x, between), stretched), result)
}

/// Each element, or each slice along an axis, repeated; without an axis the array is flattened. With one
/// number every element is repeated as often, with several each has its own.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::repeat(Array::from([1, 2]), 2, ..).to_string(), "[1 1 2 2]");
/// assert_eq!(np::repeat(Array::from([[1, 2], [3, 4]]), [1, 2], 0).to_string(), "[[1 2]\n [3 4]\n [3 4]]");
/// ```
///
/// # Errors
/// A number is negative, there are not as many numbers as elements, or the axis is out of range.
///
/// Source: `numpy.repeat`.
#[track_caller]
pub fn repeat<'a>(
    x: impl Into<Operand<'a>>,
    repetitions: impl Into<Integers>,
    axis: impl Into<Axes>,
) -> Array {
    let (mut x, repetitions, Axes(axis)) = (to_array(x.into()), repetitions.into(), axis.into());
    replaceable!("repeat", [&x, &repetitions, axis.as_ref()]);
    let ty = attempt!("repeat", x.ty());
    let axis = match axis.filter(|axes| !axes.is_of_number(&ty)) {
        None => {
            x = ravel(x);
            0
        }
        Some(axes) => match *axes.0.as_slice() {
            [axis] => attempt!("repeat", one_axis(axis, &ty)),
            _ => attempt!("repeat", Err(Error::value("expected one axis"))),
        },
    };
    let ty = attempt!("repeat", x.ty());
    let Integers(repetitions) = repetitions;
    if let [count] = *repetitions.as_slice() {
        let mut between: Vec<i64> = ty.shape.iter().map(|&n| n as i64).collect();
        let mut result = between.clone();
        result[axis] = result[axis].saturating_mul(count);
        between.insert(axis + 1, 1);
        let mut stretched = between.clone();
        stretched[axis + 1] = count;
        return reshape(broadcast_to(reshape(x, between), stretched), result);
    }
    let list = attempt!("repeat", positions(&repetitions, &ty, axis));
    let positions = attempt!("repeat", super::special::positions(list, &x));
    take(x, positions, axis)
}

/// The position of each slice in the array, as often as it is repeated.
fn positions(repetitions: &[i64], ty: &ArrayType, axis: usize) -> Result<Vec<i64>> {
    if repetitions.len() != ty.shape[axis] {
        return Err(Error::value(format!(
            "expected {} numbers of repetitions for axis {axis} of {ty}, got {}",
            ty.shape[axis],
            repetitions.len()
        )));
    }
    let mut total = 0usize;
    for &count in repetitions {
        let count = usize::try_from(count)
            .map_err(|_| Error::value(format!("a repetition cannot be negative, got {count}")))?;
        total = total.saturating_add(count);
    }
    let mut positions = HostArray::list_of(total)?;
    for (i, &count) in repetitions.iter().enumerate() {
        positions.extend(std::iter::repeat_n(i as i64, count as usize));
    }
    Ok(positions)
}

/// The Kronecker product: each element of `x` times the whole of `y`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::kron(Array::from([1, 10]), Array::from([1, 2, 3])).to_string(), "[ 1  2  3 10 20 30]");
/// ```
///
/// Source: `numpy.kron`.
#[track_caller]
pub fn kron<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("kron", [&x, &y]);
    let (x_ty, y_ty) = (attempt!("kron", x.ty()), attempt!("kron", y.ty()));
    let ndim = x_ty.ndim().max(y_ty.ndim());
    let (a, b) = (padded(&x_ty, ndim), padded(&y_ty, ndim));
    let (mut left, mut right, mut result) = (Dims::new(), Dims::new(), Dims::new());
    for (&m, &n) in a.iter().zip(&b) {
        left.extend([m, 1]);
        right.extend([1, n]);
        result.push(m.saturating_mul(n));
    }
    reshape(multiply(reshape(x, &left), reshape(y, &right)), &result)
}

/// In which order [`meshgrid`] counts: Cartesian by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indexing {
    /// The first coordinate runs along the second axis, as in pictures (`"xy"`).
    #[default]
    Cartesian,
    /// Coordinates run along axes in order (`"ij"`).
    Matrix,
}

impl From<RangeFull> for Indexing {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// For each coordinate vector its value at every point of the grid that the vectors span.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let grid = np::meshgrid([Array::from([1, 2]), Array::from([10, 20, 30])], ..);
/// assert_eq!(grid[0].to_string(), "[[1 2]\n [1 2]\n [1 2]]");
/// assert_eq!(grid[1].to_string(), "[[10 10]\n [20 20]\n [30 30]]");
/// ```
///
/// # Errors
/// A vector has more than one axis. A failure is the only item of the list.
///
/// Source: `numpy.meshgrid`.
#[track_caller]
pub fn meshgrid<'a, I>(vectors: I, indexing: impl Into<Indexing>) -> Vec<Array>
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let vectors: Vec<Operand> = vectors.into_iter().map(Into::into).collect();
    let indexing = indexing.into();
    let name = match indexing {
        Indexing::Cartesian => "xy",
        Indexing::Matrix => "ij",
    };
    replaceable!("meshgrid", &vectors, "indexing" = name);
    let mut shape = Dims::new();
    for vector in &vectors {
        match vector.ty() {
            Ok(ty) if ty.ndim() <= 1 => shape.push(ty.size()),
            Ok(ty) => {
                let wrong = Error::shape(format!("expected vectors, got {ty}"));
                return vec![fail("meshgrid", wrong)];
            }
            Err(error) => return vec![fail("meshgrid", error)],
        }
    }
    let swapped = indexing == Indexing::Cartesian && shape.len() > 1;
    let axis_of = |i: usize| match i {
        0 | 1 if swapped => 1 - i,
        _ => i,
    };
    if swapped {
        shape.swap(0, 1);
    }
    let mut grids = Vec::with_capacity(vectors.len());
    for (i, vector) in vectors.into_iter().enumerate() {
        let mut along: Dims = shape.iter().map(|_| 1).collect();
        along[axis_of(i)] = shape[axis_of(i)];
        grids.push(broadcast_to(reshape(vector, &along), &shape));
    }
    grids
}
