//! Tangents of norms, and of functions of matrices with one result.
//!
//! Degenerate points: norms have the derivative 0 where they are 0, and by elements that are 0 (of orders below 1 too).
//! `det` is differentiated by its cofactors up to three rows, else by the inverse, so that a singular matrix is an error
//! there, as for `inv` itself.

use super::super::writer::{Mode, Whole, Writer};
use super::spectra::hermitian_part;
use super::{Site, Tangent, pinv};
use crate::error::{Error, Result};
use crate::types::{Axes, Dims};
use crate::{LinalgOp, MapOp, NormOrder, ValueId};

pub(super) fn tangent(w: &mut Writer, op: &LinalgOp, site: &Site<'_>) -> Result<Tangent> {
    let (x, t) = (site.x[0], site.t[0]);
    match op {
        LinalgOp::Solve | LinalgOp::SolveTriangular { .. } => return solve(w, op, site).map(Some),
        LinalgOp::Norm { .. }
        | LinalgOp::Cholesky
        | LinalgOp::Inv
        | LinalgOp::Det
        | LinalgOp::Expm
        | LinalgOp::Pinv { .. }
        | LinalgOp::Svdvals
        | LinalgOp::Eigvalsh
        | LinalgOp::Eigvals
        | LinalgOp::Qr { .. }
        | LinalgOp::Svd { .. }
        | LinalgOp::Eigh
        | LinalgOp::Eig
        | LinalgOp::Lu
        | LinalgOp::Slogdet
        | LinalgOp::Lstsq { .. } => {}
    }
    let Some(t) = t else { return Ok(None) };
    if w.ty(x)?.size() == 0 {
        return Ok(None);
    }
    match op {
        LinalgOp::Norm {
            order,
            axes,
            keepdims,
        } => norm(w, *order, (axes.as_ref(), *keepdims), [x, t], site.out).map(Some),
        LinalgOp::Cholesky => cholesky(w, site.out, t).map(Some),
        LinalgOp::Inv => {
            let product = w.matmul(t, site.out)?;
            let product = w.matmul(site.out, product)?;
            w.neg(product).map(Some)
        }
        LinalgOp::Pinv { rcond, hermitian } => {
            pinv::tangent(w, (*rcond, *hermitian), [x, t], site.out).map(Some)
        }
        LinalgOp::Det => {
            let cofactors = cofactors(w, x, site.out)?;
            let products = w.mul(t, cofactors)?;
            sum_of_matrix(w, products).map(Some)
        }
        LinalgOp::Expm => match w.mode {
            Mode::Forward => w.expm_along(x, t).map(Some),
            Mode::Reverse => {
                let ty = w.ty(x)?;
                let value = w.placeholder(ty);
                w.whole.insert(value, Whole::Expm { x, t });
                Ok(Some(value))
            }
        },
        LinalgOp::Solve | LinalgOp::SolveTriangular { .. } => Ok(None),
        LinalgOp::Svdvals
        | LinalgOp::Eigvalsh
        | LinalgOp::Eigvals
        | LinalgOp::Qr { .. }
        | LinalgOp::Svd { .. }
        | LinalgOp::Eigh
        | LinalgOp::Eig
        | LinalgOp::Lu
        | LinalgOp::Slogdet
        | LinalgOp::Lstsq { .. } => Err(Error::internal(format!(
            "{} was to be written with others, or has several results",
            op.name()
        ))),
    }
}

/// The sum over the last two axes.
pub(super) fn sum_of_matrix(w: &mut Writer, x: ValueId) -> Result<ValueId> {
    let ndim = w.ty(x)?.ndim();
    w.sum(x, &[ndim - 2, ndim - 1], false)
}

/// Of the Euclidean norm `x / |x|`, of others `sign(x) (|x_i| / |x|)^(p - 1)`; zero where the norm or the element is.
fn norm(
    w: &mut Writer,
    order: NormOrder,
    (axes, keepdims): (Option<&Axes>, bool),
    [x, t]: [ValueId; 2],
    out: ValueId,
) -> Result<ValueId> {
    let shape = w.shape(x)?;
    let mut axes: Dims = match axes {
        Some(axes) => Dims::from_slice(axes),
        None => (0..shape.len()).collect(),
    };
    axes.sort_unstable();
    let mut kept = shape;
    axes.iter().for_each(|&a| kept[a] = 1);
    let length = w.reshape(out, &kept)?;
    let length = w.nonzero(length)?;
    let direction = match order.as_number() {
        None | Some(2.0) => w.div(x, length)?,
        Some(p) => {
            let size = w.op(MapOp::Absolute, &[x])?;
            let part = w.div(size, length)?;
            let is_zero = w.is_zero(part)?;
            let part = w.nonzero(part)?;
            let below = w.number(p - 1.0, part)?;
            let power = w.op(MapOp::Power, &[part, below])?;
            let power = w.drop(is_zero, power)?;
            let sign = w.op(MapOp::Sign, &[x])?;
            w.mul(sign, power)?
        }
    };
    let terms = w.along(direction, t)?;
    w.sum(terms, &axes, keepdims)
}

