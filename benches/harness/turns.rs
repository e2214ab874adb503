//! The turns of the contestants of a case: to compile, to be called, and both once more with memory counted.

use std::time::{Duration, Instant};

use autojit::Report;
use serde::{Deserialize, Serialize};

use crate::contestant::{Entrant, Runner};
use crate::measure::{Stopwatch, least, once};
use crate::memory;
use crate::progress::Progress;
use crate::record::{Compilation, Counts, Kind, Memory, Outcome};
use crate::workloads::program::Program;

/// How many turns each contestant takes.
const TURNS: u32 = 25;
/// The most compilations that are timed.
const COMPILATIONS: usize = 30;

/// A compilation that was timed, and the share of the time for which the process had the core.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) compilation: Compilation,
    pub(crate) share: f64,
}

/// The least time of each stage, without interruptions.
///
/// Of several short stages one goes uninterrupted. Stages that are long in every sample never do on a busy machine:
/// they share, as they are long, the time that the process had the core, short stages taken off.
pub(crate) fn least_of(samples: &[Sample]) -> Compilation {
    const LONG: f64 = 5e6;
    type Stage = fn(&Compilation) -> Option<f64>;
    let of = |stage: Stage| least(samples.iter().filter_map(|s| stage(&s.compilation)));
    let names: [Stage; 3] = [|c| c.trace, |c| c.optimize, |c| c.compile];
    let mut stages = names.map(of);
    let is_long = stages.map(|time| time.is_some_and(|time| time >= LONG));
    let short: f64 = stages.iter().flatten().filter(|&&time| time < LONG).sum();
    let had = |sample: &Sample| {
        let all = names.iter().filter_map(|stage| stage(&sample.compilation));
        all.sum::<f64>() * sample.share
    };
    let best = samples.iter().min_by(|a, b| had(a).total_cmp(&had(b)));
    if let Some(best) = best.filter(|best| best.share < 1.0) {
        let passed = |i: usize| names[i](&best.compilation).unwrap_or(0.0);
        let long: f64 = (0..3).filter(|&i| is_long[i]).map(passed).sum();
        let share = (had(best) - short).max(0.0) / long;
        for i in (0..3).filter(|&i| is_long[i]) {
            let corrected = passed(i) * share;
            stages[i] = stages[i].map(|time| time.min(corrected));
        }
    }
    Compilation {
        repetitions: samples.len(),
        start: of(|c| c.start),
        trace: stages[0],
        optimize: stages[1],
        compile: stages[2],
        first_call: of(|c| c.first_call),
    }
}

/// The stages of a report.
pub(crate) fn stages(report: &Report, first_call: Option<f64>) -> Compilation {
    let stage = |time: Duration| Some(time.as_nanos() as f64);
    Compilation {
        repetitions: 1,
        start: None,
        trace: stage(report.trace_time),
        optimize: stage(report.optimize_time),
        compile: stage(report.compile_time),
        first_call,
    }
}

/// Compiles many times, backends in turn; then once more with memory counted, which is what is called later.
pub(crate) fn compile<'a>(
    entrants: &mut [Entrant<'a>],
    program: &'a dyn Program,
    calls: bool,
    time: Duration,
) {
    let mut samples: Vec<Vec<Sample>> = entrants.iter().map(|_| Vec::new()).collect();
    let begin = Instant::now();
    for repetition in 0..COMPILATIONS {
        if repetition > 0 && begin.elapsed() > time.mul_f64(entrants.len() as f64) {
            break;
        }
        for (entrant, samples) in entrants.iter_mut().zip(&mut samples) {
            if entrant.record.kind != Kind::Backend || !entrant.is_in() {
                continue;
            }
            let compiled = program.with_backend(&entrant.record.name);
            let watch = Stopwatch::start();
            let report = compiled.compile();
            let (before_call, share) = watch.stop();
            let (called, call) = once(|| if calls { compiled.call() } else { Ok(()) });
            let first_call = calls.then_some(before_call + call);
            match report.and_then(|report| called.map(|()| report)) {
                Ok(report) => samples.push(Sample {
                    compilation: stages(&report, first_call),
                    share,
                }),
                Err(e) => entrant.drop_out(Outcome::Failed(e.to_string())),
            }
        }
    }
    for (entrant, samples) in entrants.iter_mut().zip(&samples) {
        let Runner::Compiled(compiled) = &entrant.runner else {
            continue;
        };
        let (report, count) = memory::count(|| compiled.compile());
        let report = match report {
            Ok(report) => report,
            Err(e) => {
                entrant.drop_out(Outcome::Failed(e.to_string()));
                continue;
            }
        };
        let (called, first_call) = memory::count(|| compiled.call());
        if let Err(e) = called {
            entrant.drop_out(Outcome::Failed(e.to_string()));
            continue;
        }
        entrant.record.warm = Some(least_of(samples));
        entrant.record.memory = Some(Memory {
            planned_peak: report.code.planned_peak_bytes,
            first_call_peak: Some(first_call.peak),
            compile_peak: Some(count.peak),
            compiled: Some(count.held),
            compile_allocations: Some(count.allocations),
            ..Memory::default()
        });
        entrant.record.counts = Some(Counts {
            nodes: report.traced_nodes,
            optimized: report.optimized_nodes,
            visited: report
                .passes
                .iter()
                .map(|p| (p.name.clone().into_owned(), p.visited))
                .collect(),
            instructions: report.code.instructions,
            kernels: report.code.kernels,
            tape_entries: report.code.tape_entries,
            runtime_calls: report.code.runtime_calls,
            code_bytes: report.code.code_bytes,
        });
    }
}

/// Batches of calls, each contestant first in some turn.
pub(crate) fn take_turns(
    entrants: &mut [Entrant<'_>],
    time: Duration,
    progress: &Progress,
    title: &str,
) {
    let slice = time / TURNS;
    let begin = Instant::now();
    for turn in 0..TURNS {
        // Calls that take longer than a slice get fewer turns.
        if turn >= 3 && begin.elapsed() > 2 * time * entrants.len() as u32 {
            break;
        }
        progress.doing(format!("{title}: turn {} of {TURNS}", turn + 1));
        let first = turn as usize % entrants.len().max(1);
        let (before, after) = entrants.split_at_mut(first);
        for entrant in after.iter_mut().chain(before) {
            entrant.take_turn(slice);
        }
    }
}

/// Memory of a call among others, and what a call costs that computes nothing.
pub(crate) fn count_calls(entrants: &mut [Entrant<'_>], program: &dyn Program, time: Duration) {
    for entrant in entrants {
        let counted = match &entrant.runner {
            Runner::Compiled(compiled) => memory::count(|| compiled.call()),
            Runner::Eager(program) => memory::count(|| {
                program.run_eagerly();
                Ok(())
            }),
            _ => continue,
        };
        let (Ok(()), count) = counted else { continue };
        let memory = entrant.record.memory.get_or_insert_default();
        memory.call_peak = Some(count.peak);
        memory.call_allocations = Some(count.allocations);
        memory.call_bytes = Some(count.bytes);
        if entrant.record.kind == Kind::Backend {
            let idle = program.idle(&entrant.record.name);
            let turn = crate::measure::turn(time / 50, 100, || idle.call());
            entrant.record.overhead = turn.ok().and_then(|t| least(t.batches));
        }
    }
}
