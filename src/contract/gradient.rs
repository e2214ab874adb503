//! `CompiledGradient`: the value and the gradient of a contraction, slice by slice.

use std::panic::Location;

use autojit_ir::error::{Error, Result};

use super::compiled::CompiledPlan;
use super::layout::size_of_shape;
use super::run::Run;
use crate::Array;
use crate::numpy as np;

/// The value and the gradient of a contraction to one number, as one compiled function for all slices. Made by
/// [`Execute::compile_gradient`](super::Execute::compile_gradient).
///
/// The gradient of a sum of slices is the sum of their gradients: each slice is differentiated in reverse by itself, so that a run takes
/// the memory of one slice and its derivative, however many there are; and is run, limited, distributed and gone on with as other
/// [compiled plans](CompiledPlan) are. What is the same in all slices is computed again in each of them.
///
/// ```
/// use autojit::contract::{Execute, Network, Options, Run, plan};
/// use autojit::numpy as np;
///
/// let network = Network::parse("ab,bc,ca->", &vec![vec![8, 8]; 3])?;
/// let options = Options { largest: Some(16.0), ..Options::default() };
/// let x = np::linspace(-1.0, 1.0, 64).reshape([8, 8]);
/// let operands = [x.clone(), x.clone(), x.clone()];
/// let compiled = plan(&network, &options)?.compile_gradient()?;
/// let (value, gradient) = compiled.run(&operands, Run::new())?;
/// // The trace of a product: its derivative by a factor is the transpose of the product of the others.
/// let expected = np::matmul(&x, &x).t();
/// assert!((&gradient[0] - &expected).to_vec::<f64>()?.iter().all(|d| d.abs() < 1e-12));
/// # assert_eq!(gradient.len(), 3);
/// # assert!((value.item::<f64>()? - np::trace(np::matmul(np::matmul(&x, &x), &x), ..).item::<f64>()?).abs() < 1e-12);
/// # Ok::<(), autojit::Error>(())
/// ```
#[derive(Debug)]
pub struct CompiledGradient {
    row: CompiledPlan,
}

impl CompiledGradient {
    pub(super) fn new(row: CompiledPlan) -> Self {
        Self { row }
    }

    /// Chooses the backend, as [`Jit::backend`](crate::Jit::backend) does.
    #[must_use]
    pub fn backend(self, name: &str) -> Self {
        Self::new(self.row.backend(name))
    }

    /// The contraction that gives both as one row: the value, and the derivatives by the elements of each operand in C order, operand
    /// by operand. For its memory, and for programs that distribute slices themselves; [`CompiledGradient::split`] takes what it gives.
    #[must_use]
    pub fn row(&self) -> &CompiledPlan {
        &self.row
    }

    /// The value and, for each operand, the derivatives by its elements, in an array of its shape. Of complex numbers they are the
    /// conjugates of the derivatives, which is the convention of [`grad`](crate::grad()).
    ///
    /// # Errors
    /// As [`CompiledPlan::run`].
    #[track_caller]
    pub fn run(&self, operands: &[Array], options: Run<'_>) -> Result<(Array, Vec<Array>)> {
        let location = Location::caller();
        let split = || self.split(&self.row.run(operands, options)?);
        split().map_err(|e| e.in_op("contraction").at(location))
    }

    /// The value and the derivatives of a row.
    ///
    /// # Errors
    /// It is no row of this contraction (`is_shape`).
    #[track_caller]
    pub fn split(&self, row: &Array) -> Result<(Array, Vec<Array>)> {
        let location = Location::caller();
        let split = || {
            let layout = &self.row.layout;
            let ty = row.ty()?;
            if ty.shape != layout.block {
                return Err(Error::shape(format!(
                    "expected a row of {} numbers, got {ty}",
                    layout.block_size()
                )));
            }
            let mut start = 1;
            let parts = layout.shapes.iter().map(|shape| {
                let end = start + size_of_shape(shape) as i64;
                let part = row.get(start..end);
                start = end;
                np::reshape(part, shape.to_vec()).check()
            });
            let parts = parts.collect::<Result<Vec<Array>>>()?;
            Ok((row.get(0).check()?, parts))
        };
        split().map_err(|e| e.in_op("split").at(location))
    }
}
