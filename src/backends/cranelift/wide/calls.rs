//! Functions of the runtime: inner loops in stages around functions of whole blocks, and functions of one element between
//! the loops.
//!
//! No vector register keeps its value across a call. So in kernels that call, uniform registers are loaded for each stage,
//! and on the stack lie: what reductions have so far, results of the outer part, and the scratch memory of the stages
//! (see `stage.rs`), which is indexed from the beginning of a block as all pointers are.

use smallvec::SmallVec;

use super::assembler::{
    Address, General, Length, Masking, Operand, RAX, RCX, RDI, RDX, RSI, RSP, Vector,
};
use super::emitter::{Emitter, LIMIT, Place, Pointer, parameter};
use super::general::Condition;
use super::instructions::Kind;
use super::loops::Part;
use super::plan::length;
use super::program::{Instruction, Register, Section};
use super::{Refusal, emitter::Step};
use crate::backends::cranelift::kernel::Stride;
use crate::backends::cranelift::link;
use crate::backends::cranelift::stage::BLOCK;

/// Places on the stack, as offsets from the stack pointer.
#[derive(Clone, Default)]
pub(super) struct CallFrame {
    /// The stack pointer of the caller, and the pointer to the parameters.
    stack: i32,
    parameters: i32,
    /// Elements of the innermost axis that are left, and those of the block.
    left: i32,
    block: i32,
    /// For each register that the last part reads, its number.
    escaping: i32,
    /// Registers while a function of one element runs.
    saved: i32,
    /// Operands and result of such a function.
    arguments: i32,
    /// For each part of a reduction, a vector of results so far and one of compensations.
    totals: i32,
}

/// The operands that functions take in registers.
const ARGUMENTS: [General; 4] = [RDI, RSI, RDX, RCX];

