//! The verifier of loops. It follows the instructions of each loop through its nest, operation by operation, and finds
//!
//! - instructions that are in no step, or in several, or computed twice;
//! - steps that come before one that they depend on;
//! - operations that are not those of the instructions, or not in their part of the loop;
//! - values that are used where they do not exist: before they are made, or a reduction inside its own loop;
//! - slots whose dtype, strides or anchor are not those of the view that they stand for;
//! - strides of another rank than the domain, and elements outside of their buffer;
//! - results that are not stored though other steps need them, and stores to memory that is not to be written;
//! - reductions over axes that are not those of the loop.

use rustc_hash::FxHashMap;

use super::build::{Body, Loops, Work};
use super::nest::{Action, Anchor, Nest, NestOperation, Section, Value};
use super::step::{Loop, Phase, Step};
use crate::fault::fault;
use crate::lower::{Instruction, InstructionId, Lowered, Operand, Storage, View, extent};
use autojit_ir::Steps;
use autojit_ir::error::{Error, Result};

fn wrong(step: usize, mistake: impl std::fmt::Display) -> Error {
    fault("loops", format!("step {step} {mistake}"))
}

/// Verifies loops.
///
/// # Errors
/// There is a mistake in them: an internal error.
pub(crate) fn verify(lowered: &Lowered, loops: &Loops) -> Result<()> {
    let fusion = &loops.fusion;
    let mut steps_of = vec![0usize; lowered.instructions.len()];
    for (number, step) in fusion.steps.iter().enumerate() {
        let members: &[(InstructionId, Phase)] = match step {
            Step::Loop(group) => &group.members,
            Step::Call(id) => &[(*id, Phase::Alone)],
        };
        for &(id, phase) in members {
            steps_of[id.0 as usize] += 1;
            if fusion.placed[id.0 as usize] != (number as u32, phase) {
                return Err(wrong(
                    number,
                    format!("has i{}, which is placed elsewhere", id.0),
                ));
            }
        }
    }
    for (index, instruction) in lowered.instructions.iter().enumerate() {
        let expected = usize::from(!matches!(instruction, Instruction::Join { .. }));
        if steps_of[index] != expected {
            let steps = steps_of[index];
            return Err(fault(
                "loops",
                format!("i{index} is in {steps} steps, not {expected}"),
            ));
        }
    }
    if loops.bodies.len() != fusion.steps.len() {
        return Err(fault("loops", "there are steps without a body"));
    }
    let stored = fusion.stored(lowered);
    let ready = ready(lowered, loops);
    for (number, (step, body)) in fusion.steps.iter().zip(&loops.bodies).enumerate() {
        let anchors = loops.anchors(number as u32);
        match (step, body) {
            (
                Step::Loop(group),
                Body {
                    work: Work::Loop(nest),
                    ..
                },
            ) => {
                let mut walk = Walk {
                    lowered,
                    group,
                    nest: &loops.nests[*nest],
                    anchors,
                    stored: &stored,
                    ready: &ready,
                    step: number,
                    next: 0,
                    made: FxHashMap::default(),
                    values: Vec::new(),
                };
                walk.check()?;
            }
            (
                Step::Call(id),
                Body {
                    work: Work::Call(call),
                    ..
                },
            ) => {
                let site = lowered.call(*call);
                if !matches!(lowered.instruction(*id), Instruction::Call(c) if c == call) {
                    return Err(wrong(number, "makes another call than its instruction"));
                }
                let views = site.inputs.iter().chain(&site.outputs);
                if !views
                    .map(|v| (v.buffer, v.offset))
                    .eq(anchors.iter().copied())
                {
                    return Err(wrong(number, "has other anchors than its call"));
                }
                for origin in site.inputs.iter().filter_map(View::origin) {
                    if ready[origin.0 as usize].is_some_and(|step| step as usize >= number) {
                        return Err(wrong(
                            number,
                            format!("reads i{} before it is made", origin.0),
                        ));
                    }
                }
            }
            _ => {
                return Err(wrong(
                    number,
                    "is a loop without a nest, or a call with one",
                ));
            }
        }
    }
    Ok(())
}

/// For each instruction the last of the steps that make it; none of a join of nothing.
fn ready(lowered: &Lowered, loops: &Loops) -> Vec<Option<u32>> {
    let mut ready: Vec<Option<u32>> = Vec::with_capacity(lowered.instructions.len());
    for (instruction, &(step, _)) in lowered.instructions.iter().zip(&loops.fusion.placed) {
        ready.push(match instruction {
            Instruction::Join { parts } => {
                let parts = lowered.parts(*parts).iter();
                parts.filter_map(|part| ready[part.0 as usize]).max()
            }
            Instruction::Map { .. }
            | Instruction::Copy { .. }
            | Instruction::Reduce { .. }
            | Instruction::Call(_) => Some(step),
        });
    }
    ready
}

