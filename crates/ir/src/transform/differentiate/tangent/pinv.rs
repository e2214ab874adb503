//! Tangents of pseudoinverses.

use super::spectra::{hermitian_part, inverses, pairs};
use crate::error::Result;
use crate::transform::differentiate::writer::Writer;
use crate::types::Dims;
use crate::{Cutoff, LinalgOp, MapOp, Op, ReduceOp, ValueId};

/// The derivative while the rank does not change, and no value crosses the cutoff.
pub(super) fn tangent(
    w: &mut Writer,
    (rcond, hermitian): (Cutoff, bool),
    [a, t]: [ValueId; 2],
    p: ValueId,
) -> Result<ValueId> {
    let ty = w.ty(a)?;
    let (m, n) = (ty.shape[ty.ndim() - 2], ty.shape[ty.ndim() - 1]);
    // Values up to this are rounding errors of zeros. What a larger cutoff takes away are numbers that have derivatives.
    let rounding = ty.dtype.epsilon() * m.max(n).max(16) as f64;
    let t = if hermitian { hermitian_part(w, t)? } else { t };
    match rcond.rcond() {
        Some(part) if part > rounding && hermitian => of_eigenvalues(w, a, t, part),
        Some(part) if part > rounding => of_singular_values(w, a, t, part),
        _ => {
            let a = if hermitian { from_lower(w, a)? } else { a };
            of_rank(w, a, t, p)
        }
    }
}

/// `-p dA p + p p^H dA^H (1 - a p) + (1 - p a) dA^H p^H p`: of no decomposition, so that equal values are like others.
///
/// Source: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
/// variables separate" (1973).
fn of_rank(w: &mut Writer, a: ValueId, t: ValueId, p: ValueId) -> Result<ValueId> {
    let (p_adjoint, t_adjoint) = (w.adjoint(p)?, w.adjoint(t)?);
    let inside = w.matmul(t, p)?;
    let inside = w.matmul(p, inside)?;

    let seen = w.matmul(t_adjoint, a)?;
    let seen = w.matmul(seen, p)?;
    let left = w.sub(t_adjoint, seen)?;
    let left = w.matmul(p_adjoint, left)?;
    let left = w.matmul(p, left)?;

    let seen = w.matmul(a, t_adjoint)?;
    let seen = w.matmul(p, seen)?;
    let right = w.sub(t_adjoint, seen)?;
    let right = w.matmul(right, p_adjoint)?;
    let right = w.matmul(right, p)?;

    let outside = w.add(left, right)?;
    w.sub(outside, inside)
}

/// The Hermitian matrix of which the lower triangle is read.
fn from_lower(w: &mut Writer, a: ValueId) -> Result<ValueId> {
    let ty = w.ty(a)?;
    let below = w.lower(a, -1)?;
    let above = w.adjoint(below)?;
    let identity = w.on_diagonal(ty.shape[ty.ndim() - 1])?;
    let diagonal = w.keep(identity, a)?;
    let diagonal = w.real(diagonal)?;
    let triangles = w.add(below, above)?;
    w.add(triangles, diagonal)
}

/// The inverses of the values that count, zero for the others.
struct Inverses {
    values: ValueId,
    counts: ValueId,
    inverse: ValueId,
}

impl Inverses {
    fn new(w: &mut Writer, values: ValueId, part: f64) -> Result<Self> {
        let axis = w.ty(values)?.ndim() - 1;
        let sizes = w.op(MapOp::Absolute, &[values])?;
        let max = ReduceOp::Max {
            axes: Dims::from_slice(&[axis]),
            keepdims: true,
        };
        let largest = w.op(max, &[sizes])?;
        let limit = w.scale(largest, part)?;
        let counts = w.op(MapOp::Greater, &[sizes, limit])?;
        let inverse = w.inverse_or_zero(values)?;
        let inverse = w.keep(counts, inverse)?;
        Ok(Self {
            values,
            counts,
            inverse,
        })
    }

