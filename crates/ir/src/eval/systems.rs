//! Systems of equations: Gaussian elimination, Cholesky's factor, substitution, least squares, exponentials.
//!
//! Everything is computed in `Complex<f64>`, one batch after the other, by textbook loops.

use num_complex::Complex64;

use super::eigen::hermitian as hermitian_eigen;
use super::linalg::{Decomposition, ONE, ZERO, decompose, diverged, inner, matrix, tuple};
use super::shape::batches;
use super::{Indices, Tensor, one};
use crate::Cutoff;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::types::{ArrayType, Type};

/// A matrix as a list of rows.
type Rows = Vec<Vec<Complex64>>;

/// The matrix at a multi-index of leading axes to which those of `x` broadcast.
fn rows_at(x: &Tensor, batch: &[usize]) -> Rows {
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let element = |i, j| x.at_broadcast(&[batch, &[i, j]].concat()).to_complex();
    (0..m)
        .map(|i| (0..n).map(|j| element(i, j)).collect())
        .collect()
}

fn append(data: &mut Vec<Scalar>, rows: &[Vec<Complex64>]) {
    data.extend(rows.iter().flatten().map(|&z| Scalar::Complex(z)));
}

fn identity(n: usize) -> Rows {
    let element = |i, j| if i == j { ONE } else { ZERO };
    (0..n)
        .map(|i| (0..n).map(|j| element(i, j)).collect())
        .collect()
}

fn singular(ty: &ArrayType) -> Error {
    Error::linear_algebra(format!("a matrix of {ty} is singular"))
}

// ---- elimination ----

/// Below the diagonal the factors of the lower triangle, above and on it the upper triangle.
struct Elimination {
    rows: Rows,
    /// Row `i` was row `order[i]` of the matrix.
    order: Vec<usize>,
    odd: bool,
    singular: bool,
}

/// Gaussian elimination with the largest pivot of each column.
fn eliminate(mut rows: Rows, columns: usize) -> Elimination {
    let m = rows.len();
    let mut order: Vec<usize> = (0..m).collect();
    let (mut odd, mut singular) = (false, false);
    for j in 0..m.min(columns) {
        let size = |i: &usize| rows[*i][j].re.abs() + rows[*i][j].im.abs();
        let best = (j..m).reduce(|a, b| if size(&b) > size(&a) { b } else { a });
        let best = best.unwrap_or(j);
        if best != j {
            rows.swap(j, best);
            order.swap(j, best);
            odd = !odd;
        }
        let pivot = rows[j].clone();
        if pivot[j] == ZERO {
            singular = true;
            continue;
        }
        for row in &mut rows[j + 1..] {
            let factor = row[j] / pivot[j];
            row[j] = factor;
            for (x, p) in row[j + 1..].iter_mut().zip(&pivot[j + 1..]) {
                *x -= factor * p;
            }
        }
    }
    Elimination {
        rows,
        order,
        odd,
        singular,
    }
}

impl Elimination {
    fn diagonal(&self) -> impl Iterator<Item = Complex64> {
        self.rows.iter().enumerate().map(|(i, row)| row[i])
    }

    /// The solutions for the right sides in the rows of `b`.
    fn solve(&self, b: &[Vec<Complex64>]) -> Rows {
        let permuted: Rows = self.order.iter().map(|&i| b[i].clone()).collect();
        let y = substitute(&self.rows, true, true, permuted);
        substitute(&self.rows, false, false, y)
    }
}

/// Solves with one triangle of `a`, of which the diagonal may count as ones.
fn substitute(a: &[Vec<Complex64>], lower: bool, unit: bool, mut x: Rows) -> Rows {
    let n = a.len();
    for step in 0..n {
        let i = if lower { step } else { n - 1 - step };
        let known = if lower { 0..i } else { i + 1..n };
        for column in 0..x[i].len() {
            let mut value = x[i][column];
            for j in known.clone() {
                value -= a[i][j] * x[j][column];
            }
            x[i][column] = if unit { value } else { value / a[i][i] };
        }
    }
    x
}

