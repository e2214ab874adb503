//! The file of a run: JSON, version 1.
//!
//! Times are nanoseconds, memory is bytes, and what is not known is left out. A reader refuses other versions than
//! its own: a change that old readers would misread gets a new number, a new field does not. `docs/benchmarks.md`
//! lists the fields for people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of the format.
pub(crate) const SCHEMA: &str = "autojit-benchmark";
/// The version that this program writes and reads.
pub(crate) const VERSION: u32 = 1;

/// A file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// `autojit-benchmark`.
    pub(crate) schema: String,
    /// 1.
    pub(crate) version: u32,
    /// When the run began, in UTC: `2026-11-25 16:40`.
    pub(crate) date: String,
    /// The arguments of the harness.
    pub(crate) command: Vec<String>,
    /// Where it ran.
    pub(crate) machine: Machine,
    /// Seconds after which what was still compiling, or in its first call, was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<f64>,
    /// Versions of everything that was measured, by name.
    pub(crate) versions: BTreeMap<String, String>,
    /// One for each workload, size and dtype.
    pub(crate) cases: Vec<Case>,
}

/// The machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Its processor.
    pub(crate) processor: String,
    /// Its operating system and architecture.
    pub(crate) system: String,
    /// Cores that it has.
    pub(crate) cores: usize,
    /// Cores that contestants might use.
    pub(crate) threads: usize,
    /// Other work on it as the run began: the load of the last minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<f64>,
    /// Variables of autojit that were set, such as `AUTOJIT_TARGET`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, String>,
}

impl Machine {
    /// The processor, and what native code was made for if that was said.
    pub(crate) fn title(&self) -> String {
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| format!(", {name}={value}"));
        format!("{}{}", self.processor, variables.collect::<String>())
    }

    /// Whether native code has vectors of 512 bits.
    pub(crate) fn has_avx512(&self) -> bool {
        let target = self.variables.get("AUTOJIT_TARGET");
        self.processor.contains("AVX-512")
            && target.is_none_or(|target| target == "avx512")
            && !self.variables.contains_key("AUTOJIT_PROCESSOR")
    }
}

/// A workload of one size and dtype.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    /// Its name.
    pub(crate) workload: String,
    /// A description.
    pub(crate) about: String,
    /// The size.
    pub(crate) n: usize,
    /// The unit of the size.
    pub(crate) size: String,
    /// The dtype of its arguments.
    pub(crate) dtype: String,
    /// A divisor of times: a number and its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per: Option<(usize, String)>,
    /// Arrays of the result, and their bytes.
    pub(crate) results: usize,
    pub(crate) result_bytes: usize,
    /// The costs of the plan of a contraction, where the case has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<PlanCost>,
    /// The contestants.
    pub(crate) contestants: Vec<Contestant>,
}

/// The costs of the plan of a contraction: binary logarithms, but for the number of slices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanCost {
    /// Operations of all slices.
    pub(crate) operations: f64,
    /// Operations of the plan that it is measured against: along the path that comes with the network, or, in slices, cotengra's.
    pub(crate) reference: f64,
    /// Elements of the largest array that a contraction gives.
    pub(crate) largest: f64,
    /// Slices.
    pub(crate) slices: f64,
}

/// The kind of contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The function as it is, on ndarray.
    Eager,
    /// Compiled by a backend of autojit.
    Backend,
    /// The same work by hand, or by a library of Rust.
    Baseline,
    /// The same function in Python.
    Peer,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "status", content = "message")]
pub(crate) enum Outcome {
    /// It ran, and its results are right.
    Ok,
    /// The backend does not have an operation, or the peer does not have the workload; why.
    Declined(String),
    /// It reached the time limit; in which stage.
    Limit(String),
    /// Its results are wrong; how.
    Wrong(String),
    /// It failed, or could not be installed; how.
    Failed(String),
}

/// A contestant of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contestant {
    /// Its name.
    pub(crate) name: String,
    /// Its kind.
    pub(crate) kind: Kind,
    /// How it went: `status`, and `message` unless it is `ok`.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
    /// The largest difference to the eager results, relative to the largest element of the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) difference: Option<f64>,
    /// Compiling in a process that has compiled before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warm: Option<Compilation>,
    /// Compiling in a new process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cold: Option<Compilation>,
    /// Calls of what is compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<Calls>,
    /// A call with these arguments of a compiled function that computes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overhead: Option<f64>,
    /// Counts that do not depend on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
}

