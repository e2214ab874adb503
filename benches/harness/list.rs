//! The command `list`, and the table of a case on the terminal.

use crate::record::{Case, Contestant, Outcome};
use crate::text::{bytes, count, digits, table, time};
use crate::{libraries, peers, workloads};

/// The command.
pub(crate) fn list() -> Result<(), String> {
    let mut rows = vec![
        ["workload", "sizes", "dtypes", "what it does"]
            .map(String::from)
            .to_vec(),
    ];
    for workload in workloads::all() {
        let sizes: Vec<String> = workload.sizes.iter().map(ToString::to_string).collect();
        let dtypes: Vec<String> = workload.dtypes.iter().map(ToString::to_string).collect();
        let about = format!("{} (n: {})", workload.about, workload.size);
        rows.push(vec![
            workload.name.into(),
            sizes.join(","),
            dtypes.join(","),
            about,
        ]);
    }
    print!("{}", table(&rows, 4));
    println!("\nbackends: eager, {}", autojit::backends().join(", "));
    let peers = [peers::NAMES, libraries::NAMES].concat();
    println!("peers: {}", peers.join(", "));
    Ok(())
}

/// The text for a contestant that did not run.
pub(crate) fn excuse(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Declined(why) => Some(format!("declined: {why}")),
        Outcome::Limit(why) => Some(format!("limit: {why}")),
        Outcome::Wrong(why) => Some(format!("wrong: {why}")),
        Outcome::Failed(why) => Some(format!("failed: {why}")),
    }
}

/// The table of a case.
pub(crate) fn rows(case: &Case) -> Vec<Vec<String>> {
    let head = [
        &case.title(),
        "call",
        "median",
        "vs best",
        "trace",
        "optimise",
        "compile",
        "first call",
        "cold",
        "kernels",
        "tape",
        "allocs",
        "peak",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    let calls = case.contestants.iter().filter_map(|c| c.calls.as_ref());
    let best = calls.map(|c| c.min).min_by(f64::total_cmp);
    rows.extend(case.contestants.iter().map(|c| row(c, best)));
    rows
}

fn row(c: &Contestant, best: Option<f64>) -> Vec<String> {
    let name = format!("  {}", c.name);
    if let Some(excuse) = excuse(&c.outcome) {
        return vec![format!("{name}: {excuse}")];
    }
    let or_dash = |x: Option<String>| x.unwrap_or_else(|| "-".into());
    let calls = c.calls.as_ref();
    let ratio = calls
        .zip(best)
        .map(|(calls, best)| digits(calls.min / best));
    let stage = |f: fn(&crate::record::Compilation) -> Option<f64>| {
        or_dash(c.warm.as_ref().and_then(f).map(time))
    };
    let counted = |f: fn(&crate::record::Counts) -> Option<usize>| {
        or_dash(c.counts.as_ref().and_then(f).map(count))
    };
    let memory = c.memory.as_ref();
    vec![
        name,
        or_dash(calls.map(|c| time(c.min))),
        or_dash(calls.map(|c| time(c.median))),
        or_dash(ratio),
        stage(|c| c.trace),
        stage(|c| c.optimize),
        stage(|c| c.compile),
        stage(|c| c.first_call),
        or_dash(
            c.cold
                .as_ref()
                .and_then(|c| c.first_call.or(c.total()))
                .map(time),
        ),
        counted(|c| c.kernels),
        counted(|c| c.tape_entries),
        or_dash(
            memory
                .and_then(|m| m.call_allocations)
                .map(|n| count(n as usize)),
        ),
        or_dash(memory.and_then(|m| m.call_peak).map(|b| bytes(b as f64))),
    ]
}
