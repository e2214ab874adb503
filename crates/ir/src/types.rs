//! Shapes and types of values; their dtypes are in `dtype.rs`.
//!
//! Invariant: shapes are element counts per axis; the product never overflows for an array that exists.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

pub(crate) use crate::dtype::{Class, DType};
use crate::error::{Error, Result};

/// Sizes, axes or permutations: small, and without a heap allocation up to four of them.
pub type Dims = SmallVec<[usize; 4]>;

/// Axes of ops that take one or two of them, as a rule.
pub type Axes = SmallVec<[usize; 2]>;

/// Steps or strides, which may be negative.
pub type Steps = SmallVec<[isize; 4]>;

/// The shape of an array: its number of elements along each axis.
pub type Shape = Dims;

/// The type of an array: dtype and shape.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ArrayType {
    /// The dtype of the elements.
    pub dtype: DType,
    /// The number of elements along each axis.
    pub shape: Shape,
}

impl Clone for ArrayType {
    /// Copies the sizes at once; what is derived takes them one by one, which calls of small arrays feel.
    #[inline]
    fn clone(&self) -> Self {
        Self::new(self.dtype, &self.shape)
    }
}

impl ArrayType {
    /// A type from its parts.
    #[inline]
    #[must_use]
    pub fn new(dtype: DType, shape: &[usize]) -> Self {
        Self {
            dtype,
            shape: Shape::from_slice(shape),
        }
    }

    /// Whether this is the shape; for the few axes that arrays have cheaper than comparing slices, which is a call.
    #[inline]
    pub fn has_shape(&self, shape: &[usize]) -> bool {
        self.shape.len() == shape.len() && self.shape.iter().zip(shape).all(|(x, y)| x == y)
    }

    /// The type of a 0-d array.
    #[must_use]
    #[inline]
    pub fn scalar(dtype: DType) -> Self {
        Self {
            dtype,
            shape: Shape::new(),
        }
    }

    /// The number of axes.
    #[must_use]
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements; the largest number there is if it is larger, as it is of no array that exists.
    #[must_use]
    #[inline]
    pub fn size(&self) -> usize {
        let saturating = |size: usize, &n: &usize| size.saturating_mul(n);
        self.shape.iter().fold(1, saturating)
    }

    /// The bytes of its elements; the largest number there is if it is larger, as it is of no array that exists.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> usize {
        self.size().saturating_mul(self.dtype.size())
    }

    /// Refuses types of which there can be no array, as its bytes could not be counted.
    pub fn check_size(&self) -> Result<()> {
        Self::check_axes(self.ndim())?;
        // An empty axis does not make the others free: views of the array multiply them again.
        let bytes = |bytes: usize, &n: &usize| bytes.saturating_mul(n.max(1));
        if self.shape.iter().fold(self.dtype.size(), bytes) > isize::MAX as usize {
            return Err(Error::value(format!("an array {self} is too large")));
        }
        Ok(())
    }

    /// The most axes of an array: twice as many as in NumPy. Some of what walks over arrays calls itself once for each axis.
    pub const MOST_AXES: usize = 128;

    /// Checks a number of axes.
    ///
    /// # Errors
    /// It is above [`MOST_AXES`](Self::MOST_AXES).
    pub fn check_axes(count: usize) -> Result<()> {
        if count > Self::MOST_AXES {
            let most = Self::MOST_AXES;
            return Err(Error::value(format!(
                "an array has at most {most} axes, got {count}"
            )));
        }
        Ok(())
    }

    /// The same shape with another dtype.
    #[must_use]
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Self {
            dtype,
            shape: self.shape.clone(),
        }
    }
}

/// Prints as in `f64[3,4]`; a 0-d array is `f64[]`.
impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.dtype.short_name())?;
        for (i, n) in self.shape.iter().enumerate() {
            write!(f, "{}{n}", if i == 0 { "" } else { "," })?;
        }
        f.write_str("]")
    }
}

impl FromStr for ArrayType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::parse(format!("`{text}` is not a type such as f64[3,4]"));
        let (dtype, sizes) = text
            .strip_suffix(']')
            .and_then(|t| t.split_once('['))
            .ok_or_else(wrong)?;
        let shape = sizes
            .split(',')
            .filter(|s| !s.is_empty())
            .map(|s| s.trim().parse().map_err(|_| wrong()))
            .collect::<Result<Shape>>()?;
        // A size that does not fit into memory would overflow later, far from its cause.
        let bytes = shape
            .iter()
            .try_fold(16usize, |n, &s| n.checked_mul(s.max(1)));
        if bytes.is_none_or(|n| n > isize::MAX as usize) {
            return Err(wrong());
        }
        Ok(Self {
            dtype: dtype.parse()?,
            shape,
        })
    }
}

/// The type of a graph value: an array, or the tuple that an op with several results gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One array.
    Array(ArrayType),
    /// The results of a multi-output op, taken apart by `get`.
    Tuple(Box<[ArrayType]>),
}

impl Type {
    /// The array type, or an error for a tuple.
    ///
    /// # Errors
    /// A tuple was used where an array is needed.
    #[inline]
    pub fn array(&self) -> Result<&ArrayType> {
        match self {
            Self::Array(ty) => Ok(ty),
            Self::Tuple(_) => Err(Error::value(format!(
                "expected an array, got the tuple {self}"
            ))),
        }
    }

    /// All array types in it: one, or those of the tuple.
    #[must_use]
    #[inline]
    pub fn arrays(&self) -> &[ArrayType] {
        match self {
            Self::Array(ty) => std::slice::from_ref(ty),
            Self::Tuple(types) => types,
        }
    }
}

impl From<ArrayType> for Type {
    fn from(ty: ArrayType) -> Self {
        Self::Array(ty)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(ty) => ty.fmt(f),
            Self::Tuple(types) => {
                f.write_str("(")?;
                for (i, ty) in types.iter().enumerate() {
                    write!(f, "{}{ty}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Types that are printed and parsed are written as that text by serde.
macro_rules! serde_as_text {
    ($($ty:ty: $example:literal),*) => {$(
        #[doc = concat!("As text, such as `\"", $example, "\"`.")]
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

serde_as_text!(DType: "float64", ArrayType: "f64[2,3]", super::SourceLine: "src/model.rs:42:17");

/// The shape to which two shapes broadcast; `None` if they do not.
///
/// Source: NumPy, "Broadcasting".
#[must_use]
pub fn broadcast_shapes(x: &[usize], y: &[usize]) -> Option<Shape> {
    let (long, short) = if x.len() >= y.len() { (x, y) } else { (y, x) };
    let mut shape = Shape::from_slice(long);
    let lead = long.len() - short.len();
    for (a, &b) in shape[lead..].iter_mut().zip(short) {
        if *a == 1 {
            *a = b;
        } else if b != 1 && b != *a {
            return None;
        }
    }
    Some(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_round_trip_through_text() {
        for text in [
            "f64[3,4]",
            "bool[]",
            "c128[0]",
            "u8[1,2,3,4,5]",
            "i16[2]",
            "u64[7]",
        ] {
            assert_eq!(text.parse::<ArrayType>().unwrap().to_string(), text);
        }
        for text in ["f64", "f65[2]", "f64[x]", "f64[99999999999,99999999999]"] {
            assert!(text.parse::<ArrayType>().is_err(), "{text}");
        }
    }
}
