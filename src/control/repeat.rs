//! `while_loop`: a body as long as a condition holds.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, ControlOp, DType};

use super::body::{check_carried, run, types_of, widened};
use crate::transform::{Flat, rebuild, trace_drawn};
use crate::tree::Tree;

/// Repeats `body` on what is carried, as long as `condition` holds of it.
///
/// The condition is one boolean without axes; what is carried has the same types in every iteration. Arrays that the closures capture
/// are the same in all of them. It runs for ever if the condition never fails: [`while_loop_within`] does not.
///
/// There are derivatives in a direction, as by [`jvp`](crate::jvp), and batches, in which it runs until the condition has failed for
/// every example. There is no gradient, as what it would keep of each iteration has no bound: use [`scan`](super::scan()) or
/// [`fori_loop`](super::fori_loop()).
///
/// ```
/// use autojit::{Array, numpy as np, while_loop};
///
/// // Newton's method for the square root of two.
/// let far = |x: Array| np::greater(np::abs(&x * &x - 2.0), 1e-12);
/// let root = while_loop(far, |x: Array| (&x + 2.0 / &x) / 2.0, Array::from(1.0))?;
/// assert!((root.item::<f64>()? - 2f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The condition is not one boolean without axes (`is_value`); `body` carries on another type than it takes (`is_shape`), or another
/// tree (`is_tree`); one of them draws random numbers anew (`is_unsupported`), as it is not known how often; an operation failed, where
/// the message names the iteration.
///
/// Source: `jax.lax.while_loop`.
#[track_caller]
pub fn while_loop<C: Tree, P: Tree>(
    condition: impl Fn(C) -> P,
    body: impl Fn(C) -> C,
    init: C,
) -> Result<C> {
    let location = Location::caller();
    repeated(&condition, &body, &init, u64::MAX, "while_loop", location).map_err(|e| e.at(location))
}

/// As [`while_loop`], and fails if the condition still holds after `limit` iterations.
///
/// ```
/// use autojit::{Array, control::while_loop_within, numpy as np};
///
/// let error = while_loop_within(1000, |x: Array| np::greater(x, 0.0), |x: Array| x + 1.0, Array::from(1.0));
/// let message = error.unwrap_err().to_string();
/// assert!(message.starts_with("the condition of the loop still holds after 1000 iterations"));
/// ```
///
/// # Errors
/// As [`while_loop`]; the condition still holds (`is_value`).
#[track_caller]
pub fn while_loop_within<C: Tree, P: Tree>(
    limit: u64,
    condition: impl Fn(C) -> P,
    body: impl Fn(C) -> C,
    init: C,
) -> Result<C> {
    let location = Location::caller();
    repeated(
        &condition,
        &body,
        &init,
        limit,
        "while_loop_within",
        location,
    )
    .map_err(|e| e.at(location))
}

pub(super) fn repeated<C: Tree, P: Tree>(
    condition: &impl Fn(C) -> P,
    body: &impl Fn(C) -> C,
    init: &C,
    limit: u64,
    name: &str,
    location: &'static Location<'static>,
) -> Result<C> {
    let init = Flat::of(init)?;
    let (test, draws) = trace_drawn(condition, &init.structure, &init.types, location)?;
    if let Some(draw) = draws.first() {
        return Err(draw.refused_in_loop(name));
    }
    match test.output_types()?.as_slice() {
        [ty] if *ty == ArrayType::scalar(DType::Bool) => {}
        [ty] => {
            return Err(Error::value(format!(
                "the condition of {name} is one boolean without axes, got {ty}"
            )));
        }
        types => {
            return Err(Error::value(format!(
                "the condition of {name} is one boolean without axes, got {} arrays",
                types.len()
            )));
        }
    }
    let (step, draws) = trace_drawn(body, &init.structure, &init.types, location)?;
    if let Some(draw) = draws.first() {
        return Err(draw.refused_in_loop(name));
    }
    check_carried(name, &init, step.output.tokens(), &step.output_types()?)?;
    let captured = [test.captured.as_slice(), &step.captured].concat();
    let types = types_of(&captured)?;
    let own = test.captured.len();
    let op = ControlOp::While {
        condition: widened(&test, &init.types, &types, 0..own)?,
        body: widened(&step, &init.types, &types, own..types.len())?,
        carry: init.arrays.len(),
        limit,
    };
    let inputs = [init.arrays, captured].concat();
    rebuild(&init.structure, run(op.into(), &inputs, location)?)
}
