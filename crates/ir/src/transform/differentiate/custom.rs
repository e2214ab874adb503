//! Functions with a pullback of their own: their results get placeholders, and when the cotangents of all of them are there,
//! the pullback gives those of the arguments.

use smallvec::SmallVec;

use super::Sweep;
use super::tangent::{Site, Tangent};
use super::writer::{Mode, Writer};
use crate::error::{Error, Result};
use crate::{Class, OpaqueFunction, ValueId};

/// A call that is differentiated.
pub(super) struct Call {
    function: OpaqueFunction,
    /// The arguments and their tangents.
    x: SmallVec<[ValueId; 4]>,
    t: SmallVec<[Tangent; 4]>,
    /// The placeholder of each result that is asked for.
    results: Vec<Tangent>,
}

/// Placeholders for the tangents of the results.
///
/// # Errors
/// There is no pullback, or forward mode is asked for.
pub(super) fn tangents(
    w: &mut Writer,
    function: &OpaqueFunction,
    site: &Site<'_>,
    wanted: &[bool],
) -> Result<Vec<Tangent>> {
    if function.pullback().is_none() {
        return Err(super::without_rule(site.op));
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
        w.called.push(function.clone());
        w.calls.insert(
            first,
            Call {
                function: function.clone(),
                x: SmallVec::from_slice(site.x),
                t: SmallVec::from_slice(site.t),
                results: results.clone(),
            },
        );
    }
    Ok(results)
}

impl Sweep {
    /// Goes back through a call, once the cotangents of all its results are there.
    pub(super) fn call(&mut self, w: &mut Writer, call: &Call) -> Result<()> {
        let mut of = |result: &Tangent| match *result {
            Some(placeholder) => self.finished(w, placeholder),
            None => Ok(None),
        };
        let cotangents = call.results.iter().map(&mut of);
        let cotangents = cotangents.collect::<Result<Vec<Option<ValueId>>>>()?;
        let Some(pullback) = call.function.pullback() else {
            return Ok(());
        };
        if cotangents.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut inputs = call.x.to_vec();
        for (ct, ty) in cotangents
            .iter()
            .zip(&pullback.input_types()[call.x.len()..])
        {
            inputs.push(match *ct {
                Some(ct) => ct,
                None => w.zeros(ty)?,
            });
        }
        let gradients = w.graph.inline(pullback, &inputs, w.location)?;
        for (t, gradient) in call.t.iter().zip(gradients) {
            if let Some(t) = *t {
                self.accumulate(w, t, gradient.into())?;
            }
        }
        Ok(())
    }
}
