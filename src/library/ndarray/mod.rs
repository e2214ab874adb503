//! The ndarray library: arrays in main memory, computed with at once.
//!
//! Arrays are reference counted, so transposes, slices and most reshapes are views. What is heavy (products of
//! matrices, decompositions) or delicate (elementary functions, pairwise sums) is the runtime's, shared with
//! compiled code; here it is given shapes and strides.
//!
//! Refuses: nothing of its own. Inputs come with the dtypes of the op's signature and shapes that fit; an op that
//! is not spelled in [`Ndarray::spell`] is expanded by the caller.

mod bits;
mod cast;
mod contract;
mod elementwise;
mod linalg;
mod number;
mod order;
mod reduce;
mod shape;
mod strided;
#[cfg(test)]
mod tests;
mod wide;

use elementwise::{
    binary, binary_all, binary_bool, binary_floating, binary_numbers, unary, unary_floating,
    unary_numbers, unexpected,
};
use number::{Basic, Floating, Number};
use strided::{map1, map2};

use smallvec::SmallVec;

use super::runtime::RuntimeCall;
use super::{AnyLibrary, Concrete, Results};
use crate::error::{Error, Result};
use crate::ir::{ArrayType, HostArray, Op, Type, dispatch_host};

/// The library.
pub(super) struct Ndarray;

impl AnyLibrary for Ndarray {
    fn name(&self) -> &'static str {
        "ndarray"
    }

    fn spell(
        &'static self,
        op: &Op,
        inputs: &[&Concrete],
        result: &Type,
    ) -> Result<Option<Results>> {
        if !is_view(op) {
            result
                .arrays()
                .iter()
                .try_for_each(HostArray::check_memory)?;
        }
        if op.is_elementwise() {
            let spelled = spell_elementwise(op, inputs, &result.array()?.shape)?;
            return Ok(spelled.map(one));
        }
        let x = || host(inputs, 0);
        let y = || host(inputs, 1);
        let array = match op {
            Op::Astype { dtype } => cast::astype(x()?, *dtype)?,

            Op::Sum { axes, .. } => reduce::sum(x()?, axes, &result.array()?.shape)?,
            Op::Prod { axes, .. } => reduce::prod(x()?, axes, &result.array()?.shape)?,
            Op::Max { axes, .. } => reduce::max(x()?, axes, &result.array()?.shape)?,
            Op::Min { axes, .. } => reduce::min(x()?, axes, &result.array()?.shape)?,
            Op::Any { axes, .. } => reduce::any(x()?, axes, &result.array()?.shape)?,
            Op::All { axes, .. } => reduce::all(x()?, axes, &result.array()?.shape)?,
            Op::Argmax { axis, .. } => {
                reduce::arg_extremum(x()?, *axis, true, &result.array()?.shape)?
            }
            Op::Argmin { axis, .. } => {
                reduce::arg_extremum(x()?, *axis, false, &result.array()?.shape)?
            }

            Op::Cumsum { axis } => order::scan(x()?, *axis, false)?,
            Op::Cumprod { axis } => order::scan(x()?, *axis, true)?,
            Op::Sort { axis } => order::sort(x()?, *axis)?,
            Op::Argsort { axis } => order::argsort(x()?, *axis)?,

            Op::Matmul => contract::matmul(x()?, y()?, &result.array()?.shape)?,
            Op::Tensordot { x_axes, y_axes } => {
                contract::tensordot(x()?, y()?, x_axes, y_axes, &result.array()?.shape)?
            }

            Op::Reshape { shape } => shape::reshape(x()?, shape)?,
            Op::Transpose { perm } => shape::transpose(x()?, perm),
            Op::BroadcastTo { shape } => shape::broadcast_to(x()?, shape)?,
            Op::Slice { slicing } => shape::slice(x()?, slicing),
            Op::Getitem { key } if inputs.len() == 1 => shape::getitem(x()?, key)?,
            Op::WrapIndex { axis, size } => shape::wrap_index(x()?, *axis, *size)?,
            Op::Take { axis } => shape::take(x()?, y()?, *axis, &result.array()?.shape)?,
            Op::Concatenate { axis } | Op::Stack { axis } => {
                let arrays = (0..inputs.len()).map(|i| host(inputs, i));
                let arrays = arrays.collect::<Result<Vec<_>>>()?;
                shape::join(&arrays, *axis, &result.array()?.shape)?
            }

            op => return spell_call(op, inputs, result),
        };
        Ok(Some(one(array)))
    }

    fn from_host_on(&'static self, array: HostArray, device: Option<&str>) -> Result<Concrete> {
        match device {
            None | Some("cpu") => Ok(Concrete::Ndarray(array)),
            Some(device) => Err(Error::value(format!(
                "the library ndarray has no device {device}, only cpu"
            ))),
        }
    }

    fn to_host(&self, array: &Concrete) -> Result<HostArray> {
        array.to_host()
    }

    fn device(&self, _array: &Concrete) -> String {
        "cpu".into()
    }

    fn round_trips(&self) -> bool {
        true
    }

    fn array_type_id(&self) -> std::any::TypeId {
        std::any::TypeId::of::<HostArray>()
    }

    fn type_of(&self, value: &dyn std::any::Any) -> Option<ArrayType> {
        value.downcast_ref().map(HostArray::ty)
    }
}

/// Whether the result shares the memory of the input, or needs no more than that.
fn is_view(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape { .. } | Op::Transpose { .. } | Op::Slice { .. }
    )
}

