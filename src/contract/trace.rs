//! A plan as operations on arrays, which run where the arrays are: eagerly, lazily, or in a trace.

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Class, ContractOp, DType, IndexOp, Op};

use super::layout::{Layout, Step};
use crate::array::Repr;
use crate::control::{looped, map};
use crate::numpy as np;
use crate::transform::{stop_gradient, vjp};
use crate::{Array, Operand};

/// The arrays of a slice by their numbers; those that were used are gone.
type Arrays = Vec<Option<Array>>;

fn types(operands: &[Array]) -> Result<Vec<ArrayType>> {
    operands.iter().map(Array::ty).collect()
}

/// The dtype of the operands, which fit the plan.
pub(super) fn checked(layout: &Layout, operands: &[Array]) -> Result<DType> {
    layout.check(&types(operands)?)
}

/// The whole contraction.
pub(super) fn contract(layout: &Layout, operands: &[Array]) -> Result<Array> {
    let dtype = checked(layout, operands)?;
    let result = layout.result(dtype);
    if layout.sliced.is_empty() {
        return steps(layout, operands.iter().cloned().map(Some).collect(), None)?.check();
    }
    if layout.slices() == 0 {
        return zeros(&result, &operands[0]).check();
    }
    let fixed = fixed(layout, operands)?;
    let block = |first: Array| {
        let each = |i: Array, totals| add(totals, slice(layout, &fixed, &(&first + i)), dtype);
        let zero = zeros(&block_type(layout, dtype), &operands[0]);
        let summed = i64::try_from(layout.summed).unwrap_or(i64::MAX);
        let bounds = [0.into(), summed.into()];
        let totals = looped(&bounds, &each, (zero.clone(), zero), layout.location);
        match totals {
            Ok((sum, _)) if !is_compensated(dtype) => sum,
            // An infinite sum has no error: its compensation is NaN.
            Ok((sum, lost)) => np::where_(np::isnan(&lost), &sum, &sum + &lost),
            Err(error) => Array::failed(error),
        }
    };
    if layout.blocks == 1 {
        return block(beside(0, &operands[0])?).check();
    }
    let blocks = np::arange(layout.blocks as i64, like(&operands[0]).dtype(DType::Int64));
    let blocks = map(block, blocks * layout.summed as i64)?;
    let joined: Vec<usize> = layout.outer.iter().chain(&layout.block).copied().collect();
    np::transpose(np::reshape(blocks, joined), layout.order.clone()).check()
}

/// The sum of the slices from `first` on, `count` of them, and what rounding lost of it: two arrays of the shape of one slice. Both
/// numbers are integers without axes.
pub(super) fn sum(
    layout: &Layout,
    operands: &[Array],
    first: &Array,
    count: &Array,
) -> Result<(Array, Array)> {
    let dtype = checked(layout, operands)?;
    let zero = zeros(&block_type(layout, dtype), &operands[0]);
    let zeros = (zero.clone(), zero);
    let bounds = [first.into(), (first + count).into()];
    if layout.gives_gradient {
        let each = |i: Array, totals| {
            let row = value_and_gradient(layout, operands, &i, dtype);
            add(totals, row.unwrap_or_else(Array::failed), dtype)
        };
        return looped(&bounds, &each, zeros, layout.location);
    }
    let fixed = fixed(layout, operands)?;
    let each = |i: Array, totals| add(totals, slice(layout, &fixed, &i), dtype);
    looped(&bounds, &each, zeros, layout.location)
}

/// The value of a slice and its derivatives by the elements of all operands, in one row.
fn value_and_gradient(
    layout: &Layout,
    operands: &[Array],
    number: &Array,
    dtype: DType,
) -> Result<Array> {
    let value = |operands: Vec<Array>| {
        let fixed = fixed(layout, &operands);
        fixed.map_or_else(Array::failed, |fixed| slice(layout, &fixed, number))
    };
    let (value, pullback) = vjp(value, operands.to_vec())?;
    let scalar: [i64; 0] = [];
    let gradient = pullback(np::ones(scalar, like(&operands[0]).dtype(dtype)))?;
    let row = std::iter::once(value).chain(gradient);
    np::concatenate(row.map(|x| np::reshape(x, [-1])), 0).check()
}

/// The sum of no slices.
pub(super) fn nothing(layout: &Layout, operands: &[Array]) -> Result<(Array, Array)> {
    let dtype = checked(layout, operands)?;
    let zero = zeros(&block_type(layout, dtype), &operands[0]).check()?;
    Ok((zero.clone(), zero))
}

