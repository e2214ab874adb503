//! The command `compare`: what changed between two runs.
//!
//! A machine is faster at one time than at another, so times are taken relative to the contestants that did not
//! change: baselines and peers of the same case, where there are any. What is left counts only beyond the noise of the
//! two measurements. Counts have no noise, and any change of one is reported.

use crate::options;
use crate::record::{Calls, Case, Compilation, Contestant, Counts, Kind, Record};
use crate::text::{digits, table, time};

/// Differences below this are never reported: code lies elsewhere after each build.
const CALLS: f64 = 0.03;
/// The same of compilations, which are repeated less often.
const COMPILATIONS: f64 = 0.10;

/// The command.
pub(crate) fn command(options: &options::Compare) -> Result<(), String> {
    let (before, after) = (
        Record::read(&options.before)?,
        Record::read(&options.after)?,
    );
    if before.machine.processor != after.machine.processor {
        return Err(format!(
            "two machines cannot be compared: {} and {}",
            before.machine.processor, after.machine.processor
        ));
    }
    let changes = changes(&before, &after);
    if changes.is_empty() {
        return Err("the two have no case in common".into());
    }
    let head = [
        "case", "by", "what", "before", "after", "ratio", "noise", "verdict",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    let shown = changes
        .iter()
        .filter(|c| options.all || c.verdict != Verdict::Same);
    rows.extend(shown.map(Change::row));
    if rows.len() > 1 {
        print!("{}", table(&rows, 3));
    }
    let count = |verdict| changes.iter().filter(|c| c.verdict == verdict).count();
    let (better, worse) = (count(Verdict::Better), count(Verdict::Worse));
    println!(
        "{better} better, {worse} worse, {} the same within noise",
        count(Verdict::Same)
    );
    match options.check && worse > 0 {
        true => Err(format!("{worse} measurements are worse")),
        false => Ok(()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    Same,
}

/// A measurement before and after.
struct Change {
    case: String,
    contestant: String,
    what: String,
    before: String,
    after: String,
    /// After / before, without what the machine did.
    ratio: f64,
    noise: Option<f64>,
    verdict: Verdict,
}

impl Change {
    fn of_times(
        case: &Case,
        c: &Contestant,
        what: &str,
        times: (f64, f64),
        drift: f64,
        noise: f64,
    ) -> Self {
        let ratio = times.1 / times.0 / drift;
        let verdict = match ratio {
            r if r > 1.0 + noise => Verdict::Worse,
            r if r < 1.0 / (1.0 + noise) => Verdict::Better,
            _ => Verdict::Same,
        };
        Self {
            case: case.title(),
            contestant: c.name.clone(),
            what: what.into(),
            before: time(times.0),
            after: time(times.1),
            ratio,
            noise: Some(noise),
            verdict,
        }
    }

    fn row(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::Same => "same",
        };
        let noise = self.noise.map(|n| format!("{:.0} %", n * 100.0));
        vec![
            self.case.clone(),
            self.contestant.clone(),
            self.what.clone(),
            self.before.clone(),
            self.after.clone(),
            digits(self.ratio),
            noise.unwrap_or_default(),
            verdict.into(),
        ]
    }
}

/// How far the turns of a measurement were apart: their middle one beyond the best.
fn spread(calls: &Calls) -> f64 {
    let mut turns = calls.turns.clone();
    turns.sort_by(f64::total_cmp);
    match turns[..] {
        [] => 0.0,
        [best, ..] => (turns[turns.len() / 2] / best.max(1e-9) - 1.0).min(0.5),
    }
}

fn changes(before: &Record, after: &Record) -> Vec<Change> {
    let mut changes = Vec::new();
    for new in &after.cases {
        let Some(old) = before.cases.iter().find(|c| c.title() == new.title()) else {
            continue;
        };
        let pairs: Vec<(&Contestant, &Contestant)> = new
            .contestants
            .iter()
            .filter_map(|c| {
                let same = |o: &&Contestant| o.name == c.name && o.kind == c.kind;
                Some((old.contestants.iter().find(same)?, c))
            })
            .collect();
        let (drift, unrest) = drift(&pairs);
        for (old, c) in pairs {
            if matches!(c.kind, Kind::Baseline | Kind::Peer) {
                continue;
            }
            if let (Some(a), Some(b)) = (&old.calls, &c.calls) {
                let noise = CALLS + unrest + (spread(a) + spread(b)) / 2.0;
                changes.push(Change::of_times(
                    new,
                    c,
                    "call",
                    (a.min, b.min),
                    drift,
                    noise,
                ));
            }
            let total = |c: &Contestant| c.warm.as_ref().and_then(Compilation::total);
            if let (Some(a), Some(b)) = (total(old), total(c)) {
                let noise = COMPILATIONS + unrest;
                changes.push(Change::of_times(new, c, "compile", (a, b), drift, noise));
            }
            changes.extend(counts(new, old, c));
        }
    }
    changes
}

/// How much slower the machine was afterwards, by what did not change; and how far these contestants disagree.
fn drift(pairs: &[(&Contestant, &Contestant)]) -> (f64, f64) {
    let fixed = pairs
        .iter()
        .filter(|(_, c)| matches!(c.kind, Kind::Baseline | Kind::Peer));
    let mut ratios: Vec<f64> = fixed
        .filter_map(|(old, c)| Some(c.calls.as_ref()?.min / old.calls.as_ref()?.min))
        .map(f64::ln)
        .collect();
    if ratios.is_empty() {
        // Nothing to hold on to: anything below a quarter may be the machine.
        return (1.0, 0.25);
    }
    ratios.sort_by(f64::total_cmp);
    let half = ratios.len() / 2;
    let middle = f64::midpoint(ratios[half], ratios[(ratios.len() - 1) / 2]);
    let furthest = ratios
        .iter()
        .map(|r| (r - middle).abs())
        .fold(0.0, f64::max);
    (middle.exp(), furthest.exp_m1())
}

fn counts(case: &Case, old: &Contestant, new: &Contestant) -> Vec<Change> {
    let of = |c: &Contestant| -> Vec<(&'static str, Option<usize>)> {
        let n = c.counts.as_ref();
        let count = |f: fn(&Counts) -> Option<usize>| n.and_then(f);
        let allocations = c.memory.as_ref().and_then(|m| m.call_allocations);
        vec![
            ("nodes", count(|n| Some(n.nodes))),
            ("nodes left", count(|n| Some(n.optimized))),
            ("nodes visited", count(|n| Some(n.visited.values().sum()))),
            ("instructions", count(|n| n.instructions)),
            ("kernels", count(|n| n.kernels)),
            ("tape entries", count(|n| n.tape_entries)),
            ("bytes of code", count(|n| n.code_bytes)),
            ("allocations", allocations.map(|a| a as usize)),
            (
                "planned peak",
                c.memory.as_ref().and_then(|m| m.planned_peak),
            ),
        ]
    };
    let pairs = of(old).into_iter().zip(of(new));
    pairs
        .filter_map(|((what, a), (_, b))| {
            let (a, b) = (a?, b?);
            let verdict = match b.cmp(&a) {
                std::cmp::Ordering::Less => Verdict::Better,
                std::cmp::Ordering::Equal => Verdict::Same,
                std::cmp::Ordering::Greater => Verdict::Worse,
            };
            Some(Change {
                case: case.title(),
                contestant: new.name.clone(),
                what: what.into(),
                before: a.to_string(),
                after: b.to_string(),
                ratio: b as f64 / a.max(1) as f64,
                noise: None,
                verdict,
            })
        })
        .collect()
}
