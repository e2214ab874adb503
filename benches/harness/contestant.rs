//! The contestants, which take turns: the function itself, compiled functions, baselines and peers.

use std::time::Duration;

use autojit::Array;

use crate::measure::{self, Turn, once};
use crate::peers::Worker;
use crate::record::{Contestant, Kind, Outcome};
use crate::workloads::program::{Baseline, Compiled, Program};

/// A contestant of a case.
pub(crate) struct Entrant<'a> {
    pub(crate) record: Contestant,
    pub(crate) runner: Runner<'a>,
    turns: Vec<Turn>,
    /// Calls of a batch; found at the first turn.
    batch: Option<u32>,
}

/// The function that is called.
pub(crate) enum Runner<'a> {
    /// The function as it is.
    Eager(&'a dyn Program),
    /// A compiled function.
    Compiled(Box<dyn Compiled + 'a>),
    /// By hand.
    Baseline(&'a mut Box<dyn Baseline>),
    /// In another process.
    Peer(&'a mut Worker),
    /// Nothing, as it went wrong.
    Absent,
}

impl<'a> Entrant<'a> {
    pub(crate) fn new(name: &str, kind: Kind, runner: Runner<'a>) -> Self {
        Self {
            record: Contestant::new(name, kind),
            runner,
            turns: Vec::new(),
            batch: None,
        }
    }

    /// Takes it out, and says why.
    pub(crate) fn drop_out(&mut self, outcome: Outcome) {
        self.record.outcome = outcome;
        self.runner = Runner::Absent;
    }

    /// Whether it is still in.
    pub(crate) fn is_in(&self) -> bool {
        !matches!(self.runner, Runner::Absent)
    }

    /// The results of a call.
    pub(crate) fn results(&mut self) -> Result<Option<Vec<Array>>, String> {
        match &mut self.runner {
            Runner::Eager(program) => program.results().map(Some).map_err(|e| e.to_string()),
            Runner::Compiled(compiled) => compiled.results().map(Some).map_err(|e| e.to_string()),
            Runner::Baseline(baseline) => {
                baseline.run();
                Ok(baseline.results())
            }
            Runner::Peer(worker) => worker.results().map(Some),
            Runner::Absent => Ok(None),
        }
    }

    /// Takes a turn, if it is still in.
    pub(crate) fn take_turn(&mut self, slice: Duration) {
        let batch = match self.batch {
            Some(batch) => batch,
            None => {
                // Two calls to warm up, and to see how long one takes.
                let warm_up = (0..2).map(|_| self.one_call()).last();
                let batch = warm_up.unwrap_or(Ok(1.0)).map(measure::batch_size);
                match batch {
                    Ok(batch) => *self.batch.insert(batch),
                    Err(outcome) => return self.drop_out(outcome),
                }
            }
        };
        match self.turn(slice, batch) {
            Ok(Some(turn)) => self.turns.push(turn),
            Ok(None) => {}
            Err(outcome) => self.drop_out(outcome),
        }
    }

    fn one_call(&mut self) -> Result<f64, Outcome> {
        if let Runner::Peer(_) = self.runner {
            let turn = self.turn(Duration::ZERO, 1)?;
            return Ok(turn.and_then(|t| measure::least(t.batches)).unwrap_or(1.0));
        }
        let (result, time) = once(|| self.turn(Duration::ZERO, 1));
        result.map(|_| time)
    }

    fn turn(&mut self, slice: Duration, batch: u32) -> Result<Option<Turn>, Outcome> {
        let turn: Result<Turn, autojit::Error> = match &mut self.runner {
            Runner::Eager(program) => measure::turn(slice, batch, || {
                program.run_eagerly();
                Ok(())
            }),
            Runner::Compiled(compiled) => measure::turn(slice, batch, || compiled.call()),
            Runner::Baseline(baseline) => measure::turn(slice, batch, || {
                baseline.run();
                Ok(())
            }),
            Runner::Peer(worker) => return worker.turn(slice, batch).map(Some),
            Runner::Absent => return Ok(None),
        };
        turn.map(Some).map_err(|e| Outcome::Failed(e.to_string()))
    }

    /// The measurements.
    pub(crate) fn finish(mut self) -> Contestant {
        if self.is_in() {
            self.record.calls = measure::summary(&self.turns);
        }
        self.record
    }
}
