//! `Fourier`: what the ops that are Fourier transforms along one axis have in common.

use super::modes::FourierNorm;
use super::op::{FourierOp, Op};

/// Which Fourier transform along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FourierKind {
    /// Complex to complex: `fft`.
    Forward,
    /// Complex to complex: `ifft`.
    Inverse,
    /// Real to the first half of the complex result: `rfft`.
    Real,
    /// From the first half back to real: `irfft`.
    RealInverse,
}

/// A Fourier transform along one axis: what the four ops have in common.
#[derive(Clone, Copy, Debug)]
pub struct Fourier {
    /// Which transform.
    pub kind: FourierKind,
    /// The length of the transform; of its result where that is real.
    pub n: usize,
    /// The axis it runs along.
    pub axis: usize,
    /// Where the result is scaled.
    pub norm: FourierNorm,
}

impl Fourier {
    /// Whether the exponent is that of the forward transform.
    pub fn is_forward(self) -> bool {
        matches!(self.kind, FourierKind::Forward | FourierKind::Real)
    }

    /// The factor of every result.
    pub fn factor(self) -> f64 {
        let n = self.n as f64;
        match (self.norm, self.is_forward()) {
            (FourierNorm::Backward, true) | (FourierNorm::Forward, false) => 1.0,
            (FourierNorm::Ortho, _) => 1.0 / n.sqrt(),
            _ => 1.0 / n,
        }
    }

    /// How many elements of the input along the axis take part at most.
    pub fn taken(self) -> usize {
        match self.kind {
            FourierKind::RealInverse => self.n / 2 + 1,
            _ => self.n,
        }
    }
}

impl FourierOp {
    /// The transform that it is.
    #[must_use]
    pub fn transform(&self) -> Fourier {
        let (kind, (&n, &axis, &norm)) = match self {
            Self::Fft { n, axis, norm } => (FourierKind::Forward, (n, axis, norm)),
            Self::Ifft { n, axis, norm } => (FourierKind::Inverse, (n, axis, norm)),
            Self::Rfft { n, axis, norm } => (FourierKind::Real, (n, axis, norm)),
            Self::Irfft { n, axis, norm } => (FourierKind::RealInverse, (n, axis, norm)),
        };
        Fourier {
            kind,
            n,
            axis,
            norm,
        }
    }
}

impl Op {
    /// The transform, if it is one.
    #[must_use]
    pub fn as_fourier(&self) -> Option<Fourier> {
        match self {
            Self::Fourier(op) => Some(op.transform()),
            _ => None,
        }
    }
}
