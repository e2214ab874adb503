//! `AUTOJIT_DUMP=folder`: what each compilation makes, as files.
//!
//! A compilation has a folder of its own, `PROCESS-NUMBER-FUNCTION`, with
//!
//! | file | is |
//! |---|---|
//! | `traced.graph` | what the closure did, or what was loaded |
//! | `pass-1-rewrite.graph` .. | what each pass of the optimiser made of it; the backend is given the last |
//! | `optimized.autojit` | the same as a function, with source lines, for the command `autojit` and [`Exported`](crate::Exported) |
//! | `explain.txt` | what [`Jit::explain`](crate::Jit::explain) says |
//!
//! Graphs are text that is read back, by `autojit` and by tests. What means nothing in another program, such as a
//! registered function, is in the text and not in `optimized.autojit`, which is missing then.
//!
//! Invariants: no file is ever overwritten, as each task gets a new folder; a file that cannot be written is logged
//! (`warn`), and the call goes on without it.

use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{info, warn};

use super::task::Task;
use crate::export::Saved;
use autojit_ir::Graph;
use autojit_library::environment::environment;
use autojit_library::logging::TARGET;

/// The folder of a compilation.
pub(super) struct Dump {
    folder: PathBuf,
    /// The first lines of graphs: what they are of.
    title: String,
}

impl Dump {
    /// A folder for a task, if the environment asks for one.
    pub(super) fn begin(task: &Task<'_>) -> Option<Self> {
        let parent = environment().dump.as_ref()?;
        match new_folder(parent, task.function) {
            Ok(folder) => {
                info!(target: TARGET, folder = %folder.display(), "dumped into {}", folder.display());
                let Task {
                    function,
                    signature,
                    reason,
                    ..
                } = task;
                let title = format!("{function} {signature} ({reason})");
                // A name with line breaks must not end the comment that it stands in.
                let title = title.replace(char::is_control, " ");
                Some(Self { folder, title })
            }
            Err(error) => {
                log_failure(parent, &error);
                None
            }
        }
    }

    /// Writes a graph.
    pub(super) fn graph(&self, name: &str, graph: &Graph) {
        let mut text = format!("; {}\n", self.title);
        // Lines are comments, so that the text can be read back.
        let before = graph.constants().len();
        for (index, line) in graph.to_string().lines().enumerate() {
            text.push_str(line);
            let node = index.checked_sub(before).and_then(|i| graph.nodes().get(i));
            if let Some(location) = node.and_then(|node| node.location) {
                let _ = write!(text, "  ; {location}");
            }
            text.push('\n');
        }
        self.write(&format!("{name}.graph"), text.as_bytes());
    }

    /// Writes what a pass of the optimiser made, counted from 1.
    pub(super) fn pass(&self, number: usize, name: &str, graph: &Graph) {
        self.graph(&format!("pass-{number}-{}", file_name(name)), graph);
    }

    /// Writes the function with its lines.
    pub(super) fn function(&self, saved: &Saved) {
        match saved.to_bytes() {
            Ok(bytes) => self.write("optimized.autojit", &bytes),
            Err(error) => info!(
                target: TARGET,
                error = %error,
                "optimized.autojit is missing: {error}"
            ),
        }
    }

    /// Writes the explanation.
    pub(super) fn explanation(&self, explanation: &impl fmt::Display) {
        self.write("explain.txt", explanation.to_string().as_bytes());
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        if let Err(error) = autojit_ir::file::write(&path, bytes) {
            warn!(target: TARGET, path = %path.display(), error = %error, "AUTOJIT_DUMP: {error}");
        }
    }
}

/// Where tracing failed there is nothing to keep: a folder goes if it is empty, and only then.
impl Drop for Dump {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

fn log_failure(path: &Path, error: &io::Error) {
    let path = path.display();
    warn!(
        target: TARGET,
        path = %path,
        error = %error,
        "AUTOJIT_DUMP: cannot write {path}: {error}"
    );
}

/// Makes a folder that was not there: creating one fails if another function, thread or process has it.
fn new_folder(parent: &Path, function: &str) -> io::Result<PathBuf> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    fs::create_dir_all(parent)?;
    let (process, function) = (std::process::id(), file_name(function));
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("{process}-{number:04}-{function}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// A name as files may be called on every system: `app::step::{{closure}}` is `app-step-closure`.
fn file_name(name: &str) -> String {
    const LONGEST: usize = 60;
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(LONGEST);
    match name.is_empty() {
        true => "function".to_owned(),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_are_names_of_files() {
        assert_eq!(file_name("app::step::{{closure}}"), "app-step-closure");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("größe\n"), "gr-e");
        assert_eq!(file_name("λ"), "function");
        assert_eq!(file_name(&"x".repeat(500)).len(), 60);
    }
}
