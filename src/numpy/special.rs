//! Elementwise functions that are written with others: rounding to decimals, angles, logarithms of sums, limits.
//!
//! Numbers of integer dtype become `float64` where the result is not whole, as in NumPy.

use std::f64::consts::{LN_2, LOG2_E, PI};
use std::ops::RangeFull;

use smallvec::SmallVec;

use super::options::Creation;
use super::{
    absolute, add, arctan2, attempt, conj, divide, equal, exp, exp2, greater, greater_equal, imag,
    isfinite, isnan, log1p, logical_or, maximum, minimum, multiply, negative, power, real,
    replaceable, rint, sin, subtract, to_array, where_,
};
use crate::array::Repr;
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{Class, HostArray, MapOp, Op, Scalar};

/// The same values in another dtype, converted as NumPy does: floats to integers truncate, complex to real
/// drop the imaginary part.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::astype(Array::from([1.9, -1.9]), autojit::DType::Int64).to_string(), "[ 1 -1]");
/// ```
///
/// Source: `numpy.astype`.
#[track_caller]
pub fn astype<'a>(x: impl Into<Operand<'a>>, dtype: DType) -> Array {
    Array::apply(Op::Map(MapOp::Astype { dtype }), &[x.into()])
}

/// The dtype to which operands promote; plain numbers take part by their class.
pub(super) fn promoted(operands: &[&Operand]) -> Result<DType> {
    let mut dtypes: SmallVec<[DType; 4]> = SmallVec::new();
    for operand in operands {
        if let Operand::Array(array) = operand {
            dtypes.push(array.ty()?.dtype);
        }
    }
    let strong = DType::promote_all(dtypes.iter().copied());
    let scalars = operands.iter().filter_map(|o| match o {
        Operand::Scalar(s) => Some(*s),
        Operand::Array(_) => None,
    });
    let result = scalars.fold(strong, |so_far, s| {
        Some(so_far.map_or(s.dtype(), |d| d.promote(s.weak_dtype(d))))
    });
    result.ok_or_else(|| Error::internal("no operand to promote"))
}

/// Where to make what an array meets: in its library, if it has values. Beside a lazy array anything can be a
/// constant, and one made at once is a single node.
pub(super) fn beside(x: &Array) -> Creation {
    match x.0 {
        Repr::Concrete(_) => super::like(x),
        _ => Creation::default(),
    }
}

/// A number of a given dtype for an array to meet, 0-d.
#[track_caller]
pub(super) fn constant(value: impl Into<Scalar>, dtype: DType, x: &Array) -> Array {
    super::full((), value.into(), beside(x).dtype(dtype))
}

/// Positions along an axis of an array, for `take`.
pub(super) fn positions(list: Vec<i64>, x: &Array) -> Result<Array> {
    let host = HostArray::from(ndarray::Array1::from_vec(list).into_dyn());
    super::create::made(&beside(x).dtype(DType::Int64), DType::Int64, |_| Ok(host))
}

/// The common floating dtype of real operands.
pub(super) fn real_floating(operands: &[&Operand]) -> Result<DType> {
    let dtype = promoted(operands)?;
    if dtype.is_complex() {
        return Err(Error::dtype(format!(
            "complex numbers are not supported, got {dtype}"
        )));
    }
    Ok(dtype.floating())
}

/// `+x`: the same numbers; booleans are refused.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::positive(Array::from([1, -2])).to_string(), "[ 1 -2]");
/// ```
///
/// # Errors
/// `x` is boolean.
///
/// Source: `numpy.positive`.
#[track_caller]
pub fn positive<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("positive", [&x]);
    let ty = attempt!("positive", x.ty());
    if ty.dtype == DType::Bool {
        let wrong = Error::dtype(format!("booleans are not supported, got {ty}"));
        return super::fail("positive", wrong);
    }
    to_array(x)
}

