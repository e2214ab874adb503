//! Scalars: the weakly typed numbers that users write, and the typed literals that graphs hold.
//!
//! Equality and hashing compare bits, so that `0.0` and `-0.0` stay apart and a NaN equals itself:
//! two literals may share a node only if nothing can distinguish them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use num_complex::{Complex32, Complex64};

use super::types::{Class, DType};
use crate::error::{Error, Result};

/// A number without a dtype of its own, as Python's scalars are in NumPy 2: it adopts the dtype of the
/// array that it meets, unless its class is higher.
///
/// It is also the element type of the reference interpreter, which is why the members are wide.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer, unless it is larger than the largest `i64`.
    Int(i64),
    /// An integer above the largest `i64`: smaller ones are [`Int`](Self::Int), so that an integer has one form.
    Uint(u64),
    /// A real number.
    Float(f64),
    /// A complex number.
    Complex(Complex64),
}

impl Scalar {
    /// The class that takes part in promotion.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Bool(_) => Class::Bool,
            Self::Int(_) | Self::Uint(_) => Class::Integer,
            Self::Float(_) => Class::Float,
            Self::Complex(_) => Class::Complex,
        }
    }

    /// The dtype that it has on its own: `bool`, `int64`, `float64` or `complex128`, and `uint64` of integers that are too large
    /// for `int64`.
    #[must_use]
    pub const fn dtype(self) -> DType {
        match self {
            Self::Bool(_) => DType::Bool,
            Self::Int(_) => DType::Int64,
            Self::Uint(_) => DType::Uint64,
            Self::Float(_) => DType::Float64,
            Self::Complex(_) => DType::Complex128,
        }
    }

    /// The dtype that it takes on beside an array of dtype `other`.
    ///
    /// Source: NumPy enhancement proposal 50.
    #[must_use]
    pub fn weak_dtype(self, other: DType) -> DType {
        if self.class() <= other.class() {
            return other;
        }
        match (self, other) {
            (Self::Complex(_), DType::Float32) => DType::Complex64,
            _ => self.dtype(),
        }
    }

    /// Converts as `astype` does: floats to integers truncate, complex to real drop the imaginary part,
    /// integers wrap, and floating values round to the precision of `dtype`.
    #[must_use]
    pub fn cast(self, dtype: DType) -> Self {
        match dtype {
            DType::Bool => Self::Bool(self.is_true()),
            DType::Int8 => Self::Int(i64::from(self.to_i64() as i8)),
            DType::Uint8 => Self::Int(i64::from(self.to_i64() as u8)),
            DType::Int16 => Self::Int(i64::from(self.to_i64() as i16)),
            DType::Uint16 => Self::Int(i64::from(self.to_i64() as u16)),
            DType::Uint32 => Self::Int(i64::from(self.to_i64() as u32)),
            DType::Int32 => Self::Int(match self {
                // C's conversion of a float out of range is the smallest number, as on x86.
                Self::Float(x) => i64::from(float_to_i32(x)),
                Self::Complex(z) => i64::from(float_to_i32(z.re)),
                _ => i64::from(self.to_i64() as i32),
            }),
            DType::Int64 => Self::Int(self.to_i64()),
            DType::Uint64 => Self::from(self.to_u64()),
            DType::Float32 => Self::Float(match self {
                // Not by way of float64, which would round twice.
                Self::Int(i) => f64::from(i as f32),
                Self::Uint(i) => f64::from(i as f32),
                _ => f64::from(self.to_f64() as f32),
            }),
            DType::Float64 => Self::Float(self.to_f64()),
            DType::Complex64 => {
                let z = self.to_complex();
                Self::Complex(Complex64::new(
                    self.cast(DType::Float32).to_f64(),
                    f64::from(z.im as f32),
                ))
            }
            DType::Complex128 => Self::Complex(self.to_complex()),
        }
    }

    /// Whether it is not zero; NaN is true.
    #[must_use]
    pub fn is_true(self) -> bool {
        match self {
            Self::Bool(b) => b,
            Self::Int(i) => i != 0,
            Self::Uint(_) => true,
            Self::Float(x) => x != 0.0,
            Self::Complex(z) => z.re != 0.0 || z.im != 0.0,
        }
    }

    /// The integer, exactly; `None` of other numbers.
    #[must_use]
    pub fn to_integer(self) -> Option<i128> {
        match self {
            Self::Int(i) => Some(i.into()),
            Self::Uint(i) => Some(i.into()),
            Self::Bool(_) | Self::Float(_) | Self::Complex(_) => None,
        }
    }

    /// The integer with the same lowest 64 bits, and the same value if it is one of `int64` or `uint64`.
    #[must_use]
    pub fn from_integer(i: i128) -> Self {
        match (i64::try_from(i), u64::try_from(i)) {
            (Ok(i), _) => Self::Int(i),
            (_, Ok(i)) => Self::Uint(i),
            _ => Self::Int(i as i64),
        }
    }

    /// As a 64-bit integer without a sign: negative integers wrap, floats truncate towards zero.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::Uint(_) => self.to_i64() as u64,
            Self::Float(x) => float_to_u64(x),
            Self::Complex(z) => float_to_u64(z.re),
        }
    }

    /// As a 64-bit integer; floats truncate towards zero, larger integers wrap.
    #[must_use]
    pub fn to_i64(self) -> i64 {
        match self {
            Self::Bool(b) => i64::from(b),
            Self::Int(i) => i,
            Self::Uint(i) => i as i64,
            Self::Float(x) => float_to_i64(x),
            Self::Complex(z) => float_to_i64(z.re),
        }
    }

    /// As a real number; complex numbers lose their imaginary part.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Bool(b) => f64::from(u8::from(b)),
            Self::Int(i) => i as f64,
            Self::Uint(i) => i as f64,
            Self::Float(x) => x,
            Self::Complex(z) => z.re,
        }
    }

    /// As a complex number.
    #[must_use]
    pub fn to_complex(self) -> Complex64 {
        match self {
            Self::Complex(z) => z,
            other => Complex64::new(other.to_f64(), 0.0),
        }
    }

    /// Equality and hashing go through this: class and bits.
    fn bits(self) -> (Class, u64, u64) {
        match self {
            Self::Bool(b) => (Class::Bool, u64::from(b), 0),
            Self::Int(i) => (Class::Integer, i as u64, 0),
            Self::Uint(i) => (Class::Integer, i, 1),
            Self::Float(x) => (Class::Float, x.to_bits(), 0),
            Self::Complex(z) => (Class::Complex, z.re.to_bits(), z.im.to_bits()),
        }
    }
}

