//! Walking over strided arrays of one broadcast shape: how every elementwise op runs.
//!
//! A [`Walk`] drops axes of length one and merges axes that lie evenly in all operands, so that contiguous
//! arrays, scalars and whole-row broadcasts all end up as few long rows. Nothing is materialised except the
//! result. Contiguous operands of equal shape, the common case, take no walk at all.
//!
//! Everything here is compiled once: operands are addresses with strides, and what is done with a row is a
//! [`Kernel`], called by pointer. Only making an array of the results knows their type ([`filled`]).
//!
//! Shapes are checked by inference; here they must broadcast.

use ndarray::{ArrayD, IxDyn};
use smallvec::SmallVec;

use super::kernel::{INPUTS, Kernel};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    BlockSize, DType, Element, HostArray, SharedArray, UnwrittenArray, dispatch_host,
};
use autojit_runtime::pages::prefer_huge;

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
    pub(super) fn new(axes: &mut dyn Iterator<Item = (usize, [isize; N])>) -> Self {
        let mut outer: SmallVec<[(usize, [isize; N]); 4]> = SmallVec::new();
        for (len, strides) in axes {
            if len == 1 {
                continue;
            }
            match outer.last_mut() {
                Some((slow, slow_strides))
                    if (0..N).all(|k| slow_strides[k] == strides[k] * len as isize) =>
                {
                    // Beside an axis without elements the others may be of any length.
                    *slow = slow.saturating_mul(len);
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
        let lengths = self.outer.iter().map(|axis| axis.0);
        lengths.fold(1, usize::saturating_mul)
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
        .map_err(wrong_size)
}

#[cold]
fn wrong_size(error: ndarray::ShapeError) -> Error {
    Error::internal(format!("a result has the wrong size ({error})"))
}

/// Room for so many elements.
///
/// # Errors
/// There is no memory for it.
pub(super) fn reserved<T>(count: usize) -> Result<Vec<T>> {
    let bytes = count.saturating_mul(size_of::<T>());
    let mut room: Vec<T> = HostArray::room_for(count, format_args!("{bytes} bytes"))?;
    prefer_huge(room.as_mut_ptr().cast(), bytes);
    Ok(room)
}

/// An array whose elements `fill` writes, in C order, to the address that it is given.
///
/// # Safety
/// Where `fill` succeeds, it must have written as many elements as the shape has, each a value of the dtype.
pub(super) unsafe fn filled(
    dtype: DType,
    shape: &[usize],
    fill: &mut dyn FnMut(*mut u8) -> Result<()>,
) -> Result<HostArray> {
    let size = BlockSize::new(shape, dtype.size());
    let memory = size.as_ref().and_then(UnwrittenArray::new);
    let (Some(size), Some(memory)) = (&size, memory) else {
        let elements = shape.iter().fold(1_usize, |n, &m| n.saturating_mul(m));
        let bytes = elements.saturating_mul(dtype.size());
        return Err(Error::value(format!("not enough memory for {bytes} bytes")));
    };
    prefer_huge(memory.as_mut_ptr(), size.contents());
    fill(memory.as_mut_ptr())?;
    // SAFETY: the memory is for elements of this dtype, and `fill` has written them.
    Ok(unsafe { HostArray::written(memory, dtype) })
}

/// Where the elements of an array lie.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) dtype: DType,
    pub(super) shape: &'a [usize],
    /// Counted in elements.
    pub(super) strides: &'a [isize],
    /// The element at the index of zeros.
    pub(super) first: *const u8,
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn new(x: &'a HostArray) -> Self {
        dispatch_host!(x, a => Self {
            dtype: x.dtype(),
            shape: a.shape(),
            strides: a.strides(),
            first: a.as_ptr().cast(),
        })
    }

    /// The number of elements.
    pub(super) fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the elements lie in C order without gaps.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut next = 1;
        for (&len, &stride) in self.shape.iter().zip(self.strides).rev() {
            if len != 1 {
                if stride != next && !self.shape.contains(&0) {
                    return false;
                }
                next *= len as isize;
            }
        }
        true
    }

    /// The distance between elements in a walk in C order over all of `shape`, if it is the same for all.
    fn single_step(&self, shape: &[usize]) -> Option<isize> {
        if self.shape == shape {
            return self.is_contiguous().then_some(1);
        }
        self.shape.iter().all(|&n| n == 1).then_some(0)
    }
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

/// The results of a kernel on operands broadcast to `shape`.
///
/// Axes are visited with the largest strides first, as NumPy's order `K`: results of operands in Fortran order
/// are in Fortran order themselves.
///
/// # Errors
/// The dtypes of the operands are not those of the kernel's inputs, which inference should have refused.
pub(super) fn map(kernel: Kernel, operands: &[View<'_>], shape: &[usize]) -> Result<HostArray> {
    if !operands.iter().map(|x| &x.dtype).eq(kernel.inputs()) {
        return Err(Error::internal(
            "an op met inputs of other dtypes than its own",
        ));
    }
    let mut inputs = [std::ptr::null(); INPUTS];
    let mut steps = [0; INPUTS];
    let mut together = true;
    for (k, operand) in operands.iter().enumerate() {
        inputs[k] = operand.first;
        match operand.single_step(shape) {
            Some(step) => steps[k] = step,
            None => together = false,
        }
    }
    if together {
        let size = shape.iter().product();
        // SAFETY: operands are contiguous with as many elements as the result has, or have one that is read again and
        // again (if at all). The kernel writes every element, and its results are of the dtype that it says.
        return unsafe {
            filled(kernel.result(), shape, &mut |out| {
                kernel.run(size, &inputs, &steps, out);
                Ok(())
            })
        };
    }
    // SAFETY: the dtypes have been checked.
    unsafe { walk(kernel, operands, shape) }
}

/// [`map`], for operands that do not all lie in the order of the result.
///
/// # Safety
/// The dtypes of the operands must be those of the kernel's inputs.
unsafe fn walk(kernel: Kernel, operands: &[View<'_>], shape: &[usize]) -> Result<HostArray> {
    let mut strides: SmallVec<[[isize; INPUTS]; 4]> = SmallVec::from_elem([0; INPUTS], shape.len());
    for (k, operand) in operands.iter().enumerate() {
        let stretched = broadcast_strides(operand.shape, operand.strides, shape.len());
        for (axis, &stride) in strides.iter_mut().zip(&stretched) {
            axis[k] = stride;
        }
    }
    let mut order: SmallVec<[usize; 4]> = (0..shape.len()).collect();
    order.sort_by_key(|&axis| {
        let largest = strides[axis].iter().map(|s| s.unsigned_abs()).max();
        std::cmp::Reverse(largest.unwrap_or(0))
    });
    let walk = Walk::new(&mut order.iter().map(|&axis| (shape[axis], strides[axis])));
    let walked: SmallVec<[usize; 4]> = order.iter().map(|&axis| shape[axis]).collect();
    let result_size = kernel.result().size();
    // SAFETY: the walk stays within the positions that shapes and strides of the operands reach, and it has as many as
    // the result has elements.
    let array = unsafe {
        filled(kernel.result(), &walked, &mut |out| {
            let mut out = out;
            walk.for_each_row(&mut |offsets| {
                let mut inputs = [std::ptr::null(); INPUTS];
                for (k, operand) in operands.iter().enumerate() {
                    let bytes = offsets[k] * operand.dtype.size() as isize;
                    inputs[k] = operand.first.offset(bytes);
                }
                kernel.run(walk.len, &inputs, &walk.step, out);
                out = out.add(walk.len * result_size);
            });
            Ok(())
        })
    }?;
    if order.is_sorted() {
        return Ok(array);
    }
    let mut back: SmallVec<[usize; 4]> = SmallVec::from_elem(0, order.len());
    for (i, &axis) in order.iter().enumerate() {
        back[axis] = i;
    }
    Ok(transpose(&array, &back))
}

/// Axis `i` of the result is axis `perm[i]` of `x`.
pub(super) fn transpose(x: &HostArray, perm: &[usize]) -> HostArray {
    fn typed<T: Element>(x: &SharedArray<T>, perm: &[usize]) -> HostArray {
        T::host_array(x.viewed(|view| view.permuted_axes(IxDyn(perm))))
    }
    dispatch_host!(x, x => typed(x, perm))
}
