//! Optional arguments: the types of the last parameter of functions that have any.
//!
//! Each converts from `..` (all defaults) and from what is given most often on its own, and is built up with
//! methods for the rest: `axis(0).keepdims()`, `ord(1).axis(0)`. Nothing is checked here; a function checks
//! its options against its array, so that the message names both.

use std::ops::RangeFull;

pub use super::creation::{Creation, EyeOptions, LinspaceOptions, columns, dtype, like, num};
pub use super::integers::Integers;
use crate::{Operand, Result, Value};
use autojit_ir::{ArrayType, Dims, NormOrder};

macro_rules! from_defaults {
    ($($options:ty),*) => {$(
        impl From<RangeFull> for $options {
            fn from(_: RangeFull) -> Self {
                Self::default()
            }
        }
    )*};
}

from_defaults!(
    Axes,
    JoinAxis,
    Reduction,
    SumOptions,
    Deviation,
    Offset,
    Diagonal,
    Creation,
    EyeOptions,
    LinspaceOptions,
    TensordotAxes
);

/// Axes, all of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axes(pub(crate) Option<Integers>);

impl<T: Into<Integers>> From<T> for Axes {
    fn from(axes: T) -> Self {
        Self(Some(axes.into()))
    }
}

impl From<&Axes> for Value {
    fn from(axes: &Axes) -> Self {
        axes.0.as_ref().into()
    }
}

/// The axis along which arrays are joined: 0 by default; `None` joins them flattened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinAxis(pub(crate) Option<i64>);

impl Default for JoinAxis {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl From<Option<i64>> for JoinAxis {
    fn from(axis: Option<i64>) -> Self {
        Self(axis)
    }
}

/// How to reduce: over which axes (all by default), and whether they stay with length one.
///
/// Written `..`, `0`, `[0, -1]`, `axis(0).keepdims()` or `keepdims()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduction {
    pub(crate) axes: Option<Integers>,
    pub(crate) keepdims: bool,
}

/// Reduce over these axes. See [`Reduction`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::sum(np::ones([2, 3], ..), np::axis(0).keepdims()).to_string(), "[[2. 2. 2.]]");
/// ```
pub fn axis(axes: impl Into<Integers>) -> Reduction {
    Reduction {
        axes: Some(axes.into()),
        keepdims: false,
    }
}

/// Reduce over all axes and keep each with length one. See [`Reduction`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::sum(np::ones([2, 3], ..), np::keepdims()).to_string(), "[[6.]]");
/// ```
#[must_use]
pub fn keepdims() -> Reduction {
    Reduction::default().keepdims()
}

impl Reduction {
    /// Keep the reduced axes, with length one.
    #[must_use]
    pub fn keepdims(self) -> Self {
        Self {
            keepdims: true,
            ..self
        }
    }

    /// Take only the elements where `mask` is true; for `sum`.
    pub fn where_<'a>(self, mask: impl Into<Operand<'a>>) -> SumOptions {
        SumOptions {
            reduction: self,
            mask: Some(Box::new(mask.into().into_owned())),
        }
    }

    /// Divide by the number of elements less `ddof`; for `std` and `var`.
    pub fn ddof(self, ddof: impl Into<f64>) -> Deviation {
        Deviation {
            reduction: self,
            ddof: ddof.into(),
        }
    }

    /// The axes in order, for an array of type `ty`.
    pub(crate) fn resolve(&self, ty: &ArrayType) -> Result<Dims> {
        match &self.axes {
            None => Ok((0..ty.ndim()).collect()),
            Some(axes) => {
                let mut axes = axes.as_axes(ty)?;
                axes.sort_unstable();
                Ok(axes)
            }
        }
    }
}

impl<T: Into<Integers>> From<T> for Reduction {
    fn from(axes: T) -> Self {
        axis(axes)
    }
}

/// The options of `sum`: a [`Reduction`], and which elements take part.
#[derive(Clone, Debug, Default)]
pub struct SumOptions {
    pub(crate) reduction: Reduction,
    /// In a box, as nearly every call is without, and moves the options around.
    pub(crate) mask: Option<Box<Operand<'static>>>,
}

