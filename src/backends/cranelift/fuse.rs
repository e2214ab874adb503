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

use super::layout::Layout;
use super::lower::{is_copy, strided_copy};
use super::program::{Call, Instruction, InstructionId, Operand, Place, Program, View};
use crate::ir::{Dims, Shape, Steps};

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
    pub(super) domain: Shape,
    /// The axes of the domain that are reduced, if any are.
    pub(super) reduced: Option<Dims>,
    pub(super) members: Vec<(InstructionId, Part)>,
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
}

/// See [`Schedule::feeds_reduction`]; one pass backwards.
fn feed_reductions(program: &Program) -> Vec<bool> {
    let count = program.instructions.len();
    let (mut is_read, mut only_reduced) = (vec![false; count], vec![true; count]);
    for (index, instruction) in program.instructions.iter().enumerate().rev() {
        let reduces = match instruction {
            Instruction::Reduce { .. } => true,
            Instruction::Map { output, .. } => {
                let is_result = matches!(program.buffer(output.buffer).place, Place::Output(_));
                is_read[index] && only_reduced[index] && !is_result
            }
            Instruction::Call { .. } => false,
            Instruction::Join { parts } => {
                for part in parts {
                    only_reduced[part.0 as usize] = false;
                }
                continue;
            }
        };
        for origin in reads(instruction).filter_map(|v| v.origin) {
            is_read[origin.0 as usize] = true;
            only_reduced[origin.0 as usize] &= reduces;
        }
    }
    let feeds = |i: usize| {
        is_read[i] && only_reduced[i] && matches!(program.instructions[i], Instruction::Map { .. })
    };
    (0..count).map(feeds).collect()
}

/// Assigns every instruction to a step.
pub(super) fn fuse(program: &mut Program) -> Schedule {
    let mut schedule = Schedule {
        feeds_reduction: feed_reductions(program),
        ..Schedule::default()
    };
    for index in 0..program.instructions.len() {
        let id = InstructionId(index as u32);
        let placed = match &program.instructions[index] {
            Instruction::Call { .. } => schedule.open(Step::Call(id), Part::Alone),
            Instruction::Join { parts } => {
                let last = parts.iter().map(|p| schedule.placed[p.0 as usize].0).max();
                (last.unwrap_or(0), Part::Alone)
            }
            instruction => match schedule.join(program, id) {
                Some(Ok((step, part))) => {
                    if let Step::Loop(group) = &mut schedule.steps[step as usize] {
                        group.members.push((id, part));
                        if let Instruction::Reduce { axes, .. } = instruction {
                            group.reduced = Some(axes.clone());
                        }
                    }
                    (step, part)
                }
                refused => {
                    if let Some(Err(why)) = refused {
                        schedule.refusals.push((id, why));
                    }
                    match as_copy(instruction) {
                        Some(copy) => {
                            program.instructions[index] = copy;
                            schedule.open(Step::Call(id), Part::Alone)
                        }
                        None => schedule.open_loop(id, instruction),
                    }
                }
            },
        };
        schedule.placed.push(placed);
    }
    schedule
}

/// A copy that no loop makes on its way is one call of the runtime.
fn as_copy(instruction: &Instruction) -> Option<Instruction> {
    let Instruction::Map { op, inputs, output } = instruction else {
        return None;
    };
    let Some(Operand::View(input)) = inputs.first() else {
        return None;
    };
    is_copy(op, input.dtype).then(|| Instruction::Call {
        call: Call::Copy(strided_copy(input, output)),
        inputs: [input.clone()].into_iter().collect(),
        outputs: [output.clone()].into_iter().collect(),
    })
}

/// The views that an instruction reads.
pub(super) fn reads(instruction: &Instruction) -> impl Iterator<Item = &View> {
    let (operands, views): (&[Operand], &[View]) = match instruction {
        Instruction::Map { inputs, .. } => (inputs, &[]),
        Instruction::Reduce { input, .. } => (std::slice::from_ref(input), &[]),
        Instruction::Call { inputs, .. } => (&[], inputs),
        Instruction::Join { .. } => (&[], &[]),
    };
    let of_operands = operands.iter().filter_map(|o| match o {
        Operand::View(view) => Some(view),
        Operand::Literal(_) => None,
    });
    of_operands.chain(views)
}

/// The views that an instruction writes.
pub(super) fn writes(instruction: &Instruction) -> &[View] {
    match instruction {
        Instruction::Map { output, .. } | Instruction::Reduce { output, .. } => {
            std::slice::from_ref(output)
        }
        Instruction::Call { outputs, .. } => outputs,
        Instruction::Join { .. } => &[],
    }
}

impl Schedule {
    fn open(&mut self, step: Step, part: Part) -> (u32, Part) {
        self.steps.push(step);
        (self.steps.len() as u32 - 1, part)
    }

    fn open_loop(&mut self, id: InstructionId, instruction: &Instruction) -> (u32, Part) {
        let (domain, reduced, part) = match instruction {
            Instruction::Reduce { domain, axes, .. } => {
                (domain.clone(), Some(axes.clone()), Part::Reduction)
            }
            other => (
                writes(other)
                    .first()
                    .map(|v| v.shape.clone())
                    .unwrap_or_default(),
                None,
                Part::Before,
            ),
        };
        self.open(
            Step::Loop(Loop {
                domain,
                reduced,
                members: vec![(id, part)],
            }),
            part,
        )
    }

