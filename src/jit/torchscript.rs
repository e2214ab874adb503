//! The TorchScript module of a call: its code, and the file of it.

use std::panic::Location;
use std::path::Path;

use super::{Args, Jit, Tree};
use autojit_ir::error::Result;
use autojit_torch::backend as torchscript;

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// The code of the TorchScript module that the backend `torch` runs for a call with these arguments. It traces,
    /// keeps nothing, and runs nothing.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::exp(x) + 1.0);
    /// let code = f.torchscript_source(Array::from([1.0, 2.0]))?;
    /// assert!(code.contains("_0 = torch.exp(x0)"), "{code}");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; lazy arguments; and ops that TorchScript has no spelling of (`is_unsupported`).
    #[track_caller]
    pub fn torchscript_source<X: Args<A>>(&self, args: X) -> Result<String> {
        let location = Location::caller();
        self.graph_of(&args, location, torchscript::source)
            .map_err(|e| e.at(location))
    }

    /// Writes that module into a file, which PyTorch reads with `torch.jit.load`: a module that takes the arrays
    /// of the arguments one by one, and gives the list of the arrays of the result. Random draws of the function are
    /// further arguments at the end.
    ///
    /// # Errors
    /// As [`Jit::torchscript_source`]; and the file cannot be written (`is_file`).
    #[track_caller]
    pub fn save_torchscript<X: Args<A>>(&self, path: impl AsRef<Path>, args: X) -> Result<()> {
        let location = Location::caller();
        let path = path.as_ref();
        let written = self
            .graph_of(&args, location, torchscript::archive)
            .and_then(|archive| autojit_ir::file::write(path, &archive));
        written.map_err(|e| e.at(location))
    }
}
