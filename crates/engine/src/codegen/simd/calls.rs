//! Functions of the runtime: inner loops in phases around functions of whole strips, and functions of one element between
//! the loops.
//!
//! No vector register keeps its value across a call. So in kernels that call, uniform registers are loaded for each phase,
//! and on the stack lie: what reductions have so far, results of the outer part, and the scratch memory of the phases
//! (see `strip.rs`), which is indexed from the beginning of a strip as all pointers are.

use smallvec::SmallVec;

use super::super::Fallback;
use super::emitter::{Emitter, Instance};
use super::frame::CallFrame;
use super::ir::{Block, Kind, Register, VectorOp};
use super::loops::InnerLoop;
use super::plan::length;
use super::target::Target;
use super::vcode::{
    ACC, ARGUMENTS, AUX, Address, Condition, FlowInst, General, INDEX, LIMIT, Length, Location,
    MaskInst, Masking, Name, Operand, PARAMETERS, Pointer, STACK, Vector, parameter,
};
use crate::kernel::Stride;
use autojit_runtime::abi::Symbol;

impl<T: Target> Emitter<'_, T> {
    /// Sets the stack up for calls, given the bytes that are in use; gives the bytes of the frame.
    pub(super) fn call_frame(&mut self, used: i32) -> i32 {
        let mut end = used;
        let mut reserve = |bytes: usize, alignment: i32| {
            let start = (end + alignment - 1) / alignment * alignment;
            end = start + bytes as i32;
            start
        };
        let parts: usize = self
            .source
            .reductions
            .iter()
            .map(|r| r.result.parts().len())
            .sum();
        self.calls = CallFrame {
            stack: reserve(8, 8),
            parameters: reserve(8, 8),
            left: reserve(8, 8),
            strip: reserve(8, 8),
            escaping: reserve(8 * self.source.escaping.len(), 8),
            saved: reserve(16 * 32 + 8 * 8, 16),
            arguments: reserve(64 * 4, 64),
            totals: reserve(128 * parts, 64),
        };
        for slot in self.plan.mined.own_slots..self.kernel.slots.len() {
            let bytes = self.plan.mined.strip * self.kernel.slots[slot].dtype.size();
            self.scratch.push(reserve(bytes, 64));
        }
        (end + 63) & !63
    }

    /// Enters the frame, aligned to 64 bytes. The stack grows page by page.
    pub(super) fn enter_frame(&mut self, bytes: i32) {
        self.code.move_general(ACC, STACK);
        for offset in (4096..bytes + 64).step_by(4096) {
            self.code
                .store_general(Address::new(ACC, -offset), PARAMETERS);
        }
        self.code.add_number(STACK, -bytes);
        self.code.and_number(STACK, -64);
        self.code
            .store_general(Address::new(STACK, self.calls.stack), ACC);
        self.code
            .store_general(Address::new(STACK, self.calls.parameters), PARAMETERS);
    }

    pub(super) fn leave_frame(&mut self) {
        self.code
            .load_general(STACK, Address::new(STACK, self.calls.stack));
    }

    /// Calls a function on what pointers point to, and a count that `count` loads.
    fn call(
        &mut self,
        function: &'static Symbol,
        places: &[Pointer],
        count: impl FnOnce(&mut Self, General),
    ) {
        for (&register, &place) in ARGUMENTS.iter().zip(places) {
            match place {
                // A register that is kept across calls, so not one of the arguments.
                Pointer::Register(from) => self.code.move_general(register, from),
                Pointer::Frame(at) => self.code.load_general(register, Address::new(STACK, at)),
                Pointer::Scratch(at) => self.code.address_of(register, Address::new(STACK, at)),
            }
        }
        count(self, ARGUMENTS[places.len()]);
        self.code.push(FlowInst::Call(function));
        self.code
            .load_general(PARAMETERS, Address::new(STACK, self.calls.parameters));
    }

    /// The innermost loop in phases: all of them for one strip of elements, then for the next.
    pub(super) fn strips(&mut self, which: InnerLoop, axis: usize) -> Result<(), Fallback> {
        let (left, size) = (
            Address::new(STACK, self.calls.left),
            Address::new(STACK, self.calls.strip),
        );
        let (strip, end) = (self.code.label(), self.code.label());
        let elements = self.plan.mined.strip as i32;
        self.code.load_general(ACC, parameter(axis));
        self.code.test(ACC);
        self.code.jump_if(Condition::LessEqual, end);
        self.code.store_general(left, ACC);
        self.code.begin_loop(axis, elements);
        self.code.bind(strip);
        self.code.move_number(AUX, elements);
        self.code.compare_general(ACC, AUX);
        self.code.move_if(Condition::Less, AUX, ACC);
        self.code.store_general(size, AUX);
        for block in self.phases_of(which) {
            if !block.instructions.is_empty() {
                self.phase(block);
            }
            if block.calls.is_empty() {
                continue;
            }
            self.code.push(FlowInst::LeaveVectors);
            for call in &block.calls {
                let slots = call.inputs.iter().chain([&call.output]);
                let places: SmallVec<[Pointer; 4]> = slots
                    .map(|&slot| self.pointers[usize::from(slot)])
                    .collect();
                self.call(call.function, &places, |s, to| {
                    s.code.load_general(to, size);
                });
            }
        }
        self.advance(axis, elements);
        self.code.load_general(ACC, left);
        self.code.add_number(ACC, -(elements));
        self.code.store_general(left, ACC);
        self.code.test(ACC);
        self.code.jump_if(Condition::Greater, strip);
        self.code.end_loop(axis);
        for slot in 0..self.plan.mined.own_slots {
            if self.kernel.slots[slot].strides[axis] != Stride::Zero {
                // So many elements were passed, those beyond the end included.
                self.code.load_general(AUX, left);
                self.code.load_general(ACC, parameter(axis));
                self.code.subtract(ACC, AUX);
                self.move_back(slot, axis);
            }
        }
        self.code.bind(end);
        Ok(())
    }

    /// One phase for one strip.
    fn phase(&mut self, block: &Block) {
        let reductions = reductions(block);
        for &index in &reductions {
            self.resume(index);
        }
        let hoisted = self.hoist_for_calls(block, self.plan.count);
        self.code.clear_general(INDEX);
        self.clear_double_index();
        self.code
            .load_general(LIMIT, Address::new(STACK, self.calls.strip));
        self.rounds(block, self.plan.unroll);
        self.rest(block);
        self.release_all(&hoisted);
        for &index in &reductions {
            self.suspend(index);
        }
    }

    /// Loads what a block reads of uniform registers and of the outer part, in kernels that call: numbers as far as
    /// registers last. Gives what is to be released after it.
    pub(super) fn hoist_for_calls(&mut self, block: &Block, count: i32) -> Vec<Register> {
        let mut hoisted = Vec::new();
        if !self.plan.has_calls {
            return hoisted;
        }
        let is_outer = std::ptr::eq(block, &raw const self.source.outer);
        for index in 0..self.source.escaping.len() {
            let register = self.source.escaping[index];
            let mut instructions = block.instructions.iter();
            // The outer part itself has them in registers.
            if is_outer || !instructions.any(|i| i.reads().contains(&register)) {
                continue;
            }
            let kind = self.source.kind(register);
            let from = Address::new(STACK, self.calls.escaping + 8 * index as i32);
            let place = if kind == Kind::Mask {
                let mask = self.registers.take_mask();
                self.code.restore_mask(mask, from);
                Location::Mask(mask)
            } else {
                let vector = self.registers.take();
                let length = length(kind, count);
                self.code.broadcast(kind, length, vector, from.into());
                Location::Vector(vector)
            };
            self.bind(register, 0, place);
            hoisted.push(register);
        }
        for &register in &block.uniforms {
            let is_mask = self.source.kind(register) == Kind::Mask;
            if is_mask || self.registers.free_vectors() > block.pressure + 2 {
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
        for index in 0..self.source.escaping.len() {
            let register = self.source.escaping[index];
            let to = Address::new(STACK, self.calls.escaping + 8 * index as i32);
            match self.registers.location(register, 0) {
                Location::Vector(vector) => {
                    self.code
                        .store_scalar(self.source.kind(register), to, vector);
                }
                Location::Mask(mask) => {
                    self.code.push(MaskInst::StoreSpread { to, from: mask });
                }
                Location::Nowhere => {}
            }
            self.release(register, 0);
        }
    }

    /// Where a part of a reduction is on the stack: what it has so far, or its compensation.
    fn total(&self, index: usize, part: usize, compensation: bool) -> Address {
        let reductions = &self.source.reductions[..index];
        let before: usize = reductions.iter().map(|r| r.result.parts().len()).sum();
        let offset = 128 * (before + part) as i32 + 64 * i32::from(compensation);
        Address::new(STACK, self.calls.totals + offset)
    }

    fn store_total(&mut self, index: usize, part: usize, compensation: bool, place: Location) {
        let to = self.total(index, part, compensation);
        match place {
            Location::Vector(vector) => {
                let none = Masking::None;
                self.code
                    .store(Kind::F64, Length::of(T::BYTES), to, vector, none);
            }
            Location::Mask(mask) => self.code.save_mask(to, mask),
            Location::Nowhere => {}
        }
    }

    pub(super) fn load_total(
        &mut self,
        index: usize,
        part: usize,
        compensation: bool,
        place: Location,
    ) {
        let from = self.total(index, part, compensation);
        match place {
            Location::Vector(vector) => {
                let (from, none) = (Operand::Memory(from), Masking::None);
                self.code
                    .load(Kind::F64, Length::of(T::BYTES), vector, from, none);
            }
            Location::Mask(mask) => self.code.restore_mask(mask, from),
            Location::Nowhere => {}
        }
    }

    /// Puts what every reduction starts from on the stack.
    pub(super) fn start_totals_on_stack(&mut self) {
        for index in 0..self.source.reductions.len() {
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

    /// Gives a reduction its registers for one strip.
    fn resume(&mut self, index: usize) {
        for set in 0..self.sets(index, 1) {
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

    /// Combines the results of a strip with those so far, on the stack.
    fn suspend(&mut self, index: usize) {
        self.combine_sets(index);
        if self.is_compensated(index) {
            // A strip is a block.
            self.combine_lanes(index);
        }
        for set in 1..self.sets(index, 1) {
            self.release_set(set, index);
        }
        let places = self.accumulators[0][index].clone();
        for (part, place) in places.into_iter().enumerate() {
            if !self.is_compensated(index) {
                self.store_total(index, part, false, place);
                continue;
            }
            let Location::Vector(strip) = place else {
                continue;
            };
            let (sum, compensation) = (self.registers.take(), self.registers.take());
            self.load_total(index, part, false, Location::Vector(sum));
            self.load_total(index, part, true, Location::Vector(compensation));
            let kind = self.source.reductions[index].kind;
            self.combine(kind, 1).two_sum(sum, compensation, strip);
            self.store_total(index, part, false, Location::Vector(sum));
            self.store_total(index, part, true, Location::Vector(compensation));
            self.registers.give(sum);
            self.registers.give(compensation);
        }
        self.release_set(0, index);
    }

    /// A function of one element, between the inner loops.
    pub(super) fn call_for_one(
        &mut self,
        function: &'static Symbol,
        to: Register,
        from: &[Register],
        at: Instance,
    ) {
        let kind = self.source.kind(to);
        let mut places: SmallVec<[Pointer; 4]> = SmallVec::new();
        let result = self.calls.arguments + 64 * from.len() as i32;
        for (index, &register) in from.iter().chain([&to]).enumerate() {
            let place = self.calls.arguments + 64 * index as i32;
            places.push(Pointer::Scratch(place));
            if index < from.len() {
                let (vector, temporary) = self.vector(register, at);
                self.code
                    .store_scalar(kind, Address::new(STACK, place), vector);
                self.registers.give_if(temporary, vector);
            }
        }
        let live = self.registers.live();
        for &(_, place) in &live {
            self.save_or_restore(place, true);
        }
        self.code.push(FlowInst::LeaveVectors);
        self.call(function, &places, |s, count| {
            s.code.move_number(count, 1);
        });
        for &(register, place) in &live {
            self.save_or_restore(place, false);
            self.code.holds(Name::Register(register, 0), place);
        }
        if let Location::Vector(vector) = self.registers.define(to, at.copy) {
            self.code
                .load_scalar(kind, vector, Address::new(STACK, result));
        }
    }

    fn save_or_restore(&mut self, place: Location, save: bool) {
        // Of one element, so that the first lanes of masks in vectors are enough, too.
        let place = match place {
            Location::Mask(mask) => mask.vector().map_or(place, Location::Vector),
            _ => place,
        };
        match place {
            Location::Vector(Vector(number)) => {
                let at = Address::new(STACK, self.calls.saved + 16 * i32::from(number));
                let (kind, length, none) = (Kind::F64, Length::Bits128, Masking::None);
                if save {
                    self.code.store(kind, length, at, Vector(number), none);
                } else {
                    self.code
                        .load(kind, length, Vector(number), at.into(), none);
                }
            }
            Location::Mask(mask) => {
                let at = Address::new(STACK, self.calls.saved + 16 * 32 + 8 * i32::from(mask.0));
                if save {
                    self.code.save_mask(at, mask);
                } else {
                    self.code.restore_mask(mask, at);
                }
            }
            Location::Nowhere => {}
        }
    }

    /// Whether the pointer of a slot is that of scratch memory, which moves along nothing.
    pub(super) fn is_scratch(&self, slot: usize) -> bool {
        matches!(self.pointers[slot], Pointer::Scratch(_))
    }
}

/// The reductions of a phase.
fn reductions(block: &Block) -> SmallVec<[usize; 2]> {
    let reduction = |i: &VectorOp| match i {
        VectorOp::Reduce { reduction, .. } => Some(*reduction),
        _ => None,
    };
    block.instructions.iter().filter_map(reduction).collect()
}
