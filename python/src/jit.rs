//! `autojit.jit`: functions of Python that are traced and compiled once for each kind of arguments.
//!
//! A call takes its arguments apart, hands over the interpreter while Rust looks for code and runs it, and puts the results
//! together. Where there is no code yet, the function is called on this thread with traced arrays.

use std::sync::{Arc, Mutex, PoisonError};

use autojit::{Error, Jit, autojit as compiled};
use pyo3::exceptions::{PyRuntimeWarning, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::classes::Entry;
use crate::errors::{OrRaise, carried, raised};
use crate::exported::ExportedFunction;
use crate::functions::bound_method;
use crate::object::checking;
use crate::reports::{Explanation, Profile, is_ours};
use crate::statics::Statics;
use crate::tree::{Kind, Leaves, PyTree};

/// A function of trees that calls one of Python.
pub(crate) type Traced = Box<dyn Fn(PyTree) -> autojit::Result<PyTree> + Send + Sync>;

/// Calls a function of Python with the arguments in a tree, and takes its result apart. Exceptions are carried through Rust.
pub(crate) fn call_function_of(function: &Py<PyAny>, args: PyTree) -> autojit::Result<PyTree> {
    Python::attach(|py| {
        let call = || {
            let (args, keywords) = args.build_call(py)?;
            let result = function.bind(py).call(args, keywords.as_ref())?;
            PyTree::of(&result, Leaves::Arrays, "the result")
        };
        call().map_err(carried)
    })
}

/// The state of a compiled function that exporting it needs.
#[derive(Default)]
struct Memory {
    /// The kinds of arguments that it was traced for.
    kinds: Mutex<Vec<Kind>>,
    /// Classes and static objects in its arguments and results.
    entries: Mutex<Vec<Entry>>,
}

impl Memory {
    /// Kinds beyond this number are those of a function that is traced too often.
    const MOST_KINDS: usize = 64;

    fn add_kind(&self, args: &PyTree) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() < Self::MOST_KINDS
            && let Ok(kind) = args.kind()
        {
            kinds.push(kind);
        }
        drop(kinds);
        self.add_entries(args);
    }

    fn add_entries(&self, tree: &PyTree) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in tree.entries() {
            if !entries.iter().any(|known| known.is(entry)) {
                entries.push(entry);
            }
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let entries = self.entries.lock();
        entries.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// A function that is compiled for each kind of arguments it meets. Not a docstring: the class has that of its function.
#[pyclass(frozen, weakref, module = "autojit")]
pub(crate) struct CompiledFunction {
    jit: Jit<PyTree, autojit::Result<PyTree>, Traced>,
    function: Arc<Py<PyAny>>,
    statics: Statics,
    memory: Arc<Memory>,
    /// The options that it was made with.
    made_with: Py<PyTuple>,
}

#[pymethods]
impl CompiledFunction {
    #[new]
    #[pyo3(signature = (function, name, static_names, static_positions, backend, options))]
    fn new(
        py: Python<'_>,
        function: Py<PyAny>,
        name: String,
        static_names: Vec<String>,
        static_positions: Vec<usize>,
        backend: Option<&str>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let made_with = (&name, &static_names, &static_positions, backend, options);
        let made_with = made_with.into_pyobject(py)?.unbind();
        let function = Arc::new(function);
        let called = Arc::clone(&function);
        let memory = Arc::new(Memory::default());
        let remembered = Arc::clone(&memory);
        let traced: Traced = Box::new(move |args| {
            let result = call_function_of(&called, args)?;
            remembered.add_entries(&result);
            Ok(result)
        });
        let mut jit = compiled(traced).name(name);
        if let Some(backend) = backend {
            if !autojit::backends().contains(&backend) && backend != "native" {
                return Err(PyValueError::new_err(format!(
                    "there is no backend {backend:?}, expected one of {}",
                    autojit::backends().join(", ")
                )));
            }
            jit = jit.backend(backend);
        }
        for (name, value) in options {
            let name: String = name.extract()?;
            jit = match name.as_str() {
                "strict" => jit.strict(value.extract()?),
                "debug_nans" => jit.debug_nans(value.extract()?),
                "fold_limit" => jit.fold_limit(value.extract()?),
                "reorder_products" => jit.reorder_products(value.extract()?),
                "fast_math" => jit.fast_math(value.extract()?),
                "memory_limit" if value.is_none() => jit,
                "memory_limit" => jit.memory_limit(value.extract()?),
                "threads" => jit.threads(value.extract()?),
                _ => return Err(raised(py, Error::internal(format!("an option {name}")))),
            };
        }
        Ok(Self {
            jit,
            function,
            statics: Statics {
                names: static_names,
                positions: static_positions,
            },
            memory,
            made_with,
        })
    }

    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let tree = self.statics.tree(args, keywords)?;
        let as_numpy = tree.is_numpys();
        // Handing over the interpreter takes longer than a short call.
        if let Some(result) = self.jit.call_if_brief(&tree) {
            drop(tree);
            return match result.and_then(|result| result) {
                Ok(result) => result.build(py, as_numpy),
                Err(error) => Err(self.found_again(py, args, keywords, error)),
            };
        }
        let (result, is_traced) = py.detach(|| {
            let misses = self.jit.misses();
            let result = self.jit.call(&tree);
            let is_traced = self.jit.misses() != misses;
            if is_traced {
                self.memory.add_kind(&tree);
            }
            // Freed here, for the results may share their memory.
            drop(tree);
            (result, is_traced)
        });
        if is_traced {
            self.warn_of_numbers(py)?;
        }
        match result.and_then(|result| result) {
            Ok(result) => result.build(py, as_numpy),
            Err(error) => Err(self.found_again(py, args, keywords, error)),
        }
    }

    /// The function that is compiled.
    #[getter]
    fn __wrapped__<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.function.bind(py).clone()
    }

    #[getter]
    fn __name__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.function.bind(py).getattr(intern!(py, "__name__"))
    }

    #[getter]
    fn __qualname__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.function.bind(py).getattr(intern!(py, "__qualname__"))
    }

    #[getter]
    fn __module__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.function.bind(py).getattr(intern!(py, "__module__"))
    }

    fn __get__<'py>(
        slf: Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = owner;
        if instance.is_none() {
            return Ok(slf.into_any());
        }
        bound_method(slf.as_any(), instance)
    }

    /// The report of the function for arguments like these: its graph, the passes of the optimiser, the program and its cost.
    ///
    /// Nothing is run, and the code is not kept. `print` it, or take `str()` of it.
    #[pyo3(signature = (*args, **keywords))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Explanation> {
        let tree = self.statics.tree(args, keywords)?;
        let explanation = py.detach(|| self.jit.explain(&tree));
        explanation.map(Explanation).or_raise(py)
    }

    /// The optimised graph for arguments like these, as text: a line for each operation, with the line of Python that it comes
    /// from. The middle of large constants is left out.
    #[pyo3(signature = (*args, **keywords))]
    fn graph<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<String> {
        Ok(self.explain(py, args, keywords)?.graph())
    }

    /// Compiles for arguments like these, unless there is code for them, and runs nothing.
    #[pyo3(signature = (*args, **keywords))]
    fn compile<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let tree = self.statics.tree(args, keywords)?;
        py.detach(|| self.jit.compile(&tree))
            .or_raise(py)
            .map(|_| ())
    }

    /// The function traced for arguments like these as one of its own, which needs this code no longer: it can be saved, loaded
    /// and pickled.
    #[pyo3(signature = (*args, **keywords))]
    fn exported<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<ExportedFunction> {
        let tree = self.statics.tree(args, keywords)?;
        self.exported_tree(py, &tree)
    }

    /// Traces the function for arguments like these and writes it into a file for `autojit.load`; the path is the last argument.
    #[pyo3(signature = (*args, path = None, **keywords))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        path: Option<std::path::PathBuf>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let (args, path) = match path {
            Some(path) => (args.clone(), path),
            None if args.is_empty() => {
                return Err(PyTypeError::new_err("export needs the path of a file"));
            }
            None => {
                let last = args.len() - 1;
                (args.get_slice(0, last), args.get_item(last)?.extract()?)
            }
        };
        self.exported(py, &args, keywords)?.save(py, path)
    }

    /// Runs the function for arguments like these some times and reports where the time goes. `print` it.
    #[pyo3(signature = (*args, **keywords))]
    fn profile<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Profile> {
        let tree = self.statics.tree(args, keywords)?;
        let profile = py.detach(|| self.jit.profile(&tree));
        let mut profile = profile.or_raise(py)?;
        for step in &mut profile.steps {
            step.lines.retain(|line| !is_ours(&line.file));
        }
        Ok(Profile(profile))
    }

    /// A function of a module is pickled by its name. Any other is pickled as what was traced of it, for all kinds of arguments
    /// that it was called with.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let reduce = py
            .import(intern!(py, "autojit._pickling"))?
            .getattr(intern!(py, "reduce_compiled"))?;
        reduce.call1((slf, &slf.get().made_with))
    }

    /// Copies share the compiled code.
    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    /// The function exported for each kind of arguments that it was called with.
    fn exported_kinds<'py>(&self, py: Python<'py>) -> PyResult<Vec<ExportedFunction>> {
        let kinds = self.memory.kinds.lock();
        let kinds = kinds.unwrap_or_else(PoisonError::into_inner).clone();
        let export = |kind: &Kind| self.exported_tree(py, &kind.example().or_raise(py)?);
        kinds.iter().map(export).collect()
    }

    /// Frees all compiled code.
    fn clear(&self) {
        self.jit.clear();
    }

    /// How many calls found code (`hits`), how many traced the function (`misses`), for how many kinds of arguments there is
    /// code (`compiled`), how many were dropped to make room (`dropped`), and why it was last traced again (`last_retrace`).
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("hits", self.jit.hits())?;
        stats.set_item("misses", self.jit.misses())?;
        stats.set_item("compiled", self.jit.compiled())?;
        stats.set_item("dropped", self.jit.dropped())?;
        stats.set_item("last_retrace", self.jit.last_retrace())?;
        Ok(stats)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = self.function.bind(py).repr()?;
        let (hits, misses) = (self.jit.hits(), self.jit.misses());
        Ok(format!("<compiled {name}: {hits} hits, {misses} misses>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&*self.function)
    }
}

