//! Contraction of tensor networks: plans, and their execution.
//!
#![doc = include_str!("../../docs/contraction_runs.md")]

mod adding;
mod calls;
mod checkpoint;
mod compiled;
mod distributed;
mod gradient;
mod layout;
mod memory;
mod run;
mod total;
mod trace;

use std::borrow::Borrow;
use std::panic::Location;

pub use adding::Progress;
pub use autojit_contract::{Cost, Error, Label, Network, Options, Plan, Search, Step, order, plan};
pub use compiled::CompiledPlan;
pub use distributed::Distributed;
pub use gradient::CompiledGradient;
pub use memory::Memory;
pub use run::Run;

use crate::{Array, DType, Result};
use layout::Layout;

/// What a [`Plan`] does with arrays. Implemented for plans alone.
pub trait Execute: sealed::Sealed {
    /// The contraction of these operands along the plan, slices added one after the other.
    ///
    /// Each contraction is an `einsum` of one operand or two, where the operands are: eagerly, lazily, or inside of a function that is
    /// traced, where all slices are one [`scan`](crate::scan()); that has derivatives and batches. Slices of floating and complex
    /// numbers are added with compensation. There is one array for each operand of the network, of the shape that
    /// the network says and all of one dtype; the result has that dtype, and an axis for each label of the output.
    ///
    /// ```
    /// use autojit::{Array, contract::{Execute, Network, Options, plan}};
    ///
    /// let network = Network::parse("ab,bc,ca->", &[vec![2, 2], vec![2, 2], vec![2, 2]])?;
    /// let plan = plan(&network, &Options::default())?;
    /// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(plan.contract(&[&x, &x, &x])?.item::<f64>()?, 155.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// There are more or fewer operands than the network has (`is_value`); one has another shape (`is_shape`) or another dtype than
    /// the first (`is_dtype`); a contraction failed, as where a result does not fit into memory; there are more slices than 63 bits count.
    ///
    /// Source: cotengra's `ContractionTree.contract`.
    #[track_caller]
    fn contract<A: Borrow<Array>>(&self, operands: &[A]) -> Result<Array>;

    /// The plan as a function that is compiled once for all slices, to be run on threads, within a limit of memory, and with a
    /// checkpoint: see [`CompiledPlan`].
    ///
    /// # Errors
    /// The network has no operands, or more slices than 63 bits count (`is_value`).
    #[track_caller]
    fn compile(&self) -> Result<CompiledPlan>;

    /// The value and the gradient of a plan whose result is one number, as a function that is compiled once for all slices: see
    /// [`CompiledGradient`].
    ///
    /// # Errors
    /// As [`Execute::compile`]; the result has axes (`is_value`).
    #[track_caller]
    fn compile_gradient(&self) -> Result<CompiledGradient>;

    /// The bytes that a run takes, by the plan alone and for elements of a dtype: what the compiled function says once there
    /// is one, [`CompiledPlan::memory`], is exact for native code.
    ///
    /// # Errors
    /// As [`Execute::compile`].
    #[track_caller]
    fn memory(&self, dtype: DType) -> Result<Memory>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Plan {}
}

impl Execute for Plan {
    fn contract<A: Borrow<Array>>(&self, operands: &[A]) -> Result<Array> {
        let location = Location::caller();
        let operands: Vec<Array> = operands.iter().map(|a| a.borrow().clone()).collect();
        let contracted = || {
            let layout = Layout::new(self, location)?;
            // What an operand failed with has its line; what fails in here has not.
            trace::checked(&layout, &operands)?;
            trace::contract(&layout, &operands).map_err(crate::Error::without_location)
        };
        contracted().map_err(|e| e.in_op("contract").at(location))
    }

    fn compile(&self) -> Result<CompiledPlan> {
        let location = Location::caller();
        let compiled = Layout::new(self, location).map(CompiledPlan::new);
        compiled.map_err(|e| e.in_op("compile").at(location))
    }

    fn compile_gradient(&self) -> Result<CompiledGradient> {
        let location = Location::caller();
        let layout = Layout::new(self, location).and_then(Layout::with_gradient);
        let compiled = layout.map(CompiledPlan::new).map(CompiledGradient::new);
        compiled.map_err(|e| e.in_op("compile_gradient").at(location))
    }

    fn memory(&self, dtype: DType) -> Result<Memory> {
        let location = Location::caller();
        let layout = Layout::new(self, location).map_err(|e| e.in_op("memory").at(location))?;
        Ok(Memory::estimate(&layout, dtype))
    }
}
