//! The line of Python that an operation comes from, for reports, pictures and files.
//!
//! Operations carry the line that called them. What this package, NumPy or autoray call on behalf of a function is a line of that
//! function: the innermost frame counts whose file is not of these packages.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autojit::ir::Site;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Packages whose lines stand for those that called them.
const PASSED_OVER: [&str; 3] = ["autojit", "numpy", "autoray"];

thread_local! {
    /// How a file is shown, or nothing where it is passed over. Files are few.
    static FILES: RefCell<HashMap<String, Option<Arc<str>>>> = RefCell::new(HashMap::new());
    /// The code that was asked for last, which mostly is asked for again, and how its file is shown.
    static NEWEST: RefCell<Option<KnownCode>> = const { RefCell::new(None) };
}

/// Code, and how its file is shown.
type KnownCode = (Py<PyAny>, Option<Arc<str>>);

/// The line of Python that calls this package now on this thread, if there is one.
pub(crate) fn line_of_caller() -> Option<Site> {
    Python::try_attach(|py| line_of_frames(py).ok().flatten()).flatten()
}

fn line_of_frames(py: Python<'_>) -> PyResult<Option<Site>> {
    // SAFETY: the interpreter is ours, and gives a frame that it owns, or null.
    let mut frame = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()) };
    while let Some(current) = frame {
        let pointer: *mut ffi::PyFrameObject = current.as_ptr().cast();
        // SAFETY: it is a frame; the code is a new reference, and never null.
        let code =
            unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyFrame_GetCode(pointer).cast()) }?;
        if let Some(file) = file_of(&code)? {
            // SAFETY: it is a frame.
            let line = unsafe { ffi::PyFrame_GetLineNumber(pointer) };
            return Ok(Some(Site::foreign(&file, u32::try_from(line).unwrap_or(0))));
        }
        let back = current.getattr(intern!(py, "f_back"))?;
        frame = (!back.is_none()).then_some(back);
    }
    Ok(None)
}

/// How the file of code is shown, unless it is passed over.
fn file_of(code: &Bound<'_, PyAny>) -> PyResult<Option<Arc<str>>> {
    let newest = NEWEST.with_borrow(|newest| match newest {
        Some((known, file)) if code.is(known) => Some(file.clone()),
        _ => None,
    });
    if let Some(file) = newest {
        return Ok(file);
    }
    let file = code.getattr(intern!(code.py(), "co_filename"))?;
    let file = shown(code.py(), file.cast::<PyString>()?.to_str()?);
    let before = NEWEST.replace(Some((code.clone().unbind(), file.clone())));
    drop(before);
    Ok(file)
}

/// How a file is shown: within the working folder by its path from there.
fn shown(py: Python<'_>, file: &str) -> Option<Arc<str>> {
    if let Some(known) = FILES.with_borrow(|files| files.get(file).cloned()) {
        return known;
    }
    let path = Path::new(file);
    let is_passed_over = PASSED_OVER
        .iter()
        .filter_map(|package| folder_of(py, package))
        .any(|folder| path.starts_with(folder));
    let shown = (!is_passed_over).then(|| {
        let here = std::env::current_dir().ok();
        let within = here.and_then(|here| Some(path.strip_prefix(here).ok()?.to_str()?.into()));
        within.unwrap_or_else(|| file.into())
    });
    FILES.with_borrow_mut(|files| files.insert(file.to_owned(), shown.clone()));
    shown
}

/// The folder of a package that is imported.
fn folder_of(py: Python<'_>, package: &str) -> Option<PathBuf> {
    let modules = py.import(intern!(py, "sys")).ok()?;
    let modules = modules.getattr(intern!(py, "modules")).ok()?;
    let file = modules
        .get_item(package)
        .ok()?
        .getattr(intern!(py, "__file__"));
    let file: PathBuf = file.ok()?.extract().ok()?;
    file.parent().map(Path::to_owned)
}
