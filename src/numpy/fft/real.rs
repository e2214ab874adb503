//! Transforms of real numbers along several axes, and of sequences whose transform is real.

use super::{FourierNorm, Grid, Line, fft, ifft, irfft, lines, rfft};
use crate::numpy::integers::one_axis;
use crate::numpy::{attempt, conj, fail, replaceable, to_array};
use crate::{Array, Error, Operand};

/// The Fourier transform of real numbers along several axes, all by default, or the last ones if sizes are given: along the
/// last of them as [`rfft`], then along the others as [`fft`](super::fft()).
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = np::fft::rfftn(Array::from([[1.0, 2.0], [3.0, 4.0]]), ..);
/// assert_eq!(np::real(x).to_string(), "[[10. -2.]\n [-4.  0.]]");
/// ```
///
/// # Errors
/// As [`fftn`](super::fftn()); there is no axis, or `x` is complex.
///
/// Source: `numpy.fft.rfftn`.
#[track_caller]
pub fn rfftn<'a>(x: impl Into<Operand<'a>>, options: impl Into<Grid>) -> Array {
    let (x, grid) = (to_array(x.into()), options.into());
    let norm = grid.norm.to_string();
    replaceable!(
        "fft.rfftn",
        [&x, grid.s.as_ref(), grid.axes.as_ref()],
        "norm" = norm
    );
    let ty = attempt!("rfftn", x.ty());
    let mut lines = attempt!("rfftn", lines(&grid, &ty, None));
    // Sizes are those of the array that is given, also along an axis that the first transform has made shorter.
    if let Some((last, others)) = lines.split_last_mut() {
        let axis = |line: Line| one_axis(line.axis, &ty);
        let shortened = attempt!("rfftn", axis(*last));
        for line in others {
            if attempt!("rfftn", axis(*line)) == shortened {
                line.n = line.n.or(Some(ty.shape[shortened] as i64));
            }
        }
    }
    let Some((&last, others)) = lines.split_last() else {
        return fail("rfftn", Error::value("expected at least one axis"));
    };
    let mut result = rfft(x, last);
    for &line in others.iter().rev() {
        result = fft(result, line);
    }
    result
}

/// The inverse of [`rfftn`], real: along all axes but the last as [`ifft`](super::ifft()), then along that as [`irfft`], whose
/// rule for its length holds.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
/// let back = np::fft::irfftn(np::fft::rfftn(&x, ..), ..);
/// assert!(np::allclose(back, x, ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`fftn`](super::fftn()); there is no axis.
///
/// Source: `numpy.fft.irfftn`.
#[track_caller]
pub fn irfftn<'a>(x: impl Into<Operand<'a>>, options: impl Into<Grid>) -> Array {
    let (x, grid) = (to_array(x.into()), options.into());
    let norm = grid.norm.to_string();
    replaceable!(
        "fft.irfftn",
        [&x, grid.s.as_ref(), grid.axes.as_ref()],
        "norm" = norm
    );
    let ty = attempt!("irfftn", x.ty());
    let lines = attempt!("irfftn", lines(&grid, &ty, None));
    let Some((&last, others)) = lines.split_last() else {
        return fail("irfftn", Error::value("expected at least one axis"));
    };
    let mut result = x;
    for &line in others {
        result = ifft(result, line);
    }
    irfft(result, last)
}

/// A transform in the other direction divides where this one does not.
fn opposite(line: Line) -> Line {
    line.norm(match line.norm {
        FourierNorm::Backward => FourierNorm::Forward,
        FourierNorm::Forward => FourierNorm::Backward,
        FourierNorm::Ortho => FourierNorm::Ortho,
    })
}

/// The Fourier transform of a sequence whose second half is the conjugate of the first, which is given: real. The length of
/// the result is `n`, by default `2 (m - 1)` for an axis of length `m`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = np::fft::hfft(Array::from([1.0, 2.0, 3.0, 4.0, 3.0, 2.0]), 6);
/// assert_eq!(np::rint(x).to_vec::<f64>()?, [15.0, -4.0, 0.0, -1.0, 0.0, -4.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`irfft`].
///
/// Source: `numpy.fft.hfft`.
#[track_caller]
pub fn hfft<'a>(x: impl Into<Operand<'a>>, options: impl Into<Line>) -> Array {
    let (x, line) = (x.into(), options.into());
    replaceable!(
        "fft.hfft",
        [&x, line.n, line.axis],
        "norm" = line.norm.to_string()
    );
    irfft(conj(x), opposite(line))
}

/// The inverse of [`hfft`]: of real numbers the first `n / 2 + 1` elements.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = np::fft::ihfft(Array::from([15.0, -4.0, 0.0, -1.0, 0.0, -4.0]), ..);
/// assert_eq!(np::rint(np::real(x)).to_vec::<f64>()?, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// As [`rfft`].
///
/// Source: `numpy.fft.ihfft`.
#[track_caller]
pub fn ihfft<'a>(x: impl Into<Operand<'a>>, options: impl Into<Line>) -> Array {
    let (x, line) = (x.into(), options.into());
    replaceable!(
        "fft.ihfft",
        [&x, line.n, line.axis],
        "norm" = line.norm.to_string()
    );
    conj(rfft(x, opposite(line)))
}
