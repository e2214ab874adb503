//! The command `run`: cases one after the other; within a case contestants take turns.

use std::time::Duration;

use autojit::{Array, DType};

use crate::contestant::{Entrant, Runner};
use crate::libraries;
use crate::measure::once;
use crate::options::{self, Suite};
use crate::peers::{self, Worker};
use crate::progress::Progress;
use crate::record::{Case, Compilation, Contestant, Kind, Outcome, PlanCost, Record};
use crate::turns::{compile, count_calls, least_of, take_turns};
use crate::workloads::{self, Workload, results};
use crate::{cold, machine, targets, text};

/// A workload of one size and dtype that is to be measured.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) workload: &'static Workload,
    pub(crate) n: usize,
    pub(crate) dtype: DType,
}

/// How cases are measured.
pub(crate) struct Session {
    /// `eager`, and backends.
    pub(crate) backends: Vec<String>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) baselines: bool,
    /// Whether calls are timed, or compilation alone.
    pub(crate) calls: bool,
    pub(crate) time: Duration,
    pub(crate) limit: Duration,
    pub(crate) threads: usize,
    pub(crate) progress: Progress,
}

/// A peer of a session.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) state: PeerState,
    /// Workloads and sizes that reached the limit: larger ones of the same workload are left out.
    at_limit: Vec<(&'static str, usize)>,
}

/// Whether a peer runs.
pub(crate) enum PeerState {
    /// It is to be started.
    Waiting,
    Running(Worker),
    /// It cannot be installed or started.
    Missing(String),
}

/// New processes, where one is done soon.
const PROCESSES: usize = 3;

/// The command.
pub(crate) fn command(options: &options::Run) -> Result<(), String> {
    let plan = plan(options)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    machine::confine(options.threads)?;
    let mut record = machine::begin(options.threads, cores);
    let seconds = |name: &str, x: f64| {
        Duration::try_from_secs_f64(x).map_err(|e| format!("--{name} {x}: {e}"))
    };
    // The engine's suite is long, and about native code: it takes less than half an hour with three peers.
    let of_engine = options.workload.is_empty() && options.suite == Suite::Engine;
    let (time, limit) = if of_engine { (0.1, 15.0) } else { (0.5, 60.0) };
    let mut backends = backends(&options.backend)?;
    if of_engine && options.backend.is_empty() {
        backends.retain(|name| name != "replay");
    }
    let mut session = Session {
        backends,
        peers: Vec::new(),
        baselines: !options.no_baselines,
        calls: true,
        time: seconds("time", options.time.unwrap_or(time))?,
        limit: seconds("limit", options.limit.unwrap_or(limit))?,
        threads: options.threads,
        progress: Progress::new(plan.len()),
    };
    record.limit = Some(session.limit.as_secs_f64());
    session.invite(&options.peers)?;
    session.run(&plan, &mut record, options.json.as_deref())
}

/// The backends of these names; all that are built if there are none.
pub(crate) fn backends(names: &[String]) -> Result<Vec<String>, String> {
    let built = autojit::backends();
    if names.is_empty() {
        let all = ["eager"].into_iter().chain(built.iter().rev().copied());
        return Ok(all.map(str::to_owned).collect());
    }
    for name in names {
        if name != "eager" && !built.contains(&name.as_str()) {
            let built = built.join(", ");
            return Err(format!(
                "the backend {name} is not built, expected eager, {built}; others need a feature of autojit"
            ));
        }
    }
    Ok(names.to_vec())
}

fn plan(options: &options::Run) -> Result<Vec<Planned>, String> {
    let mut plan = Vec::new();
    let dtypes = options.dtype.iter().map(|name| {
        let dtype = name.parse::<DType>();
        dtype.map_err(|e| format!("--dtype {name}: {e}"))
    });
    let dtypes: Vec<DType> = dtypes.collect::<Result<_, _>>()?;
    if options.workload.is_empty() {
        plan = match options.suite {
            Suite::Engine => targets::cases(),
            Suite::All | Suite::Quick => {
                let sizes = |w: &Workload| match options.suite {
                    Suite::Quick => w.sizes[..1].to_vec(),
                    _ => w.sizes.to_vec(),
                };
                let of = |workload| {
                    let cases = move |n| Planned {
                        workload,
                        n,
                        dtype: workload.dtypes[0],
                    };
                    sizes(workload).into_iter().map(cases)
                };
                let heavy = |w: &Workload| w.name == "networks.mera_open_26";
                let all = workloads::all().into_iter();
                let all = all.filter(|w| options.suite == Suite::All || !heavy(w));
                all.flat_map(of).collect()
            }
        };
    }
    for name in &options.workload {
        let found = workloads::find(name);
        if found.is_empty() {
            return Err(format!("no workload is called {name}; `list` lists them"));
        }
        for workload in found {
            for &dtype in if dtypes.is_empty() {
                &workload.dtypes[..1]
            } else {
                &dtypes
            } {
                if !workload.dtypes.contains(&dtype) {
                    return Err(format!("{} is not made for {dtype}", workload.name));
                }
                let sizes = if options.n.is_empty() {
                    workload.sizes
                } else {
                    &options.n
                };
                plan.extend(sizes.iter().map(|&n| Planned { workload, n, dtype }));
            }
        }
    }
    Ok(plan)
}

