//! `Kind` and `Failure`: the types of elements, and why a function gave no result.

use std::fmt;

/// The type of one array element; NumPy's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// `u8`.
    Uint8,
    /// `i32`.
    Int32,
    /// `i64`.
    Int64,
    /// `f32`.
    Float32,
    /// `f64`.
    Float64,
    /// Two `f32`: real part, imaginary part.
    Complex64,
    /// Two `f64`: real part, imaginary part.
    Complex128,
}

impl Kind {
    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Kind::Bool | Kind::Uint8 => 1,
            Kind::Int32 | Kind::Float32 => 4,
            Kind::Int64 | Kind::Float64 | Kind::Complex64 => 8,
            Kind::Complex128 => 16,
        }
    }
}

/// Why a heavy function gave no result. Its output buffers then hold unspecified values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An index lies outside `-len..len`.
    IndexOutOfRange {
        /// The index as given, before wrapping.
        index: i64,
        /// The length of the indexed axis.
        len: usize,
    },
    /// A matrix has no inverse.
    Singular,
    /// A matrix has no Cholesky factor.
    NotPositiveDefinite,
    /// An iteration did not converge, or its input was not finite.
    NoConvergence,
    /// An integer was raised to a negative power.
    NegativePower,
    /// The function is not defined for elements of this kind.
    UnsupportedKind(Kind),
    /// There is no memory for what is needed on the way.
    OutOfMemory,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::IndexOutOfRange { index, len } => {
                write!(
                    f,
                    "index {index} is out of range for an axis of length {len}"
                )
            }
            Failure::Singular => write!(f, "singular matrix"),
            Failure::NotPositiveDefinite => write!(f, "matrix is not positive definite"),
            Failure::NoConvergence => write!(
                f,
                "linear algebra did not converge, or its input was not finite"
            ),
            Failure::NegativePower => {
                write!(f, "integers to negative integer powers are not allowed")
            }
            Failure::UnsupportedKind(kind) => {
                write!(f, "elements of kind {kind:?} are not supported here")
            }
            Failure::OutOfMemory => write!(f, "not enough memory"),
        }
    }
}

impl std::error::Error for Failure {}
