//! Graphs in, vector kernels, vector code or machine code for a target out, on any processor.
//!
//! `filetests/<stage>/*.graph` holds a graph of core ops and, after a line `; ----`, the expected text. The first line names
//! the stage, after it `avx2` if the code is not for AVX-512, and comments say what the file is about:
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
use super::target::avx2::Avx2;
use super::target::avx512::{Avx512, tests::read};
use crate::kernel::Kernel;
use autojit_ir::Graph;
use autojit_library::backend::Limits;

const STAGES: &[&str] = &["simd", "vcode", "disasm"];

const SEPARATOR: &str = "; ----\n";

/// The text of a stage for each kernel of a graph.
fn print<T: Target>(graph: &Graph, stage: &str) -> String {
    let kernels = crate::compile(graph, &Limits::default()).unwrap().kernels;
    let mut text = String::new();
    for (number, kernel) in kernels.iter().enumerate() {
        writeln!(text, "kernel {number}").unwrap();
        text += &print_kernel::<T>(kernel, stage);
    }
    text
}

fn print_kernel<T: Target>(kernel: &Kernel, stage: &str) -> String {
    let (plan, code) = match simd::vector_code::<T>(kernel, true) {
        Ok(code) => code,
        Err(why) => return format!("Cranelift ({why})\n"),
    };
    match stage {
        "simd" => plan.to_string(),
        "vcode" => code.to_string(),
        _ => {
            // Addresses of functions are those of this process, so their names' lengths stand for them.
            let bytes = T::encode(&code, |function| function.name.len() as u64);
            read(&bytes).join("\n") + "\n"
        }
    }
}

/// Checks a file; the failure, if it fails.
fn check(path: &Path, stage: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (head, expected) = text.split_once(SEPARATOR).unwrap_or((text.as_str(), ""));
    let tested = head
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("; test: "));
    let Some(target) = tested.and_then(|tested| tested.strip_prefix(stage)) else {
        return Err(format!("a test of another stage is in the folder {stage}"));
    };
    let graph: Graph = head.parse().map_err(|e| format!("{e}"))?;
    let got = match target.trim() {
        "" => print::<Avx512>(&graph, stage),
        "avx2" => print::<Avx2>(&graph, stage),
        other => return Err(format!("there is no target {other}")),
    };
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
