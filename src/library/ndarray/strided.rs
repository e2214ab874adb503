//! Walking over strided arrays of one broadcast shape: how every elementwise op runs.
//!
//! A [`Walk`] drops axes of length one and merges axes that lie evenly in all operands, so that contiguous
//! arrays, scalars and whole-row broadcasts all end up as few long rows. Nothing is materialised except the
//! result. Contiguous operands of equal shape, the common case, take no walk at all.
//!
//! Shapes are checked by inference; here they must broadcast.

use ndarray::{ArcArray, ArrayD, IxDyn};
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::ir::{Element, HostArray};

/// An array of the ndarray library with a known element type.
pub(super) type Shared<T> = ArcArray<T, IxDyn>;

/// Offsets of rows, for `N` operands at once.
pub(super) struct Walk<const N: usize> {
    outer: SmallVec<[(usize, [isize; N]); 4]>,
    /// The number of elements of a row.
    pub(super) len: usize,
    /// The distance between the elements of a row in each operand.
    pub(super) step: [isize; N],
}

impl<const N: usize> Walk<N> {
    /// A walk over axes given by length and strides, the first the slowest.
    pub(super) fn new(axes: impl Iterator<Item = (usize, [isize; N])>) -> Self {
        let mut outer: SmallVec<[(usize, [isize; N]); 4]> = SmallVec::new();
        for (len, strides) in axes.filter(|axis| axis.0 != 1) {
            match outer.last_mut() {
                Some((slow, slow_strides))
                    if (0..N).all(|k| slow_strides[k] == strides[k] * len as isize) =>
                {
                    *slow *= len;
                    *slow_strides = strides;
                }
                _ => outer.push((len, strides)),
            }
        }
        let (len, step) = outer.pop().unwrap_or((1, [0; N]));
        Self { outer, len, step }
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.outer.iter().map(|axis| axis.0).product()
    }

    /// Calls `visit` with the offsets of the first elements of each row, the last axis fastest.
    pub(super) fn for_each_row(&self, visit: &mut dyn FnMut([isize; N])) {
        if self.len == 0 || self.outer.iter().any(|axis| axis.0 == 0) {
            return;
        }
        let mut index: SmallVec<[usize; 4]> = SmallVec::from_elem(0, self.outer.len());
        let mut offsets = [0; N];
        loop {
            visit(offsets);
            let mut axis = self.outer.len();
            loop {
                let Some(faster) = axis.checked_sub(1) else {
                    return;
                };
                axis = faster;
                let (len, strides) = self.outer[axis];
                index[axis] += 1;
                if index[axis] < len {
                    (0..N).for_each(|k| offsets[k] += strides[k]);
                    break;
                }
                index[axis] = 0;
                (0..N).for_each(|k| offsets[k] -= strides[k] * (len as isize - 1));
            }
        }
    }
}

/// An array from elements in C order.
#[inline]
pub(super) fn from_vec<T: Element>(shape: &[usize], data: Vec<T>) -> Result<HostArray> {
    ArrayD::from_shape_vec(IxDyn(shape), data)
        .map(HostArray::from)
        .map_err(|e| Error::internal(format!("a result has the wrong size ({e})")))
}

/// Strides of an operand within the broadcast shape: zero along axes that it is stretched over.
pub(super) fn broadcast_strides(
    operand_shape: &[usize],
    operand_strides: &[isize],
    ndim: usize,
) -> SmallVec<[isize; 4]> {
    let mut strides = SmallVec::from_elem(0, ndim.saturating_sub(operand_shape.len()));
    let axes = operand_shape.iter().zip(operand_strides);
    strides.extend(axes.map(|(&n, &stride)| if n == 1 { 0 } else { stride }));
    strides
}

/// Runs `fill` over the operands and shapes what it pushed.
///
/// Axes are visited with the largest strides first, as NumPy's order `K`: results of operands in Fortran order
/// are in Fortran order themselves.
fn collect<const N: usize, R: Element>(
    shape: &[usize],
    operands: [(&[usize], &[isize]); N],
    fill: impl FnOnce(&Walk<N>, &mut Vec<R>),
) -> Result<HostArray> {
    let strides = operands.map(|(s, t)| broadcast_strides(s, t, shape.len()));
    let at = |axis: usize| std::array::from_fn::<isize, N, _>(|k| strides[k][axis]);
    let mut order: SmallVec<[usize; 4]> = (0..shape.len()).collect();
    order.sort_by_key(|&axis| {
        std::cmp::Reverse(at(axis).iter().map(|s| s.unsigned_abs()).max().unwrap_or(0))
    });
    let walk = Walk::new(order.iter().map(|&axis| (shape[axis], at(axis))));
    let mut data = Vec::with_capacity(shape.iter().product());
    fill(&walk, &mut data);
    if order.is_sorted() {
        return from_vec(shape, data);
    }
    let walked: SmallVec<[usize; 4]> = order.iter().map(|&axis| shape[axis]).collect();
    let mut back: SmallVec<[usize; 4]> = SmallVec::from_elem(0, order.len());
    for (i, &axis) in order.iter().enumerate() {
        back[axis] = i;
    }
    ArrayD::from_shape_vec(IxDyn(&walked), data)
        .map(|array| HostArray::from(array.permuted_axes(IxDyn(&back))))
        .map_err(|e| Error::internal(format!("a result has the wrong size ({e})")))
}

