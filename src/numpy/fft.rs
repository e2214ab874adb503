//! Fourier transforms. Leading and following axes are batches; transforms of several axes go one after the other.
//!
//! `float32` and `complex64` are transformed in their precision, booleans and integers as `float64`.

use autojit_ir::FourierOp;
use std::ops::RangeFull;

mod real;

pub use real::{hfft, ihfft, irfftn, rfftn};

use super::integers::one_axis;
use super::options::{Axes, Creation, Integers};
use super::{attempt, fail, replaceable, roll, to_array};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{ArrayType, Scalar};

pub use autojit_ir::FourierNorm;

/// The options of transforms along one axis: its length (that of the array by default), the axis (the last), and where
/// to divide by the length.
///
/// Written `..`, `8`, `n(8).axis(0)`, `FourierNorm::Ortho`, `axis(0).norm(FourierNorm::Forward)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub(crate) n: Option<i64>,
    pub(crate) axis: i64,
    pub(crate) norm: FourierNorm,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            n: None,
            axis: -1,
            norm: FourierNorm::default(),
        }
    }
}

/// Take this many elements, or append zeros up to this many. See [`Line`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::fft::fft(Array::from([1.0, 2.0]), np::fft::n(4)).shape()?, [4]);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn n(n: i64) -> Line {
    Line {
        n: Some(n),
        ..Line::default()
    }
}

/// Transform along this axis. See [`Line`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::rfft(np::ones([4, 3], ..), np::fft::axis(0)).shape()?, [3, 3]);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn axis(axis: i64) -> Line {
    Line {
        axis,
        ..Line::default()
    }
}

impl Line {
    /// Transform along this axis.
    #[must_use]
    pub fn axis(self, axis: i64) -> Self {
        Self { axis, ..self }
    }

    /// Where to divide by the length.
    #[must_use]
    pub fn norm(self, norm: FourierNorm) -> Self {
        Self { norm, ..self }
    }
}

/// The options of transforms along several axes: their lengths, the axes, and where to divide by the lengths.
///
/// Written `..`, `s([4, 8])`, `axes([0, 2]).norm(FourierNorm::Ortho)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    pub(crate) s: Option<Integers>,
    pub(crate) axes: Option<Integers>,
    pub(crate) norm: FourierNorm,
}

/// Take this many elements along each axis, or append zeros up to this many. See [`Grid`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::fft2(np::ones([2, 2], ..), np::fft::s([4, 8])).shape()?, [4, 8]);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn s(sizes: impl Into<Integers>) -> Grid {
    Grid {
        s: Some(sizes.into()),
        ..Grid::default()
    }
}

/// Transform along these axes. See [`Grid`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::rfftn(np::ones([4, 6, 3], ..), np::fft::axes([0, 1])).shape()?, [4, 4, 3]);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn axes(axes: impl Into<Integers>) -> Grid {
    Grid::default().axes(axes)
}

impl Grid {
    /// Transform along these axes.
    #[must_use]
    pub fn axes(self, axes: impl Into<Integers>) -> Self {
        Self {
            axes: Some(axes.into()),
            ..self
        }
    }

    /// Where to divide by the lengths.
    #[must_use]
    pub fn norm(self, norm: FourierNorm) -> Self {
        Self { norm, ..self }
    }
}

macro_rules! options_from {
    ($($options:ty),*) => {$(
        impl From<RangeFull> for $options {
            fn from(_: RangeFull) -> Self {
                Self::default()
            }
        }

        impl From<FourierNorm> for $options {
            fn from(norm: FourierNorm) -> Self {
                Self::default().norm(norm)
            }
        }
    )*};
}

options_from!(Line, Grid);

macro_rules! length_from {
    ($($t:ty),*) => {$(
        impl From<$t> for Line {
            fn from(length: $t) -> Self {
                n(length as i64)
            }
        }
    )*};
}

length_from!(i32, i64, isize, usize);

