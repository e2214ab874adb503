//! Nodes that move elements, and those of matrices.

use smallvec::SmallVec;

use super::Writer;
use crate::error::{Error, Result};
use crate::index::Slicing;
use crate::types::{ArrayType, Dims};
use crate::{ContractOp, JoinOp, MapOp, ValueId, ViewOp};

impl Writer {
    pub(crate) fn reshape(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId> {
        if self.graph.ty(x)?.shape.as_slice() == shape {
            return Ok(x);
        }
        let shape = Dims::from_slice(shape);
        self.op(ViewOp::Reshape { shape }, &[x])
    }

    pub(crate) fn transpose(&mut self, x: ValueId, perm: &[usize]) -> Result<ValueId> {
        if perm.is_sorted() {
            return Ok(x);
        }
        let perm = Dims::from_slice(perm);
        self.op(ViewOp::Transpose { perm }, &[x])
    }

    pub(crate) fn broadcast(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId> {
        if self.graph.ty(x)?.shape.as_slice() == shape {
            return Ok(x);
        }
        let shape = Dims::from_slice(shape);
        self.op(ViewOp::BroadcastTo { shape }, &[x])
    }

    /// Stretched and converted to a type.
    pub(crate) fn fit(&mut self, x: ValueId, ty: &ArrayType) -> Result<ValueId> {
        let x = self.cast(x, ty.dtype)?;
        self.broadcast(x, &ty.shape)
    }

    /// The transposed of [`fit`](Self::fit): summed over stretched axes and converted to a type.
    pub(crate) fn gather(&mut self, x: ValueId, ty: &ArrayType) -> Result<ValueId> {
        let mut x = self.cast(x, ty.dtype)?;
        let shape = self.shape(x)?;
        if shape == ty.shape {
            return Ok(x);
        }
        let Some(new) = shape.len().checked_sub(ty.ndim()) else {
            return Err(Error::internal(format!(
                "a cotangent of shape {shape:?} for {ty}"
            )));
        };
        let stretched = |&a: &usize| a < new || (ty.shape[a - new] == 1 && shape[a] != 1);
        let axes: Dims = (0..shape.len()).filter(stretched).collect();
        x = self.sum(x, &axes, false)?;
        self.reshape(x, &ty.shape)
    }

    pub(crate) fn slice(&mut self, x: ValueId, slicing: Slicing) -> Result<ValueId> {
        let slicing = slicing.into();
        self.op(ViewOp::Slice { slicing }, &[x])
    }

    fn whole(shape: &[usize]) -> Slicing {
        Slicing {
            starts: SmallVec::from_elem(0, shape.len()),
            steps: SmallVec::from_elem(1, shape.len()),
            sizes: shape.into(),
        }
    }

    /// The `size` positions from `start` along an axis.
    pub(crate) fn narrow(
        &mut self,
        x: ValueId,
        axis: usize,
        start: usize,
        size: usize,
    ) -> Result<ValueId> {
        let shape = self.shape(x)?;
        if shape[axis] == size {
            return Ok(x);
        }
        let mut slicing = Self::whole(&shape);
        (slicing.starts[axis], slicing.sizes[axis]) = (start, size);
        if size == 0 {
            slicing.starts[axis] = 0;
        }
        self.slice(x, slicing)
    }

    /// In the opposite order along an axis.
    pub(crate) fn flip(&mut self, x: ValueId, axis: usize) -> Result<ValueId> {
        let shape = self.shape(x)?;
        if shape[axis] < 2 {
            return Ok(x);
        }
        let mut slicing = Self::whole(&shape);
        (slicing.starts[axis], slicing.steps[axis]) = (shape[axis] - 1, -1);
        self.slice(x, slicing)
    }

    pub(crate) fn concatenate(&mut self, axis: usize, parts: &[ValueId]) -> Result<ValueId> {
        match *parts {
            [part] => Ok(part),
            _ => self.op(JoinOp::Concatenate { axis }, parts),
        }
    }

    /// With numbers before and after it along an axis.
    pub(crate) fn pad(
        &mut self,
        x: ValueId,
        axis: usize,
        [before, after]: [usize; 2],
        number: f64,
    ) -> Result<ValueId> {
        let ty = self.ty(x)?;
        let mut parts: SmallVec<[ValueId; 3]> = SmallVec::new();
        for (count, is_middle) in [(before, false), (0, true), (after, false)] {
            if is_middle {
                parts.push(x);
            } else if count > 0 {
                let mut side = ty.clone();
                side.shape[axis] = count;
                parts.push(self.fill(number, &side)?);
            }
        }
        self.concatenate(axis, &parts)
    }

    /// The first `size` positions along an axis, with zeros where there are fewer.
    pub(crate) fn resize(&mut self, x: ValueId, axis: usize, size: usize) -> Result<ValueId> {
        let own = self.graph.ty(x)?.shape[axis];
        if own >= size {
            return self.narrow(x, axis, 0, size);
        }
        self.pad(x, axis, [0, size - own], 0.0)
    }

    /// With a new axis of length one.
    pub(crate) fn expand(&mut self, x: ValueId, axis: usize) -> Result<ValueId> {
        let mut shape = self.shape(x)?;
        shape.insert(axis, 1);
        self.reshape(x, &shape)
    }

    // ---- matrices: the last two axes ----

    /// The rows as columns.
    pub(crate) fn swap(&mut self, x: ValueId) -> Result<ValueId> {
        let ndim = self.graph.ty(x)?.ndim();
        let mut perm: Dims = (0..ndim).collect();
        perm.swap(ndim - 2, ndim - 1);
        self.transpose(x, &perm)
    }

    /// The conjugate transposed.
    pub(crate) fn adjoint(&mut self, x: ValueId) -> Result<ValueId> {
        let x = self.swap(x)?;
        self.conj(x)
    }

    /// The matrix product, or one of elements where there is one term.
    pub(crate) fn matmul(&mut self, x: ValueId, y: ValueId) -> Result<ValueId> {
        let (x_shape, y_shape) = (self.shape(x)?, self.shape(y)?);
        if x_shape.len() > 1 && y_shape.len() > 1 && x_shape.last() == Some(&1) {
            return self.mul(x, y);
        }
        self.op(ContractOp::Matmul, &[x, y])
    }

    /// The last axis as the diagonal of matrices, to be multiplied with the columns of a matrix: `x[.., None, :]`.
    pub(crate) fn as_row(&mut self, x: ValueId) -> Result<ValueId> {
        let ndim = self.graph.ty(x)?.ndim();
        self.expand(x, ndim - 1)
    }

    /// `x[.., :, None]`.
    pub(crate) fn as_column(&mut self, x: ValueId) -> Result<ValueId> {
        let ndim = self.graph.ty(x)?.ndim();
        self.expand(x, ndim)
    }

    /// The elements on and below the diagonal number `k`, zero elsewhere.
    pub(crate) fn lower(&mut self, x: ValueId, k: i64) -> Result<ValueId> {
        let mask = self.triangle(MapOp::LessEqual, x, k)?;
        self.keep(mask, x)
    }

    /// The elements on and above the diagonal number `k`, zero elsewhere.
    pub(crate) fn upper(&mut self, x: ValueId, k: i64) -> Result<ValueId> {
        let mask = self.triangle(MapOp::GreaterEqual, x, k)?;
        self.keep(mask, x)
    }

    fn triangle(&mut self, op: MapOp, x: ValueId, k: i64) -> Result<ValueId> {
        let shape = self.shape(x)?;
        let size = (shape[shape.len() - 2], shape[shape.len() - 1]);
        self.mask(op, size, k)
    }

    /// The diagonals of square matrices.
    pub(crate) fn diagonal(&mut self, x: ValueId) -> Result<ValueId> {
        let shape = self.shape(x)?;
        let ndim = shape.len();
        let identity = self.on_diagonal(shape[ndim - 1])?;
        let kept = self.keep(identity, x)?;
        self.sum(kept, &[ndim - 1], false)
    }

    /// The derivative of the exponential of matrices at `x` in the direction `t`.
    ///
    /// Source: Mathias, "A chain rule for matrix functions and applications" (1996): the upper right block of
    /// `expm([[x, t], [0, x]])`.
    pub(crate) fn expm_along(&mut self, x: ValueId, t: ValueId) -> Result<ValueId> {
        let ty = self.ty(x)?;
        let (rows, columns) = (ty.ndim() - 2, ty.ndim() - 1);
        let n = ty.shape[rows];
        let none = self.zeros(&ty)?;
        let above = self.concatenate(columns, &[x, t])?;
        let below = self.concatenate(columns, &[none, x])?;
        let block = self.concatenate(rows, &[above, below])?;
        let exponential = self.op(crate::LinalgOp::Expm, &[block])?;
        let above = self.narrow(exponential, rows, 0, n)?;
        self.narrow(above, columns, n, n)
    }
}
