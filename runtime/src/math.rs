//! Elementary functions of scalars, with NumPy's names and NumPy's answers at special values.
//!
//! [`real`] is the trait [`Real`] for `f32` and `f64`; [`complex`] has free functions on `Complex<T>` after C99 Annex G;
//! [`integer`] has wrapping integer power and Python's division; [`wide`] has the most expensive functions of real numbers
//! for whole slices, and is what [`Real`] is built on. Those of scalars are ordinary safe functions;
//! [`crate::abi`] gives all of them C signatures.

pub mod complex;
pub mod integer;
pub mod real;
mod special;
pub mod wide;

pub use integer::Integer;
pub use real::Real;