/// `L phi(L^-1 dA L^-H)`, where `phi` takes the lower triangle and half of the diagonal.
///
/// Source: Murray, "Differentiation of the Cholesky decomposition" (2016).
fn cholesky(w: &mut Writer, lower: ValueId, t: ValueId) -> Result<ValueId> {
    let t = hermitian_part(w, t)?;
    let solve = LinalgOp::SolveTriangular {
        lower: true,
        unit_diagonal: false,
    };
    let left = w.op(solve.clone(), &[lower, t])?;
    let left = w.adjoint(left)?;
    let both = w.op(solve, &[lower, left])?;
    let below = w.lower(both, -1)?;
    let shape = w.shape(lower)?;
    let diagonal = w.on_diagonal(shape[shape.len() - 1])?;
    let diagonal = w.keep(diagonal, both)?;
    let half = w.scale(diagonal, 0.5)?;
    let triangle = w.add(below, half)?;
    w.matmul(lower, triangle)
}

/// The derivatives of the determinant by the elements.
fn cofactors(w: &mut Writer, x: ValueId, det: ValueId) -> Result<ValueId> {
    let shape = w.shape(x)?;
    let (rows, n) = (shape.len() - 2, shape[shape.len() - 1]);
    let cycled = |w: &mut Writer, x: ValueId, axis: usize, by: usize| -> Result<ValueId> {
        let first = w.narrow(x, axis, by, n - by)?;
        let last = w.narrow(x, axis, 0, by)?;
        w.concatenate(axis, &[first, last])
    };
    match n {
        1 => w.fill(1.0, &w.ty(x)?),
        2 => {
            // [[d, -c], [-b, a]]
            let turned = w.flip(x, rows)?;
            let turned = w.flip(turned, rows + 1)?;
            let dtype = w.dtype(x)?;
            let signs = w.matrix(dtype, (2, 2), |i, j| if i == j { 1.0 } else { -1.0 })?;
            w.mul(turned, signs)
        }
        3 => {
            // Row i is the cross product of the two rows after it: its element j is the determinant of what is left of
            // their columns j + 1 and j + 2.
            let (next, after) = (cycled(w, x, rows, 1)?, cycled(w, x, rows, 2)?);
            let (a, b) = (
                cycled(w, next, rows + 1, 1)?,
                cycled(w, after, rows + 1, 2)?,
            );
            let (c, d) = (
                cycled(w, next, rows + 1, 2)?,
                cycled(w, after, rows + 1, 1)?,
            );
            let (plus, minus) = (w.mul(a, b)?, w.mul(c, d)?);
            w.sub(plus, minus)
        }
        _ => {
            let inverse = w.op(LinalgOp::Inv, &[x])?;
            let transposed = w.swap(inverse)?;
            let det = w.as_column(det)?;
            let det = w.as_column(det)?;
            w.mul(transposed, det)
        }
    }
}

/// `A^-1 (dB - dA X)`, where of a triangular `A` only the triangle that is read counts.
fn solve(w: &mut Writer, op: &LinalgOp, site: &Site<'_>) -> Result<ValueId> {
    let (a, b, out) = (site.x[0], site.x[1], site.out);
    let is_vector = w.ty(b)?.ndim() == 1;
    let as_matrix = |w: &mut Writer, x: ValueId| {
        if is_vector { w.as_column(x) } else { Ok(x) }
    };
    let change = match site.t[0] {
        Some(t) => {
            let t = match *op {
                LinalgOp::SolveTriangular {
                    lower,
                    unit_diagonal,
                } => {
                    let off = i64::from(unit_diagonal);
                    if lower {
                        w.lower(t, -off)?
                    } else {
                        w.upper(t, off)?
                    }
                }
                _ => t,
            };
            let solution = as_matrix(w, out)?;
            Some(w.matmul(t, solution)?)
        }
        None => None,
    };
    let right = match (site.t[1], change) {
        (Some(t), Some(change)) => {
            let t = as_matrix(w, t)?;
            w.sub(t, change)?
        }
        (Some(t), None) => as_matrix(w, t)?,
        (None, Some(change)) => w.neg(change)?,
        (None, None) => return Err(Error::internal("a tangent of nothing")),
    };
    let result = w.op(op.clone(), &[a, right])?;
    let shape = w.shape(out)?;
    w.reshape(result, &shape)
}
