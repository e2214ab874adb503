//! The program: what an executable runs, entry by entry.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::divide::Division;
use super::entry::{Entry, Origin, RelativeAddress};
use super::origin::attributed;
use crate::codegen::{Code, FAILURE_INDEX};
use crate::lower::{Call, DrawSource};
use crate::memory::ALIGNMENT;
use autojit_ir::HostArray;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::CallDraws;

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
    /// The draws that each call takes from generators.
    pub(crate) draws: Vec<Arc<CallDraws>>,
    /// Workspaces of calls that ended, for calls to come.
    pub(crate) pool: Mutex<Vec<Arena>>,
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
        let mut memory = HostArray::room_for(lines, format_args!("a workspace of {bytes} bytes"))?;
        memory.resize(lines, Line([0; ALIGNMENT]));
        Ok(Self(memory))
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// The most arenas that stay for later calls: as many threads rarely call at once.
const POOL: usize = 8;

/// The seed and the number of the first draw of this call, for each generator.
type Draws = smallvec::SmallVec<[(u64, u64); 1]>;

/// Multiplications from which threads share a product: about 100 us of one thread.
const PARALLEL_PRODUCT: usize = 1 << 21;

/// Pointers that one kernel takes, failure record included.
const LARGEST_OPERANDS: usize = 128;

impl Program {
    /// Runs the program. `begin` is called with the number of each entry before it runs.
    ///
    /// # Safety
    /// `bases` hold, as [`Bases`] numbers them, any address, those of [`constants`](Self::constants), those of
    /// contiguous arrays of the types of the graph's arguments, and those of memory for its results, aligned for
    /// their dtypes.
    ///
    /// # Errors
    /// A step failed on these values, such as an index out of range.
    pub(crate) unsafe fn run(&self, bases: &mut [*mut u8], begin: impl FnMut(usize)) -> Result<()> {
        let mut arena = self.arena()?;
        if let Some(workspace) = bases.first_mut() {
            *workspace = arena.as_mut_ptr();
        }
        // SAFETY: forwarded, with a workspace.
        let result = unsafe { self.entries(bases, begin) };
        self.release(arena);
        result
    }

    /// Memory for a workspace.
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

    /// # Safety
    /// `bases` hold the addresses that the operands count from.
    #[inline]
    unsafe fn entries(&self, bases: &[*mut u8], mut begin: impl FnMut(usize)) -> Result<()> {
        // All at once, so that calls on other threads do not come between.
        let draws: Draws = self.draws.iter().map(|d| d.reserve()).collect();
        let mut failure = [0i64; 4];
        // Not set to anything: clearing it would be a fifth of a small call.
        let mut memory = [const { MaybeUninit::<*mut u8>::uninit() }; LARGEST_OPERANDS];
        for (index, entry) in self.entries.iter().enumerate() {
            begin(index);
            let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
            let operands = &self.operands[operands.start as usize..operands.end as usize];
            let address = |o: &RelativeAddress| bases[o.base as usize].wrapping_offset(o.offset);
            if let Entry::Call {
                call: Call::External(external),
                ..
            } = entry
            {
                // Not in `pointers`: a user's function may take any number of arrays.
                let addresses: SmallVec<[*mut u8; 8]> = operands.iter().map(address).collect();
                // SAFETY: the addresses are those of the views that the call was planned for, inputs first;
                // they are contiguous, and steps before this one wrote all elements of the inputs.
                unsafe { external.run(&addresses) }.map_err(|e| self.locate(index, e))?;
                continue;
            }
            for (pointer, operand) in memory.iter_mut().zip(operands) {
                pointer.write(address(operand));
            }
            let mut count = operands.len();
            if let Entry::Kernel { can_fail: true, .. } = entry {
                memory[count].write(failure.as_mut_ptr().cast());
                count += 1;
            }
            // SAFETY: so many have just been written.
            let pointers =
                unsafe { std::slice::from_raw_parts(memory[..count].as_ptr().cast(), count) };
            match entry {
                Entry::Kernel {
                    kernel,
                    parameters,
                    can_fail,
                    ..
                } => {
                    let function = self.code.function(*kernel as usize);
                    // SAFETY: the parameters of this entry.
                    let parameters = unsafe { self.parameters.as_ptr().add(*parameters as usize) };
                    if self.threads > 1
                        && let Some(division) = self.divisions.get(&(index as u32))
                    {
                        // SAFETY: as below.
                        unsafe { division.run(self.threads, function, pointers, parameters) };
                        continue;
                    }
                    // SAFETY: the kernel takes as many pointers as it has slots, and they address the views
                    // that it was built for; the parameters are those of this entry.
                    unsafe { function(pointers.as_ptr(), parameters) };
                    if *can_fail && failure[0] != 0 {
                        return Err(self.locate(index, kernel_failure(failure)));
                    }
                }
                Entry::Call { call, .. } => {
                    // SAFETY: the pointers address the views that the call was planned for.
                    unsafe { run_call(call, pointers, &draws, self.threads) }
                        .map_err(|e| self.locate(index, e))?;
                }
            }
        }
        Ok(())
    }

