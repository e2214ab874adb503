//! `Element`: the Rust types of array elements, as users see them.
//!
//! A trait of this crate over that of `autojit-ir`: only for a trait of its own does the compiler know that lists are not
//! elements themselves, so that lists of lists are converted, too.

use autojit_ir::{DType, HostArray, Scalar, SharedArray};

/// The Rust types of array elements: `bool`, `i8` to `i64`, `u8` to `u64`, `f32`, `f64`, and complex numbers of the last two.
pub trait Element: autojit_ir::Element {
    /// The dtype of this Rust type.
    const DTYPE: DType = Self::TYPE;

    /// Wraps an array of this type.
    #[must_use]
    fn into_host(array: SharedArray<Self>) -> HostArray {
        Self::host_array(array)
    }

    /// The array inside, if it has this element type.
    #[must_use]
    fn from_host(array: &HostArray) -> Option<&SharedArray<Self>> {
        Self::typed(array)
    }

    /// The element as a wide scalar.
    #[must_use]
    fn to_scalar(self) -> Scalar {
        self.widen()
    }

    /// The element from a wide scalar, converted as `astype` does.
    #[must_use]
    fn from_scalar(scalar: Scalar) -> Self {
        Self::narrow(scalar)
    }
}

macro_rules! elements {
    ($($t:ty)*) => {$(
        impl Element for $t {}
    )*};
}

elements! { bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 num_complex::Complex32 num_complex::Complex64 }
