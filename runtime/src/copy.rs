//! Copies between strided layouts: contiguous copies, transposes, reversals, broadcasts, slices.
//!
//! All decisions (merged axes, order of traversal, inner loop) are made once by [`StridedCopy::new`]. Elements are moved
//! as bytes, never looked at, and need not be aligned. Positions of the destination must be distinct.

use crate::gather::copy_row;
use crate::odometer::for_each_offset;

/// Elements of a tile's side in a transposing copy: two tiles of the widest element stay in the first-level cache.
const TILE: usize = 16;

/// Up to this many bytes a copy stays in the first-level cache with both sides, so that only the number of loops counts.
const CACHED: usize = 16 * 1024;
/// Up to this many bytes a run is moved piece by piece, without a call of `memcpy`.
const SHORT_RUN: usize = 128;

/// One axis: its length and its byte strides on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Axis {
    len: usize,
    from: isize,
    to: isize,
}

/// How the one or two innermost axes are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Inner {
    /// One contiguous run of bytes.
    Run(usize),
    /// Elements along one axis.
    Elements(Axis),
    /// Tiles of two axes: the source is densest along the first, the destination along the second.
    Tiles(Axis, Axis),
}

/// A prepared copy between two strided layouts of one shape.
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
        let elements = merged.iter().map(|axis| axis.len);
        let bytes = elements.fold(item_size, usize::saturating_mul);
        let inner = if empty {
            Inner::Run(0)
        } else {
            Self::take_inner(item_size, &mut merged, bytes <= CACHED)
        };
        if bytes <= CACHED {
            merged.sort_by_key(|axis| axis.len);
        }
        if empty {
            merged.clear();
        }
        StridedCopy {
            item_size,
            shape: merged.iter().map(|axis| axis.len).collect(),
            from: merged.iter().map(|axis| axis.from).collect(),
            to: merged.iter().map(|axis| axis.to).collect(),
            inner,
        }
    }

    /// Removes the innermost axes from `axes` and says how to walk them.
    fn take_inner(item_size: usize, axes: &mut Vec<Axis>, cached: bool) -> Inner {
        let item = item_size as isize;
        let Some(last) = axes.pop() else {
            return Inner::Run(item_size);
        };
        if (last.from, last.to) == (item, item) {
            return Inner::Run(last.len * item_size);
        }
        if cached {
            axes.push(last);
            let longest = (0..axes.len()).max_by_key(|&axis| axes[axis].len);
            return Inner::Elements(axes.remove(longest.unwrap_or(0)));
        }
        // A source that is denser along another axis is read across cache lines: walk both axes in tiles.
        let densest = (0..axes.len())
            .filter(|&axis| axes[axis].from != 0)
            .min_by_key(|&axis| axes[axis].from.unsigned_abs());
        match densest {
            Some(axis) if axes[axis].from.unsigned_abs() < last.from.unsigned_abs() => {
                Inner::Tiles(axes.remove(axis), last)
            }
            _ => Inner::Elements(last),
        }
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
                1 => self.run_items(from, to, 1),
                4 => self.run_items(from, to, 4),
                8 => self.run_items(from, to, 8),
                16 => self.run_items(from, to, 16),
                size => self.run_items(from, to, size),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with `size` equal to the item size.
    #[inline(always)]
    unsafe fn run_items(&self, from: *const u8, to: *mut u8, size: usize) {
        for_each_offset(
            &self.shape,
            [&self.from, &self.to],
            |[from_offset, to_offset]| {
                // SAFETY: the offsets are those of positions inside the shape.
                unsafe {
                    let (from, to) = (from.offset(from_offset), to.offset(to_offset));
                    match self.inner {
                        Inner::Run(bytes) => copy_run(from, to, bytes),
                        Inner::Elements(axis) => copy_axis(from, to, axis, size),
                        Inner::Tiles(rows, columns) => copy_tiles(from, to, rows, columns, size),
                    }
                }
            },
        );
    }
}

/// Copies a contiguous run.
///
/// # Safety
/// `bytes` must be readable from `from` and writable from `to`; the two must not overlap.
#[inline(always)]
unsafe fn copy_run(from: *const u8, to: *mut u8, bytes: usize) {
    const PIECE: usize = 16;
    if bytes.is_multiple_of(PIECE) && bytes <= SHORT_RUN {
        for at in (0..bytes).step_by(PIECE) {
            // SAFETY: the piece lies within the run.
            unsafe { copy_row(from.add(at), to.add(at), PIECE) };
        }
    } else {
        // SAFETY: passed on from the caller.
        unsafe { std::ptr::copy_nonoverlapping(from, to, bytes) };
    }
}