/// x86's `cvttsd2si`, which NumPy's casts are on this platform: what does not fit is the smallest integer.
fn float_to_i64(x: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

/// NumPy's casts on x86, which have no instruction for this: what is 2^63 or more goes by way of what it is above that.
fn float_to_u64(x: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if x >= HALF {
        float_to_i64(x - HALF) as u64 ^ (1 << 63)
    } else {
        float_to_i64(x) as u64
    }
}

fn float_to_i32(x: f64) -> i32 {
    if x > -2_147_483_649.0 && x < 2_147_483_648.0 {
        x as i32
    } else {
        i32::MIN
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Uint(i) => write!(f, "{i}"),
            // `Debug` prints the shortest digits that read back as the same bits, and always a point.
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Complex(z) => write!(f, "({:?},{:?})", z.re, z.im),
        }
    }
}

impl FromStr for Scalar {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::parse(format!("`{text}` is not a number"));
        let float = |t: &str| t.trim().parse::<f64>().map_err(|_| wrong());
        if let Some(pair) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
            let (re, im) = pair.split_once(',').ok_or_else(wrong)?;
            return Ok(Self::Complex(Complex64::new(float(re)?, float(im)?)));
        }
        match text {
            "true" => Ok(Self::Bool(true)),
            "false" => Ok(Self::Bool(false)),
            _ => match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(i), _) => Ok(Self::Int(i)),
                (_, Ok(i)) => Ok(Self::Uint(i)),
                _ => float(text).map(Self::Float),
            },
        }
    }
}

macro_rules! scalar_from {
    ($($t:ty => |$x:ident| $scalar:expr;)*) => {$(
        impl From<$t> for Scalar {
            fn from($x: $t) -> Self {
                $scalar
            }
        }
    )*};
}

