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
//! place where values leave. Semantics are NumPy 2's, but for three functions: [`linalg::svd`] gives the
//! reduced decomposition unless asked for the full one, [`linalg::eig`] is always complex, and [`linalg::lstsq`] keeps
//! residuals of low rank.
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
pub mod blocks;
pub mod calculus;
pub mod contract;
pub mod create;
mod creation;
pub mod einsum;
pub mod elementwise;
pub mod fft;
pub mod floats;
mod integers;
pub mod interpolation;
pub mod joining;
pub mod linalg;
pub mod logic;
mod methods;
pub mod moments;
pub mod options;
pub mod positions;
pub mod quantiles;
pub mod random;
pub mod reduce;
pub mod searching;
pub mod shape;
pub mod signal;
pub mod sorting;
pub mod special;
pub mod statistics;
mod table;

use std::panic::Location;

pub use einsum::{einsum_path, einsum_with};
pub use elementwise::*;
pub use moments::average_with;
pub use options::{
    axis, columns, ddof, dtype, full_matrices, keepdims, like, num, offset, ord, where_mask,
};
pub use searching::unique_with;
pub(crate) use table::for_each_function;

/// Re-exports the functions of the table.
macro_rules! export {
    (
        $a:lifetime;
        numpy { $($module:ident { $($(#[doc = $doc:literal])* $name:ident $row:tt)* })* }
        linalg $linalg:tt
        fft $fft:tt
        named $named:tt
        renamed { $($renamed:ident { $($alias:ident = $of:ident $typed:tt)* })* }
        elementwise $elementwise:tt
        names $names:tt
    ) => {
        $(pub use $module::{$($name),*};)*
        $(pub use $renamed::{$($alias),*};)*
    };
}
for_each_function!(export);

use crate::{Array, Error, Operand, Result};
use autojit_ir::HostArray;

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
/// Arguments by position are those of the function's row in `numpy/table.rs`, in its order; the test
/// `tests/api/dispatch/every_function.rs` sees that no row is without this.
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

/// The failed array of a function.
#[track_caller]
pub(crate) fn fail(function: &'static str, error: Error) -> Array {
    Array::failed(error.in_op(function).at(Location::caller()))
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
