//! Decompositions: QR by Householder reflections, singular values by one-sided Jacobi rotations.
//!
//! Everything is computed in `Complex<f64>`; real input stays real, because every rotation and reflection of
//! real numbers is real.

use num_complex::Complex64;

use super::Tensor;
use super::shape::batches;
use super::summation::Sum;
use crate::QrMode;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::types::{ArrayType, Type};

/// A matrix as a list of columns.
pub(super) type Columns = Vec<Vec<Complex64>>;

pub(super) const ZERO: Complex64 = Complex64::new(0.0, 0.0);
pub(super) const ONE: Complex64 = Complex64::new(1.0, 0.0);

/// The matrix at one multi-index of the leading axes.
pub(super) fn matrix(x: &Tensor, batch: &[usize]) -> Columns {
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let element = |i: usize, j: usize| x.at(&[batch, &[i, j]].concat()).to_complex();
    (0..n)
        .map(|j| (0..m).map(|i| element(i, j)).collect())
        .collect()
}

/// Appends the first `rows` rows of a matrix to the data of a tensor.
pub(super) fn append(data: &mut Vec<Scalar>, columns: &[Vec<Complex64>], rows: usize) {
    for i in 0..rows {
        data.extend(columns.iter().map(|column| Scalar::Complex(column[i])));
    }
}

pub(super) fn conjugate_transpose(columns: &[Vec<Complex64>], rows: usize) -> Columns {
    (0..rows)
        .map(|i| columns.iter().map(|column| column[i].conj()).collect())
        .collect()
}

/// The tensors of a tuple, from the data of each.
pub(super) fn tuple(
    result: &Type,
    data: impl IntoIterator<Item = Vec<Scalar>>,
) -> Result<Vec<Tensor>> {
    let types = result.arrays().iter().cloned();
    types.zip(data).map(|(ty, d)| Tensor::new(ty, d)).collect()
}

/// `x^H y`, summed with compensation.
pub(super) fn inner(x: &[Complex64], y: &[Complex64]) -> Complex64 {
    let mut sum = super::summation::ComplexSum::default();
    x.iter()
        .zip(y)
        .for_each(|(a, &b)| sum.add_product(a.conj(), b));
    sum.value()
}

/// The Euclidean length, scaled so that no square overflows or vanishes.
pub(super) fn length(x: &[Complex64]) -> f64 {
    let largest = x
        .iter()
        .fold(0.0f64, |l, z| l.max(z.re.abs()).max(z.im.abs()));
    if x.iter().any(|z| z.re.is_nan() || z.im.is_nan()) {
        return f64::NAN;
    }
    if largest == 0.0 || largest.is_infinite() {
        return largest;
    }
    let mut sum = Sum::default();
    for z in x {
        let (re, im) = (z.re / largest, z.im / largest);
        sum.add_product(re, re);
        sum.add_product(im, im);
    }
    sum.value().sqrt() * largest
}

/// The error of an iteration on matrices of this type.
pub(super) fn diverged(ty: &ArrayType) -> Error {
    Error::linear_algebra(format!(
        "the iteration did not converge for {ty}, expected finite elements"
    ))
}

// ---- qr ----

/// A reflection `1 - tau v v^H` that maps `x` onto the first axis, and the image.
///
/// Source: LAPACK's `zlarfg`, whose signs NumPy shows: the image is `-sign(Re x_0) |x|`.
pub(super) fn reflection(x: &[Complex64]) -> (Vec<Complex64>, Complex64, Complex64) {
    let alpha = x[0];
    let tail = length(&x[1..]);
    if tail == 0.0 && alpha.im == 0.0 {
        return (vec![ZERO; x.len()], ZERO, alpha);
    }
    let norm = tail.hypot(alpha.re.hypot(alpha.im));
    let beta = if alpha.re.is_sign_negative() {
        norm
    } else {
        -norm
    };
    let tau = Complex64::new((beta - alpha.re) / beta, -alpha.im / beta);
    let mut v: Vec<Complex64> = x.iter().map(|z| z / (alpha - beta)).collect();
    v[0] = ONE;
    (v, tau, Complex64::new(beta, 0.0))
}

