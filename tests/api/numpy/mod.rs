//! The functions of `numpy`, by kind. One program, as each test program is as large as the whole library.

mod array_basics;
mod at;
mod contractions;
mod dispatch;
mod edges;
mod fourier;
mod functions;
mod index;
mod keywords;
mod linear_algebra;
pub(crate) mod modes;
mod random;
mod right_answers;
mod special;
