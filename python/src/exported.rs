//! Functions that were traced for one kind of arguments and need their Python code no longer: in files, and in pickles.

use autojit::Exported;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::classes::{Entry, entry_named, name_entry};
use crate::errors::OrRaise;
use crate::reports::Explanation;
use crate::statics::Statics;
use crate::tree::PyTree;

/// A function that was traced for one kind of arguments. It does not need the Python code that it was made of: it can be saved,
/// loaded and pickled, and is compiled at its first call wherever it arrives.
///
/// Made by `CompiledFunction.exported`, and by `autojit.load`.
#[pyclass(frozen, weakref, module = "autojit")]
pub(crate) struct ExportedFunction {
    exported: Exported,
    backend: Option<String>,
    statics: Statics,
    /// The classes and static objects in its arguments and results, which are known by their names elsewhere.
    entries: Vec<Entry>,
}

impl ExportedFunction {
    pub(crate) fn new(
        exported: Exported,
        backend: Option<String>,
        statics: Statics,
        entries: Vec<Entry>,
    ) -> Self {
        let exported = match &backend {
            Some(backend) => exported.backend(backend.clone()),
            None => exported,
        };
        Self {
            exported,
            backend,
            statics,
            entries,
        }
    }

    fn takes(&self, args: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> bool {
        let tree = self.statics.tree(args, keywords);
        tree.is_ok_and(|tree| self.exported.takes(&tree))
    }
}

#[pymethods]
impl ExportedFunction {
    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut tree = self.statics.tree(args, keywords)?;
        if !self.exported.signature().starts_with('(') {
            // Functions of Rust take one argument bare.
            tree = tree.into_only_member();
        }
        let as_numpy = tree.is_numpys();
        let result = py.detach(|| {
            let result: autojit::Result<PyTree> = self.exported.call(&tree);
            drop(tree);
            result
        });
        result.or_raise(py)?.build(py, as_numpy)
    }

    /// Writes the function into a file, which `autojit.load` and Rust's `Exported::load` read. Classes in its arguments and results
    /// are written as their names.
    pub(crate) fn save(&self, py: Python<'_>, path: std::path::PathBuf) -> PyResult<()> {
        self.exported.save(path).or_raise(py)
    }

    /// The report of the function when it was compiled, as `CompiledFunction.explain` gives it.
    fn explain(&self, py: Python<'_>) -> PyResult<Explanation> {
        py.detach(|| self.exported.explain())
            .map(Explanation)
            .or_raise(py)
    }

    #[getter]
    fn __name__(&self) -> &str {
        self.exported.name()
    }

    /// The arguments that it takes, as in `(f64[3], {"a": f64[2]}, 3)`.
    #[getter]
    fn signature(&self) -> String {
        self.exported.signature()
    }

    /// The results that it gives, in the same form.
    #[getter]
    fn results(&self) -> String {
        self.exported.results()
    }

    /// The graph as text: a line for each operation.
    #[getter]
    fn graph(&self) -> String {
        self.exported.graph().to_string()
    }

    fn __repr__(&self) -> String {
        let (name, signature) = (self.exported.name(), self.exported.signature());
        format!(
            "<exported function {name}{signature} -> {}>",
            self.exported.results()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = PyBytes::new(py, &self.exported.to_bytes().or_raise(py)?);
        let entries = PyList::empty(py);
        for entry in &self.entries {
            entries.append(match entry {
                Entry::Class(class) => (class.name, class.class.bind(py).as_any(), true),
                Entry::Static(object) => (object.name, object.object.bind(py), false),
            })?;
        }
        let make = py
            .import(intern!(py, "autojit._autojit"))?
            .getattr(intern!(py, "exported_from_bytes"))?;
        let statics = (&self.statics.names, &self.statics.positions);
        let state = (bytes, &self.backend, statics, entries);
        Ok((make, state).into_pyobject(py)?.into_any())
    }
}

/// An exported function from the bytes of its file, as pickles have it.
#[pyfunction]
pub(crate) fn exported_from_bytes(
    py: Python<'_>,
    bytes: &[u8],
    backend: Option<String>,
    statics: (Vec<String>, Vec<usize>),
    entries: Vec<(String, Bound<'_, PyAny>, bool)>,
) -> PyResult<ExportedFunction> {
    for (name, value, is_class) in &entries {
        name_entry(name, value, *is_class)?;
    }
    let known = entries.iter().filter_map(|(name, ..)| entry_named(name));
    let exported = Exported::from_bytes(bytes).or_raise(py)?;
    let (names, positions) = statics;
    let statics = Statics { names, positions };
    Ok(ExportedFunction::new(
        exported,
        backend,
        statics,
        known.collect(),
    ))
}

/// A function that `CompiledFunction.export`, `ExportedFunction.save` or Rust's `Jit::export` wrote into a file.
#[pyfunction]
#[pyo3(signature = (path, backend = None))]
pub(crate) fn load(
    py: Python<'_>,
    path: std::path::PathBuf,
    backend: Option<String>,
) -> PyResult<ExportedFunction> {
    let exported = Exported::load(path).or_raise(py)?;
    Ok(ExportedFunction::new(
        exported,
        backend,
        Statics::default(),
        Vec::new(),
    ))
}

/// Exported functions of several kinds of arguments in the place of a compiled function: what its pickle becomes.
#[pyclass(frozen, weakref, module = "autojit")]
pub(crate) struct ExportedFunctions {
    functions: Vec<Py<ExportedFunction>>,
}

#[pymethods]
impl ExportedFunctions {
    #[new]
    fn new(functions: Vec<Py<ExportedFunction>>) -> PyResult<Self> {
        match functions.is_empty() {
            true => Err(PyTypeError::new_err("there are no exported functions")),
            false => Ok(Self { functions }),
        }
    }

    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fitting = self
            .functions
            .iter()
            .find(|f| f.get().takes(args, keywords));
        let function = fitting.unwrap_or(&self.functions[0]);
        function.get().__call__(py, args, keywords)
    }

    /// The functions, one for each kind of arguments.
    #[getter]
    fn functions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.functions.iter().map(|f| f.bind(py)))
    }

    fn __repr__(&self) -> String {
        let kinds = self.functions.iter().map(|f| f.get().exported.signature());
        let kinds: Vec<String> = kinds.collect();
        let name = self.functions[0].get().exported.name();
        format!("<exported function {name} of {}>", kinds.join(", "))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let functions = PyList::new(py, slf.get().functions.iter().map(|f| f.bind(py)))?;
        let state = (slf.get_type(), (functions,));
        Ok(state.into_pyobject(py)?.into_any())
    }
}
