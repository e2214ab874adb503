//! The error of this crate: what is wrong with a network, a path, a plan or an option, in words.

use std::fmt;

/// A fault of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

/// The result of what may fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
