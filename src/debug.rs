//! Every environment variable that autojit reads. They are read once, at the first use.
//!
//! | variable | meaning |
//! |---|---|
//! | `AUTOJIT_BACKEND=name` | the backend of functions that do not name one themselves |
//! | `AUTOJIT_DISABLE=1` | `autojit(f)` runs `f` directly: no trace, no compilation |
//! | `AUTOJIT_VERIFY=1` | graphs are verified after tracing and after optimising |
//! | `AUTOJIT_WIDE=0` | no machine code by our own emitter: Cranelift makes all of it |
//! | `AUTOJIT_LOG=info` | each compilation is told on standard error: why, by which backend, how long it took |
//! | `AUTOJIT_LOG=debug` | the same, with the graphs |
//!
//! Where the meaning of 0 is not given, a switch is on if the variable is there and is neither empty nor `0`.

use std::env;
use std::sync::OnceLock;

/// How much is told on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Log {
    Off,
    Info,
    Debug,
}

/// The settings of the environment.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) backend: Option<String>,
    pub(crate) disable: bool,
    pub(crate) verify: bool,
    #[cfg(feature = "cranelift")]
    pub(crate) wide: bool,
    pub(crate) log: Log,
}

/// The settings of the environment.
pub(crate) fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let text = |name| env::var(name).ok().filter(|text| !text.is_empty());
        let is_on = |name| text(name).is_some_and(|text| text != "0");
        Environment {
            backend: text("AUTOJIT_BACKEND"),
            disable: is_on("AUTOJIT_DISABLE"),
            verify: is_on("AUTOJIT_VERIFY"),
            #[cfg(feature = "cranelift")]
            wide: text("AUTOJIT_WIDE").is_none_or(|text| text != "0"),
            log: match text("AUTOJIT_LOG").as_deref() {
                None | Some("0" | "off") => Log::Off,
                Some("debug") => Log::Debug,
                Some(_) => Log::Info,
            },
        }
    })
}

/// Tells something, if so much is to be told.
pub(crate) fn log(level: Log, message: impl FnOnce() -> String) {
    if environment().log >= level {
        eprintln!("autojit: {}", message());
    }
}
