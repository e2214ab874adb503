//! Weighted averages, covariances and correlations.

use std::ops::RangeFull;

use super::options::Reduction;
use super::special::{cast, constant};
use super::{
    add, astype, attempt, axis, broadcast_to, concatenate, conj, diagonal, divide, expand_dims,
    fail, imag, matmul, maximum, mean, minimum, multiply, real, replaceable, reshape, sqrt,
    squeeze, subtract, sum, swapaxes, to_array,
};
use crate::array::Repr;
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{ArrayType, Class, Dims};

/// The options of [`average`]: axes, all by default, and weights, equal ones by default.
///
/// Written `..`, `0`, `axis(0).keepdims()`, `weights([1.0, 2.0]).axis(0)`.
#[derive(Clone, Debug, Default)]
pub struct Weighted {
    pub(crate) reduction: Reduction,
    pub(crate) weights: Option<Operand<'static>>,
}

/// Each element counts as much as its weight. See [`Weighted`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::average(Array::from([1.0, 4.0]), np::moments::weights([2.0, 1.0])).to_string(), "2.0");
/// ```
pub fn weights<'a>(weights: impl Into<Operand<'a>>) -> Weighted {
    Weighted {
        weights: Some(weights.into().into_owned()),
        reduction: Reduction::default(),
    }
}

impl Weighted {
    /// Over these axes.
    #[must_use]
    pub fn axis(self, axes: impl Into<Reduction>) -> Self {
        let reduction = axes.into();
        Self { reduction, ..self }
    }
}

impl From<RangeFull> for Weighted {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

macro_rules! weighted_over {
    ($([$($generic:tt)*] $axes:ty),*) => {$(
        impl<$($generic)*> From<$axes> for Weighted {
            fn from(axes: $axes) -> Self {
                Self::default().axis(axes)
            }
        }
    )*};
}

weighted_over!([] Reduction, [] i32, [] i64, [] Vec<i64>, [const N: usize] [i64; N]);

impl<const N: usize> From<[i32; N]> for Weighted {
    fn from(axes: [i32; N]) -> Self {
        Self::default().axis(axes.as_slice())
    }
}

/// The mean over axes in which each element counts as much as its weight.
///
/// Weights have the shape of `x`, or that of the axes. Booleans and integers give `float64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
/// let average = np::average(&x, np::moments::weights([0.25, 0.75]).axis(1));
/// assert_eq!(average.to_vec::<f64>()?, [0.75, 2.75, 4.75]);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An axis is out of range or given twice, the weights have another shape, or they are known and sum to zero; what is not
/// known until the function runs is divided by zero.
///
/// Source: `numpy.average`.
#[track_caller]
pub fn average<'a>(x: impl Into<Operand<'a>>, options: impl Into<Weighted>) -> Array {
    let (x, options) = (to_array(x.into()), options.into());
    let Weighted { reduction, weights } = &options;
    replaceable!(
        "average",
        [
            &x,
            reduction.axes.as_ref(),
            weights.as_ref(),
            false,
            reduction.keepdims
        ]
    );
    average_with(x, options).0
}

