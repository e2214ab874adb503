//! Text graphs in, text out.
//!
//! - `tests/filetests/text/*.graph`: a graph that is parsed and printed. The lines after `;> ` are what must
//!   be printed, or, after `;! error `, the message of the refusal.
//! - `tests/filetests/run/*.graph`: a graph that every engine of [`ENGINES`] runs. Lines that start with `;!`
//!   direct the test:
//!
//! ```text
//! ;! rtol 1e-6                a tolerance relative to the expected value, for the whole file
//! ;! atol 1e-12               an absolute tolerance, for the whole file
//! ;! any_zero_sign            zeros of both signs are equal in this file
//! ;! case why this one        begins a case
//! ;! in f64[2] 1.0 -0.0       one argument
//! ;! out f64[2] 3.0 NaN       one result
//! ;! error message            or the message of the error
//! ```
//!
//! `AUTOJIT_BLESS=1` rewrites the expected parts from what the parser and the reference interpreter give; the
//! expected values that are checked in were compared with NumPy.

mod optimizer;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use autojit::Result;
use autojit::ir::{Class, Graph, HostArray, Op, Scalar};

/// Runs a graph.
type Engine = fn(&Graph, &[HostArray]) -> Result<Vec<HostArray>>;

/// All that must give the expected values; the first one writes them.
const ENGINES: &[(&str, Engine)] = &[
    ("reference", Graph::evaluate),
    ("eager", |graph, inputs| {
        autojit::run_graph("replay", graph, inputs)
    }),
    #[cfg(feature = "cranelift")]
    ("cranelift", |graph, inputs| {
        autojit::run_graph("cranelift", graph, inputs)
    }),
    #[cfg(feature = "torch")]
    ("torch", |graph, inputs| {
        autojit::run_graph("torch", graph, inputs)
    }),
];

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/filetests")
        .join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "graph"));
    paths.sort();
    assert!(!paths.is_empty(), "no tests in {}", folder.display());
    paths
}

fn blessing() -> bool {
    std::env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1")
}

/// Runs a test on each file and reports all failures together.
fn for_each_file(folder: &str, test: impl Fn(&Path, &str) -> Vec<String>) {
    let mut failures = Vec::new();
    for path in files(folder) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        failures.extend(
            test(&path, &text)
                .into_iter()
                .map(|f| format!("{name}: {f}")),
        );
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

// ---- text ----

/// The lines that describe what parsing and printing gives.
fn printed(text: &str) -> String {
    match text.parse::<Graph>() {
        Ok(graph) => graph
            .to_string()
            .lines()
            .map(|l| format!(";> {l}\n"))
            .collect(),
        Err(error) => format!(";! error {error}\n"),
    }
}

#[test]
fn text() {
    for_each_file("text", |path, text| {
        let is_golden = |l: &str| l.starts_with(";> ") || l.starts_with(";! error ");
        let (golden, source): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| is_golden(l));
        let got = printed(text);
        if blessing() {
            let source = source.join("\n");
            fs::write(path, format!("{}\n\n{got}", source.trim_end())).unwrap();
            return vec![];
        }
        let mut failures = Vec::new();
        if got.lines().ne(golden) {
            failures.push(format!("printed\n{got}"));
        }
        if let Ok(graph) = text.parse::<Graph>() {
            let again = graph.to_string().parse::<Graph>().map(|g| g.to_string());
            if again.ok() != Some(graph.to_string()) {
                failures.push("what is printed does not read back".into());
            }
            failures.extend(graph.verify_shared().err().map(|e| e.to_string()));
        }
        failures
    });
}

// ---- run ----

/// One set of arguments, with the results or the message of the error.
struct Case {
    line: usize,
    inputs: Vec<HostArray>,
    expected: Result<Vec<HostArray>, String>,
}

#[derive(Default)]
struct RunFile {
    rtol: Option<f64>,
    atol: f64,
    any_zero_sign: bool,
    cases: Vec<Case>,
}

