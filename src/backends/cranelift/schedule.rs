//! Steps -> groups: in which order steps run, and which of them run as one.
//!
//! A step's level is one more than the highest level of those that it needs, so steps of one level do not depend on
//! each other. Steps of a level that do the same (equal nests or equal calls) form a group; where the operands of a
//! group lie evenly spaced in memory, it becomes one loop with one axis more.
//!
//! Going level by level keeps more arrays alive than going step by step in the order of the program. The steps are
//! therefore cut into windows, in that order, and only each window goes level by level. One window for all is tried
//! first; if it takes more memory than the order of the program does and [`Limit`] allows, windows are as large as
//! that allows.

use autojit_runtime::copy::StridedCopy;
use autojit_runtime::matmul::MatrixProduct;
use rustc_hash::FxHashMap;

use super::buffers::{self, Workspace};
use super::fuse::{Part, Schedule, Step};
use super::nest::{NestId, Nests, Place};
use super::program::{self, Call, Instruction, InstructionId, Program};
use crate::error::{Error, Result};

/// What a step does: the same for all steps of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Loop(NestId),
    Call(u32),
}

/// A step, ready to be ordered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) work: Work,
    /// Tasks of equal kinds do the same to different memory.
    kind: u32,
    level: u32,
    start: u32,
    len: u32,
}

/// All tasks of a program, in the order of its steps.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    pub(super) all: Vec<Task>,
    /// Where the slots of loops, and the inputs and outputs of calls, begin.
    places: Vec<Place>,
}

impl Tasks {
    /// The places of the operands of a task.
    pub(super) fn places(&self, task: usize) -> &[Place] {
        let Task { start, len, .. } = self.all[task];
        &self.places[start as usize..(start + len) as usize]
    }
}

/// The order of tasks: groups that do not depend on each other run in any order, or at once.
#[derive(Debug, Default)]
pub(super) struct Order {
    tasks: Vec<u32>,
    /// Where each group begins in `tasks`.
    groups: Vec<u32>,
}

impl Order {
    /// The tasks of each group, in the order in which the groups run.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let ends = self.groups.iter().skip(1).copied();
        let ends = ends.chain([self.tasks.len() as u32]);
        let starts = self.groups.iter().copied();
        starts
            .zip(ends)
            .map(|(start, end)| &self.tasks[start as usize..end as usize])
    }

    /// The order of the program, each task for itself.
    fn of_program(tasks: &Tasks) -> Self {
        let all: Vec<u32> = (0..tasks.all.len() as u32).collect();
        Self {
            groups: all.clone(),
            tasks: all,
        }
    }

    /// Level by level within windows; `window` gives the end of the one that begins at a task.
    fn by_level(tasks: &Tasks, mut window: impl FnMut(usize) -> usize) -> Self {
        let mut order = Self::default();
        let mut keys: Vec<(u32, u32, u32)> = Vec::new();
        let mut start = 0;
        while start < tasks.all.len() {
            let end = window(start).clamp(start + 1, tasks.all.len());
            keys.clear();
            keys.extend((start..end).map(|index| {
                let Task { level, kind, .. } = tasks.all[index];
                (level, kind, index as u32)
            }));
            keys.sort_unstable();
            for (position, &(level, kind, index)) in keys.iter().enumerate() {
                let begins =
                    position == 0 || keys[position - 1].0 != level || keys[position - 1].1 != kind;
                if begins {
                    order.groups.push(order.tasks.len() as u32);
                }
                order.tasks.push(index);
            }
            start = end;
        }
        order
    }
}

/// The bytes by which the workspace may be larger than in the order of the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) usize);

impl Limit {
    /// The limit that is set, else the size of a second-level cache, or that of the arguments and results if they
    /// take more.
    pub(super) fn of(program: &Program, set: Option<usize>) -> Self {
        if let Some(bytes) = set {
            return Self(bytes);
        }
        const CACHE: usize = 1 << 20;
        let outside = program.buffers.iter().filter(|b| {
            matches!(
                b.place,
                program::Place::Input(_) | program::Place::Output(_)
            )
        });
        let bytes = outside.fold(0usize, |sum, b| sum.saturating_add(b.bytes));
        Self(bytes.max(CACHE))
    }
}

