//! Functions that rearrange elements: views of one array, and arrays joined.
//!
//! None of them changes a dtype, except that joined arrays promote to a common one.

use super::integers::one_axis;
use super::options::{Axes, Creation, Diagonal, Integers, JoinAxis, Offset, like};
use super::{attempt, eye, replaceable, to_array, where_, zeros};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{ArrayType, Dims, IndexOp, JoinOp, Op, Scalar, ViewOp};

/// The same elements in C order under another shape; one size may be -1, which is what is left over.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::reshape(np::arange(6, ..), [2, -1]).to_string(), "[[0 1 2]\n [3 4 5]]");
/// ```
///
/// # Errors
/// The number of elements changes, or several sizes are negative.
///
/// Source: `numpy.reshape`.
#[track_caller]
pub fn reshape<'a>(x: impl Into<Operand<'a>>, shape: impl Into<Integers>) -> Array {
    let x = x.into();
    let ty = attempt!("reshape", x.ty());
    let shape = attempt!("reshape", reshape_sizes(&shape.into(), &ty));
    Array::apply(Op::View(ViewOp::Reshape { shape }), &[x])
}

/// The sizes of a reshape, the one that is -1 filled in.
fn reshape_sizes(sizes: &Integers, ty: &ArrayType) -> Result<Dims> {
    let Integers(sizes) = sizes;
    let wrong = || {
        Error::shape(format!(
            "cannot reshape {ty} into shape {:?}",
            sizes.as_slice()
        ))
    };
    if sizes.iter().any(|&n| n < -1) || sizes.iter().filter(|&&n| n == -1).count() > 1 {
        return Err(wrong());
    }
    let mut known = 1usize;
    for &n in sizes.iter().filter(|&&n| n >= 0) {
        known = known.checked_mul(n as usize).ok_or_else(wrong)?;
    }
    let rest = if sizes.contains(&-1) {
        if known == 0 || !ty.size().is_multiple_of(known) {
            return Err(wrong());
        }
        ty.size() / known
    } else if known == ty.size() {
        1
    } else {
        return Err(wrong());
    };
    Ok(sizes
        .iter()
        .map(|&n| if n == -1 { rest } else { n as usize })
        .collect())
}

/// All elements in C order along one axis.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::ravel(Array::from([[1, 2], [3, 4]])).to_string(), "[1 2 3 4]");
/// ```
///
/// Source: `numpy.ravel`.
#[track_caller]
pub fn ravel<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("ravel", [&x]);
    reshape(x, -1)
}

/// The axes in another order: axis `i` of the result is axis `axes[i]` of `x`; `..` reverses them.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::transpose(Array::from([[1, 2], [3, 4]]), ..).to_string(), "[[1 3]\n [2 4]]");
/// assert_eq!(np::transpose(np::ones([2, 3, 4], ..), [1, 0, 2]).shape()?, [3, 2, 4]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// `axes` is not an order of the axes of `x`.
///
/// Source: `numpy.transpose`.
#[track_caller]
pub fn transpose<'a>(x: impl Into<Operand<'a>>, axes: impl Into<Axes>) -> Array {
    let x = x.into();
    let ty = attempt!("transpose", x.ty());
    let perm = match axes.into().0 {
        None => (0..ty.ndim()).rev().collect(),
        Some(axes) => attempt!("transpose", axes.as_axes(&ty)),
    };
    Array::apply(Op::View(ViewOp::Transpose { perm }), &[x])
}

/// The same as [`transpose`].
#[track_caller]
pub fn permute_dims<'a>(x: impl Into<Operand<'a>>, axes: impl Into<Axes>) -> Array {
    transpose(x, axes)
}

