//! Copies between strided layouts: contiguous copies, transposes, reversals, broadcasts, slices.
//!
//! All decisions (merged axes, order of traversal, inner loop) are made once by [`StridedCopy::new`]. Elements are moved
//! as bytes, never looked at, and need not be aligned. Positions of the destination must be distinct.

use smallvec::SmallVec;

use crate::gather::copy_row;
use crate::odometer::for_each_offset;

/// Elements of a tile's side in a transposing copy: two tiles of the widest element stay in the first-level cache.
const TILE: usize = 16;

/// The widest piece that is moved as one element.
const WIDEST: usize = 64;
/// Up to so many pieces a contiguous run is moved piece by piece, without a call of `memcpy`.
const SHORT_RUN: usize = 8;
/// Longer axes are not taken whole into a block.
const SIDE: usize = 16;
/// Bytes of a line of the cache, which both sides of a block hold.
const LINE: usize = 64;

/// One axis: its length and its byte strides on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Axis {
    len: usize,
    from: isize,
    to: isize,
}

/// Byte offsets of an element on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    from: isize,
    to: isize,
}

/// A part of the array in which both sides are dense, so that lines of the cache are used whole: the source along the rows, the
/// destination along the columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Block {
    /// The axes that it consists of.
    axes: SmallVec<[Axis; 4]>,
    rows: Box<[Place]>,
    columns: Columns,
}

/// The columns of a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Columns {
    /// Those of one axis.
    Axis(Axis),
    /// Next to each other in the destination; offsets in the source.
    Next(Box<[isize]>),
}

/// How the innermost axes are walked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Inner {
    /// One contiguous run of bytes.
    Run(usize),
    /// Elements along one axis.
    Elements(Axis),
    /// A part of several short axes.
    Block(Box<Block>),
    /// Tiles of two axes: the source is densest along the first, the destination along the second.
    Tiles(Axis, Axis),
}

/// A prepared copy between two strided layouts of one shape. Equal ones move the same bytes, whatever the size of the elements.
///
/// ```
/// use autojit_runtime::copy::StridedCopy;
/// let copy = StridedCopy::new(4, &[3, 2], &[4, 12], &[8, 4]);
/// let (x, mut transposed) = ([1_i32, 2, 3, 4, 5, 6], [0_i32; 6]);
/// // SAFETY: both buffers hold six elements, as the shape and strides ask.
/// unsafe { copy.run(x.as_ptr().cast(), transposed.as_mut_ptr().cast()) };
/// assert_eq!(transposed, [1, 4, 2, 5, 3, 6]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StridedCopy {
    item_size: usize,
    /// The axes outside of `inner`.
    shape: Vec<usize>,
    from: Vec<isize>,
    to: Vec<isize>,
    inner: Inner,
}

impl StridedCopy {
    /// Prepares the copy of elements of `item_size` bytes; strides are in bytes, may be negative, and zero in `from`.
    ///
    /// `shape`, `from` and `to` have one entry per axis; entries beyond the shortest of the three are ignored.
    #[must_use]
    pub fn new(item_size: usize, shape: &[usize], from: &[isize], to: &[isize]) -> Self {
        let mut axes: Vec<Axis> = shape
            .iter()
            .zip(from)
            .zip(to)
            .map(|((&len, &from), &to)| Axis { len, from, to })
            .filter(|axis| axis.len != 1)
            .collect();
        let empty = axes.iter().any(|axis| axis.len == 0);
        // The order of copying is free, so the destination is written in order of its addresses.
        if empty {
            // Lengths beside that of zero may be any: their product need not be a number.
            axes.clear();
        }
        axes.sort_by_key(|axis| {
            std::cmp::Reverse((axis.to.unsigned_abs(), axis.from.unsigned_abs()))
        });
        let mut merged: Vec<Axis> = Vec::with_capacity(axes.len());
        for axis in axes {
            match merged.last_mut() {
                Some(outer)
                    if outer.from == axis.from * axis.len as isize
                        && outer.to == axis.to * axis.len as isize =>
                {
                    *outer = Axis {
                        len: outer.len * axis.len,
                        ..axis
                    };
                }
                _ => merged.push(axis),
            }
        }
        let (item_size, inner) = if empty {
            merged.clear();
            (1, Inner::Run(0))
        } else {
            Self::take_inner(item_size, &mut merged)
        };
        StridedCopy {
            item_size,
            shape: merged.iter().map(|axis| axis.len).collect(),
            from: merged.iter().map(|axis| axis.from).collect(),
            to: merged.iter().map(|axis| axis.to).collect(),
            inner,
        }
    }