pub(crate) fn lu(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let k = m.min(n);
    let mut data: [Vec<Scalar>; 3] = Default::default();
    for batch in batches(x.shape()) {
        let Elimination { rows, order, .. } = eliminate(rows_at(x, &batch), n);
        let mut p = vec![vec![ZERO; m]; m];
        order.iter().enumerate().for_each(|(i, &o)| p[o][i] = ONE);
        let lower = |i: usize, j: usize| match i.cmp(&j) {
            std::cmp::Ordering::Less => ZERO,
            std::cmp::Ordering::Equal => ONE,
            std::cmp::Ordering::Greater => rows[i][j],
        };
        let l: Rows = (0..m)
            .map(|i| (0..k).map(|j| lower(i, j)).collect())
            .collect();
        let upper = |i: usize, j: usize| if i <= j { rows[i][j] } else { ZERO };
        let u: Rows = (0..k)
            .map(|i| (0..n).map(|j| upper(i, j)).collect())
            .collect();
        for (data, factor) in data.iter_mut().zip([p, l, u]) {
            append(data, &factor);
        }
    }
    tuple(result, data)
}

pub(crate) fn inv(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let mut data = Vec::new();
    for batch in batches(x.shape()) {
        let elimination = eliminate(rows_at(x, &batch), n);
        if elimination.singular {
            return Err(singular(&x.ty));
        }
        append(&mut data, &elimination.solve(&identity(n)));
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

pub(crate) fn det(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let determinants = batches(x.shape()).map(|batch| {
        let elimination = eliminate(rows_at(x, &batch), n);
        let sign = if elimination.odd { -ONE } else { ONE };
        Scalar::Complex(elimination.diagonal().fold(sign, |product, d| product * d))
    });
    one(Tensor::new(result.array()?.clone(), determinants)?)
}

pub(crate) fn slogdet(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let (mut signs, mut logarithms) = (Vec::new(), Vec::new());
    for batch in batches(x.shape()) {
        let elimination = eliminate(rows_at(x, &batch), n);
        let (mut sign, mut logarithm) = (if elimination.odd { -ONE } else { ONE }, 0.0);
        for d in elimination.diagonal() {
            let size = d.norm();
            sign = if size == 0.0 { ZERO } else { sign * (d / size) };
            logarithm += size.ln();
        }
        signs.push(Scalar::Complex(sign));
        logarithms.push(Scalar::Float(logarithm));
    }
    tuple(result, [signs, logarithms])
}

/// Calls `solve` with each matrix of `a` and its right sides, as rows.
fn solve_with(
    inputs: &[Tensor],
    result: &Type,
    solve: impl Fn(Rows, Rows) -> Result<Rows>,
) -> Result<Vec<Tensor>> {
    let (a, b) = (&inputs[0], &inputs[1]);
    let ty = result.array()?;
    let vector = b.ty.ndim() == 1;
    let axes = if vector { 1 } else { 2 };
    let mut data = Vec::new();
    for batch in Indices::new(&ty.shape[..ty.ndim() - axes]) {
        let sides = if vector {
            b.data.iter().map(|x| vec![x.to_complex()]).collect()
        } else {
            rows_at(b, &batch)
        };
        append(&mut data, &solve(rows_at(a, &batch), sides)?);
    }
    one(Tensor::new(ty.clone(), data)?)
}

pub(crate) fn solve(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let ty = &inputs[0].ty;
    solve_with(inputs, result, |a, b| {
        let n = a.len();
        let elimination = eliminate(a, n);
        if elimination.singular {
            return Err(singular(ty));
        }
        Ok(elimination.solve(&b))
    })
}

pub(crate) fn solve_triangular(
    lower: &bool,
    unit_diagonal: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let ty = &inputs[0].ty;
    solve_with(inputs, result, |a, b| {
        if !unit_diagonal && a.iter().enumerate().any(|(i, row)| row[i] == ZERO) {
            return Err(singular(ty));
        }
        Ok(substitute(&a, *lower, *unit_diagonal, b))
    })
}

// ---- the rest ----

pub(crate) fn cholesky(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let mut data = Vec::new();
    for batch in batches(x.shape()) {
        let a = rows_at(x, &batch);
        let mut l = vec![vec![ZERO; n]; n];
        for j in 0..n {
            let rest = a[j][j].re - l[j][..j].iter().map(Complex64::norm_sqr).sum::<f64>();
            // NaN is not positive either.
            if rest.is_nan() || rest <= 0.0 {
                return Err(Error::linear_algebra(format!(
                    "a matrix of {} is not positive definite",
                    x.ty
                )));
            }
            let diagonal = rest.sqrt();
            l[j][j] = diagonal.into();
            for i in j + 1..n {
                let known: Complex64 = (0..j).map(|k| l[i][k] * l[j][k].conj()).sum();
                l[i][j] = (a[i][j] - known) / diagonal;
            }
        }
        append(&mut data, &l);
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

fn product(x: &[Vec<Complex64>], y: &[Vec<Complex64>]) -> Rows {
    let entry = |row: &[Complex64], j: usize| row.iter().zip(y).map(|(a, b)| a * b[j]).sum();
    x.iter()
        .map(|row| (0..x.len()).map(|j| entry(row, j)).collect())
        .collect()
}

/// The largest sum of magnitudes of a row.
fn row_norm(a: &[Vec<Complex64>]) -> f64 {
    let sums = a.iter().map(|row| row.iter().map(|z| z.norm()).sum());
    sums.fold(0.0, |l: f64, s: f64| if s.is_nan() { s } else { l.max(s) })
}

/// The number of squarings: powers of the matrix may be far below powers of its norm, and every squaring loses accuracy.
///
/// Source: A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential", 2009.
fn squarings(a: &Rows) -> i32 {
    let norm = row_norm(a);
    if norm == 0.0 {
        return 0;
    }
    let mut exponent = 0.0;
    loop {
        let scaled: Rows = a
            .iter()
            .map(|row| row.iter().map(|z| z / f64::exp2(exponent)).collect())
            .collect();
        let square = product(&scaled, &scaled);
        let fourth = product(&square, &square);
        let sixth = product(&fourth, &square);
        let (eighth, tenth) = (product(&fourth, &fourth), product(&fourth, &sixth));
        let norms = [&fourth, &sixth, &eighth, &tenth].map(|power| row_norm(power));
        if exponent == 0.0 && !norms.iter().all(|norm| norm.is_finite()) {
            // The tenth power of this is in the range of the numbers.
            exponent = norm.min(f64::MAX).log2().ceil() - 90.0;
            continue;
        }
        let [d4, d6, d8, d10] = norms;
        let size = |norm: f64, power: f64| norm.log2() / power + exponent;
        let (d4, d6, d8, d10) = (size(d4, 4.0), size(d6, 6.0), size(d8, 8.0), size(d10, 10.0));
        let size = d4.max(d6).min(d6.max(d8)).min(d8.max(d10));
        return (size.ceil() + 1.0).max(0.0) as i32;
    }
}

/// Taylor's series of the matrix divided by a power of two, squared as often. The diagonal of the exponential of a
/// triangular matrix is known, and put in after each squaring.
pub(crate) fn expm(inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let n = x.shape()[x.ty.ndim() - 1];
    let mut data = Vec::new();
    for batch in batches(x.shape()) {
        let a = rows_at(x, &batch);
        if !row_norm(&a).is_finite() && a.iter().flatten().any(|z| !z.is_finite()) {
            append(&mut data, &vec![vec![Complex64::from(f64::NAN); n]; n]);
            continue;
        }
        let zero = |keep: fn(usize, usize) -> bool| {
            (0..n).all(|i| (0..n).all(|j| keep(i, j) || a[i][j] == ZERO))
        };
        let is_triangular = zero(|i, j| i <= j) || zero(|i, j| j <= i);
        let mut left = squarings(&a);
        let divided = |left: i32| -> Rows {
            let divide = |z: &Complex64| z * 0.5f64.powi(left / 2) * 0.5f64.powi(left - left / 2);
            a.iter()
                .map(|row| row.iter().map(divide).collect())
                .collect()
        };
        let part = divided(left);
        let mut sum = identity(n);
        let mut term = identity(n);
        for k in 1..=60 {
            term = product(&term, &part);
            for (s, t) in sum.iter_mut().flatten().zip(term.iter_mut().flatten()) {
                *t /= f64::from(k);
                *s += *t;
            }
        }
        loop {
            if is_triangular {
                let part = divided(left);
                (0..n).for_each(|i| sum[i][i] = super::complex::exp(part[i][i]));
            }
            if left == 0 {
                break;
            }
            sum = product(&sum, &sum);
            left -= 1;
        }
        append(&mut data, &sum);
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

/// By singular values, or by eigenvalues and their moduli.
pub(crate) fn pinv(
    rcond: &Cutoff,
    hermitian: &bool,
    inputs: &[Tensor],
    result: &Type,
) -> Result<Vec<Tensor>> {
    let x = &inputs[0];
    let (m, n) = (x.shape()[x.ty.ndim() - 2], x.shape()[x.ty.ndim() - 1]);
    let mut data = Vec::new();
    for batch in batches(x.shape()) {
        let columns = matrix(x, &batch);
        let (u, s, v) = if *hermitian {
            let (w, v) = hermitian_eigen(columns).ok_or_else(|| diverged(&x.ty))?;
            (v.clone(), w, v)
        } else {
            let found = decompose(columns, m).ok_or_else(|| diverged(&x.ty))?;
            (found.u, found.s, found.v)
        };
        let relative = rcond
            .rcond()
            .unwrap_or(x.ty.dtype.epsilon() * m.max(n) as f64);
        let largest = s.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
        let mut inverse = vec![vec![ZERO; m]; n];
        for k in (0..s.len()).filter(|&k| s[k].abs() > relative * largest) {
            for (row, v) in inverse.iter_mut().zip(&v[k]) {
                row.iter_mut()
                    .zip(&u[k])
                    .for_each(|(x, u)| *x += v * u.conj() / s[k]);
            }
        }
        append(&mut data, &inverse);
    }
    one(Tensor::new(result.array()?.clone(), data)?)
}

/// By singular values, of which those up to the cutoff count as zero.
pub(crate) fn lstsq(rcond: &Cutoff, inputs: &[Tensor], result: &Type) -> Result<Vec<Tensor>> {
    let (a, b) = (&inputs[0], &inputs[1]);
    let (m, n) = (a.shape()[0], a.shape()[1]);
    let columns = matrix(a, &[]);
    let found = decompose(columns.clone(), m);
    let Decomposition { u, s, v } = found.ok_or_else(|| diverged(&a.ty))?;
    let precision = a.ty.dtype.epsilon();
    let relative = match rcond.rcond() {
        None => precision * m.max(n) as f64,
        Some(rcond) if rcond < 0.0 => precision,
        Some(rcond) => rcond,
    };
    let largest = s.first().copied().unwrap_or(0.0);
    let rank = s.iter().take_while(|&&s| s > relative * largest).count();
    let sides = b.shape().get(1).copied().unwrap_or(1);
    let (mut x, mut residuals) = (vec![vec![ZERO; sides]; n], Vec::new());
    for side in 0..sides {
        let mut rest: Vec<Complex64> = (0..m)
            .map(|i| b.data[i * sides + side].to_complex())
            .collect();
        for j in 0..rank {
            let coefficient = inner(&u[j], &rest) / s[j];
            for (row, v) in x.iter_mut().zip(&v[j]) {
                row[side] += coefficient * v;
            }
        }
        for (column, row) in columns.iter().zip(&x) {
            rest.iter_mut()
                .zip(column)
                .for_each(|(r, a)| *r -= a * row[side]);
        }
        let square = rest.iter().map(Complex64::norm_sqr).sum();
        residuals.push(Scalar::Float(square));
    }
    let mut solutions = Vec::new();
    append(&mut solutions, &x);
    let values = s.into_iter().map(Scalar::Float).collect();
    let rank = vec![Scalar::Int(rank as i64)];
    tuple(result, [solutions, residuals, rank, values])
}