    /// The step and part that an instruction can join, or why it cannot; `None` if it has no operand to join.
    fn join(
        &self,
        program: &Program,
        id: InstructionId,
    ) -> Option<Result<(u32, Part), &'static str>> {
        let instruction = program.instruction(id);
        let origins = || reads(instruction).filter_map(|view| view.origin.map(|o| (view, o)));
        let step = origins().map(|(_, o)| self.placed[o.0 as usize].0).max()?;
        // A join of nothing but empty parts may come before all steps.
        let Step::Loop(group) = self.steps.get(step as usize)? else {
            return Some(Err("its operand comes from a call"));
        };
        if group.members.len() >= LARGEST_LOOP {
            return Some(Err("the loop is large enough"));
        }
        let fails = |&(id, _): &(InstructionId, Part)| program.instruction(id).can_fail();
        if instruction.can_fail() && group.members.iter().any(fails) {
            return Some(Err(
                "the loop has an operation that can fail, and could not tell which did",
            ));
        }
        let mut part = match group.part_for(instruction) {
            Ok(part) => part,
            Err(why) => return Some(Err(why)),
        };
        for (view, origin) in origins() {
            let (at, made_in) = self.placed[origin.0 as usize];
            if at != step {
                continue;
            }
            let Some(made) = writes(program.instruction(origin)).first() else {
                return Some(Err("its operand is joined from parts"));
            };
            part = match group.connect(part, view, made_in, made) {
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
    fn part_for(&self, instruction: &Instruction) -> Result<Part, &'static str> {
        match instruction {
            Instruction::Reduce { domain, axes, .. } => {
                if *domain != self.domain {
                    Err("the domains differ")
                } else if self.reduced.as_ref().is_some_and(|r| r != axes) {
                    Err("the loop reduces other axes")
                } else {
                    Ok(Part::Reduction)
                }
            }
            Instruction::Map { output, .. } if output.shape == self.domain => Ok(Part::Before),
            Instruction::Map { output, .. }
                if self.outer_strides(&output.layout, &output.shape).is_some() =>
            {
                Ok(Part::Outer)
            }
            _ => Err("the domains differ"),
        }
    }

    /// The part in which an instruction can use what another of this loop made.
    fn connect(
        &self,
        part: Part,
        view: &View,
        made_in: Part,
        made: &View,
    ) -> Result<Part, &'static str> {
        const NOT_ELEMENTWISE: &str = "it does not read its operand element by element";
        match (part, made_in) {
            (Part::Before | Part::After, Part::Before | Part::After) => {
                if view.buffer != made.buffer
                    || !view.layout.same_elements(&made.layout, &self.domain)
                {
                    return Err(NOT_ELEMENTWISE);
                }
                Ok(if made_in == Part::After {
                    Part::After
                } else {
                    part
                })
            }
            (Part::Reduction, Part::Before) => {
                let same = view.buffer == made.buffer
                    && view.layout.same_elements(&made.layout, &self.domain);
                if same { Ok(part) } else { Err(NOT_ELEMENTWISE) }
            }
            (Part::Reduction, _) => Err("it would make one kernel of two reductions in a row"),
            (Part::Before | Part::After, Part::Reduction | Part::Outer) => {
                let expected = self
                    .outer_strides(&made.layout, &made.shape)
                    .map(|s| self.inner_strides(&s));
                let same = expected.is_some_and(|strides| {
                    let expected = Layout {
                        offset: made.layout.offset,
                        strides,
                    };
                    view.buffer == made.buffer && view.layout.same_elements(&expected, &self.domain)
                });
                if same {
                    Ok(Part::After)
                } else {
                    Err(NOT_ELEMENTWISE)
                }
            }
            (Part::Outer, Part::Reduction | Part::Outer) => {
                let same = view.buffer == made.buffer
                    && view.layout.offset == made.layout.offset
                    && self.outer_strides(&view.layout, &view.shape)
                        == self.outer_strides(&made.layout, &made.shape);
                if same { Ok(part) } else { Err(NOT_ELEMENTWISE) }
            }
            _ => Err("its operand is made inside the loop"),
        }
    }

    /// The strides over the axes that are not reduced, of a view with the shape of a reduction's result, with
    /// or without the reduced axes. Strides of axes of length one are zero.
    pub(super) fn outer_strides(&self, layout: &Layout, shape: &[usize]) -> Option<Steps> {
        let reduced = self.reduced.as_ref()?;
        let kept = |a: &usize| !reduced.contains(a);
        let outer: Dims = (0..self.domain.len()).filter(kept).collect();
        let sizes = outer.iter().map(|&a| self.domain[a]);
        let stride = |size: usize, stride: isize| if size == 1 { 0 } else { stride };
        if shape.len() == self.domain.len() && reduced.iter().all(|&a| shape[a] == 1) {
            return sizes
                .zip(&outer)
                .map(|(n, &a)| (shape[a] == n).then(|| stride(n, layout.strides[a])))
                .collect();
        }
        if shape.len() == outer.len() && sizes.clone().eq(shape.iter().copied()) {
            return Some(
                sizes
                    .zip(&layout.strides)
                    .map(|(n, &s)| stride(n, s))
                    .collect(),
            );
        }
        None
    }

    /// Strides over the whole domain from those over the axes that are not reduced.
    pub(super) fn inner_strides(&self, outer: &[isize]) -> Steps {
        let mut outer = outer.iter();
        let reduced = |a: usize| self.reduced.as_ref().is_some_and(|r| r.contains(&a));
        (0..self.domain.len())
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
