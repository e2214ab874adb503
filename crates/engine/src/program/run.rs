//! The program: what an executable runs, entry by entry.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::divide::Division;
use super::entry::{Entry, Origin, RelativeAddress};
use super::origin::attributed;
use crate::codegen::{Code, FAILURE_INDEX};
use crate::kernel::Kernel;
use crate::lower::{self, Call, DrawSource};
use crate::memory::ALIGNMENT;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::CallDraws;
use autojit_ir::{ArrayType, ControlOp, DType, HostArray};

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
    /// The body.
    Scan(Box<Inner>),
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
            Self::Scan(body) => SmallVec::from_iter([&**body]),
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
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) instructions: usize,
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
            if let Entry::Call {
                call: Call::Control(step),
                ..
            } = entry
            {
                let addresses: SmallVec<[*mut u8; 16]> = operands.iter().map(address).collect();
                let compiled = self.controls.get(&(index as u32));
                let compiled =
                    compiled.ok_or_else(|| Error::internal("a loop that was not compiled"))?;
                // SAFETY: as above; the outputs of a loop are its results and as many buffers as it carries arrays.
                unsafe { run_control(step, compiled, &addresses) }
                    .map_err(|e| self.locate(index, e))?;
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

/// A program inside of a loop or a branch with the addresses that it is run on, which change between iterations.
struct Runner<'p> {
    inner: &'p Inner,
    arena: Option<Arena>,
    bases: SmallVec<[*mut u8; 32]>,
    /// The base of the first input; those of the outputs follow.
    first: usize,
    /// Results that are a copy of an earlier one: from which, to where.
    copies: SmallVec<[(usize, *mut u8); 2]>,
}

impl<'p> Runner<'p> {
    fn new(inner: &'p Inner) -> Result<Self> {
        let mut arena = inner.program.arena()?;
        let mut bases: SmallVec<[*mut u8; 32]> = SmallVec::new();
        bases.push(arena.as_mut_ptr());
        bases.extend_from_slice(inner.program.constants.addresses());
        let first = bases.len();
        let buffers = inner.results.iter().map(|(buffer, _)| buffer + 1).max();
        bases.resize(
            first + inner.inputs + buffers.unwrap_or(0),
            std::ptr::null_mut(),
        );
        let mut copies = SmallVec::new();
        for (k, (buffer, _)) in inner.results.iter().enumerate() {
            if inner.first_of(*buffer) != k {
                copies.push((k, std::ptr::null_mut()));
            }
        }
        Ok(Self {
            inner,
            arena: Some(arena),
            bases,
            first,
            copies,
        })
    }

    fn read(&mut self, input: usize, address: *mut u8) {
        self.bases[self.first + input] = address;
    }

    fn write(&mut self, result: usize, address: *mut u8) {
        if let Some(copy) = self.copies.iter_mut().find(|(k, _)| *k == result) {
            copy.1 = address;
            return;
        }
        let (buffer, _) = self.inner.results[result];
        self.bases[self.first + self.inner.inputs + buffer] = address;
    }

    /// # Safety
    /// The addresses that were set are those of what the graph takes, and of memory for what it gives.
    unsafe fn run(&self) -> Result<()> {
        // SAFETY: forwarded; the workspace is that of the arena, which nothing else uses.
        unsafe { self.inner.program.entries(&self.bases, |_| {})? };
        for &(k, to) in &self.copies {
            let (buffer, bytes) = self.inner.results[k];
            let from = self.bases[self.first + self.inner.inputs + buffer];
            // SAFETY: both have the size of the result, and are different buffers.
            unsafe { to.copy_from_nonoverlapping(from, bytes) };
        }
        Ok(())
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if let Some(arena) = self.arena.take() {
            self.inner.program.release(arena);
        }
    }
}

impl Inner {
    /// The first result that is in an output buffer.
    fn first_of(&self, buffer: usize) -> usize {
        let mut results = self.results.iter();
        results.position(|(b, _)| *b == buffer).unwrap_or(0)
    }
}

/// Runs a loop or a choice.
///
/// # Safety
/// `addresses` are those of contiguous arrays of the types of the inputs, of memory for the results, and of memory for each
/// array that is carried, all aligned for their dtypes.
unsafe fn run_control(
    step: &lower::Control,
    compiled: &Control,
    addresses: &[*mut u8],
) -> Result<()> {
    let (inputs, outputs) = addresses.split_at(step.inputs.len());
    let (results, others) = outputs.split_at(step.results.len());
    // SAFETY: forwarded.
    unsafe {
        match (&step.op, compiled) {
            (
                ControlOp::Scan {
                    carry,
                    xs,
                    length,
                    reverse,
                    ..
                },
                Control::Scan(body),
            ) => {
                let counts = (*carry, *xs, *length);
                run_scan(step, body, counts, *reverse, inputs, results, others)
            }
            (ControlOp::While { carry, limit, .. }, Control::While { before, iteration }) => {
                let programs = (&**before, &**iteration);
                run_while(step, programs, *carry, *limit, inputs, results, others)
            }
            (ControlOp::Switch { .. }, Control::Switch(branches)) => {
                let index = read_index(step.inputs[0].dtype, inputs[0]);
                let chosen = index.clamp(0, branches.len() as i64 - 1) as usize;
                let mut runner = Runner::new(&branches[chosen])?;
                for (k, &input) in inputs[1..].iter().enumerate() {
                    runner.read(k, input);
                }
                for (k, &result) in results.iter().enumerate() {
                    runner.write(k, result);
                }
                runner.run()
            }
            (ControlOp::Scan { .. } | ControlOp::While { .. } | ControlOp::Switch { .. }, _) => {
                Err(Error::internal("a loop that is compiled as another one"))
            }
        }
    }
}

