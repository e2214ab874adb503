//! Positions of elements: where they stand in order, which are not zero, how often each number occurs.
//!
//! `nonzero`, `unique` and `bincount` give arrays whose shape depends on values. They work on arrays that have
//! values; while a function is traced they fail and say what to use instead.

use std::ops::RangeFull;

use super::along::Along;
use super::options::Integers;
use super::positions::{in_range, lines};
use super::sorting::different;
use super::special::beside;
use super::{
    add, arange, attempt, concatenate, fail, floor_divide, isnan, less, less_equal, logical_and,
    logical_not, logical_or, minimum, ravel, remainder, replaceable, reshape, sort, take, to_array,
    where_, zeros,
};
use crate::array::Repr;
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{HostArray, IndexOp, IndexedBy, Op};

/// The elements at positions along an axis, each line of `indices` taking from its own line of `x`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[3, 1], [2, 9]]);
/// assert_eq!(np::take_along_axis(&x, np::argsort(&x, 1), 1).to_string(), "[[1 3]\n [2 9]]");
/// ```
///
/// # Errors
/// The numbers of axes differ, shapes do not broadcast beside the axis, or a position is out of range.
///
/// Source: `numpy.take_along_axis`.
#[track_caller]
pub fn take_along_axis<'a>(
    x: impl Into<Operand<'a>>,
    indices: impl Into<Operand<'a>>,
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
    let indices = in_range(IndexedBy::TakeAlongAxis, indices, axis, ty.shape[axis]);
    let lines = lines(&x, &ty.shape, axis, indices);
    let key = IndexKey(ty.shape.iter().map(|_| IndexItem::Array).collect());
    let mut inputs = vec![Operand::from(&x)];
    inputs.extend(lines.iter().map(Operand::from));
    Array::apply(Op::Index(IndexOp::Getitem { key }), &inputs)
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
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::searchsorted(Array::from([1, 3, 3, 5]), Array::from([3, 4]), ..).to_string(), "[1 3]");
/// ```
///
/// # Errors
/// `sorted` is not a vector.
///
/// Source: `numpy.searchsorted`.
#[track_caller]
pub fn searchsorted<'a>(
    sorted: impl Into<Operand<'a>>,
    numbers: impl Into<Operand<'a>>,
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
    if matches!(x.0, Repr::Lazy(_) | Repr::Traced(_)) {
        return Err(Error::unsupported(format!(
            "{} is lazy, and the shape of the result depends on its values ({instead})",
            x.ty()?
        )));
    }
    Ok(())
}

/// The positions of the elements that are not zero, in C order: for each axis the positions along it.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let at = np::nonzero(Array::from([[0, 7], [8, 0]]));
/// assert_eq!(at[0].to_string(), "[0 1]");
/// assert_eq!(at[1].to_string(), "[1 0]");
/// ```
///
/// # Errors
/// `x` is 0-d, or lazy: use `where_` or `count_nonzero` in traced functions. A failure is the only item of the
/// list.
///
/// Source: `numpy.nonzero`.
#[track_caller]
pub fn nonzero<'a>(x: impl Into<Operand<'a>>) -> Vec<Array> {
    let x = to_array(x.into());
    replaceable!("nonzero", [&x]);
    let ty = with_values(&x, "use where_(condition, x, y) or count_nonzero").and_then(|()| x.ty());
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
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::unique(Array::from([3, 1, 3, 2])).to_string(), "[1 2 3]");
/// ```
///
/// # Errors
/// `x` is lazy: use `sort` in traced functions.
///
/// Source: `numpy.unique`.
#[track_caller]
pub fn unique<'a>(x: impl Into<Operand<'a>>) -> Array {
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

/// The results of [`unique_with`].
#[derive(Clone, Debug)]
pub struct Unique {
    /// The different elements in order.
    pub values: Array,
    /// Where each stands first, among the flattened elements.
    pub index: Array,
    /// Which of the values each element is, in the shape of `x`.
    pub inverse: Array,
    /// How often each occurs.
    pub counts: Array,
}

/// The different elements as [`unique`] gives them, where they stand first, which one each element is, and how often
/// each occurs.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let u = np::unique_with(Array::from([3i64, 1, 3, 2]));
/// assert_eq!(u.values.to_string(), "[1 2 3]");
/// assert_eq!(u.index.to_string(), "[1 3 0]");
/// assert_eq!(u.inverse.to_string(), "[2 0 2 1]");
/// assert_eq!(u.counts.to_string(), "[1 1 2]");
/// ```
///
/// # Errors
/// `x` is lazy: use `sort` in traced functions. A failure is all four arrays.
///
/// Source: `numpy.unique` with `return_index`, `return_inverse` and `return_counts`; `numpy.unique_all`.
#[track_caller]
pub fn unique_with<'a>(x: impl Into<Operand<'a>>) -> Unique {
    let x = to_array(x.into());
    let failed = |array: Array| Unique {
        values: array.clone(),
        index: array.clone(),
        inverse: array.clone(),
        counts: array,
    };
    let ty = match with_values(&x, "use sort").and_then(|()| x.ty()) {
        Ok(ty) => ty,
        Err(error) => return failed(fail("unique", error)),
    };
    let flat = ravel(x);
    let creation = beside(&flat).dtype(DType::Int64);
    // A stable order keeps the first of equal elements in front.
    let order = super::argsort(&flat, -1);
    let sorted = take(&flat, &order, 0);
    let n = ty.size() as i64;
    if n == 0 {
        let nothing = zeros([0], creation);
        return Unique {
            values: sorted,
            index: nothing.clone(),
            inverse: reshape(&nothing, &ty.shape),
            counts: nothing,
        };
    }
    let changes = different(&sorted.get(1..), &sorted.get(..-1));
    let first = super::ones([1], creation.clone().dtype(DType::Bool));
    let begins = concatenate([first, changes], Some(0));
    let number = add(super::cumsum(super::astype(&begins, DType::Int64), 0), -1);
    let starts = arange(n, creation.clone()).get(&begins);
    let end = super::full([1], n, creation.clone());
    let ends = concatenate([&starts.get(1..), &end], Some(0));
    Unique {
        values: sorted.get(&begins),
        index: order.get(&begins),
        inverse: reshape(zeros([n], creation).at(order).set(number), &ty.shape),
        counts: super::subtract(ends, starts),
    }
}

