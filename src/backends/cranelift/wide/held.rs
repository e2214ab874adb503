//! What stays in vector registers where the extent of the innermost axis is known.
//!
//! Of a row that both inner loops read, or that the first one writes and the last one reads, all vectors are *kept* from
//! one to the other. Of a row that is the same for all turns of the loop around, they are *hoisted* out of that loop. Both as far as registers last, vector by vector; the others are read from memory again.

use smallvec::SmallVec;

use super::assembler::Vector;
use super::emitter::{Emitter, Place, Step};
use super::instructions::Kind;
use super::program::{Element, Instruction, Section, Uniform};
use crate::backends::cranelift::kernel::Stride;

/// What is to be done with a vector of a slot, and where it is.
#[derive(Clone, Default)]
struct Row {
    /// For each vector, whether it is kept.
    kept: SmallVec<[bool; 8]>,
    /// For each vector, whether it is hoisted.
    hoisted: SmallVec<[bool; 8]>,
    /// The load by which vectors are hoisted.
    load: Option<Element>,
    /// Where the parts of each vector are.
    places: SmallVec<[SmallVec<[Vector; 2]>; 8]>,
}

#[derive(Default)]
pub(super) struct Held {
    /// Bits of the registers that hold such vectors.
    pub(super) bits: u32,
    rows: Vec<Row>,
}

impl Held {
    /// Registers that will be taken.
    pub(super) fn wanted(&self) -> usize {
        let of_row = |row: &Row| {
            let flags = row.kept.iter().chain(&row.hoisted);
            flags.filter(|f| **f).count() * row.load.map_or(1, |e| e.parts().len())
        };
        self.rows.iter().map(of_row).sum()
    }
}

