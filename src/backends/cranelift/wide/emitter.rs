//! Vector program -> machine code: registers, addresses, loads and stores. The loops around are in `loops.rs`.
//!
//! Registers are given out as instructions come: a section is straight-line code whose lifetimes are known, so a set of
//! free registers is all that is needed. Uniform registers are loaded before the loops while registers last; the others
//! are read from memory in all lanes by the instructions that use them. A kernel that needs more registers is refused.
//!
//! General-purpose registers: `rsi` points to the parameters, `rcx` and `r8` count along the lanes, `r10` is twice `rcx`
//! for elements of 16 bytes, `rax` and `rdx` hold what is needed at once. The others, and the stack, hold the slots'
//! pointers.

use smallvec::SmallVec;

use super::Refusal;
use super::assembler::{
    Address, Assembler, General, Length, Mask, Masking, Operand, R8, R9, R10, R11, R12, R13, R14,
    R15, RAX, RBP, RBX, RDI, RSI, RSP, Vector,
};
use super::calls::CallFrame;
use super::held::Held;
use super::instructions::Kind;
use super::plan::{Lanes, Plan, length};
use super::program::{Instruction, Program, Register, Section, Uniform};
use crate::backends::cranelift::kernel::{Kernel, Stride};

/// Where a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Nowhere,
    Vector(Vector),
    Mask(Mask),
}

/// Where the pointer of a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    Register(General),
    /// An offset from the stack pointer.
    Frame(i32),
    /// Scratch memory itself, at an offset from the stack pointer.
    Scratch(i32),
}

/// One time that a section is emitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Elements per vector.
    pub(super) count: i32,
    /// Elements ahead of where the pointers, or pointers and index, are.
    pub(super) ahead: i32,
    /// Whether `rcx` counts the elements along the lanes.
    pub(super) indexed: bool,
    /// Whether some lanes are beyond the end.
    pub(super) masked: bool,
    /// Which set of accumulators and results.
    pub(super) copy: usize,
}

/// Lanes within the array.
pub(super) const TAIL: Mask = Mask(1);
/// The same for the two vectors in memory that hold complex numbers.
pub(super) const TAIL_FIRST: Mask = Mask(2);
pub(super) const TAIL_SECOND: Mask = Mask(3);
/// The same as `TAIL` in the order of unpacked complex numbers.
pub(super) const TAIL_UNPACKED: Mask = Mask(4);

/// The sum and the compensation of each part of a number.
pub(super) type Totals = SmallVec<[(Vector, Vector); 2]>;

pub(super) struct Emitter<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) plan: &'a Plan,
    pub(super) program: &'a Program,
    pub(super) asm: Assembler,
    pub(super) pointers: Vec<Pointer>,
    /// Bits of the vector registers that hold nothing.
    free: u32,
    /// What stays in registers beside the registers of the program.
    pub(super) held: Held,
    free_masks: u8,
    /// Where registers are, for each copy.
    places: Vec<Vec<Place>>,
    /// What reductions have so far, for each copy.
    pub(super) accumulators: Vec<Vec<SmallVec<[Place; 2]>>>,
    /// Running sums of blocks and their compensations, for each copy.
    pub(super) totals: Vec<Vec<Totals>>,
    /// The offsets of lanes in bytes, for slots that stride along them.
    pub(super) gather: Vec<Option<Vector>>,
    /// The first word of each slot's strides among the parameters.
    pub(super) strides: Vec<usize>,
    /// Bytes of stack.
    frame: i32,
    /// Where scratch memory is on the stack.
    pub(super) scratch: Vec<i32>,
    pub(super) calls: CallFrame,
    used_callee_saved: SmallVec<[General; 6]>,
    /// Why code cannot be made, once that is known.
    pub(super) failed: Option<Refusal>,
}

pub(super) const PRESSURE: Refusal = "it needs more vector registers than there are";

