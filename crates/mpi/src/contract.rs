//! Contractions over ranks.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::Location;
use std::path::PathBuf;
use std::time::Duration;

use autojit::contract::{CompiledGradient, CompiledPlan, Distributed, Progress};
use autojit::{Array, Error, Result};

use crate::ranks::Ranks;
use crate::tasks::{self, First};
use crate::wire;

type ProgressFunction<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// How ranks run a contraction.
///
/// ```
/// use std::ops::ControlFlow;
/// use std::time::Duration;
/// use autojit::contract::Progress;
/// use autojit_mpi::Run;
///
/// let mut report = |progress: &Progress| {
///     println!("{progress}");
///     ControlFlow::Continue(())
/// };
/// let run = Run::new()
///     .memory_limit(256 << 20)
///     .checkpoint("contraction.checkpoint", Duration::from_secs(60))
///     .progress(&mut report);
/// # drop(run);
/// ```
#[derive(Default)]
pub struct Run<'a> {
    memory: Option<u64>,
    checkpoint: Option<(PathBuf, Duration)>,
    progress: Option<ProgressFunction<'a>>,
}

impl<'a> Run<'a> {
    /// Without a limit of memory and without a checkpoint.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes of each rank, operands and result among them, and on rank 0 what waits to be added. What they take is known
    /// before they begin, and is an error if it is more.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// A file from which an equal run goes on, of any number of ranks or of none
    /// ([`contract::Run::checkpoint`](autojit::contract::Run::checkpoint)). Rank 0 reads and writes it: as often as this, and when a run
    /// ends with an error.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>, every: Duration) -> Self {
        self.checkpoint = Some((path.into(), every));
        self
    }

    /// A function that rank 0 calls whenever slices were added, and that may end the run.
    #[must_use]
    pub fn progress(mut self, report: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Self {
        self.progress = Some(report);
        self
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("memory", &self.memory)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

impl Ranks {
    /// Contracts as [`CompiledPlan::run`] does, with the calls of the compiled function made by all ranks. The result is on all of them,
    /// with the bits of `run`. Plan and operands are the same on all ranks, which is checked.
    ///
    /// The operands are on every rank before; what goes to rank 0 for each call is what it gives, twice the size of a slice's result.
    ///
    /// # Errors
    /// As `run`, on all ranks; the plans or the operands differ (`is_value`).
    #[track_caller]
    pub fn contract(
        &self,
        compiled: &CompiledPlan,
        operands: &[Array],
        run: Run<'_>,
    ) -> Result<Array> {
        self.contracted(compiled, operands, run, "contract")
    }

    /// The value and the gradient of a contraction to one number, as
    /// [`CompiledGradient::run`](autojit::contract::CompiledGradient::run) gives them, with the slices of both made by all ranks.
    ///
    /// ```
    /// use autojit::contract::{Execute, Network, Options};
    /// use autojit::numpy as np;
    /// use autojit_mpi::{Ranks, Run};
    ///
    /// let ranks = Ranks::start()?;
    /// let network = Network::parse("ab,bc,ca->", &vec![vec![8, 8]; 3])?;
    /// let options = Options { largest: Some(16.0), ..Options::default() };
    /// let compiled = ranks.plan(&network, &options)?.compile_gradient()?;
    /// let x = np::linspace(-1.0, 1.0, 64).reshape([8, 8]);
    /// let operands = [x.clone(), x.clone(), x.clone()];
    /// let (_, gradient) = ranks.contract_gradient(&compiled, &operands, Run::new())?;
    /// let expected = np::matmul(&x, &x).t();
    /// assert!((&gradient[0] - expected).to_vec::<f64>()?.iter().all(|d| d.abs() < 1e-12));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Ranks::contract`].
    #[track_caller]
    pub fn contract_gradient(
        &self,
        compiled: &CompiledGradient,
        operands: &[Array],
        run: Run<'_>,
    ) -> Result<(Array, Vec<Array>)> {
        let row = self.contracted(compiled.row(), operands, run, "contract_gradient")?;
        compiled.split(&row)
    }

    /// Errors get their line and the name before they are told.
    #[track_caller]
    fn contracted(
        &self,
        compiled: &CompiledPlan,
        operands: &[Array],
        run: Run<'_>,
        name: &str,
    ) -> Result<Array> {
        let location = Location::caller();
        // Lines in here are of no use.
        let own = |e: Error| e.without_location().in_op(name).at(location);
        self.agree(compiled.check(operands))?;
        let ahead = self.agree(self.fits(compiled, operands, run.memory).map_err(own))?;
        self.agree(self.same_contraction(compiled, operands).map_err(own))?;
        let one = |call: u64| {
            let sum = || {
                let slices = compiled.slices_of_call(call)?;
                let count = slices.end - slices.start;
                let (sum, lost) = compiled.sum_slices(operands, slices.start, count)?;
                wire::encode_arrays(&[sum, lost])
            };
            sum().map_err(own)
        };
        if self.rank() > 0 {
            // Rank 0 may not get as far as handing out.
            self.agree(Ok(()))?;
            tasks::distribute(self, None, &one)?;
            let bytes = self.bytes_of_first(|| Ok(Vec::new()))?;
            return placed(&bytes, operands).map_err(own);
        }
        let begun = compiled.distribute(operands, run.checkpoint);
        let mut sums = self.agree(begun.map_err(own))?;
        let mut progress = run.progress;
        let range = sums.next_call()..compiled.calls();
        let mut take = |bytes: Vec<u8>| add(&mut sums, &bytes, &mut progress).map_err(own);
        let first = First {
            tasks: range,
            ahead,
            take: &mut take,
        };
        if let Err(error) = tasks::distribute(self, Some(first), &one) {
            // The first error is the one to report.
            sums.save().ok();
            return Err(error);
        }
        let mut result = None;
        let bytes = self.bytes_of_first(|| {
            let finish = || {
                let array = sums.result()?;
                let bytes = wire::encode_arrays(std::slice::from_ref(&array))?;
                result = Some(array);
                Ok(bytes)
            };
            finish().map_err(own)
        })?;
        match result {
            Some(result) => Ok(result),
            None => placed(&bytes, operands).map_err(own),
        }
    }

    /// Checks the memory, and says how far calls are handed out ahead of what is added.
    fn fits(&self, compiled: &CompiledPlan, operands: &[Array], limit: Option<u64>) -> Result<u64> {
        let memory = compiled.memory(operands)?;
        let ahead = tasks::ahead(self.size(), memory.results);
        let waiting = match self.rank() {
            0 => memory.results.saturating_mul(ahead.min(compiled.calls())),
            _ => 0,
        };
        let needed = memory.total(1).saturating_add(waiting);
        match limit {
            Some(limit) if needed > limit => Err(Error::value(format!(
                "it takes {needed} bytes, more than the limit of {limit}: {memory}, and {waiting} of what waits to be added"
            ))),
            Some(_) | None => Ok(ahead),
        }
    }

    fn same_contraction(&self, compiled: &CompiledPlan, operands: &[Array]) -> Result<()> {
        let plan = serde_json::to_vec(compiled.plan()).map_err(Error::internal)?;
        let arrays = operands.iter().map(std::slice::from_ref);
        // Their values were looked at before.
        let arrays = arrays.map(|array| wire::encode_arrays(array).unwrap_or_default());
        self.check_same(
            "the plan or the operands",
            std::iter::once(plan).chain(arrays),
        )
    }
}

/// Adds what a call gave.
fn add(
    sums: &mut Distributed,
    bytes: &[u8],
    progress: &mut Option<ProgressFunction<'_>>,
) -> Result<()> {
    let [sum, lost] = wire::decode_arrays(bytes)?
        .try_into()
        .map_err(|_| Error::internal("a call gives two arrays"))?;
    sums.add(&sum, &lost)?;
    let now = sums.progress();
    if let Some(report) = progress
        && report(&now).is_break()
    {
        let Progress { done, total, .. } = now;
        return Err(Error::interrupted(format!(
            "ended by its progress function after {done} of {total} slices"
        )));
    }
    Ok(())
}

/// The array of some bytes, in the library of the operands.
fn placed(bytes: &[u8], operands: &[Array]) -> Result<Array> {
    let array = wire::decode_arrays(bytes)?.pop();
    let array = array.ok_or_else(|| Error::internal("a contraction without a result"))?;
    match operands.first() {
        Some(operand) if operand.library()? != array.library()? => array.to(operand).check(),
        Some(_) | None => Ok(array),
    }
}