/// `|x|` of real numbers, floating for integers too.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::fabs(Array::from([1, -2])).to_string(), "[1. 2.]");
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `numpy.fabs`.
#[track_caller]
pub fn fabs<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("fabs", [&x]);
    let dtype = attempt!("fabs", real_floating(&[&x]));
    absolute(cast(x, dtype))
}

/// The operand in a dtype, as it is if it has it.
#[track_caller]
pub(super) fn cast(x: Operand, dtype: DType) -> Array {
    let x = to_array(x);
    match x.ty() {
        Ok(ty) if ty.dtype == dtype => x,
        _ => astype(x, dtype),
    }
}

#[track_caller]
fn scaled(name: &'static str, x: Operand, factor: f64) -> Array {
    let dtype = match real_floating(&[&x]) {
        Ok(dtype) => dtype,
        Err(error) => return super::fail(name, error),
    };
    multiply(cast(x, dtype), factor)
}

/// Angles in degrees as radians.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::deg2rad(Array::from([0.0, 180.0])).to_string(), "[0.         3.14159265]");
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `numpy.deg2rad`.
#[track_caller]
pub fn deg2rad<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("deg2rad", [&x]);
    scaled("deg2rad", x, PI / 180.0)
}

/// Angles in radians as degrees.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::rad2deg(std::f64::consts::PI).to_string(), "180.0");
/// ```
///
/// # Errors
/// `x` is complex.
///
/// Source: `numpy.rad2deg`.
#[track_caller]
pub fn rad2deg<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("rad2deg", [&x]);
    scaled("rad2deg", x, 180.0 / PI)
}

/// The same as [`deg2rad`].
#[track_caller]
pub fn radians<'a>(x: impl Into<Operand<'a>>) -> Array {
    deg2rad(x)
}

/// The same as [`rad2deg`].
#[track_caller]
pub fn degrees<'a>(x: impl Into<Operand<'a>>) -> Array {
    rad2deg(x)
}

/// `sin(pi x) / (pi x)`, one at zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::sinc(Array::from([0.0, 0.5])).to_string(), "[1.         0.63661977]");
/// ```
///
/// Source: `numpy.sinc`.
#[track_caller]
pub fn sinc<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = x.into();
    replaceable!("sinc", [&x]);
    let x = multiply(x, PI);
    let is_zero = equal(&x, 0);
    // Neither a derivative of the quotient nor one of its own is infinite at zero, where the series has two terms.
    let safe = where_(&is_zero, 1, &x);
    let series = subtract(1, multiply(multiply(&x, &x), 1.0 / 6.0));
    where_(is_zero, series, divide(sin(&safe), &safe))
}

/// In which unit [`angle`] gives angles: radians by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AngleUnit {
    /// A full turn is two pi.
    #[default]
    Radians,
    /// A full turn is 360.
    Degrees,
}

impl From<RangeFull> for AngleUnit {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// The angle of complex numbers; zero or pi for real ones.
///
/// ```
/// use autojit::numpy as np;
/// use num_complex::Complex64;
///
/// assert_eq!(np::angle(Complex64::new(0.0, 1.0), ..).to_string(), "1.5707963267948966");
/// ```
///
/// Source: `numpy.angle`.
#[track_caller]
pub fn angle<'a>(z: impl Into<Operand<'a>>, unit: impl Into<AngleUnit>) -> Array {
    let (z, unit) = (to_array(z.into()), unit.into());
    replaceable!("angle", [&z, unit == AngleUnit::Degrees]);
    let radians = arctan2(imag(&z), real(&z));
    match unit {
        AngleUnit::Radians => radians,
        AngleUnit::Degrees => multiply(radians, 180.0 / PI),
    }
}

/// How many decimals [`round`] keeps: none by default; a negative number rounds to tens, hundreds and so on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimals(pub i64);