/// Axis and length of a transform of `ty`; `own` gives the length if it is left open.
fn resolve(line: Line, ty: &ArrayType, own: impl Fn(usize) -> usize) -> Result<(usize, usize)> {
    let axis = one_axis(line.axis, ty)?;
    let length = match line.n {
        None => own(ty.shape[axis]),
        Some(n) => usize::try_from(n).map_err(|_| {
            Error::value(format!(
                "the length of a transform cannot be negative, got {n}"
            ))
        })?,
    };
    Ok((axis, length))
}

macro_rules! transforms {
    ($($(#[$doc:meta])* $name:ident $text:literal $Op:ident $own:expr;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name<'a>(x: impl Into<Operand<'a>>, options: impl Into<Line>) -> Array {
            let (x, line) = (to_array(x.into()), options.into());
            let ty = attempt!($text, x.ty());
            let (axis, n) = attempt!($text, resolve(line, &ty, $own));
            Array::apply(FourierOp::$Op { n, axis, norm: line.norm }.into(), &[x.into()])
        }
    )*};
}

transforms! {
    /// The Fourier transform along one axis: `sum over t of x[t] exp(-2 pi i t f / n)`, complex.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = np::fft::fft(Array::from([1.0, 2.0, 3.0]), 4);
    /// assert_eq!(np::real(x).to_vec::<f64>()?, [6.0, -2.0, 2.0, -2.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The axis is out of range, or the length is zero.
    ///
    /// Source: `numpy.fft.fft`.
    fft "fft" Fft |length| length;
    /// The inverse Fourier transform along one axis, complex.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = np::fft::fft(Array::from([1.0, 2.0, 3.0]), ..);
    /// assert_eq!(np::round(np::real(np::fft::ifft(x, ..)), 12).to_string(), "[1. 2. 3.]");
    /// ```
    ///
    /// # Errors
    /// As [`fft`].
    ///
    /// Source: `numpy.fft.ifft`.
    ifft "ifft" Ifft |length| length;
    /// The Fourier transform of real numbers along one axis: the first `n / 2 + 1` elements, of which the others are
    /// conjugates.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::fft::rfft(Array::from([1.0, 2.0, 3.0, 4.0]), ..).shape()?, [3]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fft`]; `x` is complex.
    ///
    /// Source: `numpy.fft.rfft`.
    rfft "rfft" Rfft |length| length;
    /// The inverse of [`rfft`], real. The length of the result is `n`, by default `2 (m - 1)` for an axis of length
    /// `m`; imaginary parts that a transform of real numbers does not have are ignored.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = np::fft::rfft(Array::from([1.0, 2.0, 3.0]), ..);
    /// assert_eq!(np::round(np::fft::irfft(x, 3), 12).to_string(), "[1. 2. 3.]");
    /// ```
    ///
    /// # Errors
    /// As [`fft`].
    ///
    /// Source: `numpy.fft.irfft`.
    irfft "irfft" Irfft |length: usize| 2 * length.saturating_sub(1);
}

/// The lines along which to transform, the first axis first.
fn lines(grid: &Grid, ty: &ArrayType, own: Option<&[i64]>) -> Result<Vec<Line>> {
    let axes: Vec<i64> = match (&grid.axes, own, &grid.s) {
        (Some(axes), ..) => axes.0.to_vec(),
        (None, Some(own), _) => own.to_vec(),
        // As many of the last axes as there are sizes.
        (None, None, Some(sizes)) => (-(sizes.0.len() as i64)..0).collect(),
        (None, None, None) => (0..ty.ndim() as i64).collect(),
    };
    if let Some(sizes) = &grid.s
        && sizes.0.len() != axes.len()
    {
        return Err(Error::value(format!(
            "expected as many sizes as axes, got {} and {}",
            sizes.0.len(),
            axes.len()
        )));
    }
    // Before the first transform, so that the message has the array that was given.
    for &axis in &axes {
        one_axis(axis, ty)?;
    }
    // NumPy's -1 stands for the size that the axis has.
    let size = |i: usize| Some(*grid.s.as_ref()?.0.get(i)?).filter(|&n| n != -1);
    let line = |(i, &axis): (usize, &i64)| Line {
        n: size(i),
        axis,
        norm: grid.norm,
    };
    Ok(axes.iter().enumerate().map(line).collect())
}

