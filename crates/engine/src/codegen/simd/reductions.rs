//! Reductions: partial results in lanes, blocks of long sums, and what is combined at the end.
//!
//! Sums of floating numbers are in the order of `autojit_runtime::sum`. Its lanes are those of as many sets of accumulators as
//! vectors take 128 bytes of elements; a round of the loop adds one vector to each, or several. Beyond the last round vectors
//! come one by one, and the sets take turns. Where each lane of a vector has a sum of its own, the lanes of these sums are on
//! the stack.

mod stacked;

use smallvec::SmallVec;

use super::combine::{Combine, vector_of};
use super::emitter::{Emitter, Instance, Totals};
use super::ir::{Binary, Element, Kind, MaskLogic, Predicate, Register};
use super::plan::{Lanes, MemoryLanes, Order, lanes_of_sum, length};
use super::select;
use super::target::Target;
use super::vcode::{Location, MaskInst, Masking, Name, Operand, TAIL, TAIL_UNPACKED, Vector};
use crate::kernel::Fold;

impl<'a, T: Target> Emitter<'a, T> {
    /// Whether some sum is added up in blocks.
    pub(super) fn is_chunked(&self) -> bool {
        self.plan.chunked
    }

    pub(super) fn is_compensated(&self, reduction: usize) -> bool {
        self.is_chunked() && lanes_of_sum(&self.source.reductions[reduction]).is_some()
    }

    /// The lanes of a sum that are on the stack, if they are.
    fn memory_lanes(&self, reduction: usize) -> Option<MemoryLanes> {
        self.plan.memory.filter(|_| self.is_compensated(reduction))
    }

    /// Sets of accumulators: as many as lanes demand, or one for each vector of a round, or for each result.
    pub(super) fn sets(&self, reduction: usize, copies: usize) -> usize {
        let lanes = lanes_of_sum(&self.source.reductions[reduction]);
        match (self.plan.lanes, lanes, self.plan.terms) {
            (Lanes::Inner, Some(lanes), _) => {
                ((lanes / self.plan.count).max(1) as usize).min(self.plan.unroll)
            }
            (Lanes::Inner, None, _) => self.plan.unroll,
            // Half as many as there are elements, as the first fold adds nothing but zeros to lanes without any, and may as well
            // add the second half of the elements as they come: no lane is negative zero.
            (Lanes::Outer | Lanes::One, Some(lanes), Some(terms)) => {
                let half = (terms as usize).next_power_of_two() / 2;
                half.clamp(1, lanes as usize)
            }
            (Lanes::Outer | Lanes::One, _, _) => copies,
        }
    }

    /// Makes room for as many sets of accumulators as any reduction has, without registers yet.
    pub(super) fn make_sets(&mut self) {
        let count = self.source.reductions.len();
        let copies = self.plan.unroll.max(1);
        let sets = (0..count).map(|index| self.sets(index, copies)).max();
        self.accumulators = vec![vec![SmallVec::new(); count]; sets.unwrap_or(1).max(copies)];
    }