/// `y - tau v (v^H y)`.
pub(super) fn reflect(v: &[Complex64], tau: Complex64, y: &mut [Complex64]) {
    let factor = tau * inner(v, y);
    y.iter_mut().zip(v).for_each(|(y, v)| *y -= factor * v);
}

/// With LAPACK's signs: the diagonal of R may be negative.
pub(crate) fn qr(mode: &QrMode, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let k = m.min(n);
    let columns = match mode {
        QrMode::Reduced => k,
        QrMode::Complete => m,
    };
    let (mut q_data, mut r_data) = (Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let mut r = matrix(x, &batch);
        let mut reflections = Vec::with_capacity(k);
        for j in 0..k {
            let (v, tau, image) = reflection(&r[j][j..]);
            for column in &mut r[j + 1..] {
                reflect(&v, tau.conj(), &mut column[j..]);
            }
            r[j][j] = image;
            r[j][j + 1..].fill(ZERO);
            reflections.push((v, tau));
        }
        let mut q: Columns = (0..columns).map(|j| unit(m, j)).collect();
        for (j, (v, tau)) in reflections.iter().enumerate().rev() {
            for column in &mut q {
                reflect(v, *tau, &mut column[j..]);
            }
        }
        append(&mut q_data, &q, m);
        append(&mut r_data, &r, columns);
    }
    tuple(result, [q_data, r_data])
}

pub(super) fn unit(m: usize, j: usize) -> Vec<Complex64> {
    let mut column = vec![ZERO; m];
    column[j] = ONE;
    column
}

// ---- svd ----

/// `x = u diag(s) vh` with the thin factors; `s` falls.
pub(super) struct Decomposition {
    pub(super) u: Columns,
    pub(super) s: Vec<f64>,
    pub(super) v: Columns,
}

/// One-sided Jacobi: rotates pairs of columns until all are orthogonal.
///
/// `None` if an element is not finite, or the iteration does not converge.
///
/// Source: M. Hestenes, "Inversion of matrices by biorthogonalization", 1958; Golub and Van Loan, 8.6.3.
pub(super) fn decompose(mut a: Columns, m: usize) -> Option<Decomposition> {
    let n = a.len();
    if m < n {
        let flipped = decompose(conjugate_transpose(&a, m), n)?;
        return Some(Decomposition {
            u: flipped.v,
            s: flipped.s,
            v: flipped.u,
        });
    }
    let elements = || a.iter().flatten();
    if elements().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
        return None;
    }
    // Entries of at most one keep squares in range.
    let scale = elements().fold(0.0f64, |l, z| l.max(z.re.abs()).max(z.im.abs()));
    if scale > 0.0 {
        // Division by a subnormal scale could overflow the inverse, so every entry is divided.
        a.iter_mut()
            .flatten()
            .for_each(|z| *z = Complex64::new(z.re / scale, z.im / scale));
    }
    let mut v: Columns = (0..n).map(|j| unit(n, j)).collect();
    let mut rotated = true;
    let mut sweeps = 0;
    while rotated {
        if sweeps == 100 {
            return None;
        }
        rotated = false;
        sweeps += 1;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= orthogonalize(&mut a, &mut v, p, q);
            }
        }
    }
    let mut order: Vec<(f64, usize)> = (0..n).map(|j| (length(&a[j]), j)).collect();
    order.sort_by(|x, y| y.0.total_cmp(&x.0));
    let mut u = Columns::with_capacity(n);
    for &(s, j) in &order {
        // Columns of length zero have no direction: any that is orthogonal to the others will do.
        let direction = a[j].iter().map(|z| if s > 0.0 { z / s } else { ZERO });
        let direction: Vec<Complex64> = direction.collect();
        match orthonormal(&u, &direction) {
            Some(column) => u.push(column),
            None => extend_basis(&mut u, m),
        }
    }
    Some(Decomposition {
        u,
        s: order.iter().map(|(s, _)| s * scale).collect(),
        v: order.iter().map(|&(_, j)| v[j].clone()).collect(),
    })
}