/// The calls that run as one when several of them are equal.
#[derive(PartialEq, Eq, Hash)]
enum CallKey<'a> {
    Matmul(&'a MatrixProduct),
    Copy(&'a StridedCopy),
}

/// Builds the nests of loops, and finds out which tasks do the same.
///
/// # Errors
/// A mistake of ours.
pub(super) fn tasks(
    program: &Program,
    schedule: &Schedule,
    stored: &[bool],
    nests: &mut Nests,
) -> Result<Tasks> {
    let mut tasks = Tasks {
        all: Vec::with_capacity(schedule.steps.len()),
        places: Vec::new(),
    };
    let levels = levels(program, schedule);
    let mut calls: FxHashMap<CallKey<'_>, u32> = FxHashMap::default();
    for (index, step) in schedule.steps.iter().enumerate() {
        let start = tasks.places.len() as u32;
        // Kinds of loops are even numbers, those of calls odd ones. What can fail is a kind of its own, as the
        // message names a source line.
        let (work, kind) = match step {
            Step::Loop(group) => {
                let nest = nests.build(program, group, stored, &mut tasks.places)?;
                let fails = group
                    .members
                    .iter()
                    .any(|&(id, _)| program.can_fail(program.instruction(id)));
                let alone = 2 * index as u32 + 1;
                (Work::Loop(nest), if fails { alone } else { 2 * nest.0 })
            }
            Step::Call(id) => {
                let &Instruction::Call(call) = program.instruction(*id) else {
                    return Err(Error::internal("a step calls what is no call"));
                };
                let step = program.call(call);
                let views = step.inputs.iter().chain(&step.outputs);
                tasks.places.extend(views.map(|v| (v.buffer, v.offset)));
                let alone = 2 * index as u32 + 1;
                let key = match &step.call {
                    Call::Matmul(product) => Some(CallKey::Matmul(product)),
                    Call::Copy(copy) => Some(CallKey::Copy(copy)),
                    _ => None,
                };
                let kind = key.map_or(alone, |key| *calls.entry(key).or_insert(alone));
                (Work::Call(call), kind)
            }
        };
        tasks.all.push(Task {
            work,
            kind,
            level: levels[index],
            start,
            len: tasks.places.len() as u32 - start,
        });
    }
    Ok(tasks)
}

/// The level of each step.
fn levels(program: &Program, schedule: &Schedule) -> Vec<u32> {
    let mut levels = vec![0; schedule.steps.len()];
    // The level from which on each joined array is whole. Joins are done with the last step of their parts, those
    // within others first.
    let mut joined: FxHashMap<InstructionId, u32> = FxHashMap::default();
    let mut joins: Vec<(u32, InstructionId)> = Vec::new();
    for (index, instruction) in program.instructions.iter().enumerate() {
        if matches!(instruction, Instruction::Join { .. }) {
            joins.push((schedule.placed[index].0, InstructionId(index as u32)));
        }
    }
    joins.sort_unstable();
    let mut joins = joins.into_iter().peekable();
    let ready = |origin: InstructionId, levels: &[u32], joined: &FxHashMap<InstructionId, u32>| {
        match schedule.placed[origin.0 as usize] {
            (_, Part::Alone) if joined.contains_key(&origin) => joined[&origin],
            (step, _) => levels[step as usize] + 1,
        }
    };
    for (index, step) in schedule.steps.iter().enumerate() {
        let mut level = 0;
        let mut needs = |id: InstructionId| {
            for view in program.reads(program.instruction(id)) {
                if let Some(origin) = view.origin
                    && (schedule.placed[origin.0 as usize].0 as usize) < index
                {
                    level = level.max(ready(origin, &levels, &joined));
                }
            }
        };
        match step {
            Step::Loop(group) => group.members.iter().for_each(|&(id, _)| needs(id)),
            Step::Call(id) => needs(*id),
        }
        levels[index] = level;
        while let Some((_, join)) = joins.next_if(|&(at, _)| at as usize <= index) {
            let &Instruction::Join { parts } = program.instruction(join) else {
                continue;
            };
            let parts = program.parts(parts).iter();
            let whole = parts.map(|&part| ready(part, &levels, &joined)).max();
            joined.insert(join, whole.unwrap_or(0));
        }
    }
    levels
}

/// Finds the order of tasks and the plan of memory.
pub(super) fn order(
    program: &Program,
    tasks: &Tasks,
    nests: &Nests,
    limit: Limit,
) -> (Order, Workspace) {
    let whole = Order::by_level(tasks, |_| usize::MAX);
    let plan = buffers::plan(program, tasks, nests, &whole);
    if plan.size <= limit.0 {
        return (whole, plan);
    }
    let in_order = Order::of_program(tasks);
    let least = buffers::plan(program, tasks, nests, &in_order);
    if plan.size <= least.size.saturating_add(limit.0) {
        return (whole, plan);
    }
    // What a window writes is what it can at most add to the arrays that are alive where it begins.
    let mut written = vec![false; program.buffers.len()];
    let window = |start: usize| {
        let mut total = 0usize;
        for index in start..tasks.all.len() {
            let new = |&&(buffer, _): &&Place| {
                let in_workspace = program.buffer(buffer).place == program::Place::Workspace;
                in_workspace && !written[buffer.0 as usize]
            };
            let bytes = |&(buffer, _): &Place| buffers::rounded(program.buffer(buffer).bytes);
            let added = tasks.places(index).iter().filter(new).map(bytes);
            total = added.fold(total, usize::saturating_add);
            if total > limit.0 {
                return index;
            }
            for &(buffer, _) in tasks.places(index) {
                written[buffer.0 as usize] = true;
            }
        }
        tasks.all.len()
    };
    let windowed = Order::by_level(tasks, window);
    let plan = buffers::plan(program, tasks, nests, &windowed);
    if plan.size <= least.size.saturating_add(limit.0) {
        (windowed, plan)
    } else {
        // Fragments can make the windows miss the limit by a little.
        (in_order, least)
    }
}