    /// Registers that reductions take.
    pub(super) fn reduction_registers(&self) -> usize {
        // To fold lanes on the stack takes as many as there are halves.
        let depth = |m: MemoryLanes| m.used.ilog2() as usize + 1;
        let mut registers = 0;
        for (index, reduction) in self.source.reductions.iter().enumerate() {
            let parts = reduction.result.parts().len();
            let memory = self.memory_lanes(index);
            if memory.is_none() {
                let sets = self.sets(index, self.plan.unroll);
                registers += parts * sets * self.registers.vectors_for(reduction.kind);
            }
            if self.is_compensated(index) {
                registers += 2 * parts * self.copies() + memory.map_or(3, |m| depth(m).max(4));
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
            unpacked: false,
        }
    }

    /// Gives every reduction its registers, and what it starts from.
    pub(super) fn start_totals(&mut self, copies: usize) {
        if self.plan.has_calls {
            return self.start_totals_on_stack();
        }
        for index in 0..self.source.reductions.len() {
            let parts = self.source.reductions[index].result.parts().len();
            let sets = match self.memory_lanes(index) {
                Some(_) => 0,
                None => self.sets(index, copies),
            };
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

    /// Accumulators of sums in blocks start anew.
    pub(super) fn start_accumulators(&mut self) {
        for index in 0..self.source.reductions.len() {
            if self.is_compensated(index) {
                for set in 0..self.sets(index, 1) {
                    self.start(set, index);
                }
            }
        }
    }

    fn kind_and_parts(&self, index: usize) -> (Kind, usize) {
        let reduction = &self.source.reductions[index];
        (reduction.kind, reduction.result.parts().len())
    }

    /// The sets of accumulators take turns: the next vector is for the next one. They are folded in pairs that this does not
    /// part.
    pub(super) fn rotate_sets(&mut self) {
        for index in 0..self.source.reductions.len() {
            let is_ordered = lanes_of_sum(&self.source.reductions[index]).is_some();
            let sets = self.sets(index, 1);
            if !is_ordered || sets < 2 || self.plan.lanes != Lanes::Inner {
                continue;
            }
            let (kind, _) = self.kind_and_parts(index);
            let length = length(kind, self.plan.count);
            for part in 0..self.accumulators[0][index].len() {
                let places: SmallVec<[Vector; 8]> = (0..sets)
                    .map(|set| vector_of(self.accumulators[set][index][part]))
                    .collect();
                self.begin();
                let first = self.registers.take();
                self.code
                    .copy(kind, length, first, places[0], Masking::None);
                for pair in places.windows(2) {
                    self.code
                        .copy(kind, length, pair[0], pair[1], Masking::None);
                }
                self.code
                    .copy(kind, length, places[sets - 1], first, Masking::None);
                self.registers.give(first);
            }
        }
    }

    /// The value that a reduction starts from, in all lanes.
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
        if self.memory_lanes(index).is_some() {
            let parts: SmallVec<[(Vector, bool); 2]> = from
                .parts()
                .into_iter()
                .map(|register| self.vector(register, at))
                .collect();
            let values: SmallVec<[Vector; 2]> = parts.iter().map(|p| p.0).collect();
            self.add_to_memory(index, &values, at);
            for (vector, temporary) in parts {
                self.registers.give_if(temporary, vector);
            }
            return;
        }
        let sets = self.sets(index, self.plan.unroll);
        // Where elements are unrolled, the sets of their sums take turns.
        let turn = match self.plan.terms {
            Some(_) => self.turn,
            None => at.copy,
        };
        let set = self.accumulators[turn % sets][index].clone();
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
        let sets = self.sets(index, 1);
        let mut half = sets.next_power_of_two();
        while half > 1 {
            half /= 2;
            for set in 0..half.min(sets - half) {
                let a = self.accumulators[set][index].clone();
                let b = self.accumulators[set + half][index].clone();
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

    /// Folds the lanes of a block, which are those of the inner loop, and adds it to the total.
    pub(super) fn add_block_inside(&mut self) {
        for index in 0..self.source.reductions.len() {
            if !self.is_compensated(index) {
                continue;
            }
            self.combine_sets(index);
            self.combine_lanes(index);
            let (kind, _) = self.kind_and_parts(index);
            let block = self.accumulators[0][index].clone();
            let totals = self.totals[0][index].clone();
            for (&(sum, compensation), &x) in totals.iter().zip(&block) {
                self.combine(kind, 1)
                    .two_sum(sum, compensation, vector_of(x));
            }
        }
    }

    /// Results of the inner loop become registers of the program.
    pub(super) fn finish_reductions(&mut self, copies: usize) {
        let inner = self.plan.lanes == Lanes::Inner;
        for index in 0..self.source.reductions.len() {
            let compensated = self.is_compensated(index);
            let sets = self.sets(index, copies);
            if self.plan.has_calls {
                self.take_totals(index);
            } else if (inner || self.plan.terms.is_some()) && !compensated {
                self.combine_sets(index);
            }
            if inner && !compensated {
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
    pub(super) fn combine_lanes(&mut self, index: usize) {
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
        let unpacked = self.plan.order == Order::Unpacked
            && lanes_of_sum(&self.source.reductions[index]).is_some();
        // Lanes beyond a known end hold what reductions start from.
        let count = match self.plan.fixed {
            Some(extent) if self.plan.order == Order::Natural => {
                count.min((extent as u32).next_power_of_two() as i32)
            }
            _ => count,
        };
        let mut combine = self.combine(kind, count);
        combine.unpacked = unpacked;
        combine.fold(op, &vectors);
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

    /// Spreads the values of the outer part that the last inner loop uses from the first lane into all.
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
