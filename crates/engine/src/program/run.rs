//! How a program runs, entry by entry.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use smallvec::SmallVec;

use super::compiled::Program;
use super::entry::{Entry, RelativeAddress, Run};
use super::origin::attributed;
use crate::codegen::{FAILURE_INDEX, KernelFunction};
use crate::lower::{Call, DrawSource};
use crate::memory::ALIGNMENT;
use autojit_ir::error::{Error, Result};
use autojit_runtime::matmul::MatrixProduct;

/// The seed and the number of the first draw of this call, for each generator.
pub(super) type Draws = SmallVec<[(u64, u64); 1]>;

/// Where a kernel says that it failed: a code that is not zero, and what the message needs.
#[derive(Default)]
pub(super) struct Failure(UnsafeCell<[i64; 4]>);

impl Failure {
    /// The arguments of kernels.
    pub(super) fn address(&self) -> *mut u8 {
        self.0.get().cast()
    }

    /// Whether no kernel has failed.
    pub(super) fn is_clear(&self) -> bool {
        self.get().is_none()
    }

    fn get(&self) -> Option<[i64; 4]> {
        // SAFETY: kernels write to it while they run, on the thread that it is on, and none runs now.
        let failure = unsafe { *self.0.get() };
        (failure[0] != 0).then_some(failure)
    }
}

/// Multiplications from which threads share a product: about 100 us of one thread.
const PARALLEL_PRODUCT: usize = 1 << 21;

/// Pointers that one kernel takes, failure record included.
const LARGEST_OPERANDS: usize = 1024;

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
        let mut lent;
        let workspace = if self.workspace_bytes == 0 {
            // As that of an empty list: buffers without elements may count from it.
            std::ptr::without_provenance_mut(ALIGNMENT)
        } else {
            lent = self.lend()?;
            lent.as_mut_ptr()
        };
        if let Some(first) = bases.first_mut() {
            *first = workspace;
        }
        // SAFETY: forwarded, with a workspace.
        unsafe { self.entries(bases, begin) }
    }

    /// # Safety
    /// `bases` hold the addresses that the operands count from.
    #[inline]
    pub(super) unsafe fn entries(
        &self,
        bases: &[*mut u8],
        mut begin: impl FnMut(usize),
    ) -> Result<()> {
        // All at once, so that calls on other threads do not come between.
        let draws: Draws = self.draws.iter().map(|d| d.reserve()).collect();
        let failure = Failure::default();
        // Not set to anything: clearing it would be a fifth of a small call.
        let mut memory = [const { MaybeUninit::<*mut u8>::uninit() }; LARGEST_OPERANDS];
        for (index, entry) in self.entries.iter().enumerate() {
            begin(index);
            let operands = self.operands_of(entry);
            let address = |o: &RelativeAddress| bases[o.base as usize].wrapping_offset(o.offset);
            // Calls of functions of the user's and loops alone may take more.
            if operands.len() > memory.len() {
                let addresses: SmallVec<[*mut u8; 16]> = operands.iter().map(address).collect();
                // SAFETY: as below.
                unsafe { self.entry(index, entry, &addresses, &draws, &failure)? };
                continue;
            }
            for (pointer, operand) in memory.iter_mut().zip(operands) {
                pointer.write(address(operand));
            }
            let mut count = operands.len();
            if let Entry::Kernel { can_fail: true, .. } = entry {
                memory[count].write(failure.address());
                count += 1;
            }
            // SAFETY: so many have just been written.
            let pointers =
                unsafe { std::slice::from_raw_parts(memory[..count].as_ptr().cast(), count) };
            // SAFETY: the pointers are those of the operands, and of the failure record where the kernel can fail.
            unsafe { self.entry(index, entry, pointers, &draws, &failure)? };
        }
        Ok(())
    }

    /// The operands of one of the entries.
    #[inline(always)]
    pub(super) fn operands_of(&self, entry: &Entry) -> &[RelativeAddress] {
        let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
        &self.operands[operands.start as usize..operands.end as usize]
    }

    /// Runs one of the entries.
    ///
    /// # Safety
    /// The pointers address the views that its step was planned for, and, where it is a kernel that can fail, the failure
    /// record after them. What comes before the entry has run.
    #[inline(always)]
    pub(super) unsafe fn entry(
        &self,
        index: usize,
        entry: &Entry,
        pointers: &[*mut u8],
        draws: &Draws,
        failure: &Failure,
    ) -> Result<()> {
        match entry {
            Entry::Kernel {
                kernel,
                parameters,
                can_fail,
                run,
                ..
            } => {
                let function = self.code.function(*kernel as usize);
                // SAFETY: the parameters of this entry.
                let parameters = unsafe { self.parameters.as_ptr().add(*parameters as usize) };
                if let Some(run) = run {
                    // SAFETY: as below, for each of the calls.
                    unsafe { run.call(function, pointers, parameters) };
                    return Ok(());
                }
                if self.threads > 1
                    && let Some(division) = self.divisions.get(&(index as u32))
                {
                    // SAFETY: as below.
                    unsafe { division.run(self.threads, function, pointers, parameters) };
                    return Ok(());
                }
                // SAFETY: the kernel takes as many pointers as it has slots, and they address the views
                // that it was built for; the parameters are those of this entry.
                unsafe { function(pointers.as_ptr(), parameters) };
                if *can_fail && let Some(failed) = failure.get() {
                    return Err(self.locate(index, kernel_failure(failed)));
                }
                Ok(())
            }
            Entry::Call { call, run, .. } => {
                let result = match &**call {
                    Call::Matmul(product) if let Some(run) = run => {
                        let times = run.times as usize;
                        let moves = run.moves.each_ref().map(|m| [m[0], m[1], m[2]]);
                        let operands = [pointers[0], pointers[1], pointers[2]];
                        // SAFETY: the pointers address the views that the first product was planned for, and those of the others
                        // lie so far from them.
                        unsafe { product.run_times(times, operands, moves) };
                        Ok(())
                    }
                    // SAFETY: the addresses are those of the views that the call was planned for, inputs first;
                    // they are contiguous, and steps before this one wrote all elements of the inputs.
                    Call::External(external) => unsafe { external.run(pointers) },
                    Call::Control(step) => match self.controls.get(&(index as u32)) {
                        // SAFETY: as above; the outputs of a loop are its results and as many buffers as it carries
                        // arrays.
                        Some(compiled) => unsafe { compiled.run(step, pointers) },
                        None => Err(Error::internal("a loop that was not compiled")),
                    },
                    // SAFETY: the pointers address the views that the call was planned for.
                    call => unsafe { run_call(call, pointers, draws, self.threads) },
                };
                result.map_err(|e| self.locate(index, e))
            }
        }
    }

    fn locate(&self, entry: usize, error: Error) -> Error {
        attributed(error, Some(self.origins[entry]))
    }
}

