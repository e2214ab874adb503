//! Random draws in graphs: which numbers each call of a graph takes from its generators.

use std::sync::Arc;

use smallvec::SmallVec;

use super::graph::Graph;
use super::op::Op;

pub use super::draw::{CallDraw, CallDraws, Distribution, Draw, GeneratorState, fixed_numbers};

/// The numbers of all draws of one call.
#[derive(Debug, Default)]
pub struct Reserved(SmallVec<[(Arc<CallDraws>, u64, u64); 1]>);

impl Reserved {
    /// Takes them, for each generator that these ops draw from.
    pub fn new<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let mut reserved = Self::default();
        for op in ops {
            if let Op::Random {
                draw: Draw::Call(draw),
                ..
            } = op
                && reserved.find(draw).is_none()
            {
                let (seed, first) = draw.draws.reserve();
                reserved.0.push((Arc::clone(&draw.draws), seed, first));
            }
        }
        reserved
    }

    fn find(&self, draw: &CallDraw) -> Option<(u64, u64)> {
        let mut all = self.0.iter();
        let found = all.find(|(draws, ..)| Arc::ptr_eq(draws, &draw.draws));
        found.map(|&(_, seed, first)| (seed, first))
    }

    /// The op with a fixed draw, if it draws anew in each call.
    pub fn fixed(&self, op: &Op) -> Option<Op> {
        let Op::Random {
            draw: Draw::Call(draw),
            distribution,
            ty,
        } = op
        else {
            return None;
        };
        let (seed, first) = self.find(draw)?;
        let number = first.wrapping_add(draw.offset);
        Some(Op::Random {
            draw: Draw::Fixed { seed, number },
            distribution: *distribution,
            ty: ty.clone(),
        })
    }
}

/// The draws of which no node of the graph is left; a call takes their numbers all the same.
pub fn unused(graph: &Graph, mut draws: Vec<Arc<CallDraws>>) -> Vec<Arc<CallDraws>> {
    if draws.is_empty() {
        return draws;
    }
    for node in graph.nodes() {
        if let Op::Random {
            draw: Draw::Call(draw),
            ..
        } = &node.op
        {
            draws.retain(|d| !Arc::ptr_eq(d, &draw.draws));
        }
    }
    draws
}
