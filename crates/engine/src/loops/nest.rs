//! Nests: loop nests abstracted over memory, for deduplication.
//!
//! A [`Nest`] holds the operations, the domain, the strides of each operand and the literals. Steps that have equal nests
//! differ in buffers and offsets alone, so a nest is built once for all of them, and those that do
//! not depend on each other can run as one loop with one axis more (`schedule/`).
//!
//! Most of the time of compiling a large program goes into [`Nests::build`]: it works in memory that is reused, and
//! allocates only for nests that are new.

use std::hash::{Hash, Hasher};
use std::ops::Index;

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use super::step::{Loop, Phase};
use crate::lower::{
    Axes, BufferId, Fold, GeometryId, Instruction, InstructionId, Lowered, OpId, Operand, View,
};
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, Literal, Steps};

/// The number of a value within its nest.
pub(crate) type Value = u16;

/// Where in a loop an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Section {
    /// In the inner loop, before its reductions are done.
    Before,
    /// Once for each outer index.
    Outer,
    /// In the second inner loop.
    After,
}

/// The action of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Load {
        slot: u16,
    },
    Literal {
        index: u16,
    },
    Map {
        op: OpId,
        inputs: [Value; 3],
        arity: u8,
    },
    Reduce {
        op: Fold,
        input: Value,
    },
    Store {
        slot: u16,
        value: Value,
    },
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NestOperation {
    pub(crate) section: Section,
    /// The value that it gives; a store repeats the one that it stores.
    pub(crate) value: Value,
    pub(crate) dtype: DType,
    pub(crate) action: Action,
}

impl NestOperation {
    /// A number that differs for nearly all operations that differ.
    fn word(&self) -> u64 {
        let (tag, parts) = match self.action {
            Action::Load { slot } => (0, [slot, 0, 0, 0]),
            Action::Literal { index } => (1, [index, 0, 0, 0]),
            Action::Map { op, inputs, .. } => (2, [op.0, inputs[0], inputs[1], inputs[2]]),
            Action::Reduce { op, input } => (3, [op as u16, input, 0, 0]),
            Action::Store { slot, value } => (4, [slot, value, 0, 0]),
        };
        let kind = (tag << 2 | self.section as u64) << 8 | self.dtype as u64;
        let parts = parts.into_iter().rev();
        let parts = parts.fold(0, |word, part| word << 16 | u64::from(part));
        parts ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// An operand: its strides over the axes of the domain, as the geometry of a view with that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NestSlot {
    pub(crate) dtype: DType,
    pub(crate) geometry: GeometryId,
}

/// The computation of a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nest {
    /// The shape of the domain.
    pub(crate) domain: GeometryId,
    pub(crate) reduced: Option<Axes>,
    pub(crate) operations: Vec<NestOperation>,
    pub(crate) slots: Vec<NestSlot>,
    pub(crate) literals: Vec<Literal>,
    /// How many values there are.
    pub(crate) values: Value,
}

impl Nest {
    /// Whether the other nest is the same loop, if its literals may be other numbers.
    pub(super) fn equals_but_numbers(&self, other: &Self) -> bool {
        let literals = self.literals.iter().map(|literal| literal.dtype);
        self.domain == other.domain
            && self.reduced == other.reduced
            && self.operations == other.operations
            && self.slots == other.slots
            && literals.eq(other.literals.iter().map(|literal| literal.dtype))
    }

    /// A hash in which the numbers of literals do not count.
    pub(super) fn hash_but_numbers(&self) -> u64 {
        let mut hasher = FxHasher::default();
        (self.domain, self.reduced, self.literals.len()).hash(&mut hasher);
        for operation in &self.operations {
            hasher.write_u64(operation.word());
        }
        for NestSlot { dtype, geometry } in &self.slots {
            hasher.write_u64((geometry.0 as u64) << 8 | *dtype as u64);
        }
        hasher.finish()
    }

    fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        hasher.write_u64(self.hash_but_numbers());
        self.literals.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the loop writes to a slot.
    pub(crate) fn writes(&self, slot: usize) -> bool {
        self.operations.iter().any(|o| o.stores_to(slot))
    }