macro_rules! several {
    ($($(#[$doc:meta])* $name:ident $full:literal $text:literal $one:ident $own:expr;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name<'a>(x: impl Into<Operand<'a>>, options: impl Into<Grid>) -> Array {
            let (x, grid) = (to_array(x.into()), options.into());
            let norm = grid.norm.to_string();
            replaceable!($full, [&x, grid.s.as_ref(), grid.axes.as_ref()], "norm" = norm);
            let ty = attempt!($text, x.ty());
            let lines = attempt!($text, lines(&grid, &ty, $own));
            let mut result = x;
            for &line in lines.iter().rev() {
                result = $one(result, line);
            }
            result
        }
    )*};
}

several! {
    /// The Fourier transform along two axes, the last two by default.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::real(np::fft::fft2(Array::from([[1.0, 2.0], [3.0, 4.0]]), ..)).to_string(), "[[10. -2.]\n [-4.  0.]]");
    /// ```
    ///
    /// # Errors
    /// As [`fft`]; there are not as many sizes as axes.
    ///
    /// Source: `numpy.fft.fft2`.
    fft2 "fft.fft2" "fft2" fft Some(&[-2, -1]);
    /// The inverse Fourier transform along two axes, the last two by default.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::real(np::fft::ifft2(Array::from([[4.0, 0.0], [0.0, 0.0]]), ..)).to_string(), "[[1. 1.]\n [1. 1.]]");
    /// ```
    ///
    /// # Errors
    /// As [`fft2`].
    ///
    /// Source: `numpy.fft.ifft2`.
    ifft2 "fft.ifft2" "ifft2" ifft Some(&[-2, -1]);
    /// The Fourier transform along several axes, all by default, or the last ones if sizes are given.
    ///
    /// ```
    /// use autojit::numpy as np;
    ///
    /// assert_eq!(np::fft::fftn(np::ones([2, 3, 4], ..), np::fft::axes([0, 2])).shape()?, [2, 3, 4]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fft2`].
    ///
    /// Source: `numpy.fft.fftn`.
    fftn "fft.fftn" "fftn" fft None;
    /// The inverse Fourier transform along several axes, all by default, or the last ones if sizes are given.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::real(np::fft::ifftn(Array::from([4.0, 0.0]), ..)).to_string(), "[2. 2.]");
    /// ```
    ///
    /// # Errors
    /// As [`fft2`].
    ///
    /// Source: `numpy.fft.ifftn`.
    ifftn "fft.ifftn" "ifftn" ifft None;
}

/// The options of [`fftfreq`] and [`rfftfreq`]: the distance of samples, one by default, and those of all functions
/// that make arrays.
#[derive(Clone, Debug)]
pub struct Sampling {
    pub(crate) d: f64,
    pub(crate) creation: Creation,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            d: 1.0,
            creation: Creation::default(),
        }
    }
}

