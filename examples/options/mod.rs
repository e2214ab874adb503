//! Options of the examples: `--name value`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::str::FromStr;

/// The options of the command line by name.
pub(crate) struct Options(HashMap<String, String>);

impl Options {
    /// Reads the command line, in which each option has one of these names.
    ///
    /// # Errors
    /// For another name, and for a name without a value.
    pub(crate) fn parse(names: &[&str]) -> Result<Options, Box<dyn Error>> {
        let mut options = HashMap::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let name = argument
                .strip_prefix("--")
                .filter(|name| names.contains(name));
            let name = name.ok_or_else(|| {
                format!(
                    "unknown option {argument}, expected --{}",
                    names.join(" or --")
                )
            })?;
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("--{name} needs a value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Options(options))
    }

    /// The value of an option, if it is given.
    ///
    /// # Errors
    /// If it is not of this type.
    pub(crate) fn get<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Box<dyn Error>> {
        let value = self.0.get(name).map(|text| text.parse());
        value
            .transpose()
            .map_err(|e| format!("--{name}: {e}").into())
    }
}
