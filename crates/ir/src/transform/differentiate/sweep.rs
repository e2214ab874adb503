//! The way back: from the cotangents of the results, through the tangents from the last to the first, to those of the
//! placeholders.
//!
//! Invariant: a node is gone through when all that use it have been, so its cotangent is complete.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::adjoint::{self, Added, Cotangent, Part};
use super::control;
use super::writer::{Call, Direct, Writer};
use crate::error::{Error, Result};
use crate::scatter::ScatterMode;
use crate::{IndexOp, Node, ValueId};

/// The way back through the tangents.
pub(super) struct Sweep {
    /// The number of the first node that may be a tangent; those after the last one belong to the backward pass.
    first: usize,
    /// Which nodes depend on a placeholder.
    linear: Vec<bool>,
    /// The sums so far.
    cotangents: Vec<Option<ValueId>>,
    /// Parts of cotangents that are put together when all of them are known.
    pending: FxHashMap<ValueId, Pending>,
}

#[derive(Default)]
struct Pending {
    parts: Vec<Part>,
    added: Vec<Added>,
}

impl Sweep {
    pub(super) fn new(w: &Writer, first: usize) -> Self {
        let nodes = &w.graph.nodes()[first..];
        let mut linear = vec![false; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            let mut inputs = node.inputs.iter().map(|input| input.index());
            linear[i] = w.is_placeholder(node)
                || inputs.any(|input| input >= first && linear[input - first]);
        }
        Self {
            first,
            cotangents: vec![None; linear.len()],
            linear,
            pending: FxHashMap::default(),
        }
    }

    pub(super) fn of(&self, value: ValueId) -> Option<ValueId> {
        self.cotangents[value.index() - self.first]
    }

    fn is_linear(&self, value: ValueId) -> bool {
        let index = value.index().checked_sub(self.first);
        index.is_some_and(|i| self.linear.get(i) == Some(&true))
    }

    /// Adds to the cotangent of a tangent.
    pub(super) fn accumulate(
        &mut self,
        w: &mut Writer,
        value: ValueId,
        ct: Cotangent,
    ) -> Result<()> {
        if !self.is_linear(value) {
            return Ok(());
        }
        match ct {
            Cotangent::Whole(ct) => {
                let (have, want) = (&w.graph[ct].ty, &w.graph[value].ty);
                let ct = if Arc::ptr_eq(have, want) || have == want {
                    ct
                } else {
                    let ty = w.ty(value)?;
                    w.gather(ct, &ty)?
                };
                let sum = &mut self.cotangents[value.index() - self.first];
                *sum = Some(match *sum {
                    Some(sum) => w.add(sum, ct)?,
                    None => ct,
                });
            }
            Cotangent::Part(part) => self.pending.entry(value).or_default().parts.push(*part),
            Cotangent::Added(added) => {
                let pending = self.pending.entry(value).or_default();
                pending.added.push(*added);
            }
        }
        Ok(())
    }

    /// The cotangent of a tangent to which nothing is added any more.
    fn finished(&mut self, w: &mut Writer, value: ValueId) -> Result<Option<ValueId>> {
        if let Some(pending) = self.pending.remove(&value) {
            let ty = w.ty(value)?;
            if let Some(parts) = adjoint::assemble(w, pending.parts, &ty.shape)? {
                self.accumulate(w, value, parts.into())?;
            }
            for Added { key, arrays, ct } in pending.added {
                let sum = match self.of(value) {
                    Some(sum) => sum,
                    None => w.zeros(&ty)?,
                };
                // The sum is updated: nothing of the size of the array is added to it.
                let mut inputs = vec![sum, w.cast(ct, ty.dtype)?];
                inputs.extend(arrays);
                let mode = ScatterMode::Add;
                let sum = w.op(IndexOp::Scatter { key, mode }, &inputs)?;
                self.cotangents[value.index() - self.first] = Some(sum);
            }
        }
        Ok(self.of(value))
    }

    /// Goes from the last tangent to the first.
    pub(super) fn run(&mut self, w: &mut Writer) -> Result<()> {
        for i in (0..self.linear.len()).rev() {
            let value = ValueId((self.first + i) as u32);
            if !self.linear[i] {
                continue;
            }
            w.location = w.graph[value].location;
            let ct = self.finished(w, value)?;
            if let Some(call) = w.calls.remove(&value) {
                self.call(w, &call)?;
                continue;
            }
            let Some(ct) = ct else { continue };
            let at = |e: Error, node: &Node| match node.location {
                Some(location) => e.at(location),
                None => e,
            };
            match w.take_placeholder(value) {
                Some(Some(Direct { value, t })) => {
                    let node = w.graph[value].clone();
                    let cotangents = adjoint::of_direct(w, &node, &t, ct);
                    for (input, ct) in cotangents.map_err(|e| at(e, &node))? {
                        if let Some(t) = t[input] {
                            self.accumulate(w, t, ct)?;
                        }
                    }
                }
                Some(None) => {
                    if let Some(&whole) = w.whole.get(&value) {
                        let (input, ct) = adjoint::of_whole(w, whole, ct)?;
                        self.accumulate(w, input, ct.into())?;
                    }
                }
                None => {
                    let node = w.graph[value].clone();
                    let linear: SmallVec<[bool; 4]> =
                        node.inputs.iter().map(|&v| self.is_linear(v)).collect();
                    let cotangents = adjoint::of_node(w, &node, &linear, ct);
                    for (input, ct) in cotangents.map_err(|e| at(e, &node))? {
                        self.accumulate(w, node.inputs[input], ct)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Goes back through a call, once the cotangents of all its results are there.
    fn call(&mut self, w: &mut Writer, call: &Call) -> Result<()> {
        let of = |result: &Option<ValueId>| result.and_then(|placeholder| self.of(placeholder));
        let cotangents: Vec<Option<ValueId>> = call.results.iter().map(of).collect();
        if cotangents.iter().all(Option::is_none) {
            return Ok(());
        }
        let first = call.results.iter().flatten().next();
        w.location = first.and_then(|&first| w.graph[first].location);
        let pulled = control::pull(w, call, &cotangents);
        let gradients = pulled.map_err(|e| w.location.map_or(e.clone(), |l| e.at(l)))?;
        for (input, gradient) in gradients {
            if let Some(t) = call.t[input] {
                self.accumulate(w, t, gradient.into())?;
            }
        }
        Ok(())
    }
}