/// The axes `source` moved to the positions `destination`; the others keep their order.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::moveaxis(np::ones([2, 3, 4], ..), 0, -1).shape()?, [3, 4, 2]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An axis is out of range or given twice, or the lists differ in length.
///
/// Source: `numpy.moveaxis`.
#[track_caller]
pub fn moveaxis<'a>(
    x: impl Into<Operand<'a>>,
    source: impl Into<Integers>,
    destination: impl Into<Integers>,
) -> Array {
    let x = x.into();
    let (source, destination) = (source.into(), destination.into());
    replaceable!("moveaxis", [&x, &source, &destination]);
    let ty = attempt!("moveaxis", x.ty());
    let source = attempt!("moveaxis", source.as_axes(&ty));
    let destination = attempt!("moveaxis", destination.as_axes(&ty));
    let perm = attempt!("moveaxis", moved_axes(&source, &destination, &ty));
    Array::apply(Op::View(ViewOp::Transpose { perm }), &[x])
}

fn moved_axes(source: &Dims, destination: &Dims, ty: &ArrayType) -> Result<Dims> {
    if source.len() != destination.len() {
        return Err(Error::value(format!(
            "expected as many destinations as sources, got {} and {}",
            destination.len(),
            source.len()
        )));
    }
    let mut others = (0..ty.ndim()).filter(|a| !source.contains(a));
    let place = |i| match destination.iter().position(|&d| d == i) {
        Some(at) => Some(source[at]),
        None => others.next(),
    };
    Ok((0..ty.ndim()).filter_map(place).collect())
}

/// Two axes exchanged.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::swapaxes(np::ones([2, 3, 4], ..), 0, 2).shape()?, [4, 3, 2]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An axis is out of range.
///
/// Source: `numpy.swapaxes`.
#[track_caller]
pub fn swapaxes<'a>(x: impl Into<Operand<'a>>, axis1: i64, axis2: i64) -> Array {
    let x = x.into();
    replaceable!("swapaxes", [&x, axis1, axis2]);
    let ty = attempt!("swapaxes", x.ty());
    let (a, b) = (
        attempt!("swapaxes", one_axis(axis1, &ty)),
        attempt!("swapaxes", one_axis(axis2, &ty)),
    );
    let mut perm: Dims = (0..ty.ndim()).collect();
    perm.swap(a, b);
    Array::apply(Op::View(ViewOp::Transpose { perm }), &[x])
}

/// New axes of length one at these positions of the result.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::expand_dims(np::ones([2, 3], ..), [0, -1]).shape()?, [1, 2, 3, 1]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// A position is out of range or given twice.
///
/// Source: `numpy.expand_dims`.
#[track_caller]
pub fn expand_dims<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Integers>) -> Array {
    let (x, axis) = (x.into(), axis.into());
    replaceable!("expand_dims", [&x, &axis]);
    let ty = attempt!("expand_dims", x.ty());
    let shape = attempt!("expand_dims", expanded_shape(&axis, &ty));
    Array::apply(Op::View(ViewOp::Reshape { shape }), &[x])
}

fn expanded_shape(positions: &Integers, ty: &ArrayType) -> Result<Dims> {
    // The positions count in the result, which has this many axes.
    let result = ArrayType::new(ty.dtype, &vec![1; ty.ndim() + positions.0.len()]);
    let new = positions.as_axes(&result)?;
    let mut old = ty.shape.iter().copied();
    let size = |i| {
        if new.contains(&i) {
            Some(1)
        } else {
            old.next()
        }
    };
    Ok((0..result.ndim()).filter_map(size).collect())
}

/// Without axes of length one: these, or all there are.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::squeeze(np::ones([1, 3, 1], ..), ..).shape()?, [3]);
/// assert_eq!(np::squeeze(np::ones([1, 3, 1], ..), 0).shape()?, [3, 1]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// A given axis is longer than one, out of range, or given twice.
///
/// Source: `numpy.squeeze`.
#[track_caller]
pub fn squeeze<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Axes>) -> Array {
    let (x, axis) = (x.into(), axis.into());
    replaceable!("squeeze", [&x], "axis" = &axis);
    let ty = attempt!("squeeze", x.ty());
    let shape = attempt!("squeeze", squeezed_shape(&axis, &ty));
    Array::apply(Op::View(ViewOp::Reshape { shape }), &[x])
}

