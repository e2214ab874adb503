//! Fusion: which instructions share a loop.
//!
//! One pass in program order. An instruction joins the step that computes its latest operand, if it runs over
//! the same domain and reads what that step makes element by element; otherwise it opens a new step. As steps
//! run in the order in which they were opened, and an instruction never joins one before its operands', the
//! order is right by construction and the pass is linear.
//!
//! A reduction that needs another one of the same loop opens a new step: chains of them would otherwise become one
//! kernel each, shared by nothing. What only feeds such a reduction is fused into its loop.
//!
//! An instruction that depends on arguments and joined arrays alone and has one user is fused into its only user, and so is one
//! whose single operand is stored in any case: a stencil then needs two grids, not one for each multiple of the grid as well. Of a few
//! elements all operands may be such: the cross product of what two calls gave is then a loop for each component, not two.
//!
//! Between the inner loops generators compute one result at a time, where the last axis is reduced. Divisions, roots and functions of
//! many results that no second inner loop uses therefore have a loop of their own, which computes them by vectors.
//!
//! In a graph that is run many times small loops go on though they do not compute the latest operand (`small.rs`).
//!
//! Nothing is computed twice: what a later part or another step needs is stored once and loaded.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::small::SmallLoops;
use super::step::{Fusion, LARGEST_LOOP, Loop, Phase, Step, reads_all};
use super::uses::{STORED, Uses, uses};
use crate::lower::{
    Call, CallSite, Instruction, InstructionId, Lowered, Operand, View, strided_copy,
};
use autojit_ir::MapOp;
use autojit_ir::error::{Error, Result};
use autojit_runtime::abi::symbols;

/// The names of the functions of the runtime.
static FUNCTIONS: LazyLock<FxHashSet<&str>> =
    LazyLock::new(|| symbols().iter().map(|s| s.id.function).collect());

/// Whether an op takes so long that computing it by vectors is worth a loop: a division, a root, or a function of the runtime.
fn is_costly(op: MapOp) -> bool {
    matches!(op, MapOp::Divide | MapOp::Sqrt) || FUNCTIONS.contains(op.name())
}

/// Results from which on it is.
const MANY_RESULTS: usize = 8;

/// Up to so many elements an instruction may be deferred whatever the number of its operands, unless the graph is run many times: those
/// are held for longer instead of its result, which of more elements would be memory.
const FEW_ELEMENTS: usize = 64;

/// Assigns every instruction to a step. `alone` says for each instruction whether it is to have a loop of its own;
/// those beyond its end do not. `repeats` says whether the graph is run many times.
///
/// # Errors
/// An internal error.
pub(crate) fn fuse(lowered: &mut Lowered, alone: Vec<bool>, repeats: bool) -> Result<Fusion> {
    let count = lowered.instructions.len();
    let mut fuser = Fuser {
        fusion: Fusion {
            placed: vec![UNPLACED; count],
            ..Fusion::default()
        },
        uses: uses(lowered),
        deferred_with: vec![0; count],
        alone,
        small: repeats.then(SmallLoops::default),
    };
    for index in 0..count {
        let id = InstructionId(index as u32);
        match fuser.can_defer(lowered, id) {
            Some(with) => fuser.deferred_with[index] = with,
            None => fuser.place_with_deferred(lowered, id),
        }
    }
    if fuser.fusion.placed.contains(&UNPLACED) {
        return Err(Error::internal("an instruction has no step"));
    }
    Ok(fuser.fusion)
}

/// A copy that is not fused into a loop becomes one call of the runtime.
fn call_copy(lowered: &mut Lowered, id: InstructionId, input: View, output: View) {
    let step = CallSite {
        call: Call::Copy(strided_copy(lowered, &input, &output)),
        inputs: [input].into_iter().collect(),
        outputs: [output].into_iter().collect(),
    };
    lowered.instructions[id.0 as usize] = Instruction::Call(lowered.calls.len() as u32);
    lowered.calls.push(step);
}

/// The position of an instruction that has no step yet.
const UNPLACED: (u32, Phase) = (u32::MAX, Phase::Alone);

/// The state of the pass.
struct Fuser {
    fusion: Fusion,
    uses: Vec<Uses>,
    /// For each deferred instruction, how many are deferred together; see [`Fuser::can_defer`].
    deferred_with: Vec<u8>,
    /// Whether an instruction is to have a loop of its own.
    alone: Vec<bool>,
    /// Small loops that may go on, if the graph is run many times.
    small: Option<SmallLoops>,
}

