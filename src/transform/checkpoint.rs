//! `checkpoint`: memory for work, on the way back.

use std::panic::Location;
use std::sync::Arc;

use autojit_ir::error::Result;
use autojit_ir::{Op, OpaqueFunction, Type};

use super::custom::implement;
use super::draws::trace_drawn;
use super::flat::{Flat, rebuild};
use super::trace::apply_once;
use crate::array::{Array, Operand, Repr};
use crate::nodes::current_trace;
use crate::tree::Tree;

/// The same function, which is computed again where its gradient is taken.
///
/// A gradient needs what the function computed on the way: of a chain of `n` steps all `n` results are kept until the way back comes
/// to them. Of a function in `checkpoint` nothing is kept but its arguments; it is computed once more when the cotangents of its
/// results are known. So a chain of `n` steps cut into `sqrt(n)` checkpoints keeps about `2 sqrt(n)` results, and costs one more run of
/// the function. Values are those without it, bit for bit, and so are gradients, but for the order in which those by an array that several
/// checkpoints share are added up. Further derivatives, those in a direction, and batches are those of the function.
///
/// ```
/// use autojit::{Array, checkpoint, grad, numpy as np};
///
/// let layers = checkpoint(|mut x: Array| {
///     for _ in 0..8 {
///         x = np::tanh(&x * 1.5);
///     }
///     x
/// });
/// let loss = |mut x: Array| {
///     for _ in 0..4 {
///         x = layers(x)?;
///     }
///     Ok::<_, autojit::Error>(np::sum(x, ..))
/// };
/// assert_eq!(grad(loss)(Array::from([0.0]))?.item::<f64>()?, 1.5f64.powi(32));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// The native engine computes it again as late as it can, and so does a gradient that runs op by op; the optimiser of XLA may find that
/// it has the results already, and keep them. Random numbers that the function draws are drawn once, and kept.
///
/// # Errors
/// Of the call: an operation in `f` failed.
///
/// Source: `jax.checkpoint`; Griewank and Walther, "Evaluating Derivatives" (2008), chapter 12.
#[track_caller]
pub fn checkpoint<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> Result<R> {
    let location = Location::caller();
    move |args: A| {
        let run = || {
            let args = Flat::of(&args)?;
            let is_concrete = |array: &Array| matches!(array.0, Repr::Concrete(_));
            // A closure that is traced may capture an array of the trace.
            if current_trace().is_none() && args.arrays.iter().all(is_concrete) {
                return Ok(None);
            }
            call(&f, args, location).map(Some)
        };
        match run() {
            // There is nothing to differentiate by.
            Ok(None) => Ok(f(args)),
            Ok(Some(result)) => Ok(result),
            Err(error) => Err(error.at(location)),
        }
    }
}

fn call<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: Flat,
    location: &'static Location<'static>,
) -> Result<R> {
    let (function, draws) = trace_drawn(f, &args.structure, &args.types, location)?;
    let types = function.output_types()?;
    let others = [args.arrays.as_slice(), &function.captured].concat();
    let mut inputs = args.arrays;
    for draw in draws {
        inputs.push(draw.numbers(None, &others, location)?);
    }
    inputs.extend(function.captured);
    let is_concrete = |array: &Array| matches!(array.0, Repr::Concrete(_));
    if types.is_empty() || inputs.iter().all(is_concrete) {
        return rebuild(
            &function.output,
            apply_once(function.graph, &inputs, location)?,
        );
    }
    let opaque = OpaqueFunction::recomputed("checkpoint", function.graph, Arc::new(implement))?;
    let operands: Vec<Operand<'_>> = inputs.iter().map(Operand::from).collect();
    let op = Op::Opaque { function: opaque };
    let result = Type::Tuple(types.into());
    let value = Array::apply_opaque(op, &operands, &result, location)?;
    rebuild(&function.output, value.into_arrays()?)
}