/// The options of [`bincount`]: what each element counts, one unless it is given, and the least number of counts.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    /// The weight of each element.
    pub weights: Option<Operand<'static>>,
    /// At least so many counts.
    pub minlength: i64,
}

impl From<RangeFull> for Counting {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Counting {
    fn from(minlength: i64) -> Self {
        let weights = None;
        Self { weights, minlength }
    }
}

/// Let each element count as much as its weight. See [`Counting`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::bincount(Array::from([0, 2, 2]), np::searching::weights([0.5, 1.0, 2.0])).to_string(), "[0.5 0.  3. ]");
/// ```
pub fn weights<'a>(weights: impl Into<Operand<'a>>) -> Counting {
    Counting {
        weights: Some(weights.into().into_owned()),
        minlength: 0,
    }
}

impl Counting {
    /// At least so many counts.
    #[must_use]
    pub fn minlength(self, minlength: i64) -> Self {
        Self { minlength, ..self }
    }
}

/// How often each number from zero on occurs, or the sum of its weights, then of `float64`.
///
/// The weights may be lazy, the numbers not: how many there are decides the shape.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::bincount(Array::from([0, 2, 2]), ..).to_string(), "[1 0 2]");
/// ```
///
/// # Errors
/// `x` is not a vector of integers, there are not as many weights, a number or `minlength` is negative, or `x` is
/// lazy: compare with `arange` and sum in traced functions.
///
/// Source: `numpy.bincount`.
#[track_caller]
pub fn bincount<'a>(x: impl Into<Operand<'a>>, options: impl Into<Counting>) -> Array {
    let x = to_array(x.into());
    let Counting { weights, minlength } = options.into();
    replaceable!("bincount", [&x, weights.as_ref(), minlength]);
    let ty = attempt!("bincount", x.ty());
    if ty.ndim() != 1 || ty.dtype.class() > autojit_ir::Class::Integer {
        let wrong = Error::dtype(format!("expected a vector of integers, got {ty}"));
        return fail("bincount", wrong);
    }
    let instead = "compare with arange and sum";
    attempt!("bincount", with_values(&x, instead));
    let numbers: Vec<i64> = attempt!("bincount", super::astype(&x, DType::Int64).to_vec());
    if minlength < 0 {
        let wrong = Error::value(format!("minlength cannot be negative, got {minlength}"));
        return fail("bincount", wrong);
    }
    let counts = attempt!("bincount", counts(&numbers, minlength));
    let Some(weights) = weights else {
        return attempt!("bincount", Array::from(counts).brought_to(&x.into()));
    };
    let weights_ty = attempt!("bincount", weights.ty());
    if weights_ty.shape != ty.shape || weights_ty.dtype.class() == autojit_ir::Class::Complex {
        let wrong = Error::shape(format!(
            "expected a real weight for each of {ty}, got {weights_ty}"
        ));
        return fail("bincount", wrong);
    }
    let sums = zeros([counts.len()], beside(&x).dtype(DType::Float64));
    sums.at(x)
        .add(super::special::cast(weights, DType::Float64))
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
    let mut counts = HostArray::room_for(sizes[0], format_args!("{length} counts"))?;
    counts.resize(sizes[0], 0);
    for &i in numbers {
        counts[i as usize] += 1;
    }
    Ok(counts)
}
