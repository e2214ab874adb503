//! Reports on compiled and exported functions: their stages, and the time of their steps.
//!
//! Operations carry the line of Python that called them. Where there is none it is a line of this package, which says nothing to a
//! user, so texts are given without it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Whether a file is one of this package.
pub(crate) fn is_ours(file: &str) -> bool {
    file.starts_with(file!().trim_end_matches("reports.rs")) && file.ends_with(".rs")
}

/// A text without lines of this package: the comments of graphs, the places of kernels, the fields of pictures.
pub(crate) fn without_our_lines(text: &str) -> String {
    let ours = file!().trim_end_matches("reports.rs");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ours) {
        let (before, line) = rest.split_at(at);
        let goes_on = |c: char| c.is_ascii_alphanumeric() || "_/.:".contains(c);
        let after = line.trim_start_matches(goes_on);
        let place = &line[..line.len() - after.len()];
        rest = after;
        if !place.contains(".rs:") {
            kept.push_str(before);
            kept.push_str(place);
            continue;
        }
        let marks = ["  ; ", ", at "];
        let unmarked = marks.iter().find_map(|mark| before.strip_suffix(mark));
        kept.push_str(unmarked.unwrap_or(before));
    }
    kept.push_str(rest);
    kept
}

/// Where the time of a call goes, step by step. `print` it, or take `str()` of it.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Profile(pub(crate) autojit::Profile);

#[pymethods]
impl Profile {
    fn __str__(&self) -> String {
        without_our_lines(&self.0.to_string())
    }

    fn __repr__(&self) -> String {
        self.__str__()
    }

    /// The name of the backend that ran it.
    #[getter]
    fn backend(&self) -> &str {
        &self.0.backend
    }

    /// How often it was run.
    #[getter]
    fn runs(&self) -> usize {
        self.0.runs
    }

    /// The seconds of all steps together.
    #[getter]
    fn total(&self) -> f64 {
        self.0.total().as_secs_f64()
    }

    /// The steps, those that took the longest first: what ran, its operations, how many equal steps there are, and the seconds
    /// that they take in one call.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let step = |step: &autojit::ProfiledStep| {
            let entry = PyDict::new(py);
            let ops: Vec<&str> = step.ops.iter().map(|op| &**op).collect();
            entry.set_item(intern!(py, "step"), &step.step)?;
            entry.set_item(intern!(py, "operations"), ops)?;
            entry.set_item(intern!(py, "count"), step.count)?;
            entry.set_item(intern!(py, "seconds"), step.time.as_secs_f64())?;
            Ok(entry)
        };
        self.0.steps.iter().map(step).collect()
    }
}

/// The report of a function that was compiled.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct Explanation(pub(crate) autojit::Explanation);

#[pymethods]
impl Explanation {
    fn __str__(&self) -> String {
        without_our_lines(&self.0.to_string())
    }

    fn __repr__(&self) -> String {
        self.__str__()
    }

    /// A page of HTML, as notebooks show it.
    fn _repr_html_(&self) -> String {
        self.to_html()
    }

    /// The page as a string.
    fn to_html(&self) -> String {
        without_our_lines(&self.0.to_html())
    }

    /// The name of the backend that the code is for.
    #[getter]
    fn backend(&self) -> &str {
        self.0.backend()
    }

    /// The optimised graph as text; the middle of large constants is left out.
    #[getter]
    pub(crate) fn graph(&self) -> String {
        without_our_lines(&self.0.shortened_graph())
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
