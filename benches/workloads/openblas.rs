//! OpenBLAS, if there is one: the one that comes with the peer `numpy`, or that of the system.
//!
//! It is loaded when a product is measured, so nothing links with it and nothing needs it. `unsafe` stands here for
//! calling its functions by their C signatures.

use std::ffi::c_int;
use std::path::PathBuf;
use std::sync::OnceLock;

use autojit::{Array, numpy as np};
use libloading::Library;

use super::{Baseline, Multiply, baseline};

/// Where NumPy keeps its own, if the harness has set it up.
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// Names the file to try before that of the system.
pub(crate) fn set_library(file: PathBuf) {
    // The first one stays.
    let _ = FILE.set(file);
}

/// `cblas_dgemm`, for an integer type: order, two transpositions, three sizes, and the matrices with their strides.
type Dgemm<I> = unsafe extern "C" fn(
    c_int,
    c_int,
    c_int,
    I,
    I,
    I,
    f64,
    *const f64,
    I,
    *const f64,
    I,
    f64,
    *mut f64,
    I,
);

enum Function {
    /// As Debian and others build it.
    Narrow(Dgemm<c_int>),
    /// As NumPy's wheels have it: integers of 64 bits, and names of its own.
    Wide(Dgemm<i64>),
}

const ROW_MAJOR: c_int = 101;
const NO_TRANSPOSITION: c_int = 111;

impl Function {
    fn run(&self, x: &[f64], y: &[f64], out: &mut [f64], n: usize) {
        assert!(x.len() == n * n && y.len() == n * n && out.len() == n * n);
        macro_rules! call {
            ($f:expr, $int:ty) => {{
                let n = n as $int;
                let (x, y, out) = (x.as_ptr(), y.as_ptr(), out.as_mut_ptr());
                let (order, as_is) = (ROW_MAJOR, NO_TRANSPOSITION);
                // SAFETY: the signature is that of CBLAS, and all three matrices are n x n, as was just seen.
                unsafe { $f(order, as_is, as_is, n, n, n, 1.0, x, n, y, n, 0.0, out, n) }
            }};
        }
        match self {
            Self::Narrow(f) => call!(f, c_int),
            Self::Wide(f) => call!(f, i64),
        }
    }
}

/// Loads the library for good, and has it use one thread.
fn load() -> Option<Function> {
    // SAFETY: loading OpenBLAS runs its initialisation, which has no requirements; it is never unloaded. The symbols
    // have these signatures in every version of it.
    unsafe {
        if let Some(wide) = FILE.get().and_then(|file| Library::new(file).ok()) {
            let library: &'static Library = Box::leak(Box::new(wide));
            let threads = library
                .get::<unsafe extern "C" fn(c_int)>(b"scipy_openblas_set_num_threads64_\0")
                .ok()?;
            threads(1);
            let f = library.get::<Dgemm<i64>>(b"scipy_cblas_dgemm64_\0").ok()?;
            return Some(Function::Wide(*f));
        }
        let narrow = Library::new("libopenblas.so.0").ok()?;
        let library: &'static Library = Box::leak(Box::new(narrow));
        let threads = library
            .get::<unsafe extern "C" fn(c_int)>(b"openblas_set_num_threads\0")
            .ok()?;
        threads(1);
        let f = library.get::<Dgemm<c_int>>(b"cblas_dgemm\0").ok()?;
        Some(Function::Narrow(*f))
    }
}

/// A function that computes `out = a b` for n x n matrices in C order; `None` if there is no OpenBLAS here.
pub(super) fn multiply() -> Option<Multiply> {
    static OPENBLAS: OnceLock<Option<Function>> = OnceLock::new();
    let function = OPENBLAS.get_or_init(load).as_ref()?;
    Some(Box::new(|n, a, b, out| function.run(a, b, out, n)))
}

/// The product of two n x n matrices; `None` if there is no OpenBLAS here.
pub(super) fn product(x: Vec<f64>, y: Vec<f64>, n: usize) -> Option<Box<dyn Baseline>> {
    let multiply = multiply()?;
    Some(baseline(
        "openblas",
        (x, y, Vec::new()),
        move |(x, y, out)| {
            *out = Vec::new();
            *out = vec![0.0; n * n];
            multiply(n, x, y, out);
        },
        move |(_, _, out)| vec![np::reshape(Array::from(out), [n as i64, n as i64])],
    ))
}