    /// Removes the innermost axes from `axes` and says how to walk them, and the size of what is moved at once.
    fn take_inner(mut size: usize, axes: &mut Vec<Axis>) -> (usize, Inner) {
        let Some(mut last) = axes.pop() else {
            return (1, Inner::Run(size));
        };
        if (last.from, last.to) == (size as isize, size as isize) {
            let run = last.len * size;
            // A short run is a wider element, or a few.
            while size.is_power_of_two() && run.is_multiple_of(2 * size) && size < WIDEST {
                size *= 2;
            }
            if axes.is_empty() || run / size > SHORT_RUN {
                return (1, Inner::Run(run));
            }
            last = match axes.pop() {
                Some(axis) if run == size => axis,
                outer => {
                    axes.extend(outer);
                    Axis {
                        len: run / size,
                        from: size as isize,
                        to: size as isize,
                    }
                }
            };
        }
        axes.push(last);
        let densest = Self::densest(axes).unwrap_or(axes.len() - 1);
        let is_dense = axes[densest].from.unsigned_abs() >= last.from.unsigned_abs();
        let inner = if axes.len() == 1 || is_dense && last.len > SIDE {
            axes.pop();
            Inner::Elements(last)
        } else if last.len <= SIDE {
            Self::take_block(size, axes)
        } else if axes[densest].len > SIDE {
            // The source is read across cache lines: walk both axes in tiles.
            axes.pop();
            Inner::Tiles(axes.remove(densest), last)
        } else {
            Self::take_block(size, axes)
        };
        (size, inner)
    }

    /// The axis along which the source is densest.
    fn densest(axes: &[Axis]) -> Option<usize> {
        (0..axes.len())
            .filter(|&axis| axes[axis].from != 0)
            .min_by_key(|&axis| axes[axis].from.unsigned_abs())
    }

    /// Removes short axes, or short parts of long ones, along which one side is dense; there is an axis.
    fn take_block(size: usize, axes: &mut Vec<Axis>) -> Inner {
        let enough = (LINE / size.max(1)).max(8);
        let here = [Place { from: 0, to: 0 }];
        let mut taken: SmallVec<[Axis; 4]> = SmallVec::new();
        let mut columns = here.to_vec();
        // In the destination they lie next to each other, or are one axis.
        while columns.len() < enough
            && let Some(next) = axes.last()
            && (taken.is_empty() || next.to == (columns.len() * size) as isize)
        {
            let wanted = enough.div_ceil(columns.len());
            let Some(axis) = Self::part(axes, axes.len() - 1, wanted) else {
                break;
            };
            columns = spread(&columns, axis);
            taken.push(axis);
            if taken[0].to != size as isize {
                break;
            }
        }
        if taken.is_empty() {
            // Of a length that no part divides.
            taken.extend(axes.pop());
        }
        let columns = match taken.as_slice() {
            [axis] => Columns::Axis(*axis),
            _ => Columns::Next(columns.iter().map(|place| place.from).collect()),
        };
        let mut rows = here.to_vec();
        while rows.len() < enough
            && let Some(densest) = Self::densest(axes)
            && let Some(axis) = Self::part(axes, densest, enough.div_ceil(rows.len()))
        {
            rows = spread(&rows, axis);
            taken.push(axis);
        }
        Inner::Block(Box::new(Block {
            axes: taken,
            rows: rows.into(),
            columns,
        }))
    }

