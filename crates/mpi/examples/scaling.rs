//! How the time of a run depends on the number of ranks: measured, by the model of `docs/scaling.md`, and by a simulation of many ranks.
//!
//! ```text
//! mpirun -n 4 target/release/examples/scaling measure [--work MICROSECONDS] [--tasks N] [--bytes N]
//! target/release/examples/scaling simulate
//! ```
//!
//! `measure` distributes tasks that sleep, and so need no core each: what is lost is lost by handing out and by messages. `simulate`
//! plays rank 0 and the others for up to ten thousand ranks with stragglers and failures, and fails where the model is not what comes
//! out. Its draws are seeded.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use autojit::{Array, Error, Result, numpy as np};
use autojit_mpi::Ranks;

/// What the model is made of, in seconds.
#[derive(Clone, Copy)]
struct Constants {
    /// A task.
    task: f64,
    /// What rank 0 does for a result: it receives it, adds it, and sends the number of the next task.
    service: f64,
    /// From the end of a send to the beginning of what the receiver does.
    latency: f64,
}

/// Tasks that a rank has at once, how far ahead they are handed out for each rank, and with how many ranks the first one works too: as in
/// `src/tasks.rs`.
const DEPTH: usize = 2;
const AHEAD: usize = 64;
const RANKS_WITH_A_WORKING_FIRST: usize = 64;

fn workers(ranks: usize) -> usize {
    if ranks > RANKS_WITH_A_WORKING_FIRST {
        ranks - 1
    } else {
        ranks
    }
}

/// Seconds for all tasks without failures: the workers or rank 0 have the more to do, and the last tasks end one task later.
fn model(tasks: usize, ranks: usize, mean: f64, constants: Constants) -> f64 {
    let each = tasks.div_ceil(workers(ranks)) as f64 * mean;
    let first = tasks as f64 * constants.service;
    each.max(first) + 2.0 * constants.latency + constants.service
}

/// A generator of numbers: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Draws(u64);

impl Draws {
    /// Between zero and one.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }
}

/// Ranks that differ.
#[derive(Clone, Copy)]
struct Machine {
    ranks: usize,
    /// The part of the ranks that is slow, and how many times slower.
    slow: f64,
    times: f64,
    /// Each task takes up to this part more or less.
    jitter: f64,
}

/// Time, rank, task.
type Event = Reverse<(Nanoseconds, usize, usize)>;
type Nanoseconds = u64;

fn nanoseconds(seconds: f64) -> Nanoseconds {
    (seconds * 1e9) as Nanoseconds
}

/// A run in which nothing fails: the time at which each result is taken, in order.
fn simulate(tasks: usize, machine: Machine, constants: Constants, draws: &mut Draws) -> Vec<f64> {
    let Machine {
        ranks,
        slow,
        times,
        jitter,
    } = machine;
    let first = ranks - workers(ranks);
    let speed: Vec<f64> = (0..ranks)
        .map(|_| if draws.uniform() < slow { times } else { 1.0 })
        .collect();
    // The tasks that a rank has, and when it is done with the one it does.
    let mut queues: Vec<VecDeque<usize>> = vec![VecDeque::new(); ranks];
    let mut ends: BinaryHeap<Event> = BinaryHeap::new();
    let mut hungry: VecDeque<usize> = (0..DEPTH).flat_map(|_| first..ranks).collect();
    let (mut next, mut taken) = (0, 0);
    let mut here = vec![false; tasks];
    let mut times_taken = vec![0.0; tasks];
    // When rank 0 is free.
    let mut free = 0;
    let service = nanoseconds(constants.service);
    let latency = |rank: usize| {
        if rank == 0 {
            0
        } else {
            nanoseconds(constants.latency)
        }
    };
    let begin = |rank: usize,
                 task: usize,
                 at: Nanoseconds,
                 ends: &mut BinaryHeap<Event>,
                 draws: &mut Draws| {
        let spread = 1.0 + jitter * (2.0 * draws.uniform() - 1.0);
        let time = constants.task * speed[rank] * spread;
        ends.push(Reverse((at + nanoseconds(time), rank, task)));
    };
    loop {
        while next < tasks && next < taken + AHEAD * ranks {
            let Some(rank) = hungry.pop_front() else {
                break;
            };
            queues[rank].push_back(next);
            if queues[rank].len() == 1 {
                begin(rank, next, free + latency(rank), &mut ends, draws);
            }
            next += 1;
        }
        let Some(Reverse((at, rank, task))) = ends.pop() else {
            break;
        };
        // The rank goes on at once, and its result waits until rank 0 has time for it.
        queues[rank].pop_front();
        if let Some(&following) = queues[rank].front() {
            begin(rank, following, at, &mut ends, draws);
        }
        free = free.max(at + latency(rank)) + service;
        hungry.push_back(rank);
        here[task] = true;
        while taken < tasks && here[taken] {
            times_taken[taken] = free as f64 / 1e9;
            taken += 1;
        }
    }
    times_taken
}

