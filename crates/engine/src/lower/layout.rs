//! Layouts: where the elements of a view lie in a buffer.
//!
//! A view is an offset and one stride per axis, in elements, which may be zero (broadcast) or negative.
//! Transposes, slices, broadcasts and most reshapes only change these numbers.
//!
//! A program has few different shapes and strides and many views, so views hold the number of a [`Geometry`].
//! Equal geometries have equal numbers; strides of axes of length one are zero there, as they mean nothing.

use std::hash::{Hash, Hasher};
use std::ops::Index;

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use autojit_ir::{Dims, Shape, Steps};

/// The shape and the strides of views.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) shape: Shape,
    pub(crate) strides: Steps,
    /// The product of the shape.
    pub(crate) elements: usize,
}

/// The number of a geometry in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GeometryId(pub(crate) u32);

/// The different geometries of a program.
#[derive(Debug, Default)]
pub(crate) struct Geometries {
    all: Vec<Geometry>,
    known: HashTable<GeometryId>,
    /// The contiguous geometries of the last two lookups: mostly the next one is among them.
    recent: [Option<GeometryId>; 2],
}

fn hash_geometry(shape: &[usize], strides: &[isize]) -> u64 {
    let mut hasher = FxHasher::default();
    shape.hash(&mut hasher);
    strides.hash(&mut hasher);
    hasher.finish()
}

impl Geometries {
    /// The number of this geometry.
    pub(crate) fn intern(&mut self, shape: &[usize], strides: &[isize]) -> GeometryId {
        let canonical = |(&n, &stride): (&usize, &isize)| if n == 1 { 0 } else { stride };
        let strides: Steps = shape.iter().zip(strides).map(canonical).collect();
        let Self { all, known, .. } = self;
        let hash = hash_geometry(shape, &strides);
        let equal = |id: &GeometryId| {
            let found = &all[id.0 as usize];
            found.shape.as_slice() == shape && found.strides == strides
        };
        if let Some(&id) = known.find(hash, equal) {
            return id;
        }
        let id = GeometryId(all.len() as u32);
        all.push(Geometry {
            shape: shape.into(),
            strides,
            elements: shape.iter().fold(1, |n, &len| n.saturating_mul(len)),
        });
        known.insert_unique(hash, id, |id| {
            let Geometry { shape, strides, .. } = &all[id.0 as usize];
            hash_geometry(shape, strides)
        });
        id
    }

    /// The number of the geometry with the shape of another one and these strides.
    pub(crate) fn with_strides(&mut self, of: GeometryId, strides: &[isize]) -> GeometryId {
        let shape = self[of].shape.clone();
        self.intern(&shape, strides)
    }

    /// The geometry of an array of the shape of another one, in C order without gaps.
    pub(crate) fn contiguous_like(&mut self, id: GeometryId) -> GeometryId {
        if self.recent.contains(&Some(id)) {
            return id;
        }
        let shape = self[id].shape.clone();
        self.contiguous(&shape)
    }

    /// The geometry of an array of this shape in C order without gaps.
    pub(crate) fn contiguous(&mut self, shape: &[usize]) -> GeometryId {
        let is_it = |id: &GeometryId| {
            let known = &self.all[id.0 as usize].shape;
            known.len() == shape.len() && known.iter().zip(shape).all(|(x, y)| x == y)
        };
        if let Some(id) = self.recent.into_iter().flatten().find(is_it) {
            return id;
        }
        let id = self.intern(shape, &Layout::contiguous(shape).strides);
        self.recent = [Some(id), self.recent[0]];
        id
    }
}

impl Index<GeometryId> for Geometries {
    type Output = Geometry;

    fn index(&self, id: GeometryId) -> &Geometry {
        &self.all[id.0 as usize]
    }
}

/// The elements of a view: `offset + sum(index[axis] * strides[axis])`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub(crate) offset: isize,
    pub(crate) strides: Steps,
}

impl Layout {
    /// C order without gaps.
    pub(crate) fn contiguous(shape: &[usize]) -> Self {
        let mut strides: Steps = SmallVec::from_elem(0, shape.len());
        let mut stride = 1;
        for (s, &n) in strides.iter_mut().zip(shape).rev() {
            *s = stride;
            stride *= n.max(1) as isize;
        }
        Self { offset: 0, strides }
    }

