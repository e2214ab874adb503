//! libtorch for autojit: its arrays as an array library, and graphs as TorchScript modules.

pub mod backend;
pub mod library;
