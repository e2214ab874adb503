//! Batching of norms, decompositions and systems of equations.
//!
//! Decompositions take leading axes as they are. Systems with one matrix for all examples stay systems with one matrix, which
//! is decomposed once: the right sides of the examples become its columns.

use smallvec::smallvec;

use super::{Batcher, Item, Mapped, shifted};
use crate::types::{Axes, DType, Dims};
use crate::{
    ContractOp, Cutoff, LinalgOp, MapOp, NormOrder, Op, ReduceOp, Result, ValueId, ViewOp,
};

pub(super) fn linalg(b: &mut Batcher, op: &LinalgOp, x: &[Item]) -> Result<Mapped> {
    let value = match op {
        LinalgOp::Norm {
            order,
            axes,
            keepdims,
        } => norm(b, *order, axes.as_ref(), *keepdims, x[0].value)?,
        LinalgOp::Qr { .. }
        | LinalgOp::Svd { .. }
        | LinalgOp::Svdvals
        | LinalgOp::Eigh
        | LinalgOp::Eigvalsh
        | LinalgOp::Eig
        | LinalgOp::Eigvals
        | LinalgOp::Cholesky
        | LinalgOp::Lu
        | LinalgOp::Inv
        | LinalgOp::Det
        | LinalgOp::Slogdet
        | LinalgOp::Pinv { .. }
        | LinalgOp::Expm => b.push(op.clone(), &[x[0].value])?,
        LinalgOp::Solve | LinalgOp::SolveTriangular { .. } => solve(b, op, x[0], x[1])?,
        LinalgOp::Lstsq { rcond } => return lstsq(b, *rcond, x[0], x[1]),
    };
    let batched = true;
    Ok(Mapped::One(Item { value, batched }))
}

fn norm(
    b: &mut Batcher,
    order: NormOrder,
    axes: Option<&Axes>,
    keepdims: bool,
    x: ValueId,
) -> Result<ValueId> {
    let shape = b.shape(x)?;
    let ndim = shape.len() - 1;
    let axes = match axes {
        Some(axes) => shifted(axes),
        None if (1..=2).contains(&ndim) => (1..=ndim).collect(),
        // The norm of all elements, however many axes they have.
        None => {
            let size = shape[1..].iter().product();
            let flat = b.reshape(x, Dims::from_slice(&[b.size, size]))?;
            let axes = Some(smallvec![1]);
            let op = LinalgOp::Norm {
                order,
                axes,
                keepdims: false,
            };
            let norm = b.push(op, &[flat])?;
            let kept = if keepdims { ndim } else { 0 };
            return b.reshape(norm, b.with_batch(&Dims::from_elem(1, kept)));
        }
    };
    let axes = Some(axes);
    let op = LinalgOp::Norm {
        order,
        axes,
        keepdims,
    };
    b.push(op, &[x])
}

fn solve(b: &mut Batcher, op: &LinalgOp, matrix: Item, right: Item) -> Result<ValueId> {
    let (a_shape, b_shape) = (b.example(matrix)?.shape, b.example(right)?.shape);
    if !right.batched && b_shape.len() == 1 {
        return b.push(op.clone(), &[matrix.value, right.value]);
    }
    if !matrix.batched && a_shape.len() == 2 {
        let (columns, shape) = as_columns(b, right.value, b_shape.len())?;
        let solved = b.push(op.clone(), &[matrix.value, columns])?;
        return from_columns(b, solved, &shape, b_shape.len());
    }
    // A vector is a matrix of one column, as only a single axis is read as a vector.
    let is_vector = b_shape.len() == 1;
    let mut right_shape = b_shape;
    if is_vector {
        right_shape.push(1);
    }
    let ndim = a_shape.len().max(right_shape.len());
    let mut side = |item: Item, shape: Dims| {
        let missing = if item.batched { ndim - shape.len() } else { 0 };
        let shape: Dims = std::iter::repeat_n(1, missing).chain(shape).collect();
        let shape = if item.batched {
            b.with_batch(&shape)
        } else {
            shape
        };
        b.reshape(item.value, shape)
    };
    let (a, right) = (side(matrix, a_shape)?, side(right, right_shape)?);
    let solved = b.push(op.clone(), &[a, right])?;
    if !is_vector {
        return Ok(solved);
    }
    let mut shape = b.shape(solved)?;
    shape.pop();
    b.reshape(solved, shape)
}

/// Right sides of all examples as the columns of one matrix, and the shape with their rows in front.
fn as_columns(b: &mut Batcher, right: ValueId, ndim: usize) -> Result<(ValueId, Dims)> {
    // The rows are the only axis of a vector, and the last but one of matrices.
    let rows = if ndim == 1 { 1 } else { ndim - 1 };
    let moved = b.in_front(right, rows)?;
    let shape = b.shape(moved)?;
    let columns = shape[1..].iter().product();
    let columns = b.reshape(moved, Dims::from_slice(&[shape[0], columns]))?;
    Ok((columns, shape))
}

/// The other way, for solutions.
fn from_columns(b: &mut Batcher, solved: ValueId, shape: &Dims, ndim: usize) -> Result<ValueId> {
    let mut shape = shape.clone();
    shape[0] = b.shape(solved)?[0];
    let apart = b.reshape(solved, shape)?;
    let rows = if ndim == 1 { 1 } else { ndim - 1 };
    let perm = (1..=rows).chain([0]).chain(rows + 1..=ndim);
    b.transpose(apart, perm.collect())
}