impl From<RangeFull> for Decimals {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Decimals {
    fn from(decimals: i64) -> Self {
        Self(decimals)
    }
}

impl From<i32> for Decimals {
    fn from(decimals: i32) -> Self {
        Self(decimals.into())
    }
}

/// Rounded to decimals, halves to even; dtypes stay.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::round(Array::from([0.5, 1.5, 2.345]), ..).to_string(), "[0. 2. 2.]");
/// assert_eq!(np::round(Array::from([0.5, 1.5, 2.345]), 2).to_string(), "[0.5  1.5  2.35]");
/// ```
///
/// # Errors
/// `x` is boolean.
///
/// Source: `numpy.round`.
#[track_caller]
pub fn round<'a>(x: impl Into<Operand<'a>>, decimals: impl Into<Decimals>) -> Array {
    let (x, Decimals(decimals)) = (x.into(), decimals.into());
    replaceable!("round", [&x, decimals]);
    let ty = attempt!("round", x.ty());
    match ty.dtype.class() {
        Class::Bool if decimals == 0 => rint(x),
        Class::Bool => {
            let wrong = "booleans are not rounded to decimals other than 0";
            super::fail("round", Error::dtype(format!("{wrong}, got {ty}")))
        }
        Class::Integer if decimals >= 0 => to_array(x),
        Class::Integer => astype(
            rounded(astype(x, DType::Float64).into(), decimals),
            ty.dtype,
        ),
        Class::Float => rounded(x, decimals),
        Class::Complex if decimals == 0 => rint(x),
        // Part by part: a complex product would mix them.
        Class::Complex => join_parts(
            &rounded(real(x.clone()).into(), decimals),
            &rounded(imag(x).into(), decimals),
            ty.dtype,
        ),
    }
}

/// Complex numbers with these parts, to the last bit: `(re - 0i) + (-0 + im i)`. Neither part meets the other one.
#[track_caller]
fn join_parts(re: &Array, im: &Array, dtype: DType) -> Array {
    let part = |im: f64| num_complex::Complex64::new(-0.0, im);
    let below_axis = |x: &Array| conj(astype(x, dtype));
    // (im - 0i) i = 0 + im i for finite parts; negated and conjugated, the zero is -0.
    let turned = multiply(below_axis(im), num_complex::Complex64::new(0.0, 1.0));
    let turned = conj(negative(turned));
    let infinite = where_(greater(im, 0), part(f64::INFINITY), part(f64::NEG_INFINITY));
    let special = where_(isnan(im), part(f64::NAN), infinite);
    add(
        below_axis(re),
        where_(isfinite(im), turned, astype(special, dtype)),
    )
}

/// The same as [`round()`].
#[track_caller]
pub fn around<'a>(x: impl Into<Operand<'a>>, decimals: impl Into<Decimals>) -> Array {
    round(x, decimals)
}

#[track_caller]
fn rounded(x: Operand, decimals: i64) -> Array {
    // Beyond this the power of ten is infinite, or zero.
    let power = i32::try_from(decimals.clamp(-400, 400)).unwrap_or(0);
    match power {
        0 => rint(x),
        1.. => divide(rint(multiply(x, 10f64.powi(power))), 10f64.powi(power)),
        _ => multiply(rint(divide(x, 10f64.powi(-power))), 10f64.powi(-power)),
    }
}

/// The numbers that [`nan_to_num`] puts in the place of special values: zero for NaN, the largest and smallest finite
/// numbers for the infinities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replacements {
    /// For NaN.
    pub nan: f64,
    /// For infinity, if not the largest finite number.
    pub posinf: Option<f64>,
    /// For minus infinity, if not the smallest finite number.
    pub neginf: Option<f64>,
}

