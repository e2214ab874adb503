//! Reductions: partial results in lanes, blocks of long sums, and what is combined at the end.
//!
//! A partial sum of floating numbers adds at most [`CHAIN`] elements in a row; such blocks are added up with compensation
//! (Neumaier 1974), lane by lane. NumPy's pairwise sum adds 16 in a row.

use smallvec::SmallVec;

use super::assembler::{Assembler, Masking, Operand, RAX, Vector};
use super::emitter::{Emitter, Place, Step, TAIL, TAIL_UNPACKED, Totals};
use super::instructions::{Binary, Kind, MaskLogic, Predicate};
use super::plan::{Lanes, Order, length};
use super::program::{Element, Register};
use super::select;
use crate::backends::cranelift::kernel::ReduceOp;

/// The most elements that a partial sum adds in a row.
pub(super) const CHAIN: i32 = 32;

impl Emitter<'_> {
    /// Whether some sum is added up in blocks.
    pub(super) fn is_blocked(&self) -> bool {
        self.plan.blocked
    }

    pub(super) fn is_compensated(&self, reduction: usize) -> bool {
        let reduction = &self.program.reductions[reduction];
        self.is_blocked() && reduction.op == ReduceOp::Sum && reduction.kind.is_float()
    }

    /// Sets of accumulators: one for each step of a round, or for each result.
    fn sets(&self, copies: usize) -> usize {
        match self.plan.lanes {
            Lanes::Inner => self.plan.unroll,
            _ => copies,
        }
    }

    /// Registers that reductions take.
    pub(super) fn reduction_registers(&self) -> usize {
        let sets = self.sets(self.plan.unroll);
        let mut registers = 0;
        for (index, reduction) in self.program.reductions.iter().enumerate() {
            let parts = reduction.result.parts().len();
            if reduction.kind != Kind::Mask {
                registers += parts * sets;
            }
            if self.is_compensated(index) {
                registers += 2 * parts * self.copies() + 3;
            }
        }
        registers
    }

    fn vector_of(place: Place) -> Vector {
        match place {
            Place::Vector(v) => v,
            _ => Vector(0),
        }
    }

    fn arithmetic(&mut self, op: Binary, kind: Kind, count: i32, to: Vector, a: Vector, b: Vector) {
        if let Some(opcode) = Assembler::binary_opcode(op, kind) {
            let length = length(kind, count);
            self.asm
                .binary(opcode, kind, length, to, a, b.into(), Masking::None);
        }
    }

    /// Gives every reduction its registers, and what it starts from.
    pub(super) fn start_totals(&mut self, copies: usize) {
        if self.plan.has_calls {
            return self.start_totals_on_stack();
        }
        let sets = self.sets(copies);
        for index in 0..self.program.reductions.len() {
            let parts = self.program.reductions[index].result.parts().len();
            for set in 0..sets {
                self.take_set(set, index);
                if !self.is_compensated(index) {
                    self.start(set, index);
                }
            }
            if self.is_compensated(index) {
                let totals = if self.plan.lanes == Lanes::Inner {
                    1
                } else {
                    copies
                };
                for copy in 0..totals {
                    let pairs: Totals = (0..parts).map(|_| (self.take(), self.take())).collect();
                    for &(sum, compensation) in &pairs {
                        self.asm.clear(sum);
                        self.asm.clear(compensation);
                    }
                    self.totals[copy][index] = pairs;
                }
            }
        }
    }

    /// Gives a reduction the registers of one set.
    pub(super) fn take_set(&mut self, set: usize, index: usize) {
        let (kind, parts) = {
            let reduction = &self.program.reductions[index];
            (reduction.kind, reduction.result.parts().len())
        };
        self.accumulators[set][index] = (0..parts)
            .map(|_| match kind {
                Kind::Mask => Place::Mask(self.take_mask()),
                _ => Place::Vector(self.take()),
            })
            .collect();
    }

    pub(super) fn release_set(&mut self, set: usize, index: usize) -> SmallVec<[Place; 2]> {
        let places = std::mem::take(&mut self.accumulators[set][index]);
        for &place in &places {
            self.give_place(place);
        }
        places
    }

    /// Takes what a reduction has so far from the stack, in kernels that call functions.
    fn take_totals(&mut self, index: usize) {
        let parts = self.program.reductions[index].result.parts().len();
        if !self.is_compensated(index) {
            self.take_set(0, index);
            for (part, place) in self.accumulators[0][index].clone().into_iter().enumerate() {
                self.load_total(index, part, false, place);
            }
            return;
        }
        let pairs: Totals = (0..parts).map(|_| (self.take(), self.take())).collect();
        for (part, &(sum, compensation)) in pairs.iter().enumerate() {
            self.load_total(index, part, false, Place::Vector(sum));
            self.load_total(index, part, true, Place::Vector(compensation));
        }
        self.totals[0][index] = pairs;
    }

    /// Accumulators of sums in blocks start anew.
    pub(super) fn start_accumulators(&mut self, copies: usize) {
        for set in 0..self.sets(copies) {
            for index in 0..self.program.reductions.len() {
                if self.is_compensated(index) {
                    self.start(set, index);
                }
            }
        }
    }

    /// What a reduction starts from, in all lanes.
    pub(super) fn start(&mut self, set: usize, index: usize) {
        let (op, kind) = {
            let reduction = &self.program.reductions[index];
            (reduction.op, reduction.kind)
        };
        for (part, place) in self.accumulators[set][index]
            .clone()
            .into_iter()
            .enumerate()
        {
            match place {
                Place::Mask(mask) => {
                    let logic = if op == ReduceOp::Any {
                        MaskLogic::Xor
                    } else {
                        MaskLogic::NotXor
                    };
                    self.asm.mask_logic(logic, mask, mask, mask);
                }
                Place::Vector(vector) => {
                    let identity = match (op, part) {
                        // Sums start at +0, as NumPy's do: the sum of negative zeros is +0.
                        (ReduceOp::Sum, _) | (ReduceOp::Prod, 1) => 0,
                        (ReduceOp::Prod, _) => select::bits(1.0, kind),
                        (ReduceOp::Max, _) => lowest(kind, true),
                        (_, _) => lowest(kind, false),
                    };
                    if identity == 0 {
                        self.asm.clear(vector);
                    } else {
                        let constant = self.asm.word(identity);
                        let constant = Operand::Constant(constant);
                        let length = length(kind, self.plan.count);
                        self.asm.broadcast(kind, length, vector, constant);
                    }
                }
                Place::Nowhere => {}
            }
        }
    }

    /// Combines the elements of a step with what is there so far.
    pub(super) fn accumulate(&mut self, index: usize, from: Element, step: Step) {
        let (op, kind) = {
            let reduction = &self.program.reductions[index];
            (reduction.op, reduction.kind)
        };
        let set = self.accumulators[step.copy][index].clone();
        // With a result in each lane, lanes beyond the end do no harm.
        let is_partial = step.masked && self.plan.lanes == Lanes::Inner;
        let tail = if self.plan.order == Order::Unpacked {
            TAIL_UNPACKED
        } else {
            TAIL
        };
        let masking = if is_partial {
            Masking::Merge(tail)
        } else {
            Masking::None
        };
        if let [Place::Mask(so_far)] = set[..] {
            let from = self.mask(from.first(), step.copy);
            let logic = if op == ReduceOp::Any {
                MaskLogic::Or
            } else {
                MaskLogic::And
            };
            if !is_partial {
                return self.asm.mask_logic(logic, so_far, so_far, from);
            }
            let counted = self.take_mask();
            if op == ReduceOp::Any {
                self.asm.mask_logic(MaskLogic::And, counted, from, tail);
            } else {
                self.asm.mask_not(counted, tail);
                self.asm.mask_logic(MaskLogic::Or, counted, counted, from);
            }
            self.asm.mask_logic(logic, so_far, so_far, counted);
            return self.give_mask(counted);
        }
        let parts: SmallVec<[(Vector, bool); 2]> = from
            .parts()
            .into_iter()
            .map(|register| self.vector(register, step))
            .collect();
        let vectors: SmallVec<[Vector; 2]> = set.iter().map(|&p| Self::vector_of(p)).collect();
        let values: SmallVec<[Vector; 2]> = parts.iter().map(|p| p.0).collect();
        self.combine(op, kind, step.count, &vectors, &values, masking);
        for (vector, temporary) in parts {
            self.give_if(temporary, vector);
        }
    }

    /// `so_far = op(so_far, x)`.
    fn combine(
        &mut self,
        op: ReduceOp,
        kind: Kind,
        count: i32,
        so_far: &[Vector],
        x: &[Vector],
        masking: Masking,
    ) {
        let length = length(kind, count);
        match (op, so_far, x) {
            (ReduceOp::Prod, &[a, b], &[c, d]) => {
                // In no lane of a tail that anyone reads, so without a mask.
                let (re, im, passing) = (self.take(), self.take(), self.take());
                self.arithmetic(Binary::Multiply, kind, count, re, a, c);
                self.arithmetic(Binary::Multiply, kind, count, passing, b, d);
                self.arithmetic(Binary::Subtract, kind, count, re, re, passing);
                self.arithmetic(Binary::Multiply, kind, count, im, a, d);
                self.arithmetic(Binary::Multiply, kind, count, passing, b, c);
                self.arithmetic(Binary::Add, kind, count, b, im, passing);
                self.asm.copy(kind, length, a, re, Masking::None);
                for vector in [re, im, passing] {
                    self.give(vector);
                }
            }
            (ReduceOp::Max | ReduceOp::Min, &[a], &[b]) => {
                let binary = if op == ReduceOp::Max {
                    Binary::Maximum
                } else {
                    Binary::Minimum
                };
                let Some(opcode) = Assembler::binary_opcode(binary, kind) else {
                    return;
                };
                // Where either is NaN this gives what there was so far, so a NaN stays; a new one is put in.
                self.asm
                    .binary(opcode, kind, length, a, b, a.into(), masking);
                if kind.is_float() {
                    let mask = self.take_mask();
                    let only = match masking {
                        Masking::Merge(m) => Some(m),
                        _ => None,
                    };
                    let unordered = Predicate::Unordered;
                    self.asm
                        .compare(unordered, kind, length, mask, b, b.into(), only);
                    self.asm.copy(kind, length, a, b, Masking::Merge(mask));
                    self.give_mask(mask);
                }
            }
            _ => {
                let binary = if op == ReduceOp::Prod {
                    Binary::Multiply
                } else {
                    Binary::Add
                };
                let Some(opcode) = Assembler::binary_opcode(binary, kind) else {
                    return;
                };
                for (&a, &b) in so_far.iter().zip(x) {
                    self.asm
                        .binary(opcode, kind, length, a, a, b.into(), masking);
                }
            }
        }
    }

    /// Sets of accumulators become one, the first.
    pub(super) fn combine_sets(&mut self, index: usize) {
        let (op, kind) = {
            let reduction = &self.program.reductions[index];
            (reduction.op, reduction.kind)
        };
        let mut sets = self.plan.unroll;
        while sets > 1 {
            sets /= 2;
            for set in 0..sets {
                let a = self.accumulators[set][index].clone();
                let b = self.accumulators[set + sets][index].clone();
                if let ([Place::Mask(a)], [Place::Mask(b)]) = (&a[..], &b[..]) {
                    let logic = if op == ReduceOp::Any {
                        MaskLogic::Or
                    } else {
                        MaskLogic::And
                    };
                    self.asm.mask_logic(logic, *a, *a, *b);
                    continue;
                }
                let a: SmallVec<[Vector; 2]> = a.iter().map(|&p| Self::vector_of(p)).collect();
                let b: SmallVec<[Vector; 2]> = b.iter().map(|&p| Self::vector_of(p)).collect();
                self.combine(op, kind, self.plan.count, &a, &b, Masking::None);
            }
        }
    }

    /// Adds the blocks of one inner loop to the totals.
    pub(super) fn add_to_totals_inside(&mut self) {
        for index in 0..self.program.reductions.len() {
            if self.is_compensated(index) {
                self.combine_sets(index);
            }
        }
        self.add_to_totals(1);
    }

    /// Adds a block of each copy to its total.
    pub(super) fn add_to_totals(&mut self, copies: usize) {
        for copy in 0..copies {
            for index in 0..self.program.reductions.len() {
                if !self.is_compensated(index) {
                    continue;
                }
                let kind = self.program.reductions[index].kind;
                let block = self.accumulators[copy][index].clone();
                let totals = self.totals[copy][index].clone();
                for (&(sum, compensation), &x) in totals.iter().zip(&block) {
                    let x = Self::vector_of(x);
                    self.two_sum(kind, self.plan.count, sum, compensation, x);
                }
            }
        }
    }

    /// `sum += x`, and what rounding loses is added to the compensation, exactly (Knuth's two-sum).
    pub(super) fn two_sum(
        &mut self,
        kind: Kind,
        count: i32,
        sum: Vector,
        compensation: Vector,
        x: Vector,
    ) {
        let (total, x_part, a_part) = (self.take(), self.take(), self.take());
        self.arithmetic(Binary::Add, kind, count, total, sum, x);
        self.arithmetic(Binary::Subtract, kind, count, x_part, total, sum);
        self.arithmetic(Binary::Subtract, kind, count, a_part, total, x_part);
        self.arithmetic(Binary::Subtract, kind, count, x_part, x, x_part);
        self.arithmetic(Binary::Subtract, kind, count, a_part, sum, a_part);
        self.arithmetic(Binary::Add, kind, count, x_part, a_part, x_part);
        self.arithmetic(Binary::Add, kind, count, compensation, compensation, x_part);
        let all = length(kind, count);
        self.asm.copy(kind, all, sum, total, Masking::None);
        for vector in [total, x_part, a_part] {
            self.give(vector);
        }
    }

    /// Results of the inner loop become registers of the program.
    pub(super) fn finish_reductions(&mut self, copies: usize) {
        let inner = self.plan.lanes == Lanes::Inner;
        let sets = self.sets(copies);
        for index in 0..self.program.reductions.len() {
            let compensated = self.is_compensated(index);
            if self.plan.has_calls {
                self.take_totals(index);
            } else if inner && !compensated {
                self.combine_sets(index);
            }
            if inner && compensated {
                self.combine_total_lanes(index);
            } else if inner {
                self.combine_lanes(index);
            }
            let result = self.program.reductions[index].result.parts();
            for set in 0..sets {
                let places = std::mem::take(&mut self.accumulators[set][index]);
                let holds_result = set < if inner { 1 } else { copies } && !compensated;
                for (&register, place) in result.iter().zip(places) {
                    if holds_result {
                        self.set_place(register, set, place);
                    } else {
                        self.give_place(place);
                    }
                }
            }
            if compensated {
                for copy in 0..if inner { 1 } else { copies } {
                    self.correct(index, copy, &result);
                }
            }
        }
    }

    /// The sum with its compensation is the result.
    fn correct(&mut self, index: usize, copy: usize, result: &[Register]) {
        let kind = self.program.reductions[index].kind;
        let count = if self.plan.lanes == Lanes::Inner {
            1
        } else {
            self.plan.count
        };
        let length = length(kind, count);
        let totals = std::mem::take(&mut self.totals[copy][index]);
        for (&register, (sum, compensation)) in result.iter().zip(totals) {
            // An infinite sum has no error to add: its compensation is NaN.
            let (zero, useful) = (self.take(), self.take_mask());
            self.asm.clear(zero);
            let predicate = Predicate::OrderedNotEqual;
            self.asm.compare(
                predicate,
                kind,
                length,
                useful,
                compensation,
                zero.into(),
                None,
            );
            if let Some(add) = Assembler::binary_opcode(Binary::Add, kind) {
                let masking = Masking::Merge(useful);
                self.asm
                    .binary(add, kind, length, sum, sum, compensation.into(), masking);
            }
            self.give(zero);
            self.give_mask(useful);
            self.give(compensation);
            self.set_place(register, copy, Place::Vector(sum));
        }
    }

    /// Moves the upper half of the lanes that are left down, halving them until one is left.
    fn halve(&mut self, kind: Kind, count: i32, to: Vector, from: Vector) {
        let bytes = kind.size() * count;
        match bytes {
            64 | 32 => {
                let length = length(kind, count);
                self.asm.upper_half(length, to, from);
            }
            16 if kind.size() == 4 => {
                self.asm
                    .permute_within(kind, length(kind, 4), to, from, 0b11_10_11_10);
            }
            16 => self
                .asm
                .permute_within(kind, length(kind, 2), to, from, 0b01),
            _ => self
                .asm
                .permute_within(kind, length(kind, 2), to, from, 0b01_01_01_01),
        }
    }

    /// The lanes of the first set become one result in the first lane.
    fn combine_lanes(&mut self, index: usize) {
        let (op, kind) = {
            let reduction = &self.program.reductions[index];
            (reduction.op, reduction.kind)
        };
        let set = self.accumulators[0][index].clone();
        if let [Place::Mask(mask)] = set[..] {
            return self.combine_mask_lanes(op, mask);
        }
        let vectors: SmallVec<[Vector; 2]> = set.iter().map(|&p| Self::vector_of(p)).collect();
        let uppers: SmallVec<[Vector; 2]> = vectors.iter().map(|_| self.take()).collect();
        let mut count = self.plan.count;
        while count > 1 {
            for (&upper, &vector) in uppers.iter().zip(&vectors) {
                self.halve(kind, count, upper, vector);
            }
            count /= 2;
            self.combine(op, kind, count, &vectors, &uppers, Masking::None);
        }
        for upper in uppers {
            self.give(upper);
        }
    }

    /// Whether any lane is set, or all are, in the first lane.
    fn combine_mask_lanes(&mut self, op: ReduceOp, mask: super::assembler::Mask) {
        let lanes = (1 << self.plan.count) - 1;
        self.asm.mask_to(RAX, mask);
        self.asm.and_number(RAX, lanes);
        // All lanes set and one more is beyond the lanes; any lane set and all more is so too.
        self.asm
            .add_number(RAX, if op == ReduceOp::Any { lanes } else { 1 });
        self.asm.shift_right(RAX, self.plan.count as u8);
        self.asm.mask_from(mask, RAX);
    }

    /// The lanes of a sum in blocks become one in the first lane, with what their roundings lose.
    fn combine_total_lanes(&mut self, index: usize) {
        let kind = self.program.reductions[index].kind;
        for (sum, compensation) in self.totals[0][index].clone() {
            let (upper, upper_compensation) = (self.take(), self.take());
            let mut count = self.plan.count;
            while count > 1 {
                self.halve(kind, count, upper, sum);
                self.halve(kind, count, upper_compensation, compensation);
                count /= 2;
                self.two_sum(kind, count, sum, compensation, upper);
                self.arithmetic(
                    Binary::Add,
                    kind,
                    count,
                    compensation,
                    compensation,
                    upper_compensation,
                );
            }
            self.give(upper);
            self.give(upper_compensation);
        }
    }

    /// Results of reductions that nobody after the outer part reads.
    pub(super) fn release_results(&mut self, copies: usize) {
        for reduction in &self.program.reductions {
            for register in reduction.result.parts() {
                if self.program.escaping.contains(&register) {
                    continue;
                }
                for copy in 0..copies {
                    self.release(register, copy);
                }
            }
        }
    }

    /// What the last inner loop uses of the outer part, from the first lane into all.
    pub(super) fn widen_escaping(&mut self) {
        for &register in &self.program.escaping {
            let kind = self.program.kind(register);
            match self.place(register, 0) {
                Place::Vector(vector) => {
                    let length = length(kind, self.plan.count);
                    self.asm.broadcast(kind, length, vector, vector.into());
                }
                Place::Mask(mask) => {
                    self.asm.mask_to(RAX, mask);
                    self.asm.and_number(RAX, 1);
                    self.asm.negate(RAX);
                    self.asm.mask_from(mask, RAX);
                }
                Place::Nowhere => {}
            }
        }
    }
}

/// The number below all others, or above.
fn lowest(kind: Kind, is_lowest: bool) -> u64 {
    let twice = |bits: u32| u64::from(bits) << 32 | u64::from(bits);
    match kind {
        Kind::F64 | Kind::F32 => {
            let infinity = if is_lowest {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
            select::bits(infinity, kind)
        }
        Kind::I32 => twice(if is_lowest { i32::MIN } else { i32::MAX } as u32),
        _ => (if is_lowest { i64::MIN } else { i64::MAX }) as u64,
    }
}
