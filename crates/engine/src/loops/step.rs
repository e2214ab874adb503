//! Steps: what runs as one unit, a loop over fused instructions or a call.
//!
//! A loop has three parts, run for each index of the axes that are not reduced: the inner loop with the reductions, the
//! outer part on their results, and a second inner loop that uses those (dot, then axpy; maximum, then exp).

use smallvec::SmallVec;

use crate::lower::{
    Axes, Geometry, GeometryId, Instruction, InstructionId, Lowered, Storage, View,
};

/// The largest number of instructions in one loop: beyond this, registers spill and kernels are not shared.
pub(super) const LARGEST_LOOP: usize = 24;

/// The part of a loop that an instruction runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
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
pub(crate) struct Loop {
    /// The shape of the domain, contiguous.
    pub(crate) domain: GeometryId,
    /// The axes of the domain that are reduced, if any are.
    pub(crate) reduced: Option<Axes>,
    pub(crate) members: SmallVec<[(InstructionId, Phase); 4]>,
}

/// A part of the program that runs as one entry, alone or together with equal ones.
#[derive(Debug)]
pub(crate) enum Step {
    Loop(Loop),
    Call(InstructionId),
}

/// The result of fusion.
#[derive(Debug, Default)]
pub(crate) struct Fusion {
    pub(crate) steps: Vec<Step>,
    /// For each instruction its step and its part of that. A join is with the last of its parts.
    pub(crate) placed: Vec<(u32, Phase)>,
    /// Why an instruction was not fused into the step of its latest operand.
    pub(crate) not_fused: Vec<(InstructionId, &'static str)>,
}

/// Whether an operand is all of what an instruction makes, element by element for the elements of an output.
pub(super) fn reads_all(
    lowered: &Lowered,
    view: &View,
    maker: InstructionId,
    output: &View,
) -> bool {
    let Some(made) = lowered.writes(lowered.instruction(maker)).first() else {
        return false;
    };
    view.buffer == made.buffer
        && view.offset == made.offset
        && view.geometry == made.geometry
        && lowered.shape(view) == lowered.shape(output)
}

impl Loop {
    /// The strides over the domain of a view with the shape of a reduction's result, with or without the reduced axes; `None` if
    /// it has another shape.
    pub(crate) fn outer_strides<'a>(
        &self,
        lowered: &'a Lowered,
        view: &View,
    ) -> Option<impl Iterator<Item = isize> + use<'a>> {
        let reduced = self.reduced?;
        let domain = &lowered.geometries[self.domain].shape;
        let Geometry { shape, strides, .. } = &lowered.geometries[view.geometry];
        let fits = |a: usize| shape[a] == if reduced.contains(a) { 1 } else { domain[a] };
        let has_all = shape.len() == domain.len() && (0..domain.len()).all(fits);
        let mut outer = (0..domain.len()).filter(|&a| !reduced.contains(a));
        if !has_all && !outer.by_ref().map(|a| domain[a]).eq(shape.iter().copied()) {
            return None;
        }
        let mut next = 0;
        Some((0..domain.len()).map(move |axis| {
            if reduced.contains(axis) {
                return 0;
            }
            let at = if has_all { axis } else { next };
            next += 1;
            strides[at]
        }))
    }
}

impl Fusion {
    /// Which instructions' results must be in memory: those that another step or another part of the loop reads, parts
    /// of joins, and results of the graph.
    pub(crate) fn stored(&self, lowered: &Lowered) -> Vec<bool> {
        let mut stored = vec![false; lowered.instructions.len()];
        for (index, instruction) in lowered.instructions.iter().enumerate() {
            let (step, phase) = self.placed[index];
            for view in lowered.reads(instruction) {
                if let Some(origin) = view.origin() {
                    let (made_at, made_in) = self.placed[origin.0 as usize];
                    let in_register =
                        made_at == step && !(made_in == Phase::Before && phase == Phase::After);
                    stored[origin.0 as usize] |= !in_register;
                }
            }
            if let Instruction::Join { parts } = instruction {
                for part in lowered.parts(*parts) {
                    stored[part.0 as usize] = true;
                }
            }
            let is_result =
                |v: &View| matches!(lowered.buffer(v.buffer).storage, Storage::Output(_));
            stored[index] |= lowered.writes(instruction).iter().any(is_result);
        }
        stored
    }
}
