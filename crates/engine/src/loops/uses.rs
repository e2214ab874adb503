//! How results are used: by reductions, by larger loops, and how often. One pass over the instructions, before fusion.

use crate::lower::{Instruction, Lowered, Storage, View};

/// Counted for a part of a join or of the results, which is stored whatever reads it.
pub(super) const STORED: u32 = 1 << 16;

/// The uses of the result of an instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uses {
    /// How many operands it is; a part of a join or of the results counts as [`STORED`] more.
    pub(super) readers: u32,
    is_read: bool,
    /// Whether something that does not feed a reduction reads it.
    is_read_otherwise: bool,
    /// Whether reductions alone need it, directly or through others of which the same is true.
    pub(super) feeds_reduction: bool,
    /// Whether a loop over more elements that feeds no reduction uses it, directly or through others of its size: the second inner loop
    /// of the loop that makes it, maybe.
    pub(super) is_used_inside: bool,
}

/// The uses of each instruction; one pass backwards.
pub(super) fn uses(lowered: &Lowered) -> Vec<Uses> {
    let elements = |view: &View| lowered.elements(view);
    let mut uses = vec![Uses::default(); lowered.instructions.len()];
    for (index, instruction) in lowered.instructions.iter().enumerate().rev() {
        let is_result = |v: &View| matches!(lowered.buffer(v.buffer).storage, Storage::Output(_));
        let is_result = lowered.writes(instruction).iter().any(is_result);
        let own = &mut uses[index];
        let only_reduced = own.is_read && !own.is_read_otherwise;
        if is_result {
            own.readers += STORED;
        }
        // The elements of a loop that is no reduction.
        let mut mapped = None;
        let reduces = match instruction {
            Instruction::Reduce { .. } => true,
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                own.feeds_reduction = only_reduced;
                mapped = Some(elements(output));
                only_reduced && !is_result
            }
            Instruction::Call(_) => false,
            Instruction::Join { parts } => {
                for part in lowered.parts(*parts) {
                    let part = &mut uses[part.0 as usize];
                    part.readers += STORED;
                    part.is_read_otherwise = true;
                }
                continue;
            }
        };
        let own = *own;
        for origin in lowered.reads(instruction).filter_map(View::origin) {
            let read = &mut uses[origin.0 as usize];
            read.readers += 1;
            read.is_read = true;
            read.is_read_otherwise |= !reduces;
            let Some(mapped) = mapped else {
                continue;
            };
            let made = lowered.writes(lowered.instruction(origin)).first();
            read.is_used_inside |= match made {
                Some(made) if elements(made) < mapped => !own.feeds_reduction,
                Some(_) | None => own.is_used_inside,
            };
        }
    }
    uses
}
