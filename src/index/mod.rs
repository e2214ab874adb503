//! Indexing: what users write between brackets, as NumPy's `x[...]`.
//!
//! ```
//! use autojit::{Array, ix};
//!
//! let x = Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! let row = x.get(-1);
//! let middle = x.get(ix![.., 1..-1]);
//! let backwards = x.get(ix![..., ..; -1]);
//! let column = x.get(ix![.., 0, NewAxis]);
//! let chosen = x.get(ix![.., [2, 0, 2]]);
//! assert_eq!(row.to_string(), "[4. 5. 6.]");
//! # let _ = (middle, backwards, column, chosen);
//! ```
//!
//! Selections are NumPy's: out-of-range positions are errors, out-of-range bounds of slices are not. A boolean
//! mask selects where it is true; the shape of that depends on its values, so the mask must be known, and a
//! lazy mask is refused.

mod at;

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};
use std::panic::Location;

use smallvec::SmallVec;

pub use at::At;

use crate::array::Repr;
use crate::numpy::{attempt, squeeze};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::index::{IndexItem, IndexKey};
use autojit_ir::{ArrayType, HostArray, IndexOp, Op, Shape};

/// An index: one item for each axis, from the front.
///
/// Made by [`ix!`](crate::ix), or from a single item such as `3`, `1..` or an integer array.
#[derive(Clone, Debug, Default)]
pub struct Index {
    items: SmallVec<[Item; 4]>,
}

/// One item of an index.
#[derive(Clone, Debug)]
pub struct Item(ItemKind);

#[derive(Clone, Debug)]
enum ItemKind {
    Basic(IndexItem),
    Array(Array),
}

/// A new axis of length one, in an index.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// As many whole axes as there are left, in an index; `...` in [`ix!`](crate::ix).
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// Builds an [`Index`], with an item for each axis:
///
/// | item | NumPy | selects |
/// |---|---|---|
/// | `2`, `-1` | `2`, `-1` | one position; the axis disappears |
/// | `1..-1`, `1..`, `..3`, `..` | `1:-1`, `1:`, `:3`, `:` | a range |
/// | `..; -1`, `1..9; 2` | `::-1`, `1:9:2` | every so manyth of a range |
/// | `...` | `...` | all axes that are not named |
/// | `NewAxis` | `None` | a new axis of length one |
/// | `&indices`, `[0, 2, 2]`, `vec` | the same | positions, whose shape replaces the axis |
/// | `&mask` | the same | where the mask is true |
///
/// Clippy takes a literal `1..-1` outside of the macro for a mistake; inside it knows better.
#[macro_export]
macro_rules! ix {
    ($($items:tt)*) => { $crate::__ix!([] $($items)*) };
}

/// The rules of [`ix!`]: takes one item after the other off the front.
#[doc(hidden)]
#[macro_export]
macro_rules! __ix {
    ([$($done:expr,)*]) => {
        <$crate::index::Index as ::core::iter::FromIterator<$crate::index::Item>>::from_iter(
            [$($done),*] as [$crate::index::Item; $crate::__ix!(@count $($done,)*)]
        )
    };
    ([$($done:expr,)*] ... $(, $($rest:tt)*)?) => {
        $crate::__ix!([$($done,)* $crate::index::Item::from($crate::index::Ellipsis),] $($($rest)*)?)
    };
    ([$($done:expr,)*] NewAxis $(, $($rest:tt)*)?) => {
        $crate::__ix!([$($done,)* $crate::index::Item::from($crate::index::NewAxis),] $($($rest)*)?)
    };
    ([$($done:expr,)*] $range:expr ; $step:expr $(, $($rest:tt)*)?) => {
        $crate::__ix!([$($done,)* {
            // `9..0; -1` is meant.
            #[allow(clippy::reversed_empty_ranges)]
            let item = $crate::index::step($range, $step);
            item
        },] $($($rest)*)?)
    };
    ([$($done:expr,)*] $item:expr $(, $($rest:tt)*)?) => {
        $crate::__ix!([$($done,)* {
            // `1..-1` is meant.
            #[allow(clippy::reversed_empty_ranges)]
            let item = $crate::index::Item::from($item);
            item
        },] $($($rest)*)?)
    };
    (@count) => { 0 };
    (@count $first:expr, $($rest:expr,)*) => { 1 + $crate::__ix!(@count $($rest,)*) };
}

/// A range with a step, which may be negative: `step(.., -1)` reverses.
///
/// ```
/// use autojit::{Array, index::step, ix};
///
/// let x = Array::from([0, 1, 2, 3, 4]);
/// assert_eq!(x.get(ix![step(.., -2)]).to_string(), "[4 2 0]");
/// ```
pub fn step(range: impl Into<Bounds>, step: i64) -> Item {
    let Bounds { start, stop } = range.into();
    let step = Some(step);
    Item(ItemKind::Basic(IndexItem::Slice { start, stop, step }))
}

