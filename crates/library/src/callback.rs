//! Code of users that others wait for: registered functions, rules for types, array libraries, trees.
//!
//! One rule for all of them: a panic of theirs is an error of the operation that called them, as it would be one of a
//! thread that ran it. Whatever the code left half done is its own: what it is given are handles to values that nobody
//! changes. A function that is given to `autojit` is not among them: it is the caller's own, and so is its panic.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use autojit_ir::error::{Error, Result};

/// Runs code of a user's; a panic is an error (`is_value`) that says what panicked, and with which words.
///
/// # Errors
/// The code failed or panicked.
pub fn caught<R>(what: impl fmt::Display, run: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("with a value that is no text");
        Err(Error::value(format!("{what} panicked: {text}")))
    })
}