    /// The slots whose memory may become that of `slot`: those that are read, element by element where `slot` is
    /// written, and never again after that.
    ///
    /// A loop with several stores, or with a reduction beside the store, may be strip-mined into several loops that read the
    /// operand again; it has no such slots.
    pub(crate) fn in_place(&self, slot: usize) -> SmallVec<[usize; 3]> {
        let operations = self.operations.iter().enumerate();
        let is_store = |o: &NestOperation| matches!(o.action, Action::Store { .. });
        let mut inner_stores = operations
            .clone()
            .filter(|(_, o)| is_store(o) && o.section != Section::Outer);
        let Some((position, store)) = inner_stores.next() else {
            return SmallVec::new();
        };
        let beside = |o: &NestOperation| {
            o.section == store.section && matches!(o.action, Action::Reduce { .. })
        };
        if !store.stores_to(slot)
            || inner_stores.next().is_some()
            || self.operations.iter().any(beside)
        {
            return SmallVec::new();
        }
        let read_later = |source: usize| {
            operations.clone().any(|(at, o)| {
                let loads =
                    matches!(o.action, Action::Load { slot } if usize::from(slot) == source);
                let later =
                    o.section > store.section || (o.section == store.section && at > position);
                loads && later
            })
        };
        let same = |source: &usize| self.slots[*source] == self.slots[slot];
        (0..self.slots.len())
            .filter(|&s| s != slot && !self.writes(s))
            .filter(same)
            .filter(|&s| !read_later(s))
            .collect()
    }
}

impl NestOperation {
    fn stores_to(&self, slot: usize) -> bool {
        matches!(self.action, Action::Store { slot: to, .. } if usize::from(to) == slot)
    }
}

/// The number of a nest in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NestId(pub(crate) u32);

/// The first element of an operand: a buffer, and an offset in elements.
pub(crate) type Anchor = (BufferId, isize);

/// The different nests of a program.
#[derive(Debug, Default)]
pub(crate) struct Nests {
    all: Vec<Nest>,
    /// Each with its hash.
    known: HashTable<(u64, NestId)>,
    scratch: Option<Builder>,
}

impl Index<NestId> for Nests {
    type Output = Nest;

    fn index(&self, id: NestId) -> &Nest {
        &self.all[id.0 as usize]
    }
}

impl Nests {
    /// The nest of a loop; the anchor of each slot goes to `anchors`. `stored` says for each
    /// instruction whether its result must be written.
    ///
    /// # Errors
    /// An internal error.
    pub(crate) fn build(
        &mut self,
        lowered: &mut Lowered,
        group: &Loop,
        stored: &[bool],
        anchors: &mut Vec<Anchor>,
    ) -> Result<NestId> {
        let builder = self.scratch.get_or_insert_with(|| Builder::new(group));
        builder.restart(group);
        for &(id, phase) in &group.members {
            builder.member(lowered, group, id, phase, stored[id.0 as usize])?;
        }
        anchors.extend_from_slice(&builder.anchors);
        let Self { all, known, .. } = self;
        let nest = &builder.nest;
        let hash = nest.hash();
        let is_it = |&(other, id): &(u64, NestId)| other == hash && all[id.0 as usize] == *nest;
        if let Some(&(_, id)) = known.find(hash, is_it) {
            return Ok(id);
        }
        let id = NestId(all.len() as u32);
        all.push(nest.clone());
        known.insert_unique(hash, (hash, id), |&(hash, _)| hash);
        Ok(id)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Nest> {
        self.all.iter()
    }

    /// Turns the order of the operations of a nest round, to see a verifier find it.
    #[cfg(test)]
    pub(crate) fn reverse_operations(&mut self, nest: NestId) {
        self.all[nest.0 as usize].operations.reverse();
    }

    #[cfg(test)]
    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Nest> {
        self.all.iter_mut()
    }
}

#[derive(Debug)]
struct Builder {
    nest: Nest,
    anchors: Vec<Anchor>,
    /// The value that an instruction of this loop made, and where it can be used.
    made: Vec<(InstructionId, Value, Phase)>,
    /// The values loaded in a section, by slot.
    loaded: Vec<(Section, u16, Value)>,
    /// The last geometry of a view in the outer part, and the one over the domain that it became.
    last_outer: Option<(GeometryId, GeometryId)>,
}

impl Builder {
    fn new(group: &Loop) -> Self {
        Self {
            nest: Nest {
                domain: group.domain,
                reduced: group.reduced,
                operations: Vec::new(),
                slots: Vec::new(),
                literals: Vec::new(),
                values: 0,
            },
            anchors: Vec::new(),
            made: Vec::new(),
            loaded: Vec::new(),
            last_outer: None,
        }
    }

    fn restart(&mut self, group: &Loop) {
        if (self.nest.domain, self.nest.reduced) != (group.domain, group.reduced) {
            self.last_outer = None;
        }
        self.nest.domain = group.domain;
        self.nest.reduced = group.reduced;
        self.nest.operations.clear();
        self.nest.slots.clear();
        self.nest.literals.clear();
        self.nest.values = 0;
        self.anchors.clear();
        self.made.clear();
        self.loaded.clear();
    }

