//! Compiling in a new process: what a user waits for, and a guard against what compiles for minutes.
//!
//! The process is this program again, with the command `cold`; it can be stopped, which a thread cannot.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use autojit::{Array, DType, autojit};

use crate::measure::{Stopwatch, once};
use crate::options;
use crate::record::{Compilation, Outcome};
use crate::turns::{Sample, stages};
use crate::workloads;

/// The command: measures one compilation and prints it as JSON, with the reason if there is none.
pub(crate) fn command(options: &options::Cold) -> Result<(), String> {
    let outcome = measure(options);
    let text = serde_json::to_string(&outcome).map_err(|e| e.to_string())?;
    println!("{text}");
    Ok(())
}

fn measure(options: &options::Cold) -> Result<Sample, Outcome> {
    let failed = |e: &dyn std::fmt::Display| Outcome::Failed(e.to_string());
    let [workload] = workloads::find(&options.workload)[..] else {
        return Err(failed(&"not one workload"));
    };
    let dtype: DType = options.dtype.parse().map_err(|e| failed(&e))?;
    let case = (workload.build)(options.n, dtype).map_err(|e| failed(&e))?;
    let first = autojit(|x: Array| x + 1.0).backend(&options.backend);
    let x = Array::from([1.0, 2.0]);
    let (report, start) = once(|| first.compile(&x));
    report.map_err(|e| failed(&e))?;
    let compiled = case.program.with_backend(&options.backend);
    let watch = Stopwatch::start();
    let report = compiled.compile();
    let (before_call, share) = watch.stop();
    let report = report.map_err(|e| match e.is_unsupported() {
        true => Outcome::Declined(e.to_string()),
        false => failed(&e),
    })?;
    let mut first_call = None;
    if options.call {
        let (result, call) = once(|| compiled.call());
        result.map_err(|e| failed(&e))?;
        first_call = Some(before_call + call);
    }
    let compilation = Compilation {
        start: Some(start),
        ..stages(&report, first_call)
    };
    Ok(Sample { compilation, share })
}

/// Runs the command, and stops it at the limit.
///
/// # Errors
/// How it went otherwise.
pub(crate) fn run(options: &options::Cold, limit: Duration) -> Result<Sample, Outcome> {
    let failed = |e: std::io::Error| Outcome::Failed(format!("a process of its own: {e}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command
        .args(["cold", "--workload", &options.workload])
        .args(["--n", &options.n.to_string()])
        .args(["--dtype", &options.dtype])
        .args(["--backend", &options.backend])
        .args(options.call.then_some("--call"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if begin.elapsed() > limit {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            let seconds = limit.as_secs_f64();
            return Err(Outcome::Limit(format!(
                "compiles for more than {seconds} s"
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut text = String::new();
    if let Some(mut output) = child.stdout.take() {
        output.read_to_string(&mut text).map_err(failed)?;
    }
    serde_json::from_str::<Result<Sample, Outcome>>(&text).unwrap_or_else(|_| {
        let mut said = String::new();
        if let Some(mut errors) = child.stderr.take() {
            // What it said is shown if it can be read.
            let _ = errors.read_to_string(&mut said);
        }
        let last = said.trim().lines().last().unwrap_or_default();
        Err(Outcome::Failed(format!(
            "compiling ended with {status}: {last}"
        )))
    })
}
