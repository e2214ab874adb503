//! Tangents of decompositions, and of functions of matrices with several results.
//!
//! Where singular values or eigenvalues are equal, singular vectors and eigenvectors have no derivative, but functions of
//! the spaces that they span may have one: the part of the derivative that would turn equal ones into each other is left
//! out. The tangents are finite, and right for functions that do not depend on the choice of the vectors and whose
//! derivative does not split the equal values. The free phases of complex vectors do not turn, nor does a basis of the
//! space that a full decomposition adds, except to stay orthonormal.

use super::super::writer::Writer;
use super::linalg::sum_of_matrix;
use super::spectra::{hermitian_part, inverses, pairs};
use super::{Site, Tangent};
use crate::error::{Error, Result};
use crate::modes::Cutoff;
use crate::{LinalgOp, MapOp, Op, QrMode, ValueId};

pub(super) fn tangents(
    w: &mut Writer,
    op: &LinalgOp,
    site: &Site<'_>,
    wanted: &[bool],
) -> Result<Vec<Tangent>> {
    let none = || vec![None; wanted.len()];
    if w.ty(site.x[0])?.size() == 0 {
        return Ok(none());
    }
    if let LinalgOp::Lstsq { rcond } = op {
        return least_squares(w, *rcond, site, wanted);
    }
    let Some(t) = site.t[0] else {
        return Ok(none());
    };
    let decomposition = Decomposition {
        x: site.x[0],
        t,
        of: site.out,
    };
    match op {
        LinalgOp::Qr { mode } => decomposition.qr(w, *mode),
        LinalgOp::Svd { .. } => decomposition.svd(w, wanted),
        LinalgOp::Eigh => decomposition.eigh(w, wanted),
        LinalgOp::Eig => decomposition.eig(w, wanted),
        LinalgOp::Lu => decomposition.lu(w),
        LinalgOp::Slogdet => decomposition.slogdet(w),
        LinalgOp::Lstsq { .. }
        | LinalgOp::Norm { .. }
        | LinalgOp::Svdvals
        | LinalgOp::Eigvalsh
        | LinalgOp::Eigvals
        | LinalgOp::Cholesky
        | LinalgOp::Inv
        | LinalgOp::Det
        | LinalgOp::Expm
        | LinalgOp::Pinv { .. }
        | LinalgOp::Solve
        | LinalgOp::SolveTriangular { .. } => {
            Err(Error::internal(format!("{} has one result", op.name())))
        }
    }
}

/// Solves with a triangle on the left.
fn solve_triangular(
    w: &mut Writer,
    (lower, unit_diagonal): (bool, bool),
    a: ValueId,
    b: ValueId,
) -> Result<ValueId> {
    let op = LinalgOp::SolveTriangular {
        lower,
        unit_diagonal,
    };
    w.op(op, &[a, b])
}

/// `b a^-1` for an upper triangle `a`.
fn divide_by_upper(w: &mut Writer, b: ValueId, a: ValueId) -> Result<ValueId> {
    let (a, b) = (w.swap(a)?, w.swap(b)?);
    let solution = solve_triangular(w, (true, false), a, b)?;
    w.swap(solution)
}

/// The rest of an orthonormal basis, which turns only to stay orthogonal: `-q (dq^H rest)`.
fn turned_rest(w: &mut Writer, q: ValueId, dq: ValueId, rest: ValueId) -> Result<ValueId> {
    let dq = w.adjoint(dq)?;
    let product = w.matmul(dq, rest)?;
    let product = w.matmul(q, product)?;
    w.neg(product)
}

/// The rows or columns of an identity of `n` that a factor with `k` lacks.
fn extra_identity(
    w: &mut Writer,
    factor: ValueId,
    axis: usize,
    (n, k): (usize, usize),
) -> Result<ValueId> {
    let ty = w.ty(factor)?;
    let identity = w.on_diagonal(n - k)?;
    let identity = w.cast(identity, ty.dtype)?;
    let other = if axis + 1 == ty.ndim() { 0 } else { 1 };
    let rest = w.pad(identity, other, [k, 0], 0.0)?;
    let mut shape = ty.shape;
    shape[axis] = n - k;
    w.broadcast(rest, &shape)
}

struct Decomposition {
    x: ValueId,
    t: ValueId,
    /// The tuple of results.
    of: ValueId,
}

impl Decomposition {
    fn part(&self, w: &mut Writer, index: usize) -> Result<ValueId> {
        w.op(Op::Get { index }, &[self.of])
    }

    /// Number of leading axes, rows and columns.
    fn sizes(&self, w: &Writer) -> Result<(usize, usize, usize)> {
        let shape = w.shape(self.x)?;
        let batch = shape.len() - 2;
        Ok((batch, shape[batch], shape[batch + 1]))
    }