    /// Whether the elements of a view of this shape lie in C order without gaps.
    pub(crate) fn is_contiguous(&self, shape: &[usize]) -> bool {
        is_contiguous(&self.strides, shape)
    }

    pub(crate) fn transpose(&self, perm: &[usize]) -> Self {
        Self {
            offset: self.offset,
            strides: perm.iter().map(|&p| self.strides[p]).collect(),
        }
    }

    pub(crate) fn slice(&self, starts: &[usize], steps: &[isize]) -> Self {
        let offset = self
            .strides
            .iter()
            .zip(starts)
            .map(|(s, &i)| s * i as isize)
            .sum::<isize>();
        let strides = self
            .strides
            .iter()
            .zip(steps)
            // A step that leads nowhere may be as long as it likes.
            .map(|(s, step)| s.wrapping_mul(*step))
            .collect();
        Self {
            offset: self.offset + offset,
            strides,
        }
    }

    /// The strides over a larger shape by NumPy's broadcasting: zero where an axis is stretched or new.
    pub(crate) fn broadcast(&self, from: &[usize], to: &[usize]) -> Self {
        let lead = to.len() - from.len();
        let strides = (0..to.len())
            .map(|axis| match axis.checked_sub(lead) {
                Some(a) if from[a] == to[axis] && from[a] != 1 => self.strides[a],
                _ => 0,
            })
            .collect();
        Self {
            offset: self.offset,
            strides,
        }
    }

    /// The same elements in C order under another shape, if strides can say so.
    pub(crate) fn reshape(&self, from: &[usize], to: &[usize]) -> Option<Self> {
        if from.contains(&0) {
            return Some(Self {
                offset: self.offset,
                strides: Self::contiguous(to).strides,
            });
        }
        // Axes of length one carry no information; the others must split and merge in groups of equal size.
        let old: SmallVec<[(usize, isize); 6]> = from
            .iter()
            .zip(&self.strides)
            .filter(|(n, _)| **n != 1)
            .map(|(&n, &s)| (n, s))
            .collect();
        let mut strides: Steps = SmallVec::from_elem(0, to.len());
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            let (mut old_size, mut new_size) = (old[i].0, 1);
            let (old_first, new_first) = (i, j);
            while j < to.len() && (new_size < old_size || to[j] == 1) {
                new_size *= to[j];
                j += 1;
                while new_size > old_size {
                    i += 1;
                    old_size *= old.get(i)?.0;
                }
                if new_size == old_size {
                    break;
                }
            }
            if new_size != old_size {
                return None;
            }
            let merged = (old_first..i).all(|a| old[a].1 == old[a + 1].0 as isize * old[a + 1].1);
            if !merged {
                return None;
            }
            let mut stride = old[i].1;
            for axis in (new_first..j).rev() {
                strides[axis] = stride;
                stride *= to[axis] as isize;
            }
            i += 1;
        }
        Some(Self {
            offset: self.offset,
            strides,
        })
    }

    /// Where the elements of a reshaped view lie in terms of the axes before, if the reshape only adds or
    /// drops axes of length one. The inverse of [`Layout::reshape`] for those.
    pub(crate) fn unreshape(&self, before: &[usize], after: &[usize]) -> Option<Self> {
        let long =
            |shape: &[usize]| -> Dims { shape.iter().copied().filter(|&n| n != 1).collect() };
        if long(before) != long(after) {
            return None;
        }
        let mut strides = after
            .iter()
            .zip(&self.strides)
            .filter(|(n, _)| **n != 1)
            .map(|(_, &s)| s);
        let strides = before
            .iter()
            .map(|&n| {
                if n == 1 {
                    0
                } else {
                    strides.next().unwrap_or(0)
                }
            })
            .collect();
        Some(Self {
            offset: self.offset,
            strides,
        })
    }

    /// The layout of the part of this view that starts at `start` along an axis.
    pub(crate) fn part(&self, axis: usize, start: usize) -> Self {
        let mut part = self.clone();
        part.offset += self.strides[axis] * start as isize;
        part
    }

    /// Whether both reach the same elements over this shape; strides of axes of length one do not matter.
    pub(crate) fn same_elements(&self, other: &Self, shape: &[usize]) -> bool {
        self.offset == other.offset
            && shape
                .iter()
                .zip(self.strides.iter().zip(&other.strides))
                .all(|(&n, (a, b))| n == 1 || a == b)
    }

    /// The inverse of a transpose.
    pub(crate) fn untranspose(&self, perm: &[usize]) -> Self {
        let mut strides = self.strides.clone();
        for (i, &p) in perm.iter().enumerate() {
            strides[p] = self.strides[i];
        }
        Self {
            offset: self.offset,
            strides,
        }
    }
}

