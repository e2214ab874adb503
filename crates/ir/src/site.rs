//! Lines of a user's program: `SourceLine`, which owns its text, and `Site`, which a node holds and copies.
//!
//! Nodes of a graph that was traced here point at a `std::panic::Location`, which only the compiler makes, or at a line of
//! a program in another language that calls this one. These are kept for good, each once: there are as many as the lines of such
//! programs that call operations. A graph that came from a file has its lines beside it.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

/// A line of a program's source, printed as `examples/model.rs:42:17`, or as `model.py:42` where no column is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceLine {
    /// The file, as the compiler was given it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 where it is not known.
    pub column: u32,
}

/// The line that a node comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// A line of Rust.
    Rust(&'static Location<'static>),
    /// A line of a program in another language.
    Foreign(&'static SourceLine),
}

impl Site {
    /// A line of a program in another language.
    #[must_use]
    pub fn foreign(file: &str, line: u32) -> Self {
        type Lines = FxHashMap<u32, &'static SourceLine>;
        static KNOWN: Mutex<Option<FxHashMap<Arc<str>, Lines>>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let files = known.get_or_insert_with(FxHashMap::default);
        if let Some(found) = files.get(file).and_then(|lines| lines.get(&line)) {
            return Self::Foreign(found);
        }
        let name = files.get_key_value(file);
        let name = name.map_or_else(|| file.into(), |(name, _)| Arc::clone(name));
        let made: &'static SourceLine = Box::leak(Box::new(SourceLine {
            file: Arc::clone(&name),
            line,
            column: 0,
        }));
        files.entry(name).or_default().insert(line, made);
        Self::Foreign(made)
    }

    /// The file, as the compiler was given it, or as the other language names it.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Rust(location) => location.file(),
            Self::Foreign(line) => &line.file,
        }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        match self {
            Self::Rust(location) => location.line(),
            Self::Foreign(line) => line.line,
        }
    }

    /// The column, from 1; 0 where it is not known.
    #[must_use]
    pub fn column(self) -> u32 {
        match self {
            Self::Rust(location) => location.column(),
            Self::Foreign(line) => line.column,
        }
    }
}

impl From<&'static Location<'static>> for Site {
    fn from(location: &'static Location<'static>) -> Self {
        Self::Rust(location)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust(location) => location.fmt(f),
            Self::Foreign(line) => line.fmt(f),
        }
    }
}

impl From<Site> for SourceLine {
    fn from(site: Site) -> Self {
        match site {
            Site::Rust(location) => location.into(),
            Site::Foreign(line) => line.clone(),
        }
    }
}

impl From<&Location<'_>> for SourceLine {
    fn from(location: &Location<'_>) -> Self {
        Self {
            file: location.file().into(),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column } = self;
        match column {
            0 => write!(f, "{file}:{line}"),
            column => write!(f, "{file}:{line}:{column}"),
        }
    }
}
