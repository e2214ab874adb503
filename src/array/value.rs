//! `Value`: an argument or a result of a call by name.
//!
//! It is what Python's values are to NumPy's functions. Conversions into it are total; what a function makes of
//! a value of the wrong kind is decided, and said, by [`crate::dispatch`].

use std::panic::Location;

use num_complex::{Complex32, Complex64};

use super::{Array, Operand};
use autojit_ir::error::{Error, Result};
use autojit_ir::{DType, HostArray, Scalar};

/// An argument or a result of [`crate::dispatch::call`].
#[derive(Clone, Debug)]
pub enum Value {
    /// An array.
    Array(Array),
    /// An integer, weakly typed.
    Int(i64),
    /// An integer above the largest `i64`, weakly typed.
    Uint(u64),
    /// A real number, weakly typed.
    Float(f64),
    /// A complex number, weakly typed.
    Complex(Complex64),
    /// A truth value.
    Bool(bool),
    /// Text, such as the subscripts of `einsum`.
    Str(String),
    /// A list or a tuple.
    List(Vec<Value>),
    /// `start:stop:step`, in the key of `getitem`.
    Slice {
        /// The first position.
        start: Option<i64>,
        /// The position before which it ends.
        stop: Option<i64>,
        /// The distance between positions.
        step: Option<i64>,
    },
    /// `...`, in the key of `getitem`.
    Ellipsis,
    /// Python's `None`: an argument that is not given, or a new axis in a key.
    None,
    /// A dtype.
    DType(DType),
}

impl Value {
    /// Its kind, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Array(array) => match array.ty() {
                Ok(ty) => format!("the array {ty}"),
                Err(_) => "a failed array".into(),
            },
            Self::Int(i) => format!("the integer {i}"),
            Self::Uint(i) => format!("the integer {i}"),
            Self::Float(x) => format!("the float {x:?}"),
            Self::Complex(z) => format!("the complex number {z}"),
            Self::Bool(b) => format!("the bool {b}"),
            Self::Str(s) => format!("the string \"{s}\""),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Slice { .. } => "a slice".into(),
            Self::Ellipsis => "an ellipsis".into(),
            Self::None => "none".into(),
            Self::DType(dtype) => format!("the dtype {dtype}"),
        }
    }

    /// The value as an array, a tuple or a `Vec` of arrays, a number, or text.
    ///
    /// This is the method of [`TryInto`], except that its error has the line of the caller.
    ///
    /// # Errors
    /// It is of another kind, or a failed array.
    #[track_caller]
    pub fn try_into<T: TryFrom<Self, Error = Error>>(self) -> Result<T> {
        let location = Location::caller();
        T::try_from(self).map_err(|e| e.at(location))
    }

    /// The array that it is; a number is a 0-d array of its own dtype.
    ///
    /// # Errors
    /// It is neither, or a failed array.
    #[track_caller]
    pub fn into_array(self) -> Result<Array> {
        let location = Location::caller();
        self.array_inside().map_err(|e| e.at(location))
    }

    /// The arrays of a list, such as the results of a decomposition; one array is a list of itself.
    ///
    /// # Errors
    /// It is something else, or an array failed.
    #[track_caller]
    pub fn into_arrays(self) -> Result<Vec<Array>> {
        let location = Location::caller();
        self.arrays_inside().map_err(|e| e.at(location))
    }

    fn array_inside(self) -> Result<Array> {
        match self {
            Self::Array(array) => array.check(),
            other => match other.scalar() {
                Some(scalar) => Ok(Array::from_host(HostArray::scalar(scalar, scalar.dtype()))),
                None => Err(other.is_not("an array")),
            },
        }
    }

    fn arrays_inside(self) -> Result<Vec<Array>> {
        match self {
            Self::List(items) => items.into_iter().map(Self::array_inside).collect(),
            other => Ok(vec![other.array_inside()?]),
        }
    }

    fn is_not(&self, expected: &str) -> Error {
        Error::value(format!("expected {expected}, got {}", self.describe()))
    }

    /// The number, if it is one.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match *self {
            Self::Int(i) => Some(i.into()),
            Self::Uint(i) => Some(i.into()),
            Self::Float(x) => Some(x.into()),
            Self::Complex(z) => Some(z.into()),
            Self::Bool(b) => Some(b.into()),
            _ => None,
        }
    }
}

macro_rules! value_from {
    ($($t:ty => |$x:ident| $value:expr;)*) => {$(
        impl From<$t> for Value {
            fn from($x: $t) -> Self {
                $value
            }
        }
    )*};
}