impl Emitter<'_> {
    /// Whether a loop is the one out of which rows are hoisted: around the innermost, if it has but one such loop inside.
    pub(super) fn is_around_rows(&self, axis: usize) -> bool {
        let (outer, inner) = (self.kernel.outer_rank, self.kernel.inner_rank);
        let one_inside = inner == 1 || self.program.before.iter().all(Section::is_empty);
        self.plan.fixed.is_some() && axis + 2 == outer + inner && one_inside
    }

    /// Decides which vectors are kept and which are hoisted.
    pub(super) fn plan_held(&mut self) {
        let Some(extent) = self.plan.fixed else {
            return;
        };
        let vectors = self.plan.vectors(extent);
        let ([before], [after]) = (&self.program.before[..], &self.program.after[..]) else {
            return;
        };
        let slots = self.kernel.slots.len();
        // With more inner axes than one, rows of the first loop are gone when the last one runs.
        let keeps = self.kernel.inner_rank == 1;
        let axis = self.kernel.outer_rank + self.kernel.inner_rank - 1;
        self.held.rows = vec![Row::default(); slots];
        let numbers = before.uniforms.len() + after.uniforms.len();
        let reserved = self.reduction_registers()
            + self.program.escaping.len()
            + before.pressure.max(after.pressure)
            + numbers.min(4)
            + 1;
        let mut room = self.free_vectors().saturating_sub(reserved);
        for pass in [Pass::Keep, Pass::Hoist] {
            for slot in 0..slots {
                let first = element(before, slot, pass == Pass::Keep);
                let last = element(after, slot, false);
                let load = match pass {
                    Pass::Keep => first.and(last),
                    Pass::Hoist => first.or(last),
                };
                let Some(load) = load else { continue };
                let strides = &self.kernel.slots[slot].strides;
                let pays = match pass {
                    Pass::Keep => keeps,
                    Pass::Hoist => {
                        axis > 0
                            && self.is_around_rows(axis - 1)
                            && strides[axis - 1] == Stride::Zero
                            && !self.kernel.is_written(slot)
                    }
                };
                let is_number = self.program.kind(load.first()) != Kind::Mask;
                if !pays || !is_number || strides[axis] == Stride::Zero {
                    continue;
                }
                let parts = load.parts().len();
                let row = &mut self.held.rows[slot];
                row.load = Some(load);
                row.places = smallvec::smallvec![SmallVec::new(); vectors];
                row.kept.resize(vectors, false);
                row.hoisted.resize(vectors, false);
                for vector in 0..vectors {
                    if room < parts {
                        break;
                    }
                    match pass {
                        // What is hoisted is there for both loops.
                        Pass::Keep => row.kept[vector] = true,
                        Pass::Hoist if row.kept[vector] => {
                            row.kept[vector] = false;
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

    fn vector_number(&self, step: Step) -> usize {
        (step.ahead / self.plan.count) as usize
    }

    /// Whether an element is where it was left; then it need not be loaded.
    pub(super) fn load_held(&mut self, slot: usize, to: Element, step: Step) -> bool {
        if step.count == 1 {
            return false;
        }
        let number = self.vector_number(step);
        let Some(places) = self.held.rows.get(slot).and_then(|r| r.places.get(number)) else {
            return false;
        };
        if places.is_empty() {
            return false;
        }
        for (register, vector) in to.parts().into_iter().zip(places.clone()) {
            self.set_place(register, step.copy, Place::Vector(vector));
        }
        true
    }

    /// Keeps what was just loaded or is about to be stored, if that was planned; forgets what a store replaces.
    pub(super) fn hold(&mut self, slot: usize, element: Element, step: Step) {
        let number = self.vector_number(step);
        let Some(row) = self.held.rows.get(slot) else {
            return;
        };
        if step.count == 1 || row.places.get(number).is_none() {
            return;
        }
        self.forget(slot, number);
        if !self.held.rows[slot].kept[number] {
            return;
        }
        let mut vectors: SmallVec<[Vector; 2]> = SmallVec::new();
        for register in element.parts() {
            let is_uniform: Option<Uniform> = self.program.uniforms[register as usize];
            match self.place(register, step.copy) {
                Place::Vector(vector) if is_uniform.is_none() => vectors.push(vector),
                _ => return,
            }
        }
        if vectors.iter().any(|v| self.held.bits >> v.0 & 1 == 1) {
            // It is another slot's, which may go first.
            return;
        }
        for vector in &vectors {
            self.held.bits |= 1 << vector.0;
        }
        self.held.rows[slot].places[number] = vectors;
    }

    fn forget(&mut self, slot: usize, number: usize) {
        let places = std::mem::take(&mut self.held.rows[slot].places[number]);
        for vector in places {
            self.held.bits &= !(1 << vector.0);
            self.give(vector);
        }
    }

    /// Ends what was kept from one inner loop to the other.
    pub(super) fn drop_kept(&mut self) {
        self.drop_rows(false);
    }

    pub(super) fn drop_hoisted(&mut self) {
        self.drop_rows(true);
    }

    fn drop_rows(&mut self, hoisted: bool) {
        for slot in 0..self.held.rows.len() {
            for number in 0..self.held.rows[slot].places.len() {
                if self.held.rows[slot].hoisted[number] == hoisted {
                    self.forget(slot, number);
                }
            }
        }
    }

    /// Loads what is hoisted out of a loop; whether there was any.
    pub(super) fn hoist_held(&mut self, axis: usize) -> bool {
        let mut any = false;
        if !self.is_around_rows(axis) {
            return any;
        }
        for slot in 0..self.held.rows.len() {
            let Some(load) = self.held.rows[slot].load else {
                continue;
            };
            for number in 0..self.held.rows[slot].hoisted.len() {
                if !self.held.rows[slot].hoisted[number] {
                    continue;
                }
                any = true;
                let ahead = number as i32 * self.plan.count;
                let step = Step {
                    count: self.plan.count,
                    ahead,
                    indexed: false,
                    masked: self.plan.fixed.is_some_and(|n| ahead + self.plan.count > n),
                    copy: 0,
                };
                self.load_from_memory(slot, load, step);
                let vectors: SmallVec<[Vector; 2]> = load
                    .parts()
                    .into_iter()
                    .filter_map(|register| match self.place(register, 0) {
                        Place::Vector(vector) => Some(vector),
                        _ => None,
                    })
                    .collect();
                for vector in &vectors {
                    self.held.bits |= 1 << vector.0;
                }
                self.held.rows[slot].places[number] = vectors;
            }
        }
        any
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Keep,
    Hoist,
}

/// What a section loads from a slot, or writes to it.
fn element(section: &Section, slot: usize, or_writes: bool) -> Option<Element> {
    section.instructions.iter().find_map(|i| match *i {
        Instruction::Load { slot: s, to } if usize::from(s) == slot => Some(to),
        Instruction::Store { slot: s, from } if usize::from(s) == slot && or_writes => Some(from),
        _ => None,
    })
}
