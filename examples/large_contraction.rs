//! A tensor network that needs far more memory than it is given, contracted in a process that is killed half-way and by one that goes on.
//!
//! ```text
//! cargo run --release -p autojit --example large_contraction -- --bond 10 --limit 256000000 --interval 2000
//! ```
//!
//! The network is six tensors, each with a bond to each other one, and its value is known (`known/mod.rs`). Three of them have nine bonds with
//! the others, which with these options are 10^9 elements: the best plan without slices needs more than eight gigabytes. The program searches for a plan, starts itself again to run it with a checkpoint, kills that process
//! (SIGKILL on Unix) once half of the slices are added, and starts another one, whose memory is measured. It fails if the result is not the
//! value to 1e-10, if more than one interval between checkpoints was lost, or if the memory is more than 1.1 times what was predicted
//! and the buffers of products of matrices.

mod known;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use autojit::DType;
use autojit::contract::{CompiledPlan, Execute, Label, Options, Plan, Progress, Run, plan};
use known::Known;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Products of matrices pack blocks of their operands into buffers of each thread, which predictions leave out.
const PACKED: u64 = 2 << 20;

struct Arguments {
    bond: u64,
    limit: u64,
    threads: usize,
    /// Milliseconds between checkpoints.
    interval: u64,
    steps: u64,
    /// The folder with the plan: set in the processes that run it.
    folder: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut arguments = Self {
            bond: 4,
            limit: 400_000,
            threads: 2,
            interval: 1,
            steps: 100_000,
            folder: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(format!("{word} needs a value"))?;
            match word.as_str() {
                "--bond" => arguments.bond = value.parse()?,
                "--limit" => arguments.limit = value.parse()?,
                "--threads" => arguments.threads = value.parse()?,
                "--interval" => arguments.interval = value.parse()?,
                "--steps" => arguments.steps = value.parse()?,
                "--folder" => arguments.folder = Some(value.into()),
                _ => return Err(format!("unknown option {word}").into()),
            }
        }
        if arguments.bond < 1 || arguments.threads < 1 {
            return Err("bonds and threads are one at least".into());
        }
        Ok(arguments)
    }

    /// This program again, to run the plan in a folder.
    fn again(&self, folder: &Path) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--folder").arg(folder);
        let numbers = [
            ("--bond", self.bond),
            ("--limit", self.limit),
            ("--threads", self.threads as u64),
            ("--interval", self.interval),
        ];
        for (word, number) in numbers {
            command.arg(word).arg(number.to_string());
        }
        command.stdout(Stdio::piped());
        Ok(command)
    }
}

/// Six tensors, and a bond between each two of them.
fn complete(bond: u64) -> Result<Known> {
    const COUNT: u32 = 6;
    let label = |i: u32, j: u32| COUNT * i.min(j) + i.max(j);
    let tensor = |i: u32| {
        (0..COUNT)
            .filter(|&j| j != i)
            .map(|j| label(i, j))
            .collect()
    };
    let operands: Vec<Vec<Label>> = (0..COUNT).map(tensor).collect();
    Ok(Known::new(&operands, bond)?)
}

/// The fewest operations in slices that fit into the limit on so many threads.
fn fitting(arguments: &Arguments, known: &Known) -> Result<(Plan, CompiledPlan)> {
    let mut largest = (arguments.limit / 8 / arguments.threads as u64) as f64;
    while largest >= 1.0 {
        let options = Options {
            largest: Some(largest),
            steps: arguments.steps,
            ..Options::default()
        };
        let plan = plan(&known.network, &options)?;
        let compiled = plan.compile()?;
        let needed = compiled.memory(&known.tensors)?.total(arguments.threads);
        if needed + arguments.threads as u64 * PACKED.min(arguments.limit / 8) <= arguments.limit {
            return Ok((plan, compiled));
        }
        largest /= 2.0;
    }
    Err(format!("no plan fits into {} bytes", arguments.limit).into())
}

/// Bytes of this process that are in memory, now and at most so far.
fn resident() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    };
    Some((line("VmRSS:")?, line("VmHWM:")?))
}

