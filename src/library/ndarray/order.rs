//! Running totals and sorting along an axis: the runtime's functions, given shapes and strides.

use autojit_runtime::lines::Lines;
use autojit_runtime::scan::Scan;
use autojit_runtime::sort::Sort;

use super::reduce::kind;
use super::strided::{Shared, from_vec};
use crate::error::{Error, Result};
use crate::ir::{Element, HostArray, dispatch_host};

/// The lines of an array, with a contiguous output of the same shape.
fn lines<T: Element>(x: &Shared<T>, axis: usize) -> Lines {
    let mut contiguous = vec![1isize; x.ndim()];
    for a in (1..x.ndim()).rev() {
        contiguous[a - 1] = contiguous[a] * x.shape()[a] as isize;
    }
    Lines::new(x.shape(), x.strides(), &contiguous, axis)
}

/// Totals up to and with each element; inference has widened small integers.
pub(super) fn scan(x: &HostArray, axis: usize, product: bool) -> Result<HostArray> {
    fn typed<T: Element>(x: &Shared<T>, scan: &Scan) -> Result<HostArray> {
        let mut out = vec![T::default(); x.len()];
        // SAFETY: shape and strides are those of `x`, and `out` is contiguous with as many elements.
        let result = unsafe { scan.run(x.as_ptr().cast(), out.as_mut_ptr().cast()) };
        result.map_err(|failure| Error::internal(failure.to_string()))?;
        from_vec(x.shape(), out)
    }
    dispatch_host!(x, array => {
        let lines = lines(array, axis);
        typed(array, &Scan { kind: kind(x.dtype()), product, lines })
    })
}

/// The elements in order.
pub(super) fn sort(x: &HostArray, axis: usize) -> Result<HostArray> {
    fn typed<T: Element>(x: &Shared<T>, sort: &Sort) -> Result<HostArray> {
        let mut out = vec![T::default(); x.len()];
        // SAFETY: shape and strides are those of `x`, and `out` is contiguous with as many elements.
        unsafe { sort.run(x.as_ptr().cast(), out.as_mut_ptr().cast()) };
        from_vec(x.shape(), out)
    }
    dispatch_host!(x, array => {
        let lines = lines(array, axis);
        typed(array, &Sort { kind: kind(x.dtype()), positions: false, lines })
    })
}

/// The positions that put the elements in order.
pub(super) fn argsort(x: &HostArray, axis: usize) -> Result<HostArray> {
    let lines = dispatch_host!(x, x => lines(x, axis));
    let sort = Sort {
        kind: kind(x.dtype()),
        positions: true,
        lines,
    };
    let mut out = vec![0i64; x.shape().iter().product()];
    // SAFETY: shape and strides are those of `x`, and `out` is contiguous with as many elements.
    unsafe { sort.run(x.as_ptr(), out.as_mut_ptr().cast()) };
    from_vec(x.shape(), out)
}
