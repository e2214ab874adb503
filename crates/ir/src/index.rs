//! Keys of `getitem`: what stands between the brackets of `x[...]`, and how it selects.
//!
//! A key is *normalised* against a shape before it becomes an attribute: the ellipsis is spelled out, missing
//! axes are full slices, so that equal selections compare equal. Basic keys (no arrays) lower to a
//! [`Slicing`] and a reshape. Boolean masks are not keys here: their result has no shape before they run.
//!
//! Source: NumPy, "Indexing on ndarrays".

use std::fmt;

use super::attribute::Attribute;
use super::types::{ArrayType, Dims, Steps, broadcast_shapes};
use crate::error::{Error, Result};

/// One item of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndexItem {
    /// One position; negative counts from the end. The axis disappears.
    Int(i64),
    /// `start:stop:step`, any of them left out.
    Slice {
        /// The first position.
        start: Option<i64>,
        /// The position before which it ends.
        stop: Option<i64>,
        /// The distance; may be negative, not zero.
        step: Option<i64>,
    },
    /// `...`: as many full slices as are needed.
    Ellipsis,
    /// A new axis of length one.
    NewAxis,
    /// The next integer array among the inputs.
    Array,
}

impl IndexItem {
    /// `:`, everything along one axis.
    pub const FULL: Self = Self::Slice {
        start: None,
        stop: None,
        step: None,
    };
}

/// A key: the items in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexKey(pub Box<[IndexItem]>);

/// The part of each axis that a basic key selects: `x[start + step * i]` for `i < size`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slicing {
    /// The first position along each axis.
    pub starts: Dims,
    /// The distance along each axis, not zero.
    pub steps: Steps,
    /// The number of positions along each axis.
    pub sizes: Dims,
}

impl IndexKey {
    /// Spells out the ellipsis and the axes left out.
    ///
    /// # Errors
    /// More than one ellipsis, or more items than axes.
    pub fn normalize(items: &[IndexItem], ty: &ArrayType) -> Result<Self> {
        let used = items
            .iter()
            .filter(|i| !matches!(i, IndexItem::NewAxis | IndexItem::Ellipsis))
            .count();
        if items.iter().filter(|i| **i == IndexItem::Ellipsis).count() > 1 {
            return Err(Error::index("an index can have only one ellipsis"));
        }
        let Some(missing) = ty.ndim().checked_sub(used) else {
            return Err(Error::index(format!(
                "too many indices for {ty}, expected at most {}, got {used}",
                ty.ndim()
            )));
        };
        let full = || std::iter::repeat_n(IndexItem::FULL, missing);
        let mut out = Vec::with_capacity(items.len() + missing);
        for &item in items {
            match item {
                IndexItem::Ellipsis => out.extend(full()),
                // The numbers are brought into range, so that x[-1] and x[3] of four share a node.
                IndexItem::Int(i) => {
                    let axis = out.iter().filter(|i| **i != IndexItem::NewAxis).count();
                    out.push(IndexItem::Int(wrap(i, ty.shape[axis], axis, ty)? as i64));
                }
                other => out.push(other),
            }
        }
        if !items.contains(&IndexItem::Ellipsis) {
            out.extend(full());
        }
        Ok(Self(out.into()))
    }

    /// The number of index arrays that it takes.
    #[must_use]
    pub fn arrays(&self) -> usize {
        self.0.iter().filter(|i| **i == IndexItem::Array).count()
    }

    /// The slicing of every axis of `ty`; axes with an index array are kept whole.
    ///
    /// # Errors
    /// A position is out of range, a step is zero, or the key is not normalised.
    pub fn slicing(&self, ty: &ArrayType) -> Result<Slicing> {
        let mut slicing = Slicing {
            starts: Dims::new(),
            steps: Steps::new(),
            sizes: Dims::new(),
        };
        let items = self.0.iter().filter(|i| **i != IndexItem::NewAxis);
        for (axis, item) in items.enumerate() {
            let Some(&n) = ty.shape.get(axis) else {
                return Err(Error::index(format!("too many indices for {ty}")));
            };
            let (start, step, size) = match *item {
                IndexItem::Int(i) => (wrap(i, n, axis, ty)?, 1, 1),
                IndexItem::Slice { start, stop, step } => slice_range(start, stop, step, n)?,
                IndexItem::Array | IndexItem::NewAxis | IndexItem::Ellipsis => (0, 1, n),
            };
            slicing.starts.push(start);
            slicing.steps.push(step);
            slicing.sizes.push(size);
        }
        if slicing.sizes.len() != ty.ndim() {
            return Err(Error::index(format!(
                "the key {self} is not normalised for {ty}"
            )));
        }
        Ok(slicing)
    }

