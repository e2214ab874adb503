//! Lazy arrays: what they do, what their graphs contain, and what they hold in memory.

mod autoray_figures;
mod behaviour;
pub(crate) mod memory;
