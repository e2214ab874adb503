//! The lines of two arrays of one shape along an axis, in step: what scans and sorts walk.

use crate::odometer::for_each_offset;

/// An axis of an input and an output of one shape, and all the lines along it.
///
/// Strides count elements. The two arrays must not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Lengths of the other axes.
    pub outer: Vec<usize>,
    /// Strides of the other axes in the input.
    pub outer_in: Vec<isize>,
    /// Strides of the other axes in the output.
    pub outer_out: Vec<isize>,
    /// Length of the axis.
    pub len: usize,
    /// Stride of the axis in the input.
    pub stride_in: isize,
    /// Stride of the axis in the output.
    pub stride_out: isize,
}

impl Lines {
    /// The lines along `axis` of arrays with this shape; `axis` must be less than the number of axes.
    #[must_use]
    pub fn new(shape: &[usize], strides_in: &[isize], strides_out: &[isize], axis: usize) -> Self {
        let without = |all: &[isize]| {
            let mut rest = all.to_vec();
            rest.remove(axis);
            rest
        };
        let mut outer = shape.to_vec();
        outer.remove(axis);
        Lines {
            outer,
            outer_in: without(strides_in),
            outer_out: without(strides_out),
            len: shape[axis],
            stride_in: strides_in[axis],
            stride_out: strides_out[axis],
        }
    }

    /// Calls `visit` with the offsets of the beginning of each line in the input and in the output; of empty lines, of
    /// which there may be more than one can walk, with none.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(isize, isize)) {
        if self.len == 0 {
            return;
        }
        for_each_offset(
            &self.outer,
            [&self.outer_in, &self.outer_out],
            |[x, out]| {
                visit(x, out);
            },
        );
    }
}
