//! LAPACK's decompositions for autojit's ndarray arrays, by OpenBLAS.
//!
//! autojit has linear algebra of its own, written in Rust. Where LAPACK is wanted all the same - because results
//! are to be compared with NumPy's, or for singular values of large matrices, where it is faster - [`install`]
//! registers its versions for eager ndarray arrays in the place of autojit's. Names, arguments and shapes of results
//! stay.
//!
#![cfg_attr(feature = "torch", doc = "```no_run")]
#![cfg_attr(not(feature = "torch"), doc = "```")]
//! use autojit::{Array, numpy as np};
//!
//! autojit_lapack::install()?;
//! let (q, r) = np::linalg::qr(Array::from([[3.0, 1.0], [4.0, 2.0]]), ..);
//! assert!((np::matmul(q, r) - Array::from([[3.0, 1.0], [4.0, 2.0]])).to_vec::<f64>()?.iter().all(|d| d.abs() < 1e-14));
//! # Ok::<(), autojit::Error>(())
//! ```
//!
//! This is a crate of its own, out of reach of `--all-features`, because OpenBLAS and libtorch cannot live in one
//! program: libtorch exports BLAS symbols with another convention for complex results, so calls would crash or give
//! wrong numbers, depending on the order of linking. [`install`] refuses where autojit was built with torch.
//!
//! It needs the OpenBLAS library of the system (`libopenblas-dev` on Debian).

mod decompositions;
mod matrices;

use autojit::dispatch::{Arguments, Original};
use autojit::{Array, Error, Result, Value, backends, register_function_wrapping};

/// Registers LAPACK's versions of the functions of [`functions`] for the library `"ndarray"`.
///
/// Matrices of integers are decomposed as `float64`, as everywhere. Arrays without elements and calls with arguments
/// that LAPACK has no function for go to the version that was there before.
///
/// # Errors
/// autojit was built with torch.
pub fn install() -> Result<()> {
    if backends().contains(&"torch") {
        return Err(Error::unsupported(
            "LAPACK by OpenBLAS and libtorch cannot be used in one program: both export the same symbols",
        ));
    }
    for &(name, function) in FUNCTIONS {
        register_function_wrapping("ndarray", name, move |old: Original| {
            move |arguments: &Arguments| match dispatch(function, arguments) {
                Some(result) => result,
                None => old.call(arguments),
            }
        })?;
    }
    Ok(())
}

/// The names of the functions that [`install`] registers.
pub fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|&(name, _)| name)
}

/// A function for arrays of any of the four floating dtypes.
#[derive(Clone, Copy)]
struct Function {
    float32: Typed,
    float64: Typed,
    complex64: Typed,
    complex128: Typed,
}

/// `None` leaves the call to the version that was there before.
type Typed = fn(&Array, &Arguments) -> Result<Option<Value>>;

macro_rules! functions {
    ($($name:literal => $function:ident,)*) => {
        const FUNCTIONS: &[(&str, Function)] = &[$(
            ($name, Function {
                float32: decompositions::$function::<f32>,
                float64: decompositions::$function::<f64>,
                complex64: decompositions::$function::<num_complex::Complex32>,
                complex128: decompositions::$function::<num_complex::Complex64>,
            }),
        )*];
    };
}

functions! {
    "linalg.cholesky" => cholesky,
    "linalg.det" => det,
    "linalg.eig" => eig,
    "linalg.eigh" => eigh,
    "linalg.eigvals" => eigvals,
    "linalg.eigvalsh" => eigvalsh,
    "linalg.inv" => inv,
    "linalg.qr" => qr,
    "linalg.solve" => solve,
    "linalg.svd" => svd,
    "linalg.svdvals" => svdvals,
}

fn dispatch(function: Function, arguments: &Arguments) -> Option<Result<Value>> {
    use autojit::DType;
    let x = arguments.array(0);
    let (Ok(dtype), Ok(size), Ok(2..)) = (x.dtype(), x.size(), x.ndim()) else {
        return None;
    };
    if size == 0 {
        return None;
    }
    let typed = match dtype {
        DType::Float32 => function.float32,
        DType::Complex64 => function.complex64,
        DType::Complex128 => function.complex128,
        _ => function.float64,
    };
    let x = autojit::numpy::astype(x, dtype.floating());
    typed(&x, arguments).transpose()
}
