//! Vector code against Cranelift on random kernels, against recorded machine code, and its verifier.

mod golden;
mod graphs;
mod kernels;
pub(super) mod measure;
mod text_target;