/// Ranks that fail, each once in so many seconds; then all end, and go on from a checkpoint after a while.
#[derive(Clone, Copy)]
struct Failures {
    each: f64,
    interval: f64,
    restart: f64,
}

/// Seconds until the end of a run whose results are taken at these times if nothing fails.
fn with_failures(taken: &[f64], ranks: usize, failures: Failures, draws: &mut Draws) -> f64 {
    let all = taken.last().copied().unwrap_or(0.0);
    let (mut kept, mut spent) = (0.0, 0.0);
    loop {
        let lives = draws.exponential(failures.each / ranks as f64);
        if lives >= all - kept {
            return spent + all - kept;
        }
        spent += lives + failures.restart;
        kept += (lives / failures.interval).floor() * failures.interval;
    }
}

/// The mean of that: each failure costs half an interval and a restart (J. W. Young, "A first order approximation to the optimum checkpoint
/// interval", 1974).
fn failure_model(all: f64, ranks: usize, failures: Failures) -> f64 {
    let between = failures.each / ranks as f64;
    let running = all / (1.0 - failures.interval / 2.0 / between);
    running * (1.0 + failures.restart / between)
}

fn check(what: &str, simulated: f64, model: f64, within: f64) -> Result<()> {
    if (simulated / model - 1.0).abs() <= within {
        return Ok(());
    }
    let text = format!("{what}: {simulated} s simulated, {model} s by the model");
    Err(Error::failed_check(text))
}

/// Ranks that are equally fast, with 64 tasks for each: a row of the table. Times vary by `jitter`, and the simulation is to be
/// within a part of the model.
fn equal_ranks(
    ranks: usize,
    constants: Constants,
    jitter: f64,
    within: f64,
    draws: &mut Draws,
) -> Result<()> {
    let tasks = 64 * ranks;
    let machine = Machine {
        ranks,
        slow: 0.0,
        times: 1.0,
        jitter,
    };
    let time = simulate(tasks, machine, constants, draws)[tasks - 1];
    let expected = model(tasks, ranks, constants.task, constants);
    let efficiency = tasks as f64 * constants.task / (ranks as f64 * time);
    println!("{ranks:>6} {tasks:>9} {time:>9.3}s {expected:>9.3}s {efficiency:>10.3}");
    let what = format!("{ranks} ranks, tasks of {} ms", 1e3 * constants.task);
    check(&what, time, expected, within)
}

