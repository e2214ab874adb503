//! Vector kernel -> vector code: entry and exit, uniform registers, and the instructions of a block. The loops around are in
//! `loops.rs`.
//!
//! Uniform registers are loaded before the loops while registers last; the others are read from memory in all lanes by
//! the instructions that use them. General-purpose registers have the roles that `vcode.rs` lists.

use std::marker::PhantomData;

use smallvec::SmallVec;

use super::super::Fallback;
use super::frame::{CallFrame, Rows};
use super::ir::{Binary, Block, Kind, Register, Uniform, VectorKernel, VectorOp};
use super::plan::{Lanes, Pipeline, Plan, lanes_of_sum, length};
use super::registers::Registers;
use super::target::Target;
use super::vcode::{
    ACC, Address, CALLEE_SAVED, CALLER_SAVED, DOUBLE_INDEX, FlowInst, General, Length, Location,
    MaskInst, Masking, Name, Note, Operand, POINTERS, Pointer, STACK, VCode, Vector, parameter,
};
use crate::kernel::{Kernel, Stride};

/// One time that a block is emitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    /// Elements per vector.
    pub(super) count: i32,
    /// Elements ahead of where the pointers, or pointers and index, are.
    pub(super) ahead: i32,
    /// Whether `INDEX` counts the elements along the lanes.
    pub(super) indexed: bool,
    /// Whether some lanes are beyond the end.
    pub(super) masked: bool,
    /// Which set of accumulators and results.
    pub(super) copy: usize,
}

/// The sum and the compensation of each part of a number.
pub(super) type Totals = SmallVec<[(Vector, Vector); 2]>;

pub(super) struct Emitter<'a, T> {
    pub(super) kernel: &'a Kernel,
    pub(super) plan: &'a Plan,
    pub(super) source: &'a VectorKernel,
    pub(super) code: VCode,
    pub(super) registers: Registers<'a>,
    pub(super) pointers: Vec<Pointer>,
    /// Registers that are taken beside those of the vector kernel.
    pub(super) rows: Rows,
    pub(super) pipeline: Pipeline,
    /// The partial results of reductions, for each copy.
    pub(super) accumulators: Vec<Vec<SmallVec<[Location; 2]>>>,
    /// Which element of a sum whose loop is unrolled comes next; see [`Plan::terms`].
    pub(super) turn: usize,
    /// Running sums of chunks and their compensations, for each copy.
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
    /// Where lanes of sums are on the stack, if they are: room for twice as many, to align them.
    pub(super) memory_at: i32,
    used_callee_saved: SmallVec<[General; 6]>,
    target: PhantomData<T>,
}

/// Emits a kernel by a plan, with notes about registers if they are wanted.
///
/// # Errors
/// Registers do not suffice.
pub(super) fn emit<T: Target>(plan: &Plan, annotated: bool) -> Result<VCode, Fallback> {
    let mut emitter = Emitter::<T>::new(&plan.mined.kernel, plan, annotated);
    emitter.emit()?;
    if emitter.registers.failed.is_some() && emitter.is_pipelined() {
        // Two rows under way take more registers than one.
        emitter = Emitter::new(&plan.mined.kernel, plan, annotated);
        emitter.pipeline.is_refused = true;
        emitter.emit()?;
    }
    match emitter.registers.failed {
        Some(why) => Err(why),
        None => {
            emitter.code.pointers = emitter.pointers;
            Ok(emitter.code)
        }
    }
}

impl<'a, T: Target> Emitter<'a, T> {
    fn new(kernel: &'a Kernel, plan: &'a Plan, annotated: bool) -> Self {
        let (strides, _) = kernel.stride_words();
        let source: &VectorKernel = &plan.source;
        let copies = plan.unroll.max(1);
        let has_complex = kernel.slots.iter().any(|s| s.dtype.is_complex());
        let scratch = T::scratch(&plan.demand(kernel));
        let mut code = VCode::with_room(annotated);
        code.count = plan.count;
        code.scratch = scratch;
        // The last loop may have several copies because sums have several sets of accumulators.
        let sums = source.reductions.iter().any(|r| lanes_of_sum(r).is_some());
        let shares_results = (T::IS_NARROW || sums) && plan.lanes == Lanes::Inner;
        Self {
            kernel,
            plan,
            source,
            code,
            registers: Registers::new::<T>(source, has_complex, copies, scratch, shares_results),
            pointers: Vec::new(),
            rows: Rows::default(),
            pipeline: Pipeline::default(),
            accumulators: Vec::new(),
            turn: 0,
            totals: vec![vec![SmallVec::new(); source.reductions.len()]; copies],
            gather: vec![None; kernel.slots.len()],
            strides,
            frame: 0,
            scratch: Vec::new(),
            calls: CallFrame::default(),
            memory_at: 0,
            used_callee_saved: SmallVec::new(),
            target: PhantomData,
        }
    }

