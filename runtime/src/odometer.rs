//! Counting through the positions of a multi-dimensional index space while keeping element offsets up to date.
//!
//! The offsets are plain integers, so an odometer never touches memory; whoever dereferences them answers for it.

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
    let mut index = vec![0_usize; shape.len()];
    let mut offsets = [0_isize; N];
    loop {
        visit(offsets);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            if index[axis] < shape[axis] {
                for (offset, stride) in offsets.iter_mut().zip(&strides) {
                    *offset += stride[axis];
                }
                break;
            }
            index[axis] = 0;
            for (offset, stride) in offsets.iter_mut().zip(&strides) {
                *offset -= stride[axis] * (shape[axis] as isize - 1);
            }
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
