//! Rules for tangents: the derivative of each op in a direction, written with ops that are linear in the direction.
//!
//! A rule is given the inputs with the dtypes of the op's signature, the tangents that are not zero, in the same dtypes,
//! and the result of the op. It gives the tangent of the result, or `None` where that is zero. What it writes may be of a
//! shape that broadcasts to the result's.
//!
//! Ops on tangents must be those that `adjoint` transposes.

mod contract;
mod custom;
mod decompose;
mod elementwise;
mod index;
mod linalg;
mod pinv;
mod reduce;
mod special;
mod spectra;
mod views;

use super::control;
use super::treatment::without_rule;
use super::writer::Writer;
use crate::error::Result;
use crate::{Op, ValueId};

/// A tangent; `None` is zero.
pub(super) type Tangent = Option<ValueId>;

/// A node that is differentiated.
pub(super) struct Site<'a> {
    /// Its op.
    pub(super) op: &'a Op,
    /// Its inputs, with the dtypes of the op's signature.
    pub(super) x: &'a [ValueId],
    /// Their tangents.
    pub(super) t: &'a [Tangent],
    /// Its result.
    pub(super) out: ValueId,
}

impl Site<'_> {
    /// The op with other inputs: what a linear op does to tangents.
    fn again(&self, w: &mut Writer, inputs: &[ValueId]) -> Result<Tangent> {
        w.op(self.op.clone(), inputs).map(Some)
    }

    /// The sum over inputs of the op with the tangent in place of the input: the rule of all multilinear ops.
    fn multilinear(&self, w: &mut Writer) -> Result<Tangent> {
        let mut terms = Vec::new();
        for (i, t) in self.t.iter().enumerate() {
            if let Some(t) = *t {
                let mut inputs = self.x.to_vec();
                inputs[i] = t;
                terms.push(self.again(w, &inputs)?);
            }
        }
        w.total(terms)
    }
}

/// The tangent of an op with one result.
///
/// # Errors
/// The op has no rule.
pub(super) fn of_array(w: &mut Writer, site: &Site<'_>) -> Result<Tangent> {
    match site.op {
        Op::Map(op) => elementwise::tangent(w, *op, site),
        Op::Reduce(op) => reduce::tangent(w, op, site),
        Op::Scan(op) => reduce::scan(w, op, site),
        Op::Sort(op) => reduce::sort(w, op, site),
        Op::Contract(op) => contract::tangent(w, op, site),
        Op::View(op) => views::tangent(w, op, site),
        Op::Join(op) => views::join(w, op, site),
        Op::Index(op) => index::tangent(w, op, site),
        Op::Linalg(op) => linalg::tangent(w, op, site),
        Op::Fourier(_) => site.multilinear(w),
        Op::Leaf(_) | Op::Control(_) | Op::Get { .. } | Op::Random { .. } | Op::Opaque { .. } => {
            Err(without_rule(site.op))
        }
    }
}

/// The tangents of the results of an op with several, of which some are wanted.
///
/// # Errors
/// The op has no rule.
pub(super) fn of_tuple(w: &mut Writer, site: &Site<'_>, wanted: &[bool]) -> Result<Vec<Tangent>> {
    match site.op {
        Op::Linalg(op) => decompose::tangents(w, op, site, wanted),
        Op::Opaque { function } => custom::tangents(w, function, site, wanted),
        Op::Control(op) => control::tangents(
            w,
            &control::Site {
                op,
                x: site.x,
                t: site.t,
                out: site.out,
                wanted,
            },
        ),
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::View(_)
        | Op::Join(_)
        | Op::Index(_)
        | Op::Fourier(_)
        | Op::Get { .. }
        | Op::Random { .. } => Err(without_rule(site.op)),
    }
}