    /// With `c = q^H dA r^-1`, `dq = q (o - c) + dA r^-1` and `dr = (c - o) r`, where `o` is skew and equals `c` below
    /// the diagonal; columns beyond the rows follow from `r = q^H x`.
    ///
    /// Source: Walter, Lehmann and Lamour, "On evaluating higher-order derivatives of the QR decomposition of tall
    /// matrices" (2012); Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms" (2020).
    fn qr(&self, w: &mut Writer, mode: QrMode) -> Result<Vec<Tangent>> {
        let (rows, m, n) = self.sizes(w)?;
        let columns = rows + 1;
        let k = m.min(n);
        let (q, r) = (self.part(w, 0)?, self.part(w, 1)?);
        let q1 = w.narrow(q, columns, 0, k)?;
        let r1 = w.narrow(r, rows, 0, k)?;
        let r1 = w.narrow(r1, columns, 0, k)?;
        let t1 = w.narrow(self.t, columns, 0, k)?;
        let quotient = divide_by_upper(w, t1, r1)?;
        let q1_adjoint = w.adjoint(q1)?;
        let c = w.matmul(q1_adjoint, quotient)?;
        let below = w.lower(c, -1)?;
        let above = w.adjoint(below)?;
        let mut skew = w.sub(below, above)?;
        if w.dtype(c)?.is_complex() {
            // The diagonal of r stays real.
            let identity = w.on_diagonal(k)?;
            let diagonal = w.keep(identity, c)?;
            let real = w.real(diagonal)?;
            let imaginary = w.sub(diagonal, real)?;
            skew = w.add(skew, imaginary)?;
        }
        let turn = w.sub(skew, c)?;
        let along = w.matmul(q1, turn)?;
        let mut dq = w.add(along, quotient)?;
        let change = w.matmul(turn, r1)?;
        let mut dr = w.neg(change)?;
        if n > m {
            let x2 = w.narrow(self.x, columns, m, n - m)?;
            let t2 = w.narrow(self.t, columns, m, n - m)?;
            let dq_adjoint = w.adjoint(dq)?;
            let first = w.matmul(dq_adjoint, x2)?;
            let second = w.matmul(q1_adjoint, t2)?;
            let rest = w.add(first, second)?;
            dr = w.concatenate(columns, &[dr, rest])?;
        }
        if mode == QrMode::Complete && m > n {
            let rest = w.narrow(q, columns, k, m - k)?;
            let rest = turned_rest(w, q1, dq, rest)?;
            dq = w.concatenate(columns, &[dq, rest])?;
            dr = w.pad(dr, rows, [0, m - n], 0.0)?;
        }
        Ok(vec![Some(dq), Some(dr)])
    }

    /// With `d = u^H dA v`, its Hermitian part `h` and skew part `k`: `ds = diag(d)`, and the bases turn by
    /// `h_ij / (s_j - s_i) +- k_ij / (s_j + s_i)`, which loses nothing for equal values as long as `h` is zero there.
    ///
    /// Source: Townsend, "Differentiating the singular value decomposition" (2016).
    fn svd(&self, w: &mut Writer, wanted: &[bool]) -> Result<Vec<Tangent>> {
        let (rows, m, n) = self.sizes(w)?;
        let columns = rows + 1;
        let k = m.min(n);
        let (u_all, s, vh_all) = (self.part(w, 0)?, self.part(w, 1)?, self.part(w, 2)?);
        let u = w.narrow(u_all, columns, 0, k)?;
        let vh = w.narrow(vh_all, rows, 0, k)?;
        let v = w.adjoint(vh)?;
        let tv = w.matmul(self.t, v)?;
        if !wanted[0] && !wanted[2] {
            let products = w.along(u, tv)?;
            let ds = w.sum(products, &[rows], false)?;
            return Ok(vec![None, Some(ds), None]);
        }
        let u_adjoint = w.adjoint(u)?;
        let d = w.matmul(u_adjoint, tv)?;
        let diagonal = w.diagonal(d)?;
        let ds = w.real(diagonal)?;
        let d_adjoint = w.adjoint(d)?;
        let (sum, difference) = (w.add(d, d_adjoint)?, w.sub(d, d_adjoint)?);
        let gaps = pairs(w, MapOp::Subtract, s)?;
        let sums = pairs(w, MapOp::Add, s)?;
        let (gaps, sums) = (inverses(w, gaps, s)?, inverses(w, sums, s)?);
        let (gaps, sums) = (w.scale(gaps, 0.5)?, w.scale(sums, 0.5)?);
        let (apart, together) = (w.mul(sum, gaps)?, w.mul(difference, sums)?);
        let inverse = inverses(w, s, s)?;
        let inverse = w.as_row(inverse)?;

        let du = if wanted[0] {
            let turn = w.add(apart, together)?;
            let mut du = w.matmul(u, turn)?;
            if m > k {
                let inside = w.matmul(u, d)?;
                let outside = w.sub(tv, inside)?;
                let outside = w.mul(outside, inverse)?;
                du = w.add(du, outside)?;
            }
            if w.shape(u_all)?[columns] > k {
                let rest = w.narrow(u_all, columns, k, m - k)?;
                let rest = turned_rest(w, u, du, rest)?;
                du = w.concatenate(columns, &[du, rest])?;
            }
            Some(du)
        } else {
            None
        };
        let dvh = if wanted[2] {
            let turn = w.sub(apart, together)?;
            let mut dv = w.matmul(v, turn)?;
            if n > k {
                let t_adjoint = w.adjoint(self.t)?;
                let tu = w.matmul(t_adjoint, u)?;
                let inside = w.matmul(v, d_adjoint)?;
                let outside = w.sub(tu, inside)?;
                let outside = w.mul(outside, inverse)?;
                dv = w.add(dv, outside)?;
            }
            if w.shape(vh_all)?[rows] > k {
                let rest = w.narrow(vh_all, rows, k, n - k)?;
                let rest = w.adjoint(rest)?;
                let rest = turned_rest(w, v, dv, rest)?;
                dv = w.concatenate(columns, &[dv, rest])?;
            }
            Some(w.adjoint(dv)?)
        } else {
            None
        };
        Ok(vec![du, Some(ds), dvh])
    }