/// Copies the elements of one axis.
///
/// # Safety
/// As for [`StridedCopy::run`], for this axis.
#[inline(always)]
unsafe fn copy_axis(from: *const u8, to: *mut u8, axis: Axis, size: usize) {
    for index in 0..axis.len as isize {
        // SAFETY: `index` lies in the axis.
        unsafe {
            copy_row(
                from.offset(index * axis.from),
                to.offset(index * axis.to),
                size,
            );
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
mod tests {
    use super::*;

    /// Copies by the definition, element by element.
    fn reference<T: Copy>(
        shape: &[usize],
        x: &[T],
        from: (isize, &[isize]),
        to: &[isize],
        out: &mut [T],
    ) {
        let item = size_of::<T>() as isize;
        for_each_offset(shape, [from.1, to], |[a, b]| {
            out[(b / item) as usize] = x[((from.0 + a) / item) as usize];
        });
    }

    fn check<T: Copy + PartialEq + std::fmt::Debug>(
        x: &[T],
        fill: T,
        shape: &[usize],
        start: isize,
        strides: &[isize],
    ) {
        let item = size_of::<T>() as isize;
        let mut to = vec![0; shape.len()];
        let mut size = 1;
        for axis in (0..shape.len()).rev() {
            to[axis] = size as isize * item;
            size *= shape[axis];
        }
        let from: Vec<isize> = strides.iter().map(|stride| stride * item).collect();
        let (mut got, mut want) = (vec![fill; size], vec![fill; size]);
        reference(shape, x, (start * item, &from), &to, &mut want);
        let copy = StridedCopy::new(size_of::<T>(), shape, &from, &to);
        // SAFETY: the reference has just reached the same positions with bounds checks.
        unsafe {
            copy.run(
                x.as_ptr().cast::<u8>().offset(start * item),
                got.as_mut_ptr().cast(),
            );
        }
        assert_eq!(got, want, "{shape:?} {strides:?}");
    }

    #[test]
    fn copies_agree_with_the_definition() {
        let x: Vec<i32> = (0..5000).collect();
        let cases: [(&[usize], isize, &[isize]); 14] = [
            (&[], 3, &[]),
            (&[7], 0, &[1]),
            (&[7], 6, &[-1]),
            (&[5, 0, 3], 0, &[3, 3, 1]),
            (&[4, 1, 6], 0, &[6, 99, 1]),
            (&[4, 6], 0, &[1, 4]),
            (&[37, 53], 0, &[1, 37]),
            (&[53, 37], 36, &[37, -1]),
            (&[37, 53], 36, &[-1, 37]),
            (&[3, 4, 5], 0, &[0, 0, 1]),
            (&[3, 4, 5], 2, &[1, 0, 0]),
            (&[6, 7, 8], 0, &[1, 6, 42]),
            (&[6, 7, 8], 0, &[8, 48, 1]),
            (&[3, 20, 2, 20], 0, &[800, 1, 20, 40]),
        ];
        for (shape, start, strides) in cases {
            check(&x, -1, shape, start, strides);
            let bytes: Vec<u8> = x.iter().map(|&x| (x % 251) as u8).collect();
            check(&bytes, 0, shape, start, strides);
            let wide: Vec<[u64; 2]> = x.iter().map(|&x| [x as u64, !x as u64]).collect();
            check(&wide, [0; 2], shape, start, strides);
            let odd: Vec<[u8; 3]> = x.iter().map(|&x| [x as u8, (x >> 8) as u8, 7]).collect();
            check(&odd, [0; 3], shape, start, strides);
        }
    }

    #[test]
    fn writes_through_strides() {
        let (x, mut out) = ([1_i64, 2, 3, 4], [0_i64; 8]);
        let copy = StridedCopy::new(8, &[2, 2], &[16, 8], &[-8, 32]);
        // SAFETY: positions 1, 0 and 5, 4 of `out`.
        unsafe { copy.run(x.as_ptr().cast(), out.as_mut_ptr().add(1).cast()) };
        assert_eq!(out, [3, 1, 0, 0, 4, 2, 0, 0]);
    }

    #[test]
    fn contiguous_copies_collapse() {
        assert!(StridedCopy::new(8, &[3, 4, 5], &[160, 40, 8], &[160, 40, 8]).is_contiguous());
        assert!(StridedCopy::new(8, &[3, 1, 5], &[40, 0, 8], &[40, 999, 8]).is_contiguous());
        // Both sides in the same foreign order are one run, too.
        assert!(StridedCopy::new(8, &[3, 4], &[8, 24], &[8, 24]).is_contiguous());
        assert!(!StridedCopy::new(8, &[3, 4], &[8, 24], &[32, 8]).is_contiguous());
    }
}
