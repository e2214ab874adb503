//! The machine: what it is, and how much of it contestants get.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::record::{Machine, Record, SCHEMA, VERSION};

/// Confines this process, and those that it starts, to some cores, so that no contestant uses more threads than others.
///
/// Libraries that count cores, as XLA, libtorch and rayon do, start as many threads as there are then.
pub(crate) fn confine(threads: usize) -> Result<(), String> {
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    if threads == 0 || threads > there {
        return Err(format!(
            "--threads {threads}: this machine has {there} cores to give"
        ));
    }
    // Read by libraries that do not look at the cores they may use.
    for variable in [
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
    ] {
        // SAFETY: `main` has started no other thread yet, so no other thread reads the environment.
        unsafe { std::env::set_var(variable, threads.to_string()) };
    }
    pin(threads)
}

#[cfg(target_os = "linux")]
fn pin(threads: usize) -> Result<(), String> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).map_err(|e| format!("cores of this process: {e}"))?;
    let mut wanted = CpuSet::new();
    // The last ones: the first core tends to have interrupts to serve.
    let cores = (0..CpuSet::MAX_CPU)
        .rev()
        .filter(|&core| allowed.is_set(core));
    for core in cores.take(threads) {
        wanted.set(core);
    }
    sched_setaffinity(None, &wanted).map_err(|e| format!("confining to {threads} cores: {e}"))
}

#[cfg(not(target_os = "linux"))]
fn pin(threads: usize) -> Result<(), String> {
    eprintln!(
        "note: cores are confined on Linux only; what looks at no variable may use more than {threads}"
    );
    Ok(())
}

/// An empty record of a run that begins now.
pub(crate) fn begin(threads: usize, cores: usize) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        date: date(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_secs()),
        ),
        command: std::env::args()
            .skip(1)
            .filter(|a| a != "--bench")
            .collect(),
        machine: Machine {
            processor: processor(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores,
            threads,
            load: load(),
            variables: variables(),
        },
        limit: None,
        versions: versions(),
        cases: Vec::new(),
    }
}

/// The variables of autojit that are set.
fn variables() -> BTreeMap<String, String> {
    let all = std::env::vars_os();
    let readable = all.filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    readable
        .filter(|(name, _)| name.starts_with("AUTOJIT_"))
        .collect()
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let widest = field("flags").map_or("", |flags| {
        let has = |flag| flags.split(' ').any(|f| f == flag);
        match (has("avx512f"), has("avx2")) {
            (true, _) => ", AVX-512",
            (false, true) => ", AVX2",
            _ => "",
        }
    });
    format!("{name}{widest}")
}

fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn versions() -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    versions.insert("autojit".into(), env!("CARGO_PKG_VERSION").into());
    let mut first_line = |name: &str, program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        if let Ok(output) = output
            && output.status.success()
            && let Some(line) = String::from_utf8_lossy(&output.stdout).lines().next()
        {
            versions.insert(name.to_owned(), line.to_owned());
        }
    };
    let folder = env!("CARGO_MANIFEST_DIR");
    first_line("rustc", "rustc", &["--version"]);
    first_line(
        "commit",
        "git",
        &["-C", folder, "describe", "--always", "--dirty"],
    );
    versions
}

/// Seconds since 1970 as date and time in UTC. Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year_of_era + era * 400 + later;
    let (hour, minute) = (rest / 3_600, rest / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}
