//! Peers: the same functions in Python, in a process of their own that takes turns with us.
//!
//! Their packages are pinned in `benches/peers/*.txt` and installed into a virtual environment under `target`, once.
//! A peer is spoken to in lines of JSON; arrays go through `.npy` files. It takes the time itself, so nothing of the
//! conversation is in it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use autojit::ir::HostArray;
use autojit::{Array, DType};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, WriteNpyExt};
use num_complex::{Complex32, Complex64};
use serde_json::{Value, json};

use crate::measure::Turn;
use crate::progress::Progress;
use crate::record::{Compilation, Outcome};
use crate::workloads::{blasfeo, openblas};

/// All that there are.
pub(crate) const NAMES: &[&str] = &[
    "numpy",
    "autoray",
    "autoray-jax",
    "jax",
    "casadi",
    "numba",
    "torch",
    "torch-compile",
];

/// The contestants of a peer, by the names that `peer.py` has for them.
pub(crate) fn variants(name: &str) -> Vec<String> {
    let variants: &[&str] = match name {
        "casadi" => &["casadi-sx", "casadi-mx", "casadi-c"],
        name => &[name],
    };
    variants.iter().map(|name| (*name).to_owned()).collect()
}

/// Longest that starting a peer may take; importing is not compiling.
const START: Duration = Duration::from_secs(120);

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Everything that peers leave behind: under the `target` folder that cargo uses.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("harness")
}

fn python() -> PathBuf {
    folder().join("venv/bin/python")
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.trim().lines().rfind(|line| line.contains("ERROR"));
    let line = line.or_else(|| said.trim().lines().last());
    Err(line.unwrap_or("it failed and did not say why").to_owned())
}

/// Installs what a peer needs, unless it is there.
///
/// # Errors
/// There is no such peer, no Python, or its packages cannot be had; in words.
pub(crate) fn install(name: &str, progress: &Progress) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!(
            "no peer is called {name}, expected one of {}",
            NAMES.join(", ")
        ));
    }
    let requirements = sources().join(format!("{name}.txt"));
    let wanted = fs::read_to_string(&requirements)
        .map_err(|e| format!("{}: {e}", requirements.display()))?;
    // What was installed, with the versions, so that new pins are installed anew.
    let mark = folder().join(format!("{name}.installed"));
    let is_there = fs::read_to_string(&mark).is_ok_and(|there| there == wanted);
    if !(is_there && python().exists()) {
        progress.note(&format!(
            "installing the peer {name} into {}",
            folder().display()
        ));
        progress.doing(format!("installing {name}"));
        fs::create_dir_all(folder()).map_err(|e| e.to_string())?;
        if !python().exists() {
            let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
            let venv = folder().join("venv");
            run(Command::new(interpreter).args(["-m", "venv"]).arg(venv))?;
        }
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(Command::new(python())
            .args(pip)
            .arg("-r")
            .arg(&requirements))?;
        fs::write(&mark, wanted).map_err(|e| e.to_string())?;
    }
    // Libraries that come with peers are baselines of matrix products.
    match name {
        "numpy" => offer("numpy.libs", "libscipy_openblas64_", openblas::set_library),
        "casadi" => offer("casadi", "libblasfeo.so", blasfeo::set_library),
        _ => {}
    }
    Ok(())
}

/// Hands on the file of a package whose name begins so, if there is one.
fn offer(package: &str, begin: &str, to: fn(PathBuf)) {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    for python in entries(folder().join("venv/lib")) {
        for file in entries(python.path().join("site-packages").join(package)) {
            if file.file_name().to_string_lossy().starts_with(begin) {
                to(file.path());
            }
        }
    }
}

/// The processes that a process has started, and theirs: compilers that would go on without it.
#[cfg(target_os = "linux")]
fn descendants(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{parent}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            // A thread may end at any time.
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
    }
    found.split_off(1)
}

#[cfg(not(target_os = "linux"))]
fn descendants(_: u32) -> Vec<u32> {
    Vec::new()
}

/// Ends a process that may be gone already.
#[cfg(target_os = "linux")]
fn end(process: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process(id, Signal::KILL);
    }
}

#[cfg(not(target_os = "linux"))]
fn end(_: u32) {}

/// A running peer.
pub(crate) struct Worker {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// Versions of its packages.
    pub(crate) versions: Vec<(String, String)>,
    limit: Duration,
    files: PathBuf,
    results: Vec<PathBuf>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be gone already, by itself or at the limit.
        let started = descendants(self.child.id());
        let _ = self.child.kill();
        for process in started {
            end(process);
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.files);
    }
}

