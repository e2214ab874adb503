//! The functions of NumPy, under its names and with its argument order.
//!
//! ```
//! use autojit::{Array, numpy as np};
//!
//! let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
//! let y = np::matmul(&x, np::transpose(&x, ..));
//! let total = np::sum(np::exp(-&y), ..);
//! assert_eq!(np::sum(&x, 0).to_string(), "[4. 6.]");
//! # let _ = total;
//! ```
//!
//! Each function takes arrays of any library, lazy arrays and plain numbers, and gives an [`Array`]. Where an
//! argument does not fit, the result is a failed array that carries the error and the caller's line to the
//! place where values leave. Semantics are NumPy 2's; the one exception is that [`linalg::svd`] gives the
//! reduced decomposition unless asked for the full one.
//!
//! # Optional arguments
//!
//! The rule is the same everywhere: a function that has optional arguments takes them all in its last
//! parameter, and `..` means the defaults. What is given most often can be given plainly, the rest is built
//! up with the functions of [`options`], which this module re-exports.
//!
//! ```
//! use autojit::{Array, DType, numpy as np};
//!
//! # let x = Array::from([[1.0, -2.0], [3.0, 4.0]]);
//! np::sum(&x, ..);
//! np::sum(&x, 0);
//! np::sum(&x, [0, -1]);
//! np::sum(&x, np::axis(0).keepdims());
//! np::sum(&x, np::axis(0).where_(np::greater(&x, 0)));
//! np::linalg::norm(&x, np::ord(1).axis(0));
//! np::tensordot(&x, &x, ([1], [0]));
//! np::zeros([2, 3], DType::Complex64);
//! ```
//!
//! # Where to look
//!
//! [`elementwise`], [`reduce`], [`contract`], [`shape`], [`create`], [`linalg`], [`fft`]; elementwise functions are
//! generated from the op table, the others either write down one op or combine several.

pub mod along;
pub mod arranging;
pub mod calculus;
pub mod contract;
pub mod create;
mod creation;
pub mod einsum;
pub mod elementwise;
pub mod fft;
mod integers;
pub mod interpolation;
pub mod joining;
pub mod linalg;
pub mod logic;
mod methods;
pub mod options;
pub mod random;
pub mod reduce;
pub mod searching;
pub mod shape;
pub mod sorting;
pub mod special;
pub mod statistics;

use std::panic::Location;

pub use arranging::{fliplr, flipud, pad, roll, rot90, tri, tril, triu};
pub use calculus::{cross, diff, geomspace, logspace, trapezoid, vander};
pub use contract::{dot, inner, matmul, outer, tensordot, trace, vdot};
pub use create::{
    arange, eye, full, full_like, identity, linspace, ones, ones_like, zeros, zeros_like,
};
pub use einsum::{einsum, einsum_path, einsum_with};
pub use elementwise::*;
pub use interpolation::interp;
pub use joining::{
    array_split, atleast_1d, atleast_2d, atleast_3d, column_stack, dstack, hstack, kron, meshgrid,
    repeat, split, tile, vstack,
};
pub use logic::{allclose, isclose};
pub use options::{
    axis, columns, ddof, dtype, full_matrices, keepdims, like, num, offset, ord, where_mask,
};
pub use reduce::{all, amax, amin, any, argmax, argmin, max, mean, min, prod, std, sum, var};
pub use searching::{bincount, nonzero, searchsorted, take_along_axis, unique, unique_with};
pub use shape::{
    broadcast_to, concat, concatenate, diag, diagonal, expand_dims, flip, moveaxis, permute_dims,
    ravel, reshape, squeeze, stack, swapaxes, take, transpose,
};
pub use sorting::{argsort, cumprod, cumsum, median, sort};
pub use special::{
    angle, around, clip, deg2rad, degrees, fabs, float_power, fmax, fmin, heaviside, logaddexp,
    logaddexp2, nan_to_num, positive, rad2deg, radians, round, sinc,
};
pub use statistics::{
    count_nonzero, log_softmax, logsumexp, nanmax, nanmean, nanmin, nanprod, nansum, ptp, softmax,
};

use crate::ir::{ArrayType, HostArray, Op};
use crate::{Array, DType, Error, Operand, Result};

/// The value of a `Result`, or an early return of the failed array, with the caller's line.
///
/// A macro because closures do not pass the caller's line on, so `?` inside one would lose it.
macro_rules! attempt {
    ($function:literal, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return $crate::numpy::fail($function, error),
        }
    };
}
pub(crate) use attempt;

/// An early return of what a registered function gives, if one stands in the place of a function that is made of
/// others. Ops need none of this: what stands in their place is found where they run.
///
/// Arguments by position are those of the function's row in `dispatch/table.rs`, in its order; the test
/// `tests/dispatch_every_function.rs` sees that no row is without this.
macro_rules! replaceable {
    ($function:literal, [$($x:expr),*] $(, $name:literal = $value:expr)* $(; like = $creation:expr)?) => {
        $crate::numpy::replaceable!(
            @values $function, vec![$($crate::Value::from($x)),*] $(, $name = $value)* $(; like = $creation)?
        )
    };
    // All arguments by position are one list.
    ($function:literal, $list:expr $(, $name:literal = $value:expr)*) => {
        $crate::numpy::replaceable!(
            @values $function, $list.iter().map($crate::Value::from).collect() $(, $name = $value)*
        )
    };
    (@values $function:literal, $values:expr $(, $name:literal = $value:expr)* $(; like = $creation:expr)?) => {
        if $crate::registry::any() {
            let arguments = || {
                $crate::registry::Arguments::new(
                    $values,
                    vec![$((String::from($name), $crate::Value::from($value))),*],
                )
            };
            #[allow(unused_mut, unused_assignments, reason = "only functions that make arrays say where")]
            let mut place = None;
            $(place = $creation.place();)?
            if let Some(result) = $crate::registry::replaced($function, place, arguments) {
                return $crate::registry::FromReplacement::from_replacement(result);
            }
        }
    };
}
pub(crate) use replaceable;

/// The same values in another dtype, converted as NumPy does: floats to integers truncate, complex to real
/// drop the imaginary part.
///
/// Source: `numpy.astype`.
#[track_caller]
pub fn astype<'a>(x: impl Into<Operand<'a>>, dtype: DType) -> Array {
    Array::apply(Op::Astype { dtype }, &[x.into()])
}

/// The failed array of a function.
#[track_caller]
pub(crate) fn fail(function: &'static str, error: Error) -> Array {
    Array::failed(error.in_op(function).at(Location::caller()))
}

/// dtype and shape of an operand; a number is a 0-d array.
pub(crate) fn type_of(x: &Operand) -> Result<ArrayType> {
    match x {
        Operand::Array(array) => array.ty(),
        Operand::Scalar(scalar) => Ok(ArrayType::scalar(scalar.dtype())),
    }
}

/// The number of axes of an operand, which a number has none of.
#[inline]
pub(crate) fn axis_count(x: &Operand) -> Result<usize> {
    match x {
        Operand::Array(array) => array.axis_count(),
        Operand::Scalar(_) => Ok(0),
    }
}

/// The operand as an array: a number becomes a 0-d array of its own dtype.
pub(crate) fn to_array(x: Operand) -> Array {
    match x {
        Operand::Array(array) => array.into_owned(),
        Operand::Scalar(scalar) => Array::from_host(HostArray::scalar(scalar, scalar.dtype())),
    }
}