/// Emits a kernel by a plan.
///
/// # Errors
/// Registers do not suffice.
pub(super) fn emit(plan: &Plan) -> Result<Vec<u8>, Refusal> {
    let mut emitter = Emitter::new(&plan.staged.kernel, plan);
    emitter.prologue()?;
    emitter.outer_loops(0)?;
    emitter.epilogue();
    match emitter.failed {
        Some(why) => Err(why),
        None => Ok(emitter.asm.finish()),
    }
}

const CALLEE_SAVED: [General; 6] = [RBX, RBP, R12, R13, R14, R15];

impl<'a> Emitter<'a> {
    fn new(kernel: &'a Kernel, plan: &'a Plan) -> Self {
        let (strides, _) = kernel.stride_words();
        let program: &Program = &plan.program;
        let copies = plan.unroll.max(1);
        let nowhere = vec![Place::Nowhere; program.kinds.len()];
        Self {
            kernel,
            plan,
            program,
            asm: Assembler::with_room(),
            pointers: Vec::new(),
            free: u32::MAX,
            held: Held::default(),
            // k0 is no predicate, and k1 is of the tail; so are k2 to k4 if there are complex numbers.
            free_masks: if kernel.slots.iter().any(|s| s.dtype.is_complex()) {
                0b1110_0000
            } else {
                0b1111_1100
            },
            places: vec![nowhere; copies],
            accumulators: vec![vec![SmallVec::new(); program.reductions.len()]; copies],
            totals: vec![vec![SmallVec::new(); program.reductions.len()]; copies],
            gather: vec![None; kernel.slots.len()],
            strides,
            frame: 0,
            scratch: Vec::new(),
            calls: CallFrame::default(),
            used_callee_saved: SmallVec::new(),
            failed: None,
        }
    }

    // ---- registers ----

    pub(super) fn take(&mut self) -> Vector {
        if self.free == 0 {
            self.failed = Some(PRESSURE);
            return Vector(0);
        }
        let number = self.free.trailing_zeros() as u8;
        self.free &= !(1 << number);
        Vector(number)
    }

    pub(super) fn give(&mut self, vector: Vector) {
        self.free |= 1 << vector.0 & !self.held.bits;
    }

    pub(super) fn take_mask(&mut self) -> Mask {
        if self.free_masks == 0 {
            self.failed = Some("it needs more mask registers than there are");
            return Mask(7);
        }
        let number = self.free_masks.trailing_zeros() as u8;
        self.free_masks &= !(1 << number);
        Mask(number)
    }

    pub(super) fn give_mask(&mut self, mask: Mask) {
        self.free_masks |= 1 << mask.0;
    }

    fn take_place(&mut self, kind: Kind) -> Place {
        match kind {
            Kind::Mask => Place::Mask(self.take_mask()),
            _ => Place::Vector(self.take()),
        }
    }

    pub(super) fn give_place(&mut self, place: Place) {
        match place {
            Place::Nowhere => {}
            Place::Vector(v) => self.give(v),
            Place::Mask(m) => self.give_mask(m),
        }
    }

    pub(super) fn place(&self, register: Register, copy: usize) -> Place {
        // Uniform registers are the same for all copies.
        let copy = if self.program.uniforms[register as usize].is_some() {
            0
        } else {
            copy
        };
        self.places[copy][register as usize]
    }

    pub(super) fn set_place(&mut self, register: Register, copy: usize, place: Place) {
        self.places[copy][register as usize] = place;
    }

    /// A place for a register that an instruction writes.
    pub(super) fn define(&mut self, register: Register, copy: usize) -> Place {
        let place = self.take_place(self.program.kind(register));
        self.set_place(register, copy, place);
        place
    }

    pub(super) fn define_vector(&mut self, register: Register, copy: usize) -> Vector {
        match self.define(register, copy) {
            Place::Vector(v) => v,
            _ => Vector(0),
        }
    }

    pub(super) fn define_mask(&mut self, register: Register, copy: usize) -> Mask {
        match self.define(register, copy) {
            Place::Mask(m) => m,
            _ => Mask(7),
        }
    }

    pub(super) fn release(&mut self, register: Register, copy: usize) {
        let place = self.place(register, copy);
        self.give_place(place);
        self.set_place(register, copy, Place::Nowhere);
    }

