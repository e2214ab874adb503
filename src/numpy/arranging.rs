//! Elements moved around: rolled, turned, padded, and the triangles of matrices.

use std::ops::RangeFull;

use super::integers::one_axis;
use super::joining::part;
use super::options::{Axes, Creation, EyeOptions, Integers};
use super::special::{beside, constant};
use super::{
    arange, astype, attempt, broadcast_to, concatenate, fail, flip, greater_equal, ravel,
    replaceable, reshape, swapaxes, take, to_array, where_,
};
use crate::{Array, DType, Error, Operand, Result, Value};
use autojit_ir::{ArrayType, HostArray, Scalar, Shape};

/// Elements moved along axes, those that leave at the end coming in at the front; without axes in the flattened
/// array.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::roll(Array::from([1, 2, 3, 4]), 1, ..).to_string(), "[4 1 2 3]");
/// assert_eq!(np::roll(Array::from([[1, 2], [3, 4]]), 1, 1).to_string(), "[[2 1]\n [4 3]]");
/// ```
///
/// # Errors
/// An axis is out of range, or there are neither one nor as many shifts as axes.
///
/// Source: `numpy.roll`.
#[track_caller]
pub fn roll<'a>(
    x: impl Into<Operand<'a>>,
    shifts: impl Into<Integers>,
    axes: impl Into<Axes>,
) -> Array {
    let (x, shifts, Axes(axes)) = (to_array(x.into()), shifts.into(), axes.into());
    replaceable!("roll", [&x, &shifts, axes.as_ref()]);
    let Integers(shifts) = shifts;
    let ty = attempt!("roll", x.ty());
    let Some(Integers(axes)) = axes else {
        let flat = ravel(&x);
        let shift = shifts.iter().fold(0i64, |sum, &s| sum.wrapping_add(s));
        return reshape(rolled(flat, 1, 0, ty.size(), shift), &ty.shape);
    };
    if shifts.len() != axes.len() && shifts.len() != 1 && axes.len() != 1 {
        let wrong = Error::value(format!(
            "expected as many shifts as axes, got {} and {}",
            shifts.len(),
            axes.len()
        ));
        return fail("roll", wrong);
    }
    let mut result = x;
    // Shifts and axes broadcast, so nothing is rolled by no shift or along no axis.
    let count = match (shifts.len(), axes.len()) {
        (0, _) | (_, 0) => 0,
        (shifts, axes) => shifts.max(axes),
    };
    for i in 0..count {
        let shift = shifts[if shifts.len() == 1 { 0 } else { i }];
        let axis = axes[if axes.len() == 1 { 0 } else { i }];
        let axis = attempt!("roll", one_axis(axis, &ty));
        result = rolled(result, ty.ndim(), axis, ty.shape[axis], shift);
    }
    result
}

#[track_caller]
fn rolled(x: Array, ndim: usize, axis: usize, length: usize, shift: i64) -> Array {
    let shift = shift.checked_rem_euclid(length as i64).unwrap_or(0);
    if shift == 0 {
        return x;
    }
    let cut = Some(length as i64 - shift);
    let last = part(&x, ndim, axis, cut, None);
    let first = part(&x, ndim, axis, None, cut);
    concatenate([last, first], Some(axis as i64))
}

/// The columns in reverse order.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::fliplr(Array::from([[1, 2], [3, 4]])).to_string(), "[[2 1]\n [4 3]]");
/// ```
///
/// # Errors
/// There are fewer than two axes.
///
/// Source: `numpy.fliplr`.
#[track_caller]
pub fn fliplr<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("fliplr", [&x]);
    flip(x, 1)
}

/// The rows in reverse order.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::flipud(Array::from([[1, 2], [3, 4]])).to_string(), "[[3 4]\n [1 2]]");
/// ```
///
/// # Errors
/// `x` is 0-d.
///
/// Source: `numpy.flipud`.
#[track_caller]
pub fn flipud<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("flipud", [&x]);
    flip(x, 0)
}

/// How to turn: this many quarters, from the first axis to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Quarters of a turn.
    pub quarters: i64,
    /// The plane.
    pub axes: (i64, i64),
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            quarters: 1,
            axes: (0, 1),
        }
    }
}

impl From<RangeFull> for Rotation {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Rotation {
    fn from(quarters: i64) -> Self {
        Self {
            quarters,
            ..Self::default()
        }
    }
}

impl From<i32> for Rotation {
    fn from(quarters: i32) -> Self {
        i64::from(quarters).into()
    }
}

/// Turned in the plane of two axes, counterclockwise by a quarter by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::rot90(Array::from([[1, 2], [3, 4]]), ..).to_string(), "[[2 4]\n [1 3]]");
/// assert_eq!(np::rot90(Array::from([[1, 2], [3, 4]]), 2).to_string(), "[[4 3]\n [2 1]]");
/// ```
///
/// # Errors
/// There are fewer than two axes, an axis is out of range, or both are the same.
///
/// Source: `numpy.rot90`.
#[track_caller]
pub fn rot90<'a>(x: impl Into<Operand<'a>>, rotation: impl Into<Rotation>) -> Array {
    let x = to_array(x.into());
    let Rotation { quarters, axes } = rotation.into();
    replaceable!("rot90", [&x, quarters, [axes.0, axes.1]]);
    let ty = attempt!("rot90", x.ty());
    attempt!("rot90", Integers::from([axes.0, axes.1]).as_axes(&ty));
    match quarters.rem_euclid(4) {
        1 => swapaxes(flip(x, axes.1), axes.0, axes.1),
        2 => flip(x, [axes.0, axes.1]),
        3 => flip(swapaxes(x, axes.0, axes.1), axes.1),
        _ => x,
    }
}

