//! Reverse mode: gradients and pullbacks.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::transform::differentiate;
use autojit_ir::transform::partition::partition;
use autojit_ir::{ArrayType, Graph};

use super::flat::{Flat, rebuild};
use super::trace::{Function, apply, apply_once, trace};
use crate::Array;
use crate::tree::{Structure, Token, Tree, show_tokens};

/// The gradient of a function to one real number.
///
/// The result has the structure of the argument: each array is replaced by the gradient, an array of the same dtype and shape, and
/// static leaves stay. Several arguments are one tuple; what is not to be differentiated is captured by the closure.
///
/// For complex arrays the gradient `g` of `L` satisfies `dL = Re sum(conj(g) dx)`: it is the direction of steepest ascent, so
/// `x - rate * g` descends. PyTorch has the same convention; JAX's gradient is the conjugate.
///
/// ```
/// use autojit::{Array, grad, numpy as np};
///
/// let f = |x: Array| np::sum(&x * &x * &x, ..);
/// let x = Array::from([1.0, 2.0]);
/// assert_eq!(grad(f)(x.clone())?.to_vec::<f64>()?, [3.0, 12.0]);
/// // Gradients are differentiated again.
/// let second = grad(move |x: Array| Ok::<_, autojit::Error>(np::sum(grad(f)(x)?, ..)))(x)?;
/// assert_eq!(second.to_vec::<f64>()?, [6.0, 12.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: the result is not one real number (`is_value`); the argument has an array of integers or booleans (`is_dtype`); an
/// operation in `f` failed, or has no derivative (`is_unsupported`). The message names the line.
///
/// Source: `jax.grad`; the convention of `torch.autograd`.
#[track_caller]
pub fn grad<A: Tree, R: Tree, F: Fn(A) -> R>(f: F) -> impl Fn(A) -> Result<A> {
    let location = Location::caller();
    move |args| gradient(&f, &args, location).map_err(|e| e.at(location))
}

/// The gradient of `f` at `args`, for a line.
pub(super) fn gradient<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    location: &'static Location<'static>,
) -> Result<A> {
    let (args, function, mut graph) = prepared(f, args, "grad", false, location)?;
    let count = function.graph.outputs().len();
    graph.set_outputs(graph.outputs()[count..].to_vec());
    let inputs = [args.arrays, function.captured].concat();
    rebuild(&args.structure, apply_once(graph, &inputs, location)?)
}

/// The value of a function to one real number, and its gradient: see [`grad`].
///
/// ```
/// use autojit::{Array, numpy as np, value_and_grad};
///
/// let (value, gradient) = value_and_grad(|x: Array| np::sum(np::exp(&x), ..))(Array::from([0.0, 0.0]))?;
/// assert_eq!(value.item::<f64>()?, 2.0);
/// assert_eq!(gradient.to_vec::<f64>()?, [1.0, 1.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`grad`].
///
/// Source: `jax.value_and_grad`.
#[track_caller]
pub fn value_and_grad<A: Tree, R: Tree, F: Fn(A) -> R>(f: F) -> impl Fn(A) -> Result<(Array, A)> {
    let location = Location::caller();
    move |args| {
        let run = || {
            let (_, mut values, gradient) = both(&f, &args, "value_and_grad", false, location)?;
            let lost = || Error::internal("a value was lost");
            Ok((values.pop().ok_or_else(lost)?, gradient))
        };
        run().map_err(|e: Error| e.at(location))
    }
}

/// The result of a function to a pair of a real number and anything else, and the gradient of the number: see [`grad`].
///
/// ```
/// use autojit::{Array, numpy as np, value_and_grad_aux};
///
/// let f = |x: Array| {
///     let residuals = &x - 1.0;
///     (np::sum(&residuals * &residuals, ..), residuals)
/// };
/// let ((loss, residuals), gradient) = value_and_grad_aux(f)(Array::from([3.0]))?;
/// assert_eq!(loss.item::<f64>()?, 4.0);
/// assert_eq!((residuals.to_vec::<f64>()?, gradient.to_vec::<f64>()?), (vec![2.0], vec![4.0]));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`grad`]; the result is not a pair that begins with the number (`is_value`).
///
/// Source: `jax.value_and_grad` with `has_aux`.
#[track_caller]
pub fn value_and_grad_aux<A: Tree, R: Tree, F: Fn(A) -> R>(f: F) -> impl Fn(A) -> Result<(R, A)> {
    let location = Location::caller();
    move |args| {
        let run = || {
            let (output, values, gradient) = both(&f, &args, "value_and_grad_aux", true, location)?;
            Ok((rebuild(&output, values)?, gradient))
        };
        run().map_err(|e: Error| e.at(location))
    }
}

fn both<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    what: &str,
    has_aux: bool,
    location: &'static Location<'static>,
) -> Result<(Structure, Vec<Array>, A)> {
    let (args, function, graph) = prepared(f, args, what, has_aux, location)?;
    let inputs = [args.arrays, function.captured].concat();
    let mut values = apply_once(graph, &inputs, location)?;
    let gradient = values.split_off(function.graph.outputs().len());
    Ok((function.output, values, rebuild(&args.structure, gradient)?))
}