/// The average as [`average`] gives it, and the sum of the weights, of the same shape.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (average, sum) = np::average_with(Array::from([1.0, 4.0]), np::moments::weights([2.0, 1.0]));
/// assert_eq!(average.to_string(), "2.0");
/// assert_eq!(sum.to_string(), "3.0");
/// ```
///
/// # Errors
/// As [`average`]. A failure is both arrays.
///
/// Source: `numpy.average` with `returned=True`.
#[track_caller]
pub fn average_with<'a>(x: impl Into<Operand<'a>>, options: impl Into<Weighted>) -> (Array, Array) {
    let x = to_array(x.into());
    let Weighted { reduction, weights } = options.into();
    let failed = |error: Array| (error.clone(), error);
    let ty = match x.ty() {
        Ok(ty) => ty,
        Err(error) => return failed(fail("average", error)),
    };
    let Some(weights) = weights else {
        let average = mean(&x, reduction.clone());
        let count = match (average.ty(), reduction.resolve(&ty)) {
            (Ok(result), Ok(axes)) => {
                let count: usize = axes.iter().map(|&a| ty.shape[a]).product();
                let count = constant(count as f64, result.dtype, &average);
                broadcast_to(count, &result.shape)
            }
            (Err(error), _) | (_, Err(error)) => fail("average", error),
        };
        return (average, count);
    };
    let weights = match shaped(&ty, &reduction, weights) {
        Ok(weights) => weights,
        Err(error) => return failed(fail("average", error)),
    };
    let dtype = match weights.ty() {
        Ok(weights) => ty.dtype.promote(weights.dtype),
        Err(error) => return failed(fail("average", error)),
    };
    let dtype = if ty.dtype.class() <= Class::Integer {
        dtype.promote(DType::Float64)
    } else {
        dtype
    };
    let weights = cast(weights.into(), dtype);
    let total = sum(broadcast_to(&weights, &ty.shape), reduction.clone());
    if let Err(error) = not_zero(&total) {
        return failed(fail("average", error));
    }
    let sums = sum(multiply(cast(x.into(), dtype), weights), reduction);
    (divide(sums, &total), total)
}

/// Refuses a sum of weights that is known to be zero.
#[track_caller]
fn not_zero(total: &Array) -> Result<()> {
    if !matches!(total.0, Repr::Concrete(_)) {
        return Ok(());
    }
    let numbers: Vec<num_complex::Complex64> = astype(total, DType::Complex128).to_vec()?;
    match numbers.iter().any(|z| z.re == 0.0 && z.im == 0.0) {
        true => Err(Error::value("the weights sum to zero")),
        false => Ok(()),
    }
}

/// Weights in a shape that broadcasts with the array.
#[track_caller]
fn shaped(ty: &ArrayType, reduction: &Reduction, weights: Operand) -> Result<Array> {
    let weights_ty = weights.ty()?;
    if weights_ty.shape == ty.shape {
        reduction.resolve(ty)?;
        return Ok(to_array(weights));
    }
    let wrong = || {
        Error::shape(format!(
            "expected weights of the shape of {ty}, or of its axes that are averaged, got {weights_ty}"
        ))
    };
    let Some(axes) = &reduction.axes else {
        return Err(wrong());
    };
    // In the order in which the axes were given.
    let axes = axes.as_axes(ty)?;
    let sizes: Dims = axes.iter().map(|&a| ty.shape[a]).collect();
    if sizes != weights_ty.shape {
        return Err(wrong());
    }
    let mut order: Vec<usize> = (0..axes.len()).collect();
    order.sort_by_key(|&i| axes[i]);
    let perm: Vec<i64> = order.iter().map(|&i| i as i64).collect();
    let weights = super::transpose(weights, perm);
    let shape: Vec<usize> = (0..ty.ndim())
        .map(|a| if axes.contains(&a) { ty.shape[a] } else { 1 })
        .collect();
    Ok(reshape(weights, shape))
}

/// The options of [`cov`]: a second set of variables, whether rows are variables, what to divide by, and weights.
///
/// Written `..`, `with(&y)`, `columns().bias()`, `ddof(0)`.
#[derive(Clone, Debug)]
pub struct Covariance {
    pub(crate) y: Option<Operand<'static>>,
    pub(crate) rowvar: bool,
    pub(crate) bias: bool,
    pub(crate) ddof: Option<i64>,
    pub(crate) fweights: Option<Operand<'static>>,
    pub(crate) aweights: Option<Operand<'static>>,
}

impl Default for Covariance {
    fn default() -> Self {
        Self {
            y: None,
            rowvar: true,
            bias: false,
            ddof: None,
            fweights: None,
            aweights: None,
        }
    }
}

impl From<RangeFull> for Covariance {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

/// Further variables, with as many observations. See [`Covariance`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let (x, y) = (Array::from([0.0, 2.0]), Array::from([3.0, 1.0]));
/// assert_eq!(np::cov(&x, np::moments::with(&y)).to_string(), "[[ 2. -2.]\n [-2.  2.]]");
/// ```
pub fn with<'a>(y: impl Into<Operand<'a>>) -> Covariance {
    Covariance {
        y: Some(y.into().into_owned()),
        ..Covariance::default()
    }
}

