//! Positions of elements: where they stand in order, which are not zero, how often each number occurs.
//!
//! `nonzero`, `unique` and `bincount` give arrays whose shape depends on values. They work on arrays that have
//! values; while a function is traced they fail and say what to use instead.

use std::ops::RangeFull;

use super::along::Along;
use super::options::Integers;
use super::sorting::different;
use super::special::beside;
use super::{
    add, arange, attempt, concatenate, fail, floor_divide, isnan, less, less_equal, logical_and,
    logical_not, logical_or, minimum, ravel, remainder, replaceable, reshape, sort, take, to_array,
    where_, zeros,
};
use crate::array::Repr;
use crate::ir::Op;
use crate::ir::index::{IndexItem, IndexKey};
use crate::{Array, DType, Error, Operand, Result};

/// The elements at positions along an axis, each line of `indices` taking from its own line of `x`.
///
/// # Errors
/// The numbers of axes differ, shapes do not broadcast beside the axis, or a position is out of range.
///
/// Source: `numpy.take_along_axis`.
#[track_caller]
pub fn take_along_axis(
    x: impl Into<Operand>,
    indices: impl Into<Operand>,
    axis: impl Into<Along>,
) -> Array {
    let (mut x, mut indices) = (to_array(x.into()), to_array(indices.into()));
    let axis = axis.into();
    replaceable!("take_along_axis", [&x, &indices, axis.0]);
    if axis.0.is_none() {
        (x, indices) = (ravel(x), ravel(indices));
    }
    let ty = attempt!("take_along_axis", x.ty());
    let indices_ty = attempt!("take_along_axis", indices.ty());
    let axis = attempt!("take_along_axis", axis.resolve(&ty));
    if ty.ndim() != indices_ty.ndim() {
        let wrong = Error::shape(format!(
            "expected as many axes of positions as of elements, got {indices_ty} for {ty}"
        ));
        return fail("take_along_axis", wrong);
    }
    let creation = beside(&x);
    let key = IndexKey(ty.shape.iter().map(|_| IndexItem::Array).collect());
    let mut inputs = vec![Operand::from(&x)];
    for (a, &n) in ty.shape.iter().enumerate() {
        inputs.push(if a == axis {
            indices.clone().into()
        } else {
            let mut shape = vec![1i64; ty.ndim()];
            shape[a] = n as i64;
            let creation = creation.clone().dtype(DType::Int64);
            reshape(arange(n as i64, creation), shape).into()
        });
    }
    Array::apply(Op::Getitem { key }, &inputs)
}

/// Which place [`searchsorted`] gives among equal elements: the first by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Before them.
    #[default]
    Left,
    /// Behind them.
    Right,
}

