//! The command `autojit`.

mod commands;
mod tutorial;
