//! Eigenvalues: of Hermitian matrices by Jacobi's rotations, of general ones by the shifted QR iteration.
//!
//! Neither reduces to Hessenberg or tridiagonal form first, as the engines do.

use num_complex::Complex64;

use super::linalg::{
    Columns, ONE, ZERO, append, diverged, length, matrix, reflect, reflection, tuple, unit,
};
use super::shape::batches;
use super::{Tensor, one};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::Type;

/// The largest modulus; `None` if there are infinities or NaN.
fn scale(a: &Columns) -> Option<f64> {
    let finite = a.iter().flatten().all(|z| z.is_finite());
    let sizes = a.iter().flatten().map(|z| z.re.abs().max(z.im.abs()));
    finite.then(|| sizes.fold(0.0, f64::max))
}

fn divide(a: &mut Columns, scale: f64) {
    if scale > 0.0 {
        a.iter_mut().flatten().for_each(|z| *z /= scale);
    }
}

// ---- Hermitian matrices ----

/// Values, rising, and vectors; `None` if the iteration does not converge.
///
/// Source: Golub and Van Loan, "Matrix Computations", 8.5, with phases that make each pair real.
pub(super) fn hermitian(mut a: Columns) -> Option<(Vec<f64>, Columns)> {
    let n = a.len();
    // The lower triangle counts.
    for j in 0..n {
        let (before, rest) = a.split_at_mut(j);
        let column = &mut rest[0];
        column[j].im = 0.0;
        for (above, left) in column.iter_mut().zip(before) {
            *above = left[j].conj();
        }
    }
    let scale = scale(&a)?;
    divide(&mut a, scale);
    let mut v: Columns = (0..n).map(|j| unit(n, j)).collect();
    let mut sweeps = 0;
    loop {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= rotate(&mut a, &mut v, p, q);
            }
        }
        if !rotated {
            break;
        }
        sweeps += 1;
        if sweeps == 100 {
            return None;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i][i].re.total_cmp(&a[j][j].re));
    let values = order.iter().map(|&j| a[j][j].re * scale).collect();
    Some((values, order.iter().map(|&j| v[j].clone()).collect()))
}

/// Makes the element at `(p, q)` zero; whether it was not.
fn rotate(a: &mut Columns, v: &mut Columns, p: usize, q: usize) -> bool {
    let element = a[q][p];
    let size = element.norm();
    // All elements are at most one.
    if size <= f64::EPSILON * 0.5 {
        return false;
    }
    let phase = element / size;
    let theta = (a[q][q].re - a[p][p].re) / (2.0 * size);
    let t = 1.0f64.copysign(theta) / (theta.abs() + 1.0f64.hypot(theta));
    let cos = 1.0 / 1.0f64.hypot(t);
    let sin = cos * t;
    let pair = |x: Complex64, y: Complex64| (x * cos - y * sin, x * sin + y * cos);
    for columns in [&mut *a, v] {
        for i in 0..columns[p].len() {
            (columns[p][i], columns[q][i]) = pair(columns[p][i], columns[q][i] * phase.conj());
        }
    }
    for column in a.iter_mut() {
        (column[p], column[q]) = pair(column[p], column[q] * phase);
    }
    a[p][q] = ZERO;
    a[q][p] = ZERO;
    true
}

pub(crate) fn eigh(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let (w, v) = hermitian(matrix(x, &batch)).ok_or_else(|| diverged(&x.ty))?;
        values.extend(w.into_iter().map(Scalar::Float));
        append(&mut vectors, &v, n);
    }
    tuple(result, [values, vectors])
}

pub(crate) fn eigvalsh(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let mut values = Vec::new();
    for batch in batches(x.shape()) {
        let (w, _) = hermitian(matrix(x, &batch)).ok_or_else(|| diverged(&x.ty))?;
        values.extend(w.into_iter().map(Scalar::Float));
    }
    one(Tensor::new(result.array()?.clone(), values)?)
}

// ---- general matrices ----

/// A matrix as `scale q t q^H` with an upper triangular `t` and unitary `q`, both as columns.
struct Schur {
    t: Columns,
    q: Columns,
    scale: f64,
}

