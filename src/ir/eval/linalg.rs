//! Linear algebra: QR by Householder reflections, singular values by one-sided Jacobi rotations, and norms.
//!
//! Everything is computed in `Complex<f64>`; real input stays real, because every rotation and reflection of
//! real numbers is real.

use num_complex::Complex64;

use super::reduce::sum_scalars;
use super::shape::batches;
use super::summation::Sum;
use super::{Indices, Tensor, one};
use crate::error::{Error, Result};
use crate::ir::NormOrder;
use crate::ir::scalar::Scalar;
use crate::ir::types::{ArrayType, Dims, Type};

/// A matrix as a list of columns.
type Columns = Vec<Vec<Complex64>>;

const ZERO: Complex64 = Complex64::new(0.0, 0.0);
const ONE: Complex64 = Complex64::new(1.0, 0.0);

/// The matrix at one multi-index of the leading axes.
fn matrix(x: &Tensor, batch: &[usize]) -> Columns {
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let element = |i: usize, j: usize| x.at(&[batch, &[i, j]].concat()).to_complex();
    (0..n)
        .map(|j| (0..m).map(|i| element(i, j)).collect())
        .collect()
}

/// Appends the first `rows` rows of a matrix to the data of a tensor.
fn append(data: &mut Vec<Scalar>, columns: &[Vec<Complex64>], rows: usize) {
    for i in 0..rows {
        data.extend(columns.iter().map(|column| Scalar::Complex(column[i])));
    }
}

fn conjugate_transpose(columns: &[Vec<Complex64>], rows: usize) -> Columns {
    (0..rows)
        .map(|i| columns.iter().map(|column| column[i].conj()).collect())
        .collect()
}

/// The tensors of a tuple, from the data of each.
fn tuple(result: &Type, data: impl IntoIterator<Item = Vec<Scalar>>) -> Result<Vec<Tensor>> {
    let types = result.arrays().iter().cloned();
    types.zip(data).map(|(ty, d)| Tensor::new(ty, d)).collect()
}

/// `x^H y`, summed with compensation.
fn inner(x: &[Complex64], y: &[Complex64]) -> Complex64 {
    let mut sum = super::summation::ComplexSum::default();
    x.iter()
        .zip(y)
        .for_each(|(a, &b)| sum.add_product(a.conj(), b));
    sum.value()
}

