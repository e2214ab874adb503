//! The loops around the instructions of a kernel.
//!
//! Loops over axes without lanes move the slots' pointers, and put them back where they were. Along the lanes: several
//! vectors a round, then one at a time under a mask until the end, which is at most as many rounds as a full one has
//! vectors.

use super::assembler::{Address, Mask, R10, RAX, RCX, RDX, RSP};
use super::emitter::{
    Emitter, LIMIT, Pointer, Step, TAIL, TAIL_FIRST, TAIL_SECOND, TAIL_UNPACKED, parameter,
};
use super::general::Condition;
use super::plan::{Lanes, Order};
use super::program::Section;
use super::{Refusal, reductions::CHAIN};
use crate::backends::cranelift::kernel::Stride;

/// Which inner loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Before,
    After,
}

impl<'a> Emitter<'a> {
    pub(super) fn stages_of(&self, part: Part) -> &'a [Section] {
        match part {
            Part::Before => &self.plan.program.before,
            Part::After => &self.plan.program.after,
        }
    }

    /// The only stage of a part that calls no functions.
    fn section_of(&self, part: Part) -> Result<&'a Section, Refusal> {
        match self.stages_of(part) {
            [section] if section.calls.is_empty() => Ok(section),
            _ => Err("functions are called where lanes are no neighbours"),
        }
    }

    fn step(&self) -> Step {
        Step {
            count: self.plan.count,
            ahead: 0,
            indexed: false,
            masked: false,
            copy: 0,
        }
    }

    /// The outer loops from an axis on, and all that is inside.
    pub(super) fn outer_loops(&mut self, axis: usize) -> Result<(), Refusal> {
        if axis == self.kernel.outer_rank {
            return self.body(1, false);
        }
        let is_last = axis + 1 == self.kernel.outer_rank;
        if is_last && self.plan.lanes == Lanes::Outer {
            return self.lanes_outside(axis);
        }
        let hoisted = self.hoist_held(axis);
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
        body: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let counter = Address::new(RSP, counter);
        let (top, end) = (self.asm.label(), self.asm.label());
        self.asm.load_general(RAX, parameter(axis));
        self.asm.test(RAX);
        self.asm.jump_if(Condition::LessEqual, end);
        self.asm.store_general(counter, RAX);
        self.asm.bind(top);
        body(self)?;
        self.advance(axis, 1);
        self.asm.add_number_to_memory(counter, -1);
        self.asm.jump_if(Condition::NotZero, top);
        if restore {
            for slot in 0..self.kernel.slots.len() {
                if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                    self.asm.load_general(RAX, parameter(axis));
                    self.move_back(slot, axis);
                }
            }
        }
        self.asm.bind(end);
        Ok(())
    }

    /// Moves all pointers by some elements along an axis.
    pub(super) fn advance(&mut self, axis: usize, elements: i32) {
        for slot in 0..self.kernel.slots.len() {
            let pointer = self.pointers[slot];
            if self.is_scratch(slot) {
                continue;
            }
            match self.kernel.slots[slot].strides[axis] {
                Stride::Zero => {}
                Stride::Unit => {
                    let bytes = elements * self.kernel.slots[slot].dtype.size() as i32;
                    match pointer {
                        Pointer::Register(r) => self.asm.add_number(r, bytes),
                        Pointer::Frame(at) => {
                            self.asm.add_number_to_memory(Address::new(RSP, at), bytes);
                        }
                        Pointer::Scratch(_) => {}
                    }
                }
                Stride::Parameter => {
                    let stride = parameter(self.stride_word(slot, axis));
                    match pointer {
                        Pointer::Register(r) if elements == 1 => self.asm.add_memory(r, stride),
                        _ => {
                            self.asm.load_general(RAX, stride);
                            if elements != 1 {
                                self.asm.multiply_number(RAX, RAX, elements);
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
            Pointer::Register(r) => self.asm.add(r, RAX),
            Pointer::Frame(at) => self.asm.add_to_memory(Address::new(RSP, at), RAX),
            Pointer::Scratch(_) => {}
        }
    }

    /// Moves a pointer back by as many elements along an axis as `rax` says, which it changes.
    pub(super) fn move_back(&mut self, slot: usize, axis: usize) {
        match self.kernel.slots[slot].strides[axis] {
            Stride::Zero => return,
            Stride::Unit => {
                let size = self.kernel.slots[slot].dtype.size() as i32;
                self.asm.multiply_number(RAX, RAX, -size);
            }
            Stride::Parameter => {
                let stride = parameter(self.stride_word(slot, axis));
                self.asm.multiply_memory(RAX, stride);
                self.asm.negate(RAX);
            }
        }
        self.move_by_rax(slot);
    }

    /// The innermost outer loop, whose elements are in lanes.
    fn lanes_outside(&mut self, axis: usize) -> Result<(), Refusal> {
        let count = self.plan.count;
        let round = count * self.plan.unroll as i32;
        let (main, rest, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.load_general(LIMIT, parameter(axis));
        self.asm.bind(main);
        self.asm.compare_number(LIMIT, round);
        self.asm.jump_if(Condition::Less, rest);
        self.body(self.plan.unroll, false)?;
        self.advance(axis, round);
        self.asm.add_number(LIMIT, -round);
        self.asm.jump(main);
        self.asm.bind(rest);
        self.asm.test(LIMIT);
        self.asm.jump_if(Condition::LessEqual, end);
        self.asm.move_general(RAX, LIMIT);
        self.tail_masks();
        self.body(1, true)?;
        self.advance(axis, count);
        self.asm.add_number(LIMIT, -count);
        self.asm.jump(rest);
        self.asm.bind(end);
        if axis > 0 {
            for slot in 0..self.kernel.slots.len() {
                if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                    // So many elements were passed, those beyond the end included.
                    self.asm.load_general(RAX, parameter(axis));
                    self.asm.subtract(RAX, LIMIT);
                    self.move_back(slot, axis);
                }
            }
        }
        Ok(())
    }

    /// What runs for one outer index, or for as many as are in lanes.
    fn body(&mut self, copies: usize, masked: bool) -> Result<(), Refusal> {
        let step = Step {
            masked: masked && self.plan.lanes == Lanes::Outer,
            ..self.step()
        };
        let inner = self.plan.lanes == Lanes::Inner;
        self.start_totals(copies);
        self.inner_loops(Part::Before, copies, step)?;
        self.finish_reductions(copies);
        let outer = Step {
            count: if inner { 1 } else { self.plan.count },
            ..step
        };
        let section = &self.program.outer;
        let hoisted = self.hoist_for_calls(section, 1);
        for copy in 0..copies {
            let ahead = if inner { 0 } else { self.ahead(copy) };
            self.section(
                section,
                Step {
                    ahead,
                    copy,
                    ..outer
                },
            );
        }
        self.release_all(&hoisted);
        self.release_results(copies);
        if self.plan.has_calls {
            self.put_away_escaping();
        } else if inner {
            self.widen_escaping();
        }
        self.inner_loops(Part::After, copies, step)?;
        self.drop_kept();
        for copy in 0..copies {
            for &register in &self.program.escaping {
                self.release(register, copy);
            }
        }
        Ok(())
    }

    fn ahead(&self, copy: usize) -> i32 {
        copy as i32 * self.plan.count
    }

    fn inner_loops(&mut self, part: Part, copies: usize, step: Step) -> Result<(), Refusal> {
        if self.stages_of(part).iter().all(Section::is_empty) {
            return Ok(());
        }
        self.inner_loop(part, self.kernel.outer_rank, copies, step)
    }

    fn inner_loop(
        &mut self,
        part: Part,
        axis: usize,
        copies: usize,
        step: Step,
    ) -> Result<(), Refusal> {
        let rank = self.kernel.outer_rank + self.kernel.inner_rank;
        if axis == rank {
            let section = self.section_of(part)?;
            for copy in 0..copies {
                let ahead = self.ahead(copy);
                self.section(
                    section,
                    Step {
                        ahead,
                        copy,
                        ..step
                    },
                );
            }
            return Ok(());
        }
        let is_last = axis + 1 == rank;
        if is_last && self.plan.lanes == Lanes::Inner {
            return self.lanes_inside(part, axis);
        }
        let counter = 8
            * (axis
                + if part == Part::After {
                    self.kernel.inner_rank
                } else {
                    0
                }) as i32;
        if is_last && part == Part::Before && self.is_blocked() {
            return self.blocks(axis, counter, copies, step);
        }
        let hoisted = self.hoist_held(axis);
        self.counted(axis, counter, true, |s| {
            s.inner_loop(part, axis + 1, copies, step)
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
        step: Step,
    ) -> Result<(), Refusal> {
        let rank = self.kernel.outer_rank + self.kernel.inner_rank;
        let outside = Address::new(RSP, 8 * (rank + self.kernel.inner_rank) as i32);
        let inside = Address::new(RSP, counter);
        let (block, top, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.load_general(RAX, parameter(axis));
        self.asm.test(RAX);
        self.asm.jump_if(Condition::LessEqual, end);
        self.asm.bind(block);
        // rax holds what is left: min(rax, CHAIN) in this block.
        self.asm.move_number(RDX, CHAIN);
        self.asm.compare_general(RAX, RDX);
        self.asm.move_if(Condition::Less, RDX, RAX);
        self.asm.subtract(RAX, RDX);
        self.asm.store_general(outside, RAX);
        self.asm.store_general(inside, RDX);
        self.start_accumulators(copies);
        self.asm.bind(top);
        self.inner_loop(Part::Before, rank, copies, step)?;
        self.advance(axis, 1);
        self.asm.add_number_to_memory(inside, -1);
        self.asm.jump_if(Condition::NotZero, top);
        self.add_to_totals(copies);
        self.asm.load_general(RAX, outside);
        self.asm.test(RAX);
        self.asm.jump_if(Condition::Greater, block);
        for slot in 0..self.kernel.slots.len() {
            if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                self.asm.load_general(RAX, parameter(axis));
                self.move_back(slot, axis);
            }
        }
        self.asm.bind(end);
        Ok(())
    }

    /// The innermost loop, whose elements are in lanes.
    fn lanes_inside(&mut self, part: Part, axis: usize) -> Result<(), Refusal> {
        if self.plan.has_calls {
            return self.stages(part, axis);
        }
        let section = self.section_of(part)?;
        let hoisted = self.hoist_slots(section);
        if let Some(extent) = self.plan.fixed {
            self.unrolled(section, extent);
            self.release_all(&hoisted);
            return Ok(());
        }
        let count = self.plan.count;
        let has_reductions = part == Part::Before && !self.program.reductions.is_empty();
        let blocked = has_reductions && self.is_blocked();
        self.asm.clear_general(RCX);
        self.clear_double_index();
        self.asm.load_general(LIMIT, parameter(axis));
        if blocked {
            self.blocks_inside(section, count * self.plan.unroll as i32);
        } else {
            self.rounds(section);
        }
        self.rest(section);
        if blocked {
            self.add_to_totals(1);
        }
        self.release_all(&hoisted);
        Ok(())
    }

    /// Unmasked rounds from `rcx` on, as long as there are as many elements.
    pub(super) fn rounds(&mut self, section: &Section) {
        let unroll = self.plan.unroll;
        let round = self.plan.count * unroll as i32;
        let (top, rest) = (self.asm.label(), self.asm.label());
        self.asm.add_number(LIMIT, 1 - round);
        self.asm.compare_general(RCX, LIMIT);
        self.asm.jump_if(Condition::GreaterEqual, rest);
        self.asm.align(32);
        self.asm.bind(top);
        self.round(section, unroll);
        self.asm.compare_general(RCX, LIMIT);
        self.asm.jump_if(Condition::Less, top);
        self.asm.bind(rest);
        self.asm.add_number(LIMIT, round - 1);
    }

    /// Masked steps until `LIMIT`.
    pub(super) fn rest(&mut self, section: &Section) {
        let (tail, done) = (self.asm.label(), self.asm.label());
        self.asm.bind(tail);
        self.asm.move_general(RAX, LIMIT);
        self.asm.subtract(RAX, RCX);
        self.asm.jump_if(Condition::LessEqual, done);
        self.tail_masks();
        let step = Step {
            indexed: true,
            masked: true,
            ..self.step()
        };
        self.section(section, step);
        self.add_to_index(self.plan.count);
        self.asm.jump(tail);
        self.asm.bind(done);
    }

    /// All steps of an innermost loop of known extent, one after the other.
    fn unrolled(&mut self, section: &Section, extent: i32) {
        let count = self.plan.count;
        let sets = self.plan.unroll;
        for vector in 0..self.plan.vectors(extent) as i32 {
            let ahead = vector * count;
            let step = Step {
                ahead,
                masked: ahead + count > extent,
                copy: vector as usize % sets,
                ..self.step()
            };
            self.section(section, step);
        }
    }

    /// The unmasked rounds of a blocked sum. Afterwards `LIMIT` is the extent, and the accumulators are empty again.
    fn blocks_inside(&mut self, section: &Section, round: i32) {
        let end_of_block = Address::new(
            RSP,
            8 * (self.kernel.outer_rank + 2 * self.kernel.inner_rank) as i32,
        );
        let (block, top, rest) = (self.asm.label(), self.asm.label(), self.asm.label());
        let axis = self.kernel.outer_rank + self.kernel.inner_rank - 1;
        self.asm.and_number(LIMIT, -round);
        self.asm.bind(block);
        self.start_accumulators(self.plan.unroll);
        self.asm.compare_general(RCX, LIMIT);
        self.asm.jump_if(Condition::GreaterEqual, rest);
        self.asm.address_of(RAX, Address::new(RCX, CHAIN * round));
        self.asm.compare_general(LIMIT, RAX);
        self.asm.move_if(Condition::Less, RAX, LIMIT);
        self.asm.store_general(end_of_block, RAX);
        self.asm.align(32);
        self.asm.bind(top);
        self.round(section, self.plan.unroll);
        self.asm.compare_memory(RCX, end_of_block);
        self.asm.jump_if(Condition::Less, top);
        self.add_to_totals_inside();
        self.asm.jump(block);
        self.asm.bind(rest);
        self.asm.load_general(LIMIT, parameter(axis));
    }

    /// One unmasked round.
    fn round(&mut self, section: &Section, unroll: usize) {
        for copy in 0..unroll {
            let step = Step {
                ahead: self.ahead(copy),
                indexed: true,
                copy,
                ..self.step()
            };
            self.section(section, step);
        }
        self.add_to_index(self.plan.count * unroll as i32);
    }

    pub(super) fn clear_double_index(&mut self) {
        if self.has_double_index() {
            self.asm.clear_general(R10);
        }
    }

    fn has_double_index(&self) -> bool {
        self.plan.lanes == Lanes::Inner && self.kernel.slots.iter().any(|s| s.dtype.size() == 16)
    }

    fn add_to_index(&mut self, elements: i32) {
        self.asm.add_number(RCX, elements);
        if self.has_double_index() {
            self.asm.add_number(R10, 2 * elements);
        }
    }

    /// Loads what holds for a run of the innermost loop, as far as registers last.
    fn hoist_slots(&mut self, section: &Section) -> Vec<u16> {
        let mut hoisted = Vec::new();
        for &register in &section.uniforms {
            let is_slot = matches!(
                self.program.uniforms[register as usize],
                Some(super::program::Uniform::Slot { .. })
            );
            let is_mask = self.program.kind(register) == super::instructions::Kind::Mask;
            if is_slot && (is_mask || self.free_vectors() > section.pressure + 1) {
                self.hoist(register, self.plan.count);
                hoisted.push(register);
            }
        }
        hoisted
    }

    /// The masks of the lanes within the array, of which `rax > 0` says how many are left: less than a round, so that
    /// twice as many are still a count of bits.
    fn tail_masks(&mut self) {
        let count = self.plan.count;
        let complex = self.kernel.slots.iter().find(|s| s.dtype.is_complex());
        if complex.is_some() {
            // Twice as many numbers, the first half of them in the first vector.
            self.asm
                .address_of(RDX, Address::new(RAX, 0).indexed(RAX, 1));
            self.asm.push(RAX);
            self.asm.move_number(RAX, -1);
            self.asm.lowest_bits(RDX, RAX, RDX);
            self.asm.pop(RAX);
            self.asm.mask_from(TAIL_FIRST, RDX);
            self.asm.shift_right(RDX, count as u8);
            self.asm.mask_from(TAIL_SECOND, RDX);
        }
        self.asm.move_number(RDX, (1 << count) - 1);
        self.asm.lowest_bits(RDX, RDX, RAX);
        self.asm.mask_from(TAIL, RDX);
        if let (Order::Unpacked, Some(complex)) = (self.plan.order, complex) {
            self.unpacked_mask(TAIL_UNPACKED, complex.dtype.size() == 16);
        }
    }

    /// The masks of a known tail.
    pub(super) fn constant_masks(&mut self) {
        let count = self.plan.count;
        let Some(left) = self.plan.fixed.map(|extent| extent % count) else {
            return;
        };
        if left == 0 {
            return;
        }
        let mut set = |mask, bits: u64| {
            self.asm.move_number(RAX, (bits & 0xFFFF) as i32);
            self.asm.mask_from(mask, RAX);
        };
        let lanes = (1u64 << left) - 1;
        set(TAIL, lanes);
        let complex = self.kernel.slots.iter().find(|s| s.dtype.is_complex());
        if let Some(complex) = complex {
            let numbers = (1u64 << (2 * left)) - 1;
            set(TAIL_FIRST, numbers);
            set(TAIL_SECOND, numbers >> count);
            // Lane by lane, which element is there: see `Order::Unpacked`.
            let half = count as u64 / 2;
            let group = if complex.dtype.size() == 16 { 1 } else { 2 };
            let element = |lane: u64| {
                let (pair, within) = (lane / (2 * group), lane % group);
                let is_second = lane / group % 2;
                pair * group + within + is_second * half
            };
            let is_there = |lane: &u64| element(*lane) < left as u64;
            let unpacked = (0..count as u64).filter(is_there).map(|lane| 1 << lane);
            set(TAIL_UNPACKED, unpacked.sum());
        }
    }

    /// The mask for unpacked numbers from the one in order, which is in `rdx`.
    fn unpacked_mask(&mut self, to: Mask, is_double: bool) {
        let half = self.plan.count as u8 / 2;
        let even: i32 = if is_double { 0x5555 } else { 0x3333 };
        self.asm.push(RDX);
        self.asm.and_number(RDX, (1 << half) - 1);
        self.asm.move_number(RAX, even);
        self.asm.deposit_bits(RDX, RDX, RAX);
        self.asm.pop(RAX);
        self.asm.shift_right(RAX, half);
        self.asm.push(RDX);
        self.asm
            .move_number(RDX, if is_double { 0xAAAA } else { 0xCCCC });
        self.asm.deposit_bits(RAX, RAX, RDX);
        self.asm.pop(RDX);
        self.asm.add(RAX, RDX);
        self.asm.mask_from(to, RAX);
    }
}