impl CompiledFunction {
    /// The exception for an error of compiled code. What an operation refused is looked for by running the function once more,
    /// one operation after the other, so that the exception has the line of the user that failed.
    fn found_again(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
        error: Error,
    ) -> PyErr {
        let is_of_operation =
            error.is_linear_algebra() || error.is_failed_check() || error.is_index();
        let text = || error.clone().without_location().to_string();
        let check = error.is_failed_check().then(text);
        let exception = raised(py, error);
        if !is_of_operation || exception.traceback(py).is_some() {
            return exception;
        }
        let again = || {
            let (args, keywords) = self.statics.tree(args, keywords)?.build_call(py)?;
            let function = self.function.bind(py);
            checking(check, || function.call(args, keywords.as_ref()))
        };
        match again() {
            Ok(_) => exception,
            Err(found) => {
                found.set_cause(py, Some(exception));
                found
            }
        }
    }

    /// Warns, once, of a function that is compiled again and again for other values of an argument.
    fn warn_of_numbers(&self, py: Python<'_>) -> PyResult<()> {
        const MANY: u64 = 32;
        if self.jit.misses() != MANY {
            return Ok(());
        }
        let reason = self.jit.last_retrace().unwrap_or_default();
        if !reason.starts_with("static argument ") {
            return Ok(());
        }
        let name = self.function.bind(py).repr()?;
        let text = format!(
            "{name} was compiled {MANY} times, for the last time because {reason}: numbers of Python are part of what code is \
             compiled for; give numpy.float64(..) or another array where a number changes from call to call"
        );
        let text = std::ffi::CString::new(text)?;
        let class = py.get_type::<PyRuntimeWarning>();
        PyErr::warn(py, &class, &text, 1)
    }

    fn exported_tree(&self, py: Python<'_>, tree: &PyTree) -> PyResult<ExportedFunction> {
        self.memory.add_entries(tree);
        let exported = py.detach(|| self.jit.to_exported(tree)).or_raise(py)?;
        let backend: Option<String> = self.made_with.bind(py).get_item(3)?.extract()?;
        Ok(ExportedFunction::new(
            exported.without_lines_of(is_ours),
            backend,
            self.statics.clone(),
            self.memory.entries(),
        ))
    }
}

/// The names of the backends.
#[pyfunction]
pub(crate) fn backends() -> Vec<&'static str> {
    autojit::backends()
}