scalar_from! {
    bool => |x| Self::Bool(x);
    i8 => |x| Self::Int(i64::from(x));
    u8 => |x| Self::Int(i64::from(x));
    i16 => |x| Self::Int(i64::from(x));
    u16 => |x| Self::Int(i64::from(x));
    i32 => |x| Self::Int(i64::from(x));
    u32 => |x| Self::Int(i64::from(x));
    i64 => |x| Self::Int(x);
    u64 => |x| i64::try_from(x).map_or(Self::Uint(x), Self::Int);
    f32 => |x| Self::Float(f64::from(x));
    f64 => |x| Self::Float(x);
    Complex32 => |x| Self::Complex(Complex64::new(f64::from(x.re), f64::from(x.im)));
    Complex64 => |x| Self::Complex(x);
}

/// A scalar with its dtype: what a graph holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Literal {
    /// The value, already converted to `dtype`.
    pub value: Scalar,
    /// The dtype.
    pub dtype: DType,
}

impl Literal {
    /// Converts `value` to `dtype`.
    #[must_use]
    pub fn new(value: impl Into<Scalar>, dtype: DType) -> Self {
        Self {
            value: value.into().cast(dtype),
            dtype,
        }
    }
}

/// The value alone: where a literal stands, its type stands beside it.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.value, self.dtype.short_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_by_bits() {
        assert_ne!(Scalar::Float(0.0), Scalar::Float(-0.0));
        assert_ne!(Scalar::Int(2), Scalar::Float(2.0));
        assert_eq!(Scalar::Float(f64::NAN), Scalar::Float(f64::NAN));
    }

    #[test]
    fn weak_promotion_follows_nep_50() {
        assert_eq!(Scalar::Int(1).weak_dtype(DType::Uint8), DType::Uint8);
        assert_eq!(Scalar::Int(1).weak_dtype(DType::Bool), DType::Int64);
        assert_eq!(
            Scalar::Float(1.0).weak_dtype(DType::Float32),
            DType::Float32
        );
        assert_eq!(Scalar::Float(1.0).weak_dtype(DType::Int32), DType::Float64);
        assert_eq!(
            Scalar::Complex(Complex64::i()).weak_dtype(DType::Float32),
            DType::Complex64
        );
        assert_eq!(
            Scalar::Complex(Complex64::i()).weak_dtype(DType::Int64),
            DType::Complex128
        );
    }

    #[test]
    fn text_reads_back_to_the_same_bits() {
        for x in [0.1, -0.0, f64::INFINITY, f64::NAN, 1e300, 5e-324, 1.0] {
            assert_eq!(
                Scalar::Float(x).to_string().parse::<Scalar>().unwrap(),
                Scalar::Float(x)
            );
        }
        for i in [
            0,
            -7,
            i64::MAX.into(),
            i64::MIN.into(),
            u64::MAX.into(),
            1 << 63,
        ] {
            let scalar = Scalar::from_integer(i);
            assert_eq!(scalar.to_string(), i.to_string());
            assert_eq!(i.to_string().parse::<Scalar>().unwrap(), scalar);
            assert_eq!(scalar.to_integer(), Some(i));
        }
    }

    #[test]
    fn integers_have_one_form_and_wrap() {
        assert_eq!(Scalar::from(7_u64), Scalar::Int(7));
        assert_eq!(Scalar::from(u64::MAX).cast(DType::Int64), Scalar::Int(-1));
        assert_eq!(Scalar::Int(-1).cast(DType::Uint64), Scalar::Uint(u64::MAX));
        assert_eq!(Scalar::Int(200).cast(DType::Int8), Scalar::Int(-56));
        assert_eq!(Scalar::Int(-1).cast(DType::Uint16), Scalar::Int(65535));
        assert_eq!(Scalar::from_integer(-1 << 64), Scalar::Int(0));
    }

    /// NumPy 2.4.6 on x86.
    #[test]
    fn floats_become_uint64_as_in_numpy() {
        for (x, expected) in [
            (f64::NAN, 1 << 63),
            (f64::INFINITY, 0),
            (f64::NEG_INFINITY, 1 << 63),
            (-1.5, u64::MAX),
            (1.8e19, 18_000_000_000_000_000_000),
            (2e19, 0),
            (9.3e18, 9_300_000_000_000_000_000),
            (-1e19, 1 << 63),
        ] {
            let cast = Scalar::Float(x).cast(DType::Uint64);
            assert_eq!(cast, Scalar::from(expected), "{x}");
        }
    }
}
