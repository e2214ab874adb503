//! Calls from XLA's programs back into autojit, for what XLA has not, or means otherwise than NumPy: decompositions
//! and systems of equations, random draws, some complex functions, powers of integers, and what must be refused while a program runs.
//!
//! Such a call is a `custom-call` instruction whose target is [`answer`]. Its first operand is the number of the run,
//! by which it finds what it needs ([`Run`]); which call of the program it is stands in its configuration. It works on
//! copies of XLA's buffers, with the ndarray library, so results are those of every other engine.
//!
//! XLA makes the calls of one run on threads of its own, some at the same time. It has no way for them to fail that
//! this build of it shows, so the first error is kept with the run, later calls of the run write zeros, and whoever
//! started the run finds the error.
//!
//! Invariants: a run is known by its number exactly while XLA executes it; a call writes all of its results in every
//! case; no panic leaves it.

use std::collections::hash_map::Entry;
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use ndarray::{ArrayD, IxDyn};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::calls::{HostCall, Work};
use super::floats::UsualFloats;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::{ArrayType, Element, HostArray, Scalar, Type, host_from};
use autojit_library::{Concrete, default_library};

/// The state that the calls of one run share.
pub(super) struct Run {
    calls: Arc<[HostCall]>,
    draws: Arc<Reserved>,
    error: Mutex<Option<Error>>,
}

static RUNS: LazyLock<Mutex<FxHashMap<i64, Arc<Run>>>> = LazyLock::new(Mutex::default);

fn runs() -> MutexGuard<'static, FxHashMap<i64, Arc<Run>>> {
    // Entries are put in and taken out whole.
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run that can be found by its number until this is dropped.
pub(super) struct Started {
    number: i64,
    run: Arc<Run>,
}

impl Started {
    /// With the numbers of its random draws.
    pub(super) fn new(calls: &Arc<[HostCall]>, draws: Arc<Reserved>) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let run = Arc::new(Run {
            calls: Arc::clone(calls),
            draws,
            error: Mutex::new(None),
        });
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            if let Entry::Vacant(entry) = runs().entry(number) {
                entry.insert(Arc::clone(&run));
                return Self { number, run };
            }
        }
    }

    /// The key by which calls find it.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// The first error of its calls.
    pub(super) fn error(&self) -> Option<Error> {
        self.run.error().clone()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        runs().remove(&self.number);
    }
}

impl Run {
    fn error(&self) -> MutexGuard<'_, Option<Error>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call, unless one before it failed.
    fn compute(&self, call: &HostCall, inputs: &[*const c_void]) -> Result<Vec<HostArray>> {
        let read = |(&data, ty): (&*const c_void, &ArrayType)| {
            // SAFETY: XLA gives a buffer for each operand, of the type that the program says, in C order.
            host_from!(ty.dtype, T => unsafe { read::<T>(data, ty) })
        };
        let inputs = inputs.iter().zip(&call.inputs).map(read);
        let inputs: SmallVec<[HostArray; 2]> = inputs.collect::<Result<_>>()?;
        let refused = |ok: &dyn Fn(i64) -> bool| {
            let numbers = inputs.iter().flat_map(HostArray::to_scalars);
            numbers.map(Scalar::to_i64).find(|&n| !ok(n))
        };
        let op = match &call.work {
            &Work::Positions(size) => {
                return match refused(&|n| usize::try_from(n).is_ok_and(|n| n < size)) {
                    None => Ok(inputs.into_vec()),
                    Some(position) => Err(Error::index(format!(
                        "position {position} is out of range for {size} elements"
                    ))),
                };
            }
            &Work::GoesOn { limit } => {
                let numbers: Vec<Scalar> = inputs.iter().flat_map(HostArray::to_scalars).collect();
                return match numbers.as_slice() {
                    [Scalar::Bool(true), Scalar::Int(step)] if *step as u64 >= limit => {
                        Err(Error::iteration_limit(limit))
                    }
                    _ => Ok(inputs.into_iter().take(1).collect()),
                };
            }
            Work::Op(op) => op,
        };
        let fixed = self.draws.fixed(op);
        let arrays: SmallVec<[Concrete; 2]> = inputs.into_iter().map(Concrete::Ndarray).collect();
        let references: SmallVec<[&Concrete; 2]> = arrays.iter().collect();
        let op = fixed.as_ref().unwrap_or(op);
        let results = default_library().run(op, &references, &call.result)?;
        let results =
            results.ok_or_else(|| Error::internal(format!("{op} has no result in main memory")))?;
        results.iter().map(Concrete::to_host).collect()
    }
}

