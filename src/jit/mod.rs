//! `autojit(f)`: trace a closure per input signature, compile the graph, run that.
//!
//! A call reads as its stages (`call.rs`): flatten the arguments, sign them, look the signature up, (trace, optimise,
//! compile), run. The closure runs once per signature, with lazy arrays in place of the arguments' arrays; what
//! it does besides computing arrays happens then, and not at later calls.
//!
//! Invariants: code runs only for the signature it was compiled for; results never alias arguments; an error
//! or a panic in the closure leaves the function as it was.

mod cache;
mod call;
mod check;
mod compile;
mod dump;
mod explain;
mod export;
mod exported;
mod options;
mod profile;
mod report;
mod signature;
mod task;
#[cfg(feature = "torch")]
mod torchscript;
mod trace;
mod values;
#[cfg(feature = "xla")]
mod xla;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::backends;
use crate::registry;
use crate::tree::{self, Args, Flattener, Structure, Tree};
use autojit_ir::Graph;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::CallDraws;
use autojit_ir::transform::simplify;
use autojit_library::backend::{Backend, Executable, Limits};
use autojit_library::environment::environment;
use autojit_library::logging::Doublings;
use autojit_library::{self as library, AnyLibrary, Concrete};

pub use check::{Comparison, Difference};
pub(crate) use compile::with_stack;
pub use explain::{Cost, Explanation, Summary};
pub use exported::Exported;
pub use options::JitOptions;
pub use profile::{Profile, ProfiledStep};
pub use report::Report;

use cache::{Cache, Found};
use dump::Dump;
use export::saved;
use signature::{Options, Query, Signature};
use task::Task;
use trace::Built;
use values::{VALUES, Values, concrete_arrays};

/// A function that is compiled for each kind of arguments it meets. Made by [`autojit()`].
///
/// It can be called from many threads; each signature is traced and compiled once.
pub struct Jit<A, R, F> {
    f: F,
    name: Option<String>,
    wanted: Wanted,
    strict: bool,
    debug_nans: bool,
    optimizer: simplify::Options,
    limits: Limits,
    cache: Cache<Compiled>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Drops that were logged.
    logged_drops: Doublings,
    last_retrace: Mutex<Option<String>>,
    types: PhantomData<fn(A) -> R>,
}

