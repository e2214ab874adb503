//! Programs with their code, and the programs inside of loops and branches.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::divide::Division;
use super::entry::{Entry, Origin, RelativeAddress};
use super::origin::attributed;
use super::repeat::Repeated;
use super::split::{BLOCK, BYTES};
use crate::codegen::Code;
use crate::kernel::Kernel;
use crate::lower::Call;
use crate::memory::ALIGNMENT;
use autojit_ir::error::Result;
use autojit_ir::random::CallDraws;
use autojit_ir::{ArrayType, HostArray};
use autojit_runtime::pages::prefer_huge;

/// A runnable program.
pub(crate) struct Program {
    pub(crate) code: Code,
    pub(crate) entries: Vec<Entry>,
    /// For each entry, the op and the source line to name if it fails.
    pub(crate) origins: Vec<Origin>,
    /// The operation with the largest result, if there is one.
    pub(crate) largest: Option<Origin>,
    pub(crate) operands: Vec<RelativeAddress>,
    pub(crate) parameters: Vec<i64>,
    pub(crate) constants: Constants,
    pub(crate) workspace_bytes: usize,
    /// How many threads a call may use, and the entries that are divided among them.
    pub(crate) threads: usize,
    pub(crate) divisions: FxHashMap<u32, Division>,
    /// The compiled loops and branches, by their entries.
    pub(crate) controls: FxHashMap<u32, Control>,
    /// The draws that each call takes from generators.
    pub(crate) draws: Vec<Arc<CallDraws>>,
    /// Workspaces of calls that ended, for calls to come.
    pub(crate) pool: Mutex<Vec<Arena>>,
}

/// A compiled loop or choice.
pub(crate) enum Control {
    /// The body, and the products that it takes.
    Scan {
        body: Box<Inner>,
        ahead: Option<Box<Ahead>>,
    },
    /// The condition before the first iteration; the body, with the condition after it as its last result.
    While {
        before: Box<Inner>,
        iteration: Box<Inner>,
    },
    /// The branches.
    Switch(Vec<Inner>),
}

impl Control {
    /// The programs of the graphs inside.
    pub(crate) fn programs(&self) -> SmallVec<[&Inner; 2]> {
        match self {
            Self::Scan { body, ahead } => {
                let ahead = ahead.iter().map(|ahead| &ahead.inner);
                [&**body].into_iter().chain(ahead).collect()
            }
            Self::While { before, iteration } => SmallVec::from_iter([&**before, &**iteration]),
            Self::Switch(branches) => branches.iter().collect(),
        }
    }
}

/// The program of a graph inside of a loop or a branch.
pub(crate) struct Inner {
    pub(crate) program: Program,
    /// How many arrays it takes.
    pub(crate) inputs: usize,
    /// The output buffer of each result, and its size in bytes: results that are one value share a buffer.
    pub(crate) results: Vec<(usize, usize)>,
    /// Of a loop, for each array that is carried: whether an iteration changes it where it lies. See
    /// [`in_place`](super::in_place).
    pub(crate) in_place: Vec<bool>,
    /// Of a loop, how its only kernel repeats itself, if it does. The program is then not run.
    pub(crate) repeated: Option<Repeated>,
    /// Of a long scan, matrices that are the same each time, with room for a copy of each.
    pub(crate) matrices: Vec<Matrix>,
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) instructions: usize,
}

/// A matrix that each iteration multiplies with a vector. Rows that are not aligned cost twice as much to read, so there is room
/// in the workspace for a copy that is.
pub(crate) struct Matrix {
    /// The number of the input.
    pub(crate) input: usize,
    /// Where in the workspace there is room.
    pub(crate) offset: usize,
    pub(crate) bytes: usize,
}

/// The array constants of a program, contiguous.
pub(crate) struct Constants {
    /// Of the arrays, which own what they point to.
    addresses: Vec<*mut u8>,
    _arrays: Vec<HostArray>,
}

// SAFETY: the addresses are those of the arrays beside them, which can be shared and are never written to.
unsafe impl Send for Constants {}
// SAFETY: as above.
unsafe impl Sync for Constants {}

impl Constants {
    pub(crate) fn new(constants: &[HostArray]) -> Self {
        let arrays: Vec<HostArray> = constants.iter().map(HostArray::to_contiguous).collect();
        Self {
            addresses: arrays.iter().map(|x| x.as_ptr().cast_mut()).collect(),
            _arrays: arrays,
        }
    }

    pub(crate) fn addresses(&self) -> &[*mut u8] {
        &self.addresses
    }
}

/// Memory for the workspace of one call, aligned to cache lines.
pub(crate) struct Arena(Vec<Line>);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; ALIGNMENT]);