    /// With `d = v^H dA v`: `dw = diag(d)`, `dv_j = sum_i v_i d_ij / (w_j - w_i)`.
    fn eigh(&self, w: &mut Writer, wanted: &[bool]) -> Result<Vec<Tangent>> {
        let (rows, ..) = self.sizes(w)?;
        let (values, v) = (self.part(w, 0)?, self.part(w, 1)?);
        if !wanted[1] {
            let tv = w.matmul(self.t, v)?;
            let products = w.along(v, tv)?;
            return Ok(vec![Some(w.sum(products, &[rows], false)?), None]);
        }
        let t = hermitian_part(w, self.t)?;
        let tv = w.matmul(t, v)?;
        let v_adjoint = w.adjoint(v)?;
        let d = w.matmul(v_adjoint, tv)?;
        let diagonal = w.diagonal(d)?;
        let dw = w.real(diagonal)?;
        let gaps = pairs(w, MapOp::Subtract, values)?;
        let gaps = inverses(w, gaps, values)?;
        let turn = w.mul(d, gaps)?;
        Ok(vec![Some(dw), Some(w.matmul(v, turn)?)])
    }

    /// With `d = v^-1 dA v`: `dw = diag(d)`, `dv_j = sum_i v_i d_ij / (w_j - w_i)` less what changes the length.
    ///
    /// Source: Boeddeker et al., "On the computation of complex-valued gradients with application to statistically
    /// optimum beamforming" (2017).
    fn eig(&self, w: &mut Writer, wanted: &[bool]) -> Result<Vec<Tangent>> {
        let (rows, ..) = self.sizes(w)?;
        let (values, v) = (self.part(w, 0)?, self.part(w, 1)?);
        let tv = w.matmul(self.t, v)?;
        let d = w.op(LinalgOp::Solve, &[v, tv])?;
        let dw = w.diagonal(d)?;
        if !wanted[1] {
            return Ok(vec![Some(dw), None]);
        }
        let gaps = pairs(w, MapOp::Subtract, values)?;
        let gaps = inverses(w, gaps, values)?;
        let turn = w.mul(d, gaps)?;
        let dv = w.matmul(v, turn)?;
        let longer = w.along(v, dv)?;
        let longer = w.sum(longer, &[rows], true)?;
        let longer = w.mul(longer, v)?;
        Ok(vec![Some(dw), Some(w.sub(dv, longer)?)])
    }

    /// With `d = l^-1 p^T dA u^-1`: `dl = l lower(d)` without the diagonal, `du = upper(d) u`; the longer factor is made
    /// square by an identity. The permutation is constant.
    fn lu(&self, w: &mut Writer) -> Result<Vec<Tangent>> {
        let (rows, m, n) = self.sizes(w)?;
        let columns = rows + 1;
        let k = m.min(n);
        let (p, mut l, mut u) = (self.part(w, 0)?, self.part(w, 1)?, self.part(w, 2)?);
        if m > k {
            let rest = extra_identity(w, l, columns, (m, k))?;
            l = w.concatenate(columns, &[l, rest])?;
        }
        if n > k {
            let rest = extra_identity(w, u, rows, (n, k))?;
            u = w.concatenate(rows, &[u, rest])?;
        }
        let p = w.swap(p)?;
        let moved = w.matmul(p, self.t)?;
        let left = solve_triangular(w, (true, true), l, moved)?;
        let d = divide_by_upper(w, left, u)?;
        let (below, above) = (w.lower(d, -1)?, w.upper(d, 0)?);
        let (dl, du) = (w.matmul(l, below)?, w.matmul(above, u)?);
        let (dl, du) = (w.narrow(dl, columns, 0, k)?, w.narrow(du, rows, 0, k)?);
        Ok(vec![None, Some(dl), Some(du)])
    }

