//! Reductions and norms written with others.

use super::{Builder, Expanded};
use crate::error::Error;
use crate::types::{Axes, Dims};
use crate::{LinalgOp, MapOp, NormOrder, Op, ReduceOp, ValueId};

pub(crate) fn sum_where(
    axes: &Dims,
    keepdims: &bool,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let dtype = b.ty(x[0])?.dtype;
    let zero = b.literal(0, dtype);
    let kept = b.push(Op::Map(MapOp::Where), &[x[1], x[0], zero])?;
    b.push(
        Op::Reduce(ReduceOp::Sum {
            axes: axes.clone(),
            keepdims: *keepdims,
        }),
        &[kept],
    )
}

/// `numpy.linalg.norm`: vectors over one axis, matrices over two, everything for the default order.
pub(crate) fn norm(
    order: &NormOrder,
    axes: &Option<Axes>,
    keepdims: &bool,
    b: &mut Builder<'_>,
    x: &[ValueId],
) -> Expanded {
    let x = x[0];
    let ty = b.ty(x)?;
    let axes: Dims = match axes {
        Some(axes) => Dims::from_slice(axes),
        None => (0..ty.ndim()).collect(),
    };
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    let real = ty.dtype.real();
    let kept = match (order, axes.as_slice()) {
        (NormOrder::Default | NormOrder::Frobenius, _) => euclidean_norm(b, x, sorted.clone())?,
        (NormOrder::Number(_), &[axis]) => {
            vector_norm(b, x, axis, order.as_number().unwrap_or(2.0))?
        }
        (NormOrder::Nuclear, &[rows, columns]) => {
            let values = singular_values(b, x, rows, columns)?;
            b.sum(values, Dims::from_slice(&[ty.ndim() - 2]), false)?
        }
        (NormOrder::Number(_), &[rows, columns]) => match order.as_number() {
            Some(p) if p.abs() == 2.0 => {
                let values = singular_values(b, x, rows, columns)?;
                extremum(b, values, ty.ndim() - 2, p > 0.0)?
            }
            p => {
                let sums = absolute_sum(b, x, rows)?;
                extremum(b, sums, columns, p > Some(0.0))?
            }
        },
        (NormOrder::Infinity | NormOrder::NegativeInfinity, &[first, ref rest @ ..]) => {
            let largest = *order == NormOrder::Infinity;
            match rest.first() {
                Some(&columns) => {
                    let sums = absolute_sum(b, x, columns)?;
                    extremum(b, sums, first, largest)?
                }
                None => {
                    let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
                    extremum(b, magnitude, first, largest)?
                }
            }
        }
        _ => {
            return Err(Error::internal(format!(
                "no norm of order {order} over {} axes",
                axes.len()
            )));
        }
    };
    let kept = b.cast(kept, real)?;
    let reduced = ty.shape.iter().enumerate();
    let shape: Dims = reduced
        .filter_map(|(a, &n)| {
            if axes.contains(&a) {
                keepdims.then_some(1)
            } else {
                Some(n)
            }
        })
        .collect();
    b.reshape(kept, &shape)
}

fn euclidean_norm(b: &mut Builder<'_>, x: ValueId, axes: Dims) -> Expanded {
    let mut squares = b.push(Op::Map(MapOp::Real), &[x])?;
    squares = b.push(Op::Map(MapOp::Multiply), &[squares, squares])?;
    if b.ty(x)?.dtype.is_complex() {
        let imag = b.push(Op::Map(MapOp::Imag), &[x])?;
        let imag = b.push(Op::Map(MapOp::Multiply), &[imag, imag])?;
        squares = b.push(Op::Map(MapOp::Add), &[squares, imag])?;
    }
    let sum = b.sum(squares, axes, true)?;
    b.push(Op::Map(MapOp::Sqrt), &[sum])
}

fn vector_norm(b: &mut Builder<'_>, x: ValueId, axis: usize, p: f64) -> Expanded {
    if p == 2.0 {
        return euclidean_norm(b, x, Dims::from_slice(&[axis]));
    }
    let real = b.ty(x)?.dtype.real();
    if p == 0.0 {
        let zero = b.literal(0, real);
        let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
        let counted = b.push(Op::Map(MapOp::NotEqual), &[magnitude, zero])?;
        let counted = b.cast(counted, real)?;
        return b.sum(counted, Dims::from_slice(&[axis]), true);
    }
    if p == 1.0 {
        return absolute_sum(b, x, axis);
    }
    let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
    let (power, root) = (b.literal(p, real), b.literal(1.0 / p, real));
    let powers = b.push(Op::Map(MapOp::Power), &[magnitude, power])?;
    let sum = b.sum(powers, Dims::from_slice(&[axis]), true)?;
    b.push(Op::Map(MapOp::Power), &[sum, root])
}

fn absolute_sum(b: &mut Builder<'_>, x: ValueId, axis: usize) -> Expanded {
    let magnitude = b.push(Op::Map(MapOp::Absolute), &[x])?;
    b.sum(magnitude, Dims::from_slice(&[axis]), true)
}

fn extremum(b: &mut Builder<'_>, x: ValueId, axis: usize, largest: bool) -> Expanded {
    let axes = Dims::from_slice(&[axis]);
    if largest && b.ty(x)?.shape[axis] == 0 {
        // The largest of no magnitudes is zero, as NumPy has it; the empty sum gives just that.
        return b.sum(x, axes, true);
    }
    let op = if largest {
        Op::Reduce(ReduceOp::Max {
            axes,
            keepdims: true,
        })
    } else {
        Op::Reduce(ReduceOp::Min {
            axes,
            keepdims: true,
        })
    };
    b.push(op, &[x])
}

/// The singular values of the matrices over two axes, as the new last axis.
fn singular_values(b: &mut Builder<'_>, x: ValueId, rows: usize, columns: usize) -> Expanded {
    let ndim = b.ty(x)?.ndim();
    let mut perm: Dims = (0..ndim).filter(|&a| a != rows && a != columns).collect();
    perm.extend([rows, columns]);
    let matrices = b.transpose(x, perm)?;
    b.push(Op::Linalg(LinalgOp::Svdvals), &[matrices])
}
