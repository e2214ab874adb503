//! Runs conformance cases made by NumPy (see `tests/conformance/README.md`) and compares the results.
//!
//! ```text
//! conformance [--backend eager|lazy|replay|cranelift|torch|xla|all] [--library NAME] PATH...
//! ```
//!
//! With `--library torch` inputs are arrays of that library, and results must be. XLA gets zeros for subnormal numbers.
//!
//! A path is a file of cases or programs, or a folder of such files. Failures are listed with the file and the
//! index of the case; skips by reason, and likewise cases that a backend does not support, which replay then ran; the last line
//! counts. The exit code is 1 if anything failed, and
//! 2 if the arguments are wrong or the backend is not built.
//!
//! There is no table of functions here: every call goes by name through `autojit::dispatch`, so a function that
//! is not there yet fails.

mod compare;
mod compiled;
mod execute;
mod flushed;
mod json;
mod transforms;

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use execute::Mode;
use json::{Case, Expected};

/// The outcome of a case.
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Counts and messages over all files.
#[derive(Default)]
struct Report {
    passed: usize,
    failures: Vec<String>,
    /// Cases that a backend does not support and replay ran, by reason.
    declined: BTreeMap<String, usize>,
    skips: BTreeMap<String, usize>,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(report) => {
            for failure in &report.failures {
                println!("FAILED {failure}");
            }
            for (reason, count) in &report.declined {
                println!("replayed {count}: {reason}");
            }
            for (reason, count) in &report.skips {
                println!("skipped {count}: {reason}");
            }
            let skipped: usize = report.skips.values().sum();
            let failed = report.failures.len();
            println!(
                "{} passed, {failed} failed, {skipped} skipped",
                report.passed
            );
            ExitCode::from(u8::from(failed > 0))
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<Report, String> {
    let (mut backend, mut library, mut paths) = ("eager".to_owned(), None, Vec::new());
    while let Some(argument) = arguments.next() {
        if argument == "--backend" {
            backend = arguments.next().ok_or("--backend needs a name")?;
        } else if let Some(name) = argument.strip_prefix("--backend=") {
            backend = name.to_owned();
        } else if argument == "--library" {
            library = Some(arguments.next().ok_or("--library needs a name")?);
        } else if let Some(name) = argument.strip_prefix("--library=") {
            library = Some(name.to_owned());
        } else if argument.starts_with('-') {
            return Err(format!(
                "unknown option {argument}, expected [--backend NAME] [--library NAME] PATH..."
            ));
        } else {
            paths.extend(files(Path::new(&argument))?);
        }
    }
    if paths.is_empty() {
        return Err("expected [--backend NAME] [--library NAME] PATH...".into());
    }
    if let Some(name) = &library
        && !autojit::libraries().contains(&name.as_str())
    {
        let known = autojit::libraries().join(", ");
        return Err(format!(
            "the library {name} is not built, known are {known}"
        ));
    }
    let modes = if backend == "all" {
        Mode::built()
    } else {
        vec![Mode::parse(&backend)?]
    };
    // A panic is a failure of its case; its message goes into the list, not in between.
    panic::set_hook(Box::new(|_| {}));
    let mut report = Report::default();
    for mode in &modes {
        let label = if modes.len() > 1 {
            format!("{mode} ")
        } else {
            String::new()
        };
        for path in &paths {
            run_file(mode, library.as_deref(), &label, path, &mut report)?;
        }
    }
    let _ = panic::take_hook();
    Ok(report)
}

/// The file itself, or the `.json` files of a folder in order.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    Ok(files)
}

fn run_file(
    mode: &Mode,
    library: Option<&str>,
    label: &str,
    path: &Path,
    report: &mut Report,
) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let cases = json::read(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    // Where the shape of a result depends on values, a trace must refuse.
    let dynamic = path.file_stem().is_some_and(|s| s == "index_dynamic");
    let (passed, failed) = (report.passed, report.failures.len());
    let name = path
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    for (index, case) in cases.iter().enumerate() {
        // As many counts as the largest number says.
        let counts = case.as_ref().is_ok_and(|c| c.name == "bincount");
        let refused = (dynamic || counts) && mode.is_traced();
        match run_case(mode, library, case.as_ref(), refused, &mut report.declined) {
            Outcome::Passed => report.passed += 1,
            Outcome::Skipped(reason) => *report.skips.entry(reason).or_default() += 1,
            Outcome::Failed(why) => {
                let function = case.as_ref().map_or("?", |c| c.name.as_str());
                report
                    .failures
                    .push(format!("{label}{name}[{index}] {function}: {why}"));
            }
        }
    }
    println!(
        "{label}{name}: {} passed, {} failed of {}",
        report.passed - passed,
        report.failures.len() - failed,
        cases.len()
    );
    Ok(())
}

fn run_case(
    mode: &Mode,
    library: Option<&str>,
    case: Result<&Case, &json::Unreadable>,
    refused: bool,
    declined: &mut BTreeMap<String, usize>,
) -> Outcome {
    let case = match case {
        Ok(case) => case,
        Err(json::Unreadable::NoDType(dtype)) => {
            return Outcome::Skipped(format!("there is no dtype {dtype}"));
        }
        Err(json::Unreadable::Malformed(why)) => return Outcome::Failed(why.clone()),
    };
    let is_xla = library == Some("xla") || *mode == Mode::Backend("xla".to_owned());
    let flushed = if is_xla {
        match flushed::without_subnormals(case) {
            Ok(flushed) => flushed,
            Err(error) => return Outcome::Failed(error.to_string()),
        }
    } else {
        None
    };
    let case = flushed.as_ref().unwrap_or(case);
    let result = panic::catch_unwind(AssertUnwindSafe(|| execute::run(mode, library, case)));
    let result = match result {
        Ok(result) => result,
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied());
            return Outcome::Failed(format!("panicked: {}", text.unwrap_or("without a message")));
        }
    };
    match (&case.expected, result) {
        // Even where an error is expected: not this one.
        (_, Err(error)) if error.is_unknown_function() => Outcome::Failed(error.to_string()),
        (Expected::Error(_), Err(_)) => Outcome::Passed,
        (Expected::Error(name), Ok(_)) => {
            Outcome::Failed(format!("gave a result, expected an error ({name})"))
        }
        (Expected::Arrays(_), Err(_)) if refused => Outcome::Passed,
        (Expected::Arrays(_), Err(error)) => Outcome::Failed(error.to_string()),
        (Expected::Arrays(_), Ok(_)) if refused => {
            Outcome::Failed("gave a result, but a trace cannot know its shape".into())
        }
        (Expected::Arrays(expected), Ok(ran)) => {
            if let Some(reason) = ran.declined {
                *declined.entry(reason).or_default() += 1;
            }
            let got: autojit::Result<Vec<_>> = ran.arrays.iter().map(json::Data::of).collect();
            match got.map_err(|e| e.to_string()) {
                Ok(got) => match compare::compare(case, expected, &got) {
                    Ok(()) => Outcome::Passed,
                    Err(why) => Outcome::Failed(why),
                },
                Err(why) => Outcome::Failed(why),
            }
        }
    }
}
