//! The command `targets`: a run beside what the native engine is meant to reach, and beside the fastest of the others.
//!
//! Ratios are of the best times of one run. What was not measured says so; nothing counts as met by default. Runs on several
//! processors, or for several targets of the native engine, have a table each, with the goals of their vectors.

mod goals;

use crate::options;
use crate::record::{Case, Compilation, Contestant, Kind, Outcome, Record};
use crate::run::Planned;
use crate::text::{digits, markdown, table, time};
use crate::workloads;

/// The workloads with the sizes that the targets speak of.
const CASES: &[(&str, &[usize], &[&str])] = &[
    ("mgs", &[50], &["float64", "complex128"]),
    ("mgs", &[100, 140], &["float64"]),
    ("call", &[3], &["float64"]),
    ("arith", &ARITH, &["float64"]),
    ("exp", &[EXP], &["float64"]),
    ("functions", &[], &["float64", "float32"]),
    ("black_scholes", &OPTIONS, &["float64"]),
    ("matmul", &PRODUCTS, &["float64"]),
    ("tiny.independent", &TINY, &["float64"]),
    ("tiny.chain", &TINY, &["float64"]),
    ("tiny.eigvalsh", &[20_000], &["float64"]),
    ("networks", &[], &["float64"]),
    ("plans", &[], &["float64"]),
    ("circuit", &[400], &["complex128"]),
    ("kalman", &[100], &["float64"]),
    ("rk4", &[25], &["float64"]),
    ("heat", &[10, 100], &["float64"]),
    ("attention", &[64], &["float64"]),
    ("updates.rows", &[1000, 4000], &["float64"]),
    ("updates.elements", &[20_000], &["float64"]),
    ("updates.jacobi", &[150], &["float64"]),
    ("grad_mgs", &[20, 50], &["float64"]),
    ("grad_kalman", &[50, 100], &["float64"]),
    ("grad_rk4", &[25], &["float64"]),
    ("grad_circuit", &[10], &["float64"]),
    ("grad_mps", &[50], &["float64"]),
    ("vmap_kalman", &[64], &["float64"]),
    ("scan_kalman", &[100, 100_000], &["float64"]),
    ("scan_scalars", &[614], &["float64"]),
    ("grad_scan_scalars", &[614], &["float64"]),
    ("scan_iir", &[100_000], &["float64"]),
    ("scan_lstm", &[10_000], &["float64"]),
    ("fori_heat", &[100, 1_000], &["float64"]),
    ("while_dopri", &[10], &["float64"]),
    ("kinematics", &[35], &["float64"]),
    ("grad_kinematics", &[35], &["float64"]),
    ("quasiseparable", &[2_000], &["float64"]),
    ("mps_gates", &[20], &["complex128"]),
];

/// Six vectors that fit into the first-level cache, into the second, and into none.
const ARITH: [usize; 3] = [500, 10_000, 10_000_000];
const EXP: usize = 10_000;
const OPTIONS: [usize; 3] = [1_000, 10_000, 100_000];
const TINY: [usize; 5] = [2, 4, 8, 16, 32];
const PRODUCTS: [usize; 8] = [8, 16, 32, 64, 128, 256, 512, 1024];

/// The cases of `--suite engine`.
pub(crate) fn cases() -> Vec<Planned> {
    let mut cases = Vec::new();
    for (name, sizes, dtypes) in CASES {
        for workload in workloads::find(name) {
            for dtype in dtypes.iter().filter_map(|d| d.parse().ok()) {
                let sizes = if sizes.is_empty() {
                    workload.sizes
                } else {
                    *sizes
                };
                cases.extend(sizes.iter().map(|&n| Planned { workload, n, dtype }));
            }
        }
    }
    cases
}

/// The command.
pub(crate) fn command(options: &options::Targets) -> Result<(), String> {
    for record in Record::by_machine(&options.files)? {
        let title = record.machine.title();
        let (goals, beside) = (goals(&record), beside_others(&record));
        if options.markdown {
            println!("### {title}\n\n{}\n{}", markdown(&goals), markdown(&beside));
        } else {
            println!("{title}\n\n{}\n{}", table(&goals, 1), table(&beside, 1));
        }
        println!("{}", summary(&goals, &beside));
    }
    Ok(())
}

pub(crate) const ENGINE: &str = "cranelift";

