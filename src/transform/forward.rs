//! Forward mode: derivatives in a direction, and matrices of derivatives.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::transform::batch::batch;
use autojit_ir::transform::differentiate;
use autojit_ir::transform::partition::partition;
use autojit_ir::{ArrayType, Dims, Graph, HostArray, Scalar, ValueId, ViewOp};

use super::flat::{Flat, rebuild};
use super::reverse::{gradient, smooth};
use super::trace::{apply, apply_once, trace};
use crate::Array;
use crate::tree::Tree;

/// The value of a function, and its derivative in a direction.
///
/// `tangents` has the structure and types of `args`, and the derivative those of the result: `d/de f(args + e * tangents)` at
/// `e = 0`, for a real `e`. It costs about as much again as the value, however many results there are.
///
/// ```
/// use autojit::{Array, jvp, numpy as np};
///
/// let (value, derivative) = jvp(|x: Array| &x * &x, Array::from([3.0]), Array::from([0.5]))?;
/// assert_eq!((value.to_vec::<f64>()?, derivative.to_vec::<f64>()?), (vec![9.0], vec![3.0]));
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The argument has an array of integers or booleans (`is_dtype`); the tangents have other types (`is_shape`) or another number of
/// arrays (`is_tree`); an operation failed, or has no derivative (`is_unsupported`).
///
/// Source: `jax.jvp`.
#[track_caller]
pub fn jvp<A: Tree, R: Tree, F: Fn(A) -> R>(f: F, args: A, tangents: A) -> Result<(R, R)> {
    let location = Location::caller();
    pushed(&f, &args, &tangents, location).map_err(|e| e.at(location))
}

fn pushed<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    tangents: &A,
    location: &'static Location<'static>,
) -> Result<(R, R)> {
    let args = Flat::of(args)?;
    args.check_differentiable("jvp")?;
    let tangents = Flat::of(tangents)?;
    tangents.check_like(&args, "a tangent")?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let (wrt, outputs) = all(args.types.len(), function.graph.outputs().len());
    let graph = differentiate::jvp(&function.graph, &wrt, &outputs)?;
    let inputs = [args.arrays, function.captured, tangents.arrays].concat();
    let mut values = apply_once(graph, &inputs, location)?;
    let derivatives = values.split_off(outputs.len());
    Ok((
        rebuild(&function.output, values)?,
        rebuild(&function.output, derivatives)?,
    ))
}

fn all(arguments: usize, results: usize) -> (Vec<usize>, Vec<usize>) {
    ((0..arguments).collect(), (0..results).collect())
}

/// The value of a function, and its derivative at `args` as a linear function of the direction.
///
/// Values that do not depend on the direction are computed once, so many directions at one point cost less than as many calls of [`jvp`].
///
/// ```
/// use autojit::{Array, linearize, numpy as np};
///
/// let (_, derivative) = linearize(|x: Array| np::exp(&x), Array::from([0.0]))?;
/// assert_eq!(derivative(Array::from([2.0]))?.to_vec::<f64>()?, [2.0]);
/// assert_eq!(derivative(Array::from([5.0]))?.to_vec::<f64>()?, [5.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`jvp`].
///
/// Source: `jax.linearize`.
#[track_caller]
pub fn linearize<A: Tree, R: Tree, F: Fn(A) -> R>(
    f: F,
    args: A,
) -> Result<(R, impl Fn(A) -> Result<R>)> {
    let location = Location::caller();
    let (result, linear) = linearized(&f, &args, location).map_err(|e| e.at(location))?;
    let derivative = move |tangents: A| linear(&tangents).map_err(|e| e.at(location));
    Ok((result, derivative))
}