/// The Euclidean length, scaled so that no square overflows or vanishes.
fn length(x: &[Complex64]) -> f64 {
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

// ---- qr ----

/// A reflection `1 - tau v v^H` that maps `x` onto the first axis, and the image.
///
/// Source: LAPACK's `zlarfg`, whose signs NumPy shows: the image is `-sign(Re x_0) |x|`.
fn reflection(x: &[Complex64]) -> (Vec<Complex64>, Complex64, Complex64) {
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
fn reflect(v: &[Complex64], tau: Complex64, y: &mut [Complex64]) {
    let factor = tau * inner(v, y);
    y.iter_mut().zip(v).for_each(|(y, v)| *y -= factor * v);
}

/// The reduced decomposition, with LAPACK's signs: the diagonal of R may be negative.
pub(in crate::ir) fn qr(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let k = m.min(n);
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
        let mut q: Columns = (0..k).map(|j| unit(m, j)).collect();
        for (j, (v, tau)) in reflections.iter().enumerate().rev() {
            for column in &mut q {
                reflect(v, *tau, &mut column[j..]);
            }
        }
        append(&mut q_data, &q, m);
        append(&mut r_data, &r, k);
    }
    tuple(result, [q_data, r_data])
}

fn unit(m: usize, j: usize) -> Vec<Complex64> {
    let mut column = vec![ZERO; m];
    column[j] = ONE;
    column
}

// ---- svd ----

/// `x = u diag(s) vh` with the thin factors; `s` falls.
struct Decomposition {
    u: Columns,
    s: Vec<f64>,
    v: Columns,
}

/// One-sided Jacobi: rotates pairs of columns until all are orthogonal.
///
/// Source: M. Hestenes, "Inversion of matrices by biorthogonalization", 1958; Golub and Van Loan, 8.6.3.
fn decompose(mut a: Columns, m: usize) -> Result<Decomposition> {
    let n = a.len();
    if m < n {
        let flipped = decompose(conjugate_transpose(&a, m), n)?;
        return Ok(Decomposition {
            u: flipped.v,
            s: flipped.s,
            v: flipped.u,
        });
    }
    let diverged = || Error::linear_algebra("the singular value decomposition did not converge");
    let elements = || a.iter().flatten();
    if elements().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
        return Err(diverged());
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
            return Err(diverged());
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
    Ok(Decomposition {
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

pub(in crate::ir) fn svd(
    full_matrices: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let (mut u_data, mut s_data, mut vh_data) = (Vec::new(), Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let Decomposition { mut u, s, mut v } = decompose(matrix(x, &batch), m)?;
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

// ---- norms ----

/// `numpy.linalg.norm`, by the definition of each order.
pub(in crate::ir) fn norm(
    order: &NormOrder,
    axes: &Option<Dims>,
    _keepdims: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let axes = axes.clone().unwrap_or_else(|| (0..x.ty.ndim()).collect());
    let shape: Vec<usize> = x.shape().to_vec();
    let sizes: Vec<usize> = axes.iter().map(|&a| shape[a]).collect();
    let kept: Vec<usize> = (0..shape.len())
        .map(|a| if axes.contains(&a) { 1 } else { shape[a] })
        .collect();
    let mut data = Vec::new();
    for outer in Indices::new(&kept) {
        // The elements under this norm, as an array over `axes` in their order.
        let element = |inner: &[usize]| {
            let mut index = outer.clone();
            axes.iter().zip(inner).for_each(|(&a, &i)| index[a] = i);
            x.at(&index)
        };
        let part = Tensor::build(&ArrayType::new(x.ty.dtype, &sizes), element);
        data.push(Scalar::Float(match (order, sizes.len()) {
            (NormOrder::Default | NormOrder::Frobenius, _) => euclidean(&part),
            (_, 1) => vector_norm(*order, &part)?,
            _ => matrix_norm(*order, &part)?,
        }));
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let values = values.into_iter().map(Scalar::Float);
    sum_scalars(values, crate::ir::DType::Float64).to_f64()
}

/// No scaling: like NumPy's, it overflows where a square does.
fn euclidean(x: &Tensor) -> f64 {
    let parts = x.data.iter().map(|s| s.to_complex());
    sum(parts.flat_map(|z| [z.re * z.re, z.im * z.im])).sqrt()
}

fn magnitude(s: &Scalar) -> f64 {
    match s {
        Scalar::Complex(z) => z.re.hypot(z.im),
        other => other.to_f64().abs(),
    }
}

/// The extremum, where NaN wins; nothing has the largest magnitude zero, and no smallest.
fn extremum(values: impl IntoIterator<Item = f64>, largest: bool) -> Result<f64> {
    let better = |x: f64, y: f64| {
        if x.is_nan() || y.is_nan() {
            f64::NAN
        } else if largest {
            x.max(y)
        } else {
            x.min(y)
        }
    };
    match values.into_iter().reduce(better) {
        Some(best) => Ok(best),
        None if largest => Ok(0.0),
        None => Err(Error::value("an empty array has no smallest element")),
    }
}

fn vector_norm(order: NormOrder, x: &Tensor) -> Result<f64> {
    let magnitudes = || x.data.iter().map(magnitude);
    match order {
        NormOrder::Infinity => extremum(magnitudes(), true),
        NormOrder::NegativeInfinity => extremum(magnitudes(), false),
        _ => Ok(match order.as_number().unwrap_or(2.0) {
            0.0 => magnitudes().filter(|&x| x != 0.0).count() as f64,
            1.0 => sum(magnitudes()),
            2.0 => euclidean(x),
            p => sum(magnitudes().map(|x| x.powf(p))).powf(1.0 / p),
        }),
    }
}

fn matrix_norm(order: NormOrder, x: &Tensor) -> Result<f64> {
    let columns = matrix(x, &[]);
    let rows = x.shape()[0];
    let size = |z: &Complex64| z.re.hypot(z.im);
    let column_sums = || columns.iter().map(|c| sum(c.iter().map(size)));
    let row_sums = || (0..rows).map(|i| sum(columns.iter().map(|c| size(&c[i]))));
    let values = || Ok::<_, Error>(decompose(columns.clone(), rows)?.s);
    match (order, order.as_number()) {
        (NormOrder::Infinity, _) => extremum(row_sums(), true),
        (NormOrder::NegativeInfinity, _) => extremum(row_sums(), false),
        (NormOrder::Nuclear, _) => Ok(sum(values()?)),
        (_, Some(1.0)) => extremum(column_sums(), true),
        (_, Some(-1.0)) => extremum(column_sums(), false),
        (_, Some(2.0)) => extremum(values()?, true),
        (_, Some(-2.0)) => extremum(values()?, false),
        _ => Err(Error::value(format!(
            "matrices have no norm of order {order}"
        ))),
    }
}
