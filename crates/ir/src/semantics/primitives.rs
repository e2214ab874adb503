//! The terms in which the meaning of elementwise ops is written: elements, primitives on their parts, and the traits of those that carry them out.

use std::fmt;

use smallvec::SmallVec;

use crate::op::MapOp;
use crate::types::DType;

/// An element: a real number or truth value, or the two parts of a complex number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<V> {
    /// A real number or truth value.
    One(V),
    /// Real and imaginary part.
    Pair(V, V),
}

impl<V> Element<V> {
    /// The real part, or the value itself.
    pub fn first(self) -> V {
        match self {
            Self::One(x) | Self::Pair(x, _) => x,
        }
    }

    /// The one value, or both.
    pub fn parts(self) -> SmallVec<[V; 2]> {
        match self {
            Self::One(x) => SmallVec::from_iter([x]),
            Self::Pair(re, im) => SmallVec::from_iter([re, im]),
        }
    }

    /// The parts by reference.
    pub fn as_ref(&self) -> Element<&V> {
        match self {
            Self::One(x) => Element::One(x),
            Self::Pair(re, im) => Element::Pair(re, im),
        }
    }

    /// Applies `f` to each part.
    pub fn map<W>(self, mut f: impl FnMut(V) -> W) -> Element<W> {
        match self {
            Self::One(x) => Element::One(f(x)),
            Self::Pair(re, im) => {
                let re = f(re);
                Element::Pair(re, f(im))
            }
        }
    }

    /// Applies `f` to each pair of parts.
    pub fn zip<W, X>(self, other: Element<W>, mut f: impl FnMut(V, W) -> X) -> Element<X> {
        match (self, other) {
            (Self::Pair(a, b), Element::Pair(c, d)) => {
                let re = f(a, c);
                Element::Pair(re, f(b, d))
            }
            (x, y) => Element::One(f(x.first(), y.first())),
        }
    }
}

impl<V, E> Element<Result<V, E>> {
    /// The first error, or the parts.
    ///
    /// # Errors
    /// A part is an error.
    pub fn transpose(self) -> Result<Element<V>, E> {
        Ok(match self {
            Self::One(x) => Element::One(x?),
            Self::Pair(re, im) => Element::Pair(re?, im?),
        })
    }
}

/// By the numbers of the values, as text forms of code name them.
impl<V: fmt::Display> fmt::Display for Element<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(x) => write!(f, "v{x}"),
            Self::Pair(re, im) => write!(f, "(v{re}, v{im})"),
        }
    }
}

/// Primitives on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// The other sign; integers wrap.
    Negate,
    /// Without the sign; integers wrap.
    Magnitude,
    /// The square root of a floating number.
    SquareRoot,
    /// Every bit of an integer the other way.
    Invert,
    /// A whole number near a floating one.
    Round(Rounding),
}

/// To which whole number a floating one is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The largest that is not above.
    Down,
    /// The smallest that is not below.
    Up,
    /// That without the fraction.
    TowardsZero,
    /// The nearest, the even one of two.
    NearestEven,
}

/// Primitives on two values of one dtype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The sum; integers wrap.
    Add,
    /// The difference; integers wrap.
    Subtract,
    /// The product; integers wrap.
    Multiply,
    /// The quotient of floating numbers.
    Divide,
    /// The larger of two integers.
    Maximum,
    /// The smaller of two integers.
    Minimum,
    /// A floating number with the sign of another.
    CopySign,
    /// The bits that are set in both numbers, floating ones too.
    And,
    /// The bits that are set in at least one.
    Or,
    /// The bits that are set in exactly one.
    Xor,
    /// As `left_shift` of integers.
    ShiftLeft,
    /// As `right_shift` of integers.
    ShiftRight,
    /// As `fmod` of integers.
    Remainder,
}

/// Comparisons of two values of one dtype. Integers and truth values have the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Whether they are equal; false for NaN.
    Equal,
    /// Whether the first is less; false for NaN.
    Less,
    /// Whether the first is not greater; false for NaN.
    LessEqual,
    /// Whether `LessEqual` is false; true for NaN.
    NotLessEqual,
    /// Whether neither is NaN.
    Ordered,
}

/// Logic on truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// Both.
    And,
    /// At least one.
    Or,
    /// Exactly one.
    Xor,
}

/// The result of a primitive.
pub type Made<P> = Result<<P as Primitives>::Value, <P as Primitives>::Error>;

/// The result of an op.
pub type Lowered<P> = Result<Element<<P as Primitives>::Value>, <P as Primitives>::Error>;

/// Arithmetic on parts of elements, or a writer of instructions for it.
pub trait Primitives {
    /// A part of an element.
    type Value;
    /// Why something has no form here.
    type Error;

    /// A constant, for use with values such as `like`.
    ///
    /// # Errors
    /// There is no such constant.
    fn number(&mut self, number: f64, dtype: DType, like: &Self::Value) -> Made<Self>;

    /// A primitive on one value.
    ///
    /// # Errors
    /// There is no such primitive for the dtype, as for the other methods.
    fn unary(&mut self, op: Unary, dtype: DType, x: &Self::Value) -> Made<Self>;

    /// A primitive on two values.
    ///
    /// # Errors
    /// As for `unary`.
    fn binary(&mut self, op: Binary, dtype: DType, x: &Self::Value, y: &Self::Value) -> Made<Self>;

    /// A comparison, which gives a truth value.
    ///
    /// # Errors
    /// As for `unary`.
    fn compare(
        &mut self,
        comparison: Comparison,
        dtype: DType,
        x: &Self::Value,
        y: &Self::Value,
    ) -> Made<Self>;

    /// Logic on truth values.
    ///
    /// # Errors
    /// As for `unary`.
    fn logic(&mut self, op: Logic, x: &Self::Value, y: &Self::Value) -> Made<Self>;

    /// The other truth value.
    ///
    /// # Errors
    /// As for `unary`.
    fn not(&mut self, x: &Self::Value) -> Made<Self>;

    /// `x` where the condition holds, else `y`.
    ///
    /// # Errors
    /// As for `unary`.
    fn select(&mut self, condition: &Self::Value, x: &Self::Value, y: &Self::Value) -> Made<Self>;
}

/// Arithmetic by whole elementwise ops.
pub trait Elementwise: Primitives<Value: Clone> {
    /// A real number or truth value in another dtype; whether it is not zero, if that is `bool`.
    ///
    /// # Errors
    /// There is no such conversion.
    fn convert(&mut self, x: &Self::Value, from: DType, to: DType) -> Made<Self>;

    /// The function of the runtime that is an op on elements of this dtype.
    ///
    /// # Errors
    /// It cannot be called here.
    fn call(
        &mut self,
        op: MapOp,
        x: &[Element<Self::Value>],
        dtype: DType,
        result: DType,
    ) -> Lowered<Self>;

    /// Fails the computation where an exponent is negative.
    ///
    /// # Errors
    /// A failure cannot be recorded here.
    fn refuse_negative(&mut self, exponent: &Self::Value, dtype: DType) -> Result<(), Self::Error>;

    /// An index counted from the front; fails the computation where it is out of range.
    ///
    /// # Errors
    /// A failure cannot be recorded here.
    fn wrap_index(&mut self, index: &Self::Value, axis: usize, size: usize) -> Made<Self>;

    /// The error for an op that should not be here: it has an expansion, or lacks an input.
    fn unexpected(&mut self, op: MapOp) -> Self::Error;
}