/// Whether elements with these strides lie in C order without gaps.
pub(crate) fn is_contiguous(strides: &[isize], shape: &[usize]) -> bool {
    let mut expected = 1;
    for (&stride, &n) in strides.iter().zip(shape).rev() {
        if n == 0 {
            return true;
        }
        if n != 1 {
            if stride != expected {
                return false;
            }
            expected *= n as isize;
        }
    }
    true
}

/// The first and the last element that a view reaches; `None` if it has no elements.
pub(crate) fn extent(shape: &[usize], strides: &[isize], offset: isize) -> Option<(i128, i128)> {
    let (mut first, mut last) = (offset as i128, offset as i128);
    for (&n, &stride) in shape.iter().zip(strides) {
        let reach = (n as i128).checked_sub(1).filter(|&n| n >= 0)? * stride as i128;
        if reach < 0 {
            first += reach;
        } else {
            last += reach;
        }
    }
    Some((first, last))
}

/// Calls `visit` with each element of a view, in C order.
///
/// # Errors
/// The first of `visit`.
pub(crate) fn elements<E>(
    shape: &[usize],
    strides: &[isize],
    offset: isize,
    mut visit: impl FnMut(isize) -> Result<(), E>,
) -> Result<(), E> {
    if shape.contains(&0) {
        return Ok(());
    }
    let mut index: Dims = SmallVec::from_elem(0, shape.len());
    let mut element = offset;
    loop {
        visit(element)?;
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return Ok(());
            }
            axis -= 1;
            index[axis] += 1;
            element += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            element -= strides[axis] * shape[axis] as isize;
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(layout: &Layout, shape: &[usize]) -> Vec<isize> {
        let size: usize = shape.iter().product();
        (0..size)
            .map(|mut flat| {
                let mut position = layout.offset;
                for (axis, &n) in shape.iter().enumerate().rev() {
                    position += (flat % n) as isize * layout.strides[axis];
                    flat /= n;
                }
                position
            })
            .collect()
    }

    #[test]
    fn reshapes_keep_the_order_of_elements() {
        let shapes: [(&[usize], &[usize]); 6] = [
            (&[2, 3, 4], &[6, 4]),
            (&[2, 3, 4], &[2, 12]),
            (&[6, 4], &[2, 3, 2, 2]),
            (&[4, 6], &[8, 3]),
            (&[1, 4, 1], &[4]),
            (&[2, 2, 3], &[1, 4, 1, 3, 1]),
        ];
        for (from, to) in shapes {
            for layout in [
                Layout::contiguous(from),
                Layout {
                    offset: 7,
                    strides: Layout::contiguous(from)
                        .strides
                        .iter()
                        .map(|s| s * 2)
                        .collect(),
                },
                Layout {
                    offset: 3,
                    strides: Layout::contiguous(from)
                        .strides
                        .iter()
                        .rev()
                        .copied()
                        .collect(),
                },
            ] {
                if let Some(reshaped) = layout.reshape(from, to) {
                    assert_eq!(
                        positions(&reshaped, to),
                        positions(&layout, from),
                        "{from:?} {to:?}"
                    );
                } else {
                    assert!(!layout.is_contiguous(from));
                }
            }
        }
        let rows_apart = Layout {
            offset: 0,
            strides: Steps::from_slice(&[8, 1]),
        };
        assert!(rows_apart.reshape(&[2, 4], &[8]).is_none());
        assert!(rows_apart.reshape(&[2, 4], &[2, 2, 2]).is_some());
    }

    #[test]
    fn inverses_undo() {
        let layout = Layout {
            offset: 5,
            strides: Steps::from_slice(&[1, 10, 100]),
        };
        let perm = [2, 0, 1];
        assert_eq!(layout.transpose(&perm).untranspose(&perm), layout);
        let row = Layout {
            offset: 4,
            strides: Steps::from_slice(&[0, 2]),
        };
        assert_eq!(
            row.unreshape(&[5], &[1, 5]).unwrap().strides.as_slice(),
            [2]
        );
    }
}