impl Emitter<'_> {
    /// Sets the stack up for calls, given the bytes that are in use; gives the bytes of the frame.
    pub(super) fn call_frame(&mut self, used: i32) -> i32 {
        let mut end = used;
        let mut reserve = |bytes: usize, alignment: i32| {
            let start = (end + alignment - 1) / alignment * alignment;
            end = start + bytes as i32;
            start
        };
        let parts: usize = self
            .program
            .reductions
            .iter()
            .map(|r| r.result.parts().len())
            .sum();
        self.calls = CallFrame {
            stack: reserve(8, 8),
            parameters: reserve(8, 8),
            left: reserve(8, 8),
            block: reserve(8, 8),
            escaping: reserve(8 * self.program.escaping.len(), 8),
            saved: reserve(16 * 32 + 8 * 8, 16),
            arguments: reserve(64 * 4, 64),
            totals: reserve(128 * parts, 64),
        };
        for slot in self.plan.staged.own_slots..self.kernel.slots.len() {
            let bytes = BLOCK * self.kernel.slots[slot].dtype.size();
            self.scratch.push(reserve(bytes, 64));
        }
        (end + 63) & !63
    }

    /// Enters the frame, aligned to 64 bytes. The stack grows page by page.
    pub(super) fn enter_frame(&mut self, bytes: i32) {
        self.asm.move_general(RAX, RSP);
        for offset in (4096..bytes + 64).step_by(4096) {
            self.asm.store_general(Address::new(RAX, -offset), RSI);
        }
        self.asm.add_number(RSP, -bytes);
        self.asm.and_number(RSP, -64);
        self.asm
            .store_general(Address::new(RSP, self.calls.stack), RAX);
        self.asm
            .store_general(Address::new(RSP, self.calls.parameters), RSI);
    }

    pub(super) fn leave_frame(&mut self) {
        self.asm
            .load_general(RSP, Address::new(RSP, self.calls.stack));
    }

    /// Calls a function on what pointers point to, and a count that `count` loads.
    fn call(&mut self, function: u64, places: &[Pointer], count: impl FnOnce(&mut Self, General)) {
        for (&register, &place) in ARGUMENTS.iter().zip(places) {
            match place {
                // A register that is kept across calls, so not one of the arguments.
                Pointer::Register(from) => self.asm.move_general(register, from),
                Pointer::Frame(at) => self.asm.load_general(register, Address::new(RSP, at)),
                Pointer::Scratch(at) => self.asm.address_of(register, Address::new(RSP, at)),
            }
        }
        count(self, ARGUMENTS[places.len()]);
        self.asm.move_word(RAX, function);
        self.asm.call(RAX);
        self.asm
            .load_general(RSI, Address::new(RSP, self.calls.parameters));
    }

    /// The innermost loop in stages: all of them for one block of elements, then for the next.
    pub(super) fn stages(&mut self, part: Part, axis: usize) -> Result<(), Refusal> {
        let (left, size) = (
            Address::new(RSP, self.calls.left),
            Address::new(RSP, self.calls.block),
        );
        let (block, end) = (self.asm.label(), self.asm.label());
        self.asm.load_general(RAX, parameter(axis));
        self.asm.test(RAX);
        self.asm.jump_if(Condition::LessEqual, end);
        self.asm.store_general(left, RAX);
        self.asm.bind(block);
        self.asm.move_number(RDX, BLOCK as i32);
        self.asm.compare_general(RAX, RDX);
        self.asm.move_if(Condition::Less, RDX, RAX);
        self.asm.store_general(size, RDX);
        for section in self.stages_of(part) {
            if !section.instructions.is_empty() {
                self.stage(section);
            }
            if section.calls.is_empty() {
                continue;
            }
            self.asm.clear_upper();
            for call in &section.calls {
                let function =
                    link::runtime_function(&call.symbol).ok_or("the runtime lacks a function")?;
                let slots = call.inputs.iter().chain([&call.output]);
                let places: SmallVec<[Pointer; 4]> = slots
                    .map(|&slot| self.pointers[usize::from(slot)])
                    .collect();
                self.call(function, &places, |s, to| s.asm.load_general(to, size));
            }
        }
        self.advance(axis, BLOCK as i32);
        self.asm.load_general(RAX, left);
        self.asm.add_number(RAX, -(BLOCK as i32));
        self.asm.store_general(left, RAX);
        self.asm.test(RAX);
        self.asm.jump_if(Condition::Greater, block);
        for slot in 0..self.plan.staged.own_slots {
            if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                // So many elements were passed, those beyond the end included.
                self.asm.load_general(RDX, left);
                self.asm.load_general(RAX, parameter(axis));
                self.asm.subtract(RAX, RDX);
                self.move_back(slot, axis);
            }
        }
        self.asm.bind(end);
        Ok(())
    }

    /// One stage for one block.
    fn stage(&mut self, section: &Section) {
        let reductions = reductions(section);
        for &index in &reductions {
            self.resume(index);
        }
        let hoisted = self.hoist_for_calls(section, self.plan.count);
        self.asm.clear_general(RCX);
        self.clear_double_index();
        self.asm
            .load_general(LIMIT, Address::new(RSP, self.calls.block));
        self.rounds(section);
        self.rest(section);
        self.release_all(&hoisted);
        for &index in &reductions {
            self.suspend(index);
        }
    }

    /// Loads what a section reads of uniform registers and of the outer part, in kernels that call: numbers as far as
    /// registers last. Gives what is to be released after it.
    pub(super) fn hoist_for_calls(&mut self, section: &Section, count: i32) -> Vec<Register> {
        let mut hoisted = Vec::new();
        if !self.plan.has_calls {
            return hoisted;
        }
        let is_outer = std::ptr::eq(section, &raw const self.program.outer);
        for index in 0..self.program.escaping.len() {
            let register = self.program.escaping[index];
            let mut instructions = section.instructions.iter();
            // The outer part itself has them in registers.
            if is_outer || !instructions.any(|i| i.reads().contains(&register)) {
                continue;
            }
            let kind = self.program.kind(register);
            let from = Address::new(RSP, self.calls.escaping + 8 * index as i32);
            let place = if kind == Kind::Mask {
                let mask = self.take_mask();
                self.asm.load_general(RAX, from);
                self.asm.mask_from(mask, RAX);
                Place::Mask(mask)
            } else {
                let vector = self.take();
                let length = length(kind, count);
                self.asm.broadcast(kind, length, vector, from.into());
                Place::Vector(vector)
            };
            self.set_place(register, 0, place);
            hoisted.push(register);
        }
        for &register in &section.uniforms {
            let is_mask = self.program.kind(register) == Kind::Mask;
            if is_mask || self.free_vectors() > section.pressure + 2 {
                self.hoist(register, count);
                hoisted.push(register);
            }
        }
        hoisted
    }

    pub(super) fn release_all(&mut self, registers: &[Register]) {
        for &register in registers {
            self.release(register, 0);
        }
    }

    /// Results of the outer part that the last part reads go to the stack.
    pub(super) fn put_away_escaping(&mut self) {
        for index in 0..self.program.escaping.len() {
            let register = self.program.escaping[index];
            let to = Address::new(RSP, self.calls.escaping + 8 * index as i32);
            match self.place(register, 0) {
                Place::Vector(vector) => {
                    self.asm
                        .store_scalar(self.program.kind(register), to, vector);
                }
                Place::Mask(mask) => {
                    self.asm.mask_to(RAX, mask);
                    self.asm.and_number(RAX, 1);
                    self.asm.negate(RAX);
                    self.asm.store_general(to, RAX);
                }
                Place::Nowhere => {}
            }
            self.release(register, 0);
        }
    }

    /// Where a part of a reduction is on the stack: what it has so far, or its compensation.
    fn total(&self, index: usize, part: usize, compensation: bool) -> Address {
        let reductions = &self.program.reductions[..index];
        let before: usize = reductions.iter().map(|r| r.result.parts().len()).sum();
        let offset = 128 * (before + part) as i32 + 64 * i32::from(compensation);
        Address::new(RSP, self.calls.totals + offset)
    }

    fn store_total(&mut self, index: usize, part: usize, compensation: bool, place: Place) {
        let to = self.total(index, part, compensation);
        match place {
            Place::Vector(vector) => {
                let none = Masking::None;
                self.asm.store(Kind::F64, Length::Bits512, to, vector, none);
            }
            Place::Mask(mask) => {
                self.asm.mask_to(RAX, mask);
                self.asm.store_general(to, RAX);
            }
            Place::Nowhere => {}
        }
    }

    pub(super) fn load_total(
        &mut self,
        index: usize,
        part: usize,
        compensation: bool,
        place: Place,
    ) {
        let from = self.total(index, part, compensation);
        match place {
            Place::Vector(vector) => {
                let (from, none) = (Operand::Memory(from), Masking::None);
                self.asm
                    .load(Kind::F64, Length::Bits512, vector, from, none);
            }
            Place::Mask(mask) => {
                self.asm.load_general(RAX, from);
                self.asm.mask_from(mask, RAX);
            }
            Place::Nowhere => {}
        }
    }

    /// Puts what every reduction starts from on the stack.
    pub(super) fn start_totals_on_stack(&mut self) {
        for index in 0..self.program.reductions.len() {
            self.take_set(0, index);
            self.start(0, index);
            for (part, place) in self.release_set(0, index).into_iter().enumerate() {
                self.store_total(index, part, false, place);
                if self.is_compensated(index) {
                    // It starts from zero, as the sum does.
                    self.store_total(index, part, true, place);
                }
            }
        }
    }

    /// Gives a reduction its registers for one block.
    fn resume(&mut self, index: usize) {
        for set in 0..self.plan.unroll {
            self.take_set(set, index);
            if set > 0 || self.is_compensated(index) {
                self.start(set, index);
                continue;
            }
            for (part, place) in self.accumulators[set][index]
                .clone()
                .into_iter()
                .enumerate()
            {
                self.load_total(index, part, false, place);
            }
        }
    }

    /// Combines the results of a block with those so far, on the stack.
    fn suspend(&mut self, index: usize) {
        self.combine_sets(index);
        for set in 1..self.plan.unroll {
            self.release_set(set, index);
        }
        let places = self.accumulators[0][index].clone();
        for (part, place) in places.into_iter().enumerate() {
            if !self.is_compensated(index) {
                self.store_total(index, part, false, place);
                continue;
            }
            let Place::Vector(block) = place else {
                continue;
            };
            let (sum, compensation) = (self.take(), self.take());
            self.load_total(index, part, false, Place::Vector(sum));
            self.load_total(index, part, true, Place::Vector(compensation));
            let kind = self.program.reductions[index].kind;
            self.two_sum(kind, self.plan.count, sum, compensation, block);
            self.store_total(index, part, false, Place::Vector(sum));
            self.store_total(index, part, true, Place::Vector(compensation));
            self.give(sum);
            self.give(compensation);
        }
        self.release_set(0, index);
    }

    /// A function of one element, between the inner loops.
    pub(super) fn call_for_one(
        &mut self,
        function: u64,
        to: Register,
        from: &[Register],
        step: Step,
    ) {
        let kind = self.program.kind(to);
        let mut places: SmallVec<[Pointer; 4]> = SmallVec::new();
        let result = self.calls.arguments + 64 * from.len() as i32;
        for (index, &register) in from.iter().chain([&to]).enumerate() {
            let place = self.calls.arguments + 64 * index as i32;
            places.push(Pointer::Scratch(place));
            if index < from.len() {
                let (vector, temporary) = self.vector(register, step);
                self.asm
                    .store_scalar(kind, Address::new(RSP, place), vector);
                self.give_if(temporary, vector);
            }
        }
        let live = self.live_places();
        for &place in &live {
            self.save_or_restore(place, true);
        }
        self.asm.clear_upper();
        self.call(function, &places, |s, count| s.asm.move_number(count, 1));
        for &place in &live {
            self.save_or_restore(place, false);
        }
        if let Place::Vector(vector) = self.define(to, step.copy) {
            self.asm
                .load_scalar(kind, vector, Address::new(RSP, result));
        }
    }

    fn save_or_restore(&mut self, place: Place, save: bool) {
        match place {
            Place::Vector(Vector(number)) => {
                let at = Address::new(RSP, self.calls.saved + 16 * i32::from(number));
                let (kind, length, none) = (Kind::F64, Length::Bits128, Masking::None);
                if save {
                    self.asm.store(kind, length, at, Vector(number), none);
                } else {
                    self.asm.load(kind, length, Vector(number), at.into(), none);
                }
            }
            Place::Mask(mask) => {
                let at = Address::new(RSP, self.calls.saved + 16 * 32 + 8 * i32::from(mask.0));
                if save {
                    self.asm.mask_to(RAX, mask);
                    self.asm.store_general(at, RAX);
                } else {
                    self.asm.load_general(RAX, at);
                    self.asm.mask_from(mask, RAX);
                }
            }
            Place::Nowhere => {}
        }
    }

    /// Whether the pointer of a slot is that of scratch memory, which moves along nothing.
    pub(super) fn is_scratch(&self, slot: usize) -> bool {
        matches!(self.pointers[slot], Pointer::Scratch(_))
    }
}

/// The reductions of a stage.
fn reductions(section: &Section) -> SmallVec<[usize; 2]> {
    let reduction = |i: &Instruction| match i {
        Instruction::Reduce { reduction, .. } => Some(*reduction),
        _ => None,
    };
    section.instructions.iter().filter_map(reduction).collect()
}
