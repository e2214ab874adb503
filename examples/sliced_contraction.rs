//! A tensor network that is contracted in slices, because whole it would not fit into the memory that it is given: planned, predicted,
//! run on threads with a checkpoint, interrupted, and gone on with.
//!
//! ```text
//! cargo run --release -p autojit --example sliced_contraction -- [--side N] [--bond N] [--limit BYTES] [--threads N]
//! ```
//!
//! The network is a square lattice of tensors, as the partition function of a classical model is, with a value that is known
//! (`known/mod.rs`); the program fails if the result differs from it by more than rounding allows, or if the run that was interrupted
//! gives other bits.

mod known;
#[path = "known/lattice.rs"]
mod lattice;

use std::error::Error;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use autojit::contract::{CompiledPlan, Execute, Network, Options, Plan, Progress, Run, plan};
use autojit::{Array, DType};
use known::Known;
use lattice::lattice;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Arguments {
    side: u32,
    bond: u64,
    limit: u64,
    threads: usize,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut arguments = Self {
            side: 6,
            bond: 6,
            limit: 1_000_000,
            threads: 2,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(format!("{word} needs a number"))?;
            match word.as_str() {
                "--side" => arguments.side = value.parse()?,
                "--bond" => arguments.bond = value.parse()?,
                "--limit" => arguments.limit = value.parse()?,
                "--threads" => arguments.threads = value.parse()?,
                _ => return Err(format!("unknown option {word}").into()),
            }
        }
        if arguments.side < 2 || arguments.bond < 1 {
            return Err("a lattice has two rows at least, and bonds of one at least".into());
        }
        Ok(arguments)
    }
}

/// The largest array of a slice whose run on one thread fits into the limit.
fn fitting(network: &Network, tensors: &[Array], limit: u64) -> Result<(Plan, CompiledPlan)> {
    let mut largest = (limit / 8) as f64;
    while largest >= 1.0 {
        let options = Options {
            largest: Some(largest),
            steps: 100_000,
            ..Options::default()
        };
        let plan = plan(network, &options)?;
        let compiled = plan.compile()?;
        if compiled.memory(tensors)?.total(1) <= limit {
            return Ok((plan, compiled));
        }
        largest /= 2.0;
    }
    Err(format!("no plan fits into {limit} bytes").into())
}

fn run() -> Result<()> {
    let arguments = Arguments::read()?;
    let Known {
        network,
        tensors,
        value,
    } = lattice(arguments.side, arguments.bond)?;
    let whole = plan(
        &network,
        &Options {
            steps: 100_000,
            ..Options::default()
        },
    )?;
    println!("whole:  {}", whole.memory(DType::Float64)?);

    let (plan, compiled) = fitting(&network, &tensors, arguments.limit)?;
    let memory = compiled.memory(&tensors)?;
    println!("sliced: {memory}");
    println!(
        "{} slices, {:.2} times the operations",
        compiled.slices(),
        plan.cost().operations() / whole.cost().operations()
    );
    let options = || {
        Run::new()
            .threads(arguments.threads)
            .memory_limit(arguments.limit)
    };
    let start = Instant::now();
    let sum = compiled.run(&tensors, options())?.item::<f64>()?;
    println!("{sum:e} in {:.1?}", start.elapsed());

    // Ended in the middle, and gone on with from the file.
    let name = format!("sliced_contraction-{}.checkpoint", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut half = |progress: &Progress| {
        if 2 * progress.done < progress.total {
            return ControlFlow::Continue(());
        }
        println!("ended: {progress}");
        ControlFlow::Break(())
    };
    let every = Duration::from_secs(10);
    let ended = options().checkpoint(&path, every).progress(&mut half);
    match compiled.run(&tensors, ended) {
        Err(error) if error.is_interrupted() => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("the run was not interrupted".into()),
    }
    let again = compiled.run(&tensors, options().checkpoint(&path, every))?;
    let again = again.item::<f64>()?;
    if again.to_bits() != sum.to_bits() {
        return Err(format!("{again:e} after the interruption, {sum:e} without it").into());
    }
    if compiled.compilations() != 1 {
        return Err(format!("compiled {} times", compiled.compilations()).into());
    }
    let error = (sum / value - 1.0).abs();
    println!("the same bits after an interruption; {error:.1e} from the value");
    if error > 1e-10 {
        return Err(format!("{sum:e} in slices, the value is {value:e}").into());
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