impl Session {
    /// Installs peers, and libraries that are baselines.
    pub(crate) fn invite(&mut self, names: &[String]) -> Result<(), String> {
        for name in names {
            let is_library = libraries::NAMES.contains(&name.as_str());
            if !is_library && !peers::NAMES.contains(&name.as_str()) {
                let known = [peers::NAMES, libraries::NAMES].concat().join(", ");
                return Err(format!("no peer is called {name}, expected one of {known}"));
            }
            let state = match is_library {
                true => libraries::install(name, &self.progress),
                false => peers::install(name, &self.progress),
            };
            if let Err(why) = &state {
                let left_out =
                    format!("the peer {name} cannot be installed and is left out: {why}");
                self.progress.note(&left_out);
            }
            if is_library {
                continue;
            }
            for variant in peers::variants(name) {
                let state = match &state {
                    Ok(()) => PeerState::Waiting,
                    Err(why) => PeerState::Missing(why.clone()),
                };
                self.peers.push(Peer {
                    name: variant,
                    state,
                    at_limit: Vec::new(),
                });
            }
        }
        Ok(())
    }

    /// Measures all cases; writes what there is after each, so that nothing is lost.
    ///
    /// # Errors
    /// A function or a backend of autojit gave wrong results, or failed: at the end, after all others.
    pub(crate) fn run(
        &mut self,
        plan: &[Planned],
        record: &mut Record,
        json: Option<&std::path::Path>,
    ) -> Result<(), String> {
        let mut mistakes = Vec::new();
        for planned in plan {
            let case = match self.case(planned) {
                Ok(case) => case,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            mistakes.extend(case.contestants.iter().filter_map(|c| {
                let is_ours = matches!(c.kind, Kind::Eager | Kind::Backend);
                let (Outcome::Wrong(why) | Outcome::Failed(why)) = &c.outcome else {
                    return None;
                };
                is_ours.then(|| format!("{} by {}: {why}", case.title(), c.name))
            }));
            self.progress
                .done(&text::table(&crate::list::rows(&case), 1));
            record.cases.push(case);
            for peer in &self.peers {
                if let PeerState::Running(worker) = &peer.state {
                    record.versions.extend(worker.versions.iter().cloned());
                }
            }
            if let Some(path) = json {
                record.write(path)?;
            }
        }
        match mistakes.is_empty() {
            true => Ok(()),
            false => Err(mistakes.join("\nerror: ")),
        }
    }

    /// Measures a case.
    pub(crate) fn case(&mut self, planned: &Planned) -> Result<Case, String> {
        let &Planned { workload, n, dtype } = planned;
        let title = format!("{} {n} {dtype}", workload.name);
        self.progress.doing(format!("{title}: eager"));
        let built = (workload.build)(n, dtype).map_err(|e| format!("{title}: {e}"))?;
        let program = built.program.as_ref();
        let mut baselines = built.baselines;
        // What others are compared with; it is checked by other means itself.
        let expected = program.results().map_err(|e| format!("{title}: {e}"))?;
        (built.check)(&expected).map_err(|e| format!("{title}, run eagerly: {e}"))?;
        let bytes = |x: &Array| x.ty().map_or(0, |ty| ty.size() * ty.dtype.size());
        let mut case = Case {
            workload: workload.name.to_owned(),
            about: workload.about.to_owned(),
            n,
            size: workload.size.to_owned(),
            dtype: dtype.to_string(),
            per: built.unit.map(|(count, unit)| (count, unit.to_owned())),
            results: expected.len(),
            result_bytes: expected.iter().map(bytes).sum(),
            plan: built.plan.map(|plan| PlanCost {
                operations: plan.operations,
                reference: plan.reference,
                largest: plan.largest,
                slices: plan.slices,
            }),
            contestants: Vec::new(),
        };

        let mut entrants: Vec<Entrant<'_>> = Vec::new();
        for name in &self.backends {
            if name == "eager" {
                if self.calls {
                    entrants.push(Entrant::new(name, Kind::Eager, Runner::Eager(program)));
                }
                continue;
            }
            self.progress
                .doing(format!("{title}: {name} in new processes"));
            let mut entrant = Entrant::new(name, Kind::Backend, Runner::Absent);
            match self.cold(planned, name) {
                Ok(cold) => {
                    entrant.record.cold = Some(cold);
                    entrant.runner = Runner::Compiled(program.with_backend(name));
                }
                Err(outcome) => entrant.record.outcome = outcome,
            }
            entrants.push(entrant);
        }
        self.progress.doing(format!("{title}: compiling"));
        compile(&mut entrants, program, self.calls, self.time);
        if self.baselines && self.calls {
            for baseline in &mut baselines {
                let name = baseline.name();
                entrants.push(Entrant::new(
                    name,
                    Kind::Baseline,
                    Runner::Baseline(baseline),
                ));
            }
        }
        let inputs = program.inputs();
        for peer in &mut self.peers {
            self.progress
                .doing(format!("{title}: {} compiles", peer.name));
            let prepared = peer.prepare(
                planned,
                &built.parameters,
                &inputs,
                self.calls,
                self.threads,
                self.limit,
            );
            let mut entrant = Entrant::new(peer.shown(), Kind::Peer, Runner::Absent);
            match (prepared, &mut peer.state) {
                (Ok(compilation), PeerState::Running(worker)) => {
                    entrant.record.warm = Some(compilation);
                    entrant.runner = Runner::Peer(worker);
                }
                (Err(outcome), _) => entrant.record.outcome = outcome,
                (Ok(_), _) => {}
            }
            entrants.push(entrant);
        }

        self.progress.doing(format!("{title}: comparing results"));
        for entrant in &mut entrants {
            let compared = match entrant.results() {
                Ok(None) => continue,
                Ok(Some(results)) => results::difference(&results, &expected),
                Err(e) => Err(e),
            };
            match compared {
                Ok(difference) => {
                    entrant.record.difference = Some(difference);
                    let allowed = results::tolerance(dtype);
                    if difference > allowed {
                        let message = format!("off by {difference:.1e}, allowed are {allowed:.0e}");
                        entrant.drop_out(Outcome::Wrong(message));
                    }
                }
                Err(message) => entrant.drop_out(Outcome::Wrong(message)),
            }
        }
        drop(expected);
        if self.calls {
            take_turns(&mut entrants, self.time, &self.progress, &title);
            count_calls(&mut entrants, program, self.time);
        }
        case.contestants = entrants.into_iter().map(Entrant::finish).collect();
        for peer in &mut self.peers {
            let stopped = case.contestants.iter().any(|c: &Contestant| {
                let is_gone = matches!(c.outcome, Outcome::Limit(_) | Outcome::Failed(_));
                c.name == peer.shown() && is_gone
            });
            // Another one for the next case: this one hangs, or is gone.
            if stopped && matches!(peer.state, PeerState::Running(_)) {
                peer.state = PeerState::Waiting;
            }
            let reached =
                |c: &Contestant| c.name == peer.shown() && matches!(c.outcome, Outcome::Limit(_));
            // The smallest size is enough to leave out all larger ones.
            let is_known = peer.at_limit.iter().any(|(name, _)| *name == workload.name);
            if !is_known && case.contestants.iter().any(reached) {
                peer.at_limit.push((workload.name, n));
            }
        }
        Ok(case)
    }

    /// The least times of compilations in new processes.
    fn cold(&self, planned: &Planned, backend: &str) -> Result<Compilation, Outcome> {
        let options = options::Cold {
            workload: planned.workload.name.to_owned(),
            n: planned.n,
            dtype: planned.dtype.to_string(),
            backend: backend.to_owned(),
            call: self.calls,
        };
        let (first, time) = once(|| cold::run(&options, self.limit));
        let mut all = vec![first?];
        while all.len() < PROCESSES && time < 1e9 {
            all.push(cold::run(&options, self.limit)?);
        }
        Ok(least_of(&all))
    }
}

impl Peer {
    /// How it is called among contestants, where a backend may have its name.
    pub(crate) fn shown(&self) -> &str {
        match self.name.as_str() {
            "torch" => "pytorch",
            name => name,
        }
    }

    /// Starts it if need be, and has it compile.
    fn prepare(
        &mut self,
        planned: &Planned,
        parameters: &serde_json::Value,
        inputs: &[Array],
        call: bool,
        threads: usize,
        limit: Duration,
    ) -> Result<Compilation, Outcome> {
        let smaller = self.at_limit.iter();
        let mut smaller =
            smaller.filter(|(name, n)| *name == planned.workload.name && *n <= planned.n);
        if let Some((_, n)) = smaller.next_back() {
            return Err(Outcome::Limit(format!("left out, as size {n} reached it")));
        }
        if matches!(self.state, PeerState::Waiting) {
            self.state = match Worker::start(&self.name, threads, limit) {
                Ok(worker) => PeerState::Running(worker),
                Err(why) => PeerState::Missing(why),
            };
        }
        match &mut self.state {
            PeerState::Running(worker) => {
                let Planned { workload, n, dtype } = planned;
                worker.prepare(workload.name, *n, *dtype, parameters, inputs, call)
            }
            PeerState::Missing(why) => Err(Outcome::Failed(why.clone())),
            PeerState::Waiting => Err(Outcome::Failed("it was not started".into())),
        }
    }
}
