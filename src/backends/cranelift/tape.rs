//! The tape: what an executable runs, entry by entry.
//!
//! An entry is a kernel or a call of the runtime with the places of its operands. The places are numbers of base
//! addresses (workspace, constants, arguments, results) and offsets, so one tape serves all calls from all
//! threads at once; what changes between calls is the table of bases.

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use smallvec::SmallVec;

use super::arithmetic::FAILURE_INDEX;
use super::buffers::{ALIGNMENT, Workspace};
use super::link::Code;
use super::program::{BufferId, Call, Place, Program, Source};
use crate::error::{Error, Result};
use crate::ir::random::CallDraws;
use crate::ir::{ArrayType, DType, HostArray};

/// An operand: a base address and an offset in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) base: u32,
    pub(super) offset: isize,
}

/// One entry.
#[allow(
    clippy::large_enum_variant,
    reason = "calls are few, and a kernel must not be one pointer further away"
)]
#[derive(Debug)]
pub(super) enum Entry {
    Kernel {
        kernel: u32,
        operands: std::ops::Range<u32>,
        parameters: u32,
        /// Whether the kernel takes a failure record.
        can_fail: bool,
    },
    Call {
        call: Call,
        operands: std::ops::Range<u32>,
    },
}

/// A runnable program.
pub(super) struct Tape {
    pub(super) code: Code,
    pub(super) entries: Vec<Entry>,
    /// For each entry, the op and the source line to name if it fails.
    pub(super) origins: Vec<(&'static str, Option<&'static Location<'static>>)>,
    pub(super) operands: Vec<Operand>,
    pub(super) parameters: Vec<i64>,
    pub(super) constants: Vec<HostArray>,
    pub(super) workspace_bytes: usize,
    /// The draws that each call takes from generators.
    pub(super) draws: Vec<Arc<CallDraws>>,
    /// Workspaces of calls that ended, for calls to come.
    pub(super) pool: Mutex<Vec<Arena>>,
}

/// Numbers the bases: the workspace, constants, arguments, results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bases {
    pub(super) constants: usize,
    pub(super) inputs: usize,
}

impl Bases {
    /// The operand for a place in a buffer.
    pub(super) fn operand(
        self,
        program: &Program,
        workspace: &Workspace,
        buffer: BufferId,
        offset: isize,
    ) -> Operand {
        match program.buffer(buffer).place {
            Place::Workspace => Operand {
                base: 0,
                offset: workspace.offsets[buffer.0 as usize] as isize + offset,
            },
            Place::Constant(i) => Operand {
                base: 1 + i as u32,
                offset,
            },
            Place::Input(i) => Operand {
                base: (1 + self.constants + i) as u32,
                offset,
            },
            Place::Output(i) => Operand {
                base: (1 + self.constants + self.inputs + i) as u32,
                offset,
            },
        }
    }
}

/// Memory for the workspace of one call, aligned to cache lines.
pub(super) struct Arena(Vec<Line>);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; ALIGNMENT]);

impl Arena {
    fn new(bytes: usize) -> Result<Self> {
        HostArray::check_memory(&ArrayType::new(DType::Uint8, &[bytes]))?;
        Ok(Self(vec![Line([0; ALIGNMENT]); bytes.div_ceil(ALIGNMENT)]))
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// The most arenas that are kept for later calls: as many threads rarely call at once.
const POOL: usize = 8;

/// The seed and the number of the first draw of this call, for each generator.
type Draws = smallvec::SmallVec<[(u64, u64); 1]>;

/// Pointers that one kernel takes, failure record included.
const LARGEST_OPERANDS: usize = 128;

impl Tape {
    /// Runs the tape.
    ///
    /// # Safety
    /// `inputs` point to contiguous arrays of the types of the program's arguments, `outputs` to memory for its
    /// results, aligned for their dtypes.
    ///
    /// # Errors
    /// A step failed on these values, such as an index out of range.
    pub(super) unsafe fn run(&self, inputs: &[*const u8], outputs: &[*mut u8]) -> Result<()> {
        let pooled = self
            .pool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut arena = match pooled {
            Some(arena) => arena,
            None => Arena::new(self.workspace_bytes)?,
        };
        let mut bases: SmallVec<[*mut u8; 16]> = SmallVec::new();
        bases.push(arena.as_mut_ptr());
        bases.extend(self.constants.iter().map(|c| c.as_ptr().cast_mut()));
        bases.extend(inputs.iter().map(|x| x.cast_mut()));
        bases.extend(outputs.iter().copied());
        // SAFETY: forwarded; the bases are those that `Bases` numbers.
        let result = unsafe { self.entries(&bases) };
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL {
            pool.push(arena);
        }
        result
    }

    /// # Safety
    /// `bases` hold the addresses that the operands count from.
    unsafe fn entries(&self, bases: &[*mut u8]) -> Result<()> {
        // All at once, so that calls on other threads do not come between.
        let draws: Draws = self.draws.iter().map(|d| d.reserve()).collect();
        let mut failure = [0i64; 4];
        let mut pointers = [std::ptr::null_mut::<u8>(); LARGEST_OPERANDS];
        for (index, entry) in self.entries.iter().enumerate() {
            let (Entry::Kernel { operands, .. } | Entry::Call { operands, .. }) = entry;
            let operands = &self.operands[operands.start as usize..operands.end as usize];
            let address = |o: &Operand| bases[o.base as usize].wrapping_offset(o.offset);
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
            for (pointer, operand) in pointers.iter_mut().zip(operands) {
                *pointer = address(operand);
            }
            match entry {
                Entry::Kernel {
                    kernel,
                    parameters,
                    can_fail,
                    ..
                } => {
                    if *can_fail {
                        pointers[operands.len()] = failure.as_mut_ptr().cast();
                    }
                    let function = self.code.function(*kernel as usize);
                    // SAFETY: the kernel takes as many pointers as it has slots, and they address the views
                    // that it was built for; the parameters are those of this entry.
                    unsafe {
                        function(
                            pointers.as_ptr(),
                            self.parameters.as_ptr().add(*parameters as usize),
                        );
                    };
                    if *can_fail && failure[0] != 0 {
                        return Err(self.locate(index, kernel_failure(failure)));
                    }
                }
                Entry::Call { call, .. } => {
                    // SAFETY: the pointers address the views that the call was planned for.
                    unsafe { run_call(call, &pointers, &draws) }
                        .map_err(|e| self.locate(index, e))?;
                }
            }
        }
        Ok(())
    }

    fn locate(&self, entry: usize, error: Error) -> Error {
        let (op, location) = self.origins[entry];
        let error = error.in_op(op);
        location.map_or(error.clone(), |l| error.at(l))
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
unsafe fn run_call(call: &Call, pointers: &[*mut u8], draws: &Draws) -> Result<()> {
    use autojit_runtime::abi::Failure;
    // SAFETY: forwarded to each function of the runtime.
    let result = unsafe {
        match call {
            Call::Matmul(product) => {
                product.run(pointers[0], pointers[1], pointers[2]);
                Ok(())
            }
            Call::Gather { gather, .. } => gather.run(pointers[0], pointers[1], pointers[2]),
            Call::Scatter(scatter) => {
                scatter.run(pointers[0], pointers[2].cast(), pointers[1], pointers[3])
            }
            Call::Random { plan, source } => {
                let (seed, number) = match *source {
                    Source::Fixed { seed, number } => (seed, number),
                    Source::Call {
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
            Call::Sort(sort) => {
                sort.run(pointers[0], pointers[1]);
                Ok(())
            }
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
        (failure, _) => Error::linear_algebra(failure.to_string()),
    })
}
