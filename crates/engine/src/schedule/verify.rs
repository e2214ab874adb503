//! The verifier of schedules. Dependencies are found again from the instructions. It finds
//!
//! - steps that are missing, or in several groups, and empty groups;
//! - steps that are not after all steps that they depend on, and those in one group with such a step;
//! - levels that are not above the levels of dependencies;
//! - groups whose steps do not do the same, or that can fail and are not alone.

use super::order::Order;
use super::rank::Ranks;
use crate::fault::fault;
use crate::loops::{Loops, Step, Work};
use crate::lower::{Call, Instruction, InstructionId, Lowered, View};
use autojit_ir::error::Result;

/// Verifies a schedule.
///
/// # Errors
/// There is a mistake in it: an internal error.
pub(crate) fn verify(lowered: &Lowered, loops: &Loops, ranks: &Ranks, order: &Order) -> Result<()> {
    const NONE: u32 = u32::MAX;
    let steps = &loops.fusion.steps;
    let mut group_of = vec![NONE; steps.len()];
    for (number, group) in order.groups().enumerate() {
        if group.is_empty() {
            return Err(fault("schedule", format!("group {number} is empty")));
        }
        for &step in group {
            let Some(group) = group_of.get_mut(step as usize) else {
                return Err(fault("schedule", format!("there is no step {step}")));
            };
            if *group != NONE {
                return Err(fault("schedule", format!("step {step} runs twice")));
            }
            *group = number as u32;
        }
    }
    if let Some(step) = group_of.iter().position(|&group| group == NONE) {
        return Err(fault("schedule", format!("step {step} does not run")));
    }
    dependencies(lowered, loops, ranks, &group_of)?;
    for group in order.groups() {
        let first = group[0];
        for &step in group {
            if group.len() > 1 && can_fail(lowered, &steps[step as usize]) {
                let mistake = format!("step {step} can fail and is not alone in its group");
                return Err(fault("schedule", mistake));
            }
            if !do_the_same(lowered, loops, first, step) {
                let mistake =
                    format!("steps {first} and {step} are a group and do not do the same");
                return Err(fault("schedule", mistake));
            }
        }
    }
    Ok(())
}

/// Checks that each step is in a later group, and on a higher level, than the steps that it depends on.
fn dependencies(lowered: &Lowered, loops: &Loops, ranks: &Ranks, group_of: &[u32]) -> Result<()> {
    // For each instruction the latest group and the highest level among the steps that make it; none for a join of
    // nothing.
    let mut made: Vec<Option<(u32, u32)>> = Vec::with_capacity(lowered.instructions.len());
    for (instruction, &(step, _)) in lowered.instructions.iter().zip(&loops.fusion.placed) {
        made.push(match instruction {
            Instruction::Join { parts } => {
                let parts = lowered.parts(*parts).iter();
                let parts = parts.filter_map(|part| made[part.0 as usize]);
                parts.reduce(|(a, b), (c, d)| (a.max(c), b.max(d)))
            }
            _ => Some((group_of[step as usize], ranks[step as usize].level)),
        });
    }
    for (index, instruction) in lowered.instructions.iter().enumerate() {
        if matches!(instruction, Instruction::Join { .. }) {
            continue;
        }
        let (step, _) = loops.fusion.placed[index];
        for origin in lowered.reads(instruction).filter_map(View::origin) {
            let (source, _) = loops.fusion.placed[origin.0 as usize];
            let is_join = matches!(lowered.instruction(origin), Instruction::Join { .. });
            if source == step && !is_join {
                continue;
            }
            let Some((group, level)) = made[origin.0 as usize] else {
                continue;
            };
            if group >= group_of[step as usize] {
                let mistake = format!("step {step} needs step {source}, and does not run after it");
                return Err(fault("schedule", mistake));
            }
            if level >= ranks[step as usize].level {
                let mistake =
                    format!("step {step} needs step {source}, and is not on a higher level");
                return Err(fault("schedule", mistake));
            }
        }
    }
    Ok(())
}

fn can_fail(lowered: &Lowered, step: &Step) -> bool {
    let can_fail = |id: InstructionId| lowered.can_fail(lowered.instruction(id));
    match step {
        Step::Loop(group) => group.members.iter().any(|&(id, _)| can_fail(id)),
        Step::Call(_) => false,
    }
}

fn do_the_same(lowered: &Lowered, loops: &Loops, first: u32, step: u32) -> bool {
    if first == step {
        return true;
    }
    match (loops.work(first), loops.work(step)) {
        (Work::Loop(a), Work::Loop(b)) => a == b,
        (Work::Call(a), Work::Call(b)) => {
            let (a, b) = (lowered.call(a), lowered.call(b));
            match (&a.call, &b.call) {
                (Call::Matmul(a), Call::Matmul(b)) => a == b,
                (Call::Copy(a), Call::Copy(b)) => a == b,
                _ => false,
            }
        }
        (Work::Loop(_), Work::Call(_)) | (Work::Call(_), Work::Loop(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{KERNELS, build};
    use crate::lower::lower;
    use crate::schedule::{Rank, rank};
    use autojit_ir::Graph;

    const TWO_ROWS: &str = "%x = input index=0 ty=f64[2,3]\n\
        %a = slice slicing=[0:1*1,0:1*3] %x\n%b = slice slicing=[1:1*1,0:1*3] %x\n\
        %p = sum axes=[1] keepdims=false %a\n%q = sum axes=[1] keepdims=false %b\n\
        %r = matmul %p %q\nreturn %r";

    fn schedule() -> (Lowered, Loops, Vec<Rank>, Order) {
        let graph: Graph = TWO_ROWS.parse().unwrap();
        let mut lowered = lower(&graph).unwrap();
        let loops = build(&mut lowered, KERNELS, false).unwrap();
        let ranks = rank(&lowered, &loops);
        let order = Order::by_level(&ranks, |_| usize::MAX);
        verify(&lowered, &loops, &ranks, &order).unwrap();
        assert_eq!(order.groups().count(), 2);
        (lowered, loops, ranks, order)
    }

    #[test]
    fn a_missing_dependency_is_found() {
        let (lowered, loops, ranks, mut order) = schedule();
        order.steps.rotate_left(1);
        let text = verify(&lowered, &loops, &ranks, &order)
            .unwrap_err()
            .to_string();
        assert!(text.contains("stage schedule: step 2 needs step"), "{text}");
    }

    #[test]
    fn a_wrong_level_is_found() {
        let (lowered, loops, mut ranks, order) = schedule();
        ranks[2].level = 0;
        let text = verify(&lowered, &loops, &ranks, &order)
            .unwrap_err()
            .to_string();
        assert!(text.contains("is not on a higher level"), "{text}");
    }

    #[test]
    fn a_step_that_does_not_run_is_found() {
        let (lowered, loops, ranks, mut order) = schedule();
        order.steps[0] = 1;
        let text = verify(&lowered, &loops, &ranks, &order)
            .unwrap_err()
            .to_string();
        assert!(text.contains("stage schedule: step 1 runs twice"), "{text}");
    }

    #[test]
    fn a_group_of_different_steps_is_found() {
        let (lowered, loops, _, mut order) = schedule();
        let ranks: Vec<Rank> = (0..3).map(|level| Rank { level, kind: 0 }).collect();
        order.groups = vec![0];
        let text = verify(&lowered, &loops, &ranks, &order)
            .unwrap_err()
            .to_string();
        assert!(text.contains("stage schedule: step 2 needs"), "{text}");
    }
}
