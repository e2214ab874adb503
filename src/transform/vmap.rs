//! `vmap`: a function of one example as a function of many.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::transform::batch::batch;
use autojit_ir::{ArrayType, Dims, Graph, ValueId, ViewOp, normalize_axis};

use super::batch_axes::BatchAxes;
use super::flat::{Flat, place, rebuild};
use super::trace::{Function, apply_once, trace};
use crate::tree::{Tree, array_paths};

/// The function that does for each of many examples what `f` does for one, without a loop over them.
///
/// Every array of the argument has the examples along its first axis, and so has every array of the result: of `f` from `f64[3]` to
/// `f64[]` the batched function is one from `f64[n,3]` to `f64[n]`. Other axes, and arguments that all examples share, are chosen by
/// [`vmap_axes`]; an array that `f` captures is shared. What does not depend on an example is computed once; random numbers are
/// drawn for each example.
///
/// ```
/// use autojit::{Array, numpy as np, vmap};
///
/// let dot = |(x, y): (Array, Array)| np::dot(&x, &y);
/// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(vmap(dot)((x.clone(), x))?.to_vec::<f64>()?, [5.0, 25.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: arrays have different numbers of examples, or none has any (`is_shape`); an array has no such axis (`is_index`); a
/// registered function is opaque (`is_unsupported`); an operation in `f` failed.
///
/// Source: `jax.vmap`.
#[track_caller]
pub fn vmap<A: Tree, R: Tree, F: Fn(A) -> R>(f: F) -> impl Fn(A) -> Result<R> {
    let location = Location::caller();
    let (in_axes, out_axes) = (BatchAxes::Axis(0), BatchAxes::Axis(0));
    move |args| mapped(&f, &in_axes, &out_axes, &args, location).map_err(|e| e.at(location))
}

/// As [`vmap`], with the axis of the examples for each array of the argument and of the result: see [`BatchAxes`].
///
/// A result for which an axis is asked for, but which does not depend on the examples, is repeated along it. One that depends on
/// them cannot be [`SHARED`](super::SHARED).
///
/// ```
/// use autojit::{Array, numpy as np, vmap_axes, transform::SHARED};
///
/// let product = |(a, x): (Array, Array)| np::matmul(&a, &x);
/// let a = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// let columns = Array::from([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]);
/// let all = vmap_axes(product, (SHARED, 1), 1)((a, columns))?;
/// assert_eq!(all.to_vec::<f64>()?, [1.0, 2.0, 3.0, 3.0, 4.0, 7.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Of the call: as [`vmap`]; the axes do not have the members of the tree (`is_tree`); a result depends on the examples and is to be
/// shared (`is_value`).
///
/// Source: `jax.vmap` with `in_axes` and `out_axes`.
#[track_caller]
pub fn vmap_axes<A: Tree, R: Tree, F: Fn(A) -> R>(
    f: F,
    in_axes: impl Into<BatchAxes>,
    out_axes: impl Into<BatchAxes>,
) -> impl Fn(A) -> Result<R> {
    let location = Location::caller();
    let (in_axes, out_axes) = (in_axes.into(), out_axes.into());
    move |args| mapped(&f, &in_axes, &out_axes, &args, location).map_err(|e| e.at(location))
}

/// The axis of the examples in each array, and their number.
struct Examples {
    axes: Vec<Option<usize>>,
    size: usize,
}

fn mapped<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    in_axes: &BatchAxes,
    out_axes: &BatchAxes,
    args: &A,
    location: &'static Location<'static>,
) -> Result<R> {
    let args = Flat::of(args)?;
    let examples = examples(&args, in_axes)?;
    let types = args.types.iter().zip(&examples.axes).map(|(ty, axis)| {
        let mut ty = ty.clone();
        if let Some(axis) = *axis {
            ty.shape.remove(axis);
        }
        ty
    });
    let types: Vec<ArrayType> = types.collect();
    let function = trace(f, &args.structure, &types, location)?;
    let out_axes = out_axes.of_arrays(&function.output, "the result")?;
    let graph = batched(&function, &args, &examples, &out_axes)?;
    let mut inputs = args.arrays;
    inputs.extend(function.captured);
    rebuild(&function.output, apply_once(graph, &inputs, location)?)
}