/// The bounds of a slice; negative ones count from the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    start: Option<i64>,
    stop: Option<i64>,
}

impl Bounds {
    /// From `start` up to but without `stop`; `None` is the end of the axis.
    #[must_use]
    pub fn new(start: Option<i64>, stop: Option<i64>) -> Self {
        Self { start, stop }
    }
}

impl From<RangeFull> for Bounds {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// The bound after an inclusive one. After -1, the last position, comes the end of the axis.
fn after(bound: i64) -> Option<i64> {
    bound.checked_add(1).filter(|&b| b != 0)
}

impl From<Bounds> for Item {
    fn from(Bounds { start, stop }: Bounds) -> Self {
        let step = None;
        Self(ItemKind::Basic(IndexItem::Slice { start, stop, step }))
    }
}

impl From<RangeFull> for Item {
    fn from(_: RangeFull) -> Self {
        Self(ItemKind::Basic(IndexItem::FULL))
    }
}

impl From<NewAxis> for Item {
    fn from(_: NewAxis) -> Self {
        Self(ItemKind::Basic(IndexItem::NewAxis))
    }
}

impl From<Ellipsis> for Item {
    fn from(_: Ellipsis) -> Self {
        Self(ItemKind::Basic(IndexItem::Ellipsis))
    }
}

impl From<IndexItem> for Item {
    fn from(item: IndexItem) -> Self {
        match item {
            // The array that it stands for is missing, which `get` will say.
            IndexItem::Array => Self(ItemKind::Array(Array::failed(Error::index(
                "an index array is missing",
            )))),
            item => Self(ItemKind::Basic(item)),
        }
    }
}

impl From<Array> for Item {
    fn from(array: Array) -> Self {
        Self(ItemKind::Array(array))
    }
}

impl From<&Array> for Item {
    fn from(array: &Array) -> Self {
        Self(ItemKind::Array(array.clone()))
    }
}

fn positions(list: Vec<i64>) -> Item {
    let array = ndarray::Array1::from_vec(list).into_dyn();
    Item(ItemKind::Array(Array::from_host(HostArray::from(array))))
}

macro_rules! items_from_integers {
    ($($t:ty => |$i:ident| $wide:expr;)*) => {$(
        impl From<$t> for Item {
            fn from($i: $t) -> Self {
                Self(ItemKind::Basic(IndexItem::Int($wide)))
            }
        }

        impl From<Vec<$t>> for Item {
            fn from(list: Vec<$t>) -> Self {
                positions(list.into_iter().map(|$i| $wide).collect())
            }
        }

        impl From<&[$t]> for Item {
            fn from(list: &[$t]) -> Self {
                positions(list.iter().map(|&$i| $wide).collect())
            }
        }

        impl<const N: usize> From<[$t; N]> for Item {
            fn from(list: [$t; N]) -> Self {
                list.as_slice().into()
            }
        }

        items_from_integers!(@range $t, $i, $wide);
        items_from_integers!(@start $t, $i, $wide);
        items_from_integers!(@stop $t, $i, $wide);
        items_from_integers!(@inclusive $t, $i, $wide);
    )*};
    (@item $range:ty) => {
        impl From<$range> for Item {
            fn from(range: $range) -> Self {
                Bounds::from(range).into()
            }
        }
    };
    (@range $t:ty, $i:ident, $wide:expr) => {
        impl From<Range<$t>> for Bounds {
            fn from(range: Range<$t>) -> Self {
                let wide = |$i: $t| $wide;
                Self::new(Some(wide(range.start)), Some(wide(range.end)))
            }
        }
        items_from_integers!(@item Range<$t>);
    };
    (@start $t:ty, $i:ident, $wide:expr) => {
        impl From<RangeFrom<$t>> for Bounds {
            fn from(range: RangeFrom<$t>) -> Self {
                let $i = range.start;
                Self::new(Some($wide), None)
            }
        }
        items_from_integers!(@item RangeFrom<$t>);
    };
    (@stop $t:ty, $i:ident, $wide:expr) => {
        impl From<RangeTo<$t>> for Bounds {
            fn from(range: RangeTo<$t>) -> Self {
                let $i = range.end;
                Self::new(None, Some($wide))
            }
        }
        items_from_integers!(@item RangeTo<$t>);
    };
    (@inclusive $t:ty, $i:ident, $wide:expr) => {
        impl From<RangeInclusive<$t>> for Bounds {
            fn from(range: RangeInclusive<$t>) -> Self {
                let wide = |$i: $t| $wide;
                Self::new(Some(wide(*range.start())), after(wide(*range.end())))
            }
        }
        items_from_integers!(@item RangeInclusive<$t>);

        impl From<RangeToInclusive<$t>> for Bounds {
            fn from(range: RangeToInclusive<$t>) -> Self {
                let $i = range.end;
                Self::new(None, after($wide))
            }
        }
        items_from_integers!(@item RangeToInclusive<$t>);
    };
}

items_from_integers! {
    i32 => |i| i64::from(i);
    i64 => |i| i;
    isize => |i| i as i64;
    // What does not fit is out of range for every axis.
    usize => |i| i64::try_from(i).unwrap_or(i64::MAX);
}

impl<T: Into<Item>> From<T> for Index {
    fn from(item: T) -> Self {
        std::iter::once(item.into()).collect()
    }
}

impl FromIterator<Item> for Index {
    fn from_iter<I: IntoIterator<Item = Item>>(items: I) -> Self {
        Self {
            items: items.into_iter().collect(),
        }
    }
}

impl Array {
    /// The part of the array that an index selects: `x.get(j)`, `x.get(1..)`, `x.get(ix![.., 0])`.
    ///
    /// See [`crate::index`] for what an index can be. A failed selection gives a failed array: a position out of
    /// range, too many items, an index array that is not of integers, a lazy mask.
    ///
    /// ```
    /// use autojit::{Array, ix};
    ///
    /// let x = Array::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.get(1).to_string(), "[3 4]");
    /// assert_eq!(x.get(ix![.., -1]).to_string(), "[2 4]");
    /// assert_eq!(x.get(Array::from([1, 0, 1])).shape()?, [3, 2]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// Source: NumPy, "Indexing on ndarrays".
    #[track_caller]
    #[must_use]
    pub fn get(&self, index: impl Into<Index>) -> Array {
        let Index { items } = index.into();
        let ty = attempt!("getitem", self.ty());
        let Resolved {
            key,
            arrays,
            separator,
        } = attempt!("getitem", resolve(items, &ty));
        let mut inputs: SmallVec<[Operand; 2]> = SmallVec::with_capacity(1 + arrays.len());
        inputs.push(self.into());
        for array in arrays {
            let array = attempt!("getitem", array.brought_to(&inputs[0]));
            inputs.push(array.into());
        }
        let selected = Array::apply(Op::Index(IndexOp::Getitem { key }), &inputs);
        match separator {
            Some(after) => squeeze(selected, -1 - after),
            None => selected,
        }
    }

