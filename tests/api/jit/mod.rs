//! The promises of `autojit(f)`, by subject. One program, as each test program is as large as the whole library.

mod behaviour;
mod cache;
mod checks;
mod environment;
mod errors;
mod explain;
mod kept;
mod telling;
