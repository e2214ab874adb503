//! Reductions: sums, products, extremes and quantifiers over axes.
//!
//! Without axes they reduce over all of them. `mean`, `std` and `var` are compositions; the others are ops.

use super::options::{Deviation, Reduction, SumOptions};
use super::{
    astype, attempt, axis_count, conj, divide, multiply, real, replaceable, reshape, sqrt, square,
    subtract,
};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{ArrayType, Class, Dims, Op, ReduceOp, Scalar};

/// The sum over axes, of the elements where a mask is true if one is given.
///
/// Booleans and integers sum as `int64`; other dtypes stay. The sum of nothing is zero.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1, 2], [3, 5]]);
/// assert_eq!(np::sum(&x, ..).to_string(), "11");
/// assert_eq!(np::sum(&x, 0).to_string(), "[4 7]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice; the mask does not broadcast to `x`.
///
/// Source: `numpy.sum`.
#[track_caller]
pub fn sum<'a>(x: impl Into<Operand<'a>>, options: impl Into<SumOptions>) -> Array {
    let x = x.into();
    let SumOptions { reduction, mask } = options.into();
    let axes = attempt!("sum", axes(&x, &reduction));
    let keepdims = reduction.keepdims;
    match mask {
        None => Array::apply(Op::Reduce(ReduceOp::Sum { axes, keepdims }), &[x]),
        Some(mask) => Array::apply(
            Op::Reduce(ReduceOp::SumWhere { axes, keepdims }),
            &[x, *mask],
        ),
    }
}

/// The axes in order. All of them, which is the default, need no more than their number.
fn axes(x: &Operand, reduction: &Reduction) -> Result<Dims> {
    if let Some(given) = &reduction.axes {
        let ty = x.ty()?;
        if given.is_of_number(&ty) {
            return Ok(Dims::new());
        }
        return reduction.resolve(&ty);
    }
    let count = axis_count(x)?;
    let mut axes = Dims::new();
    for axis in 0..count {
        axes.push(axis);
    }
    Ok(axes)
}

macro_rules! define_reductions {
    ($($(#[$doc:meta])* $name:ident $text:literal $Op:ident;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
            let (x, reduction) = (x.into(), options.into());
            let axes = attempt!($text, axes(&x, &reduction));
            let keepdims = reduction.keepdims;
            Array::apply(ReduceOp::$Op { axes, keepdims }.into(), &[x])
        }
    )* };
}

define_reductions! {
    /// The product over axes. Booleans and integers multiply as `int64`; the product of nothing is one.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = Array::from([[1, 2], [3, 5]]);
    /// assert_eq!(np::prod(&x, ..).to_string(), "30");
    /// assert_eq!(np::prod(&x, 0).to_string(), "[ 3 10]");
    /// ```
    ///
    /// # Errors
    /// An axis is out of range or given twice.
    ///
    /// Source: `numpy.prod`.
    prod "prod" Prod;
    /// The largest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = Array::from([[1, 2], [3, 5]]);
    /// assert_eq!(np::max(&x, ..).to_string(), "5");
    /// assert_eq!(np::max(&x, 0).to_string(), "[3 5]");
    /// ```
    ///
    /// # Errors
    /// An axis is out of range or given twice, or there is no element.
    ///
    /// Source: `numpy.max`.
    max "max" Max;
    /// The smallest element over axes; NaN if any is. Complex numbers compare by real, then imaginary part.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// let x = Array::from([[1, 2], [3, 5]]);
    /// assert_eq!(np::min(&x, ..).to_string(), "1");
    /// assert_eq!(np::min(&x, 1).to_string(), "[1 3]");
    /// ```
    ///
    /// # Errors
    /// An axis is out of range or given twice, or there is no element.
    ///
    /// Source: `numpy.min`.
    min "min" Min;
    /// Whether any element over axes is not zero.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::any(Array::from([[0, 0], [0, 7]]), 0).to_string(), "[False  True]");
    /// ```
    ///
    /// # Errors
    /// An axis is out of range or given twice.
    ///
    /// Source: `numpy.any`.
    any "any" Any;
    /// Whether all elements over axes are not zero; NaN is not zero.
    ///
    /// ```
    /// use autojit::{Array, numpy as np};
    ///
    /// assert_eq!(np::all(Array::from([[0, 1], [2, 7]]), 0).to_string(), "[False  True]");
    /// ```
    ///
    /// # Errors
    /// An axis is out of range or given twice.
    ///
    /// Source: `numpy.all`.
    all "all" All;
}

/// The same as [`max()`].
#[track_caller]
pub fn amax<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    max(x, options)
}

/// The same as [`min()`].
#[track_caller]
pub fn amin<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    min(x, options)
}

/// The position of the first largest element along one axis, or in the flattened array; a NaN counts as
/// largest. The result is `int64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::argmax(Array::from([[1, 5], [3, 2]]), ..).to_string(), "1");
/// assert_eq!(np::argmax(Array::from([[1, 5], [3, 2]]), 0).to_string(), "[1 0]");
/// ```
///
/// # Errors
/// The axis is out of range, there are several, or there is no element.
///
/// Source: `numpy.argmax`.
#[track_caller]
pub fn argmax<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    arg_extremum("argmax", x.into(), &options.into())
}

/// The position of the first smallest element along one axis, or in the flattened array; a NaN counts as
/// smallest. The result is `int64`.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::argmin(Array::from([[1, 5], [3, 0]]), ..).to_string(), "3");
/// assert_eq!(np::argmin(Array::from([[1, 5], [3, 0]]), 0).to_string(), "[0 1]");
/// ```
///
/// # Errors
/// The axis is out of range, there are several, or there is no element.
///
/// Source: `numpy.argmin`.
#[track_caller]
pub fn argmin<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    arg_extremum("argmin", x.into(), &options.into())
}