/// Rotates columns `p` and `q` so that they become orthogonal; whether it was needed.
fn orthogonalize(a: &mut Columns, v: &mut Columns, p: usize, q: usize) -> bool {
    let (x, y) = (length(&a[p]), length(&a[q]));
    let overlap = inner(&a[p], &a[q]);
    let size = overlap.re.hypot(overlap.im);
    // Columns this short beside the largest entry, which is one, are zero but for rounding.
    let rounding = f64::EPSILON * (8.0 + a[p].len() as f64);
    if size <= rounding * x * y || x.min(y) < 1e-140 {
        return false;
    }
    let phase = overlap / size;
    let zeta = (y - x) * (y + x) / (2.0 * size);
    let t = 1.0f64.copysign(zeta) / (zeta.abs() + 1.0f64.hypot(zeta));
    let cos = 1.0 / 1.0f64.hypot(t);
    let sin = cos * t;
    for columns in [a, v] {
        for i in 0..columns[p].len() {
            // The phase makes the overlap real, so that a real rotation does.
            let (x, y) = (columns[p][i], columns[q][i] * phase.conj());
            columns[p][i] = x * cos - y * sin;
            columns[q][i] = x * sin + y * cos;
        }
    }
    true
}

/// The direction made orthogonal to a basis, with length one; `None` if nothing is left of it.
fn orthonormal(basis: &[Vec<Complex64>], direction: &[Complex64]) -> Option<Vec<Complex64>> {
    let mut rest = direction.to_vec();
    // Twice is enough (Kahan and Parlett).
    for _ in 0..2 {
        for b in basis {
            let overlap = inner(b, &rest);
            rest.iter_mut().zip(b).for_each(|(r, b)| *r -= overlap * b);
        }
    }
    let left = length(&rest);
    (left > 0.1).then(|| rest.iter().map(|z| z / left).collect())
}

/// Adds one orthonormal column: the coordinate axis that the basis covers least.
fn extend_basis(basis: &mut Columns, m: usize) {
    let covered = |j: usize| basis.iter().map(|b| b[j].norm_sqr()).sum::<f64>();
    let Some(j) = (0..m).min_by(|&i, &j| covered(i).total_cmp(&covered(j))) else {
        return;
    };
    let mut rest = unit(m, j);
    for _ in 0..2 {
        for b in basis.iter() {
            let overlap = inner(b, &rest);
            rest.iter_mut().zip(b).for_each(|(r, b)| *r -= overlap * b);
        }
    }
    let left = length(&rest);
    basis.push(rest.iter().map(|z| z / left).collect());
}

/// The singular values of a matrix with `rows` rows, falling.
pub(super) fn singular_values(x: &ArrayType, columns: Columns, rows: usize) -> Result<Vec<f64>> {
    Ok(decompose(columns, rows).ok_or_else(|| diverged(x))?.s)
}

pub(crate) fn svdvals(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let rows = x.shape()[x.ty.ndim() - 2];
    let mut data = Vec::new();
    for batch in batches(x.shape()) {
        let values = singular_values(&x.ty, matrix(x, &batch), rows)?;
        data.extend(values.into_iter().map(Scalar::Float));
    }
    Ok(vec![Tensor::new(result.array()?.clone(), data)?])
}