    /// Takes a short axis, or of a longer one an inner part of `wanted` places or up to twice as many.
    fn part(axes: &mut Vec<Axis>, index: usize, wanted: usize) -> Option<Axis> {
        let axis = axes[index];
        if axis.len <= SIDE {
            return Some(axes.remove(index));
        }
        let len = (wanted..=2 * wanted).find(|&part| axis.len.is_multiple_of(part))?;
        axes[index] = Axis {
            len: axis.len / len,
            from: axis.from * len as isize,
            to: axis.to * len as isize,
        };
        Some(Axis { len, ..axis })
    }

    /// This copy `count` times, the sources `from` bytes apart, the destinations `to` bytes.
    ///
    /// ```
    /// use autojit_runtime::copy::StridedCopy;
    /// let rows = StridedCopy::new(4, &[2], &[4], &[4]).repeated(3, 8, 8);
    /// assert_eq!(rows, StridedCopy::new(4, &[6], &[4], &[4]));
    /// ```
    #[must_use]
    pub fn repeated(&self, count: usize, from: isize, to: isize) -> Self {
        let item = self.item_size as isize;
        let inner: &[Axis] = match &self.inner {
            Inner::Run(bytes) => &[Axis {
                len: bytes / self.item_size,
                from: item,
                to: item,
            }],
            Inner::Elements(axis) => &[*axis],
            Inner::Tiles(rows, columns) => &[*rows, *columns],
            Inner::Block(block) => &block.axes,
        };
        let mut shape = vec![count];
        let (mut from, mut to) = (vec![from], vec![to]);
        shape.extend(
            self.shape
                .iter()
                .copied()
                .chain(inner.iter().map(|a| a.len)),
        );
        from.extend(
            self.from
                .iter()
                .copied()
                .chain(inner.iter().map(|a| a.from)),
        );
        to.extend(self.to.iter().copied().chain(inner.iter().map(|a| a.to)));
        Self::new(self.item_size, &shape, &from, &to)
    }

