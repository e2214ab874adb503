//! Functions of any arguments behind one interface, so that the harness needs to know none of them.

use std::hint::black_box;

use autojit::{Args, Array, Jit, Report, Result, Tree, autojit, tree_flatten};

/// A function with its arguments.
pub(crate) trait Program {
    /// The arrays of the arguments.
    fn inputs(&self) -> Vec<Array>;

    /// Calls the function as it is, and looks at nothing: what is timed.
    fn run_eagerly(&self);

    /// Calls the function as it is.
    fn results(&self) -> Result<Vec<Array>>;

    /// The function for a backend, not compiled yet; an unsupported graph is an error rather than a fallback.
    fn with_backend<'a>(&'a self, backend: &str) -> Box<dyn Compiled + 'a>;

    /// A compiled function of the same arguments that computes nothing: what a call costs before any work.
    fn idle<'a>(&'a self, backend: &str) -> Box<dyn Compiled + 'a>;
}

/// A function for a backend, with its arguments.
pub(crate) trait Compiled {
    /// Compiles without a run.
    fn compile(&self) -> Result<Report>;

    /// Calls it, compiling first if need be, and drops the results: what is timed.
    fn call(&self) -> Result<()>;

    /// Calls it.
    fn results(&self) -> Result<Vec<Array>>;
}

/// The program of a function and its arguments.
pub(crate) fn program<A, R, F>(args: A, f: F) -> Box<dyn Program>
where
    A: Tree + Clone + 'static,
    R: Tree + 'static,
    F: Fn(A) -> R + 'static,
{
    Box::new(Typed { args, f })
}

struct Typed<A, F> {
    args: A,
    f: F,
}

impl<A, R, F> Program for Typed<A, F>
where
    A: Tree + Clone + 'static,
    R: Tree + 'static,
    F: Fn(A) -> R + 'static,
{
    fn inputs(&self) -> Vec<Array> {
        // Trees of a workload hold no errors.
        tree_flatten(&self.args).map_or_else(|_| Vec::new(), |(arrays, _)| arrays)
    }

    fn run_eagerly(&self) {
        drop(black_box((self.f)(black_box(self.args.clone()))));
    }

    fn results(&self) -> Result<Vec<Array>> {
        checked(&(self.f)(self.args.clone()))
    }

    fn with_backend<'a>(&'a self, backend: &str) -> Box<dyn Compiled + 'a> {
        Box::new(Bound {
            jit: autojit(|args| (self.f)(args)).backend(backend).strict(true),
            args: &self.args,
        })
    }

    fn idle<'a>(&'a self, backend: &str) -> Box<dyn Compiled + 'a> {
        Box::new(Bound {
            jit: autojit(|_: A| Vec::<Array>::new()).backend(backend),
            args: &self.args,
        })
    }
}

struct Bound<'a, A, R, F> {
    jit: Jit<A, R, F>,
    args: &'a A,
}

impl<'a, A, R, F> Compiled for Bound<'a, A, R, F>
where
    A: Tree,
    R: Tree,
    F: Fn(A) -> R,
    &'a A: Args<A>,
{
    fn compile(&self) -> Result<Report> {
        self.jit.compile(self.args)
    }

    fn call(&self) -> Result<()> {
        black_box(self.jit.call(black_box(self.args))).map(drop)
    }

    fn results(&self) -> Result<Vec<Array>> {
        checked(&self.jit.call(self.args)?)
    }
}

fn checked(results: &impl Tree) -> Result<Vec<Array>> {
    let (arrays, _) = tree_flatten(results)?;
    arrays.into_iter().map(Array::check).collect()
}

/// The same work by hand, or by another library of Rust.
pub(crate) trait Baseline {
    /// The implementation.
    fn name(&self) -> &'static str;

    /// Does it: what is timed.
    fn run(&mut self);

    /// The result of the last run, in the form of the workload's results. `None` if there is nothing to compare.
    fn results(&self) -> Option<Vec<Array>>;
}

/// A baseline from its state, what it does with it, and the results in it.
pub(crate) fn baseline<S: 'static>(
    name: &'static str,
    state: S,
    run: impl FnMut(&mut S) + 'static,
    results: impl Fn(&S) -> Vec<Array> + 'static,
) -> Box<dyn Baseline> {
    Box::new(ByHand {
        name,
        state,
        run,
        results: Some(results),
    })
}

struct ByHand<S, F, G> {
    name: &'static str,
    state: S,
    run: F,
    results: Option<G>,
}

impl<S, F: FnMut(&mut S), G: Fn(&S) -> Vec<Array>> Baseline for ByHand<S, F, G> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        (self.run)(black_box(&mut self.state));
    }

    fn results(&self) -> Option<Vec<Array>> {
        self.results.as_ref().map(|results| results(&self.state))
    }
}