/// `f64[2] 1.0 2.0`
fn parse_array(text: &str) -> HostArray {
    let mut words = text.split_whitespace();
    let ty = words
        .next()
        .unwrap_or("")
        .parse()
        .unwrap_or_else(|e| panic!("{e} in `{text}`"));
    let data: Vec<Scalar> = words
        .map(|w| w.parse().unwrap_or_else(|e| panic!("{e}")))
        .collect();
    HostArray::from_scalars(&ty, &data)
        .unwrap_or_else(|| panic!("{ty} does not have {} elements", data.len()))
}

fn print_array(array: &HostArray) -> String {
    let scalars = array.to_scalars();
    let words: Vec<String> = scalars.iter().map(|s| format!(" {s}")).collect();
    format!("{}{}", array.ty(), words.concat())
}

fn parse_run_file(text: &str) -> RunFile {
    let mut file = RunFile::default();
    for (number, line) in text.lines().enumerate() {
        let Some(directive) = line.strip_prefix(";!") else {
            continue;
        };
        let (word, rest) = directive
            .trim()
            .split_once(' ')
            .unwrap_or((directive.trim(), ""));
        if word == "case" {
            let (line, inputs, expected) = (number + 1, vec![], Ok(vec![]));
            file.cases.push(Case {
                line,
                inputs,
                expected,
            });
            continue;
        }
        match (word, file.cases.last_mut()) {
            ("rtol", _) => file.rtol = Some(rest.parse().unwrap()),
            ("atol", _) => file.atol = rest.parse().unwrap(),
            ("any_zero_sign", _) => file.any_zero_sign = true,
            ("in", Some(case)) => case.inputs.push(parse_array(rest)),
            ("out", Some(case)) => match &mut case.expected {
                Ok(outputs) => outputs.push(parse_array(rest)),
                Err(_) => panic!("line {}: both a result and an error", number + 1),
            },
            ("error", Some(case)) => case.expected = Err(rest.into()),
            _ => panic!("line {}: `{line}` is no directive here", number + 1),
        }
    }
    file
}

/// Whether messages differ in the op alone: an engine may name the one that an expansion uses.
fn same_failure(got: &str, expected: &str) -> bool {
    let reason = |message: &str| message.rsplit_once(" in ").map(|m| m.0.to_owned());
    reason(got).is_some() && reason(got) == reason(expected)
}

impl RunFile {
    /// Complex numbers are compared as points where they are finite, else part by part.
    ///
    /// libtorch loses signs of zeros, and of complex numbers that are infinite or NaN it gets either part wrong.
    fn close(&self, engine: &str, got: Scalar, expected: Scalar, default_rtol: f64) -> bool {
        let (a, b) = (got.to_complex(), expected.to_complex());
        let in_torch = engine == "torch";
        let is_complex = matches!(expected, Scalar::Complex(_));
        if in_torch && is_complex && !a.is_finite() && !b.is_finite() {
            return true;
        }
        let rtol = self.rtol.unwrap_or(default_rtol);
        let whole = b.norm();
        let part = |x: f64, y: f64| {
            if x == y {
                return in_torch
                    || self.any_zero_sign
                    || x.is_sign_negative() == y.is_sign_negative();
            }
            let size = if whole.is_finite() { whole } else { y.abs() };
            (x.is_nan() && y.is_nan())
                || (x.is_finite() && y.is_finite() && (x - y).abs() <= self.atol + rtol * size)
        };
        got == expected || (part(a.re, b.re) && part(a.im, b.im))
    }

