//! Rows one ahead: the sums of a row before the last loop of the row before it.
//!
//! A kernel that sums a row and then uses the sum on all of it, such as a projection, waits for the fold of its lanes once for each row.
//! A processor does something else meanwhile as far as it can see: where a row has many instructions, those of the next row are too far
//! away. So the loop is turned around: the first row is summed before it, and each round folds the sums of its row, sums the next row if
//! there is one, and then does the last part of its own.
//!
//! The next row is also read before the end of its own is written. A store under a mask is to a processor one of a whole vector, which
//! reaches into the row after it, and cannot be read from before it is in the cache: rows with such an end, one right behind the
//! other, take half of the time.
//!
//! Rows do not need each other: no index of a kernel reads what another one writes.

use smallvec::SmallVec;

use super::super::Fallback;
use super::emitter::Emitter;
use super::ir::{MaskLogic, Uniform, VectorOp};
use super::loops::InnerLoop;
use super::plan::{Lanes, length};
use super::target::Target;
use super::vcode::{
    ACC, Address, Condition, General, INDEX, LIMIT, Location, Masking, STACK, parameter,
};
use crate::kernel::Stride;

/// Instructions of the last part of a row from which the next row is too far away, measured on Zen 4: with fewer, rows that stay in
/// registers are worth more.
const FAR: usize = 32;

/// Registers for the distances to the next row, one for each slot that moves: neither has another use where a row is unrolled.
const DISTANCES: [General; 2] = [INDEX, LIMIT];

impl<T: Target> Emitter<'_, T> {
    /// Decides whether rows are summed one ahead.
    pub(super) fn plan_pipeline(&mut self) {
        let (outer, inner) = (self.kernel.outer_rank, self.kernel.inner_rank);
        let ([before], [after]) = (&self.source.before[..], &self.source.after[..]) else {
            return;
        };
        let Some(extent) = self.plan.fixed.filter(|_| outer > 0 && inner == 1) else {
            return;
        };
        let waiting = after.instructions.len() * self.plan.vectors(extent);
        let has_masked_end = !T::MASKS.are_vectors() && extent % self.plan.count != 0;
        let is_plain =
            self.plan.lanes == Lanes::Inner && !self.plan.has_calls && !self.is_chunked();
        let pays = has_masked_end || waiting >= FAR;
        if self.pipeline.is_refused || !is_plain || !pays || self.source.escaping.is_empty() {
            return;
        }
        let mut moving: SmallVec<[usize; 2]> = SmallVec::new();
        for instruction in &before.instructions {
            match *instruction {
                VectorOp::Load { slot, .. } => {
                    let slot = usize::from(slot);
                    let strides = &self.kernel.slots[slot].strides;
                    let moves = match strides[outer - 1] {
                        Stride::Zero => false,
                        Stride::Parameter => true,
                        Stride::Unit => return,
                    };
                    if strides[outer] != Stride::Unit {
                        return;
                    }
                    if moves && !moving.contains(&slot) {
                        moving.push(slot);
                    }
                }
                VectorOp::Store { .. } | VectorOp::Call { .. } => return,
                VectorOp::Reduce { .. }
                | VectorOp::Binary { .. }
                | VectorOp::Unary { .. }
                | VectorOp::Compare { .. }
                | VectorOp::Select { .. }
                | VectorOp::Logic { .. }
                | VectorOp::Not { .. }
                | VectorOp::Convert { .. } => {}
            }
        }
        // Numbers of a slot are where its pointer is.
        let of_row = before.uniforms.iter().any(|&register| {
            let Some(Uniform::Slot { slot, .. }) = self.source.uniforms[register as usize] else {
                return false;
            };
            self.kernel.slots[usize::from(slot)].strides[outer - 1] != Stride::Zero
        });
        if !of_row && !moving.is_empty() && moving.len() <= DISTANCES.len() {
            self.pipeline.moving = moving;
        }
    }

    /// Whether rows are summed one ahead.
    pub(super) fn is_pipelined(&self) -> bool {
        !self.pipeline.moving.is_empty()
    }

    /// Registers that are taken at once, beside sums that are under way, where a block takes so many.
    pub(super) fn pipelined_pressure(&self, pressure: usize) -> usize {
        if self.is_pipelined() {
            // The sums that are folded.
            pressure.max(self.reduction_registers() + 2)
        } else {
            pressure
        }
    }

    /// How far from a slot's pointer the row is that instructions are emitted for.
    pub(super) fn distance_to_row(&self, slot: usize) -> Option<(General, u8)> {
        let position = self.pipeline.moving.iter().position(|&s| s == slot)?;
        self.pipeline.is_next.then(|| (DISTANCES[position], 1))
    }

    /// The innermost outer loop.
    pub(super) fn pipelined_rows(&mut self, axis: usize) -> Result<(), Fallback> {
        let hoisted = self.hoist_rows(axis);
        let counter = Address::new(STACK, 8 * axis as i32);
        let at = self.whole();
        let (top, end) = (self.code.label(), self.code.label());
        self.code.load_general(ACC, parameter(axis));
        self.code.test(ACC);
        self.code.jump_if(Condition::LessEqual, end);
        self.code.store_general(counter, ACC);
        self.start_totals(1);
        self.inner_loops(InnerLoop::Before, 1, at)?;
        self.code.begin_loop(axis, 1);
        self.code.bind(top);
        // The registers of the sums are those of the next row, so that each round finds them where the last one left them.
        let sums = self.accumulators.clone();
        self.move_sums();
        self.finish_reductions(1);
        self.outer_block(1, at);
        self.widen_escaping();
        self.accumulators = sums;
        for index in 0..self.source.reductions.len() {
            for set in 0..self.sets(index, 1) {
                self.start(set, index);
            }
        }
        let last = self.code.label();
        self.code.load_general(ACC, counter);
        self.code.compare_number(ACC, 2);
        self.code.jump_if(Condition::Less, last);
        for (slot, to) in self.pipeline.moving.clone().into_iter().zip(DISTANCES) {
            let stride = parameter(self.stride_word(slot, axis));
            self.code.load_general(to, stride);
        }
        self.pipeline.is_next = true;
        self.inner_loops(InnerLoop::Before, 1, at)?;
        self.pipeline.is_next = false;
        self.code.bind(last);
        self.inner_loops(InnerLoop::After, 1, at)?;
        for &register in &self.source.escaping {
            self.release(register, 0);
        }
        self.advance(axis, 1);
        self.code.add_number_to_memory(counter, -1);
        self.code.jump_if(Condition::NotZero, top);
        self.code.end_loop(axis);
        for index in 0..self.source.reductions.len() {
            for set in 0..self.sets(index, 1) {
                self.release_set(set, index);
            }
        }
        if axis > 0 {
            self.return_to_start(axis);
        }
        self.code.bind(end);
        if hoisted {
            self.drop_hoisted();
        }
        Ok(())
    }

    /// Moves sums into other registers, to be folded there. The old ones stay taken.
    fn move_sums(&mut self) {
        for index in 0..self.source.reductions.len() {
            let kind = self.source.reductions[index].kind;
            for set in 0..self.sets(index, 1) {
                let from = self.accumulators[set][index].clone();
                self.take_set(set, index);
                let to = self.accumulators[set][index].clone();
                for pair in from.into_iter().zip(to) {
                    match pair {
                        (Location::Vector(from), Location::Vector(to)) => {
                            let length = length(kind, self.plan.count);
                            self.code.copy(kind, length, to, from, Masking::None);
                        }
                        (Location::Mask(from), Location::Mask(to)) => {
                            self.code.mask_logic(MaskLogic::And, to, from, from);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}
