//! Functions that make arrays from nothing: of the default library, in main memory.
//!
//! A size that cannot be had is an error, never a panic or an abort.

use std::ops::Range;

use ndarray::{ArrayD, IxDyn};

use super::options::{Creation, EyeOptions, Integers, LinspaceOptions};
use super::{attempt, replaceable};
use crate::like::Place;
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{Class, Dims, Element, HostArray, Scalar, host_from};
use autojit_library::default_library;

/// Zeros, `float64` by default.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::zeros([2, 3], ..).to_string(), "[[0. 0. 0.]\n [0. 0. 0.]]");
/// ```
///
/// # Errors
/// A size is negative, or the array does not fit into memory.
///
/// Source: `numpy.zeros`.
#[track_caller]
pub fn zeros(shape: impl Into<Integers>, options: impl Into<Creation>) -> Array {
    let (shape, creation) = (shape.into(), options.into());
    replaceable!("zeros", [&shape], "dtype" = creation.dtype; like = creation);
    let make = |dtype| filled(&shape, Scalar::Int(0), dtype);
    attempt!("zeros", made(&creation, DType::Float64, make))
}

/// Ones, `float64` by default.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::ones(3, autojit::DType::Int64).to_string(), "[1 1 1]");
/// ```
///
/// # Errors
/// A size is negative, or the array does not fit into memory.
///
/// Source: `numpy.ones`.
#[track_caller]
pub fn ones(shape: impl Into<Integers>, options: impl Into<Creation>) -> Array {
    let (shape, creation) = (shape.into(), options.into());
    replaceable!("ones", [&shape], "dtype" = creation.dtype; like = creation);
    let make = |dtype| filled(&shape, Scalar::Int(1), dtype);
    attempt!("ones", made(&creation, DType::Float64, make))
}

/// One number everywhere; by default of the number's own dtype.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::full([2, 2], 7, ..).to_string(), "[[7 7]\n [7 7]]");
/// ```
///
/// # Errors
/// A size is negative, or the array does not fit into memory; an integer does not fit into the dtype, if that is one of integers.
///
/// Source: `numpy.full`.
#[track_caller]
pub fn full(
    shape: impl Into<Integers>,
    value: impl Into<Scalar>,
    options: impl Into<Creation>,
) -> Array {
    let (shape, value, creation) = (shape.into(), value.into(), options.into());
    replaceable!("full", [&shape, value], "dtype" = creation.dtype; like = creation);
    let make = |dtype| {
        check_fits(value, dtype)?;
        filled(&shape, value, dtype)
    };
    attempt!("full", made(&creation, value.dtype(), make))
}

/// Zeros of the shape of `x`, and of its dtype by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::zeros_like(Array::from([1, 2]), ..).to_string(), "[0 0]");
/// ```
///
/// Source: `numpy.zeros_like`.
#[track_caller]
pub fn zeros_like<'a>(x: impl Into<Operand<'a>>, options: impl Into<Creation>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("zeros_like", [&x], "dtype" = options.dtype);
    full_like(x, Scalar::Int(0), options)
}

/// Ones of the shape of `x`, and of its dtype by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::ones_like(Array::from([1.5, 2.5]), ..).to_string(), "[1. 1.]");
/// ```
///
/// Source: `numpy.ones_like`.
#[track_caller]
pub fn ones_like<'a>(x: impl Into<Operand<'a>>, options: impl Into<Creation>) -> Array {
    let (x, options) = (x.into(), options.into());
    replaceable!("ones_like", [&x], "dtype" = options.dtype);
    full_like(x, Scalar::Int(1), options)
}

/// One number everywhere, of the shape of `x`, and of its dtype by default.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::full_like(Array::from([1.5, 2.5]), 3, ..).to_string(), "[3. 3.]");
/// ```
///
/// Source: `numpy.full_like`.
#[track_caller]
pub fn full_like<'a>(
    x: impl Into<Operand<'a>>,
    value: impl Into<Scalar>,
    options: impl Into<Creation>,
) -> Array {
    let (x, value, creation) = (x.into(), value.into(), options.into());
    replaceable!("full_like", [&x, value], "dtype" = creation.dtype);
    let ty = attempt!("full_like", x.ty());
    let creation = match x {
        Operand::Array(array) if creation.like.is_none() => creation.like(&*array),
        _ => creation,
    };
    let dtype = creation.dtype.unwrap_or(ty.dtype);
    full(&ty.shape, value, creation.dtype(dtype))
}