/// Ones on and below a diagonal of a matrix, zeros above it.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::tri(3, 2).to_string(), "[[1. 0.]\n [1. 1.]\n [1. 1.]]");
/// ```
///
/// # Errors
/// A size is negative, or the array does not fit into memory.
///
/// Source: `numpy.tri`.
#[track_caller]
pub fn tri(rows: i64, options: impl Into<EyeOptions>) -> Array {
    let EyeOptions {
        columns,
        k,
        creation,
    } = options.into();
    replaceable!("tri", [rows, columns, k, creation.dtype]; like = creation);
    let sizes = Integers::from([rows, columns.unwrap_or(rows)]);
    let dtype = creation.dtype.unwrap_or(DType::Float64);
    let sizes = attempt!("tri", sizes.as_sizes(dtype.size()));
    triangle(sizes[0], sizes[1], k, dtype, &creation)
}

#[track_caller]
fn triangle(rows: usize, columns: usize, k: i64, dtype: DType, creation: &Creation) -> Array {
    let creation = creation.clone().dtype(DType::Int64);
    // Diagonals beyond the corners are all alike, and have no positions that overflow.
    let k = k.clamp(-(rows as i64).saturating_add(1), columns as i64);
    let row = arange((k, (rows as i64).saturating_add(k)), creation.clone());
    let column = arange((0, columns as i64), creation);
    let below = greater_equal(reshape(row, [rows, 1]), column);
    if dtype == DType::Bool {
        below
    } else {
        astype(below, dtype)
    }
}

/// The matrices with zeros above diagonal `k`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::tril(Array::from([[1, 2], [3, 4]]), 0).to_string(), "[[1 0]\n [3 4]]");
/// ```
///
/// # Errors
/// `x` is 0-d.
///
/// Source: `numpy.tril`.
#[track_caller]
pub fn tril<'a>(x: impl Into<Operand<'a>>, k: impl Into<super::options::Offset>) -> Array {
    let (x, k) = (to_array(x.into()), k.into().0);
    replaceable!("tril", [&x, k]);
    let (mask, zero) = attempt!("tril", mask(&x, k));
    where_(mask, x, zero)
}

/// The matrices with zeros below diagonal `k`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::triu(Array::from([[1, 2], [3, 4]]), 1).to_string(), "[[0 2]\n [0 0]]");
/// ```
///
/// # Errors
/// `x` is 0-d.
///
/// Source: `numpy.triu`.
#[track_caller]
pub fn triu<'a>(x: impl Into<Operand<'a>>, k: impl Into<super::options::Offset>) -> Array {
    let (x, k) = (to_array(x.into()), k.into().0);
    replaceable!("triu", [&x, k]);
    let (mask, zero) = attempt!("triu", mask(&x, k.saturating_sub(1)));
    where_(mask, zero, x)
}

/// Where the last two axes are on or below a diagonal; and a zero.
#[track_caller]
fn mask(x: &Array, k: i64) -> Result<(Array, Array)> {
    let ty = x.ty()?;
    let (rows, columns) = match *ty.shape.as_slice() {
        [] => {
            return Err(Error::shape(format!(
                "expected at least one axis, got {ty}"
            )));
        }
        // NumPy broadcasts a vector to the rows of a square matrix.
        [n] => (n, n),
        [.., rows, columns] => (rows, columns),
    };
    Ok((
        triangle(rows, columns, k, DType::Bool, &beside(x)),
        constant(0, ty.dtype, x),
    ))
}

/// The numbers that [`pad`] fills with: zeros by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// A number.
    Constant(Scalar),
    /// The element at the edge.
    Edge,
    /// The elements in reverse order, without the one at the edge.
    Reflect,
    /// The elements in reverse order, with the one at the edge.
    Symmetric,
    /// The elements from the other side.
    Wrap,
}

impl Default for Padding {
    fn default() -> Self {
        Self::Constant(Scalar::Int(0))
    }
}

impl Padding {
    /// NumPy's words for it: the mode, and the number to fill with.
    fn words(self) -> (&'static str, Scalar) {
        let zero = Scalar::Int(0);
        match self {
            Self::Constant(number) => ("constant", number),
            Self::Edge => ("edge", zero),
            Self::Reflect => ("reflect", zero),
            Self::Symmetric => ("symmetric", zero),
            Self::Wrap => ("wrap", zero),
        }
    }
}

