//! `autojit.jit`: functions of Python that are traced and compiled once for each kind of arguments.
//!
//! A call takes its arguments apart, hands over the interpreter while Rust looks for code and runs it, and puts the results
//! together. Where there is no code yet, the function is called on this thread with traced arrays.

use std::sync::Arc;

use autojit::{Error, Jit, autojit as compiled};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::{OrRaise, carried, raised};
use crate::functions::bound_method;
use crate::tree::{Leaves, PyTree};

/// A function of trees that calls one of Python.
pub(crate) type Traced = Box<dyn Fn(PyTree) -> autojit::Result<PyTree> + Send + Sync>;

/// Calls a function of Python with the arguments in a tree, and takes its result apart. Exceptions are carried through Rust.
pub(crate) fn call_function(function: &Py<PyAny>, args: PyTree) -> autojit::Result<PyTree> {
    Python::attach(|py| {
        let call = || {
            let (args, keywords) = args.build_call(py)?;
            let result = function.bind(py).call(args, keywords.as_ref())?;
            PyTree::of(&result, Leaves::Arrays, "the result")
        };
        call().map_err(carried)
    })
}

// A function that is compiled for each kind of arguments it meets. Not a docstring: the class has that of its function.
#[pyclass(frozen, weakref, module = "autojit")]
pub(crate) struct CompiledFunction {
    jit: Jit<PyTree, autojit::Result<PyTree>, Traced>,
    function: Arc<Py<PyAny>>,
    static_names: Vec<String>,
    static_positions: Vec<usize>,
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
        let function = Arc::new(function);
        let called = Arc::clone(&function);
        let traced: Traced = Box::new(move |args| call_function(&called, args));
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
            static_names,
            static_positions,
        })
    }

    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let tree = self.arguments(args, keywords)?;
        let as_numpy = tree.is_numpys();
        let result = py.detach(|| {
            let result = self.jit.call(&tree);
            // Freed here, for the results may share their memory.
            drop(tree);
            result
        });
        result
            .and_then(|result| result)
            .or_raise(py)?
            .build(py, as_numpy)
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

    /// What became of the function for arguments like these: its graph, the passes of the optimiser, the program and its cost.
    ///
    /// Nothing is run, and the code is not kept. `print` it, or take `str()` of it.
    #[pyo3(signature = (*args, **keywords))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Explanation> {
        let tree = self.arguments(args, keywords)?;
        let explanation = py.detach(|| self.jit.explain(&tree));
        explanation.map(Explanation).or_raise(py)
    }

    /// The optimised graph for arguments like these, as text: a line for each operation.
    #[pyo3(signature = (*args, **keywords))]
    fn graph<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<String> {
        Ok(self.explain(py, args, keywords)?.0.graph().to_owned())
    }

    /// Compiles for arguments like these, unless there is code for them, and runs nothing.
    #[pyo3(signature = (*args, **keywords))]
    fn compile<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let tree = self.arguments(args, keywords)?;
        py.detach(|| self.jit.compile(&tree))
            .or_raise(py)
            .map(|_| ())
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
    /// The arguments of a call as a tree: a tuple of those by position, and then the keywords.
    fn arguments(
        &self,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyTree> {
        let keywords = keywords.filter(|keywords| !keywords.is_empty());
        let mut tree = PyTree::default();
        tree.begin_tuple(args.len() + usize::from(keywords.is_some()));
        for (at, arg) in args.iter_borrowed().enumerate() {
            if self.static_positions.contains(&at) {
                tree.add_static(&arg)?;
            } else {
                tree.add_argument(&arg, at)?;
            }
        }
        if let Some(keywords) = keywords {
            let is_static = |name: &str| self.static_names.iter().any(|n| n == name);
            tree.add_keywords(keywords, Leaves::Arrays, &is_static)?;
        }
        Ok(tree)
    }
}

/// What became of a function when it was compiled.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Explanation(autojit::Explanation);

#[pymethods]
impl Explanation {
    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }

    /// A page of HTML, as notebooks show it.
    fn _repr_html_(&self) -> String {
        self.0.to_html()
    }

    /// The page as a string.
    fn to_html(&self) -> String {
        self.0.to_html()
    }

    /// The name of the backend that the code is for.
    #[getter]
    fn backend(&self) -> &str {
        self.0.backend()
    }

    /// The optimised graph as text.
    #[getter]
    fn graph(&self) -> &str {
        self.0.graph()
    }

    /// The number of operations that were traced.
    #[getter]
    fn traced_nodes(&self) -> usize {
        self.0.traced_nodes()
    }

    /// The number of operations that the optimiser left.
    #[getter]
    fn optimized_nodes(&self) -> usize {
        self.0.optimized_nodes()
    }

    /// The seconds that tracing, optimising and generating code took.
    #[getter]
    fn seconds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let seconds = PyDict::new(py);
        seconds.set_item(intern!(py, "trace"), self.0.trace_time().as_secs_f64())?;
        seconds.set_item(
            intern!(py, "optimize"),
            self.0.optimize_time().as_secs_f64(),
        )?;
        seconds.set_item(intern!(py, "compile"), self.0.compile_time().as_secs_f64())?;
        Ok(seconds)
    }
}

/// The names of the backends.
#[pyfunction]
pub(crate) fn backends() -> Vec<&'static str> {
    autojit::backends()
}
