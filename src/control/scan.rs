//! `scan` and `map`: a body once for each element.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Body, ControlOp};

use super::body::{check_carried, pair, place_in, run};
use crate::array::Array;
use crate::transform::{Flat, rebuild, trace_drawn};
use crate::tree::{Structure, Token, Tree, subtree};

/// Goes through the elements of `xs` along the first axis with something that is carried from one to the next.
///
/// `f` takes what is carried and an element, and gives what is carried on and an element of the result. The results are what is
/// carried after the last element, and the elements of the results, stacked along a new first axis. All arrays of `xs` have the same
/// length; what is carried has the same types in every iteration. Arrays that `f` captures are the same in all of them.
///
/// ```
/// use autojit::{Array, scan};
///
/// // A running mean.
/// let xs = Array::from([2.0, 4.0, 9.0]);
/// let step = |(sum, count): (Array, Array), x: Array| {
///     let (sum, count) = (sum + x, count + 1.0);
///     ((sum.clone(), count.clone()), sum / count)
/// };
/// let ((sum, _), means) = scan(step, (Array::from(0.0), Array::from(0.0)), xs)?;
/// assert_eq!(sum.item::<f64>()?, 15.0);
/// assert_eq!(means.to_vec::<f64>()?, [2.0, 3.0, 5.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// Arrays of `xs` have different lengths, or no axes (`is_shape`); `xs` has no array (`is_value`); `f` carries on another type than it
/// takes (`is_shape`), or another tree (`is_tree`); an operation in `f` failed, where the message names the iteration.
///
/// Source: `jax.lax.scan`.
#[track_caller]
pub fn scan<C: Tree, X: Tree, Y: Tree>(
    f: impl Fn(C, X) -> (C, Y),
    init: C,
    xs: X,
) -> Result<(C, Y)> {
    let location = Location::caller();
    scanned(&f, &init, &xs, "scan", false, location).map_err(|e| e.at(location))
}

/// As [`scan`], from the last element to the first. Elements of the results stand where those of `xs` stood.
///
/// ```
/// use autojit::{Array, control::scan_reverse};
///
/// let xs = Array::from([1.0, 2.0, 3.0]);
/// let step = |sum: Array, x: Array| (&sum + &x, sum + x);
/// let (_, sums) = scan_reverse(step, Array::from(0.0), xs)?;
/// assert_eq!(sums.to_vec::<f64>()?, [6.0, 5.0, 3.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`scan`].
///
/// Source: `jax.lax.scan` with `reverse`.
#[track_caller]
pub fn scan_reverse<C: Tree, X: Tree, Y: Tree>(
    f: impl Fn(C, X) -> (C, Y),
    init: C,
    xs: X,
) -> Result<(C, Y)> {
    let location = Location::caller();
    scanned(&f, &init, &xs, "scan_reverse", true, location).map_err(|e| e.at(location))
}

/// As [`scan`], for a number of iterations instead of elements.
///
/// ```
/// use autojit::{Array, control::scan_length};
///
/// let double = |x: Array| (&x * 2.0, x);
/// let (last, powers) = scan_length(double, Array::from(1.0), 4)?;
/// assert_eq!(last.item::<f64>()?, 16.0);
/// assert_eq!(powers.to_vec::<f64>()?, [1.0, 2.0, 4.0, 8.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`scan`].
///
/// Source: `jax.lax.scan` with `length`.
#[track_caller]
pub fn scan_length<C: Tree, Y: Tree>(
    f: impl Fn(C) -> (C, Y),
    init: C,
    length: usize,
) -> Result<(C, Y)> {
    let location = Location::caller();
    iterated(&f, &init, length, "scan_length", location).map_err(|e| e.at(location))
}

/// The results of `f` for each element of `xs` along the first axis, stacked along a new first axis: one after the other, with the
/// memory of one. [`vmap`](crate::vmap()) computes all at once.
///
/// ```
/// use autojit::{Array, control::map, numpy as np};
///
/// let rows = Array::from([[3.0, 4.0], [5.0, 12.0]]);
/// let norms = map(|row: Array| np::linalg::norm(&row, ..), rows)?;
/// assert_eq!(norms.to_vec::<f64>()?, [5.0, 13.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`scan`].
///
/// Source: `jax.lax.map`.
#[track_caller]
pub fn map<X: Tree, Y: Tree>(f: impl Fn(X) -> Y, xs: X) -> Result<Y> {
    let location = Location::caller();
    let step = |nothing: Vec<Array>, x: X| (nothing, f(x));
    let mapped = scanned(&step, &Vec::new(), &xs, "map", false, location);
    Ok(mapped.map_err(|e| e.at(location))?.1)
}