impl Worker {
    /// Starts a peer that is installed.
    pub(crate) fn start(name: &str, threads: usize, limit: Duration) -> Result<Self, String> {
        let files = folder().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&files).map_err(|e| format!("{}: {e}", files.display()))?;
        let mut child = Command::new(python())
            .arg(sources().join("peer.py"))
            .args([name, &threads.to_string()])
            // Warnings of packages are no concern of ours.
            .env("PYTHONWARNINGS", "ignore")
            .env("TF_CPP_MIN_LOG_LEVEL", "3")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("its pipes are missing".into());
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The receiver is gone once the worker is dropped.
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut worker = Self {
            name: name.to_owned(),
            child,
            input,
            lines,
            versions: Vec::new(),
            limit,
            files,
            results: Vec::new(),
        };
        let hello = worker.answer(START).map_err(|e| match e {
            Outcome::Failed(message) | Outcome::Limit(message) => message,
            _ => "it does not start".into(),
        })?;
        let versions = hello["versions"].as_object().into_iter().flatten();
        worker.versions = versions
            .map(|(name, version)| (name.clone(), version.as_str().unwrap_or("?").to_owned()))
            .collect();
        Ok(worker)
    }

    /// The next answer that is not the name of a stage.
    fn answer(&mut self, limit: Duration) -> Result<Value, Outcome> {
        let begin = Instant::now();
        let mut stage = "start".to_owned();
        loop {
            let left = limit.saturating_sub(begin.elapsed());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    // It is dropped next, which stops it.
                    let seconds = limit.as_secs_f64();
                    return Err(Outcome::Limit(format!(
                        "in `{stage}` for more than {seconds} s"
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Outcome::Failed(format!("{} ended in `{stage}`", self.name)));
                }
            };
            // Packages print things; only our own lines count.
            let Ok(answer) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if let Some(name) = answer["stage"].as_str() {
                stage = name.to_owned();
            } else if let Some(message) = answer["declined"].as_str() {
                return Err(Outcome::Declined(message.to_owned()));
            } else if let Some(message) = answer["failed"].as_str() {
                return Err(Outcome::Failed(message.to_owned()));
            } else if answer.is_object() {
                return Ok(answer);
            }
        }
    }

    fn ask(&mut self, question: &Value, limit: Duration) -> Result<Value, Outcome> {
        writeln!(self.input, "{question}")
            .and_then(|()| self.input.flush())
            .map_err(|e| Outcome::Failed(format!("{}: {e}", self.name)))?;
        self.answer(limit)
    }

    /// Has it compile a workload, and call it once.
    pub(crate) fn prepare(
        &mut self,
        workload: &str,
        n: usize,
        dtype: DType,
        parameters: &Value,
        inputs: &[Array],
        call: bool,
    ) -> Result<Compilation, Outcome> {
        let mut files = Vec::new();
        for (i, input) in inputs.iter().enumerate() {
            let file = self.files.join(format!("input{i}.npy"));
            write_array(&file, input).map_err(Outcome::Failed)?;
            files.push(file);
        }
        let question = json!({
            "do": "prepare",
            "workload": workload,
            "n": n,
            "dtype": dtype.to_string(),
            "parameters": parameters,
            "inputs": files,
            "folder": self.files,
            "call": call,
        });
        let answer = self.ask(&question, self.limit)?;
        let results = answer["results"].as_array().into_iter().flatten();
        self.results = results
            .filter_map(|file| file.as_str().map(PathBuf::from))
            .collect();
        let time = |name: &str| answer[name].as_f64();
        Ok(Compilation {
            repetitions: 1,
            start: None,
            trace: time("trace"),
            optimize: time("lower"),
            compile: time("compile"),
            first_call: time("first_call"),
        })
    }

    /// The results of the first call.
    pub(crate) fn results(&mut self) -> Result<Vec<Array>, String> {
        self.results.iter().map(|file| read_array(file)).collect()
    }

    /// Has it take a turn.
    pub(crate) fn turn(&mut self, slice: Duration, batch: u32) -> Result<Turn, Outcome> {
        let question = json!({ "do": "turn", "seconds": slice.as_secs_f64(), "batch": batch });
        let answer = self.ask(&question, self.limit + slice)?;
        let batches = answer["batches"].as_array().into_iter().flatten();
        Ok(Turn {
            batches: batches.filter_map(Value::as_f64).collect(),
            calls: answer["calls"].as_u64().unwrap_or(0),
        })
    }
}

fn write_array(path: &Path, array: &Array) -> Result<(), String> {
    let explain = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = fs::File::create(path).map_err(|e| explain(&e))?;
    macro_rules! write_as {
        ($($dtype:ident $t:ty),*) => {
            match array.dtype().map_err(|e| explain(&e))? {
                $(DType::$dtype => {
                    let array = array.to_ndarray::<$t>().map_err(|e| explain(&e))?;
                    array.write_npy(file).map_err(|e| explain(&e))
                })*
                other => Err(format!("arrays of {other} are not handed to peers")),
            }
        };
    }
    write_as!(Float64 f64, Float32 f32, Complex128 Complex64, Complex64 Complex32, Int64 i64)
}

fn read_array(path: &Path) -> Result<Array, String> {
    let open = || fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()));
    macro_rules! first_that_reads {
        ($($t:ty),*) => {
            $(if let Ok(array) = ArrayD::<$t>::read_npy(open()?) {
                return Ok(Array::from(HostArray::from(array)));
            })*
        };
    }
    first_that_reads!(f64, f32, Complex64, Complex32, i64);
    Err(format!(
        "{}: an array of a dtype that was not expected",
        path.display()
    ))
}
