//! Groups -> tape entries: tasks of a group whose operands lie evenly spaced become one entry.
//!
//! Once memory is planned, the operands of a task are base addresses and offsets. A run of tasks in which each operand
//! moves by the same distance from one task to the next is one loop with one axis more, or one call for all. What the
//! planner meant to lie side by side is looked for here, never taken for granted.

use std::panic::Location;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::buffers::Workspace;
use super::kernel::{self, Batch, Kernel};
use super::nest::{NestId, Nests};
use super::program::{Call, CallStep, Program};
use super::schedule::{Tasks, Work};
use super::tape::{Bases, Entry, Operand};

/// The op and the source line to name if an entry fails.
pub(super) type Origin = (&'static str, Option<&'static Location<'static>>);

/// Makes the entries of a tape.
pub(super) struct Assembly<'a> {
    program: &'a Program,
    tasks: &'a Tasks,
    nests: &'a Nests,
    bases: Bases,
    workspace: &'a Workspace,
    /// The kernel and the parameters of nests, alone and in batches.
    alone: Vec<Option<(u32, u32)>>,
    batched: FxHashMap<(NestId, Batch), (u32, u32)>,
    known_kernels: FxHashMap<Kernel, u32>,
    known_parameters: FxHashMap<Vec<i64>, u32>,
    parts: Parts,
}

/// What a tape is made of.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) kernels: Vec<Kernel>,
    pub(super) entries: Vec<Entry>,
    pub(super) origins: Vec<Origin>,
    pub(super) operands: Vec<Operand>,
    pub(super) parameters: Vec<i64>,
}

/// In groups of more loops than this, fewer than [`LEAST_OF_MANY`] of them that happen to be evenly spaced stay apart: any
/// two are, and each pair would have parameters of its own.
const MANY: usize = 64;
const LEAST_OF_MANY: usize = 4;

type Operands = SmallVec<[Operand; 8]>;

impl<'a> Assembly<'a> {
    pub(super) fn new(
        program: &'a Program,
        tasks: &'a Tasks,
        nests: &'a Nests,
        bases: Bases,
        workspace: &'a Workspace,
    ) -> Self {
        Self {
            program,
            tasks,
            nests,
            bases,
            workspace,
            alone: vec![None; nests.len()],
            batched: FxHashMap::default(),
            known_kernels: FxHashMap::default(),
            known_parameters: FxHashMap::default(),
            parts: Parts::default(),
        }
    }

    pub(super) fn finish(self) -> Parts {
        self.parts
    }

    /// The sizes of the elements of a task's operands.
    fn item_sizes(&self, task: u32) -> SmallVec<[isize; 8]> {
        match self.tasks.all[task as usize].work {
            Work::Loop(nest) => {
                let slots = self.nests[nest].slots.iter();
                slots.map(|s| s.dtype.size() as isize).collect()
            }
            Work::Call(call) => {
                let CallStep {
                    inputs, outputs, ..
                } = self.program.call(call);
                let views = inputs.iter().chain(outputs);
                views.map(|v| v.dtype.size() as isize).collect()
            }
        }
    }

    fn operands(&self, task: u32, sizes: &[isize]) -> Operands {
        let places = self.tasks.places(task as usize).iter().zip(sizes);
        places
            .map(|(&(buffer, offset), size)| {
                self.bases
                    .operand(self.program, self.workspace, buffer, offset * size)
            })
            .collect()
    }

