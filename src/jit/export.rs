//! Exports: a function is traced for the kind of its arguments, and kept without its closure.

use std::panic::Location;
use std::path::Path;

use super::signature::Query;
use super::trace::Built;
use super::{Exported, Jit};
use crate::backends;
use crate::export::Saved;
use crate::tree::{Args, Structure, Tree};
use autojit_ir::error::{Error, Result};
use autojit_ir::source_lines;

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// Traces the function for arguments like these and gives it as a value of its own, which needs no closure and
    /// can be [saved](Exported::save). It runs nothing.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(x * 2.0, ..));
    /// let exported = f.to_exported(&Array::from([1.0, 2.0]))?;
    /// assert_eq!(exported.signature(), "f64[2]");
    /// let sum: Array = exported.call(&Array::from([3.0, 4.0]))?;
    /// assert_eq!(sum.item::<f64>()?, 14.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; lazy arguments; and what means nothing in another program (`is_unsupported`): registered
    /// functions, and random numbers that each call draws anew.
    #[track_caller]
    pub fn to_exported<X: Args<A>>(&self, args: X) -> Result<Exported> {
        let location = Location::caller();
        // The form in which graphs are written down is that of replay; every backend begins with it.
        let built = backends::find("replay").and_then(|replay| {
            self.build_only(
                Some(replay),
                &args,
                location,
                "to export it",
                |query, built| saved(self.shown_name(), query, built),
            )
        });
        let saved = built.map_err(|e| e.at(location))?;
        if saved.results.has_static_text() {
            let why = "a result with a `&'static str` cannot be exported, expected a `String`";
            return Err(Error::unsupported(why).at(location));
        }
        // A graph that cannot be written is refused here, before anything is written.
        saved.to_bytes().map_err(|e| e.at(location))?;
        Ok(Exported::new(saved))
    }

    /// Traces the function for arguments like these and writes it into a file. [`Exported::load`] makes a function
    /// of it again, in this program or another, on any backend.
    ///
    /// The file has the optimised graph with its constants and source lines, and what arguments and results look like;
    /// it does not have machine code, so it fits every machine. It ends in `.autojit` by custom.
    ///
    /// ```
    /// use autojit::{Array, Exported, autojit, numpy as np};
    ///
    /// let path = std::env::temp_dir().join("autojit_doc_export.autojit");
    /// let x = Array::from([3.0, 4.0]);
    /// autojit(|x: Array| np::sqrt(np::sum(&x * &x, ..))).export(&x, &path)?;
    ///
    /// let length = Exported::load(&path)?;
    /// let result: Array = length.call(&x)?;
    /// assert_eq!(result.item::<f64>()?, 5.0);
    /// # std::fs::remove_file(&path).ok();
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::to_exported`]; and the file cannot be written (`is_file`).
    #[track_caller]
    pub fn export<X: Args<A>>(&self, args: X, path: impl AsRef<Path>) -> Result<()> {
        self.to_exported(args)?.save(path)
    }
}

/// The contents of a file of a traced function.
pub(super) fn saved(name: &str, query: &Query<'_, '_>, built: Built) -> Saved {
    Saved {
        name: name.to_owned(),
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        arguments: Structure::from_tokens(query.tokens),
        results: built.output,
        lines: source_lines(&built.code.graph),
        graph: built.code.graph,
    }
}
