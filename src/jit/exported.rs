//! `Exported`: a function that was traced, kept in a file, and is called without its closure.

use std::fmt;
use std::panic::Location;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;

#[cfg(doc)]
use super::Jit;
use super::check::{self, Comparison};
use super::dump::Dump;
use super::explain::Explanation;
use super::library_of;
use super::task::Task;
use super::values::{VALUES, Values, concrete_arrays};
use crate::Array;
use crate::backends;
use crate::export::Saved;
use crate::plot::Drawing;
use crate::tree::{self, Flattener, Structure, Tree, show_tokens};
use autojit_ir::error::{Error, Result};
use autojit_ir::transform::simplify;
use autojit_ir::{Graph, SourceLine, ValueId, source_lines};
use autojit_library::backend::{Backend, Executable, Limits, Outputs};
use autojit_library::{self as library, Concrete};

/// A function that was traced for one kind of arguments. It needs no closure: it can be saved and loaded.
///
/// Made by [`Jit::export`] and [`Jit::to_exported`], and by [`Exported::load`]. It is compiled at the first call, once for
/// each backend, and can be called from many threads.
pub struct Exported {
    saved: Saved,
    /// Why it can be neither written nor called.
    refused: Option<Error>,
    wanted: Option<String>,
    strict: bool,
    limits: Limits,
    /// By the name of the backend that was asked for; there are few.
    compiled: Mutex<Vec<(&'static str, Arc<dyn Executable>)>>,
}

impl Exported {
    pub(super) fn new(saved: Saved) -> Self {
        Self {
            refused: saved.check().err(),
            saved,
            wanted: None,
            strict: false,
            limits: Limits::default(),
            compiled: Mutex::new(Vec::new()),
        }
    }

    /// A function with the arguments and results of a graph: one array for one, a tuple for several.
    ///
    /// ```
    /// use autojit::{Array, Exported};
    ///
    /// let twice = Exported::from_graph("twice", "%x = input index=0 ty=f64[2]\n%y = add %x %x\nreturn %y".parse()?);
    /// let result: Array = twice.call(&Array::from([1.0, 2.0]))?;
    /// assert_eq!(result.to_vec::<f64>()?, [2.0, 4.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// A graph with a result that is a tuple, as a decomposition is, makes a function of which each use is an error
    /// (`is_value`): it can be neither called nor written.
    #[must_use]
    pub fn from_graph(name: impl Into<String>, graph: Graph) -> Self {
        Self::new(Saved {
            name: name.into(),
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: Structure::of_arrays(graph.input_types().len()),
            results: Structure::of_arrays(graph.outputs().len()),
            lines: source_lines(&graph),
            graph,
        })
    }

    /// Reads a file that [`Jit::export`] or [`Exported::save`] wrote.
    ///
    /// Nothing in the file is trusted: one that was made to do harm is an error, not a crash.
    ///
    /// # Errors
    /// The file cannot be read, is no file of an exported function, was cut off or damaged, or was written by a newer
    /// version that has another format (`is_file`).
    #[track_caller]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let location = Location::caller();
        let path = path.as_ref();
        let read = std::fs::read(path).map_err(|e| Error::file(e.to_string()));
        read.and_then(|bytes| Self::from_bytes(&bytes))
            .map_err(|e| Error::file(format!("cannot load {}: {e}", path.display())).at(location))
    }

