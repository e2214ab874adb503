//! Running totals and sorting along an axis: the runtime's functions, given shapes and strides.

use autojit_runtime::lines::Lines;
use autojit_runtime::scan::Scan;
use autojit_runtime::sort::Sort;

use super::kind;
use super::strided::{View, filled};
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray};

/// The lines of an array, with a contiguous output of the same shape.
fn lines(x: &View<'_>, axis: usize) -> Lines {
    let mut contiguous = vec![1isize; x.shape.len()];
    for a in (1..x.shape.len()).rev() {
        contiguous[a - 1] = contiguous[a] * x.shape[a] as isize;
    }
    Lines::new(x.shape, x.strides, &contiguous, axis)
}

/// Totals up to and with each element; inference has widened small integers.
pub(super) fn scan(x: &HostArray, axis: usize, product: bool) -> Result<HostArray> {
    let x = View::new(x);
    let scan = Scan {
        kind: kind(x.dtype)?,
        product,
        lines: lines(&x, axis),
    };
    // SAFETY: shape and strides are those of `x`, and `out` is contiguous with as many elements, all of which are written.
    unsafe {
        filled(x.dtype, x.shape, &mut |out| {
            scan.run(x.first, out)
                .map_err(|failure| Error::internal(failure.to_string()))
        })
    }
}

/// The elements in order.
pub(super) fn sort(x: &HostArray, axis: usize) -> Result<HostArray> {
    sorted(x, axis, false)
}

/// The positions that put the elements in order.
pub(super) fn argsort(x: &HostArray, axis: usize) -> Result<HostArray> {
    sorted(x, axis, true)
}

fn sorted(x: &HostArray, axis: usize, positions: bool) -> Result<HostArray> {
    let x = View::new(x);
    let sort = Sort {
        kind: kind(x.dtype)?,
        positions,
        lines: lines(&x, axis),
    };
    let result = if positions { DType::Int64 } else { x.dtype };
    // SAFETY: shape and strides are those of `x`, and `out` is contiguous with as many elements, all of which are written.
    unsafe {
        filled(result, x.shape, &mut |out| {
            sort.run(x.first, out)
                .map_err(|failure| Error::value(failure.to_string()))
        })
    }
}