fn squeezed_shape(Axes(axes): &Axes, ty: &ArrayType) -> Result<Dims> {
    let Some(axes) = axes else {
        return Ok(ty.shape.iter().copied().filter(|&n| n != 1).collect());
    };
    if axes.is_of_number(ty) {
        return Ok(Dims::new());
    }
    let axes = axes.as_axes(ty)?;
    if let Some(axis) = axes.iter().find(|&&a| ty.shape[a] != 1) {
        return Err(Error::shape(format!(
            "axis {axis} of {ty} is {} long, expected 1",
            ty.shape[*axis]
        )));
    }
    let rest = (0..ty.ndim()).filter(|a| !axes.contains(a));
    Ok(rest.map(|a| ty.shape[a]).collect())
}

/// Stretched to a shape: axes of length one repeat, new axes come in front.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::broadcast_to(Array::from([1, 2]), [2, 2]).to_string(), "[[1 2]\n [1 2]]");
/// ```
///
/// # Errors
/// `x` does not broadcast to `shape`, or the shape is too large.
///
/// Source: `numpy.broadcast_to`.
#[track_caller]
pub fn broadcast_to<'a>(x: impl Into<Operand<'a>>, shape: impl Into<Integers>) -> Array {
    let x = x.into();
    let ty = attempt!("broadcast_to", x.ty());
    let shape = attempt!("broadcast_to", shape.into().as_sizes(ty.dtype.size()));
    Array::apply(Op::View(ViewOp::BroadcastTo { shape }), &[x])
}

/// Arrays of one shape side by side along a new axis, 0 by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::stack([Array::from([1, 2]), Array::from([3, 4])], 1).to_string(), "[[1 3]\n [2 4]]");
/// ```
///
/// # Errors
/// The shapes differ, there is no array, or the axis is out of range.
///
/// Source: `numpy.stack`.
#[track_caller]
pub fn stack<'a, I>(arrays: I, axis: impl Into<JoinAxis>) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    let axis = attempt!("stack", stack_axis(&arrays, axis.into()));
    Array::apply(Op::Join(JoinOp::Stack { axis }), &arrays)
}

fn stack_axis(arrays: &[Operand], JoinAxis(axis): JoinAxis) -> Result<usize> {
    let (first, axis) = (first_type(arrays)?, axis.unwrap_or(0));
    let ndim = first.ndim() as i64 + 1;
    let wrapped = if axis < 0 {
        axis.saturating_add(ndim)
    } else {
        axis
    };
    if !(0..ndim).contains(&wrapped) {
        return Err(Error::index(format!(
            "axis {axis} is out of range for a stack of {first}"
        )));
    }
    Ok(wrapped as usize)
}

fn first_type(arrays: &[Operand]) -> Result<ArrayType> {
    let first = arrays.first();
    let first = first.ok_or_else(|| Error::value("expected at least one array"))?;
    first.ty()
}

/// Arrays one after the other along an axis, 0 by default; with `None` they are flattened first.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::concatenate([Array::from([1, 2]), Array::from([3])], ..).to_string(), "[1 2 3]");
/// ```
///
/// # Errors
/// The shapes differ along another axis, there is no array, or the axis is out of range.
///
/// Source: `numpy.concatenate`.
#[track_caller]
pub fn concatenate<'a, I>(arrays: I, axis: impl Into<JoinAxis>) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    let mut arrays: Vec<Operand> = arrays.into_iter().map(Into::into).collect();
    let first = attempt!("concatenate", first_type(&arrays));
    let JoinAxis(axis) = axis.into();
    let Some(axis) = axis else {
        for array in &mut arrays {
            *array = ravel(array.clone()).into();
        }
        return Array::apply(Op::Join(JoinOp::Concatenate { axis: 0 }), &arrays);
    };
    let axis = attempt!("concatenate", one_axis(axis, &first));
    Array::apply(Op::Join(JoinOp::Concatenate { axis }), &arrays)
}

/// The same as [`concatenate`].
#[track_caller]
pub fn concat<'a, I>(arrays: I, axis: impl Into<JoinAxis>) -> Array
where
    I: IntoIterator<Item: Into<Operand<'a>>>,
{
    concatenate(arrays, axis)
}

