//! Whether a function is being traced on this thread, and which random draws it has made.
//!
//! A draw inside of a trace must happen anew at each call, although none of its arguments is lazy; so generators
//! ask here. Of nested traces the innermost counts. Draws from one generator are numbered in the order in which
//! the function makes them, which is the order in which it would make them without tracing.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use autojit_ir::random::{CallDraws, Draw, GeneratorState};

thread_local! {
    static TRACES: RefCell<Vec<Trace>> = const { RefCell::new(Vec::new()) };
}

struct Trace {
    number: u64,
    /// The draws from each generator, and the trace in which that was made.
    draws: Vec<(Arc<CallDraws>, Option<u64>)>,
}

/// A trace on this thread, until it is dropped, also by a panic.
#[must_use = "the trace ends when this is dropped"]
pub(crate) struct Tracing {
    /// It ends on the thread where it began.
    not_send: PhantomData<*const ()>,
}

impl Tracing {
    /// Begins a trace.
    pub(crate) fn begin() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let trace = Trace {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            draws: Vec::new(),
        };
        TRACES.with_borrow_mut(|traces| traces.push(trace));
        Self {
            not_send: PhantomData,
        }
    }

    /// The draws that the function has made so far, for each generator.
    pub(crate) fn draws(&self) -> Vec<Arc<CallDraws>> {
        self.sources().into_iter().map(|(draws, _)| draws).collect()
    }

    /// The same, with the trace in which each generator was made.
    pub(crate) fn sources(&self) -> Vec<(Arc<CallDraws>, Option<u64>)> {
        TRACES.with_borrow(|traces| traces.last().map_or_else(Vec::new, |t| t.draws.clone()))
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        TRACES.with_borrow_mut(Vec::pop);
    }
}

/// The number of the trace that is going on, which no other trace has.
pub(crate) fn current_trace() -> Option<u64> {
    TRACES.with_borrow(|traces| traces.last().map(|t| t.number))
}

/// The next draw of a generator: taken at once, or in a trace written down for each call to take. A generator that
/// was made in this very trace starts again at each call, so its draws are always the same.
pub(crate) fn next_draw(generator: &Arc<GeneratorState>, made_in: Option<u64>) -> Draw {
    let written_down = TRACES.with_borrow_mut(|traces| {
        let trace = traces.last_mut().filter(|t| made_in != Some(t.number))?;
        let found = trace
            .draws
            .iter()
            .find(|(d, _)| Arc::ptr_eq(d.generator(), generator));
        let draws = match found {
            Some((draws, _)) => Arc::clone(draws),
            None => {
                let draws = CallDraws::new(Arc::clone(generator));
                trace.draws.push((Arc::clone(&draws), made_in));
                draws
            }
        };
        Some(draws.next())
    });
    written_down.unwrap_or_else(|| {
        let (seed, number) = generator.take(1);
        Draw::Fixed { seed, number }
    })
}