/// Runs the plan of a folder, and says how far it is.
fn run(arguments: &Arguments, folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(folder.join("plan.json"))?;
    let plan: Plan = serde_json::from_str(&text)?;
    let known = complete(arguments.bond)?;
    let compiled = plan.compile()?;
    let memory = compiled.memory(&known.tensors)?;
    let before = resident();
    let start = Instant::now();
    let mut report = |progress: &Progress| {
        println!("done {} {}", progress.done, start.elapsed().as_millis());
        ControlFlow::Continue(())
    };
    let options = Run::new()
        .threads(arguments.threads)
        .memory_limit(arguments.limit)
        .checkpoint(
            folder.join("checkpoint"),
            Duration::from_millis(arguments.interval),
        )
        .progress(&mut report);
    let value = compiled.run(&known.tensors, options)?.item::<f64>()?;
    println!("value {value:e} {:e}", value / known.value - 1.0);
    // Operands were there before.
    let predicted = memory.total(arguments.threads) - memory.operands;
    if let (Some((before, _)), Some((_, most))) = (before, resident()) {
        println!("memory {} {predicted} {most}", most.saturating_sub(before));
    }
    Ok(())
}

/// What a run said: slices with the milliseconds since it began, and the words of its other lines.
#[derive(Default)]
struct Said {
    done: Vec<(u64, u64)>,
    value: Option<(f64, f64)>,
    memory: Option<[u64; 3]>,
}

/// Starts a run and listens to it, until it ends or has added so many slices: then it is killed.
fn listen(mut command: Command, until: u64) -> Result<Said> {
    let mut process = command.spawn()?;
    let output = process.stdout.take().ok_or("a process without an output")?;
    let mut said = Said::default();
    let mut killed = false;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["done", slices, time] => {
                said.done.push((slices.parse()?, time.parse()?));
                if !killed && said.done.last().is_some_and(|&(done, _)| done >= until) {
                    process.kill()?;
                    killed = true;
                }
            }
            ["value", value, error] => said.value = Some((value.parse()?, error.parse()?)),
            ["memory", taken, predicted, most] => {
                said.memory = Some([taken.parse()?, predicted.parse()?, most.parse()?]);
            }
            _ => println!("{line}"),
        }
    }
    let status = process.wait()?;
    if status.success() == killed {
        return Err(format!("the run ended with {status}").into());
    }
    Ok(said)
}

fn whole(arguments: &Arguments, folder: &Path) -> Result<()> {
    let start = Instant::now();
    let known = complete(arguments.bond)?;
    let options = Options {
        steps: arguments.steps,
        ..Options::default()
    };
    let best = plan(&known.network, &options)?;
    println!("whole:  {}", best.memory(DType::Float64)?);
    let (plan, compiled) = fitting(arguments, &known)?;
    println!("sliced: {}", compiled.memory(&known.tensors)?);
    println!(
        "{} slices in {} calls, {:.2} times the {:.3e} multiplications; planned in {:.1?}",
        compiled.slices(),
        compiled.calls(),
        plan.cost().operations() / best.cost().operations(),
        best.cost().operations(),
        start.elapsed()
    );
    std::fs::write(folder.join("plan.json"), serde_json::to_string(&plan)?)?;
    let (slices, calls) = (compiled.slices(), compiled.calls());
    drop(compiled);

    let first = listen(arguments.again(folder)?, slices / 2)?;
    let &(added, ended) = first.done.last().ok_or("nothing was added")?;
    let start = Instant::now();
    let second = listen(arguments.again(folder)?, u64::MAX)?;
    let &(next, _) = second.done.first().ok_or("nothing was added")?;
    // The first thing that a run says is what it had, and one call more.
    let kept = next - slices.div_ceil(calls).min(next);
    println!(
        "killed when {added} slices were added, {ended} ms after the start; went on from {kept}"
    );
    // What the killed run had added at its last checkpoint: all but the last interval, and one call that was being added.
    let at = ended.saturating_sub(arguments.interval);
    let due = first.done.iter().take_while(|&&(_, time)| time <= at);
    let due = due.last().map_or(0, |&(done, _)| done);
    if kept + 2 * slices.div_ceil(calls) < due {
        return Err(format!(
            "went on from {kept}, but {due} were added an interval before the end"
        )
        .into());
    }
    let (value, error) = second.value.ok_or("a run without a value")?;
    println!(
        "{value:e} after {:.1?} more, {error:.1e} from the value",
        start.elapsed()
    );
    if error.abs() > 1e-10 {
        return Err(format!("{value:e} is {error:e} from the value").into());
    }
    if let Some([taken, predicted, most]) = second.memory {
        println!(
            "{taken} bytes more than before the run, {predicted} predicted; {most} of the process"
        );
        let buffers = arguments.threads as u64 * PACKED;
        if taken > predicted + predicted / 10 + buffers {
            return Err(format!("{taken} bytes, predicted were {predicted}").into());
        }
    }
    Ok(())
}

fn start() -> Result<()> {
    let arguments = Arguments::read()?;
    if let Some(folder) = &arguments.folder {
        return run(&arguments, folder);
    }
    let name = format!("large_contraction-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder)?;
    let result = whole(&arguments, &folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
