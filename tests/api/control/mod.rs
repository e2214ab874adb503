//! Loops and branches: what they give wherever they run, their derivatives and batches, and what is refused.

mod bad_use;
mod derivatives;
mod loops;
mod native;

/// What runs loops, the native engine first where it is built in.
const BACKENDS: &[&str] = if cfg!(feature = "cranelift") {
    &["cranelift", "replay"]
} else {
    &["replay"]
};
