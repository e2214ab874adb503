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
use std::time::Duration;

use autojit_ir::HostArray;
use autojit_ir::error::{Error, Result};
use autojit_library::interrupt::Watch;

use super::adding::{self, Progress, Sums};
use super::calls::Calls;
use super::compiled::CompiledPlan;
use crate::Array;

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

impl CompiledPlan {
    /// Contracts: calls the function for all slices, a fixed number of them in each call, and adds what the calls give in the
    /// order of the slices, with compensation. The result has the same bits for any number of threads. It is of the dtype
    /// and in the library of the operands, with an axis for each label of the output.
    ///
    /// # Errors
    /// There are more or fewer operands than the network has (`is_value`); one has another shape (`is_shape`) or another dtype than the
    /// first (`is_dtype`), or all are integers or truth values (`is_dtype`); an operand is lazy; the run would take
    /// more memory than its limit (`is_value`); the progress function or an [interrupt check](crate::set_interrupt_check) ended it
    /// (`is_interrupted`), and the checkpoint has what was added; the checkpoint cannot be written, is damaged, or is that of
    /// another plan or of other operands (`is_file`).
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
    let sums = adding::begin(&compiled.layout, operands, calls, options.checkpoint)?;
    let mut adding = Adding {
        sums,
        calls,
        waiting: BTreeMap::new(),
        progress: options.progress,
        watch: Watch::begin(1),
    };
    adding.all(compiled, operands, threads)?;
    adding.sums.result(&compiled.layout, &operands[0])
}

/// What a call gave.
type Given = Result<(HostArray, HostArray)>;

/// Adds what calls give, in their order.
struct Adding<'p> {
    sums: Box<dyn Sums>,
    calls: Calls,
    waiting: BTreeMap<u64, Given>,
    progress: Option<ProgressFunction<'p>>,
    watch: Watch,
}

impl Adding<'_> {
    /// All calls that are left.
    fn all(&mut self, compiled: &CompiledPlan, operands: &[Array], threads: usize) -> Result<()> {
        let calls = self.calls;
        let one = |call: u64| -> Given {
            let (sum, lost) = compiled.call(operands, calls.first(call), calls.slices(call))?;
            Ok((HostArray::try_from(&sum)?, HostArray::try_from(&lost)?))
        };
        if threads == 1 {
            while self.sums.next_call() < calls.count {
                let given = one(self.sums.next_call());
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
                .min(self.sums.next_call().saturating_add(2 * threads as u64));
            let mut next_out = self.sums.next_call();
            let mut hand = |until: u64| {
                while next_out < until {
                    // A thread that is gone gives nothing, which is seen below.
                    hand_out.send(next_out).ok();
                    next_out += 1;
                }
            };
            hand(ahead);
            while self.sums.next_call() < calls.count {
                let Ok((call, given)) = given.recv() else {
                    return Err(Error::internal("the threads of a run ended before it"));
                };
                self.waiting.insert(call, given);
                while let Some(given) = self.waiting.remove(&self.sums.next_call()) {
                    self.add(given)?;
                    hand(
                        calls
                            .count
                            .min(self.sums.next_call().saturating_add(2 * threads as u64)),
                    );
                }
            }
            Ok(())
        })
    }

    /// Adds what the next call gave.
    fn add(&mut self, given: Given) -> Result<()> {
        if given.as_ref().is_err_and(Error::is_interrupted) {
            return Err(self.ended("an interrupt check")?);
        }
        let (sum, lost) = given?;
        self.sums.add(&sum, &lost)?;
        let progress = self.sums.progress();
        if let Some(report) = &mut self.progress
            && report(&progress).is_break()
        {
            return Err(self.ended("its progress function")?);
        }
        // Calls may be too short to ask themselves.
        if self.watch.passed(1, progress.done).is_err() {
            return Err(self.ended("an interrupt check")?);
        }
        Ok(())
    }

    /// The error of a run that was told to end. What was added is in the checkpoint.
    fn ended(&mut self, by: &str) -> Result<Error> {
        self.sums.write()?;
        let Progress { done, total, .. } = self.sums.progress();
        let text = format!("ended by {by} after {done} of {total} slices");
        Ok(Error::interrupted(text))
    }
}