    fn locate(&self, entry: usize, error: Error) -> Error {
        attributed(error, Some(self.origins[entry]))
    }
}

fn kernel_failure([code, index, axis, size]: [i64; 4]) -> Error {
    if code == FAILURE_INDEX {
        Error::index(format!(
            "index {index} is out of range for axis {axis} with size {size}"
        ))
    } else {
        Error::value("integers to negative integer powers are not allowed")
    }
}

/// # Safety
/// The pointers address the views that the call was planned for, inputs first.
unsafe fn run_call(call: &Call, pointers: &[*mut u8], draws: &Draws, threads: usize) -> Result<()> {
    use autojit_runtime::abi::Failure;
    // SAFETY: forwarded to each function of the runtime.
    let result = unsafe {
        match call {
            Call::Matmul(product) => {
                let [a, b, c] = [pointers[0], pointers[1], pointers[2]];
                if threads > 1 && product.multiplications() >= PARALLEL_PRODUCT {
                    product.run_threaded(threads, a, b, c);
                } else {
                    product.run(a, b, c);
                }
                Ok(())
            }
            Call::Gather { gather, .. } => gather.run(pointers[0], pointers[1], pointers[2]),
            Call::Scatter(scatter) => {
                scatter.run(pointers[0], pointers[2].cast(), pointers[1], pointers[3])
            }
            Call::Random { plan, source } => {
                let (seed, number) = match *source {
                    DrawSource::Fixed { seed, number } => (seed, number),
                    DrawSource::Call {
                        draws: list,
                        offset,
                    } => {
                        let (seed, first) = draws[list];
                        (seed, first.wrapping_add(offset))
                    }
                };
                plan.run(seed, number, pointers[0])
            }
            Call::ArgReduce(reduce) => {
                reduce.run(pointers[0], pointers[1].cast());
                Ok(())
            }
            Call::Scan(scan) => scan.run(pointers[0], pointers[1]),
            Call::Sort(sort) => sort.run(pointers[0], pointers[1]),
            // Run by `entries`, which does not come here with it.
            Call::External(_) => return Err(Error::internal("an external step in the runtime")),
            Call::Copy(copy) => {
                copy.run(pointers[0], pointers[1]);
                Ok(())
            }
            Call::Runtime(call) => return call.run(pointers),
        }
    };
    result.map_err(|failure| match (failure, call) {
        (Failure::IndexOutOfRange { index, len }, Call::Gather { axis, .. }) => Error::index(
            format!("index {index} is out of range for axis {axis} with size {len}"),
        ),
        (Failure::IndexOutOfRange { index, len }, Call::Scatter(_)) => Error::index(format!(
            "position {index} is out of range for {len} elements"
        )),
        (Failure::OutOfMemory, _) => Error::value(failure.to_string()),
        (failure, _) => Error::linear_algebra(failure.to_string()),
    })
}