pub(crate) fn svd(full_matrices: &bool, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let (mut u_data, mut s_data, mut vh_data) = (Vec::new(), Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let found = decompose(matrix(x, &batch), m);
        let Decomposition { mut u, s, mut v } = found.ok_or_else(|| diverged(&x.ty))?;
        if *full_matrices {
            while u.len() < m {
                extend_basis(&mut u, m);
            }
            while v.len() < n {
                extend_basis(&mut v, n);
            }
        }
        append(&mut u_data, &u, m);
        s_data.extend(s.into_iter().map(Scalar::Float));
        let rows = v.len();
        append(&mut vh_data, &conjugate_transpose(&v, n), rows);
    }
    tuple(result, [u_data, s_data, vh_data])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Indices;
    use crate::{ContractOp, DType, Dims, LinalgOp, MapOp, Op, ViewOp};

    /// Numbers without a pattern, from a fixed seed.
    fn random(ty: &ArrayType) -> Tensor {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2_000_001) as f64 / 1e6 - 1.0
        };
        Tensor::build(ty, |_| Scalar::Complex(Complex64::new(next(), next())))
    }

    fn run(op: &Op, inputs: &[&Tensor]) -> Vec<Tensor> {
        let inputs: Vec<Tensor> = inputs.iter().map(|&t| t.clone()).collect();
        crate::eval::evaluate_op(op, &inputs).unwrap()
    }

    fn product(x: &Tensor, y: &Tensor) -> Tensor {
        run(&Op::Contract(ContractOp::Matmul), &[x, y]).remove(0)
    }

    fn adjoint(x: &Tensor) -> Tensor {
        let perm = Dims::from_slice(&[1, 0]);
        let conj = run(&Op::Map(MapOp::Conj), &[x]).remove(0);
        run(&Op::View(ViewOp::Transpose { perm }), &[&conj]).remove(0)
    }

    fn distance(x: &Tensor, y: &Tensor) -> f64 {
        assert_eq!(x.shape(), y.shape());
        let difference = run(&Op::Map(MapOp::Subtract), &[x, y]).remove(0);
        let sizes = difference.data.iter().map(|s| s.to_complex().norm());
        sizes.fold(0.0, f64::max)
    }

    fn identity(n: usize) -> Tensor {
        let ty = ArrayType::new(DType::Float64, &[n, n]);
        Tensor::build(&ty, |i| Scalar::Bool(i[0] == i[1]))
    }

    fn check_svd(x: &Tensor, full_matrices: bool) -> Vec<f64> {
        let parts = run(&Op::Linalg(LinalgOp::Svd { full_matrices }), &[x]);
        let [u, s, vh] = parts.as_slice() else {
            panic!("three results")
        };
        let (m, n, k) = (x.shape()[0], x.shape()[1], s.shape()[0]);
        let values: Vec<f64> = s.data.iter().map(|s| s.to_f64()).collect();
        assert!(values.is_sorted_by(|a, b| a >= b) && values.iter().all(|&s| s >= 0.0));
        let unit_u = product(&adjoint(u), u);
        let unit_v = product(vh, &adjoint(vh));
        assert!(distance(&unit_u, &identity(u.shape()[1])) < 1e-14);
        assert!(distance(&unit_v, &identity(vh.shape()[0])) < 1e-14);
        let scaled = Tensor::build(&ArrayType::new(x.ty.dtype, &[m, k]), |i| {
            Scalar::Complex(u.at(i).to_complex() * values[i[1]])
        });
        let rows = Tensor::build(&ArrayType::new(x.ty.dtype, &[k, n]), |i| vh.at(i));
        let scale = values.first().copied().unwrap_or(0.0);
        assert!(distance(&product(&scaled, &rows), x) <= 1e-14 * scale);
        values
    }

    #[test]
    fn singular_values_of_any_shape_and_rank() {
        for dtype in [DType::Float64, DType::Complex128] {
            for (m, n) in [
                (1, 1),
                (5, 5),
                (12, 3),
                (3, 12),
                (1, 4),
                (20, 20),
                (3, 0),
                (0, 2),
            ] {
                let x = random(&ArrayType::new(dtype, &[m, n]));
                check_svd(&x, false);
                check_svd(&x, true);
            }
            // Rank two, so that most singular values are zero but for rounding.
            let thin = random(&ArrayType::new(dtype, &[15, 2]));
            let values = check_svd(&product(&thin, &adjoint(&thin)), false);
            assert!(values[1] > 0.1 && values[2] < 1e-14 * values[0]);
            // Columns from 1 to 1e-300.
            let x = random(&ArrayType::new(dtype, &[6, 6]));
            let graded = Tensor::build(&x.ty, |i| {
                Scalar::Complex(x.at(i).to_complex() * 10f64.powi(-60 * i[1] as i32))
            });
            check_svd(&graded, true);
        }
    }

    #[test]
    fn qr_of_any_shape() {
        for dtype in [DType::Float64, DType::Complex128] {
            for (m, n) in [(1, 1), (5, 5), (9, 4), (4, 9), (0, 2), (2, 0)] {
                let x = random(&ArrayType::new(dtype, &[m, n]));
                let parts = run(
                    &Op::Linalg(LinalgOp::Qr {
                        mode: QrMode::Reduced,
                    }),
                    &[&x],
                );
                let (q, r) = (&parts[0], &parts[1]);
                assert!(distance(&product(q, r), &x) < 1e-14);
                assert!(distance(&product(&adjoint(q), q), &identity(m.min(n))) < 1e-14);
                for i in Indices::new(r.shape()) {
                    assert!(i[0] <= i[1] || !r.at(&i).is_true(), "R is triangular");
                }
            }
        }
    }
}
