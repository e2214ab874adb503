//! The ndarray library: arrays in main memory, computed with at once.
//!
//! Arrays are reference counted, so transposes, slices and most reshapes are views. What is heavy (products of
//! matrices, decompositions) or delicate (elementary functions, the order of sums) is the runtime's, shared with
//! compiled code; here it is given shapes and strides.
//!
//! Refuses: nothing of its own. Inputs come with the dtypes of the op's signature and shapes that fit; an op that
//! is not implemented in [`Ndarray::run`] is expanded by the caller.

mod bits;
mod cast;
mod contract;
mod elementwise;
mod fold;
mod kernel;
mod linalg;
mod number;
mod order;
mod primitives;
mod random;
mod reduce;
mod scatter;
mod shape;
mod strided;
mod sum;
#[cfg(test)]
mod tests;
mod wide;

use smallvec::SmallVec;

use super::runtime::{RuntimeCall, kind};
use super::{AnyLibrary, Concrete, Results};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, ContractOp, HostArray, IndexOp, JoinOp, MapOp, Op, ReduceOp, ScanOp, SortOp, Type,
    ViewOp,
};

/// Inputs whose dtypes inference should have refused.
fn unexpected(x: &HostArray) -> Error {
    Error::internal(format!("an op met {}", x.ty()))
}

/// The library.
pub(super) struct Ndarray;

impl AnyLibrary for Ndarray {
    fn name(&self) -> &'static str {
        "ndarray"
    }

    fn run(&'static self, op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>> {
        if !is_view(op, inputs) {
            result
                .arrays()
                .iter()
                .try_for_each(HostArray::check_memory)?;
        }
        if let Op::Map(map) = op
            && map.is_elementwise()
        {
            let arrays = (0..inputs.len()).map(|i| host(inputs, i));
            let arrays = arrays.collect::<Result<SmallVec<[&HostArray; 3]>>>()?;
            let result = result.array()?;
            return match elementwise::run(*map, &arrays, &result.shape)? {
                None if !map.has_expansion() => {
                    Ok(Some(one(primitives::run(*map, &arrays, result)?)))
                }
                array => Ok(array.map(one)),
            };
        }
        let x = || host(inputs, 0);
        let y = || host(inputs, 1);
        let array = match op {
            Op::Map(MapOp::Astype { dtype }) => cast::astype(x()?, *dtype)?,

            Op::Reduce(ReduceOp::Sum { axes, .. }) => {
                reduce::reduce(fold::sum, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Prod { axes, .. }) => {
                reduce::reduce(fold::prod, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Max { axes, .. }) => {
                reduce::reduce(fold::max, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Min { axes, .. }) => {
                reduce::reduce(fold::min, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Any { axes, .. }) => {
                reduce::reduce(fold::any, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::All { axes, .. }) => {
                reduce::reduce(fold::all, x()?, axes, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Argmax { axis, .. }) => {
                reduce::arg_extremum(x()?, *axis, true, &result.array()?.shape)?
            }
            Op::Reduce(ReduceOp::Argmin { axis, .. }) => {
                reduce::arg_extremum(x()?, *axis, false, &result.array()?.shape)?
            }

            Op::Scan(ScanOp::Cumsum { axis }) => order::scan(x()?, *axis, false)?,
            Op::Scan(ScanOp::Cumprod { axis }) => order::scan(x()?, *axis, true)?,
            Op::Sort(SortOp::Sort { axis }) => order::sort(x()?, *axis)?,
            Op::Sort(SortOp::Argsort { axis }) => order::argsort(x()?, *axis)?,

            Op::Contract(ContractOp::Matmul) => {
                contract::matmul(x()?, y()?, &result.array()?.shape)?
            }
            Op::Contract(ContractOp::Tensordot { x_axes, y_axes }) => {
                contract::tensordot(x()?, y()?, x_axes, y_axes, &result.array()?.shape)?
            }

            Op::View(ViewOp::Reshape { shape }) => shape::reshape(x()?, shape)?,
            Op::View(ViewOp::Transpose { perm }) => strided::transpose(x()?, perm),
            Op::View(ViewOp::BroadcastTo { shape }) => shape::broadcast_to(x()?, shape)?,
            Op::View(ViewOp::Slice { slicing }) => shape::slice(x()?, slicing),
            Op::Index(IndexOp::Getitem { key }) if inputs.len() == 1 => shape::getitem(x()?, key)?,
            Op::Map(MapOp::WrapIndex { axis, size, .. }) => shape::wrap_index(x()?, *axis, *size)?,
            Op::Index(IndexOp::Take { axis }) => {
                shape::take(x()?, y()?, *axis, &result.array()?.shape)?
            }
            Op::Index(IndexOp::ScatterFlat { mode }) => {
                scatter::scatter(x()?, y()?, host(inputs, 2)?, *mode)?
            }
            Op::Index(IndexOp::Scatter { key, mode }) if inputs.len() == 2 => {
                let values = match scatter::combining(*mode) {
                    None => y()?.clone(),
                    Some(op) => {
                        let part = shape::getitem(x()?, key)?;
                        let ty = part.ty();
                        let part = Concrete::Ndarray(part);
                        let combined = self.run(&Op::Map(op), &[&part, inputs[1]], &ty.into())?;
                        let mut combined = combined.into_iter().flatten();
                        match combined.next() {
                            Some(Concrete::Ndarray(values)) => values,
                            _ => {
                                return Err(Error::internal(format!(
                                    "{} gave no array",
                                    op.name()
                                )));
                            }
                        }
                    }
                };
                scatter::update(x()?, &values, key)?
            }
            Op::Join(JoinOp::Concatenate { axis } | JoinOp::Stack { axis }) => {
                let arrays = (0..inputs.len()).map(|i| host(inputs, i));
                let arrays = arrays.collect::<Result<Vec<_>>>()?;
                shape::join(&arrays, *axis, &result.array()?.shape)?
            }

            Op::Random {
                draw,
                distribution,
                ty,
            } => random::random(draw, *distribution, ty)?,

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
fn is_view(op: &Op, inputs: &[&Concrete]) -> bool {
    match op {
        Op::View(ViewOp::Transpose { .. } | ViewOp::Slice { .. }) => true,
        Op::View(ViewOp::Reshape { .. }) => host(inputs, 0).is_ok_and(HostArray::is_contiguous),
        Op::Index(IndexOp::Getitem { .. }) => inputs.len() == 1,
        _ => false,
    }
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
