//! `Operand`: what the functions of [`crate::numpy`] take where NumPy takes an array or a number.

use std::borrow::Cow;

use num_complex::{Complex32, Complex64};

use super::Array;
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Scalar};

/// An array, or a number that adopts the dtype of the arrays it meets.
///
/// Functions take `impl Into<Operand>`, so `np::add(&x, &y)`, `np::add(&x, 2.0)` and `np::add(1, &x)` all read
/// as they should. Rust's own numbers are weakly typed here, as Python's are in NumPy 2; a number with a dtype
/// of its own is a 0-d array.
///
/// `&x` is borrowed: a call copies neither the array nor its reference count.
#[derive(Clone, Debug)]
pub enum Operand<'a> {
    /// An array.
    Array(Cow<'a, Array>),
    /// A number.
    Scalar(Scalar),
}

impl Operand<'_> {
    /// dtype and shape; a number is a 0-d array.
    pub(crate) fn ty(&self) -> Result<ArrayType> {
        match self {
            Self::Array(array) => array.ty(),
            Self::Scalar(scalar) => Ok(ArrayType::scalar(scalar.dtype())),
        }
    }

    /// The same, owned.
    #[must_use]
    pub fn into_owned(self) -> Operand<'static> {
        match self {
            Self::Array(array) => Operand::Array(Cow::Owned(array.into_owned())),
            Self::Scalar(scalar) => Operand::Scalar(scalar),
        }
    }

    /// The same, borrowing from this one.
    #[must_use]
    pub fn borrowed(&self) -> Operand<'_> {
        match self {
            Self::Array(array) => Operand::Array(Cow::Borrowed(array)),
            Self::Scalar(scalar) => Operand::Scalar(*scalar),
        }
    }
}

impl From<Array> for Operand<'_> {
    #[inline]
    fn from(array: Array) -> Self {
        Self::Array(Cow::Owned(array))
    }
}

impl<'a> From<&'a Array> for Operand<'a> {
    #[inline]
    fn from(array: &'a Array) -> Self {
        Self::Array(Cow::Borrowed(array))
    }
}

impl From<Scalar> for Operand<'_> {
    #[inline]
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

macro_rules! operand_from {
    ($($t:ty),*) => {$(
        impl From<$t> for Operand<'_> {
            #[inline]
            fn from(x: $t) -> Self {
                Self::Scalar(x.into())
            }
        }
    )*};
}

operand_from!(
    bool, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, Complex32, Complex64
);

/// A list of numbers, as `[0, 2]` or a `Vec`, is an array.
macro_rules! operand_from_list {
    ($([$($generics:tt)*] $t:ty),* $(,)?) => {$(
        impl<$($generics)*> From<$t> for Operand<'_>
        where
            Array: From<$t>,
        {
            #[track_caller]
            fn from(list: $t) -> Self {
                Self::Array(Cow::Owned(list.into()))
            }
        }
    )*};
}

operand_from_list!([T, const N: usize] [T; N], [T] Vec<T>, ['a, T] &'a [T]);
