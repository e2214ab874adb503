//! What is told while functions are compiled, and every environment variable that autojit reads. These are read once,
//! at the first use.
//!
//! | variable | meaning |
//! |---|---|
//! | `AUTOJIT_BACKEND=name` | the backend of functions that do not name one themselves |
//! | `AUTOJIT_DISABLE=1` | `autojit(f)` runs `f` directly: no trace, no compilation |
//! | `AUTOJIT_VERIFY=1` | graphs are verified after tracing and after each pass of the optimiser, and new code is compared with replay of the graph that it was made of |
//! | `AUTOJIT_WIDE=0` | no machine code by our own emitter: Cranelift makes all of it |
//! | `AUTOJIT_LOG=level` | compilations are told on standard error: `warn`, `info`, `debug` or `trace`, see below |
//! | `AUTOJIT_DUMP=folder` | each compilation leaves its graphs and its explanation in a folder of its own in there |
//!
//! Where the meaning of 0 is not given, a switch is on if the variable is there and is neither empty nor `0`.
//!
//! # The ladder
//!
//! Everything is told through [`tracing`], under the target `autojit`. A program that has a subscriber sees it there;
//! without one, `AUTOJIT_LOG` prints it (`debug/sink.rs`).
//!
//! | level | tells |
//! |---|---|
//! | `warn` | a backend declines a graph, and replay takes over; a file of `AUTOJIT_DUMP` cannot be written |
//! | `info` | each compilation: why it was needed, by which backend, how long its stages took; those that failed |
//! | `debug` | each pass of the optimiser, and the graph that the backend is given |
//! | `trace` | the graph as it was traced |
//!
//! Each compilation is a span `compile` with the fields `function`, `signature` and `reason`; its stages are the spans
//! `trace`, `optimise` and `generate` in it. A call that finds its code tells nothing, and does not look whether anybody
//! listens.

mod sink;

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use tracing::dispatcher::{self, Dispatch};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;

use sink::Sink;

/// Under which everything is told.
pub(crate) const TARGET: &str = "autojit";

/// The settings of the environment.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) backend: Option<String>,
    pub(crate) disable: bool,
    pub(crate) verify: bool,
    #[cfg(feature = "cranelift")]
    pub(crate) wide: bool,
    pub(crate) dump: Option<PathBuf>,
    log: LevelFilter,
    /// What `AUTOJIT_LOG` is, if that is no level.
    log_mistake: Option<String>,
}

/// The settings of the environment.
pub(crate) fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let text = |name| env::var(name).ok().filter(|text| !text.is_empty());
        let is_on = |name| text(name).is_some_and(|text| text != "0");
        let (log, log_mistake) = match text("AUTOJIT_LOG") {
            None => (LevelFilter::OFF, None),
            Some(text) => match level(&text) {
                Some(level) => (level, None),
                None => (LevelFilter::INFO, Some(text)),
            },
        };
        Environment {
            backend: text("AUTOJIT_BACKEND"),
            disable: is_on("AUTOJIT_DISABLE"),
            verify: is_on("AUTOJIT_VERIFY"),
            #[cfg(feature = "cranelift")]
            wide: text("AUTOJIT_WIDE").is_none_or(|text| text != "0"),
            dump: env::var_os("AUTOJIT_DUMP")
                .filter(|folder| !folder.is_empty())
                .map(PathBuf::from),
            log,
            log_mistake,
        }
    })
}

fn level(text: &str) -> Option<LevelFilter> {
    Some(match text {
        "0" | "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "1" | "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return None,
    })
}

/// Runs something that tells of itself. Without a subscriber of the user's it is told on standard error, as much of it
/// as `AUTOJIT_LOG` asks for.
///
/// Nothing is installed for that: a subscriber that the program sets later has its place, and `tracing`'s.
pub(crate) fn told<T>(work: impl FnOnce() -> T) -> T {
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
        // Who asked for files is told why there are none.
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
