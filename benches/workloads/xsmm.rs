//! LIBXSMM, if the harness has made a shared library of it: kernels made for the size of a product when it is asked for.
//!
//! As OpenBLAS it is loaded when something is measured beside it. `unsafe` stands here for calling its functions by their C signatures.

use std::cell::Cell;
use std::ffi::c_int;
use std::path::PathBuf;
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;

use super::Multiply;

/// Where the harness has put it.
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// Names the file.
pub(crate) fn set_library(file: PathBuf) {
    // The first one stays.
    let _ = FILE.set(file);
}

/// `out += a b`, or `out = a b`, of matrices by columns; further arguments are for kernels that fetch ahead.
type Kernel = unsafe extern "C" fn(*const f64, *const f64, *mut f64, ...);

/// Three sizes; three strides, the factors of the product and of what was there, flags and how to fetch ahead, each by a pointer that
/// is null for what is usual.
type Dispatch = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    *const c_int,
    *const c_int,
    *const c_int,
    *const f64,
    *const f64,
    *const c_int,
    *const c_int,
) -> Option<Kernel>;

/// Loads the library for good.
fn load() -> Option<Dispatch> {
    // SAFETY: the library's initialisation has no requirements; it is never unloaded, and the symbol has this signature in 1.17.
    unsafe {
        let library = Library::new(FILE.get()?).ok()?;
        let library: &'static Library = Box::leak(Box::new(library));
        Some(*library.get::<Dispatch>(b"libxsmm_dmmdispatch\0").ok()?)
    }
}

/// A function that computes `out = a b` for n x n matrices in C order; `None` if there is no LIBXSMM here.
pub(super) fn multiply() -> Option<Multiply> {
    static LIBXSMM: OnceLock<Option<Dispatch>> = OnceLock::new();
    let dispatch = (*LIBXSMM.get_or_init(load))?;
    let last: Cell<Option<(usize, Kernel)>> = Cell::new(None);
    Some(Box::new(move |n, a, b, out| {
        assert!(a.len() == n * n && b.len() == n * n && out.len() == n * n);
        let kernel = match last.get() {
            Some((size, kernel)) if size == n => kernel,
            _ => {
                let (size, usual, zero) = (n as c_int, ptr::null(), 0.0);
                // SAFETY: the signature is that of the header.
                let made = unsafe {
                    dispatch(
                        size,
                        size,
                        size,
                        usual,
                        usual,
                        usual,
                        ptr::null(),
                        &raw const zero,
                        usual,
                        usual,
                    )
                };
                let Some(kernel) = made else {
                    // Nothing is measured that is not right: results are compared.
                    return;
                };
                last.set(Some((n, kernel)));
                kernel
            }
        };
        // By columns all three are transposed, and so is their order.
        // SAFETY: the kernel is for n x n matrices, which all three are, as was just seen.
        unsafe { kernel(b.as_ptr(), a.as_ptr(), out.as_mut_ptr()) }
    }))
}
