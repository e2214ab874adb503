//! Arithmetic of reductions: combining partial results, sums with compensation, and folding lanes in the defined order.

use super::ir::{Binary, Kind, Predicate};
use super::plan::length;
use super::registers::Registers;
use super::vcode::{Location, MaskInst, Masking, VCode, Vector};
use crate::kernel::Fold;

/// Writes arithmetic on vectors of `count` lanes, with temporaries of its own.
pub(super) struct Combine<'e, 'a> {
    pub(super) code: &'e mut VCode,
    pub(super) registers: &'e mut Registers<'a>,
    pub(super) kind: Kind,
    pub(super) count: i32,
    /// Whether lanes have the order of complex numbers that were unpacked within 128 bits.
    pub(super) unpacked: bool,
}

/// The vector register of a number.
pub(super) fn vector_of(location: Location) -> Vector {
    match location {
        Location::Vector(v) => v,
        _ => Vector(0),
    }
}

impl Combine<'_, '_> {
    fn binary(&mut self, op: Binary, to: Vector, a: Vector, b: Vector, masking: Masking) {
        let length = length(self.kind, self.count);
        self.code
            .binary(op, self.kind, length, to, a, b.into(), masking);
    }

    pub(super) fn arithmetic(&mut self, op: Binary, to: Vector, a: Vector, b: Vector) {
        self.binary(op, to, a, b, Masking::None);
    }

    fn take<const N: usize>(&mut self) -> [Vector; N] {
        std::array::from_fn(|_| self.registers.take())
    }

    fn give(&mut self, vectors: impl IntoIterator<Item = Vector>) {
        for vector in vectors {
            self.registers.give(vector);
        }
    }

    /// `so_far = op(so_far, x)`.
    pub(super) fn combine(&mut self, op: Fold, so_far: &[Vector], x: &[Vector], masking: Masking) {
        let (kind, length) = (self.kind, length(self.kind, self.count));
        match (op, so_far, x) {
            (Fold::Prod, &[a, b], &[c, d]) => {
                // In no lane of a tail that is read later, so without a mask.
                let [re, im, product] = self.take();
                self.arithmetic(Binary::Multiply, re, a, c);
                self.arithmetic(Binary::Multiply, product, b, d);
                self.arithmetic(Binary::Subtract, re, re, product);
                self.arithmetic(Binary::Multiply, im, a, d);
                self.arithmetic(Binary::Multiply, product, b, c);
                self.arithmetic(Binary::Add, b, im, product);
                self.code.copy(kind, length, a, re, Masking::None);
                self.give([re, im, product]);
            }
            (Fold::Max | Fold::Min, &[a], &[b]) => {
                let binary = if op == Fold::Max {
                    Binary::Maximum
                } else {
                    Binary::Minimum
                };
                // Where either is NaN this gives what there was so far, so a NaN stays; a new one is put in.
                self.binary(binary, a, b, a, masking);
                if kind.is_float() {
                    let to = self.registers.take_mask();
                    let only = match masking {
                        Masking::Merge(m) => Some(m),
                        _ => None,
                    };
                    self.code.push(MaskInst::Compare {
                        predicate: Predicate::Unordered,
                        kind,
                        length,
                        to,
                        a: b,
                        b: b.into(),
                        only,
                    });
                    self.code.copy(kind, length, a, b, Masking::Merge(to));
                    // Of two zeros a maximum is the positive one, their sum; a minimum has the sign of either.
                    let zero = self.registers.take();
                    self.code.clear(zero);
                    self.code.push(MaskInst::Compare {
                        predicate: Predicate::Equal,
                        kind,
                        length,
                        to,
                        a: b,
                        b: zero.into(),
                        only,
                    });
                    let binary = if op == Fold::Max {
                        Binary::Add
                    } else {
                        Binary::Or
                    };
                    self.binary(binary, a, a, b, Masking::Merge(to));
                    self.registers.give(zero);
                    self.registers.give_mask(to);
                }
            }
            _ => {
                let binary = if op == Fold::Prod {
                    Binary::Multiply
                } else {
                    Binary::Add
                };
                for (&a, &b) in so_far.iter().zip(x) {
                    self.binary(binary, a, a, b, masking);
                }
            }
        }
    }

    /// `sum += x`, and what rounding loses is added to the compensation, exactly (Knuth's two-sum).
    pub(super) fn two_sum(&mut self, sum: Vector, compensation: Vector, x: Vector) {
        let [total, x_part, a_part] = self.take();
        self.arithmetic(Binary::Add, total, sum, x);
        self.arithmetic(Binary::Subtract, x_part, total, sum);
        self.arithmetic(Binary::Subtract, a_part, total, x_part);
        self.arithmetic(Binary::Subtract, x_part, x, x_part);
        self.arithmetic(Binary::Subtract, a_part, sum, a_part);
        self.arithmetic(Binary::Add, x_part, a_part, x_part);
        self.arithmetic(Binary::Add, compensation, compensation, x_part);
        let all = length(self.kind, self.count);
        self.code.copy(self.kind, all, sum, total, Masking::None);
        self.give([total, x_part, a_part]);
    }

    /// Moves the upper half of the lanes that are left down.
    fn halve(&mut self, to: Vector, from: Vector) {
        let (kind, count) = (self.kind, self.count);
        match kind.size() * count {
            64 | 32 => self.code.upper_half(length(kind, count), to, from),
            16 if kind.size() == 4 => {
                self.code
                    .permute_within(kind, length(kind, 4), to, from, 0b11_10_11_10);
            }
            16 => self
                .code
                .permute_within(kind, length(kind, 2), to, from, 0b01),
            _ => self
                .code
                .permute_within(kind, length(kind, 2), to, from, 0b01_01_01_01),
        }
    }

    /// The lanes of the parts of a number become one in the first lane: those of the first half and of the second, until one is
    /// left.
    pub(super) fn fold(&mut self, op: Fold, vectors: &[Vector]) {
        let mut uppers = [Vector(0); 2];
        let uppers = &mut uppers[..vectors.len()];
        for upper in &mut *uppers {
            *upper = self.registers.take();
        }
        let (kind, size) = (self.kind, self.kind.size());
        if self.unpacked && size * self.count > 16 {
            // In each 128 bits, what was unpacked from the first and from the second vector; the quarters are in order.
            let lanes = if size == 8 {
                0b01_01_01_01
            } else {
                0b11_10_11_10
            };
            let length = length(kind, self.count);
            for (&upper, &vector) in uppers.iter().zip(vectors) {
                self.code.permute_within(kind, length, upper, vector, lanes);
            }
            self.combine(op, vectors, uppers, Masking::None);
            while size * self.count > 16 {
                self.halve_and_combine(op, vectors, uppers);
            }
            // The upper half of these 128 bits is a sum of other lanes.
            self.count /= 2;
        }
        while self.count > 1 {
            self.halve_and_combine(op, vectors, uppers);
        }
        self.give(uppers.iter().copied());
    }

    fn halve_and_combine(&mut self, op: Fold, vectors: &[Vector], uppers: &[Vector]) {
        for (&upper, &vector) in uppers.iter().zip(vectors) {
            self.halve(upper, vector);
        }
        self.count /= 2;
        self.combine(op, vectors, uppers, Masking::None);
    }
}
