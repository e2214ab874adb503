//! Registered functions of many examples: calls that `vmap` makes of a call that was written down.
//!
//! Invariant: a call inside of several batches is one of a single batch, of all examples of all of them.

use std::sync::Arc;

use super::call::Call;
use super::opaque::opaque;
use super::{Arguments, checked, find, results};
use crate::{Array, Value};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Dims, HostArray, JoinOp, Op, OpaqueFunction, Type, ViewOp};
use autojit_library::{self as library, AnyLibrary, Concrete, Results};

/// The function that gives the results of a batch: of arguments, and for each array among them whether it has the examples along its first
/// axis.
pub(crate) type OfBatch = Arc<dyn Fn(&Arguments, &[bool]) -> Result<Value> + Send + Sync>;

/// How a registered function is called with many examples.
#[derive(Clone)]
pub(crate) enum BatchRule {
    /// By another function, which takes all of them.
    Together(OfBatch),
    /// One after the other.
    Loop,
}

/// A batch: which arrays have its examples along an axis, and how many there are.
#[derive(Clone)]
struct Level {
    flags: Vec<bool>,
    size: usize,
}

/// A call inside of batches, of which the outermost is the first.
struct Batched {
    call: Arc<Call>,
    rule: BatchRule,
    levels: Vec<Level>,
}

/// The function of a call, which has a rule for batches.
pub(super) fn with_batches(call: Arc<Call>, rule: BatchRule) -> OpaqueFunction {
    function(Batched {
        call,
        rule,
        levels: Vec::new(),
    })
}

fn function(batched: Batched) -> OpaqueFunction {
    let batched = Arc::new(batched);
    let (typed, inner) = (Arc::clone(&batched), Arc::clone(&batched));
    let further = move |flags: &[bool], size| {
        let mut levels = vec![Level {
            flags: flags.to_vec(),
            size,
        }];
        levels.extend_from_slice(&inner.levels);
        let (call, rule) = (Arc::clone(&inner.call), inner.rule.clone());
        Ok(function(Batched { call, rule, levels }))
    };
    opaque(
        batched.call.name,
        move |inputs| typed.types(inputs),
        move |library, inputs| batched.run(library, inputs),
        Some(Box::new(further)),
    )
}

impl Batched {
    /// The number of examples of each level.
    fn sizes(&self) -> Vec<usize> {
        self.levels.iter().map(|level| level.size).collect()
    }

    /// The types of the results of one example.
    fn example(&self, inputs: &[ArrayType]) -> Result<Type> {
        let mut examples = inputs.to_vec();
        for level in &self.levels {
            for (ty, _) in examples.iter_mut().zip(&level.flags).filter(|(_, f)| **f) {
                if ty.shape.first() != Some(&level.size) {
                    return Err(Error::internal(format!(
                        "expected {} examples, got {ty}",
                        level.size
                    )));
                }
                ty.shape.remove(0);
            }
        }
        self.call.types(&examples)
    }

    fn types(&self, inputs: &[ArrayType]) -> Result<Type> {
        let example = self.example(inputs)?;
        let sizes = self.sizes();
        let batched = |ty: &ArrayType| {
            let shape = sizes.iter().chain(&ty.shape).copied().collect();
            let dtype = ty.dtype;
            ArrayType { dtype, shape }
        };
        Ok(match &example {
            Type::Array(ty) => batched(ty).into(),
            Type::Tuple(types) => Type::Tuple(types.iter().map(batched).collect()),
        })
    }

    fn run(&self, library: &'static dyn AnyLibrary, inputs: &[&Concrete]) -> Result<Results> {
        let arrays = inputs.iter().map(|&x| Array::from_concrete(x.clone()));
        if self.levels.is_empty() {
            return self.call.run(library, arrays);
        }
        let flags: Vec<bool> = (0..inputs.len())
            .map(|j| self.levels.iter().any(|level| level.flags[j]))
            .collect();
        let arrays: Vec<Array> = arrays
            .enumerate()
            .map(|(j, x)| self.flat(j, x))
            .collect::<Result<_>>()?;
        // The rule of the library that runs, if that has one of its own.
        let own = find(library.name(), self.call.name).and_then(|found| found.function.batches);
        let found = match own.as_ref().unwrap_or(&self.rule) {
            BatchRule::Together(rule) => {
                let value = rule(&self.call.arguments(arrays), &flags).and_then(checked)?;
                results(library, value)?
            }
            BatchRule::Loop => self.one_by_one(library, inputs, &arrays, &flags)?,
        };
        if self.levels.len() == 1 {
            return Ok(found);
        }
        let apart = |result: Concrete| {
            let shape = result.ty().shape;
            let rest = shape.get(1..).unwrap_or_default();
            let shape = [self.sizes().as_slice(), rest].concat();
            let apart = reshape(Array::from_concrete(result), &shape);
            Ok(results(library, apart.into())?.remove(0))
        };
        found.into_iter().map(apart).collect()
    }

    /// An argument with the examples of all levels along one axis, if it has those of any.
    fn flat(&self, argument: usize, x: Array) -> Result<Array> {
        let flags = self.levels.iter().map(|level| level.flags[argument]);
        let count = flags.clone().filter(|&flag| flag).count();
        if count == 0 || self.levels.len() == 1 {
            return Ok(x);
        }
        let shape = x.shape()?;
        let sizes = self.sizes();
        let kept = sizes.iter().zip(flags);
        let kept = kept.map(|(&size, flag)| if flag { size } else { 1 });
        let rest = &shape[count..];
        let kept = [&kept.collect::<Vec<usize>>(), rest].concat();
        let all = [sizes.as_slice(), rest].concat();
        let flat = [&[sizes.iter().product()], rest].concat();
        let shape = Dims::from_slice(&all);
        let x = Array::apply(
            ViewOp::BroadcastTo { shape }.into(),
            &[reshape(x, &kept).into()],
        );
        reshape(x, &flat).check()
    }

    /// The results of one example after the other, stacked.
    fn one_by_one(
        &self,
        library: &'static dyn AnyLibrary,
        inputs: &[&Concrete],
        arrays: &[Array],
        flags: &[bool],
    ) -> Result<Results> {
        let examples: usize = self.sizes().iter().product();
        if examples == 0 {
            let types: Vec<ArrayType> = inputs.iter().map(|x| x.ty()).collect();
            let example = self.example(&types)?;
            let empty = |ty: &ArrayType| {
                let mut ty = ty.clone();
                ty.shape.insert(0, 0);
                let elements = HostArray::from_scalars(&ty, &[]);
                library.from_host(elements.ok_or_else(|| Error::internal("no elements"))?)
            };
            return example.arrays().iter().map(empty).collect();
        }
        let mut columns: Vec<Vec<Concrete>> = Vec::new();
        for example in 0..examples {
            let own = arrays.iter().zip(flags).map(|(x, &flag)| match flag {
                true => x.get(example as i64),
                false => x.clone(),
            });
            let found = self.call.run(library, own)?;
            columns.resize_with(found.len(), Vec::new);
            let columns = columns.iter_mut().zip(found);
            columns.for_each(|(column, result)| column.push(result));
        }
        let stacked = |column: &Vec<Concrete>| {
            let column: Vec<&Concrete> = column.iter().collect();
            let op = Op::Join(JoinOp::Stack { axis: 0 });
            Ok(library::apply(library, &op, &column)?.remove(0))
        };
        columns.iter().map(stacked).collect()
    }
}

fn reshape(x: Array, shape: &[usize]) -> Array {
    let shape = Dims::from_slice(shape);
    Array::apply(ViewOp::Reshape { shape }.into(), &[x.into()])
}
