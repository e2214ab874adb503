//! Events of compiling for a program's own subscriber of `tracing`.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use autojit::{Array, Exported, autojit, numpy as np};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps everything under the target `autojit`, in order.
#[derive(Clone)]
struct Listener {
    level: Level,
    told: Arc<Mutex<Vec<Told>>>,
}

#[derive(Clone, Debug)]
struct Told {
    /// The name of a span; events have none.
    span: Option<&'static str>,
    level: Level,
    fields: Vec<(String, String)>,
}

impl Told {
    fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn message(&self) -> &str {
        self.field("message").unwrap_or_default()
    }
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields
            .push((field.name().to_owned(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields
            .push((field.name().to_owned(), value.to_owned()));
    }
}

impl Listener {
    fn new(level: Level) -> Self {
        let told = Arc::default();
        Self { level, told }
    }

    /// The events of some work.
    fn hears(level: Level, work: impl FnOnce()) -> Vec<Told> {
        let listener = Self::new(level);
        let told = Arc::clone(&listener.told);
        tracing::subscriber::with_default(listener, work);
        let told = told.lock().unwrap();
        told.clone()
    }

    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Told)) {
        let mut told = Told {
            span: metadata.is_span().then_some(metadata.name()),
            level: *metadata.level(),
            fields: Vec::new(),
        };
        record(&mut told);
        self.told.lock().unwrap().push(told);
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "autojit" && *metadata.level() <= self.level
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |told| span.record(told));
        Id::from_u64(self.told.lock().unwrap().len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |told| event.record(told));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn spans<'t>(told: &'t [Told], name: &str) -> Vec<&'t Told> {
    told.iter().filter(|t| t.span == Some(name)).collect()
}

fn events(told: &[Told], level: Level) -> Vec<&Told> {
    let is_event = |t: &&Told| t.span.is_none() && t.level == level;
    told.iter().filter(is_event).collect()
}

#[test]
fn each_compilation_is_told_with_its_reason_and_calls_are_silent() {
    let f = autojit(|x: Array| x + 1.0)
        .name("plus_one")
        .backend("replay");
    let told = Listener::hears(Level::INFO, || {
        for n in [1, 1, 2, 2, 1] {
            f.call(Array::from(vec![1.0; n])).unwrap();
        }
    });
    let compilations = spans(&told, "compile");
    assert_eq!(compilations.len(), 2, "{told:#?}");
    assert_eq!(compilations[0].field("function"), Some("plus_one"));
    assert_eq!(compilations[0].field("signature"), Some("f64[1]"));
    assert_eq!(compilations[0].field("reason"), Some("first call"));
    let retrace = "argument changed from f64[1] to f64[2]";
    assert_eq!(compilations[1].field("reason"), Some(retrace));
    let ends = events(&told, Level::INFO);
    assert_eq!(ends.len(), 2, "{told:#?}");
    for (end, reason) in ends.iter().zip(["first call", retrace]) {
        assert_eq!(end.field("reason"), Some(reason));
        assert_eq!(end.field("backend"), Some("replay"));
        assert_eq!(end.field("traced_nodes"), Some("3"));
        assert!(end.field("compile_seconds").is_some());
        assert!(end.message().starts_with("traced 3 nodes in "), "{end:?}");
    }
    assert_eq!(told.len(), 4);
}

#[test]
fn stages_and_passes_are_told_to_who_asks_for_details() {
    let f = autojit(|x: Array| -(-(&x))).backend("replay");
    let told = Listener::hears(Level::TRACE, || {
        f.compile(Array::from([1.0])).unwrap();
    });
    for stage in ["trace", "optimise", "generate"] {
        assert_eq!(spans(&told, stage).len(), 1, "{stage}");
    }
    let details = events(&told, Level::DEBUG);
    let rewrite = details.iter().find(|t| t.field("pass") == Some("rewrite"));
    assert!(
        rewrite
            .unwrap()
            .message()
            .contains("negative_of_negative 1"),
        "{details:#?}"
    );
    let graphs = [events(&told, Level::TRACE), details].concat();
    let texts: Vec<_> = graphs.iter().map(|t| t.message()).collect();
    assert!(texts[0].contains("= negative %1"), "{texts:?}");
    let last = texts.last().unwrap();
    assert!(
        last.contains("is given:") && !last.contains("negative"),
        "{texts:?}"
    );
}

#[test]
fn failures_and_loaded_functions_are_told() {
    let f = autojit(|x: Array| x.reshape([5])).name("reshape");
    let told = Listener::hears(Level::INFO, || {
        f.call(Array::from([1.0])).unwrap_err();
    });
    let [failure] = events(&told, Level::INFO)[..] else {
        panic!("{told:#?}")
    };
    assert!(failure.message().starts_with("failed: "), "{failure:?}");

    let x = Array::from([1.0, 2.0]);
    let exported = autojit(|x: Array| np::exp(&x))
        .name("exp")
        .to_exported(&x)
        .unwrap();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    let told = Listener::hears(Level::INFO, || {
        for _ in 0..2 {
            let _: Array = loaded.call(&x).unwrap();
        }
    });
    let [compilation] = spans(&told, "compile")[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(compilation.field("function"), Some("exp"));
    let message = events(&told, Level::INFO)[0].message().to_owned();
    assert!(message.starts_with("given 2 nodes"), "{message}");
}

#[cfg(feature = "cranelift")]
#[test]
fn fallbacks_are_warnings() {
    // Native code does not reduce arrays of so many axes.
    let f = autojit(|x: Array| np::sum(x.reshape([1; 70]), np::axis(3))).name("deep");
    let told = Listener::hears(Level::WARN, || {
        f.call(Array::from([1.0])).unwrap();
    });
    let [fallback] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(fallback.level, Level::WARN);
    assert_eq!(fallback.field("backend"), Some("cranelift"));
    assert!(fallback.field("why").unwrap().contains("axes"));
    let words = "the backend cranelift does not support this graph, replay takes over: ";
    assert!(fallback.message().starts_with(words), "{fallback:?}");
}

/// A static argument of many values drops code that is compiled again and again: a warning names it.
#[test]
fn dropped_code_is_a_warning_that_names_the_argument() {
    let f = autojit(|(x, n): (Array, i64)| x + n)
        .backend("replay")
        .name("shift");
    let x = Array::from([1.0]);
    let told = Listener::hears(Level::WARN, || {
        for n in 0..1200_i64 {
            f.call((&x, n)).unwrap();
        }
    });
    assert!(!told.is_empty() && told.len() < 4, "{told:#?}");
    let warning = &told[0];
    assert_eq!(warning.field("function"), Some("shift"));
    let message = warning.message();
    assert!(message.contains("argument 1 changed from"), "{message}");
}
