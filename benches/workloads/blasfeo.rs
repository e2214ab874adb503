//! BLASFEO, if there is one: the one that comes with the peer `casadi`, or that of the system.
//!
//! As OpenBLAS it is loaded when something is measured beside it. `unsafe` stands here for calling its function by its C signature.

use std::ffi::{c_char, c_int};
use std::path::PathBuf;
use std::sync::OnceLock;

use libloading::Library;

use super::Multiply;

/// Where CasADi keeps its own, if the harness has set it up.
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// Names the file to try before that of the system.
pub(crate) fn set_library(file: PathBuf) {
    // The first one stays.
    let _ = FILE.set(file);
}

/// `dgemm` as Fortran has it: two transpositions, three sizes, and the matrices by columns.
type Dgemm = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const c_int,
    *const c_int,
    *const c_int,
    *const f64,
    *const f64,
    *const c_int,
    *const f64,
    *const c_int,
    *const f64,
    *mut f64,
    *const c_int,
);

/// Loads the library for good.
fn load() -> Option<Dgemm> {
    // SAFETY: the library has no initialisation; it is never unloaded, and the symbol has this signature in every version.
    unsafe {
        let own = FILE.get().and_then(|file| Library::new(file).ok());
        let library = own.or_else(|| Library::new("libblasfeo.so").ok())?;
        let library: &'static Library = Box::leak(Box::new(library));
        Some(*library.get::<Dgemm>(b"blasfeo_blas_dgemm\0").ok()?)
    }
}

/// A function that computes `out = a b` for n x n matrices in C order; `None` if there is no BLASFEO here.
pub(super) fn multiply() -> Option<Multiply> {
    static BLASFEO: OnceLock<Option<Dgemm>> = OnceLock::new();
    let function = (*BLASFEO.get_or_init(load))?;
    Some(Box::new(move |n, a, b, out| {
        assert!(a.len() == n * n && b.len() == n * n && out.len() == n * n);
        let (as_is, size) = (c"n".as_ptr(), n as c_int);
        let (one, zero, out) = (1.0, 0.0, out.as_mut_ptr());
        let n = &raw const size;
        // By columns all three are transposed, and so is their order.
        // SAFETY: the signature is that of BLAS, and all three matrices are n x n, as was just seen.
        unsafe {
            function(
                as_is,
                as_is,
                n,
                n,
                n,
                &raw const one,
                b.as_ptr(),
                n,
                a.as_ptr(),
                n,
                &raw const zero,
                out,
                n,
            );
        }
    }))
}
