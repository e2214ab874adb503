//! QR and singular value decompositions of dense matrices, by faer on the calling thread.
//!
//! Matrices are row-major and contiguous on both sides. Two forms: generic functions on slices that return vectors
//! ([`qr`], [`svd`]), and kind-dispatched functions on raw pointers over a batch ([`qr_batched`], [`svd_batched`]).
//!
//! Input that is not finite never reaches an iteration: QR answers with NaN, SVD fails. Should faer panic all the same,
//! the panic is caught and becomes [`Failure::NoConvergence`].

use crate::abi::{Failure, Kind};
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};
use faer::linalg::svd::{ComputeSvdVectors, svd as faer_svd, svd_scratch};
use faer::{Conj, Mat, MatRef, Par, Spec};
use num_complex::Complex;
use std::panic::{AssertUnwindSafe, catch_unwind};

mod householder;

/// An element type of linear algebra: `f32`, `f64`, `Complex<f32>`, `Complex<f64>`.
pub trait Field: faer::traits::ComplexField<Real = Self::Magnitude> + Copy + householder::Scalar + 'static {
    /// The type of norms and singular values.
    type Magnitude: faer::traits::RealField + Copy;
    /// A value that is not a number.
    const NAN: Self;
    /// Whether neither part is infinite or NaN.
    fn finite(self) -> bool;
    /// The complex conjugate.
    fn conjugate(self) -> Self;
}

macro_rules! real_field {
    ($($type:ty)*) => {$(
        impl Field for $type {
            type Magnitude = $type;
            const NAN: Self = <$type>::NAN;
            fn finite(self) -> bool {
                self.is_finite()
            }
            fn conjugate(self) -> Self {
                self
            }
        }

        impl Field for Complex<$type> {
            type Magnitude = $type;
            const NAN: Self = Complex::new(<$type>::NAN, <$type>::NAN);
            fn finite(self) -> bool {
                self.re.is_finite() && self.im.is_finite()
            }
            fn conjugate(self) -> Self {
                self.conj()
            }
        }
    )*};
}

real_field! { f32 f64 }