    /// Adds the entries of a group of tasks that do the same and do not depend on each other.
    pub(super) fn group(&mut self, group: &[u32], origin: impl Fn(u32) -> Origin) {
        let Some(&first) = group.first() else {
            return;
        };
        let sizes = self.item_sizes(first);
        let is_loop = matches!(self.tasks.all[first as usize].work, Work::Loop(_));
        let least = if is_loop && group.len() > MANY {
            LEAST_OF_MANY
        } else {
            1
        };
        let mut begin = 0;
        while begin < group.len() {
            let start = self.operands(group[begin], &sizes);
            let mut end = begin + 1;
            let mut moves: Option<SmallVec<[isize; 6]>> = None;
            let mut last = start.clone();
            while end < group.len() {
                let next = self.operands(group[end], &sizes);
                let Some(step) = distances(&last, &next, &sizes) else {
                    break;
                };
                if moves.as_ref().is_some_and(|m| *m != step) {
                    break;
                }
                moves = Some(step);
                last = next;
                end += 1;
            }
            if end - begin < least {
                self.entry(group[begin], start, None, origin(group[begin]));
                begin += 1;
                continue;
            }
            let batch = moves.map(|moves| Batch {
                count: end - begin,
                moves,
            });
            self.entry(group[begin], start, batch, origin(group[begin]));
            begin = end;
        }
    }

    fn entry(&mut self, task: u32, operands: Operands, batch: Option<Batch>, origin: Origin) {
        let start = self.parts.operands.len() as u32;
        self.parts.operands.extend_from_slice(&operands);
        let operands = start..self.parts.operands.len() as u32;
        let entry = match self.tasks.all[task as usize].work {
            Work::Loop(nest) => {
                let (kernel, parameters) = self.kernel(nest, batch);
                Entry::Kernel {
                    kernel,
                    operands,
                    parameters,
                    can_fail: self.parts.kernels[kernel as usize].can_fail(),
                }
            }
            Work::Call(call) => {
                let CallStep { call, inputs, .. } = self.program.call(call);
                let call = match (call, batch) {
                    (Call::Matmul(product), Some(Batch { count, moves })) => {
                        Call::Matmul(product.repeated(count, [moves[0], moves[1], moves[2]]))
                    }
                    (Call::Copy(copy), Some(Batch { count, moves })) => {
                        let size = inputs[0].dtype.size() as isize;
                        Call::Copy(copy.repeated(count, moves[0] * size, moves[1] * size))
                    }
                    (call, _) => call.clone(),
                };
                Entry::Call { call, operands }
            }
        };
        self.parts.entries.push(entry);
        self.parts.origins.push(origin);
    }

    /// The kernel of a nest or of a batch of them, and where its parameters are.
    fn kernel(&mut self, nest: NestId, batch: Option<Batch>) -> (u32, u32) {
        let known = match &batch {
            None => self.alone[nest.0 as usize],
            Some(batch) => self.batched.get(&(nest, batch.clone())).copied(),
        };
        if let Some(known) = known {
            return known;
        }
        let (kernel, words) = kernel::of_nest(self.program, &self.nests[nest], batch.as_ref());
        let next = self.parts.kernels.len() as u32;
        let kernel = match self.known_kernels.get(&kernel) {
            Some(&known) => known,
            None => {
                self.parts.kernels.push(kernel.clone());
                self.known_kernels.insert(kernel, next);
                next
            }
        };
        let next = self.parts.parameters.len() as u32;
        let parameters = match self.known_parameters.get(&words) {
            Some(&known) => known,
            None => {
                self.parts.parameters.extend_from_slice(&words);
                self.known_parameters.insert(words, next);
                next
            }
        };
        match batch {
            None => self.alone[nest.0 as usize] = Some((kernel, parameters)),
            Some(batch) => {
                self.batched.insert((nest, batch), (kernel, parameters));
            }
        }
        (kernel, parameters)
    }
}

/// How far each operand moves from one task to the next, in elements; `None` if one has another base.
fn distances(from: &Operands, to: &Operands, sizes: &[isize]) -> Option<SmallVec<[isize; 6]>> {
    if from.iter().zip(to).any(|(from, to)| from.base != to.base) {
        return None;
    }
    let pairs = from.iter().zip(to).zip(sizes);
    pairs
        .map(|((from, to), size)| {
            let bytes = to.offset - from.offset;
            // Sizes are powers of two.
            (bytes & (size - 1) == 0).then(|| bytes >> size.trailing_zeros())
        })
        .collect()
}