/// The graph of values and gradients.
fn prepared<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    what: &str,
    has_aux: bool,
    location: &'static Location<'static>,
) -> Result<(Flat, Function, Graph)> {
    let args = Flat::of(args)?;
    args.check_differentiable(what)?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let types = function.output_types()?;
    check_number(&function.output, &types, what, has_aux)?;
    let wrt: Vec<usize> = (0..args.types.len()).collect();
    let graph = differentiate::gradient(&function.graph, &wrt, 0)?;
    Ok((args, function, graph))
}

/// Checks that a function gives one real number, or a pair that begins with one.
fn check_number(output: &Structure, types: &[ArrayType], what: &str, has_aux: bool) -> Result<()> {
    let is_number = |ty: &ArrayType| ty.ndim() == 0 && ty.dtype.is_float();
    let fits = match (output.tokens(), types) {
        ([Token::Tuple(2), Token::Array, ..], [first, ..]) if has_aux => is_number(first),
        (_, [only]) if !has_aux => is_number(only),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let expected = match has_aux {
        true => "a pair of one real number and anything else",
        false => "one real number",
    };
    let shown = show_tokens(output.tokens(), &mut types.iter());
    Err(Error::value(format!(
        "{what} takes a function to {expected}, such as a sum, got one to {shown}"
    )))
}

/// The value of a function, and its pullback: the function from cotangents of the results to gradients.
///
/// With `L = Re sum(conj(cotangent) * f(x))`, added up over all arrays of the result, the pullback gives the gradient of `L`
/// in the convention of [`grad`]. The pullback keeps what it needs of the computation of the value, and may be called
/// many times. A cotangent has the structure and the types of the result; those of integers and booleans are ignored.
///
/// ```
/// use autojit::{Array, numpy as np, vjp};
///
/// let (value, pullback) = vjp(|x: Array| np::sin(&x), Array::from([0.0, 0.0]))?;
/// assert_eq!(value.to_vec::<f64>()?, [0.0, 0.0]);
/// assert_eq!(pullback(Array::from([1.0, 3.0]))?.to_vec::<f64>()?, [1.0, 3.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`grad`], but the result may be any tree. Of the pullback: the cotangent has other types (`is_shape`), or another number of
/// arrays (`is_tree`).
///
/// Source: `jax.vjp`.
#[track_caller]
pub fn vjp<A: Tree, R: Tree, F: Fn(A) -> R>(f: F, args: A) -> Result<(R, impl Fn(R) -> Result<A>)> {
    let location = Location::caller();
    let (result, pullback) = pulled(&f, &args, location).map_err(|e| e.at(location))?;
    let pull = move |cotangent: R| pullback.call(&cotangent).map_err(|e| e.at(location));
    Ok((result, pull))
}

/// The values that a pullback keeps.
struct Pullback {
    /// Takes what was computed with the value, and then the cotangents.
    graph: Graph,
    residuals: Vec<Array>,
    /// The gradients that depend on no cotangent: zeros.
    known: Vec<Option<Array>>,
    /// The result, for its types.
    result: Flat,
    /// Which arrays of the result have cotangents.
    smooth: Vec<usize>,
    args: Structure,
    location: &'static Location<'static>,
}

fn pulled<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    location: &'static Location<'static>,
) -> Result<(R, Pullback)> {
    let args = Flat::of(args)?;
    args.check_differentiable("vjp")?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let smooth = smooth(&function.output_types()?);
    let wrt: Vec<usize> = (0..args.types.len()).collect();
    let graph = differentiate::vjp(&function.graph, &wrt, &smooth)?;
    let parts = partition(&graph, function.graph.input_types().len())?;
    let inputs = [args.arrays, function.captured].concat();
    let mut early = apply_once(parts.early, &inputs, location)?.into_iter();
    let count = function.graph.outputs().len();
    let values: Vec<Array> = early.by_ref().take(count).collect();
    let known = parts.is_late[count..].iter();
    let known = known.map(|late| if *late { None } else { early.next() });
    let known: Vec<Option<Array>> = known.collect();
    let result: R = rebuild(&function.output, values)?;
    let pullback = Pullback {
        graph: parts.late,
        residuals: early.collect(),
        known,
        result: Flat::of(&result)?,
        smooth,
        args: args.structure,
        location,
    };
    Ok((result, pullback))
}

impl Pullback {
    fn call<A: Tree, R: Tree>(&self, cotangent: &R) -> Result<A> {
        let cotangent = Flat::of(cotangent)?;
        cotangent.check_like(&self.result, "a cotangent")?;
        let cotangents = self
            .smooth
            .iter()
            .map(|&index| cotangent.arrays[index].clone());
        let inputs: Vec<Array> = self.residuals.iter().cloned().chain(cotangents).collect();
        let mut late = apply(&self.graph, &inputs, self.location)?.into_iter();
        let gradients = self.known.iter().map(|known| match known {
            Some(known) => Ok(known.clone()),
            None => late
                .next()
                .ok_or_else(|| Error::internal("a gradient was lost")),
        });
        rebuild(&self.args, gradients.collect::<Result<Vec<_>>>()?)
    }
}

/// The numbers of the floating and complex results.
pub(super) fn smooth(types: &[ArrayType]) -> Vec<usize> {
    let smooth = |&index: &usize| {
        let dtype = types[index].dtype;
        dtype.is_float() || dtype.is_complex()
    };
    (0..types.len()).filter(smooth).collect()
}
