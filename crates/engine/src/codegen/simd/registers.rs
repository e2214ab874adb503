//! Register allocation: where the registers of a vector kernel are, as its instructions come.
//!
//! A block is straight-line code whose lifetimes are known, so a set of free registers is all that is needed. A kernel
//! that needs more registers than the target has falls back; [`Registers::failed`] says so, and what is emitted after
//! that is not used.

use super::super::Fallback;
use super::ir::{Kind, Register, VectorKernel};
use super::target::{Masks, Target};
use super::vcode::{FIRST_VECTOR_MASK, Location, Mask, Vector};

pub(super) const PRESSURE: Fallback = "it needs more vector registers than there are";

pub(super) struct Registers<'a> {
    source: &'a VectorKernel,
    /// Bits of the vector registers that hold nothing.
    free: u32,
    /// Bits of those that hold rows, see `rows.rs`; they are not given back by others.
    pub(super) resident: u32,
    free_masks: u8,
    /// Whether masks are in vector registers.
    masks_are_vectors: bool,
    /// Whether there is one result of reductions and of the outer part for all copies of the last loop.
    shares_results: bool,
    /// Where registers are, for each copy of an unrolled loop.
    locations: Vec<Vec<Location>>,
    /// Why code cannot be made, once that is known.
    pub(super) failed: Option<Fallback>,
}

impl<'a> Registers<'a> {
    pub(super) fn new<T: Target>(
        source: &'a VectorKernel,
        has_complex: bool,
        copies: usize,
        scratch: u32,
        shares_results: bool,
    ) -> Self {
        // The first mask register is no predicate, and the next one is of the tail; so are three more if there are
        // complex numbers.
        let reserved = if has_complex { 5 } else { 2 };
        Self {
            source,
            free: u32::MAX >> (32 - T::VECTORS + scratch),
            resident: 0,
            free_masks: match T::MASKS {
                Masks::Registers(count) => u8::MAX << reserved & u8::MAX >> (8 - count),
                Masks::Vectors => 0,
            },
            masks_are_vectors: T::MASKS.are_vectors(),
            shares_results,
            locations: vec![vec![Location::Nowhere; source.kinds.len()]; copies],
            failed: None,
        }
    }

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
        self.free |= 1 << vector.0 & !self.resident;
    }

    pub(super) fn give_if(&mut self, temporary: bool, vector: Vector) {
        if temporary {
            self.give(vector);
        }
    }

    pub(super) fn take_mask(&mut self) -> Mask {
        if self.masks_are_vectors {
            return Mask(FIRST_VECTOR_MASK + self.take().0);
        }
        if self.free_masks == 0 {
            self.failed = Some("it needs more mask registers than there are");
            return Mask(7);
        }
        let number = self.free_masks.trailing_zeros() as u8;
        self.free_masks &= !(1 << number);
        Mask(number)
    }

    pub(super) fn give_mask(&mut self, mask: Mask) {
        match mask.vector() {
            Some(vector) => self.give(vector),
            None => self.free_masks |= 1 << mask.0,
        }
    }

    pub(super) fn take_for(&mut self, kind: Kind) -> Location {
        match kind {
            Kind::Mask => Location::Mask(self.take_mask()),
            _ => Location::Vector(self.take()),
        }
    }

    pub(super) fn give_location(&mut self, location: Location) {
        match location {
            Location::Nowhere => {}
            Location::Vector(v) => self.give(v),
            Location::Mask(m) => self.give_mask(m),
        }
    }

    pub(super) fn location(&self, register: Register, copy: usize) -> Location {
        self.locations[self.copy(register, copy)][register as usize]
    }

    /// Uniform registers are the same for all copies, and results may be.
    pub(super) fn copy(&self, register: Register, copy: usize) -> usize {
        let is_shared = self.shares_results && self.source.escaping.contains(&register);
        if is_shared || self.source.uniforms[register as usize].is_some() {
            0
        } else {
            copy
        }
    }

    pub(super) fn set(&mut self, register: Register, copy: usize, location: Location) {
        self.locations[copy][register as usize] = location;
    }

    /// A location for a register that an instruction writes.
    pub(super) fn define(&mut self, register: Register, copy: usize) -> Location {
        let location = self.take_for(self.source.kind(register));
        self.set(register, copy, location);
        location
    }

    pub(super) fn define_vector(&mut self, register: Register, copy: usize) -> Vector {
        match self.define(register, copy) {
            Location::Vector(v) => v,
            _ => Vector(0),
        }
    }

    pub(super) fn define_mask(&mut self, register: Register, copy: usize) -> Mask {
        match self.define(register, copy) {
            Location::Mask(m) => m,
            _ => Mask(7),
        }
    }

    /// Ends a register; gives where it was.
    pub(super) fn release(&mut self, register: Register, copy: usize) -> Location {
        let location = self.location(register, copy);
        self.give_location(location);
        self.set(register, copy, Location::Nowhere);
        location
    }

    pub(super) fn mask(&mut self, register: Register, copy: usize) -> Mask {
        if let Location::Mask(m) = self.location(register, copy) {
            m
        } else {
            self.failed = Some("a truth value is in no register");
            Mask(7)
        }
    }

    /// The registers that hold something, each location once.
    pub(super) fn live(&self) -> Vec<(Register, Location)> {
        let mut live: Vec<(Register, Location)> = Vec::new();
        for (register, &location) in self.locations[0].iter().enumerate() {
            if location != Location::Nowhere && live.iter().all(|(_, l)| *l != location) {
                live.push((register as Register, location));
            }
        }
        live
    }

    /// Bits of the registers that hold nothing.
    pub(super) fn free(&self) -> (u32, u8) {
        (self.free, self.free_masks)
    }

    /// The vector registers that a value of this kind takes.
    pub(super) fn vectors_for(&self, kind: Kind) -> usize {
        usize::from(kind != Kind::Mask || self.masks_are_vectors)
    }

    pub(super) fn free_vectors(&self) -> usize {
        self.free.count_ones() as usize
    }
}
