//! Program -> steps: which instructions share a loop.
//!
//! One pass in program order. An instruction joins the step that computes its latest operand, if it runs over
//! the same domain and reads what that step makes element by element; otherwise it opens a new step. As steps
//! run in the order in which they were opened, and an instruction never joins one before its operands', the
//! order is right by construction and the pass is linear.
//!
//! A loop has three parts, run for each index of the axes that are not reduced: the inner loop with the
//! reductions, the outer part on their results, and a second inner loop that uses those (dot, then axpy;
//! maximum, then exp). A reduction that needs another one of the same loop opens a new step: chains of them
//! would otherwise become one kernel each, shared by nothing. What only feeds such a reduction goes with it.
//!
//! What depends on arguments alone and has one user waits for that, and goes where it goes.
//!
//! Nothing is computed twice: what a later part or another step needs is stored once and loaded.

use smallvec::SmallVec;

use super::layout::{Geometry, GeometryId};
use super::lower::strided_copy;
use super::program::{
    Axes, Call, CallStep, Instruction, InstructionId, Operand, Place, Program, View,
};
use crate::error::{Error, Result};
use crate::ir::Steps;

/// The largest number of instructions in one loop: beyond this, registers spill and kernels are not shared.
const LARGEST_LOOP: usize = 24;

/// The part of a loop that an instruction runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The inner loop before the reductions are done.
    Before,
    /// A reduction over that loop.
    Reduction,
    /// Once per reduction result.
    Outer,
    /// The inner loop after the reductions are done.
    After,
    /// Not in a loop: a call, or the end of a join.
    Alone,
}

/// Instructions over one domain.
#[derive(Debug)]
pub(super) struct Loop {
    /// The shape of the domain, contiguous.
    pub(super) domain: GeometryId,
    /// The axes of the domain that are reduced, if any are.
    pub(super) reduced: Option<Axes>,
    pub(super) members: SmallVec<[(InstructionId, Part); 4]>,
}

/// What runs as one entry of the tape.
#[derive(Debug)]
pub(super) enum Step {
    Loop(Loop),
    Call(InstructionId),
}

/// The result of fusion.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    pub(super) steps: Vec<Step>,
    /// For each instruction its step and part.
    pub(super) placed: Vec<(u32, Part)>,
    /// Why an instruction did not join the step of its latest operand.
    pub(super) refusals: Vec<(InstructionId, &'static str)>,
    /// Whether an instruction's result is needed by reductions only, directly or through other such ones.
    feeds_reduction: Vec<bool>,
    /// How many operands each instruction is.
    readers: Vec<u32>,
    /// For each instruction that waits, how many wait together; see [`Schedule::can_wait`].
    waiting_with: Vec<u8>,
    /// Whether an instruction is to have a loop of its own.
    alone: Vec<bool>,
}

/// See [`Schedule::feeds_reduction`]; one pass backwards.
fn feed_reductions(program: &Program) -> Vec<bool> {
    let count = program.instructions.len();
    let (mut is_read, mut only_reduced) = (vec![false; count], vec![true; count]);
    for (index, instruction) in program.instructions.iter().enumerate().rev() {
        let reduces = match instruction {
            Instruction::Reduce { .. } => true,
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                let is_result = matches!(program.buffer(output.buffer).place, Place::Output(_));
                is_read[index] && only_reduced[index] && !is_result
            }
            Instruction::Call(_) => false,
            Instruction::Join { parts } => {
                for part in program.parts(*parts) {
                    only_reduced[part.0 as usize] = false;
                }
                continue;
            }
        };
        for origin in program.reads(instruction).filter_map(|v| v.origin) {
            is_read[origin.0 as usize] = true;
            only_reduced[origin.0 as usize] &= reduces;
        }
    }
    let feeds = |i: usize| {
        let maps = matches!(
            program.instructions[i],
            Instruction::Map { .. } | Instruction::Copy { .. }
        );
        is_read[i] && only_reduced[i] && maps
    };
    (0..count).map(feeds).collect()
}

/// Assigns every instruction to a step. `alone` tells of each instruction whether it is to have a loop of its own; of
/// those beyond its end it is not.
///
/// # Errors
/// A mistake of ours.
pub(super) fn fuse(program: &mut Program, alone: Vec<bool>) -> Result<Schedule> {
    let count = program.instructions.len();
    let mut schedule = Schedule {
        placed: vec![WAITING; count],
        feeds_reduction: feed_reductions(program),
        readers: readers(program),
        waiting_with: vec![0; count],
        alone,
        ..Schedule::default()
    };
    for index in 0..count {
        let id = InstructionId(index as u32);
        if let Some(with) = schedule.can_wait(program, id) {
            schedule.waiting_with[index] = with;
            continue;
        }
        let waiting = schedule.waiting_for(program, id);
        if waiting.is_empty() || !schedule.place_all(program, id, &waiting) {
            // Each operand has a loop with what waits for it.
            for operand in waiting.into_iter().rev() {
                if schedule.waits(operand) {
                    let waiting = schedule.waiting_for(program, operand);
                    if !schedule.place_all(program, operand, &waiting) {
                        return Err(Error::internal("what waits has no place"));
                    }
                }
            }
            schedule.place(program, id);
        }
    }
    Ok(schedule)
}

