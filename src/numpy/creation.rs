//! The options of functions that make arrays: the dtype, and where the array is to be.
//!
//! Options that a call leaves open are decided by the block around it, and else by the function.

use crate::Result;
use crate::like::{Like, Place, Wanted, innermost};
use autojit_ir::DType;

/// The options of functions that make arrays: the dtype, and an array or a library that they are to be like.
///
/// Options that are not given are decided by the [`backend_like`](crate::backend_like) block around the call, and else by
/// the function's default in the ndarray library. A dtype that is given wins over that of an array.
#[derive(Clone, Debug, Default)]
pub struct Creation {
    pub(crate) dtype: Option<DType>,
    pub(crate) like: Option<Like>,
}

/// Make the array with this dtype. See [`Creation`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::zeros(2, np::dtype(autojit::DType::Float32)).dtype()?, autojit::DType::Float32);
/// # Ok::<(), autojit::Error>(())
/// ```
#[must_use]
pub fn dtype(dtype: DType) -> Creation {
    dtype.into()
}

/// Make the array in the library of another one, with its dtype, on its device; or in the library of this name.
///
/// ```
/// use autojit::{Array, DType, lazy, numpy as np};
///
/// let x = Array::from([1.0f32, 2.0]);
/// assert_eq!(np::zeros([2, 3], np::like(&x)).ty()?.to_string(), "f32[2,3]");
/// assert_eq!(np::eye(2, np::like(&x).dtype(DType::Int64)).ty()?.to_string(), "i64[2,2]");
/// assert_eq!(np::ones(3, np::like("ndarray-complex64")).ty()?.to_string(), "c64[3]");
/// assert!(np::ones(3, np::like(&lazy::array(&x))).as_lazy().is_some());
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// Source: autoray's `like=`.
pub fn like(like: impl Into<Like>) -> Creation {
    Creation {
        dtype: None,
        like: Some(like.into()),
    }
}

impl Creation {
    /// The dtype, whatever the array to be like has.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        Self {
            dtype: Some(dtype),
            ..self
        }
    }

    /// Make the array like this one, or in the library of this name.
    #[must_use]
    pub fn like(self, other: impl Into<Like>) -> Self {
        Self {
            like: Some(other.into()),
            ..self
        }
    }

    /// The options, given here or by the blocks around, and the dtype, which is `own` by default.
    pub(crate) fn resolve(&self, own: DType) -> Result<(Wanted, DType)> {
        let wanted = match &self.like {
            Some(like) => like.0.clone()?.or(innermost()),
            None => innermost(),
        };
        let dtype = self.dtype.or(wanted.dtype).unwrap_or(own);
        Ok((wanted, dtype))
    }

    /// The place that is asked for.
    pub(crate) fn place(&self) -> Option<Place> {
        self.resolve(DType::Float64).ok()?.0.place
    }
}

impl From<DType> for Creation {
    fn from(dtype: DType) -> Self {
        Some(dtype).into()
    }
}

impl From<Option<DType>> for Creation {
    fn from(dtype: Option<DType>) -> Self {
        Self { dtype, like: None }
    }
}

macro_rules! from_creation {
    ($($options:ty),*) => {$(
        impl From<Creation> for $options {
            fn from(creation: Creation) -> Self {
                Self {
                    creation,
                    ..Self::default()
                }
            }
        }

        impl From<DType> for $options {
            fn from(dtype: DType) -> Self {
                Creation::from(dtype).into()
            }
        }

        impl $options {
            /// The dtype.
            #[must_use]
            pub fn dtype(self, dtype: DType) -> Self {
                Self {
                    creation: self.creation.dtype(dtype),
                    ..self
                }
            }

            /// Make the array like this one, or in the library of this name.
            #[must_use]
            pub fn like(self, other: impl Into<Like>) -> Self {
                Self {
                    creation: self.creation.like(other),
                    ..self
                }
            }
        }
    )*};
}

from_creation!(EyeOptions, LinspaceOptions);

/// The options of `eye`: the number of columns, the diagonal, and those of all functions that make arrays.
#[derive(Clone, Debug, Default)]
pub struct EyeOptions {
    pub(crate) columns: Option<i64>,
    pub(crate) k: i64,
    pub(crate) creation: Creation,
}

/// Make this many columns. See [`EyeOptions`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::eye(1, np::columns(3)).to_string(), "[[1. 0. 0.]]");
/// ```
#[must_use]
pub fn columns(columns: i64) -> EyeOptions {
    EyeOptions {
        columns: Some(columns),
        ..EyeOptions::default()
    }
}

impl EyeOptions {
    /// The ones stand on this diagonal.
    #[must_use]
    pub fn k(self, k: i64) -> Self {
        Self { k, ..self }
    }
}

/// The options of `linspace`: how many numbers, whether the last is the end, and those of all functions that
/// make arrays.
#[derive(Clone, Debug)]
pub struct LinspaceOptions {
    pub(crate) num: i64,
    pub(crate) endpoint: bool,
    pub(crate) creation: Creation,
}

impl Default for LinspaceOptions {
    fn default() -> Self {
        Self {
            num: 50,
            endpoint: true,
            creation: Creation::default(),
        }
    }
}

/// Make this many numbers. See [`LinspaceOptions`].
///
/// ```
/// use autojit::numpy as np;
///
/// assert_eq!(np::linspace(0, 1, np::num(2)).to_string(), "[0. 1.]");
/// ```
#[must_use]
pub fn num(num: i64) -> LinspaceOptions {
    LinspaceOptions {
        num,
        ..LinspaceOptions::default()
    }
}

impl LinspaceOptions {
    /// Whether the last number is the end of the interval.
    #[must_use]
    pub fn endpoint(self, endpoint: bool) -> Self {
        Self { endpoint, ..self }
    }
}
