//! The functions that code compiled by autojit calls, and that its eager arrays share with it.
//!
//! Three layers, each usable alone:
//!
//! - [`math`]: elementary functions of real, complex and integer scalars with NumPy's (C99 Annex G's) special values;
//! - [`matmul`], [`reduce`], [`sum`], [`gather`], [`scatter`], [`copy`], [`linalg`], [`fft`]: heavy functions on raw strided or contiguous buffers,
//!   each described by a plain value that is checked and prepared once and run many times;
//! - [`abi`]: element kinds, failures, and the list of scalar functions that compiled code calls by symbol.
//!
//! Invariants: nothing here unwinds or starts a thread; a failure is an [`abi::Failure`]. Broadcasting, promotion and
//! shape errors belong to the caller: pointers, shapes and strides that arrive here are taken as right.

pub mod abi;
pub mod copy;
pub mod fft;
pub mod gather;
mod kind;
pub mod linalg;
pub mod lines;
pub mod math;
pub mod matmul;
mod odometer;
pub mod pages;
pub mod processor;
pub mod random;
pub mod reduce;
pub mod scan;
pub mod scatter;
pub mod sort;
pub mod sum;
