//! The benchmark harness: what compiling and calling costs, by every backend and beside others.
//!
//! ```text
//! cargo bench --bench harness -- list
//! cargo bench --bench harness -- run --workload mgs --n 50 --peers numpy,jax --json out.json
//! cargo bench --bench harness -- report out.json -o report.html
//! cargo bench --bench harness -- law
//! cargo bench --bench harness -- compare before.json after.json
//! ```
//!
//! `docs/benchmarks.md` explains how to read its output, and `record.rs` describes the JSON. The workloads are in
//! `benches/workloads`, the peers in `benches/peers`.
//!
//! On a noisy machine only ratios of contestants of one run can be trusted: they take turns, many times, on one
//! core, and the best turn counts. Results are compared before anything is timed; a contestant whose results are wrong
//! is reported as that, without times.

mod cold;
mod compare;
mod contestant;
mod law;
mod libraries;
mod list;
mod machine;
mod measure;
mod memory;
mod options;
mod peers;
mod progress;
mod record;
mod report;
mod run;
mod targets;
mod text;
mod turns;
#[path = "../workloads/mod.rs"]
mod workloads;

use std::process::ExitCode;

use options::Command;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn main() -> ExitCode {
    let outcome = match options::command() {
        Command::List => list::list(),
        Command::Run(options) => run::command(&options),
        Command::Law(options) => law::command(&options),
        Command::Report(options) => report::command(&options),
        Command::Compare(options) => compare::command(&options),
        Command::Targets(options) => targets::command(&options),
        Command::Cold(options) => cold::command(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
