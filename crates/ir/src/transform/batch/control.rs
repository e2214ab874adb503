//! Batching of loops and branches.
//!
//! A loop runs its body on all examples at once, with a batch axis along what differs between them in some iteration. A
//! `while_loop` goes on as long as the condition holds for one example; what is carried for those that have ended stays as it
//! is, though the body is computed for them too. Where examples choose different branches, all branches are computed, and each
//! example takes what its own one gives.

use smallvec::SmallVec;

use super::{Batcher, Item, Mapped, batch};
use crate::body::{Bodies, Body};
use crate::error::{Error, Result};
use crate::types::{DType, Dims};
use crate::{ControlOp, Graph, MapOp, Op, ReduceOp, ValueId, ViewOp};

/// The results of a loop or a choice of which an input is batched.
pub(super) fn control(b: &mut Batcher, op: &ControlOp, x: &[Item]) -> Result<Mapped> {
    match op {
        ControlOp::Scan {
            body,
            carry,
            xs,
            length,
            reverse,
        } => {
            let looped = Loop::new(body.graph()?, *carry, b.size, flags(x))?;
            let mut inputs = Vec::with_capacity(x.len());
            for (i, &item) in x.iter().enumerate() {
                let value = looped.input(b, i, item)?;
                let is_x = (*carry..carry + xs).contains(&i);
                inputs.push(if is_x && item.batched {
                    swapped(b, value)?
                } else {
                    value
                });
            }
            let op = ControlOp::Scan {
                body: Body::new(looped.body)?,
                carry: *carry,
                xs: *xs,
                length: *length,
                reverse: *reverse,
            };
            let tuple = b.push(op, &inputs)?;
            let mut parts = SmallVec::new();
            for (index, &batched) in looped.outputs.iter().enumerate() {
                let mut value = b.push(Op::Get { index }, &[tuple])?;
                if batched && index >= *carry {
                    value = swapped(b, value)?;
                }
                parts.push(Item { value, batched });
            }
            Ok(Mapped::Parts(parts))
        }
        ControlOp::While {
            condition,
            body,
            carry,
            limit,
        } => repeated(b, condition.graph()?, body.graph()?, *carry, *limit, x),
        ControlOp::Switch { branches } => switch(b, branches, x),
    }
}

fn flags(x: &[Item]) -> Vec<bool> {
    x.iter().map(|item| item.batched).collect()
}

/// The axis of the examples behind that of the iterations, or the other way round.
fn swapped(b: &mut Batcher, value: ValueId) -> Result<ValueId> {
    let ndim = b.graph.ty(value)?.ndim();
    b.transpose(value, [1, 0].into_iter().chain(2..ndim).collect())
}

/// The batched body of a loop.
struct Loop {
    body: Graph,
    /// Which inputs of the body are batched, and which results: of what is carried the same ones.
    inputs: Vec<bool>,
    outputs: Vec<bool>,
}

impl Loop {
    /// A carried value is batched if it is in one of the iterations.
    fn new(graph: &Graph, carry: usize, size: usize, mut inputs: Vec<bool>) -> Result<Self> {
        loop {
            let (mut body, mut outputs) = batch(graph, &inputs, size)?;
            let before = inputs.clone();
            for i in 0..carry {
                inputs[i] |= outputs[i];
            }
            if inputs != before {
                continue;
            }
            let mut results = body.outputs().to_vec();
            for i in 0..carry {
                if inputs[i] && !outputs[i] {
                    results[i] = repeat(&mut body, results[i], size)?;
                    outputs[i] = true;
                }
            }
            body.set_outputs(results);
            return Ok(Self {
                body,
                inputs,
                outputs,
            });
        }
    }

    /// An input of the loop, which may be batched in later iterations alone.
    fn input(&self, b: &mut Batcher, i: usize, item: Item) -> Result<ValueId> {
        match self.inputs[i] {
            true => b.batched(item),
            false => Ok(item.value),
        }
    }
}

/// The value along a batch axis.
fn repeat(graph: &mut Graph, value: ValueId, size: usize) -> Result<ValueId> {
    let mut shape = graph.ty(value)?.shape.clone();
    shape.insert(0, size);
    graph.push(ViewOp::BroadcastTo { shape }.into(), &[value], None)
}

/// Elements of `x` for the examples for which a flag is set, else those of `y`.
fn select(graph: &mut Graph, flag: ValueId, x: ValueId, y: ValueId) -> Result<ValueId> {
    let ndim = graph.ty(x)?.ndim();
    let mut shape: Dims = graph.ty(flag)?.shape.clone();
    shape.resize(ndim, 1);
    let flag = graph.push(ViewOp::Reshape { shape }.into(), &[flag], None)?;
    graph.push(MapOp::Where.into(), &[flag, x, y], None)
}

