//! Batching of views and joins.

use super::{Batcher, Item};
use crate::types::Dims;
use crate::{JoinOp, Result, ValueId, ViewOp};

pub(super) fn view(b: &mut Batcher, op: &ViewOp, x: Item) -> Result<ValueId> {
    match op {
        ViewOp::Reshape { shape } => {
            let shape = b.with_batch(shape);
            b.push(ViewOp::Reshape { shape }, &[x.value])
        }
        ViewOp::Transpose { perm } => {
            let perm: Dims = std::iter::once(0)
                .chain(perm.iter().map(|axis| axis + 1))
                .collect();
            b.push(ViewOp::Transpose { perm }, &[x.value])
        }
        ViewOp::BroadcastTo { shape } => {
            let x = b.aligned_to(x, shape.len())?;
            let shape = b.with_batch(shape);
            b.push(ViewOp::BroadcastTo { shape }, &[x])
        }
        ViewOp::Slice { slicing } => {
            let mut slicing = slicing.clone();
            slicing.starts.insert(0, 0);
            slicing.steps.insert(0, 1);
            slicing.sizes.insert(0, b.size);
            b.push(ViewOp::Slice { slicing }, &[x.value])
        }
    }
}

pub(super) fn join(b: &mut Batcher, op: &JoinOp, x: &[Item]) -> Result<ValueId> {
    let values = x.iter().map(|&item| b.batched(item));
    let values = values.collect::<Result<Vec<_>>>()?;
    let op = match *op {
        JoinOp::Concatenate { axis } => JoinOp::Concatenate { axis: axis + 1 },
        JoinOp::Stack { axis } => JoinOp::Stack { axis: axis + 1 },
    };
    b.push(op, &values)
}