/// Sum only the elements where `mask` is true. See [`SumOptions`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([1, 2, 3]);
/// assert_eq!(np::sum(&x, np::where_mask(np::greater(&x, 1))).to_string(), "5");
/// ```
pub fn where_mask<'a>(mask: impl Into<Operand<'a>>) -> SumOptions {
    Reduction::default().where_(mask)
}

impl SumOptions {
    /// Keep the reduced axes, with length one.
    #[must_use]
    pub fn keepdims(self) -> Self {
        Self {
            reduction: self.reduction.keepdims(),
            ..self
        }
    }
}

impl From<Reduction> for SumOptions {
    fn from(reduction: Reduction) -> Self {
        Self {
            reduction,
            mask: None,
        }
    }
}

impl<T: Into<Integers>> From<T> for SumOptions {
    fn from(axes: T) -> Self {
        axis(axes).into()
    }
}

/// The options of `std` and `var`: a [`Reduction`], and what is taken off the number of elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviation {
    pub(crate) reduction: Reduction,
    pub(crate) ddof: f64,
}

/// Divide by the number of elements less `ddof`. See [`Deviation`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::var(Array::from([1.0, 3.0]), np::ddof(1.0)).to_string(), "2.0");
/// ```
pub fn ddof(ddof: impl Into<f64>) -> Deviation {
    Reduction::default().ddof(ddof)
}

impl Deviation {
    /// Keep the reduced axes, with length one.
    #[must_use]
    pub fn keepdims(self) -> Self {
        Self {
            reduction: self.reduction.keepdims(),
            ..self
        }
    }
}

impl From<Reduction> for Deviation {
    fn from(reduction: Reduction) -> Self {
        reduction.ddof(0)
    }
}

impl<T: Into<Integers>> From<T> for Deviation {
    fn from(axes: T) -> Self {
        axis(axes).into()
    }
}

/// Which diagonal: 0 is the main one, positive numbers lie above it, negative below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset(pub(crate) i64);

/// A diagonal of an array with more than two axes: its offset, and the two axes that span the matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagonal {
    pub(crate) offset: i64,
    pub(crate) axes: (i64, i64),
}

/// The diagonal this far above the main one. See [`Diagonal`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::trace(Array::from([[1, 2], [3, 4]]), np::offset(1)).to_string(), "2");
/// ```
#[must_use]
pub fn offset(offset: i64) -> Diagonal {
    Diagonal {
        offset,
        ..Diagonal::default()
    }
}

impl Default for Diagonal {
    fn default() -> Self {
        Self {
            offset: 0,
            axes: (0, 1),
        }
    }
}

impl Diagonal {
    /// Which axes are the rows and the columns; 0 and 1 by default.
    #[must_use]
    pub fn axes(self, rows: i64, columns: i64) -> Self {
        Self {
            axes: (rows, columns),
            ..self
        }
    }
}

macro_rules! from_one_integer {
    ($($t:ty),*) => {$(
        impl From<$t> for JoinAxis {
            fn from(axis: $t) -> Self {
                Self(Some(axis as i64))
            }
        }

        impl From<$t> for Offset {
            fn from(offset: $t) -> Self {
                Self(offset as i64)
            }
        }

        impl From<$t> for Diagonal {
            fn from(number: $t) -> Self {
                offset(number as i64)
            }
        }

        impl From<$t> for EyeOptions {
            fn from(number: $t) -> Self {
                columns(number as i64)
            }
        }

        impl From<$t> for LinspaceOptions {
            fn from(number: $t) -> Self {
                num(number as i64)
            }
        }

        impl From<$t> for TensordotAxes {
            fn from(count: $t) -> Self {
                Self::Count(count as i64)
            }
        }
    )*};
}

from_one_integer!(i32, i64, isize, usize);