impl From<RangeFull> for Replacements {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// Finite numbers in the place of NaN and infinities, in each part of complex numbers.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::nan_to_num(Array::from([f64::NAN, 1.0]), ..).to_string(), "[0. 1.]");
/// ```
///
/// Source: `numpy.nan_to_num`.
#[track_caller]
pub fn nan_to_num<'a>(x: impl Into<Operand<'a>>, replacements: impl Into<Replacements>) -> Array {
    let (x, replacements) = (to_array(x.into()), replacements.into());
    let Replacements {
        nan,
        posinf,
        neginf,
    } = replacements;
    replaceable!("nan_to_num", [&x, nan, posinf, neginf]);
    let ty = attempt!("nan_to_num", x.ty());
    match ty.dtype.class() {
        Class::Bool | Class::Integer => x,
        Class::Float => finite(x, ty.dtype, replacements),
        Class::Complex => {
            let part = ty.dtype.real();
            let (re, im) = (
                finite(real(&x), part, replacements),
                finite(imag(&x), part, replacements),
            );
            join_parts(&re, &im, ty.dtype)
        }
    }
}

#[track_caller]
fn finite(x: Array, dtype: DType, replacements: Replacements) -> Array {
    let largest = if dtype == DType::Float32 {
        f32::MAX.into()
    } else {
        f64::MAX
    };
    let Replacements {
        nan,
        posinf,
        neginf,
    } = replacements;
    let numbers = where_(isnan(&x), nan, &x);
    let below = where_(equal(&x, f64::INFINITY), posinf.unwrap_or(largest), numbers);
    where_(
        equal(&x, f64::NEG_INFINITY),
        neginf.unwrap_or(-largest),
        below,
    )
}

/// `log(exp(x) + exp(y))`, without overflow on the way.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::logaddexp(Array::from([1000.0, 0.0]), Array::from([1000.0, 0.0])).to_string(), "[1.00069315e+03 6.93147181e-01]");
/// ```
///
/// # Errors
/// The shapes do not broadcast, or an input is complex.
///
/// Source: `numpy.logaddexp`.
#[track_caller]
pub fn logaddexp<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("logaddexp", [&x, &y]);
    let dtype = attempt!("logaddexp", real_floating(&[&x, &y]));
    let (x, y) = (cast(x, dtype), cast(y, dtype));
    let (alike, distance) = distance(&x, &y);
    let sum = add(maximum(&x, &y), log1p(exp(negative(distance))));
    where_(alike, add(middle(&x, &y), LN_2), sum)
}

/// Whether two numbers are equal, and how far they are apart: zero for equal infinities, which have no difference.
#[track_caller]
fn distance(x: &Array, y: &Array) -> (Array, Array) {
    let alike = equal(x, y);
    let difference = where_(&alike, 0, subtract(x, y));
    (alike, absolute(difference))
}

/// Half of each: of equal numbers that number, but with a derivative that is the same by both.
#[track_caller]
fn middle(x: &Array, y: &Array) -> Array {
    add(multiply(x, 0.5), multiply(y, 0.5))
}

/// `log2(2^x + 2^y)`, without overflow on the way.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::logaddexp2(Array::from([5000.0, 0.0]), Array::from([5000.0, 0.0])).to_string(), "[5.001e+03 1.000e+00]");
/// ```
///
/// # Errors
/// The shapes do not broadcast, or an input is complex.
///
/// Source: `numpy.logaddexp2`.
#[track_caller]
pub fn logaddexp2<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("logaddexp2", [&x, &y]);
    let dtype = attempt!("logaddexp2", real_floating(&[&x, &y]));
    let (x, y) = (cast(x, dtype), cast(y, dtype));
    let (alike, distance) = distance(&x, &y);
    let sum = add(
        maximum(&x, &y),
        multiply(log1p(exp2(negative(distance))), LOG2_E),
    );
    where_(alike, add(middle(&x, &y), 1.0), sum)
}

/// The larger of the two; the other one if one is NaN.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::fmax(Array::from([1.0, f64::NAN]), Array::from([3.0, 2.0])).to_string(), "[3. 2.]");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.fmax`.
#[track_caller]
pub fn fmax<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("fmax", [&x, &y]);
    let take_x = logical_or(greater_equal(x.clone(), y.clone()), isnan(y.clone()));
    where_(take_x, x, y)
}

