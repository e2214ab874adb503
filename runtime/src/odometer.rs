//! Counting through the positions of a multi-dimensional index space while keeping element offsets up to date.
//!
//! The offsets are plain integers, so an odometer never touches memory; whoever dereferences them answers for it.

use smallvec::SmallVec;

/// A position in an index space and the offsets of `N` operands there. It starts at the first position.
pub(crate) struct Odometer<const N: usize> {
    /// Room in place for more axes of several elements than arrays in memory have.
    index: SmallVec<[usize; 64]>,
    /// The operands' offsets at the current position.
    pub(crate) offsets: [isize; N],
}

impl<const N: usize> Odometer<N> {
    /// At the first position of a space of `axes` axes, none of which may have length zero.
    pub(crate) fn new(axes: usize) -> Self {
        Odometer {
            index: SmallVec::from_elem(0, axes),
            offsets: [0; N],
        }
    }

    /// Moves to the next position, last axis fastest; false after the last one.
    pub(crate) fn advance(&mut self, shape: &[usize], strides: [&[isize]; N]) -> bool {
        for axis in (0..shape.len()).rev() {
            self.index[axis] += 1;
            if self.index[axis] < shape[axis] {
                for (offset, stride) in self.offsets.iter_mut().zip(&strides) {
                    *offset += stride[axis];
                }
                return true;
            }
            self.index[axis] = 0;
            for (offset, stride) in self.offsets.iter_mut().zip(&strides) {
                *offset -= stride[axis] * (shape[axis] as isize - 1);
            }
        }
        false
    }
}

/// Calls `visit` with the offset of each of `N` operands for every index of `shape`, last axis fastest.
///
/// `strides[operand]` has one entry per axis of `shape`. An empty `shape` is one position; an axis of length zero is none.
#[inline(always)]
pub(crate) fn for_each_offset<const N: usize>(
    shape: &[usize],
    strides: [&[isize]; N],
    mut visit: impl FnMut([isize; N]),
) {
    if shape.contains(&0) {
        return;
    }
    let Some((&len, outer)) = shape.split_last() else {
        return visit([0; N]);
    };
    let steps = strides.map(|strides| strides[outer.len()]);
    let mut odometer = Odometer::new(outer.len());
    loop {
        let mut offsets = odometer.offsets;
        for _ in 0..len {
            visit(offsets);
            for (offset, step) in offsets.iter_mut().zip(steps) {
                // After the last position this may point anywhere, as it is not read.
                *offset = offset.wrapping_add(step);
            }
        }
        if !odometer.advance(outer, strides) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::for_each_offset;

    #[test]
    fn visits_in_row_major_order() {
        let mut seen = Vec::new();
        for_each_offset(&[2, 3], [&[10, -1], &[0, 2]], |offsets| seen.push(offsets));
        assert_eq!(seen, [[0, 0], [-1, 2], [-2, 4], [10, 0], [9, 2], [8, 4]]);
    }

    #[test]
    fn no_axes_is_one_position_and_an_empty_axis_is_none() {
        let mut count = 0;
        for_each_offset(&[], [&[]], |_| count += 1);
        for_each_offset(&[2, 0], [&[1, 1]], |_| count += 10);
        assert_eq!(count, 1);
    }
}