/// Which axes `tensordot` sums over: the last so many of `x` with the first so many of `y` (2 by default), or
/// two lists of axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensordotAxes {
    /// The last so many axes of the first array, the first so many of the second.
    Count(i64),
    /// Axes of the first array, and the axes of the second that they are paired with.
    Pairs(Integers, Integers),
}

impl Default for TensordotAxes {
    fn default() -> Self {
        Self::Count(2)
    }
}

impl<X: Into<Integers>, Y: Into<Integers>> From<(X, Y)> for TensordotAxes {
    fn from((x, y): (X, Y)) -> Self {
        Self::Pairs(x.into(), y.into())
    }
}

impl<T: Into<Integers>> From<[T; 2]> for TensordotAxes {
    fn from([x, y]: [T; 2]) -> Self {
        Self::Pairs(x.into(), y.into())
    }
}

/// The options of `linalg::norm`: the order, the axes, and whether they stay with length one.
///
/// Written `..`, `2`, `"fro"`, `ord(1).axis(0)` or `axis([0, 1]).keepdims()`.
#[derive(Clone, Debug, Default)]
pub struct NormOptions {
    pub(crate) order: Order,
    pub(crate) reduction: Reduction,
}

from_defaults!(NormOptions);

/// The order of a norm as it was written: a number, or a name such as `"fro"`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Order {
    /// The 2-norm of all elements.
    #[default]
    Default,
    /// A number, which may be infinite.
    Number(f64),
    /// `"fro"` or `"nuc"`.
    Name(String),
}

impl From<&Order> for Value {
    fn from(order: &Order) -> Self {
        match order {
            Order::Default => Self::None,
            Order::Number(p) => (*p).into(),
            Order::Name(name) => name.as_str().into(),
        }
    }
}

impl Order {
    pub(crate) fn resolve(&self) -> Result<NormOrder> {
        match self {
            Self::Default => Ok(NormOrder::Default),
            Self::Number(p) => Ok(NormOrder::number(*p)),
            Self::Name(name) => name.parse(),
        }
    }
}

macro_rules! order_from {
    ($($t:ty),*) => {$(
        impl From<$t> for Order {
            fn from(p: $t) -> Self {
                Self::Number(p as f64)
            }
        }

        impl From<$t> for NormOptions {
            fn from(p: $t) -> Self {
                ord(p)
            }
        }
    )*};
}

order_from!(i32, i64, f64);

impl From<&str> for Order {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// The norm of this order. See [`NormOptions`].
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// assert_eq!(np::linalg::norm(Array::from([3.0, -4.0]), np::ord(1)).to_string(), "7.0");
/// ```
pub fn ord(order: impl Into<Order>) -> NormOptions {
    NormOptions {
        order: order.into(),
        reduction: Reduction::default(),
    }
}

impl NormOptions {
    /// The norms of vectors along one axis, or of matrices over two.
    #[must_use]
    pub fn axis(self, axes: impl Into<Integers>) -> Self {
        let axes = Some(axes.into());
        Self {
            reduction: Reduction {
                axes,
                ..self.reduction
            },
            ..self
        }
    }

    /// Keep the reduced axes, with length one.
    #[must_use]
    pub fn keepdims(self) -> Self {
        Self {
            reduction: self.reduction.keepdims(),
            ..self
        }
    }
}

impl From<&str> for NormOptions {
    fn from(name: &str) -> Self {
        ord(name)
    }
}

impl From<Reduction> for NormOptions {
    fn from(reduction: Reduction) -> Self {
        Self {
            order: Order::Default,
            reduction,
        }
    }
}

/// The options of `linalg::svd`: whether the orthonormal factors are square; they are not by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SvdOptions {
    pub(crate) full_matrices: bool,
}

from_defaults!(SvdOptions);

/// Whether the orthonormal factors of the decomposition are square. See [`SvdOptions`].
///
/// ```
/// use autojit::numpy as np;
///
/// let (u, _, _) = np::linalg::svd(np::ones([3, 2], ..), np::full_matrices(true));
/// assert_eq!(u.shape()?, [3, 3]);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn full_matrices(full_matrices: bool) -> SvdOptions {
    SvdOptions { full_matrices }
}
