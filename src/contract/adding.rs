//! What is added of a run: the sums so far, in the order of the calls, and their checkpoint.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray};
use ndarray::{ArrayD, IxDyn};

use super::calls::Calls;
use super::checkpoint::Checkpoint;
use super::layout::Layout;
use super::total::{Number, Totals, with_number};
use super::trace;
use crate::Array;
use crate::array::Repr;

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

/// The sums of a run, of whatever type their elements are.
pub(super) trait Sums: Send {
    /// The call that is added next.
    fn next_call(&self) -> u64;

    /// Adds what the next call gave, and writes the checkpoint if it is due.
    fn add(&mut self, sum: &HostArray, lost: &HostArray) -> Result<()>;

    /// Writes the checkpoint, if there is to be one.
    fn write(&mut self) -> Result<()>;

    fn progress(&self) -> Progress;

    /// The result, in the library of an operand. The checkpoint is removed.
    fn result(self: Box<Self>, layout: &Layout, operand: &Array) -> Result<Array>;
}

/// The sums of a run before its first call: zeros, or those of the checkpoint.
///
/// # Errors
/// The operands do not fit or are integers, there is no memory, or the checkpoint cannot be gone on from.
pub(super) fn begin(
    layout: &Layout,
    operands: &[Array],
    calls: Calls,
    checkpoint: Option<(PathBuf, Duration)>,
) -> Result<Box<dyn Sums>> {
    let dtype = trace::checked(layout, operands)?;
    with_number!(dtype, T => {
        let added = Added::<T>::new(layout, operands, calls, checkpoint)?;
        Ok(Box::new(added) as Box<dyn Sums>)
    })
}

struct Added<T> {
    totals: Totals<T>,
    calls: Calls,
    /// The call that is added next, and the one that this run began with.
    next: u64,
    before: u64,
    start: Instant,
    written: Instant,
    checkpoint: Option<(Checkpoint, Duration)>,
}

impl<T: Number> Added<T> {
    fn new(
        layout: &Layout,
        operands: &[Array],
        calls: Calls,
        checkpoint: Option<(PathBuf, Duration)>,
    ) -> Result<Self> {
        let mut totals = Totals::<T>::new(layout.blocks, layout.block_size())?;
        let checkpoint = match checkpoint {
            Some((path, every)) if calls.count > 0 => {
                let hosts = operands.iter().map(HostArray::try_from);
                let hosts = hosts.collect::<Result<Vec<HostArray>>>()?;
                let checkpoint = Checkpoint::new(&path, layout, calls.per_call, &hosts)?;
                Some((checkpoint, every))
            }
            Some(_) | None => None,
        };
        let before = match &checkpoint {
            Some((checkpoint, _)) => checkpoint.read(calls.count, &mut totals)?,
            None => 0,
        };
        Ok(Self {
            totals,
            calls,
            next: before,
            before,
            start: Instant::now(),
            written: Instant::now(),
            checkpoint,
        })
    }
}

impl<T: Number> Sums for Added<T> {
    fn next_call(&self) -> u64 {
        self.next
    }

    fn add(&mut self, sum: &HostArray, lost: &HostArray) -> Result<()> {
        if self.next >= self.calls.count {
            return Err(Error::value(format!(
                "all {} calls are added already",
                self.calls.count
            )));
        }
        let block = usize::try_from(self.calls.block(self.next)).unwrap_or(usize::MAX);
        self.totals.add(block, sum, lost)?;
        if self.calls.ends_block(self.next) {
            self.totals.finish(block);
        }
        self.next += 1;
        let is_last = self.next == self.calls.count;
        let is_due = |(_, every): &(Checkpoint, Duration)| self.written.elapsed() >= *every;
        if !is_last && self.checkpoint.as_ref().is_some_and(is_due) {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        if let Some((checkpoint, _)) = &self.checkpoint {
            checkpoint.write(self.next, &self.totals)?;
            self.written = Instant::now();
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let first = |call| self.calls.first(call);
        let (done, total) = (first(self.next), first(self.calls.count));
        let elapsed = self.start.elapsed();
        let own = (done - first(self.before)).max(1);
        Progress {
            done,
            total,
            elapsed,
            left: elapsed.mul_f64((total - done) as f64 / own as f64),
        }
    }

    fn result(self: Box<Self>, layout: &Layout, operand: &Array) -> Result<Array> {
        if self.next < self.calls.count {
            let Progress { done, total, .. } = self.progress();
            return Err(Error::value(format!(
                "only {done} of {total} slices are added"
            )));
        }
        let joined: Vec<usize> = layout.outer.iter().chain(&layout.block).copied().collect();
        let array = ArrayD::from_shape_vec(IxDyn(&joined), self.totals.sums);
        let array = array.map_err(|e| Error::internal(e.to_string()))?;
        let order = IxDyn(&layout.order);
        let mut array = array.permuted_axes(order);
        if !array.is_standard_layout() {
            array = array.as_standard_layout().into_owned();
        }
        let host = HostArray::from(array);
        let result = match &operand.0 {
            Repr::Concrete(operand) => operand.library().from_host(host).map(Array::from_concrete),
            Repr::Lazy(_) | Repr::Traced(_) | Repr::Failed(_) => Ok(Array::from_host(host)),
        }?;
        if let Some((checkpoint, _)) = &self.checkpoint {
            checkpoint.remove()?;
        }
        Ok(result)
    }
}
