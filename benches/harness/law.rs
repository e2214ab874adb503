//! The command `law`: how the time to compile, the memory that is held afterwards, and machine code grow with the number of nodes.

use std::time::Duration;

use crate::options;
use crate::progress::Progress;
use crate::record::{Case, Compilation, Contestant, Outcome, Record};
use crate::run::{Peer, PeerState, Planned, Session, backends};
use crate::text::{bytes, count, table, time};
use crate::{list, machine, workloads};

/// The command.
pub(crate) fn command(options: &options::Law) -> Result<(), String> {
    let mut plan = Vec::new();
    for name in &options.workload {
        let found = workloads::find(name);
        let [workload] = found[..] else {
            return Err(format!(
                "expected one workload, got {name}; `list` lists them"
            ));
        };
        let size = workload
            .size_of_nodes
            .ok_or_else(|| format!("{name} cannot have any number of nodes"))?;
        let planned = |&nodes| Planned {
            workload,
            n: size(nodes).max(1),
            dtype: workload.dtypes[0],
        };
        plan.extend(options.nodes.iter().map(planned));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    machine::confine(1)?;
    let mut record = machine::begin(1, cores);
    let mut session = Session {
        backends: backends(&options.backend)?,
        peers: Vec::new(),
        baselines: false,
        calls: false,
        time: Duration::from_millis(500),
        limit: Duration::try_from_secs_f64(options.limit).map_err(|e| format!("--limit: {e}"))?,
        threads: 1,
        progress: Progress::new(plan.len()),
    };
    session.invite(&options.peers)?;
    let backends = session.backends.clone();
    let mut workload = "";
    let mut gone: Vec<String> = Vec::new();
    for planned in &plan {
        if planned.workload.name != workload {
            workload = planned.workload.name;
            gone.clear();
        }
        // What reached the limit at one size does not get a larger one.
        session.backends = backends
            .iter()
            .filter(|b| !gone.contains(b))
            .cloned()
            .collect();
        let (out, still): (Vec<Peer>, Vec<Peer>) = session
            .peers
            .drain(..)
            .partition(|peer| gone.iter().any(|name| name == peer.shown()));
        session.peers = still;
        let case = session.case(planned)?;
        session.peers.extend(out);
        for c in &case.contestants {
            if matches!(c.outcome, Outcome::Limit(_)) {
                gone.push(c.name.clone());
            }
        }
        session.progress.done(&points(&case));
        for peer in &session.peers {
            if let PeerState::Running(worker) = &peer.state {
                record.versions.extend(worker.versions.iter().cloned());
            }
        }
        record.cases.push(case);
        if let Some(path) = &options.json {
            record.write(path)?;
        }
    }
    drop(session);
    print!("{}", table(&slopes(&record), 2));
    Ok(())
}

/// The nodes of a case: what autojit traced. Peers have other ways to count; they are put at the same place.
pub(crate) fn nodes(case: &Case) -> Option<usize> {
    let counts = case.contestants.iter().filter_map(|c| c.counts.as_ref());
    counts.map(|c| c.nodes).next()
}

/// The times that a contestant's law is fitted to: the stages before a call; for those without stages, the first call.
pub(crate) fn compile_time(c: &Contestant) -> Option<f64> {
    let warm = c.warm.as_ref()?;
    warm.total().or(warm.first_call)
}

/// Bytes that are held by what was compiled, machine code among them.
pub(crate) fn held(c: &Contestant) -> Option<f64> {
    let compiled = c.memory.as_ref()?.compiled? as f64;
    let code = c.counts.as_ref().and_then(|n| n.code_bytes);
    Some(compiled + code.unwrap_or(0) as f64)
}

fn points(case: &Case) -> String {
    let head = [
        &case.title(),
        "nodes",
        "trace",
        "optimise",
        "compile",
        "all",
        "per 1000",
        "cold",
        "held per node",
        "peak per node",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    let nodes = nodes(case);
    for c in &case.contestants {
        let name = format!("  {}", c.name);
        if let Some(excuse) = list::excuse(&c.outcome) {
            rows.push(vec![format!("{name}: {excuse}")]);
            continue;
        }
        let or_dash = |x: Option<String>| x.unwrap_or_else(|| "-".into());
        let warm =
            |f: fn(&Compilation) -> Option<f64>| or_dash(c.warm.as_ref().and_then(f).map(time));
        let per_node =
            |x: Option<f64>| or_dash(x.zip(nodes).map(|(x, nodes)| bytes(x / nodes as f64)));
        let all = compile_time(c);
        let memory = c.memory.as_ref();
        rows.push(vec![
            name,
            or_dash(nodes.map(count)),
            warm(|c| c.trace),
            warm(|c| c.optimize),
            warm(|c| c.compile),
            or_dash(all.map(time)),
            or_dash(
                all.zip(nodes)
                    .map(|(all, nodes)| time(all * 1e3 / nodes as f64)),
            ),
            or_dash(c.cold.as_ref().and_then(Compilation::total).map(time)),
            per_node(held(c)),
            per_node(memory.and_then(|m| m.compile_peak).map(|b| b as f64)),
        ]);
    }
    table(&rows, 1)
}

/// The power of the number of nodes that the time grows with: the slope of a straight line through the logarithms,
/// by least squares. `None` of fewer than two sizes.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = logs.iter().map(|p| (p.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    (logs.len() >= 2 && spread > 0.0).then(|| together / spread)
}

/// A line of a law: a workload, a contestant, and time against nodes.
pub(crate) struct Line {
    pub(crate) workload: String,
    pub(crate) contestant: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// All lines of a stage that have at least two points.
pub(crate) fn lines(record: &Record, stage: impl Fn(&Contestant) -> Option<f64>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for case in &record.cases {
        let can_grow = workloads::find(&case.workload)
            .first()
            .is_some_and(|w| w.size_of_nodes.is_some());
        let Some(nodes) = nodes(case).filter(|_| can_grow) else {
            continue;
        };
        for c in &case.contestants {
            let is_ours =
                |line: &&mut Line| line.workload == case.workload && line.contestant == c.name;
            let Some(time) = stage(c).filter(|&t| t > 0.0) else {
                continue;
            };
            let nodes = nodes as f64;
            if let Some(line) = lines.iter_mut().find(is_ours) {
                // A size that was measured twice is one point.
                match line.points.iter_mut().find(|point| point.0 == nodes) {
                    Some(point) => point.1 = point.1.min(time),
                    None => line.points.push((nodes, time)),
                }
            } else {
                lines.push(Line {
                    workload: case.workload.clone(),
                    contestant: c.name.clone(),
                    points: vec![(nodes, time)],
                });
            }
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines.retain(|line| line.points.len() >= 2);
    lines
}

/// The slopes of all stages; the first row is the head.
pub(crate) fn slopes(record: &Record) -> Vec<Vec<String>> {
    let head = [
        "workload",
        "by",
        "nodes",
        "slope of the time",
        "trace",
        "optimise",
        "compile",
        "of the memory",
        "the largest: time",
        "memory held",
        "peak",
        "machine code, smallest and largest",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    let stages: [fn(&Compilation) -> Option<f64>; 3] = [|c| c.trace, |c| c.optimize, |c| c.compile];
    let stages = stages.map(|stage| {
        lines(record, move |c: &Contestant| {
            c.warm.as_ref().and_then(stage)
        })
    });
    for line in lines(record, compile_time) {
        let shown = |slope: Option<f64>| slope.map_or_else(|| "-".into(), |s| format!("{s:.2}"));
        let (Some(first), Some(last)) = (line.points.first(), line.points.last()) else {
            continue;
        };
        let mut row = vec![
            line.workload.clone(),
            line.contestant.clone(),
            format!("{} to {}", count(first.0 as usize), count(last.0 as usize)),
            shown(slope(&line.points)),
        ];
        for stage in &stages {
            let same = |l: &&Line| l.workload == line.workload && l.contestant == line.contestant;
            row.push(shown(
                stage.iter().find(same).and_then(|l| slope(&l.points)),
            ));
        }
        let of_line = |lines: Vec<Line>| {
            let same = |l: &Line| l.workload == line.workload && l.contestant == line.contestant;
            lines.into_iter().find(same).map(|l| l.points)
        };
        let held = of_line(lines(record, held));
        row.push(shown(held.as_deref().and_then(slope)));
        row.push(time(last.1));
        let size = |points: &Option<Vec<(f64, f64)>>, at: f64| {
            let points = points.as_deref().unwrap_or_default();
            let found = points.iter().find(|point| point.0 == at);
            found.map_or_else(|| "-".into(), |point| bytes(point.1))
        };
        let peak = |c: &Contestant| c.memory.as_ref()?.compile_peak.map(|b| b as f64);
        let code = |c: &Contestant| c.counts.as_ref()?.code_bytes.map(|b| b as f64);
        row.push(size(&held, last.0));
        row.push(size(&of_line(lines(record, peak)), last.0));
        let code = of_line(lines(record, code));
        row.push(format!("{}, {}", size(&code, first.0), size(&code, last.0)));
        rows.push(row);
    }
    rows
}
