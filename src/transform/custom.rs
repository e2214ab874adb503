//! Derivatives as users define them: constants, and rules of their own.

use std::any::Any;
use std::panic::Location;
use std::sync::Arc;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Graph, MapOp, Op, OpaqueFunction, Type, ValueId, ViewOp};
use autojit_library::{self as library, AnyLibrary, Concrete, LibraryFunction, Results};

use super::draws::trace_drawn;
use super::flat::{Flat, rebuild};
use super::trace::Function;
use crate::array::{Array, Operand, Repr};
use crate::tree::{Structure, Token, Tree, subtree};

/// The array itself, which counts as a constant where derivatives are taken.
///
/// Of a tree, `tree_map(|x| stop_gradient(x), &tree)`.
///
/// ```
/// use autojit::{Array, grad, stop_gradient};
///
/// let f = |x: Array| &x * stop_gradient(&x);
/// assert_eq!(grad(f)(Array::from(3.0))?.item::<f64>()?, 3.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: `jax.lax.stop_gradient`; PyTorch's `detach`.
#[must_use]
#[track_caller]
pub fn stop_gradient<'a>(x: impl Into<Operand<'a>>) -> Array {
    Array::apply(Op::Map(MapOp::StopGradient), &[x.into()])
}

/// A function with a rule of its own for gradients.
///
/// It computes what `f` computes. Where its gradient is taken, `forward` runs in the place of `f`: it gives the same result, and
/// whatever `backward` needs besides. `backward` takes that and a cotangent of the result, and gives the gradient of each array of the
/// argument, in the convention of [`grad`](super::grad). The rule holds for one derivative; further ones differentiate `forward` and
/// `backward`. What the closures capture counts as constant. Under [`vmap`](super::vmap) the rule holds for each example.
///
/// ```
/// use autojit::{Array, custom_vjp, grad, numpy as np};
///
/// // The derivative of log(1 + e^x) as it is written overflows.
/// let softplus = custom_vjp(
///     |x: Array| np::log1p(np::exp(&x)),
///     |x: Array| (np::log1p(np::exp(&x)), x),
///     |x: Array, ct: Array| ct / (1.0 + np::exp(-x)),
/// );
/// assert_eq!(grad(softplus)(Array::from(1000.0))?.item::<f64>()?, 1.0);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: an operation failed; `forward` gives a result of other types than `f`, or `backward` gradients of other types than the
/// argument (`is_shape`, `is_tree`). A derivative in a direction, as by [`jvp`](super::jvp), is `is_unsupported`, and so are random draws in
/// a closure where the function is traced: they would be others in `f` than in `forward`.
///
/// Source: `jax.custom_vjp`.
#[track_caller]
pub fn custom_vjp<A: Tree, R: Tree, S: Tree>(
    f: impl Fn(A) -> R,
    forward: impl Fn(A) -> (R, S),
    backward: impl Fn(S, R) -> A,
) -> impl Fn(A) -> Result<R> {
    let location = Location::caller();
    move |args: A| {
        let run = || {
            let args = Flat::of(&args)?;
            if args
                .arrays
                .iter()
                .all(|array| matches!(array.0, Repr::Concrete(_)))
            {
                return Ok(None);
            }
            call(&f, &forward, &backward, args, location).map(Some)
        };
        match run() {
            // There is nothing to differentiate by.
            Ok(None) => Ok(f(args)),
            Ok(Some(result)) => Ok(result),
            Err(error) => Err(error.at(location)),
        }
    }
}