impl Covariance {
    /// Columns are variables, rows are observations.
    #[must_use]
    pub fn columns(self) -> Self {
        Self {
            rowvar: false,
            ..self
        }
    }

    /// Divide by the number of observations, not by one less.
    #[must_use]
    pub fn bias(self) -> Self {
        Self { bias: true, ..self }
    }

    /// Divide by the number of observations less this.
    #[must_use]
    pub fn ddof(self, ddof: i64) -> Self {
        Self {
            ddof: Some(ddof),
            ..self
        }
    }

    /// How often each observation was made, integers.
    #[must_use]
    pub fn fweights<'a>(self, weights: impl Into<Operand<'a>>) -> Self {
        Self {
            fweights: Some(weights.into().into_owned()),
            ..self
        }
    }

    /// How much each observation counts.
    #[must_use]
    pub fn aweights<'a>(self, weights: impl Into<Operand<'a>>) -> Self {
        Self {
            aweights: Some(weights.into().into_owned()),
            ..self
        }
    }
}

/// Variables in rows, observations in columns.
#[track_caller]
fn variables(x: Operand, rowvar: bool, dtype: DType) -> Result<Array> {
    let ty = x.ty()?;
    let x = cast(x, dtype);
    Ok(match *ty.shape.as_slice() {
        [] => reshape(x, [1, 1]),
        [_] => expand_dims(x, 0),
        [_, _] if rowvar => x,
        [_, _] => swapaxes(x, 0, 1),
        _ => {
            return Err(Error::shape(format!("expected at most two axes, got {ty}")));
        }
    })
}

/// The covariance matrix of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a number.
///
/// The result has at least double precision.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]);
/// assert_eq!(np::cov(&x, ..).to_string(), "[[ 1. -1.]\n [-1.  1.]]");
/// ```
///
/// # Errors
/// An input has more than two axes, the numbers of observations differ, or weights are no vector of as many numbers.
///
/// Source: `numpy.cov`.
#[track_caller]
pub fn cov<'a>(x: impl Into<Operand<'a>>, options: impl Into<Covariance>) -> Array {
    let (x, options) = (x.into(), options.into());
    let Covariance {
        y,
        rowvar,
        bias,
        ddof,
        fweights,
        aweights,
    } = &options;
    replaceable!(
        "cov",
        [
            &x,
            y.as_ref(),
            *rowvar,
            *bias,
            *ddof,
            fweights.as_ref(),
            aweights.as_ref()
        ]
    );
    covariances("cov", x, options)
}

#[track_caller]
fn covariances(name: &'static str, x: Operand, options: Covariance) -> Array {
    let observed = match observed(x, &options) {
        Ok(observed) => observed,
        Err(error) => return fail(name, error),
    };
    let Observed {
        variables: x,
        observations,
        weights,
        dtype,
    } = observed;
    let ddof = options.ddof.unwrap_or(i64::from(!options.bias)) as f64;
    let (centre, divisor) = match &weights {
        None => {
            // NumPy takes no negative number of observations.
            let divisor = (observations as f64 - ddof).max(0.0);
            let centre = mean(&x, axis(1).keepdims());
            (centre, constant(divisor, dtype.real(), &x))
        }
        Some(weights) => {
            let total = sum(weights, ..);
            let sums = sum(multiply(&x, weights), axis(1).keepdims());
            let divisor = match &options.aweights {
                _ if ddof == 0.0 => total.clone(),
                None => subtract(&total, ddof),
                Some(aweights) => {
                    let squares = sum(multiply(weights, aweights.clone()), ..);
                    subtract(&total, divide(multiply(squares, ddof), &total))
                }
            };
            (divide(sums, &total), maximum(divisor, 0.0))
        }
    };
    let x = subtract(x, centre);
    let right = match weights {
        None => swapaxes(conj(&x), 0, 1),
        Some(weights) => swapaxes(conj(multiply(&x, weights)), 0, 1),
    };
    let products = matmul(x, right);
    let products = multiply(products, divide(1.0, divisor));
    squeeze(products, ..)
}