    fn emit(&mut self) -> Result<(), Fallback> {
        self.make_sets();
        self.prologue()?;
        self.outer_loops(0)?;
        self.epilogue();
        Ok(())
    }

    // ---- registers ----

    /// A register as the last operand of an instruction; uniform ones may be in memory.
    fn operand(&mut self, register: Register, at: Instance) -> Operand {
        if let Location::Vector(v) = self.registers.location(register, at.copy) {
            return v.into();
        }
        match self.source.uniforms[register as usize] {
            Some(Uniform::Parameter(word)) => Operand::Broadcast(parameter(word.into())),
            Some(Uniform::Constant(bits)) => {
                let constant = self.code.word(bits);
                Operand::BroadcastConstant(constant)
            }
            Some(Uniform::Slot { slot, part }) => {
                Operand::Broadcast(self.at_pointer(slot.into(), part.into()))
            }
            None => {
                self.registers.failed = Some("a value is in no register");
                Operand::Vector(Vector(0))
            }
        }
    }

    /// A register as a vector register, and whether that must be given back.
    pub(super) fn vector(&mut self, register: Register, at: Instance) -> (Vector, bool) {
        match self.operand(register, at) {
            Operand::Vector(v) => (v, false),
            operand => {
                let to = self.registers.take();
                let kind = self.source.kind(register);
                self.broadcast_uniform(register, kind, to, operand, length(kind, at.count));
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
        if self.source.uniforms[register as usize] == Some(Uniform::Constant(0)) {
            return self.code.clear(to);
        }
        let from = match operand {
            Operand::Broadcast(address) => Operand::Memory(address),
            Operand::BroadcastConstant(constant) => Operand::Constant(constant),
            other => other,
        };
        self.code.broadcast(kind, length, to, from);
    }

    /// Puts a uniform register into a vector or mask register.
    pub(super) fn hoist(&mut self, register: Register, count: i32) {
        self.begin();
        let kind = self.source.kind(register);
        let at = Instance {
            count,
            ahead: 0,
            indexed: false,
            masked: false,
            copy: 0,
        };
        let location = if kind == Kind::Mask {
            Location::Mask(self.hoist_mask(register))
        } else {
            let operand = self.operand(register, at);
            let to = self.registers.take();
            self.broadcast_uniform(register, kind, to, operand, length(kind, count));
            Location::Vector(to)
        };
        self.registers.set(register, 0, location);
        self.code.defines(Name::Register(register, 0), location);
    }

    fn hoist_mask(&mut self, register: Register) -> super::vcode::Mask {
        let address = match self.source.uniforms[register as usize] {
            Some(Uniform::Parameter(word)) => parameter(word.into()),
            Some(Uniform::Slot { slot, .. }) => self.at_pointer(slot.into(), 0),
            Some(Uniform::Constant(bits)) => {
                let to = self.registers.take_mask();
                let value = bits != 0;
                self.code.push(MaskInst::SpreadConstant { to, value });
                return to;
            }
            None => {
                self.registers.failed = Some("a value is in no register");
                return self.registers.take_mask();
            }
        };
        let to = self.registers.take_mask();
        self.code.push(MaskInst::SpreadByte { to, from: address });
        to
    }

    /// Ends a register of the vector kernel.
    pub(super) fn release(&mut self, register: Register, copy: usize) {
        let name = Name::Register(register, self.registers.copy(register, copy));
        let location = self.registers.release(register, copy);
        self.code.ends(name, location);
    }

    /// A register of the vector kernel is where something was computed.
    pub(super) fn bind(&mut self, register: Register, copy: usize, location: Location) {
        self.registers.set(register, copy, location);
        self.code.holds(Name::Register(register, copy), location);
    }

    /// Something new begins, for the verifier.
    pub(super) fn begin(&mut self) {
        if self.code.annotated {
            let (free, free_masks) = self.registers.free();
            self.code.note(Note::Begin { free, free_masks });
        }
    }

    // ---- entry and exit ----

    fn prologue(&mut self) -> Result<(), Fallback> {
        let needs_double_index = self.plan.lanes == Lanes::Inner
            && self.kernel.slots.iter().any(|s| s.dtype.size() == 16);
        let mut pool: SmallVec<[General; 16]> = SmallVec::new();
        if !self.plan.has_calls {
            pool.extend(CALLER_SAVED);
            if !needs_double_index {
                pool.push(DOUBLE_INDEX);
            }
            pool.push(POINTERS);
        }
        pool.extend(CALLEE_SAVED);
        // Counters of all loops but the innermost are on the stack, below the pointers that have no register.
        let counters = (self.kernel.outer_rank + 2 * self.kernel.inner_rank + 1) as i32;
        let count = self.plan.mined.own_slots;
        let spilled = count.saturating_sub(pool.len()) as i32;
        self.frame = 8 * (counters + spilled);
        if T::MASKS.are_vectors() && self.plan.demand(self.kernel).has_tails {
            // `TAIL` is the first of four.
            self.code.tails = self.frame;
            self.frame += 4 * T::BYTES;
        }
        if let Some(memory) = self.plan.memory {
            self.memory_at = self.frame;
            self.frame += 2 * memory.bytes();
        }
        for register in pool.iter().take(count) {
            if CALLEE_SAVED.contains(register) {
                self.used_callee_saved.push(*register);
            }
        }
        for register in self.used_callee_saved.clone() {
            self.code.push_general(register);
        }
        if self.plan.has_calls {
            self.frame = self.call_frame(self.frame);
            self.enter_frame(self.frame);
        } else {
            self.code.add_number(STACK, -self.frame);
        }
        let mut last = None;
        for slot in 0..count {
            let from = Address::new(POINTERS, 8 * slot as i32);
            match pool.get(slot) {
                Some(&register) => {
                    self.pointers.push(Pointer::Register(register));
                    if register == POINTERS {
                        last = Some(from);
                    } else {
                        self.code.load_general(register, from);
                    }
                }
                None => {
                    let place = 8 * (counters + (slot - pool.len()) as i32);
                    self.pointers.push(Pointer::Frame(place));
                    self.code.load_general(ACC, from);
                    self.code.store_general(Address::new(STACK, place), ACC);
                }
            }
        }
        if let Some(from) = last {
            self.code.load_general(POINTERS, from);
        }
        for &place in &self.scratch {
            self.pointers.push(Pointer::Scratch(place));
        }
        if !self.plan.has_calls {
            self.gather_offsets();
            self.constant_masks();
            self.plan_pipeline();
            self.plan_rows();
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
            let to = self.registers.take();
            let lanes = self.code.words([0, 1, 2, 3, 4, 5, 6, 7]);
            let stride = parameter(self.stride_word(slot, axis));
            let length = Length::of(T::BYTES);
            self.code
                .broadcast(Kind::I64, length, to, Operand::Memory(stride));
            let (lanes, none) = (Operand::Constant(lanes), Masking::None);
            self.code
                .binary(Binary::Multiply, Kind::I64, length, to, to, lanes, none);
            self.gather[slot] = Some(to);
        }
    }

    /// Loads what holds for the whole kernel, as far as registers last.
    fn hoist_uniforms(&mut self) {
        let blocks: SmallVec<[&Block; 4]> = self.source.blocks().collect();
        let is_slot = |r: &Register| {
            matches!(
                self.source.uniforms[*r as usize],
                Some(Uniform::Slot { .. })
            )
        };
        let of_slots = |s: &&Block| s.uniforms.iter().filter(|r| is_slot(r)).count();
        let needed = self.reduction_registers() + self.source.escaping.len() * self.copies();
        let pressure = blocks.iter().map(|s| s.pressure).max().unwrap_or(0);
        let pressure = self.pipelined_pressure(pressure);
        let slots = blocks.iter().map(of_slots).max().unwrap_or(0);
        let mut room = self
            .registers
            .free_vectors()
            .saturating_sub(needed + pressure + slots.min(4) + 1 + self.rows.wanted());
        let mut wanted: SmallVec<[Register; 16]> = SmallVec::new();
        for block in &blocks {
            for &register in &block.uniforms {
                if !is_slot(&register) && !wanted.contains(&register) {
                    wanted.push(register);
                }
            }
        }
        let count = self.plan.count;
        for register in wanted {
            if self.source.kind(register) == Kind::Mask {
                // Nothing reads them from memory.
                room = room.saturating_sub(self.registers.vectors_for(Kind::Mask));
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
        self.code.push(FlowInst::LeaveVectors);
        if self.plan.has_calls {
            self.leave_frame();
        } else {
            self.code.add_number(STACK, self.frame);
        }
        for register in self.used_callee_saved.clone().into_iter().rev() {
            self.code.pop_general(register);
        }
        self.code.push(FlowInst::Return);
    }

    // ---- blocks ----

    /// Emits a block once.
    pub(super) fn block(&mut self, block: &Block, at: Instance) {
        let copy = at.copy;
        self.code.block(at.count, at.ahead, at.masked);
        for (instruction, ends) in block.instructions.iter().zip(&block.ends) {
            self.begin();
            self.note_reads(instruction, copy);
            self.instruction(instruction, at);
            self.note_reads(instruction, copy);
            if self.code.annotated {
                for register in instruction.writes() {
                    let location = self.registers.location(register, copy);
                    self.code.defines(Name::Register(register, copy), location);
                }
            }
            for &register in ends {
                self.release(register, copy);
            }
        }
        self.code.note(Note::EndBlock);
    }

    /// The registers that an instruction reads hold what they should, before and after it.
    fn note_reads(&mut self, instruction: &VectorOp, copy: usize) {
        if !self.code.annotated {
            return;
        }
        for register in instruction.reads() {
            let location = self.registers.location(register, copy);
            let copy = self.registers.copy(register, copy);
            self.code.uses(Name::Register(register, copy), location);
        }
    }

    fn instruction(&mut self, instruction: &VectorOp, at: Instance) {
        let copy = at.copy;
        match *instruction {
            VectorOp::Load { slot, to } => self.load(slot.into(), to, at),
            VectorOp::Store { slot, from } => self.store(slot.into(), from, at),
            VectorOp::Call {
                function,
                to,
                ref from,
            } => self.call_for_one(function, to, from, at),
            VectorOp::Reduce { reduction, from } => self.accumulate(reduction, from, at),
            VectorOp::Binary { op, to, a, b } => {
                let kind = self.source.kind(a);
                let (a, temporary) = self.vector(a, at);
                let b = self.operand(b, at);
                let to = self.registers.define_vector(to, copy);
                let length = length(kind, at.count);
                if op.exists_for(kind) {
                    self.code.binary(op, kind, length, to, a, b, Masking::None);
                } else {
                    self.registers.failed = Some("integers are not divided");
                }
                self.registers.give_if(temporary, a);
            }
            VectorOp::Unary { op, to, from } => {
                let kind = self.source.kind(from);
                let from = self.operand(from, at);
                let to = self.registers.define_vector(to, copy);
                self.code.unary(op, kind, length(kind, at.count), to, from);
            }
            VectorOp::Compare {
                predicate,
                to,
                a,
                b,
            } => {
                let kind = self.source.kind(a);
                let (a, temporary) = self.vector(a, at);
                let b = self.operand(b, at);
                let to = self.registers.define_mask(to, copy);
                let length = length(kind, at.count);
                self.code.push(MaskInst::Compare {
                    predicate,
                    kind,
                    length,
                    to,
                    a,
                    b,
                    only: None,
                });
                self.registers.give_if(temporary, a);
            }
            VectorOp::Select { to, mask, a, b } => {
                let kind = self.source.kind(a);
                let mask = self.registers.mask(mask, copy);
                let (b, temporary) = self.vector(b, at);
                let a = self.operand(a, at);
                let to = self.registers.define_vector(to, copy);
                self.code
                    .select(kind, length(kind, at.count), to, mask, a, b);
                self.registers.give_if(temporary, b);
            }
            VectorOp::Logic { op, to, a, b } => {
                let (a, b) = (self.registers.mask(a, copy), self.registers.mask(b, copy));
                let to = self.registers.define_mask(to, copy);
                self.code.mask_logic(op, to, a, b);
            }
            VectorOp::Not { to, from } => {
                let from = self.registers.mask(from, copy);
                let to = self.registers.define_mask(to, copy);
                self.code.mask_not(to, from);
            }
            VectorOp::Convert { to, from } => {
                let (from_kind, to_kind) = (self.source.kind(from), self.source.kind(to));
                let (from, temporary) = self.vector(from, at);
                let to = self.registers.define_vector(to, copy);
                let longer = length(from_kind, at.count).max(length(to_kind, at.count));
                self.code.convert(from_kind, to_kind, longer, to, from);
                self.registers.give_if(temporary, from);
            }
        }
    }
}
