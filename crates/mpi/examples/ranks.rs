//! A tensor network that is contracted by all ranks of an MPI program, its gradient, and a function of many examples.
//!
//! ```text
//! mpirun -n 4 target/release/examples/ranks [--side N] [--bond N] [--largest N] [--checkpoint FILE]
//! ```
//!
//! The network is a square lattice with a value that is known (`examples/known/mod.rs`). `--largest` is the most elements of an
//! intermediate result: a smaller number gives more slices. The program fails if results are wrong.

#[path = "../../../examples/known/mod.rs"]
mod known;
#[path = "../../../examples/known/lattice.rs"]
mod lattice;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use autojit::contract::{Execute, Options};
use autojit::{Array, Error, Result, autojit, numpy as np, vmap};
use autojit_mpi::{Ranks, Run};
use known::Known;
use lattice::lattice;

struct Arguments {
    side: u32,
    bond: u64,
    largest: f64,
    checkpoint: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut arguments = Self {
            side: 5,
            bond: 4,
            largest: 256.0,
            checkpoint: None,
        };
        let wrong = |word: &str| Error::value(format!("{word} needs another value"));
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| wrong(&word))?;
            let number = || value.parse::<u32>().map_err(|_| wrong(&word));
            match word.as_str() {
                "--side" => arguments.side = number()?.max(2),
                "--bond" => arguments.bond = number()?.max(1).into(),
                "--largest" => arguments.largest = number()?.into(),
                "--checkpoint" => arguments.checkpoint = Some(value.into()),
                _ => return Err(Error::value(format!("unknown option {word}"))),
            }
        }
        Ok(arguments)
    }
}

fn run(ranks: &Ranks) -> Result<()> {
    // Each rank reads them, and finds the same mistake.
    let arguments = ranks.agree(Arguments::read())?;
    let say = |text: String| {
        if ranks.rank() == 0 {
            println!("{text}");
        }
    };
    let Known {
        network,
        tensors,
        value,
    } = lattice(arguments.side, arguments.bond)?;
    let options = Options {
        largest: Some(arguments.largest),
        steps: 100_000,
        ..Options::default()
    };
    let plan = ranks.plan(&network, &options)?;
    let compiled = plan.compile()?;
    compiled.check(&tensors)?;
    let mut how = Run::new();
    if let Some(path) = arguments.checkpoint {
        how = how.checkpoint(path, Duration::from_secs(10));
    }
    let start = Instant::now();
    let sum = ranks.contract(&compiled, &tensors, how)?.item::<f64>()?;
    say(format!(
        "{sum:e} by {} ranks, {} slices in {} calls: {:.3} s",
        ranks.size(),
        compiled.slices(),
        compiled.calls(),
        start.elapsed().as_secs_f64()
    ));
    near("the contraction", sum, value)?;

    let gradient = plan.compile_gradient()?;
    let start = Instant::now();
    let (same, gradient) = ranks.contract_gradient(&gradient, &tensors, Run::new())?;
    say(format!(
        "its gradient: {:.3} s",
        start.elapsed().as_secs_f64()
    ));
    near("the value", same.item()?, value)?;
    // The value is linear in each tensor, so it is the tensor times its gradient.
    for (tensor, gradient) in tensors.iter().zip(&gradient) {
        near("a gradient", np::sum(tensor * gradient, ..).item()?, value)?;
    }

    // The value for scaled tensors, of many scales.
    let count = tensors.len() as f64;
    let power = autojit(vmap(move |x: Array| value * np::power(&x, count)));
    let scales = np::linspace(0.9, 1.1, 1000);
    let start = Instant::now();
    let values = ranks.map(|batch| power.call(batch)?, &scales, 10)?;
    say(format!(
        "{} examples: {:.3} s",
        values.len()?,
        start.elapsed().as_secs_f64()
    ));
    near(
        "an example",
        values.get(0).item()?,
        value * 0.9f64.powf(count),
    )
}

fn near(what: &str, got: f64, expected: f64) -> Result<()> {
    if (got / expected - 1.0).abs() < 1e-10 {
        return Ok(());
    }
    let text = format!("{what} gave {got:e}, expected {expected:e}");
    Err(Error::failed_check(text))
}

fn main() -> ExitCode {
    let ranks = match Ranks::start() {
        Ok(ranks) => ranks,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // What one rank found wrong is told to all, so that no rank waits for one that has left.
    match ranks.agree(run(&ranks)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if ranks.rank() == 0 {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}
