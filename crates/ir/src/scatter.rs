//! `ScatterMode`: how `scatter` combines values with the elements at their positions.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The update of the element at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScatterMode {
    /// The value takes its place; the last one of several.
    Set,
    /// The value is added, each of several.
    Add,
    /// It is multiplied with the value, with each of several.
    Multiply,
    /// The smallest of it and the values.
    Min,
    /// The largest of it and the values.
    Max,
}

impl fmt::Display for ScatterMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Min => "min",
            Self::Max => "max",
        })
    }
}

impl FromStr for ScatterMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "set" => Self::Set,
            "add" => Self::Add,
            "multiply" => Self::Multiply,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => {
                return Err(Error::value(format!(
                    "`{text}` is not a way to update, expected set, add, multiply, min or max"
                )));
            }
        })
    }
}
