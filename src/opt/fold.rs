//! Constant folding by the reference interpreter.
//!
//! Only what is cheap is folded: the interpreter is slow and its results stay in memory with the executable.
//! What fails at run time (an index out of range) is left to fail at run time.

use super::rewrite::{Candidate, Rule};
use crate::ir::{HostArray, Op, Tensor, ValueId, evaluate_op};

pub(super) const RULES: &[Rule] = &[("fold", fold)];

/// The largest number of elements of an array that folding reads or makes.
const LARGEST: usize = 4096;

/// The largest product of sizes for ops that are not elementwise: the interpreter may visit all pairs.
const LARGEST_WORK: usize = 1 << 16;

fn fold(c: &mut Candidate<'_>) -> Option<ValueId> {
    // What a user registered may have effects, and runs at each call.
    if matches!(c.op, Op::Opaque { .. }) {
        return None;
    }
    // Their order is free, and should be that of `eig` beside them; the interpreter's iteration is slow, too.
    if matches!(c.op, Op::Eigvals) {
        return None;
    }
    // Views of constants are free where they are, and would only be copied by folding.
    if matches!(
        c.op,
        Op::BroadcastTo { .. } | Op::Reshape { .. } | Op::Transpose { .. } | Op::Slice { .. }
    ) {
        return None;
    }
    let result = c.array_type()?.size();
    let mut work = result.max(1);
    let mut inputs = Vec::with_capacity(c.inputs.len());
    for &input in c.inputs {
        let array = match &c.graph[input].op {
            Op::Literal { value } => HostArray::scalar(value.value, value.dtype),
            Op::Constant { index, .. } => c.graph.constants()[*index].clone(),
            _ => return None,
        };
        let size = array.shape().iter().product::<usize>();
        if size > LARGEST {
            return None;
        }
        work = work.saturating_mul(size.max(1));
        inputs.push(Tensor::from(&array));
    }
    if inputs.is_empty() || result > LARGEST || (!c.op.is_elementwise() && work > LARGEST_WORK) {
        return None;
    }
    let tensor = evaluate_op(c.op, &inputs).ok()?.pop()?;
    Some(c.graph.add_constant(tensor.to_host().ok()?))
}