    /// The number of elements along the first axis.
    ///
    /// # Errors
    /// The array is 0-d, or a failed one.
    #[allow(
        clippy::len_without_is_empty,
        reason = "NumPy's len, not a collection's"
    )]
    #[track_caller]
    pub fn len(&self) -> Result<usize> {
        let location = Location::caller();
        let ty = self.ty().map_err(|e| e.at(location))?;
        let first = ty.shape.first().copied();
        first.ok_or_else(|| {
            Error::shape(format!("a 0-d array has no length, got {ty}")).at(location)
        })
    }

    /// The parts of the array along its first axis: the rows of a matrix.
    ///
    /// ```
    /// use autojit::Array;
    ///
    /// let rows = Array::from([[1, 2], [3, 4]]).rows()?;
    /// assert_eq!(rows[1].to_string(), "[3 4]");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The array is 0-d, or a failed one.
    #[track_caller]
    pub fn rows(&self) -> Result<Vec<Array>> {
        let location = Location::caller();
        let length = self.len()?;
        let mut rows = HostArray::list_of(length).map_err(|e| e.in_op("rows").at(location))?;
        for j in 0..length {
            rows.push(self.get(j));
        }
        Ok(rows)
    }
}

/// An index as ops take it.
struct Resolved {
    key: IndexKey,
    arrays: SmallVec<[Array; 1]>,
    /// Where the selection has an axis of length one that the index did not ask for: how many axes come after it.
    separator: Option<i64>,
}

fn resolve(items: SmallVec<[Item; 4]>, ty: &ArrayType) -> Result<Resolved> {
    let (mut items, arrays) = resolve_masks(items, ty)?;
    let separator = spell_out_separator(&mut items, ty);
    Ok(Resolved {
        key: IndexKey::normalize(&items, ty)?,
        arrays,
        separator,
    })
}

type WithoutMasks = (SmallVec<[IndexItem; 4]>, SmallVec<[Array; 1]>);