/// The smaller of the two; the other one if one is NaN.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::fmin(Array::from([1.0, f64::NAN]), Array::from([3.0, 2.0])).to_string(), "[1. 2.]");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.fmin`.
#[track_caller]
pub fn fmin<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("fmin", [&x, &y]);
    let take_x = logical_or(greater_equal(y.clone(), x.clone()), isnan(y.clone()));
    where_(take_x, x, y)
}

/// 0 below zero, 1 above, `h` at zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::heaviside(Array::from([-1.0, 0.0, 2.0]), 0.5).to_string(), "[0.  0.5 1. ]");
/// ```
///
/// # Errors
/// The shapes do not broadcast, or an input is complex.
///
/// Source: `numpy.heaviside`.
#[track_caller]
pub fn heaviside<'a>(x: impl Into<Operand<'a>>, h: impl Into<Operand<'a>>) -> Array {
    let (x, h) = (x.into(), h.into());
    replaceable!("heaviside", [&x, &h]);
    let dtype = attempt!("heaviside", real_floating(&[&x, &h]));
    let (x, h) = (cast(x, dtype), cast(h, dtype));
    let step = astype(greater(&x, 0), dtype);
    where_(isnan(&x), &x, where_(equal(&x, 0), h, step))
}

/// `x` to the power `y` in double precision: `float64`, or `complex128` if one is complex.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::float_power(Array::from([1, 2]), -1).to_string(), "[1.  0.5]");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.float_power`.
#[track_caller]
pub fn float_power<'a>(x: impl Into<Operand<'a>>, y: impl Into<Operand<'a>>) -> Array {
    let (x, y) = (x.into(), y.into());
    replaceable!("float_power", [&x, &y]);
    let dtype = attempt!("float_power", promoted(&[&x, &y]));
    let dtype = dtype.promote(DType::Float64);
    power(cast(x, dtype), cast(y, dtype))
}

/// A limit of [`clip`], none by default.
#[derive(Clone, Debug, Default)]
pub struct Limit(pub(crate) Option<Operand<'static>>);

impl From<RangeFull> for Limit {
    fn from(_: RangeFull) -> Self {
        Self(None)
    }
}

impl<'a, T: Into<Operand<'a>>> From<T> for Limit {
    fn from(limit: T) -> Self {
        Self(Some(limit.into().into_owned()))
    }
}

/// Numbers below `low` replaced by `low`, then those above `high` by `high`; `..` is no limit.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::clip(Array::from([1, 5, 9]), 2, 8).to_string(), "[2 5 8]");
/// assert_eq!(np::clip(Array::from([1, 5, 9]), 2, ..).to_string(), "[2 5 9]");
/// ```
///
/// # Errors
/// The shapes do not broadcast.
///
/// Source: `numpy.clip`.
#[track_caller]
pub fn clip<'a>(x: impl Into<Operand<'a>>, low: impl Into<Limit>, high: impl Into<Limit>) -> Array {
    let (x, Limit(low), Limit(high)) = (x.into(), low.into(), high.into());
    replaceable!("clip", [&x, low.as_ref(), high.as_ref()]);
    // An integer beyond all those of a dtype is no limit, and would not fit into it.
    let range = x.ty().ok().and_then(|ty| ty.dtype.integer_range());
    let low = low.filter(|low| !is_beyond(low, |i| range.is_some_and(|(least, _)| i < least)));
    let high = high.filter(|high| !is_beyond(high, |i| range.is_some_and(|(_, most)| i > most)));
    let raised = match low {
        Some(low) => maximum(x, low),
        None => to_array(x),
    };
    match high {
        Some(high) => minimum(raised, high),
        None => raised,
    }
}

fn is_beyond(limit: &Operand<'_>, beyond: impl Fn(i128) -> bool) -> bool {
    match limit {
        Operand::Scalar(scalar) => scalar.to_integer().is_some_and(beyond),
        Operand::Array(_) => false,
    }
}