/// The order of the elements reversed along axes, all by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::flip(Array::from([[1, 2], [3, 4]]), 0).to_string(), "[[3 4]\n [1 2]]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.flip`.
#[track_caller]
pub fn flip<'a>(x: impl Into<Operand<'a>>, axis: impl Into<Axes>) -> Array {
    let (x, axis) = (x.into(), axis.into());
    replaceable!("flip", [&x], "axis" = &axis);
    let ty = attempt!("flip", x.ty());
    let axes: Dims = match axis.0 {
        None => (0..ty.ndim()).collect(),
        Some(axes) => attempt!("flip", axes.as_axes(&ty)),
    };
    let reversed = IndexItem::Slice {
        start: None,
        stop: None,
        step: Some(-1),
    };
    let item = |a| {
        if axes.contains(&a) {
            reversed
        } else {
            IndexItem::FULL
        }
    };
    let key = IndexKey((0..ty.ndim()).map(item).collect());
    Array::apply(Op::Index(IndexOp::Getitem { key }), &[x])
}

/// The slices of `x` along one axis at integer positions, whose shape replaces that axis; without an axis,
/// elements of the flattened array. Negative positions count from the end.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::take(Array::from([10, 20, 30]), Array::from([2, 0, -1]), ..).to_string(), "[30 10 30]");
/// assert_eq!(np::take(Array::from([[1, 2], [3, 4]]), 1, 1).to_string(), "[2 4]");
/// ```
///
/// # Errors
/// A position is out of range (found out at run time), the indices are not integers, or the axis is out of range.
///
/// Source: `numpy.take`.
#[track_caller]
pub fn take<'a>(
    x: impl Into<Operand<'a>>,
    indices: impl Into<Operand<'a>>,
    axis: impl Into<Axes>,
) -> Array {
    let (mut x, indices) = (x.into(), indices.into());
    let mut ty = attempt!("take", x.ty());
    let axis = match axis.into().0.filter(|axes| !axes.is_of_number(&ty)) {
        None => {
            if ty.ndim() != 1 {
                let flat = ravel(x);
                ty = attempt!("take", flat.ty());
                x = flat.into();
            }
            0
        }
        Some(axes) => match *axes.0.as_slice() {
            [axis] => attempt!("take", one_axis(axis, &ty)),
            _ => attempt!("take", Err(Error::value("expected one axis"))),
        },
    };
    if let Operand::Scalar(Scalar::Int(i)) = indices {
        // One position is known now, so a mistake shows now, and nothing is gathered.
        let mut items = vec![IndexItem::FULL; ty.ndim()];
        items[axis] = IndexItem::Int(i);
        let key = attempt!("take", IndexKey::normalize(&items, &ty));
        return Array::apply(Op::Index(IndexOp::Getitem { key }), &[x]);
    }
    let indices = attempt!("take", to_array(indices).brought_to(&x));
    Array::apply(Op::Index(IndexOp::Take { axis }), &[x, indices.into()])
}

/// The diagonal of the matrices that two axes span (0 and 1 by default), as the last axis.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::diagonal(Array::from([[1, 2], [3, 4]]), ..).to_string(), "[1 4]");
/// ```
///
/// # Errors
/// There are fewer than two axes, an axis is out of range, or both are the same.
///
/// Source: `numpy.diagonal`.
#[track_caller]
pub fn diagonal<'a>(x: impl Into<Operand<'a>>, options: impl Into<Diagonal>) -> Array {
    let x = x.into();
    let Diagonal { offset, axes } = options.into();
    replaceable!(
        "diagonal",
        [&x],
        "offset" = offset,
        "axis1" = axes.0,
        "axis2" = axes.1
    );
    let ty = attempt!("diagonal", x.ty());
    if ty.ndim() < 2 {
        let wrong = Error::shape(format!("expected at least two axes, got {ty}"));
        return super::fail("diagonal", wrong);
    }
    let axes = attempt!("diagonal", Integers::from([axes.0, axes.1]).as_axes(&ty));
    let (m, n) = (ty.shape[axes[0]], ty.shape[axes[1]]);
    let mut perm: Dims = (0..ty.ndim()).filter(|a| !axes.contains(a)).collect();
    let mut shape: Dims = perm.iter().map(|&a| ty.shape[a]).collect();
    perm.extend(axes);
    shape.push(m * n);
    let moved = if perm.is_sorted() {
        x
    } else {
        Array::apply(Op::View(ViewOp::Transpose { perm }), &[x]).into()
    };
    // In a flattened matrix a diagonal is every (n + 1)-th element.
    let flat = Array::apply(
        Op::View(ViewOp::Reshape {
            shape: shape.clone(),
        }),
        &[moved],
    );
    let mut items = vec![IndexItem::FULL; shape.len() - 1];
    items.push(diagonal_slice(m, n, offset));
    let key = IndexKey(items.into());
    Array::apply(Op::Index(IndexOp::Getitem { key }), &[flat.into()])
}