#[allow(clippy::type_complexity, reason = "a value and a closure")]
fn linearized<A: Tree, R: Tree, F: Fn(A) -> R>(
    f: &F,
    args: &A,
    location: &'static Location<'static>,
) -> Result<(R, impl Fn(&A) -> Result<R> + use<A, R, F>)> {
    let args = Flat::of(args)?;
    args.check_differentiable("linearize")?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let (wrt, outputs) = all(args.types.len(), function.graph.outputs().len());
    let graph = differentiate::jvp(&function.graph, &wrt, &outputs)?;
    let parts = partition(&graph, function.graph.input_types().len())?;
    let inputs = [args.arrays.clone(), function.captured].concat();
    let mut early = apply_once(parts.early, &inputs, location)?.into_iter();
    let values: Vec<Array> = early.by_ref().take(outputs.len()).collect();
    let known = parts.is_late[outputs.len()..].iter();
    let known: Vec<Option<Array>> = known
        .map(|late| if *late { None } else { early.next() })
        .collect();
    let (residuals, late) = (early.collect::<Vec<Array>>(), parts.late);
    let output = function.output;
    let result = rebuild(&output, values)?;
    let derivative = move |tangents: &A| {
        let tangents = Flat::of(tangents)?;
        tangents.check_like(&args, "a tangent")?;
        let inputs = [residuals.as_slice(), &tangents.arrays].concat();
        let mut results = apply(&late, &inputs, location)?.into_iter();
        let lost = || Error::internal("a derivative was lost");
        let derivatives = known.iter().map(|known| match known {
            Some(known) => Ok(known.clone()),
            None => results.next().ok_or_else(lost),
        });
        rebuild(&output, derivatives.collect::<Result<Vec<_>>>()?)
    };
    Ok((result, derivative))
}

/// The product of the Hessian of a function to one real number with a direction: the derivative of its gradient.
///
/// It costs a few times as much as the function; the Hessian itself is not computed.
///
/// ```
/// use autojit::{Array, hvp, numpy as np};
///
/// let f = |x: Array| np::sum(&x * &x * &x, ..);
/// let product = hvp(f, Array::from([1.0, 2.0]), Array::from([1.0, 1.0]))?;
/// assert_eq!(product.to_vec::<f64>()?, [6.0, 12.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`grad`](super::grad) and [`jvp`].
///
/// Source: Pearlmutter, "Fast exact multiplication by the Hessian" (1994).
#[track_caller]
pub fn hvp<A: Tree, R: Tree, F: Fn(A) -> R>(f: F, args: A, tangents: A) -> Result<A> {
    let location = Location::caller();
    let gradient = |args: A| gradient(&f, &args, location);
    let (_, product) = pushed(&gradient, &args, &tangents, location).map_err(|e| e.at(location))?;
    product
}

/// All derivatives of an array by an array: of a function from shape `s` to shape `t` an array of shape `t + s`, whose element
/// `[i, j]` is the derivative of element `i` of the result by element `j` of the argument.
///
/// It is computed for all directions at once, in forward mode if there are no more elements in the argument than in the result, else in
/// reverse mode. Of a complex function of complex numbers it is the complex derivative, if the function is holomorphic; of a
/// real one the rows are gradients in the convention of [`grad`](super::grad).
///
/// ```
/// use autojit::{Array, jacobian, numpy as np};
///
/// let f = |x: Array| &x * &x;
/// let matrix = jacobian(f)(Array::from([1.0, 2.0]))?;
/// assert_eq!(matrix.shape()?, [2, 2]);
/// assert_eq!(matrix.to_vec::<f64>()?, [2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: as [`jvp`]; the result is not one floating or complex array (`is_value`).
///
/// Source: `jax.jacobian`.
#[track_caller]
pub fn jacobian<R: Tree, F: Fn(Array) -> R>(f: F) -> impl Fn(Array) -> Result<Array> {
    let location = Location::caller();
    move |x| derivatives(&f, x, "jacobian", location).map_err(|e| e.at(location))
}