impl Arena {
    fn new(bytes: usize) -> Result<Self> {
        let lines = bytes.div_ceil(ALIGNMENT);
        let mut memory: Vec<Line> =
            HostArray::room_for(lines, format_args!("a workspace of {bytes} bytes"))?;
        prefer_huge(memory.as_mut_ptr().cast(), lines * ALIGNMENT);
        memory.resize(lines, Line([0; ALIGNMENT]));
        Ok(Self(memory))
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// The workspace of a program while it runs, which is given back in the end.
pub(super) struct Lent<'p> {
    program: &'p Program,
    arena: Arena,
}

impl Lent<'_> {
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.arena.as_mut_ptr()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let arena = std::mem::replace(&mut self.arena, Arena(Vec::new()));
        self.program.release(arena);
    }
}

/// The most arenas that stay for later calls: as many threads rarely call at once.
const POOL: usize = 8;

impl Program {
    /// Memory for a workspace, until it is dropped.
    pub(super) fn lend(&self) -> Result<Lent<'_>> {
        let arena = self.arena()?;
        Ok(Lent {
            program: self,
            arena,
        })
    }

    fn arena(&self) -> Result<Arena> {
        if self.workspace_bytes == 0 {
            return Ok(Arena(Vec::new()));
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let pooled = pool.pop();
        drop(pool);
        let new = || {
            let arena = Arena::new(self.workspace_bytes);
            arena.map_err(|e| attributed(e, self.largest))
        };
        pooled.map_or_else(new, Ok)
    }

    /// Gives memory back, for later calls.
    fn release(&self, arena: Arena) {
        if self.workspace_bytes == 0 {
            return;
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL {
            pool.push(arena);
        }
    }
}

/// So many iterations make the copy of a matrix worth it.
const COPIED: usize = 256;
/// The sizes of matrices for which there is room, in bytes.
const MATRICES: std::ops::RangeInclusive<usize> = 4 * 1024..=1024 * 1024;

impl Inner {
    /// Makes room for copies of the matrices among the last inputs, which are the same each time, where there are so many iterations
    /// that a copy is worth it.
    pub(crate) fn make_room_for_matrices(
        &mut self,
        types: &[ArrayType],
        first: usize,
        iterations: usize,
    ) {
        if iterations < COPIED {
            return;
        }
        let base = 1 + self.program.constants.addresses().len();
        for entry in &self.program.entries {
            let Entry::Call { call, .. } = entry else {
                continue;
            };
            let Call::Matmul(product) = &**call else {
                continue;
            };
            let matrix = &self.program.operands_of(entry)[0];
            let Some(input) = (matrix.base as usize).checked_sub(base) else {
                continue;
            };
            let is_new = self.matrices.iter().all(|m| m.input != input);
            if product.n != 1 || !(first..types.len()).contains(&input) || !is_new {
                continue;
            }
            let bytes = types[input].bytes();
            if MATRICES.contains(&bytes) {
                let offset = self.program.workspace_bytes.next_multiple_of(ALIGNMENT);
                self.program.workspace_bytes = offset + bytes;
                self.matrices.push(Matrix {
                    input,
                    offset,
                    bytes,
                });
            }
        }
    }

    /// Whether an array is carried and changed where it lies.
    pub(super) fn stays(&self, carried: usize) -> bool {
        self.in_place.get(carried) == Some(&true)
    }

    /// The first result that is in an output buffer.
    pub(super) fn first_of(&self, buffer: usize) -> usize {
        let mut results = self.results.iter();
        results.position(|(b, _)| *b == buffer).unwrap_or(0)
    }
}

/// Compiled products of a scan, which `ahead.rs` computes for blocks of iterations.
pub(crate) struct Ahead {
    /// Their program. It is not run itself: its entries say what is multiplied.
    pub(super) inner: Inner,
    /// How many iterations a block has: an even number.
    pub(super) block: usize,
    /// Where in the workspace the results of each product are, and how long one is.
    pub(super) results: SmallVec<[(usize, usize); 2]>,
}

impl Ahead {
    /// The products of a program, if it does nothing but multiply and there are iterations enough.
    pub(crate) fn new(mut inner: Inner, iterations: usize) -> Option<Self> {
        let program = &inner.program;
        let multiplies = |entry: &Entry| match entry {
            Entry::Call { call, .. } => matches!(**call, Call::Matmul(_)),
            Entry::Kernel { .. } => false,
        };
        if program.workspace_bytes > 0 || !program.entries.iter().all(multiplies) {
            return None;
        }
        let buffers = inner.results.iter().map(|(buffer, _)| buffer + 1).max()?;
        let mut bytes = vec![0; buffers];
        for &(buffer, size) in &inner.results {
            bytes[buffer] = size;
        }
        let all = bytes.iter().sum::<usize>().max(1);
        let block = (BYTES / all).min(*BLOCK.end()).min(iterations) & !1;
        if !BLOCK.contains(&block) {
            return None;
        }
        let mut end = 0;
        let mut places = Vec::with_capacity(buffers);
        for size in bytes {
            places.push((end, size));
            end += (block * size).next_multiple_of(ALIGNMENT);
        }
        let results = inner.results.iter().map(|(buffer, _)| places[*buffer]);
        let results = results.collect();
        inner.program.workspace_bytes = end;
        Some(Self {
            inner,
            block,
            results,
        })
    }
}