    /// `(f_j - f_i) / (s_j - s_i)` of values `s` and their inverses `f`, which is `-f_i f_j` where both count: nothing is divided
    /// by the difference of equal values.
    fn divided_differences(&self, w: &mut Writer) -> Result<ValueId> {
        let both = pairs(w, MapOp::LogicalAnd, self.counts)?;
        let products = pairs(w, MapOp::Multiply, self.inverse)?;
        let products = w.neg(products)?;
        let gaps = pairs(w, MapOp::Subtract, self.values)?;
        let gaps = inverses(w, gaps, self.values)?;
        let differences = pairs(w, MapOp::Subtract, self.inverse)?;
        let differences = w.mul(differences, gaps)?;
        w.select(both, products, differences)
    }

    /// `(f_j + f_i) / (s_j + s_i)`.
    fn divided_sums(&self, w: &mut Writer) -> Result<ValueId> {
        let sums = pairs(w, MapOp::Add, self.values)?;
        let inverses = inverses(w, sums, self.values)?;
        let sums = pairs(w, MapOp::Add, self.inverse)?;
        w.mul(sums, inverses)
    }
}

/// With `d = u^H dA v`, its Hermitian part `h` and skew part `k`, and `f` for the inverses of the singular values `s`: the adjoint
/// of `p` changes by `h_ij (f_j - f_i) / (s_j - s_i) + k_ij (f_j + f_i) / (s_j + s_i)` between the spaces, and by `f_j / s_j`
/// times what leaves them.
///
/// Source: Noferini, "A formula for the Frechet derivative of a generalized matrix function" (2017).
fn of_singular_values(w: &mut Writer, a: ValueId, t: ValueId, part: f64) -> Result<ValueId> {
    let shape = w.shape(a)?;
    let (m, n) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let svd = LinalgOp::Svd {
        full_matrices: false,
    };
    let svd = w.op(svd, &[a])?;
    let [u, s, vh] = [0, 1, 2].map(|index| w.op(Op::Get { index }, &[svd]));
    let (u, s, vh) = (u?, s?, vh?);
    let (u_adjoint, v) = (w.adjoint(u)?, w.adjoint(vh)?);
    let f = Inverses::new(w, s, part)?;
    let tv = w.matmul(t, v)?;
    let d = w.matmul(u_adjoint, tv)?;
    let d_adjoint = w.adjoint(d)?;
    let symmetric = hermitian_part(w, d)?;
    let skew = w.sub(d, symmetric)?;
    let (differences, sums) = (f.divided_differences(w)?, f.divided_sums(w)?);
    let (symmetric, skew) = (w.mul(symmetric, differences)?, w.mul(skew, sums)?);
    let between = w.add(symmetric, skew)?;
    let between = w.matmul(u, between)?;
    let mut change = w.matmul(between, vh)?;
    let squares = w.mul(f.inverse, f.inverse)?;
    let squares = w.as_row(squares)?;
    if m > n {
        let inside = w.matmul(u, d)?;
        let outside = w.sub(tv, inside)?;
        let outside = w.mul(outside, squares)?;
        let outside = w.matmul(outside, vh)?;
        change = w.add(change, outside)?;
    }
    if n > m {
        let t_adjoint = w.adjoint(t)?;
        let tu = w.matmul(t_adjoint, u)?;
        let inside = w.matmul(v, d_adjoint)?;
        let outside = w.sub(tu, inside)?;
        let outside = w.mul(outside, squares)?;
        let outside = w.adjoint(outside)?;
        let outside = w.matmul(u, outside)?;
        change = w.add(change, outside)?;
    }
    w.adjoint(change)
}

/// With `d = v^H dA v`: `v d_ij (f_j - f_i) / (w_j - w_i) v^H`.
fn of_eigenvalues(w: &mut Writer, a: ValueId, t: ValueId, part: f64) -> Result<ValueId> {
    let eigh = w.op(LinalgOp::Eigh, &[a])?;
    let [values, v] = [0, 1].map(|index| w.op(Op::Get { index }, &[eigh]));
    let (values, v) = (values?, v?);
    let v_adjoint = w.adjoint(v)?;
    let f = Inverses::new(w, values, part)?;
    let tv = w.matmul(t, v)?;
    let d = w.matmul(v_adjoint, tv)?;
    let differences = f.divided_differences(w)?;
    let d = w.mul(d, differences)?;
    let change = w.matmul(v, d)?;
    w.matmul(change, v_adjoint)
}
