//! Batches of matrices: out of an array one by one, and results back into arrays.
//!
//! A matrix is handed on in column-major order, as LAPACK stores matrices: for row-major ones ndarray-linalg gives the
//! conjugates of complex eigenvectors.

use autojit::ir::Element;
use autojit::{Array, Error, Result};
use ndarray::{Array2, ArrayD, ArrayView2, Dimension, IxDyn, ShapeBuilder};
use ndarray_linalg::{Lapack, error::LinalgError};

/// The numbers that LAPACK computes with.
pub(crate) trait Number: Element + Lapack<Real: Element, Complex: Element> {}

impl<T: Element + Lapack<Real: Element, Complex: Element>> Number for T {}

/// A batch of matrices of one size.
pub(crate) struct Batch<T> {
    values: ArrayD<T>,
    /// The leading axes.
    pub(crate) shape: Vec<usize>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl<T: Number> Batch<T> {
    /// The matrices in the last two axes of an array; `None` if it has fewer.
    pub(crate) fn new(x: &Array) -> Result<Option<Self>> {
        let values = x.to_ndarray::<T>()?;
        let &[ref shape @ .., rows, columns] = values.shape() else {
            return Ok(None);
        };
        Ok(Some(Self {
            shape: shape.to_vec(),
            rows,
            columns,
            values,
        }))
    }

    pub(crate) fn is_square(&self) -> bool {
        self.rows == self.columns
    }

    /// Each matrix in turn, in column-major order.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = Array2<T>> {
        let size = self.rows * self.columns;
        let count: usize = self.shape.iter().product();
        let flat: Vec<T> = self.values.iter().copied().collect();
        (0..count).filter_map(move |i| {
            let rows = (self.rows, self.columns);
            let matrix = ArrayView2::from_shape(rows, &flat[i * size..(i + 1) * size]).ok()?;
            let mut columns = Array2::zeros(rows.f());
            columns.assign(&matrix);
            Some(columns)
        })
    }

    /// An array of the results of all matrices, each of the given shape.
    pub(crate) fn gather<U: Element>(&self, shape: &[usize], results: Vec<U>) -> Result<Array> {
        let shape = [&self.shape, shape].concat();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), results);
        array
            .map(Array::from)
            .map_err(|e| Error::value(format!("LAPACK gave a result of another shape: {e}")))
    }
}

/// The elements of an array in C order, at the end of those of the arrays before.
pub(crate) fn append<U: Element, D: Dimension>(results: &mut Vec<U>, array: &ndarray::Array<U, D>) {
    results.extend(array.iter().copied());
}

/// The messages of LAPACK, in the words that NumPy uses.
pub(crate) fn failure(error: LinalgError) -> Error {
    match error {
        LinalgError::Lapack(lapack) if lapack.to_string().contains("singular") => {
            Error::linear_algebra("singular matrix")
        }
        error => Error::linear_algebra(error.to_string()),
    }
}
