//! Attributes of linear algebra and Fourier transforms: which factors, which cutoff, which scale.
//!
//! Invariants: as for every attribute (see `attribute.rs`): the text form parses back to an equal value, and
//! floats compare by their bits.

use std::fmt;
use std::ops::RangeFull;
use std::str::FromStr;

use crate::error::{Error, Result};

macro_rules! words {
    ($Type:ident, $what:literal: $($word:literal => $Variant:ident),*) => {
        impl $Type {
            /// NumPy's word for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$Variant => $word),* }
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
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

/// The op that looks elements up by indices: errors of a check of indices name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IndexedBy {
    /// A part of an array is read.
    #[default]
    Getitem,
    /// A part of an array is updated.
    Scatter,
    /// `numpy.take_along_axis`.
    TakeAlongAxis,
    /// `numpy.put_along_axis`.
    PutAlongAxis,
    /// `numpy.unravel_index`.
    UnravelIndex,
    /// `numpy.ravel_multi_index`.
    RavelMultiIndex,
}

words!(
    IndexedBy, "what takes indices": "getitem" => Getitem, "scatter" => Scatter, "take_along_axis" => TakeAlongAxis,
    "put_along_axis" => PutAlongAxis, "unravel_index" => UnravelIndex, "ravel_multi_index" => RavelMultiIndex
);

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

impl From<RangeFull> for QrMode {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<RangeFull> for Cutoff {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<f64> for Cutoff {
    fn from(rcond: f64) -> Self {
        Self::new(Some(rcond))
    }
}

impl From<Option<f64>> for Cutoff {
    fn from(rcond: Option<f64>) -> Self {
        Self::new(rcond)
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