fn call<A: Tree, R: Tree, S: Tree>(
    f: &impl Fn(A) -> R,
    forward: &impl Fn(A) -> (R, S),
    backward: &impl Fn(S, R) -> A,
    args: Flat,
    location: &'static Location<'static>,
) -> Result<R> {
    let plain = traced(f, &args.structure, &args.types, location)?;
    let forward = traced(forward, &args.structure, &args.types, location)?;
    let (types, forward_types) = (plain.output_types()?, forward.output_types()?);
    let (results, kept) = forward_types.split_at(types.len().min(forward_types.len()));
    if results != types {
        return Err(Error::shape(format!(
            "the forward function of custom_vjp gives {}, where the function gives {}",
            forward.output, plain.output
        )));
    }
    // The argument of `backward`: what was kept, and a cotangent of the result.
    let (_, parts) = forward.output.tokens().split_at(1);
    let (result, rest) = subtree(parts);
    let tokens: Vec<Token<'_>> = std::iter::once(Token::Tuple(2))
        .chain(rest.iter().cloned())
        .chain(result.iter().cloned())
        .collect();
    let structure = Structure::from_tokens(&tokens);
    let taken = [kept, &types].concat();
    let pair = |(kept, cotangent): (S, R)| backward(kept, cotangent);
    let backward = traced(&pair, &structure, &taken, location)?;
    check_gradients(&backward, &args)?;

    let captured = [&plain, &forward, &backward].map(|function| function.captured.clone());
    let inputs = [args.arrays.clone(), captured.concat()].concat();
    let input_types: Vec<_> = inputs.iter().map(Array::ty).collect::<Result<_>>()?;
    let n = args.types.len();
    let at = |function: usize| -> std::ops::Range<usize> {
        let start = n + captured[..function].iter().map(Vec::len).sum::<usize>();
        start..start + captured[function].len()
    };

    let mut body = Graph::new();
    let all: Vec<ValueId> = input_types
        .iter()
        .map(|ty| body.add_input(ty.clone()))
        .collect();
    let given = [&all[..n], &all[at(0)]].concat();
    let outputs = body.inline(&plain.graph, &given, Some(location.into()))?;
    body.set_outputs(outputs);

    let mut pullback = Graph::new();
    let all: Vec<ValueId> = input_types
        .iter()
        .map(|ty| pullback.add_input(ty.clone()))
        .collect();
    let cotangents: Vec<ValueId> = types
        .iter()
        .map(|ty| pullback.add_input(ty.clone()))
        .collect();
    let given = [&all[..n], &all[at(1)]].concat();
    let forward = pullback.inline(&forward.graph, &given, Some(location.into()))?;
    let given = [&forward[types.len()..], &cotangents, &all[at(2)]].concat();
    let mut gradients = pullback.inline(&backward.graph, &given, Some(location.into()))?;
    for ty in &input_types[n..] {
        let zero = pullback.add_literal(0, ty.dtype);
        let shape = ty.shape.clone();
        gradients.push(pullback.push(ViewOp::BroadcastTo { shape }.into(), &[zero], None)?);
    }
    pullback.set_outputs(gradients);

    let function =
        OpaqueFunction::with_pullback("custom_vjp", body, pullback, Arc::new(implement))?;
    let operands: Vec<Operand<'_>> = inputs.iter().map(Operand::from).collect();
    let result = Type::Tuple(types.into());
    let value = Array::apply_opaque(Op::Opaque { function }, &operands, &result, location)?;
    rebuild(&plain.output, value.into_arrays()?)
}

/// Traces one of the closures, which must not draw: `f` and `forward` would draw different numbers for the same call.
fn traced<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    structure: &Structure,
    types: &[ArrayType],
    location: &'static Location<'static>,
) -> Result<Function> {
    let (function, draws) = trace_drawn(f, structure, types, location)?;
    match draws.first() {
        None => Ok(function),
        Some(draw) => Err(draw.refused(
            "a closure of custom_vjp draws random numbers, which would be others in `f` than in `forward`: draw before, and make \
             them an argument or capture them"
                .into(),
        )),
    }
}

fn check_gradients(backward: &Function, args: &Flat) -> Result<()> {
    let types = backward.output_types()?;
    if types == args.types {
        return Ok(());
    }
    let shown = |types: &[ArrayType]| {
        let types: Vec<String> = types.iter().map(ToString::to_string).collect();
        types.join(", ")
    };
    Err(Error::shape(format!(
        "the backward function of custom_vjp gives gradients of types {}, where the argument has {}",
        shown(&types),
        shown(&args.types)
    )))
}

/// Runs the graph of a function in any library.
pub(super) fn implement(body: &Graph) -> Box<dyn Any + Send + Sync> {
    let body = body.clone();
    let run = move |library: &'static dyn AnyLibrary, inputs: &[&Concrete]| {
        Ok(Results::from_vec(library::run_graph(
            library, &body, inputs,
        )?))
    };
    Box::new(LibraryFunction(Box::new(run)))
}
