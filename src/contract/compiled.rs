//! `CompiledPlan`: one compiled function for all slices of a plan.

use std::panic::Location;
use std::sync::Arc;

use autojit_contract::Plan;
use autojit_ir::error::{Error, Result};

use super::layout::Layout;
use super::memory::Memory;
use super::trace;
use crate::array::Repr;
use crate::{Array, Jit, autojit};

type Arguments = (Vec<Array>, Array, Array);
type Function = Box<dyn Fn(Arguments) -> Result<(Array, Array)> + Send + Sync>;

/// A plan as a compiled function of the operands and of the numbers of slices, which are arrays: it is compiled once for each dtype of
/// the operands, however many slices there are. Made by [`Execute::compile`](super::Execute::compile).
///
/// ```
/// use autojit::contract::{Execute, Network, Options, Run, plan};
/// use autojit::numpy as np;
///
/// let shapes = vec![vec![32, 32]; 4];
/// let network = Network::parse("ab,bc,cd,da->", &shapes)?;
/// let options = Options { largest: Some(64.0), ..Options::default() };
/// let compiled = plan(&network, &options)?.compile()?;
/// let x = np::linspace(-1.0, 1.0, 1024).reshape([32, 32]);
/// let operands = [x.clone(), x.clone(), x.clone(), x];
/// let sum = compiled.run(&operands, Run::new().threads(2))?;
/// assert_eq!(compiled.compilations(), 1);
/// # let whole = np::einsum("ab,bc,cd,da->", &operands);
/// # assert!(((sum.item::<f64>()? - whole.item::<f64>()?) / whole.item::<f64>()?).abs() < 1e-13);
/// # Ok::<(), autojit::Error>(())
/// ```
pub struct CompiledPlan {
    pub(super) layout: Arc<Layout>,
    jit: Jit<Arguments, Result<(Array, Array)>, Function>,
}

impl CompiledPlan {
    pub(super) fn new(layout: Layout) -> Self {
        let layout = Arc::new(layout);
        let traced = Arc::clone(&layout);
        let function: Function = Box::new(move |(operands, first, count)| {
            trace::sum(&traced, &operands, &first, &count)
        });
        Self {
            layout,
            jit: autojit(function).name("contraction"),
        }
    }

    /// Chooses the backend, as [`Jit::backend`] does.
    #[must_use]
    pub fn backend(self, name: &str) -> Self {
        Self {
            jit: self.jit.backend(name),
            ..self
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.layout.plan
    }

    /// How many slices there are. They are numbered so that those of one part of the result follow each other: the labels of the
    /// result change slowest.
    #[must_use]
    pub fn slices(&self) -> u64 {
        self.layout.slices()
    }

    /// How often the function was compiled: once for each dtype of the operands, and for each array library.
    #[must_use]
    pub fn compilations(&self) -> u64 {
        self.jit.misses()
    }

    /// The sum of the slices from `first` on, `count` of them, and what rounding lost of it, as one call of the compiled function. Slices
    /// of different parts of the result are added as well: [`CompiledPlan::run`] keeps them apart.
    ///
    /// Both arrays have the output's labels that are not sliced as axes; what was lost is zero for integers. Their sum is the sum.
    /// Programs that distribute slices themselves use this.
    ///
    /// # Errors
    /// As [`CompiledPlan::run`]; there are not so many slices (`is_value`).
    #[track_caller]
    pub fn sum_slices(&self, operands: &[Array], first: u64, count: u64) -> Result<(Array, Array)> {
        let location = Location::caller();
        let sum = || {
            trace::checked(&self.layout, operands)?;
            let slices = self.slices();
            if first > slices || count > slices - first {
                return Err(Error::value(format!(
                    "the {count} slices from {first} on, of {slices}"
                )));
            }
            if slices == 0 {
                return trace::nothing(&self.layout, operands);
            }
            self.call(operands, first, count)
        };
        sum().map_err(|e| e.in_op("sum_slices").at(location))
    }

    /// What [`CompiledPlan::run`] checks before it begins: the number, the shapes and the dtype of the operands, and that they have values.
    /// The function is compiled for them unless it is already.
    ///
    /// # Errors
    /// As `run`.
    #[track_caller]
    pub fn check(&self, operands: &[Array]) -> Result<()> {
        let location = Location::caller();
        let checked = self.memory_of(operands);
        checked.map_err(|e| e.in_op("contraction").at(location))?;
        Ok(())
    }

    /// The bytes that a run takes with these operands, for which the function is compiled unless it is already. For native
    /// code the memory of a call is that of its plan; for other backends, which do not say, it is estimated as by
    /// [`Execute::memory`](super::Execute::memory).
    ///
    /// # Errors
    /// As [`CompiledPlan::run`].
    #[track_caller]
    pub fn memory(&self, operands: &[Array]) -> Result<Memory> {
        let location = Location::caller();
        self.memory_of(operands)
            .map_err(|e| e.in_op("memory").at(location))
    }

    /// One call. Errors are those of operations in here, whose lines are of no use: the callers name the user's.
    pub(super) fn call(
        &self,
        operands: &[Array],
        first: u64,
        count: u64,
    ) -> Result<(Array, Array)> {
        let (first, count) = self.numbers(operands, first, count)?;
        let sum = self.jit.call((operands, first, count));
        sum.and_then(|sum| sum).map_err(Error::without_location)
    }

    fn numbers(&self, operands: &[Array], first: u64, count: u64) -> Result<(Array, Array)> {
        let operand = operands
            .first()
            .ok_or_else(|| Error::value("expected at least one operand"))?;
        let number = |number| trace::beside(number, operand);
        Ok((number(first)?, number(count)?))
    }

    pub(super) fn memory_of(&self, operands: &[Array]) -> Result<Memory> {
        let dtype = trace::checked(&self.layout, operands)?;
        let lazy = operands
            .iter()
            .position(|x| !matches!(x.0, Repr::Concrete(_)));
        if let Some(lazy) = lazy {
            return Err(Error::value(format!(
                "operand {lazy} is lazy, expected arrays with values; `contract` takes lazy ones"
            )));
        }
        if self.slices() == 0 {
            // Nothing is called.
            return Ok(Memory::of_sums(&self.layout, dtype));
        }
        let (first, count) = self.numbers(operands, 0, 0)?;
        let report = self.jit.compile((operands, first, count));
        let code = report.map_err(Error::without_location)?.code;
        let Some(call) = code.planned_peak_bytes else {
            return Ok(Memory::estimate(&self.layout, dtype));
        };
        Ok(Memory {
            call: call as u64,
            ..Memory::of_sums(&self.layout, dtype)
        })
    }
}

impl std::fmt::Debug for CompiledPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledPlan")
            .field("plan", self.plan())
            .finish_non_exhaustive()
    }
}