impl Fuser {
    /// Whether an instruction can be deferred to the only one that uses it: an instruction that depends on arguments
    /// alone, directly or through other deferred ones, may run in any step, and one that depends on joined arrays in any step
    /// after these. Gives how many are then deferred together. So `a * b + c * d` is one loop, though the second product has no
    /// operand in the loop of the first, and so is a stencil on an array that was joined from its middle and its edges.
    ///
    /// So can one whose only operand is stored in any case, or all of them if it has few elements: its user loads them, and nothing
    /// else is stored for it. If the user goes on with the loop of the operand, so does the instruction ([`Fuser::place_all`]).
    fn can_defer(&self, lowered: &Lowered, id: InstructionId) -> Option<u8> {
        let instruction = lowered.instruction(id);
        let Instruction::Map { output, .. } = instruction else {
            return None;
        };
        let index = id.0 as usize;
        if self.uses[index].readers != 1 || lowered.can_fail(instruction) || self.is_alone(id) {
            return None;
        }
        // Graphs that are run many times have small loops that go on; the step of `while_dopri` took a twentieth longer with this as well.
        let is_small = self.small.is_none() && lowered.elements(output) <= FEW_ELEMENTS;
        let mut with = 1;
        for view in lowered.reads(instruction) {
            let Some(origin) = view.origin() else {
                continue;
            };
            // No loop can go on with a joined array.
            if matches!(lowered.instruction(origin), Instruction::Join { .. }) {
                continue;
            }
            if is_small && self.is_stored(lowered, view, origin, output)
                || self.uses[origin.0 as usize].readers >= STORED
                    && lowered.reads(instruction).count() == 1
            {
                continue;
            }
            if !self.is_deferred(origin) || !reads_all(lowered, view, origin, output) {
                return None;
            }
            with += self.deferred_with[origin.0 as usize];
        }
        (usize::from(with) <= LARGEST_LOOP / 2).then_some(with)
    }

    /// Whether what an instruction reads of the result of another one is in memory, whichever loops the two are in.
    fn is_stored(
        &self,
        lowered: &Lowered,
        view: &View,
        origin: InstructionId,
        output: &View,
    ) -> bool {
        // The next update takes over the memory of the last one: it is to be read before that.
        if let Instruction::Call(call) = lowered.instruction(origin)
            && lowered.call(*call).call.changed().is_some()
        {
            return false;
        }
        if self.uses[origin.0 as usize].readers >= STORED {
            return true;
        }
        let (step, phase) = self.fusion.placed[origin.0 as usize];
        step != UNPLACED.0
            && match phase {
                Phase::Alone => true,
                // The same loop could use it only element by element.
                Phase::Before | Phase::After => !reads_all(lowered, view, origin, output),
                Phase::Reduction | Phase::Outer => false,
            }
    }

    fn is_deferred(&self, id: InstructionId) -> bool {
        self.fusion.placed[id.0 as usize] == UNPLACED && self.deferred_with[id.0 as usize] > 0
    }

    fn is_alone(&self, id: InstructionId) -> bool {
        self.alone.get(id.0 as usize) == Some(&true)
    }