/// The goals of a run, with what was measured; the first row is the head.
pub(crate) fn goals(record: &Record) -> Vec<Vec<String>> {
    let head = ["what", "target", "measured", ""].map(String::from);
    let mut table = Table {
        record,
        has_avx512: record.machine.has_avx512(),
        rows: vec![head.to_vec()],
    };
    table.all();
    table.rows
}

/// Each case beside the fastest of the others: what is by hand, and peers.
pub(crate) fn beside_others(record: &Record) -> Vec<Vec<String>> {
    let head = [
        "call",
        "autojit",
        "fastest other",
        "its time",
        "other / autojit",
        "",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    for case in &record.cases {
        let Some(ours) = call(Some(case), ENGINE) else {
            continue;
        };
        // An empty call is no other way to do the work.
        let is_other = |c: &&Contestant| {
            matches!(c.kind, Kind::Baseline | Kind::Peer) && !c.name.contains("empty")
        };
        let others = case.contestants.iter().filter(is_other);
        let times = others
            .clone()
            .filter_map(|c| Some((c.calls.as_ref()?.min, &c.name)));
        let Some((theirs, name)) = times.min_by(|a, b| a.0.total_cmp(&b.0)) else {
            let mut stopped = others.filter(|c| matches!(c.outcome, Outcome::Limit(_)));
            let note = stopped.next().map_or("no other has it", |_| "at the limit");
            rows.push(vec![
                case.title(),
                time(ours),
                note.into(),
                "".into(),
                "".into(),
                "".into(),
            ]);
            continue;
        };
        let ratio = theirs / ours;
        let verdict = match ratio {
            // Differences of a few hundredths are noise.
            r if r > 1.05 => "ahead",
            r if r < 1.0 / 1.05 => "behind",
            _ => "alike",
        };
        let row = [
            case.title(),
            time(ours),
            name.clone(),
            time(theirs),
            digits(ratio),
            verdict.into(),
        ];
        rows.push(row.to_vec());
    }
    rows
}

/// How many goals are met, and where native code is ahead.
pub(crate) fn summary(goals: &[Vec<String>], beside: &[Vec<String>]) -> String {
    let count = |rows: &[Vec<String>], word: &str| {
        let is_it = |row: &&Vec<String>| row.last().is_some_and(|last| last == word);
        rows.iter().filter(is_it).count()
    };
    format!(
        "{} goals met, {} missed, {} not measured; of the calls above {} ahead, {} alike, {} behind.",
        count(goals, "met"),
        count(goals, "missed"),
        goals.iter().filter(|row| row[2] == NOT_MEASURED).count(),
        count(beside, "ahead"),
        count(beside, "alike"),
        count(beside, "behind"),
    )
}

const NOT_MEASURED: &str = "not measured";

struct Table<'a> {
    record: &'a Record,
    /// Whether native code has vectors of 512 bits; some goals depend on it.
    has_avx512: bool,
    rows: Vec<Vec<String>>,
}

/// The best time of a call.
fn call(case: Option<&Case>, name: &str) -> Option<f64> {
    Some(case?.contestant(name)?.calls.as_ref()?.min)
}

/// The best call of native code over the best of another contestant.
fn ratio(case: Option<&Case>, other: &str) -> Option<f64> {
    Some(call(case, ENGINE)? / call(case, other)?)
}

/// The same over the fastest of several.
fn ratio_to_best(case: Option<&Case>, others: &[&str]) -> Option<f64> {
    let others = others.iter().filter_map(|other| ratio(case, other));
    others.max_by(f64::total_cmp)
}

fn warm(case: Option<&Case>) -> Option<&Compilation> {
    case?.contestant(ENGINE)?.warm.as_ref()
}

fn cold(case: Option<&Case>) -> Option<&Compilation> {
    case?.contestant(ENGINE)?.cold.as_ref()
}

impl<'a> Table<'a> {
    /// A row; the bound holds if the number is at most that.
    fn row(
        &mut self,
        what: impl Into<String>,
        measured: Option<f64>,
        bound: f64,
        show: fn(f64) -> String,
    ) {
        let verdict = match measured {
            None => "",
            Some(x) if x <= bound => "met",
            Some(_) => "missed",
        };
        self.rows.push(vec![
            what.into(),
            format!("<= {}", show(bound)),
            measured.map_or_else(|| NOT_MEASURED.into(), show),
            verdict.into(),
        ]);
    }

    fn case(&self, workload: &str, n: usize, dtype: &str) -> Option<&'a Case> {
        let is_it = |c: &&Case| c.workload == workload && c.n == n && c.dtype == dtype;
        self.record.cases.iter().find(is_it)
    }
}
