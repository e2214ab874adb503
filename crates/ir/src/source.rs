//! `SourceLine`: a line of a user's program, also of one that is not this program.
//!
//! Nodes of a graph that was traced here point at `std::panic::Location`s, which only the compiler makes. A graph
//! that came from a file has its lines beside it, as these.

use std::fmt;
use std::panic::Location;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Result};

/// A line of a program's source, printed as `examples/model.rs:42:17`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceLine {
    /// The file, as the compiler was given it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl From<&Location<'_>> for SourceLine {
    fn from(location: &Location<'_>) -> Self {
        Self {
            file: location.file().into(),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column } = self;
        write!(f, "{file}:{line}:{column}")
    }
}

impl FromStr for SourceLine {
    type Err = Error;

    /// Reads what is printed.
    ///
    /// # Errors
    /// The text does not end in a line and a column.
    fn from_str(text: &str) -> Result<Self> {
        let parts = || {
            let (rest, column) = text.rsplit_once(':')?;
            let (file, line) = rest.rsplit_once(':')?;
            Some(Self {
                file: file.into(),
                line: line.parse().ok()?,
                column: column.parse().ok()?,
            })
        };
        parts().ok_or_else(|| {
            Error::parse(format!(
                "expected a source line `file:line:column`, got `{text}`"
            ))
        })
    }
}