/// Times of the stages that come before a call: each the least of the repetitions. Peers have other stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compilation {
    /// How often it was measured.
    pub(crate) repetitions: usize,
    /// Costs that a process has once: the first compilation of `x + 1`. Only in new processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<f64>,
    /// Running the function on variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<f64>,
    /// Optimising the graph; lowering, for JAX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) optimize: Option<f64>,
    /// Making code of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compile: Option<f64>,
    /// Everything up to the results of the first call, the stages among it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_call: Option<f64>,
}

impl Compilation {
    /// All stages before a call.
    pub(crate) fn total(&self) -> Option<f64> {
        let stages = [self.trace, self.optimize, self.compile];
        let known = stages.iter().flatten();
        known.clone().next()?;
        Some(known.sum())
    }
}

/// Times of calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Calls in all.
    pub(crate) count: u64,
    /// The best batch, for a call.
    pub(crate) min: f64,
    /// The middle one of all batches.
    pub(crate) median: f64,
    /// The best batch of each turn.
    pub(crate) turns: Vec<f64>,
}

/// Counts of autojit's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Nodes that were traced.
    pub(crate) nodes: usize,
    /// Nodes that were left after optimising.
    pub(crate) optimized: usize,
    /// Nodes that each pass looked at.
    pub(crate) visited: BTreeMap<String, usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernels: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tape_entries: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) runtime_calls: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_bytes: Option<usize>,
}

/// Memory of Rust's allocator: what libraries in C++ allocate, and pages of machine code, are not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The most bytes of a call, as planned before any run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) planned_peak: Option<usize>,
    /// The most bytes that the first call after compiling held at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_call_peak: Option<u64>,
    /// The same of a later call, which finds memory of calls before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call_peak: Option<u64>,
    /// Allocations of such a call, and their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call_allocations: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call_bytes: Option<u64>,
    /// The most bytes held at once while compiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compile_peak: Option<u64>,
    /// Bytes that are held by what was compiled, machine code not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compiled: Option<i64>,
    /// Allocations while compiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compile_allocations: Option<u64>,
}

impl Contestant {
    /// One of which nothing is known yet.
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            outcome: Outcome::Ok,
            difference: None,
            warm: None,
            cold: None,
            calls: None,
            overhead: None,
            counts: None,
            memory: None,
        }
    }
}

impl Case {
    /// Its name: `mgs 50 float64`.
    pub(crate) fn title(&self) -> String {
        format!("{} {} {}", self.workload, self.n, self.dtype)
    }

    /// The contestant of a name.
    pub(crate) fn contestant(&self, name: &str) -> Option<&Contestant> {
        self.contestants.iter().find(|c| c.name == name)
    }
}

impl Record {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
        let value: Value = serde_json::from_str(&text).map_err(|e| format!("{shown}: {e}"))?;
        if value["schema"] != SCHEMA {
            return Err(format!("{shown} is no record of the benchmark harness"));
        }
        if value["version"] != VERSION {
            return Err(format!(
                "{shown} has version {}, expected {VERSION}: measure again",
                value["version"]
            ));
        }
        serde_json::from_value(value).map_err(|e| format!("{shown}: {e}"))
    }

    /// Reads files of one machine as one record.
    ///
    /// # Errors
    /// One cannot be read, or they come from several machines.
    pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Self, String> {
        let [first, others @ ..] = paths else {
            return Err("expected a file".into());
        };
        let mut record = Self::read(first)?;
        for path in others {
            let other = Self::read(path)?;
            if other.machine.title() != record.machine.title() {
                return Err(format!(
                    "{} was measured on another machine: {}",
                    path.display(),
                    other.machine.title()
                ));
            }
            record.versions.extend(other.versions);
            record.command.push("+".into());
            record.command.extend(other.command);
            record.cases.extend(other.cases);
        }
        Ok(record)
    }

    /// Reads files as one record for each machine, in the order in which machines come first.
    ///
    /// # Errors
    /// One cannot be read.
    pub(crate) fn by_machine(paths: &[PathBuf]) -> Result<Vec<Self>, String> {
        let mut titles: Vec<(String, Vec<PathBuf>)> = Vec::new();
        for path in paths {
            let title = Self::read(path)?.machine.title();
            match titles.iter_mut().find(|(other, _)| *other == title) {
                Some((_, files)) => files.push(path.clone()),
                None => titles.push((title, vec![path.clone()])),
            }
        }
        titles
            .iter()
            .map(|(_, files)| Self::read_all(files))
            .collect()
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        autojit_ir::file::write(path, (text + "\n").as_bytes()).map_err(|e| e.to_string())
    }
}
