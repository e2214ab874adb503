//! Groups -> entries: steps of a group whose operands lie evenly spaced become one entry.
//!
//! Once memory is planned, the operands of a step are base addresses and offsets. A run of steps in which each operand
//! moves by the same distance from one step to the next is one loop with one axis more, or one call for all. What the
//! planner meant to lie side by side is looked for here, never taken for granted.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::entry::{Bases, Entries, Entry, Origin, RelativeAddress};
use crate::kernel::{self, Batch, Kernel};
use crate::loops::{Loops, NestId, Work};
use crate::lower::{Call, CallSite, Lowered};
use crate::memory::Workspace;
use crate::schedule::Order;

/// Makes the entries of a program.
struct Assembly<'a> {
    lowered: &'a Lowered,
    loops: &'a Loops,
    bases: Bases,
    workspace: &'a Workspace,
    /// The kernel and the parameters of nests, alone and in batches.
    alone: Vec<Option<(u32, u32)>>,
    batched: FxHashMap<(NestId, Batch), (u32, u32)>,
    /// For each kernel, whether it can fail.
    can_fail: Vec<bool>,
    known_kernels: FxHashMap<Kernel, u32>,
    known_parameters: FxHashMap<Vec<i64>, u32>,
    entries: Entries,
}

/// In groups of more loops than this, fewer than [`LEAST_OF_MANY`] of them that happen to be evenly spaced stay apart: any
/// two are, and each pair would have parameters of its own.
const MANY: usize = 64;
const LEAST_OF_MANY: usize = 4;

type Operands = SmallVec<[RelativeAddress; 8]>;

/// For each operand how far it moves, in elements.
type Moves = SmallVec<[isize; 6]>;

/// Makes the entries of an order of steps; `origin` gives the op and the source line of a step, which can fail or not.
pub(crate) fn assemble(
    lowered: &Lowered,
    loops: &Loops,
    order: &Order,
    workspace: &Workspace,
    bases: Bases,
    origin: impl Fn(u32, bool) -> Origin,
) -> Entries {
    let mut assembly = Assembly {
        lowered,
        loops,
        bases,
        workspace,
        alone: vec![None; loops.nests.len()],
        batched: FxHashMap::default(),
        can_fail: Vec::new(),
        known_kernels: FxHashMap::default(),
        known_parameters: FxHashMap::default(),
        // An entry for each group at least.
        entries: Entries::with_capacity(order.groups().count()),
    };
    for group in order.groups() {
        assembly.group(group, &origin);
    }
    assembly.entries
}

impl Assembly<'_> {
    /// The sizes of the elements of a step's operands.
    fn item_sizes(&self, step: u32) -> SmallVec<[isize; 8]> {
        match self.loops.work(step) {
            Work::Loop(nest) => {
                let slots = self.loops.nests[nest].slots.iter();
                slots.map(|s| s.dtype.size() as isize).collect()
            }
            Work::Call(call) => {
                let CallSite {
                    inputs, outputs, ..
                } = self.lowered.call(call);
                let views = inputs.iter().chain(outputs);
                views.map(|v| v.dtype.size() as isize).collect()
            }
        }
    }

    /// Where the operands of a step are. It is asked for each step, so the list is used again.
    fn operands(&self, step: u32, sizes: &[isize], operands: &mut Operands) {
        operands.clear();
        for (&(buffer, offset), size) in self.loops.anchors(step).iter().zip(sizes) {
            let bases = self.bases;
            operands.push(bases.operand(self.lowered, self.workspace, buffer, offset * size));
        }
    }

    /// Adds the entries of a group of steps that do the same and do not depend on each other.
    fn group(&mut self, group: &[u32], origin: impl Fn(u32, bool) -> Origin) {
        let Some(&first) = group.first() else {
            return;
        };
        let sizes = self.item_sizes(first);
        let is_loop = matches!(self.loops.work(first), Work::Loop(_));
        let least = if is_loop && group.len() > MANY {
            LEAST_OF_MANY
        } else {
            1
        };
        let mut begin = 0;
        let (mut last, mut next) = (Operands::new(), Operands::new());
        let (mut moves, mut moved) = (Moves::new(), Moves::new());
        while begin < group.len() {
            let mut end = begin + 1;
            self.operands(group[begin], &sizes, &mut last);
            let start = self.entries.operands.len();
            self.entries.operands.extend_from_slice(&last);
            while end < group.len() {
                self.operands(group[end], &sizes, &mut next);
                if !distances(&last, &next, &sizes, &mut moved) {
                    break;
                }
                if end == begin + 1 {
                    std::mem::swap(&mut moves, &mut moved);
                } else if moves != moved {
                    break;
                }
                std::mem::swap(&mut last, &mut next);
                end += 1;
            }
            if end - begin < least {
                end = begin + 1;
            }
            let batch = (end - begin > 1).then(|| Batch {
                count: end - begin,
                moves: SmallVec::from_slice(&moves),
            });
            self.entry(group[begin], start, batch, &origin);
            begin = end;
        }
    }

    /// Adds the entry of a step, or of a batch that begins with it, whose operands are those from `start` on.
    fn entry(
        &mut self,
        step: u32,
        start: usize,
        batch: Option<Batch>,
        origin: impl Fn(u32, bool) -> Origin,
    ) {
        let count = batch.as_ref().map_or(1, |batch| batch.count as u32);
        let operands = start as u32..self.entries.operands.len() as u32;
        let (entry, can_fail) = match self.loops.work(step) {
            Work::Loop(nest) => {
                let (kernel, parameters) = self.kernel(nest, batch);
                let can_fail = self.can_fail[kernel as usize];
                let entry = Entry::Kernel {
                    kernel,
                    operands,
                    parameters,
                    can_fail,
                    run: None,
                };
                (entry, can_fail)
            }
            Work::Call(call) => {
                let CallSite { call, inputs, .. } = self.lowered.call(call);
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
                let call = Box::new(call);
                let entry = Entry::Call {
                    call,
                    operands,
                    run: None,
                };
                (entry, true)
            }
        };
        self.entries.list.push(entry);
        self.entries.origins.push(origin(step, can_fail));
        self.entries.batches.push(count);
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
        let (kernel, words) =
            kernel::of_nest(self.lowered, &self.loops.nests[nest], batch.as_ref());
        let next = self.entries.kernels.len() as u32;
        let kernel = match self.known_kernels.get(&kernel) {
            Some(&known) => known,
            None => {
                self.can_fail.push(kernel.can_fail());
                self.entries.kernels.push(kernel.clone());
                self.known_kernels.insert(kernel, next);
                next
            }
        };
        let next = self.entries.parameters.len() as u32;
        let parameters = match self.known_parameters.get(&words) {
            Some(&known) => known,
            None => {
                self.entries.parameters.extend_from_slice(&words);
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

/// Finds how far each operand moves from one step to the next, in elements; false if one has another base, or moves by a part of
/// an element.
fn distances(from: &Operands, to: &Operands, sizes: &[isize], moves: &mut Moves) -> bool {
    moves.clear();
    for ((from, to), size) in from.iter().zip(to).zip(sizes) {
        let bytes = to.offset - from.offset;
        // Sizes are powers of two.
        if from.base != to.base || bytes & (size - 1) != 0 {
            return false;
        }
        moves.push(bytes >> size.trailing_zeros());
    }
    true
}