/// An ellipsis between index arrays keeps them apart, as any slice does, also where no axis is left for it. A new axis
/// takes its place then; returned is how many axes of the selection come after it.
///
/// Source: NumPy, "Combining advanced and basic indexing".
fn spell_out_separator(items: &mut [IndexItem], ty: &ArrayType) -> Option<i64> {
    let mut ellipses = (0..items.len()).filter(|&i| items[i] == IndexItem::Ellipsis);
    let (Some(at), None) = (ellipses.next(), ellipses.next()) else {
        return None;
    };
    let is_kept = |i: &&IndexItem| matches!(i, IndexItem::Slice { .. } | IndexItem::NewAxis);
    let is_advanced = |i: &IndexItem| matches!(i, IndexItem::Int(_) | IndexItem::Array);
    let stands_for_axes =
        ty.ndim() + items.iter().filter(|i| **i == IndexItem::NewAxis).count() >= items.len();
    let (before, after) = (&items[..at], &items[at + 1..]);
    if stands_for_axes
        || !items.contains(&IndexItem::Array)
        || !before.iter().any(is_advanced)
        || !after.iter().any(is_advanced)
    {
        return None;
    }
    let after = after.iter().filter(is_kept).count() as i64;
    items[at] = IndexItem::NewAxis;
    Some(after)
}

/// Replaces each mask by the positions where it is true, one integer array for each of its axes.
fn resolve_masks(items: SmallVec<[Item; 4]>, ty: &ArrayType) -> Result<WithoutMasks> {
    let mut resolved = SmallVec::with_capacity(items.len());
    let mut arrays = SmallVec::new();
    let mut masks: SmallVec<[(usize, Shape); 1]> = SmallVec::new();
    for Item(item) in items {
        let array = match item {
            ItemKind::Basic(item) => {
                resolved.push(item);
                continue;
            }
            ItemKind::Array(array) => array,
        };
        let array_ty = array.ty()?;
        if array_ty.dtype != DType::Bool {
            resolved.push(IndexItem::Array);
            arrays.push(array);
            continue;
        }
        masks.push((resolved.len(), array_ty.shape.clone()));
        resolved.extend(array_ty.shape.iter().map(|_| IndexItem::Array));
        arrays.extend(true_positions(&array, &array_ty)?);
    }
    check_masks(&resolved, &masks, ty)?;
    Ok((resolved, arrays))
}

/// A mask is as long as the axes that it stands for, or has no elements along some of them, and then selects none, as in NumPy.
fn check_masks(items: &[IndexItem], masks: &[(usize, Shape)], ty: &ArrayType) -> Result<()> {
    let counts = |i: &&IndexItem| !matches!(i, IndexItem::NewAxis | IndexItem::Ellipsis);
    let left_out = ty
        .ndim()
        .saturating_sub(items.iter().filter(counts).count());
    for (at, mask) in masks {
        let before = &items[..*at];
        let skipped = usize::from(before.contains(&IndexItem::Ellipsis)) * left_out;
        let axis = before.iter().filter(counts).count() + skipped;
        let axes = ty.shape.get(axis..axis + mask.len());
        let fits = |axes: &[usize]| axes.iter().zip(mask).all(|(n, m)| n == m || *m == 0);
        if !axes.is_some_and(fits) {
            let mask = ArrayType::new(DType::Bool, mask);
            return Err(Error::index(format!(
                "the mask {mask} does not fit {ty} from axis {axis} on"
            )));
        }
    }
    Ok(())
}

/// Where a mask is true: for each of its axes the positions along it, in C order.
fn true_positions(mask: &Array, ty: &ArrayType) -> Result<Vec<Array>> {
    let Repr::Concrete(concrete) = &mask.0 else {
        return Err(Error::unsupported(format!(
            "the mask {ty} is lazy, so the shape of the result is not known (use where_)"
        )));
    };
    if ty.ndim() == 0 {
        return Err(Error::unsupported("a 0-d mask is not supported"));
    }
    let host = concrete.to_host()?;
    let view = host.view::<bool>();
    let view = view.ok_or_else(|| Error::internal(format!("the mask is {}", host.ty())))?;
    let count = view.iter().filter(|is_true| **is_true).count();
    let lists = (0..ty.ndim()).map(|_| HostArray::list_of(count));
    let mut positions: Vec<Vec<i64>> = lists.collect::<Result<_>>()?;
    for (position, _) in view.indexed_iter().filter(|(_, is_true)| **is_true) {
        for (axis, list) in positions.iter_mut().enumerate() {
            list.push(position[axis] as i64);
        }
    }
    let array = |list| ndarray::Array1::from_vec(list).into_dyn();
    Ok(positions
        .into_iter()
        .map(|list| Array::from_host(HostArray::from(array(list))))
        .collect())
}
