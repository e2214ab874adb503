//! Tangents of functions with a rule of their own for reverse mode: placeholders, from whose cotangents the rule gives those of
//! the arguments.

use smallvec::SmallVec;

use super::super::treatment::without_rule;
use super::super::writer::{Call, Mode, Pullback, Writer};
use super::{Site, Tangent};
use crate::error::{Error, Result};
use crate::{Class, OpaqueFunction};

/// Placeholders for the tangents of the results.
///
/// # Errors
/// There is no rule, or forward mode is asked for.
pub(super) fn tangents(
    w: &mut Writer,
    function: &OpaqueFunction,
    site: &Site<'_>,
    wanted: &[bool],
) -> Result<Vec<Tangent>> {
    if function.body().is_none() {
        return Err(without_rule(site.op));
    }
    if w.mode == Mode::Forward {
        return Err(Error::unsupported(format!(
            "the function `{}` has a rule for reverse mode alone, so it has no derivative in a direction",
            function.name()
        )));
    }
    let types = w.graph[site.out].ty.arrays().to_vec();
    let results = types.into_iter().zip(wanted).map(|(ty, &wanted)| {
        let varies = wanted && ty.dtype.class() >= Class::Float;
        varies.then(|| w.placeholder(ty))
    });
    let results: Vec<Tangent> = results.collect();
    if let Some(&first) = results.iter().flatten().next() {
        w.called.insert(function.clone());
        w.calls.insert(
            first,
            Call {
                pullback: Pullback::Function(function.clone()),
                x: SmallVec::from_slice(site.x),
                t: SmallVec::from_slice(site.t),
                results: results.clone(),
            },
        );
    }
    Ok(results)
}
