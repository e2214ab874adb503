//! Rows that stay in vector registers where the extent of the innermost axis is known.
//!
//! The vectors of a row that both inner loops read, or that the first one writes and the last one reads, are *carried*
//! from one to the other. Those of a row that is the same in all rounds of the loop around are *hoisted* out of that
//! loop. Both as far as registers last, vector by vector; the others are read from memory again.

use smallvec::SmallVec;

use super::emitter::{Emitter, Instance};
use super::frame::Row;
use super::ir::{Block, Element, Kind, Uniform, VectorOp};
use super::target::Target;
use super::vcode::{Location, Name, Note, Vector};
use crate::kernel::Stride;

impl<T: Target> Emitter<'_, T> {
    /// Whether a loop is the one out of which rows are hoisted: around the innermost, if it has but one such loop inside.
    pub(super) fn is_around_rows(&self, axis: usize) -> bool {
        let (outer, inner) = (self.kernel.outer_rank, self.kernel.inner_rank);
        let one_inside = inner == 1 || self.source.before.iter().all(Block::is_empty);
        self.plan.fixed.is_some() && axis + 2 == outer + inner && one_inside
    }

    /// Decides which vectors are carried and which are hoisted.
    pub(super) fn plan_rows(&mut self) {
        let Some(extent) = self.plan.fixed else {
            return;
        };
        let vectors = self.plan.vectors(extent);
        let ([before], [after]) = (&self.source.before[..], &self.source.after[..]) else {
            return;
        };
        let slots = self.kernel.slots.len();
        // With more inner axes than one, rows of the first loop are gone when the last one runs; and those of another row are there
        // where rows are summed one ahead.
        let carries = self.kernel.inner_rank == 1 && !self.is_pipelined();
        let axis = self.kernel.outer_rank + self.kernel.inner_rank - 1;
        self.rows.rows = vec![Row::default(); slots];
        let numbers = before.uniforms.len() + after.uniforms.len();
        let reserved = self.reduction_registers()
            + self.source.escaping.len()
            + self.pipelined_pressure(before.pressure.max(after.pressure))
            + numbers.min(4)
            + 1;
        let mut room = self.registers.free_vectors().saturating_sub(reserved);
        let passes = if T::IS_NARROW {
            [Pass::Hoist, Pass::Carry]
        } else {
            [Pass::Carry, Pass::Hoist]
        };
        for pass in passes {
            for slot in 0..slots {
                let first = element(before, slot, pass == Pass::Carry);
                let last = element(after, slot, false);
                let load = match pass {
                    Pass::Carry => first.and(last),
                    Pass::Hoist => first.or(last),
                };
                let Some(load) = load else { continue };
                let strides = &self.kernel.slots[slot].strides;
                let pays = match pass {
                    Pass::Carry => carries,
                    Pass::Hoist => {
                        axis > 0
                            && self.is_around_rows(axis - 1)
                            && strides[axis - 1] == Stride::Zero
                            && !self.kernel.is_written(slot)
                    }
                };
                let is_number = self.source.kind(load.first()) != Kind::Mask;
                if !pays || !is_number || strides[axis] == Stride::Zero {
                    continue;
                }
                let parts = load.parts().len();
                let row = &mut self.rows.rows[slot];
                row.load = Some(load);
                row.places = smallvec::smallvec![SmallVec::new(); vectors];
                row.carried.resize(vectors, false);
                row.hoisted.resize(vectors, false);
                for vector in 0..vectors {
                    if room < parts {
                        break;
                    }
                    match pass {
                        Pass::Carry if row.hoisted[vector] => continue,
                        // What is hoisted is there for both loops.
                        Pass::Carry => row.carried[vector] = true,
                        Pass::Hoist if row.carried[vector] => {
                            row.carried[vector] = false;
                            row.hoisted[vector] = true;
                            continue;
                        }
                        Pass::Hoist => row.hoisted[vector] = true,
                    }
                    room -= parts;
                }
            }
        }
    }

    fn vector_number(&self, at: Instance) -> usize {
        (at.ahead / self.plan.count) as usize
    }

    /// Whether an element is where it was left; then it need not be loaded.
    pub(super) fn load_resident(&mut self, slot: usize, to: Element, at: Instance) -> bool {
        if at.count == 1 {
            return false;
        }
        let number = self.vector_number(at);
        let Some(places) = self.rows.rows.get(slot).and_then(|r| r.places.get(number)) else {
            return false;
        };
        if places.is_empty() {
            return false;
        }
        let parts = to.parts().into_iter().zip(places.clone());
        for (part, (register, vector)) in parts.enumerate() {
            let (name, location) = (row_name(slot, number, part), Location::Vector(vector));
            self.code.uses(name, location);
            self.registers.set(register, at.copy, location);
        }
        true
    }

    /// Carries what was just loaded or is about to be stored, if that was planned; forgets what a store replaces.
    pub(super) fn carry(&mut self, slot: usize, element: Element, at: Instance) {
        let number = self.vector_number(at);
        let Some(row) = self.rows.rows.get(slot) else {
            return;
        };
        if at.count == 1 || row.places.get(number).is_none() {
            return;
        }
        self.forget(slot, number);
        if !self.rows.rows[slot].carried[number] {
            return;
        }
        let mut vectors: SmallVec<[Vector; 2]> = SmallVec::new();
        for register in element.parts() {
            let is_uniform: Option<Uniform> = self.source.uniforms[register as usize];
            match self.registers.location(register, at.copy) {
                Location::Vector(vector) if is_uniform.is_none() => vectors.push(vector),
                _ => return,
            }
        }
        if vectors
            .iter()
            .any(|v| self.registers.resident >> v.0 & 1 == 1)
        {
            // It is another slot's, which may go first.
            return;
        }
        self.reside(slot, number, vectors);
    }

    fn reside(&mut self, slot: usize, number: usize, vectors: SmallVec<[Vector; 2]>) {
        for (part, &vector) in vectors.iter().enumerate() {
            self.registers.resident |= 1 << vector.0;
            let name = row_name(slot, number, part);
            self.code.holds(name, Location::Vector(vector));
        }
        self.rows.rows[slot].places[number] = vectors;
    }

    fn forget(&mut self, slot: usize, number: usize) {
        let places = std::mem::take(&mut self.rows.rows[slot].places[number]);
        for (part, vector) in places.into_iter().enumerate() {
            let name = row_name(slot, number, part);
            self.code.ends(name, Location::Vector(vector));
            self.registers.resident &= !(1 << vector.0);
            self.registers.give(vector);
        }
    }

    /// Ends what was carried from one inner loop to the other.
    pub(super) fn drop_carried(&mut self) {
        self.drop_rows(false);
    }

    pub(super) fn drop_hoisted(&mut self) {
        self.drop_rows(true);
    }

    fn drop_rows(&mut self, hoisted: bool) {
        for slot in 0..self.rows.rows.len() {
            for number in 0..self.rows.rows[slot].places.len() {
                if self.rows.rows[slot].hoisted[number] == hoisted {
                    self.forget(slot, number);
                }
            }
        }
    }

    /// Loads what is hoisted out of a loop; whether there was any.
    pub(super) fn hoist_rows(&mut self, axis: usize) -> bool {
        let mut any = false;
        if !self.is_around_rows(axis) {
            return any;
        }
        for slot in 0..self.rows.rows.len() {
            let Some(load) = self.rows.rows[slot].load else {
                continue;
            };
            for number in 0..self.rows.rows[slot].hoisted.len() {
                if !self.rows.rows[slot].hoisted[number] {
                    continue;
                }
                any = true;
                let ahead = number as i32 * self.plan.count;
                let at = Instance {
                    count: self.plan.count,
                    ahead,
                    indexed: false,
                    masked: self.plan.fixed.is_some_and(|n| ahead + self.plan.count > n),
                    copy: 0,
                };
                self.begin();
                self.code.block(at.count, at.ahead, at.masked);
                self.load_from_memory(slot, load, at);
                self.code.note(Note::EndBlock);
                let vectors: SmallVec<[Vector; 2]> = load
                    .parts()
                    .into_iter()
                    .filter_map(|register| match self.registers.location(register, 0) {
                        Location::Vector(vector) => Some(vector),
                        _ => None,
                    })
                    .collect();
                self.reside(slot, number, vectors);
            }
        }
        any
    }
}

fn row_name(slot: usize, vector: usize, part: usize) -> Name {
    Name::Row { slot, vector, part }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Carry,
    Hoist,
}

/// The access of a block to a slot.
fn element(block: &Block, slot: usize, or_writes: bool) -> Option<Element> {
    block.instructions.iter().find_map(|i| match *i {
        VectorOp::Load { slot: s, to } if usize::from(s) == slot => Some(to),
        VectorOp::Store { slot: s, from } if usize::from(s) == slot && or_writes => Some(from),
        _ => None,
    })
}
