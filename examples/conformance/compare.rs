//! Compares results with NumPy's, by the rules of `tests/conformance/README.md`.
//!
//! Results that are not unique, such as singular vectors, are checked by what they must satisfy instead.

use autojit::Scalar;
use num_complex::Complex64;

use crate::json::{Case, Data};

type Check = Result<(), String>;

/// Checks the results of a case.
pub(crate) fn compare(case: &Case, expected: &[Data], got: &[Data]) -> Check {
    if got.len() != expected.len() {
        return Err(format!(
            "gave {} results, expected {}",
            got.len(),
            expected.len()
        ));
    }
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        if got.dtype != expected.dtype || got.shape != expected.shape {
            return Err(format!(
                "result {i} is {}{:?}, expected {}{:?}",
                got.dtype, got.shape, expected.dtype, expected.shape
            ));
        }
    }
    let close = |i: usize| close(case, i, &expected[i], &got[i]);
    let matrices = Matrices { case };
    match case.compare.as_str() {
        "" => (0..got.len()).try_for_each(close),
        "first" => close(0),
        "qr" => matrices.check_qr(got),
        "svd" => close(1).and_then(|()| matrices.check_svd(got)),
        "eigh" => close(0).and_then(|()| matrices.check_eigenvectors(got, true)),
        "eig" => matrices
            .check_eigenvalues(expected, got)
            .and_then(|()| matrices.check_eigenvectors(got, false)),
        other => Err(format!("the comparison `{other}` is not known")),
    }
}

/// Checks each element of one result.
fn close(case: &Case, result: usize, expected: &Data, got: &Data) -> Check {
    for (i, (&a, &b)) in got.elements.iter().zip(&expected.elements).enumerate() {
        if !is_close(a, b, case.rtol, case.atol) {
            return Err(format!("result {result}[{i}] is {a}, expected {b}"));
        }
    }
    Ok(())
}

/// `|a - b| <= atol + rtol * |b|`, NaN equal to NaN, infinities by sign; exact differences of integers.
fn is_close(a: Scalar, b: Scalar, rtol: f64, atol: f64) -> bool {
    if let (Some(a), Some(b)) = (a.to_integer(), b.to_integer()) {
        return (a - b).abs() as f64 <= atol + rtol * (b as f64).abs();
    }
    match (a, b) {
        (Scalar::Complex(a), Scalar::Complex(b)) => {
            let whole = a.is_finite() && b.is_finite();
            if whole {
                (a - b).norm() <= atol + rtol * b.norm()
            } else {
                is_close_real(a.re, b.re, rtol, atol) && is_close_real(a.im, b.im, rtol, atol)
            }
        }
        _ => is_close_real(a.to_f64(), b.to_f64(), rtol, atol),
    }
}

fn is_close_real(a: f64, b: f64, rtol: f64, atol: f64) -> bool {
    if a.is_finite() && b.is_finite() {
        (a - b).abs() <= atol + rtol * b.abs()
    } else {
        a == b || (a.is_nan() && b.is_nan())
    }
}

/// A matrix of a batch.
#[derive(Clone)]
struct Matrix {
    rows: usize,
    columns: usize,
    elements: Vec<Complex64>,
}

impl Matrix {
    fn at(&self, i: usize, j: usize) -> Complex64 {
        self.elements[i * self.columns + j]
    }

    fn of(rows: usize, columns: usize, element: impl Fn(usize, usize) -> Complex64) -> Self {
        let elements = (0..rows * columns).map(|k| element(k / columns, k % columns));
        Self {
            rows,
            columns,
            elements: elements.collect(),
        }
    }

    fn times(&self, other: &Self) -> Self {
        Self::of(self.rows, other.columns, |i, j| {
            (0..self.columns)
                .map(|k| self.at(i, k) * other.at(k, j))
                .sum()
        })
    }

    fn adjoint(&self) -> Self {
        Self::of(self.columns, self.rows, |i, j| self.at(j, i).conj())
    }

    fn identity(n: usize) -> Self {
        let element = |i, j| f64::from(u8::from(i == j)).into();
        Self::of(n, n, element)
    }

    fn left_columns(&self, n: usize) -> Self {
        Self::of(self.rows, n, |i, j| self.at(i, j))
    }

    fn top_rows(&self, n: usize) -> Self {
        Self::of(n, self.columns, |i, j| self.at(i, j))
    }

    /// Each column times a number.
    fn scaled(&self, factors: &[Complex64]) -> Self {
        Self::of(self.rows, self.columns, |i, j| self.at(i, j) * factors[j])
    }
}

/// Checks of decompositions of the first input of a case.
struct Matrices<'a> {
    case: &'a Case,
}