/// # Safety
/// As [`run_control`].
unsafe fn run_scan(
    step: &lower::Control,
    body: &Inner,
    (carry, xs, length): (usize, usize, usize),
    reverse: bool,
    inputs: &[*mut u8],
    results: &[*mut u8],
    others: &[*mut u8],
) -> Result<()> {
    if length == 0 {
        // SAFETY: forwarded.
        unsafe { copy_carried(step, carry, inputs, results) };
        return Ok(());
    }
    let mut runner = Runner::new(body)?;
    for (k, &input) in inputs.iter().enumerate() {
        runner.read(k, input);
    }
    let element = |ty: &ArrayType| ty.bytes() / length;
    let read: SmallVec<[usize; 8]> = step.inputs[carry..carry + xs].iter().map(element).collect();
    let written: SmallVec<[usize; 8]> = step.results[carry..].iter().map(element).collect();
    for number in 0..length {
        let at = if reverse { length - 1 - number } else { number };
        // The last iteration writes the results.
        let (to, from) = match (length - 1 - number) % 2 {
            0 => (results, others),
            _ => (others, results),
        };
        for (k, (&from, &to)) in from.iter().zip(to).enumerate().take(carry) {
            if number > 0 {
                runner.read(k, from);
            }
            runner.write(k, to);
        }
        for (k, size) in read.iter().enumerate() {
            runner.read(carry + k, inputs[carry + k].wrapping_add(at * size));
        }
        for (k, size) in written.iter().enumerate() {
            runner.write(carry + k, results[carry + k].wrapping_add(at * size));
        }
        // SAFETY: elements lie one after the other in contiguous arrays; what an iteration reads was written by the one
        // before it, or is given.
        unsafe { runner.run() }.map_err(|e| e.in_iteration(number as u64))?;
    }
    Ok(())
}

/// # Safety
/// As [`run_control`].
unsafe fn run_while(
    step: &lower::Control,
    (before, iteration): (&Inner, &Inner),
    carry: usize,
    limit: u64,
    inputs: &[*mut u8],
    results: &[*mut u8],
    others: &[*mut u8],
) -> Result<()> {
    let mut holds = 0_u8;
    let flag = &raw mut holds;
    let mut first = Runner::new(before)?;
    let mut runner = Runner::new(iteration)?;
    for (k, &input) in inputs.iter().enumerate() {
        first.read(k, input);
        runner.read(k, input);
    }
    first.write(0, flag);
    runner.write(carry, flag);
    // SAFETY: the condition takes what the loop is given, and gives one boolean.
    unsafe { first.run() }.map_err(|e| e.in_iteration(0))?;
    let mut last = inputs;
    let mut number: u64 = 0;
    // SAFETY: the address of `holds`, which lives as long as the runners.
    while unsafe { flag.read() } != 0 {
        if number == limit {
            return Err(Error::iteration_limit(limit));
        }
        let to = if number.is_multiple_of(2) {
            results
        } else {
            others
        };
        for (k, (&from, &to)) in last.iter().zip(to).enumerate().take(carry) {
            runner.read(k, from);
            runner.write(k, to);
        }
        // SAFETY: an iteration reads what is given or what the one before wrote, and writes other memory.
        unsafe { runner.run() }.map_err(|e| e.in_iteration(number))?;
        last = to;
        number += 1;
    }
    if number.is_multiple_of(2) {
        // SAFETY: what was written last has the types of what is carried, and lies in other buffers.
        unsafe { copy_carried(step, carry, last, results) };
    }
    Ok(())
}

/// # Safety
/// The first addresses are those of arrays that are carried, and of memory for them elsewhere.
unsafe fn copy_carried(step: &lower::Control, carry: usize, from: &[*mut u8], to: &[*mut u8]) {
    let pairs = from.iter().zip(to).zip(&step.results);
    for ((&from, &to), ty) in pairs.take(carry) {
        // SAFETY: forwarded.
        unsafe { to.copy_from_nonoverlapping(from, ty.bytes()) };
    }
}

/// # Safety
/// The address is that of a number of this dtype.
unsafe fn read_index(dtype: DType, address: *const u8) -> i64 {
    // SAFETY: forwarded.
    unsafe {
        match dtype {
            DType::Bool | DType::Uint8 => i64::from(address.read()),
            DType::Int32 => i64::from(address.cast::<i32>().read()),
            DType::Int64 => address.cast::<i64>().read(),
            DType::Float32 | DType::Float64 | DType::Complex64 | DType::Complex128 => 0,
        }
    }
}
