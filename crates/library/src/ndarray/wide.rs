//! Elementary functions of whole arrays, by the runtime's wide forms.
//!
//! They give the same bits as the functions of one element, several times faster. What is not contiguous, or needs
//! broadcasting other than of a single number, is left to the loops over elements.

use autojit_runtime::math::wide::{BinaryFunction, UnaryFunction};

use super::kernel::Kernel;
use super::kind;
use super::strided::{View, filled, map};
use autojit_ir::error::{Error, Result};
use autojit_ir::{HostArray, MapOp};

/// The shortest array for which a wide form pays.
const SHORTEST: usize = 4;

/// The wide form with one argument, of the few ops that have one.
fn unary_function(op: MapOp) -> Option<UnaryFunction> {
    Some(match op {
        MapOp::Exp => UnaryFunction::Exp,
        MapOp::Exp2 => UnaryFunction::Exp2,
        MapOp::Expm1 => UnaryFunction::Expm1,
        MapOp::Log => UnaryFunction::Log,
        MapOp::Log1p => UnaryFunction::Log1p,
        MapOp::Log2 => UnaryFunction::Log2,
        MapOp::Log10 => UnaryFunction::Log10,
        MapOp::Sin => UnaryFunction::Sin,
        MapOp::Cos => UnaryFunction::Cos,
        MapOp::Tan => UnaryFunction::Tan,
        MapOp::Arcsin => UnaryFunction::Arcsin,
        MapOp::Arccos => UnaryFunction::Arccos,
        MapOp::Arctan => UnaryFunction::Arctan,
        MapOp::Sinh => UnaryFunction::Sinh,
        MapOp::Cosh => UnaryFunction::Cosh,
        MapOp::Tanh => UnaryFunction::Tanh,
        MapOp::Arcsinh => UnaryFunction::Arcsinh,
        MapOp::Arccosh => UnaryFunction::Arccosh,
        MapOp::Arctanh => UnaryFunction::Arctanh,
        MapOp::Erf => UnaryFunction::Erf,
        MapOp::Cbrt => UnaryFunction::Cbrt,
        _ => return None,
    })
}

/// The wide form with two arguments, of the few ops that have one.
fn binary_function(op: MapOp) -> Option<BinaryFunction> {
    Some(match op {
        MapOp::Power => BinaryFunction::Power,
        MapOp::Arctan2 => BinaryFunction::Arctan2,
        MapOp::Hypot => BinaryFunction::Hypot,
        _ => return None,
    })
}

/// The result of an op on inputs that broadcast to `shape`; `None` if there is no wide form for them.
pub(super) fn run(op: MapOp, inputs: &[&HostArray], shape: &[usize]) -> Option<Result<HostArray>> {
    match *inputs {
        [x] => unary(unary_function(op)?, View::new(x)),
        [x, y] => binary(binary_function(op)?, View::new(x), View::new(y), shape),
        _ => None,
    }
}

fn unary(function: UnaryFunction, x: View<'_>) -> Option<Result<HostArray>> {
    let n = x.size();
    if !x.dtype.is_float() || n < SHORTEST || !x.is_contiguous() {
        return None;
    }
    let run = |out: *mut u8| {
        // SAFETY: `x` is contiguous with `n` elements of this kind, and `out` has room for as many.
        unsafe { function.run(kind(x.dtype)?, x.first, out, n) }.map_err(Error::internal)
    };
    // SAFETY: all results are written.
    Some(unsafe { filled(x.dtype, x.shape, &mut { run }) })
}

fn binary(
    function: BinaryFunction,
    x: View<'_>,
    y: View<'_>,
    shape: &[usize],
) -> Option<Result<HostArray>> {
    let n = shape.iter().product();
    if !x.dtype.is_float() || x.dtype != y.dtype || n < SHORTEST {
        return None;
    }
    let (mut repeated_x, mut repeated_y) = (None, None);
    let x_first = elements(&x, shape, &mut repeated_x)?;
    let y_first = elements(&y, shape, &mut repeated_y)?;
    let run = |out: *mut u8| {
        // SAFETY: both have `n` elements of this kind, and `out` has room for as many.
        unsafe { function.run(kind(x.dtype)?, x_first, y_first, out, n) }.map_err(Error::internal)
    };
    // SAFETY: all results are written.
    Some(unsafe { filled(x.dtype, shape, &mut { run }) })
}

/// Where the elements lie in C order, as many as the shape has: those of the array, or its only one over and over.
fn elements(x: &View<'_>, shape: &[usize], repeated: &mut Option<HostArray>) -> Option<*const u8> {
    if x.shape == shape {
        return x.is_contiguous().then_some(x.first);
    }
    if x.size() != 1 {
        return None;
    }
    let all = map(Kernel::copy(x.dtype), &[*x], shape).ok()?;
    Some(repeated.insert(all).as_ptr())
}