    /// The same from the bytes of a file.
    ///
    /// ```
    /// use autojit::{Array, Exported, autojit};
    ///
    /// let bytes = autojit(|x: Array| x + 1.0).to_exported(&Array::from([1.0]))?.to_bytes()?;
    /// let next: Array = Exported::from_bytes(&bytes)?.call(&Array::from([2.0]))?;
    /// assert_eq!(next.to_string(), "[3.]");
    /// assert!(Exported::from_bytes(&bytes[..10]).is_err());
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Exported::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Saved::from_bytes(bytes).map(Self::new)
    }

    /// Writes a file for [`Exported::load`].
    ///
    /// A file that is there is replaced as a whole: whatever happens meanwhile, [`Exported::load`] finds the old function
    /// or the new one.
    ///
    /// # Errors
    /// The file cannot be written (`is_file`); for what [`Exported::from_graph`] made, as [`Jit::to_exported`].
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let location = Location::caller();
        let path = path.as_ref();
        let written = self
            .to_bytes()
            .and_then(|bytes| autojit_ir::file::write(path, &bytes));
        written.map_err(|e| e.at(location))
    }

    /// The bytes of such a file.
    ///
    /// # Errors
    /// As [`Exported::save`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        self.saved.to_bytes()
    }

    /// The same function, whose files and bytes do not have the lines that its operations came from: for a program whose lines say
    /// nothing to those who load it, such as a module of another language.
    #[must_use]
    pub fn without_lines(self) -> Self {
        self.without_lines_of(|_| true)
    }

    /// The same, without the lines of some files.
    #[must_use]
    pub fn without_lines_of(mut self, is_left_out: impl Fn(&str) -> bool) -> Self {
        for line in &mut self.saved.lines {
            line.take_if(|line| is_left_out(&line.file));
        }
        self
    }

    /// Chooses the backend, as [`Jit::backend`] does. An unknown name is an error of the call.
    #[must_use]
    pub fn backend(mut self, name: impl Into<String>) -> Self {
        self.wanted = Some(name.into());
        self
    }

    /// Whether it is an error if the backend declines the graph. Otherwise replay takes over.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The bytes by which the intermediate results of a call may take more than in the order of the graph, as
    /// [`Jit::memory_limit`] says it.
    ///
    /// ```
    /// use autojit::{Array, Exported, autojit, numpy as np};
    ///
    /// let f = |x: Array| {
    ///     let sums = (0..64).map(|i| np::sum(np::exp(&x * i), ..));
    ///     np::stack(sums.collect::<Vec<_>>(), 0)
    /// };
    /// let bytes = autojit(f).to_exported(np::linspace(0.0, 1.0, 1000))?.to_bytes()?;
    /// let frugal = Exported::from_bytes(&bytes)?.memory_limit(0).threads(2);
    /// let usual = Exported::from_bytes(&bytes)?;
    /// let workspace = |f: &Exported| Ok::<_, autojit::Error>(f.explain()?.report().code.workspace_bytes);
    /// assert!(workspace(&frugal)? <= workspace(&usual)?);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// The number of threads that native code may use in one call, 1 if nothing else is said, as [`Jit::threads`] says
    /// it. Results have the same bits for any number.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.limits.set_threads(threads);
        self
    }

    /// Calls the function. Several arguments are one tuple, as for a closure.
    ///
    /// # Errors
    /// The arguments are not those that it was exported for, in structure, dtypes, shapes or static values; an argument is
    /// a failed or lazy array; the result is not an `R`; an operation failed, which is reported with the line of the program
    /// that exported it.
    #[track_caller]
    pub fn call<R: Tree>(&self, args: &impl Tree) -> Result<R> {
        let location = Location::caller();
        let called = || {
            let mut flat = Flattener::new();
            tree::take_apart(args, &mut flat)?;
            flat.check()?;
            let arrays = self.checked_arguments(&flat)?;
            let mut results = self.run(&arrays)?.into_iter().map(Array::from_concrete);
            tree::unflatten(self.saved.results.tokens(), &mut results)
        };
        called().map_err(|e: Error| e.at(location))
    }

    /// Whether these arguments are of the kind that the function was exported for: in structure, dtypes, shapes and static
    /// values.
    ///
    /// ```
    /// use autojit::{Array, autojit};
    ///
    /// let exported = autojit(|x: Array| &x * &x).to_exported(Array::from([1.0, 2.0]))?;
    /// assert!(exported.takes(&Array::from([3.0, 4.0])));
    /// assert!(!exported.takes(&Array::from(3.0)));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn takes(&self, args: &impl Tree) -> bool {
        let mut flat = Flattener::new();
        tree::take_apart(args, &mut flat).is_ok()
            && flat.check().is_ok()
            && self.checked_arguments(&flat).is_ok()
    }

    /// Calls the function with the arrays of its arguments one by one, and gives those of its result: for programs
    /// that know nothing of its types.
    ///
    /// ```
    /// use autojit::{Array, autojit};
    ///
    /// let exported = autojit(|x: Array| x + 1.0).to_exported(&Array::from([1.0]))?;
    /// let results = exported.call_arrays(&[Array::from([2.0])])?;
    /// assert_eq!(results[0].to_string(), "[3.]");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Exported::call`].
    #[track_caller]
    pub fn call_arrays(&self, arrays: &[Array]) -> Result<Vec<Array>> {
        let location = Location::caller();
        let called = || {
            let references: SmallVec<[&Array; 8]> = arrays.iter().collect();
            let arrays = self.checked_arrays(&references)?;
            let results = self.run(&arrays)?;
            Ok(results.into_iter().map(Array::from_concrete).collect())
        };
        called().map_err(|e: Error| e.at(location))
    }

    /// Runs the graph on its backend and on another, as [`Jit::check_against`] does, with arrays one by one.
    ///
    /// # Errors
    /// As [`Exported::call_arrays`]; and one of the backends declines the graph (`is_unsupported`).
    #[track_caller]
    pub fn check_against(&self, backend: &str, arrays: &[Array]) -> Result<Comparison> {
        let location = Location::caller();
        let compared = || {
            let against = backends::find(backend)?;
            let references: SmallVec<[&Array; 8]> = arrays.iter().collect();
            let arrays = self.checked_arrays(&references)?;
            let own = self.backend_for(library_of(&arrays))?;
            let line = |value| self.source_line(value).cloned();
            check::compare(
                &self.saved.graph,
                line,
                [own, against],
                &self.limits,
                &arrays,
            )
        };
        compared().map_err(|e: Error| e.at(location))
    }

    fn check(&self) -> Result<()> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    fn checked_arguments<'a>(&self, flat: &Flattener<'a>) -> Result<Values<'a>> {
        let expected = self.saved.arguments.tokens();
        let mut pairs = expected.iter().zip(flat.tokens());
        if expected.len() != flat.tokens().len() || !pairs.all(|(x, y)| x.is_same(y)) {
            let types = flat.arrays().iter().map(|array| match array.ty() {
                Ok(ty) => ty.to_string(),
                Err(_) => "?".to_owned(),
            });
            let mut types = types.collect::<Vec<_>>().into_iter();
            return Err(Error::tree(format!(
                "the function was exported for {}, got {}",
                self.signature(),
                show_tokens(flat.tokens(), &mut types)
            )));
        }
        self.checked_arrays(flat.arrays())
    }

    fn checked_arrays<'a>(&self, arrays: &[&'a Array]) -> Result<Values<'a>> {
        self.check()?;
        let mut values = Values::new(&VALUES);
        values.reserve(arrays.len());
        if !concrete_arrays(arrays, &mut values)? {
            return Err(Error::value(
                "expected arrays with values, got a lazy one: an exported function is not traced",
            ));
        }
        let arrays = values;
        let types = self.saved.graph.input_types();
        let fits = |(array, ty): (&&Concrete, &autojit_ir::ArrayType)| {
            array.dtype() == ty.dtype && array.shape() == ty.shape.as_slice()
        };
        if arrays.len() != types.len() || !arrays.iter().zip(types).all(fits) {
            let got: Vec<String> = arrays.iter().map(|array| array.ty().to_string()).collect();
            let got = match got.as_slice() {
                [] => "no arrays".to_owned(),
                got => format!("the arrays {}", got.join(", ")),
            };
            return Err(Error::shape(format!(
                "the function was exported for {}, got {got}",
                self.signature(),
            )));
        }
        Ok(arrays)
    }

    fn run(&self, arrays: &[&Concrete]) -> Result<Outputs> {
        let library = library_of(arrays);
        let executable = self.executable(library)?;
        let mut outputs = Outputs::new();
        executable
            .run(arrays, &mut outputs)
            .map_err(|e| self.at_its_line(e, arrays))?;
        for output in &mut outputs {
            if output.library().name() != library.name() {
                *output = library.from_host(output.to_host()?)?;
            }
        }
        Ok(outputs)
    }

    /// The backend to run it for arrays of a library.
    fn backend_for(
        &self,
        library: &'static dyn library::AnyLibrary,
    ) -> Result<&'static dyn Backend> {
        let named = match &self.wanted {
            Some(name) => Some(backends::find(name)?),
            None => backends::from_environment()?,
        };
        let replay = backends::find("replay")?;
        // Arrays that are more than their values run graphs themselves.
        match library.round_trips() {
            true => Ok(named.unwrap_or_else(|| backends::preferred(library.name()))),
            false => Ok(replay),
        }
    }

    fn executable(&self, library: &'static dyn library::AnyLibrary) -> Result<Arc<dyn Executable>> {
        let backend = self.backend_for(library)?;
        // Held while compiling: threads that come meanwhile need the same code.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = compiled.iter().find(|(name, _)| *name == backend.name()) {
            return Ok(Arc::clone(found));
        }
        let signature = self.signature();
        let task = self.task(backend, &signature, "first call");
        let code = task.logged(|| {
            let dump = Dump::begin(&task);
            let code = task.compile(self.saved.graph.clone(), Duration::ZERO, dump.as_ref())?;
            if let Some(dump) = dump {
                let lines = lines_after(&code.graph, &self.saved.lines);
                dump.function(&Saved {
                    graph: code.graph.clone(),
                    lines: lines.clone(),
                    ..self.saved.clone()
                });
                dump.explanation(&Explanation::of_code(&task, code.clone(), lines));
            }
            Ok::<_, Error>(code)
        })?;
        compiled.push((backend.name(), Arc::clone(&code.choice.executable)));
        Ok(code.choice.executable)
    }

    fn task<'t>(
        &'t self,
        backend: &'static dyn Backend,
        signature: &'t String,
        reason: &'t str,
    ) -> Task<'t> {
        Task {
            function: self.name(),
            signature,
            reason,
            backend,
            strict: self.strict,
            optimizer: &OPTIMIZER,
            limits: &self.limits,
        }
    }

    /// Adds the line that a failure comes from. Compiled code does not know it, so the graph is run once more, node by
    /// node, up to the one that fails.
    fn at_its_line(&self, error: Error, arrays: &[&Concrete]) -> Error {
        let Saved { graph, lines, .. } = &self.saved;
        let library = library_of(arrays);
        let moved = arrays.iter().map(|array| array.moved_to(library));
        let Ok(moved) = moved.collect::<Result<SmallVec<[Concrete; 8]>>>() else {
            return error;
        };
        let moved: SmallVec<[&Concrete; 8]> = moved.iter().collect();
        let mut next = 0;
        let failed = library::observe_graph(library, graph, &moved, |value, _| {
            next = value.index() + 1;
            Ok(())
        });
        let live = graph.live();
        let culprit = (next..live.len()).find(|&i| live[i]);
        match culprit.and_then(|i| lines.get(i)?.as_ref()) {
            Some(line) if failed.is_err() => error.at_foreign_line(line),
            _ => error,
        }
    }

    /// Says how a call is run on its backend: as [`Jit::explain`], without a trace.
    ///
    /// # Errors
    /// The backend is unknown, or declines and [`strict`](Self::strict) is set.
    #[track_caller]
    pub fn explain(&self) -> Result<Explanation> {
        let location = Location::caller();
        let explained = self
            .check()
            .and_then(|()| self.backend_for(library::default_library()))
            .and_then(|backend| {
                let signature = self.signature();
                let task = self.task(backend, &signature, "to explain it");
                let graph = self.saved.graph.clone();
                let code = task.logged(|| task.compile(graph, Duration::ZERO, None))?;
                let lines = lines_after(&code.graph, &self.saved.lines);
                Ok(Explanation::of_code(&task, code, lines))
            });
        explained.map_err(|e| e.at(location))
    }

    /// The name of the function.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.saved.name
    }

    /// The version of autojit that exported it.
    #[must_use]
    pub fn made_by(&self) -> &str {
        &self.saved.made_by
    }

    /// The arguments that it takes, as in `(f64[3], {"a": f64[2]}, 3)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut types = self.saved.graph.input_types().iter();
        show_tokens(self.saved.arguments.tokens(), &mut types)
    }

    /// The results that it gives, in the same form.
    #[must_use]
    pub fn results(&self) -> String {
        let Saved { graph, results, .. } = &self.saved;
        // What is refused may name values that are not there.
        let ty = |output: &ValueId| graph.nodes().get(output.index());
        let mut types = graph.outputs().iter().filter_map(ty).map(|node| &node.ty);
        show_tokens(results.tokens(), &mut types)
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.saved.graph
    }

    /// The nodes of the graph as pictures are made of, with the lines of the program that exported it.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let exported = autojit(|x: Array| np::exp(&x) + 1.0).to_exported(Array::from([1.0, 2.0]))?;
    /// let page = exported.drawing().circuit().to_html();
    /// assert!(page.starts_with("<!doctype html>"));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        Drawing::of_graph(&self.saved.graph, |value| self.source_line(value).cloned())
    }

    /// The line of the source that a node comes from, where known.
    #[must_use]
    pub fn source_line(&self, value: ValueId) -> Option<&SourceLine> {
        self.saved.lines.get(value.index())?.as_ref()
    }
}

/// The options of the optimiser for functions that were exported.
const OPTIMIZER: simplify::Options = simplify::Options::EXACT;

/// The lines of a graph that was made of one with these lines. The optimiser knows no lines of files, so they are lost
/// where it changed something.
fn lines_after(graph: &Graph, lines: &[Option<SourceLine>]) -> Vec<Option<SourceLine>> {
    match graph.nodes().len() == lines.len() {
        true => lines.to_vec(),
        false => source_lines(graph),
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "exported {} {} -> {}",
            self.name(),
            self.signature(),
            self.results()
        )
    }
}
