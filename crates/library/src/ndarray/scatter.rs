//! Copies of arrays with other values at given positions or in a slice, by the runtime.

use autojit_runtime::abi::Failure;
use autojit_runtime::copy::{StridedCopy, Update};
use autojit_runtime::scatter::Scatter;

use super::strided::filled;
use super::{kind, shape};
use crate::scatter_mode;
use autojit_ir::error::{Error, Result};
use autojit_ir::index::IndexKey;
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{HostArray, MapOp};

/// A copy of `x` whose elements at positions in C order are combined with the values.
pub(super) fn scatter(
    x: &HostArray,
    values: &HostArray,
    positions: &HostArray,
    mode: ScatterMode,
) -> Result<HostArray> {
    let (x, values) = (x.try_contiguous()?, values.try_contiguous()?);
    let HostArray::Int64(_) = positions else {
        return Err(super::unexpected(positions));
    };
    let positions = positions.try_contiguous()?;
    let plan = Scatter {
        kind: kind(x.dtype())?,
        mode: scatter_mode(mode),
        size: x.shape().iter().product(),
        count: positions.shape().iter().product(),
    };
    let run = |out: *mut u8| {
        let positions = positions.as_ptr().cast();
        // SAFETY: the arrays are contiguous, of the dtypes and with as many elements as the plan says, by the
        // op's signature and the check above; `out` was made with as many as `x` has.
        unsafe { plan.run(x.as_ptr(), positions, values.as_ptr(), out) }
    };
    // SAFETY: a scatter begins with a copy of all elements.
    unsafe {
        filled(x.dtype(), x.shape(), &mut |out| {
            run(out).map_err(|failure| match failure {
                Failure::IndexOutOfRange { index, len } => Error::index(format!(
                    "position {index} is out of range for {len} elements"
                )),
                other => Error::internal(other),
            })
        })
    }
}

/// The op that combines elements with values; `None` if the values take their place.
pub(super) fn combining(mode: ScatterMode) -> Option<MapOp> {
    match mode {
        ScatterMode::Set => None,
        ScatterMode::Add => Some(MapOp::Add),
        ScatterMode::Multiply => Some(MapOp::Multiply),
        ScatterMode::Min => Some(MapOp::Minimum),
        ScatterMode::Max => Some(MapOp::Maximum),
    }
}

/// A copy of `x` with other values in the slice that a basic key selects.
pub(super) fn update(x: &HostArray, values: &HostArray, key: &IndexKey) -> Result<HostArray> {
    let ty = x.ty();
    let slicing = key.slicing(&ty)?;
    let x = x.try_contiguous()?;
    // Its axes are those of the slice, in C order without gaps.
    let values = shape::broadcast_to(values, &key.basic_shape(&slicing))?;
    let values = shape::reshape(&values.try_contiguous()?, &slicing.sizes)?.try_contiguous()?;
    let size = ty.dtype.size();
    let contiguous = |shape: &[usize]| {
        let mut strides = vec![size as isize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis].max(1) as isize;
        }
        strides
    };
    let strides = contiguous(&ty.shape);
    let starts = strides.iter().zip(&slicing.starts);
    let to: Vec<isize> = (strides.iter().zip(&slicing.steps))
        .map(|(stride, step)| stride.wrapping_mul(*step))
        .collect();
    let plan = Update {
        bytes: ty.size() * size,
        offset: starts.map(|(stride, &start)| stride * start as isize).sum(),
        part: StridedCopy::new(size, &slicing.sizes, &contiguous(&slicing.sizes), &to),
    };
    // SAFETY: an update begins with a copy of all elements; the arrays are contiguous, of one dtype by the op's signature,
    // and the slice lies inside of the array by the normalised key.
    unsafe {
        filled(ty.dtype, &ty.shape, &mut |out| {
            plan.run(x.as_ptr(), values.as_ptr(), out);
            Ok(())
        })
    }
}
