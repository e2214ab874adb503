//! Options of linear algebra: which triangle, which cutoff.

use std::ops::RangeFull;

use crate::numpy::options::Order;

macro_rules! from_defaults {
    ($($options:ty),*) => {$(
        impl From<RangeFull> for $options {
            fn from(_: RangeFull) -> Self {
                Self::default()
            }
        }
    )*};
}

from_defaults!(Order, Uplo, Transposition, TriangularOptions, Rank, Pinv);

/// Which triangle of a Hermitian matrix is read: NumPy's `UPLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uplo {
    /// The lower one.
    #[default]
    Lower,
    /// The upper one.
    Upper,
}

/// The form of a triangular system: SciPy's `trans`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transposition {
    /// `a x = b`.
    #[default]
    None,
    /// `a^T x = b`.
    Transposed,
    /// `a^H x = b`.
    Adjoint,
}

/// The options of [`solve_triangular`](super::solve_triangular()), the upper triangle by default.
///
/// Written `..`, `lower()`, `trans(Transposition::Adjoint).unit_diagonal()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TriangularOptions {
    pub(crate) trans: Transposition,
    pub(crate) lower: bool,
    pub(crate) unit_diagonal: bool,
}

/// Read the lower triangle. See [`TriangularOptions`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{lower, solve_triangular};
///
/// let a = Array::from([[2.0, 0.0], [1.0, 4.0]]);
/// assert_eq!(solve_triangular(&a, Array::from([2.0, 9.0]), lower()).to_string(), "[1. 2.]");
/// ```
#[must_use]
pub fn lower() -> TriangularOptions {
    TriangularOptions::default().lower()
}

/// Solve for the transposed matrix. See [`TriangularOptions`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{Transposition, solve_triangular, trans};
///
/// let a = Array::from([[2.0, 1.0], [0.0, 4.0]]);
/// assert_eq!(solve_triangular(&a, Array::from([2.0, 9.0]), trans(Transposition::Transposed)).to_string(), "[1. 2.]");
/// ```
#[must_use]
pub fn trans(trans: Transposition) -> TriangularOptions {
    TriangularOptions {
        trans,
        ..TriangularOptions::default()
    }
}

/// Take the diagonal as ones. See [`TriangularOptions`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{solve_triangular, unit_diagonal};
///
/// let a = Array::from([[7.0, 2.0], [0.0, 7.0]]);
/// assert_eq!(solve_triangular(&a, Array::from([5.0, 1.0]), unit_diagonal()).to_string(), "[3. 1.]");
/// ```
#[must_use]
pub fn unit_diagonal() -> TriangularOptions {
    TriangularOptions::default().unit_diagonal()
}

impl TriangularOptions {
    /// Read the lower triangle.
    #[must_use]
    pub fn lower(self) -> Self {
        Self {
            lower: true,
            ..self
        }
    }

    /// Take the diagonal as ones, whatever stands there.
    #[must_use]
    pub fn unit_diagonal(self) -> Self {
        Self {
            unit_diagonal: true,
            ..self
        }
    }

    /// Solve for the transposed matrix.
    #[must_use]
    pub fn trans(self, trans: Transposition) -> Self {
        Self { trans, ..self }
    }
}

/// A limit relative to the largest singular value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Relative {
    /// The precision of the dtype times the longer side of the matrix.
    #[default]
    Precision,
    /// A number.
    Number(f64),
}

/// The options of [`matrix_rank`](super::matrix_rank()): singular values up to a limit count as zero.
///
/// Written `..`, `1e-3` or `tol(1e-3)` for an absolute limit, `rtol(1e-6).hermitian()`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rank {
    pub(crate) tol: Option<f64>,
    pub(crate) rtol: Relative,
    pub(crate) hermitian: bool,
}

/// Singular values up to this number count as zero. See [`Rank`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{matrix_rank, tol};
///
/// assert_eq!(matrix_rank(Array::from([[1.0, 0.0], [0.0, 0.1]]), tol(0.5)).to_string(), "1");
/// ```
#[must_use]
pub fn tol(tol: f64) -> Rank {
    Rank {
        tol: Some(tol),
        ..Rank::default()
    }
}

impl From<f64> for Rank {
    fn from(number: f64) -> Self {
        tol(number)
    }
}

impl Rank {
    /// The matrices are Hermitian: take the moduli of eigenvalues, of the lower triangle.
    #[must_use]
    pub fn hermitian(self) -> Self {
        Self {
            hermitian: true,
            ..self
        }
    }
}

/// The options of [`pinv`](super::pinv()): singular values up to this part of the largest count as zero, `1e-15` by
/// default.
///
/// Written `..`, `1e-10`, `rtol(Relative::Precision)`, `hermitian()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinv {
    pub(crate) rtol: Relative,
    pub(crate) hermitian: bool,
}

impl Default for Pinv {
    fn default() -> Self {
        Self {
            rtol: Relative::Number(1e-15),
            hermitian: false,
        }
    }
}

impl From<f64> for Pinv {
    fn from(number: f64) -> Self {
        Relative::Number(number).into()
    }
}

impl From<Relative> for Pinv {
    fn from(rtol: Relative) -> Self {
        Self {
            rtol,
            ..Self::default()
        }
    }
}

impl From<Relative> for Rank {
    fn from(rtol: Relative) -> Self {
        Self {
            rtol,
            ..Self::default()
        }
    }
}

/// Singular values up to this part of the largest count as zero. See [`Rank`] and [`Pinv`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{matrix_rank, rtol};
///
/// assert_eq!(matrix_rank(Array::from([[4.0, 0.0], [0.0, 1.0]]), rtol(0.5)).to_string(), "1");
/// ```
#[must_use]
pub fn rtol(number: f64) -> Relative {
    Relative::Number(number)
}

/// The matrices are Hermitian, of which the lower triangle is read. See [`Pinv`].
///
/// ```
/// use autojit::Array;
/// use autojit::numpy::linalg::{hermitian, pinv};
///
/// assert_eq!(pinv(Array::from([[2.0, 0.0], [0.0, 0.0]]), hermitian()).to_string(), "[[0.5 0. ]\n [0.  0. ]]");
/// ```
#[must_use]
pub fn hermitian() -> Pinv {
    Pinv::default().hermitian()
}

impl Pinv {
    /// The matrices are Hermitian, of which the lower triangle is read.
    #[must_use]
    pub fn hermitian(self) -> Self {
        Self {
            hermitian: true,
            ..self
        }
    }
}
