//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures what compiling and calling costs, by every backend of autojit and beside others.
///
/// Without a command it is `run`: one size of each workload that takes less than a second.
#[derive(Parser)]
#[command(name = "harness", bin_name = "cargo bench --bench harness --", version)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Given by cargo.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

/// The command that was given; without one, as when cargo runs all benchmarks, `run`.
pub(crate) fn command() -> Command {
    let given = Options::parse().command;
    given.unwrap_or_else(|| Command::Run(Quick::parse_from(["run"]).run))
}

/// `run` with all its defaults.
#[derive(Parser)]
struct Quick {
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists workloads, backends and peers.
    List,
    /// Measures workloads.
    Run(Run),
    /// Fits how the time to compile grows with the number of nodes, from 10^3 to 10^6.
    Law(Law),
    /// Makes a page of charts and tables, in HTML or Markdown, of what `run` and `law` wrote, or the figures of docs/benchmarks.md.
    Report(Report),
    /// Says what changed between two runs, noise taken into account.
    Compare(Compare),
    /// Holds a run of `--suite engine` against the targets of the native engine.
    Targets(Targets),
    /// Measures one compilation in a process of its own; `run` calls this.
    #[command(hide = true)]
    Cold(Cold),
}

/// A selection of workloads and sizes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Every workload at its usual sizes.
    All,
    /// One size of each workload that takes less than a second.
    Quick,
    /// The workloads that have targets for the native engine.
    Engine,
}

#[derive(Args, Clone)]
pub(crate) struct Run {
    /// Workloads, or groups of them such as `networks`; see `list`.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) workload: Vec<String>,
    /// A selection of workloads and sizes, if no workload is named.
    #[arg(long, value_enum, default_value = "quick")]
    pub(crate) suite: Suite,
    /// Sizes; each workload has usual ones.
    #[arg(long, value_delimiter = ',', value_name = "SIZE")]
    pub(crate) n: Vec<usize>,
    /// `eager`, and backends; all that are built unless some are named.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) backend: Vec<String>,
    /// dtypes, such as `complex128`; each workload has a usual one.
    #[arg(long, value_delimiter = ',', value_name = "DTYPE")]
    pub(crate) dtype: Vec<String>,
    /// Others in Python: numpy, autoray, autoray-jax, jax, casadi, numba, torch, torch-compile. They are installed into a
    /// folder under `target`. And libraries in C that are baselines: sleef, libxsmm, by the system's packages.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) peers: Vec<String>,
    /// Leaves out the same work by hand and by libraries of Rust.
    #[arg(long)]
    pub(crate) no_baselines: bool,
    /// Cores that everything may use.
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    pub(crate) threads: usize,
    /// Seconds of calls for each contestant of a case: 0.5, and 0.1 with `--suite engine`.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) time: Option<f64>,
    /// Seconds after which a contestant that is still compiling, or in its first call, is stopped and reported so: 60, and 15
    /// with `--suite engine`. A peer that was stopped is left out for larger sizes of that workload.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) limit: Option<f64>,
    /// Writes everything that was measured to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub(crate) struct Law {
    /// Workloads that have any number of nodes.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME",
        default_value = "chain,dag,mgs,grad_mgs,vmap_mgs,plan_ladder"
    )]
    pub(crate) workload: Vec<String>,
    /// Numbers of nodes.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "COUNT",
        default_value = "1000,3000,10000,30000,100000,300000,1000000"
    )]
    pub(crate) nodes: Vec<usize>,
    /// Backends.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME",
        default_value = "cranelift"
    )]
    pub(crate) backend: Vec<String>,
    /// Others in Python that compile: jax. Each is left out beyond the size at which it reaches the limit.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) peers: Vec<String>,
    /// Seconds after which a contestant that is still compiling is stopped and reported so.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    pub(crate) limit: f64,
    /// Writes everything that was measured to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// The format of a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One page that needs nothing else.
    Html,
    /// Tables.
    Markdown,
}

#[derive(Args)]
pub(crate) struct Report {
    /// The files that `run` or `law` wrote; several are put together.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write it; standard output if nowhere.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format; by the ending of the output's name unless given.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Writes the figures into a page, such as docs/benchmarks.md, between two lines that mark the place. Files may come from
    /// several machines.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "format"])]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Compare {
    /// The run before.
    pub(crate) before: PathBuf,
    /// The run after.
    pub(crate) after: PathBuf,
    /// Shows what did not change, too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Fails if anything is slower beyond noise, or any count is larger.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args)]
pub(crate) struct Targets {
    /// The files that `run --suite engine` and `law` wrote.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Writes a table in Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Args)]
pub(crate) struct Cold {
    /// The workload.
    #[arg(long)]
    pub(crate) workload: String,
    /// The size.
    #[arg(long)]
    pub(crate) n: usize,
    /// The dtype.
    #[arg(long)]
    pub(crate) dtype: String,
    /// The backend.
    #[arg(long)]
    pub(crate) backend: String,
    /// Whether to call it, too.
    #[arg(long)]
    pub(crate) call: bool,
}
