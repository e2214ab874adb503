//! dtypes, and NumPy 2's promotion between them.
//!
//! Invariants: promotion is commutative, and `promote(a, a) == a`. As in NumPy it is associative but for small integers beside
//! floats: [`DType::promote_all`] is the promotion of several.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The kind of number in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// `bool`, one byte.
    Bool,
    /// `int8`.
    Int8,
    /// `uint8`.
    Uint8,
    /// `int16`.
    Int16,
    /// `uint16`.
    Uint16,
    /// `int32`.
    Int32,
    /// `uint32`.
    Uint32,
    /// `int64`.
    Int64,
    /// `uint64`.
    Uint64,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// `complex64`: two `float32`.
    Complex64,
    /// `complex128`: two `float64`.
    Complex128,
}

/// The four classes of dtypes, in the order of promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Truth values.
    Bool,
    /// Signed and unsigned integers.
    Integer,
    /// Real floating point.
    Float,
    /// Complex floating point.
    Complex,
}

impl DType {
    /// All dtypes, smallest first.
    pub const ALL: [Self; 13] = [
        Self::Bool,
        Self::Int8,
        Self::Uint8,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Uint32,
        Self::Int64,
        Self::Uint64,
        Self::Float32,
        Self::Float64,
        Self::Complex64,
        Self::Complex128,
    ];