fn scanned<C: Tree, X: Tree, Y: Tree>(
    f: &impl Fn(C, X) -> (C, Y),
    init: &C,
    xs: &X,
    name: &str,
    reverse: bool,
    location: &'static Location<'static>,
) -> Result<(C, Y)> {
    let (init, xs) = (Flat::of(init)?, Flat::of(xs)?);
    let length = length(&xs, name)?;
    let elements = xs.types.iter().map(|ty| {
        let mut ty = ty.clone();
        ty.shape.remove(0);
        ty
    });
    let types: Vec<ArrayType> = init.types.iter().cloned().chain(elements).collect();
    let structure = pair(init.structure.tokens(), xs.structure.tokens());
    let body = |(carried, x): (C, X)| f(carried, x);
    finish(
        &body, init, xs.arrays, &structure, &types, length, reverse, name, location,
    )
}

/// The same without elements.
pub(super) fn iterated<C: Tree, Y: Tree>(
    f: &impl Fn(C) -> (C, Y),
    init: &C,
    length: usize,
    name: &str,
    location: &'static Location<'static>,
) -> Result<(C, Y)> {
    let init = Flat::of(init)?;
    let (structure, types) = (init.structure.clone(), init.types.clone());
    finish(
        f,
        init,
        Vec::new(),
        &structure,
        &types,
        length,
        false,
        name,
        location,
    )
}

#[allow(
    clippy::too_many_arguments,
    reason = "the two forms differ in all of them"
)]
fn finish<A: Tree, C: Tree, Y: Tree>(
    f: &impl Fn(A) -> (C, Y),
    init: Flat,
    xs: Vec<Array>,
    structure: &Structure,
    types: &[ArrayType],
    length: usize,
    reverse: bool,
    name: &str,
    location: &'static Location<'static>,
) -> Result<(C, Y)> {
    let (function, draws) = trace_drawn(f, structure, types, location)?;
    let (_, parts) = function.output.tokens().split_at(1);
    let (carried, elements) = subtree(parts);
    let results = function.output_types()?;
    let count = carried
        .iter()
        .filter(|token| matches!(token, crate::tree::Token::Array))
        .count();
    check_carried(name, &init, carried, &results[..count])?;
    let others = [init.arrays.as_slice(), &xs, &function.captured].concat();
    let mut xs = xs;
    for draw in draws {
        xs.push(draw.numbers(Some(length), &others, location)?);
    }
    let op = ControlOp::Scan {
        body: Body::new(function.graph)?,
        carry: init.arrays.len(),
        xs: xs.len(),
        length,
        reverse,
    };
    let elements = Structure::from_tokens(elements);
    let inputs = [init.arrays, xs, function.captured].concat();
    let mut results = run(op.into(), &inputs, location)?;
    let stacked = results.split_off(count.min(results.len()));
    Ok((
        rebuild(&init.structure, results)?,
        rebuild(&elements, stacked)?,
    ))
}

/// What to do if the elements were meant to be those of a list.
fn advice(xs: &Flat) -> &'static str {
    match xs.structure.tokens().first() {
        Some(Token::List(_)) => {
            "; to go through the members of a list, put them into one array by `stack`"
        }
        Some(_) | None => "",
    }
}

/// The length of all arrays along their first axes.
fn length(xs: &Flat, name: &str) -> Result<usize> {
    let named = |index: usize| place_in("xs", xs.structure.tokens(), index);
    let mut found: Option<usize> = None;
    for (index, ty) in xs.types.iter().enumerate() {
        let Some(&length) = ty.shape.first() else {
            return Err(Error::shape(format!(
                "{name} goes along the first axis of arrays, got {ty} at {}{}",
                named(index),
                advice(xs),
            )));
        };
        match found {
            Some(known) if known != length => {
                return Err(Error::shape(format!(
                    "{name} needs as many elements in all arrays, got {known} in {} at {} and {length} in {ty} at {}{}",
                    xs.types[0],
                    named(0),
                    named(index),
                    advice(xs),
                )));
            }
            _ => found = Some(length),
        }
    }
    found.ok_or_else(|| {
        Error::value(format!(
            "{name} needs an array with elements, got {}; for a number of iterations use scan_length or fori_loop",
            xs.structure
        ))
    })
}