fn block_type(layout: &Layout, dtype: DType) -> ArrayType {
    ArrayType {
        dtype,
        shape: layout.block.clone(),
    }
}

fn is_compensated(dtype: DType) -> bool {
    matches!(dtype.class(), Class::Float | Class::Complex)
}

/// Adds a slice as `runtime/src/sum.rs` adds a block. What is lost is exact, so its derivative is zero.
fn add((sum, lost): (Array, Array), x: Array, dtype: DType) -> (Array, Array) {
    if !is_compensated(dtype) {
        return (sum + x, lost);
    }
    let next = &sum + &x;
    let (before, x, after) = (stop_gradient(&sum), stop_gradient(&x), stop_gradient(&next));
    let part = &after - &before;
    let error = (&before - (&after - &part)) + (&x - &part);
    (next, lost + error)
}

/// Operands and all results of steps that are the same in every slice.
fn fixed(layout: &Layout, operands: &[Array]) -> Result<Arrays> {
    let mut arrays: Arrays = operands.iter().cloned().map(Some).collect();
    for step in &layout.steps {
        let result = if step.varies {
            None
        } else {
            Some(apply(layout, step, &inputs(step, &mut arrays)?))
        };
        arrays.push(result);
    }
    Ok(arrays)
}

/// One slice, by its number.
fn slice(layout: &Layout, fixed: &Arrays, number: &Array) -> Array {
    let mut arrays = fixed.clone();
    let indices: Vec<Array> = (0..layout.sliced.len())
        .map(|at| index(layout, at, number))
        .collect();
    for (array, axes) in arrays.iter_mut().zip(&layout.axes) {
        for &(axis, label) in axes {
            if let Some(array) = array {
                let inputs = [(&*array).into(), (&indices[label]).into()];
                let op = Op::Index(IndexOp::Take { axis });
                *array = Array::apply_at(op, &inputs, layout.location);
            }
        }
    }
    steps(layout, arrays, Some(true)).unwrap_or_else(Array::failed)
}

/// The index of a sliced label in a slice.
fn index(layout: &Layout, at: usize, number: &Array) -> Array {
    let sliced = &layout.sliced[at];
    let mut index = number.clone();
    if sliced.stride > 1 {
        index = np::floor_divide(index, sliced.stride as i64);
    }
    if at > 0 {
        index = np::remainder(index, sliced.length as i64);
    }
    index
}

/// Runs the steps, all of them or those that vary, and gives the last result.
fn steps(layout: &Layout, mut arrays: Arrays, varies: Option<bool>) -> Result<Array> {
    let count = layout.shapes.len();
    arrays.resize(count + layout.steps.len(), None);
    for (i, step) in layout.steps.iter().enumerate() {
        if varies.is_none_or(|varies| step.varies == varies) {
            arrays[count + i] = Some(apply(layout, step, &inputs(step, &mut arrays)?));
        }
    }
    let last = arrays.pop().flatten();
    last.ok_or_else(|| Error::internal("a plan without a result"))
}

/// Takes the inputs of a step, which nothing else needs.
fn inputs(step: &Step, arrays: &mut Arrays) -> Result<Vec<Array>> {
    let taken = step.inputs.iter().map(|&input| {
        let array = arrays.get_mut(input).and_then(Option::take);
        array.ok_or_else(|| Error::internal("a step of a plan without its operand"))
    });
    taken.collect()
}

fn apply(layout: &Layout, step: &Step, inputs: &[Array]) -> Array {
    let inputs: Vec<Operand> = inputs.iter().map(Operand::from).collect();
    let subscripts = step.subscripts.clone();
    let op = Op::Contract(ContractOp::Einsum { subscripts });
    Array::apply_at(op, &inputs, layout.location)
}

/// Where an operand with values is; in a trace constants go where its arguments are.
fn like(operand: &Array) -> np::options::Creation {
    match &operand.0 {
        Repr::Concrete(_) => np::like(operand),
        Repr::Lazy(_) | Repr::Traced(_) | Repr::Failed(_) => np::options::Creation::default(),
    }
}

fn zeros(ty: &ArrayType, operand: &Array) -> Array {
    np::zeros(ty.shape.as_slice(), like(operand).dtype(ty.dtype))
}

/// A number as an array of the library of an operand.
pub(super) fn beside(number: u64, operand: &Array) -> Result<Array> {
    let shape: [i64; 0] = [];
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    np::full(shape, number, like(operand).dtype(DType::Int64)).check()
}
