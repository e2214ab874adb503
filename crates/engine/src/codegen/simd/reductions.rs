//! Reductions: partial results in lanes, chunks of long sums, and what is combined at the end.
//!
//! A partial sum of floating numbers adds at most [`CHAIN`] elements in a row; such chunks are added up with compensation
//! (Neumaier 1974), lane by lane. NumPy's pairwise sum adds 16 in a row.

use smallvec::SmallVec;

use super::combine::{Combine, vector_of};
use super::emitter::{Emitter, Instance, Totals};
use super::ir::{Binary, Element, Kind, MaskLogic, Predicate, Register};
use super::plan::{Lanes, Order, length};
use super::select;
use super::target::Target;
use super::vcode::{Location, MaskInst, Masking, Name, Operand, TAIL, TAIL_UNPACKED, Vector};
use crate::kernel::Fold;

/// The most elements that a partial sum adds in a row.
pub(super) const CHAIN: i32 = 32;

impl<'a, T: Target> Emitter<'a, T> {
    /// Whether some sum is added up in chunks.
    pub(super) fn is_chunked(&self) -> bool {
        self.plan.chunked
    }

    pub(super) fn is_compensated(&self, reduction: usize) -> bool {
        let reduction = &self.source.reductions[reduction];
        self.is_chunked() && reduction.op == Fold::Sum && reduction.kind.is_float()
    }