impl From<RangeFull> for Sampling {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<f64> for Sampling {
    fn from(d: f64) -> Self {
        Self {
            d,
            ..Self::default()
        }
    }
}

impl From<Creation> for Sampling {
    fn from(creation: Creation) -> Self {
        Self {
            creation,
            ..Self::default()
        }
    }
}

impl Sampling {
    /// The distance of samples.
    #[must_use]
    pub fn d(self, d: f64) -> Self {
        Self { d, ..self }
    }
}

/// `count` frequencies, of which the one at a position is `wave(position)` over the length of the signal.
#[track_caller]
fn frequencies(
    name: &'static str,
    length: i64,
    count: i64,
    sampling: &Sampling,
    wave: impl Fn(i64) -> i64,
) -> Array {
    if length <= 0 {
        let wrong = Error::value(format!("expected a positive length, got {length}"));
        return fail(name, wrong);
    }
    let step = 1.0 / (length as f64 * sampling.d);
    let element = |i: usize| Scalar::Float(wave(i as i64) as f64 * step);
    let make = |dtype| super::create::generate(dtype, count as usize, element);
    match super::create::made(&sampling.creation, DType::Float64, make) {
        Ok(array) => array,
        Err(error) => fail(name, error),
    }
}

/// The frequencies of [`fft`] of a signal of this length, in cycles per unit of the distance `d` of samples: rising from
/// zero, then the negative ones. `float64` by default.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::fftfreq(4, 0.5).to_string(), "[ 0.   0.5 -1.  -0.5]");
/// ```
///
/// # Errors
/// The length is not positive.
///
/// Source: `numpy.fft.fftfreq`.
#[track_caller]
pub fn fftfreq(length: i64, options: impl Into<Sampling>) -> Array {
    let options = options.into();
    replaceable!("fft.fftfreq", [length, options.d]; like = options.creation);
    let wave = |i| if i <= (length - 1) / 2 { i } else { i - length };
    frequencies("fftfreq", length, length, &options, wave)
}

/// The frequencies of [`rfft`] of a signal of this length, as [`fftfreq`] but none negative.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::rfftfreq(4, 0.5).to_string(), "[0.  0.5 1. ]");
/// ```
///
/// # Errors
/// The length is not positive.
///
/// Source: `numpy.fft.rfftfreq`.
#[track_caller]
pub fn rfftfreq(length: i64, options: impl Into<Sampling>) -> Array {
    let options = options.into();
    replaceable!("fft.rfftfreq", [length, options.d]; like = options.creation);
    frequencies("rfftfreq", length, length / 2 + 1, &options, |i| i)
}

#[track_caller]
fn shifted(name: &'static str, x: Operand, axes: Axes, shift: impl Fn(usize) -> i64) -> Array {
    let x = to_array(x);
    let ty = match x.ty() {
        Ok(ty) => ty,
        Err(error) => return fail(name, error),
    };
    let all = || Integers((0..ty.ndim() as i64).collect());
    let axes = axes.0.unwrap_or_else(all);
    let mut shifts = Vec::with_capacity(axes.0.len());
    for &axis in &axes.0 {
        match one_axis(axis, &ty) {
            Ok(axis) => shifts.push(shift(ty.shape[axis])),
            Err(error) => return fail(name, error),
        }
    }
    if shifts.is_empty() {
        return x;
    }
    roll(x, shifts, axes)
}

/// The zero frequency moved to the middle of the axes, all by default.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::fft::fftshift(np::fft::fftfreq(4, ..), ..).to_string(), "[-0.5  -0.25  0.    0.25]");
/// ```
///
/// # Errors
/// An axis is out of range.
///
/// Source: `numpy.fft.fftshift`.
#[track_caller]
pub fn fftshift<'a>(x: impl Into<Operand<'a>>, axes: impl Into<Axes>) -> Array {
    let (x, axes) = (x.into(), axes.into());
    replaceable!("fft.fftshift", [&x, &axes]);
    shifted("fftshift", x, axes, |n| n as i64 / 2)
}

/// The inverse of [`fftshift`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([1, 2, 3]);
/// assert_eq!(np::fft::ifftshift(np::fft::fftshift(&x, ..), ..).to_string(), "[1 2 3]");
/// ```
///
/// # Errors
/// An axis is out of range.
///
/// Source: `numpy.fft.ifftshift`.
#[track_caller]
pub fn ifftshift<'a>(x: impl Into<Operand<'a>>, axes: impl Into<Axes>) -> Array {
    let (x, axes) = (x.into(), axes.into());
    replaceable!("fft.ifftshift", [&x, &axes]);
    shifted("ifftshift", x, axes, |n| -(n as i64 / 2))
}
