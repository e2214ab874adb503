//! Constant folding by the reference interpreter.
//!
//! Only what is cheap is folded: the interpreter is slow, so a graph has a budget of elements, and its results stay
//! in memory with the executable, so constants have a largest size ([`super::Options::fold_limit`]).
//! Ops that fail at run time (an index out of range) are left to fail at run time.

use super::candidate::{Candidate, Rule};
use crate::{ArrayType, HostArray, LeafOp, LinalgOp, Op, Tensor, ValueId, ViewOp, evaluate_op};

pub(super) const RULES: &[Rule] = &[("fold", fold)];

/// How many elements are read and made for one graph: the interpreter takes about a tenth of a microsecond for each.
pub(super) const WORK: usize = 1 << 17;

/// Ops that are better left to run.
fn stays(op: &Op) -> bool {
    match op {
        // What a user registered may have effects, and runs at each call.
        Op::Opaque { .. } => true,
        // The interpreter is slow, and how often it would run is not known.
        Op::Control(_) => true,
        // Their order is free, and should be that of `eig` beside them; the interpreter's iteration is slow, too.
        Op::Linalg(LinalgOp::Eigvals) => true,
        // Views of constants are free where they are, and would only be copied by folding.
        Op::View(
            ViewOp::BroadcastTo { .. }
            | ViewOp::Reshape { .. }
            | ViewOp::Transpose { .. }
            | ViewOp::Slice { .. },
        ) => true,
        Op::Leaf(_)
        | Op::Map(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Sort(_)
        | Op::Contract(_)
        | Op::Index(_)
        | Op::Join(_)
        | Op::Linalg(_)
        | Op::Fourier(_)
        | Op::Get { .. }
        | Op::Random { .. } => false,
    }
}

fn fold(c: &mut Candidate<'_, '_>) -> Option<ValueId> {
    let constant = |c: &mut Candidate<'_, '_>, input: ValueId| {
        matches!(
            c.node(input).op,
            Op::Leaf(LeafOp::Literal { .. } | LeafOp::Constant { .. })
        )
    };
    let first = *c.inputs.first()?;
    if !constant(c, first) || !c.inputs.iter().all(|&input| constant(c, input)) || stays(c.op) {
        return None;
    }
    let fits = |ty: &ArrayType, limit| ty.size().saturating_mul(ty.dtype.size()) <= limit;
    let (ty, limit) = (c.array_type()?, c.options.fold_limit);
    if !fits(ty, limit) {
        return None;
    }
    // All pairs of elements may be visited, unless it is one of each at a time.
    let (mut sum, mut product) = (ty.size(), ty.size().max(1));
    for &input in c.inputs {
        let ty = c.node(input).ty.array().ok()?;
        if !fits(ty, limit) {
            return None;
        }
        sum = sum.saturating_add(ty.size());
        product = product.saturating_mul(ty.size().max(1));
    }
    let work = if c.op.is_elementwise() { sum } else { product };
    c.fold_work.set(c.fold_work.get().checked_sub(work)?);
    let mut inputs = Vec::with_capacity(c.inputs.len());
    for &input in c.inputs {
        let array = match c.node(input).op {
            Op::Leaf(LeafOp::Literal { value }) => HostArray::scalar(value.value, value.dtype),
            Op::Leaf(LeafOp::Constant { index, .. }) => c.graph().constants()[index].clone(),
            _ => return None,
        };
        inputs.push(Tensor::from(&array));
    }
    let tensor = evaluate_op(c.op, &inputs).ok()?.pop()?;
    let constant = tensor.to_host().ok()?;
    let folded = c.graph().add_constant(constant);
    let location = c.builder.location();
    c.graph().locate(folded, location);
    Some(folded)
}
