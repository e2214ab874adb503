//! The wide emitter against a decoder, and against Cranelift on random kernels.

mod encoding;
mod kernels;
mod measure;
