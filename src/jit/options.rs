//! `JitOptions`: all that can be set on a compiled function, as one value.

use serde::{Deserialize, Serialize};

use super::{Jit, Wanted};
use crate::backends;
use autojit_ir::serial::Format;
use autojit_ir::transform::simplify;
use autojit_library::backend::Limits;

/// All that can be set on a [`Jit`], as a value that can be kept in a file and given to several functions. The methods of
/// [`Jit`] of the same names say what each is.
///
/// It is written and read by serde's formats as these fields, and a field `format` which is 1. Fields that are left out
/// have the values of [`JitOptions::default`]; names that are not known, and another format, are refused.
///
/// ```
/// use autojit::{Array, JitOptions, autojit, numpy as np};
///
/// let options: JitOptions = serde_json::from_str(r#"{"backend": "replay", "optimizer": {"fast_math": true}}"#).unwrap();
/// let f = autojit(|x: Array| np::exp(&x)).with_options(&options);
/// assert_eq!(f.compile(Array::from([1.0, 2.0]))?.backend, "replay");
/// assert_eq!(f.options(), options);
/// # Ok::<(), autojit::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct JitOptions {
    format: Format<1>,
    /// The backend that runs the graph, see [`Jit::backend`].
    pub backend: Option<String>,
    /// Whether it is an error if the backend declines, see [`Jit::strict`].
    pub strict: bool,
    /// Whether a NaN in a result is an error, see [`Jit::debug_nans`].
    pub debug_nans: bool,
    /// The options of the optimiser: [`Jit::fold_limit`], [`Jit::reorder_products`], [`Jit::fast_math`].
    pub optimizer: simplify::Options,
    /// Bytes, see [`Jit::memory_limit`].
    pub memory_limit: Option<usize>,
    /// The number of threads of one call, see [`Jit::threads`].
    pub threads: usize,
}

impl Default for JitOptions {
    fn default() -> Self {
        let Limits { memory, threads } = Limits::default();
        Self {
            format: Format,
            backend: None,
            strict: false,
            debug_nans: false,
            optimizer: simplify::Options::default(),
            memory_limit: memory,
            threads,
        }
    }
}

impl<A, R, F> Jit<A, R, F> {
    /// Sets all options at once. What was compiled before keeps those that it was compiled with, so this is for functions
    /// that were not called yet.
    #[must_use]
    pub fn with_options(mut self, options: &JitOptions) -> Self {
        let options = options.clone();
        self.wanted = options.backend.map_or(Wanted::Default, Wanted::named);
        self.strict = options.strict;
        self.debug_nans = options.debug_nans;
        self.optimizer = options.optimizer;
        self.limits.memory = options.memory_limit;
        self.limits.set_threads(options.threads);
        self
    }

    /// The options that are set.
    #[must_use]
    pub fn options(&self) -> JitOptions {
        JitOptions {
            format: Format,
            backend: match &self.wanted {
                Wanted::Default => None,
                Wanted::Named(backend) => Some(backend.name().to_owned()),
                Wanted::Unknown(name, _) => Some(name.clone()),
            },
            strict: self.strict,
            debug_nans: self.debug_nans,
            optimizer: self.optimizer,
            memory_limit: self.limits.memory,
            threads: self.limits.threads,
        }
    }
}

impl Wanted {
    pub(super) fn named(name: String) -> Self {
        match backends::find(&name) {
            Ok(backend) => Self::Named(backend),
            Err(error) => Self::Unknown(name, error),
        }
    }
}
