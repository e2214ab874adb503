//! Elementary functions of whole arrays, by the runtime's wide forms.
//!
//! They give the same bits as the functions of one element, several times faster. What is not contiguous, or needs
//! broadcasting other than of a single number, is left to the loops over elements.

use std::sync::LazyLock;

use autojit_runtime::math::wide::{BinaryFunction, UnaryFunction};
use rustc_hash::FxHashMap;

use super::strided::{Shared, from_vec};
use crate::error::Result;
use crate::ir::{Element, HostArray, Op};

/// The wide functions by the name of the op.
static UNARY: LazyLock<FxHashMap<&'static str, UnaryFunction>> =
    LazyLock::new(|| UnaryFunction::ALL.iter().map(|&f| (f.name(), f)).collect());
static BINARY: LazyLock<FxHashMap<&'static str, BinaryFunction>> =
    LazyLock::new(|| BinaryFunction::ALL.iter().map(|&f| (f.name(), f)).collect());

/// The shortest array for which looking up the function pays.
const SHORTEST: usize = 4;

/// The result of an op on these inputs; `None` if there is no wide form for them.
pub(super) fn spell(op: &Op, inputs: &[&HostArray], shape: &[usize]) -> Option<Result<HostArray>> {
    if shape.iter().product::<usize>() < SHORTEST {
        return None;
    }
    match inputs {
        [HostArray::Float64(x)] => unary(op, x, UnaryFunction::map_f64),
        [HostArray::Float32(x)] => unary(op, x, UnaryFunction::map_f32),
        [HostArray::Float64(x), HostArray::Float64(y)] => {
            binary(op, x, y, shape, BinaryFunction::map_f64)
        }
        [HostArray::Float32(x), HostArray::Float32(y)] => {
            binary(op, x, y, shape, BinaryFunction::map_f32)
        }
        _ => None,
    }
}

fn unary<T: Element>(
    op: &Op,
    x: &Shared<T>,
    map: unsafe fn(UnaryFunction, *const T, *mut T, usize),
) -> Option<Result<HostArray>> {
    let from = x.as_slice()?;
    let function = *UNARY.get(op.name())?;
    let mut to = vec![T::default(); from.len()];
    // SAFETY: both slices have this many elements and do not overlap.
    unsafe { map(function, from.as_ptr(), to.as_mut_ptr(), to.len()) };
    Some(from_vec(x.shape(), to))
}

fn binary<T: Element>(
    op: &Op,
    x: &Shared<T>,
    y: &Shared<T>,
    shape: &[usize],
    map: unsafe fn(BinaryFunction, *const T, *const T, *mut T, usize),
) -> Option<Result<HostArray>> {
    let function = *BINARY.get(op.name())?;
    let n = shape.iter().product();
    let (mut repeated_x, mut repeated_y) = (Vec::new(), Vec::new());
    let x = elements(x, shape, &mut repeated_x)?;
    let y = elements(y, shape, &mut repeated_y)?;
    let mut to = vec![T::default(); n];
    // SAFETY: all three slices have `n` elements, and `to` is new.
    unsafe { map(function, x.as_ptr(), y.as_ptr(), to.as_mut_ptr(), n) };
    Some(from_vec(shape, to))
}

/// The elements in C order, as many as the shape has: those of the array, or its only one over and over.
fn elements<'a, T: Element>(
    x: &'a Shared<T>,
    shape: &[usize],
    repeated: &'a mut Vec<T>,
) -> Option<&'a [T]> {
    if x.shape() == shape {
        return x.as_slice();
    }
    if x.len() != 1 {
        return None;
    }
    let only = *x.first()?;
    *repeated = vec![only; shape.iter().product()];
    Some(repeated)
}
