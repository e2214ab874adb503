//! `Integers`: one integer or a list, which is how axes, sizes and orders of axes are written.
//!
//! It holds what was written; what it means, and whether it is valid, depends on an array or an element size.

use smallvec::SmallVec;

use crate::{Error, Result, Value};
use autojit_ir::{ArrayType, Dims, normalize_axis};

/// One integer or a list of integers: axes, sizes, or an order of axes.
///
/// Converts from integers, arrays, slices and vectors of them, and from `()`, the empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integers(pub(crate) SmallVec<[i64; 4]>);

impl From<()> for Integers {
    fn from((): ()) -> Self {
        Self::default()
    }
}

macro_rules! integers_from {
    ($($t:ty => |$i:ident| $wide:expr;)*) => {$(
        impl From<$t> for Integers {
            fn from($i: $t) -> Self {
                Self(SmallVec::from_slice(&[$wide]))
            }
        }

        impl From<&[$t]> for Integers {
            fn from(list: &[$t]) -> Self {
                Self(list.iter().map(|&$i| $wide).collect())
            }
        }

        impl From<Vec<$t>> for Integers {
            fn from(list: Vec<$t>) -> Self {
                list.as_slice().into()
            }
        }

        impl From<&Vec<$t>> for Integers {
            fn from(list: &Vec<$t>) -> Self {
                list.as_slice().into()
            }
        }
    )*};
}

integers_from! {
    i32 => |i| i64::from(i);
    i64 => |i| i;
    isize => |i| i as i64;
    // What does not fit is larger than any array, and refused as such.
    usize => |i| i64::try_from(i).unwrap_or(i64::MAX);
}

// An empty list written `[]` has no type of its own, so exactly one may fit it: `[i64; 0]`. The lists of the other types have
// an implementation for each length up to as many axes as most arrays have.
impl<const N: usize> From<[i64; N]> for Integers {
    fn from(list: [i64; N]) -> Self {
        list.as_slice().into()
    }
}

impl<const N: usize> From<&[i64; N]> for Integers {
    fn from(list: &[i64; N]) -> Self {
        list.as_slice().into()
    }
}

macro_rules! lists_of {
    ($t:ty: $($n:literal)*) => {$(
        impl From<[$t; $n]> for Integers {
            #[inline]
            fn from(list: [$t; $n]) -> Self {
                list.as_slice().into()
            }
        }

        impl From<&[$t; $n]> for Integers {
            #[inline]
            fn from(list: &[$t; $n]) -> Self {
                list.as_slice().into()
            }
        }
    )*};
    ($($t:ty),*) => {$(
        lists_of!($t: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    )*};
}

lists_of!(i32, isize, usize);

impl From<&Dims> for Integers {
    fn from(list: &Dims) -> Self {
        list.as_slice().into()
    }
}

impl From<Dims> for Integers {
    fn from(list: Dims) -> Self {
        list.as_slice().into()
    }
}

impl Integers {
    /// As axes of an array of type `ty`: not negative, in the order given, each at most once.
    pub(crate) fn as_axes(&self, ty: &ArrayType) -> Result<Dims> {
        let mut axes = Dims::with_capacity(self.0.len());
        for &axis in &self.0 {
            let wrapped = one_axis(axis, ty)?;
            if axes.contains(&wrapped) {
                return Err(Error::value(format!("axis {axis} is given twice for {ty}")));
            }
            axes.push(wrapped);
        }
        Ok(axes)
    }

    /// Whether they are the one axis that some functions of NumPy let a 0-d array have.
    pub(crate) fn is_of_number(&self, ty: &ArrayType) -> bool {
        ty.ndim() == 0 && matches!(*self.0.as_slice(), [0 | -1])
    }

    /// As the sizes of a new array whose elements take `bytes` each.
    pub(crate) fn as_sizes(&self, bytes: usize) -> Result<Dims> {
        ArrayType::check_axes(self.0.len())?;
        let mut total = bytes;
        let mut shape = Dims::with_capacity(self.0.len());
        for &size in &self.0 {
            let size = usize::try_from(size)
                .map_err(|_| Error::value(format!("a size cannot be negative, got {size}")))?;
            // An empty axis does not make the others free: views of the array multiply them again.
            total = total.saturating_mul(size.max(1));
            shape.push(size);
        }
        if total > isize::MAX as usize {
            return Err(Error::value(format!(
                "an array of shape {:?} is too large",
                self.0
            )));
        }
        Ok(shape)
    }
}

/// An axis of an array of type `ty`, counted from the front.
pub(crate) fn one_axis(axis: i64, ty: &ArrayType) -> Result<usize> {
    normalize_axis(axis, ty.ndim())
        .map_err(|_| Error::index(format!("axis {axis} is out of range for {ty}")))
}

impl From<&Integers> for Value {
    fn from(integers: &Integers) -> Self {
        match integers.0.as_slice() {
            [one] => Self::Int(*one),
            list => list.into(),
        }
    }
}