/// Ones on a diagonal of a matrix of zeros with `rows` rows and, by default, as many columns.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::eye(2, ..).to_string(), "[[1. 0.]\n [0. 1.]]");
/// assert_eq!(np::eye(2, np::columns(3).k(1)).to_string(), "[[0. 1. 0.]\n [0. 0. 1.]]");
/// ```
///
/// # Errors
/// A size is negative, or the array does not fit into memory.
///
/// Source: `numpy.eye`.
#[track_caller]
pub fn eye(rows: i64, options: impl Into<EyeOptions>) -> Array {
    let EyeOptions {
        columns,
        k,
        creation,
    } = options.into();
    replaceable!("eye", [rows], "M" = columns, "k" = k, "dtype" = creation.dtype; like = creation);
    let shape = Integers::from([rows, columns.unwrap_or(rows)]);
    let make = |dtype| with_diagonal(&shape, k, dtype);
    attempt!("eye", made(&creation, DType::Float64, make))
}

/// The identity matrix with `n` rows.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::identity(2, ..).to_string(), "[[1. 0.]\n [0. 1.]]");
/// ```
///
/// # Errors
/// The size is negative, or the array does not fit into memory.
///
/// Source: `numpy.identity`.
#[track_caller]
pub fn identity(n: i64, options: impl Into<Creation>) -> Array {
    let creation = options.into();
    replaceable!("identity", [n], "dtype" = creation.dtype; like = creation);
    eye(n, creation)
}

/// The numbers that `arange` counts through: from a start, up to but without a stop, by steps.
///
/// Written `10`, `(2, 10)`, `2..10` or `(2, 10, 3)`, with integers or floats.
#[derive(Clone, Copy, Debug)]
pub struct Progression {
    start: Scalar,
    stop: Scalar,
    step: Scalar,
}

impl Progression {
    /// From `start` up to but without `stop`, by `step`.
    pub fn new(start: impl Into<Scalar>, stop: impl Into<Scalar>, step: impl Into<Scalar>) -> Self {
        Self {
            start: start.into(),
            stop: stop.into(),
            step: step.into(),
        }
    }

    fn class(&self) -> Class {
        let Self { start, stop, step } = self;
        start.class().max(stop.class()).max(step.class())
    }

    /// The dtype of the numbers, if they are integers.
    fn integers(&self) -> DType {
        let ends = [self.start, self.stop, self.step];
        if ends.iter().any(|x| matches!(x, Scalar::Uint(_))) {
            DType::Uint64
        } else {
            DType::Int64
        }
    }
}

macro_rules! progression_from {
    ($($t:ty),*) => {$(
        impl From<$t> for Progression {
            fn from(stop: $t) -> Self {
                Self::new(Scalar::Int(0), stop, Scalar::Int(1))
            }
        }

        impl From<Range<$t>> for Progression {
            fn from(range: Range<$t>) -> Self {
                Self::new(range.start, range.end, Scalar::Int(1))
            }
        }

        impl From<($t, $t)> for Progression {
            fn from((start, stop): ($t, $t)) -> Self {
                Self::new(start, stop, Scalar::Int(1))
            }
        }

        impl From<($t, $t, $t)> for Progression {
            fn from((start, stop, step): ($t, $t, $t)) -> Self {
                Self::new(start, stop, step)
            }
        }
    )*};
}

progression_from!(i32, i64, u64, f64);

/// Evenly spaced numbers in a half-open interval: `int64` for integers, `uint64` where one of the three is too large for that,
/// else `float64`.
///
/// ```
/// # use autojit::{DType, numpy as np};
/// np::arange(10, ..);
/// np::arange(2..10, ..);
/// np::arange((0.0, 1.0, 0.25), DType::Float32);
/// ```
///
/// # Errors
/// The step is zero or not a number, or the array does not fit into memory.
///
/// Source: `numpy.arange`.
#[track_caller]
pub fn arange(interval: impl Into<Progression>, options: impl Into<Creation>) -> Array {
    let (interval, creation) = (interval.into(), options.into());
    let Progression { start, stop, step } = interval;
    replaceable!("arange", [start, stop, step], "dtype" = creation.dtype; like = creation);
    let own = match interval.class() {
        Class::Bool | Class::Integer => interval.integers(),
        _ => DType::Float64,
    };
    let make = |dtype| count_through(&interval, dtype);
    attempt!("arange", made(&creation, own, make))
}

