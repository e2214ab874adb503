//! Sums whose lanes are on the stack: each lane of a vector has a sum of its own, so that its lanes are vectors too.
//!
//! `INDEX` points to the lane that the next terms belong to; the lanes of all reductions at one position are beside each other.

use super::super::emitter::{Emitter, Instance};
use super::super::ir::Binary;
use super::super::plan::{MemoryLanes, length};
use super::super::target::Target;
use super::super::vcode::{ACC, Address, Condition, INDEX, Masking, Operand, STACK, Vector};

impl<T: Target> Emitter<'_, T> {
    /// Lanes on the stack start anew, and `INDEX` points to the first.
    pub(in super::super) fn start_memory(&mut self, copies: usize) {
        let Some(memory) = self.plan.memory else {
            return;
        };
        self.point_to_lanes(memory);
        self.begin();
        let zero = self.registers.take();
        self.code.clear(zero);
        for lane in 0..memory.used {
            for index in 0..self.source.reductions.len() {
                if !self.is_compensated(index) {
                    continue;
                }
                let (kind, parts) = self.kind_and_parts(index);
                for part in 0..parts {
                    for copy in 0..copies {
                        let to = self.lane(index, part, copy, lane);
                        let length = length(kind, self.plan.count);
                        self.code.store(kind, length, to, zero, Masking::None);
                    }
                }
            }
        }
        self.registers.give(zero);
    }

    /// `INDEX` points to the first lane on the stack.
    fn point_to_lanes(&mut self, memory: MemoryLanes) {
        let last = self.memory_at + memory.bytes() - 1;
        self.code.address_of(INDEX, Address::new(STACK, last));
        self.code.and_number(INDEX, -memory.bytes());
    }

    /// A lane, counted from the one that `INDEX` points to.
    pub(super) fn lane(&self, index: usize, part: usize, copy: usize, lane: i32) -> Address {
        let before = (0..index).filter(|&i| self.is_compensated(i));
        let before: usize = before.map(|i| self.kind_and_parts(i).1).sum();
        let (step, vector) = self.plan.memory.map_or((0, 0), |m| (m.step, m.vector));
        let number = ((before + part) * self.plan.unroll + copy) as i32;
        Address::new(INDEX, lane * step + number * vector)
    }

    /// `INDEX` points to the next lane.
    pub(in super::super) fn next_lane(&mut self) {
        let Some(memory) = self.plan.memory else {
            return;
        };
        self.code.add_number(INDEX, memory.step);
        if memory.used < memory.lanes {
            return;
        }
        let go_on = self.code.label();
        self.code.move_general(ACC, INDEX);
        self.code.and_number(ACC, memory.bytes() - 1);
        self.code.jump_if(Condition::NotZero, go_on);
        self.code.add_number(INDEX, -memory.bytes());
        self.code.bind(go_on);
    }

    /// Adds vectors to the lane on the stack that `INDEX` points to.
    pub(super) fn add_to_memory(&mut self, index: usize, values: &[Vector], at: Instance) {
        let (kind, _) = self.kind_and_parts(index);
        let length = length(kind, at.count);
        for (part, &value) in values.iter().enumerate() {
            let lane = self.lane(index, part, at.copy, 0);
            self.begin();
            let sum = self.registers.take();
            self.code
                .load(kind, length, sum, Operand::Memory(lane), Masking::None);
            self.combine(kind, at.count)
                .arithmetic(Binary::Add, sum, sum, value);
            self.code.store(kind, length, lane, sum, Masking::None);
            self.registers.give(sum);
        }
    }

    /// The fold of the lanes `first`, `first + step`, ... on the stack, in a register.
    fn fold_memory(
        &mut self,
        (index, part, copy): (usize, usize, usize),
        first: i32,
        step: i32,
    ) -> Vector {
        let used = self.plan.memory.map_or(1, |m| m.used);
        let (kind, _) = self.kind_and_parts(index);
        if first + step >= used {
            let length = length(kind, self.plan.count);
            self.begin();
            let sum = self.registers.take();
            let from = Operand::Memory(self.lane(index, part, copy, first));
            self.code.load(kind, length, sum, from, Masking::None);
            return sum;
        }
        let sum = self.fold_memory((index, part, copy), first, 2 * step);
        let other = self.fold_memory((index, part, copy), first + step, 2 * step);
        self.combine(kind, self.plan.count)
            .arithmetic(Binary::Add, sum, sum, other);
        self.registers.give(other);
        sum
    }

    /// Folds the lanes of a block on the stack for each copy, and adds it to its total.
    pub(in super::super) fn add_block(&mut self, copies: usize) {
        let Some(memory) = self.plan.memory else {
            return;
        };
        self.point_to_lanes(memory);
        for copy in 0..copies {
            for index in 0..self.source.reductions.len() {
                let totals = self.totals[copy][index].clone();
                let (kind, _) = self.kind_and_parts(index);
                for (part, (sum, compensation)) in totals.into_iter().enumerate() {
                    let block = self.fold_memory((index, part, copy), 0, 1);
                    self.combine(kind, self.plan.count)
                        .two_sum(sum, compensation, block);
                    self.registers.give(block);
                }
            }
        }
    }
}
