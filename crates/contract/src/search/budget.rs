//! How much work a search may do: a count of moves, and optionally time.

use std::time::{Duration, Instant};

/// Work that is done and allowed. Without a time limit what is done depends on the count alone.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    done: u64,
    steps: u64,
    start: Instant,
    time: Option<Duration>,
    /// Set once the time is over, so that all loops end.
    over: bool,
}

/// Moves between two looks at the clock.
pub(crate) const STRIDE: u64 = 4096;

impl Budget {
    pub(crate) fn new(steps: u64, time: Option<Duration>) -> Self {
        Self {
            done: 0,
            steps,
            start: Instant::now(),
            time,
            over: false,
        }
    }

    /// Part of what is left: of the steps and of the time.
    pub(crate) fn part(&self, share: f64) -> Self {
        let left = self.steps.saturating_sub(self.done);
        let steps = (left as f64 * share) as u64;
        let left = self.time.map(|t| t.saturating_sub(self.start.elapsed()));
        Self::new(steps, left.map(|t| t.mul_f64(share)))
    }

    pub(crate) fn spend(&mut self, work: u64) {
        self.done = self.done.saturating_add(work);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// Whether the search must end. Looks at the clock.
    pub(crate) fn is_over(&mut self) -> bool {
        self.over = self.over
            || self.done >= self.steps
            || self.time.is_some_and(|time| self.start.elapsed() >= time);
        self.over
    }

    /// The moves of a chain of about this length, fitted to what is left; none if that is nothing.
    ///
    /// A chain that would leave less than half of its length takes all that is left.
    pub(crate) fn next_chain(&mut self, length: u64) -> Option<u64> {
        if self.is_over() {
            return None;
        }
        let mut left = self.steps - self.done;
        if let (Some(time), true) = (self.time, self.done > 0) {
            let elapsed = self.start.elapsed();
            let speed = self.done as f64 / elapsed.as_secs_f64().max(1e-9);
            let rest = time.saturating_sub(elapsed).as_secs_f64();
            // Reconfiguration follows the chain.
            left = left.min((speed * rest * 0.95) as u64);
        }
        if left < STRIDE {
            return None;
        }
        Some(if left < length + length / 2 {
            left
        } else {
            length
        })
    }
}