/// The positions of a diagonal in a flattened matrix of `m` rows and `n` columns.
fn diagonal_slice(m: usize, n: usize, offset: i64) -> IndexItem {
    let below = usize::try_from(offset.saturating_neg()).unwrap_or(0);
    let above = usize::try_from(offset).unwrap_or(0);
    let length = m.saturating_sub(below).min(n.saturating_sub(above));
    let (start, stop) = match length {
        0 => (0, 0),
        _ => {
            let start = above + below * n;
            (start, start + (length - 1) * (n + 1) + 1)
        }
    };
    IndexItem::Slice {
        start: Some(start as i64),
        stop: Some(stop as i64),
        step: Some(n as i64 + 1),
    }
}

/// The diagonal `k` of a matrix; or for a vector the square matrix that has it as its diagonal `k`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::diag(Array::from([1, 2]), 0).to_string(), "[[1 0]\n [0 2]]");
/// assert_eq!(np::diag(Array::from([[1, 2], [3, 4]]), 1).to_string(), "[2]");
/// ```
///
/// # Errors
/// `x` has neither one nor two axes, or the matrix would be too large.
///
/// Source: `numpy.diag`.
#[track_caller]
pub fn diag<'a>(x: impl Into<Operand<'a>>, k: impl Into<Offset>) -> Array {
    let (x, Offset(k)) = (x.into(), k.into());
    replaceable!("diag", [&x], "k" = k);
    let ty = attempt!("diag", x.ty());
    match *ty.shape.as_slice() {
        [n] => {
            let side = (n as i64).saturating_add(k.saturating_abs());
            attempt!(
                "diag",
                Integers::from([side, side]).as_sizes(ty.dtype.size())
            );
            diagonal_matrix(x, n as i64, k, ty.dtype)
        }
        [_, _] => diagonal(x, super::options::offset(k)),
        _ => {
            let wrong = Error::shape(format!("expected one or two axes, got {ty}"));
            super::fail("diag", wrong)
        }
    }
}

/// The square matrix with a vector on its diagonal. Selecting rather than multiplying keeps NaN where it is.
#[track_caller]
fn diagonal_matrix(x: Operand, n: i64, k: i64, dtype: DType) -> Array {
    let (shape, axis) = if k >= 0 { ([n, 1], 0) } else { ([1, n], 1) };
    let side = n + k.abs();
    let creation = match &x {
        Operand::Array(array) => like(&**array),
        Operand::Scalar(_) => Creation::default(),
    };
    let options = super::columns(if k >= 0 { side } else { n }).k(k);
    let options = match &creation.like {
        Some(other) => options.like(other),
        None => options,
    };
    let rows = if k >= 0 { n } else { side };
    let is_diagonal = eye(rows, options.dtype(DType::Bool));
    let zero = super::full((), Scalar::Int(0), creation.clone().dtype(dtype));
    let filled = where_(is_diagonal, reshape(x, shape), zero);
    if k == 0 {
        return filled;
    }
    // Above the main diagonal the last rows are empty, below it the last columns.
    let shape = if k > 0 { [k, side] } else { [side, -k] };
    let rest = zeros(shape, creation.dtype(dtype));
    concatenate([filled, rest], axis)
}
