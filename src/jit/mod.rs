//! `autojit(f)`: trace a closure per input signature, compile the graph, run that.
//!
//! A call reads as its stages: flatten the arguments, sign them, look the signature up, (trace, optimise,
//! compile), run. The closure runs once per signature, with lazy arrays in place of the arguments' arrays; what
//! it does besides computing arrays happens then, and not at later calls.
//!
//! Invariants: code runs only for the signature it was compiled for; results never alias arguments; an error
//! or a panic in the closure leaves the function as it was.

mod cache;
mod check;
mod compile;
mod dump;
mod explain;
mod exported;
mod options;
mod profile;
mod report;
mod signature;
mod task;
#[cfg(feature = "torch")]
mod torchscript;
mod trace;
#[cfg(feature = "xla")]
mod xla;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Array;
use crate::array::Repr;
use crate::backends;
use crate::registry;
use crate::tree::{self, Args, Flattener, Structure, Tree};
use autojit_ir::Graph;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::CallDraws;
use autojit_ir::transform::simplify;
use autojit_library::backend::{Backend, Executable, Limits, Outputs};
use autojit_library::environment::environment;
use autojit_library::list::List;
use autojit_library::logging::{Doublings, TARGET};
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
use exported::saved;
use signature::{Options, Query, Signature, is_same_name};
use task::Task;
use trace::Built;

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

    /// Calls the function. Arrays inside `args` may be borrowed: `(&x, &y)` and `&(x, y)` both do.
    ///
    /// All arrays of the arguments are of one library, as for every operation; the results are of that library too. Arrays
    /// in main memory that the function captures or makes are constants, and go where the arguments are.
    ///
    /// A result may share the memory of an argument or a constant, as `reshape` does eagerly. That shows nowhere: arrays never
    /// change, and what [`Array::to_ndarray`](crate::Array::to_ndarray) gives is copied before it is written to.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|(x, y): (Array, Array)| (np::dot(&x, &y), x + y));
    /// let (dot, sum) = f.call((&Array::from([1.0, 2.0]), &Array::from([3.0, 4.0])))?;
    /// assert_eq!(dot.item::<f64>()?, 11.0);
    /// assert_eq!(sum.to_string(), "[4. 6.]");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// An argument is a failed array; there are arrays of two libraries (`is_mixed_libraries`); an operation failed, in the trace or in the run; the backend is unknown,
    /// or does not support the graph and [`strict`](Self::strict) is set. The message names the line that caused it. What no result
    /// needs is not computed, and cannot fail in the run.
    #[track_caller]
    pub fn call<X: Args<A>>(&self, args: X) -> Result<R> {
        let location = Location::caller();
        self.wanted()
            .and_then(|backend| self.run(backend, &args, None, location))
            .map_err(|e| e.at(location))
    }

    /// Calls the function and gives up the results of a call before it, whose memory the new results take.
    ///
    /// Memory is written to where it is that of an array in main memory, of the type of the result at the same position, that
    /// nothing else shares; the other results have new memory. Native code does so, other backends drop what they are given.
    /// Such a call of native code allocates nothing.
    ///
    /// ```
    /// use autojit::{Array, autojit};
    ///
    /// let f = autojit(|x: Array| x * 0.5 + 1.0);
    /// let x = Array::from([4.0, 8.0]);
    /// let mut y = f.call(&x)?;
    /// for _ in 0..3 {
    ///     y = f.call_into(&x, y)?;
    /// }
    /// assert_eq!(y.to_vec::<f64>()?, [3.0, 5.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]. The results that were given up are gone then.
    #[track_caller]
    pub fn call_into<X: Args<A>>(&self, args: X, results: R) -> Result<R> {
        let location = Location::caller();
        let mut given = Outputs::new();
        let mut flat = Flattener::new();
        tree::take_apart(&results, &mut flat).map_err(|e| e.at(location))?;
        for array in flat.arrays() {
            if let Repr::Concrete(array) = &array.0 {
                given.push(array.clone());
            }
        }
        drop(flat);
        // Only the arrays in `given` hold the memory now.
        drop(results);
        self.wanted()
            .and_then(|backend| self.run(backend, &args, Some(&mut given), location))
            .map_err(|e| e.at(location))
    }

    /// Calls the function if that takes tens of microseconds at most: there is code for the arguments, it was used lately, and it
    /// has few operations to do. Otherwise it does nothing, and the answer is `None`: [`call`](Self::call) is to be used.
    ///
    /// It is for callers that hold what others wait for, as an interpreter's lock, and give it up during a call that may be long. A call
    /// that is made here waits for no other thread.
    ///
    /// ```
    /// use autojit::{Array, autojit};
    ///
    /// let f = autojit(|x: Array| x * 0.5 + 1.0);
    /// let x = Array::from([4.0, 8.0]);
    /// assert!(f.call_if_brief(&x).is_none());
    /// let y = f.call(&x)?;
    /// if let Some(again) = f.call_if_brief(&x) {
    ///     assert_eq!(again?.to_vec::<f64>()?, y.to_vec::<f64>()?);
    /// }
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[track_caller]
    pub fn call_if_brief<X: Args<A>>(&self, args: X) -> Option<Result<R>> {
        let location = Location::caller();
        let mut flat = Flattener::new();
        tree::take_args_apart(&args, &mut flat).ok()?;
        flat.check().ok()?;
        let mut arrays = Values::with_capacity(&VALUES, flat.arrays().len());
        if !concrete_arrays(flat.arrays(), &mut arrays).ok()? || environment().disable {
            return None;
        }
        let (_, query) = self.query(self.wanted().ok()?, &flat, &arrays);
        let entry = self.cache.recent(&query)?;
        if !entry.value.is_brief {
            return None;
        }
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(entry.value.run(&arrays, None).map_err(|e| e.at(location)))
    }

    /// Calls the function with a backend for this call.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(x, ..));
    /// assert_eq!(f.call_with("replay", &Array::from([1.0, 2.0]))?.item::<f64>()?, 3.0);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`].
    #[track_caller]
    pub fn call_with<X: Args<A>>(&self, backend: &str, args: X) -> Result<R> {
        let location = Location::caller();
        backends::find(backend)
            .and_then(|backend| self.run(Some(backend), &args, None, location))
            .map_err(|e| e.at(location))
    }

    /// The backend that is asked for; without one the arrays decide.
    fn wanted(&self) -> Result<Option<&'static dyn Backend>> {
        match &self.wanted {
            Wanted::Default => backends::from_environment(),
            Wanted::Named(backend) => Ok(Some(*backend)),
            Wanted::Unknown(_, error) => Err(error.clone()),
        }
    }

    fn run(
        &self,
        wanted: Option<&'static dyn Backend>,
        args: &impl Args<A>,
        given: Option<&mut Outputs>,
        location: &'static Location<'static>,
    ) -> Result<R> {
        let mut flat = Flattener::new();
        tree::take_args_apart(args, &mut flat)?;
        flat.check()?;
        let mut arrays = Values::with_capacity(&VALUES, flat.arrays().len());
        if !concrete_arrays(flat.arrays(), &mut arrays)? || environment().disable {
            return self.run_closure(&flat);
        }
        let (backend, query) = self.query(wanted, &flat, &arrays);
        let mut captures_variables = false;
        let found = self.cache.get_or_build(&query, |before| {
            let built = with_stack(|| self.miss(backend, &query, before, location));
            captures_variables = matches!(&built, Err(trace::Failure::ForeignVariable(_)));
            Ok(built?)
        });
        match found {
            Ok(Found::Hit(entry)) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                entry.value.run(&arrays, given)
            }
            Ok(Found::Built(entry)) => {
                self.log_thrashing();
                entry.value.run(&arrays, given)
            }
            Ok(Found::Recursive) => self.run_closure(&flat),
            // The closure captures the variable of a trace that is going on around it, and belongs to that.
            Err(_) if captures_variables => self.run_closure(&flat),
            Err(error) => Err(error),
        }
    }

    /// Says in the log that code is dropped and compiled again and again, once for each doubling of the number, and which
    /// argument changes.
    fn log_thrashing(&self) {
        let dropped = self.cache.dropped();
        if !self.logged_drops.reached(dropped) {
            return;
        }
        let changes = self.last_retrace().unwrap_or_default();
        tracing::warn!(
            target: TARGET,
            function = self.shown_name(),
            dropped,
            "{} holds code for {} signatures and dropped {dropped}: {changes}; an argument that takes so many values should \
             be an array",
            self.shown_name(),
            cache::MOST,
        );
    }

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

    /// Runs the closure itself, without a trace of its own.
    fn run_closure(&self, flat: &Flattener<'_>) -> Result<R> {
        let mut arrays = flat.arrays().iter().map(|&array| array.clone());
        let result = (self.f)(tree::unflatten(flat.tokens(), &mut arrays)?);
        let mut output = Flattener::new();
        tree::take_apart(&result, &mut output)?;
        output.check()?;
        check_arrays(output.arrays())?;
        drop(output);
        Ok(result)
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
        let mut arrays = Values::with_capacity(&VALUES, flat.arrays().len());
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

    fn run<R: Tree>(&self, arrays: &[&Concrete], given: Option<&mut Outputs>) -> Result<R> {
        for draws in &self.unused_draws {
            let _ = draws.reserve();
        }
        let mut outputs = Outputs::new();
        match given {
            None => self.executable.run(arrays, &mut outputs)?,
            Some(given) => self.executable.run_into(arrays, given, &mut outputs)?,
        }
        if let Some(graph) = &self.checked {
            check::check_finite(&outputs, graph, |_| None, arrays)?;
        }
        for output in &mut outputs {
            if matches!(output, Concrete::Ndarray(_)) && self.in_memory {
                continue;
            }
            if !is_same_name(output.library().name(), self.library.name()) {
                *output = self.library.from_host(output.to_host()?)?;
            }
        }
        let mut arrays = outputs.drain(..).map(Array::from_concrete);
        tree::unflatten(self.output.tokens(), &mut arrays)
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

/// The values of a call's arrays.
type Values<'a> = List<[&'a Concrete; 8], &'static Concrete>;

thread_local! {
    static VALUES: Cell<Vec<&'static Concrete>> = const { Cell::new(Vec::new()) };
}

/// Appends the values of arrays to an empty list; `false` if one is lazy.
///
/// # Errors
/// An array failed, or they are of several libraries.
#[inline]
fn concrete_arrays<'a>(arrays: &[&'a Array], values: &mut Values<'a>) -> Result<bool> {
    let mut in_memory = true;
    values.extend(arrays.iter().map_while(|array| match &array.0 {
        Repr::Concrete(array) => {
            in_memory &= matches!(array, Concrete::Ndarray(_));
            Some(array)
        }
        Repr::Failed(_) | Repr::Lazy(_) | Repr::Traced(_) => None,
    }));
    if in_memory && values.len() == arrays.len() {
        return Ok(true);
    }
    check_arrays(arrays)?;
    let concrete = arrays.iter().filter_map(|array| match &array.0 {
        Repr::Concrete(array) => Some(array),
        Repr::Failed(_) | Repr::Lazy(_) | Repr::Traced(_) => None,
    });
    library::check_together(concrete)?;
    Ok(values.len() == arrays.len())
}

/// The first failed array's error.
fn check_arrays(arrays: &[&Array]) -> Result<()> {
    for array in arrays {
        if let Repr::Failed(error) = &array.0 {
            return Err(error.clone());
        }
    }
    Ok(())
}