/// How many operands each instruction is; a part of a join or of the results is not one.
fn readers(program: &Program) -> Vec<u32> {
    const NOT_ONE: u32 = 1 << 16;
    let mut readers = vec![0u32; program.instructions.len()];
    for (index, instruction) in program.instructions.iter().enumerate() {
        for origin in program.reads(instruction).filter_map(|v| v.origin) {
            readers[origin.0 as usize] += 1;
        }
        if let Instruction::Join { parts } = instruction {
            for part in program.parts(*parts) {
                readers[part.0 as usize] += NOT_ONE;
            }
        }
        let is_result = |v: &View| matches!(program.buffer(v.buffer).place, Place::Output(_));
        if program.writes(instruction).iter().any(is_result) {
            readers[index] += NOT_ONE;
        }
    }
    readers
}

/// Whether an operand is all of what an instruction makes, element by element for the elements of an output.
fn reads_all(program: &Program, view: &View, maker: InstructionId, output: &View) -> bool {
    let Some(made) = program.writes(program.instruction(maker)).first() else {
        return false;
    };
    view.buffer == made.buffer
        && view.offset == made.offset
        && view.geometry == made.geometry
        && program.shape(view) == program.shape(output)
}

/// A copy that no loop makes on its way is one call of the runtime.
fn call_copy(program: &mut Program, id: InstructionId, input: View, output: View) {
    let step = CallStep {
        call: Call::Copy(strided_copy(program, &input, &output)),
        inputs: [input].into_iter().collect(),
        outputs: [output].into_iter().collect(),
    };
    program.instructions[id.0 as usize] = Instruction::Call(program.calls.len() as u32);
    program.calls.push(step);
}

/// Where an instruction is that has no step yet.
const WAITING: (u32, Part) = (u32::MAX, Part::Alone);

impl Schedule {
    /// Whether an instruction can wait for the one that uses it: one that depends on arguments alone, directly or
    /// through others that wait, may run in any step. Gives how many there are, with those that it waits with. So
    /// `a * b + c * d` is one loop, though the second product has no operand in that of the first.
    fn can_wait(&self, program: &Program, id: InstructionId) -> Option<u8> {
        let instruction = program.instruction(id);
        let Instruction::Map { output, .. } = instruction else {
            return None;
        };
        let index = id.0 as usize;
        if self.readers[index] != 1 || program.can_fail(instruction) || self.is_alone(id) {
            return None;
        }
        let mut with = 1;
        for view in program.reads(instruction) {
            let Some(origin) = view.origin else {
                continue;
            };
            if !self.waits(origin) || !reads_all(program, view, origin, output) {
                return None;
            }
            with += self.waiting_with[origin.0 as usize];
        }
        (usize::from(with) <= LARGEST_LOOP / 2).then_some(with)
    }

    fn waits(&self, id: InstructionId) -> bool {
        self.placed[id.0 as usize] == WAITING && self.waiting_with[id.0 as usize] > 0
    }

    fn is_alone(&self, id: InstructionId) -> bool {
        self.alone.get(id.0 as usize) == Some(&true)
    }

    /// What waits for an instruction, directly and through others, in order.
    fn waiting_for(&self, program: &Program, id: InstructionId) -> SmallVec<[InstructionId; 4]> {
        let mut found: SmallVec<[InstructionId; 4]> = SmallVec::new();
        let mut next = id;
        let mut done = 0;
        loop {
            let instruction = program.instruction(next);
            for origin in program.reads(instruction).filter_map(|v| v.origin) {
                if self.waits(origin) {
                    found.push(origin);
                }
            }
            let Some(&one) = found.get(done) else {
                break;
            };
            (next, done) = (one, done + 1);
        }
        found.sort_unstable_by_key(|id| id.0);
        // One may be both operands of the instruction that is to be placed.
        found.dedup();
        found
    }

