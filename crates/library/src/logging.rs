//! Logging of compilations through [`tracing`], under the target `autojit`.
//!
//! A program with a subscriber sees the events there; without one, `AUTOJIT_LOG` prints them (`logging/sink.rs`).
//!
//! | level | events |
//! |---|---|
//! | `warn` | a backend does not support a graph and replay takes over; a file of `AUTOJIT_DUMP` cannot be written |
//! | `info` | each compilation: its reason, its backend, the time of its stages; those that failed |
//! | `debug` | each pass of the simplifier, and the graph that the backend is given |
//! | `trace` | the graph as it was traced |
//!
//! Each compilation is a span `compile` with the fields `function`, `signature` and `reason`; its stages are the spans
//! `trace`, `optimise` and `generate` in it. A call that finds compiled code logs nothing, and does not look for a
//! subscriber.

mod sink;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::dispatcher::{self, Dispatch};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;

use crate::environment::{Environment, environment};
use sink::Sink;

/// The target of all events.
pub const TARGET: &str = "autojit";

/// Counts of what should be rare, of which few are logged: the first above a number, and one for each doubling after it.
#[derive(Debug)]
pub struct Doublings(AtomicU64);

impl Doublings {
    /// The first count that is logged is the one above this.
    #[must_use]
    pub const fn above(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }

    /// Whether this count is to be logged; of threads that ask at the same time one is told so.
    pub fn reached(&self, count: u64) -> bool {
        let logged = self.0.load(Ordering::Relaxed);
        count > logged && self.0.swap(2 * count, Ordering::Relaxed) == logged
    }
}

/// Runs work that logs. In a program without a subscriber its events go to standard error, down to the level of
/// `AUTOJIT_LOG`.
///
/// No global subscriber is installed for that, so a program may still set its own.
pub fn logged<T>(work: impl FnOnce() -> T) -> T {
    static PRINTED: OnceLock<Option<Dispatch>> = OnceLock::new();
    let printed = PRINTED.get_or_init(|| {
        let Environment {
            log,
            log_mistake,
            dump,
            ..
        } = environment();
        if let Some(text) = log_mistake {
            eprintln!(
                "autojit: AUTOJIT_LOG is `{text}`, expected off, error, warn, info, debug or trace: taken for info"
            );
        }
        // A dump that cannot be written is logged even without `AUTOJIT_LOG`.
        let least = match dump {
            Some(_) => LevelFilter::WARN,
            None => LevelFilter::OFF,
        };
        let level = least.max(*log);
        (level != LevelFilter::OFF).then(|| Dispatch::new(Sink::new(level)))
    });
    match printed {
        Some(printed) if dispatcher::get_default(Dispatch::is::<NoSubscriber>) => {
            dispatcher::with_default(printed, work)
        }
        _ => work(),
    }
}
