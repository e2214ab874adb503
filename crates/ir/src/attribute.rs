//! The kinds of values that ops have as attributes, each with its text form.
//!
//! Invariants: the text of an attribute has no white space and parses back to an equal value; equality and
//! hashing see every bit, because graphs share nodes that compare equal.

use std::fmt;
use std::str::FromStr;

use super::modes::{Cutoff, FourierNorm, IndexedBy, QrMode};
use super::scalar::Literal;
use super::scatter::ScatterMode;
use super::types::{ArrayType, Axes, DType, Dims, Steps};
use crate::error::{Error, Result};

/// A value that stands in an op's row as `name: Type`.
pub trait Attribute: Sized {
    /// The text form, without white space.
    fn print(&self) -> String;

    /// Reads the text form.
    ///
    /// # Errors
    /// The text is not one that [`Attribute::print`] gives.
    fn parse(text: &str) -> Result<Self>;

    /// The value of the attribute for a text without it, if it may be left out: for attributes that came later than their op, so
    /// that older files stay readable.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! attribute_by_display {
    ($($t:ty),*) => {$(
        impl Attribute for $t {
            fn print(&self) -> String {
                self.to_string()
            }

            fn parse(text: &str) -> Result<Self> {
                text.parse()
                    .map_err(|_| Error::parse(format!("`{text}` is not a valid {}", stringify!($t))))
            }
        }
    )*};
}

attribute_by_display!(
    usize,
    u64,
    i64,
    bool,
    DType,
    ArrayType,
    NormOrder,
    ScatterMode,
    QrMode,
    Cutoff,
    FourierNorm
);

impl Attribute for IndexedBy {
    fn print(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Result<Self> {
        text.parse()
    }

    fn absent() -> Option<Self> {
        Some(Self::Getitem)
    }
}

impl Attribute for Literal {
    fn print(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Result<Self> {
        let (value, dtype) = text
            .rsplit_once(':')
            .ok_or_else(|| Error::parse(format!("`{text}` is not a literal such as 2.0:f64")))?;
        Ok(Self::new(value.parse::<super::Scalar>()?, dtype.parse()?))
    }
}

fn print_list(items: impl Iterator<Item: fmt::Display>) -> String {
    let items: Vec<String> = items.map(|i| i.to_string()).collect();
    format!("[{}]", items.join(","))
}

fn parse_list<T: FromStr, L: FromIterator<T>>(text: &str) -> Result<L> {
    let wrong = || Error::parse(format!("`{text}` is not a list such as [0,1]"));
    let inner = text
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .ok_or_else(wrong)?;
    inner
        .split(',')
        .filter(|item| !item.is_empty())
        .map(|item| item.parse().map_err(|_| wrong()))
        .collect()
}

impl Attribute for Dims {
    fn print(&self) -> String {
        print_list(self.iter())
    }

    fn parse(text: &str) -> Result<Self> {
        parse_list(text)
    }
}

impl Attribute for Steps {
    fn print(&self) -> String {
        print_list(self.iter())
    }

    fn parse(text: &str) -> Result<Self> {
        parse_list(text)
    }
}

impl Attribute for Axes {
    fn print(&self) -> String {
        print_list(self.iter())
    }

    fn parse(text: &str) -> Result<Self> {
        parse_list(text)
    }
}

/// Attributes that are rare and large.
impl<T: Attribute> Attribute for Box<T> {
    fn print(&self) -> String {
        (**self).print()
    }

    fn parse(text: &str) -> Result<Self> {
        T::parse(text).map(Self::new)
    }
}

/// Axes that may be left out, meaning all of them.
impl Attribute for Option<Axes> {
    fn print(&self) -> String {
        self.as_ref()
            .map_or_else(|| "None".into(), Attribute::print)
    }

    fn parse(text: &str) -> Result<Self> {
        if text == "None" {
            Ok(None)
        } else {
            Axes::parse(text).map(Some)
        }
    }
}

/// Text without white space, such as the subscripts of `einsum`.
impl Attribute for Box<str> {
    fn print(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(text.into())
    }
}

/// Which norm: NumPy's `ord`.
///
/// Source: `numpy.linalg.norm`. The number is kept by its bits, so that orders compare exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NormOrder {
    /// NumPy's `None`: the 2-norm of all elements.
    Default,
    /// A number: the p-norm of vectors; 1, -1, 2 and -2 for matrices.
    Number(u64),
    /// The Frobenius norm of matrices.
    Frobenius,
    /// The sum of singular values.
    Nuclear,
    /// The largest absolute value (vectors) or absolute row sum (matrices).
    Infinity,
    /// The smallest absolute value (vectors) or absolute row sum (matrices).
    NegativeInfinity,
}

impl NormOrder {
    /// The p-norm for a number, which may be infinite.
    #[must_use]
    pub fn number(p: f64) -> Self {
        if p == f64::INFINITY {
            Self::Infinity
        } else if p == f64::NEG_INFINITY {
            Self::NegativeInfinity
        } else {
            Self::Number(p.to_bits())
        }
    }

    /// The number, if it is a finite one.
    #[must_use]
    pub fn as_number(self) -> Option<f64> {
        match self {
            Self::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }
}

impl fmt::Display for NormOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("None"),
            Self::Number(bits) => write!(f, "{}", f64::from_bits(*bits)),
            Self::Frobenius => f.write_str("fro"),
            Self::Nuclear => f.write_str("nuc"),
            Self::Infinity => f.write_str("inf"),
            Self::NegativeInfinity => f.write_str("-inf"),
        }
    }
}

impl FromStr for NormOrder {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "None" => Ok(Self::Default),
            "fro" => Ok(Self::Frobenius),
            "nuc" => Ok(Self::Nuclear),
            "inf" => Ok(Self::Infinity),
            "-inf" => Ok(Self::NegativeInfinity),
            _ => text.parse().map(Self::number).map_err(|_| {
                Error::value(format!(
                    "`{text}` is not an order of a norm, expected a number, inf, -inf, fro or nuc"
                ))
            }),
        }
    }
}