fn repeated(
    b: &mut Batcher,
    condition: &Graph,
    body: &Graph,
    carry: usize,
    limit: u64,
    x: &[Item],
) -> Result<Mapped> {
    let looped = Loop::new(body, carry, b.size, flags(x))?;
    let (_, ends_apart) = batch(condition, &looped.inputs, b.size)?;
    let looped = match ends_apart.as_slice() {
        [true] => {
            // What ends earlier for one example than for another differs between them.
            let mut inputs = looped.inputs;
            inputs[..carry].fill(true);
            Loop::new(body, carry, b.size, inputs)?
        }
        _ => looped,
    };
    let (test, ends_apart) = batch(condition, &looped.inputs, b.size)?;
    let mut inputs = Vec::with_capacity(x.len());
    for (i, &item) in x.iter().enumerate() {
        inputs.push(looped.input(b, i, item)?);
    }
    if ends_apart != [true] {
        let op = ControlOp::While {
            condition: Body::new(test)?,
            body: Body::new(looped.body)?,
            carry,
            limit,
        };
        let tuple = b.push(op, &inputs)?;
        return parts(b, tuple, &looped.outputs);
    }
    // Which examples go on is carried behind the rest.
    let goes_on = b.graph.inline(&test, &inputs, b.location)?;
    let invariants = inputs.split_off(carry);
    inputs.extend(goes_on);
    inputs.extend(invariants);

    let (mut any, mut new) = (Graph::new(), Graph::new());
    let mut values = Vec::with_capacity(inputs.len());
    for &input in &inputs {
        let ty = b.graph.ty(input)?.clone();
        any.add_input(ty.clone());
        values.push(new.add_input(ty));
    }
    let reduce = ReduceOp::Any {
        axes: Dims::from_slice(&[0]),
        keepdims: false,
    };
    let holds = any.push(reduce.into(), &[ValueId(carry as u32)], b.location)?;
    any.set_outputs(vec![holds]);

    let flag = values.remove(carry);
    let mut results = new.inline(&looped.body, &values, b.location)?;
    for (result, before) in results.iter_mut().zip(&values) {
        *result = select(&mut new, flag, *result, *before)?;
    }
    let mut after = results.clone();
    after.extend_from_slice(&values[carry..]);
    results.extend(new.inline(&test, &after, b.location)?);
    new.set_outputs(results);
    let op = ControlOp::While {
        condition: Body::new(any)?,
        body: Body::new(new)?,
        carry: carry + 1,
        limit,
    };
    let tuple = b.push(op, &inputs)?;
    parts(b, tuple, &looped.outputs)
}

fn parts(b: &mut Batcher, tuple: ValueId, batched: &[bool]) -> Result<Mapped> {
    let parts = batched.iter().enumerate().map(|(index, &batched)| {
        let value = b.push(Op::Get { index }, &[tuple])?;
        Ok(Item { value, batched })
    });
    Ok(Mapped::Parts(parts.collect::<Result<_>>()?))
}

fn switch(b: &mut Batcher, branches: &Bodies, x: &[Item]) -> Result<Mapped> {
    let Some((index, operands)) = x.split_first() else {
        return Err(Error::internal("a choice without an index"));
    };
    if index.batched {
        return choice(b, branches, *index, operands);
    }
    let flags = flags(operands);
    let mut batches = Vec::with_capacity(branches.len());
    let mut depends: Vec<bool> = Vec::new();
    for branch in branches {
        let (graph, outputs) = batch(branch.graph()?, &flags, b.size)?;
        depends.resize(outputs.len(), false);
        depends.iter_mut().zip(&outputs).for_each(|(x, y)| *x |= *y);
        batches.push((graph, outputs));
    }
    let same = batches.into_iter().map(|(mut graph, outputs)| {
        let mut results = graph.outputs().to_vec();
        for (i, result) in results.iter_mut().enumerate() {
            if depends[i] && !outputs[i] {
                *result = repeat(&mut graph, *result, b.size)?;
            }
        }
        graph.set_outputs(results);
        Body::new(graph)
    });
    let branches = same.collect::<Result<Bodies>>()?;
    let values: SmallVec<[ValueId; 4]> = x.iter().map(|item| item.value).collect();
    let tuple = b.push(ControlOp::Switch { branches }, &values)?;
    parts(b, tuple, &depends)
}

/// All branches, of which each example takes one.
fn choice(b: &mut Batcher, branches: &Bodies, index: Item, operands: &[Item]) -> Result<Mapped> {
    let is_bool = b.example(index)?.dtype == DType::Bool;
    let mut chosen: Vec<ValueId> = Vec::new();
    for (number, branch) in branches.iter().enumerate() {
        let results = b.inline(branch.graph()?, operands)?;
        if number == 0 {
            // An index below all others is that of the first one.
            for item in results {
                chosen.push(b.batched(item)?);
            }
            continue;
        }
        let flag = if is_bool {
            index.value
        } else {
            let number = b.graph.add_literal(number as i64, DType::Int64);
            b.push(MapOp::GreaterEqual, &[index.value, number])?
        };
        for (chosen, item) in chosen.iter_mut().zip(results) {
            let value = b.batched(item)?;
            *chosen = select(&mut b.graph, flag, value, *chosen)?;
        }
    }
    let item = |value| Item {
        value,
        batched: true,
    };
    Ok(Mapped::Parts(chosen.into_iter().map(item).collect()))
}