/// The backend that the user asked for.
enum Wanted {
    Default,
    Named(&'static dyn Backend),
    /// There is none of that name; the error comes out at the call.
    Unknown(String, Error),
}

/// The entry of the cache for a signature.
struct Compiled {
    executable: Arc<dyn Executable>,
    report: Report,
    output: Structure,
    /// Random draws that the function makes and does not use: each call takes their numbers, as it would
    /// without tracing.
    unused_draws: Vec<Arc<CallDraws>>,
    /// Where the results live: in the library of the first array.
    library: &'static dyn AnyLibrary,
    /// Whether a call takes tens of microseconds at most.
    is_brief: bool,
    /// The graph as it was traced, if results are to be checked: in the optimised one, what was folded has no line.
    checked: Option<Graph>,
    /// Whether that is ndarray, whose arrays most backends give.
    in_memory: bool,
}

/// Compiles a function of trees of arrays, once for each signature that it is called with.
///
/// The signature is everything about the arguments except the numbers in the arrays: structure, dtypes and
/// shapes, and the values of static arguments such as `i64` or `String`. Arrays that the closure captures are
/// constants of the compiled code, as they are when it is traced. Several arguments are one tuple. Called with
/// lazy arrays, as inside another traced function, the closure is run in place.
///
/// ```
/// use autojit::{autojit, Array, Tree};
///
/// let twice = autojit(|(x, name): (Array, String)| vec![(x.clone(), name), (x, "again".into())]);
/// let x = Array::from([1.0, 2.0]);
/// let result = twice.call((&x, "once"))?;
/// assert_eq!((result.len(), &*result[0].1), (2, "once"));
/// assert_eq!((twice.misses(), twice.hits()), (1, 0));
/// twice.call((&x, "once"))?;
/// assert_eq!((twice.misses(), twice.hits()), (1, 1));
/// # Ok::<(), autojit::Error>(())
/// ```
pub fn autojit<A: Tree, R: Tree, F: Fn(A) -> R>(f: F) -> Jit<A, R, F> {
    Jit {
        f,
        name: None,
        wanted: Wanted::Default,
        strict: false,
        debug_nans: false,
        optimizer: simplify::Options::default(),
        limits: Limits::default(),
        cache: Cache::new(),
        hits: AtomicU64::new(0),
        misses: AtomicU64::new(0),
        logged_drops: Doublings::above(0),
        last_retrace: Mutex::new(None),
        types: PhantomData,
    }
}

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// The code of a call, and how it is described.
    #[inline]
    fn query<'q, 'a>(
        &self,
        wanted: Option<&'static dyn Backend>,
        flat: &'q Flattener<'a>,
        arrays: &'q [&'a Concrete],
    ) -> (&'static dyn Backend, Query<'q, 'a>) {
        let library = library_of(arrays).name();
        let backend = wanted.unwrap_or_else(|| backends::preferred(library));
        let query = Query {
            tokens: flat.tokens(),
            arrays,
            options: Options {
                backend: backend.name(),
                strict: self.strict,
                library,
                registrations: registry::registrations(),
            },
        };
        (backend, query)
    }

    /// The decision for arguments, and its reason.
    fn task<'t>(
        &'t self,
        backend: &'static dyn Backend,
        query: &'t Query<'_, '_>,
        reason: &'t str,
    ) -> Task<'t> {
        Task {
            function: self.shown_name(),
            signature: query,
            reason,
            backend,
            strict: self.strict,
            optimizer: &self.optimizer,
            limits: &self.limits,
        }
    }

    /// Traces and compiles for arguments that were not seen before.
    fn miss(
        &self,
        backend: &'static dyn Backend,
        query: &Query<'_, '_>,
        before: Option<&Signature>,
        location: &'static Location<'static>,
    ) -> Result<Compiled, trace::Failure> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let why = before.map(|before| query.signature().diff(before));
        let task = self.task(backend, query, why.as_deref().unwrap_or("first call"));
        let built = task.logged(|| {
            let dump = Dump::begin(&task);
            let built = trace::build(
                &self.f,
                &task,
                query,
                location,
                dump.as_ref(),
                self.debug_nans,
            )?;
            if let Some(dump) = dump {
                dump.function(&saved(self.shown_name(), query, built.clone()));
                dump.explanation(&Explanation::new(&task, built.code.clone()));
            }
            if environment().verify {
                let backend = backends::find(built.code.choice.backend)?;
                check::check_first_run(&built.code.graph, backend, &self.limits, query.arrays)?;
            }
            Ok::<_, trace::Failure>(built)
        })?;
        if why.is_some() {
            *self
                .last_retrace
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = why;
        }
        Ok(Compiled::new(built, query.arrays))
    }

    /// Compiles for arguments like these, unless there is code for them already, and runs nothing. A call that
    /// follows finds the code: this is how a program compiles before it is in a hurry.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(&x * &x, ..));
    /// let x = Array::from([1.0, 2.0]);
    /// let report = f.compile(&x)?;
    /// assert_eq!(report.traced_nodes, 3);
    /// assert_eq!(f.call(&x)?.item::<f64>()?, 5.0);
    /// assert_eq!((f.misses(), f.hits()), (1, 1));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`], but for what goes wrong in the run; and lazy arguments, which are not compiled for.
    #[track_caller]
    pub fn compile<X: Args<A>>(&self, args: X) -> Result<Report> {
        let location = Location::caller();
        self.wanted()
            .and_then(|backend| self.compile_at(backend, &args, location))
            .map_err(|e| e.at(location))
    }

    fn compile_at(
        &self,
        wanted: Option<&'static dyn Backend>,
        args: &impl Args<A>,
        location: &'static Location<'static>,
    ) -> Result<Report> {
        self.with_query(wanted, args, |backend, query| {
            let found = self.cache.get_or_build(query, |before| {
                Ok(with_stack(|| self.miss(backend, query, before, location))?)
            });
            match found? {
                Found::Hit(entry) | Found::Built(entry) => Ok(entry.value.report.clone()),
                Found::Recursive => Err(Error::value(
                    "a function cannot be compiled by its own trace, expected a call",
                )),
            }
        })
    }

    /// Applies a function to the optimised graph of a call.
    #[cfg(any(feature = "torch", feature = "xla"))]
    fn graph_of<T>(
        &self,
        args: &impl Args<A>,
        location: &'static Location<'static>,
        f: fn(&autojit_ir::Graph) -> Result<T>,
    ) -> Result<T> {
        // Nothing is to be compiled for this, and replay compiles nothing.
        let replay = backends::find("replay")?;
        let why = "to show its program";
        self.build_only(Some(replay), args, location, why, |_, built| {
            f(&built.code.graph)
        })?
    }

    /// Traces and compiles for a reason, and keeps and runs nothing.
    fn build_only<T>(
        &self,
        wanted: Option<&'static dyn Backend>,
        args: &impl Args<A>,
        location: &'static Location<'static>,
        why: &str,
        use_it: impl FnOnce(&Query<'_, '_>, Built) -> T,
    ) -> Result<T> {
        self.with_query(wanted, args, |backend, query| {
            let task = self.task(backend, query, why);
            Ok(use_it(query, self.build(&task, query, location)?))
        })
    }

    fn build(
        &self,
        task: &Task<'_>,
        query: &Query<'_, '_>,
        location: &'static Location<'static>,
    ) -> Result<Built> {
        let built = task.logged(|| trace::build(&self.f, task, query, location, None, false));
        Ok(built?)
    }

    /// The backend and the key for arguments that have values.
    fn with_query<T>(
        &self,
        wanted: Option<&'static dyn Backend>,
        args: &impl Args<A>,
        use_it: impl FnOnce(&'static dyn Backend, &Query<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let mut flat = Flattener::new();
        tree::take_args_apart(args, &mut flat)?;
        flat.check()?;
        let mut arrays = Values::new(&VALUES);
        arrays.reserve(flat.arrays().len());
        if !concrete_arrays(flat.arrays(), &mut arrays)? {
            return Err(Error::value(
                "expected arrays with values, got a lazy one: lazy calls are not compiled",
            ));
        }
        let (backend, query) = self.query(wanted, &flat, &arrays);
        use_it(backend, &query)
    }
}