    /// Sets of accumulators: one for each at of a round, or for each result.
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
        for (index, reduction) in self.source.reductions.iter().enumerate() {
            let parts = reduction.result.parts().len();
            registers += parts * sets * self.registers.vectors_for(reduction.kind);
            if self.is_compensated(index) {
                registers += 2 * parts * self.copies() + 3;
            }
        }
        registers
    }

    /// Arithmetic on vectors of `count` lanes.
    pub(super) fn combine(&mut self, kind: Kind, count: i32) -> Combine<'_, 'a> {
        self.begin();
        Combine {
            code: &mut self.code,
            registers: &mut self.registers,
            kind,
            count,
        }
    }

    /// Gives every reduction its registers, and what it starts from.
    pub(super) fn start_totals(&mut self, copies: usize) {
        if self.plan.has_calls {
            return self.start_totals_on_stack();
        }
        let sets = self.sets(copies);
        for index in 0..self.source.reductions.len() {
            let parts = self.source.reductions[index].result.parts().len();
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
                    let pairs: Totals = (0..parts)
                        .map(|_| (self.registers.take(), self.registers.take()))
                        .collect();
                    for &(sum, compensation) in &pairs {
                        self.code.clear(sum);
                        self.code.clear(compensation);
                    }
                    self.totals[copy][index] = pairs;
                }
            }
        }
    }

    /// Gives a reduction the registers of one set.
    pub(super) fn take_set(&mut self, set: usize, index: usize) {
        let (kind, parts) = {
            let reduction = &self.source.reductions[index];
            (reduction.kind, reduction.result.parts().len())
        };
        self.accumulators[set][index] = (0..parts)
            .map(|_| match kind {
                Kind::Mask => Location::Mask(self.registers.take_mask()),
                _ => Location::Vector(self.registers.take()),
            })
            .collect();
    }

    pub(super) fn release_set(&mut self, set: usize, index: usize) -> SmallVec<[Location; 2]> {
        let places = std::mem::take(&mut self.accumulators[set][index]);
        for &place in &places {
            self.registers.give_location(place);
        }
        places
    }

    /// Takes what a reduction has so far from the stack, in kernels that call functions.
    fn take_totals(&mut self, index: usize) {
        let parts = self.source.reductions[index].result.parts().len();
        if !self.is_compensated(index) {
            self.take_set(0, index);
            for (part, place) in self.accumulators[0][index].clone().into_iter().enumerate() {
                self.load_total(index, part, false, place);
            }
            return;
        }
        let pairs: Totals = (0..parts)
            .map(|_| (self.registers.take(), self.registers.take()))
            .collect();
        for (part, &(sum, compensation)) in pairs.iter().enumerate() {
            self.load_total(index, part, false, Location::Vector(sum));
            self.load_total(index, part, true, Location::Vector(compensation));
        }
        self.totals[0][index] = pairs;
    }

    /// Accumulators of sums in chunks start anew.
    pub(super) fn start_accumulators(&mut self, copies: usize) {
        for set in 0..self.sets(copies) {
            for index in 0..self.source.reductions.len() {
                if self.is_compensated(index) {
                    self.start(set, index);
                }
            }
        }
    }

    /// What a reduction starts from, in all lanes.
    pub(super) fn start(&mut self, set: usize, index: usize) {
        let (op, kind) = {
            let reduction = &self.source.reductions[index];
            (reduction.op, reduction.kind)
        };
        for (part, place) in self.accumulators[set][index]
            .clone()
            .into_iter()
            .enumerate()
        {
            match place {
                Location::Mask(mask) => {
                    self.code.mask_fill(mask, op != Fold::Any);
                }
                Location::Vector(vector) => {
                    let identity = match (op, part) {
                        // Sums start at +0, as NumPy's do: the sum of negative zeros is +0.
                        (Fold::Sum, _) | (Fold::Prod, 1) => 0,
                        (Fold::Prod, _) => select::bits(1.0, kind),
                        (Fold::Max, _) => lowest(kind, true),
                        (_, _) => lowest(kind, false),
                    };
                    if identity == 0 {
                        self.code.clear(vector);
                    } else {
                        let constant = self.code.word(identity);
                        let constant = Operand::Constant(constant);
                        let length = length(kind, self.plan.count);
                        self.code.broadcast(kind, length, vector, constant);
                    }
                }
                Location::Nowhere => {}
            }
        }
    }

    /// Combines the elements of a at with what is there so far.
    pub(super) fn accumulate(&mut self, index: usize, from: Element, at: Instance) {
        let (op, kind) = {
            let reduction = &self.source.reductions[index];
            (reduction.op, reduction.kind)
        };
        let set = self.accumulators[at.copy][index].clone();
        // With a result in each lane, lanes beyond the end do no harm.
        let is_partial = at.masked && self.plan.lanes == Lanes::Inner;
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
        if let [Location::Mask(so_far)] = set[..] {
            let from = self.registers.mask(from.first(), at.copy);
            let logic = if op == Fold::Any {
                MaskLogic::Or
            } else {
                MaskLogic::And
            };
            if !is_partial {
                return self.code.mask_logic(logic, so_far, so_far, from);
            }
            let counted = self.registers.take_mask();
            if op == Fold::Any {
                self.code.mask_logic(MaskLogic::And, counted, from, tail);
            } else {
                self.code.mask_not(counted, tail);
                self.code.mask_logic(MaskLogic::Or, counted, counted, from);
            }
            self.code.mask_logic(logic, so_far, so_far, counted);
            return self.registers.give_mask(counted);
        }
        let parts: SmallVec<[(Vector, bool); 2]> = from
            .parts()
            .into_iter()
            .map(|register| self.vector(register, at))
            .collect();
        let vectors: SmallVec<[Vector; 2]> = set.iter().map(|&p| vector_of(p)).collect();
        let values: SmallVec<[Vector; 2]> = parts.iter().map(|p| p.0).collect();
        self.combine(kind, at.count)
            .combine(op, &vectors, &values, masking);
        for (vector, temporary) in parts {
            self.registers.give_if(temporary, vector);
        }
    }

    /// Sets of accumulators become one, the first.
    pub(super) fn combine_sets(&mut self, index: usize) {
        let (op, kind) = {
            let reduction = &self.source.reductions[index];
            (reduction.op, reduction.kind)
        };
        let mut sets = self.plan.unroll;
        while sets > 1 {
            sets /= 2;
            for set in 0..sets {
                let a = self.accumulators[set][index].clone();
                let b = self.accumulators[set + sets][index].clone();
                if let ([Location::Mask(a)], [Location::Mask(b)]) = (&a[..], &b[..]) {
                    let logic = if op == Fold::Any {
                        MaskLogic::Or
                    } else {
                        MaskLogic::And
                    };
                    self.code.mask_logic(logic, *a, *a, *b);
                    continue;
                }
                let a: SmallVec<[Vector; 2]> = a.iter().map(|&p| vector_of(p)).collect();
                let b: SmallVec<[Vector; 2]> = b.iter().map(|&p| vector_of(p)).collect();
                self.combine(kind, self.plan.count)
                    .combine(op, &a, &b, Masking::None);
            }
        }
    }

    /// Adds the chunks of one inner loop to the totals.
    pub(super) fn add_to_totals_inside(&mut self) {
        for index in 0..self.source.reductions.len() {
            if self.is_compensated(index) {
                self.combine_sets(index);
            }
        }
        self.add_to_totals(1);
    }

    /// Adds a chunk of each copy to its total.
    pub(super) fn add_to_totals(&mut self, copies: usize) {
        for copy in 0..copies {
            for index in 0..self.source.reductions.len() {
                if !self.is_compensated(index) {
                    continue;
                }
                let kind = self.source.reductions[index].kind;
                let chunk = self.accumulators[copy][index].clone();
                let totals = self.totals[copy][index].clone();
                for (&(sum, compensation), &x) in totals.iter().zip(&chunk) {
                    let x = vector_of(x);
                    self.combine(kind, self.plan.count)
                        .two_sum(sum, compensation, x);
                }
            }
        }
    }

    /// Results of the inner loop become registers of the program.
    pub(super) fn finish_reductions(&mut self, copies: usize) {
        let inner = self.plan.lanes == Lanes::Inner;
        let sets = self.sets(copies);
        for index in 0..self.source.reductions.len() {
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
            let result = self.source.reductions[index].result.parts();
            for set in 0..sets {
                let places = std::mem::take(&mut self.accumulators[set][index]);
                let holds_result = set < if inner { 1 } else { copies } && !compensated;
                for (&register, place) in result.iter().zip(places) {
                    if holds_result {
                        self.bind(register, set, place);
                    } else {
                        self.registers.give_location(place);
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
        let kind = self.source.reductions[index].kind;
        let count = if self.plan.lanes == Lanes::Inner {
            1
        } else {
            self.plan.count
        };
        let length = length(kind, count);
        let totals = std::mem::take(&mut self.totals[copy][index]);
        for (&register, (sum, compensation)) in result.iter().zip(totals) {
            // An infinite sum has no error to add: its compensation is NaN.
            let (zero, useful) = (self.registers.take(), self.registers.take_mask());
            self.code.clear(zero);
            let predicate = Predicate::OrderedNotEqual;
            self.code.push(MaskInst::Compare {
                predicate,
                kind,
                length,
                to: useful,
                a: compensation,
                b: zero.into(),
                only: None,
            });
            let (masking, compensated) = (Masking::Merge(useful), compensation.into());
            self.code
                .binary(Binary::Add, kind, length, sum, sum, compensated, masking);
            self.registers.give(zero);
            self.registers.give_mask(useful);
            self.registers.give(compensation);
            self.bind(register, copy, Location::Vector(sum));
        }
    }

    /// The lanes of the first set become one result in the first lane.
    fn combine_lanes(&mut self, index: usize) {
        let (op, kind) = {
            let reduction = &self.source.reductions[index];
            (reduction.op, reduction.kind)
        };
        let set = self.accumulators[0][index].clone();
        let count = self.plan.count;
        if let [Location::Mask(mask)] = set[..] {
            let any = op == Fold::Any;
            return self.code.push(MaskInst::Reduce { mask, any, count });
        }
        let vectors: SmallVec<[Vector; 2]> = set.iter().map(|&p| vector_of(p)).collect();
        self.combine(kind, count).fold(op, &vectors);
    }

    /// The lanes of a sum in chunks become one in the first lane, with what their roundings lose.
    fn combine_total_lanes(&mut self, index: usize) {
        let kind = self.source.reductions[index].kind;
        let count = self.plan.count;
        for (sum, compensation) in self.totals[0][index].clone() {
            self.combine(kind, count)
                .fold_compensated(sum, compensation);
        }
    }

    /// Results of reductions that the last inner loop does not read.
    pub(super) fn release_results(&mut self, copies: usize) {
        for reduction in &self.source.reductions {
            for register in reduction.result.parts() {
                if self.source.escaping.contains(&register) {
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
        for &register in &self.source.escaping {
            self.begin();
            let kind = self.source.kind(register);
            let location = self.registers.location(register, 0);
            match location {
                Location::Vector(vector) => {
                    let length = length(kind, self.plan.count);
                    self.code.broadcast(kind, length, vector, vector.into());
                }
                Location::Mask(mask) => self.code.push(MaskInst::SpreadFirst { mask }),
                Location::Nowhere => {}
            }
            self.code.defines(Name::Register(register, 0), location);
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