/// The decomposition; `None` if the iteration does not converge.
///
/// Source: Golub and Van Loan, 7.3 and 7.5: the QR iteration with Wilkinson's shifts on the part that is not
/// triangular yet, whose last row it makes zero.
fn schur(mut a: Columns) -> Option<Schur> {
    let n = a.len();
    let scale = scale(&a)?;
    divide(&mut a, scale);
    let mut q: Columns = (0..n).map(|j| unit(n, j)).collect();
    let mut active = n;
    let mut steps = 0;
    while active > 1 {
        let last = active - 1;
        let row: Vec<Complex64> = (0..last).map(|j| a[j][last]).collect();
        if length(&row) <= f64::EPSILON * n as f64 {
            (0..last).for_each(|j| a[j][last] = ZERO);
            active -= 1;
            steps = 0;
            continue;
        }
        steps += 1;
        if steps > 1000 {
            return None;
        }
        // Where the usual shift goes in circles, another one leads out.
        let shift = if steps % 11 == 10 {
            a[last][last] + Complex64::new(0.7, 0.3) * length(&row)
        } else {
            wilkinson(
                a[last - 1][last - 1],
                a[last][last - 1],
                a[last - 1][last],
                a[last][last],
            )
        };
        step(&mut a, &mut q, active, shift);
    }
    Some(Schur { t: a, q, scale })
}

/// The eigenvalue of `[[a, b], [c, d]]` that is nearer to `d`.
fn wilkinson(a: Complex64, b: Complex64, c: Complex64, d: Complex64) -> Complex64 {
    let half = (a - d) / 2.0;
    let root = (half * half + b * c).sqrt();
    let (near, far) = (d + half - root, d + half + root);
    if (near - d).norm() <= (far - d).norm() {
        near
    } else {
        far
    }
}

/// `a - shift` is factored as `u r`, and `a` becomes `u^H a u`, all in the first `active` rows and columns.
fn step(a: &mut Columns, q: &mut Columns, active: usize, shift: Complex64) {
    let mut r: Columns = a[..active].iter().map(|c| c[..active].to_vec()).collect();
    (0..active).for_each(|j| r[j][j] -= shift);
    for j in 0..active - 1 {
        let (v, tau, _) = reflection(&r[j][j..]);
        for column in &mut r[j..] {
            reflect(&v, tau.conj(), &mut column[j..]);
        }
        for column in a.iter_mut() {
            reflect(&v, tau.conj(), &mut column[j..active]);
        }
        // From the right, the reflection works on rows: on the columns of the conjugate transpose.
        for columns in [&mut *a, &mut *q] {
            for i in 0..columns[0].len() {
                let mut row: Vec<Complex64> = (j..active).map(|k| columns[k][i].conj()).collect();
                reflect(&v, tau.conj(), &mut row);
                (j..active).for_each(|k| columns[k][i] = row[k - j].conj());
            }
        }
    }
}

impl Schur {
    fn values(&self) -> impl Iterator<Item = Scalar> {
        let diagonal = self.t.iter().enumerate();
        diagonal.map(|(j, column)| Scalar::Complex(column[j] * self.scale))
    }

    /// The eigenvectors, of length one, as columns.
    fn vectors(&self) -> Columns {
        let (t, q) = (&self.t, &self.q);
        let n = t.len();
        let size = t.iter().flatten().map(|z| z.norm()).fold(0.0, f64::max);
        // Equal eigenvalues count as different ones, so that there always is a vector.
        let smallest = if size > 0.0 { size * f64::EPSILON } else { 1.0 };
        let vector = |j: usize| {
            let mut y = vec![ZERO; n];
            y[j] = ONE;
            for i in (0..j).rev() {
                let sum: Complex64 = (i + 1..=j).map(|k| t[k][i] * y[k]).sum();
                let mut distance = t[i][i] - t[j][j];
                if distance.norm() < smallest {
                    distance = smallest.into();
                }
                y[i] = -sum / distance;
            }
            let mut x: Vec<Complex64> = (0..n)
                .map(|i| (0..=j).map(|k| q[k][i] * y[k]).sum())
                .collect();
            let size = length(&x);
            x.iter_mut().for_each(|z| *z /= size);
            x
        };
        (0..n).map(vector).collect()
    }
}

pub(crate) fn eig(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let schur = schur(matrix(x, &batch)).ok_or_else(|| diverged(&x.ty))?;
        values.extend(schur.values());
        append(&mut vectors, &schur.vectors(), n);
    }
    tuple(result, [values, vectors])
}

pub(crate) fn eigvals(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let mut values = Vec::new();
    for batch in batches(x.shape()) {
        values.extend(
            schur(matrix(x, &batch))
                .ok_or_else(|| diverged(&x.ty))?
                .values(),
        );
    }
    one(Tensor::new(result.array()?.clone(), values)?)
}