    pub(super) fn mask(&mut self, register: Register, copy: usize) -> Mask {
        if let Place::Mask(m) = self.place(register, copy) {
            m
        } else {
            self.failed = Some("a truth value is in no register");
            Mask(7)
        }
    }

    /// A register as the last operand of an instruction; uniform ones may be in memory.
    fn operand(&mut self, register: Register, step: Step) -> Operand {
        if let Place::Vector(v) = self.place(register, step.copy) {
            return v.into();
        }
        match self.program.uniforms[register as usize] {
            Some(Uniform::Parameter(word)) => Operand::Broadcast(parameter(word.into())),
            Some(Uniform::Constant(bits)) => {
                let constant = self.asm.word(bits);
                Operand::BroadcastConstant(constant)
            }
            Some(Uniform::Slot { slot, part }) => {
                Operand::Broadcast(self.at_pointer(slot.into(), part.into()))
            }
            None => {
                self.failed = Some("a value is in no register");
                Operand::Vector(Vector(0))
            }
        }
    }

    /// A register as a vector register, and whether that must be given back.
    pub(super) fn vector(&mut self, register: Register, step: Step) -> (Vector, bool) {
        match self.operand(register, step) {
            Operand::Vector(v) => (v, false),
            operand => {
                let to = self.take();
                let kind = self.program.kind(register);
                self.broadcast_uniform(register, kind, to, operand, length(kind, step.count));
                (to, true)
            }
        }
    }

    fn broadcast_uniform(
        &mut self,
        register: Register,
        kind: Kind,
        to: Vector,
        operand: Operand,
        length: Length,
    ) {
        if self.program.uniforms[register as usize] == Some(Uniform::Constant(0)) {
            return self.asm.clear(to);
        }
        let from = match operand {
            Operand::Broadcast(address) => Operand::Memory(address),
            Operand::BroadcastConstant(constant) => Operand::Constant(constant),
            other => other,
        };
        self.asm.broadcast(kind, length, to, from);
    }

    /// Puts a uniform register into a vector or mask register.
    pub(super) fn hoist(&mut self, register: Register, count: i32) {
        let kind = self.program.kind(register);
        let step = Step {
            count,
            ahead: 0,
            indexed: false,
            masked: false,
            copy: 0,
        };
        if kind != Kind::Mask {
            let operand = self.operand(register, step);
            let to = self.take();
            self.broadcast_uniform(register, kind, to, operand, length(kind, count));
            return self.set_place(register, 0, Place::Vector(to));
        }
        match self.program.uniforms[register as usize] {
            Some(Uniform::Parameter(word)) => self.asm.load_byte(RAX, parameter(word.into())),
            Some(Uniform::Slot { slot, .. }) => {
                let address = self.at_pointer(slot.into(), 0);
                self.asm.load_byte(RAX, address);
            }
            Some(Uniform::Constant(bits)) => self.asm.move_number(RAX, i32::from(bits != 0)),
            None => self.failed = Some("a value is in no register"),
        }
        let to = self.take_mask();
        self.asm.negate(RAX);
        self.asm.mask_from(to, RAX);
        self.set_place(register, 0, Place::Mask(to));
    }

    /// Where registers are that hold something.
    pub(super) fn live_places(&self) -> Vec<Place> {
        let mut live: Vec<Place> = Vec::new();
        for &place in &self.places[0] {
            if place != Place::Nowhere && !live.contains(&place) {
                live.push(place);
            }
        }
        live
    }

    pub(super) fn free_vectors(&self) -> usize {
        self.free.count_ones() as usize
    }

    // ---- entry and exit ----