/// Finds the examples in the arguments.
fn examples(args: &Flat, in_axes: &BatchAxes) -> Result<Examples> {
    let axes = in_axes.of_arrays(&args.structure, "the argument")?;
    let paths = args.paths();
    let named = |index: usize| place("the argument", &paths[index]);
    let mut found: Option<(usize, usize)> = None;
    let mut normal = Vec::with_capacity(axes.len());
    for (index, (axis, ty)) in axes.iter().zip(&args.types).enumerate() {
        let Some(axis) = *axis else {
            normal.push(None);
            continue;
        };
        let at = normalize_axis(axis, ty.ndim()).map_err(|_| {
            Error::index(format!(
                "vmap needs the axis {axis} of {}, got {ty}",
                named(index)
            ))
        })?;
        let size = ty.shape[at];
        match found {
            Some((first, known)) if known != size => {
                return Err(Error::shape(format!(
                    "vmap needs as many examples in all arrays, got {known} in {} ({}) and {size} in {} ({ty})",
                    named(first),
                    args.types[first],
                    named(index),
                )));
            }
            Some(_) => {}
            None => found = Some((index, size)),
        }
        normal.push(Some(at));
    }
    let (_, size) = found.ok_or_else(|| {
        Error::shape(format!(
            "vmap needs an array with examples, got the argument {}",
            args.structure
        ))
    })?;
    let axes = normal;
    Ok(Examples { axes, size })
}

/// The graph of many examples, with their axes where they are asked for.
fn batched(
    function: &Function,
    args: &Flat,
    examples: &Examples,
    out_axes: &[Option<i64>],
) -> Result<Graph> {
    let mut flags: Vec<bool> = examples.axes.iter().map(Option::is_some).collect();
    flags.resize(function.graph.input_types().len(), false);
    let (inner, depends) = batch(&function.graph, &flags, examples.size)?;
    let mut graph = Graph::new();
    let captured = &function.graph.input_types()[args.types.len()..];
    let given: Vec<ValueId> = args
        .types
        .iter()
        .chain(captured)
        .map(|ty| graph.add_input(ty.clone()))
        .collect();
    let mut inputs = given.clone();
    for (input, axis) in inputs.iter_mut().zip(&examples.axes) {
        if let Some(axis) = *axis {
            *input = moved(&mut graph, *input, axis, 0)?;
        }
    }
    let results = graph.inline(&inner, &inputs, None)?;
    let paths = array_paths(function.output.tokens());
    let named = |index: usize| place("the result", &paths[index]);
    let mut outputs = Vec::with_capacity(results.len());
    for (index, ((mut result, depends), axis)) in
        results.into_iter().zip(depends).zip(out_axes).enumerate()
    {
        let ty = graph.ty(result)?.clone();
        let Some(axis) = *axis else {
            if depends {
                return Err(Error::value(format!(
                    "{} of vmap differs between examples, so it needs an axis for them",
                    named(index)
                )));
            }
            outputs.push(result);
            continue;
        };
        let ndim = ty.ndim() + usize::from(!depends);
        let at = normalize_axis(axis, ndim).map_err(|_| {
            Error::index(format!(
                "vmap cannot put the examples along axis {axis} of {}, which has {} axes for one example",
                named(index),
                ndim - 1
            ))
        })?;
        if !depends {
            let mut shape = Dims::from_slice(&[examples.size]);
            shape.extend_from_slice(&ty.shape);
            result = graph.push(ViewOp::BroadcastTo { shape }.into(), &[result], None)?;
        }
        outputs.push(moved(&mut graph, result, 0, at)?);
    }
    graph.set_outputs(outputs);
    Ok(graph)
}

/// The value with an axis in another place.
fn moved(graph: &mut Graph, value: ValueId, from: usize, to: usize) -> Result<ValueId> {
    if from == to {
        return Ok(value);
    }
    let ndim = graph.ty(value)?.ndim();
    let mut perm: Dims = (0..ndim).filter(|&axis| axis != from).collect();
    perm.insert(to, from);
    graph.push(ViewOp::Transpose { perm }.into(), &[value], None)
}
