//! Reading lines of source as they are printed. Apart from the lines, which errors have.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::site::SourceLine;

impl FromStr for SourceLine {
    type Err = Error;

    /// Reads what is printed.
    ///
    /// # Errors
    /// The text does not end in a line, or a line and a column.
    fn from_str(text: &str) -> Result<Self> {
        let number_behind = |text: &str| {
            let (rest, number) = text.rsplit_once(':')?;
            Some((rest.to_owned(), number.parse().ok()?))
        };
        let parts = || {
            let (rest, last) = number_behind(text)?;
            let (file, line, column) = match number_behind(&rest) {
                Some((file, line)) => (file, line, last),
                None => (rest, last, 0),
            };
            Some(Self {
                file: file.into(),
                line,
                column,
            })
        };
        parts().ok_or_else(|| {
            Error::parse(format!(
                "expected a source line `file:line` or `file:line:column`, got `{text}`"
            ))
        })
    }
}
