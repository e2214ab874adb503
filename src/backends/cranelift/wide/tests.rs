//! The wide emitter against a decoder, and against Cranelift on random kernels.

mod encoding;
mod graphs;
mod kernels;
mod measure;