impl Run {
    /// Calls the kernel as often as it says.
    ///
    /// # Safety
    /// The pointers and parameters must be those that the kernel is to be called with at first, and the pointers, moved as the run
    /// says, those of the later calls.
    unsafe fn call(&self, function: KernelFunction, pointers: &[*mut u8], parameters: *const i64) {
        let mut pointers: SmallVec<[*mut u8; 16]> = SmallVec::from_slice(pointers);
        let [odd, even] = &self.moves;
        for number in 1..self.times {
            // SAFETY: passed on from the caller, as below.
            unsafe { function(pointers.as_ptr(), parameters) };
            let moves = if number % 2 == 1 { odd } else { even };
            for (pointer, &bytes) in pointers.iter_mut().zip(moves) {
                *pointer = pointer.wrapping_offset(bytes);
            }
        }
        // SAFETY: as above.
        unsafe { function(pointers.as_ptr(), parameters) };
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

/// Multiplies, on several threads if that pays.
///
/// # Safety
/// As of [`MatrixProduct::run`].
#[inline]
pub(super) unsafe fn multiply(product: &MatrixProduct, threads: usize, [a, b, c]: [*mut u8; 3]) {
    // SAFETY: forwarded.
    unsafe {
        if threads > 1 && product.multiplications() >= PARALLEL_PRODUCT {
            product.run_threaded(threads, a, b, c);
        } else {
            product.run(a, b, c);
        }
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
                multiply(product, threads, [pointers[0], pointers[1], pointers[2]]);
                Ok(())
            }
            Call::Gather { gather, .. } => gather.run(pointers[0], pointers[1], pointers[2]),
            Call::Scatter(scatter) => {
                scatter.run(pointers[0], pointers[2].cast(), pointers[1], pointers[3])
            }
            Call::Update(update) => {
                update.run(pointers[0], pointers[1], pointers[2]);
                Ok(())
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
            Call::External(_) | Call::Control(_) => {
                return Err(Error::internal("an external step in the runtime"));
            }
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