fn simulations() -> Result<()> {
    let mut draws = Draws(1);
    let constants = Constants {
        task: 0.1,
        service: 10e-6,
        latency: 5e-6,
    };
    println!(
        "tasks of {} ms, {} us of rank 0 for each:",
        1e3 * constants.task,
        1e6 * constants.service
    );
    println!(
        "{:>6} {:>9} {:>10} {:>10} {:>10}",
        "ranks", "tasks", "simulated", "model", "efficiency"
    );
    for ranks in [1, 2, 4, 16, 64, 65, 256, 1024, 4096, 10_000] {
        equal_ranks(ranks, constants, 0.0, 0.05, &mut draws)?;
    }
    println!("short tasks of 1 ms:");
    let short = Constants {
        task: 1e-3,
        ..constants
    };
    for ranks in [16, 64, 128, 256, 1024] {
        equal_ranks(ranks, short, 0.2, 0.1, &mut draws)?;
    }
    println!("1024 ranks, one in a hundred slower:");
    for times in [1.0, 2.0, 4.0, 10.0, 100.0] {
        let machine = Machine {
            ranks: 1024,
            slow: 0.01,
            times,
            jitter: 0.2,
        };
        let tasks = 200 * 1024;
        let time = simulate(tasks, machine, constants, &mut draws)[tasks - 1];
        // What all do together; the tasks that a slow rank has at the end; and where it is slower than tasks are handed out ahead, the
        // others wait for it once for so many.
        let capacity = 1023.0 * (0.99 + 0.01 / times);
        let expected = tasks as f64 * constants.task / capacity;
        println!("{times:>5} times: {time:>8.2} s, {expected:.2} s if none waited");
        let waits = if times > AHEAD as f64 {
            tasks.div_ceil(AHEAD * machine.ranks)
        } else {
            0
        };
        let slowest = DEPTH as f64 * constants.task * times * 1.2;
        let most = expected + slowest * (1 + waits) as f64 + constants.task;
        if time < expected * 0.97 || time > most * 1.02 {
            check("stragglers", time, most, 0.0)?;
        }
    }
    println!(
        "failures, each rank once in a year, checkpoints every minute, two minutes to start again:"
    );
    let failures = Failures {
        each: 365.0 * 86_400.0,
        interval: 60.0,
        restart: 120.0,
    };
    for ranks in [100, 1000, 10_000] {
        // A day without failures.
        let day: Vec<f64> = (1..=86_400).map(f64::from).collect();
        let runs = 400;
        let all = (0..runs).map(|_| with_failures(&day, ranks, failures, &mut draws));
        let mean = all.sum::<f64>() / f64::from(runs);
        let expected = failure_model(86_400.0, ranks, failures);
        println!(
            "{ranks:>6} ranks: {:.3} days, {:.3} by the model",
            mean / 86_400.0,
            expected / 86_400.0
        );
        check(&format!("{ranks} ranks that fail"), mean, expected, 0.03)?;
    }
    Ok(())
}

/// Nanoseconds that this thread had a core.
fn on_core() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn measure(words: &[String]) -> Result<()> {
    let (mut work, mut tasks, mut bytes) = (20_000, 400, 16);
    for pair in words.chunks(2) {
        let [word, value] = pair else {
            return Err(Error::value("an option without a value"));
        };
        let value: u64 = value
            .parse()
            .map_err(|_| Error::value(format!("{word} needs a number")))?;
        match word.as_str() {
            "--work" => work = value,
            "--tasks" => tasks = value,
            "--bytes" => bytes = value,
            _ => return Err(Error::value(format!("unknown option {word}"))),
        }
    }
    let ranks = Ranks::start()?;
    let given = np::zeros([1, (bytes / 8).max(1) as i64], ..);
    let xs = np::zeros([tasks as i64], ..);
    let task = |_: &Array| {
        if work > 0 {
            std::thread::sleep(Duration::from_micros(work));
        }
        Ok(given.clone())
    };
    // Connections are made by the first messages.
    ranks.map(task, &np::zeros([4 * ranks.size() as i64], ..), 1)?;
    let (start, before) = (Instant::now(), on_core());
    ranks.map(task, &xs, 1)?;
    let time = start.elapsed().as_secs_f64();
    if ranks.rank() == 0 {
        let size = ranks.size();
        let alone = tasks as f64 * work as f64 / 1e6;
        println!(
            "{size} ranks: {time:.3} s, {alone:.3} s of work, efficiency {:.3}",
            alone / time / size as f64
        );
        if let (Some(before), Some(after)) = (before, on_core()) {
            let each = (after - before) as f64 / 1e3 / tasks as f64;
            println!("rank 0 spoke to the others for {each:.1} us of a core for each task");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("measure") => measure(&words[1..]),
        Some("simulate") => simulations(),
        Some(_) | None => Err(Error::value("expected `measure` or `simulate`")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
