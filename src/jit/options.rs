//! What can be set on a compiled function: one method each, and all of it as one value, `JitOptions`.

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
    /// Chooses the backend that runs the graph, such as `"cranelift"` or `"replay"`; [`backends`](crate::backends()) lists
    /// them. Without this it is `AUTOJIT_BACKEND`, else the one of the arguments' library (`"torch"` for arrays of
    /// torch, `"xla"` for those of xla), else the first of the list.
    ///
    /// An unknown name is an error of the call.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(x, ..)).backend("replay");
    /// assert_eq!(f.call(&Array::from([1.0, 2.0]))?.item::<f64>()?, 3.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn backend(mut self, name: &str) -> Self {
        self.wanted = Wanted::named(name.to_owned());
        self
    }

    /// Whether it is an error if the backend declines a graph. Otherwise replay takes over.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(x, ..)).strict(true);
    /// assert_eq!(f.call(&Array::from([1.0, 2.0]))?.item::<f64>()?, 3.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Whether a NaN or an infinity in a result is an error, which names the operation that made the first one of finite
    /// numbers, and its line. Results that are finite are not looked into: a NaN that is replaced on the way is no
    /// mistake. Checking costs time at each call.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::exp(np::log(&x) * 2.0)).debug_nans(true);
    /// let error = f.call(Array::from([1.0, -1.0])).unwrap_err();
    /// assert!(error.is_failed_check());
    /// let text = error.to_string();
    /// assert!(text.starts_with("`log` made a NaN (first at [1]) of finite numbers, in a result f64[2], at "), "{text}");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn debug_nans(mut self, check: bool) -> Self {
        self.debug_nans = check;
        self
    }

    /// The largest constant in bytes that is computed when the function is compiled, instead of at each call; 1 MB
    /// if nothing else is said.
    #[must_use]
    pub fn fold_limit(mut self, bytes: usize) -> Self {
        self.optimizer.fold_limit = bytes;
        self
    }

    /// Whether chains of products of matrices may be computed in the order that takes the fewest operations. They
    /// are rounded otherwise then.
    #[must_use]
    pub fn reorder_products(mut self, reorder: bool) -> Self {
        self.optimizer.reorder_products = reorder;
        self
    }

    /// Whether the optimiser may take finite numbers for granted, ignore the sign of zeros and round otherwise, as in
    /// `x * 0` and `x / 3`. Without this every result has the bits of the operations that were written down.
    #[must_use]
    pub fn fast_math(mut self, fast: bool) -> Self {
        self.optimizer.fast_math = fast;
        self
    }

    /// The bytes by which the intermediate results of a call may take more than they do in the order in which the
    /// function was written: native code runs what does not depend on each other together, which keeps more arrays
    /// alive. Without this it is 1 MB, or the size of the arguments and results if that is more. `0` allows no more
    /// than that order takes; [`CodeReport::planned_peak_bytes`](crate::CodeReport) reports the result.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = |x: Array| {
    ///     let sums = (0..64).map(|i| np::sum(np::exp(&x * i), ..));
    ///     np::stack(sums.collect::<Vec<_>>(), 0)
    /// };
    /// let x = np::linspace(0.0, 1.0, 1000);
    /// let frugal = autojit(f).memory_limit(0).compile(&x)?.code;
    /// let usual = autojit(f).compile(&x)?.code;
    /// assert!(frugal.workspace_bytes <= usual.workspace_bytes);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// The number of threads that native code may use in one call; 1 if nothing else is said. Only steps that take
    /// longer than handing out work does are divided: loops over tens of thousands of elements, large and many
    /// products of matrices. Results have the same bits for any number of threads. They are those of rayon's global
    /// pool; the other backends have threads of their own.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.limits.set_threads(threads);
        self
    }

    /// Sets the name by which logs and [`Jit::explain`] call the function; it is the closure's type otherwise.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(x, ..)).name("total");
    /// assert!(f.explain(&Array::from([1.0]))?.to_string().contains("total"));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

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
