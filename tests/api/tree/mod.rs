//! Trees of arrays.

mod derive;
mod types;