    fn prologue(&mut self) -> Result<(), Refusal> {
        let needs_double_index = self.plan.lanes == Lanes::Inner
            && self.kernel.slots.iter().any(|s| s.dtype.size() == 16);
        let mut pool: SmallVec<[General; 16]> = SmallVec::new();
        if !self.plan.has_calls {
            pool.extend([R9, R11]);
            if !needs_double_index {
                pool.push(R10);
            }
            pool.push(RDI);
        }
        pool.extend(CALLEE_SAVED);
        // Counters of all loops but the innermost are on the stack, below the pointers that have no register.
        let counters = (self.kernel.outer_rank + 2 * self.kernel.inner_rank + 1) as i32;
        let count = self.plan.staged.own_slots;
        let spilled = count.saturating_sub(pool.len()) as i32;
        self.frame = 8 * (counters + spilled);
        for register in pool.iter().take(count) {
            if CALLEE_SAVED.contains(register) {
                self.used_callee_saved.push(*register);
            }
        }
        for register in self.used_callee_saved.clone() {
            self.asm.push(register);
        }
        if self.plan.has_calls {
            self.frame = self.call_frame(self.frame);
            self.enter_frame(self.frame);
        } else {
            self.asm.add_number(RSP, -self.frame);
        }
        let mut last = None;
        for slot in 0..count {
            let from = Address::new(RDI, 8 * slot as i32);
            match pool.get(slot) {
                Some(&register) => {
                    self.pointers.push(Pointer::Register(register));
                    if register == RDI {
                        last = Some(from);
                    } else {
                        self.asm.load_general(register, from);
                    }
                }
                None => {
                    let place = 8 * (counters + (slot - pool.len()) as i32);
                    self.pointers.push(Pointer::Frame(place));
                    self.asm.load_general(RAX, from);
                    self.asm.store_general(Address::new(RSP, place), RAX);
                }
            }
        }
        if let Some(from) = last {
            self.asm.load_general(RDI, from);
        }
        for &place in &self.scratch {
            self.pointers.push(Pointer::Scratch(place));
        }
        if !self.plan.has_calls {
            self.gather_offsets();
            self.constant_masks();
            self.plan_held();
            self.hoist_uniforms();
        }
        Ok(())
    }

    /// Slots that stride along the lanes: where the lanes are, counted from the first.
    fn gather_offsets(&mut self) {
        let Some(axis) = self.plan.axis(self.kernel) else {
            return;
        };
        for slot in 0..self.kernel.slots.len() {
            if self.kernel.slots[slot].strides[axis] != Stride::Parameter {
                continue;
            }
            let to = self.take();
            let lanes = self.asm.words([0, 1, 2, 3, 4, 5, 6, 7]);
            let stride = parameter(self.stride_word(slot, axis));
            let length = Length::Bits512;
            self.asm
                .broadcast(Kind::I64, length, to, Operand::Memory(stride));
            if let Some(multiply) =
                Assembler::binary_opcode(super::instructions::Binary::Multiply, Kind::I64)
            {
                let lanes = Operand::Constant(lanes);
                self.asm
                    .binary(multiply, Kind::I64, length, to, to, lanes, Masking::None);
            }
            self.gather[slot] = Some(to);
        }
    }

    /// Loads what holds for the whole kernel, as far as registers last.
    fn hoist_uniforms(&mut self) {
        let sections: SmallVec<[&Section; 4]> = self.program.sections().collect();
        let is_slot = |r: &Register| {
            matches!(
                self.program.uniforms[*r as usize],
                Some(Uniform::Slot { .. })
            )
        };
        let of_slots = |s: &&Section| s.uniforms.iter().filter(|r| is_slot(r)).count();
        let needed = self.reduction_registers() + self.program.escaping.len() * self.copies();
        let pressure = sections.iter().map(|s| s.pressure).max().unwrap_or(0);
        let slots = sections.iter().map(of_slots).max().unwrap_or(0);
        let mut room = self
            .free_vectors()
            .saturating_sub(needed + pressure + slots.min(4) + 1 + self.held.wanted());
        let mut wanted: SmallVec<[Register; 16]> = SmallVec::new();
        for section in &sections {
            for &register in &section.uniforms {
                if !is_slot(&register) && !wanted.contains(&register) {
                    wanted.push(register);
                }
            }
        }
        let count = self.plan.count;
        for register in wanted {
            if self.program.kind(register) == Kind::Mask {
                self.hoist(register, count);
            } else if room > 0 {
                room -= 1;
                self.hoist(register, count);
            }
        }
    }