#[track_caller]
fn arg_extremum(function: &'static str, x: Operand, reduction: &Reduction) -> Array {
    let plan = match x
        .ty()
        .and_then(|ty| arg_plan(&ty, reduction).map(|axis| (ty, axis)))
    {
        Ok(plan) => plan,
        Err(error) => return super::fail(function, error),
    };
    let (ty, axis) = plan;
    let op = |axis, keepdims| match function {
        "argmax" => Op::Reduce(ReduceOp::Argmax { axis, keepdims }),
        _ => Op::Reduce(ReduceOp::Argmin { axis, keepdims }),
    };
    match axis {
        Some(axis) => Array::apply(op(axis, reduction.keepdims), &[x]),
        None => {
            let flat = if ty.ndim() == 1 {
                super::to_array(x)
            } else {
                reshape(x, -1)
            };
            if reduction.keepdims {
                let kept = Array::apply(op(0, true), &[flat.into()]);
                return if ty.ndim() == 1 {
                    kept
                } else {
                    reshape(kept, vec![1i64; ty.ndim()])
                };
            }
            Array::apply(op(0, false), &[flat.into()])
        }
    }
}

/// The axis to search along; `None` is the flattened array.
fn arg_plan(ty: &ArrayType, reduction: &Reduction) -> Result<Option<usize>> {
    if ty.size() == 0 && reduction.axes.is_none() {
        // Said here because flattening forgets the type that the user knows.
        return Err(Error::value(format!(
            "an empty array has no largest or smallest element, got {ty}"
        )));
    }
    match &reduction.axes {
        None => Ok(None),
        Some(axes) if axes.is_of_number(ty) => Ok(None),
        Some(axes) => match *axes.0.as_slice() {
            [axis] => super::integers::one_axis(axis, ty).map(Some),
            _ => Err(Error::value(format!(
                "expected one axis, got {}",
                axes.0.len()
            ))),
        },
    }
}

/// The arithmetic mean over axes. Booleans and integers give `float64`; the mean of nothing is NaN.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::mean(Array::from([[1, 2], [3, 4]]), ..).to_string(), "2.5");
/// assert_eq!(np::mean(Array::from([[1, 2], [3, 4]]), 0).to_string(), "[2. 3.]");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.mean`.
#[track_caller]
pub fn mean<'a>(x: impl Into<Operand<'a>>, options: impl Into<Reduction>) -> Array {
    let (x, reduction) = (x.into(), options.into());
    replaceable!(
        "mean",
        [&x],
        "axis" = reduction.axes.as_ref(),
        "keepdims" = reduction.keepdims
    );
    let ty = attempt!("mean", x.ty());
    let count = attempt!("mean", count(&ty, &reduction));
    let x = to_floating(x, &ty);
    divide(sum(x, reduction), Scalar::Float(count))
}

/// The number of elements that are reduced into one.
fn count(ty: &ArrayType, reduction: &Reduction) -> Result<f64> {
    let axes = reduction.resolve(ty)?;
    Ok(axes.iter().map(|&a| ty.shape[a] as f64).product())
}

/// Booleans and integers as `float64`, before anything is summed: sums of integers would wrap.
#[track_caller]
fn to_floating<'a>(x: Operand<'a>, ty: &ArrayType) -> Operand<'a> {
    if ty.dtype.class() <= Class::Integer {
        astype(x, DType::Float64).into()
    } else {
        x
    }
}

/// The variance over axes: the mean of the squared distances from the mean, which is real. With `ddof` the sum
/// is divided by that much less than the number of elements.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::var(Array::from([1.0, 3.0]), ..).to_string(), "1.0");
/// assert_eq!(np::var(Array::from([1.0, 3.0]), np::ddof(1.0)).to_string(), "2.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.var`.
#[track_caller]
pub fn var<'a>(x: impl Into<Operand<'a>>, options: impl Into<Deviation>) -> Array {
    let x = x.into();
    let Deviation { reduction, ddof } = options.into();
    replaceable!(
        "var",
        [&x],
        "axis" = reduction.axes.as_ref(),
        "ddof" = ddof,
        "keepdims" = reduction.keepdims
    );
    let ty = attempt!("var", x.ty());
    let count = attempt!("var", count(&ty, &reduction));
    let x = to_floating(x, &ty);
    let center = mean(x.clone(), reduction.clone().keepdims());
    let distance = subtract(x, center);
    let squares = if ty.dtype.is_complex() {
        real(multiply(&distance, conj(&distance)))
    } else {
        square(&distance)
    };
    divide(
        sum(squares, reduction),
        Scalar::Float((count - ddof).max(0.0)),
    )
}

/// The standard deviation over axes: the square root of [`var`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::std(Array::from([1.0, 3.0]), ..).to_string(), "1.0");
/// ```
///
/// # Errors
/// An axis is out of range or given twice.
///
/// Source: `numpy.std`.
#[track_caller]
pub fn std<'a>(x: impl Into<Operand<'a>>, options: impl Into<Deviation>) -> Array {
    let (x, options) = (x.into(), options.into());
    let Deviation { reduction, ddof } = &options;
    replaceable!(
        "std",
        [&x],
        "axis" = reduction.axes.as_ref(),
        "ddof" = *ddof,
        "keepdims" = reduction.keepdims
    );
    sqrt(var(x, options))
}