    /// Whether this is a single `memcpy`.
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.shape.is_empty() && matches!(self.inner, Inner::Run(_))
    }

    /// The bytes that it copies, if it is a single `memcpy`.
    #[must_use]
    pub fn contiguous_bytes(&self) -> Option<usize> {
        match self.inner {
            Inner::Run(bytes) if self.shape.is_empty() => Some(bytes),
            _ => None,
        }
    }

    /// Copies.
    ///
    /// # Safety
    /// Every position that the shape and strides reach must be readable from `from` and writable from `to` for
    /// `item_size` bytes; the two must not overlap.
    pub unsafe fn run(&self, from: *const u8, to: *mut u8) {
        // A literal size lets the compiler turn `copy_row` into one move.
        // SAFETY: passed on from the caller.
        unsafe {
            match self.item_size {
                1 => self.run_items::<1>(from, to),
                2 => self.run_items::<2>(from, to),
                4 => self.run_items::<4>(from, to),
                8 => self.run_items::<8>(from, to),
                16 => self.run_items::<16>(from, to),
                32 => self.run_items::<32>(from, to),
                64 => self.run_items::<64>(from, to),
                _ => self.run_items::<0>(from, to),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with `SIZE` equal to the item size, or zero for any.
    unsafe fn run_items<const SIZE: usize>(&self, from: *const u8, to: *mut u8) {
        let size = if SIZE == 0 { self.item_size } else { SIZE };
        for_each_offset(
            &self.shape,
            [&self.from, &self.to],
            |[from_offset, to_offset]| {
                let size = if SIZE == 0 { size } else { SIZE };
                // SAFETY: the offsets are those of positions inside the shape.
                unsafe {
                    let (from, to) = (from.offset(from_offset), to.offset(to_offset));
                    match &self.inner {
                        Inner::Run(bytes) => std::ptr::copy_nonoverlapping(from, to, *bytes),
                        Inner::Elements(axis) => copy_axis(from, to, *axis, size),
                        Inner::Block(block) => copy_block(from, to, block, size),
                        Inner::Tiles(rows, columns) => copy_tiles(from, to, *rows, *columns, size),
                    }
                }
            },
        );
    }
}

/// The places of an axis for each of some places, which stay in order innermost.
fn spread(inner: &[Place], axis: Axis) -> Vec<Place> {
    let steps = 0..axis.len as isize;
    let places = steps.flat_map(|step| {
        inner.iter().map(move |place| Place {
            from: place.from + step * axis.from,
            to: place.to + step * axis.to,
        })
    });
    places.collect()
}

/// Copies the elements of a block.
///
/// # Safety
/// As for [`StridedCopy::run`], for its axes.
#[inline(always)]
unsafe fn copy_block(from: *const u8, to: *mut u8, block: &Block, size: usize) {
    for row in &block.rows {
        // SAFETY: the places are those of positions in the axes of the block.
        unsafe {
            let (from, to) = (from.offset(row.from), to.offset(row.to));
            match &block.columns {
                Columns::Axis(axis) => copy_axis(from, to, *axis, size),
                Columns::Next(columns) => {
                    for (at, column) in columns.iter().enumerate() {
                        copy_row(from.offset(*column), to.add(at * size), size);
                    }
                }
            }
        }
    }
}

/// Copies the elements of one axis.
///
/// # Safety
/// As for [`StridedCopy::run`], for this axis.
#[inline(always)]
unsafe fn copy_axis(mut from: *const u8, mut to: *mut u8, axis: Axis, size: usize) {
    // SAFETY: each element that is moved lies in the axis; pointers beyond its end are not read.
    unsafe {
        for _ in 0..axis.len / 4 {
            for index in 0..4 {
                let (from, to) = (from.offset(index * axis.from), to.offset(index * axis.to));
                copy_row(from, to, size);
            }
            from = from.wrapping_offset(4 * axis.from);
            to = to.wrapping_offset(4 * axis.to);
        }
        for _ in 0..axis.len % 4 {
            copy_row(from, to, size);
            from = from.wrapping_offset(axis.from);
            to = to.wrapping_offset(axis.to);
        }
    }
}

/// Copies two axes tile by tile, so that lines of the source and of the destination are used whole.
///
/// # Safety
/// As for [`StridedCopy::run`], for these two axes.
#[inline(always)]
unsafe fn copy_tiles(from: *const u8, to: *mut u8, rows: Axis, columns: Axis, size: usize) {
    for row in (0..rows.len).step_by(TILE) {
        for column in (0..columns.len).step_by(TILE) {
            let tile = Axis {
                len: TILE.min(columns.len - column),
                ..columns
            };
            for row in row..rows.len.min(row + TILE) {
                let (row, column) = (row as isize, column as isize);
                // SAFETY: row and column lie in their axes.
                unsafe {
                    let from = from.offset(row * rows.from + column * columns.from);
                    let to = to.offset(row * rows.to + column * columns.to);
                    copy_axis(from, to, tile, size);
                }
            }
        }
    }
}

/// A copy of a contiguous array with other values in a slice of it.
///
/// ```
/// use autojit_runtime::copy::{StridedCopy, Update};
/// let part = StridedCopy::new(4, &[2], &[4], &[8]);
/// let update = Update { bytes: 16, offset: 4, part };
/// let mut x = [1_i32, 2, 3, 4];
/// let values = [7_i32, 9];
/// let array = x.as_mut_ptr().cast();
/// // SAFETY: the array has 16 bytes, and the slice its second and fourth element.
/// unsafe { update.run(array, values.as_ptr().cast(), array) };
/// assert_eq!(x, [1, 7, 3, 9]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Bytes of the array.
    pub bytes: usize,
    /// Bytes from the beginning of the array to the first element of the slice.
    pub offset: isize,
    /// The copy of the values to the slice.
    pub part: StridedCopy,
}

impl Update {
    /// Copies `x`, unless it is `out`, and the values.
    ///
    /// # Safety
    /// `x` must be readable and `out` writable for `bytes`, in which the slice lies; the values must be readable as `part`
    /// says. `out` must lie apart from the others, or be `x`, which is then changed itself.
    pub unsafe fn run(&self, x: *const u8, values: *const u8, out: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe {
            if !std::ptr::eq(x, out) {
                std::ptr::copy_nonoverlapping(x, out, self.bytes);
            }
            self.part.run(values, out.offset(self.offset));
        }
    }
}

#[cfg(test)]
mod tests;
