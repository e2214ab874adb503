//! Attributes of linear algebra and Fourier transforms: which factors, which cutoff, which scale.
//!
//! Invariants: as for every attribute (see `attribute.rs`): the text form parses back to an equal value, and
//! floats compare by their bits.

use std::fmt;
use std::str::FromStr;

use super::op::Op;
use crate::error::{Error, Result};

macro_rules! words {
    ($Type:ident, $what:literal: $($word:literal => $Variant:ident),*) => {
        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$Variant => $word),* })
            }
        }

        impl FromStr for $Type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($word => Ok(Self::$Variant),)*
                    _ => Err(Error::value(format!(
                        "`{text}` is not {}, expected one of {}", $what, [$($word),*].join(", ")
                    ))),
                }
            }
        }
    };
}

/// How large the factors of `qr` are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum QrMode {
    /// As many columns of Q, and rows of R, as the shorter side of the matrix.
    #[default]
    Reduced,
    /// Q is square.
    Complete,
}

words!(QrMode, "a mode of qr": "reduced" => Reduced, "complete" => Complete);

/// Where a pair of Fourier transforms, there and back, divides by the length.
///
/// Source: NumPy's `norm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FourierNorm {
    /// The inverse transform divides by `n`.
    #[default]
    Backward,
    /// Both divide by the square root of `n`.
    Ortho,
    /// The forward transform divides by `n`.
    Forward,
}

words!(FourierNorm, "a norm of Fourier transforms":
    "backward" => Backward, "ortho" => Ortho, "forward" => Forward);

/// Up to which part of the largest one singular values count as zero: NumPy's `rcond`.
///
/// The number is kept by its bits, so that cutoffs compare exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cutoff(Option<u64>);

impl Cutoff {
    /// The precision of the dtype times the longer side of the matrix if `None`; the precision alone if negative.
    #[must_use]
    pub fn new(rcond: Option<f64>) -> Self {
        Self(rcond.map(f64::to_bits))
    }

    /// The number, if it is given.
    #[must_use]
    pub fn rcond(self) -> Option<f64> {
        self.0.map(f64::from_bits)
    }
}

impl fmt::Display for Cutoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rcond() {
            None => f.write_str("None"),
            Some(rcond) => write!(f, "{rcond:?}"),
        }
    }
}

impl FromStr for Cutoff {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "None" {
            return Ok(Self::default());
        }
        let wrong = |_| Error::value(format!("`{text}` is not a cutoff, expected a number"));
        text.parse().map(|x| Self::new(Some(x))).map_err(wrong)
    }
}

/// Which Fourier transform along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FourierKind {
    Forward,
    Inverse,
    Real,
    RealInverse,
}

/// A Fourier transform along one axis: what the four ops have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fourier {
    pub(crate) kind: FourierKind,
    /// The length of the transform; of its result where that is real.
    pub(crate) n: usize,
    pub(crate) axis: usize,
    pub(crate) norm: FourierNorm,
}

impl Fourier {
    /// Whether the exponent is that of the forward transform.
    pub(crate) fn is_forward(self) -> bool {
        matches!(self.kind, FourierKind::Forward | FourierKind::Real)
    }

    /// What every result is multiplied by.
    pub(crate) fn factor(self) -> f64 {
        let n = self.n as f64;
        match (self.norm, self.is_forward()) {
            (FourierNorm::Backward, true) | (FourierNorm::Forward, false) => 1.0,
            (FourierNorm::Ortho, _) => 1.0 / n.sqrt(),
            _ => 1.0 / n,
        }
    }

    /// How many elements of the input along the axis take part at most.
    pub(crate) fn taken(self) -> usize {
        match self.kind {
            FourierKind::RealInverse => self.n / 2 + 1,
            _ => self.n,
        }
    }
}

impl Op {
    /// The transform, if it is one.
    pub(crate) fn as_fourier(&self) -> Option<Fourier> {
        let (kind, (&n, &axis, &norm)) = match self {
            Self::Fft { n, axis, norm } => (FourierKind::Forward, (n, axis, norm)),
            Self::Ifft { n, axis, norm } => (FourierKind::Inverse, (n, axis, norm)),
            Self::Rfft { n, axis, norm } => (FourierKind::Real, (n, axis, norm)),
            Self::Irfft { n, axis, norm } => (FourierKind::RealInverse, (n, axis, norm)),
            _ => return None,
        };
        Some(Fourier {
            kind,
            n,
            axis,
            norm,
        })
    }
}
