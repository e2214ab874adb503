//! The meaning of loops and branches: the graphs inside, evaluated one iteration after the other.

use super::Tensor;
use crate::body::{Bodies, Body};
use crate::error::{Error, Result};
use crate::host::HostArray;
use crate::scalar::Scalar;
use crate::types::{ArrayType, Type};

/// Carried values go from one iteration to the next; elements are taken from `xs` and put into the stacked results.
pub(crate) fn scan_loop(
    body: &Body,
    carry: &usize,
    xs: &usize,
    length: &usize,
    reverse: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let graph = body.graph()?;
    let (carry, xs, length) = (*carry, *xs, *length);
    let mut carried = hosts(&inputs[..carry])?;
    let invariants = hosts(&inputs[carry + xs..])?;
    let stacked_types = &result.arrays()[carry..];
    let mut rows: Vec<Vec<HostArray>> = Vec::new();
    for _ in stacked_types {
        rows.push(HostArray::list_of(length)?);
    }
    for step in 0..length {
        let at = if *reverse { length - 1 - step } else { step };
        let mut arguments = carried;
        for x in &inputs[carry..carry + xs] {
            arguments.push(row(x, at)?);
        }
        arguments.extend(invariants.iter().cloned());
        let results = graph.evaluate(&arguments);
        let mut results = results.map_err(|e| e.in_iteration(step as u64))?;
        for (rows, element) in rows.iter_mut().zip(results.drain(carry..)) {
            rows.push(element);
        }
        carried = results;
    }
    let mut all: Vec<Tensor> = carried.iter().map(Tensor::from).collect();
    for (rows, ty) in rows.iter_mut().zip(stacked_types) {
        if *reverse {
            rows.reverse();
        }
        let elements = rows.iter().flat_map(HostArray::to_scalars);
        all.push(Tensor::new(ty.clone(), elements)?);
    }
    Ok(all)
}

/// The body as long as the condition holds.
pub(crate) fn while_loop(
    condition: &Body,
    body: &Body,
    carry: &usize,
    limit: &u64,
    inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    let (condition, body) = (condition.graph()?, body.graph()?);
    let mut arguments = hosts(inputs)?;
    let mut step: u64 = 0;
    loop {
        let holds = condition.evaluate(&arguments);
        // It belongs to the iteration that it follows.
        let holds = holds.map_err(|e| e.in_iteration(step.saturating_sub(1)))?;
        if holds.first().map(HostArray::to_scalars) != Some(vec![Scalar::Bool(true)]) {
            break;
        }
        if step == *limit {
            return Err(Error::iteration_limit(*limit));
        }
        let carried = body.evaluate(&arguments);
        let carried = carried.map_err(|e| e.in_iteration(step))?;
        arguments.splice(..*carry, carried);
        step += 1;
    }
    Ok(arguments[..*carry].iter().map(Tensor::from).collect())
}

/// One branch; an index out of range is that of the nearest one.
pub(crate) fn switch(branches: &Bodies, inputs: &[Tensor], _result: &Type) -> Result<Vec<Tensor>> {
    let last = branches.len() as i64 - 1;
    let chosen = match inputs[0].data()[0] {
        Scalar::Bool(second) => i64::from(second),
        Scalar::Int(index) => index.clamp(0, last),
        Scalar::Uint(_) => last,
        other => return Err(Error::internal(format!("{other} is not an index"))),
    };
    let results = branches[chosen as usize]
        .graph()?
        .evaluate(&hosts(&inputs[1..])?)?;
    Ok(results.iter().map(Tensor::from).collect())
}

fn hosts(tensors: &[Tensor]) -> Result<Vec<HostArray>> {
    tensors.iter().map(Tensor::to_host).collect()
}

/// One element along the first axis.
fn row(x: &Tensor, at: usize) -> Result<HostArray> {
    let ty = ArrayType {
        dtype: x.ty().dtype,
        shape: x.ty().shape[1..].into(),
    };
    let size = ty.size();
    let data = x.data()[at * size..(at + 1) * size].iter().copied();
    Tensor::new(ty, data)?.to_host()
}