fn count_through(interval: &Progression, dtype: DType) -> Result<HostArray> {
    let &Progression { start, stop, step } = interval;
    let class = interval.class();
    if class == Class::Complex {
        return Err(Error::dtype("expected real numbers, got complex ones"));
    }
    let too_large = || Error::value("the interval has too many numbers");
    if class <= Class::Integer {
        // A bool is no integer of its own.
        let integer = |x: Scalar| x.to_integer().unwrap_or_else(|| x.to_i64().into());
        let (start, stop, step) = (integer(start), integer(stop), integer(step));
        if step == 0 {
            return Err(Error::value("the step cannot be zero"));
        }
        let (span, steps) = ((stop - start) * step.signum(), step.abs());
        let count = usize::try_from((span.max(0) + steps - 1) / steps).map_err(|_| too_large())?;
        // Those that NumPy takes the step from; it lets later ones wrap.
        for at in 0..count.min(2) {
            check_fits(Scalar::from_integer(start + at as i128 * step), dtype)?;
        }
        return generate(dtype, count, |i| {
            Scalar::from_integer(start + i as i128 * step)
        });
    }
    let (start, stop, step) = (start.to_f64(), stop.to_f64(), step.to_f64());
    let count = ((stop - start) / step).ceil();
    if count.is_nan() || step == 0.0 {
        return Err(Error::value(format!(
            "cannot count from {start} to {stop} by {step}"
        )));
    }
    if count >= isize::MAX as f64 {
        return Err(too_large());
    }
    // NumPy's step is the difference of the first two numbers, after they are converted.
    if dtype.is_integer() {
        let converted = |x: f64| {
            Scalar::Float(x)
                .cast(dtype)
                .to_integer()
                .unwrap_or_default()
        };
        let first = converted(start);
        let step = converted(start + step) - first;
        return generate(dtype, count.max(0.0) as usize, |i| {
            Scalar::from_integer(first + i as i128 * step)
        });
    }
    if dtype == DType::Float32 {
        let first = start as f32;
        let step = (start + step) as f32 - first;
        return generate(dtype, count.max(0.0) as usize, |i| {
            Scalar::from(first + i as f32 * step)
        });
    }
    let step = start + step - start;
    generate(dtype, count.max(0.0) as usize, |i| {
        Scalar::Float(start + i as f64 * step)
    })
}

/// Evenly spaced numbers from `start` to `stop`: 50 by default, the last being `stop`.
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::linspace(0, 1, 5).to_string(), "[0.   0.25 0.5  0.75 1.  ]");
/// assert_eq!(np::linspace(0, 1, np::num(4).endpoint(false)).to_string(), "[0.   0.25 0.5  0.75]");
/// ```
///
/// # Errors
/// The number is negative, or the array does not fit into memory.
///
/// Source: `numpy.linspace`.
#[track_caller]
pub fn linspace(
    start: impl Into<Scalar>,
    stop: impl Into<Scalar>,
    options: impl Into<LinspaceOptions>,
) -> Array {
    let (start, stop) = (start.into(), stop.into());
    let LinspaceOptions {
        num,
        endpoint,
        creation,
    } = options.into();
    replaceable!("linspace", [start, stop, num], "endpoint" = endpoint, "dtype" = creation.dtype; like = creation);
    let own = start.dtype().promote(stop.dtype()).floating();
    let make = |dtype| evenly_spaced(start, stop, num, endpoint, dtype);
    attempt!("linspace", made(&creation, own, make))
}