/// All second derivatives of a function to one real number: for an argument of shape `s` an array of shape `s + s`.
///
/// ```
/// use autojit::{Array, hessian, numpy as np};
///
/// let f = |x: Array| np::prod(&x, ..);
/// let matrix = hessian(f)(Array::from([2.0, 3.0]))?;
/// assert_eq!(matrix.to_vec::<f64>()?, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: as [`grad`](super::grad).
///
/// Source: `jax.hessian`.
#[track_caller]
pub fn hessian<R: Tree, F: Fn(Array) -> R>(f: F) -> impl Fn(Array) -> Result<Array> {
    let location = Location::caller();
    move |x| {
        let gradient = |x: Array| gradient(&f, &x, location);
        derivatives(&gradient, x, "hessian", location).map_err(|e| e.at(location))
    }
}

fn derivatives<R: Tree>(
    f: &impl Fn(Array) -> R,
    x: Array,
    what: &str,
    location: &'static Location<'static>,
) -> Result<Array> {
    let args = Flat::of(&x)?;
    args.check_differentiable(what)?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let types = function.output_types()?;
    let (x_ty, y_ty) = match (args.types.as_slice(), types.as_slice()) {
        ([x_ty], [y_ty]) if !smooth(&types).is_empty() => (x_ty.clone(), y_ty.clone()),
        _ => {
            return Err(Error::value(format!(
                "{what} takes a function to one floating or complex array, got one to {}",
                function.output
            )));
        }
    };
    // Only forward mode tells both parts of a complex result, and only reverse mode both of a complex argument.
    let forward = y_ty.dtype.is_complex()
        || !x_ty.dtype.is_complex() && (x_ty.size() <= y_ty.size() || x_ty.dtype != y_ty.dtype);
    let inner = match forward {
        true => differentiate::jvp(&function.graph, &[0], &[0])?,
        false => differentiate::vjp(&function.graph, &[0], &[0])?,
    };
    let directions = if forward { &x_ty } else { &y_ty };
    let graph = for_all_directions(&inner, directions, forward, &x_ty, &y_ty)?;
    let mut inputs = vec![x];
    inputs.extend(function.captured);
    let result = apply(&graph, &inputs, location)?.pop();
    result.ok_or_else(|| Error::internal("a matrix of derivatives was lost"))
}

/// The graph with its last input replaced by all unit directions at once, and its last output as a matrix.
fn for_all_directions(
    inner: &Graph,
    directions: &ArrayType,
    forward: bool,
    x_ty: &ArrayType,
    y_ty: &ArrayType,
) -> Result<Graph> {
    let count = directions.size();
    let mut flags = vec![false; inner.input_types().len() - 1];
    flags.push(true);
    let mut inner = inner.clone();
    inner.set_outputs(inner.outputs()[1..].to_vec());
    let (batched, depends) = batch(&inner, &flags, count)?;

    let mut graph = Graph::new();
    let types = &inner.input_types()[..flags.len() - 1];
    let mut inputs: Vec<ValueId> = types.iter().map(|ty| graph.add_input(ty.clone())).collect();
    let mut shape = Dims::from_slice(&[count]);
    shape.extend_from_slice(&directions.shape);
    let units = (0..count * count).map(|i| Scalar::Int(i64::from(i / count == i % count)));
    let units: Vec<Scalar> = units.map(|unit| unit.cast(directions.dtype)).collect();
    let units = HostArray::from_scalars(&ArrayType::new(directions.dtype, &shape), &units);
    inputs
        .push(graph.add_constant(units.ok_or_else(|| Error::internal("units of another shape"))?));
    let mut result = graph.inline(&batched, &inputs, None)?[0];
    if !depends[0] {
        let mut shape = Dims::from_slice(&[count]);
        shape.extend_from_slice(&graph.ty(result)?.shape);
        result = graph.push(ViewOp::BroadcastTo { shape }.into(), &[result], None)?;
    }
    if forward {
        let ndim = graph.ty(result)?.ndim();
        let perm: Dims = (1..ndim).chain([0]).collect();
        result = graph.push(ViewOp::Transpose { perm }.into(), &[result], None)?;
    }
    let shape: Dims = y_ty.shape.iter().chain(&x_ty.shape).copied().collect();
    result = graph.push(ViewOp::Reshape { shape }.into(), &[result], None)?;
    graph.set_outputs(vec![result]);
    Ok(graph)
}