impl From<RangeFull> for Side {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// Where to put numbers into a sorted vector to keep it sorted. NaN counts as largest.
///
/// A binary search, the same number of rounds for all numbers.
///
/// # Errors
/// `sorted` is not a vector.
///
/// Source: `numpy.searchsorted`.
#[track_caller]
pub fn searchsorted(
    sorted: impl Into<Operand>,
    numbers: impl Into<Operand>,
    side: impl Into<Side>,
) -> Array {
    let (sorted, numbers) = (to_array(sorted.into()), to_array(numbers.into()));
    let side = side.into();
    replaceable!(
        "searchsorted",
        [&sorted, &numbers],
        "side" = match side {
            Side::Left => "left",
            Side::Right => "right",
        }
    );
    let ty = attempt!("searchsorted", sorted.ty());
    let shape = attempt!("searchsorted", numbers.ty()).shape;
    let &[n] = ty.shape.as_slice() else {
        let wrong = Error::shape(format!("expected a sorted vector, got {ty}"));
        return fail("searchsorted", wrong);
    };
    let n = n as i64;
    let mut place = zeros(&shape, beside(&sorted).dtype(DType::Int64));
    let mut step = if n == 0 { 0 } else { 1i64 << n.ilog2() };
    while step > 0 {
        // The first `place` elements come before the number; do `step` more?
        let next = add(&place, step);
        let probe = take(&sorted, minimum(add(&next, -1), n - 1), 0);
        let before = match side {
            Side::Left => logical_or(
                less(&probe, &numbers),
                logical_and(isnan(&numbers), logical_not(isnan(&probe))),
            ),
            Side::Right => logical_or(less_equal(&probe, &numbers), isnan(&numbers)),
        };
        place = where_(logical_and(before, less_equal(&next, n)), next, place);
        step /= 2;
    }
    place
}

/// Refuses arrays without values.
fn with_values(x: &Array, instead: &str) -> Result<()> {
    if matches!(x.0, Repr::Lazy(_)) {
        return Err(Error::unsupported(format!(
            "{} is lazy, and the shape of the result depends on its values; {instead}",
            x.ty()?
        )));
    }
    Ok(())
}

/// The positions of the elements that are not zero, in C order: for each axis the positions along it.
///
/// # Errors
/// `x` is 0-d, or lazy: use `where` or `count_nonzero` in traced functions. A failure is the only item of the
/// list.
///
/// Source: `numpy.nonzero`.
#[track_caller]
pub fn nonzero(x: impl Into<Operand>) -> Vec<Array> {
    let x = to_array(x.into());
    replaceable!("nonzero", [&x]);
    let ty = with_values(&x, "use where or count_nonzero").and_then(|()| x.ty());
    let ty = match ty {
        Ok(ty) if ty.ndim() > 0 => ty,
        Ok(ty) => {
            let wrong = Error::shape(format!("expected at least one axis, got {ty}"));
            return vec![fail("nonzero", wrong)];
        }
        Err(error) => return vec![fail("nonzero", error)],
    };
    let creation = beside(&x).dtype(DType::Int64);
    let places = arange(ty.size() as i64, creation);
    let mask = super::astype(ravel(x), DType::Bool);
    let mut rest = places.get(mask);
    let mut positions = Vec::with_capacity(ty.ndim());
    for &n in ty.shape.iter().rev() {
        positions.push(remainder(&rest, n as i64));
        rest = floor_divide(&rest, n as i64);
    }
    positions.reverse();
    positions
}

/// The different elements in order; NaN counts as equal to itself.
///
/// # Errors
/// `x` is lazy: use `sort` in traced functions.
///
/// Source: `numpy.unique`.
#[track_caller]
pub fn unique(x: impl Into<Operand>) -> Array {
    let x = to_array(x.into());
    replaceable!("unique", [&x]);
    attempt!("unique", with_values(&x, "use sort"));
    let sorted = sort(x, None);
    let n = attempt!("unique", sorted.ty()).size();
    if n == 0 {
        return sorted;
    }
    let changes = different(&sorted.get(1..), &sorted.get(..-1));
    let first = super::ones([1], beside(&sorted).dtype(DType::Bool));
    sorted.get(concatenate([first, changes], Some(0)))
}

/// How often each number from zero on occurs; at least `minlength` counts.
///
/// # Errors
/// `x` is not a vector of integers, a number is negative, or `x` is lazy: compare with `arange` and sum in
/// traced functions.
///
/// Source: `numpy.bincount`.
#[track_caller]
pub fn bincount(x: impl Into<Operand>, minlength: i64) -> Array {
    let x = to_array(x.into());
    replaceable!("bincount", [&x, minlength]);
    let ty = attempt!("bincount", x.ty());
    if ty.ndim() != 1 || ty.dtype.class() > crate::ir::Class::Integer {
        let wrong = Error::dtype(format!("expected a vector of integers, got {ty}"));
        return fail("bincount", wrong);
    }
    let instead = "compare with arange and sum";
    attempt!("bincount", with_values(&x, instead));
    let numbers: Vec<i64> = attempt!("bincount", super::astype(&x, DType::Int64).to_vec());
    let counts = attempt!("bincount", counts(&numbers, minlength));
    attempt!("bincount", Array::from(counts).brought_to(&x.into()))
}

fn counts(numbers: &[i64], minlength: i64) -> Result<Vec<i64>> {
    if let Some(negative) = numbers.iter().find(|&&i| i < 0) {
        return Err(Error::value(format!(
            "expected numbers that are not negative, got {negative}"
        )));
    }
    let largest = numbers.iter().copied().max().unwrap_or(-1);
    let length = minlength.max(largest.saturating_add(1));
    let sizes = Integers::from(length).as_sizes(size_of::<i64>())?;
    let mut counts = Vec::new();
    counts
        .try_reserve_exact(sizes[0])
        .map_err(|_| Error::value(format!("not enough memory for {length} counts")))?;
    counts.resize(sizes[0], 0);
    for &i in numbers {
        counts[i as usize] += 1;
    }
    Ok(counts)
}