    /// Places an instruction with all that waits for it in one loop, if it reads them element by element.
    fn place_all(
        &mut self,
        program: &mut Program,
        id: InstructionId,
        waiting: &[InstructionId],
    ) -> bool {
        let instruction = *program.instruction(id);
        let Instruction::Map { output, .. } = instruction else {
            return false;
        };
        let waits = |view: &&View| view.origin.is_some_and(|o| self.waits(o));
        let fits = |view: &View| {
            view.origin
                .is_some_and(|o| reads_all(program, view, o, &output))
        };
        if self.is_alone(id) || !program.reads(&instruction).filter(waits).all(fits) {
            return false;
        }
        let joined = self.join(program, id);
        let (step, part) = match joined {
            Some(Ok((step, part))) if self.has_room(step, waiting.len() + 1) => (step, part),
            other => {
                if let Some(Err(why)) = other {
                    self.refusals.push((id, why));
                }
                // Empty, so that they come in order.
                let opened = self.open_loop(program, id);
                if let Step::Loop(group) = &mut self.steps[opened.0 as usize] {
                    group.members.clear();
                }
                opened
            }
        };
        if let Step::Loop(group) = &mut self.steps[step as usize] {
            let members = waiting.iter().chain([&id]);
            group.members.extend(members.map(|&member| (member, part)));
        }
        for member in waiting.iter().chain([&id]) {
            self.placed[member.0 as usize] = (step, part);
        }
        true
    }

    fn has_room(&self, step: u32, members: usize) -> bool {
        match &self.steps[step as usize] {
            Step::Loop(group) => group.members.len() + members <= LARGEST_LOOP,
            Step::Call(_) => false,
        }
    }

    /// Places an instruction whose operands are placed.
    fn place(&mut self, program: &mut Program, id: InstructionId) {
        let instruction = *program.instruction(id);
        let placed = match instruction {
            Instruction::Call(_) => self.open(Step::Call(id), Part::Alone),
            Instruction::Join { parts } => {
                let parts = program.parts(parts).iter();
                let last = parts.map(|p| self.placed[p.0 as usize].0).max();
                (last.unwrap_or(0), Part::Alone)
            }
            _ => match self.join(program, id) {
                Some(Ok((step, part))) => {
                    if let Step::Loop(group) = &mut self.steps[step as usize] {
                        group.members.push((id, part));
                        if let Instruction::Reduce { axes, .. } = instruction {
                            group.reduced = Some(axes);
                        }
                    }
                    (step, part)
                }
                refused => {
                    if let Some(Err(why)) = refused {
                        self.refusals.push((id, why));
                    }
                    if let Instruction::Copy {
                        input: Operand::View(input),
                        output,
                    } = instruction
                    {
                        call_copy(program, id, input, output);
                        self.open(Step::Call(id), Part::Alone)
                    } else {
                        self.open_loop(program, id)
                    }
                }
            },
        };
        self.placed[id.0 as usize] = placed;
    }

    fn open(&mut self, step: Step, part: Part) -> (u32, Part) {
        self.steps.push(step);
        (self.steps.len() as u32 - 1, part)
    }

    fn open_loop(&mut self, program: &mut Program, id: InstructionId) -> (u32, Part) {
        let (domain, reduced, part) = match *program.instruction(id) {
            Instruction::Reduce { domain, axes, .. } => (domain, Some(axes), Part::Reduction),
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                let shape = program.shape(&output).clone();
                (program.geometries.contiguous(&shape), None, Part::Before)
            }
            // Neither ever opens a loop.
            Instruction::Call(_) | Instruction::Join { .. } => {
                return self.open(Step::Call(id), Part::Alone);
            }
        };
        let group = Loop {
            domain,
            reduced,
            members: [(id, part)].into_iter().collect(),
        };
        self.open(Step::Loop(group), part)
    }

    /// The step and part that an instruction can join, or why it cannot; `None` if it has no operand to join. Operands
    /// that wait are not looked at.
    fn join(
        &self,
        program: &Program,
        id: InstructionId,
    ) -> Option<std::result::Result<(u32, Part), &'static str>> {
        let instruction = program.instruction(id);
        let origins = || {
            let reads = program.reads(instruction);
            let placed = |o: &InstructionId| self.placed[o.0 as usize] != WAITING;
            reads.filter_map(move |view| view.origin.filter(placed).map(|o| (view, o)))
        };
        let step = origins().map(|(_, o)| self.placed[o.0 as usize].0).max()?;
        // A join of nothing but empty parts may come before all steps.
        let Step::Loop(group) = self.steps.get(step as usize)? else {
            return Some(Err("its operand comes from a call"));
        };
        if group.members.len() >= LARGEST_LOOP {
            return Some(Err("the loop is large enough"));
        }
        if self.is_alone(id)
            || group
                .members
                .iter()
                .any(|&(member, _)| self.is_alone(member))
        {
            return Some(Err("hardly any other loop would have the same code"));
        }
        let fails = |&(id, _): &(InstructionId, Part)| program.can_fail(program.instruction(id));
        if program.can_fail(instruction) && group.members.iter().any(fails) {
            return Some(Err(
                "the loop has an operation that can fail, and could not tell which did",
            ));
        }
        let mut part = match group.part_for(program, instruction) {
            Ok(part) => part,
            Err(why) => return Some(Err(why)),
        };
        for (view, origin) in origins() {
            let (at, made_in) = self.placed[origin.0 as usize];
            if at != step {
                continue;
            }
            let Some(made) = program.writes(program.instruction(origin)).first() else {
                return Some(Err("its operand is joined from parts"));
            };
            part = match group.connect(program, part, view, made_in, made) {
                Ok(part) => part,
                Err(why) => return Some(Err(why)),
            };
        }
        if part == Part::After && self.feeds_reduction[id.0 as usize] {
            return Some(Err(
                "it feeds a reduction that needs a loop of its own, and goes with that",
            ));
        }
        Some(Ok((step, part)))
    }
}

