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
//! Nothing is computed twice: what a later part or another step needs is stored once and loaded.

use smallvec::SmallVec;

use super::layout::{Geometry, GeometryId};
use super::lower::strided_copy;
use super::program::{
    Axes, Call, CallStep, Instruction, InstructionId, Operand, Place, Program, View,
};
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
pub(super) fn fuse(program: &mut Program, alone: Vec<bool>) -> Schedule {
    let mut schedule = Schedule {
        feeds_reduction: feed_reductions(program),
        alone,
        ..Schedule::default()
    };
    for index in 0..program.instructions.len() {
        let id = InstructionId(index as u32);
        let instruction = program.instructions[index];
        let placed = match instruction {
            Instruction::Call(_) => schedule.open(Step::Call(id), Part::Alone),
            Instruction::Join { parts } => {
                let parts = program.parts(parts).iter();
                let last = parts.map(|p| schedule.placed[p.0 as usize].0).max();
                (last.unwrap_or(0), Part::Alone)
            }
            _ => match schedule.join(program, id) {
                Some(Ok((step, part))) => {
                    if let Step::Loop(group) = &mut schedule.steps[step as usize] {
                        group.members.push((id, part));
                        if let Instruction::Reduce { axes, .. } = instruction {
                            group.reduced = Some(axes);
                        }
                    }
                    (step, part)
                }
                refused => {
                    if let Some(Err(why)) = refused {
                        schedule.refusals.push((id, why));
                    }
                    if let Instruction::Copy {
                        input: Operand::View(input),
                        output,
                    } = instruction
                    {
                        call_copy(program, id, input, output);
                        schedule.open(Step::Call(id), Part::Alone)
                    } else {
                        schedule.open_loop(program, id)
                    }
                }
            },
        };
        schedule.placed.push(placed);
    }
    schedule
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

impl Schedule {
    fn open(&mut self, step: Step, part: Part) -> (u32, Part) {
        self.steps.push(step);
        (self.steps.len() as u32 - 1, part)
    }

    fn open_loop(&mut self, program: &mut Program, id: InstructionId) -> (u32, Part) {
        let (domain, reduced, part) = match program.instruction(id) {
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

    /// The step and part that an instruction can join, or why it cannot; `None` if it has no operand to join.
    fn join(
        &self,
        program: &Program,
        id: InstructionId,
    ) -> Option<Result<(u32, Part), &'static str>> {
        let instruction = &program.instruction(id);
        let origins = || {
            let reads = program.reads(instruction);
            reads.filter_map(|view| view.origin.map(|o| (view, o)))
        };
        let step = origins().map(|(_, o)| self.placed[o.0 as usize].0).max()?;
        // A join of nothing but empty parts may come before all steps.
        let Step::Loop(group) = self.steps.get(step as usize)? else {
            return Some(Err("its operand comes from a call"));
        };
        if group.members.len() >= LARGEST_LOOP {
            return Some(Err("the loop is large enough"));
        }
        let is_alone = |id: InstructionId| self.alone.get(id.0 as usize) == Some(&true);
        if is_alone(id) || group.members.iter().any(|&(member, _)| is_alone(member)) {
            return Some(Err("hardly any other loop would have the same code"));
        }
        let fails = |&(id, _): &(InstructionId, Part)| program.can_fail(&program.instruction(id));
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
            let maker = program.instruction(origin);
            let Some(made) = program.writes(&maker).first() else {
                return Some(Err("its operand is joined from parts"));
            };
            part = match group.connect(program, part, view, made_in, made) {
                Ok(part) => part,
                Err(why) => return Some(Err(why)),
            };
        }
        if part == Part::After && self.feeds_reduction[id.0 as usize] {
            return Some(Err("it belongs to a reduction that cannot join"));
        }
        Some(Ok((step, part)))
    }
}

impl Loop {
    /// The earliest part that fits the domain of an instruction.
    fn part_for(&self, program: &Program, instruction: &Instruction) -> Result<Part, &'static str> {
        match instruction {
            Instruction::Reduce { domain, axes, .. } => {
                if *domain != self.domain {
                    Err("the domains differ")
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
                    Err("the domains differ")
                }
            }
            Instruction::Call(_) | Instruction::Join { .. } => Err("it is no loop"),
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
    ) -> Result<Part, &'static str> {
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
