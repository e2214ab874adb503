//! Runs whose calls are made elsewhere: in other processes, on other machines.

use std::fmt;
use std::ops::Range;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autojit_ir::HostArray;
use autojit_ir::error::{Error, Result};

use super::adding::{self, Progress, Sums};
use super::calls::Calls;
use super::compiled::CompiledPlan;
use super::layout::Layout;
use crate::Array;

/// A run whose calls are made elsewhere, by [`CompiledPlan::sum_slices`], and added here. The result has the bits of
/// [`CompiledPlan::run`]. Made by [`CompiledPlan::distribute`].
///
/// ```
/// use autojit::contract::{Execute, Network, Options, Run, plan};
/// use autojit::numpy as np;
///
/// let network = Network::parse("ab,bc,cd,da->", &vec![vec![32, 32]; 4])?;
/// let options = Options { largest: Some(64.0), ..Options::default() };
/// let compiled = plan(&network, &options)?.compile()?;
/// let x = np::linspace(-1.0, 1.0, 1024).reshape([32, 32]);
/// let operands = [x.clone(), x.clone(), x.clone(), x];
/// let mut run = compiled.distribute(&operands, None)?;
/// while run.next_call() < compiled.calls() {
///     let slices = compiled.slices_of_call(run.next_call())?;
///     let (sum, lost) = compiled.sum_slices(&operands, slices.start, slices.end - slices.start)?;
///     run.add(&sum, &lost)?;
/// }
/// let same = compiled.run(&operands, Run::new())?;
/// assert_eq!(run.result()?.item::<f64>()?, same.item::<f64>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
pub struct Distributed {
    layout: Arc<Layout>,
    sums: Box<dyn Sums>,
    /// Whose library the result belongs to.
    operand: Array,
}

impl Distributed {
    /// The number of the call that is added next: not zero at first if a checkpoint was there.
    #[must_use]
    pub fn next_call(&self) -> u64 {
        self.sums.next_call()
    }

    /// Adds what the next call gave: [`CompiledPlan::sum_slices`] of its slices. The checkpoint is written if it is due.
    ///
    /// # Errors
    /// The arrays have no values, or are not of this contraction (`is_internal`); all calls are added already (`is_value`);
    /// the checkpoint cannot be written (`is_file`).
    #[track_caller]
    pub fn add(&mut self, sum: &Array, lost: &Array) -> Result<()> {
        let location = Location::caller();
        let mut add = || {
            let (sum, lost) = (HostArray::try_from(sum)?, HostArray::try_from(lost)?);
            self.sums.add(&sum, &lost)
        };
        located(add(), location)
    }

    /// How far the run is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.sums.progress()
    }

    /// Writes the checkpoint now, if there is to be one, as before a run is given up.
    ///
    /// # Errors
    /// It cannot be written (`is_file`).
    #[track_caller]
    pub fn save(&mut self) -> Result<()> {
        located(self.sums.write(), Location::caller())
    }

    /// The contraction, once all calls are added. The checkpoint is removed.
    ///
    /// # Errors
    /// Calls are missing (`is_value`); the checkpoint cannot be removed (`is_file`).
    #[track_caller]
    pub fn result(self) -> Result<Array> {
        let location = Location::caller();
        let result = self.sums.result(&self.layout, &self.operand);
        located(result, location)
    }
}

fn located<T>(result: Result<T>, location: &'static Location<'static>) -> Result<T> {
    result.map_err(|e| e.in_op("contraction").at(location))
}

impl fmt::Debug for Distributed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distributed")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl CompiledPlan {
    /// How many calls of the compiled function a run makes. The plan alone decides it.
    #[must_use]
    pub fn calls(&self) -> u64 {
        Calls::new(&self.layout).count
    }

    /// The slices that a call of a run adds.
    ///
    /// # Errors
    /// There are not so many calls (`is_value`).
    #[track_caller]
    pub fn slices_of_call(&self, call: u64) -> Result<Range<u64>> {
        let calls = Calls::new(&self.layout);
        if call >= calls.count {
            let error = Error::value(format!("call {call} of {}", calls.count));
            return Err(error.in_op("slices_of_call").at(Location::caller()));
        }
        Ok(calls.first(call)..calls.first(call + 1))
    }

    /// A run whose calls are made elsewhere and added here, with a checkpoint that is written as often as is said.
    ///
    /// # Errors
    /// As [`CompiledPlan::run`].
    #[track_caller]
    pub fn distribute(
        &self,
        operands: &[Array],
        checkpoint: Option<(PathBuf, Duration)>,
    ) -> Result<Distributed> {
        let location = Location::caller();
        let begin = || {
            let sums = adding::begin(&self.layout, operands, Calls::new(&self.layout), checkpoint)?;
            let operand = operands[0].clone();
            Ok(Distributed {
                layout: Arc::clone(&self.layout),
                sums,
                operand,
            })
        };
        located(begin(), location)
    }
}
