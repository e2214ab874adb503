//! `Profile`: where the time of a call goes.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Args, Jit, Tree};
use autojit_ir::SourceLine;
use autojit_ir::error::Result;
use autojit_ir::serial::Format;
use autojit_library::backend::{Outputs, StepTime};

/// Where the time of a call goes, step by step. Print it; made by [`Jit::profile`].
///
/// It is written and read by serde's formats as these fields, and a field `format` which is 1; another number is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profile {
    format: Format<1>,
    /// The backend that ran it.
    pub backend: Cow<'static, str>,
    /// How often it was run.
    pub runs: usize,
    /// The steps, those that took the longest first.
    pub steps: Vec<ProfiledStep>,
}

/// Equal steps of a call: the uses of one kernel, or the calls of one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfiledStep {
    /// The name of the entry, such as `kernel 3`, as [`Explanation`](crate::Explanation) numbers it.
    pub step: String,
    /// The ops that the steps are named by, each once.
    pub ops: Vec<Cow<'static, str>>,
    /// Their source lines, each once.
    pub lines: Vec<SourceLine>,
    /// How many steps of a call these are.
    pub count: usize,
    /// How long they take in one call: for each step the shortest time of all runs, added up.
    pub time: Duration,
}

impl Profile {
    /// The times of all steps, added up. A call takes longer: it checks its arguments and makes its results.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.steps.iter().map(|step| step.time).sum()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let count: usize = self.steps.iter().map(|step| step.count).sum();
        writeln!(
            f,
            "{}: {count} steps take {total:.1?}, shortest of {} runs",
            self.backend, self.runs
        )?;
        for step in &self.steps {
            let share =
                100.0 * step.time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
            let time = format!("{:.1?}", step.time);
            write!(
                f,
                "{time:>10} {share:>4.0}% {:>6} × {}",
                step.count, step.step
            )?;
            let ops = step.ops.join(", ");
            if !step.step.ends_with(&ops) {
                write!(f, " ({ops})")?;
            }
            match step.lines.as_slice() {
                [] => {}
                [line] => write!(f, ", at {line}")?,
                [line, others @ ..] => write!(f, ", at {line} and {} other lines", others.len())?,
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// Compiles the function for arguments like these, runs it some times, and reports where the time goes: for each
    /// kernel, and each function that native code calls; for each op under replay.
    ///
    /// Reading the clock takes some 20 ns, which is much beside a small kernel: compare steps with each other, and whole
    /// calls without a profile. Random numbers are drawn in each run. Nothing is kept.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(np::exp(&x), ..) + np::linalg::det(&x));
    /// let profile = f.profile(Array::from([[1.0, 2.0], [3.0, 4.0]]))?;
    /// println!("{profile}");
    /// assert!(profile.steps.iter().any(|step| step.ops.contains(&"det".into())));
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; and lazy arguments.
    #[track_caller]
    pub fn profile<X: Args<A>>(&self, args: X) -> Result<Profile> {
        const RUNS: usize = 20;
        let location = Location::caller();
        let measured = self.wanted().and_then(|wanted| {
            self.build_only(wanted, &args, location, "to profile it", |query, built| {
                let executable = built.code.choice.executable;
                let mut best: Vec<StepTime> = Vec::new();
                for _ in 0..RUNS {
                    let mut outputs = Outputs::new();
                    let times = executable.profile(query.arrays, &mut outputs)?;
                    match best.is_empty() {
                        true => best = times,
                        false => {
                            for (best, new) in best.iter_mut().zip(times) {
                                best.time = best.time.min(new.time);
                            }
                        }
                    }
                }
                Ok(Profile {
                    format: Format,
                    backend: built.code.choice.backend.into(),
                    runs: RUNS,
                    steps: grouped(best),
                })
            })?
        });
        measured.map_err(|e| e.at(location))
    }
}

/// Equal steps as one.
fn grouped(times: Vec<StepTime>) -> Vec<ProfiledStep> {
    let mut steps: Vec<ProfiledStep> = Vec::new();
    let mut known = rustc_hash::FxHashMap::default();
    for StepTime {
        step,
        op,
        location,
        time,
    } in times
    {
        let index = *known.entry(step.clone()).or_insert_with(|| {
            steps.push(ProfiledStep {
                step: step.into_owned(),
                ops: Vec::new(),
                lines: Vec::new(),
                count: 0,
                time: Duration::ZERO,
            });
            steps.len() - 1
        });
        let known: &mut ProfiledStep = &mut steps[index];
        known.count += 1;
        known.time += time;
        if !known.ops.iter().any(|known| known == op) {
            known.ops.push(op.into());
        }
        let line = location.map(SourceLine::from);
        known.lines.extend(
            line.filter(|line| !known.lines.contains(line))
                .into_iter()
                .collect::<Vec<_>>(),
        );
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.time));
    steps
}
