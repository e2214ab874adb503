//! Runs: all slices, on threads, within a limit of memory, with a checkpoint.
//!
//! Work is handed out as calls of the compiled function, each for a number of slices that the plan alone decides. Threads take the next
//! call; the thread of the caller adds what they give in the order of the calls, writes checkpoints and reports progress. Calls are
//! handed out only so far ahead of what is added, which bounds the memory of what waits.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray};
use ndarray::{ArrayD, IxDyn};

use super::checkpoint::Checkpoint;
use super::compiled::CompiledPlan;
use super::layout::Layout;
use super::total::{Number, Totals, with_number};
use crate::Array;
use crate::array::Repr;

/// Operations that a call has at least, where there are slices enough: handing it out costs microseconds.
const OPERATIONS: f64 = (1 << 22) as f64;

/// Calls that there are at least, where there are slices enough, so that threads share them well and checkpoints lose little.
const CALLS: u64 = 64;

/// More threads than machines have.
const MOST_THREADS: usize = 1024;

/// How a [`CompiledPlan`] is run.
///
/// ```
/// use std::ops::ControlFlow;
/// use std::time::Duration;
/// use autojit::contract::{Progress, Run};
///
/// let mut report = |progress: &Progress| {
///     println!("{progress}");
///     ControlFlow::Continue(())
/// };
/// let run = Run::new()
///     .threads(4)
///     .memory_limit(256 << 20)
///     .checkpoint("contraction.checkpoint", Duration::from_secs(60))
///     .progress(&mut report);
/// # drop(run);
/// ```
#[derive(Default)]
pub struct Run<'a> {
    threads: Option<usize>,
    memory: Option<u64>,
    checkpoint: Option<(PathBuf, Duration)>,
    progress: Option<ProgressFunction<'a>>,
}

type ProgressFunction<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

impl<'a> Run<'a> {
    /// On as many threads as the machine runs at once, without a limit of memory and without a checkpoint.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The most threads. A limit of memory may allow fewer.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// The most bytes, operands and result among them. What a run takes is known before it begins ([`CompiledPlan::memory`]): it uses
    /// as many threads as fit, and is an error if not even one does.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// A file from which an equal run goes on, if it is there. It is written as often as this, and when the progress function ends
    /// the run; and removed when the run has its result. It is bound to the plan and to the operands by hashes.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>, every: Duration) -> Self {
        self.checkpoint = Some((path.into(), every));
        self
    }

    /// A function that is called on the caller's thread whenever slices were added, and may end the run.
    #[must_use]
    pub fn progress(mut self, report: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Self {
        self.progress = Some(report);
        self
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("threads", &self.threads)
            .field("memory", &self.memory)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Slices that are added, those of the checkpoint among them.
    pub done: u64,
    /// All slices.
    pub total: u64,
    /// The time since this run began.
    pub elapsed: Duration,
    /// The time that is left, if it goes on as since this run began.
    pub left: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, total, .. } = self;
        let percent = 100.0 * *done as f64 / (*total).max(1) as f64;
        write!(
            f,
            "{done} of {total} slices ({percent:.1} %) in {:.1?}, {:.1?} left",
            self.elapsed, self.left
        )
    }
}

/// The slices of each call.
#[derive(Clone, Copy)]
struct Calls {
    /// Slices of a block, and of each call but the last one of a block.
    summed: u64,
    per_call: u64,
    /// Calls of a block, and of all.
    of_block: u64,
    count: u64,
}

impl Calls {
    fn new(layout: &Layout) -> Self {
        let operations = layout.plan.cost().operations() / layout.slices().max(1) as f64;
        let enough = (OPERATIONS / operations.max(1.0)).ceil() as u64;
        let most = (layout.summed / CALLS).max(1);
        let per_call = enough.clamp(1, most);
        let of_block = layout.summed.div_ceil(per_call);
        Self {
            summed: layout.summed,
            per_call,
            of_block,
            count: of_block * layout.blocks,
        }
    }

    fn block(self, call: u64) -> u64 {
        call / self.of_block
    }

    /// The first slice of a call; of the number of all calls the number of all slices.
    fn first(self, call: u64) -> u64 {
        self.block(call) * self.summed + (call % self.of_block) * self.per_call
    }

    /// The slices of a call.
    fn slices(self, call: u64) -> u64 {
        self.first(call + 1) - self.first(call)
    }