impl<A, R, F> Jit<A, R, F> {
    /// How many calls were answered with code that was there.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// How many calls traced the closure, successfully or not.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| x + 1.0);
    /// for _ in 0..3 {
    ///     f.call(&Array::from([1.0, 2.0]))?;
    /// }
    /// assert_eq!((f.misses(), f.hits(), f.compiled()), (1, 2, 1));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    /// The number of signatures that compiled code is kept for.
    #[must_use]
    pub fn compiled(&self) -> usize {
        self.cache.len()
    }

    /// How many signatures had their code dropped to make room: code is held for the last 1024 or so, those first that were
    /// not used for longest. Where this grows, the log names the argument that changes.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.cache.dropped()
    }

    /// Frees all compiled code. The statistics go on.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| x + 1.0);
    /// f.call(&Array::from([1.0]))?;
    /// f.clear();
    /// assert_eq!(f.compiled(), 0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// Why the closure was last traced again, compared with the call before, as in
    /// `argument 1 changed from f64[3] to f64[4]`. Arguments count from 0, as tuples do.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| x + 1.0);
    /// f.call(&Array::from([1.0, 2.0, 3.0]))?;
    /// f.call(&Array::from([1.0, 2.0, 3.0, 4.0]))?;
    /// assert!(f.last_retrace().unwrap().contains("changed from f64[3] to f64[4]"));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn last_retrace(&self) -> Option<String> {
        let words = self.last_retrace.lock();
        words.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shown_name(&self) -> &str {
        self.name
            .as_deref()
            .unwrap_or_else(|| std::any::type_name::<F>())
    }
}

impl<A, R, F> fmt::Debug for Jit<A, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hits, misses) = (self.hits(), self.misses());
        write!(
            f,
            "autojit {}: {hits} hits, {misses} misses, {} compiled",
            self.shown_name(),
            self.compiled()
        )
    }
}

impl Compiled {
    fn new(built: Built, arrays: &[&Concrete]) -> Self {
        Self {
            is_brief: built.traced.is_none() && built.code.choice.executable.is_brief(),
            checked: built.traced,
            report: built.code.report,
            executable: built.code.choice.executable,
            unused_draws: built.unused_draws,
            output: built.output,
            in_memory: library_of(arrays).name() == library::default_library().name(),
            library: library_of(arrays),
        }
    }
}

/// Where the results live: in the library of the arguments, or where arrays are made if there are none.
#[inline]
fn library_of(arrays: &[&Concrete]) -> &'static dyn AnyLibrary {
    if arrays.is_empty() {
        return crate::like::innermost_library();
    }
    library::common(arrays.iter().copied())
}
