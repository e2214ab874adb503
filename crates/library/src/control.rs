//! Loops and branches in any library: the graphs inside are run op by op, once for each iteration.

use smallvec::SmallVec;

use autojit_ir::error::{Error, Result};
use autojit_ir::index::Slicing;
use autojit_ir::{
    ArrayType, ControlOp, Dims, HostArray, JoinOp, MapOp, Scalar, Steps, Type, ViewOp,
};

use crate::interrupt::Watch;
use crate::{AnyLibrary, Concrete, Results, apply, run_graph};

/// The results of a loop or a choice.
///
/// # Errors
/// An op inside fails, or a `while_loop` goes on beyond its limit.
pub(crate) fn run(
    library: &'static dyn AnyLibrary,
    op: &ControlOp,
    inputs: &[&Concrete],
    result: &Type,
) -> Result<Results> {
    match op {
        ControlOp::Scan {
            body,
            carry,
            xs,
            length,
            reverse,
        } => {
            let graph = body.graph()?;
            let (carry, xs, length) = (*carry, *xs, *length);
            let stacked = &result.arrays()[carry..];
            let mut carried: Vec<Concrete> = owned(&inputs[..carry]);
            let mut rows: Vec<Vec<Concrete>> = stacked.iter().map(|_| Vec::new()).collect();
            let mut watch = Watch::begin(1);
            for step in 0..length {
                let at = if *reverse { length - 1 - step } else { step };
                let elements = inputs[carry..carry + xs].iter();
                let elements: Vec<Concrete> = elements
                    .map(|x| row(library, x, at))
                    .collect::<Result<_>>()?;
                let arguments = carried.iter().chain(&elements);
                let arguments: SmallVec<[&Concrete; 8]> = arguments
                    .chain(inputs[carry + xs..].iter().copied())
                    .collect();
                let results = run_graph(library, graph, &arguments);
                drop(arguments);
                let mut results = results.map_err(|e| e.in_iteration(step as u64))?;
                for (rows, element) in rows.iter_mut().zip(results.drain(carry..)) {
                    rows.push(element);
                }
                carried = results;
                watch.passed(1, step as u64)?;
            }
            for (mut rows, ty) in rows.into_iter().zip(stacked) {
                if *reverse {
                    rows.reverse();
                }
                carried.push(stack(library, &rows, ty)?);
            }
            Ok(carried.into())
        }
        ControlOp::While {
            condition,
            body,
            carry,
            limit,
        } => {
            let (condition, body) = (condition.graph()?, body.graph()?);
            let mut arguments = owned(inputs);
            let mut watch = Watch::begin(1);
            let mut step: u64 = 0;
            loop {
                let references: SmallVec<[&Concrete; 8]> = arguments.iter().collect();
                let holds = run_graph(library, condition, &references);
                // It belongs to the iteration that it follows.
                let holds = holds.map_err(|e| e.in_iteration(step.saturating_sub(1)))?;
                let holds = holds.first().map(Concrete::to_host).transpose()?;
                if holds.map(|holds| holds.to_scalars()) != Some(vec![Scalar::Bool(true)]) {
                    break;
                }
                if step == *limit {
                    return Err(Error::iteration_limit(*limit));
                }
                let results = run_graph(library, body, &references);
                let results = results.map_err(|e| e.in_iteration(step))?;
                drop(references);
                arguments.splice(..*carry, results);
                watch.passed(1, step)?;
                step += 1;
            }
            arguments.truncate(*carry);
            Ok(arguments.into())
        }
        ControlOp::Switch { branches } => {
            let (index, operands) = inputs
                .split_first()
                .ok_or_else(|| Error::internal("a choice without an index"))?;
            let last = branches.len() as i64 - 1;
            let chosen = match index.to_host()?.to_scalars().as_slice() {
                [Scalar::Bool(second)] => i64::from(*second),
                [Scalar::Int(index)] => (*index).clamp(0, last),
                [Scalar::Uint(_)] => last,
                _ => return Err(Error::internal("an index that is not a number")),
            };
            let graph = branches[chosen as usize].graph()?;
            Ok(run_graph(library, graph, operands)?.into())
        }
    }
}

fn owned(arrays: &[&Concrete]) -> Vec<Concrete> {
    arrays.iter().map(|&array| array.clone()).collect()
}

fn one(mut results: Results) -> Result<Concrete> {
    let lost = || Error::internal("an op gave no result");
    results.pop().ok_or_else(lost)
}

/// An element along the first axis.
fn row(library: &'static dyn AnyLibrary, x: &Concrete, at: usize) -> Result<Concrete> {
    let mut shape = Dims::from_slice(x.shape());
    let mut starts: Dims = shape.iter().map(|_| 0).collect();
    shape[0] = 1;
    starts[0] = at;
    let slicing = Box::new(Slicing {
        steps: Steps::from_elem(1, shape.len()),
        starts,
        sizes: shape.clone(),
    });
    let row = one(apply(library, &ViewOp::Slice { slicing }.into(), &[x])?)?;
    shape.remove(0);
    one(apply(library, &ViewOp::Reshape { shape }.into(), &[&row])?)
}

/// Elements along a new first axis; of none, an array without elements.
fn stack(library: &'static dyn AnyLibrary, rows: &[Concrete], ty: &ArrayType) -> Result<Concrete> {
    if rows.is_empty() {
        let nothing = HostArray::from_scalars(ty, &[]);
        let nothing = nothing.ok_or_else(|| Error::internal("a result of no iterations"))?;
        return library.from_host(nothing);
    }
    let rows: Vec<&Concrete> = rows.iter().collect();
    let stacked = one(apply(library, &JoinOp::Stack { axis: 0 }.into(), &rows)?)?;
    match stacked.dtype() == ty.dtype {
        true => Ok(stacked),
        false => {
            let dtype = ty.dtype;
            one(apply(
                library,
                &MapOp::Astype { dtype }.into(),
                &[&stacked],
            )?)
        }
    }
}
