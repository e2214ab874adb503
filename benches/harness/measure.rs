//! Taking the time: turns of batches of calls, and repeated compilations.

use std::time::{Duration, Instant};

use crate::record::Calls;

/// A batch is long beside the resolution of the clock, and short beside what disturbs it.
const BATCH: Duration = Duration::from_micros(100);

/// What a contestant did in a turn.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Nanoseconds for a call, of each batch.
    pub(crate) batches: Vec<f64>,
    /// Calls in all.
    pub(crate) calls: u64,
}

/// How many calls make a batch, if one takes so many nanoseconds.
pub(crate) fn batch_size(call: f64) -> u32 {
    (BATCH.as_nanos() as f64 / call.max(1.0)).ceil() as u32
}

/// Calls for a while: at least one batch.
pub(crate) fn turn<E>(
    slice: Duration,
    batch: u32,
    mut call: impl FnMut() -> Result<(), E>,
) -> Result<Turn, E> {
    let mut turn = Turn::default();
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        for _ in 0..batch {
            call()?;
        }
        let time = start.elapsed();
        turn.batches.push(time.as_nanos() as f64 / f64::from(batch));
        turn.calls += u64::from(batch);
        if begin.elapsed() >= slice {
            return Ok(turn);
        }
    }
}

/// Nanoseconds of one run.
pub(crate) fn once<T>(f: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = f();
    (result, start.elapsed().as_nanos() as f64)
}

/// The least, or `None` of nothing.
pub(crate) fn least(times: impl IntoIterator<Item = f64>) -> Option<f64> {
    times.into_iter().min_by(f64::total_cmp)
}

/// What all turns come to; `None` if there were none.
pub(crate) fn summary(turns: &[Turn]) -> Option<Calls> {
    let mut batches: Vec<f64> = turns
        .iter()
        .flat_map(|t| t.batches.iter().copied())
        .collect();
    batches.sort_by(f64::total_cmp);
    let best = |turn: &Turn| least(turn.batches.iter().copied());
    Some(Calls {
        count: turns.iter().map(|t| t.calls).sum(),
        min: *batches.first()?,
        median: batches[batches.len() / 2],
        turns: turns.iter().filter_map(best).map(f64::round).collect(),
    })
}
