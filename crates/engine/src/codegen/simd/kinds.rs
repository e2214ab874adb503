//! Types of lanes, and the operations on them: words that the vector kernel, the vector code and the targets share.

/// The type of the lanes of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F64,
    F32,
    I64,
    I32,
    /// Truth values, one bit a lane in a mask register.
    Mask,
}

impl Kind {
    /// Bytes of a lane.
    pub(crate) fn size(self) -> i32 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::Mask => 1,
        }
    }

    /// Whether a lane takes eight bytes.
    pub(crate) fn is_double(self) -> bool {
        self.size() == 8
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32)
    }
}

/// Instructions on two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// The second operand where either is NaN, or both are zero.
    Maximum,
    Minimum,
    And,
    /// The second operand without the bits of the first.
    AndNot,
    Or,
    Xor,
}

impl Binary {
    /// Whether there is such an instruction.
    pub(crate) fn exists_for(self, kind: Kind) -> bool {
        self != Self::Divide || kind.is_float()
    }

    pub(crate) fn commutes(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Multiply | Self::And | Self::Or | Self::Xor
        )
    }
}

/// Instructions on one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    SquareRoot,
    /// The absolute value of integers.
    Absolute,
    Round(Rounding),
}

/// How numbers are rounded to whole ones, without the inexact exception; as immediates of x86-64's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Rounding {
    NearestEven = 8,
    Down = 9,
    Up = 10,
    TowardsZero = 11,
}

/// Comparisons that give masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    Equal,
    Less,
    LessEqual,
    /// True for NaN.
    NotEqual,
    /// True for NaN.
    NotLessEqual,
    /// Neither is NaN, and they differ.
    OrderedNotEqual,
    Ordered,
    Unordered,
}

/// Instructions on mask registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaskLogic {
    And,
    /// The second without the first.
    AndNot,
    Or,
    Xor,
    NotXor,
}
