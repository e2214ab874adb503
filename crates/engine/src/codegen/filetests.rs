//! Graphs in, vector kernels, vector code or machine code for AVX-512 out, on any processor.
//!
//! `filetests/<stage>/*.graph` holds a graph of core ops and, after a line `; ----`, the expected text. The first line names
//! the stage, and comments say what the file is about:
//!
//! ```text
//! ; test: vcode
//! ; The rest of 21 elements runs under a mask.
//! %x = input index=0 ty=f64[21]
//! ..
//! ; ----
//! kernel 0
//! ```
//!
//! | stage | text |
//! |---|---|
//! | `simd` | the plan and the vector kernel of each kernel |
//! | `vcode` | its vector code |
//! | `disasm` | its machine code, as a decoder that is not ours reads it |
//!
//! `AUTOJIT_BLESS=1` rewrites the expected text.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::simd;
use super::simd::target::Target;
use super::target::avx512::{Avx512, tests::read};
use crate::kernel::Kernel;
use autojit_ir::Graph;
use autojit_library::backend::Limits;

const STAGES: &[&str] = &["simd", "vcode", "disasm"];

const SEPARATOR: &str = "; ----\n";

/// The text of a stage for each kernel of a graph.
fn print(graph: &Graph, stage: &str) -> String {
    let kernels = crate::compile(graph, &Limits::default()).unwrap().kernels;
    let mut text = String::new();
    for (number, kernel) in kernels.iter().enumerate() {
        writeln!(text, "kernel {number}").unwrap();
        text += &print_kernel(kernel, stage);
    }
    text
}

fn print_kernel(kernel: &Kernel, stage: &str) -> String {
    let (plan, code) = match simd::vector_code::<Avx512>(kernel, true) {
        Ok(code) => code,
        Err(why) => return format!("Cranelift ({why})\n"),
    };
    match stage {
        "simd" => plan.to_string(),
        "vcode" => code.to_string(),
        _ => {
            // Addresses of functions are those of this process, so their names' lengths stand for them.
            let bytes = Avx512::encode(&code, |function| function.name.len() as u64);
            read(&bytes).join("\n") + "\n"
        }
    }
}

/// Checks a file; the failure, if it fails.
fn check(path: &Path, stage: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (head, expected) = text.split_once(SEPARATOR).unwrap_or((text.as_str(), ""));
    if head.lines().next() != Some(&format!("; test: {stage}")) {
        return Err(format!("a test of another stage is in the folder {stage}"));
    }
    let graph: Graph = head.parse().map_err(|e| format!("{e}"))?;
    let got = print(&graph, stage);
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
fn vector_code_of_graphs_is_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let mut failures = Vec::new();
    for stage in STAGES {
        let entries = fs::read_dir(folder.join(stage)).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() > 3, "{} files of {stage}", files.len());
        files.sort();
        for file in files {
            if let Err(why) = check(&file, stage) {
                failures.push(format!("{}: {why}", file.display()));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
