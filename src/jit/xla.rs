//! The XLA program of a call: its text in both languages, and the file of it.

use std::panic::Location;
use std::path::Path;

use super::{Args, Jit, Tree};
use autojit_ir::error::Result;
use autojit_xla::library as xla;

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// The program that the backend `xla` runs for a call with these arguments, in XLA's own language HLO. It traces,
    /// keeps nothing, and runs nothing.
    ///
    /// Constants of more than a few elements are arguments of the program, after those of the function; what is
    /// `custom_call_target="autojit"` calls back into autojit.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::exp(x) + 1.0);
    /// let text = f.hlo_text(Array::from([1.0, 2.0]))?;
    /// assert!(text.contains("exponential.1 = f64[2]{0} exponential(x.0)"), "{text}");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; lazy arguments; and functions of the user's (`is_unsupported`).
    #[track_caller]
    pub fn hlo_text<X: Args<A>>(&self, args: X) -> Result<String> {
        let location = Location::caller();
        self.graph_of(&args, location, xla::text)
            .map_err(|e| e.at(location))
    }

    /// The same program in StableHLO, the portable language of XLA's family, for others to run: all constants are in
    /// it, and indices are not checked.
    ///
    /// # Errors
    /// As [`Jit::hlo_text`]; and what would call back into autojit (`is_unsupported`).
    #[track_caller]
    pub fn stablehlo<X: Args<A>>(&self, args: X) -> Result<String> {
        let location = Location::caller();
        self.graph_of(&args, location, xla::stablehlo)
            .map_err(|e| e.at(location))
    }

    /// Writes that program into a file: a serialised `HloModuleProto`, as XLA's own tools read it. It takes the arrays
    /// of the arguments one by one, and gives the tuple of the arrays of the result.
    ///
    /// # Errors
    /// As [`Jit::stablehlo`]; and the file cannot be written (`is_file`).
    #[track_caller]
    pub fn save_hlo<X: Args<A>>(&self, path: impl AsRef<Path>, args: X) -> Result<()> {
        let location = Location::caller();
        let path = path.as_ref();
        let written = self
            .graph_of(&args, location, xla::serialized)
            .and_then(|bytes| autojit_ir::file::write(path, &bytes));
        written.map_err(|e| e.at(location))
    }
}
