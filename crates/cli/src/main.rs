//! The command `autojit`: shows, draws, explains, runs and checks exported functions.
//!
//! A function is a file that `f.export(&x, "f.autojit")` wrote, or a graph as text. What each command does stands in the
//! library; here are its arguments (`options.rs`), the arrays of `.npy` and `.npz` files (`arrays.rs`), and what is
//! printed.
//!
//! Invariants: results go to standard output, everything else to standard error; the exit code is 0 if all went well, 1
//! if a check or a call failed, 2 if the command was wrong.

mod arrays;
mod assembly;
mod options;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use autojit::ir::{Graph, ValueId};
use autojit::{Array, Error, Exported};
use clap::{CommandFactory, Parser};

use options::{Command, Inputs, Options, Picture};

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads the output may have seen enough, as `head` has.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("autojit: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    Autojit(Error),
    File(String),
    Write(io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Autojit(error) => f.write_str(&in_users_words(error)),
            Self::File(why) => f.write_str(why),
            Self::Write(error) => write!(f, "cannot write: {error}"),
        }
    }
}

/// The message of an error without the line of this program that made the call: it is not the user's.
fn in_users_words(error: &Error) -> String {
    let text = error.to_string();
    let ours = error.location().map(|line| format!(", at {line}"));
    match ours.and_then(|ours| text.strip_suffix(&ours).map(str::to_owned)) {
        Some(text) => text,
        None => text,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Autojit(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Whether what was checked holds.
fn run(command: Command) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match command {
        Command::Show { file, json } => {
            let function = load(&file, None)?;
            match json {
                true => writeln!(out, "{:#}", to_json(&function))?,
                false => show(&function, &mut out)?,
            }
        }
        Command::Plot {
            file,
            output,
            picture,
            color,
            title,
        } => {
            let function = load(&file, None)?;
            let drawing = function.drawing();
            let plot = match picture {
                Picture::Circuit => drawing.circuit(),
                Picture::Graph => drawing.graph(),
                Picture::Memory => drawing.size_footprint(),
                Picture::Functions(style) => drawing.functions(style),
                Picture::Stats(statistic) => drawing.stats(statistic),
            };
            let title =
                title.unwrap_or_else(|| format!("{} {}", function.name(), function.signature()));
            plot.color_by(color.into()).title(title).save(&output)?;
            eprintln!(
                "drew {} nodes into {}",
                drawing.num_nodes(),
                output.display()
            );
        }
        Command::Explain {
            file,
            backend,
            html,
            code,
            clif,
            json,
        } => {
            let explanation = load(&file, backend)?.explain()?;
            match html {
                Some(path) => {
                    write(&path, explanation.to_html().as_bytes())?;
                    eprintln!("wrote {}", path.display());
                }
                None if code || clif => {
                    let parts = assembly::Parts { code, clif };
                    assembly::print(explanation.machine_code(), parts, &mut out)?;
                }
                None if json => {
                    let summary = serde_json::to_string_pretty(&explanation.summary());
                    writeln!(out, "{}", summary.map_err(io::Error::from)?)?;
                }
                None => write!(out, "{explanation}")?,
            }
        }
        Command::Run {
            file,
            inputs,
            backend,
            output,
        } => {
            let function = load(&file, backend)?;
            let results = function.call_arrays(&read_inputs(&function, &inputs)?)?;
            match output {
                Some(path) => {
                    arrays::write(&path, &results)?;
                    eprintln!("wrote {} arrays into {}", results.len(), path.display());
                }
                None => {
                    for result in results {
                        writeln!(out, "{result}")?;
                    }
                }
            }
        }
        Command::Check {
            file,
            inputs,
            backend,
            against,
        } => {
            let function = load(&file, backend)?;
            function.graph().verify()?;
            let arrays = read_inputs(&function, &inputs)?;
            let comparison = function.check_against(&against, &arrays)?;
            writeln!(out, "{comparison}")?;
            return Ok(comparison.agrees());
        }
        Command::Completions { shell } => {
            // Into memory first: it panics on what cannot be written.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Options::command(), "autojit", &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(true)
}

/// Reads a file of an exported function, or the text of a graph.
fn load(path: &Path, backend: Option<String>) -> Result<Exported, Failure> {
    let cannot = |why: String| Failure::File(format!("cannot load {}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| cannot(e.to_string()))?;
    let looks_like_text = bytes
        .iter()
        .take(64)
        .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    let function = match std::str::from_utf8(&bytes) {
        Ok(text) if looks_like_text && !text.trim().is_empty() => {
            let graph = text.parse::<Graph>().map_err(|e| {
                cannot(format!(
                    "it is neither a file of an exported function nor the text of a graph: {}",
                    in_users_words(&e)
                ))
            })?;
            let name = path
                .file_stem()
                .map_or_else(|| "graph".into(), |name| name.to_string_lossy());
            Exported::from_graph(name, graph)
        }
        _ => Exported::from_bytes(&bytes).map_err(|e| cannot(in_users_words(&e)))?,
    };
    Ok(match backend {
        Some(backend) => function.backend(backend).strict(true),
        None => function,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    autojit_ir::file::write(path, bytes).map_err(|e| Failure::File(e.to_string()))
}

fn read_inputs(function: &Exported, inputs: &Inputs) -> Result<Vec<Array>, Failure> {
    match inputs.random {
        Some(seed) => Ok(arrays::random(function.graph().input_types(), seed)),
        None if inputs.arrays.is_empty() && !function.graph().input_types().is_empty() => {
            Err(Failure::File(format!(
                "the function takes {}: name files .npy or .npz, or use --random",
                function.signature()
            )))
        }
        None => arrays::read(&inputs.arrays),
    }
}

/// The graph, as text that can be read back: lines are comments.
fn show(function: &Exported, out: &mut impl Write) -> Result<(), Failure> {
    let graph = function.graph();
    writeln!(
        out,
        "; {} {} -> {}",
        function.name(),
        function.signature(),
        function.results()
    )?;
    writeln!(
        out,
        "; exported by autojit {}, {} nodes",
        function.made_by(),
        graph.nodes().len()
    )?;
    for (index, line) in graph.to_string().lines().enumerate() {
        let node = index.checked_sub(graph.constants().len());
        let node = node.filter(|&node| node < graph.nodes().len());
        match node.and_then(|node| function.source_line(ValueId(node as u32))) {
            Some(source) => writeln!(out, "{line}  ; {source}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// Everything but the elements of constants.
fn to_json(function: &Exported) -> serde_json::Value {
    let graph = function.graph();
    let nodes = graph.values().map(|value| {
        let node = &graph[value];
        let attributes = node.op.attributes().into_iter();
        let attributes = attributes.map(|(name, text)| (name.to_owned(), text.into()));
        serde_json::json!({
            "op": node.op.name(),
            "attributes": attributes.collect::<serde_json::Map<_, _>>(),
            "inputs": node.inputs.iter().map(|input| input.0).collect::<Vec<_>>(),
            "type": node.ty.to_string(),
            "line": function.source_line(value).map(ToString::to_string),
        })
    });
    serde_json::json!({
        "name": function.name(),
        "made_by": function.made_by(),
        "arguments": function.signature(),
        "results": function.results(),
        "constants": graph.constants().iter().map(|c| c.ty().to_string()).collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
        "outputs": graph.outputs().iter().map(|output| output.0).collect::<Vec<_>>(),
    })
}
