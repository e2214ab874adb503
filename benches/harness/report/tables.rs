//! Tables of a record, for HTML and Markdown alike: rows of cells, the first row the head.

use crate::list::excuse;
use crate::record::{Case, Compilation, Contestant, Kind, Outcome, Record};
use crate::targets::ENGINE;
use crate::text::{bytes, count, digits, time};

/// A cell: what it says, and what is remarkable about it.
#[derive(Clone, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// In small letters after it.
    pub(super) note: String,
    /// Whether it is the best of its row.
    pub(super) best: bool,
    /// Whether it stands for a number that is not there.
    pub(super) soft: bool,
}

impl Cell {
    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    fn or_dash(text: Option<String>) -> Self {
        Self::plain(text.unwrap_or_else(|| "-".into()))
    }
}

fn head(names: &[&str]) -> Vec<Cell> {
    names.iter().map(|name| Cell::plain(*name)).collect()
}

/// Names of a kind in the order in which they first appear.
fn names(record: &Record, kind: Kind) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let all = record.cases.iter().flat_map(|case| &case.contestants);
    for c in all.filter(|c| c.kind == kind) {
        if !names.contains(&c.name) {
            names.push(c.name.clone());
        }
    }
    names
}

/// In a word, why there is no time.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "-",
        Outcome::Declined(_) => "declined",
        Outcome::Limit(_) => "limit",
        Outcome::Wrong(_) => "wrong",
        Outcome::Failed(_) => "failed",
    }
}

fn call(c: &Contestant) -> Option<f64> {
    Some(c.calls.as_ref()?.min)
}

/// The first call, in a new process where that was measured.
fn first_call(c: &Contestant) -> Option<f64> {
    let cold = c.cold.as_ref().and_then(|c| c.first_call);
    cold.or_else(|| c.warm.as_ref()?.first_call)
}

/// Times of calls: a row for each case, a column for each contestant; of baselines the best one.
pub(super) fn calls(record: &Record) -> Vec<Vec<Cell>> {
    times(record, call)
}

/// Times of first calls of what compiles, in the same form.
pub(super) fn first_calls(record: &Record) -> Vec<Vec<Cell>> {
    times(record, first_call)
}

/// A time of each contestant of each case.
fn times(record: &Record, of: fn(&Contestant) -> Option<f64>) -> Vec<Vec<Cell>> {
    let mut backends = names(record, Kind::Backend);
    backends.reverse();
    let columns: Vec<(Kind, String)> = backends
        .into_iter()
        .map(|name| (Kind::Backend, name))
        .chain(
            names(record, Kind::Eager)
                .into_iter()
                .map(|name| (Kind::Eager, name)),
        )
        .chain([(Kind::Baseline, "by hand".to_owned())])
        .chain(
            names(record, Kind::Peer)
                .into_iter()
                .map(|name| (Kind::Peer, name)),
        )
        .filter(|(kind, name)| {
            let all = record.cases.iter().flat_map(|case| &case.contestants);
            let of_it =
                all.filter(|c| c.kind == *kind && (c.name == *name || *kind == Kind::Baseline));
            of_it.into_iter().any(|c| of(c).is_some())
        })
        .collect();
    let mut rows = vec![head(&["case"])];
    rows[0].extend(columns.iter().map(|(_, name)| Cell::plain(name)));
    for case in record
        .cases
        .iter()
        .filter(|c| c.contestants.iter().any(|c| c.calls.is_some()))
    {
        let best = case
            .contestants
            .iter()
            .filter_map(of)
            .fold(f64::INFINITY, f64::min);
        let mut row = vec![Cell::plain(case.title())];
        row.extend(
            columns
                .iter()
                .map(|(kind, name)| time_cell(case, *kind, name, best, of)),
        );
        rows.push(row);
    }
    rows
}

fn time_cell(
    case: &Case,
    kind: Kind,
    name: &str,
    best: f64,
    of: fn(&Contestant) -> Option<f64>,
) -> Cell {
    let of_kind = case.contestants.iter().filter(|c| c.kind == kind);
    let found = match kind {
        Kind::Baseline => of_kind.filter(|c| of(c).is_some()).min_by(|a, b| {
            of(a)
                .unwrap_or(f64::MAX)
                .total_cmp(&of(b).unwrap_or(f64::MAX))
        }),
        _ => of_kind.into_iter().find(|c| c.name == name),
    };
    let Some(c) = found else {
        return Cell::plain("");
    };
    match of(c) {
        None => Cell {
            soft: true,
            ..Cell::plain(word(&c.outcome))
        },
        Some(ns) => Cell {
            text: time(ns),
            note: if kind == Kind::Baseline {
                c.name.clone()
            } else {
                String::new()
            },
            best: ns <= best,
            soft: false,
        },
    }
}