impl Matrices<'_> {
    /// The matrices over the last two axes.
    fn batch(data: &Data) -> Result<Vec<Matrix>, String> {
        let [.., rows, columns] = *data.shape.as_slice() else {
            return Err("expected matrices".into());
        };
        let count = data.shape[..data.shape.len() - 2].iter().product();
        let elements: Vec<Complex64> = data.elements.iter().map(|x| x.to_complex()).collect();
        let matrix = |b: usize| {
            let start = b * rows * columns;
            Matrix {
                rows,
                columns,
                elements: elements[start..start + rows * columns].to_vec(),
            }
        };
        Ok((0..count).map(matrix).collect())
    }

    /// The vectors along the last axis.
    fn vectors(data: &Data) -> Vec<Vec<Complex64>> {
        let elements: Vec<Complex64> = data.elements.iter().map(|x| x.to_complex()).collect();
        let length = data.shape.last().copied().unwrap_or(1).max(1);
        elements.chunks(length).map(<[_]>::to_vec).collect()
    }

    fn input(&self) -> Result<Vec<Matrix>, String> {
        Self::batch(self.case.inputs.first().ok_or("there is no input")?)
    }

    /// Elements that are sums over an axis may be off by as much as the largest term.
    fn equal(&self, what: &str, got: &Matrix, expected: &Matrix) -> Check {
        let largest = expected
            .elements
            .iter()
            .map(|x| x.norm())
            .fold(0.0, f64::max);
        let tolerance = self.case.atol + self.case.rtol * largest.max(1.0);
        for (a, b) in got.elements.iter().zip(&expected.elements) {
            let distance = (a - b).norm();
            if distance.is_nan() || distance > tolerance {
                return Err(format!("{what}: {a} instead of {b}"));
            }
        }
        Ok(())
    }

    fn orthonormal_columns(&self, what: &str, q: &Matrix) -> Check {
        let product = q.adjoint().times(q);
        self.equal(what, &product, &Matrix::identity(q.columns))
    }

    fn check_qr(&self, got: &[Data]) -> Check {
        let (q, r) = (Self::batch(&got[0])?, Self::batch(&got[1])?);
        for ((q, r), a) in q.iter().zip(&r).zip(&self.input()?) {
            self.orthonormal_columns("the columns of q are not orthonormal", q)?;
            self.equal("q r is not the input", &q.times(r), a)?;
            let below = (0..r.rows).flat_map(|i| (0..i.min(r.columns)).map(move |j| (i, j)));
            for (i, j) in below {
                if r.at(i, j).norm() > self.case.atol {
                    return Err(format!("r[{i},{j}] is {}, expected 0", r.at(i, j)));
                }
            }
        }
        Ok(())
    }

    fn check_svd(&self, got: &[Data]) -> Check {
        let (u, vh) = (Self::batch(&got[0])?, Self::batch(&got[2])?);
        let values = Self::vectors(&got[1]);
        for (((u, s), vh), a) in u.iter().zip(&values).zip(&vh).zip(&self.input()?) {
            self.orthonormal_columns("the columns of u are not orthonormal", u)?;
            self.orthonormal_columns("the rows of vh are not orthonormal", &vh.adjoint())?;
            let k = s.len();
            let product = u.left_columns(k).scaled(s).times(&vh.top_rows(k));
            self.equal("u s vh is not the input", &product, a)?;
        }
        Ok(())
    }

    fn check_eigenvectors(&self, got: &[Data], unitary: bool) -> Check {
        let (values, vectors) = (Self::vectors(&got[0]), Self::batch(&got[1])?);
        for ((w, v), a) in values.iter().zip(&vectors).zip(&self.input()?) {
            if unitary {
                self.orthonormal_columns("the eigenvectors are not orthonormal", v)?;
            }
            // Both triangles of a Hermitian matrix count, as NumPy's inputs here are Hermitian.
            self.equal("a v is not v diag(w)", &a.times(v), &v.scaled(w))?;
        }
        Ok(())
    }

    /// Eigenvalues as multisets: each expected one has a partner of its own.
    fn check_eigenvalues(&self, expected: &[Data], got: &[Data]) -> Check {
        let batches = Self::vectors(&got[0]).into_iter();
        for (mut left, wanted) in batches.zip(Self::vectors(&expected[0])) {
            for w in wanted {
                let near = |x: &Complex64| {
                    let (a, b) = (Scalar::Complex(*x), Scalar::Complex(w));
                    is_close(a, b, self.case.rtol, self.case.atol)
                };
                let Some(at) = left.iter().position(near) else {
                    return Err(format!("the eigenvalue {w} is missing"));
                };
                left.swap_remove(at);
            }
        }
        Ok(())
    }
}