/// `f` of every element.
pub(super) fn map1<T: Element, R: Element>(x: &Shared<T>, f: impl Fn(T) -> R) -> Result<HostArray> {
    if let Some(x_slice) = x.as_slice() {
        return from_vec(x.shape(), x_slice.iter().map(|&x| f(x)).collect());
    }
    stretch(x, x.shape(), f)
}

/// `f` of every element of `x` broadcast to `shape`.
pub(super) fn stretch<T: Element, R: Element>(
    x: &Shared<T>,
    shape: &[usize],
    f: impl Fn(T) -> R,
) -> Result<HostArray> {
    collect(shape, [(x.shape(), x.strides())], |walk, out| {
        let len = walk.len;
        walk.for_each_row(&mut |[offset]| {
            // SAFETY: the walk stays within the positions that shape and strides of `x` reach.
            unsafe {
                let x = x.as_ptr().offset(offset);
                match walk.step {
                    [1] => out.extend(std::slice::from_raw_parts(x, len).iter().map(|&x| f(x))),
                    [0] => out.extend(std::iter::repeat_n(f(*x), len)),
                    [sx] => out.extend((0..len as isize).map(|i| f(*x.offset(i * sx)))),
                }
            }
        });
    })
}

/// `f` of every pair of elements, broadcast to `shape`.
pub(super) fn map2<T: Element, U: Element, R: Element>(
    x: &Shared<T>,
    y: &Shared<U>,
    shape: &[usize],
    f: impl Fn(T, U) -> R,
) -> Result<HostArray> {
    if x.shape() == y.shape()
        && let (Some(x), Some(y)) = (x.as_slice(), y.as_slice())
    {
        return from_vec(shape, x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect());
    }
    let operands = [(x.shape(), x.strides()), (y.shape(), y.strides())];
    collect(shape, operands, |walk, out| {
        let len = walk.len;
        walk.for_each_row(&mut |[x_offset, y_offset]| {
            // SAFETY: the walk stays within the positions that shapes and strides of `x` and `y` reach.
            unsafe {
                let (x, y) = (x.as_ptr().offset(x_offset), y.as_ptr().offset(y_offset));
                match walk.step {
                    [1, 1] => {
                        let x = std::slice::from_raw_parts(x, len);
                        let y = std::slice::from_raw_parts(y, len);
                        out.extend(x.iter().zip(y).map(|(&x, &y)| f(x, y)));
                    }
                    [1, 0] => {
                        let (x, y) = (std::slice::from_raw_parts(x, len), *y);
                        out.extend(x.iter().map(|&x| f(x, y)));
                    }
                    [0, 1] => {
                        let (x, y) = (*x, std::slice::from_raw_parts(y, len));
                        out.extend(y.iter().map(|&y| f(x, y)));
                    }
                    [sx, sy] => out
                        .extend((0..len as isize).map(|i| f(*x.offset(i * sx), *y.offset(i * sy)))),
                }
            }
        });
    })
}

/// `f` of every triple of elements, broadcast to `shape`.
pub(super) fn map3<T: Element, U: Element, V: Element, R: Element>(
    x: &Shared<T>,
    y: &Shared<U>,
    z: &Shared<V>,
    shape: &[usize],
    f: impl Fn(T, U, V) -> R,
) -> Result<HostArray> {
    let operands = [
        (x.shape(), x.strides()),
        (y.shape(), y.strides()),
        (z.shape(), z.strides()),
    ];
    collect(shape, operands, |walk, out| {
        let [sx, sy, sz] = walk.step;
        walk.for_each_row(&mut |[x_offset, y_offset, z_offset]| {
            // SAFETY: the walk stays within the positions that shapes and strides of the operands reach.
            unsafe {
                let x = x.as_ptr().offset(x_offset);
                let (y, z) = (y.as_ptr().offset(y_offset), z.as_ptr().offset(z_offset));
                out.extend(
                    (0..walk.len as isize)
                        .map(|i| f(*x.offset(i * sx), *y.offset(i * sy), *z.offset(i * sz))),
                );
            }
        });
    })
}