impl Loop {
    /// The earliest part that fits the domain of an instruction.
    fn part_for(
        &self,
        program: &Program,
        instruction: &Instruction,
    ) -> std::result::Result<Part, &'static str> {
        match instruction {
            Instruction::Reduce { domain, axes, .. } => {
                if *domain != self.domain {
                    Err("the loops run over different shapes")
                } else if self.reduced.is_some_and(|r| r != *axes) {
                    Err("the loop reduces other axes")
                } else {
                    Ok(Part::Reduction)
                }
            }
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                if *program.shape(output) == program.geometries[self.domain].shape {
                    Ok(Part::Before)
                } else if self.outer_strides(program, output).is_some() {
                    Ok(Part::Outer)
                } else {
                    Err("the loops run over different shapes")
                }
            }
            Instruction::Call(_) | Instruction::Join { .. } => {
                Err("it is a call or a join, and no loop")
            }
        }
    }

    /// The part in which an instruction can use what another of this loop made.
    fn connect(
        &self,
        program: &Program,
        part: Part,
        view: &View,
        made_in: Part,
        made: &View,
    ) -> std::result::Result<Part, &'static str> {
        const NOT_ELEMENTWISE: &str = "it does not read its operand element by element";
        let same_place = view.buffer == made.buffer && view.offset == made.offset;
        let same = same_place && view.geometry == made.geometry;
        match (part, made_in) {
            (Part::Before | Part::After, Part::Before | Part::After) if same => {
                Ok(if made_in == Part::After {
                    Part::After
                } else {
                    part
                })
            }
            (Part::Reduction, Part::Before) if same => Ok(part),
            (Part::Before | Part::After, Part::Before | Part::After)
            | (Part::Reduction, Part::Before) => Err(NOT_ELEMENTWISE),
            (Part::Reduction, _) => Err("it would make one kernel of two reductions in a row"),
            (Part::Before | Part::After, Part::Reduction | Part::Outer) => {
                let expected = self
                    .outer_strides(program, made)
                    .map(|s| self.inner_strides(program, &s));
                if same_place && expected.is_some_and(|s| s == *program.strides(view)) {
                    Ok(Part::After)
                } else {
                    Err(NOT_ELEMENTWISE)
                }
            }
            (Part::Outer, Part::Reduction | Part::Outer) => {
                let outer = |view| self.outer_strides(program, view);
                if same_place && outer(view) == outer(made) {
                    Ok(part)
                } else {
                    Err(NOT_ELEMENTWISE)
                }
            }
            _ => Err("its operand is made inside the loop"),
        }
    }

    /// The strides over the axes that are not reduced, of a view with the shape of a reduction's result, with
    /// or without the reduced axes.
    pub(super) fn outer_strides(&self, program: &Program, view: &View) -> Option<Steps> {
        let reduced = self.reduced?;
        let domain = &program.geometries[self.domain].shape;
        let Geometry { shape, strides } = &program.geometries[view.geometry];
        let outer = || (0..domain.len()).filter(|&a| !reduced.contains(a));
        if shape.len() == domain.len() {
            let fits = |a: usize| shape[a] == if reduced.contains(a) { 1 } else { domain[a] };
            if (0..domain.len()).all(fits) {
                return Some(outer().map(|a| strides[a]).collect());
            }
        }
        if outer().map(|a| domain[a]).eq(shape.iter().copied()) {
            return Some(strides.clone());
        }
        None
    }

    /// Strides over the whole domain from those over the axes that are not reduced.
    pub(super) fn inner_strides(&self, program: &Program, outer: &[isize]) -> Steps {
        let mut outer = outer.iter();
        let reduced = |a: usize| self.reduced.is_some_and(|r| r.contains(a));
        (0..program.geometries[self.domain].shape.len())
            .map(|a| {
                if reduced(a) {
                    0
                } else {
                    outer.next().copied().unwrap_or(0)
                }
            })
            .collect()
    }
}