    /// The shape of a basic selection after single positions have gone and new axes have come.
    #[must_use]
    pub fn basic_shape(&self, slicing: &Slicing) -> Dims {
        let mut sizes = slicing.sizes.iter();
        let mut shape = Dims::new();
        for item in &self.0 {
            match item {
                IndexItem::NewAxis => shape.push(1),
                IndexItem::Int(_) => {
                    sizes.next();
                }
                _ => shape.extend(sizes.next().copied()),
            }
        }
        shape
    }
}

/// The shape of a selection with index arrays: the broadcast shape of the arrays stands where they stood, or
/// in front if they were apart. Single positions count as index arrays here, as in NumPy.
///
/// # Errors
/// The index arrays do not broadcast together.
pub(super) fn advanced_shape(
    key: &IndexKey,
    slicing: &Slicing,
    arrays: &[&ArrayType],
) -> Result<Dims> {
    let mut common = Dims::new();
    for array in arrays {
        common = broadcast_shapes(&common, &array.shape).ok_or_else(|| {
            Error::shape(format!(
                "cannot broadcast the index arrays {} and {array}",
                arrays[0]
            ))
        })?;
    }
    let mut sizes = slicing.sizes.iter();
    let mut shape = Dims::new();
    for item in &key.0 {
        match item {
            IndexItem::NewAxis => shape.push(1),
            IndexItem::Int(_) | IndexItem::Array => {
                sizes.next();
            }
            _ => shape.extend(sizes.next().copied()),
        }
    }
    let at = advanced_position(key).unwrap_or(0);
    shape.insert_many(at, common);
    Ok(shape)
}

/// How many result axes come before those of the index arrays; `None` if the arrays are apart.
pub(super) fn advanced_position(key: &IndexKey) -> Option<usize> {
    let advanced = |i: &IndexItem| matches!(i, IndexItem::Int(_) | IndexItem::Array);
    let first = key.0.iter().position(advanced)?;
    let last = key.0.iter().rposition(advanced)?;
    key.0[first..=last].iter().all(advanced).then_some(first)
}

/// A position brought into `0..n`.
fn wrap(i: i64, n: usize, axis: usize, ty: &ArrayType) -> Result<usize> {
    let wrapped = if i < 0 {
        i.checked_add(n as i64)
    } else {
        Some(i)
    };
    match wrapped.and_then(|w| usize::try_from(w).ok()) {
        Some(w) if w < n => Ok(w),
        _ => Err(Error::index(format!(
            "index {i} is out of range for axis {axis} of {ty}"
        ))),
    }
}

/// Python's `slice.indices`: start, step and number of positions.
fn slice_range(
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
    n: usize,
) -> Result<(usize, isize, usize)> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::value("the step of a slice cannot be zero"));
    }
    let n = n as i64;
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let clip = |i: i64| {
        if i < 0 {
            i.saturating_add(n).clamp(low, high)
        } else {
            i.min(high)
        }
    };
    let start = start.map_or(if step > 0 { low } else { high }, clip);
    let stop = stop.map_or(if step > 0 { high } else { low }, clip);
    let span = if step > 0 { stop - start } else { start - stop };
    let size = if span > 0 {
        (span - 1) / step.saturating_abs() + 1
    } else {
        0
    };
    // An empty or single selection has no use for its start or step; one canonical form shares nodes.
    match size {
        0 => Ok((0, 1, 0)),
        1 => Ok((start as usize, 1, 1)),
        _ => Ok((start as usize, step as isize, size as usize)),
    }
}

impl fmt::Display for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, item) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            match item {
                IndexItem::Int(i) => write!(f, "{i}")?,
                IndexItem::Slice { start, stop, step } => {
                    let text = |x: &Option<i64>| x.map_or_else(String::new, |x| x.to_string());
                    write!(f, "{}:{}", text(start), text(stop))?;
                    if step.is_some() {
                        write!(f, ":{}", text(step))?;
                    }
                }
                IndexItem::Ellipsis => f.write_str("...")?,
                IndexItem::NewAxis => f.write_str("None")?,
                IndexItem::Array => f.write_str("#")?,
            }
        }
        f.write_str(")")
    }
}

impl Attribute for IndexKey {
    fn print(&self) -> String {
        self.to_string().replace(' ', "")
    }

    fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::parse(format!("`{text}` is not an index such as (0,1:,None)"));
        let inner = text
            .strip_prefix('(')
            .and_then(|t| t.strip_suffix(')'))
            .ok_or_else(wrong)?;
        let number = |t: &str| t.parse::<i64>().map_err(|_| wrong());
        let items = inner
            .split(',')
            .filter(|t| !t.is_empty())
            .map(|item| match item {
                "..." => Ok(IndexItem::Ellipsis),
                "None" => Ok(IndexItem::NewAxis),
                "#" => Ok(IndexItem::Array),
                _ if item.contains(':') => {
                    let bounds: Vec<Option<i64>> = item
                        .split(':')
                        .map(|b| {
                            if b.is_empty() {
                                Ok(None)
                            } else {
                                number(b).map(Some)
                            }
                        })
                        .collect::<Result<_>>()?;
                    match *bounds.as_slice() {
                        [start, stop] => Ok(IndexItem::Slice {
                            start,
                            stop,
                            step: None,
                        }),
                        [start, stop, step] => Ok(IndexItem::Slice { start, stop, step }),
                        _ => Err(wrong()),
                    }
                }
                _ => number(item).map(IndexItem::Int),
            });
        Ok(Self(items.collect::<Result<_>>()?))
    }
}

/// Printed as `start:step*size` for each axis.
impl Attribute for Slicing {
    fn print(&self) -> String {
        let axes: Vec<String> = (0..self.sizes.len())
            .map(|i| format!("{}:{}*{}", self.starts[i], self.steps[i], self.sizes[i]))
            .collect();
        format!("[{}]", axes.join(","))
    }

    fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::parse(format!("`{text}` is not a slicing such as [0:1*3]"));
        let inner = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .ok_or_else(wrong)?;
        let mut slicing = Self {
            starts: Dims::new(),
            steps: Steps::new(),
            sizes: Dims::new(),
        };
        for axis in inner.split(',').filter(|t| !t.is_empty()) {
            let (start, rest) = axis.split_once(':').ok_or_else(wrong)?;
            let (step, size) = rest.split_once('*').ok_or_else(wrong)?;
            slicing.starts.push(start.parse().map_err(|_| wrong())?);
            slicing.steps.push(step.parse().map_err(|_| wrong())?);
            slicing.sizes.push(size.parse().map_err(|_| wrong())?);
        }
        Ok(slicing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    #[test]
    fn slices_follow_python() {
        // (start, stop, step, n) -> positions, as `list(range(n))[start:stop:step]` gives them.
        type Case = (
            Option<i64>,
            Option<i64>,
            Option<i64>,
            usize,
            &'static [usize],
        );
        let cases: [Case; 8] = [
            (None, None, Some(-1), 4, &[3, 2, 1, 0]),
            (Some(-2), None, None, 5, &[3, 4]),
            (Some(10), Some(0), Some(-3), 7, &[6, 3]),
            (Some(-100), Some(100), Some(2), 5, &[0, 2, 4]),
            (Some(3), Some(1), None, 5, &[]),
            (None, Some(-1), None, 3, &[0, 1]),
            (Some(i64::MIN), Some(i64::MAX), Some(i64::MAX), 3, &[0]),
            (None, None, None, 0, &[]),
        ];
        for (start, stop, step, n, expected) in cases {
            let (first, step, size) = slice_range(start, stop, step, n).unwrap();
            let got: Vec<usize> = (0..size)
                .map(|i| (first as isize + i as isize * step) as usize)
                .collect();
            assert_eq!(got, expected);
        }
        assert!(slice_range(None, None, Some(0), 3).unwrap_err().is_value());
    }

    #[test]
    fn keys_are_normalised_and_round_trip() {
        let ty = ArrayType::new(DType::Float64, &[4, 5, 6]);
        let key = IndexKey::normalize(
            &[IndexItem::Int(-1), IndexItem::Ellipsis, IndexItem::NewAxis],
            &ty,
        )
        .unwrap();
        assert_eq!(key.to_string(), "(3, :, :, None)");
        assert_eq!(IndexKey::parse(&key.print()).unwrap(), key);
        assert!(
            IndexKey::normalize(&[IndexItem::Int(4)], &ty)
                .unwrap_err()
                .is_index()
        );
        assert!(
            IndexKey::normalize(&[IndexItem::FULL; 4], &ty)
                .unwrap_err()
                .is_index()
        );
    }
}