    /// The deferred operands of an instruction, direct and indirect, in order.
    fn deferred_inputs(
        &self,
        lowered: &Lowered,
        id: InstructionId,
    ) -> SmallVec<[InstructionId; 4]> {
        let mut found: SmallVec<[InstructionId; 4]> = SmallVec::new();
        let mut reads = lowered.reads(lowered.instruction(id));
        let is_deferred = |origin| self.is_deferred(origin);
        if !reads.any(|view| view.origin().is_some_and(is_deferred)) {
            return found;
        }
        let mut next = id;
        let mut done = 0;
        loop {
            let instruction = lowered.instruction(next);
            for origin in lowered.reads(instruction).filter_map(View::origin) {
                if self.is_deferred(origin) {
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

    /// Places an instruction with what is deferred to it: in one loop, or else each in the loop that it would have had.
    fn place_with_deferred(&mut self, lowered: &mut Lowered, id: InstructionId) {
        let deferred = self.deferred_inputs(lowered, id);
        if !deferred.is_empty() && self.place_all(lowered, id, &deferred) {
            return;
        }
        // No deeper than instructions are deferred together.
        for operand in deferred.into_iter().rev() {
            if self.is_deferred(operand) {
                self.place_with_deferred(lowered, operand);
            }
        }
        self.place(lowered, id);
    }

    /// Places an instruction with all that is deferred to it in one loop, if it reads them element by element. What they read
    /// comes from earlier loops.
    fn place_all(
        &mut self,
        lowered: &mut Lowered,
        id: InstructionId,
        deferred: &[InstructionId],
    ) -> bool {
        let instruction = *lowered.instruction(id);
        let Instruction::Map { output, .. } = instruction else {
            return false;
        };
        let is_deferred = |view: &&View| view.origin().is_some_and(|o| self.is_deferred(o));
        let fits = |view: &View| {
            view.origin()
                .is_some_and(|o| reads_all(lowered, view, o, &output))
        };
        if self.is_alone(id) || !lowered.reads(&instruction).filter(is_deferred).all(fits) {
            return false;
        }
        let together: SmallVec<[InstructionId; 8]> = deferred.iter().copied().chain([id]).collect();
        if let Some(step) = self.follow(lowered, &together) {
            self.add(lowered, step, Phase::Before, &together);
            return true;
        }
        let joined = self.join(lowered, id);
        // The last steps that give operands, of joined arrays and of all, and the last loop that a deferred instruction could go
        // on with.
        let (mut latest_join, mut latest, mut latest_loop) = (None, None, None);
        let mut not_fused = Vec::new();
        for &operand in deferred {
            let mut has_loop = false;
            let reads = lowered.reads(lowered.instruction(operand));
            for source in reads.filter_map(View::origin) {
                let (step, _) = self.fusion.placed[source.0 as usize];
                if step == UNPLACED.0 {
                    continue;
                }
                latest = latest.max(Some(step));
                if matches!(lowered.instruction(source), Instruction::Join { .. }) {
                    latest_join = latest_join.max(Some(step));
                } else {
                    has_loop = true;
                }
            }
            match has_loop.then(|| self.join(lowered, operand)).flatten() {
                Some(Ok((step, _))) => latest_loop = latest_loop.max(Some(step)),
                Some(Err(why)) => not_fused.push((operand, why)),
                None => {}
            }
        }
        // All of them could go on with that loop, if this instruction has no operand that comes later.
        if let Some(step) = latest_loop
            && latest_join.is_none_or(|join| join < step)
            && match joined {
                Some(Ok((joined, _))) => joined <= step,
                Some(Err(_)) => false,
                None => true,
            }
        {
            return false;
        }
        self.fusion.not_fused.extend(not_fused);
        let (step, phase) = match joined {
            Some(Ok((step, phase)))
                if self.has_room(step, deferred.len() + 1)
                    && latest.is_none_or(|latest| latest < step) =>
            {
                (step, phase)
            }
            other => {
                if let Some(Err(why)) = other {
                    self.fusion.not_fused.push((id, why));
                }
                // Empty, so that they come in order.
                self.open_loop(lowered, id)
            }
        };
        self.add(lowered, step, phase, &together);
        true
    }

    /// A small loop that goes on with instructions, where the graph is run many times.
    fn follow(&self, lowered: &Lowered, members: &[InstructionId]) -> Option<u32> {
        let small = self.small.as_ref()?;
        if members.iter().any(|&id| self.is_alone(id)) {
            return None;
        }
        small.follow(lowered, &self.fusion, members)
    }

    /// Adds instructions to a loop.
    fn add(&mut self, lowered: &Lowered, step: u32, phase: Phase, members: &[InstructionId]) {
        let Step::Loop(group) = &mut self.fusion.steps[step as usize] else {
            return;
        };
        for &member in members {
            group.members.push((member, phase));
            if let Instruction::Reduce { axes, .. } = *lowered.instruction(member) {
                group.reduced = Some(axes);
            }
            self.fusion.placed[member.0 as usize] = (step, phase);
        }
        if let Some(small) = &mut self.small {
            small.added(lowered, step, group, members);
        }
    }

    fn has_room(&self, step: u32, members: usize) -> bool {
        match &self.fusion.steps[step as usize] {
            Step::Loop(group) => group.members.len() + members <= LARGEST_LOOP,
            Step::Call(_) => false,
        }
    }

    /// Places an instruction whose operands are placed.
    fn place(&mut self, lowered: &mut Lowered, id: InstructionId) {
        let instruction = *lowered.instruction(id);
        let placed = match instruction {
            Instruction::Call(_) => self.open(Step::Call(id), Phase::Alone),
            Instruction::Join { parts } => {
                let parts = lowered.parts(parts).iter();
                let last = parts.map(|p| self.fusion.placed[p.0 as usize].0).max();
                (last.unwrap_or(0), Phase::Alone)
            }
            _ => match self
                .follow(lowered, &[id])
                .map(|step| Ok((step, Phase::Before)))
                .or_else(|| self.join(lowered, id))
            {
                Some(Ok((step, phase))) => {
                    self.add(lowered, step, phase, &[id]);
                    (step, phase)
                }
                separate => {
                    if let Some(Err(why)) = separate {
                        self.fusion.not_fused.push((id, why));
                    }
                    if let Instruction::Copy {
                        input: Operand::View(input),
                        output,
                    } = instruction
                        && !self
                            .small
                            .as_ref()
                            .is_some_and(|s| s.is_small(lowered, &output))
                    {
                        call_copy(lowered, id, input, output);
                        self.open(Step::Call(id), Phase::Alone)
                    } else {
                        let (step, phase) = self.open_loop(lowered, id);
                        self.add(lowered, step, phase, &[id]);
                        (step, phase)
                    }
                }
            },
        };
        self.fusion.placed[id.0 as usize] = placed;
    }

    fn open(&mut self, step: Step, phase: Phase) -> (u32, Phase) {
        self.fusion.steps.push(step);
        (self.fusion.steps.len() as u32 - 1, phase)
    }

    /// Opens a loop for an instruction, without it.
    fn open_loop(&mut self, lowered: &mut Lowered, id: InstructionId) -> (u32, Phase) {
        let (domain, reduced, phase) = match *lowered.instruction(id) {
            Instruction::Reduce { domain, axes, .. } => (domain, Some(axes), Phase::Reduction),
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                let domain = lowered.geometries.contiguous_like(output.geometry);
                (domain, None, Phase::Before)
            }
            // Neither ever opens a loop.
            Instruction::Call(_) | Instruction::Join { .. } => {
                return self.open(Step::Call(id), Phase::Alone);
            }
        };
        let group = Loop {
            domain,
            reduced,
            members: SmallVec::new(),
        };
        self.open(Step::Loop(group), phase)
    }

    /// The step and part that an instruction can join, or why it cannot; `None` if it has no operand to join. Operands
    /// that are deferred are not looked at.
    fn join(
        &self,
        lowered: &Lowered,
        id: InstructionId,
    ) -> Option<std::result::Result<(u32, Phase), &'static str>> {
        let instruction = lowered.instruction(id);
        let reads = lowered.reads(instruction);
        let mut latest = None;
        for origin in reads.clone().filter_map(View::origin) {
            let (step, _) = self.fusion.placed[origin.0 as usize];
            if step != UNPLACED.0 {
                latest = latest.max(Some(step));
            }
        }
        let step = latest?;
        // A join of nothing but empty parts may come before all steps.
        let Step::Loop(group) = self.fusion.steps.get(step as usize)? else {
            return Some(Err("its operand comes from a call"));
        };
        if group.members.len() >= LARGEST_LOOP {
            return Some(Err("the loop has the largest number of instructions"));
        }
        let is_alone = |&(member, _): &(InstructionId, Phase)| self.is_alone(member);
        if self.is_alone(id) || !self.alone.is_empty() && group.members.iter().any(is_alone) {
            return Some(Err(
                "the fused loop would share its code with too few others",
            ));
        }
        let fails = |&(id, _): &(InstructionId, Phase)| lowered.can_fail(lowered.instruction(id));
        if lowered.can_fail(instruction) && group.members.iter().any(fails) {
            return Some(Err(
                "the loop already has an operation that can fail, and a failure names only one",
            ));
        }
        let mut phase = match group.phase_for(lowered, instruction) {
            Ok(phase) => phase,
            Err(why) => return Some(Err(why)),
        };
        for view in reads {
            let Some(origin) = view.origin() else {
                continue;
            };
            let (at, made_in) = self.fusion.placed[origin.0 as usize];
            if at != step {
                continue;
            }
            let Some(made) = lowered.writes(lowered.instruction(origin)).first() else {
                return Some(Err("its operand is joined from parts"));
            };
            phase = match group.connect(lowered, phase, view, made_in, made) {
                Ok(phase) => phase,
                Err(why) => return Some(Err(why)),
            };
        }
        if phase == Phase::After && self.uses[id.0 as usize].feeds_reduction {
            return Some(Err(
                "it is fused into the loop of the reduction that it feeds",
            ));
        }
        if phase == Phase::Outer
            && !self.uses[id.0 as usize].is_used_inside
            && group.computes_one_by_one(lowered, instruction)
        {
            return Some(Err(
                "a loop of its own computes it by vectors, and the loop of its operand would not",
            ));
        }
        Some(Ok((step, phase)))
    }
}

impl Loop {
    /// Whether an instruction between the inner loops takes long, and is computed for many results one at a time.
    fn computes_one_by_one(&self, lowered: &Lowered, instruction: &Instruction) -> bool {
        let Instruction::Map { op, output, .. } = instruction else {
            return false;
        };
        let domain = &lowered.geometries[self.domain].shape;
        // Lanes lie along an axis with more elements than one.
        let last = domain.iter().rposition(|&len| len != 1);
        let is_reduced = |axis| self.reduced.is_some_and(|reduced| reduced.contains(axis));
        last.is_some_and(is_reduced)
            && lowered.elements(output) >= MANY_RESULTS
            && is_costly(*lowered.op(*op))
    }

    /// The earliest part that fits the domain of an instruction.
    fn phase_for(
        &self,
        lowered: &Lowered,
        instruction: &Instruction,
    ) -> std::result::Result<Phase, &'static str> {
        match instruction {
            Instruction::Reduce { domain, axes, .. } => {
                if *domain != self.domain {
                    Err("the loops run over different shapes")
                } else if self.reduced.is_some_and(|r| r != *axes) {
                    Err("the loop reduces other axes")
                } else {
                    Ok(Phase::Reduction)
                }
            }
            Instruction::Map { output, .. } | Instruction::Copy { output, .. } => {
                if output.geometry == self.domain
                    || *lowered.shape(output) == lowered.geometries[self.domain].shape
                {
                    Ok(Phase::Before)
                } else if self.outer_strides(lowered, output).is_some() {
                    Ok(Phase::Outer)
                } else {
                    Err("the loops run over different shapes")
                }
            }
            Instruction::Call(_) | Instruction::Join { .. } => Err("it is a call or a join"),
        }
    }

    /// The part in which an instruction can use what another of this loop made.
    fn connect(
        &self,
        lowered: &Lowered,
        phase: Phase,
        view: &View,
        made_in: Phase,
        made: &View,
    ) -> std::result::Result<Phase, &'static str> {
        const NOT_ELEMENTWISE: &str = "it does not read its operand element by element";
        let same_place = view.buffer == made.buffer && view.offset == made.offset;
        let same = same_place && view.geometry == made.geometry;
        match (phase, made_in) {
            (Phase::Before | Phase::After, Phase::Before | Phase::After) if same => {
                Ok(if made_in == Phase::After {
                    Phase::After
                } else {
                    phase
                })
            }
            (Phase::Reduction, Phase::Before) if same => Ok(phase),
            (Phase::Before | Phase::After, Phase::Before | Phase::After)
            | (Phase::Reduction, Phase::Before) => Err(NOT_ELEMENTWISE),
            (Phase::Reduction, _) => Err("its operand is a reduction of the same loop"),
            (Phase::Before | Phase::After, Phase::Reduction | Phase::Outer) => {
                let strides = || lowered.strides(view).iter().copied();
                let expected = self.outer_strides(lowered, made);
                if same_place && expected.is_some_and(|expected| expected.eq(strides())) {
                    Ok(Phase::After)
                } else {
                    Err(NOT_ELEMENTWISE)
                }
            }
            (Phase::Outer, Phase::Reduction | Phase::Outer) => {
                let are_same = || {
                    let outer = |view| self.outer_strides(lowered, view);
                    match (outer(view), outer(made)) {
                        (Some(view), Some(made)) => view.eq(made),
                        (view, made) => view.is_none() && made.is_none(),
                    }
                };
                if same_place && (view.geometry == made.geometry || are_same()) {
                    Ok(phase)
                } else {
                    Err(NOT_ELEMENTWISE)
                }
            }
            _ => Err("its operand exists only inside the inner loop"),
        }
    }
}
