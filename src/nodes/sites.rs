//! The lines that nodes come from, where a program in another language calls this one.

use std::sync::OnceLock;

use autojit_ir::Site;

/// Gives the line of another language that calls this library now on this thread.
type Lines = fn() -> Option<Site>;

static LINES: OnceLock<Lines> = OnceLock::new();

/// Sets what gives the lines of operations that are written down from now on, in the place of lines of Rust; for libraries that
/// bring this one to another language. The first function stays.
///
/// It is asked for each operation of a traced function and for each lazy array, on the thread that makes it, and must not call
/// this library. Where it gives nothing the line is that of Rust. [`Site::foreign`] makes what it gives.
pub fn set_source_lines(lines: fn() -> Option<Site>) {
    let _ = LINES.set(lines);
}

/// The line of what a line of Rust writes down. No lock may be held, as another language may have locks of its own.
#[inline]
pub(crate) fn site_of(site: Site) -> Site {
    match (site, LINES.get()) {
        (Site::Rust(_), Some(lines)) => lines().unwrap_or(site),
        (site, _) => site,
    }
}
