//! Graphs in, the text form of what a stage of the native compiler makes of them out.
//!
//! `filetests/<stage>/*.graph` holds a graph of core ops and, after a line `; ----`, the expected text. The first line
//! names the stage; further lines may set options, and comments say what the file is about:
//!
//! ```text
//! ; test: memory
//! ; memory: 256      the limit of memory, in bytes
//! ; threads: 4       the number of threads
//! ; kernels: 2       the number of kernels above which loops are split
//! ; carry: 2         the body of a loop that carries so many arrays
//! ; elements: 1      so many elements of whole arrays that it takes
//! ; condition: true  its last result is the condition of a while_loop
//! ; Two arrays that are never alive at the same time share memory.
//! %x = input index=0 ty=f64[4]
//! ..
//! ; ----
//! b0: output 0, 32 bytes
//! ```
//!
//! Every file is verified at every stage. `AUTOJIT_BLESS=1` rewrites the expected text. A new stage is a line of
//! [`STAGES`]. The folders `simd`, `vcode` and `disasm` are those of `src/codegen/filetests.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use autojit_engine::{BodyOptions, StageOptions, print_stage};
use autojit_ir::Graph;
use autojit_ir::error::Result;

/// Gives the text of a stage.
type Print = fn(&Graph, &StageOptions) -> Result<String>;

const STAGES: &[(&str, Print)] = &[
    ("lower", |graph, options| {
        print_stage(graph, "lower", options)
    }),
    ("loops", |graph, options| {
        print_stage(graph, "loops", options)
    }),
    ("schedule", |graph, options| {
        print_stage(graph, "schedule", options)
    }),
    ("memory", |graph, options| {
        print_stage(graph, "memory", options)
    }),
    ("program", |graph, options| {
        print_stage(graph, "program", options)
    }),
];

const SEPARATOR: &str = "; ----\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests")
}

fn files() -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let folders = STAGES.iter().map(|(stage, _)| folder().join(stage));
    let mut files: Vec<PathBuf> = folders.flat_map(|folder| entries(&folder)).collect();
    files.sort();
    files
}

/// The value of a line `; key: value` of the head of a file.
fn setting<'a>(head: &'a str, key: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.strip_prefix("; "));
    let mut values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    values.next().map(str::trim)
}

fn number(head: &str, key: &str) -> Option<usize> {
    let value = setting(head, key)?;
    Some(value.parse().unwrap_or_else(|e| panic!("{key}: {e}")))
}

/// Checks a file; the failure, if it fails.
fn check(path: &Path) -> std::result::Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (head, expected) = text.split_once(SEPARATOR).unwrap_or((text.as_str(), ""));
    let stage = setting(head, "test").ok_or("there is no line `; test: stage`")?;
    let in_folder = path.parent().is_some_and(|folder| folder.ends_with(stage));
    if !in_folder {
        return Err(format!("a test of {stage} is in another folder"));
    }
    let known = STAGES.iter().find(|(name, _)| *name == stage);
    let (_, print) = known.ok_or_else(|| format!("there is no stage {stage}"))?;
    let graph: Graph = head.parse().map_err(|e| format!("{e}"))?;
    let mut options = StageOptions::default();
    options.limits.memory = number(head, "memory");
    options
        .limits
        .set_threads(number(head, "threads").unwrap_or(1));
    options.kernels = number(head, "kernels").unwrap_or(options.kernels);
    options.repeats = setting(head, "repeats") == Some("true");
    options.body = number(head, "carry").map(|carry| BodyOptions {
        carry,
        elements: number(head, "elements").unwrap_or(0),
        has_condition: setting(head, "condition") == Some("true"),
    });
    let got = print(&graph, &options).unwrap_or_else(|e| format!("error: {e}\n"));
    if std::env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1") {
        let head = head.trim_end();
        return fs::write(path, format!("{head}\n{SEPARATOR}{got}")).map_err(|e| e.to_string());
    }
    if got == expected {
        Ok(())
    } else {
        Err(format!("expected\n{expected}got\n{got}"))
    }
}

#[test]
fn stages() {
    let failures: Vec<String> = files()
        .iter()
        .filter_map(|path| {
            let failure = check(path).err()?;
            let name = path.strip_prefix(folder()).unwrap_or(path);
            Some(format!("{}: {failure}", name.display()))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn there_are_files_of_every_stage() {
    for (stage, _) in STAGES {
        let count = fs::read_dir(folder().join(stage)).map_or(0, Iterator::count);
        assert!(count > 3, "{count} files of {stage}");
    }
}