    /// The fault of the results of one case, if there is one.
    fn mismatch(
        &self,
        engine: &str,
        got: &Result<Vec<HostArray>, String>,
        expected: &Result<Vec<HostArray>, String>,
    ) -> Option<String> {
        let (got, expected) = match (got, expected) {
            (Ok(got), Ok(expected)) => (got, expected),
            (Err(got), Err(expected)) if got == expected || same_failure(got, expected) => {
                return None;
            }
            (Err(got), _) => return Some(format!("failed: {got}")),
            (Ok(_), Err(expected)) => return Some(format!("expected the error: {expected}")),
        };
        if got.len() != expected.len() {
            return Some(format!(
                "gave {} results, not {}",
                got.len(),
                expected.len()
            ));
        }
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            let dtype = expected.dtype();
            let rtol = match (dtype.class(), dtype.real().size()) {
                (Class::Bool | Class::Integer, _) => 0.0,
                (_, 4) => 1e-6,
                _ => 1e-14,
            };
            let (a, b) = (got.to_scalars(), expected.to_scalars());
            let close = |(&a, &b): (&Scalar, &Scalar)| self.close(engine, a, b, rtol);
            if got.ty() != expected.ty() || !a.iter().zip(&b).all(close) {
                let (got, expected) = (print_array(got), print_array(expected));
                return Some(format!("result {i} is\n  {got}\nnot\n  {expected}"));
            }
        }
        None
    }
}

/// The file with the results of its cases replaced.
fn blessed(text: &str, results: &[Result<Vec<HostArray>, String>]) -> String {
    let mut out = String::new();
    let mut cases = 0;
    let finish = |out: &mut String, cases: usize| {
        let Some(result) = cases.checked_sub(1).and_then(|i| results.get(i)) else {
            return;
        };
        match result {
            Ok(arrays) => arrays
                .iter()
                .for_each(|array| *out += &format!(";! out {}\n", print_array(array))),
            Err(error) => *out += &format!(";! error {error}\n"),
        }
    };
    for line in text.lines() {
        let directive = line.strip_prefix(";!").map_or("", str::trim);
        if directive.starts_with("out ") || directive.starts_with("error ") {
            continue;
        }
        if directive.split(' ').next() == Some("case") {
            finish(&mut out, cases);
            cases += 1;
        }
        out += line;
        out.push('\n');
    }
    finish(&mut out, cases);
    out
}

#[test]
fn run() {
    for_each_file("run", |path, text| {
        let graph: Graph = match text.parse() {
            Ok(graph) => graph,
            Err(error) => return vec![error.to_string()],
        };
        if let Err(error) = graph.verify_shared() {
            return vec![error.to_string()];
        }
        let file = parse_run_file(text);
        let run = |engine: Engine, case: &Case| {
            engine(&graph, &case.inputs).map_err(|error| error.to_string())
        };
        if blessing() {
            let results: Vec<_> = file.cases.iter().map(|c| run(ENGINES[0].1, c)).collect();
            fs::write(path, blessed(text, &results)).unwrap();
            return vec![];
        }
        let mut failures = Vec::new();
        if file.cases.is_empty() {
            failures.push("no case".into());
        }
        let graph: Option<Graph> = text.parse().ok();
        let has_loops = graph.is_some_and(|graph| {
            let mut nodes = graph.nodes().iter();
            nodes.any(|node| !node.op.bodies().is_empty())
        });
        for case in &file.cases {
            for &(name, engine) in ENGINES {
                // It has no loops, which is an error where nothing takes over.
                if has_loops && name == "torch" {
                    continue;
                }
                let wrong = file.mismatch(name, &run(engine, case), &case.expected);
                failures.extend(wrong.map(|w| format!("line {}, {name}: {w}", case.line)));
            }
        }
        failures
    });
}

/// Every op of the table is in some graph that is run.
#[test]
fn run_covers_all_ops() {
    let mut missing: BTreeSet<&str> = Op::NAMES.iter().copied().collect();
    for path in files("run") {
        let graph: Graph = fs::read_to_string(&path).unwrap().parse().unwrap();
        for (node, live) in graph.nodes().iter().zip(graph.live()) {
            if live {
                missing.remove(node.op.name());
            }
        }
    }
    // A function of the user has no text form.
    missing.remove("opaque");
    assert!(missing.is_empty(), "no run test has {missing:?}");
}
