//! The public interface: arrays, NumPy's functions, dispatch, trees, lazy arrays, `autojit`, files of functions, pictures.

#[path = "../process.rs"]
mod process;

mod contract;
mod control;
mod dispatch;
mod documentation;
mod export;
mod jit;
mod lazy;
mod limits;
mod little_memory;
mod npy;
mod numpy;
mod plot;
mod sites;
mod transform;
mod tree;
mod tutorial;
mod user_errors;
