//! Taking the time: turns of batches of calls, and repeated compilations.

use std::time::{Duration, Instant};

use crate::record::Calls;

/// Takes the time of work on one core, also where others want the core.
///
/// The time that passes is what counts. If the process had the core for less than nine tenths of it, others had it
/// for the rest, and the time that the process had counts instead: on a busy machine no long call goes uninterrupted.
pub(crate) struct Stopwatch {
    start: Instant,
    on_core: Option<Duration>,
}

/// The time that this process had a core, where the system reports it.
fn on_core() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = Duration::from_secs(time.tv_sec.try_into().ok()?);
        Some(seconds + Duration::from_nanos(time.tv_nsec.try_into().ok()?))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            on_core: on_core(),
            start: Instant::now(),
        }
    }

    /// Nanoseconds since the start, and the share of the time that passed which they are.
    pub(crate) fn stop(&self) -> (f64, f64) {
        let passed = self.start.elapsed().as_nanos() as f64;
        let had = on_core().zip(self.on_core).map(|(now, then)| now - then);
        match had.map(|had| had.as_nanos() as f64) {
            Some(had) if had < 0.9 * passed => (had, had / passed),
            _ => (passed, 1.0),
        }
    }
}

/// A batch is long beside the resolution of the clock, and short beside what disturbs it.
const BATCH: Duration = Duration::from_micros(100);

/// The calls of a contestant in one turn.
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
        let watch = Stopwatch::start();
        for _ in 0..batch {
            call()?;
        }
        let (time, _) = watch.stop();
        turn.batches.push(time / f64::from(batch));
        turn.calls += u64::from(batch);
        if begin.elapsed() >= slice {
            return Ok(turn);
        }
    }
}

/// Nanoseconds of one run.
pub(crate) fn once<T>(f: impl FnOnce() -> T) -> (T, f64) {
    let watch = Stopwatch::start();
    let result = f();
    (result, watch.stop().0)
}

/// The least, or `None` of nothing.
pub(crate) fn least(times: impl IntoIterator<Item = f64>) -> Option<f64> {
    times.into_iter().min_by(f64::total_cmp)
}

/// The sum of all turns; `None` if there were none.
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