    fn ends_block(self, call: u64) -> bool {
        (call + 1).is_multiple_of(self.of_block)
    }
}

impl CompiledPlan {
    /// Contracts: calls the function for all slices, a fixed number of them in each call, and adds what the calls give in the
    /// order of the slices, with compensation. The result has the same bits for any number of threads. It is of the dtype
    /// and in the library of the operands, with an axis for each label of the output.
    ///
    /// # Errors
    /// There are more or fewer operands than the network has (`is_value`); one has another shape (`is_shape`) or another dtype than the
    /// first (`is_dtype`), or all are integers or truth values (`is_dtype`); an operand is lazy; the run would take
    /// more memory than its limit (`is_value`); the progress function ended it (`is_interrupted`); the checkpoint cannot be written, is
    /// damaged, or is that of another plan or of other operands (`is_file`).
    #[track_caller]
    pub fn run(&self, operands: &[Array], options: Run<'_>) -> Result<Array> {
        let location = Location::caller();
        contraction(self, operands, options).map_err(|e| e.in_op("contraction").at(location))
    }
}

fn contraction(compiled: &CompiledPlan, operands: &[Array], options: Run<'_>) -> Result<Array> {
    let memory = compiled.memory_of(operands)?;
    let calls = Calls::new(&compiled.layout);
    let wanted = options
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let most = usize::try_from(calls.count).unwrap_or(usize::MAX);
    let wanted = wanted.min(most.clamp(1, MOST_THREADS));
    let limit = options.memory.unwrap_or(u64::MAX);
    let fitting = (1..=wanted)
        .rev()
        .find(|&threads| memory.total(threads) <= limit);
    let Some(threads) = fitting else {
        return Err(Error::value(format!(
            "one thread takes {} bytes, more than the limit of {limit}: {memory}",
            memory.total(1)
        )));
    };
    let dtype = operands[0].ty()?.dtype;
    with_number!(dtype, T => run_as::<T>(compiled, operands, calls, threads, options))
}

fn run_as<T: Number>(
    compiled: &CompiledPlan,
    operands: &[Array],
    calls: Calls,
    threads: usize,
    options: Run<'_>,
) -> Result<Array> {
    let layout = &compiled.layout;
    let mut totals = Totals::<T>::new(layout.blocks, layout.block_size())?;
    if calls.count == 0 {
        return result(layout, totals, &operands[0]);
    }
    let checkpoint = match &options.checkpoint {
        None => None,
        Some((path, every)) => {
            let hosts = operands.iter().map(HostArray::try_from);
            let hosts = hosts.collect::<Result<Vec<HostArray>>>()?;
            let checkpoint = Checkpoint::new(path, layout, calls.per_call, &hosts)?;
            Some((checkpoint, *every))
        }
    };
    let before = match &checkpoint {
        Some((checkpoint, _)) => checkpoint.read(calls.count, &mut totals)?,
        None => 0,
    };
    let mut adding = Adding {
        totals: &mut totals,
        calls,
        next: before,
        before,
        waiting: BTreeMap::new(),
        start: Instant::now(),
        written: Instant::now(),
        checkpoint: checkpoint.as_ref(),
        progress: options.progress,
    };
    adding.all(compiled, operands, threads)?;
    let result = result(layout, totals, &operands[0])?;
    if let Some((checkpoint, _)) = &checkpoint {
        checkpoint.remove()?;
    }
    Ok(result)
}

/// What a call gave.
type Given = Result<(HostArray, HostArray)>;

/// Adds what calls give, in their order.
struct Adding<'a, 'p, T> {
    totals: &'a mut Totals<T>,
    calls: Calls,
    /// The call that is added next, and the one that this run began with.
    next: u64,
    before: u64,
    waiting: BTreeMap<u64, Given>,
    start: Instant,
    written: Instant,
    checkpoint: Option<&'a (Checkpoint, Duration)>,
    progress: Option<ProgressFunction<'p>>,
}