value_from! {
    Array => |x| Self::Array(x);
    &Array => |x| Self::Array(x.clone());
    i8 => |x| Self::Int(i64::from(x));
    u8 => |x| Self::Int(i64::from(x));
    i16 => |x| Self::Int(i64::from(x));
    u16 => |x| Self::Int(i64::from(x));
    i32 => |x| Self::Int(i64::from(x));
    u32 => |x| Self::Int(i64::from(x));
    i64 => |x| Self::Int(x);
    u64 => |x| i64::try_from(x).map_or(Self::Uint(x), Self::Int);
    // What does not fit is larger than any size.
    usize => |x| Self::Int(i64::try_from(x).unwrap_or(i64::MAX));
    f32 => |x| Self::Float(f64::from(x));
    f64 => |x| Self::Float(x);
    Complex32 => |x| Self::Complex(Complex64::new(f64::from(x.re), f64::from(x.im)));
    Complex64 => |x| Self::Complex(x);
    bool => |x| Self::Bool(x);
    &str => |x| Self::Str(x.to_owned());
    String => |x| Self::Str(x);
    DType => |x| Self::DType(x);
    Operand<'_> => |x| match x {
        Operand::Array(array) => array.into_owned().into(),
        Operand::Scalar(scalar) => scalar.into(),
    };
    &Operand<'_> => |x| x.clone().into();
    Scalar => |x| match x {
        Scalar::Bool(b) => Self::Bool(b),
        Scalar::Int(i) => Self::Int(i),
        Scalar::Uint(i) => Self::Uint(i),
        Scalar::Float(x) => Self::Float(x),
        Scalar::Complex(z) => Self::Complex(z),
    };
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value> + Clone> From<&[T]> for Value {
    fn from(items: &[T]) -> Self {
        Self::List(items.iter().cloned().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value> + Clone> From<&Vec<T>> for Value {
    fn from(items: &Vec<T>) -> Self {
        items.as_slice().into()
    }
}

impl<A: Into<Value>, B: Into<Value>> From<(A, B)> for Value {
    fn from((a, b): (A, B)) -> Self {
        Self::List(vec![a.into(), b.into()])
    }
}

impl<A: Into<Value>, B: Into<Value>, C: Into<Value>> From<(A, B, C)> for Value {
    fn from((a, b, c): (A, B, C)) -> Self {
        Self::List(vec![a.into(), b.into(), c.into()])
    }
}

impl<A, B, C, D> From<(A, B, C, D)> for Value
where
    A: Into<Value>,
    B: Into<Value>,
    C: Into<Value>,
    D: Into<Value>,
{
    fn from((a, b, c, d): (A, B, C, D)) -> Self {
        Self::List(vec![a.into(), b.into(), c.into(), d.into()])
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

macro_rules! value_into {
    ($($t:ty, $expected:literal: $pattern:pat => $value:expr;)*) => {$(
        impl TryFrom<Value> for $t {
            type Error = Error;

            fn try_from(value: Value) -> Result<Self> {
                match value {
                    $pattern => Ok($value),
                    other => Err(other.is_not($expected)),
                }
            }
        }
    )*};
}

value_into! {
    i64, "an integer": Value::Int(i) => i;
    bool, "a bool": Value::Bool(b) => b;
    String, "a string": Value::Str(s) => s;
    DType, "a dtype": Value::DType(dtype) => dtype;
    Vec<Value>, "a list": Value::List(items) => items;
}

impl TryFrom<Value> for f64 {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Float(x) => Ok(x),
            Value::Int(i) => Ok(i as Self),
            Value::Uint(i) => Ok(i as Self),
            other => Err(other.is_not("a real number")),
        }
    }
}

impl TryFrom<Value> for Array {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        value.array_inside()
    }
}

impl TryFrom<Value> for Vec<Array> {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        value.arrays_inside()
    }
}

macro_rules! value_into_tuple {
    ($($count:literal $text:literal ($($Array:ident),*);)*) => {$(
        impl TryFrom<Value> for ($($Array,)*) {
            type Error = Error;

            fn try_from(value: Value) -> Result<Self> {
                let wrong = value.is_not($text);
                let arrays = <[Array; $count]>::try_from(value.arrays_inside()?);
                arrays.map(Into::into).map_err(|_| wrong)
            }
        }
    )*};
}

value_into_tuple! {
    2 "two arrays" (Array, Array);
    3 "three arrays" (Array, Array, Array);
    4 "four arrays" (Array, Array, Array, Array);
}
