//! The loops around the instructions of a kernel.
//!
//! Loops over axes without lanes move the slots' pointers, and put them back where they were. Along the lanes: several
//! vectors a round, then one at a time under a mask until the end, which is at most as many rounds as a full one has
//! vectors.

use super::super::Fallback;
use super::emitter::{Emitter, Instance};
use super::ir::{Block, Kind, Register, Uniform};
use super::plan::{Lanes, Order};
use super::target::Target;
use super::vcode::{
    ACC, AUX, Address, Condition, DOUBLE_INDEX, INDEX, LIMIT, MaskInst, Note, Pointer, STACK, Tail,
    parameter,
};
use crate::kernel::Stride;
use autojit_runtime::sum::BLOCK;

/// Which inner loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InnerLoop {
    Before,
    After,
}

impl<'a, T: Target> Emitter<'a, T> {
    pub(super) fn phases_of(&self, which: InnerLoop) -> &'a [Block] {
        match which {
            InnerLoop::Before => &self.plan.source.before,
            InnerLoop::After => &self.plan.source.after,
        }
    }

    /// The only phase of an inner loop that calls no functions.
    fn block_of(&self, which: InnerLoop) -> Result<&'a Block, Fallback> {
        match self.phases_of(which) {
            [block] if block.calls.is_empty() => Ok(block),
            _ => Err("functions are called where lanes are no neighbours"),
        }
    }

    fn innermost(&self) -> usize {
        self.kernel.outer_rank + self.kernel.inner_rank - 1
    }

    pub(super) fn whole(&self) -> Instance {
        Instance {
            count: self.plan.count,
            ahead: 0,
            indexed: false,
            masked: false,
            copy: 0,
        }
    }

    /// The outer loops from an axis on, and all that is inside.
    pub(super) fn outer_loops(&mut self, axis: usize) -> Result<(), Fallback> {
        if axis == self.kernel.outer_rank {
            return self.body(1, false);
        }
        let is_last = axis + 1 == self.kernel.outer_rank;
        if is_last && self.plan.lanes == Lanes::Outer {
            return self.lanes_outside(axis);
        }
        if is_last && self.is_pipelined() {
            return self.pipelined_rows(axis);
        }
        let hoisted = self.hoist_rows(axis);
        self.counted(axis, 8 * axis as i32, axis > 0, |s| s.outer_loops(axis + 1))?;
        if hoisted {
            self.drop_hoisted();
        }
        Ok(())
    }

    /// `for _ in 0..extent` with pointers moving along the axis, and back if others need them where they were.
    fn counted(
        &mut self,
        axis: usize,
        counter: i32,
        restore: bool,
        body: impl FnOnce(&mut Self) -> Result<(), Fallback>,
    ) -> Result<(), Fallback> {
        let counter = Address::new(STACK, counter);
        let (top, end) = (self.code.label(), self.code.label());
        self.code.load_general(ACC, parameter(axis));
        self.code.test(ACC);
        self.code.jump_if(Condition::LessEqual, end);
        self.code.store_general(counter, ACC);
        self.code.begin_loop(axis, 1);
        self.code.bind(top);
        body(self)?;
        self.advance(axis, 1);
        self.code.add_number_to_memory(counter, -1);
        self.code.jump_if(Condition::NotZero, top);
        self.code.end_loop(axis);
        if restore {
            self.return_to_start(axis);
        }
        self.code.bind(end);
        Ok(())
    }

    /// Moves all pointers by some elements along an axis.
    pub(super) fn advance(&mut self, axis: usize, elements: i32) {
        for slot in 0..self.kernel.slots.len() {
            let pointer = self.pointers[slot];
            if self.is_scratch(slot) || self.kernel.slots[slot].strides[axis] == Stride::Zero {
                continue;
            }
            self.code.note(Note::Advance {
                slot,
                axis,
                elements,
            });
            match self.kernel.slots[slot].strides[axis] {
                Stride::Zero => {}
                Stride::Unit => {
                    let bytes = elements * self.kernel.slots[slot].dtype.size() as i32;
                    match pointer {
                        Pointer::Register(r) => self.code.add_number(r, bytes),
                        Pointer::Frame(at) => {
                            self.code
                                .add_number_to_memory(Address::new(STACK, at), bytes);
                        }
                        Pointer::Scratch(_) => {}
                    }
                }
                Stride::Parameter => {
                    let stride = parameter(self.stride_word(slot, axis));
                    match pointer {
                        Pointer::Register(r) if elements == 1 => self.code.add_memory(r, stride),
                        _ => {
                            self.code.load_general(ACC, stride);
                            if elements != 1 {
                                self.code.multiply_number(ACC, ACC, elements);
                            }
                            self.move_by_rax(slot);
                        }
                    }
                }
            }
        }
    }

    fn move_by_rax(&mut self, slot: usize) {
        match self.pointers[slot] {
            Pointer::Register(r) => self.code.add(r, ACC),
            Pointer::Frame(at) => self.code.add_to_memory(Address::new(STACK, at), ACC),
            Pointer::Scratch(_) => {}
        }
    }

    /// Moves a pointer back by as many elements along an axis as `ACC` says, which it changes.
    pub(super) fn move_back(&mut self, slot: usize, axis: usize) {
        match self.kernel.slots[slot].strides[axis] {
            Stride::Zero => return,
            Stride::Unit => {
                let size = self.kernel.slots[slot].dtype.size() as i32;
                self.code.multiply_number(ACC, ACC, -size);
            }
            Stride::Parameter => {
                let stride = parameter(self.stride_word(slot, axis));
                self.code.multiply_memory(ACC, stride);
                self.code.negate(ACC);
            }
        }
        self.move_by_rax(slot);
    }

    /// The innermost outer loop, whose elements are in lanes.
    fn lanes_outside(&mut self, axis: usize) -> Result<(), Fallback> {
        let count = self.plan.count;
        let round = count * self.plan.unroll as i32;
        let (main, rest, end) = (self.code.label(), self.code.label(), self.code.label());
        self.code.load_general(LIMIT, parameter(axis));
        self.code.begin_loop(axis, round);
        self.code.bind(main);
        self.code.compare_number(LIMIT, round);
        self.code.jump_if(Condition::Less, rest);
        self.body(self.plan.unroll, false)?;
        self.advance(axis, round);
        self.code.add_number(LIMIT, -round);
        self.code.jump(main);
        self.code.end_loop(axis);
        self.code.begin_loop(axis, count);
        self.code.bind(rest);
        self.code.test(LIMIT);
        self.code.jump_if(Condition::LessEqual, end);
        self.code.move_general(ACC, LIMIT);
        self.tail_masks();
        self.body(1, true)?;
        self.advance(axis, count);
        self.code.add_number(LIMIT, -count);
        self.code.jump(rest);
        self.code.end_loop(axis);
        self.code.bind(end);
        if axis > 0 {
            for slot in 0..self.kernel.slots.len() {
                if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                    // So many elements were passed, those beyond the end included.
                    self.code.load_general(ACC, parameter(axis));
                    self.code.subtract(ACC, LIMIT);
                    self.move_back(slot, axis);
                }
            }
        }
        Ok(())
    }

    /// The part that runs for one outer index, or for as many as are in lanes.
    fn body(&mut self, copies: usize, masked: bool) -> Result<(), Fallback> {
        let at = Instance {
            masked: masked && self.plan.lanes == Lanes::Outer,
            ..self.whole()
        };
        let inner = self.plan.lanes == Lanes::Inner;
        self.start_totals(copies);
        self.inner_loops(InnerLoop::Before, copies, at)?;
        self.finish_reductions(copies);
        self.outer_block(copies, at);
        if self.plan.has_calls {
            self.put_away_escaping();
        } else if inner {
            self.widen_escaping();
        }
        self.inner_loops(InnerLoop::After, copies, at)?;
        self.drop_carried();
        for copy in 0..copies {
            for &register in &self.source.escaping {
                self.release(register, copy);
            }
        }
        Ok(())
    }

    /// The outer part, of the results of the first inner loop.
    pub(super) fn outer_block(&mut self, copies: usize, at: Instance) {
        let inner = self.plan.lanes == Lanes::Inner;
        let outer = Instance {
            count: if inner { 1 } else { self.plan.count },
            ..at
        };
        let block = &self.source.outer;
        let hoisted = self.hoist_for_calls(block, 1);
        for copy in 0..copies {
            let ahead = if inner { 0 } else { self.ahead(copy) };
            self.block(
                block,
                Instance {
                    ahead,
                    copy,
                    ..outer
                },
            );
        }
        self.release_all(&hoisted);
        self.release_results(copies);
    }

    fn ahead(&self, copy: usize) -> i32 {
        copy as i32 * self.plan.count
    }

    pub(super) fn inner_loops(
        &mut self,
        which: InnerLoop,
        copies: usize,
        at: Instance,
    ) -> Result<(), Fallback> {
        if self.phases_of(which).iter().all(Block::is_empty) {
            return Ok(());
        }
        self.inner_loop(which, self.kernel.outer_rank, copies, at)
    }

    fn inner_loop(
        &mut self,
        which: InnerLoop,
        axis: usize,
        copies: usize,
        at: Instance,
    ) -> Result<(), Fallback> {
        let rank = self.kernel.outer_rank + self.kernel.inner_rank;
        if axis == rank {
            let block = self.block_of(which)?;
            for copy in 0..copies {
                let ahead = self.ahead(copy);
                self.block(block, Instance { ahead, copy, ..at });
            }
            return Ok(());
        }
        let is_last = axis + 1 == rank;
        if is_last && self.plan.lanes == Lanes::Inner {
            return self.lanes_inside(which, axis);
        }
        let counter = 8
            * (axis
                + if which == InnerLoop::After {
                    self.kernel.inner_rank
                } else {
                    0
                }) as i32;
        if is_last && which == InnerLoop::Before {
            if let Some(terms) = self.plan.terms {
                return self.terms(axis, terms, copies, at);
            }
            if self.is_chunked() {
                return self.blocks(axis, counter, copies, at);
            }
        }
        let hoisted = self.hoist_rows(axis);
        self.counted(axis, counter, true, |s| {
            s.inner_loop(which, axis + 1, copies, at)
        })?;
        if hoisted {
            self.drop_hoisted();
        }
        Ok(())
    }

    /// The innermost loop without lanes, in blocks that are added to the totals.
    fn blocks(
        &mut self,
        axis: usize,
        counter: i32,
        copies: usize,
        at: Instance,
    ) -> Result<(), Fallback> {
        let rank = self.kernel.outer_rank + self.kernel.inner_rank;
        let outside = Address::new(STACK, 8 * (rank + self.kernel.inner_rank) as i32);
        let inside = Address::new(STACK, counter);
        let (next, top, end) = (self.code.label(), self.code.label(), self.code.label());
        self.code.load_general(ACC, parameter(axis));
        self.code.test(ACC);
        self.code.jump_if(Condition::LessEqual, end);
        self.code.bind(next);
        // `ACC` holds what is left: min(rax, BLOCK) in this block.
        self.code.move_number(AUX, BLOCK as i32);
        self.code.compare_general(ACC, AUX);
        self.code.move_if(Condition::Less, AUX, ACC);
        self.code.subtract(ACC, AUX);
        self.code.store_general(outside, ACC);
        self.code.store_general(inside, AUX);
        self.start_memory(copies);
        self.code.begin_loop(axis, 1);
        self.code.bind(top);
        self.inner_loop(InnerLoop::Before, rank, copies, at)?;
        self.next_lane();
        self.advance(axis, 1);
        self.code.add_number_to_memory(inside, -1);
        self.code.jump_if(Condition::NotZero, top);
        self.code.end_loop(axis);
        self.add_block(copies);
        self.code.load_general(ACC, outside);
        self.code.test(ACC);
        self.code.jump_if(Condition::Greater, next);
        self.return_to_start(axis);
        self.code.bind(end);
        Ok(())
    }

    /// The innermost loop without lanes, unrolled altogether: the lanes of its sums are in registers.
    fn terms(
        &mut self,
        axis: usize,
        terms: i32,
        copies: usize,
        at: Instance,
    ) -> Result<(), Fallback> {
        let rank = self.kernel.outer_rank + self.kernel.inner_rank;
        for turn in 0..terms {
            self.turn = turn as usize;
            // To the verifier a loop of one round, in which each pointer moves once.
            self.code.begin_loop(axis, 1);
            self.inner_loop(InnerLoop::Before, rank, copies, at)?;
            self.advance(axis, 1);
            self.code.end_loop(axis);
        }
        self.return_to_start(axis);
        Ok(())
    }

    /// Moves all pointers back from the end of an axis.
    pub(super) fn return_to_start(&mut self, axis: usize) {
        for slot in 0..self.kernel.slots.len() {
            if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                self.code.load_general(ACC, parameter(axis));
                self.move_back(slot, axis);
            }
        }
    }

    /// The innermost loop, whose elements are in lanes.
    fn lanes_inside(&mut self, which: InnerLoop, axis: usize) -> Result<(), Fallback> {
        if self.plan.has_calls {
            return self.strips(which, axis);
        }
        let block = self.block_of(which)?;
        let hoisted = self.hoist_slots(block);
        if let Some(extent) = self.plan.fixed {
            self.unrolled(block, extent);
            self.release_all(&hoisted);
            return Ok(());
        }
        let has_reductions = which == InnerLoop::Before && !self.source.reductions.is_empty();
        let chunked = has_reductions && self.is_chunked();
        self.code.clear_general(INDEX);
        self.clear_double_index();
        self.code.load_general(LIMIT, parameter(axis));
        if chunked {
            self.blocks_inside(block);
        } else {
            self.rounds(block, self.plan.unroll);
            self.rest(block);
        }
        self.release_all(&hoisted);
        Ok(())
    }

    /// Unmasked rounds from `INDEX` on, as long as there are as many elements.
    pub(super) fn rounds(&mut self, block: &Block, unroll: usize) {
        let round = self.plan.count * unroll as i32;
        let (top, rest) = (self.code.label(), self.code.label());
        self.code.add_number(LIMIT, 1 - round);
        self.code.compare_general(INDEX, LIMIT);
        self.code.jump_if(Condition::GreaterEqual, rest);
        self.code.begin_indexed_loop(self.innermost(), round);
        self.code.align(32);
        self.code.bind(top);
        self.round(block, unroll);
        self.code.compare_general(INDEX, LIMIT);
        self.code.jump_if(Condition::Less, top);
        self.code.end_loop(self.innermost());
        self.code.bind(rest);
        self.code.add_number(LIMIT, round - 1);
    }

    /// Masked steps until `LIMIT`; where masks cost much, unmasked ones before them.
    pub(super) fn rest(&mut self, block: &Block) {
        if T::MASKS.are_vectors() && self.plan.unroll > 1 {
            self.rounds(block, 1);
        }
        let (tail, done) = (self.code.label(), self.code.label());
        self.code
            .begin_indexed_loop(self.innermost(), self.plan.count);
        self.code.bind(tail);
        self.code.move_general(ACC, LIMIT);
        self.code.subtract(ACC, INDEX);
        self.code.jump_if(Condition::LessEqual, done);
        self.tail_masks();
        let at = Instance {
            indexed: true,
            masked: true,
            ..self.whole()
        };
        self.block(block, at);
        self.rotate_sets();
        self.add_to_index(self.plan.count);
        self.code.jump(tail);
        self.code.end_loop(self.innermost());
        self.code.bind(done);
    }

    /// All steps of an innermost loop of known extent, one after the other.
    fn unrolled(&mut self, block: &Block, extent: i32) {
        let count = self.plan.count;
        let sets = self.plan.unroll;
        for vector in 0..self.plan.vectors(extent) as i32 {
            let ahead = vector * count;
            let at = Instance {
                ahead,
                masked: ahead + count > extent,
                copy: vector as usize % sets,
                ..self.whole()
            };
            self.block(block, at);
        }
    }

    /// The innermost loop in blocks of sums: rounds of a block, its rest, and its sum.
    fn blocks_inside(&mut self, block: &Block) {
        let next = self.code.label();
        let axis = self.innermost();
        self.code.bind(next);
        self.start_accumulators();
        self.code.load_general(LIMIT, parameter(axis));
        let end = Address::new(INDEX, BLOCK as i32);
        self.code.address_of(ACC, end);
        self.code.compare_general(ACC, LIMIT);
        self.code.move_if(Condition::Less, LIMIT, ACC);
        self.rounds(block, self.plan.unroll);
        self.rest(block);
        self.add_block_inside();
        self.code.compare_memory(INDEX, parameter(axis));
        self.code.jump_if(Condition::Less, next);
    }

    /// One unmasked round.
    fn round(&mut self, block: &Block, unroll: usize) {
        for copy in 0..unroll {
            let at = Instance {
                ahead: self.ahead(copy),
                indexed: true,
                copy,
                ..self.whole()
            };
            self.block(block, at);
        }
        if unroll < self.plan.unroll {
            self.rotate_sets();
        }
        self.add_to_index(self.plan.count * unroll as i32);
    }

    pub(super) fn clear_double_index(&mut self) {
        if self.has_double_index() {
            self.code.clear_general(DOUBLE_INDEX);
        }
    }

    fn has_double_index(&self) -> bool {
        self.plan.lanes == Lanes::Inner && self.kernel.slots.iter().any(|s| s.dtype.size() == 16)
    }

    fn add_to_index(&mut self, elements: i32) {
        self.code.add_number(INDEX, elements);
        if self.has_double_index() {
            self.code.add_number(DOUBLE_INDEX, 2 * elements);
        }
    }

    /// Loads what holds for a run of the innermost loop, as far as registers last.
    fn hoist_slots(&mut self, block: &Block) -> Vec<Register> {
        let mut hoisted = Vec::new();
        for &register in &block.uniforms {
            let is_slot = matches!(
                self.source.uniforms[register as usize],
                Some(Uniform::Slot { .. })
            );
            let is_mask = self.source.kind(register) == Kind::Mask;
            if is_slot && (is_mask || self.registers.free_vectors() > block.pressure + 1) {
                self.hoist(register, self.plan.count);
                hoisted.push(register);
            }
        }
        hoisted
    }

    fn tail(&self) -> Tail {
        let complex = self.kernel.slots.iter().find(|s| s.dtype.is_complex());
        Tail {
            count: self.plan.count,
            complex: complex.map(|s| s.dtype.size() as i32),
            unpacked: self.plan.order == Order::Unpacked,
        }
    }

    /// The masks of the lanes within the array, of which `ACC > 0` says how many are left: less than a round.
    fn tail_masks(&mut self) {
        let tail = self.tail();
        self.code.push(MaskInst::Tail(tail));
    }

    /// The masks of a known tail.
    pub(super) fn constant_masks(&mut self) {
        let left = self.plan.fixed.map_or(0, |extent| extent % self.plan.count);
        if left > 0 {
            let tail = self.tail();
            self.code.push(MaskInst::KnownTail { left, tail });
        }
    }
}