impl<T: Number> Adding<'_, '_, T> {
    /// All calls that are left.
    fn all(&mut self, compiled: &CompiledPlan, operands: &[Array], threads: usize) -> Result<()> {
        let calls = self.calls;
        let one = |call: u64| -> Given {
            let (sum, lost) = compiled.call(operands, calls.first(call), calls.slices(call))?;
            Ok((HostArray::try_from(&sum)?, HostArray::try_from(&lost)?))
        };
        if threads == 1 {
            while self.next < calls.count {
                let given = one(self.next);
                self.add(given)?;
            }
            return Ok(());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool =
            pool.map_err(|e| Error::value(format!("cannot start {threads} threads: {e}")))?;
        pool.in_place_scope(|scope| {
            let (hand_out, handed_out) = mpsc::channel::<u64>();
            let (give, given) = mpsc::channel::<(u64, Given)>();
            let handed_out = std::sync::Arc::new(Mutex::new(handed_out));
            for _ in 0..threads {
                let (handed_out, give) = (std::sync::Arc::clone(&handed_out), give.clone());
                let one = &one;
                scope.spawn(move |_| {
                    let next = || {
                        let list = handed_out.lock().unwrap_or_else(PoisonError::into_inner);
                        list.recv().ok()
                    };
                    // A panic must not leave the others waiting for what it would have given.
                    let one = |call| {
                        catch_unwind(AssertUnwindSafe(|| one(call)))
                            .unwrap_or_else(|_| Err(Error::internal("a call panicked")))
                    };
                    while let Some(call) = next() {
                        // There is no receiver once the run has ended.
                        if give.send((call, one(call))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(give);
            let ahead = calls
                .count
                .min(self.next.saturating_add(2 * threads as u64));
            let mut next_out = self.next;
            let mut hand = |until: u64| {
                while next_out < until {
                    // A thread that is gone gives nothing, which is seen below.
                    hand_out.send(next_out).ok();
                    next_out += 1;
                }
            };
            hand(ahead);
            while self.next < calls.count {
                let Ok((call, given)) = given.recv() else {
                    return Err(Error::internal("the threads of a run ended before it"));
                };
                self.waiting.insert(call, given);
                while let Some(given) = self.waiting.remove(&self.next) {
                    self.add(given)?;
                    hand(
                        calls
                            .count
                            .min(self.next.saturating_add(2 * threads as u64)),
                    );
                }
            }
            Ok(())
        })
    }

    /// Adds what the next call gave.
    fn add(&mut self, given: Given) -> Result<()> {
        let (sum, lost) = given?;
        let call = self.next;
        let block = usize::try_from(self.calls.block(call)).unwrap_or(usize::MAX);
        self.totals.add(block, &sum, &lost)?;
        if self.calls.ends_block(call) {
            self.totals.finish(block);
        }
        self.next += 1;
        let goes_on = self.report();
        let is_last = self.next == self.calls.count;
        if let Some((checkpoint, every)) = self.checkpoint {
            let is_due = !is_last && self.written.elapsed() >= *every;
            if is_due || goes_on.is_break() {
                checkpoint.write(self.next, self.totals)?;
                self.written = Instant::now();
            }
        }
        if goes_on.is_break() {
            return Err(Error::interrupted(format!(
                "ended by its progress function after {} of {} slices",
                self.calls.first(self.next),
                self.calls.first(self.calls.count)
            )));
        }
        Ok(())
    }

    fn report(&mut self) -> ControlFlow<()> {
        let Some(progress) = &mut self.progress else {
            return ControlFlow::Continue(());
        };
        let first = |call| self.calls.first(call);
        let (done, total) = (first(self.next), first(self.calls.count));
        let elapsed = self.start.elapsed();
        let own = (done - first(self.before)).max(1);
        progress(&Progress {
            done,
            total,
            elapsed,
            left: elapsed.mul_f64((total - done) as f64 / own as f64),
        })
    }
}

/// The sums with the axes of the result, in the library of an operand.
fn result<T: Number>(layout: &Layout, totals: Totals<T>, operand: &Array) -> Result<Array> {
    let joined: Vec<usize> = layout.outer.iter().chain(&layout.block).copied().collect();
    let array = ArrayD::from_shape_vec(IxDyn(&joined), totals.sums);
    let array = array.map_err(|e| Error::internal(e.to_string()))?;
    let order = IxDyn(&layout.order);
    let mut array = array.permuted_axes(order);
    if !array.is_standard_layout() {
        array = array.as_standard_layout().into_owned();
    }
    let host = T::host_array(array.into_shared());
    match &operand.0 {
        Repr::Concrete(operand) => operand.library().from_host(host).map(Array::from_concrete),
        Repr::Lazy(_) | Repr::Traced(_) | Repr::Failed(_) => Ok(Array::from_host(host)),
    }
}