    /// NumPy's name, such as `"float64"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
        }
    }

    /// The short name that types are printed with, such as `f64` in `f64[3,4]`.
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 => "i8",
            Self::Uint8 => "u8",
            Self::Int16 => "i16",
            Self::Uint16 => "u16",
            Self::Int32 => "i32",
            Self::Uint32 => "u32",
            Self::Int64 => "i64",
            Self::Uint64 => "u64",
            Self::Float32 => "f32",
            Self::Float64 => "f64",
            Self::Complex64 => "c64",
            Self::Complex128 => "c128",
        }
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Int64 | Self::Uint64 | Self::Float64 | Self::Complex64 => 8,
            Self::Complex128 => 16,
        }
    }

    /// Whether it is a truth value, an integer, a real or a complex number.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Bool => Class::Bool,
            Self::Int8
            | Self::Uint8
            | Self::Int16
            | Self::Uint16
            | Self::Int32
            | Self::Uint32
            | Self::Int64
            | Self::Uint64 => Class::Integer,
            Self::Float32 | Self::Float64 => Class::Float,
            Self::Complex64 | Self::Complex128 => Class::Complex,
        }
    }

    /// `float32` or `float64`.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self.class(), Class::Float)
    }

    /// `complex64` or `complex128`.
    #[must_use]
    pub const fn is_complex(self) -> bool {
        matches!(self.class(), Class::Complex)
    }

    /// `int8` to `int64` or `uint8` to `uint64`.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self.class(), Class::Integer)
    }

    /// `uint8`, `uint16`, `uint32` or `uint64`.
    #[must_use]
    pub const fn is_unsigned(self) -> bool {
        matches!(
            self,
            Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64
        )
    }

    /// Whether arrays of this dtype are stored, moved and converted, but computed with as `int64`: `int8`, `int16`, `uint16`,
    /// `uint32` and `uint64`. In [`Form::Core`](crate::Form) graphs are written so.
    #[must_use]
    #[inline]
    pub const fn is_stored(self) -> bool {
        matches!(
            self,
            Self::Int8 | Self::Int16 | Self::Uint16 | Self::Uint32 | Self::Uint64
        )
    }

    /// The smallest and the largest integer of an integer dtype; `None` for others.
    ///
    /// ```
    /// use autojit_ir::DType;
    ///
    /// assert_eq!(DType::Int8.integer_range(), Some((-128, 127)));
    /// assert_eq!(DType::Float64.integer_range(), None);
    /// ```
    ///
    /// Source: `numpy.iinfo`.
    #[must_use]
    pub const fn integer_range(self) -> Option<(i128, i128)> {
        if !self.is_integer() {
            return None;
        }
        let bits = 8 * self.size() as u32;
        if self.is_unsigned() {
            return Some((0, (1 << bits) - 1));
        }
        Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1))
    }

    /// The dtype in which booleans and integers are summed and multiplied: `uint64` for unsigned integers, `int64` for
    /// others. Floating dtypes stay.
    ///
    /// Source: `numpy.sum`.
    #[must_use]
    pub const fn total(self) -> Self {
        match self.class() {
            Class::Bool => Self::Int64,
            Class::Integer if self.is_unsigned() => Self::Uint64,
            Class::Integer => Self::Int64,
            Class::Float | Class::Complex => self,
        }
    }

    /// The dtype of the real part: itself, unless it is complex.
    #[must_use]
    pub const fn real(self) -> Self {
        match self {
            Self::Complex64 => Self::Float32,
            Self::Complex128 => Self::Float64,
            other => other,
        }
    }

    /// The distance from one to the next larger number of the real part, of `float64` for integers.
    ///
    /// ```
    /// use autojit_ir::DType;
    ///
    /// assert_eq!(DType::Complex64.epsilon(), f64::from(f32::EPSILON));
    /// assert_eq!(DType::Int32.epsilon(), f64::EPSILON);
    /// ```
    ///
    /// Source: `numpy.finfo(dtype).eps`.
    #[must_use]
    pub const fn epsilon(self) -> f64 {
        match self.real() {
            Self::Float32 => f32::EPSILON as f64,
            _ => f64::EPSILON,
        }
    }

    /// The floating dtype in which functions such as `exp` are computed: itself if it is floating or
    /// complex, else `float64` (NumPy's rule without its `float16`: small integers also give `float64`).
    #[must_use]
    pub const fn floating(self) -> Self {
        match self.class() {
            Class::Bool | Class::Integer => Self::Float64,
            _ => self,
        }
    }

    /// The smallest dtype that holds both, by NumPy 2's rules.
    ///
    /// ```
    /// use autojit_ir::DType;
    /// assert_eq!(DType::Int64.promote(DType::Float32), DType::Float64);
    /// assert_eq!(DType::Uint8.promote(DType::Complex64), DType::Complex64);
    /// ```
    #[must_use]
    pub fn promote(self, other: Self) -> Self {
        use DType::{Complex64, Complex128, Float32, Float64, Int16, Int32, Int64};
        let (low, high) = if self <= other {
            (self, other)
        } else {
            (other, self)
        };
        // A float32 holds integers of two bytes, no longer ones.
        let is_long = low.is_integer() && low.size() > 2;
        match (low.class(), high) {
            (_, Float32) if is_long => Float64,
            (_, Complex64) if is_long || low == Float64 => Complex128,
            (Class::Integer, _) if high.is_unsigned() && !low.is_unsigned() => match high {
                Self::Uint8 => Int16,
                Self::Uint16 => Int32,
                Self::Uint32 => Int64,
                _ => Float64,
            },
            (Class::Integer, Int64) if low == Self::Uint64 => Float64,
            // The declaration order is the promotion order for every other pair.
            _ => high,
        }
    }

    /// The smallest dtype that holds all; `None` of none. Each integer meets the floating numbers on its own, as NumPy has it,
    /// so the order of the dtypes does not matter.
    ///
    /// ```
    /// use autojit_ir::DType;
    ///
    /// let dtypes = [DType::Int16, DType::Uint16, DType::Float32];
    /// assert_eq!(DType::promote_all(dtypes), Some(DType::Float32));
    /// ```
    ///
    /// Source: `numpy.result_type`.
    pub fn promote_all(dtypes: impl IntoIterator<Item = Self, IntoIter: Clone>) -> Option<Self> {
        let dtypes = dtypes.into_iter();
        let floating = |dtype: &Self| dtype.class() >= Class::Float;
        let start = dtypes.clone().filter(floating).reduce(Self::promote);
        dtypes.fold(start, |so_far, dtype| {
            Some(so_far.map_or(dtype, |so_far| so_far.promote(dtype)))
        })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;

    /// Reads NumPy's name (`float64`) or the short one (`f64`).
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|d| d.name() == text || d.short_name() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|d| d.name()).collect();
                Error::dtype(format!(
                    "no dtype is called `{text}`, expected one of {}",
                    known.join(", ")
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_does_not_depend_on_the_order() {
        for a in DType::ALL {
            assert_eq!(a.promote(a), a);
            for b in DType::ALL {
                assert_eq!(a.promote(b), b.promote(a));
                assert_eq!(DType::promote_all([a, b]), Some(a.promote(b)));
                for c in DType::ALL {
                    let all = DType::promote_all([a, b, c]);
                    for order in [[b, c, a], [c, a, b], [c, b, a], [b, a, c], [a, c, b]] {
                        assert_eq!(DType::promote_all(order), all, "{order:?}");
                    }
                    // Two integers before a float may need more than each of them beside it.
                    if c.class() < Class::Float || a.class() >= Class::Float {
                        assert_eq!(Some(a.promote(b).promote(c)), all, "{a} {b} {c}");
                    }
                }
            }
        }
        assert_eq!(DType::promote_all([]), None);
    }

    #[test]
    fn integers_are_promoted_as_numpy_does() {
        use DType::{Float64, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64};
        for (a, b, both) in [
            (Int8, Uint8, Int16),
            (Int8, Uint16, Int32),
            (Int16, Uint8, Int16),
            (Uint16, Uint32, Uint32),
            (Int32, Uint32, Int64),
            (Int64, Uint32, Int64),
            (Int64, Uint64, Float64),
            (Int8, Uint64, Float64),
        ] {
            assert_eq!(a.promote(b), both, "{a} {b}");
        }
    }
}
