//! Calls: flatten the arguments, look their signature up, run the code, or the closure where there is to be none.
//!
//! Invariants: results never alias arguments; an error leaves the function as it was.

use std::panic::Location;
use std::sync::atomic::Ordering;

use super::cache::{self, Found};
use super::compile::with_stack;
use super::signature::is_same_name;
use super::values::{VALUES, Values, check_arrays, concrete_arrays};
use super::{Compiled, Jit, Wanted, check, trace};
use crate::Array;
use crate::array::Repr;
use crate::backends;
use crate::tree::{self, Args, Flattener, Tree};
use autojit_ir::error::Result;
use autojit_library::Concrete;
use autojit_library::backend::{Backend, Outputs};
use autojit_library::environment::environment;
use autojit_library::logging::TARGET;

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
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
        let mut arrays = Values::new(&VALUES);
        arrays.reserve(flat.arrays().len());
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
    pub(super) fn wanted(&self) -> Result<Option<&'static dyn Backend>> {
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
        let mut arrays = Values::new(&VALUES);
        arrays.reserve(flat.arrays().len());
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
}

impl Compiled {
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
