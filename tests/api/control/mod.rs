//! Loops and branches: what they give wherever they run, their derivatives and batches, and what is refused.

mod backends;
mod bad_use;
mod derivatives;
mod draws;
mod interrupt;
mod loops;
mod native;

/// The native engine, where it is built in.
const NATIVE: &str = if cfg!(feature = "cranelift") {
    "cranelift"
} else {
    "replay"
};

/// The backends that run loops, the native engine first where it is built in.
fn backends() -> Vec<&'static str> {
    let mut all = autojit::backends();
    all.sort_by_key(|&backend| backend != NATIVE);
    all
}