/// Where a value comes from.
#[derive(Clone, Copy)]
struct Made {
    section: Section,
    is_reduction: bool,
    from: Option<Action>,
}

/// The walk through one loop and its nest.
struct Walk<'a> {
    lowered: &'a Lowered,
    group: &'a Loop,
    nest: &'a Nest,
    anchors: &'a [Anchor],
    stored: &'a [bool],
    ready: &'a [Option<u32>],
    step: usize,
    /// The next operation of the nest.
    next: usize,
    /// The value of each instruction, the section in which it runs, and whether it is stored.
    made: FxHashMap<InstructionId, (Value, Section, bool)>,
    values: Vec<Made>,
}

impl Walk<'_> {
    fn wrong(&self, mistake: impl std::fmt::Display) -> Error {
        wrong(self.step, mistake)
    }

    fn check(&mut self) -> Result<()> {
        self.slots()?;
        for &(id, phase) in &self.group.members {
            self.member(id, phase)?;
        }
        if self.next < self.nest.operations.len() {
            return Err(self.wrong("has more operations than instructions"));
        }
        Ok(())
    }

    fn slots(&self) -> Result<()> {
        let lowered = self.lowered;
        let Nest {
            domain,
            reduced,
            slots,
            ..
        } = self.nest;
        if (*domain, *reduced) != (self.group.domain, self.group.reduced) {
            return Err(self.wrong("has a nest over another domain"));
        }
        if slots.len() != self.anchors.len() {
            return Err(self.wrong("has another number of anchors than slots"));
        }
        let shape = &lowered.geometries[*domain].shape;
        for (number, (slot, &(buffer, offset))) in slots.iter().zip(self.anchors).enumerate() {
            let geometry = &lowered.geometries[slot.geometry];
            if geometry.shape != *shape {
                let mistake = format!("slot {number}: has another shape than the domain");
                return Err(self.wrong(mistake));
            }
            let bytes = lowered.buffer(buffer).bytes as i128;
            if let Some((first, last)) = extent(shape, &geometry.strides, offset)
                && (first < 0 || (last + 1) * slot.dtype.size() as i128 > bytes)
            {
                let mistake = format!(
                    "slot {number}: reaches elements {first} to {last} of b{}, which has {bytes} bytes",
                    buffer.0
                );
                return Err(self.wrong(mistake));
            }
        }
        Ok(())
    }

    /// The next operation of the nest.
    fn operation(&mut self, id: InstructionId, section: Section) -> Result<NestOperation> {
        let Some(operation) = self.nest.operations.get(self.next) else {
            return Err(self.wrong(format!("does not do i{}", id.0)));
        };
        self.next += 1;
        if operation.section != section {
            return Err(self.wrong(format!("has an operation of i{} in the wrong part", id.0)));
        }
        if !matches!(operation.action, Action::Store { .. }) {
            if usize::from(operation.value) != self.values.len() {
                return Err(self.wrong("numbers its values out of order"));
            }
            self.values.push(Made {
                section,
                is_reduction: matches!(operation.action, Action::Reduce { .. }),
                from: Some(operation.action),
            });
        }
        Ok(*operation)
    }

    /// The strides that a slot for a view has in a section.
    fn strides(&self, view: &View, section: Section) -> Option<Steps> {
        match section {
            Section::Before | Section::After => Some(self.lowered.strides(view).clone()),
            Section::Outer => {
                let strides = self.group.outer_strides(self.lowered, view)?;
                Some(strides.collect())
            }
        }
    }

    fn slot_is(&self, slot: u16, view: &View, section: Section) -> bool {
        let slot = usize::from(slot);
        let (Some(found), Some(anchor)) = (self.nest.slots.get(slot), self.anchors.get(slot))
        else {
            return false;
        };
        let strides = self.strides(view, section);
        found.dtype == view.dtype
            && Some(&self.lowered.geometries[found.geometry].strides) == strides.as_ref()
            && *anchor == (view.buffer, view.offset)
    }

    /// Checks that a value may be used in a section and is an operand, given by what made it.
    fn is_operand(&self, value: Value, operand: &Operand, section: Section) -> Result<()> {
        let Some(made) = self.values.get(usize::from(value)) else {
            return Err(self.wrong(format!("uses v{value} before it is made")));
        };
        let is_visible = match section {
            Section::Before => made.section == Section::Before && !made.is_reduction,
            Section::Outer => made.section == Section::Outer || made.is_reduction,
            Section::After => made.section != Section::Before || made.is_reduction,
        };
        if !is_visible {
            return Err(self.wrong(format!("uses v{value} where it does not exist")));
        }
        let view = match operand {
            Operand::Literal(id) => {
                let is_it = matches!(made.from, Some(Action::Literal { index })
                    if self.nest.literals.get(usize::from(index)) == Some(&self.lowered.literal(*id)));
                return if is_it {
                    Ok(())
                } else {
                    Err(self.wrong(format!("v{value} is another literal")))
                };
            }
            Operand::View(view) => view,
        };
        let here = view.origin().and_then(|origin| self.made.get(&origin));
        if let Some(&(_, made_in, _)) = here.filter(|(made, ..)| *made == value) {
            let written = view.origin().and_then(|origin| {
                let instruction = self.lowered.instruction(origin);
                self.lowered.writes(instruction).first()
            });
            let is_same = written.is_some_and(|written| {
                (written.buffer, written.offset) == (view.buffer, view.offset)
                    && self.strides(written, made_in) == self.strides(view, section)
            });
            return if is_same {
                Ok(())
            } else {
                Err(self.wrong(format!(
                    "uses v{value} for other elements than it is made for"
                )))
            };
        }
        let Some(Action::Load { slot }) = made.from else {
            return Err(self.wrong(format!("v{value} is another operand")));
        };
        if !self.slot_is(slot, view, section) {
            let mistake = format!("slot {slot} has not the dtype, strides and anchor of its view");
            return Err(self.wrong(mistake));
        }
        let Some(origin) = view.origin() else {
            return Ok(());
        };
        let is_there = match here {
            Some(&(_, made_in, is_stored)) => is_stored && made_in < section,
            None => self.ready[origin.0 as usize].is_none_or(|step| (step as usize) < self.step),
        };
        if is_there {
            Ok(())
        } else {
            Err(self.wrong(format!("reads i{} before it is in memory", origin.0)))
        }
    }

    /// Loads and literals before the operation of an instruction.
    fn main_operation(&mut self, id: InstructionId, section: Section) -> Result<NestOperation> {
        loop {
            let operation = self.operation(id, section)?;
            if !matches!(
                operation.action,
                Action::Load { .. } | Action::Literal { .. }
            ) {
                return Ok(operation);
            }
        }
    }

    fn member(&mut self, id: InstructionId, phase: Phase) -> Result<()> {
        let lowered = self.lowered;
        let section = match phase {
            Phase::Before => Section::Before,
            Phase::Outer | Phase::Reduction => Section::Outer,
            Phase::After => Section::After,
            Phase::Alone => return Err(self.wrong(format!("has i{} in no part", id.0))),
        };
        let (value, output) = match lowered.instruction(id) {
            Instruction::Map { op, inputs, output } => {
                let done = self.main_operation(id, section)?;
                let operands = lowered.operands(*inputs);
                match done.action {
                    Action::Map {
                        op: found,
                        inputs,
                        arity,
                    } if found == *op
                        && usize::from(arity) == operands.len()
                        && done.dtype == output.dtype =>
                    {
                        for (&value, operand) in inputs.iter().zip(operands) {
                            self.is_operand(value, operand, section)?;
                        }
                    }
                    _ => return Err(self.wrong(format!("does another operation than i{}", id.0))),
                }
                (done.value, output)
            }
            Instruction::Copy { input, output } => {
                let value = self.copied(id, input, section)?;
                self.is_operand(value, input, section)?;
                (value, output)
            }
            Instruction::Reduce {
                op,
                axes,
                domain,
                input,
                output,
            } => {
                if self.group.reduced != Some(*axes) || self.group.domain != *domain {
                    return Err(self.wrong(format!("reduces other axes than i{}", id.0)));
                }
                let done = self.main_operation(id, Section::Before)?;
                match done.action {
                    Action::Reduce {
                        op: found,
                        input: value,
                    } if found == *op => {
                        self.is_operand(value, input, Section::Before)?;
                    }
                    _ => return Err(self.wrong(format!("does another operation than i{}", id.0))),
                }
                (done.value, output)
            }
            Instruction::Call(_) | Instruction::Join { .. } => {
                return Err(self.wrong(format!("has i{}, a call or a join, in a loop", id.0)));
            }
        };
        let stored = self.stored[id.0 as usize];
        if stored {
            let store = self.operation(id, section)?;
            match store.action {
                Action::Store {
                    slot,
                    value: written,
                } if written == value => {
                    if !self.slot_is(slot, output, section) {
                        return Err(self.wrong(format!(
                            "slot {slot} has not the dtype, strides and anchor of its view"
                        )));
                    }
                }
                _ => return Err(self.wrong(format!("does not store i{}", id.0))),
            }
            match lowered.buffer(output.buffer).storage {
                Storage::Output(_) | Storage::Workspace => {}
                Storage::Input(_) | Storage::Constant(_) => {
                    return Err(
                        self.wrong(format!("stores i{} in an argument or a constant", id.0))
                    );
                }
            }
        }
        self.made.insert(id, (value, section, stored));
        Ok(())
    }

    /// The value that a copy gives: one that is there, or the next one that is loaded.
    fn copied(&mut self, id: InstructionId, input: &Operand, section: Section) -> Result<Value> {
        let known = (0..self.values.len()).rev().map(|value| value as Value);
        let made = match input {
            Operand::View(view) => view.origin().and_then(|origin| self.made.get(&origin)),
            Operand::Literal(_) => None,
        };
        let is_it = |&value: &Value| {
            let is_made = made.is_some_and(|&(made, ..)| made == value);
            let is_near = self.values[usize::from(value)].section == section;
            (is_made || is_near) && self.is_operand(value, input, section).is_ok()
        };
        let is_literal = matches!(input, Operand::Literal(_));
        if !is_literal && let Some(value) = known.into_iter().find(is_it) {
            return Ok(value);
        }
        Ok(self.operation(id, section)?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{KERNELS, build};
    use crate::lower::lower;
    use autojit_ir::Graph;

    const SOFTMAX: &str = "%x = input index=0 ty=f64[3,4]\n%m = max axes=[1] keepdims=true %x\n\
        %d = subtract %x %m\n%e = exp %d\n%s = sum axes=[1] keepdims=true %e\n%r = divide %e %s\nreturn %r";

    fn loops() -> (Lowered, Loops) {
        let graph: Graph = SOFTMAX.parse().unwrap();
        let mut lowered = lower(&graph).unwrap();
        let loops = build(&mut lowered, KERNELS, false).unwrap();
        verify(&lowered, &loops).unwrap();
        (lowered, loops)
    }

    fn mistake(lowered: &Lowered, loops: &Loops) -> String {
        verify(lowered, loops).unwrap_err().to_string()
    }

    #[test]
    fn wrong_strides_are_found() {
        let (mut lowered, mut loops) = loops();
        let geometry = lowered.geometries.intern(&[3, 4], &[3, 1]);
        let nest = loops.nests.iter_mut().next().unwrap();
        nest.slots[0].geometry = geometry;
        let text = mistake(&lowered, &loops);
        assert!(
            text.contains("stage loops: step 0 slot 0 has not the dtype, strides"),
            "{text}"
        );
    }

    #[test]
    fn wrong_anchors_are_found() {
        let (lowered, mut loops) = loops();
        loops.anchors[0].1 = 1;
        let text = mistake(&lowered, &loops);
        assert!(
            text.contains("stage loops: step 0 slot 0: reaches elements 1 to 12"),
            "{text}"
        );
    }

    #[test]
    fn a_value_that_does_not_exist_is_found() {
        let (lowered, mut loops) = loops();
        for nest in loops.nests.iter_mut() {
            for operation in &mut nest.operations {
                if let Action::Map { inputs, .. } = &mut operation.action {
                    inputs[0] = 9;
                }
            }
        }
        let text = mistake(&lowered, &loops);
        assert!(text.contains("uses v9 before it is made"), "{text}");
    }

    #[test]
    fn an_instruction_in_two_steps_is_found() {
        let (lowered, mut loops) = loops();
        for step in &mut loops.fusion.steps {
            if let Step::Loop(group) = step {
                let first = group.members[0];
                group.members.push(first);
            }
        }
        let text = mistake(&lowered, &loops);
        assert!(
            text.contains("stage loops: i0 is in 2 steps, not 1"),
            "{text}"
        );
    }

    #[test]
    fn a_step_before_one_that_it_needs_is_found() {
        let (lowered, mut loops) = loops();
        let steps = loops.fusion.steps.len();
        assert!(steps > 1);
        loops.fusion.steps.swap(0, 1);
        loops.bodies.swap(0, 1);
        for (step, _) in &mut loops.fusion.placed {
            *step = match *step {
                0 => 1,
                1 => 0,
                other => other,
            };
        }
        let text = mistake(&lowered, &loops);
        assert!(text.contains("before it is"), "{text}");
    }
}
