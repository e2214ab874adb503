//! Loops on several threads: which entries of a program are divided, and how.
//!
//! An entry is divided along the first axis of its kernel, if that is not reduced: each thread runs the same kernel on
//! some of its indices. Every result is computed as by one thread, so bits do not depend on their number. Entries that can
//! fail are not divided, as the first failure is reported; neither are those that take less time than handing out work.
//! Products of matrices divide themselves (`autojit_runtime::matmul`).

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::entry::{Entries, Entry};
use crate::codegen::KernelFunction;
use crate::kernel::{Kernel, Operation, Stride};

/// Operations on elements below which an entry stays whole: one thread does these in the time, some tens of
/// microseconds, in which others are surely awake.
const WORK: usize = 1 << 17;
/// Indices of an axis of single elements that go together: whole vectors, and whole lines of the cache.
const GRAIN: usize = 64;

/// How an entry is divided.
#[derive(Debug)]
pub(crate) struct Division {
    /// The extent of the axis.
    extent: usize,
    /// Parts begin at multiples of this.
    grain: usize,
    /// How far each operand moves along the axis, in bytes.
    moves: SmallVec<[isize; 8]>,
    /// The number of parameters.
    parameters: usize,
}

/// The entries that several threads run, by their number.
pub(crate) fn divisions(entries: &Entries, threads: usize) -> FxHashMap<u32, Division> {
    if threads < 2 {
        return FxHashMap::default();
    }
    let divisions = entries
        .list
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| {
            // Small kernels run many times in order.
            let Entry::Kernel {
                kernel,
                parameters,
                run: None,
                ..
            } = entry
            else {
                return None;
            };
            let parameters = &entries.parameters[*parameters as usize..];
            let division = Division::of(&entries.kernels[*kernel as usize], parameters)?;
            Some((index as u32, division))
        });
    divisions.collect()
}

/// Prints the extent of the divided axis and where parts may begin.
impl std::fmt::Display for Division {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { extent, grain, .. } = self;
        write!(f, "along an axis of {extent} at multiples of {grain}")
    }
}

impl Division {
    fn of(kernel: &Kernel, parameters: &[i64]) -> Option<Self> {
        let rank = kernel.outer_rank + kernel.inner_rank;
        let reduces = |o: &Operation| matches!(o, Operation::Reduce { .. });
        let is_reduced = kernel.outer_rank == 0 && kernel.operations().any(reduces);
        let is_special = rank == 1 && kernel.extent.is_some();
        if rank == 0 || is_reduced || is_special || kernel.can_fail() {
            return None;
        }
        if kernel.work(parameters)? < WORK {
            return None;
        }
        let (stride_words, _) = kernel.stride_words();
        let mut moves = SmallVec::new();
        for (index, slot) in kernel.slots.iter().enumerate() {
            let bytes = match slot.strides[0] {
                Stride::Zero => 0,
                Stride::Unit => slot.dtype.size() as isize,
                Stride::Parameter => parameters[stride_words[index]] as isize,
            };
            if kernel.is_written(index) && bytes == 0 {
                return None;
            }
            moves.push(bytes);
        }
        let extent = parameters[0] as usize;
        let grain = if rank == 1 { GRAIN } else { 1 };
        (extent > grain).then_some(Self {
            extent,
            grain,
            moves,
            parameters: kernel.parameter_words(),
        })
    }

    /// Runs a kernel in as many parts.
    ///
    /// # Safety
    /// The operands and parameters must be those that the kernel is to be run with.
    pub(crate) unsafe fn run(
        &self,
        threads: usize,
        function: KernelFunction,
        operands: &[*mut u8],
        parameters: *const i64,
    ) {
        let grains = self.extent.div_ceil(self.grain);
        let edge = |part: usize| (part * grains / threads * self.grain).min(self.extent);
        // SAFETY: a kernel is handed that many.
        let parameters = unsafe { std::slice::from_raw_parts(parameters, self.parameters) };
        rayon::in_place_scope(|scope| {
            for part in 0..threads {
                let (start, end) = (edge(part), edge(part + 1));
                if start == end {
                    continue;
                }
                let moved = operands.iter().zip(&self.moves);
                let moved = moved.map(|(x, step)| x.wrapping_offset(start as isize * step));
                let operands = Operands(moved.collect());
                let mut parameters: SmallVec<[i64; 32]> = SmallVec::from_slice(parameters);
                parameters[0] = (end - start) as i64;
                scope.spawn(move |_| {
                    // The whole may go to another thread, its field may not.
                    let operands = operands;
                    let Operands(operands) = operands;
                    // SAFETY: the operands are those of the caller, at a part of the first axis; no two parts write
                    // to one place, as what is written moves along it.
                    unsafe { function(operands.as_ptr(), parameters.as_ptr()) };
                });
            }
        });
    }
}

/// Operands that go to another thread.
struct Operands(SmallVec<[*mut u8; 8]>);

// SAFETY: they are used while the call waits for which they are, for parts of the memory that do not overlap.
unsafe impl Send for Operands {}
