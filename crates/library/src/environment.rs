//! Every environment variable that autojit reads, except `AUTOJIT_PROCESSOR`. They are read once, at the first use.
//!
//! | variable | meaning |
//! |---|---|
//! | `AUTOJIT_BACKEND=name` | the backend of functions that do not name one themselves |
//! | `AUTOJIT_DISABLE=1` | `autojit(f)` runs `f` directly: no trace, no compilation |
//! | `AUTOJIT_VERIFY=1` | graphs are verified after tracing and after each pass of the optimiser, the stages of the native compiler after each of them, and new code is compared with replay of the graph that it was made of |
//! | `AUTOJIT_TARGET=name` | what native code is made for: `avx512`, `avx2`, or `clif` for Cranelift alone; others, and those that the processor lacks, are errors when something is compiled |
//! | `AUTOJIT_PROCESSOR=level` | vector instructions beyond `baseline` or `avx2` are not used; read by `autojit_runtime::processor`, which is below this crate |
//! | `AUTOJIT_LOG=level` | compilations are logged to standard error: `warn`, `info`, `debug` or `trace`, see [`logging`](crate::logging) |
//! | `AUTOJIT_DUMP=folder` | each compilation writes its graphs and its explanation to a subfolder of its own |
//!
//! Where the meaning of 0 is not given, a switch is on if the variable is there and is neither empty nor `0`.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;

/// The settings of the environment.
#[derive(Debug)]
pub struct Environment {
    /// `AUTOJIT_BACKEND`.
    pub backend: Option<String>,
    /// `AUTOJIT_DISABLE`.
    pub disable: bool,
    /// `AUTOJIT_VERIFY`.
    pub verify: bool,
    /// `AUTOJIT_TARGET`.
    pub target: Option<String>,
    /// `AUTOJIT_DUMP`.
    pub dump: Option<PathBuf>,
    /// `AUTOJIT_LOG`.
    pub(crate) log: LevelFilter,
    /// The text of `AUTOJIT_LOG`, if it is not a level.
    pub(crate) log_mistake: Option<String>,
}

/// The settings of the environment.
pub fn environment() -> &'static Environment {
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
            target: text("AUTOJIT_TARGET"),
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