    fn emit(&mut self, section: Section, action: Action, dtype: DType) -> Value {
        let value = self.nest.values;
        self.nest.values += 1;
        self.nest.operations.push(NestOperation {
            section,
            value,
            dtype,
            action,
        });
        value
    }

    fn slot(
        &mut self,
        lowered: &mut Lowered,
        group: &Loop,
        view: &View,
        section: Section,
    ) -> Result<u16> {
        let geometry = match section {
            Section::Before | Section::After => view.geometry,
            Section::Outer => match self.last_outer {
                Some((known, geometry)) if known == view.geometry => geometry,
                _ => {
                    let strides = group.outer_strides(lowered, view);
                    let strides: Steps = strides
                        .ok_or_else(|| Error::internal("an outer view does not fit"))?
                        .collect();
                    let geometry = lowered.geometries.with_strides(group.domain, &strides);
                    self.last_outer = Some((view.geometry, geometry));
                    geometry
                }
            },
        };
        let anchor = (view.buffer, view.offset);
        let slot = NestSlot {
            dtype: view.dtype,
            geometry,
        };
        let slots = self.nest.slots.iter().zip(&self.anchors);
        let found = slots
            .into_iter()
            .position(|(s, p)| *p == anchor && *s == slot);
        let index = found.unwrap_or_else(|| {
            self.nest.slots.push(slot);
            self.anchors.push(anchor);
            self.anchors.len() - 1
        });
        u16::try_from(index).map_err(Error::internal)
    }

    fn operand(
        &mut self,
        lowered: &mut Lowered,
        group: &Loop,
        operand: &Operand,
        section: Section,
    ) -> Result<Value> {
        let view = match operand {
            Operand::Literal(id) => {
                let literal = lowered.literal(*id);
                let index = self.nest.literals.len() as u16;
                self.nest.literals.push(literal);
                return Ok(self.emit(section, Action::Literal { index }, literal.dtype));
            }
            Operand::View(view) => view,
        };
        let made = self.made.iter().find(|(id, ..)| Some(*id) == view.origin());
        if let Some(&(_, value, phase)) = made {
            let usable = match phase {
                Phase::Before => section == Section::Before,
                Phase::After => section == Section::After,
                Phase::Reduction | Phase::Outer => section != Section::Before,
                Phase::Alone => false,
            };
            if usable {
                return Ok(value);
            }
        }
        let slot = self.slot(lowered, group, view, section)?;
        let loaded = self.loaded.iter();
        let mut known = loaded.filter(|(s, l, _)| *s == section && *l == slot);
        if let Some(&(_, _, value)) = known.next() {
            return Ok(value);
        }
        let value = self.emit(section, Action::Load { slot }, view.dtype);
        self.loaded.push((section, slot, value));
        Ok(value)
    }

    fn member(
        &mut self,
        lowered: &mut Lowered,
        group: &Loop,
        id: InstructionId,
        phase: Phase,
        stored: bool,
    ) -> Result<()> {
        let section = match phase {
            Phase::Before => Section::Before,
            Phase::Outer | Phase::Reduction => Section::Outer,
            Phase::After => Section::After,
            Phase::Alone => {
                return Err(Error::internal("an instruction has no anchor in its loop"));
            }
        };
        let (value, output) = match *lowered.instruction(id) {
            Instruction::Map { op, inputs, output } => {
                let (mut values, mut arity) = ([0; 3], 0);
                for index in 0..lowered.operands(inputs).len() {
                    let operand = lowered.operands(inputs)[index];
                    let value = self.operand(lowered, group, &operand, section)?;
                    *values
                        .get_mut(usize::from(arity))
                        .ok_or_else(|| Error::internal("an op has more than three inputs"))? =
                        value;
                    arity += 1;
                }
                let map = Action::Map {
                    op,
                    inputs: values,
                    arity,
                };
                (self.emit(section, map, output.dtype), output)
            }
            Instruction::Copy { input, output } => {
                (self.operand(lowered, group, &input, section)?, output)
            }
            Instruction::Reduce {
                op, input, output, ..
            } => {
                let input = self.operand(lowered, group, &input, Section::Before)?;
                let reduce = Action::Reduce { op, input };
                (self.emit(Section::Before, reduce, output.dtype), output)
            }
            Instruction::Call(_) | Instruction::Join { .. } => {
                return Err(Error::internal("a call is in a loop"));
            }
        };
        self.made.push((id, value, phase));
        if stored {
            let slot = self.slot(lowered, group, &output, section)?;
            self.nest.operations.push(NestOperation {
                section,
                value,
                dtype: output.dtype,
                action: Action::Store { slot, value },
            });
        }
        Ok(())
    }
}
