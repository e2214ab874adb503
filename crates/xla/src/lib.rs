//! XLA for autojit: its arrays as an array library, and graphs as XLA's programs.

pub mod backend;
pub mod library;