struct Observed {
    variables: Array,
    observations: usize,
    weights: Option<Array>,
    dtype: DType,
}

#[track_caller]
fn observed(x: Operand, options: &Covariance) -> Result<Observed> {
    let ty = x.ty()?;
    let mut dtype = ty.dtype.promote(DType::Float64);
    if let Some(y) = &options.y {
        dtype = dtype.promote(y.ty()?.dtype);
    }
    let mut rows = variables(x, options.rowvar, dtype)?;
    if let Some(y) = &options.y {
        rows = concatenate(
            [rows, variables(y.clone(), options.rowvar, dtype)?],
            Some(0),
        );
    }
    let observations = rows.ty()?.shape[1];
    let mut weights: Option<Array> = None;
    let given = [(&options.fweights, true), (&options.aweights, false)];
    for (given, whole) in given {
        let Some(given) = given else { continue };
        let given_ty = given.ty()?;
        let wrong_class = match whole {
            true => given_ty.dtype.class() != Class::Integer,
            false => given_ty.dtype.is_complex(),
        };
        if given_ty.shape.as_slice() != [observations] || wrong_class {
            return Err(Error::value(format!(
                "expected {observations} {} as weights, got {given_ty}",
                if whole { "integers" } else { "real numbers" }
            )));
        }
        let given = cast(given.clone(), DType::Float64);
        weights = Some(match weights {
            Some(weights) => multiply(weights, given),
            None => given,
        });
    }
    Ok(Observed {
        variables: rows,
        observations,
        weights,
        dtype,
    })
}

/// The options of [`corrcoef`]: a second set of variables, and whether rows are variables.
#[derive(Clone, Debug)]
pub struct Coefficients {
    pub(crate) y: Option<Operand<'static>>,
    pub(crate) rowvar: bool,
}

impl From<RangeFull> for Coefficients {
    fn from(_: RangeFull) -> Self {
        Covariance::default().into()
    }
}

impl From<Covariance> for Coefficients {
    fn from(options: Covariance) -> Self {
        Self {
            y: options.y,
            rowvar: options.rowvar,
        }
    }
}

/// The correlation coefficients of variables, which are rows: `[n, m]` gives `[n, n]`, a vector gives a number.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let r = np::corrcoef(Array::from([0.0, 1.0, 2.0]), np::moments::with(Array::from([4.0, 2.0, 0.0])));
/// assert!(np::allclose(r, Array::from([[1.0, -1.0], [-1.0, 1.0]]), ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// An input has more than two axes, or the numbers of observations differ.
///
/// Source: `numpy.corrcoef`.
#[track_caller]
pub fn corrcoef<'a>(x: impl Into<Operand<'a>>, options: impl Into<Coefficients>) -> Array {
    let (x, Coefficients { y, rowvar }) = (x.into(), options.into());
    replaceable!("corrcoef", [&x, y.as_ref(), rowvar]);
    let options = Covariance {
        y,
        rowvar,
        ..Covariance::default()
    };
    let c = covariances("corrcoef", x, options);
    let ty = attempt!("corrcoef", c.ty());
    if ty.ndim() == 0 {
        // One variable: NaN if it does not vary.
        return divide(&c, &c);
    }
    let deviations = sqrt(real(diagonal(&c, ..)));
    let c = divide(c, expand_dims(&deviations, 1));
    let c = divide(c, expand_dims(deviations, 0));
    if ty.dtype.is_complex() {
        let unit = num_complex::Complex64::new(0.0, 1.0);
        let imaginary = multiply(within_one(imag(&c)), unit);
        return add(within_one(real(&c)), imaginary);
    }
    within_one(c)
}

#[track_caller]
fn within_one(part: Array) -> Array {
    minimum(maximum(part, -1.0), 1.0)
}