/// Stages, counts and memory of what compiles.
pub(super) fn compilations(record: &Record) -> Vec<Vec<Cell>> {
    compiled(record, |_| true)
}

/// The same of native code alone.
pub(super) fn native(record: &Record) -> Vec<Vec<Cell>> {
    compiled(record, |c| c.name == ENGINE)
}

fn compiled(record: &Record, is_shown: fn(&Contestant) -> bool) -> Vec<Vec<Cell>> {
    let mut rows = vec![head(&[
        "case",
        "by",
        "nodes",
        "trace",
        "optimise",
        "compile",
        "first call",
        "first call, new process",
        "kernels",
        "tape",
        "code",
        "allocations of a call",
        "planned peak",
        "peak of a call",
    ])];
    for case in &record.cases {
        let compiles = |c: &&Contestant| is_shown(c) && (c.warm.is_some() || c.cold.is_some());
        for c in case.contestants.iter().filter(compiles) {
            rows.push(compilation(case, c));
        }
    }
    rows
}

fn compilation(case: &Case, c: &Contestant) -> Vec<Cell> {
    let warm =
        |f: fn(&Compilation) -> Option<f64>| Cell::or_dash(c.warm.as_ref().and_then(f).map(time));
    let cold = c.cold.as_ref().and_then(|c| c.first_call);
    let counts = c.counts.as_ref();
    let memory = c.memory.as_ref();
    let size = |b: Option<u64>| Cell::or_dash(b.map(|b| bytes(b as f64)));
    let counted = |n: Option<usize>| Cell::or_dash(n.map(count));
    vec![
        Cell::plain(case.title()),
        Cell::plain(&c.name),
        counted(counts.map(|n| n.nodes)),
        warm(|c| c.trace),
        warm(|c| c.optimize),
        warm(|c| c.compile),
        warm(|c| c.first_call),
        Cell::or_dash(cold.map(time)),
        counted(counts.and_then(|n| n.kernels)),
        counted(counts.and_then(|n| n.tape_entries)),
        size(counts.and_then(|n| n.code_bytes).map(|b| b as u64)),
        counted(memory.and_then(|m| m.call_allocations).map(|n| n as usize)),
        size(memory.and_then(|m| m.planned_peak).map(|b| b as u64)),
        size(memory.and_then(|m| m.call_peak)),
    ]
}

/// Contestants that did not run, and why.
pub(super) fn absent(record: &Record) -> Vec<Vec<Cell>> {
    let mut rows = vec![head(&["case", "contestant", "why"])];
    for case in &record.cases {
        for c in &case.contestants {
            if let Some(why) = excuse(&c.outcome) {
                rows.push([&case.title(), &c.name, &why].map(Cell::plain).to_vec());
            }
        }
    }
    rows
}

/// The same with one row for each contestant and reason.
pub(super) fn absent_together(record: &Record) -> Vec<Vec<Cell>> {
    let mut all: Vec<(String, String, Vec<String>)> = Vec::new();
    for case in &record.cases {
        for c in &case.contestants {
            let Some(why) = excuse(&c.outcome) else {
                continue;
            };
            let same = all
                .iter_mut()
                .find(|(name, reason, _)| *name == c.name && *reason == why);
            match same {
                Some((_, _, cases)) => cases.push(case.title()),
                None => all.push((c.name.clone(), why, vec![case.title()])),
            }
        }
    }
    let mut rows = vec![head(&["contestant", "why", "cases"])];
    rows.extend(all.iter().map(|(name, why, cases)| {
        let row = [name, why, &cases.join(", ")];
        row.map(Cell::plain).to_vec()
    }));
    rows
}

/// Times for a unit of work, where a case has one: the best call of each contestant.
pub(super) fn per_unit(record: &Record) -> Vec<Vec<Cell>> {
    let mut rows = vec![head(&["case", "unit", "contestant", "ns for one"])];
    for case in &record.cases {
        let Some((units, unit)) = &case.per else {
            continue;
        };
        for c in &case.contestants {
            if let Some(ns) = call(c) {
                let one = digits(ns / *units as f64);
                rows.push(
                    [&case.title(), unit, &c.name, &one]
                        .map(Cell::plain)
                        .to_vec(),
                );
            }
        }
    }
    rows
}