    /// How many copies of results are alive at once.
    pub(super) fn copies(&self) -> usize {
        match self.plan.lanes {
            Lanes::Outer => self.plan.unroll,
            _ => 1,
        }
    }

    fn epilogue(&mut self) {
        self.asm.clear_upper();
        if self.plan.has_calls {
            self.leave_frame();
        } else {
            self.asm.add_number(RSP, self.frame);
        }
        for register in self.used_callee_saved.clone().into_iter().rev() {
            self.asm.pop(register);
        }
        self.asm.return_();
    }

    // ---- sections ----

    /// Emits a section once.
    pub(super) fn section(&mut self, section: &Section, step: Step) {
        for (instruction, ends) in section.instructions.iter().zip(&section.ends) {
            self.instruction(instruction, step);
            for &register in ends {
                self.release(register, step.copy);
            }
        }
    }

    fn instruction(&mut self, instruction: &Instruction, step: Step) {
        let copy = step.copy;
        match *instruction {
            Instruction::Load { slot, to } => self.load(slot.into(), to, step),
            Instruction::Store { slot, from } => self.store(slot.into(), from, step),
            Instruction::Call {
                function,
                to,
                ref from,
            } => self.call_for_one(function, to, from, step),
            Instruction::Reduce { reduction, from } => self.accumulate(reduction, from, step),
            Instruction::Binary { op, to, a, b } => {
                let kind = self.program.kind(a);
                let (a, temporary) = self.vector(a, step);
                let b = self.operand(b, step);
                let to = self.define_vector(to, copy);
                let length = length(kind, step.count);
                match Assembler::binary_opcode(op, kind) {
                    Some(opcode) => {
                        self.asm
                            .binary(opcode, kind, length, to, a, b, Masking::None);
                    }
                    None => self.failed = Some("integers are not divided"),
                }
                self.give_if(temporary, a);
            }
            Instruction::Unary { op, to, from } => {
                let kind = self.program.kind(from);
                let from = self.operand(from, step);
                let to = self.define_vector(to, copy);
                self.asm.unary(op, kind, length(kind, step.count), to, from);
            }
            Instruction::Compare {
                predicate,
                to,
                a,
                b,
            } => {
                let kind = self.program.kind(a);
                let (a, temporary) = self.vector(a, step);
                let b = self.operand(b, step);
                let to = self.define_mask(to, copy);
                let length = length(kind, step.count);
                self.asm.compare(predicate, kind, length, to, a, b, None);
                self.give_if(temporary, a);
            }
            Instruction::Select { to, mask, a, b } => {
                let kind = self.program.kind(a);
                let mask = self.mask(mask, copy);
                let (b, temporary) = self.vector(b, step);
                let a = self.operand(a, step);
                let to = self.define_vector(to, copy);
                self.asm
                    .select(kind, length(kind, step.count), to, mask, a, b);
                self.give_if(temporary, b);
            }
            Instruction::Logic { op, to, a, b } => {
                let (a, b) = (self.mask(a, copy), self.mask(b, copy));
                let to = self.define_mask(to, copy);
                self.asm.mask_logic(op, to, a, b);
            }
            Instruction::Not { to, from } => {
                let from = self.mask(from, copy);
                let to = self.define_mask(to, copy);
                self.asm.mask_not(to, from);
            }
            Instruction::Convert { to, from } => {
                let (from_kind, to_kind) = (self.program.kind(from), self.program.kind(to));
                let (from, temporary) = self.vector(from, step);
                let to = self.define_vector(to, copy);
                let longer = length(from_kind, step.count).max(length(to_kind, step.count));
                self.asm.convert(from_kind, to_kind, longer, to, from);
                self.give_if(temporary, from);
            }
        }
    }

    pub(super) fn give_if(&mut self, temporary: bool, vector: Vector) {
        if temporary {
            self.give(vector);
        }
    }
}

/// A word of the parameters.
pub(super) fn parameter(word: usize) -> Address {
    Address::new(RSI, 8 * word as i32)
}

/// The register of the counter along the lanes; see the head of this file.
pub(super) const LIMIT: General = R8;