/// The op takes one matrix. One for all examples has the right sides as its columns; else the solutions come from a batch of
/// singular value decompositions, by which the op is defined.
fn lstsq(b: &mut Batcher, rcond: Cutoff, matrix: Item, right: Item) -> Result<Mapped> {
    let batched = |value| Item {
        value,
        batched: true,
    };
    let ndim = b.example(right)?.ndim();
    if !matrix.batched {
        let (columns, shape) = as_columns(b, right.value, ndim)?;
        let op = LinalgOp::Lstsq { rcond };
        let tuple = b.push(op, &[matrix.value, columns])?;
        let get = |b: &mut Batcher, index| b.push(Op::Get { index }, &[tuple]);
        let solutions = get(b, 0)?;
        let solutions = from_columns(b, solutions, &shape, ndim)?;
        let sides = shape[2..].iter().product();
        let residuals = get(b, 1)?;
        let residuals = b.reshape(residuals, Dims::from_slice(&[b.size, sides]))?;
        let shared = |value| Item {
            value,
            batched: false,
        };
        let (rank, values) = (shared(get(b, 2)?), shared(get(b, 3)?));
        let parts = [batched(solutions), batched(residuals), rank, values];
        return Ok(Mapped::Parts(parts.into_iter().collect()));
    }
    let dtype = b.graph.ty(matrix.value)?.dtype.floating();
    let dtype = dtype.promote(b.graph.ty(right.value)?.dtype.floating());
    let a = b.cast(matrix.value, dtype)?;
    let right = b.batched(right)?;
    let mut right = b.cast(right, dtype)?;
    let a_shape = b.shape(a)?;
    let (m, n) = (a_shape[1], a_shape[2]);
    if ndim == 1 {
        right = b.reshape(right, Dims::from_slice(&[b.size, m, 1]))?;
    }
    let op = LinalgOp::Svd {
        full_matrices: false,
    };
    let svd = b.push(op, &[a])?;
    let (u, s) = (
        b.push(Op::Get { index: 0 }, &[svd])?,
        b.push(Op::Get { index: 1 }, &[svd])?,
    );
    let vh = b.push(Op::Get { index: 2 }, &[svd])?;
    // Singular values up to a part of the largest one count as zero; they fall, and are not negative.
    let real = dtype.real();
    let precision = real.epsilon();
    let relative = match rcond.rcond() {
        None => precision * m.max(n) as f64,
        Some(rcond) if rcond < 0.0 => precision,
        Some(rcond) => rcond,
    };
    let axes = Dims::from_slice(&[1]);
    let largest = if m.min(n) == 0 {
        // The largest of no singular values is never compared with.
        let keepdims = true;
        b.push(
            ReduceOp::Sum {
                axes: axes.clone(),
                keepdims,
            },
            &[s],
        )?
    } else {
        let keepdims = true;
        b.push(
            ReduceOp::Max {
                axes: axes.clone(),
                keepdims,
            },
            &[s],
        )?
    };
    let relative = b.graph.add_literal(relative, real);
    let cutoff = b.push(MapOp::Multiply, &[relative, largest])?;
    let counts = b.push(MapOp::Greater, &[s, cutoff])?;
    let keepdims = false;
    let rank = b.push(ReduceOp::Sum { axes, keepdims }, &[counts])?;
    let rank = b.cast(rank, DType::Int32)?;
    let (one, zero) = (b.graph.add_literal(1, real), b.graph.add_literal(0, dtype));
    // Nothing is divided by a zero, whose derivative would be one of nothing.
    let divisor = b.push(MapOp::Where, &[counts, s, one])?;
    let column = |b: &mut Batcher, x| {
        let mut shape = b.shape(x)?;
        shape.push(1);
        b.reshape(x, shape)
    };
    let (divisor, kept) = (column(b, divisor)?, column(b, counts)?);
    let uh = adjoint(b, u)?;
    let coefficients = b.push(ContractOp::Matmul, &[uh, right])?;
    let coefficients = b.push(MapOp::Divide, &[coefficients, divisor])?;
    let coefficients = b.push(MapOp::Where, &[kept, coefficients, zero])?;
    let v = adjoint(b, vh)?;
    let solutions = b.push(ContractOp::Matmul, &[v, coefficients])?;
    let fitted = b.push(ContractOp::Matmul, &[a, solutions])?;
    let rest = b.push(MapOp::Subtract, &[right, fitted])?;
    let size = b.push(MapOp::Absolute, &[rest])?;
    let squares = b.push(MapOp::Multiply, &[size, size])?;
    let axes = Dims::from_slice(&[1]);
    let keepdims = false;
    let residuals = b.push(ReduceOp::Sum { axes, keepdims }, &[squares])?;
    let mut shape = b.shape(solutions)?;
    if ndim == 1 {
        shape.pop();
    }
    let solutions = b.reshape(solutions, shape)?;
    let parts = [solutions, residuals, rank, s].map(batched);
    Ok(Mapped::Parts(parts.into_iter().collect()))
}

/// The conjugate transposes of a batch of matrices.
fn adjoint(b: &mut Batcher, x: ValueId) -> Result<ValueId> {
    let perm = Dims::from_slice(&[0, 2, 1]);
    let transposed = b.push(ViewOp::Transpose { perm }, &[x])?;
    if !b.graph.ty(x)?.dtype.is_complex() {
        return Ok(transposed);
    }
    b.push(MapOp::Conj, &[transposed])
}