fn evenly_spaced(
    start: Scalar,
    stop: Scalar,
    num: i64,
    endpoint: bool,
    dtype: DType,
) -> Result<HostArray> {
    let own = start.dtype().promote(stop.dtype()).floating();
    let count = usize::try_from(num)
        .map_err(|_| Error::value(format!("a size cannot be negative, got {num}")))?;
    let gaps = if endpoint {
        count.saturating_sub(1)
    } else {
        count
    } as f64;
    // Numbers for an integer dtype round down, as in NumPy, and not towards zero.
    let round = |x: f64| {
        if dtype.is_integer() { x.floor() } else { x }
    };
    if own.is_complex() {
        let (first, last) = (start.to_complex(), stop.to_complex());
        let step = (last - first) / gaps;
        return generate(dtype, count, |i| {
            if endpoint && i > 0 && i + 1 == count {
                Scalar::Complex(last)
            } else if gaps > 0.0 {
                Scalar::Complex(first + step * i as f64)
            } else {
                Scalar::Complex(first)
            }
        });
    }
    let (first, last) = (start.to_f64(), stop.to_f64());
    let distance = last - first;
    let step = distance / gaps;
    generate(dtype, count, |i| {
        Scalar::Float(round(if endpoint && i > 0 && i + 1 == count {
            last
        } else if gaps <= 0.0 {
            first
        } else if step == 0.0 {
            // The step underflowed: divide first.
            i as f64 / gaps * distance + first
        } else {
            i as f64 * step + first
        }))
    })
}

/// An array where the options say, with the dtype that they say, which is `own` by default.
#[track_caller]
pub(super) fn made(
    creation: &Creation,
    own: DType,
    make: impl FnOnce(DType) -> Result<HostArray>,
) -> Result<Array> {
    let (wanted, dtype) = creation.resolve(own)?;
    let host = make(dtype)?;
    match wanted.place {
        Some(Place::Lazy) => Ok(crate::lazy::array(&Array::from_host(host))),
        Some(Place::Library(library)) => {
            let array = library.from_host_on(host, wanted.device.as_deref())?;
            Ok(Array::from_concrete(array))
        }
        None => {
            let array = default_library().from_host_on(host, wanted.device.as_deref())?;
            Ok(Array::from_concrete(array))
        }
    }
}

/// Checks that an integer is one of a dtype of integers, as it would wrap silently.
fn check_fits(value: Scalar, dtype: DType) -> Result<()> {
    match value.to_integer() {
        Some(integer) if dtype.is_integer() && value.cast(dtype) != value => Err(Error::overflow(
            format!("the integer {integer} does not fit into {dtype}"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// An array with one number everywhere.
fn filled(shape: &Integers, value: Scalar, dtype: DType) -> Result<HostArray> {
    let shape = shape.as_sizes(dtype.size())?;
    host_from!(dtype, T => {
        let mut data: Vec<T> = reserve(shape.iter().product())?;
        data.resize(shape.iter().product(), T::narrow(value));
        from_elements(&shape, data)
    })
}

fn with_diagonal(shape: &Integers, k: i64, dtype: DType) -> Result<HostArray> {
    let shape = shape.as_sizes(dtype.size())?;
    let [rows, columns] = [shape[0], shape[1]];
    host_from!(dtype, T => {
        let mut data: Vec<T> = reserve(rows * columns)?;
        data.resize(rows * columns, T::narrow(Scalar::Int(0)));
        for (i, row) in data.chunks_exact_mut(columns.max(1)).enumerate() {
            let at = (i as i64).checked_add(k).and_then(|j| usize::try_from(j).ok());
            if let Some(x) = at.and_then(|j| row.get_mut(j)) {
                *x = T::narrow(Scalar::Int(1));
            }
        }
        from_elements(&shape, data)
    })
}

/// A vector whose elements are computed from their positions.
pub(super) fn generate(
    dtype: DType,
    count: usize,
    element: impl Fn(usize) -> Scalar,
) -> Result<HostArray> {
    let shape = Integers::from(count).as_sizes(dtype.size())?;
    host_from!(dtype, T => {
        let mut data: Vec<T> = reserve(count)?;
        data.extend((0..count).map(|i| T::narrow(element(i))));
        from_elements(&shape, data)
    })
}

/// Room for elements; asking first turns an abort into an error.
fn reserve<T>(count: usize) -> Result<Vec<T>> {
    let bytes = size_of::<T>();
    HostArray::room_for(count, format_args!("{count} elements of {bytes} bytes"))
}

fn from_elements<T: Element>(shape: &Dims, data: Vec<T>) -> Result<HostArray> {
    ArrayD::from_shape_vec(IxDyn(shape), data)
        .map(HostArray::from)
        .map_err(|e| Error::internal(format!("elements do not fit {shape:?}: {e}")))
}
