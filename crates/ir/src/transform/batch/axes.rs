//! Batching of what works along axes: reductions, scans, sorts and Fourier transforms. Axes count behind the batch axis.

use super::{Batcher, Item, shifted};
use crate::{FourierOp, ReduceOp, Result, ScanOp, SortOp, ValueId};

pub(super) fn reduce(b: &mut Batcher, op: &ReduceOp, x: &[Item]) -> Result<ValueId> {
    let op = match op {
        ReduceOp::Sum { axes, keepdims } => ReduceOp::Sum {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::Prod { axes, keepdims } => ReduceOp::Prod {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::SumWhere { axes, keepdims } => {
            // The mask is broadcast to the array, not the other way round.
            let (array, ndim) = (b.batched(x[0])?, b.example(x[0])?.ndim());
            let mask = b.aligned_to(x[1], ndim)?;
            let op = ReduceOp::SumWhere {
                axes: shifted(axes),
                keepdims: *keepdims,
            };
            return b.push(op, &[array, mask]);
        }
        ReduceOp::Max { axes, keepdims } => ReduceOp::Max {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::Min { axes, keepdims } => ReduceOp::Min {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::Any { axes, keepdims } => ReduceOp::Any {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::All { axes, keepdims } => ReduceOp::All {
            axes: shifted(axes),
            keepdims: *keepdims,
        },
        ReduceOp::Argmax { axis, keepdims } => ReduceOp::Argmax {
            axis: axis + 1,
            keepdims: *keepdims,
        },
        ReduceOp::Argmin { axis, keepdims } => ReduceOp::Argmin {
            axis: axis + 1,
            keepdims: *keepdims,
        },
    };
    b.push(op, &[x[0].value])
}

pub(super) fn scan(b: &mut Batcher, op: &ScanOp, x: ValueId) -> Result<ValueId> {
    let op = match *op {
        ScanOp::Cumsum { axis } => ScanOp::Cumsum { axis: axis + 1 },
        ScanOp::Cumprod { axis } => ScanOp::Cumprod { axis: axis + 1 },
    };
    b.push(op, &[x])
}

pub(super) fn sort(b: &mut Batcher, op: &SortOp, x: ValueId) -> Result<ValueId> {
    let op = match *op {
        SortOp::Sort { axis } => SortOp::Sort { axis: axis + 1 },
        SortOp::Argsort { axis } => SortOp::Argsort { axis: axis + 1 },
    };
    b.push(op, &[x])
}

pub(super) fn fourier(b: &mut Batcher, op: &FourierOp, x: ValueId) -> Result<ValueId> {
    let op = match *op {
        FourierOp::Fft { n, axis, norm } => FourierOp::Fft {
            n,
            axis: axis + 1,
            norm,
        },
        FourierOp::Ifft { n, axis, norm } => FourierOp::Ifft {
            n,
            axis: axis + 1,
            norm,
        },
        FourierOp::Rfft { n, axis, norm } => FourierOp::Rfft {
            n,
            axis: axis + 1,
            norm,
        },
        FourierOp::Irfft { n, axis, norm } => FourierOp::Irfft {
            n,
            axis: axis + 1,
            norm,
        },
    };
    b.push(op, &[x])
}
