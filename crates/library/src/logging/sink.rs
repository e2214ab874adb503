//! A subscriber that prints autojit's own messages on standard error, for programs that have none.
//!
//! A line is the message with the function that it is about before it:
//!
//! ```text
//! autojit: norm (argument changed from f64[2] to f64[3]): traced 5 nodes in 11.3µs, ..
//! ```
//!
//! It prints messages and not their fields: the messages say in words what the fields say to programs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata};

use super::TARGET;

pub(super) struct Sink {
    level: LevelFilter,
    next: AtomicU64,
    spans: Mutex<HashMap<u64, Span>>,
}

/// A span that is held by so many handles.
struct Span {
    /// The function and why it is compiled, as it stands before messages; none for the stages.
    about: Option<String>,
    handles: usize,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Sink {
    pub(super) fn new(level: LevelFilter) -> Self {
        Self {
            level,
            next: AtomicU64::new(1),
            spans: Mutex::default(),
        }
    }

    fn spans(&self) -> MutexGuard<'_, HashMap<u64, Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present subject of this thread's messages.
    fn about(&self) -> Option<String> {
        let spans = self.spans();
        let about = |id: &u64| spans.get(id)?.about.clone();
        ENTERED.with_borrow(|entered| entered.iter().rev().find_map(about))
    }
}

impl Subscriber for Sink {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && (metadata.is_span() || *metadata.level() <= self.level)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Spans of this level say what warnings are about.
        Some(self.level.max(LevelFilter::INFO))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words::default();
        span.record(&mut words);
        let about = words.function.map(|function| match words.reason {
            Some(reason) => format!("{function} ({reason})"),
            None => function,
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.spans().insert(id, Span { about, handles: 1 });
        Id::from_u64(id)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let message = words.message.unwrap_or_default();
        let about = self.about().map_or_else(String::new, |about| about + ": ");
        // A program that has closed its standard error does not want to hear this.
        let _ = writeln!(io::stderr(), "autojit: {about}{message}");
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(last) = entered.iter().rposition(|&id| id == span.into_u64()) {
                entered.remove(last);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(span) = self.spans().get_mut(&span.into_u64()) {
            span.handles += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut spans = self.spans();
        let Some(held) = spans.get_mut(&span.into_u64()) else {
            return false;
        };
        held.handles -= 1;
        let is_last = held.handles == 0;
        if is_last {
            spans.remove(&span.into_u64());
        }
        is_last
    }
}

/// The fields that are printed.
#[derive(Default)]
struct Words {
    message: Option<String>,
    function: Option<String>,
    reason: Option<String>,
}

impl Words {
    fn place(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            "message" => Some(&mut self.message),
            "function" => Some(&mut self.function),
            "reason" => Some(&mut self.reason),
            _ => None,
        }
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(place) = self.place(field) {
            *place = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(place) = self.place(field) {
            *place = Some(format!("{value:?}"));
        }
    }
}