impl From<RangeFull> for Padding {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<f64> for Padding {
    fn from(number: f64) -> Self {
        Self::Constant(number.into())
    }
}

/// How much [`pad`] adds before and after each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Widths {
    /// The same everywhere.
    All(i64, i64),
    /// Before and after each axis.
    Each(Vec<(i64, i64)>),
}

impl From<&Widths> for Value {
    fn from(widths: &Widths) -> Self {
        match widths {
            Widths::All(before, after) => [*before, *after].into(),
            Widths::Each(widths) => widths.into(),
        }
    }
}

impl From<i64> for Widths {
    fn from(width: i64) -> Self {
        Self::All(width, width)
    }
}

impl From<i32> for Widths {
    fn from(width: i32) -> Self {
        i64::from(width).into()
    }
}

impl From<(i64, i64)> for Widths {
    fn from((before, after): (i64, i64)) -> Self {
        Self::All(before, after)
    }
}

impl<const N: usize> From<[(i64, i64); N]> for Widths {
    fn from(widths: [(i64, i64); N]) -> Self {
        Self::Each(widths.to_vec())
    }
}

/// Elements added before and after the axes.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::pad(Array::from([1, 2]), (1, 2), ..).to_string(), "[0 1 2 0 0]");
/// ```
///
/// # Errors
/// A width is negative, there are not as many widths as axes, or an axis without elements is filled with them.
///
/// Source: `numpy.pad`.
#[track_caller]
pub fn pad<'a>(
    x: impl Into<Operand<'a>>,
    widths: impl Into<Widths>,
    padding: impl Into<Padding>,
) -> Array {
    let (x, widths, padding) = (x.into(), widths.into(), padding.into());
    let (mode, number) = padding.words();
    replaceable!("pad", [&x, &widths, mode, number]);
    let ty = attempt!("pad", x.ty());
    let widths = attempt!("pad", resolved(widths, &ty));
    let mut result = to_array(x);
    for (axis, &(before, after)) in widths.iter().enumerate() {
        if before + after == 0 {
            continue;
        }
        if let Padding::Constant(number) = padding {
            let shape = attempt!("pad", result.ty()).shape;
            let filling = constant(number, ty.dtype, &result);
            let mut parts = Vec::with_capacity(3);
            if before > 0 {
                parts.push(block(&shape, axis, before, filling.clone()));
            }
            parts.push(result);
            if after > 0 {
                parts.push(block(&shape, axis, after, filling));
            }
            result = concatenate(parts, Some(axis as i64));
        } else {
            let list = attempt!("pad", positions(&ty, axis, before, after, padding));
            let positions = attempt!("pad", super::special::positions(list, &result));
            result = take(result, positions, axis);
        }
    }
    result
}

/// One number, as many times as go beside an array of this shape.
#[track_caller]
fn block(shape: &Shape, axis: usize, width: usize, number: Array) -> Array {
    let mut shape = shape.clone();
    shape[axis] = width;
    broadcast_to(number, &shape)
}

fn resolved(widths: Widths, ty: &ArrayType) -> Result<Vec<(usize, usize)>> {
    let widths = match widths {
        Widths::All(before, after) => vec![(before, after); ty.ndim()],
        Widths::Each(each) if each.len() == 1 => vec![each[0]; ty.ndim()],
        Widths::Each(each) => each,
    };
    if widths.len() != ty.ndim() {
        return Err(Error::value(format!(
            "expected a pair of widths for each axis of {ty}, got {}",
            widths.len()
        )));
    }
    let width = |w: i64| {
        usize::try_from(w).map_err(|_| Error::value(format!("a width cannot be negative, got {w}")))
    };
    let result: Vec<(usize, usize)> = widths
        .into_iter()
        .map(|(before, after)| Ok((width(before)?, width(after)?)))
        .collect::<Result<_>>()?;
    let sizes = ty.shape.iter().zip(&result);
    let sizes: Vec<i64> = sizes
        .map(|(&n, &(before, after))| {
            i64::try_from(n.saturating_add(before).saturating_add(after)).unwrap_or(i64::MAX)
        })
        .collect();
    Integers::from(sizes).as_sizes(ty.dtype.size())?;
    Ok(result)
}

/// Where the elements of a padded axis come from.
fn positions(
    ty: &ArrayType,
    axis: usize,
    before: usize,
    after: usize,
    padding: Padding,
) -> Result<Vec<i64>> {
    let n = ty.shape[axis] as i64;
    if n == 0 {
        return Err(Error::value(format!(
            "axis {axis} of {ty} has no elements to pad with"
        )));
    }
    let source = |i: i64| match padding {
        Padding::Wrap => i.rem_euclid(n),
        Padding::Symmetric => {
            let i = i.rem_euclid(2 * n);
            i.min(2 * n - 1 - i)
        }
        Padding::Reflect if n > 1 => {
            let i = i.rem_euclid(2 * n - 2);
            i.min(2 * n - 2 - i)
        }
        _ => i.clamp(0, n - 1),
    };
    let mut positions =
        HostArray::list_of(before.saturating_add(ty.shape[axis]).saturating_add(after))?;
    positions.extend((-(before as i64)..n + after as i64).map(source));
    Ok(positions)
}
