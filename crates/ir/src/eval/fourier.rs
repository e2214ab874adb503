//! Fourier transforms by their definition: one sum for each element.
//!
//! Angles are reduced to one turn as integers first, so that they are exact however long the transform is.

use num_complex::Complex64;

use super::summation::ComplexSum;
use super::{Tensor, one};
use crate::error::Result;
use crate::fourier::{Fourier, FourierKind};
use crate::modes::FourierNorm;
use crate::scalar::Scalar;
use crate::types::Type;

fn transform(fourier: Fourier, x: &Tensor, result: &Type) -> Result<Vec<Tensor>> {
    let Fourier { kind, n, axis, .. } = fourier;
    let given = x.shape()[axis].min(fourier.taken());
    let sign = if fourier.is_forward() { -1.0 } else { 1.0 };
    let root = |turns: usize| {
        let angle = sign * std::f64::consts::TAU * (turns % n) as f64 / n as f64;
        Complex64::new(angle.cos(), angle.sin())
    };
    let element = |index: &[usize]| {
        let mut sum = ComplexSum::default();
        let mut source = index.to_vec();
        for t in 0..given {
            source[axis] = t;
            let value = x.at(&source).to_complex();
            let factor = root(t * index[axis]);
            if kind != FourierKind::RealInverse {
                sum.add_product(value, factor);
                continue;
            }
            // The element that is not there is the conjugate of this one, except at both ends.
            let alone = t == 0 || 2 * t == n;
            let (value, weight) = if alone {
                (Complex64::from(value.re), 1.0)
            } else {
                (value, 2.0)
            };
            sum.add(Complex64::from((value * factor).re * weight));
        }
        let scaled = sum.value() * fourier.factor();
        match kind {
            FourierKind::RealInverse => Scalar::Float(scaled.re),
            _ => Scalar::Complex(scaled),
        }
    };
    one(Tensor::build(result.array()?, element))
}

macro_rules! transforms {
    ($($name:ident = $Kind:ident),*) => {$(
        pub(crate) fn $name(
            n: &usize,
            axis: &usize,
            norm: &FourierNorm,
            inputs: &[Tensor],
            result: &Type,
        ) -> Result<Vec<Tensor>> {
            let kind = FourierKind::$Kind;
            let fourier = Fourier { kind, n: *n, axis: *axis, norm: *norm };
            transform(fourier, &inputs[0], result)
        }
    )*};
}

transforms!(
    fft = Forward,
    ifft = Inverse,
    rfft = Real,
    irfft = RealInverse
);