    /// With `d = trace(A^-1 dA)`: the logarithm changes by its real part, the sign turns by the imaginary one.
    fn slogdet(&self, w: &mut Writer) -> Result<Vec<Tangent>> {
        let inverse = w.op(LinalgOp::Inv, &[self.x])?;
        let inverse = w.swap(inverse)?;
        let products = w.mul(self.t, inverse)?;
        let trace = sum_of_matrix(w, products)?;
        let real = w.real(trace)?;
        let dsign = if w.dtype(trace)?.is_complex() {
            let sign = self.part(w, 0)?;
            let imaginary = w.sub(trace, real)?;
            Some(w.mul(imaginary, sign)?)
        } else {
            None
        };
        Ok(vec![dsign, Some(real)])
    }
}

/// With the pseudoinverse `p` of `a` and `r = b - a x`:
/// `dx = p (db - dA x) + p p^H dA^H r + (1 - p a) dA^H p^H x`, while the rank does not change.
///
/// Source: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
/// variables separate" (1973).
fn least_squares(
    w: &mut Writer,
    rcond: Cutoff,
    site: &Site<'_>,
    wanted: &[bool],
) -> Result<Vec<Tangent>> {
    let (a, b) = (site.x[0], site.x[1]);
    let is_vector = w.ty(b)?.ndim() == 1;
    let as_matrix = |w: &mut Writer, x: ValueId| {
        if is_vector { w.as_column(x) } else { Ok(x) }
    };
    let mut tangents = vec![None; wanted.len()];
    if let (true, Some(t)) = (wanted[3], site.t[0]) {
        let svd = w.op(
            LinalgOp::Svd {
                full_matrices: false,
            },
            &[a],
        )?;
        let [u, vh] = [0, 2].map(|index| w.op(Op::Get { index }, &[svd]));
        let (u, v) = (w.adjoint(u?)?, w.adjoint(vh?)?);
        let tv = w.matmul(t, v)?;
        let ut = w.matmul(u, tv)?;
        let diagonal = w.diagonal(ut)?;
        tangents[3] = Some(w.real(diagonal)?);
    }
    if !wanted[0] && !wanted[1] {
        return Ok(tangents);
    }
    let x = w.op(Op::Get { index: 0 }, &[site.out])?;
    let x = as_matrix(w, x)?;
    let b = as_matrix(w, b)?;
    let ax = w.matmul(a, x)?;
    let rest = w.sub(b, ax)?;
    let tb = match site.t[1] {
        Some(t) => Some(as_matrix(w, t)?),
        None => None,
    };
    let moved = match site.t[0] {
        Some(t) => {
            let product = w.matmul(t, x)?;
            Some(w.neg(product)?)
        }
        None => None,
    };
    let Some(change) = w.total([tb, moved])? else {
        return Ok(tangents);
    };
    if wanted[1] {
        let products = w.along(rest, change)?;
        let sum = w.sum(products, &[0], false)?;
        tangents[1] = Some(w.scale(sum, 2.0)?);
    }
    if !wanted[0] {
        return Ok(tangents);
    }
    let ty = w.ty(a)?;
    let rcond = match rcond.rcond() {
        Some(rcond) if rcond < 0.0 => Cutoff::new(Some(ty.dtype.epsilon())),
        _ => rcond,
    };
    let op = LinalgOp::Pinv {
        rcond,
        hermitian: false,
    };
    let p = w.op(op, &[a])?;
    let mut terms = vec![Some(w.matmul(p, change)?)];
    if let Some(t) = site.t[0] {
        let (t, p_adjoint) = (w.adjoint(t)?, w.adjoint(p)?);
        let product = w.matmul(t, rest)?;
        let product = w.matmul(p_adjoint, product)?;
        terms.push(Some(w.matmul(p, product)?));
        let back = w.matmul(p_adjoint, x)?;
        let product = w.matmul(t, back)?;
        let inside = w.matmul(a, product)?;
        let inside = w.matmul(p, inside)?;
        terms.push(Some(w.sub(product, inside)?));
    }
    let total = w.total(terms)?;
    let shape = w.shape(x)?;
    let shape = if is_vector { &shape[..1] } else { &shape };
    tangents[0] = match total {
        Some(t) => Some(w.reshape(t, shape)?),
        None => None,
    };
    Ok(tangents)
}