/// The results of an op with one result.
fn one(array: HostArray) -> Results {
    Results::from_buf([Concrete::Ndarray(array)])
}

/// One input.
fn host<'a>(inputs: &[&'a Concrete], index: usize) -> Result<&'a HostArray> {
    match inputs.get(index) {
        Some(Concrete::Ndarray(array)) => Ok(array),
        Some(Concrete::Foreign(array)) => Err(super::mixed(&Ndarray, array.library())),
        None => Err(Error::internal(format!("input {index} is missing"))),
    }
}

/// The ops that are one call of the runtime.
fn spell_call(op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>> {
    let types: SmallVec<[ArrayType; 2]> = inputs.iter().map(|x| x.ty()).collect();
    let types: SmallVec<[&ArrayType; 2]> = types.iter().collect();
    let Some(call) = RuntimeCall::plan(op, &types, result) else {
        return Ok(None);
    };
    let arrays = (0..inputs.len()).map(|i| host(inputs, i));
    let arrays = arrays.collect::<Result<SmallVec<[&HostArray; 2]>>>()?;
    linalg::run(&call, &arrays, result).map(Some)
}

/// The elementwise ops; `shape` is the shape to which the inputs broadcast.
fn spell_elementwise(op: &Op, inputs: &[&Concrete], shape: &[usize]) -> Result<Option<HostArray>> {
    let x = host(inputs, 0)?;
    let y = || host(inputs, 1);
    let array = match op {
        Op::Add => binary_all!(x, y()?, shape, Basic::add),
        Op::Subtract => binary_numbers!(x, y()?, shape, Number::subtract),
        Op::Multiply => binary_all!(x, y()?, shape, Basic::multiply),
        Op::Divide => binary_floating!(x, y()?, shape, Floating::divide),
        Op::FloorDivide => elementwise::floor_divide(x, y()?, shape),
        Op::Remainder => elementwise::remainder(x, y()?, shape),
        Op::Maximum => binary_all!(x, y()?, shape, Basic::maximum),
        Op::Minimum => binary_all!(x, y()?, shape, Basic::minimum),
        Op::Equal => binary_all!(x, y()?, shape, Basic::equal),
        Op::NotEqual => binary_all!(x, y()?, shape, Basic::not_equal),
        Op::Less => binary_all!(x, y()?, shape, Basic::less),
        Op::LessEqual => binary_all!(x, y()?, shape, Basic::less_equal),
        Op::Greater => binary_all!(x, y()?, shape, Basic::greater),
        Op::GreaterEqual => binary_all!(x, y()?, shape, Basic::greater_equal),
        Op::LogicalAnd => binary_bool!(x, y()?, shape, Basic::multiply),
        Op::LogicalOr => binary_bool!(x, y()?, shape, Basic::add),
        Op::LogicalXor => binary_bool!(x, y()?, shape, Basic::not_equal),
        Op::Where => elementwise::select(x, y()?, host(inputs, 2)?, shape),

        Op::Negative => unary_numbers!(x, Number::negative),
        Op::Absolute => dispatch_host!(x, x => map1(x, Basic::absolute)),
        Op::Square => dispatch_host!(x, x => map1(x, Basic::square)),
        Op::Sign => unary_numbers!(x, Number::sign),
        Op::Reciprocal => return elementwise::reciprocal(x),
        Op::Sqrt => unary_floating!(x, Floating::sqrt),
        Op::Conj => elementwise::conj(x),
        Op::Real => elementwise::real(x),
        Op::Imag => dispatch_host!(x, x => map1(x, Basic::imag)),
        Op::LogicalNot => unary!(x, std::ops::Not::not, [Bool]),
        Op::IsNan => elementwise::isnan(x),
        _ => {
            let spelled = match inputs.len() {
                1 => wide::spell(op, &[x], shape)
                    .or_else(|| spell_elementary(op, x))
                    .or_else(|| bits::spell_unary(op, x)),
                _ => {
                    let y = y()?;
                    wide::spell(op, &[x, y], shape).or_else(|| match op {
                        Op::Power => Some(elementwise::power(x, y, shape)),
                        Op::Arctan2 => Some(elementwise::arctan2(x, y, shape)),
                        _ => bits::spell_binary(op, x, y, shape),
                    })
                }
            };
            return spelled.transpose();
        }
    };
    array.map(Some)
}

/// Elementary functions, element by element.
fn spell_elementary(op: &Op, x: &HostArray) -> Option<Result<HostArray>> {
    Some(match op {
        Op::Exp => unary_floating!(x, Floating::exp),
        Op::Exp2 => unary_floating!(x, Floating::exp2),
        Op::Expm1 => unary_floating!(x, Floating::expm1),
        Op::Log => unary_floating!(x, Floating::log),
        Op::Log2 => unary_floating!(x, Floating::log2),
        Op::Log10 => unary_floating!(x, Floating::log10),
        Op::Log1p => unary_floating!(x, Floating::log1p),
        Op::Sin => unary_floating!(x, Floating::sin),
        Op::Cos => unary_floating!(x, Floating::cos),
        Op::Tan => unary_floating!(x, Floating::tan),
        Op::Arcsin => unary_floating!(x, Floating::arcsin),
        Op::Arccos => unary_floating!(x, Floating::arccos),
        Op::Arctan => unary_floating!(x, Floating::arctan),
        Op::Sinh => unary_floating!(x, Floating::sinh),
        Op::Cosh => unary_floating!(x, Floating::cosh),
        Op::Tanh => unary_floating!(x, Floating::tanh),
        _ => return None,
    })
}