/// # Safety
/// `data` is that of a contiguous array of type `ty`, whose dtype is that of `T`.
unsafe fn read<T: Element>(data: *const c_void, ty: &ArrayType) -> Result<HostArray> {
    let elements = match ty.size() {
        0 => Vec::new(),
        // SAFETY: forwarded; XLA aligns buffers for every dtype, and its booleans are 0 and 1.
        size => unsafe { std::slice::from_raw_parts(data.cast::<T>(), size) }.to_vec(),
    };
    let array = ArrayD::from_shape_vec(IxDyn(&ty.shape), elements);
    array.map(HostArray::from).map_err(Error::internal)
}

/// Where XLA wants the results of a call.
///
/// # Safety
/// `out` is what XLA gives a call with these results: the buffer of a single one, else a list of their buffers.
unsafe fn destinations(out: *mut c_void, result: &Type) -> SmallVec<[*mut u8; 2]> {
    match result {
        Type::Array(_) => SmallVec::from_iter([out.cast()]),
        Type::Tuple(types) => {
            let list = out.cast::<*mut u8>();
            // SAFETY: forwarded: the list is as long as the tuple.
            (0..types.len()).map(|i| unsafe { *list.add(i) }).collect()
        }
    }
}

/// The target of all calls.
///
/// XLA's `API_VERSION_STATUS_RETURNING_UNIFIED`: results, operands, configuration, and a status that is left alone.
pub(super) extern "C" fn answer(
    out: *mut c_void,
    operands: *const *const c_void,
    configuration: *const c_char,
    length: usize,
    _status: *mut c_void,
) {
    let _usual = UsualFloats::new();
    // SAFETY: XLA gives the configuration by its length; programs are written by `Writer::host_call`, so it is the
    // number of a call, and the first operand the number of a run.
    let (text, number) = unsafe {
        let text = std::slice::from_raw_parts(configuration.cast::<u8>(), length);
        (text, (*operands).cast::<i64>().read_unaligned())
    };
    let index = str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    // A call of no run that is known is a program of ours that somebody else runs: there is nothing it could write.
    let run = runs().get(&number).cloned();
    let Some((run, index)) = run.zip(index) else {
        return;
    };
    let Some(call) = run.calls.get(index) else {
        return;
    };
    let computed = || {
        if run.error().is_some() {
            return None;
        }
        // SAFETY: the numbers of as many iterations follow the first operand, and then as many operands as inputs.
        let (steps, inputs) = unsafe {
            let steps = std::slice::from_raw_parts(operands.add(1), call.steps);
            let inputs = operands.add(1 + call.steps);
            (steps, std::slice::from_raw_parts(inputs, call.inputs.len()))
        };
        let computed = catch_unwind(AssertUnwindSafe(|| run.compute(call, inputs)));
        let computed =
            computed.unwrap_or_else(|_| Err(Error::internal("a call from XLA panicked")));
        let failed = |e: Error| {
            let e = e.in_op(call.op);
            let e = call.location.map_or(e.clone(), |location| e.at(location));
            let e = steps.iter().fold(e, |e, step| {
                // SAFETY: it is the number of an iteration, of the type that the program says.
                e.in_iteration(unsafe { step.cast::<i64>().read_unaligned() } as u64)
            });
            run.error().get_or_insert(e);
        };
        computed.map_err(failed).ok()
    };
    let results = computed();
    // SAFETY: `out` is what XLA gave.
    let destinations = unsafe { destinations(out, &call.result) };
    for (i, (ty, destination)) in call.result.arrays().iter().zip(destinations).enumerate() {
        let bytes = ty.size() * ty.dtype.size();
        if bytes == 0 {
            continue;
        }
        let result = results.as_ref().and_then(|results| results.get(i));
        match result
            .filter(|result| result.ty() == *ty)
            .map(HostArray::to_contiguous)
        {
            // SAFETY: the buffer has room for an array of the type, which the result has, in memory of its own.
            Some(result) => unsafe {
                destination.copy_from_nonoverlapping(result.as_ptr(), bytes);
            },
            // SAFETY: the same; zeros are values of every dtype.
            None => unsafe { destination.write_bytes(0, bytes) },
        }
    }
}
